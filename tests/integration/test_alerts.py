"""Alerts: told once, taken back once, and delivered to webhooks."""
import hashlib
import hmac
import json
import time

from dialects import CHAT
from harness import Failed, Routex, main, test, wait_until
from peers import Upstream


class Hook(Upstream):
    """A webhook; `script` has the statuses of the first answers."""

    def __init__(self, script=()):
        self.script = list(script)
        super().__init__(self.take)

    def take(self, call):
        call.answer(self.script.pop(0) if self.script else 204)

    def events(self):
        return [call.json() for call in list(self.calls)]


def add(r, hook, **more):
    return r.admin.post("/api/webhooks", {
        "name": "hook", "url": f"{hook.url}/in?x=1", **more})["data"]


def lose_plane(r):
    r.plane.kill()
    return wait_until(lambda: r.admin.get("/api/alerts")["data"],
                      "the alert")[0]


@test
def a_lost_plane_is_told_and_taken_back_when_it_returns(build):
    with Routex(build, demo=True) as r, Hook() as hook:
        add(r, hook)
        alert = lose_plane(r)
        assert alert["kind"] == "plane_lost", alert
        assert alert["severity"] == "critical", alert
        assert alert["subject"] == "data-1", alert
        wait_until(lambda: len(hook.calls) == 1, "its delivery")
        event = hook.events()[0]
        assert event["event"] == "alert.opened", event
        assert event["alert"] == alert, (event, alert)
        r.restart_plane()
        wait_until(lambda: len(hook.calls) == 2, "the second delivery")
        event = hook.events()[1]
        assert event["event"] == "alert.closed", event
        assert event["alert"]["id"] == alert["id"], event
        assert r.admin.get("/api/alerts")["data"] == []
        closed = r.admin.get("/api/alerts?state=closed")["data"]
        assert [a["id"] for a in closed] == [alert["id"]], closed
        hooks = r.admin.get("/api/webhooks")["data"]
        wait_until(lambda: r.admin.get("/api/webhooks")["data"][0][
            "waiting"] == 0, "nothing to be owed")
        assert hooks[0]["last_status"] == 204, hooks


@test
def a_plane_that_says_good_bye_is_no_alert(build):
    with Routex(build, demo=True, planes=2) as r:
        r.planes["data-2"].stop()
        lose_plane(r)
        alerts = r.admin.get("/api/alerts?state=all")["data"]
        assert [a["subject"] for a in alerts] == ["data-1"], alerts


@test
def what_is_sent_is_signed(build):
    with Routex(build, planes=0) as r, Hook() as hook:
        made = add(r, hook)
        secret = made["secret"]
        assert secret.startswith("whs_") and len(secret) == 44, made
        answer = r.admin.post("/api/webhooks/hook/test")["data"]
        assert answer["ok"] and answer["status"] == 204, answer
        call = hook.calls[0]
        stamp = call.header("x-routex-timestamp")
        assert abs(int(stamp) - time.time()) < 60, stamp
        want = hmac.new(secret.encode(), stamp.encode() + b"." + call.body,
                        hashlib.sha256).hexdigest()
        assert call.header("x-routex-signature") == f"v1={want}", (
            call.header("x-routex-signature"), want)
        assert call.path == "/in?x=1", call.path
        assert call.json()["event"] == "webhook.test", call.body
        shown = r.admin.get("/api/webhooks/hook")["data"]
        assert "secret" not in shown, shown
        assert shown["secret_last4"].endswith(secret[-4:]), shown
        assert shown["url"].endswith("/…") and "x=1" not in shown["url"]


@test
def a_webhook_that_fails_is_asked_again_also_after_a_restart(build):
    with Routex(build, demo=True) as r, Hook([500, 500]) as hook:
        add(r, hook)
        lose_plane(r)
        wait_until(lambda: len(hook.calls) == 2, "the first two attempts")
        first, second = hook.events()
        assert first == second, (first, second)
        state = wait_until(
            lambda: (h := r.admin.get("/api/webhooks/hook")["data"])[
                "last_error"] and h, "the failure to be shown")
        assert state["last_status"] == 500, state
        assert state["waiting"] == 1, state
        r.restart_control()
        wait_until(lambda: len(hook.calls) >= 3, "the attempt after it", 30)
        assert hook.events()[2]["id"] == first["id"], hook.events()
        wait_until(lambda: r.admin.get("/api/webhooks/hook")["data"][
            "waiting"] == 0, "it to be delivered")


