"""What requests cost, who may spend how much, and sums that agree with rows."""
import threading
from decimal import Decimal

from dialects import ANTHROPIC, CHAT, provider
from harness import Failed, Routex, main, test, wait_until
from peers import Upstream

# A request to m-1 reads 11 tokens, 7 from a cache, writes 3 to it, answers 5.
PRICE = {"input": "1000", "output": "2000", "cache_read": "100",
         "cache_write_5m": "1250", "cache_write_1h": "2000"}
COST = Decimal("0.001") * 11 + Decimal("0.0001") * 7 + \
    Decimal("0.00125") * 3 + Decimal("0.002") * 5


def ask(r, key, plane="data-1", model="m-1", **headers):
    with r.connect(plane) as client:
        return client.request("POST", ANTHROPIC.path(), {
            **ANTHROPIC.credential(key), "content-type": "application/json",
            **headers}, ANTHROPIC.request(model=model))


def money(text):
    return Decimal(text)


def set_price(r, model="m-1", **rates):
    r.admin.call("PUT", f"/api/prices/{model}", rates or PRICE)
    r.settle()


@test
def a_row_has_its_cost_at_the_price_of_its_day(build):
    with Upstream(provider) as upstream, Routex(
            build, channels=[ANTHROPIC.channel(upstream.url)]) as r:
        unknown = r.row(r.ask(ANTHROPIC))
        assert unknown["cost_usd"] is None, unknown
        set_price(r)
        row = r.row(r.ask(ANTHROPIC))
        assert money(row["cost_usd"]) == COST, (row["cost_usd"], COST)
        assert money(row["attempts"][0]["cost_usd"]) == COST, row
        version = row["price_version"]
        set_price(r, input="1", output="1")
        again = r.admin.get(
            f"/api/requests/{row['request_id']}")["data"]
        assert again["cost_usd"] == row["cost_usd"], again
        assert again["price_version"] == version, again
        newer = r.row(r.ask(ANTHROPIC))
        assert newer["price_version"] > version, newer
        assert money(newer["cost_usd"]) < COST, newer
        total = r.admin.get("/api/analytics/summary?range=1h")["data"]["total"]
        assert total["unpriced_requests"] == 1, total
        assert money(total["cost_usd"]) == \
            COST + money(newer["cost_usd"]), total


@test
def a_channel_may_charge_less_or_nothing_per_token(build):
    with Upstream(provider) as upstream, Routex(build, channels=[
            {**ANTHROPIC.channel(upstream.url), "cost_multiplier": "0.5"}]) as r:
        set_price(r)
        row = r.row(r.ask(ANTHROPIC))
        assert money(row["cost_usd"]) == COST / 2, row["cost_usd"]
        channel = r.admin.get("/api/channels")["data"][0]
        assert channel["cost_multiplier"] == "0.5", channel
        r.admin.call("PATCH", f"/api/channels/{channel['id']}",
                     {"cost_multiplier": 0})
        row = r.row(r.ask(ANTHROPIC))
        assert row["cost_usd"] == "0", row["cost_usd"]
        for bad in ("-1", "x", 1001):
            try:
                r.admin.call("PATCH", f"/api/channels/{channel['id']}",
                             {"cost_multiplier": bad})
                raise AssertionError(f"{bad} was taken")
            except Failed as refused:
                assert refused.status == 400, refused.status
                assert b"cost_multiplier" in refused.body, refused.body


@test
def analytics_are_the_sums_of_the_requests(build):
    with Upstream(provider) as upstream, Routex(
            build, channels=[d.channel(upstream.url) for d in (ANTHROPIC, CHAT)],
            planes=2) as r:
        set_price(r)
        tenant = r.admin.post("/api/tenants", {"name": "acme"})["data"]
        keys = [r.new_key(), r.new_key(tenant="acme")]
        for n in range(30):
            ask(r, keys[n % 2], plane=f"data-{n % 2 + 1}",
                model="m-1" if n % 3 else "m-2", **{"x-routex-tag": f"t{n % 4}"})
        rows = r.all_rows(30)
        known = [row for row in rows if row["cost_usd"] is not None]
        assert len(known) == 30, len(known)  # m-2 is served as m-1
        cost = sum(money(row["cost_usd"]) for row in known)

        def same(sums, chosen):
            assert sums["requests"] == len(chosen), (sums, len(chosen))
            for name in ("input_tokens", "cache_read_tokens",
                         "cache_write_tokens", "output_tokens"):
                assert sums[name] == sum(c[name] or 0 for c in chosen), name
            assert money(sums["cost_usd"]) == sum(
                (money(c["cost_usd"]) for c in chosen if c["cost_usd"]),
                Decimal(0)), sums

        summary = r.admin.get(
            "/api/analytics/summary?range=1h&by=tenant,key,model,tag,day")["data"]
        same(summary["total"], rows)
        assert money(summary["total"]["cost_usd"]) == cost
        assert summary["total"]["duration_p50_ms"] is not None, summary
        for group, field in (("by_tenant", "tenant"), ("by_key", "key"),
                             ("by_model", "model"), ("by_tag", "tag")):
            for sums in summary[group]:
                same(sums, [row for row in rows if row[field] == sums["name"]])
        for bucket in ("minute", "hour", "day"):
            series = r.admin.get(f"/api/analytics?range=1h&bucket={bucket}"
                                 "&by=model")["data"]["series"]
            assert {s["name"] for s in series} == {"m-1", "m-2"}, series
            for s in series:
                mine = [row for row in rows if row["model"] == s["name"]]
                same(s["total"], mine)
                assert sum(p["requests"] for p in s["points"]) == len(mine)
        used = r.admin.get(f"/api/tenants/{tenant['id']}/usage")["data"]
        mine = [row for row in rows if row["tenant"] == "acme"]
        same(used["total"], mine)
        for sums in used["by_model"]:
            same(sums, [row for row in mine if row["model"] == sums["name"]])
        # Killed before the sums are stored, they are made of the rows again.
        r.control.kill()
        r.restart_control()
        same(r.admin.get("/api/analytics/summary?range=1h")["data"]["total"],
             rows)


