"""Requests as they finish, over server-sent events."""
import json
import sqlite3
import subprocess
import threading
import time

from dialects import CHAT
from harness import Routex, main, sanitized, test, wait_until
from peers import Client, Cut


class Feed:
    """A reader of GET /api/requests/live."""

    def __init__(self, r, query="", last=None, url=None, buffer=None):
        self.client = Client(url or r.control_url, receive_buffer=buffer)
        headers = {"authorization": f"Bearer {r.admin.token}"}
        if last is not None:
            headers["last-event-id"] = last
        self.client.send_request(
            "GET", f"/api/requests/live{query}", headers)
        self.answer = self.client.answer()
        assert self.answer.status == 200, self.answer.read().body
        kind = self.answer.header("content-type")
        assert kind == "text/event-stream", kind
        self.last = None
        self.held = b""
        self.source = self.answer.pieces()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.close()

    def block(self):
        """The lines of the next block."""
        while b"\n\n" not in self.held:
            try:
                self.held += next(self.source)
            except StopIteration:
                raise Cut("the stream has ended") from None
        block, _, self.held = self.held.partition(b"\n\n")
        return block.decode().split("\n")

    def next(self, *wanted):
        """(name, data) of the next event, or the next of that name."""
        while True:
            fields = {}
            for line in self.block():
                name, _, value = line.partition(":")
                fields[name] = value.removeprefix(" ")
            if fields.get("id"):
                self.last = fields["id"]
            if "data" in fields and (
                    not wanted or fields["event"] in wanted):
                return fields["event"], json.loads(fields["data"])


def ask(r, **more):
    answer = r.ask(CHAT, model="demo-model", **more)
    assert answer.status == 200, answer.body
    return answer.header("x-routex-request-id")


@test
def a_finished_request_is_told_as_the_list_shows_it(build):
    with Routex(build, demo=True) as r, Feed(r) as feed:
        name = ask(r)
        kind, row = feed.next("request")
        assert row["request_id"] == name, row
        listed = r.admin.get("/api/requests?limit=1")["data"][0]
        assert row == listed, (row, listed)
        assert feed.last == row["id"], (feed.last, row["id"])


@test
def it_is_told_on_the_clients_port_too(build):
    with Routex(build, demo=True) as r, Feed(r, url=r.url) as feed:
        name = ask(r)
        assert feed.next("request")[1]["request_id"] == name


@test
def who_comes_back_misses_nothing(build):
    with Routex(build, demo=True) as r:
        with Feed(r) as feed:
            first = ask(r)
            assert feed.next("request")[1]["request_id"] == first
            last = feed.last
        missed = [ask(r) for _ in range(3)]
        r.rows(4)
        with Feed(r, last=last) as feed:
            got = [feed.next("request")[1]["request_id"] for _ in missed]
            assert got == missed, (got, missed)
        with Feed(r) as feed:  # without the id: only what is to come
            new = ask(r)
            assert feed.next("request")[1]["request_id"] == new
        with Feed(r, f"?last_event_id={last}") as feed:
            assert feed.next("request")[1]["request_id"] == missed[0]


@test
def a_restarted_control_plane_goes_on_where_it_was(build):
    with Routex(build, demo=True) as r:
        with Feed(r) as feed:
            ask(r)
            feed.next("request")
            last = feed.last
        r.restart_control()
        name = ask(r)
        r.row_of(name)
        with Feed(r, last=last) as feed:
            assert feed.next("request")[1]["request_id"] == name


@test
def a_filter_holds(build):
    with Routex(build, demo=True) as r:
        key = r.new_key(name="special")
        with Feed(r, "?key=special&stats=false") as feed:
            ask(r)
            wanted = ask(r, key=key)
            row = feed.next()[1]
            assert row["request_id"] == wanted, row
            assert row["key"] == "special", row


@test
def wrong_parameters_are_named_before_anything_streams(build):
    with Routex(build, planes=0) as r:
        for query, name in (("stats=maybe", "stats"), ("foo=1", "foo"),
                            ("status=5", "status"),
                            ("last_event_id=x", "last_event_id")):
            with Client(r.control_url) as client:
                answer = client.request(
                    "GET", f"/api/requests/live?{query}",
                    {"authorization": f"Bearer {r.admin.token}"})
            assert answer.status == 400, (query, answer.status)
            error = answer.json()["error"]
            assert error["field"] == name, error


