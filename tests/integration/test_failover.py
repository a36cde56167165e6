"""Before the first byte any other channel may be tried; after it, never, and
what broke is shown as broken."""
import json
import time

from dialects import ALL, ANTHROPIC, CHAT, RESPONSES, provider
from harness import Routex, main, test
from pair import Pair
from peers import DeadPort, Upstream


class Failover(Pair):
    """Each question on its own: nothing is remembered of the one before."""

    def __init__(self, build, first=None):
        super().__init__(build, first, breaker={"window_s": 0})

    def passes_to_second(self, dialect, stream, status):
        """The second channel's answer arrives as if nothing had been."""
        r = self.routex
        answer = r.ask(dialect, stream)
        where = (dialect, stream, answer.status, answer.body)
        assert answer.status == 200 and answer.clean, where
        want = (b"".join(dialect.events) if stream
                else json.dumps(dialect.answer).encode())
        assert answer.body == want, where
        second = f"second-{dialect.channel_type}"
        assert answer.header("x-routex-channel") == second, where
        assert int(answer.header("x-routex-attempts")) >= 2, where
        tried = r.row(answer)["attempts"]
        assert tried[-1]["channel"] == second, tried
        assert tried[0]["channel"].startswith("first"), tried
        assert (tried[0]["status"] or None) == status, tried
        assert len(self.second.calls) == 1, where


def failing(status, headers=()):
    return lambda call: call.answer_json(
        {"error": {"message": "no", "type": "x"}}, status, headers)


@test
def a_refused_connection_fails_over(build):
    dead = DeadPort()
    with Failover(build, dead.url) as pair:
        for dialect in ALL:
            for stream in (False, True):
                pair.script(None)
                pair.passes_to_second(dialect, stream, None)
    dead.close()


@test
def a_429_and_every_5xx_fail_over(build):
    with Failover(build) as pair:
        for dialect in ALL:
            for stream, status in ((False, 429), (True, 429), (True, 500),
                                   (False, 502), (True, 503), (False, 504),
                                   (True, 529)):
                pair.script(failing(status))
                pair.passes_to_second(dialect, stream, status)


@test
def an_upstream_that_hangs_up_before_its_answer_fails_over(build):
    with Failover(build) as pair:
        for dialect in ALL:
            for stream in (False, True):
                pair.script(lambda call: call.cut())
                pair.passes_to_second(dialect, stream, None)


@test
def a_stream_that_breaks_before_content_fails_over_unseen(build):
    with Failover(build) as pair:
        for dialect in (ANTHROPIC, CHAT, RESPONSES):
            def script(call, dialect=dialect):
                call.open_stream()
                for event in dialect.events[:dialect.content_at]:
                    call.chunk(event)
                call.cut()
            pair.script(script)
            pair.passes_to_second(dialect, True, 200)


@test
def an_error_event_before_content_fails_over_unseen(build):
    def script(call):
        call.open_stream()
        call.chunk(ANTHROPIC.events[0])
        call.chunk(b'event: error\ndata: {"type":"error","error":{"type":'
                   b'"overloaded_error","message":"Overloaded"}}\n\n')
        call.end()

    with Failover(build) as pair:
        pair.script(script)
        pair.passes_to_second(ANTHROPIC, True, 200)


@test
def a_document_that_is_cut_fails_over_unseen(build):
    def script(call):
        body = json.dumps(CHAT.answer).encode()
        call.head(200, [("content-type", "application/json"),
                        ("content-length", len(body))])
        call.send(body[:-20])
        call.cut()

    with Failover(build) as pair:
        pair.script(script)
        pair.passes_to_second(CHAT, False, 200)


@test
def client_errors_are_passed_on_and_never_tried_again(build):
    with Failover(build) as pair:
        for dialect in ALL:
            for status in (400, 404, 413, 422):
                body = b'{"error": {"message": "%d here"}}' % status

                def script(call, status=status, body=body):
                    call.answer(status, [
                        ("content-type", "application/json")], body)
                pair.script(script)
                answer = pair.routex.ask(dialect)
                assert answer.status == status, (dialect, answer.status)
                assert answer.body == body
                assert len(pair.first.calls) == 1, (dialect, status)
                assert not pair.second.calls, (dialect, status)
                row = pair.routex.row(answer)
                assert row["outcome"] == "error", row


