"""Health checks: straight to the provider, and what the planes make of them."""
import json
import threading

from dialects import CHAT
from harness import Failed, Routex, main, test, wait_until
from peers import DeadPort, Upstream

FAST = {"health": {"interval_s": 1, "failures": 2, "successes": 2,
                   "timeout_s": 5}}


class Provider(Upstream):
    """Answers its model list with `status`, and conversations well."""

    def __init__(self, status=200):
        self.status = status
        self.asked = []
        self.hold = None
        super().__init__(self.take)

    def take(self, call):
        if call.method == "GET":
            self.asked.append(call)
            if self.hold:
                self.hold.wait(20)
            if self.status:
                call.answer_json({"data": []}, self.status)
            else:
                call.cut()
        else:
            CHAT.serve(call)


def channel(up, name="one", **more):
    return CHAT.channel(up.url, name=name, **more)


def health(r, name="one"):
    return r.admin.get(f"/api/channels/{name}/health")["data"]


def state(r, want, name="one"):
    return wait_until(lambda: (h := health(r, name))["state"] == want and h,
                      f"{name} to be {want}", 30)


def available(r):
    return r.health()["channels"]["available"]


@test
def a_channel_that_fails_its_checks_is_passed_by_until_it_is_well(build):
    with Provider() as bad, Provider() as good, Routex(build, [
            channel(bad, priority=200), channel(good, "two")]) as r:
        r.configure(**FAST)
        state(r, "up")
        assert r.ask(CHAT).header("x-routex-channel") == "one"
        bad.status = 503
        down = state(r, "down")
        assert down["checks"][0]["verdict"] == "bad", down
        assert down["checks"][0]["status"] == 503, down
        wait_until(lambda: available(r) == 1, "the plane to hear of it")
        answer = r.ask(CHAT)
        assert answer.status == 200, answer.body
        assert answer.header("x-routex-channel") == "two", answer.headers
        alert, = r.admin.get("/api/alerts")["data"]
        assert alert["kind"] == "channel_down", alert
        assert alert["name"] == "one", alert
        shown = r.admin.get("/api/channels/one")["data"]["availability"]
        assert shown["troubles"][0]["reason"] == "unhealthy", shown
        assert shown["troubles"][0]["plane"] == "control", shown
        bad.status = 200
        state(r, "up")
        wait_until(lambda: available(r) == 2, "the plane to hear of it")
        wait_until(lambda: r.admin.get("/api/alerts")["data"] == [],
                   "the alert to be closed")
        assert r.ask(CHAT, text="a new conversation").header("x-routex-channel") == "one"


@test
def the_only_channel_is_tried_though_it_is_down_and_proves_itself(build):
    with Provider(503) as up, Routex(build, [channel(up)]) as r:
        r.configure(**FAST)
        state(r, "down")
        wait_until(lambda: available(r) == 0, "the plane to hear of it")
        answer = r.ask(CHAT)
        assert answer.status == 200, (answer.status, answer.body)


@test
def a_refused_key_does_not_make_a_channel_down(build):
    with Provider(401) as up, Routex(build, [channel(up)]) as r:
        r.configure(**FAST)
        found = wait_until(lambda: (h := health(r))["checks"] and
                           len(h["checks"]) > 3 and h, "four checks", 30)
        assert found["state"] == "up", found
        assert found["checks"][0]["verdict"] == "refused", found
        assert r.admin.get("/api/alerts")["data"] == []


@test
def checks_can_be_left_out_and_be_of_another_pace(build):
    with Provider() as off, Provider() as on, Provider() as slow, Routex(
            build, [channel(off, "off", health_check={"enabled": False}),
                    channel(slow, "slow", health_check={"interval_s": 3600}),
                    channel(on, "on")]) as r:
        r.configure(**FAST)
        wait_until(lambda: len(on.asked) >= 3, "three checks", 30)
        assert off.asked == [] and slow.asked == [], (off.asked, slow.asked)
        assert not health(r, "off")["checked"]
        assert health(r, "slow")["interval_s"] == 3600
        r.admin.call("PATCH", "/api/channels/on", {"health_check": {
            "enabled": False}})
        wait_until(lambda: not health(r, "on")["checked"], "no more checks")
        r.admin.call("PATCH", "/api/channels/off", {"health_check": None})
        wait_until(lambda: off.asked, "a check of the other", 30)
        r.admin.post("/api/channels/off/pause")
        wait_until(lambda: not health(r, "off")["checked"], "a pause")


