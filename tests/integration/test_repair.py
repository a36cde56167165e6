"""What a provider minds about a request is taken out, once, and remembered."""
from dialects import ANTHROPIC, CHAT, RESPONSES
from harness import Routex, main, test, wait_until
from peers import Upstream


def refuse(call, words, status=400):
    call.answer_json({"error": {"message": words, "code": None,
                                "type": "invalid_request_error"}}, status)


class Picky(Upstream):
    """A Chat provider that minds some members."""

    def __init__(self, *minded):
        super().__init__(self.serve_call)
        self.minded = minded

    def serve_call(self, call):
        for name in self.minded:
            if name in call.json():
                more = (" Use 'max_completion_tokens' instead."
                        if name == "max_tokens" else "")
                refuse(call, f"Unsupported parameter: '{name}' is not "
                             f"supported with this model.{more}")
                return
        CHAT.serve(call)


def chat(up, **more):
    return CHAT.channel(up.url, **{"name": "p", "type": "openai-compatible",
                                   **more})


@test
def a_translated_request_is_sent_again_without_what_is_minded(build):
    with Picky("temperature") as up, Routex(build, channels=[chat(up)]) as r:
        answer = r.ask(ANTHROPIC, temperature=0.5)
        assert answer.status == 200, answer.body
        assert answer.header("x-routex-attempts") == "2", answer.headers
        assert answer.header("x-routex-losses"), answer.headers
        assert "temperature" in up.calls[0].json(), up.calls[0].body
        assert "temperature" not in up.calls[1].json(), up.calls[1].body
        row = r.row(answer)
        assert row["trace"]["without"] == "field temperature", row["trace"]
        # The next one costs no round trip, whatever dialect it comes in.
        for dialect in (ANTHROPIC, RESPONSES, CHAT):
            before = len(up.calls)
            answer = r.ask(dialect, temperature=0.5)
            assert answer.status == 200, answer.body
            assert len(up.calls) == before + 1, (dialect, len(up.calls))
            assert "temperature" not in up.calls[-1].json(), up.calls[-1].body
        # Of a channel that is reset nothing is known.
        r.forget()
        def asked_with_it():
            before = len(up.calls)
            assert r.ask(CHAT, temperature=0.5).status == 200
            return "temperature" in up.calls[before].json()
        wait_until(asked_with_it, "the lesson to be forgotten")
        # Another model of the channel is asked with it.
        r.ask(CHAT, model="m-2", temperature=0.5)
        assert "temperature" in up.calls[-2].json(), up.calls[-2].body


@test
def the_limit_of_tokens_goes_by_its_other_name(build):
    with Picky("max_tokens") as up, Routex(build, channels=[chat(up)]) as r:
        for count in (2, 3):
            assert r.ask(ANTHROPIC, max_tokens=77).status == 200
            assert len(up.calls) == count, [c.body for c in up.calls]
            assert up.calls[-1].json()["max_completion_tokens"] == 77


@test
def it_is_tried_once_per_request_and_then_the_client_is_told(build):
    with Picky("temperature", "top_p") as up, Routex(
            build, channels=[chat(up)]) as r:
        answer = r.ask(ANTHROPIC, temperature=0.5, top_p=0.9)
        assert answer.status == 400, answer.status
        assert "top_p" in ANTHROPIC.error(answer.body)[1], answer.body
        assert len(up.calls) == 2, len(up.calls)


@test
def what_the_next_channel_does_not_mind_it_gets(build):
    def minds_and_breaks(call):
        if "temperature" in call.json():
            refuse(call, "Unsupported parameter: 'temperature'")
        else:
            call.answer_json({"error": {"message": "broken"}}, 500)
    with Upstream(minds_and_breaks) as bad, Upstream(CHAT.serve) as good:
        with Routex(build, channels=[
                chat(bad, priority=200),
                chat(good, name="q", priority=100)]) as r:
            answer = r.ask(CHAT, temperature=0.5)
            assert answer.header("x-routex-channel") == "q", answer.headers
            assert good.calls[-1].json()["temperature"] == 0.5


@test
def a_part_of_one_conversation_is_not_remembered(build):
    def serve(call):
        if b'"thinking"' in call.body:
            call.answer_json({"type": "error", "error": {
                "type": "invalid_request_error", "message":
                "messages.1: Invalid `signature` in `thinking` block"}}, 400)
        else:
            ANTHROPIC.serve(call)
    history = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": [
            {"type": "thinking", "thinking": "t", "signature": "Ezzz"},
            {"type": "text", "text": "b"}]},
        {"role": "user", "content": "c"}]
    with Upstream(serve) as up, Routex(
            build, channels=[ANTHROPIC.channel(up.url)]) as r:
        for count in (2, 4):
            assert r.ask(ANTHROPIC, messages=history).status == 200
            assert len(up.calls) == count, len(up.calls)


@test
def a_whole_answer_out_of_a_cut_stream_comes_from_the_next_channel(build):
    """The client asked for no stream; the provider streams, and stops."""
    def cut(call):
        call.open_stream()
        for event in CHAT.events[:CHAT.content_at + 1]:
            call.chunk(event)
        call.end()

    def breaks(call):
        call.open_stream()
        for event in CHAT.events[:CHAT.content_at + 1]:
            call.chunk(event)
        call.chunk(b'data: {"error":{"message":"down","code":503}}\n\n')
        call.end()
    for script in (cut, breaks):
        with Upstream(script) as bad, Upstream(CHAT.serve) as good:
            with Routex(build, channels=[
                    chat(bad, priority=200),
                    chat(good, name="q", priority=100)]) as r:
                answer = r.ask(ANTHROPIC)
                assert answer.status == 200, (answer.status, answer.body)
                assert answer.header("x-routex-channel") == "q", (
                    answer.headers)
                text = answer.json()["content"][0]["text"]
                assert text == "Hello there", answer.body


main()
