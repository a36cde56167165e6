"""Transformers through the real programs: what the provider was asked, and what
the client saw."""
import json

from dialects import ANTHROPIC, CHAT
from harness import Failed, Routex, main, test
from peers import Upstream


def channel(r, use, kind="demo", name="t", **more):
    """The one channel, on the demo provider."""
    made = r.admin.post("/api/channels", {
        "name": name, "type": kind, "base_url": r.demo_url, "api_key": "sk-t",
        "transformers": {"use": use}, **more})["data"]
    if r.admin.get("/api/channels")["data"][0]["name"] == "demo":
        r.admin.call("DELETE", "/api/channels/demo")
    r.settle()
    return made


def asked(r):
    """Requests the demo provider got, oldest first."""
    lines = [json.loads(line) for line in r.demo_log.read_text().splitlines()]
    return [line for line in lines if line["event"] == "request"]


def body_of(call):
    return json.loads(call["body"])


def refused(r, transformers, kind="openai"):
    try:
        r.admin.post("/api/channels", {
            "name": "no", "type": kind, "api_key": "k",
            "transformers": transformers})
    except Failed as failed:
        assert failed.status == 400, failed
        return json.loads(failed.body)["error"]["field"]
    raise AssertionError("it was saved")


@test
def a_request_is_changed_and_the_rest_keeps_its_bytes(build):
    with Routex(build, demo=True) as r:
        channel(r, [["maxtoken", {"max_tokens": 100}], "cleancache",
                    ["headers", {"set": {"x-extra": "1"},
                                 "remove": ["user-agent"]}]])
        odd = ('{ "model":"m-1" , "max_tokens" : 4000,"x":[1.0, 1e2],'
               '"messages":[{"role":"user","content":"a\\u0062 c"} ] }')
        with r.connect() as client:
            answer = client.request("POST", "/v1/messages", {
                **ANTHROPIC.credential(r.key), "user-agent": "me",
                "content-type": "application/json"}, odd.encode())
        assert answer.status == 200, answer.body
        call = asked(r)[-1]
        assert call["body"] == odd.replace("4000", "100"), call["body"]
        assert call["headers"]["x-extra"] == "1", call["headers"]
        assert "user-agent" not in call["headers"], call["headers"]


@test
def translated_requests_are_changed_in_the_channels_dialect(build):
    with Routex(build, demo=True) as r:
        channel(r, ["maxcompletiontokens",
                    ["systemprompt", {"append": "Be brief."}]],
                kind="openai-compatible")
        answer = r.ask(ANTHROPIC, max_tokens=50, system="S")
        assert answer.status == 200, answer.body
        assert answer.json()["type"] == "message", answer.body
        call = asked(r)[-1]
        assert call["path"] == "/v1/chat/completions", call
        body = body_of(call)
        assert body["max_completion_tokens"] == 50, body
        assert "max_tokens" not in body, body
        first = body["messages"][0]
        assert first["role"] == "system", body
        assert "Be brief." in json.dumps(first), body


@test
def a_model_may_have_steps_of_its_own(build):
    with Routex(build, demo=True) as r:
        channel(r, [], transformers={
            "use": [["customparams", {"top_k": 7}]],
            "big-*": {"use": [["maxtoken", {"max_tokens": 5}]]}})
        for model, most in (("big-1", 5), ("small", 64)):
            answer = r.ask(ANTHROPIC, model=model)
            assert answer.status == 200, answer.body
            body = body_of(asked(r)[-1])
            assert body["top_k"] == 7 and body["max_tokens"] == most, body


@test
def thinking_in_tags_becomes_reasoning_for_every_client(build):
    with Routex(build, demo=True) as r:
        channel(r, ["extrathinktag"], kind="openai-compatible")
        text = "<think>why so</think>\\nbecause"
        say = f'[[demo split=3 text="{text}"]]'.replace("\\n", " ")
        answer = r.ask(CHAT, text=say)
        message = answer.json()["choices"][0]["message"]
        assert message["content"] == "because", message
        assert message["reasoning_content"] == "why so", message
        stream = r.ask(CHAT, stream=True, text=say)
        assert stream.clean and b"[DONE]" in stream.body, stream.body
        deltas = [json.loads(line[6:])["choices"][0]["delta"]
                  for line in stream.body.decode().splitlines()
                  if line.startswith("data: {") and '"choices":[{' in line]
        said = "".join(d.get("content") or "" for d in deltas)
        thought = "".join(d.get("reasoning_content") or "" for d in deltas)
        assert (said, thought) == ("because", "why so"), deltas
        # The same answer, translated for a client of another dialect.
        answer = r.ask(ANTHROPIC, text=say, max_tokens=4096,
                       thinking={"type": "enabled", "budget_tokens": 2000})
        kinds = [part["type"] for part in answer.json()["content"]]
        assert kinds == ["thinking", "text"], answer.body
        assert answer.json()["content"][1]["text"] == "because", answer.body


