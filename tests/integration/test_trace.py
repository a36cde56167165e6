"""A request is part of its caller's trace, and so is what is sent upstream."""
from dialects import CHAT
from harness import Failed, Routex, main, test
from peers import Upstream

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"
WRONG = ["", "hello", f"ff-{TRACE}-00f067aa0ba902b7-01", f"00-{TRACE}-" + "0" * 16 + "-01",
         f"00-{'0' * 32}-00f067aa0ba902b7-01", PARENT.upper(), PARENT + "x", "x" * 2000]


class Provider:
    """Answers, and keeps the heads it was sent."""

    def __init__(self, status=200):
        self.status = status
        self.calls = []
        self.upstream = Upstream(self.answer)
        self.url = self.upstream.url

    def answer(self, call):
        self.calls.append(call)
        if self.status != 200:
            call.answer_json({"error": {"message": "busy", "type": "x"}}, self.status)
            return
        CHAT.serve(call)

    def heads(self, name):
        return [call.header(name) for call in self.calls]

    def close(self):
        self.upstream.close()


def ask(r, *headers):
    """With headers that may come twice."""
    with r.connect() as client:
        return client.request("POST", CHAT.path(), [
            *CHAT.credential(r.key).items(),
            ("content-type", "application/json"), *headers], CHAT.request())


@test
def what_a_client_sent_goes_on_and_is_in_the_row(build):
    first, second = Provider(503), Provider()
    with Routex(build, [{**CHAT.channel(first.url), "name": "a", "priority": 900},
                        {**CHAT.channel(second.url), "name": "b"}]) as r:
        answer = ask(r, ("traceparent", PARENT), ("tracestate", "congo=1"),
                     ("tracestate", "rojo=2"))
        assert answer.status == 200, answer.status
        row = r.row(answer)
        assert row["trace_id"] == TRACE, row
        assert row["parent_span_id"] == "00f067aa0ba902b7", row
        sent = [p.heads("traceparent") for p in (first, second)]
        spans = []
        for heads in sent:
            for head in heads:
                version, trace, span, flags = head.split("-")
                assert (version, trace, flags) == ("00", TRACE, "01"), sent
                spans.append(span)
        assert len(spans) >= 2 and len(set(spans)) == len(spans), sent
        assert row["span_id"] not in spans, (row, spans)
        assert "00f067aa0ba902b7" not in spans, spans
        assert second.heads("tracestate") == ["congo=1,rojo=2"], second.heads("tracestate")
        found = r.admin.get(f"/api/requests?trace_id={TRACE}")["data"]
        assert [one["id"] for one in found] == [row["id"]], found
        log = r.plane.err.read_text(errors="replace")
        assert f"trace={TRACE}" in log, "the failed attempt names its trace"
        try:
            r.admin.get("/api/requests?trace_id=xyz")
            raise AssertionError("a trace id that is none was taken")
        except Failed as failed:
            assert failed.status == 400 and "trace_id" in str(failed), failed
    first.close()
    second.close()


@test
def what_is_wrong_is_replaced_and_never_refused(build):
    provider = Provider()
    with Routex(build, [CHAT.channel(provider.url)]) as r:
        for wrong in WRONG:
            answer = ask(r, ("traceparent", wrong), ("tracestate", "congo=1"))
            assert answer.status == 200, (wrong, answer.status)
            row = r.row(answer)
            assert row["trace_id"] and row["trace_id"] != TRACE, (wrong, row)
            assert row["parent_span_id"] is None, (wrong, row)
            found = r.admin.get(f"/api/requests?trace_id={row['trace_id']}")["data"]
            assert [one["id"] for one in found] == [row["id"]], (wrong, found)
        twice = ask(r, ("traceparent", PARENT), ("traceparent", PARENT))
        assert r.row(twice)["trace_id"] != TRACE
        assert not any(provider.heads("traceparent")), provider.heads("traceparent")
        assert not any(provider.heads("tracestate")), provider.heads("tracestate")
        # A state that is wrong does not spoil the parent.
        answer = ask(r, ("traceparent", PARENT), ("tracestate", "no members"))
        assert r.row(answer)["trace_id"] == TRACE
        assert provider.heads("traceparent")[-1].startswith(f"00-{TRACE}-")
        assert not provider.heads("tracestate")[-1], provider.heads("tracestate")


@test
def the_setting_says_who_gets_it(build):
    provider = Provider()
    with Routex(build, [CHAT.channel(provider.url)]) as r:
        r.configure(trace_upstream="always")
        row = r.row(ask(r))
        head = provider.heads("traceparent")[-1]
        assert head and head.split("-")[1] == row["trace_id"], (head, row)
        r.configure(trace_upstream="off")
        assert r.row(ask(r, ("traceparent", PARENT)))["trace_id"] == TRACE
        assert not provider.heads("traceparent")[-1], provider.heads("traceparent")
        try:
            r.admin.call("PATCH", "/api/settings", {"trace_upstream": "perhaps"})
            raise AssertionError("a word that is none was taken")
        except Failed as failed:
            assert failed.status == 400 and "trace_upstream" in str(failed), failed
    provider.close()


main()
