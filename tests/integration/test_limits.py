"""Limits of tenants and keys, through the real programs."""
import json
import threading
import time

from dialects import ALL, ANTHROPIC, provider
from harness import Routex, main, test, wait_until
from peers import Client, Upstream


def one(r, key, name="data-1", dialect=ANTHROPIC, **more):
    with r.connect(name) as client:
        return client.request("POST", dialect.path(), {
            **dialect.credential(key), "content-type": "application/json"},
            dialect.request(**more))


def tenant_key(r, bounds=None, **fields):
    tenant = r.admin.post("/api/tenants", {
        "name": f"t{time.monotonic_ns()}", "limits": bounds or {}})["data"]
    return tenant, r.new_key(tenant=tenant["name"], **fields)


def channels(url):
    return [d.channel(url) for d in ALL if d.name != "responses"]


@test
def one_plane_lets_exactly_the_limit_through_and_says_who_limits(build):
    with Upstream(provider) as upstream, Routex(
            build, channels=channels(upstream.url)) as r:
        tenant, key = tenant_key(r, {"requests_per_min": 5})
        before = len(upstream.calls)
        for dialect in ALL:
            assert tenant["limits"] == {"requests_per_min": 5}
        answers = [one(r, key) for _ in range(8)]
        assert [a.status for a in answers] == [200] * 5 + [429] * 3
        for dialect in ALL:
            a = one(r, key, dialect=dialect)
            assert a.status == 429, a.status
            assert 1 <= int(a.header("retry-after")) <= 12
            assert a.header("x-routex-limit") == "tenant requests_per_min"
            assert a.header("x-routex-reason") == "limit_reached"
            assert "Routex" in dialect.error(a.body)[1], a.body
            if dialect.name == "gemini":
                info = a.json()["error"]["details"][1]
                assert info["@type"].endswith("RetryInfo"), info
                assert info["retryDelay"] == a.header("retry-after") + "s"
        assert len(upstream.calls) - before == 5


@test
def a_key_has_limits_of_its_own_within_its_tenant_s(build):
    with Upstream(provider) as upstream, Routex(
            build, channels=channels(upstream.url)) as r:
        tenant, key = tenant_key(
            r, {"requests_per_min": 6}, limits={"requests_per_min": 2})
        other = r.new_key(tenant=tenant["name"])
        assert [one(r, key).status for _ in range(3)] == [200, 200, 429]
        assert [one(r, other).status for _ in range(5)] == [200] * 4 + [429]


@test
def an_explanation_says_whether_a_key_has_room_and_takes_none_of_it(build):
    with Upstream(provider) as upstream, Routex(
            build, channels=channels(upstream.url)) as r:
        key = r.new_key(name="poor", limits={"requests_per_min": 2})

        def explain():
            told = r.admin.post("/api/routing/test", {
                "key": "poor", "dialect": "anthropic",
                "body": json.loads(ANTHROPIC.request(
                    model="claude-sonnet-4-5"))})["data"]
            return told, {s["step"]: s["text"] for s in told["steps"]}

        for _ in range(4):
            told, steps = explain()
            assert steps["limits"] == "there is room for it", steps
            assert told["chosen"] and "refusal" not in told, told
            assert steps["cost"].startswith("about $0.0"), steps
        assert [one(r, key).status for _ in range(3)] == [200, 200, 429]
        told, steps = explain()
        assert "2 requests per minute" in steps["limits"], steps
        assert told["refusal"] == "limit_reached", told
        assert told["chosen"] is None, told


@test
def no_more_run_at_a_time_than_allowed_and_an_end_makes_room(build):
    gate = threading.Event()
    running, most = [0], [0]
    lock = threading.Lock()

    def slow(call):
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        gate.wait(20)
        with lock:
            running[0] -= 1
        ANTHROPIC.serve(call)

    with Upstream(slow) as upstream, Routex(
            build, channels=[ANTHROPIC.channel(upstream.url)]) as r:
        _, key = tenant_key(r, {"concurrent": 3})
        statuses = []

        def ask():
            statuses.append(one(r, key).status)

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for t in threads:
            t.start()
        wait_until(lambda: statuses.count(429) == 5 and running[0] == 3,
                   "five to be refused and three to be asked")
        gate.set()
        for t in threads:
            t.join()
        assert sorted(statuses) == [200] * 3 + [429] * 5, statuses
        assert most[0] == 3, most
        assert [one(r, key).status for _ in range(5)] == [200] * 5