@test
def usage_is_asked_for_and_hidden_from_who_did_not(build):
    with Routex(build, demo=True) as r:
        channel(r, ["streamoptions"], kind="openai-compatible")
        quiet = r.ask(CHAT, stream=True, stream_options={})
        assert quiet.clean and b"[DONE]" in quiet.body, quiet.body
        assert b'"prompt_tokens"' not in quiet.body, quiet.body
        assert body_of(asked(r)[-1])["stream_options"] == {
            "include_usage": True}
        row = r.row(quiet)
        assert row["provenance"] == "reported", row
        assert row["output_tokens"] > 0, row
        told = r.ask(CHAT, stream=True,
                     stream_options={"include_usage": True})
        assert b'"prompt_tokens"' in told.body, told.body


@test
def an_exit_tool_is_plain_text_to_the_client(build):
    with Routex(build, demo=True) as r:
        channel(r, ["tooluse"], kind="openai-compatible")
        tools = [{"type": "function", "function": {
            "name": "read", "parameters": {"type": "object"}}}]
        r.ask(CHAT, tools=tools)
        body = body_of(asked(r)[-1])
        assert body["tool_choice"] == "required", body
        names = [tool["function"]["name"] for tool in body["tools"]]
        assert names == ["read", "ExitTool"], body


def chat_chunk(delta, finish=None):
    return {"id": "c", "object": "chat.completion.chunk", "created": 1,
            "model": "m", "choices": [
                {"index": 0, "delta": delta, "finish_reason": finish}]}


@test
def broken_arguments_reach_every_client_repaired(build):
    def serve(call):
        call.open_stream()
        for piece in ({"role": "assistant", "tool_calls": [
                {"index": 0, "id": "x1", "type": "function",
                 "function": {"name": "read", "arguments": "{'a': "}}]},
                {"tool_calls": [{"index": 0,
                                 "function": {"arguments": "1,}"}}]}):
            call.chunk(b"data: " + json.dumps(chat_chunk(piece)).encode() +
                       b"\n\n")
        call.chunk(b"data: " + json.dumps(
            chat_chunk({}, "tool_calls")).encode() + b"\n\n")
        call.chunk(b"data: [DONE]\n\n")
        call.end()

    with Upstream(serve) as upstream, Routex(build, channels=[{
            "name": "t", "type": "openai-compatible",
            "base_url": upstream.url,
            "transformers": {"use": ["enhancetool"]}}]) as r:
        answer = r.ask(CHAT, stream=True)
        assert answer.clean, answer.body
        assert b'"arguments":"{\\"a\\":1}"' in answer.body, answer.body
        answer = r.ask(ANTHROPIC, stream=True, tools=[
            {"name": "read", "input_schema": {"type": "object"}}])
        assert answer.clean and b"message_stop" in answer.body, answer.body
        parts = "".join(
            json.loads(line[6:]).get("delta", {}).get("partial_json", "")
            for line in answer.body.decode().splitlines()
            if line.startswith("data: {"))
        assert json.loads(parts) == {"a": 1}, answer.body


@test
def paths_of_azure(build):
    with Routex(build, demo=True) as r:
        made = channel(r, None, kind="azure", transformers=None)
        assert made["transformers"] is None, made
        assert made["effective_transformers"] == {"use": ["azure"]}, made
        r.ask(CHAT)
        call = asked(r)[-1]
        assert call["target"] == ("/openai/deployments/m-1/chat/completions"
                                  "?api-version=2024-10-21"), call
        assert call["headers"]["api-key"] == "sk-t", call


@test
def errors_of_the_provider_pass_as_they_are(build):
    with Routex(build, demo=True) as r:
        channel(r, ["extrathinktag", "streamoptions"],
                kind="openai-compatible")
        answer = r.ask(CHAT, text="[[demo status=400 message=no]]")
        assert answer.status == 400, answer.status
        assert CHAT.error(answer.body)[1] == "no", answer.body


@test
def what_cannot_be_done_is_refused_by_name_when_saved(build):
    with Routex(build) as r:
        assert refused(r, {"use": ["nosuch"]}) == "transformers.use[0]"
        assert refused(r, {"use": [["maxtoken", {"max_tokens": "8"}]]}
                       ) == "transformers.use[0][1].max_tokens"
        assert refused(r, {"use": [["maxtoken", {"max_tokens": 8, "x": 1}]]}
                       ) == "transformers.use[0][1].x"
        assert refused(r, {"m": {"use": [["groq", {"a": 1}]]}}
                       ) == "transformers.m.use[0][1].a"
        assert refused(r, {"use": ["groq"]}, "anthropic"
                       ) == "transformers.use[0]"
        assert refused(r, {"use": "groq"}) == "transformers.use"


