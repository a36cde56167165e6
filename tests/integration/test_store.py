"""The store when something is wrong with it, or when it is an old one."""
import ctypes
import hashlib
import json
import os
import re
import sqlite3
import subprocess
from contextlib import closing

from harness import LIBC, ROOT, Failed, Routex, main, test, wait_until
from peers import Client

SECRET = "sk-test-000011112222"
KEY = "rtx_of-an-old-store-0123456789"
MIGRATIONS = sorted((ROOT / "controlplane" / "migrations").glob("*.sql"))


def control(build, **more):
    return Routex(build, planes=0, **more)


def refuses(r, *flags):
    """The control plane does not start; what it says."""
    done = subprocess.run(
        [str(r.build / "routex-control"), "--data-dir", str(r.data_dir),
         "--admin-port", "0", *flags], capture_output=True, text=True,
        timeout=60)
    assert done.returncode == 1, done
    return done.stderr


def offline(r, *words):
    return subprocess.run(
        [str(r.build / "routex"), *words, "--data-dir", str(r.data_dir)],
        capture_output=True, text=True, timeout=60,
        env={"PATH": os.environ["PATH"], "HOME": str(r.folder)})


def tenants(r):
    return {t["name"] for t in r.admin.get("/api/tenants")["data"]}


def digest_of(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


# -- damage ---------------------------------------------------------------------


@test
def a_damaged_store_is_refused_left_alone_and_restored(build):
    with control(build) as r:
        r.admin.post("/api/tenants", {"name": "kept"})
        r.admin.post("/api/config/backup")
        r.admin.post("/api/tenants", {"name": "late"})
        r.control.stop()
        file = r.data_dir / "routex.db"
        whole = file.read_bytes()
        for damage in (b"not a database at all " * 400,
                       whole[:16] + os.urandom(8000) + whole[8016:]):
            file.write_bytes(damage)
            before = digest_of(file)
            said = refuses(r)
            assert "damaged" in said, said
            assert "routex config restore latest --offline" in said, said
            assert digest_of(file) == before, "it was changed"
        done = offline(r, "config", "restore", "latest", "--offline")
        assert done.returncode == 0, done
        assert "is in place" in done.stdout, done
        r.start_control()
        assert tenants(r) == {"default", "kept"}, tenants(r)
        asides = list(r.data_dir.glob("routex.db.before-*"))
        assert len(asides) == 1 and asides[0].read_bytes()[:100] == (
            damage[:100]), asides


@test
def rows_that_can_still_be_read_are_carried_over(build):
    with Routex(build, demo=True) as r:
        r.admin.post("/api/config/backup")
        for _ in range(300):
            ask(r)
        wait_until(lambda: count(r) == 300, "300 rows")
        r.control.stop()
        file = r.data_dir / "routex.db"
        with closing(sqlite3.connect(file)) as db:
            db.execute("pragma wal_checkpoint(truncate)")
            root, size = db.execute(
                "select rootpage, (select page_size from pragma_page_size) "
                "from sqlite_master where name = 'tenant'").fetchone()
        with open(file, "r+b") as f:
            f.seek((root - 1) * size)
            f.write(b"\xff" * size)
        done = offline(r, "config", "restore", "latest", "--offline")
        assert done.returncode == 0, done
        assert re.search(r"300 requests that came after it were kept",
                         done.stdout), done
        r.start_control()
        assert count(r) == 300, count(r)
        assert "default" in tenants(r)


def ask(r, key=None):
    with Client(r.url) as client:
        answer = client.request("POST", "/v1/messages", {
            "x-api-key": key or r.key, "anthropic-version": "2023-06-01",
            "content-type": "application/json"}, json.dumps({
                "model": "demo/demo", "max_tokens": 9, "messages": [
                    {"role": "user", "content": "hi"}]}).encode())
    assert answer.status == 200, (answer.status, answer.body)


def count(r):
    with closing(sqlite3.connect(
            f"file:{r.data_dir / 'routex.db'}?mode=ro", uri=True)) as db:
        return db.execute("select count(*) from request").fetchone()[0]


@test
def a_store_that_is_gone_is_not_quietly_begun_anew(build):
    with control(build) as r:
        r.admin.post("/api/tenants", {"name": "kept"})
        r.admin.post("/api/config/backup")
        r.control.stop()
        file = r.data_dir / "routex.db"
        for way in (file.unlink, file.touch):
            way()
            said = refuses(r)
            assert "there are backups of it" in said, said
            assert not file.exists() or file.stat().st_size == 0
        file.unlink()
        done = offline(r, "config", "restore", "latest", "--offline")
        assert done.returncode == 0, done
        r.start_control()
        assert tenants(r) == {"default", "kept"}, tenants(r)


# -- a lock ---------------------------------------------------------------------


@test
def a_locked_store_refuses_changes_and_loses_no_record(build):
    with Routex(build, demo=True) as r:
        with closing(sqlite3.connect(
                r.data_dir / "routex.db", isolation_level=None)) as db:
            db.execute("begin immediate")
            for _ in range(20):
                ask(r)
            try:
                r.admin.post("/api/tenants", {"name": "no"})
                raise AssertionError("a locked store was changed")
            except Failed as why:
                assert why.status == 503, why
                assert b"keeps the store locked" in why.body, why.body
            assert r.admin.get("/api/tenants")["data"]
            db.execute("rollback")
        r.admin.post("/api/tenants", {"name": "yes"})
        wait_until(lambda: count(r) == 20, "the 20 records", 60)


# -- a full disk ----------------------------------------------------------------


def mount(path, size):
    """A small disk of our own; why not, when it cannot be."""
    LIBC.mount.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p,
                           ctypes.c_ulong, ctypes.c_char_p]
    if LIBC.mount(b"tmpfs", str(path).encode(), b"tmpfs", 0,
                  f"size={size}".encode()) == 0:
        return None
    return os.strerror(ctypes.get_errno())


