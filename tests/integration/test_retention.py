"""Old rows go by themselves, and files from before that get shorter, too."""
import sqlite3
import subprocess
from contextlib import closing

import past
from harness import Failed, Routex, main, test, wait_until

COUNT = 3000


def rows_of_a_year():
    now = past.now_ms()
    for n in range(COUNT):
        yield {"started_ms": now - n * 300 * past.DAY_MS // COUNT - 60000,
               "user_agent": "x" * 900, "cost": 10**9,
               "tenant_id": f"tnt_{n % 3}"}


def total(r):
    sums = r.admin.get("/api/analytics/summary?range=400d")["data"]
    return sums["total"]["requests"], sums["total"]["cost_usd"]


@test
def rows_older_than_the_settings_say_go_while_it_runs(build):
    with Routex(build, planes=0) as r:
        past.live_through(r, rows_of_a_year())
        before = total(r)
        assert before[0] == COUNT, before
        newest = r.sql("select max(id) from request")[0][0]
        wait_until(lambda: newest == int((r.sql(
            "select value from meta where name = 'rollup_mark'")
            or [[0]])[0][0]), "all of it to be summed up", 60)
        r.control.stop()
        file = r.data_dir / "routex.db"
        size = file.stat().st_size
        r.restart_control()
        for wrong in ({"requests_days": 7}, {"requests_days": -1},
                      {"attempts_days": "x"}, {"rows": 3}):
            try:
                r.admin.call("PATCH", "/api/settings", {"retention": wrong})
                raise AssertionError(f"{wrong} was taken")
            except Failed as refused:
                assert refused.status == 400, refused
                assert b"retention" in refused.body, refused
        answer = r.admin.call("PATCH", "/api/settings", {
            "retention": {"requests_days": 60}})["data"]
        assert answer["retention"] == {
            "requests_days": 60, "attempts_days": 90}, answer["retention"]
        left = COUNT * 60 // 300

        def count():
            return r.sql("select count(*) from request")[0][0]
        wait_until(lambda: count() <= left, f"{left} rows, not {count()}", 60)
        assert count() >= left - 1, (count(), left)
        wait_until(lambda: r.sql("pragma freelist_count")[0][0] * 4096 < 2**20,
                   "empty pages to be given back", 60)
        assert total(r) == before, (total(r), before)
        r.control.stop()
        assert r.sql("pragma integrity_check") == [("ok",)]
        assert file.stat().st_size < size - (2 << 20), (
            file.stat().st_size, size)


def make_old(file):
    """As if it was made by a version whose files could not shrink."""
    with closing(sqlite3.connect(file, isolation_level=None)) as store:
        store.execute("pragma auto_vacuum = none")
        store.execute("vacuum")
        store.execute("pragma wal_checkpoint(truncate)")


@test
def a_store_from_before_is_written_anew_once(build):
    with Routex(build, planes=0) as r:
        r.control.stop()
        file = r.data_dir / "routex.db"
        past.write(file, rows_of_a_year())
        make_old(file)
        assert r.sql("pragma auto_vacuum") == [(0,)]
        r.restart_control()
        assert r.sql("pragma auto_vacuum") == [(2,)]
        assert total(r)[0] == COUNT, total(r)


@test
def compacting_takes_the_gaps_out(build):
    with Routex(build, planes=0) as r:
        past.live_through(r, rows_of_a_year())
        before = total(r)
        file = r.data_dir / "routex.db"
        words = [str(r.build / "routex-control"), "--data-dir",
                 str(r.data_dir), "--compact"]
        done = subprocess.run(words, capture_output=True, text=True, timeout=60)
        assert done.returncode == 1 and "running" in done.stderr, done
        r.control.stop()
        with sqlite3.connect(file) as store:
            store.execute("create table gap as select * from request")
        with sqlite3.connect(file) as store:
            store.execute("drop table gap")
        assert r.sql("pragma freelist_count")[0][0] > 500
        size = file.stat().st_size
        done = subprocess.run(words, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        assert r.sql("pragma freelist_count") == [(0,)]
        assert file.stat().st_size < size - (2 << 20), file.stat().st_size
        r.restart_control()
        assert total(r) == before, (total(r), before)


main()
