"""Streamed or whole, an answer is the same answer: for every client on every
channel, what a client's own way of collecting a stream makes of it is what it
gets when it asks for the whole, to the stop reason and the tokens."""
import concurrent.futures
import json

from dialects import ALL
from harness import Routex, main, test

PIXEL = ("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwAD"
         "hgGAWjR9awAAAABJRU5ErkJggg==")
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}},
          "required": ["city"], "additionalProperties": False}
# What the demo provider is asked for, by its words.
FORMS = {"text": "hello w\u00f6rld", "tools": "TOOLTEST", "parallel":
         "TOOLTEST PARALLELTOOLS", "thinking": "THINKTEST hello",
         "images": "what is this?", "structured": "which city?"}
WRONG = {"error": ("[[demo error-event=overloaded_error]]",
                   "[[demo status=529 error=overloaded_error]]"),
         "cut": ("[[demo cut=reset]]", "[[demo cut=reset]]")}


# -- asking ------------------------------------------------------------------


def content(dialect, form, text):
    """The user's words, and the picture."""
    if form != "images":
        return [{"text": text}] if dialect == "gemini" else text
    url = f"data:image/png;base64,{PIXEL}"
    return {
        "anthropic": [
            {"type": "image", "source": {
                "type": "base64", "media_type": "image/png", "data": PIXEL}},
            {"type": "text", "text": text}],
        "chat": [{"type": "image_url", "image_url": {"url": url}},
                 {"type": "text", "text": text}],
        "responses": [{"type": "input_image", "image_url": url},
                      {"type": "input_text", "text": text}],
        "gemini": [{"inlineData": {"mimeType": "image/png", "data": PIXEL}},
                   {"text": text}]}[dialect]


def base(dialect, form, text):
    words = content(dialect, form, text)
    if dialect == "gemini":
        return {"contents": [{"role": "user", "parts": words}]}
    messages = [{"role": "user", "content": words}]
    if dialect == "responses":
        return {"input": messages}
    body = {"messages": messages}
    if dialect == "anthropic":
        body["max_tokens"] = 4096
    else:
        body["stream_options"] = {"include_usage": True}
    return body


def tools(dialect):
    about = {"name": "lookup", "description": "Looks a city up."}
    return {
        "anthropic": [{**about, "input_schema": SCHEMA}],
        "chat": [{"type": "function",
                  "function": {**about, "parameters": SCHEMA}}],
        "responses": [{"type": "function", **about, "parameters": SCHEMA}],
        "gemini": [{"functionDeclarations": [
            {**about, "parametersJsonSchema": SCHEMA}]}]}[dialect]


THINKING = {
    "anthropic": {"thinking": {"type": "enabled", "budget_tokens": 1024}},
    "chat": {"reasoning_effort": "high"},
    "responses": {"reasoning": {"effort": "high", "summary": "auto"}},
    "gemini": {"generationConfig": {"thinkingConfig": {
        "includeThoughts": True, "thinkingBudget": 1024}}}}
STRUCTURED = {
    "anthropic": {"output_config": {"format": {
        "type": "json_schema", "schema": SCHEMA}}},
    "chat": {"response_format": {"type": "json_schema", "json_schema": {
        "name": "answer", "schema": SCHEMA, "strict": True}}},
    "responses": {"text": {"format": {
        "type": "json_schema", "name": "answer", "schema": SCHEMA}}},
    "gemini": {"generationConfig": {
        "responseMimeType": "application/json",
        "responseJsonSchema": SCHEMA}}}


def request(client, form, text, stream):
    body = base(client.name, form, text)
    if form in ("tools", "parallel"):
        body["tools"] = tools(client.name)
    if form == "thinking":
        body.update(THINKING[client.name])
    if form == "structured":
        body.update(STRUCTURED[client.name])
    if client.name != "gemini":
        body["model"] = "demo"
        body["stream"] = stream
    if client.name == "chat" and not stream:
        del body["stream_options"]
    return json.dumps(body).encode()


def ask(r, connection, client, channel, form, text, stream):
    """`channel` is the name of one."""
    return connection.request(
        "POST", client.path(stream, model="demo"),
        {**client.credential(r.key), "content-type": "application/json",
         "x-routex-channel": channel},
        request(client, form, text, stream))


# -- collecting: a stream as each dialect means it -----------------------------


def events(body):
    """(name, data) of each event."""
    for block in body.replace(b"\r\n", b"\n").split(b"\n\n"):
        name, data = None, []
        for line in block.decode().split("\n"):
            if line.startswith("event: "):
                name = line[7:]
            elif line.startswith("data: "):
                data.append(line[6:])
        if data and data != ["[DONE]"]:
            yield name, json.loads("\n".join(data))


