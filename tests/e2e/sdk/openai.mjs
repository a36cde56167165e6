// The official openai package, Chat Completions and Responses.
// Usage: node openai.mjs PACKAGE (openai, openai-6)
import { base, check, end, holds, is, key, row, throws } from './check.mjs';

const sdk = await import(process.argv[2]);
const OpenAI = sdk.default;
const options = { baseURL: `${base}/v1`, apiKey: key, maxRetries: 0 };
const client = new OpenAI(options);
const model = 'gpt-5.2';
const user = content => [{ role: 'user', content }];
const parameters = {
    type: 'object', properties: { city: { type: 'string' } },
    required: ['city'], additionalProperties: false,
};
const chatTool = {
    type: 'function',
    function: { name: 'get_weather', description: 'weather', parameters },
};
const responseTool = { type: 'function', name: 'get_weather',
    description: 'weather', parameters, strict: true };

let whole = '';

await check('chat: an answer', async () => {
    const { data, response } = await client.chat.completions.create(
        { model, messages: user('Tell me something') }).withResponse();
    whole = data.choices[0].message.content;
    holds(whole.length > 0, 'no text');
    is(data.choices[0].finish_reason, 'stop', 'finish_reason');
    row(response.headers, data.usage.prompt_tokens,
        data.usage.completion_tokens);
});

await check('chat: a stream says the same', async () => {
    const { data, response } = await client.chat.completions.create({
        model, messages: user('Tell me something'), stream: true,
        stream_options: { include_usage: true },
    }).withResponse();
    let text = '', usage;
    for await (const chunk of data) {
        text += chunk.choices[0]?.delta?.content ?? '';
        usage = chunk.usage ?? usage;
    }
    is(text, whole, 'text');
    row(response.headers, usage.prompt_tokens, usage.completion_tokens);
});

await check('chat: without include_usage no usage is shown', async () => {
    const stream = await client.chat.completions.create(
        { model, messages: user('Tell me something'), stream: true });
    let text = '';
    for await (const chunk of stream) {
        holds(chunk.choices.length > 0, 'a chunk nobody asked for');
        holds(!chunk.usage, 'usage nobody asked for');
        text += chunk.choices[0].delta.content ?? '';
    }
    is(text, whole, 'text');
});

for (const stream of [false, true]) {
    const how = stream ? 'streamed' : 'whole';
    await check(`chat: a tool loop, ${how}`, async () => {
        const messages = user('TOOLTEST what is the weather?');
        const ask = async () => stream
            ? await client.chat.completions.stream(
                { model, messages, tools: [chatTool] }).finalChatCompletion()
            : await client.chat.completions.create(
                { model, messages, tools: [chatTool] });
        const first = (await ask()).choices[0];
        is(first.finish_reason, 'tool_calls', 'finish_reason');
        const call = first.message.tool_calls[0];
        is(call.function.name, 'get_weather', 'tool');
        is(typeof JSON.parse(call.function.arguments).city, 'string', 'city');
        messages.push(first.message, {
            role: 'tool', tool_call_id: call.id, content: 'sunny, 21 degrees',
        });
        const last = (await ask()).choices[0];
        is(last.finish_reason, 'stop', 'finish_reason');
        holds(last.message.content.includes('sunny'), last.message.content);
    });
}

await check('responses: an answer', async () => {
    const { data, response } = await client.responses.create(
        { model, input: 'Tell me something' }).withResponse();
    whole = data.output_text;
    holds(whole.length > 0, 'no text');
    is(data.status, 'completed', 'status');
    row(response.headers, data.usage.input_tokens, data.usage.output_tokens);
});

await check('responses: a stream says the same', async () => {
    const { data, response } = await client.responses.create(
        { model, input: 'Tell me something', stream: true }).withResponse();
    let text = '', last;
    for await (const event of data) {
        if (event.type === 'response.output_text.delta')
            text += event.delta;
        last = event;
    }
    is(last.type, 'response.completed', 'last event');
    is(text, whole, 'text');
    row(response.headers, last.response.usage.input_tokens,
        last.response.usage.output_tokens);
});

for (const stream of [false, true]) {
    const how = stream ? 'streamed' : 'whole';
    await check(`responses: a tool loop, ${how}`, async () => {
        const input = user('TOOLTEST what is the weather?');
        const body = () => ({ model, input, tools: [responseTool] });
        const ask = async () => stream
            ? await client.responses.stream(body()).finalResponse()
            : await client.responses.create(body());
        const first = await ask();
        const call = first.output.find(o => o.type === 'function_call');
        is(call?.name, 'get_weather', 'tool');
        is(typeof JSON.parse(call.arguments).city, 'string', 'city');
        input.push(call, { type: 'function_call_output',
            call_id: call.call_id, output: 'sunny, 21 degrees' });
        const last = await ask();
        holds(last.output_text.includes('sunny'), last.output_text);
    });
}

await check('responses: reasoning', async () => {
    const final = await client.responses.stream({
        model, input: 'THINKTEST think about it',
        reasoning: { effort: 'low', summary: 'auto' },
    }).finalResponse();
    holds(final.output.some(o => o.type === 'reasoning'), 'no reasoning');
    holds(final.usage.output_tokens_details.reasoning_tokens > 0, 'no count');
    holds(final.output_text.length > 0, 'no text');
});

await check('embeddings', async () => {
    const { data, response } = await client.embeddings.create(
        { model: 'text-embedding-3-small', input: ['a', 'b'] })
        .withResponse();
    is(data.data.length, 2, 'vectors');
    holds(data.data[0].embedding.length > 0
        && data.data[0].embedding.every(Number.isFinite), 'not numbers');
    holds(response.headers.get('x-routex-request-id'), 'no request id');
});

await check('the model list', async () => {
    const ids = [];
    for await (const one of client.models.list())
        ids.push(one.id);
    holds(ids.length > 0 && ids.every(id => typeof id === 'string'),
        'no models');
});

const demo = (words, more = {}) => client.chat.completions.create(
    { model, messages: user(`[[demo ${words}]]`), ...more });

await check('a wrong key is AuthenticationError', async () => {
    const other = new OpenAI({ ...options, apiKey: 'rtx_wrong' });
    const error = await throws(sdk.AuthenticationError,
        () => other.chat.completions.create(
            { model, messages: user('hi') }));
    is(error.code, 'invalid_api_key', 'code');
});

await check('an unknown path is NotFoundError', async () => {
    const error = await throws(sdk.NotFoundError,
        () => client.get('/nothing/here'));
    is(error.code, 'unknown_url', 'code');
});

await check('429 is RateLimitError and says when', async () => {
    const error = await throws(sdk.RateLimitError,
        () => demo('status=429 retry-after=3'));
    is(error.headers.get('retry-after'), '3', 'retry-after');
});

await check('400 is BadRequestError', async () => {
    await throws(sdk.BadRequestError, () => demo('status=400'));
});

await check('a provider that only fails is a server error', async () => {
    await throws(sdk.InternalServerError, () => demo('status=500'));
});

await check('a cut stream throws', async () => {
    await throws(sdk.APIError, async () => {
        const stream = await demo('events=8 cut-after-events=4',
            { stream: true });
        for await (const _ of stream);
    });
});

await check('a cut response throws', async () => {
    await throws(Error, async () => {
        const stream = client.responses.stream({ model,
            input: '[[demo events=16 cut-after-events=10]]' });
        const final = await stream.finalResponse();
        if (final.status === 'completed')
            console.log('taken for complete');
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
    holds(seen >= 3 && seen < 100, `${seen} chunks`);
});

end();
