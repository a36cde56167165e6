"""The planes without each other, and without a disk: requests are served, and
each is counted exactly once in the end."""
import resource
import threading
import time

from dialects import ALL, ANTHROPIC, CHAT, GEMINI, provider
from harness import Routex, main, test, wait_until
from peers import Cut, Upstream


def channels(url):
    return [ANTHROPIC.channel(url), CHAT.channel(url), GEMINI.channel(url)]


class Load:
    """Clients that ask without pause; every request has a name of its own,
    which its row shows as the model asked for."""

    def __init__(self, routex, clients=4):
        self.routex = routex
        self.stopping = threading.Event()
        self.whole, self.broken = [], []
        self.threads = [
            threading.Thread(target=self._ask, args=(n,), daemon=True)
            for n in range(clients)]
        for thread in self.threads:
            thread.start()

    def _ask(self, number):
        count = 0
        while not self.stopping.is_set():
            count += 1
            name = f"r-{number}-{count}"
            dialect = ALL[count % len(ALL)]
            try:
                answer = self._one(dialect, count % 2 == 0, name)
            except (OSError, Cut) as broken:
                self.broken.append((name, str(broken)))
                continue
            if answer.status == 200 and answer.clean:
                self.whole.append(name)
            else:
                self.broken.append((name, answer.status, answer.body[-99:]))

    def _one(self, dialect, stream, name):
        r = self.routex
        with r.connect() as client:
            return client.request("POST", dialect.path(stream, name), {
                **dialect.credential(r.key)},
                dialect.request(stream, model=name))

    def past(self, count, deadline=30):
        """Waits for `count` more whole answers."""
        goal = len(self.whole) + count
        wait_until(lambda: len(self.whole) >= goal,
                   f"{count} more answers; broken: {self.broken[:3]}",
                   deadline)

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join()


def counted(r):
    return r.sql("select model_requested, count(*) from request group by 1")


def all_counted_once(r, names, deadline=30):
    wanted = set(names)
    wait_until(lambda: wanted <= {name for name, _ in counted(r)},
               f"{len(wanted)} requests to be counted", deadline)
    doubled = [row for row in counted(r) if row[1] != 1]
    assert not doubled, doubled
    rows, = r.sql("select count(*) from request")[0]
    hours = r.admin.get("/api/analytics/summary?range=1d")["data"][
        "total"]["requests"]
    assert rows == hours, (rows, hours)


@test
def the_control_plane_killed_under_load_fails_and_loses_nothing(build):
    with Upstream(provider) as upstream:
        with Routex(build, channels(upstream.url), planes=2) as r:
            load = Load(r)
            load.past(40)
            for _ in range(3):
                r.control.kill()
                load.past(60)
                r.restart_control()
                load.past(40)
            load.stop()
            assert not load.broken, load.broken[:5]
            all_counted_once(r, load.whole)
            total, = r.sql("select count(*) from request")[0]
            assert total == len(load.whole), (total, len(load.whole))


@test
def a_data_plane_killed_with_an_unsent_journal_loses_nothing(build):
    with Upstream(provider) as upstream:
        with Routex(build, channels(upstream.url)) as r:
            r.control.kill()
            names = [f"n-{n}" for n in range(60)]
            for n, name in enumerate(names):
                dialect = ALL[n % 4]
                with r.connect() as client:
                    assert client.request(
                        "POST", dialect.path(n % 3 == 0, name),
                        dialect.credential(r.key),
                        dialect.request(n % 3 == 0, model=name)).clean
            assert any(f.stat().st_size for f in r.journal())
            r.plane.kill()
            r.restart_control()
            r.restart_plane()
            all_counted_once(r, names)
            assert r.ask(CHAT).status == 200
            r.rows(len(names) + 1)


