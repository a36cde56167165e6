// The official openai package's Responses helpers, on a channel of another
// dialect.
import { base, check, end, holds, is, key } from './check.mjs';

const { default: OpenAI } = await import('openai');
const client = new OpenAI(
    { baseURL: `${base}/v1`, apiKey: key, maxRetries: 0 });
const model = 'gpt-5.2';
const tool = { type: 'function', name: 'get_weather', description: 'weather',
    parameters: { type: 'object', properties: { city: { type: 'string' } },
        required: ['city'], additionalProperties: false }, strict: false };

for (const stream of [false, true]) {
    const how = stream ? 'streamed' : 'whole';
    const ask = async body => stream
        ? await client.responses.stream({ model, ...body }).finalResponse()
        : await client.responses.create({ model, ...body });

    await check(`an answer, ${how}`, async () => {
        const final = await ask({ input: 'Tell me something',
            instructions: 'Be brief' });
        holds(final.output_text.length > 0, 'no text');
        is(final.status, 'completed', 'status');
        is(final.instructions, 'Be brief', 'instructions');
        is(final.model, model, 'model');
        is(final.usage.total_tokens,
            final.usage.input_tokens + final.usage.output_tokens, 'total');
    });

    await check(`a tool loop, ${how}`, async () => {
        const input = [
            { role: 'user', content: 'TOOLTEST what is the weather?' }];
        const first = await ask({ input, tools: [tool] });
        const call = first.output.find(o => o.type === 'function_call');
        is(call?.name, 'get_weather', 'tool');
        is(typeof JSON.parse(call.arguments).city, 'string', 'city');
        input.push(...first.output, { type: 'function_call_output',
            call_id: call.call_id, output: 'sunny, 21 degrees' });
        const last = await ask({ input, tools: [tool] });
        holds(last.output_text.includes('sunny'), last.output_text);
    });

    await check(`reasoning, ${how}`, async () => {
        const final = await ask({ input: 'THINKTEST think about it',
            reasoning: { effort: 'low', summary: 'auto' } });
        holds(final.output.some(o => o.type === 'reasoning'), 'no reasoning');
        holds(final.output_text.length > 0, 'no text');
    });
}

await check('every delta is announced', async () => {
    const stream = client.responses.stream(
        { model, input: 'Tell me something' });
    let text = '', seen = -1;
    for await (const event of stream) {
        is(event.sequence_number, seen + 1, 'sequence_number');
        seen = event.sequence_number;
        if (event.type === 'response.output_text.delta')
            text += event.delta;
    }
    const final = await stream.finalResponse();
    is(final.output_text, text, 'text');
});

await check('a cut answer throws', async () => {
    let taken = false;
    try {
        const final = await client.responses.stream({ model,
            input: '[[demo events=16 cut-after-events=10]]' }).finalResponse();
        taken = final.status === 'completed';
    } catch {
        taken = false;
    }
    holds(!taken, 'taken for complete');
});

end();
