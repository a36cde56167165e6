"""Client keys over time: rotated with overlap, expired, and how much of their
limits is left."""
import datetime

from dialects import ANTHROPIC, provider
from harness import Failed, Routex, main, test, wait_until
from peers import Upstream


def ask(r, key, name="data-1"):
    with r.connect(name) as client:
        return client.request("POST", ANTHROPIC.path(), {
            **ANTHROPIC.credential(key), "content-type": "application/json"},
            ANTHROPIC.request())


def routex(build, upstream, **more):
    return Routex(build, channels=[ANTHROPIC.channel(upstream.url)], **more)


def rotate(r, key, **body):
    return r.admin.post(f"/api/keys/{key['id']}/rotate", body)["data"]


def soon(seconds):
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(
        seconds=seconds)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def when(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


@test
def an_old_text_is_good_for_the_overlap_and_no_longer(build):
    with Upstream(provider) as upstream, routex(build, upstream) as r:
        made = r.admin.post("/api/keys", {"name": "k"})["data"]
        assert made["previous"] is None, made
        first = made["key"]
        second = rotate(r, made, overlap_s=3600)
        assert second["previous"]["last4"] == first[-4:], second
        left = when(second["previous"]["valid_until"]) - when(
            second["updated_at"])
        assert 3590 < left.total_seconds() <= 3600, left
        r.settle()
        for key in (first, second["key"]):
            assert ask(r, key).status == 200
        # Both are the same key to whoever counts.
        rows = wait_until(lambda: (
            lambda got: got if len(got) == 2 else None)(
                r.admin.rows(f"&key={made['id']}")), "two rows")
        assert {row["key_id"] for row in rows} == {made["id"]}, rows
        # Once more: only the last one before is good.
        third = rotate(r, made, overlap_s=3600)
        r.settle()
        assert ask(r, first).status == 401
        assert ask(r, second["key"]).status == 200
        # And without overlap none.
        fourth = rotate(r, made)
        assert fourth["previous"] is None, fourth
        r.settle()
        assert [ask(r, k).status for k in (
            first, second["key"], third["key"], fourth["key"])] == [
                401, 401, 401, 200]


@test
def an_old_text_ends_on_time_without_a_control_plane(build):
    with Upstream(provider) as upstream, routex(build, upstream) as r:
        made = r.admin.post("/api/keys", {"name": "k"})["data"]
        lasting = r.admin.post("/api/keys", {"name": "l"})["data"]
        ending = r.admin.post("/api/keys", {
            "name": "e", "expires_at": soon(4)})["data"]
        new = rotate(r, made, overlap_s=4)
        rotate(r, lasting, overlap_s=3600)
        r.settle()
        r.control.kill()
        assert ask(r, new["key"]).status == 200
        wait_until(lambda: ask(r, made["key"]).status == 401, "its end")
        wait_until(lambda: ask(r, ending["key"]).status == 401, "its end")
        assert ask(r, new["key"]).status == 200
        # A plane that starts from its disk knows as much.
        r.planes["data-1"].stop()
        r.start_plane("data-1")
        wait_until(lambda: ask(r, new["key"]).status == 200, "a plane")
        assert ask(r, lasting["key"]).status == 200
        assert ask(r, made["key"]).status == 401
        assert ask(r, ending["key"]).status == 401


@test
def an_overlap_is_bounded_and_ends_with_the_key(build):
    with Upstream(provider) as upstream, routex(build, upstream) as r:
        made = r.admin.post("/api/keys", {"name": "k"})["data"]
        for wrong in (-1, 1.5, "1h", 90 * 86400 + 1):
            try:
                rotate(r, made, overlap_s=wrong)
                raise AssertionError(wrong)
            except Failed as failed:
                assert failed.status == 400, failed
                assert b'"overlap_s"' in failed.body, failed.body
        new = rotate(r, made, overlap_s=3600)
        r.admin.call("PATCH", f"/api/keys/{made['id']}", {
            "status": "disabled"})
        r.settle()
        assert [ask(r, k).status for k in (made["key"], new["key"])] == [
            401, 401]


@test
def what_is_left_of_limits_is_shown_with_its_reset(build):
    limits = {"requests_per_min": 60, "concurrent": 5,
              "quota": {"tokens": 1000000, "window": "day"}}
    with Upstream(provider) as upstream, routex(build, upstream) as r:
        tenant = r.admin.post("/api/tenants", {
            "name": "acme", "limits": limits})["data"]
        assert tenant["limits_state"]["quota"]["used"] == 0, tenant
        made = r.admin.post("/api/keys", {
            "name": "k", "tenant": "acme",
            "limits": {"requests_per_min": 30}})["data"]
        r.settle()
        for _ in range(3):
            assert ask(r, made["key"]).status == 200

        def used():
            state = r.admin.get("/api/tenants/acme")["data"]["limits_state"]
            return state if state["quota"]["used"] and \
                state["requests_per_min"]["used"] else None

        state = wait_until(used, "what was used")
        now = datetime.datetime.now(datetime.timezone.utc)
        assert set(state) == set(limits), state
        assert state["concurrent"]["resets_at"] is None, state
        assert when(state["quota"]["resets_at"]) > now, state
        rate = state["requests_per_min"]
        assert 0 < rate["used"] <= 3 and rate["limit"] == 60, state
        left = (when(rate["resets_at"]) - now).total_seconds()
        assert -1 < left <= rate["used"] + 1, (left, rate)
        listed = r.admin.get("/api/keys?tenant=acme")["data"][0]
        assert listed["limits_state"]["requests_per_min"]["limit"] == 30
        assert "quota" not in listed["limits_state"], listed


main()
