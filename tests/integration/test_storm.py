"""A storm: clients that do what they should not, providers that do worse, and
an administrator who changes everything meanwhile.  Afterwards nothing is left:
no request, no descriptor, no sanitizer's report, no secret where it has no
business, and for every answer its client got whole there is one row.

ROUTEX_SEED repeats a storm (as far as the kernel lets it be repeated);
ROUTEX_STORM is how many seconds it lasts."""
import gzip
import json
import os
import pathlib
import random
import re
import socket
import threading
import time

from dialects import ALL, ANTHROPIC, CHAT, GEMINI, RESPONSES, provider
from harness import Failed, Routex, main, sanitized, test, wait_until
from peers import Client, Cut, Upstream

SECONDS = float(os.environ.get("ROUTEX_STORM") or 12)
CLIENTS = 10
PROVIDER_KEY = "sk-provider-secret"
BY_NAME = {dialect.name: dialect for dialect in ALL}
LIMITS = {"first_byte_s": 1.5, "first_event_s": 1.5, "idle_s": 1.5}


# -- providers -----------------------------------------------------------------


def spoken(call):
    """The dialect of a call and whether it asks for a stream."""
    path = call.path.split("?")[0]
    for dialect in (ANTHROPIC, CHAT, RESPONSES):
        if path.endswith(dialect.plain_path):
            return dialect, dialect.streams(call)
    return GEMINI, GEMINI.streams(call)


def events_of(call):
    dialect, _ = spoken(call)
    return list(dialect.events)


def cut_before_head(call, dice):
    call.reset() if dice.random() < 0.5 else call.cut()


def cut_in_the_head(call, dice):
    call.send(b"HTTP/1.1 200 OK\r\ncontent-ty")
    cut_before_head(call, dice)


def cut_after_the_head(call, dice):
    call.open_stream()
    cut_before_head(call, dice)


def cut_in_the_stream(call, dice):
    data = b"".join(events_of(call))
    call.open_stream()
    call.chunk(data[:dice.randrange(1, len(data))])
    cut_before_head(call, dice)


def cut_in_a_document(call, dice):
    data = json.dumps(spoken(call)[0].answer).encode()
    call.head(200, [("content-type", "application/json"),
                    ("content-length", len(data))])
    call.send(data[:dice.randrange(0, len(data))])
    call.cut()


def stall(call, dice):
    """Shorter than every limit, then all of it; or longer than all."""
    call.open_stream()
    for event in events_of(call):
        if dice.random() < 0.1:
            time.sleep(dice.choice((0.02, 0.1, 0.3, 2.0)))
        call.chunk(event)
    call.end()


def drip(call, dice):
    data = b"".join(events_of(call))
    call.open_stream()
    while data:
        size = dice.randrange(1, 60)
        call.chunk(data[:size])
        data = data[size:]
    call.end()


def malform(call, dice):
    events = events_of(call)
    at = dice.randrange(len(events))
    events[at] = dice.choice((
        events[at].replace(b"}", b"", 1), b"data: \xff\xfe{\n\n",
        b"data: " + b"[" * 3000 + b"\n\n", b"data: 7\n\n", b"\n\n\n",
        b"x" * 70000 + b"\n\n", b'data: {"type": 3, "choices": {}}\n\n',
        b'data: {"choices":[{"delta":null}],"usage":"x","type":[]}\n\n'))
    call.open_stream()
    for event in events:
        call.chunk(event)
    call.end()


def shuffle(call, dice):
    events = events_of(call)
    dice.shuffle(events)
    call.open_stream()
    for event in events:
        call.chunk(event)
    call.end()


def wrong_length(call, dice):
    data = json.dumps(spoken(call)[0].answer).encode()
    call.head(200, [("content-type", "application/json"), (
        "content-length", len(data) + dice.choice((-9, -1, 1, 500)))])
    call.send(data)
    call.cut()


def error_event(call, dice):
    events = events_of(call)
    call.open_stream()
    for event in events[:dice.randrange(len(events))]:
        call.chunk(event)
    call.chunk(b'event: error\ndata: {"type":"error","error":{"type":'
               b'"overloaded_error","code":"x","message":"no"}}\n\n')
    call.end()