@test
def a_full_disk_refuses_what_needs_room_and_recovers(build):
    r = control(build)
    r.data_dir.mkdir(mode=0o700)
    why = mount(r.data_dir, 4 << 20)
    if why:
        print(f"  skipped: a disk of a test's own cannot be mounted: {why}")
        return
    try:
        with r:
            r.admin.post("/api/tenants", {"name": "before"})
            fill = r.data_dir / "fill"
            with open(fill, "wb", buffering=0) as f:
                try:
                    while f.write(b"x" * 4096):
                        pass
                except OSError:
                    pass
            refused = None
            for number in range(400):
                try:
                    r.admin.post("/api/tenants", {"name": f"t{number}"})
                except Failed as failed:
                    refused = failed
                    break
            assert refused and refused.status == 503, refused
            assert b"disk is full" in refused.body, refused.body
            try:
                r.admin.post("/api/config/backup")
                raise AssertionError("a backup on a full disk")
            except Failed as failed:
                assert failed.status == 503, failed
            assert not list((r.data_dir / "backups").glob("*.part")), "rest"
            have = tenants(r)
            assert {"default", "before"} <= have, have
            fill.unlink()
            r.admin.post("/api/tenants", {"name": "after"})
            r.admin.post("/api/config/backup")
            assert tenants(r) == have | {"after"}, tenants(r)
    finally:
        LIBC.umount(str(r.data_dir).encode())


# -- the master key -------------------------------------------------------------