@test
def a_budget_holds_over_three_planes(build):
    with Upstream(provider) as upstream, Routex(
            build, channels=[ANTHROPIC.channel(upstream.url)], planes=3) as r:
        set_price(r)
        tenant = r.admin.post("/api/tenants", {"name": "poor", "limits": {
            "budget": {"amount_usd": "2.00", "window": "month"}}})["data"]
        assert tenant["limits"]["budget"] == {
            "amount_usd": "2", "window": "month"}, tenant
        key = r.new_key(tenant="poor")
        statuses, lock = [], threading.Lock()

        def hammer(plane):
            for _ in range(60):
                answer = ask(r, key, plane)
                with lock:
                    statuses.append((answer.status,
                                     answer.header("x-routex-limit"),
                                     answer.header("x-routex-reason")))

        threads = [threading.Thread(target=hammer, args=(f"data-{n}",))
                   for n in (1, 2, 3)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        good = [s for s in statuses if s[0] == 200]
        assert {s for s in statuses if s[0] != 200} == {
            (429, "tenant budget", "quota_used_up")}, set(statuses)
        spent = len(good) * COST
        assert Decimal("1.2") <= spent <= Decimal("2"), (spent, len(good))

        def used():
            return r.admin.get(f"/api/tenants/{tenant['id']}/usage")["data"][
                "limits"]["budget"]
        wait_until(lambda: money(used()["used_usd"]) == spent,
                   f"{spent} to be known")
        assert used()["limit_usd"] == "2", used()
        # A key without a budget of its own goes on.
        assert ask(r, r.key).status == 200
        # More money, and it goes on.
        r.admin.call("PATCH", f"/api/tenants/{tenant['id']}", {"limits": {
            "budget": {"amount_usd": "10", "window": "month"}}})
        r.settle()
        wait_until(lambda: ask(r, key).status == 200, "the new budget")


@test
def passing_eighty_percent_is_told(build):
    with Upstream(provider) as upstream, Routex(
            build, channels=[ANTHROPIC.channel(upstream.url)]) as r:
        set_price(r)
        key = r.new_key(limits={
            "budget": {"amount_usd": "2", "window": "hour"}})
        for _ in range(75):
            ask(r, key)

        def open_alerts():
            return {a["kind"] for a in r.admin.get(
                "/api/alerts?state=open")["data"]} & {"budget_80", "budget_100"}
        wait_until(lambda: open_alerts(), "an alert")


@test
def the_cheapest_channel_is_asked_first_and_the_unknown_last(build):
    def named(name):
        return Upstream(lambda call: (seen.append(name), provider(call)))

    seen = []
    with named("dear") as dear, named("cheap") as cheap, named("strange") as odd:
        with Routex(build, channels=[
                {**ANTHROPIC.channel(dear.url, "dear"), "priority": 300},
                {**ANTHROPIC.channel(odd.url, "odd"), "priority": 200, "models": [
                    {"name": "m-1", "upstream": "never-heard-of"}]},
                {**ANTHROPIC.channel(cheap.url, "cheap"), "priority": 100,
                 "cost_multiplier": "0.25"}]) as r:
            set_price(r)
            r.configure(strategy="cost", session_ttl_s=0)
            for _ in range(5):
                assert ask(r, r.key).status == 200
            assert seen == ["cheap"] * 5, seen
            r.admin.call("POST", "/api/channels/cheap/pause")
            r.settle()
            assert ask(r, r.key).status == 200
            assert seen[5:] == ["dear"], seen
            r.admin.call("POST", "/api/channels/dear/pause")
            r.settle()
            assert ask(r, r.key).status == 200
            assert seen[6:] == ["strange"], seen


@test
def price_files_are_loaded_and_refused(build):
    with Upstream(provider) as upstream, Routex(
            build, channels=[ANTHROPIC.channel(upstream.url)]) as r:
        loaded = r.admin.call("POST", "/api/prices?source=mine", {
            "m-1": {"litellm_provider": "anthropic",
                    "input_cost_per_token": 1e-3,
                    "output_cost_per_token": 2e-3,
                    "cache_read_input_token_cost": 1e-4,
                    "cache_creation_input_token_cost": 1.25e-3}})["data"]
        assert loaded["format"] == "litellm" and loaded["models"] == 1, loaded
        r.settle()
        row = r.row(r.ask(ANTHROPIC))
        assert money(row["cost_usd"]) == COST, row["cost_usd"]
        for wrong in ({}, {"a": 1}, [], {"data": [{"id": "gpt-5"}]}):
            try:
                r.admin.call("POST", "/api/prices", wrong)
                raise AssertionError(f"{wrong} was taken")
            except Failed as refused:
                assert refused.status == 400, (wrong, refused.status)
        versions = r.admin.get("/api/prices/versions")["data"]
        assert [v["kind"] for v in versions] == ["file", "built-in"], versions
        assert versions[0]["source"] == "mine", versions
        try:
            r.admin.call("PUT", "/api/prices/m-1", {"input": "cheap"})
            raise AssertionError("no number was taken")
        except Failed as refused:
            assert refused.status == 400 and b'"field":"input"' in refused.body


main()
