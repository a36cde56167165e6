"""The demo provider, asked directly: right on the wire, wrong on request."""
import gzip
import json
import time

import dialects
from harness import main, test, wait_until
from peers import Client, Cut
from provider import Demo

TOOL = {"type": "object", "required": ["command", "times"], "properties": {
    "command": {"type": "string"}, "times": {"type": "integer"},
    "note": {"type": "string"}}}


def events(answer):
    """The data of each event that is JSON."""
    assert answer.clean, "cut"
    found = [line[6:] for line in answer.body.decode().splitlines()
             if line.startswith("data: ")]
    return [json.loads(data) for data in found if data != "[DONE]"]


def tools(dialect, name):
    if dialect.name == "anthropic":
        return [{"name": name, "input_schema": TOOL}]
    if dialect.name == "gemini":
        return [{"functionDeclarations": [{"name": name, "parameters": TOOL}]}]
    function = {"name": name, "parameters": TOOL}
    return [{"type": "function", **function}
            if dialect.name == "responses"
            else {"type": "function", "function": function}]


def calls(dialect, value):
    """(name, arguments, what a result refers to) of each call in an answer."""
    if dialect.name == "anthropic":
        return [(b["name"], b["input"], b["id"]) for b in value["content"]
                if b["type"] == "tool_use"]
    if dialect.name == "chat":
        return [(c["function"]["name"], json.loads(c["function"]["arguments"]),
                 c["id"])
                for c in value["choices"][0]["message"].get("tool_calls", [])]
    if dialect.name == "responses":
        return [(o["name"], json.loads(o["arguments"]), o["call_id"])
                for o in value["output"] if o["type"] == "function_call"]
    return [(p["functionCall"]["name"], p["functionCall"]["args"],
             p["functionCall"]["id"])
            for p in value["candidates"][0]["content"]["parts"]
            if "functionCall" in p]


def text_of(dialect, value):
    if dialect.name == "anthropic":
        return "".join(b.get("text", "") for b in value["content"])
    if dialect.name == "chat":
        return value["choices"][0]["message"]["content"] or ""
    if dialect.name == "responses":
        return "".join(p["text"] for o in value["output"]
                       for p in o.get("content", []))
    return "".join(p.get("text", "") for p
                   in value["candidates"][0]["content"]["parts"]
                   if not p.get("thought"))


def streamed_text(dialect, answer):
    made = ""
    for e in events(answer):
        if dialect.name == "anthropic":
            made += e.get("delta", {}).get("text", "")
        elif dialect.name == "chat":
            made += "".join(c["delta"].get("content") or ""
                            for c in e["choices"])
        elif dialect.name == "responses":
            made += (e["delta"] if e["type"] == "response.output_text.delta"
                     else "")
        else:
            made += text_of(dialect, e)
    return made


def with_result(dialect, ask, answer, ref, result):
    """The conversation after the tool has been run."""
    body = json.loads(dialect.request(text=ask))
    if dialect.name == "anthropic":
        body["messages"] += [
            {"role": "assistant", "content": answer["content"]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": ref,
                 "content": [{"type": "text", "text": result}]},
                {"type": "text", "text": "<system-reminder>x"}]}]
    elif dialect.name == "chat":
        body["messages"] += [
            answer["choices"][0]["message"],
            {"role": "tool", "tool_call_id": ref, "content": result}]
    elif dialect.name == "responses":
        body["input"] = [{"role": "user", "content": ask}, *answer["output"], {
            "type": "function_call_output", "call_id": ref, "output": result}]
    else:
        body["contents"] += [
            answer["candidates"][0]["content"],
            {"role": "user", "parts": [{"functionResponse": {
                "id": ref, "name": "x", "response": {"output": result}}}]}]
    return body


@test
def the_same_request_gets_the_same_bytes(build):
    with Demo(build) as d:
        for dialect in dialects.ALL:
            for stream in False, True:
                first = d.say(dialect, "hi \u00e9 \"you\"", stream)
                again = d.say(dialect, "hi \u00e9 \"you\"", stream)
                assert first.status == 200 and first.clean, dialect
                assert first.body == again.body, dialect
                other = d.say(dialect, "hi there", stream)
                assert other.body != first.body, dialect


@test
def a_stream_says_what_the_whole_answer_says_and_ends_as_it_must(build):
    text = "[[demo bytes=1000]] \U0001f980"
    with Demo(build) as d:
        for dialect in dialects.ALL:
            most = {"max_tokens": 4000}
            whole = text_of(dialect, d.say(dialect, text, **most).json())
            stream = d.say(dialect, text, True, **most)
            assert dialect.terminal_seen(stream.body), dialect
            assert streamed_text(dialect, stream) == whole, dialect
            assert len(whole) == 1000
            asked = d.say(dialect, "\U0001f980 \u00e9\n" * 9, True)
            assert "\U0001f980 \u00e9\n" in streamed_text(dialect, asked)


