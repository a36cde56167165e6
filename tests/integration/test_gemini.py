"""Clients of Gemini on channels of other dialects: streams in either framing."""
import json

from dialects import ANTHROPIC, CHAT, RESPONSES, provider
from harness import Routex, main, test
from peers import Upstream

BODY = json.dumps({"contents": [{"parts": [{"text": "hello"}]}]}).encode()


def ask(r, path):
    with r.connect() as client:
        return client.request(
            "POST", path, {"x-goog-api-key": r.key}, BODY)


def text_of(chunks):
    return "".join(part.get("text", "") for chunk in chunks
                   for part in chunk["candidates"][0]["content"]["parts"])


@test
def without_alt_sse_a_stream_is_one_json_array(build):
    with Upstream(provider) as upstream:
        for channel in (ANTHROPIC, CHAT, RESPONSES):
            with Routex(build, [channel.channel(upstream.url)]) as r:
                plain = "/v1beta/models/m-1:streamGenerateContent"
                answer = ask(r, plain)
                assert answer.status == 200, answer.body
                assert answer.header("content-type") == "application/json"
                chunks = json.loads(answer.body)
                events = ask(r, plain + "?alt=sse")
                assert events.header("content-type").startswith(
                    "text/event-stream")
                told = [json.loads(line[6:]) for line in
                        events.body.decode().split("\r\n") if line]
                assert text_of(chunks) == text_of(told) == "Hello there"
                for stream in (chunks, told):
                    last = stream[-1]
                    assert last["candidates"][0]["finishReason"] == "STOP"
                    assert last["usageMetadata"]["totalTokenCount"] > 0
                    assert len({c["responseId"] for c in stream}) == 1
                    assert all(c["modelVersion"] == "m-1" for c in stream)


@test
def an_array_that_breaks_off_still_is_one_and_says_so(build):
    def cut(call):
        call.open_stream()
        for event in CHAT.events[:CHAT.content_at + 1]:
            call.chunk(event)
        call.cut()

    with Upstream(cut) as upstream:
        with Routex(build, [CHAT.channel(upstream.url)]) as r:
            answer = ask(r, "/v1beta/models/m-1:streamGenerateContent")
            chunks = json.loads(answer.body)
            assert chunks[-1]["error"]["status"] == "UNAVAILABLE", chunks
            assert not any("finishReason" in json.dumps(c) for c in chunks)
            assert r.row(answer)["outcome"] == "cut"


main()
