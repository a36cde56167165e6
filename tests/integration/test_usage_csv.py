"""Rows and sums as a file, of any length, for spreadsheets."""
import csv
import http.client
import io
import random
import re
import subprocess
import urllib.parse
from decimal import Decimal

import past
from harness import Failed, Routex, main, sanitized, test

NASTY = ["=cmd|' /C calc'!A0", "+1", "-1", "@x", "\t=1", 'a"b', "a,b",
         "two\r\nlines", " around ", "模型", "plain"]
COUNT = 12000


def rows_of_a_month():
    rng = random.Random(7)
    now = past.now_ms()
    for n in range(COUNT):
        known = n % 3 > 0
        yield {"started_ms": now - rng.randrange(28 * past.DAY_MS) - 60000,
               "tenant_id": f"tnt_{n % 4}", "key_id": f"key_{n % 9}",
               "channel_id": f"chn_{n % 5}", "channel": f"c-{n % 5}",
               "model": f"m-{n % 6}", "tag": NASTY[n % len(NASTY)],
               "status": 500 if n % 50 == 0 else 200,
               "outcome": "error" if n % 50 == 0 else "ok",
               "in_uncached": rng.randrange(1000) if n % 7 else None,
               "cost": rng.randrange(10**13) if known else None,
               "saved": 5 if known else None}


def fetch(r, query=""):
    host = urllib.parse.urlsplit(r.admin.url).netloc
    client = http.client.HTTPConnection(host, timeout=60)
    client.request("GET", "/api/usage.csv" + query, headers={
        "authorization": f"Bearer {r.admin.token}"})
    answer = client.getresponse()
    body = answer.read()
    client.close()
    if answer.status != 200:
        raise Failed(answer.status, body)
    assert answer.getheader("content-type").startswith("text/csv"), answer
    assert "usage.csv" in answer.getheader("content-disposition"), answer
    text = body.decode()
    assert text.endswith("\r\n"), text[-80:]
    table = list(csv.reader(io.StringIO(text, newline="")))
    widths = {len(line) for line in table}
    assert widths == {len(table[0])}, widths
    return table[0], [dict(zip(table[0], line)) for line in table[1:]]


def described(r, what):
    """The columns that openapi.json promises."""
    words = r.admin.get("/api/openapi.json")["paths"]["/api/usage.csv"]["get"][
        "description"]
    return re.search(f"Columns of {what}: ([^.]*)\\.", words)[1].split(", ")


@test
def every_row_is_in_the_file_once_and_as_it_is(build):
    with Routex(build, planes=0) as r:
        past.live_through(r, rows_of_a_month())
        head, rows = fetch(r, "?range=60d")
        assert head == described(r, "rows"), head
        assert len(rows) == COUNT, len(rows)
        want = r.sql("select id, tag, in_uncached, cost, status from request "
                     "order by started_ms desc, id desc")
        for row, (number, tag, tokens, cost, status) in zip(rows, want):
            assert row["id"] == str(number), (row, number)
            bare = row["tag"].removeprefix("'")
            assert bare == tag, (row["tag"], tag)
            assert (row["tag"] != tag) == (tag[0] in "=+-@\t"), row["tag"]
            assert row["input_tokens"] == (
                "" if tokens is None else str(tokens)), (row, tokens)
            assert row["status"] == str(status), row
            if cost is None:
                assert row["cost_usd"] == "", row
            else:
                assert Decimal(row["cost_usd"]) * 10**12 == cost, (row, cost)
        # The filters, each against SQL.
        since = past.now_ms() - 10 * past.DAY_MS
        for query, where in (
                ("tenant=tnt_2", "tenant_id = 'tnt_2'"),
                ("key=key_4", "key_id = 'key_4'"),
                ("channel=chn_3", "channel_id = 'chn_3'"),
                ("model=m-5", "model = 'm-5'"),
                ("tenant=tnt_1&channel=chn_1&model=m-1",
                 "tenant_id = 'tnt_1' and channel_id = 'chn_1' and "
                 "model = 'm-1'"),
                ("status=500", "status = 500"),
                ("outcome=error&key=key_2",
                 "outcome = 'error' and key_id = 'key_2'"),
                ("tag=plain", "tag = 'plain'"),
                ("tenant=nobody", "0")):
            _, rows = fetch(r, f"?range=60d&{query}")
            want = r.sql(f"select id from request where {where} "
                         "order by started_ms desc, id desc")
            got = [int(row["id"]) for row in rows]
            assert got == [n for n, in want], (query, len(got), len(want))
        _, rows = fetch(r, "?range=10d")
        want = r.sql("select count(*) from request where started_ms >= ?",
                     since)[0][0]
        assert abs(len(rows) - want) <= 2, (len(rows), want)


