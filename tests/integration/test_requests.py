"""What the client side of a data plane promises: who may ask, what is refused
and how, and what reaches the provider."""
import gzip
import json
import pathlib
import socket
import ssl
import subprocess
import tempfile
import threading
import time

from dialects import ALL, ANTHROPIC, CHAT, GEMINI, RESPONSES, provider
from harness import Routex, main, test
from peers import Upstream

WAYS = ("x-api-key", "bearer", "x-goog-api-key")


def channels(url):
    return [ANTHROPIC.channel(url), CHAT.channel(url), GEMINI.channel(url)]


def post(r, path, headers, body):
    with r.connect() as client:
        return client.request("POST", path, headers, body)


class One:
    """Both planes with one provider that speaks every dialect."""

    def __init__(self, build, answer=provider, **more):
        self.upstream = Upstream(answer)
        self.routex = Routex(build, channels(self.upstream.url), **more)

    def __enter__(self):
        self.routex.__enter__()
        return self.routex, self.upstream

    def __exit__(self, *reason):
        self.upstream.close()
        self.routex.__exit__(*reason)
        if reason[0] is None:
            assert not self.upstream.failed, self.upstream.failed


@test
def every_kind_of_credential_works_on_every_dialect(build):
    with One(build) as (r, upstream):
        for dialect in ALL:
            for way in WAYS:
                answer = post(r, dialect.path(), dialect.credential(
                    r.key, way), dialect.request())
                assert answer.status == 200, (dialect, way, answer.body)
            joint = "&" if "?" in dialect.path() else "?"
            answer = post(r, f"{dialect.path()}{joint}key={r.key}", {},
                          dialect.request())
            assert answer.status == 200, (dialect, "query", answer.body)
        assert len(upstream.calls) == len(ALL) * (len(WAYS) + 1)


@test
def the_client_key_never_reaches_the_provider(build):
    with One(build) as (r, upstream):
        for dialect in ALL:
            for way in WAYS:
                post(r, dialect.path(), dialect.credential(r.key, way),
                     dialect.request())
            post(r, f"{dialect.path()}?key={r.key}&beta=true", {},
                 dialect.request())
        for call in upstream.calls:
            sent = call.path + repr(call.headers)
            assert r.key not in sent, sent
            assert "sk-up-1" in sent, sent
        for call in upstream.calls[3::4]:
            assert "beta=true" in call.path, call.path


@test
def a_wrong_or_missing_key_is_refused_in_the_dialect_of_the_caller(build):
    with One(build) as (r, upstream):
        for dialect in ALL:
            for stream in (False, True):
                for headers in ({}, dialect.credential("rtx_wrong"),
                                dialect.credential("")):
                    answer = post(r, dialect.path(stream), headers,
                                  dialect.request(stream))
                    assert answer.status == 401, (dialect, answer.status)
                    word, message = dialect.error(answer.body)
                    assert word == dialect.words[401], (dialect, word)
                    assert message and answer.clean
        assert not upstream.calls


@test
def a_flood_of_unknown_keys_writes_no_row(build):
    with One(build) as (r, _):
        with r.connect() as client:
            for number in range(300):
                answer = client.request(
                    "POST", "/v1/messages", {"x-api-key": f"rtx_{number}"},
                    ANTHROPIC.request())
                assert answer.status == 401
        assert r.ask(CHAT).status == 200
        assert len(r.rows(1)) == 1


@test
def a_deleted_key_stops_working_on_every_plane(build):
    with One(build, planes=2) as (r, _):
        made = r.admin.post("/api/keys", {
            "name": "short", "tenant": "default"})["data"]
        r.settle()
        for name in r.planes:
            assert r.admits(name, made["key"]), name
        r.admin.call("DELETE", f"/api/keys/{made['id']}")
        r.settle()
        for name in r.planes:
            assert not r.admits(name, made["key"]), name


