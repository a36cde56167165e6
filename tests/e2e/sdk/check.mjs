// What the SDK checks share: where Routex is, one line per check, and the
// tokens an SDK was told, for comparison with the admin API's rows.
export const base = process.env.ROUTEX_URL;
export const key = process.env.ROUTEX_KEY;

const admin = process.env.ROUTEX_ADMIN_URL;
const authorization = `Bearer ${process.env.ROUTEX_ADMIN_TOKEN}`;

let failed = 0;

/** Makes Routex forget what it holds against channels: the errors that one
 * check asks for are not the next one's. */
async function forget() {
    const list = await fetch(`${admin}/api/channels`,
        { headers: { authorization } });
    for (const channel of (await list.json()).data) {
        await fetch(`${admin}/api/channels/${channel.id}/reset`,
            { method: 'POST', headers: { authorization } });
    }
    for (const end = Date.now() + 5000; Date.now() < end;) {
        const { channels } = await (await fetch(`${base}/health`)).json();
        if (channels.available === channels.enabled)
            return;
    }
    throw new Error('channels are not forgiven');
}

export async function check(name, body) {
    try {
        if (admin) // a script that provokes errors is told where it is
            await forget();
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