def collect_anthropic(body):
    message, blocks = None, {}
    for name, e in events(body):
        assert name == e["type"], (name, e)
        if name == "message_start":
            assert message is None, "a second start"
            message = e["message"]
        elif name == "content_block_start":
            assert e["index"] == len(blocks), (e, blocks)
            blocks[e["index"]] = {**e["content_block"], "json": ""}
        elif name == "content_block_delta":
            block, d = blocks[e["index"]], e["delta"]
            if d["type"] == "text_delta":
                block["text"] += d["text"]
            elif d["type"] == "thinking_delta":
                block["thinking"] += d["thinking"]
            elif d["type"] == "signature_delta":
                block["signature"] = d["signature"]
            elif d["type"] == "input_json_delta":
                block["json"] += d["partial_json"]
        elif name == "message_delta":
            message.update(e["delta"])
            message["usage"].update(
                (k, v) for k, v in e["usage"].items() if v is not None)
    for block in blocks.values():
        if block["type"] == "tool_use":
            block["input"] = json.loads(block["json"] or "{}")
    return {**message, "content": list(blocks.values())}


def collect_chat(body):
    made, calls, usage = {"role": "assistant"}, {}, None
    finish = None
    for _, e in events(body):
        usage = e.get("usage") or usage
        for choice in e["choices"]:
            finish = choice["finish_reason"] or finish
            for name, value in choice["delta"].items():
                if name == "tool_calls":
                    for piece in value:
                        call = calls.setdefault(piece["index"], {
                            "function": {"name": "", "arguments": ""}})
                        for k, v in piece["function"].items():
                            call["function"][k] += v
                elif name in ("content", "reasoning_content", "refusal"):
                    if value is not None:
                        made[name] = made.get(name, "") + value
    made["tool_calls"] = [calls[i] for i in sorted(calls)]
    return {"choices": [{"message": made, "finish_reason": finish}],
            "usage": usage}


def collect_responses(body):
    said, last = {}, None
    for number, (name, e) in enumerate(events(body)):
        assert name == e["type"], (name, e)
        assert e["sequence_number"] == number, (number, e)
        if name in ("response.output_text.delta",
                    "response.function_call_arguments.delta"):
            key = e["output_index"]
            said[key] = said.get(key, "") + e["delta"]
        last = e
    assert last["type"] == "response.completed", last
    for index, item in enumerate(last["response"]["output"]):
        whole = item.get("arguments") if item["type"] == "function_call" else (
            "".join(p.get("text", "") for p in item.get("content", []))
            if item["type"] == "message" else None)
        if whole is not None:
            assert said.get(index, "") == whole, (index, said, item)
    return last["response"]


def collect_gemini(body):
    parts, finish, usage = [], None, None
    for _, e in events(body):
        usage = e.get("usageMetadata", usage)
        for candidate in e.get("candidates", []):
            parts += candidate.get("content", {}).get("parts", [])
            finish = candidate.get("finishReason", finish)
    return {"candidates": [{"content": {"parts": parts},
                            "finishReason": finish}], "usageMetadata": usage}


COLLECT = {"anthropic": collect_anthropic, "chat": collect_chat,
           "responses": collect_responses, "gemini": collect_gemini}


# -- what an answer says --------------------------------------------------------


def read_anthropic(m):
    of = {kind: [b for b in m["content"] if b["type"] == kind]
          for kind in ("text", "thinking", "tool_use")}
    return {"text": "".join(b["text"] for b in of["text"]),
            "thinking": "".join(b["thinking"] for b in of["thinking"]),
            "calls": [(b["name"], b["input"]) for b in of["tool_use"]],
            "stop": m["stop_reason"], "usage": {
                k: m["usage"].get(k) or 0 for k in (
                    "input_tokens", "output_tokens",
                    "cache_read_input_tokens",
                    "cache_creation_input_tokens")}}


def read_chat(m):
    choice = m["choices"][0]
    said = choice["message"]
    return {"text": said.get("content") or "",
            "thinking": said.get("reasoning_content") or "",
            "calls": [(c["function"]["name"],
                       json.loads(c["function"]["arguments"]))
                      for c in said.get("tool_calls") or []],
            "stop": choice["finish_reason"], "usage": m["usage"]}


def read_responses(m):
    text, thinking, calls = "", "", []
    for item in m["output"]:
        if item["type"] == "message":
            text += "".join(p["text"] for p in item["content"])
        elif item["type"] == "reasoning":
            thinking += "".join(p["text"] for p in item["summary"])
            thinking += "".join(p["text"] for p in item.get("content") or [])
        elif item["type"] == "function_call":
            calls.append((item["name"], json.loads(item["arguments"])))
    return {"text": text, "thinking": thinking, "calls": calls,
            "stop": m["status"], "usage": m["usage"]}