@test
def a_data_plane_starts_from_its_last_snapshot_without_a_control_plane(build):
    with Upstream(provider) as upstream:
        with Routex(build, channels(upstream.url)) as r:
            assert r.ask(CHAT).status == 200
            r.rows(1)
            r.control.kill()
            r.restart_plane()
            for dialect in ALL:
                for stream in (False, True):
                    answer = r.ask(dialect, stream)
                    assert answer.status == 200, (dialect, answer.body)
            health = r.health()
            assert health["control"] == "lost", health
            assert r.ask(CHAT, key="rtx_wrong").status == 401
            r.restart_control()
            wait_until(lambda: r.health()["control"] == "connected",
                       "the control plane to be heard")
            r.rows(9)


@test
def the_snapshot_on_disk_holds_no_secret_in_clear(build):
    with Upstream(provider) as upstream:
        with Routex(build, channels(upstream.url)) as r:
            assert r.ask(CHAT).status == 200
            r.rows(1)
            for path in r.data_dir.rglob("*"):
                if path.is_file():
                    held = path.read_bytes()
                    assert b"sk-up-1" not in held, path
                    assert r.key.encode() not in held, path
            assert r.data_dir.stat().st_mode & 0o077 == 0


@test
def a_damaged_snapshot_falls_back_to_the_one_before(build):
    with Upstream(provider) as upstream:
        with Routex(build, channels(upstream.url)) as r:
            for n in range(3):  # several generations
                r.new_key()
            r.control.kill()
            r.plane.kill()
            folder = r.data_dir / "data" / "data-1"
            kept = sorted((f for f in folder.glob("snapshot.*")),
                          key=lambda f: f.stat().st_mtime_ns)
            assert len(kept) >= 2, kept
            newest = kept[-1]
            newest.write_bytes(newest.read_bytes()[:-7] + b"\0" * 7)
            r.start_plane("data-1")
            assert r.ask(CHAT).status == 200


@test
def a_new_data_plane_without_a_control_plane_says_it_is_not_ready(build):
    with Upstream(provider) as upstream:
        with Routex(build, channels(upstream.url)) as r:
            r.control.kill()
            r.start_plane("data-9")
            with r.connect("data-9") as client:
                answer = client.request(
                    "POST", CHAT.path(), CHAT.credential(r.key),
                    CHAT.request())
                assert answer.status == 503, answer.status
                CHAT.error(answer.body)
            r.restart_control()
            wait_until(lambda: r.admits("data-9", r.key),
                       "the new plane to get its configuration")


@test
def a_data_plane_whose_disk_is_full_keeps_serving_and_says_so(build):
    small = [(resource.RLIMIT_FSIZE, 24 << 10)]
    with Upstream(provider) as upstream:
        with Routex(build, channels(upstream.url)) as r:
            r.control.kill()
            plane = r.restart_plane(limits=small)
            asked = 400
            with r.connect() as client:
                for n in range(asked):
                    answer = client.request(
                        "POST", CHAT.path(), CHAT.credential(r.key),
                        CHAT.request(model=f"full-{n}"))
                    assert answer.status == 200, (n, answer.body)
            assert plane.alive()
            r.restart_control()

            def accounted():
                rows, = r.sql("select count(*) from request where "
                              "model_requested like 'full-%'")[0]
                lost, = r.sql(
                    "select coalesce(sum(dropped), 0) from plane_progress")[0]
                return rows + lost == asked
            wait_until(accounted, "each request to be a row or told as lost")
            assert not [row for row in counted(r) if row[1] != 1]


@test
def a_control_plane_whose_disk_is_full_loses_nothing(build):
    with Upstream(provider) as upstream:
        with Routex(build, channels(upstream.url)) as r:
            store = r.data_dir / "routex.db"
            size = max(f.stat().st_size
                       for f in r.data_dir.glob("routex.db*"))
            assert store.exists()
            r.control.kill()
            r.start_control(limits=[
                (resource.RLIMIT_FSIZE, size + (64 << 10))])
            names = [f"n-{n}" for n in range(600)]
            with r.connect() as client:
                for name in names:
                    answer = client.request(
                        "POST", CHAT.path(), CHAT.credential(r.key),
                        CHAT.request(model=name))
                    assert answer.status == 200, answer.body
            time.sleep(1.5)  # let it run into the wall
            r.control.expected |= {0, 1}
            r.restart_control()
            all_counted_once(r, names)


main()
