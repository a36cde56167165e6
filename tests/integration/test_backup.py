"""Backups and the way back: what happened is never lost, whatever is restored."""
import hashlib
import json
import os
import pathlib
import sqlite3
import subprocess
import threading

from contextlib import closing

from harness import Failed, Routex, main, test, wait_until
from peers import Client, Cut

MESSAGE = json.dumps({"model": "demo/demo", "max_tokens": 9, "messages": [
    {"role": "user", "content": "hi"}]}).encode()


def ask(r, method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    with Client(r.control_url, timeout=60) as client:
        return client.request(method, path, {
            "authorization": f"Bearer {r.admin.token}"}, data)


def send(r, client=None):
    with Client(r.url) as mine:
        answer = (client or mine).request("POST", "/v1/messages", {
            "x-api-key": r.key, "anthropic-version": "2023-06-01",
            "content-type": "application/json"}, MESSAGE)
    assert answer.status == 200, (answer.status, answer.body)
    return answer.header("x-routex-request-id")


class Load:
    """Clients that ask without pause; `sent` are the requests answered."""

    def __init__(self, r, clients=3):
        self.r = r
        self.sent = []
        self.wrong = []
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=self.run)
                        for _ in range(clients)]

    def run(self):
        while not self.stop.is_set():
            try:
                self.sent.append(send(self.r))
            except Exception as wrong:  # any of them fails the test
                self.wrong.append(repr(wrong))
                return

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join()

    def reach(self, count):
        wait_until(lambda: self.wrong or len(self.sent) >= count,
                   f"{count} requests", 60)
        assert not self.wrong, self.wrong


def rows_of(r, path="routex.db"):
    """Straight from the file: ids of requests, and what the sums say, with the
    rows that are not in them yet."""
    with closing(sqlite3.connect(f"file:{r.data_dir / path}?mode=ro", uri=True)) as db:
        ids = [row[0] for row in db.execute("select request_id from request")]
        sums = db.execute(
            "select coalesce((select sum(requests) from usage_cube where "
            "level = 1), 0) + (select count(*) from request where id > "
            "coalesce((select value from meta where name = 'rollup_mark'), 0))"
        ).fetchone()[0]
        attempts = db.execute("select count(*) from attempt").fetchone()[0]
    return ids, sums, attempts


def all_there(r, sent):
    """Every request is there once, in the rows and in the sums."""
    def there():
        ids, sums, attempts = rows_of(r)
        return min(len(ids), sums) >= len(sent) and (ids, sums, attempts)
    ids, sums, attempts = wait_until(there, f"{len(sent)} rows", 60)
    assert sorted(ids) == sorted(sent), (len(ids), len(sent))
    assert sums == len(sent), (sums, len(sent))
    assert attempts == len(sent), (attempts, len(sent))


def restarted(r, epoch):
    """The control plane is a new one, and the planes follow it."""
    def new():
        try:
            state = r.admin.get("/api/planes")
        except (OSError, Cut, Failed):
            return None
        return all(p["connected"] and p["in_sync"] and int(p["applied"]["epoch"]) > epoch
                   for p in state["data"]) and state["data"]
    return wait_until(new, "the planes to follow the restored store", 60)


def epoch_of(r):
    return max(int(p["applied"]["epoch"]) for p in r.admin.get("/api/planes")["data"])


@test
def backup_and_restore_under_load_lose_no_record(build):
    with Routex(build, demo=True, planes=2) as r:
        r.admin.post("/api/tenants", {"name": "before"})
        with Load(r) as load:
            load.reach(30)
            wait_until(lambda: len(rows_of(r)[0]) > 20, "rows to back up", 60)
            made = ask(r, "POST", "/api/config/backup")
            assert made.status == 201, made.body
            name = made.json()["data"]["name"]
            in_backup = made.json()["data"]["requests"]
            r.admin.post("/api/tenants", {"name": "after"})
            wait_until(lambda: len(rows_of(r)[0]) > in_backup + 50,
                       "rows that are not in the backup", 60)
            epoch = epoch_of(r)
            done = ask(r, "POST", f"/api/config/backups/{name}/restore")
            assert done.status == 200, done.body
            seen = len(load.sent)
            restarted(r, epoch)
            load.reach(seen + 50)
        told = done.json()["data"]
        assert told["requests_lost"] == 0 and not told["not_kept"], told
        assert told["requests_kept"] > 0, told
        all_there(r, load.sent)
        names = {t["name"] for t in r.admin.get("/api/tenants")["data"]}
        assert names == {"default", "before"}, names
        assert pathlib.Path(told["aside"]).exists(), told
        with closing(sqlite3.connect(f"file:{told['aside']}?mode=ro", uri=True)) as db:
            kept = {row[0] for row in db.execute("select name from tenant")}
        assert kept == {"default", "before", "after"}, kept
        lines = r.admin.get("/api/audit?limit=200")["data"]
        actions = [(x["action"], x["kind"]) for x in lines]
        assert ("restore", "backup") in actions, actions
        assert ("create", "tenant") in actions, actions
        print(f"  {len(load.sent)} requests sent, {in_backup} in the backup, "
              f"{told['requests_kept']} carried over")