@test
def an_unknown_path_is_404_in_the_nearest_dialect(build):
    with One(build) as (r, upstream):
        for dialect, path in ((ANTHROPIC, "/v1/messages/nothing"),
                              (CHAT, "/v1/nothing"), (CHAT, "/healthzXYZ"),
                              (GEMINI, "/v1beta/nothing")):
            answer = post(r, path, dialect.credential(r.key), b"{}")
            assert answer.status == 404, (path, answer.status)
            word, _ = dialect.error(answer.body)
            assert word == dialect.words[404], (path, word)
        assert not upstream.calls


@test
def a_body_that_is_not_a_json_object_is_400(build):
    wrong = [b"", b"{", b"[]", b'"text"', b'{"model":', b"nonsense",
             b'{"model":"m-1","messages":[}', b"\xff\xfe{}"]
    with One(build) as (r, upstream):
        for dialect in (ANTHROPIC, CHAT, RESPONSES, GEMINI):
            for body in wrong:
                answer = post(r, dialect.path(), {
                    **dialect.credential(r.key),
                    "content-type": "application/json"}, body)
                assert answer.status == 400, (dialect, body, answer.status)
                word, _ = dialect.error(answer.body)
                assert word == dialect.words[400], (dialect, body, word)
        assert not upstream.calls


@test
def a_model_that_is_not_a_string_is_400_and_names_the_field(build):
    with One(build) as (r, _):
        for dialect in (ANTHROPIC, CHAT, RESPONSES):
            answer = r.ask(dialect, model=7)
            assert answer.status == 400, (dialect, answer.status)
            _, message = dialect.error(answer.body)
            assert "model" in message, message


@test
def a_body_over_the_limit_is_413_before_it_is_read(build):
    with One(build) as (r, upstream):
        for dialect in ALL:
            with r.connect() as client:
                client.send_request("POST", dialect.path(), {
                    **dialect.credential(r.key),
                    "content-length": str(64 << 20)})
                client.send(b"{" * 1000)
                answer = client.answer("POST").read()
                assert answer.status == 413, (dialect, answer.status)
                word, _ = dialect.error(answer.body)
                assert word == dialect.words[413], (dialect, word)
        assert not upstream.calls


@test
def a_large_body_under_the_limit_passes_whole(build):
    text = "x" * (20 << 20)
    with One(build) as (r, upstream):
        body = CHAT.request(text=text)
        answer = post(r, CHAT.path(), CHAT.credential(r.key), body)
        assert answer.status == 200, answer.body
        assert upstream.calls[0].body == body


@test
def no_channel_for_the_dialect_is_an_honest_503(build):
    with Routex(build) as r:
        for dialect in ALL:
            answer = r.ask(dialect)
            want = 529 if dialect is ANTHROPIC else 503
            assert answer.status == want, (dialect, answer.status)
            assert dialect.error(answer.body)[1]


@test
def a_model_no_channel_serves_is_404(build):
    with Upstream(provider) as upstream:
        channel = CHAT.channel(upstream.url, models=["gpt-*"])
        with Routex(build, [channel]) as r:
            assert r.ask(CHAT, model="gpt-5").status == 200
            answer = r.ask(CHAT, model="claude-1")
            assert answer.status == 404, answer.status
            assert json.loads(answer.body)["error"]["code"] == \
                "model_not_found"


@test
def a_renamed_model_is_spliced_and_nothing_else_changes(build):
    odd = (b'{ "messages" : [{"role":"user","content":"\\u0041 \\"model\\"'
           b' \xf0\x9f\x8c\x8d"}] ,\n\t"model" : "sonnet","max_tokens":9,'
           b'"n":1.00e2,"x":{"model":"sonnet"}, "dup":1, "dup":2 }')
    with Upstream(provider) as upstream:
        channel = ANTHROPIC.channel(upstream.url, models=[
            {"name": "sonnet", "upstream": "claude-sonnet-4-5"}])
        with Routex(build, [channel]) as r:
            answer = post(r, "/v1/messages?beta=true",
                          ANTHROPIC.credential(r.key), odd)
            assert answer.status == 200, answer.body
            call = upstream.calls[0]
            assert call.path == "/v1/messages?beta=true", call.path
            assert call.body == odd.replace(
                b'"sonnet"', b'"claude-sonnet-4-5"', 1), call.body
            row = r.rows(1)[0]
            assert row["model_requested"] == "sonnet", row
            assert row["model"] == "claude-sonnet-4-5", row


