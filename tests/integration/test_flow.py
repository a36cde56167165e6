"""Time and memory on the way through: bytes go out when they come in, a client
that leaves is noticed, one that reads slowly slows its provider, and SIGTERM
lets what runs run out."""
import json
import signal
import socket
import threading
import time

from dialects import ALL, ANTHROPIC, CHAT, GEMINI, provider
from harness import Routex, main, test, wait_until
from peers import Upstream

CANCEL_S = 0.1  # contract: a client that leaves cancels within 100 ms
MIB = 1 << 20


def channels(url):
    return [ANTHROPIC.channel(url), CHAT.channel(url), GEMINI.channel(url)]


def begin(r, dialect, stream, client):
    client.send_request("POST", dialect.path(stream), {
        **dialect.credential(r.key), "content-type": "application/json"},
        dialect.request(stream))


class Held:
    """A provider that answers up to its first content and then waits until
    the other side leaves."""

    def __init__(self, dialect, stream):
        self.dialect, self.stream = dialect, stream
        self.left = threading.Event()
        self.call = None

    def __call__(self, call):
        self.call = call
        if self.stream:
            call.open_stream()
            for event in self.dialect.events[:self.dialect.content_at + 1]:
                call.chunk(event)
        call.wait_gone(10)
        self.left.set()


@test
def a_client_that_leaves_cancels_the_upstream_within_100_ms(build):
    with Upstream(provider) as upstream:
        with Routex(build, channels(upstream.url)) as r:
            for dialect in ALL:
                for stream in (True, False):
                    for leave in ("close", "reset"):
                        cancelled(r, upstream, dialect, stream, leave)
            rows = r.rows(len(ALL) * 4)
            assert {row["outcome"] for row in rows} == {"cancelled"}, rows
            assert {row["status"] for row in rows} <= {200, 499}, rows


def cancelled(r, upstream, dialect, stream, leave):
    held = upstream.reply = Held(dialect, stream)
    client = r.connect()
    begin(r, dialect, stream, client)
    if stream:
        next(client.answer("POST").pieces())
    wait_until(lambda: held.call, "the request upstream")
    left = time.monotonic()
    getattr(client, leave)()
    assert held.left.wait(5), (dialect, stream, leave, "never noticed")
    took = held.call.gone_at - left
    assert took < CANCEL_S, (dialect, stream, leave, f"{took * 1e3:.0f} ms")


@test
def an_event_is_passed_on_when_it_comes_and_not_with_the_next(build):
    gaps = []

    def script(call):
        call.open_stream()
        for event in call.dialect.events:
            call.sent_at = time.monotonic()
            call.chunk(event)
            call.turn.wait(5)
            call.turn.clear()
        call.end()

    for dialect in ALL:
        turn = threading.Event()
        seen = []

        def answer(call, dialect=dialect, turn=turn, seen=seen):
            call.dialect, call.turn = dialect, turn
            seen.append(call)
            script(call)

        with Upstream(answer) as upstream:
            with Routex(build, channels(upstream.url)) as r:
                with r.connect() as client:
                    begin(r, dialect, True, client)
                    # Until content comes nothing is shown: let those by.
                    for _ in range(dialect.content_at):
                        wait_until(lambda: seen and not turn.is_set(), "turn")
                        time.sleep(0.01)
                        turn.set()
                    body = client.answer("POST").pieces()
                    got = b""
                    for number in range(
                            dialect.content_at, len(dialect.events)):
                        want = b"".join(dialect.events[:number + 1])
                        while len(got) < len(want):
                            got += next(body)
                        gaps.append(time.monotonic() - seen[0].sent_at)
                        assert got == want, (dialect, number)
                        turn.set()
                    for piece in body:
                        got += piece
                    assert got == b"".join(dialect.events)
    gaps.sort()
    assert gaps[len(gaps) // 2] < 0.02, gaps
    assert gaps[-1] < 0.2, gaps


def flood(total):
    """A chat stream of `total` bytes whose sender notes how far it is."""
    event = CHAT.events[1].replace(b"Hello", b"H" * 8000)

    def script(call):
        call.open_stream()
        script.sent = 0
        for first in CHAT.events[:1]:
            call.chunk(first)
        while script.sent < total:
            call.chunk(event)
            script.sent += len(event)
        for last in CHAT.events[3:]:
            call.chunk(last)
        call.end()
        script.done.set()

    script.done = threading.Event()
    script.sent = 0
    script.event = event
    return script


def stalled(script):
    """The sender has not moved for a while."""
    before = script.sent
    time.sleep(0.5)
    return before and script.sent == before


@test
def a_slow_client_slows_its_provider_and_memory_stays_bounded(build):
    script = flood(96 * MIB)
    with Upstream(script, send_buffer=64 << 10) as upstream:
        with Routex(build, channels(upstream.url)) as r:
            with r.connect(receive_buffer=16 << 10, timeout=60) as client:
                before = r.plane.rss()
                begin(r, CHAT, True, client)
                wait_until(lambda: stalled(script), "the sender to stall", 30)
                grown = r.plane.rss() - before
                assert script.sent < 24 * MIB, script.sent
                assert grown < 16 * MIB, f"{grown / MIB:.1f} MiB"
                # Others are served meanwhile.
                with r.connect() as other:
                    assert other.request("GET", "/health").status == 200
                answer = client.answer("POST").read()
                assert answer.clean and script.done.wait(5)
                events = answer.body.count(b"\n\n")
                assert events == 1 + script.sent // len(script.event) + len(
                    CHAT.events[3:]), events
                grown = r.plane.rss() - before
                assert grown < 32 * MIB, f"{grown / MIB:.1f} MiB"
            assert r.rows(1)[0]["output_tokens"] == 5


