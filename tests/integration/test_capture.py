"""Bodies are kept where the settings say so, without what is secret in them."""
import json
import sqlite3

from dialects import ALL, ANTHROPIC, CHAT
from harness import Failed, Routex, main, test, wait_until
from peers import Client, Upstream

SECRET = "sk-ant-REDACTED"


def body(r, answer):
    """What was captured of it, once it is there."""
    name = answer.header("x-routex-request-id")

    def find():
        try:
            return r.admin.get(f"/api/requests/{name}/body")["data"]
        except Failed as failed:
            assert failed.status == 404, failed
            return None
    return wait_until(find, "the bodies", 20)


def metrics(url):
    with Client(url) as client:
        text = client.request("GET", "/metrics").body.decode()
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1])
            for line in text.splitlines() if line and line[0] != "#"}


def sent(r):
    return metrics(r.plane.ops_url)["routex_capture_sent_total"]


@test
def nothing_is_kept_unless_the_settings_say_so(build):
    with Upstream(CHAT.serve) as up, Routex(build, [CHAT.channel(up.url)]) as r:
        quiet = r.new_key(name="quiet")
        row = r.row(r.ask(CHAT))
        assert row["captured"] is False, row
        r.configure(capture={"enabled": True, "keys": ["loud"]})
        loud = r.new_key(name="loud")
        answers = [r.ask(CHAT, key=key) for key in (quiet, loud)]
        kept = body(r, answers[1])
        assert r.row(answers[1])["captured"] is True
        assert kept["request_id"] == r.row(answers[1])["request_id"], kept
        assert r.row(answers[0])["captured"] is False
        r.configure(capture={"keys": [], "tenants": ["default"]})
        body(r, r.ask(CHAT, key=quiet))
        r.configure(capture={"enabled": False})
        before = sent(r)
        assert r.row(r.ask(CHAT))["captured"] is False
        assert (before, sent(r)) == (2, 2), (before, sent(r))
        now = metrics(r.control_url)
        assert now["routex_capture_stored_total"] == 2, now


@test
def both_bodies_are_as_the_client_sent_and_got_them(build):
    for stream in (False, True):
        for dialect in ALL:
            with Upstream(dialect.serve) as up, \
                    Routex(build, [dialect.channel(up.url)]) as r:
                r.configure(capture={"enabled": True})
                answer = r.ask(dialect, stream=stream)
                kept = body(r, answer)
                asked = dialect.request(stream).decode()
                assert kept["request"] == {
                    "bytes": len(asked), "truncated": False,
                    "text": asked}, (dialect, kept["request"], asked)
                got = answer.body.decode()
                assert kept["response"]["text"] == got, (dialect, kept, got)
                assert kept["redacted"] == 0, (dialect, kept)


@test
def an_answer_that_was_translated_is_kept_as_the_client_got_it(build):
    with Upstream(ANTHROPIC.serve) as up, \
            Routex(build, [ANTHROPIC.channel(up.url)]) as r:
        r.configure(capture={"enabled": True})
        answer = r.ask(CHAT, stream=True)
        assert body(r, answer)["response"]["text"] == answer.body.decode()


@test
def secrets_are_taken_out(build):
    text = json.dumps({
        "text": f"my key is {SECRET}, order 4711-XYZ",
        "password": "hunter2hunter2", "authorization": "Bearer abcdefgh12345"})
    with Upstream(CHAT.serve) as up, Routex(build, [CHAT.channel(up.url)]) as r:
        r.configure(capture={"enabled": True, "patterns": [r"\d{4}-[A-Z]{3}"]})
        answer = r.ask(CHAT, text=text)
        kept = body(r, answer)
        shown = kept["request"]["text"]
        for secret in (SECRET, "hunter2", "abcdefgh12345", "4711-XYZ"):
            assert secret not in shown, (secret, shown)
        assert shown.count("[redacted]") == 4, shown
        assert kept["redacted"] >= 4, kept
        assert "my key is [redacted], order [redacted]" in shown, shown
        assert up.calls[-1].body.decode().count(SECRET) == 1
        for wrong in ({"patterns": ["(("]}, {"max_bytes": 1}, {"keep_s": 1},
                      {"city": "x"}):
            try:
                r.admin.call("PATCH", "/api/settings", {"capture": wrong})
                raise AssertionError(f"{wrong} was taken")
            except Failed as failed:
                assert failed.status == 400, failed
                field = json.loads(failed.body)["error"]["field"]
                assert field.startswith("capture."), failed


@test
def whoever_reads_a_body_leaves_a_line_in_the_audit_log(build):
    with Upstream(CHAT.serve) as up, Routex(build, [CHAT.channel(up.url)]) as r:
        r.configure(capture={"enabled": True})
        row = r.row(r.ask(CHAT))
        wait_until(lambda: r.row_of(row["request_id"])["captured"], "the body")

        def lines():
            return r.admin.get("/api/audit?action=read")["data"]
        assert lines() == []
        for name in (row["request_id"], row["id"]):
            r.admin.get(f"/api/requests/{name}/body")
        for line in lines():
            assert line["kind"] == "request", line
            assert line["item_id"] == row["request_id"], line
            assert line["actor"] and line["address"], line
            assert line["before"] is None and line["after"] is None, line
        assert len(lines()) == 2, lines()


@test
def what_is_too_long_is_cut_and_what_is_old_goes(build):
    with Upstream(CHAT.serve) as up, Routex(build, [CHAT.channel(up.url)]) as r:
        r.configure(capture={"enabled": True, "max_bytes": 256})
        answer = r.ask(CHAT, text="\u00e4" * 5000)
        kept = body(r, answer)["request"]
        assert kept["truncated"] and kept["bytes"] > 5000, kept
        assert len(kept["text"].encode()) <= 260, kept
        blob, = r.sql("select request from capture")
        assert blob[0][:4] == b"\x28\xb5\x2f\xfd", blob
        token = r.admin.post("/api/tokens", {
            "name": "eyes", "scopes": ["read"]})["data"]["token"]
        with Client(r.control_url) as client:
            refused = client.request(
                "GET", f"/api/requests/{answer.header('x-routex-request-id')}"
                "/body", {"authorization": f"Bearer {token}"})
        assert refused.status == 403, refused.status
        r.admin.call("PATCH", "/api/settings", {"capture": {"keep_s": 60}})
        store = sqlite3.connect(r.data_dir / "routex.db", timeout=10)
        with store:
            store.execute("update capture set at_ms = at_ms - 61000")
        store.close()
        wait_until(lambda: r.sql("select count(*) from capture") == [(0,)],
                   "it to be forgotten", 40)
        assert r.row(answer)["captured"] is False


main()
