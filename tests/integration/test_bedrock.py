"""Claude on a make-believe Bedrock, which checks every signature by itself and
answers in frames."""
import base64
import hashlib
import hmac
import json
import struct
import urllib.parse
import zlib

from dialects import ANTHROPIC, CHAT
from harness import Routex, main, test
from peers import Upstream

ID, SECRET, TOKEN = "AKIDTEST", "s3cr3t/with+signs", "tok/en=="
MODEL = "anthropic.claude-v1:0"


def text(name, value):
    return (bytes([len(name)]) + name.encode() + b"\x07"
            + struct.pack(">H", len(value)) + value.encode())


def frame(payload, **headers):
    head = b"".join(text(":" + name.replace("_", "-"), value)
                    for name, value in headers.items())
    prelude = struct.pack(">II", 16 + len(head) + len(payload), len(head))
    body = prelude + struct.pack(">I", zlib.crc32(prelude)) + head + payload
    return body + struct.pack(">I", zlib.crc32(body))


def chunk(event):
    inner = base64.b64encode(json.dumps(event).encode()).decode()
    return frame(json.dumps({"bytes": inner, "p": "abcd"}).encode(),
                 message_type="event", event_type="chunk",
                 content_type="application/json")


def exception(kind, words):
    return frame(json.dumps({"message": words}).encode(),
                 message_type="exception", exception_type=kind)


def events_of(said):
    usage = {"input_tokens": 11, "output_tokens": 1}
    return [
        {"type": "message_start", "message": {
            "id": "msg_1", "type": "message", "role": "assistant",
            "model": "claude", "content": [], "stop_reason": None,
            "stop_sequence": None, "usage": usage}},
        {"type": "content_block_start", "index": 0,
         "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0,
         "delta": {"type": "text_delta", "text": said}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta",
         "delta": {"stop_reason": "end_turn", "stop_sequence": None},
         "usage": {"output_tokens": 7}},
        {"type": "message_stop", "amazon-bedrock-invocationMetrics": {
            "inputTokenCount": 11, "outputTokenCount": 7}}]


WHOLE = {"id": "msg_1", "type": "message", "role": "assistant",
         "model": "claude", "content": [{"type": "text", "text": "hello"}],
         "stop_reason": "end_turn", "stop_sequence": None,
         "usage": {"input_tokens": 11, "output_tokens": 7}}


def signature_of(call, secret=SECRET):
    """The signature this request should have, from the published algorithm."""
    auth = call.header("authorization")
    kind, rest = auth.split(" ", 1)
    assert kind == "AWS4-HMAC-SHA256", auth
    parts = dict(p.split("=", 1) for p in rest.split(", "))
    key_id, scope = parts["Credential"].split("/", 1)
    names = parts["SignedHeaders"].split(";")
    assert key_id == ID, auth
    for needed in ("host", "x-amz-date", "x-amz-content-sha256"):
        assert needed in names, auth
    digest = hashlib.sha256(call.body).hexdigest()
    assert call.header("x-amz-content-sha256") == digest, call.headers
    path, _, query = call.path.partition("?")
    canonical = "\n".join([
        call.method, urllib.parse.quote(path, safe="/-._~"), query,
        "".join(f"{n}:{call.header(n)}\n" for n in names),
        ";".join(names), digest])
    date, region, service, last = scope.split("/")
    assert (service, last) == ("bedrock", "aws4_request"), scope
    stamp = call.header("x-amz-date")
    assert stamp.startswith(date), (stamp, scope)
    signed = "\n".join(["AWS4-HMAC-SHA256", stamp, scope,
                        hashlib.sha256(canonical.encode()).hexdigest()])
    key = b"AWS4" + secret.encode()
    for word in (date, region, service, last):
        key = hmac.new(key, word.encode(), hashlib.sha256).digest()
    want = hmac.new(key, signed.encode(), hashlib.sha256).hexdigest()
    return want, parts["Signature"]


class Bedrock(Upstream):
    """Answers by the words of the last message."""

    def __init__(self):
        super().__init__(self.serve_call)

    def open_stream(self, call):
        call.head(200, [
            ("content-type", "application/vnd.amazon.eventstream"),
            ("transfer-encoding", "chunked")])

    def send(self, call, pieces, whole=True):
        self.open_stream(call)
        data = b"".join(pieces)
        for at in range(0, len(data), 37):
            call.chunk(data[at:at + 37])
        call.end() if whole else call.cut()

    def serve_call(self, call):
        if call.header("authorization").startswith("AWS4"):
            want, got = signature_of(call)
            if want != got:
                call.answer_json({"message": "signature"}, 403)
                return
        if call.path.endswith("/count-tokens"):
            inner = json.loads(base64.b64decode(
                call.json()["input"]["invokeModel"]["body"]))
            assert inner["anthropic_version"], inner
            call.answer_json({"inputTokens": 42})
            return
        body = call.json()
        said = json.dumps(body["messages"])
        assert "model" not in body and "stream" not in body, body
        if "refuse" in said:
            call.answer_json({"message": "no such \"thing\""}, 400)
        elif call.path.endswith("/invoke"):
            call.answer_json(WHOLE)
        elif "throttle" in said:
            self.send(call, [exception("throttlingException", "slow down")])
        elif "late" in said:
            self.send(call, [chunk(e) for e in events_of("hello")[:3]]
                      + [exception("modelStreamErrorException", "broke")])
        elif "cut" in said:
            data = [chunk(e) for e in events_of("hello")]
            self.send(call, data[:3] + [data[3][:20]], whole=True)
        elif "damage" in said:
            data = [bytearray(chunk(e)) for e in events_of("hello")]
            data[3][-1] ^= 1
            self.send(call, [bytes(d) for d in data])
        else:
            self.send(call, [chunk(e) for e in events_of("hello")])


