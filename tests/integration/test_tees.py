"""Requests are copied to files, servers, webhooks and collectors."""
import hashlib
import hmac
import json

from dialects import ANTHROPIC, CHAT
from harness import Failed, Routex, main, test, wait_until
from peers import Client, Upstream

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


class Sink(Upstream):
    """Takes what it is sent; `script` has the first answers: a status, or what
    to do with the call."""

    def __init__(self, script=()):
        self.script = list(script)
        super().__init__(self.take)

    def take(self, call):
        step = self.script.pop(0) if self.script else 200
        if callable(step):
            step(call)
        else:
            call.answer(step, [("content-type", "application/json")], b"{}")

    def lines(self):
        return [json.loads(line) for call in list(self.calls)
                for line in call.body.splitlines()]

    def spans(self):
        return [span for call in list(self.calls) for span in spans_of(call)]


def spans_of(call):
    resource, = call.json()["resourceSpans"]
    scope, = resource["scopeSpans"]
    return scope["spans"]


def attributes(span):
    return {a["key"]: next(iter(a["value"].values())) for a in span["attributes"]}


def add(r, sink, url=None, **more):
    body = {"name": f"t-{sink}", "sink": sink, **more}
    if url:
        body["url"] = url
    return r.admin.post("/api/tees", body)["data"]


def tee(r, name):
    return r.admin.get(f"/api/tees/{name}")["data"]


def metrics(url):
    with Client(url) as client:
        text = client.request("GET", "/metrics").body.decode()
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1])
            for line in text.splitlines() if line and line[0] != "#"}


@test
def spans_say_what_the_rows_say(build):
    with Upstream(lambda call: call.answer_json({}, 503)) as bad, \
            Upstream(ANTHROPIC.serve) as good, Sink() as sink, \
            Routex(build, [ANTHROPIC.channel(bad.url, name="bad", priority=900),
                           ANTHROPIC.channel(good.url, name="good")]) as r:
        add(r, "otlp", sink.url, headers={"authorization": "Bearer s3cret"},
            resource={"deployment.environment": "test"})
        answer = r.ask(ANTHROPIC, stream=True, headers=[
            ("traceparent", f"00-{TRACE}-00f067aa0ba902b7-01")])
        assert answer.status == 200, answer.status
        row = r.row(answer)
        wait_until(lambda: len(sink.spans()) >= 1 + len(row["attempts"]),
                   "the spans")
        call = sink.calls[0]
        assert call.path == "/v1/traces", call.path
        assert call.header("authorization") == "Bearer s3cret"
        assert call.header("content-type") == "application/json"
        told = {a["key"]: a["value"]["stringValue"] for a in
                call.json()["resourceSpans"][0]["resource"]["attributes"]}
        assert told["service.name"] == "routex", told
        assert told["deployment.environment"] == "test", told
        first, *attempts = sink.spans()
        assert len(attempts) == len(row["attempts"]) >= 2, (attempts, row)
        assert first["traceId"] == TRACE, first
        assert first["spanId"] == row["span_id"], (first, row)
        assert first["parentSpanId"] == "00f067aa0ba902b7", first
        assert (first["kind"], first["flags"]) == (2, 1), first
        assert first["name"] == "chat m-1", first
        took = int(first["endTimeUnixNano"]) - int(first["startTimeUnixNano"])
        assert took == row["duration_ms"] * 10**6, (took, row)
        said = attributes(first)
        assert said["gen_ai.request.model"] == "m-1", said
        assert said["gen_ai.provider.name"] == "anthropic", said
        assert said["routex.request_id"] == row["request_id"], said
        assert said["http.response.status_code"] == "200", said
        into = sum(row[n] or 0 for n in (
            "input_tokens", "cache_read_tokens", "cache_write_tokens"))
        assert said["gen_ai.usage.input_tokens"] == str(into), (said, row)
        assert said["gen_ai.usage.output_tokens"] == str(
            row["output_tokens"]), (said, row)
        assert said["routex.stream"] is True, said
        assert first["status"] == {}, first
        for n, span in enumerate(attempts):
            assert span["parentSpanId"] == first["spanId"], span
            assert span["kind"] == 3, span
            assert attributes(span)["routex.attempt"] == str(n + 1), span
        assert attempts[0]["status"]["code"] == 2, attempts
        assert attributes(attempts[0])["error.type"] == "503", attempts
        assert attributes(attempts[-1])["routex.channel"] == "good", attempts
        ids = [first["spanId"], *(s["spanId"] for s in attempts)]
        assert len(set(ids)) == len(ids), ids


