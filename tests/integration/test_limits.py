"""Limits of tenants and keys, through the real programs."""
import threading
import time

from dialects import ALL, ANTHROPIC, CHAT, provider
from harness import Failed, Routex, main, test, wait_until
from peers import Upstream


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
        wait_until(lambda: statuses.count(429) == 5, "five to be refused")
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


if __name__ == "__main__":
    main()