def channel(up, key=f"{ID}:{SECRET}", **more):
    return {"name": more.pop("name", "b"), "type": "bedrock",
            "base_url": up.url, "api_key": key,
            "models": [{"name": "m-1", "upstream": MODEL}], **more}


@test
def a_request_is_signed_and_its_frames_become_events(build):
    with Bedrock() as up, Routex(build, channels=[channel(
            up, key=f"{ID}:{SECRET}:{TOKEN}",
            headers={"anthropic-beta": "context-1m-2025-08-07"})]) as r:
        answer = r.ask(ANTHROPIC, stream=True, headers={
            "anthropic-beta": "interleaved-thinking-2025-05-14,not-there"})
        assert answer.status == 200 and answer.clean, answer.body
        assert answer.header("content-type").startswith("text/event-stream")
        assert b"event: message_stop" in answer.body, answer.body
        assert b"text_delta" in answer.body, answer.body
        assert b"invocationMetrics" not in answer.body, answer.body
        call = up.calls[-1]
        assert call.path == ("/model/anthropic.claude-v1%3A0"
                             "/invoke-with-response-stream"), call.path
        assert call.header("x-amz-security-token") == TOKEN, call.headers
        assert call.header("x-api-key") is None, call.headers
        assert call.header("anthropic-beta") is None, call.headers
        body = call.json()
        assert body["anthropic_version"] == "bedrock-2023-05-31", body
        assert body["anthropic_beta"] == [
            "interleaved-thinking-2025-05-14", "context-1m-2025-08-07"], body
        row = r.row(answer)
        assert row["outcome"] == "ok", row
        assert (row["input_tokens"], row["output_tokens"]) == (11, 7), row
        assert not up.failed, up.failed


@test
def whole_answers_and_other_dialects_come_from_it_too(build):
    with Bedrock() as up, Routex(build, channels=[channel(up)]) as r:
        answer = r.ask(ANTHROPIC)
        assert answer.json() == WHOLE, answer.body
        assert up.calls[-1].path.endswith("/invoke"), up.calls[-1].path
        answer = r.ask(CHAT)
        message = answer.json()["choices"][0]["message"]
        assert message["content"] == "hello", answer.body
        answer = r.ask(CHAT, stream=True)
        assert answer.clean and b"[DONE]" in answer.body, answer.body
        assert b"hello" in answer.body, answer.body
        assert not up.failed, up.failed


@test
def tokens_are_counted_there(build):
    with Bedrock() as up, Routex(build, channels=[channel(up)]) as r:
        with r.connect() as client:
            answer = client.request(
                "POST", "/v1/messages/count_tokens", {"x-api-key": r.key},
                json.dumps({"model": "m-1", "messages": [
                    {"role": "user", "content": "hi"}]}).encode())
        assert answer.json() == {"input_tokens": 42}, answer.body
        assert not up.failed, up.failed


@test
def its_errors_are_told_as_anthropic_tells_them(build):
    with Bedrock() as up, Routex(build, channels=[channel(up)]) as r:
        answer = r.ask(ANTHROPIC, text="refuse")
        assert answer.status == 400, answer.status
        assert ANTHROPIC.error(answer.body) == (
            "invalid_request_error", 'no such "thing"'), answer.body
        answer = r.ask(ANTHROPIC, stream=True, text="late")
        assert b"event: error" in answer.body, answer.body
        assert b'"message":"broke"' in answer.body, answer.body
        assert b"message_stop" not in answer.body, answer.body
        assert r.row(answer)["outcome"] == "error", r.row(answer)


@test
def trouble_before_the_first_word_goes_to_the_next_channel(build):
    with Bedrock() as up, Upstream(ANTHROPIC.serve) as other:
        channels = [channel(up, priority=200),
                    ANTHROPIC.channel(other.url, name="o", priority=100)]
        with Routex(build, channels=channels) as r:
            answer = r.ask(ANTHROPIC, stream=True, text="throttle")
            assert answer.header("x-routex-channel") == "o", answer.headers
            assert answer.clean, answer.body
            first = r.row(answer)["attempts"][0]
            assert "rate_limit_error" in first["reason"], first


@test
def a_damaged_or_cut_stream_is_never_a_whole_one(build):
    with Bedrock() as up, Routex(build, channels=[channel(up)]) as r:
        for word in ("cut", "damage"):
            answer = r.ask(ANTHROPIC, stream=True, text=word)
            assert b"message_stop" not in answer.body, answer.body
            assert r.row(answer)["outcome"] == "cut", (word, r.row(answer))


@test
def a_key_of_one_piece_is_sent_as_it_is(build):
    with Bedrock() as up, Routex(
            build, channels=[channel(up, key="ABSKtest==")]) as r:
        assert r.ask(ANTHROPIC).status == 200
        assert up.calls[-1].header("authorization") == "Bearer ABSKtest=="


@test
def a_wrong_secret_is_the_channels_trouble_and_not_the_clients(build):
    with Bedrock() as up, Routex(
            build, channels=[channel(up, key=f"{ID}:wrong")]) as r:
        answer = r.ask(ANTHROPIC)
        assert answer.status in (503, 529), (answer.status, answer.body)


main()