@test
def addresses_outside_the_list_are_refused(build):
    with Upstream(provider) as upstream, Routex(
            build, channels=channels(upstream.url)) as r:
        here = r.new_key(ips=["127.0.0.0/8", "::1"])
        there = r.new_key(ips=["10.0.0.0/8"])
        assert one(r, here).status == 200
        refused = one(r, there)
        assert refused.status == 403
        assert refused.header("x-routex-reason") == "address_not_allowed"


@test
def tokens_are_charged_as_used_and_not_as_reserved(build):
    with Upstream(provider) as upstream, Routex(
            build, channels=channels(upstream.url)) as r:
        # 26 tokens each, of which 64 of output are reserved.
        _, key = tenant_key(r, {"quota": {"tokens": 300, "window": "month"}})
        answers = [one(r, key) for _ in range(14)]
        good = [a.status for a in answers].count(200)
        assert 8 <= good <= 11, [a.status for a in answers]
        assert answers[-1].status == 429
        assert answers[-1].header("x-routex-limit") == "tenant quota"
        assert answers[-1].header("x-routex-reason") == "quota_used_up"
        assert int(answers[-1].header("retry-after")) >= 1


# -- several planes, one limit ---------------------------------------------


class Hammer:
    """Clients on each of some planes that ask without pause."""

    def __init__(self, r, key, names, clients=2, pause=0.005):
        self.r, self.key, self.pause = r, key, pause
        self.passed = {name: 0 for name in names}
        self.offered = 0
        self.odd = []
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        self.start = time.monotonic()
        self.threads = [threading.Thread(target=self._ask, args=(name,))
                        for name in names for _ in range(clients)]
        for t in self.threads:
            t.start()

    def _ask(self, name):
        with self.r.connect(name) as client:
            while not self.stopping.is_set():
                answer = client.request("POST", ANTHROPIC.path(), {
                    **ANTHROPIC.credential(self.key),
                    "content-type": "application/json"}, ANTHROPIC.request())
                with self.lock:
                    self.offered += 1
                    self.passed[name] += answer.status == 200
                if answer.status not in (200, 429):
                    self.odd.append((answer.status, answer.body))
                time.sleep(self.pause)

    def total(self):
        with self.lock:
            return sum(self.passed.values())

    def stop(self):
        """How many passed, and in how many seconds."""
        self.stopping.set()
        for t in self.threads:
            t.join()
        assert not self.odd, self.odd[:3]
        return self.total(), time.monotonic() - self.start


def names(r):
    return sorted(r.planes)


def hammered(r, key, seconds=6):
    """How many passed, of how many, in how many seconds."""
    hammer = Hammer(r, key, names(r))
    wait_until(lambda: time.monotonic() - hammer.start > seconds, "the time")
    passed, took = hammer.stop()
    return passed, hammer.offered, took


@test
def four_planes_at_ten_times_the_limit_keep_one_rate_together(build):
    with Upstream(provider) as upstream, Routex(
            build, channels=channels(upstream.url), planes=4) as r:
        _, key = tenant_key(r, {"requests_per_min": 120})
        passed, offered, seconds = hammered(r, key)
        bound = 120 + 2 * seconds
        print(f"     even load: {passed} passed of {offered} in {seconds:.1f} s"
              f", at most {bound:.0f}: {passed - bound:+.0f}")
        assert offered >= 10 * 2 * seconds, (offered, seconds)
        assert passed <= bound + 1, (passed, bound)
        assert passed >= 0.8 * bound, (passed, bound)
        # The buckets are empty: from here on it is the rate that passes.
        r.control.kill()
        passed, offered, seconds = hammered(r, key)
        bound = 2 * seconds + 4
        print(f"     without control: {passed} passed of {offered} in "
              f"{seconds:.1f} s, at most {bound:.0f}: {passed - bound:+.0f}")
        assert offered >= 10 * 2 * seconds, (offered, seconds)
        assert 1.2 * seconds <= passed <= bound + 1, (passed, bound)
        r.start_control()


@test
def one_plane_gets_the_share_of_those_that_idle(build):
    with Upstream(provider) as upstream, Routex(
            build, channels=channels(upstream.url), planes=3) as r:
        _, key = tenant_key(r, {"requests_per_min": 60})
        hammer = Hammer(r, key, ["data-1"])
        wait_until(lambda: time.monotonic() - hammer.start > 4, "four seconds")
        passed, seconds = hammer.stop()
        print(f"     one of three: {passed} passed in {seconds:.1f} s")
        assert 45 <= passed <= 60 + seconds + 1, passed


