// The official @anthropic-ai/sdk package.
// Usage: node anthropic.mjs PACKAGE
import { base, check, end, holds, is, key, row, throws } from './check.mjs';

const sdk = await import(process.argv[2]);
const Anthropic = sdk.default;
const options = { baseURL: base, apiKey: key, maxRetries: 0 };
const client = new Anthropic(options);
const model = 'claude-sonnet-5-5';
const tool = {
    name: 'get_weather', description: 'weather',
    input_schema: { type: 'object', properties: { city: { type: 'string' } },
        required: ['city'] },
};
const ask = (content, more = {}) => ({ model, max_tokens: 1024,
    messages: [{ role: 'user', content }], ...more });
const text = message => message.content
    .filter(block => block.type === 'text').map(block => block.text).join('');
const prompt = usage => usage.input_tokens
    + (usage.cache_read_input_tokens ?? 0)
    + (usage.cache_creation_input_tokens ?? 0);

let whole = '';

await check('an answer', async () => {
    const { data, response } = await client.messages.create(
        ask('Tell me something')).withResponse();
    whole = text(data);
    holds(whole.length > 0, 'no text');
    is(data.stop_reason, 'end_turn', 'stop_reason');
    row(response.headers, prompt(data.usage), data.usage.output_tokens);
});

await check('a stream says the same', async () => {
    const stream = client.messages.stream(ask('Tell me something'));
    const { response } = await stream.withResponse();
    const final = await stream.finalMessage();
    is(text(final), whole, 'text');
    row(response.headers, prompt(final.usage), final.usage.output_tokens);
});

for (const stream of [false, true]) {
    const how = stream ? 'streamed' : 'whole';
    await check(`a tool loop, ${how}`, async () => {
        const body = ask('TOOLTEST what is the weather?', { tools: [tool] });
        const go = async () => stream
            ? await client.messages.stream(body).finalMessage()
            : await client.messages.create(body);
        const first = await go();
        is(first.stop_reason, 'tool_use', 'stop_reason');
        const call = first.content.find(b => b.type === 'tool_use');
        is(call.name, 'get_weather', 'tool');
        is(typeof call.input.city, 'string', 'city');
        body.messages.push({ role: 'assistant', content: first.content },
            { role: 'user', content: [{ type: 'tool_result',
                tool_use_id: call.id, content: 'sunny, 21 degrees' }] });
        const last = await go();
        is(last.stop_reason, 'end_turn', 'stop_reason');
        holds(text(last).includes('sunny'), text(last));
    });
}

await check('thinking, with its signature', async () => {
    const final = await client.messages.stream(ask('THINKTEST think', {
        max_tokens: 4096, thinking: { type: 'enabled', budget_tokens: 1024 },
    })).finalMessage();
    const block = final.content.find(b => b.type === 'thinking');
    holds(block?.thinking.length > 0, 'no thinking');
    holds(block.signature.length > 0, 'no signature');
    holds(text(final).length > 0, 'no text');
});

await check('token counts', async () => {
    const { max_tokens, ...body } = ask('Tell me something');
    const counted = await client.messages.countTokens(body);
    holds(counted.input_tokens > 0, `${counted.input_tokens}`);
});

await check('the model list', async () => {
    const models = [];
    for await (const one of client.models.list())
        models.push(one);
    holds(models.length > 0, 'no models');
    holds(models.every(m => m.type === 'model' && m.display_name), 'shape');
});

const demo = (words, more) => client.messages.create(
    ask(`[[demo ${words}]]`, more));

await check('a wrong key is AuthenticationError', async () => {
    const other = new Anthropic({ ...options, apiKey: 'rtx_wrong' });
    const error = await throws(sdk.AuthenticationError,
        () => other.messages.create(ask('hi')));
    is(error.error.error.type, 'authentication_error', 'type');
});

await check('an unknown path is NotFoundError', async () => {
    await throws(sdk.NotFoundError,
        () => client.post('/v1/messages/nothing', { body: {} }));
});

await check('429 is RateLimitError and says when', async () => {
    const error = await throws(sdk.RateLimitError,
        () => demo('status=429 retry-after=3'));
    is(error.headers.get('retry-after'), '3', 'retry-after');
    is(error.error.error.type, 'rate_limit_error', 'type');
});

await check('400 is BadRequestError', async () => {
    await throws(sdk.BadRequestError, () => demo('status=400'));
});

await check('a provider that only fails is a server error', async () => {
    await throws(sdk.InternalServerError, () => demo('status=500'));
});

await check('a cut stream throws', async () => {
    await throws(sdk.APIError, () => client.messages.stream(
        ask('[[demo events=8 cut-after-events=5]]')).finalMessage());
});

await check('a cut stream, read event by event, throws', async () => {
    await throws(sdk.APIError, async () => {
        const stream = await demo('events=8 cut-after-events=5',
            { stream: true });
        for await (const _ of stream);
    });
});

await check('an abort ends the stream', async () => {
    const stream = await demo('events=500 event-delay-ms=20',
        { stream: true });
    let seen = 0;
    try {
        for await (const _ of stream) {
            if (++seen === 3)
                stream.controller.abort();
        }
    } catch (error) {
        holds(error instanceof sdk.APIUserAbortError, error);
    }
    holds(seen >= 3 && seen < 100, `${seen} events`);
});

end();