@test
def when_every_channel_fails_the_last_answer_or_a_503_is_told(build):
    with Failover(build) as pair:
        for dialect in ALL:
            late = failing(429, [("retry-after", "7")])
            pair.script(late, late)
            answer = pair.routex.ask(dialect)
            assert answer.status in (429, 503, 529), answer.status
            assert answer.header("retry-after") is not None
            assert pair.first.calls and pair.second.calls
            row = pair.routex.row(answer)
            assert row["status"] == answer.status, row


@test
def attempts_are_bounded(build):
    def script(call):
        call.answer_json({"error": {"message": "no"}}, 500)
    with Upstream(script) as bad:
        with Routex(build, [CHAT.channel(bad.url, f"c{n}")
                            for n in range(20)]) as r:
            answer = r.ask(CHAT)
            assert answer.status >= 500
            assert 2 <= len(r.row(answer)["attempts"]) <= 8


def cut_after_content(dialect, how):
    """A provider that stops in the middle of its stream."""
    def script(call):
        call.open_stream()
        sent = dialect.events[:dialect.content_at + 1]
        for event in sent[:-1]:
            call.chunk(event)
        if how == "inside":
            call.chunk(sent[-1] + dialect.events[dialect.content_at][:25])
        else:
            call.chunk(sent[-1])
        {"close": call.cut, "inside": call.cut, "reset": call.reset,
         "clean end": call.end}[how]()
        if how == "reset":
            raise ConnectionAbortedError
    return script


@test
def a_cut_stream_never_looks_clean_and_is_never_tried_again(build):
    with Failover(build) as pair:
        for dialect in ALL:
            for how in ("close", "inside", "reset", "clean end"):
                pair.script(cut_after_content(dialect, how))
                answer = pair.routex.ask(dialect, True)
                where = (dialect, how, answer.body[-300:])
                assert answer.status == 200, where
                assert not dialect.terminal_seen(answer.body), where
                assert b"Hello" in answer.body, where
                if answer.clean:
                    assert dialect.error_mark in answer.body, where
                    assert answer.body.endswith(b"\n\n"), where
                assert not pair.second.calls, where
                row = pair.routex.row(answer)
                assert row["outcome"] == "cut", (where, row)


@test
def a_document_longer_than_can_be_held_and_then_cut_is_seen_as_cut(build):
    def script(call):
        call.head(200, [("content-type", "application/json"),
                        ("content-length", 8 << 20)])
        call.send(b'{"id":"' + b"x" * (4 << 20))
        call.cut()
    with Upstream(script) as bad:
        with Routex(build, [CHAT.channel(bad.url)]) as r:
            try:
                answer = r.ask(CHAT)
                assert not answer.clean or answer.status >= 500
            except OSError:
                pass
            assert r.rows(1)[0]["outcome"] in ("cut", "error", "refused")


@test
def a_kept_connection_that_died_is_replaced_without_a_trace(build):
    with Upstream(provider) as upstream:
        with Routex(build, [CHAT.channel(upstream.url)]) as r:
            for _ in range(3):
                answer = r.ask(CHAT)
                assert answer.status == 200
                assert answer.header("x-routex-attempts") == "1"
                for sock in list(upstream.open):
                    sock.shutdown(2)
                time.sleep(0.02)  # let the FIN be either seen or not
            r.rows(3)
        assert len(upstream.calls) == 3


@test
def connections_to_the_provider_are_kept(build):
    with Upstream(provider) as upstream:
        with Routex(build, [CHAT.channel(upstream.url)]) as r:
            for _ in range(20):
                assert r.ask(CHAT).status == 200
        assert len(upstream.calls) == 20
        assert upstream.connections <= 2, upstream.connections


@test
def a_provider_too_slow_for_its_time_limits_is_left(build):
    held = []

    def silent(call):
        held.append(call)
        call.wait_gone(20)

    with Upstream(silent) as bad, Upstream(provider) as good:
        slow = CHAT.channel(bad.url, "first", priority=10,
                            timeouts={"first_byte_s": 0.3})
        fast = CHAT.channel(good.url, "second", priority=1)
        with Routex(build, [slow, fast]) as r:
            start = time.monotonic()
            answer = r.ask(CHAT)
            took = time.monotonic() - start
            assert answer.status == 200, answer.body
            assert answer.header("x-routex-channel") == "second"
            assert 0.25 < took < 5, took


main()