@test
def claude_code_is_greeted(build):
    with One(build) as (r, _):
        with r.connect() as client:
            for path in ("/", "/api/hello"):
                answer = client.request("HEAD", path)
                assert answer.status == 200, (path, answer.status)


@test
def a_websocket_upgrade_is_told_426(build):
    with One(build) as (r, upstream):
        with r.connect() as client:
            answer = client.request("GET", "/v1/responses", {
                **RESPONSES.credential(r.key), "connection": "Upgrade",
                "upgrade": "websocket", "sec-websocket-version": "13",
                "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA=="})
            assert answer.status == 426, answer.status
        assert not upstream.calls


@test
def health_needs_no_credential_and_tells_the_channels(build):
    with One(build) as (r, _):
        health = r.health()
        assert health["status"] == "healthy", health
        assert health["control"] == "connected", health
        assert health["channels"]["total"] == 3, health
        assert health["channels"]["available"] == 3, health
        assert health["snapshot"]["version"] > 0, health


def zstd(data):
    return subprocess.run(["zstd", "-q", "-c"], input=data,
                          capture_output=True, check=True).stdout


@test
def compressed_request_bodies_are_read(build):
    with One(build) as (r, upstream):
        for dialect in ALL:
            body = dialect.request(text="hello " * 5000)
            for coding, packed in (("gzip", gzip.compress(body)),
                                   ("zstd", zstd(body))):
                answer = post(r, dialect.path(), {
                    **dialect.credential(r.key),
                    "content-encoding": coding}, packed)
                assert answer.status == 200, (dialect, coding, answer.body)
                call = upstream.calls[-1]
                assert call.body == body, (dialect, coding)
                assert call.header("content-encoding") is None


@test
def broken_or_unknown_compression_is_refused(build):
    packed = gzip.compress(CHAT.request())
    with One(build) as (r, upstream):
        for coding, body, want in (
                ("gzip", packed[:-9], 400), ("gzip", b"not gzip", 400),
                ("zstd", b"not zstd", 400), ("compress", packed, 415)):
            answer = post(r, CHAT.path(), {
                **CHAT.credential(r.key), "content-encoding": coding}, body)
            assert answer.status == want, (coding, answer.status)
            CHAT.error(answer.body)
        assert not upstream.calls


@test
def a_compression_bomb_is_413_and_takes_no_memory(build):
    bomb = gzip.compress(b'{"model":"m","messages":"' + bytes(256 << 20))
    with One(build) as (r, upstream):
        before = r.plane.rss()
        answer = post(r, CHAT.path(), {
            **CHAT.credential(r.key), "content-encoding": "gzip"}, bomb)
        assert answer.status == 413, answer.status
        assert r.plane.rss() - before < 192 << 20
        assert not upstream.calls


@test
def a_chunked_request_body_is_read_however_it_is_cut(build):
    body = ANTHROPIC.request(text="hello " * 50)
    with One(build) as (r, upstream):
        for step in (1, 7, 400):
            with r.connect() as client:
                client.send_request("POST", ANTHROPIC.path(), {
                    **ANTHROPIC.credential(r.key),
                    "transfer-encoding": "chunked"})
                for at in range(0, len(body), step):
                    part = body[at:at + step]
                    client.send(b"%x;x=y\r\n" % len(part) + part + b"\r\n")
                client.send(b"0\r\n\r\n")
                answer = client.answer("POST").read()
            assert answer.status == 200, answer.body
            assert upstream.calls[-1].body == body


@test
def a_head_that_comes_in_pieces_is_one_request(build):
    with One(build) as (r, _):
        body = CHAT.request()
        text = (f"POST {CHAT.path()} HTTP/1.1\r\nhost: x\r\n"
                f"authorization: Bearer {r.key}\r\n"
                f"content-length: {len(body)}\r\n\r\n").encode() + body
        with r.connect() as client:
            for byte in text:
                client.send(bytes([byte]))
            assert client.answer("POST").read().status == 200