def squeezed(call, dice):
    data = json.dumps(spoken(call)[0].answer).encode()
    packed = gzip.compress(data)
    if dice.random() < 0.3:
        packed = packed[:dice.randrange(1, len(packed))]
    call.answer(200, [("content-type", "application/json"),
                      ("content-encoding", "gzip")], packed)


def squeezed_stream(call, dice):
    packed = gzip.compress(b"".join(events_of(call)))
    call.open_stream([("content-encoding", "gzip")])
    for at in range(0, len(packed), 50):
        call.chunk(packed[at:at + 50])
    call.end()


def fail(call, dice):
    status = dice.choice((400, 401, 403, 404, 408, 413, 429, 500, 502, 503,
                          529, 302, 204, 304, 205))
    body = dice.choice((b"", b"<html>no", b'{"error":{"message":"no"}}',
                        b"\x00\xff", b'{"type":"error","error":{"type":'
                        b'"x","message":"y"}}'))
    if status in (204, 304):
        call.head(status, [("x-request-id", "up-1")])
    else:
        call.answer(status, [("content-type", "application/json"),
                             ("retry-after", "1")], body)


def odd_head(call, dice):
    call.send(dice.choice((
        b"HTTP/1.1 99 X\r\n\r\n", b"HTTP/1.1 1000 X\r\n\r\n", b"\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\nupgrade: x\r\n\r\nabc",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 30, b"SSH-2.0-x\r\n",
        b"HTTP/1.1 200 X\r\n" + b"x-%d: y\r\n" * 5000 + b"\r\n",
        b"HTTP/1.1 200 X\r\ncontent-length: 5\r\n"
        b"transfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 X\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.0 200 X\r\n\r\n{}")))
    call.cut()


def much(call, dice):
    """More than fits into any buffer on the way."""
    events = events_of(call)
    at = min(spoken(call)[0].content_at, len(events) - 1)
    call.open_stream()
    for event in events[:at]:
        call.chunk(event)
    for _ in range(dice.randrange(200, 4000)):
        call.chunk(events[at])
    for event in events[at:]:
        call.chunk(event)
    call.end()


def lingering(call, dice):
    """The stream is over and does not end."""
    call.open_stream()
    for event in events_of(call):
        call.chunk(event)
    for _ in range(20):
        time.sleep(0.03)
        call.chunk(b": still here\n\n")
    call.end()


