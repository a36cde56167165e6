"""A stream that goes silent keeps its client company, between events only."""
import threading

from dialects import ALL, ANTHROPIC, CHAT, GEMINI, RESPONSES
from harness import Routex, main, test
from peers import Upstream

WORDS = {ANTHROPIC: b"event: ping\ndata: {\"type\":\"ping\"}\n\n",
         CHAT: b": keep-alive\n\n", RESPONSES: b": keep-alive\n\n"}
PATIENCE = 20
EVERY = 0.05


def silent_after(channel, count, until):
    """A provider that says nothing from its `count`th byte on, for a while."""
    def reply(call):
        stream = b"".join(channel.events)
        call.open_stream()
        call.chunk(stream[:count])
        until.wait(PATIENCE)
        call.chunk(stream[count:])
        call.end()
    return reply


def events_until_content(channel):
    return len(b"".join(channel.events[:channel.content_at + 1]))


def ask(r, client, enough, until):
    """Ends the silence once `enough` of the body says so."""
    with r.connect() as c:
        c.send_request("POST", client.path(True), {
            **client.credential(r.key), "content-type": "application/json"},
            client.request(True))
        answer = c.answer("POST")
        for _ in answer.pieces():
            if enough(answer.body):
                until.set()
        return answer


def routex(build, channel, url):
    made = channel.channel(url, endpoints=[
        {"dialect": channel.name, "base_url": url + channel.base_path}])
    return Routex(build, [made], data_args=["--keepalive", "50ms"])


def each(build, channels, check):
    for channel in channels:
        with Upstream(None) as upstream, \
                routex(build, channel, upstream.url) as r:
            for client in ALL:
                until = threading.Event()
                upstream.reply = silent_after(
                    channel, events_until_content(channel), until)
                check(r, client, channel, until)


@test
def a_silent_stream_gets_signs_of_life_and_still_ends_whole(build):
    def check(r, client, channel, until):
        if client is GEMINI:
            return
        words = WORDS[client]
        before = b"".join(channel.events).count(words)

        def enough(body):
            return body.count(words) >= before + 3

        answer = ask(r, client, enough, until)
        where = (client, channel, answer.body)
        assert until.is_set(), where
        assert answer.clean and client.terminal_seen(answer.body), where
        assert r.row(answer)["outcome"] == "ok", where
        if client is channel:
            stream = b"".join(channel.events)
            count = events_until_content(channel)
            rest = answer.body[count:-len(stream[count:])]
            assert answer.body[:count] == stream[:count], where
            assert answer.body.endswith(stream[count:]), where
            assert rest.replace(words, b"") == b"", where

    each(build, ALL, check)


@test
def a_gemini_client_hears_nothing_but_the_answer(build):
    def check(r, client, channel, until):
        if client is not GEMINI:
            return
        threading.Timer(8 * EVERY, until.set).start()
        answer = ask(r, client, lambda body: False, until)
        assert answer.clean, answer.body
        assert answer.body == b"".join(channel.events), answer.body

    each(build, [GEMINI], check)


@test
def nothing_is_said_in_the_middle_of_an_event(build):
    for channel in ALL:
        with Upstream(None) as upstream, \
                routex(build, channel, upstream.url) as r:
            until = threading.Event()
            upstream.reply = silent_after(
                channel, events_until_content(channel) + 9, until)
            threading.Timer(8 * EVERY, until.set).start()
            answer = ask(r, channel, lambda body: False, until)
            assert answer.clean, (channel, answer.body)
            assert answer.body == b"".join(channel.events), (
                channel, answer.body)


main()