@test
def it_is_kept_shown_changed_and_taken_back(build):
    with Routex(build, demo=True) as r:
        use = [["maxtoken", {"max_tokens": 8, "mode": "set"}]]
        made = channel(r, use)
        path = f"/api/channels/{made['id']}"
        assert r.admin.get(path)["data"]["transformers"] == {"use": use}
        r.admin.call("PATCH", path, {"priority": 5})
        assert r.admin.get(path)["data"]["transformers"] == {"use": use}
        r.restart_control()
        assert r.admin.get(path)["data"]["transformers"] == {"use": use}
        r.admin.call("PATCH", path, {"transformers": {"use": []}})
        r.settle()
        r.ask(ANTHROPIC)
        assert body_of(asked(r)[-1])["max_tokens"] == 64
        shown = r.admin.get(path)["data"]
        r.admin.call("PUT", path, shown)
        assert r.admin.get(path)["data"]["transformers"] == {"use": []}


@test
def a_rule_has_steps_of_its_own_ahead_of_the_channels(build):
    with Routex(build, demo=True) as r:
        channel(r, [["customparams", {"top_k": 7}]])
        use = {"use": [["customparams", {"top_k": 3, "seed": 1}],
                       ["maxtoken", {"max_tokens": 5}]]}
        made = r.admin.post("/api/routing/rules", {
            "name": "short", "condition": {"model": ["m-s"]},
            "target": {"transformers": use}})["data"]
        assert made["target"]["transformers"] == use, made
        r.restart_control()  # as it is stored
        path = f"/api/routing/rules/{made['id']}"
        assert r.admin.get(path)["data"]["target"]["transformers"] == use
        r.settle()
        answer = r.ask(ANTHROPIC, model="m-s")
        assert answer.header("x-routex-rule") == "short", answer.headers
        body = body_of(asked(r)[-1])
        assert (body["max_tokens"], body["top_k"], body["seed"]) == (
            5, 3, 1), body
        r.ask(ANTHROPIC, model="m-2")
        body = body_of(asked(r)[-1])
        assert (body["max_tokens"], body["top_k"]) == (64, 7), body
        assert "seed" not in body, body
        try:
            r.admin.post("/api/routing/rules", {
                "name": "no", "condition": {"model": ["x"]},
                "target": {"transformers": {"use": ["nosuch"]}}})
        except Failed as failed:
            error = json.loads(failed.body)["error"]
            assert error["field"] == "target.transformers.use[0]", error
        else:
            raise AssertionError("it was saved")


@test
def both_lists_tell_what_there_is(build):
    with Routex(build) as r:
        known = {t["name"]: t for t in r.admin.get("/api/transformers")["data"]}
        assert len(known) == 29, sorted(known)
        options = {o["name"]: o for o in known["maxtoken"]["options"]}
        assert options["max_tokens"]["required"], options
        assert options["mode"]["words"] == ["clamp", "default", "set"], options
        providers = {p["type"]: p for p in
                     r.admin.get("/api/providers")["data"]}
        for name in ("deepseek", "openrouter", "groq", "mistral", "xai",
                     "qwen", "kimi", "zhipu", "minimax", "siliconflow",
                     "cerebras", "together", "fireworks", "ollama", "vllm",
                     "lmstudio", "azure", "anthropic-compatible"):
            assert name in providers, sorted(providers)
        for provider in providers.values():
            for step in provider["transformers"]["use"]:
                assert step in known, provider
        deepseek = {e["dialect"]: e["base_url"]
                    for e in providers["deepseek"]["endpoints"]}
        assert deepseek["anthropic"] == "https://api.deepseek.com/anthropic"
        for provider in providers.values():
            if not provider["endpoints"] or provider["type"] == "vertex":
                continue  # the latter wants a project: test_vertex.py
            body = {"name": f"p-{provider['type']}",
                    "type": provider["type"], "api_key": "sk-x"}
            if provider["base_url"] is None:
                body["base_url"] = "https://example.test"
            made = r.admin.post("/api/channels", body)["data"]
            assert made["effective_transformers"] == provider["transformers"]
        r.settle()  # and every plane takes all of them


@test
def an_address_of_one_dialect_is_understood(build):
    with Routex(build) as r:
        made = r.admin.post("/api/channels", {
            "name": "z", "type": "zhipu", "api_key": "k",
            "base_url": "https://open.bigmodel.cn/api/paas/v4"})["data"]
        urls = {e["dialect"]: e["base_url"]
                for e in made["effective_endpoints"]}
        assert urls == {"chat": "https://open.bigmodel.cn/api/paas/v4",
                        "anthropic": "https://open.bigmodel.cn/api/anthropic"}


main()
