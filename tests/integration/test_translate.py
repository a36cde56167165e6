"""Any client on any channel: what a provider of another dialect answers
reaches the client in its own, whole or not at all, and is counted once."""
import json

from dialects import ALL, ANTHROPIC, CHAT, RESPONSES, provider
from harness import Routex, main, test
from peers import Upstream

PAIRS = [(client, channel) for client in ALL for channel in ALL
         if client is not channel]


def only(channel, url):
    """A channel that speaks this dialect and no other."""
    return channel.channel(url, endpoints=[
        {"dialect": channel.name, "base_url": url + channel.base_path}])


def tokens(row):
    return {"input": row["input_tokens"], "cache_read": row["cache_read_tokens"],
            "output": row["output_tokens"]}


def wanted(channel):
    return {name: channel.usage[name]
            for name in ("input", "cache_read", "output")}


def each_pair(build, check):
    with Upstream(provider) as upstream:
        for client, channel in PAIRS:
            with Routex(build, [only(channel, upstream.url)]) as r:
                for stream in (False, True):
                    upstream.reply = provider
                    check(r, upstream, client, channel, stream)


@test
def a_client_gets_a_foreign_answer_in_its_own_dialect(build):
    def check(r, upstream, client, channel, stream):
        where = (client, channel, stream)
        answer = r.ask(client, stream)
        body = answer.body
        assert answer.status == 200, (where, answer.status, body)
        if stream:
            assert client.terminal_seen(body), (where, body)
            assert b"Hello" in body and b" there" in body, (where, body)
            kind = answer.header("content-type")
            assert kind.startswith("text/event-stream"), (where, kind)
        else:
            assert "Hello there" in json.dumps(json.loads(body)), (where, body)
        row = r.row(answer)
        assert row["outcome"] == "ok" and row["status"] == 200, (where, row)
        assert row["provenance"] == "reported", (where, row)
        assert tokens(row) == wanted(channel), (where, row)

    each_pair(build, check)


@test
def a_foreign_answer_that_is_cut_never_looks_clean(build):
    def check(r, upstream, client, channel, stream):
        def cut(call):
            if not stream:
                call.cut()
                return
            call.open_stream()
            for event in channel.events[:channel.content_at + 1]:
                call.chunk(event)
            call.cut()

        upstream.reply = cut
        answer = r.ask(client, stream)
        body = answer.body
        where = (client, channel, stream, body)
        assert not client.terminal_seen(body), where
        if stream:
            assert answer.status == 200, where
            assert client.error_mark in body, where
            assert r.row(answer)["outcome"] == "cut", where
        else:
            assert answer.status >= 500, where
            client.error(body)

    each_pair(build, check)


@test
def a_foreign_error_comes_in_the_clients_words(build):
    def check(r, upstream, client, channel, stream):
        upstream.reply = lambda call: call.answer_json(
            {"type": "error", "error": {"type": "invalid_request_error",
                                        "code": None, "message": "bad \"x\""}},
            400)
        answer = r.ask(client, stream)
        body = answer.body
        where = (client, channel, stream, body)
        assert answer.status == 400, where
        assert client.error(body) == (client.words[400], 'bad "x"'), where
        assert answer.header("content-type") == "application/json", where

    each_pair(build, check)


@test
def what_cannot_be_said_is_refused_before_anything_is_asked(build):
    with Upstream(provider) as upstream:
        with Routex(build, [ANTHROPIC.channel(upstream.url)]) as r:
            answer = r.ask(CHAT, n=2)
            body = answer.body
            assert answer.status == 400, body
            assert "n:" in CHAT.error(body)[1], body
            answer = r.ask(CHAT, seed=3, logit_bias={"1": 2})
            assert answer.status == 200
            assert int(answer.header("x-routex-losses")) >= 2
            assert r.rows(2)[0] is not None


@test
def of_one_priority_the_channel_that_needs_no_translation_is_asked(build):
    with Upstream(provider) as upstream:
        made = [CHAT.channel(upstream.url, name="foreign", models=["m-1"]),
                ANTHROPIC.channel(upstream.url, name="native", models=["m-1"])]
        with Routex(build, made) as r:
            for _ in range(10):
                answer = r.ask(ANTHROPIC)
                assert answer.header("x-routex-channel") == "native"
                assert answer.header("x-routex-losses") is None

def searched(call):
    """An answer of Anthropic's that cites a place in a document."""
    value = {**ANTHROPIC.answer, "content": [
        {"type": "text", "text": "so", "citations": [
            {"type": "char_location", "cited_text": "x", "document_index": 0,
             "document_title": "d", "start_char_index": 0,
             "end_char_index": 1}]}]}
    call.answer_json(value)


@test
def what_of_an_answer_is_lost_is_in_the_row(build):
    with Upstream(searched) as up, Routex(
            build, [ANTHROPIC.channel(up.url)]) as r:
        answer = r.ask(CHAT)
        assert answer.status == 200, answer.body
        lost = r.row(answer)["trace"]["lost"]
        assert lost == ["citations"], lost
        answer = r.ask(CHAT, headers={"x-routex-strict": "1"})
        assert answer.status == 400, answer.body
        kind, words = CHAT.error(answer.body)
        assert kind == "invalid_request_error", kind
        assert words.startswith("citations: "), words
        assert len(up.calls) == 2, "a refused answer was asked for again"


@test
def strictly_nothing_is_lost(build):
    def lossy(r, **headers):
        return r.ask(ANTHROPIC, top_k=3, headers=headers)
    with Upstream(provider) as up, Routex(build, [CHAT.channel(up.url)]) as r:
        answer = lossy(r)
        assert answer.status == 200, answer.body
        assert answer.header("x-routex-losses") == "1", answer.headers
        count = len(up.calls)
        answer = lossy(r, **{"x-routex-strict": "1"})
        assert answer.status == 400, answer.body
        kind, words = ANTHROPIC.error(answer.body)
        assert kind == "invalid_request_error" and "top_k" in words, words
        assert len(up.calls) == count, "it was asked all the same"
        r.configure(strict_translation=True)
        assert lossy(r).status == 400
        assert lossy(r, **{"x-routex-strict": "0"}).status == 200
        assert r.ask(ANTHROPIC).status == 200


@test
def who_the_user_is_does_not_leave_for_another_provider(build):
    with Upstream(provider) as up, Routex(
            build, [RESPONSES.channel(up.url)]) as r:
        told = []
        for who in ("alice@example.test", "alice@example.test", "bob"):
            r.ask(ANTHROPIC, model="gpt-5", metadata={"user_id": who})
            assert who.encode() not in up.calls[-1].body, up.calls[-1].body
            told.append(up.calls[-1].json()["safety_identifier"])
        assert told[0] == told[1] != told[2], told


main()
