"""Counting tokens where the channel cannot: the count is ours, and says so."""
import json

from dialects import ANTHROPIC, CHAT, GEMINI, RESPONSES, provider
from harness import Routex, main, test
from peers import Upstream

TALK = "What is the weather like in Paris on a Sunday in May?"
ANTHROPIC_COUNT = ("/v1/messages/count_tokens", json.dumps(
    {"model": "m-1", "messages": [{"role": "user", "content": TALK}]}))
RESPONSES_COUNT = ("/v1/responses/input_tokens", json.dumps(
    {"model": "m-1", "input": TALK}))
GEMINI_COUNT = ("/v1beta/models/m-1:countTokens", json.dumps(
    {"contents": [{"parts": [{"text": TALK}]}]}))


def ask(r, what):
    path, body = what
    with r.connect() as client:
        return client.request("POST", path, {"x-api-key": r.key}, body.encode())


def is_estimate(answer, name):
    assert answer.status == 200, (answer.status, answer.body)
    assert answer.header("x-routex-estimated") == "1"
    assert answer.header("content-type") == "application/json"
    assert 10 < answer.json()[name] < 40, answer.body


@test
def a_channel_of_another_dialect_is_counted_for(build):
    with Upstream(provider) as upstream:
        with Routex(build, [CHAT.channel(
                upstream.url, type="openai-compatible")]) as r:
            is_estimate(ask(r, ANTHROPIC_COUNT), "input_tokens")
            is_estimate(ask(r, GEMINI_COUNT), "totalTokens")
            row = r.rows(2)[0]
            assert row["provenance"] == "estimated", row
            assert row["status"] == 200, row
        assert not upstream.calls


@test
def a_channel_that_knows_no_counting_is_counted_for(build):
    def answer(call):
        return call.answer_json({"error": {"message": "no such path"}}, 404)

    with Upstream(answer) as upstream:
        channels = [ANTHROPIC.channel(upstream.url),
                    CHAT.channel(upstream.url), GEMINI.channel(upstream.url)]
        with Routex(build, channels) as r:
            is_estimate(ask(r, ANTHROPIC_COUNT), "input_tokens")
            is_estimate(ask(r, RESPONSES_COUNT), "input_tokens")
            is_estimate(ask(r, GEMINI_COUNT), "totalTokens")
        assert len(upstream.calls) == 3


@test
def a_model_nobody_serves_is_still_404(build):
    with Upstream(provider) as upstream:
        channel = CHAT.channel(upstream.url, models=["gpt-*"])
        with Routex(build, [channel]) as r:
            assert ask(r, ANTHROPIC_COUNT).status == 404

def counter(call):
    """All three kinds of counting; refuses what none of them knows."""
    body = call.json()
    if call.path == "/v1/messages/count_tokens":
        assert not set(body) - {"model", "messages", "system", "tools",
                                "tool_choice", "thinking"}, body
        call.answer_json({"input_tokens": 31})
    elif call.path == "/v1/responses/input_tokens":
        assert not set(body) - {"model", "input", "instructions", "tools",
                                "reasoning", "text"}, body
        call.answer_json({"object": "response.input_tokens",
                          "input_tokens": 32})
    elif call.path.endswith(":countTokens"):
        inner = body["generateContentRequest"]
        assert inner["model"] == "models/m-1", body
        assert inner["contents"], body
        call.answer_json({"totalTokens": 33})
    else:
        call.answer_json({"error": {"message": "no such path"}}, 404)


def only(dialect, url):
    return dialect.channel(url, type="generic", base_url=None, endpoints=[
        {"dialect": dialect.name, "base_url": url}])


@test
def a_channel_of_another_dialect_counts_if_it_can(build):
    system = {"role": "system", "parts": [{"text": "be kind"}]}
    wrapped = ("/v1beta/models/m-1:countTokens", json.dumps(
        {"generateContentRequest": {
            "model": "models/m-1", "systemInstruction": system,
            "contents": [{"role": "user", "parts": [{"text": TALK}]}],
            "generationConfig": {"maxOutputTokens": 5}}}))
    for dialect, count in ((ANTHROPIC, 31), (RESPONSES, 32), (GEMINI, 33)):
        with Upstream(counter) as up:
            with Routex(build, [only(dialect, up.url)]) as r:
                for what, name in ((ANTHROPIC_COUNT, "input_tokens"),
                                   (RESPONSES_COUNT, "input_tokens"),
                                   (GEMINI_COUNT, "totalTokens"),
                                   (wrapped, "totalTokens")):
                    if what[0].startswith("/v1beta") and dialect is GEMINI:
                        continue
                    answer = ask(r, what)
                    assert answer.status == 200, (dialect, answer.body)
                    assert answer.json()[name] == count, (
                        dialect, what[0], answer.body)
                    assert answer.header("x-routex-estimated") is None
                    assert TALK.encode() in up.calls[-1].body
                    if what is wrapped:
                        assert b"be kind" in up.calls[-1].body
            assert not up.failed, up.failed


@test
def one_that_fails_at_counting_is_counted_for(build):
    def broken(call):
        call.answer_json({"error": {"message": "down"}}, 503)
    with Upstream(broken) as up, Routex(
            build, [only(GEMINI, up.url)]) as r:
        is_estimate(ask(r, ANTHROPIC_COUNT), "input_tokens")


main()