@test
def a_backup_is_the_state_of_one_moment_and_describes_itself(build):
    with Routex(build, demo=True) as r:
        for _ in range(5):
            send(r)
        wait_until(lambda: len(rows_of(r)[0]) == 5, "5 rows")
        made = ask(r, "POST", "/api/config/backup").json()["data"]
        file = r.data_dir / "backups" / f"{made['name']}.db"
        assert file.stat().st_mode & 0o777 == 0o600
        assert made["requests"] == 5 and made["bytes"] == file.stat().st_size
        digest = hashlib.blake2b(file.read_bytes(), digest_size=32).hexdigest()
        assert made["digest"] == digest, made
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
            assert db.execute("pragma integrity_check").fetchone()[0] == "ok"
            assert db.execute("pragma journal_mode").fetchone()[0] == "delete"
        listed = r.admin.get("/api/config/backups")["data"]
        assert listed == [made], listed
        assert {p.name for p in file.parent.iterdir()} == {
            file.name, f"{made['name']}.json"}


@test
def a_backup_that_was_changed_is_not_restored(build):
    with Routex(build, planes=0) as r:
        made = ask(r, "POST", "/api/config/backup").json()["data"]
        file = r.data_dir / "backups" / f"{made['name']}.db"
        before = file.read_bytes()
        file.write_bytes(before[:-9] + b"x" + before[-8:])
        done = ask(r, "POST", f"/api/config/backups/{made['name']}/restore")
        assert done.status == 500, done.body
        assert "was changed since it was made" in done.json()[
            "error"]["message"], done.body
        r.admin.post("/api/tenants", {"name": "still-here"})
        assert ask(r, "POST", "/api/config/backups/routex-1/restore"
                   ).status == 404
        file.write_bytes(before)
        done = ask(r, "POST", "/api/config/backups/latest/restore")
        assert done.status == 200, done.body
        wait_until(lambda: not has_tenant(r, "still-here"), "the restart")


def has_tenant(r, name):
    try:
        return any(t["name"] == name
                   for t in r.admin.get("/api/tenants")["data"])
    except (OSError, Cut, Failed):
        return True


@test
def backups_are_made_by_themselves_and_only_some_are_kept(build):
    with Routex(build, planes=0) as r:
        r.admin.call("PATCH", "/api/settings", {
            "backups": {"every_s": 1, "keep": 2}})
        first = wait_until(
            lambda: r.admin.get("/api/config/backups")["data"],
            "a first backup", 60)[0]["name"]

        def moved_on():
            names = [b["name"] for b in r.admin.get(
                "/api/config/backups")["data"]]
            return first not in names and names
        names = wait_until(moved_on, "the first one to make room", 90)
        assert len(names) == 2, names
        r.admin.call("PATCH", "/api/settings", {"backups": {"every_s": 0}})


@test
def nothing_is_changed_while_a_store_is_being_restored(build):
    with Routex(build, planes=0) as r:
        with closing(sqlite3.connect(r.data_dir / "routex.db")) as db:
            db.executemany(
                "insert into audit (at_ms, actor, action, kind, item_id, name,"
                " detail) values (?, 'x', 'create', 'key', '', ?, ?)",
                [(n, str(n), "{}" + " " * 400) for n in range(60000)])
            db.commit()
        made = ask(r, "POST", "/api/config/backup").json()["data"]
        answers = []
        thread = threading.Thread(target=lambda: answers.append(ask(
            r, "POST", f"/api/config/backups/{made['name']}/restore")))
        thread.start()
        refused, made_during = 0, []
        number = 0
        while thread.is_alive():
            number += 1
            try:
                r.admin.post("/api/tenants", {"name": f"t{number}"})
                made_during.append(f"t{number}")
            except Failed as why:
                assert why.status == 503, why
                refused += 1
            except (OSError, Cut):
                break
        thread.join()
        assert answers[0].status == 200, answers[0].body
        wait_until(lambda: not has_tenant(r, "nobody"), "the restart")
        assert refused > 0, (refused, made_during)


class Shell:
    def __init__(self, r, build):
        self.program = pathlib.Path(build) / "routex"
        self.env = {"PATH": os.environ["PATH"], "HOME": str(r.folder),
                    "ROUTEX_URL": r.control_url, "ROUTEX_TOKEN": r.admin.token,
                    "ROUTEX_DATA_DIR": str(r.data_dir)}
        self.folder = r.folder

    def run(self, *words):
        return subprocess.run([str(self.program), *words], text=True,
                              capture_output=True, timeout=60, env=self.env,
                              cwd=self.folder)


@test
def the_command_line_goes_there_and_back(build):
    with Routex(build, planes=0) as r:
        sh = Shell(r, build)
        done = sh.run("config", "backup")
        assert done.returncode == 0 and "is made and checked" in done.stdout
        assert "routex-2" in sh.run("config", "backups").stdout
        r.admin.post("/api/tenants", {"name": "late"})
        done = sh.run("config", "restore", "latest")
        assert done.returncode == 0 and "is in place" in done.stdout, done
        wait_until(lambda: not has_tenant(r, "late"), "the restart")
        done = sh.run("config", "restore", "latest", "--offline")
        assert done.returncode == 1, done
        assert "another control plane is running" in done.stderr, done


main()
