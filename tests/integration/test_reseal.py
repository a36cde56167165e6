"""Seals in our envelopes are opened for the provider they came from, also in
requests that are not translated."""
from dialects import ANTHROPIC
from harness import Routex, main, test
from peers import Upstream

SEALED = "rtx1.a.claude.s.RXFvQg"  # "EqoB"


@test
def a_provider_gets_its_own_seal_without_our_envelope(build):
    said = []

    def reply(call):
        said.append(call.body)
        ANTHROPIC.serve(call)

    with Upstream(reply) as upstream:
        channel = ANTHROPIC.channel(
            upstream.url, models=[{"name": "m-1", "upstream": "claude-x"}])
        with Routex(build, [channel]) as r:
            thought = {"type": "thinking", "thinking": "x",
                       "signature": SEALED}
            messages = [{"role": "user", "content": "hello"},
                        {"role": "assistant", "content": [
                            thought, {"type": "text", "text": "hi"}]},
                        {"role": "user", "content": "on"}]
            answer = r.ask(ANTHROPIC, messages=messages)
            assert answer.status == 200, answer.body
            asked = ANTHROPIC.request(messages=messages)
            assert said[0] == asked.replace(
                SEALED.encode(), b"EqoB").replace(b'"m-1"', b'"claude-x"'), (
                said[0], asked)


main()
