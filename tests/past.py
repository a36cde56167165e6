"""A past for tests: rows in the store of a control plane that is not running."""
import contextlib
import sqlite3
import time

HOUR_MS = 3600 * 1000
DAY_MS = 24 * HOUR_MS

TEXTS = ("request_id", "tenant_id", "key_id", "dialect", "operation",
         "model_requested", "model", "model_served", "channel_id", "channel",
         "rule", "session", "tag", "agent", "client", "user_agent",
         "client_ip", "outcome",
         "reason", "finish", "service_tier", "provenance", "trace")
DEFAULTS = {"boot": 1, "stream": 0, "status": 200, "outcome": "ok",
            "duration_ms": 100, "request_bytes": 10, "response_bytes": 20,
            "operation": "create", "provenance": "reported", "plane": "past",
            "in_uncached": 10, "out_total": 5, "tenant_id": "tnt_past",
            "key_id": "key_past", "channel_id": "chn_past", "model": "m-1"}


def now_ms():
    return int(time.time() * 1000)


def write(path, rows):
    """Each row is a dict of columns of `request`; the rest has defaults."""
    with contextlib.closing(sqlite3.connect(path, timeout=10)) as store, store:
        first = store.execute(
            "select coalesce(max(seq), 0) from request where plane = 'past'"
        ).fetchone()[0]
        for n, row in enumerate(rows, first + 1):
            full = {**dict.fromkeys(TEXTS, ""), **DEFAULTS, "seq": n,
                    "request_id": f"req_past{n}", **row}
            store.execute(
                f"insert into request ({', '.join(full)}) values "
                f"({', '.join('?' * len(full))})", list(full.values()))


def live_through(r, rows):
    """The control plane of the harness comes back to these rows."""
    r.control.stop()
    write(r.data_dir / "routex.db", rows)
    r.restart_control()