@test
def a_large_answer_in_one_burst_arrives_whole(build):
    text = "H" * (3 << 20)
    document = json.dumps({**CHAT.answer, "pad": text}).encode()
    stream = b"".join([*CHAT.events[:2],
                       CHAT.events[1].replace(b"Hello", b"H" * 9000) * 300,
                       *CHAT.events[3:]])

    def script(call):
        if CHAT.streams(call):
            call.open_stream()
            call.chunk(stream)
            call.end()
        else:
            call.answer(200, [("content-type", "application/json")], document)

    with Upstream(script) as upstream:
        with Routex(build, channels(upstream.url)) as r:
            for _ in range(20):
                assert r.ask(CHAT).body == document
                assert r.ask(CHAT, True).body == stream
            assert {row["outcome"] for row in r.rows(40)} == {"ok"}


@test
def two_hundred_streams_at_once_all_arrive_whole(build):
    gate = threading.Event()

    def script(call):
        call.open_stream()
        for event in ANTHROPIC.events[:5]:
            call.chunk(event)
        gate.wait(30)
        for event in ANTHROPIC.events[5:]:
            call.chunk(event)
        call.end()

    with Upstream(script) as upstream:
        with Routex(build, channels(upstream.url)) as r:
            clients = [r.connect(timeout=60) for _ in range(200)]
            for client in clients:
                begin(r, ANTHROPIC, True, client)
            answers = [client.answer("POST") for client in clients]
            assert r.ask(ANTHROPIC, key="rtx_wrong").status == 401
            gate.set()
            for answer in answers:
                answer.read()
                assert answer.clean
                assert answer.body == b"".join(ANTHROPIC.events)
            r.rows(200)


class Running:
    """A stream under way, held open by its provider."""

    def __init__(self):
        self.go_on = threading.Event()

    def __call__(self, call):
        call.open_stream()
        for event in CHAT.events[:3]:
            call.chunk(event)
        self.go_on.wait(20)
        for event in CHAT.events[3:]:
            call.chunk(event)
        call.end()


def refuses(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return False
    except OSError:
        return True


@test
def sigterm_lets_running_streams_finish_and_takes_no_new_ones(build):
    running = Running()
    with Upstream(running) as upstream:
        with Routex(build, channels(upstream.url)) as r:
            idle = r.connect()
            assert idle.request("GET", "/health").status == 200
            with r.connect() as client:
                begin(r, CHAT, True, client)
                answer = client.answer("POST")
                body = answer.pieces()
                next(body)
                plane = r.plane
                plane.signal(signal.SIGTERM)
                port = int(plane.url.rsplit(":", 1)[1])
                wait_until(lambda: refuses(port), "the listener to close")
                assert plane.alive()
                running.go_on.set()
                for _ in body:
                    pass
                assert answer.clean
                assert answer.body == b"".join(CHAT.events)
            wait_until(lambda: not plane.alive(), "the plane to end")
            assert plane.child.returncode == 0, plane.child.returncode
            idle.close()
            r.restart_plane()
            assert r.rows(1)[0]["outcome"] == "ok"


@test
def a_drain_that_takes_too_long_ends_and_shows_the_cut(build):
    running = Running()
    with Upstream(running) as upstream:
        with Routex(build, channels(upstream.url),
                    data_args=["--drain-timeout", "1"]) as r:
            with r.connect() as client:
                begin(r, CHAT, True, client)
                answer = client.answer("POST")
                body = answer.pieces()
                next(body)
                plane = r.plane
                start = time.monotonic()
                plane.signal(signal.SIGTERM)
                for _ in body:
                    pass
                assert not CHAT.terminal_seen(answer.body)
            wait_until(lambda: not plane.alive(), "the plane to end", 8)
            assert 0.8 < time.monotonic() - start < 6
            assert plane.child.returncode == 0, plane.child.returncode
            running.go_on.set()
            r.restart_plane()
            assert r.rows(1)[0]["outcome"] != "ok"


main()