@test
def webhooks_get_what_they_asked_for(build):
    with Routex(build, demo=True) as r, Hook() as all_of, Hook() as none:
        add(r, all_of, name="all", severity="critical")
        add(r, none, name="none", kinds=["budget_80"])
        add(r, none, name="off", status="disabled")
        lose_plane(r)
        wait_until(lambda: len(all_of.calls) == 1, "the delivery")
        owed = r.sql("select count(*) from delivery")[0][0]
        wait_until(lambda: r.sql("select count(*) from delivery")[0][0] == 0,
                   f"nothing more to be owed ({owed})")
        assert none.calls == [], none.calls


@test
def an_alert_is_acknowledged(build):
    with Routex(build, demo=True) as r:
        alert = lose_plane(r)
        assert alert["acked_at"] is None, alert
        seen = r.admin.post(f"/api/alerts/{alert['id']}/ack")["data"]
        assert seen["acked_at"] and seen["acked_by"], seen
        again = r.admin.post(f"/api/alerts/{alert['id']}/ack")["data"]
        assert again["acked_at"] == seen["acked_at"], (again, seen)
        assert again["state"] == "open", again
        try:
            r.admin.post("/api/alerts/4711/ack")
            raise AssertionError("an alert that is not there was acked")
        except Failed as failed:
            assert failed.status == 404, failed


@test
def open_alerts_outlive_the_control_plane(build):
    with Routex(build, demo=True) as r:
        alert = lose_plane(r)
        r.restart_control()
        still = r.admin.get("/api/alerts")["data"]
        assert [a["id"] for a in still] == [alert["id"]], still
        r.restart_plane()
        wait_until(lambda: r.admin.get("/api/alerts")["data"] == [],
                   "the alert to be closed", 30)


@test
def a_refused_key_is_an_alert_until_it_is_another(build):
    state = {"status": 401}

    def answer(call):
        if state["status"] == 401:
            call.answer_json({"error": {"message": "no"}}, 401)
        else:
            CHAT.serve(call)
    with Upstream(answer) as up, Routex(build, [CHAT.channel(up.url)]) as r:
        r.ask(CHAT)
        alert = wait_until(lambda: r.admin.get("/api/alerts")["data"],
                           "the alert")[0]
        assert alert["kind"] == "credential_refused", alert
        assert alert["name"] == "c-chat", alert
        state["status"] = 200
        channel = r.admin.get("/api/channels")["data"][0]["id"]
        r.admin.call("PATCH", f"/api/channels/{channel}",
                     {"api_key": "sk-another-0001"})
        wait_until(lambda: r.admin.get("/api/alerts")["data"] == [],
                   "the alert to be closed", 30)


def no_alerts(r):
    wait_until(lambda: r.admin.get("/api/alerts")["data"] == [],
               "the alerts to be closed", 30)


@test
def the_alerts_of_a_channel_that_is_deleted_are_closed(build):
    def refuse(call):
        call.answer_json({"error": {"message": "no"}}, 401)
    with Upstream(refuse) as up, Routex(build, [CHAT.channel(up.url)]) as r:
        r.ask(CHAT)
        wait_until(lambda: r.admin.get("/api/alerts")["data"], "the alert")
        r.admin.call("DELETE", "/api/channels/c-chat")
        no_alerts(r)
        closed, = r.admin.get("/api/alerts?state=closed")["data"]
        assert closed["kind"] == "credential_refused", closed


@test
def the_alerts_of_a_webhook_that_is_deleted_are_closed(build):
    with Routex(build, demo=True) as r, Hook([500] * 9) as hook:
        add(r, hook)
        lose_plane(r)
        wait_until(lambda: "webhook_failing" in [
            a["kind"] for a in r.admin.get("/api/alerts")["data"]],
            "the alert about the webhook", 60)
        r.admin.call("DELETE", "/api/webhooks/hook")
        r.restart_plane()
        no_alerts(r)


@test
def wrong_webhooks_are_refused_by_field(build):
    with Routex(build, planes=0) as r:
        good = {"name": "h", "url": "http://127.0.0.1:1/x"}
        for more, name in (({"url": "ftp://x"}, "url"), ({"url": ""}, "url"),
                           ({"secret": "short"}, "secret"),
                           ({"kinds": ["nothing"]}, "kinds"),
                           ({"severity": "loud"}, "severity"),
                           ({"foo": 1}, "foo"), ({"name": None}, "name")):
            try:
                r.admin.post("/api/webhooks", {**good, **more})
                raise AssertionError(f"{more} was taken")
            except Failed as failed:
                error = json.loads(failed.body)["error"]
                assert failed.status == 400, (more, error)
                assert error["field"] == name, (more, error)
        assert r.admin.get("/api/webhooks")["data"] == []


main(at_once=4)
