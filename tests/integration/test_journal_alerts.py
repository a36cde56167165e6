"""What goes wrong between the planes is told, and told until it is over."""
import re
import sqlite3

from dialects import CHAT
from harness import Routex, main, test, wait_until
from peers import Client

MIB = 1 << 20


def kinds(r, state="open"):
    return {a["kind"] for a in r.admin.get(f"/api/alerts?state={state}")["data"]}


def fill(r, size):
    """Requests until the plane's journal has that much, or more cannot be."""
    tag = "t" * 120
    with r.connect() as client:
        for _ in range(10000):
            answer = client.request("POST", CHAT.path(), {
                **CHAT.credential(r.key), "content-type": "application/json",
                "user-agent": "u" * 250, "x-routex-tag": tag,
                "x-routex-session": "s" * 250}, CHAT.request(model="demo"))
            assert answer.status == 200, answer.status
            if sum(f.stat().st_size for f in r.journal()) >= size:
                return
    raise AssertionError("the journal does not grow")


def execute(r, sql):
    store = sqlite3.connect(r.data_dir / "routex.db", timeout=10)
    with store:
        store.execute(sql)
    store.close()


@test
def a_lost_plane_is_an_alert_after_a_restart_too(build):
    with Routex(build, demo=True) as r:
        r.plane.kill()
        alert, = wait_until(lambda: r.admin.get("/api/alerts")["data"], "it")
        r.restart_control()
        # Alerts that nobody says again are closed after ten seconds.
        marker = r.admin.get("/api/alerts")["data"]
        assert [a["id"] for a in marker] == [alert["id"]], marker
        store = r.sql("select count(*) from alert where closed_ms is null")
        assert store == [(1,)], store
        wait_until(lambda: uptime(r) > 12, "the grace to be over", 40)
        after = r.admin.get("/api/alerts")["data"]
        assert [a["id"] for a in after] == [alert["id"]], after
        r.restart_plane()
        wait_until(lambda: not r.admin.get("/api/alerts")["data"],
                   "the alert to be over")


def uptime(r):
    """Of the control plane, in seconds."""
    with Client(r.control_url) as client:
        return client.request("GET", "/health").json()["uptime"]


@test
def a_store_that_takes_nothing_fills_the_journal(build):
    with Routex(build, demo=True) as r:
        r.configure(journal={"limit_bytes": MIB})
        execute(r, "create trigger no before insert on request "
                   "begin select raise(abort, 'not now'); end")
        fill(r, MIB * 6 // 10)
        wait_until(lambda: {"journal_filling", "commit_failed"} <= kinds(r),
                   "both alerts", 60)
        execute(r, "drop trigger no")
        wait_until(lambda: not any(
            p["journal"]["records"] for p in r.admin.get("/api/planes")["data"]),
            "the journal to be empty", 30)


@test
def records_that_had_no_room_are_an_alert(build):
    with Routex(build, demo=True) as r:
        r.configure(journal={"limit_bytes": MIB, "when_full": "keep-serving"})
        r.control.kill()

        def dropped():
            for _ in range(50):
                r.ask(CHAT, model="demo")
            with Client(r.plane.ops_url) as client:
                text = client.request("GET", "/metrics").body.decode()
            found = re.search(r"^routex_journal_dropped_total (\d+)", text, re.M)
            return found and int(found.group(1))
        fill(r, MIB * 9 // 10)
        lost = wait_until(dropped, "records to be dropped", 60)
        r.start_control()
        wait_until(lambda: "usage_dropped" in kinds(r), "the alert", 60)
        told = [a for a in r.admin.get("/api/alerts")["data"]
                if a["kind"] == "usage_dropped"]
        assert told[0]["subject"] == "data-1", (told, lost)


main(at_once=4)