@test
def usage_of_a_stream_is_that_of_the_whole_answer(build):
    text = "[[demo input=900 cache-read=300 output=50 reasoning=20 think]]"
    with Demo(build) as d:
        a = d.say(dialects.ANTHROPIC, text).json()["usage"]
        assert (a["input_tokens"], a["cache_read_input_tokens"],
                a["output_tokens"]) == (600, 300, 50), a
        last = [e for e in events(d.say(dialects.ANTHROPIC, text, True))
                if e["type"] == "message_delta"][0]["usage"]
        assert all(a[name] == last[name] for name in last), last
        c = d.say(dialects.CHAT, text).json()["usage"]
        assert (c["prompt_tokens"], c["completion_tokens"],
                c["prompt_tokens_details"]["cached_tokens"],
                c["completion_tokens_details"]["reasoning_tokens"]) == (
                    900, 50, 300, 20), c
        assert events(d.say(dialects.CHAT, text, True))[-1]["usage"] == c
        r = d.say(dialects.RESPONSES, text).json()["usage"]
        assert r["total_tokens"] == 950, r
        done = events(d.say(dialects.RESPONSES, text, True))[-1]
        assert done["response"]["usage"] == r
        g = d.say(dialects.GEMINI, text).json()["usageMetadata"]
        assert (g["promptTokenCount"], g["cachedContentTokenCount"],
                g["candidatesTokenCount"], g["thoughtsTokenCount"],
                g["totalTokenCount"]) == (900, 300, 30, 20, 950), g
        assert events(d.say(dialects.GEMINI, text, True))[-1][
            "usageMetadata"] == g


@test
def a_tool_is_called_with_fitting_arguments_and_its_result_is_quoted(build):
    ask = "TOOLTEST run it"
    with Demo(build) as d:
        for dialect in dialects.ALL:
            answer = d.say(dialect, ask, tools=tools(dialect, "Bash")).json()
            (name, args, ref), = calls(dialect, answer)
            assert (name, args) == ("Bash", {
                "command": "echo routex-tool-ok", "times": 1}), (dialect, args)
            body = with_result(dialect, ask, answer, ref, "it \"worked\"")
            body["tools"] = tools(dialect, "Bash")
            final = d.ask(dialect.path(), body).json()
            assert calls(dialect, final) == [], dialect
            assert text_of(dialect, final) == (
                "The tool answered: it \"worked\""), dialect


@test
def parallel_calls_have_ids_of_their_own(build):
    with Demo(build) as d:
        for dialect in dialects.ALL:
            answer = d.say(dialect, "PARALLELTOOLS",
                           tools=tools(dialect, "look")).json()
            made = calls(dialect, answer)
            assert [args["command"] for _, args, _ in made] == [
                "echo routex-tool-ok-1", "echo routex-tool-ok-2"], dialect
            assert len({ref for _, _, ref in made}) == 2, dialect


@test
def streamed_calls_are_those_of_the_whole_answer(build):
    text = "TOOLTEST THINKTEST"
    with Demo(build) as d:
        more = {"tools": tools(dialects.ANTHROPIC, "Bash")}
        parts = events(d.say(dialects.ANTHROPIC, text, True, **more))
        joined = "".join(p["delta"]["partial_json"] for p in parts
                         if p.get("delta", {}).get("type")
                         == "input_json_delta")
        assert json.loads(joined)["command"] == "echo routex-tool-ok"
        kinds = [p["content_block"]["type"] for p in parts
                 if p["type"] == "content_block_start"]
        assert kinds == ["thinking", "tool_use"], kinds
        more = {"tools": tools(dialects.CHAT, "Bash")}
        parts = events(d.say(dialects.CHAT, text, True, **more))
        joined = "".join(
            t["function"]["arguments"] for p in parts for c in p["choices"]
            for t in c["delta"].get("tool_calls", []))
        assert json.loads(joined)["command"] == "echo routex-tool-ok"
        more = {"tools": tools(dialects.RESPONSES, "Bash")}
        parts = events(d.say(dialects.RESPONSES, text, True, **more))
        assert [p["sequence_number"] for p in parts] == list(range(len(parts)))
        done = [p["item"] for p in parts
                if p["type"] == "response.output_item.done"]
        assert done == parts[-1]["response"]["output"]
        assert [o["type"] for o in done] == ["reasoning", "function_call"]