@test
def sums_are_those_of_the_rows(build):
    with Routex(build, planes=0) as r:
        past.live_through(r, rows_of_a_month())
        for by, names in (("day,model", ["started_ms / 86400000 * 86400000",
                                         "model"]),
                          ("tenant", ["''", "tenant_id"]),
                          ("day", ["started_ms / 86400000 * 86400000", "''"]),
                          ("tag", ["''", "tag"])):
            head, rows = fetch(r, f"?range=60d&by={by}")
            assert head == described(r, "sums"), head
            want = r.sql(
                f"select {names[0]} a, {names[1]} b, count(*), "
                "sum(cost) from request group by 1, 2 order by 1, 2")
            assert len(rows) == len(want), (by, len(rows), len(want))
            got = sorted(
                (int(row["requests"]), Decimal(row["cost_usd"]))
                for row in rows)
            assert got == sorted(
                (count, Decimal(cost or 0) / 10**12)
                for _, _, count, cost in want), (by, got[:3])
        _, rows = fetch(r, "?range=60d&by=tenant&channel=chn_1")
        assert sum(int(row["requests"]) for row in rows) == COUNT // 5, rows
        assert {row["duration_p50_ms"] for row in rows} == {""}, rows[0]
        for query, field in (("by=week", "by"), ("by=day,hour", "by"),
                             ("by=model,tag", "by"), ("status=x", "status"),
                             ("by=day&status=500", "status"),
                             ("by=hour&range=200d", "by"), ("nope=1", "nope"),
                             ("since=2026-01-02T00:00:00Z&"
                              "until=2026-01-01T00:00:00Z", "since")):
            try:
                fetch(r, "?" + query)
                raise AssertionError(f"{query} was taken")
            except Failed as refused:
                assert refused.status == 400 and \
                    f'"field":"{field}"'.encode() in refused.body, refused


@test
def who_reads_slowly_holds_nobody_up_and_costs_no_memory(build):
    with Routex(build, planes=0) as r:
        past.live_through(r, ({
            "started_ms": past.now_ms() - 60000 - n, "user_agent": "x" * 1500}
            for n in range(COUNT)))
        host = urllib.parse.urlsplit(r.admin.url)
        before = r.control.rss()
        slow = []
        for _ in range(4):
            client = http.client.HTTPConnection(host.netloc, timeout=60)
            client.request("GET", "/api/usage.csv", headers={
                "authorization": f"Bearer {r.admin.token}"})
            slow.append((client, client.getresponse()))
        for _ in range(20):
            assert r.admin.get("/api/requests?limit=5")["data"]
        grown = r.control.rss() - before
        # 20 MB each would have to wait in memory; what is sent ahead does.
        assert sanitized(build) or grown < 40 << 20, grown
        client, answer = slow.pop()
        lines = answer.read().count(b"\r\n")
        assert lines == COUNT + 1, lines
        answer.close()
        for client, answer in slow:  # they leave in the middle
            answer.close()
            client.close()
        assert len(fetch(r)[1]) == COUNT


@test
def the_command_line_saves_it(build):
    with Routex(build, planes=0) as r:
        past.live_through(r, [{"started_ms": past.now_ms() - 5000,
                               "model": f"m-{n}"} for n in range(30)])
        target = r.data_dir / "month.csv"

        def routex(*words):
            return subprocess.run(
                [build / "routex", "usage", "--csv", *words, "--data-dir",
                 r.data_dir], capture_output=True, text=True, timeout=30)
        done = routex()
        assert done.returncode == 0, done.stderr
        assert len(done.stdout.splitlines()) == 31, done.stdout
        done = routex("--by", "model", "--output", target)
        assert done.returncode == 0 and done.stdout == "", done
        assert len(target.read_text().splitlines()) == 31, target.read_text()
        done = routex("--by", "moon", "--output", target)
        assert done.returncode == 1 and "by" in done.stderr, done
        assert not target.exists()


main()