@test
def a_collector_that_misbehaves_loses_nothing_it_may_have_again(build):
    def cut(call):
        call.cut()

    def later(call):
        call.answer(429, [("retry-after", "1")])

    with Sink([503, cut, later, 500]) as sink, Routex(build, demo=True) as r:
        add(r, "otlp", sink.url + "/v1/traces")
        names = {r.ask(CHAT, model="demo").header("x-routex-request-id")
                 for _ in range(3)}

        def arrived():
            return {attributes(s)["routex.request_id"] for s in spans_of(
                sink.calls[-1]) if s["kind"] == 2} if len(
                    sink.calls) > 4 else set()
        wait_until(lambda: arrived() >= names, "all of them", 60)
        shown = wait_until(lambda: (t := tee(r, "t-otlp"))["sent"] >= 3 and t,
                           "the count")
        assert (shown["sent"], shown["lost"]) == (3, 0), shown
        assert shown["last_error"] is None, shown
        now = metrics(r.control_url)
        # What is cut on a kept connection libcurl may try again by itself.
        failures = now['routex_tee_failures_total{sink="otlp"}']
        assert failures in (3, 4), failures
        assert now['routex_tee_sent_total{sink="otlp"}'] == 3, now
        alerts = wait_until(lambda: r.admin.get(
            "/api/alerts?state=all&kind=tee_failing")["data"], "its alert")
        assert [a["name"] for a in alerts] == ["t-otlp"], alerts
        wait_until(lambda: not r.admin.get("/api/alerts")["data"],
                   "the alert to be over")


@test
def what_is_refused_for_good_is_lost_and_counted(build):
    def part(call):
        call.answer_json({"partialSuccess": {
            "rejectedSpans": "1", "errorMessage": "too old"}})

    with Sink([400, part]) as sink, Routex(build, demo=True) as r:
        add(r, "otlp", sink.url)
        r.ask(CHAT, model="demo")
        wait_until(lambda: tee(r, "t-otlp")["lost"] == 1, "the loss")
        assert tee(r, "t-otlp")["last_status"] == 400, tee(r, "t-otlp")
        r.ask(CHAT, model="demo")
        wait_until(lambda: tee(r, "t-otlp")["lost"] == 2, "the second")
        r.ask(CHAT, model="demo")
        wait_until(lambda: tee(r, "t-otlp")["sent"] == 1, "the third")
        now = metrics(r.control_url)
        assert now['routex_tee_lost_total{sink="otlp"}'] == 2, now


@test
def a_batch_that_is_too_large_comes_in_parts(build):
    def small_only(call):
        call.answer(200 if len(call.body.splitlines()) <= 2 else 413)

    with Upstream(small_only) as sink, Routex(build, demo=True) as r:
        made = add(r, "http", sink.url, status="disabled")
        asked = [r.ask(CHAT, model="demo") for _ in range(7)]
        r.rows(7)
        r.admin.call("PATCH", f"/api/tees/{made['id']}", {"status": "enabled"})
        wait_until(lambda: tee(r, "t-http")["sent"] == 7, "all of them", 60)
        took = [json.loads(line)["request_id"] for call in sink.calls
                if len(call.body.splitlines()) <= 2
                for line in call.body.splitlines()]
        assert took == [a.header("x-routex-request-id") for a in asked], took


@test
def lines_have_whole_rows_and_only_those_asked_for(build):
    with Sink() as sink, Routex(build, demo=True) as r:
        add(r, "http", sink.url + "/in?x=1", filter={"model": "demo"})
        add(r, "otlp", sink.url, sampling=0, name="none")
        r.ask(CHAT, model="other")
        row = r.row(r.ask(CHAT, model="demo"))
        wait_until(lambda: sink.lines(), "a line")
        assert sink.lines() == [row], (sink.lines(), row)
        assert sink.calls[0].path == "/in?x=1", sink.calls[0].path
        r.restart_control()
        row = r.row(r.ask(CHAT, model="demo"))
        wait_until(lambda: row in sink.lines(), "the line after a restart")
        wait_until(lambda: tee(r, "none")["behind"] == 0, "the others' passing")
        assert {c.path for c in sink.calls} == {"/in?x=1"}, sink.calls
        shown = tee(r, "t-http")
        assert shown["url"].endswith("/…") and "x=1" not in shown["url"], shown