@test
def errors_are_in_the_words_of_the_dialect(build):
    words = {400: ("invalid_request_error", "INVALID_ARGUMENT"),
             429: ("rate_limit_error", "RESOURCE_EXHAUSTED"),
             529: ("overloaded_error", "UNAVAILABLE")}
    with Demo(build) as d:
        for status, (anthropic, google) in words.items():
            for dialect in dialects.ALL:
                answer = d.say(dialect, "x", model=f"demo-{status}") \
                    if dialect.name != "gemini" else d.say(
                        dialect, "x", prefix=f"/with/status={status}")
                assert answer.status == status, (dialect, answer.status)
                kind, message = dialect.error(answer.body)
                assert message
                if dialect.name in ("anthropic", "gemini"):
                    assert kind in (anthropic, google), (dialect, kind)
        answer = d.say(dialects.CHAT, "x", headers={
            "x-demo": "status=429 retry-after=3 error=tokens "
                      "message=\"slow down\" header=x-a:b"})
        assert answer.header("retry-after") == "3"
        assert answer.header("x-a") == "b"
        assert answer.json()["error"]["code"] == "tokens"
        assert answer.json()["error"]["message"] == "slow down"


@test
def what_is_said_later_wins(build):
    with Demo(build, "--always", "status=500") as d:
        say = lambda **more: d.say(dialects.ANTHROPIC, **more).status
        assert say(text="x") == 500
        assert say(text="x", prefix="/with/status=501") == 501
        assert say(text="x", model="demo-503",
                   prefix="/with/status=501") == 503
        assert say(text="x", model="demo-503",
                   headers={"x-demo": "status=504"}) == 504
        assert say(text="x [[demo status=200]]", model="demo-503",
                   headers={"x-demo": "status=504"}) == 200
        wrong = d.say(dialects.ANTHROPIC, "[[demo stauts=1]]")
        assert wrong.status == 400 and b"stauts" in wrong.body


@test
def a_cut_stream_is_cut_where_it_was_asked_and_how(build):
    with Demo(build) as d:
        for how, end in ("fin", "closed"), ("reset", "reset"):
            recipe = f"events=9 event-delay-ms=5 cut-after-events=6 cut={how}"
            with Client(d.url) as client:
                body = dialects.ANTHROPIC.request(
                    True, text=f"[[demo {recipe}]]")
                client.send_request("POST", "/v1/messages", {}, body)
                answer = client.answer()
                got = b""
                try:
                    while chunk := answer._chunk():
                        got += chunk
                    raise AssertionError("a clean end")
                except Cut as cut:
                    assert end in str(cut), (how, cut)
            assert got.count(b"event: ") == 6, got
        half = d.say(dialects.CHAT, "[[demo cut]]")
        assert not half.clean and half.status == 200


@test
def streams_end_wrong_on_request(build):
    with Demo(build) as d:
        for dialect in dialects.ALL:
            answer = d.say(dialect, "[[demo no-terminal]]", True)
            assert answer.clean and not dialect.terminal_seen(answer.body)
            answer = d.say(dialect, "[[demo events=8 error-event=busy]]", True)
            assert answer.clean and not dialect.terminal_seen(answer.body)
            assert b'"error"' in answer.body
        broken = d.say(dialects.ANTHROPIC, "[[demo malformed-event=4]]", True)
        try:
            events(broken)
            raise AssertionError("every event is well-formed")
        except json.JSONDecodeError:
            pass


@test
def a_stalled_stream_says_nothing_more_and_the_log_knows_who_left(build):
    with Demo(build) as d:
        with Client(d.url, timeout=0.3) as client:
            body = dialects.ANTHROPIC.request(True, text="[[demo stall=2]]")
            client.send_request("POST", "/v1/messages", {}, body)
            answer = client.answer()
            got = answer._chunk() + answer._chunk()
            assert got.count(b"event: ") == 2, got
            try:
                client.reader.some()
                raise AssertionError("more after the stall")
            except TimeoutError:
                pass
        end = wait_until(lambda: d.lines("end"), "the end in the log")[0]
        assert end["how"] == "client-left" and end["sent"] == len(got), end
        stats = d.ask("/demo/stats", method="GET").json()
        assert stats == {"requests": 2, "open": 0, "client_left": 1}, stats


@test
def time_passes_where_it_was_asked(build):
    with Demo(build) as d:
        start = time.monotonic()
        d.say(dialects.CHAT, "[[demo delay-ms=200]]")
        assert time.monotonic() - start >= 0.2
        start = time.monotonic()
        d.say(dialects.CHAT, "[[demo events=10 event-delay-ms=20]]", True)
        assert time.monotonic() - start >= 0.2