@test
def stats_come_by_themselves_and_count(build):
    with Routex(build, demo=True) as r, Feed(r) as feed:
        seen = {"requests": 0.0, "tokens": 0.0}
        for _ in range(5):
            ask(r)

        def counted():
            stats = feed.next("stats")[1]
            assert [p["id"] for p in stats["planes"]] == ["data-1"], stats
            assert stats["errors_per_s"] == 0, stats
            seen["requests"] += stats["requests_per_s"]
            seen["tokens"] += stats["tokens_per_s"]
            return seen["requests"] > 0 and seen["tokens"] > 0
        wait_until(counted, "stats that count requests")


@test
def streams_under_way_are_in_the_stats(build):
    with Routex(build, demo=True) as r, Feed(r) as feed, r.connect() as c:
        c.send_request("POST", CHAT.path(True), {
            **CHAT.credential(r.key), "content-type": "application/json",
            "x-demo": "delay-ms=20000 events=4"},
            CHAT.request(True, model="demo-model"))
        wait_until(lambda: feed.next("stats")[1]["active"] == 1,
                   "stats that tell what is under way")


@test
def a_slow_reader_gets_a_gap_and_the_newest(build):
    """20000 rows while it reads nothing: bounded, and told."""
    with Routex(build, demo=True, planes=1) as r:
        with Feed(r, "?stats=false", buffer=4096) as feed:
            ask(r)
            first = feed.next("request")[1]
            before = r.control.rss()
            with sqlite3.connect(r.data_dir / "routex.db", timeout=20) as db:
                names = [row[1] for row in db.execute(
                    "select * from pragma_table_info('request')")
                    if row[1] not in ("id", "seq")]
                names = ", ".join(names)
                db.execute(
                    f"insert into request (seq, {names}) with recursive "
                    "n(i) as (select 1000 union all select i + 1 from n "
                    f"where i < 20999) select i, {names} from n, request")
            ask(r)
            newest = wait_until(
                lambda: r.sql("select max(id) from request "
                              "having max(id) >= 20002"), "the last row")[0][0]
            missed, seen, last = 0, 0, int(first["id"])
            while last < newest:
                kind, data = feed.next("request", "gap")
                if kind == "gap":
                    missed += data["missed"]
                    last = int(feed.last)
                else:
                    assert int(data["id"]) == last + 1, (data["id"], last)
                    last += 1
                    seen += 1
            grown = r.control.rss() - before
            assert missed > 0, (missed, seen)
            assert missed + seen == 20001, (missed, seen)
            assert sanitized(build) or grown < 16 << 20, grown


@test
def no_more_readers_than_there_is_room_for(build):
    with Routex(build, planes=0) as r:
        feeds = [Feed(r) for _ in range(64)]
        with Client(r.control_url) as client:
            answer = client.request(
                "GET", "/api/requests/live",
                {"authorization": f"Bearer {r.admin.token}"})
        assert answer.status == 503, (answer.status, answer.body)
        feeds.pop().client.close()

        def room():
            with Client(r.control_url) as client:
                client.send_request(
                    "GET", "/api/requests/live",
                    {"authorization": f"Bearer {r.admin.token}"})
                return client.answer().status == 200
        wait_until(room, "room for one more")
        for feed in feeds:
            feed.client.close()


@test
def watching_does_not_keep_the_control_plane_from_stopping(build):
    with Routex(build, planes=0) as r, Feed(r) as feed:
        began = time.monotonic()
        code = r.control.stop()
        assert code == 0, code
        feed.answer.read()
        assert feed.answer.clean, "the stream was cut"
        assert time.monotonic() - began < 15


@test
def the_command_line_follows_over_a_restart(build):
    with Routex(build, demo=True) as r:
        follower = subprocess.Popen(
            [r.build / "routex", "requests", "--follow", "--json",
             "--data-dir", r.data_dir], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, cwd=r.folder)
        try:
            # Until it listens, requests are not its business.
            got = []
            reader = threading.Thread(target=lambda: got.extend(
                iter(lambda: follower.stdout.readline(), "")), daemon=True)
            reader.start()
            def heard():
                ask(r)
                assert follower.poll() is None, follower.stderr.read()
                return got
            wait_until(heard, "the first line")
            r.restart_control()
            name = ask(r)
            wait_until(lambda: any(json.loads(line)["request_id"] == name
                                   for line in list(got)), "the last line")
            ids = [int(json.loads(line)["id"]) for line in list(got)]
            assert ids == list(range(ids[0], ids[0] + len(ids))), ids
        finally:
            follower.kill()
            follower.wait()
            follower.stdout.close()
            follower.stderr.close()


main()
