"""Subscription windows: asked for, learnt from answers, shown and used."""
import time

from dialects import ANTHROPIC
from harness import Routex, main, test, wait_until
from peers import Upstream

POLL = {"health": {"usage_interval_s": 1}}


def stamp(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ",
                         time.gmtime(time.time() + seconds))


class Account(Upstream):
    """A provider that tells `used`, by document and by header."""

    def __init__(self, used, status=200, headers=()):
        self.used = used
        self.status = status
        self.headers = headers
        self.polls = []
        super().__init__(self.take)

    def take(self, call):
        if call.path == "/api/oauth/usage":
            self.polls.append(call)
            call.answer_json({
                "five_hour": {"utilization": self.used,
                              "resets_at": stamp(3600)},
                "seven_day": {"utilization": 1, "resets_at": stamp(86400)},
                "extra_usage": {"utilization": 99}}, self.status)
        elif call.method == "GET":
            call.answer_json({"data": []})
        else:
            call.answer_json(ANTHROPIC.answer, 200, self.headers)


def channel(up, name, **more):
    return ANTHROPIC.channel(up.url, name=name,
                             api_key=f"sk-ant-oat01-{name}-0123", **more)


def windows(r, name):
    found = r.admin.get(f"/api/channels/{name}")["data"]["windows"]
    return {w["name"]: w for w in found}


@test
def windows_that_were_asked_for_are_shown_and_lead_headroom(build):
    with Account(80) as full, Account(5) as free, Routex(build, [
            channel(full, "full"), channel(free, "free")]) as r:
        r.configure(strategy="headroom", session_ttl_s=0, **POLL)
        wait_until(lambda: windows(r, "full") and windows(r, "free"),
                   "the windows")
        shown = windows(r, "full")
        assert set(shown) == {"five_hour", "seven_day"}, shown
        assert shown["five_hour"]["used_percent"] == 80, shown
        assert shown["five_hour"]["resets_at"], shown
        call = full.polls[0]
        assert call.header("authorization") == (
            "Bearer sk-ant-oat01-full-0123"), call.headers
        assert call.header("anthropic-beta") == "oauth-2025-04-20"

        def all_go_to(name):
            got = {r.ask(ANTHROPIC, text=f"n {time.monotonic_ns()}").header(
                "x-routex-channel") for _ in range(4)}
            return got == {name}
        wait_until(lambda: all_go_to("free"), "requests to go to the free one")
        full.used, free.used = 2, 95
        wait_until(lambda: windows(r, "free")["five_hour"]["used_percent"]
                   == 95, "the news", 30)
        wait_until(lambda: all_go_to("full"), "requests to go to the other")


@test
def windows_in_answers_are_shown_and_kept(build):
    headers = [("anthropic-ratelimit-unified-5h-utilization", "0.42"),
               ("anthropic-ratelimit-unified-5h-reset",
                str(int(time.time()) + 3600)),
               ("anthropic-ratelimit-unified-7d_opus-utilization", "0.9")]
    with Account(0, headers=headers) as up, Routex(build, [
            ANTHROPIC.channel(up.url, name="one")]) as r:
        assert r.ask(ANTHROPIC).status == 200
        shown = wait_until(lambda: windows(r, "one"), "the windows")
        assert shown["five_hour"]["used_percent"] == 42, shown
        assert shown["seven_day_opus"]["used_percent"] == 90, shown
        assert up.polls == [], "an API key was asked about its subscription"
        wait_until(lambda: r.sql("select count(*) from usage_window")[0][0]
                   == 2, "the rows")
        r.restart_control()
        again = windows(r, "one")
        assert again["five_hour"]["used_percent"] == 42, again
        r.admin.call("DELETE", "/api/channels/one")
        assert r.sql("select count(*) from usage_window")[0][0] == 0


@test
def a_provider_that_refuses_is_asked_ever_less(build):
    with Account(1, status=429) as up, Routex(build, [
            channel(up, "one"), channel(up, "off", status="paused")]) as r:
        r.configure(**POLL)
        wait_until(lambda: len(up.polls) >= 3, "three questions", 30)
        first, second, third = [call.at for call in up.polls[:3]]
        assert third - second > second - first, (
            second - first, third - second)
        assert windows(r, "one") == {}
        keys = {call.header("authorization") for call in up.polls}
        assert keys == {"Bearer sk-ant-oat01-one-0123"}, keys
        r.configure(health={"usage_interval_s": 0})
        seen = len(up.polls)
        assert r.ask(ANTHROPIC).status == 200
        assert len(up.polls) <= seen + 1, (len(up.polls), seen)


main()