@test
def compressed_answers_are_the_plain_ones(build):
    with Demo(build) as d:
        for stream in False, True:
            for dialect in dialects.ALL:
                plain = d.say(dialect, "hello", stream)
                packed = d.say(dialect, "hello", stream, prefix="/with/gzip")
                assert packed.header("content-encoding") == "gzip"
                assert gzip.decompress(packed.body) == plain.body, dialect


@test
def the_first_requests_of_an_id_fail(build):
    with Demo(build) as d:
        say = lambda name: d.say(
            dialects.ANTHROPIC, f"[[demo flaky=2 id={name}]]").status
        assert [say("a"), say("a"), say("a"), say("b"), say("a")] == [
            503, 503, 200, 503, 200]


@test
def the_log_tells_what_was_asked(build):
    with Demo(build) as d:
        body = dialects.CHAT.request(text="caf\u00e9")
        d.ask("/v1/chat/completions?x=1", body, {"X-Tag": "t"})
        d.ask("/v1/chat/completions", b"\xff\x00")
        text, binary = d.lines("request")
        assert text["target"] == "/v1/chat/completions?x=1"
        assert text["path"] == "/v1/chat/completions" and text["query"] == "x=1"
        assert text["headers"]["x-tag"] == "t"
        assert text["body"].encode() == body
        assert binary["body_bytes"] == 2 and binary["body_base64url"] == "_wA"


@test
def small_endpoints_answer_in_their_shape(build):
    with Demo(build) as d:
        ask = lambda path, body: d.ask(path, body).json()
        said = {"messages": [{"role": "user", "content": "hi"}], "model": "m"}
        assert ask("/v1/messages/count_tokens", said)["input_tokens"] > 0
        contents = {"contents": [{"parts": [{"text": "hi"}]}]}
        count = ask("/v1beta/models/m:countTokens", contents)["totalTokens"]
        wrapped = {"generateContentRequest": contents}
        assert count > 0 and count == ask(
            "/v1beta/models/m:countTokens", wrapped)["totalTokens"]
        floats = ask("/v1/embeddings", {"model": "e", "input": ["a", "b"]})
        assert [len(e["embedding"]) for e in floats["data"]] == [8, 8]
        packed = ask("/v1/embeddings", {
            "model": "e", "input": ["a"], "encoding_format": "base64"})
        import base64
        import struct
        raw = base64.b64decode(packed["data"][0]["embedding"])
        assert list(struct.unpack("<8f", raw)) == floats["data"][0]["embedding"]
        assert len(ask("/v1beta/models/e:embedContent", {
            "content": {"parts": [{"text": "a"}]},
            "outputDimensionality": 3})["embedding"]["values"]) == 3
        assert ask("/v1/completions", {"model": "m", "prompt": "hi"})[
            "choices"][0]["text"] == "You said: hi"
        assert ask("/v1/responses/input_tokens", {"input": "hi"})[
            "input_tokens"] > 0
        assert ask("/v1/moderations", {"input": "x"})["results"]
        assert len(ask("/v1/rerank", {"documents": ["a", "b"]})["results"]) == 2
        assert ask("/v1/images/generations", {})["data"]
        assert d.ask("/v1/audio/speech", {}).body[:4] == b"RIFF"
        get = lambda path, **h: d.ask(path, None, h, "GET").json()
        assert get("/v1/models")["object"] == "list"
        assert "first_id" in get("/v1/models", **{"anthropic-version": "x"})
        assert get("/v1/models", **{"x-goog-api-key": "x"})["models"]
        assert get("/v1/responses/resp_1")["id"] == "resp_1"
        gone = d.ask("/v1/responses/resp_1", None, (), "DELETE").json()
        assert gone["deleted"] is True
        assert d.ask("/v1/responses", None, {
            "upgrade": "websocket", "connection": "upgrade"},
            "GET").status == 426
        assert d.ask("/v1/nothing", {}).status == 404
        assert d.ask("/v1/messages", b"[1").status == 400


@test
def a_key_can_be_required(build):
    with Demo(build, "--require-key", "sk-1") as d:
        for dialect in dialects.ALL:
            assert d.say(dialect, "x").status == 401, dialect
            assert d.say(dialect, "x", headers=dialect.credential(
                "sk-1")).status == 200, dialect


@test
def the_bench_has_an_answer_for_all_and_paced_streams(build):
    with Demo(build, "--bench") as d:
        for dialect in dialects.ALL:
            assert text_of(dialect, d.say(dialect, "x").json()) == "ok"
        start = time.monotonic()
        stream = d.say(dialects.ANTHROPIC, "x", True)
        took = time.monotonic() - start
        deltas = stream.body.count(b"event: content_block_delta")
        assert deltas == 64 and took > 64 * 0.02, (deltas, took)


main()