@test
def a_lost_or_wrong_master_key_changes_nothing_and_can_be_given_up(build):
    with control(build) as r:
        r.admin.post("/api/channels", {"name": "main", "type": "openai",
                                       "api_key": SECRET})
        r.admin.post("/api/channels", {
            "name": "free", "type": "openai-compatible",
            "base_url": "http://127.0.0.1:9"})
        keys = r.admin.get("/api/keys")["data"]
        token = r.admin.token
        r.control.stop()
        key_file = r.data_dir / "master.key"
        right = key_file.read_bytes()
        file = r.data_dir / "routex.db"
        before = digest_of(file)
        key_file.unlink()
        said = refuses(r)
        assert "the master key is lost" in said, said
        assert "--forget-secrets" in said and not key_file.exists(), said
        key_file.write_bytes(os.urandom(len(right)))
        key_file.chmod(0o600)
        said = refuses(r)
        assert "is not the master key this store was made with" in said, said
        assert digest_of(file) == before
        # The right one back: nothing has happened.
        key_file.write_bytes(right)
        r.start_control()
        r.control.stop()
        key_file.unlink()
        done = subprocess.run(
            [str(r.build / "routex-control"), "--data-dir", str(r.data_dir),
             "--forget-secrets"], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 and "main" in done.stdout, done
        r.start_control()
        assert r.admin.token == token
        channel = r.admin.get("/api/channels/main")["data"]
        assert channel["status"] == "disabled" and not channel["keys"], channel
        assert r.admin.get("/api/channels/free")["data"][
            "status"] == "enabled"
        assert r.admin.get("/api/keys")["data"] == keys
        r.admin.call("PATCH", "/api/channels/main", {
            "api_key": SECRET, "status": "enabled"})
        assert SECRET.encode() not in file.read_bytes()


# -- upgrades -------------------------------------------------------------------


def old_store(path, level):
    """A store as the migrations up to `level` made it, with things in it."""
    with closing(sqlite3.connect(path)) as db:
        for file in MIGRATIONS[:level]:
            db.executescript(file.read_text())
        db.execute(f"pragma user_version = {level}")
        db.execute(f"pragma application_id = {0x52747831}")
        db.execute("insert into tenant (id, name, status, models, channels, "
                   "created_ms, updated_ms, rev) values ('ten_1', 'old', "
                   "'enabled', '[]', '[]', 1, 1, 1)")
        db.execute("insert into client_key (id, name, tenant_id, digest, "
                   "last4, status, expires_ms, may_force_channel, models, "
                   "channels, created_ms, updated_ms, rev) values ('key_1', "
                   "'old', 'ten_1', ?, '6789', 'enabled', 0, 1, '[]', '[]', "
                   "1, 1, 1)", (hashlib.blake2b(
                       KEY.encode(), digest_size=32).digest(),))
        db.execute("insert into admin_token (id, name, digest, last4, "
                   "created_ms) values ('tok_1', 'old', ?, '6789', 1)",
                   (hashlib.blake2b(b"rta_old-token-0123456789",
                                    digest_size=32).digest(),))
        columns = [row[1] for row in db.execute("pragma table_info(request)")
                   if row[3] and row[4] is None and row[1] != "id"]
        kinds = {row[1]: row[2] for row in
                 db.execute("pragma table_info(request)")}
        for seq in range(1, 51):
            values = [seq if c == "seq" else 7 if c == "boot" else
                      1700000000000 + seq if c == "started_ms" else
                      f"req_{seq}" if c == "request_id" else
                      "reported" if c == "provenance" else
                      "ok" if c == "outcome" else
                      200 if c == "status" else
                      0 if kinds[c] == "INTEGER" else "x" for c in columns]
            db.execute(f"insert into request ({', '.join(columns)}) values "
                       f"({', '.join('?' * len(columns))})", values)
        db.execute("insert into setting (id, body, rev, updated_ms) values "
                   "(1, '{\"strategy\":\"weighted\"}', 1, 1)")
        db.commit()
    path.chmod(0o600)


@test
def a_store_of_any_earlier_schema_is_brought_up_to_date(build):
    last = len(MIGRATIONS)
    for level in sorted({1, 4, last - 1}):
        r = control(build)
        r.data_dir.mkdir(mode=0o700)
        old_store(r.data_dir / "routex.db", level)
        r.control_args = ["--admin-api-key", "the-old-admin-key-0"]
        r.__class__ = Upgraded
        with r:
            assert {"old"} <= tenants(r), tenants(r)
            keys = {k["name"]: k for k in r.admin.get("/api/keys")["data"]}
            assert keys["old"]["last4"] == "6789", keys
            assert len(r.admin.rows()) == 50, (level, len(r.admin.rows()))
            assert r.admin.get("/api/settings")["data"][
                "strategy"] == "weighted"
            with closing(sqlite3.connect(r.data_dir / "routex.db")) as db:
                version = db.execute("pragma user_version").fetchone()[0]
            assert version == last, (level, version)
            r.admin.post("/api/channels", {"name": "new", "type": "openai",
                                           "api_key": SECRET})
            r.restart_control()
            assert len(r.admin.rows()) == 50


class Upgraded(Routex):
    """Not a new store: nothing is printed, and the token is one we know."""

    def _first_words(self):
        return json.dumps({"admin_token": "the-old-admin-key-0",
                           "client_key": KEY})


@test
def clients_of_an_upgraded_store_notice_nothing(build):
    r = Routex(build, demo=True)
    r.data_dir.mkdir(mode=0o700)
    old_store(r.data_dir / "routex.db", len(MIGRATIONS) - 1)
    r.control_args = ["--admin-api-key", "the-old-admin-key-0"]
    r.__class__ = Upgraded
    with r:
        ask(r, KEY)
        wait_until(lambda: count(r) == 51, "the new row beside the old ones")


@test
def a_store_of_a_newer_program_is_refused(build):
    with control(build) as r:
        r.control.stop()
        with closing(sqlite3.connect(r.data_dir / "routex.db")) as db:
            db.execute("pragma user_version = 9999")
        assert "newer version of Routex" in refuses(r)
        with closing(sqlite3.connect(r.data_dir / "routex.db")) as db:
            db.execute(f"pragma user_version = {len(MIGRATIONS)}")
        r.start_control()


main()
