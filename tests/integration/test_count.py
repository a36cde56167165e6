"""Counting tokens where the channel cannot: the count is ours, and says so."""
import json

from dialects import ANTHROPIC, CHAT, GEMINI, provider
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
        with Routex(build, [CHAT.channel(upstream.url)]) as r:
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


main()