def read_gemini(m):
    candidate = m["candidates"][0]
    parts = candidate["content"]["parts"]
    return {"text": "".join(p.get("text", "") for p in parts
                            if not p.get("thought")),
            "thinking": "".join(p.get("text", "") for p in parts
                                if p.get("thought")),
            "calls": [(p["functionCall"]["name"], p["functionCall"]["args"])
                      for p in parts if "functionCall" in p],
            "stop": candidate["finishReason"], "usage": m["usageMetadata"]}


READ = {"anthropic": read_anthropic, "chat": read_chat,
        "responses": read_responses, "gemini": read_gemini}
STOPS = {"anthropic": ("end_turn", "tool_use"), "chat": ("stop", "tool_calls"),
         "responses": ("completed", "completed"), "gemini": ("STOP", "STOP")}
CALLS = {"tools": 1, "parallel": 2}


# -- the tests -------------------------------------------------------------------


def differs(whole, streamed):
    return {name: (whole[name], streamed[name]) for name in whole
            if whole[name] != streamed[name]}


def check_form(r, connection, client, channel, form):
    """What is wrong with one form of one pair; None: nothing."""
    answers = [ask(r, connection, client, channel.name, form, FORMS[form],
                   stream)
               for stream in (False, True)]
    for answer in answers:
        if answer.status != 200:
            return answer.status, answer.body
    if not client.terminal_seen(answers[1].body):
        return "no end", answers[1].body
    whole = READ[client.name](json.loads(answers[0].body))
    streamed = READ[client.name](
        COLLECT[client.name](answers[1].body))
    if differs(whole, streamed):
        return "streamed is not whole", differs(whole, streamed)
    calls = CALLS.get(form, 0)
    if len(whole["calls"]) != calls:
        return f"{calls} calls expected", whole
    if whole["stop"] != STOPS[client.name][calls > 0]:
        return "stop", whole
    if not calls and not whole["text"]:
        return "no text", whole
    if form == "text" and FORMS["text"] not in whole["text"]:
        return "other text", whole
    if form == "thinking" and not whole["thinking"]:
        return "no thinking", whole
    if not any(whole["usage"].values()):
        return "no usage", whole
    return None


def broken(client, channel, form, stream):
    """The name of a channel for one question: channels are judged by errors."""
    return f"{client}-{channel}-{form}-{stream}"


def only(r, channel, name):
    return channel.channel(r.demo_url, name=name, endpoints=[
        {"dialect": channel.name,
         "base_url": r.demo_url + channel.base_path}])


def check_wrong(r, connection, client, channel, form):
    """A stream that breaks, and a whole answer that does, say so."""
    for stream, text in zip((True, False), WRONG[form]):
        connection.renew()
        answer = ask(r, connection, client,
                     broken(client, channel, form, stream), form, text, stream)
        body = answer.body
        if stream and answer.status == 200:
            own = client is channel and form == "cut"  # it breaks off there, too
            if client.terminal_seen(body):
                return "looks complete", body
            if not own and client.error_mark not in body:
                return "no error", body
        elif answer.status < 500:
            return answer.status, body
        else:
            client.error(body)
    return None


def attempt(r, client, channel, form):
    check = check_form if form in FORMS else check_wrong
    try:
        with r.connect() as connection:
            return check(r, connection, client, channel, form)
    except Exception as error:  # the others are still to be tried
        return repr(error)


def show(table):
    names = [*FORMS, *WRONG]
    print(f"  {'client > channel':24}" + "".join(f"{n:>12}" for n in names))
    for client in ALL:
        for channel in ALL:
            pair = f"{client} > {channel}"
            print(f"  {pair:24}" + "".join(
                f"{table[client.name, channel.name, n]:>12}" for n in names))


@test
def every_client_on_every_channel_gets_the_same_streamed_and_whole(build):
    table, faults = {}, []
    with Routex(build, demo=True) as r:
        for channel in ALL:
            names = [channel.name, *(
                broken(client, channel, form, stream) for client in ALL
                for form in WRONG for stream in (False, True))]
            for name in names:
                r.admin.post("/api/channels", only(r, channel, name))
        r.settle()
        # What fails is tried again after a while: waiting is done together.
        cells = [(client, channel, form) for form in (*WRONG, *FORMS)
                 for client in ALL for channel in ALL]
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            done = list(pool.map(lambda cell: attempt(r, *cell), cells))
    for (client, channel, form), fault in zip(cells, done):
        table[client.name, channel.name, form] = "FAILED" if fault else "ok"
        if fault is not None:
            faults.append(f"{client} > {channel} {form}: {fault}"[:1500])
    show(table)
    assert not faults, "\n".join(faults)


if __name__ == "__main__":
    main()
