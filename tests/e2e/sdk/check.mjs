// What the SDK checks share: where Routex is, one line per check, and the
// tokens an SDK was told, for comparison with the admin API's rows.
export const base = process.env.ROUTEX_URL;
export const key = process.env.ROUTEX_KEY;

let failed = 0;

export async function check(name, body) {
    try {
        await body();
        console.log(`ok   ${name}`);
    } catch (error) {
        failed++;
        console.log(`FAIL ${name}\n${error?.stack ?? error}`);
    }
}

export function is(got, want, what) {
    if (got !== want) {
        const seen = JSON.stringify(got);
        throw new Error(`${what}: ${seen}, not ${JSON.stringify(want)}`);
    }
}

export function holds(condition, what) {
    if (!condition)
        throw new Error(what);
}

/** Runs `body`, which must throw an instance of `type`; gives the error. */
export async function throws(type, body) {
    try {
        await body();
    } catch (error) {
        if (!(error instanceof type))
            throw new Error(`${type.name} expected, got ${error?.stack}`);
        return error;
    }
    throw new Error(`${type.name} expected, nothing was thrown`);
}

/** What the row of request `id` must say: the whole prompt and the output. */
export function row(headers, prompt, output) {
    const id = headers.get?.('x-routex-request-id')
        ?? headers['x-routex-request-id'];
    holds(id, 'no x-routex-request-id');
    holds(prompt > 0 && output > 0, `tokens: ${prompt}, ${output}`);
    console.log(`row ${JSON.stringify({ id, prompt, output })}`);
}

export function end() {
    process.exit(failed ? 1 : 0);
}