@test
def pipelined_requests_are_answered_in_order(build):
    with One(build) as (r, _):
        with r.connect() as client:
            for dialect in ALL:
                client.send_request(
                    "POST", dialect.path(), dialect.credential(r.key),
                    dialect.request())
            for dialect in ALL:
                answer = client.answer("POST").read()
                assert answer.json() == dialect.answer, dialect


@test
def what_the_client_says_about_itself_passes_and_hop_headers_do_not(build):
    passes = {"anthropic-version": "2026-10-21",
              "anthropic-beta": "a-1,b-2", "user-agent": "check/1",
              "x-stainless-lang": "js", "idempotency-key": "i-1"}
    stays = {"cookie": "a=b", "proxy-authorization": "Basic eA==",
             "x-forwarded-for": "10.0.0.1", "te": "trailers"}
    with One(build) as (r, upstream):
        answer = r.ask(ANTHROPIC, headers={**passes, **stays})
        assert answer.status == 200
        call = upstream.calls[0]
        for name, value in passes.items():
            assert call.header(name) == value, name
        for name in stays:
            assert call.header(name) is None, name
        assert call.header("host") == upstream.url[len("http://"):]


@test
def an_answer_says_who_served_it(build):
    def answer(call):
        call.answer_json(CHAT.answer, headers=[
            ("x-request-id", "up-1"), ("x-ratelimit-limit-requests", "9"),
            ("set-cookie", "a=b"), ("openai-organization", "org-1")])

    with One(build, answer) as (r, _):
        got = r.ask(CHAT)
        assert got.header("x-routex-channel") == "c-chat"
        assert got.header("x-routex-model") == "m-1"
        assert got.header("x-routex-attempts") == "1"
        assert got.header("x-request-id") == "up-1"
        assert got.header("x-ratelimit-limit-requests") == "9"
        assert got.header("set-cookie") is None
        assert got.header("openai-organization") is None
        row = r.rows(1)[0]
        assert row["request_id"] == got.header("x-routex-request-id")


@test
def each_dialect_is_counted_once_whole_and_streamed(build):
    with One(build) as (r, _):
        wanted = {}
        for dialect in ALL:
            for stream in (False, True):
                answer = r.ask(dialect, stream)
                assert answer.status == 200 and answer.clean
                if stream:
                    assert answer.body == b"".join(dialect.events)
                else:
                    assert answer.json() == dialect.answer
                wanted[answer.header("x-routex-request-id")] = (
                    dialect, stream)
        rows = r.rows(len(wanted))
        for row in rows:
            dialect, stream = wanted.pop(row["request_id"])
            assert row["dialect"] == dialect.name, row
            assert row["stream"] is stream, row
            assert row["status"] == 200, row
            assert row["provenance"] == "reported", row
            for name, count in dialect.usage.items():
                assert row[f"{name}_tokens"] == count, (dialect, name, row)
        assert not wanted


@test
def the_model_list_has_the_shape_of_the_asking_client(build):
    with Upstream(provider) as upstream:
        channel = CHAT.channel(upstream.url, models=["gpt-a", "gpt-b"])
        with Routex(build, [channel]) as r:
            with r.connect() as client:
                plain = client.request(
                    "GET", "/v1/models", CHAT.credential(r.key)).json()
                claude = client.request("GET", "/v1/models", {
                    **ANTHROPIC.credential(r.key),
                    "anthropic-version": "2023-06-01"}).json()
                google = client.request(
                    "GET", "/v1beta/models",
                    GEMINI.credential(r.key)).json()
            assert plain["object"] == "list"
            assert [m["id"] for m in plain["data"]] == ["gpt-a", "gpt-b"]
            assert [m["type"] for m in claude["data"]] == ["model"] * 2
            assert claude["has_more"] is False
            assert [m["name"] for m in google["models"]] == [
                "models/gpt-a", "models/gpt-b"]