def excess(call, dice):
    dialect, _ = spoken(call)
    dialect.serve(call)
    call.send(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi")


MISDEEDS = [
    cut_before_head, cut_in_the_head, cut_after_the_head, cut_in_the_stream,
    cut_in_a_document, stall, drip, malform, malform, shuffle, wrong_length,
    error_event, squeezed, squeezed_stream, fail, fail, odd_head, much,
    lingering, excess]


class Early(Upstream):
    """Answers, or leaves, while the request is still being sent."""

    def __init__(self, seed):
        super().__init__(None)
        self.dice = random.Random(seed)

    def serve(self, sock, number):
        dice = self.dice
        try:
            got = sock.recv(4096)
            time.sleep(dice.random() * 0.05)
            for _ in range(dice.randrange(40)):
                sock.recv(dice.randrange(1, 1 << 16))
                time.sleep(dice.random() * 0.002)
            body = b"{}" if dice.random() < 0.5 else json.dumps(
                ANTHROPIC.answer).encode()
            status = dice.choice((200, 200, 400, 413, 429, 503))
            if got and dice.random() < 0.8:
                sock.sendall(
                    b"HTTP/1.1 %d X\r\ncontent-type: application/json\r\n"
                    b"content-length: %d\r\n\r\n" % (status, len(body)) + body)
            for _ in range(dice.randrange(60)):
                if not sock.recv(dice.randrange(1, 1 << 17)):
                    break
        except OSError:
            pass
        finally:
            self.open.discard(sock)
            sock.close()


# -- clients -------------------------------------------------------------------


class Rascal:
    """One thread of clients.  Every request has a name, which is its model."""

    def __init__(self, storm, number):
        self.storm = storm
        self.dice = random.Random(f"{storm.seed}/{number}")
        self.number = number
        self.count = 0
        self.whole = []  # (name, status, request id, clean end, dialect)
        self.moves = [self.usual, self.usual, self.usual, self.leave,
                      self.half_close, self.slow, self.pipeline, self.chunked,
                      self.packed, self.huge_head, self.bad_key, self.small,
                      self.handoff, self.large, self.large, self.garbage]

    def run(self):
        while not self.storm.over.is_set():
            try:
                self.dice.choice(self.moves)()
            except (OSError, Cut, ValueError, IndexError):
                pass  # broken answers are what this is about
            except Exception as broken:
                self.storm.wrong.append(broken)
                raise

    def name(self):
        self.count += 1
        kind = self.dice.choice(list(BY_NAME))
        return f"{kind}-{self.number}-{self.count}"

    def wish(self, text="hello"):
        """A request, as bytes of its parts."""
        dialect = self.dice.choice(ALL)
        stream = self.dice.random() < 0.6
        name = self.name()
        more = {} if dialect is GEMINI else self.dice.choice((
            {}, {}, {"temperature": 0.5}, {"tools": []}, {"unknown": [1]}))
        headers = {**dialect.credential(self.dice.choice(self.storm.keys)),
                   "content-type": "application/json"}
        body = dialect.request(stream, model=name, text=text, **more)
        return dialect, stream, name, dialect.path(stream, name), headers, body

    def take(self, answer, wish):
        answer.read()
        self.note(answer, wish)

    def note(self, answer, wish):
        dialect, stream, name = wish[:3]
        self.storm.look(answer.body)
        self.storm.look(json.dumps(answer.headers).encode())
        if not answer.clean:
            return
        good = answer.status == 200 and (
            not stream or dialect.terminal_seen(answer.body))
        broken = stream and dialect.error_mark in answer.body
        self.whole.append((name, answer.status, answer.header(
            "x-routex-request-id"), good and not broken, dialect.name))

    def usual(self):
        wish = self.wish()
        with self.storm.connect() as c:
            c.send_request("POST", wish[3], wish[4], wish[5])
            self.take(c.answer(), wish)

    def leave(self):
        wish = self.wish("x" * self.dice.choice((10, 300000)))
        with self.storm.connect() as c:
            c.send_request("POST", wish[3], wish[4], wish[5])
            time.sleep(self.dice.random() * self.dice.choice((0.003, 0.1)))
            if self.dice.random() < 0.5:
                answer = c.answer()
                next(answer.pieces(), None)
            c.reset() if self.dice.random() < 0.5 else c.close()

    def half_close(self):
        wish = self.wish()
        with self.storm.connect() as c:
            c.send_request("POST", wish[3], wish[4], wish[5])
            c.sock.shutdown(socket.SHUT_WR)
            self.take(c.answer(), wish)

    def slow(self):
        wish = self.wish()
        with self.storm.connect(receive_buffer=4096) as c:
            c.send_request("POST", wish[3], wish[4], wish[5])
            answer = c.answer()
            for n, _ in enumerate(answer.pieces()):
                if n < 30:
                    time.sleep(0.01)
            self.note(answer, wish)

    def pipeline(self):
        wishes = [self.wish() for _ in range(self.dice.randrange(2, 6))]
        with self.storm.connect() as c:
            for wish in wishes:
                c.send_request("POST", wish[3], wish[4], wish[5])
            for wish in wishes[:self.dice.randrange(1, len(wishes) + 1)]:
                self.take(c.answer(), wish)

    def chunked(self):
        wish = self.wish("y" * self.dice.randrange(1, 5000))
        body = wish[5]
        with self.storm.connect() as c:
            c.send_request("POST", wish[3], {
                **wish[4], "transfer-encoding": "chunked"})
            wire = b""
            while body:
                size = self.dice.randrange(1, 2000)
                piece, body = body[:size], body[size:]
                wire += b"%x\r\n" % len(piece) + piece + b"\r\n"
            wire += b"0\r\n\r\n"
            if self.dice.random() < 0.3:
                wire = wire[:self.dice.randrange(len(wire))]
                c.send(wire)
                return
            while wire:
                size = self.dice.randrange(1, 3000)
                c.send(wire[:size])
                wire = wire[size:]
            self.take(c.answer(), wish)

    def packed(self):
        wish = self.wish("z" * self.dice.randrange(1, 100000))
        body = gzip.compress(wish[5])
        if self.dice.random() < 0.3:
            body = body[:self.dice.randrange(len(body))] + b"junk"
        with self.storm.connect() as c:
            c.send_request("POST", wish[3], {
                **wish[4], "content-encoding": self.dice.choice(
                    ("gzip", "gzip", "gzip", "zstd", "br", "lzma"))}, body)
            self.take(c.answer(), wish)

    def huge_head(self):
        wish = self.wish()
        with self.storm.connect() as c:
            size = self.dice.choice((1000, 30000, 70000, 300000))
            c.send_request("POST", wish[3], {**wish[4], "x-a": "a" * size},
                           wish[5])
            self.take(c.answer(), wish)

    def bad_key(self):
        wish = self.wish()
        with self.storm.connect() as c:
            c.send_request("POST", wish[3], wish[0].credential(
                self.dice.choice(("", "rx-no", "x" * 5000))), wish[5])
            answer = c.answer().read()
            assert answer.status in (401, 403), answer.status

    def small(self):
        """What is no conversation."""
        key = self.dice.choice(self.storm.keys)
        name = self.name()
        body = ANTHROPIC.request(model=name)
        method, path, body = self.dice.choice((
            ("POST", "/v1/messages/count_tokens", body),
            ("POST", "/v1/responses/input_tokens", RESPONSES.request(
                model=name)),
            ("POST", f"/v1beta/models/{name}:countTokens", GEMINI.request()),
            ("GET", "/v1/models", None), ("GET", "/health", None),
            ("GET", "/v1beta/models", None), ("HEAD", "/", None),
            ("DELETE", "/v1/responses/resp_1", None),
            ("GET", "/v1/messages", None), ("PUT", "/nowhere", b"{}")))
        with self.storm.connect() as c:
            answer = c.request(method, path, {"x-api-key": key}, body)
            self.storm.look(answer.body)

    def handoff(self):
        """The admin API through the clients' port."""
        with self.storm.connect() as c:
            path = self.dice.choice((
                "/api/channels", "/api/requests?limit=200", "/api/status",
                "/api/keys", "/api/nothing"))
            c.send_request("GET", path, {
                "authorization": f"Bearer {self.storm.token}"})
            if self.dice.random() < 0.3:
                return
            self.storm.look(c.answer().read().body)

    def large(self):
        """A body that is still on its way up when something happens."""
        wish = self.wish("L" * self.dice.randrange(1 << 20, 6 << 20))
        path, name = "/v1/messages", f"early-{self.number}-{self.count}"
        headers = ANTHROPIC.credential(self.dice.choice(self.storm.keys))
        body = ANTHROPIC.request(model=name, text="L" * len(wish[5]))
        with self.storm.connect() as c:
            c.send_request("POST", path, headers, body)
            if self.dice.random() < 0.7:
                time.sleep(self.dice.random() * 0.1)
                c.reset() if self.dice.random() < 0.5 else c.close()
                return
            self.take(c.answer(), (ANTHROPIC, False, name))

    def garbage(self):
        wish = self.wish()
        body = bytearray(wish[5])
        for _ in range(self.dice.randrange(1, 6)):
            body[self.dice.randrange(len(body))] = self.dice.randrange(256)
        with self.storm.connect() as c:
            c.send_request("POST", wish[3], wish[4], bytes(body))
            answer = c.answer().read()
            self.storm.look(answer.body)


# -- the administrator -----------------------------------------------------------


class Admin:
    def __init__(self, storm):
        self.storm = storm
        self.dice = random.Random(f"{storm.seed}/admin")
        self.extra = []
        self.rules = []
        self.changes = 0

    def run(self):
        moves = [self.edit, self.edit, self.add, self.delete, self.rotate,
                 self.rule, self.unrule, self.limit, self.client_key]
        while not self.storm.over.is_set():
            try:
                self.dice.choice(moves)()
                self.changes += 1
            except Failed as failed:
                if failed.status not in (404, 409, 412, 429):
                    self.storm.wrong.append(failed)
            except Exception as broken:
                self.storm.wrong.append(broken)
                raise
            time.sleep(self.dice.random() * 0.1)

    @property
    def api(self):
        return self.storm.r.admin

    def edit(self):
        chosen = self.dice.choice(self.api.get("/api/channels")["data"])
        self.api.call("PATCH", f"/api/channels/{chosen['id']}", {
            "weight": self.dice.randrange(1, 9)})

    def add(self):
        name = f"extra-{self.changes}"
        kind = self.dice.choice(ALL)
        made = self.api.post("/api/channels", self.storm.channel(
            kind, self.storm.evil.url, name, 20))
        self.extra.append(made["data"]["id"])

    def delete(self):
        if self.extra:
            gone = self.extra.pop(self.dice.randrange(len(self.extra)))
            self.api.call("DELETE", f"/api/channels/{gone}")

    def rotate(self):
        chosen = self.dice.choice(self.api.get("/api/channels")["data"])
        self.api.call("PATCH", f"/api/channels/{chosen['id']}", {
            "api_key": f"{PROVIDER_KEY}-{self.changes}"})

    def rule(self):
        made = self.api.post("/api/routing/rules", {
            "name": f"rule-{self.changes}", "type": "background",
            "target": {"model": "anthropic-by-rule"}})
        self.rules.append(made["data"]["id"])

    def unrule(self):
        if self.rules:
            self.api.call(
                "DELETE", f"/api/routing/rules/{self.rules.pop()}")

    def limit(self):
        self.api.call("PATCH", f"/api/tenants/{self.storm.tenant}", {
            "limits": self.dice.choice((
                {}, {"concurrent": 3}, {"requests_per_min": 100},
                {"quota": {"tokens": 100000, "window": "month"}}))})

    def client_key(self):
        made = self.api.post("/api/keys", {
            "name": f"key-{self.changes}", "tenant": "stormy"})["data"]
        self.storm.keys.append(made["key"])
        if len(self.storm.keys) > 8:
            del self.storm.keys[2]
        self.storm.secrets.append(made["key"])


# -- the storm -------------------------------------------------------------------


class Storm:
    def __init__(self, seed, r, evil, good, early):
        self.seed, self.r = seed, r
        self.evil, self.good, self.early = evil, good, early
        self.over = threading.Event()
        self.wrong = []
        self.token = r.admin.token
        tenant = r.admin.post("/api/tenants", {"name": "stormy"})["data"]
        self.tenant = tenant["id"]
        self.keys = [r.key, r.new_key(tenant="stormy")]
        self.secrets = [*self.keys, self.token, PROVIDER_KEY]

    def connect(self, **more):
        return Client(self.r.url, timeout=15, **more)

    def look(self, shown):
        """Provider's keys are never shown to anybody."""
        if PROVIDER_KEY.encode() in shown:
            self.wrong.append(AssertionError(shown[:500]))

    @staticmethod
    def channel(kind, url, name, priority, models=None):
        return {"name": name, "type": kind.channel_type,
                "api_key": PROVIDER_KEY, "priority": priority,
                "base_url": url + kind.base_path, "timeouts": LIMITS,
                "models": [models or f"{kind.name}-*"], "endpoints": [
                    {"dialect": kind.name, "base_url": url + kind.base_path}]}

    def rage(self, seconds):
        clients = [Rascal(self, n) for n in range(CLIENTS)]
        admin = Admin(self)
        threads = [threading.Thread(target=it.run)
                   for it in [*clients, admin]]
        for thread in threads:
            thread.start()
        time.sleep(seconds)  # it is what is bounded, not a wait for something
        self.over.set()
        for thread in threads:
            thread.join(60)
            assert not thread.is_alive(), "an answer that never ends"
        return clients, admin


def metric(r, name):
    with Client(r.plane.ops_url) as c:
        text = c.request("GET", "/metrics").body.decode()
    return float(re.search(rf"^{name} (\S+)$", text, re.M)[1])


def descriptors(r):
    return len(list(pathlib.Path(f"/proc/{r.plane.pid}/fd").iterdir()))


def check_rows(storm, clients):
    """One row for each answer that came whole, and it says what came."""
    whole = [it for c in clients for it in c.whole if it[2]]
    wanted = {it[2] for it in whole}

    def rows():
        found = {}
        for row in storm.r.sql(
                "select request_id, status, outcome from request"):
            found.setdefault(row[0], []).append(row)
        return found

    wait_until(lambda: wanted <= rows().keys(), "every row", 30)
    found = rows()
    doubled = [row for row in found.values() if len(row) > 1]
    assert not doubled, doubled
    for name, status, ident, good, dialect in whole:
        _, kept, outcome = found[ident][0]
        where = (name, dialect, status, good, found[ident])
        assert kept == status, where
        assert outcome != "cancelled", where
        if status >= 400:
            assert outcome in ("error", "refused") or (
                outcome == "cut" and status >= 500), where
        if good:
            assert outcome in ("ok", "error", "cut"), where
    return len(whole)


def check_secrets(storm):
    for program in storm.r.programs:
        for path in (program.out, program.err):
            text = path.read_text(errors="replace")
            if program.name == "control" and path == program.out:
                continue  # the first words are the first credentials
            for secret in storm.secrets:
                assert secret not in text, (program.name, secret)
    for upstream in (storm.evil, storm.good):
        for call in upstream.calls:
            told = json.dumps(call.headers)
            for secret in storm.secrets[:-1]:
                assert secret == PROVIDER_KEY or secret not in told, told


def shut(sock):
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


def check_calm(storm, before):
    r = storm.r
    wait_until(lambda: metric(r, "routex_active_requests") == 0,
               "no request to be under way", 30)
    for upstream in (storm.evil, storm.good, storm.early):
        for sock in list(upstream.open):
            shut(sock)
    # The admin API is asked over kept connections, as many as were needed.
    wait_until(lambda: descriptors(r) <= before + CLIENTS,
               "descriptors to be given back", 30)
    assert r.health()["control"] == "connected"
    assert not storm.wrong, storm.wrong[:3]
    for upstream in (storm.evil, storm.good):
        assert not upstream.failed, upstream.failed[:3]
    if not sanitized(r.build):
        assert r.plane.rss() < 200 << 20, r.plane.rss()


def counted(call):
    """A good provider, also of what was broken on its way to us."""
    try:
        provider(call)
    except ValueError:
        call.answer_json({"error": {"message": "what?"}}, 400)


def weather(seed):
    """What each request meets is told by the seed and by its own name."""
    def answer(call):
        try:
            call.body and call.json()
        except ValueError:
            counted(call)
            return
        key = call.body[:200] + call.path.encode()
        dice = random.Random(f"{seed}/{key!r}")
        dialect, stream = spoken(call)
        if dice.random() < 0.3:
            dialect.serve(call)
        else:
            dice.choice(MISDEEDS)(call, dice)
    return answer


@test
def a_client_may_leave_while_its_body_is_on_its_way_up(build):
    body = ANTHROPIC.request(text="L" * (3 << 20))
    strange = []

    class Slow(Upstream):
        def serve(self, sock, number):
            """Reads, a little at a time, and nothing but what was sent."""
            got = b""
            try:
                while piece := sock.recv(1 << 16):
                    got += piece
                    time.sleep(0.0005)
            except OSError:
                pass
            at = got.find(b"\r\n\r\n") + 4
            if not body.startswith(got[at:]):
                strange.append(number)
            sock.close()

    with Slow(None) as slow, Routex(build, [ANTHROPIC.channel(slow.url)]) as r:
        for round in range(6):
            clients = [r.connect() for _ in range(8)]
            for client in clients:
                client.send_request("POST", ANTHROPIC.path(),
                                    ANTHROPIC.credential(r.key), body)
            for number, client in enumerate(clients):
                time.sleep(0.001 * round * number)
                client.reset()
        wait_until(lambda: metric(r, "routex_active_requests") == 0,
                   "every request to be over")
        for row in r.rows(48):
            assert row["outcome"] == "cancelled", row
        assert not strange, strange


@test
def after_the_storm_nothing_is_left_and_everything_is_counted(build):
    seed = int(os.environ.get("ROUTEX_SEED") or time.time())
    print(f"ROUTEX_SEED={seed}", flush=True)
    with Upstream(weather(seed)) as evil, Upstream(counted) as good, \
            Early(seed) as early:
        channels = [Storm.channel(kind, url, f"{name}-{kind.name}", priority)
                    for kind in ALL for name, url, priority in (
                        ("evil", evil.url, 10), ("good", good.url, 1))]
        channels.append(Storm.channel(
            ANTHROPIC, early.url, "early", 10, "early-*"))
        with Routex(build, channels) as r:
            storm = Storm(seed, r, evil, good, early)
            before = descriptors(r)
            clients, admin = storm.rage(SECONDS)
            check_calm(storm, before)
            whole = check_rows(storm, clients)
            check_secrets(storm)
            print(f"{sum(c.count for c in clients)} requests, {whole} whole,"
                  f" {admin.changes} changes")


main()
