"""Reasoning that a client throws away comes back with the next turn."""
import json

from dialects import ANTHROPIC
from harness import Routex, main, test
from peers import Upstream

TOOL = {"name": "look", "input_schema": {"type": "object"}}


def deepseek(call):
    """Thinks, then calls a tool; streams when asked to."""
    message = {"role": "assistant", "reasoning_content": "let me look",
               "tool_calls": [{"index": 0, "id": "call_7", "type": "function",
                               "function": {"name": "look",
                                            "arguments": "{}"}}]}
    if not call.json().get("stream"):
        call.answer_json({"id": "c", "object": "chat.completion", "choices": [
            {"index": 0, "finish_reason": "tool_calls",
             "message": {**message, "content": None}}]})
        return
    call.open_stream()
    for delta, finish in ((message, None), ({}, "tool_calls")):
        call.chunk(b"data: " + json.dumps({"id": "c", "choices": [{
            "index": 0, "delta": delta, "finish_reason": finish}]}).encode()
            + b"\n\n")
    call.chunk(b"data: [DONE]\n\n")
    call.end()


def channel(up):
    """At its Chat address only: the other needs no translation."""
    return {"name": "d", "type": "deepseek", "api_key": "sk-1", "endpoints": [
        {"dialect": "chat", "base_url": up.url, "auth": "bearer"}]}


def history(call_id):
    return [{"role": "user", "content": "go"},
            {"role": "assistant", "content": [
                {"type": "tool_use", "id": call_id, "name": "look",
                 "input": {}}]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": call_id,
                 "content": "seen"}]}]


def second_turn(up):
    return next(m for m in up.calls[-1].json()["messages"]
                if m["role"] == "assistant")


@test
def hidden_reasoning_goes_back_to_the_model_it_is_from(build):
    with Upstream(deepseek) as up, Routex(build, channels=[channel(up)]) as r:
        for stream in (False, True):
            answer = r.ask(ANTHROPIC, stream=stream, model="deepseek-chat",
                           tools=[TOOL])
            assert answer.status == 200, answer.body
            assert b"let me look" not in answer.body, answer.body
            assert b"call_7" in answer.body, answer.body
            r.ask(ANTHROPIC, model="deepseek-chat", tools=[TOOL],
                  messages=history("call_7"))
            said = second_turn(up)["reasoning_content"]
            assert said == "let me look", said
        r.ask(ANTHROPIC, model="deepseek-chat", tools=[TOOL],
              messages=history("call_8"))
        assert second_turn(up)["reasoning_content"] == "", up.calls[-1].body


@test
def another_tenant_does_not_see_it(build):
    with Upstream(deepseek) as up, Routex(build, channels=[channel(up)]) as r:
        r.ask(ANTHROPIC, model="deepseek-chat", tools=[TOOL])
        r.admin.post("/api/tenants", {"name": "other"})
        key = r.new_key(tenant="other")
        r.ask(ANTHROPIC, key=key, model="deepseek-chat", tools=[TOOL],
              messages=history("call_7"))
        assert second_turn(up)["reasoning_content"] == "", up.calls[-1].body


main()
