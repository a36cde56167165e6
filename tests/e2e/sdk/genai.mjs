// The official @google/genai package.
// Usage: node genai.mjs PACKAGE (@google/genai, genai-2)
import { base, check, end, holds, is, key, row, throws } from './check.mjs';

const { ApiError, FunctionCallingConfigMode, GoogleGenAI } =
    await import(process.argv[2]);
const once = { httpOptions: { baseUrl: base, retryOptions: { attempts: 1 } } };
const client = new GoogleGenAI({ apiKey: key, ...once });
const model = 'gemini-2.5-pro';
const tools = [{ functionDeclarations: [{
    name: 'get_weather', description: 'weather', parametersJsonSchema: {
        type: 'object', properties: { city: { type: 'string' } },
        required: ['city'] } }] }];
const output = usage => (usage.candidatesTokenCount ?? 0)
    + (usage.thoughtsTokenCount ?? 0);

let whole = '';

await check('an answer', async () => {
    const got = await client.models.generateContent(
        { model, contents: 'Tell me something' });
    whole = got.text;
    holds(whole.length > 0, 'no text');
    row(got.sdkHttpResponse.headers, got.usageMetadata.promptTokenCount,
        output(got.usageMetadata));
});

await check('a stream says the same', async () => {
    const stream = await client.models.generateContentStream(
        { model, contents: 'Tell me something' });
    let text = '', last;
    for await (const chunk of stream) {
        text += chunk.text ?? '';
        last = chunk;
    }
    is(text, whole, 'text');
    row(last.sdkHttpResponse.headers, last.usageMetadata.promptTokenCount,
        output(last.usageMetadata));
});

for (const stream of [false, true]) {
    const how = stream ? 'streamed' : 'whole';
    await check(`a tool loop, ${how}`, async () => {
        const contents = [{ role: 'user',
            parts: [{ text: 'TOOLTEST what is the weather?' }] }];
        const go = async () => {
            const body = { model, contents, config: { tools } };
            if (!stream)
                return await client.models.generateContent(body);
            const parts = [];
            for await (const chunk of
                await client.models.generateContentStream(body))
                parts.push(...chunk.candidates?.[0]?.content?.parts ?? []);
            return { candidates: [{ content: { role: 'model', parts } }],
                functionCalls: parts.map(p => p.functionCall).filter(Boolean),
                text: parts.map(p => p.text ?? '').join('') };
        };
        const first = await go();
        const call = first.functionCalls[0];
        is(call.name, 'get_weather', 'tool');
        is(typeof call.args.city, 'string', 'city');
        contents.push(first.candidates[0].content, { role: 'user', parts: [
            { functionResponse: { id: call.id, name: call.name,
                response: { output: 'sunny, 21 degrees' } } }] });
        const last = await go();
        holds(last.text.includes('sunny'), last.text);
    });
}

await check('thinking', async () => {
    const stream = await client.models.generateContentStream({
        model, contents: 'THINKTEST think about it',
        config: { thinkingConfig: { includeThoughts: true } } });
    let thoughts = '', text = '', usage;
    for await (const chunk of stream) {
        for (const part of chunk.candidates?.[0]?.content?.parts ?? []) {
            if (part.thought)
                thoughts += part.text;
            else
                text += part.text ?? '';
        }
        usage = chunk.usageMetadata ?? usage;
    }
    holds(thoughts.length > 0, 'no thoughts');
    holds(text.length > 0, 'no text');
    holds(usage.thoughtsTokenCount > 0, 'no count');
});

await check('token counts', async () => {
    const counted = await client.models.countTokens(
        { model, contents: 'Tell me something' });
    holds(counted.totalTokens > 0, `${counted.totalTokens}`);
});

await check('embeddings', async () => {
    const got = await client.models.embedContent(
        { model: 'gemini-embedding-001', contents: 'a' });
    holds(got.embeddings[0].values.length > 0
        && got.embeddings[0].values.every(Number.isFinite), 'not numbers');
});

await check('the model list', async () => {
    const names = [];
    for await (const one of await client.models.list())
        names.push(one.name);
    holds(names.length > 0 && names.every(n => n.startsWith('models/')),
        JSON.stringify(names));
});

const demo = words => client.models.generateContent(
    { model, contents: `[[demo ${words}]]` });

await check('a wrong key is ApiError 401', async () => {
    const other = new GoogleGenAI({ apiKey: 'rtx_wrong', ...once });
    const error = await throws(ApiError, () => other.models.generateContent(
        { model, contents: 'hi' }));
    is(error.status, 401, 'status');
    holds(error.message.includes('UNAUTHENTICATED'), error.message);
});

for (const status of [400, 404, 429, 500]) {
    await check(`${status} is ApiError ${status}`, async () => {
        const error = await throws(ApiError, () => demo(`status=${status}`));
        is(error.status, status, 'status');
    });
}

await check('a cut stream throws', async () => {
    await throws(Error, async () => {
        const stream = await client.models.generateContentStream(
            { model, contents: '[[demo events=8 cut-after-events=4]]' });
        for await (const _ of stream);
    });
});

await check('an abort ends the stream', async () => {
    const leave = new AbortController();
    let seen = 0;
    await throws(Error, async () => {
        const stream = await client.models.generateContentStream({
            model, contents: '[[demo events=500 event-delay-ms=20]]',
            config: { abortSignal: leave.signal } });
        for await (const _ of stream) {
            if (++seen === 3)
                leave.abort();
        }
    });
    holds(seen >= 3 && seen < 100, `${seen} chunks`);
});

end();