@test
def what_was_found_outlives_the_control_plane(build):
    with Provider(503) as up, Routex(build, [channel(up)]) as r:
        r.configure(**FAST)
        before = state(r, "down")
        r.configure(health={"interval_s": 3600})
        r.restart_control()
        after = health(r)
        assert after["state"] == "down", after
        assert after["since"] == before["since"], (after, before)
        assert len(after["checks"]) >= len(before["checks"]), after
        alerts = r.admin.get("/api/alerts")["data"]
        assert [a["kind"] for a in alerts] == ["channel_down"], alerts
        r.admin.post("/api/channels/one/reset")
        wait_until(lambda: health(r)["state"] == "unknown", "to be forgotten")
        wait_until(lambda: r.admin.get("/api/alerts")["data"] == [],
                   "the alert to be closed")


@test
def a_check_that_hangs_holds_nobody_up(build):
    with Provider() as slow, Provider() as other, Routex(build, [
            channel(slow), channel(other, "two")]) as r:
        slow.hold = threading.Event()
        r.configure(**FAST)
        wait_until(lambda: slow.asked, "the check that hangs", 30)
        seen = len(other.asked)
        wait_until(lambda: len(other.asked) > seen + 2, "others' checks", 30)
        assert len(slow.asked) == 1, len(slow.asked)
        r.admin.call("DELETE", "/api/channels/one")
        slow.hold.set()
        wait_until(lambda: len(other.asked) > seen + 4, "others' checks", 30)


@test
def all_channels_are_tested_with_one_request(build):
    dead = DeadPort()
    with Provider() as good, Provider(401) as refused, Routex(build, [
            channel(good, f"good-{n}") for n in range(12)] + [
            channel(refused, "refused"),
            CHAT.channel(dead.url, name="dead"),
            channel(good, "off", status="disabled")]) as r:
        found = {t["channel"]: t for t in
                 r.admin.post("/api/channels/test-all")["data"]}
        assert len(found) == 14 and "off" not in found, found
        assert all(found[f"good-{n}"]["ok"] for n in range(12)), found
        assert found["refused"]["status"] == 401, found["refused"]
        assert found["dead"]["status"] is None, found["dead"]
        assert not found["dead"]["ok"], found["dead"]
    dead.close()


@test
def the_fastest_address_comes_first_and_none_gets_the_key(build):
    dead = DeadPort()
    with Provider() as fast, Provider() as slow, Routex(
            build, [channel(fast)]) as r:
        gate = threading.Event()
        slow.hold = gate
        threading.Timer(0.3, gate.set).start()
        rows = r.admin.post("/api/channels/one/speedtest", {
            "urls": [dead.url, slow.url, fast.url], "rounds": 2})["data"]
        assert [x["base_url"] for x in rows][2] == dead.url, rows
        assert rows[2]["answered"] == 0 and rows[2]["median_ms"] is None
        assert rows[0]["answered"] == rows[1]["answered"] == 2, rows
        assert rows[0]["median_ms"] <= rows[1]["median_ms"], rows
        for call in fast.asked + slow.asked:
            assert call.header("authorization") is None, call.headers
            assert call.header("x-api-key") is None, call.headers
        for body, name in (({"urls": ["x"]}, "urls"), ({"foo": 1}, "foo"),
                           ({"urls": [r.control_url]}, "urls"),
                           ({"rounds": 0}, "rounds")):
            try:
                r.admin.post("/api/channels/one/speedtest", body)
                raise AssertionError(f"{body} was taken")
            except Failed as failed:
                error = json.loads(failed.body)["error"]
                assert error["field"] == name, (body, error)
    dead.close()


main(at_once=4)