@test
def a_webhook_is_signed(build):
    with Sink() as sink, Routex(build, demo=True) as r:
        made = add(r, "webhook", sink.url + "/hook")
        row = r.row(r.ask(CHAT, model="demo"))
        wait_until(lambda: sink.calls, "the event")
        call = sink.calls[0]
        event = call.json()
        assert event["event"] == "requests", event
        assert event["id"].startswith("evt_"), event
        assert event["requests"] == [row], event
        stamp = call.header("x-routex-timestamp")
        want = hmac.new(made["secret"].encode(), stamp.encode() + b"." +
                        call.body, hashlib.sha256).hexdigest()
        assert call.header("x-routex-signature") == f"v1={want}", call.headers
        assert "secret" not in tee(r, "t-webhook")


@test
def files_turn_over_and_a_full_one_is_no_loss(build):
    with Routex(build, demo=True) as r:
        add(r, "file", file={"max_bytes": 4096, "keep": 2})
        rows = []
        for _ in range(8):
            rows.append(r.row(r.ask(CHAT, model="demo")))
            wait_until(lambda: tee(r, "t-file")["sent"] == len(rows), "a line")
        folder = r.data_dir / "tees"
        names = sorted(p.name for p in folder.iterdir())
        assert names == ["t-file.jsonl", "t-file.jsonl.1", "t-file.jsonl.2"], names
        assert (folder / "t-file.jsonl").stat().st_mode & 0o777 == 0o600
        kept = [json.loads(line) for name in reversed(names)
                for line in (folder / name).read_text().splitlines()]
        assert kept == rows[-len(kept):], (kept, rows)
        assert all((folder / n).stat().st_size <= 4096 for n in names), names
        # A folder in its place: nothing is written, nothing is lost.
        (folder / "t-file.jsonl").rename(folder / "aside")
        (folder / "t-file.jsonl").mkdir()
        rows.append(r.row(r.ask(CHAT, model="demo")))
        wait_until(lambda: tee(r, "t-file")["last_error"], "the failure")
        (folder / "t-file.jsonl").rmdir()
        wait_until(lambda: tee(r, "t-file")["sent"] == len(rows), "it", 30)
        last = (folder / "t-file.jsonl").read_text().splitlines()[-1]
        assert json.loads(last) == rows[-1], last
        assert tee(r, "t-file")["lost"] == 0


@test
def a_slow_sink_slows_nobody_else(build):
    held = []

    def hold(call):
        held.append(call)
        call.wait_gone(30)

    with Upstream(hold) as slow, Sink() as quick, Routex(build, demo=True) as r:
        add(r, "http", slow.url, name="slow")
        add(r, "http", quick.url, name="quick")
        r.ask(CHAT, model="demo")
        wait_until(lambda: held, "the slow one to be asked")
        for _ in range(5):
            r.ask(CHAT, model="demo")
        wait_until(lambda: len(quick.lines()) == 6, "the quick one to have all")
        assert tee(r, "slow")["sent"] == 0


@test
def wrong_tees_are_refused_by_field(build):
    good = {"name": "x", "sink": "http", "url": "http://127.0.0.1:1"}
    with Routex(build, planes=0) as r:
        for field, more in [
                ("sink", {"sink": "kafka"}), ("sink", {"sink": None}),
                ("url", {"url": "ftp://x"}), ("url", {"url": None}),
                ("url", {"sink": "file"}), ("name", {"name": "a/../b"}),
                ("sampling", {"sampling": 2}), ("file", {"file": {"keep": 1}}),
                ("secret", {"secret": "0123456789abcdef"}),
                ("headers", {"headers": {"a b": "c"}}),
                ("headers", {"headers": {"a": "c\r\nd: e"}}),
                ("filter.status", {"filter": {"status": 7}}),
                ("filter.city", {"filter": {"city": "x"}}),
                ("resource", {"resource": {"a": "b"}})]:
            try:
                r.admin.post("/api/tees", {**good, **more})
                raise AssertionError(f"{more} was taken")
            except Failed as failed:
                assert failed.status == 400, (more, failed)
                said = json.loads(failed.body)["error"]["field"]
                assert said.startswith(field), (more, said)
        assert r.admin.get("/api/tees")["data"] == []
        made = r.admin.post("/api/tees", good)["data"]
        try:
            r.admin.post("/api/tees", good)
            raise AssertionError("the name was taken twice")
        except Failed as failed:
            assert failed.status == 409, failed
        r.admin.call("DELETE", f"/api/tees/{made['id']}")
        assert r.admin.get("/api/tees")["data"] == []


main()