@test
def a_host_name_is_looked_up_and_one_that_is_not_known_fails_over(build):
    with Upstream(provider) as upstream:
        by_name = upstream.url.replace("127.0.0.1", "localhost")
        with Routex(build, [
                CHAT.channel("http://no-such-host.invalid", "gone",
                             priority=9),
                CHAT.channel(by_name, "named", priority=1)]) as r:
            answer = r.ask(CHAT)
            assert answer.status == 200, answer.body
            assert answer.header("x-routex-channel") == "named"


@test
def a_provider_is_reached_over_tls_only_with_a_certificate_that_fits(build):
    with tempfile.TemporaryDirectory() as folder:
        with TlsUpstream(pathlib.Path(folder)) as upstream:
            with Routex(build, [
                    CHAT.channel(upstream.url, "untrusted", priority=9),
                    CHAT.channel(upstream.url, "trusted", priority=1,
                                 ca_file=str(upstream.certificate))]) as r:
                answer = r.ask(CHAT)
                assert answer.status == 200, answer.body
                assert answer.header("x-routex-channel") == "trusted"


class TlsUpstream:
    """`provider` behind TLS, with a certificate made for the occasion."""

    def __init__(self, folder):
        self.certificate = folder / "cert.pem"
        key = folder / "key.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
             "-subj", "/CN=localhost", "-addext",
             "subjectAltName=DNS:localhost,IP:127.0.0.1",
             "-keyout", key, "-out", self.certificate],
            check=True, capture_output=True)
        self.inner = Upstream(provider)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, key)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://localhost:{self.listener.getsockname()[1]}"

        def accept():
            while True:
                try:
                    raw, _ = self.listener.accept()
                except OSError:
                    return
                try:
                    sock = context.wrap_socket(raw, server_side=True)
                except OSError:
                    continue
                threading.Thread(target=self.inner.serve, daemon=True,
                                 args=(sock, 0)).start()
        threading.Thread(target=accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.inner.close()


@test
def who_talks_on_after_the_end_keeps_no_client_waiting(build):
    def talk_on(call):
        dialect = next(d for d in ALL if d.plain_path in call.path)
        call.open_stream()
        for event in dialect.events:
            call.chunk(event)
        while True:  # until the router leaves, which ends this with a Cut
            call.chunk(b": still here\n\n")
            time.sleep(0.02)

    with Upstream(talk_on) as upstream, Routex(build, [
            d.channel(upstream.url) for d in (ANTHROPIC, CHAT)]) as r:
        for dialect in (ANTHROPIC, CHAT, RESPONSES):
            before = time.monotonic()
            answer = r.ask(dialect, stream=True)
            assert time.monotonic() - before < 5, dialect
            assert answer.clean and dialect.terminal_seen(answer.body)
            assert r.row(answer)["outcome"] == "ok", dialect


@test
def an_answer_without_a_body_keeps_its_headers(build):
    def empty(call):
        call.answer(400, [("request-id", "r-1")])

    with Upstream(empty) as upstream, Routex(
            build, [ANTHROPIC.channel(upstream.url)]) as r:
        answer = r.ask(ANTHROPIC)
        assert answer.status == 400 and answer.clean
        assert answer.header("request-id") == "r-1", answer.headers


@test
def a_body_turned_down_on_its_way_is_a_refusal_and_no_client_that_left(build):
    with Routex(build, channels("http://127.0.0.1:1")) as r:
        key = ANTHROPIC.credential(r.key)
        with r.connect() as client:
            client.send_request("POST", ANTHROPIC.path(), {
                **key, "transfer-encoding": "chunked"})
            client.send(b"zz\r\n")
            assert client.answer().read().status == 400
        with r.connect() as client:
            client.send_request("POST", ANTHROPIC.path(), {
                **key, "content-length": str(1 << 40)})
            assert client.answer().read().status == 413
        told = [(row["outcome"], row["status"]) for row in r.rows(2)]
        assert told == [("refused", 413), ("refused", 400)], told


main()