@test
def three_planes_never_have_more_at_a_time_than_one_may(build):
    running, most = [0], [0]
    lock = threading.Lock()

    def slow(call):
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        time.sleep(0.03)
        with lock:
            running[0] -= 1
        ANTHROPIC.serve(call)

    with Upstream(slow) as upstream, Routex(
            build, channels=[ANTHROPIC.channel(upstream.url)],
            planes=3) as r:
        _, key = tenant_key(r, {"concurrent": 5})
        hammer = Hammer(r, key, names(r), clients=4)
        wait_until(lambda: hammer.total() > 200, "two hundred answers")
        hammer.stop()
        only = Hammer(r, key, ["data-2"], clients=6)
        wait_until(lambda: only.total() > 200, "two hundred from one plane")
        only.stop()
        print(f"     at most {most[0]} of 5 at a time")
        assert 3 <= most[0] <= 5, most


def all_at_once(r, key, count, gate, name="data-1"):
    """How many of so many requests at a time are taken."""
    statuses = []
    gate.clear()

    def ask():
        statuses.append(one(r, key, name).status)

    threads = [threading.Thread(target=ask) for _ in range(count)]
    for t in threads:
        t.start()
    wait_until(lambda: len(statuses) + gate.waiting >= count, "all to be in")
    gate.set()
    for t in threads:
        t.join()
    return statuses.count(200)


class Gate(threading.Event):
    def __init__(self):
        super().__init__()
        self.waiting = 0
        self.lock = threading.Lock()

    def serve(self, call):
        with self.lock:
            self.waiting += 1
        self.wait(20)
        with self.lock:
            self.waiting -= 1
        ANTHROPIC.serve(call)


@test
def a_killed_plane_s_share_comes_back_and_a_new_one_gets_some(build):
    gate = Gate()
    with Upstream(gate.serve) as upstream, Routex(
            build, channels=[ANTHROPIC.channel(upstream.url)],
            planes=3) as r:
        _, key = tenant_key(r, {"concurrent": 6})
        assert all_at_once(r, key, 8, gate) <= 6
        for name in ("data-2", "data-3"):
            r.planes[name].kill()
        killed = time.monotonic()
        wait_until(lambda: all_at_once(r, key, 8, gate) == 6,
                   "all six on the plane that is left")
        print(f"     all shares back after {time.monotonic() - killed:.1f} s")
        r.start_plane("data-4")
        born = time.monotonic()
        wait_until(lambda: all_at_once(r, key, 1, gate, "data-4") == 1,
                   "the new plane to have a share", 3)
        print(f"     a share for the new one after "
              f"{time.monotonic() - born:.2f} s")


def leased(r, name):
    with Client(r.planes[name].ops_url) as client:
        text = client.request("GET", "/metrics").body.decode()
    return "\nroutex_control_leased 1" in text


@test
def a_quota_is_for_all_planes_and_survives_restarts(build):
    with Upstream(provider) as upstream, Routex(
            build, channels=channels(upstream.url), planes=3) as r:
        tenant, key = tenant_key(
            r, {"quota": {"tokens": 3000, "window": "day"}})
        hammer = Hammer(r, key, names(r))
        last = [0, time.monotonic()]

        def at_rest():
            if hammer.total() != last[0]:
                last[:] = hammer.total(), time.monotonic()
            return time.monotonic() - last[1] > 1.5

        wait_until(at_rest, "the quota to be used up", 30)
        passed, _ = hammer.stop()
        spent = passed * 26  # as the provider of dialects.py says
        print(f"     {spent} of 3000 tokens spent")
        assert 2600 <= spent <= 3000, spent

        def used():
            return r.admin.get(f"/api/tenants/{tenant['id']}/usage")["data"][
                "limits"]["quota"]

        wait_until(lambda: used()["used"] == spent, "usage to be known")
        assert used()["limit"] == 3000 and used()["resets_at"]
        r.restart_control()
        for name in names(r):
            r.restart_plane(name)
        wait_until(lambda: used()["used"] == spent,
                   f"usage to be known again: {used()}, {spent}")
        r.settle()
        wait_until(lambda: all(leased(r, name) for name in names(r)),
                   "every plane to have its share")
        hammer = Hammer(r, key, names(r))
        wait_until(lambda: time.monotonic() - hammer.start > 2, "two seconds")
        more, _ = hammer.stop()
        print(f"     {more * 26} more after a restart of everything")
        total = spent + more * 26
        assert total <= 3000 + 26 * 3, (total, spent, more)


main()
