"""The admin API on a real control plane: every documented route answers as the
document says, every wrong field is named, and what was committed stays."""
import json
import re
import resource
import subprocess

from dialects import CHAT
from harness import ROOT, Program, Routex, main, sanitized, test
from openapi import Document
from peers import Client, Upstream


def control(build, **more):
    """A control plane with no data plane."""
    return Routex(build, planes=0, **more)


def ask(r, method, path, body=None, token=None, headers=()):
    data = body if isinstance(body, (bytes, type(None))) \
        else json.dumps(body).encode()
    with Client(r.control_url) as client:
        return client.request(method, path, {
            "authorization": f"Bearer {token or r.admin.token}",
            "content-type": "application/json", **dict(headers)}, data)


def wrong(answer, status, field=None, code=None):
    """The one form of error."""
    assert answer.status == status, (answer.status, answer.body)
    error = answer.json()["error"]
    assert set(error) <= {"code", "message", "field"}, error
    assert error["message"], error
    if field:
        assert error.get("field") == field, error
        assert field in error["message"], error
    if code:
        assert error["code"] == code, error
    return error


CHANNEL = {"name": "main", "type": "openai", "api_key": "sk-test-000011112222"}


def add(r, **fields):
    return r.admin.post("/api/channels", {**CHANNEL, **fields})["data"]


# -- channels -----------------------------------------------------------------


@test
def a_channel_may_not_lead_back_to_routex_itself(build):
    with Routex(build, planes=1) as r:
        port = r.control_url.rsplit(":", 1)[1]
        mine = [r.control_url, f"http://localhost:{port}", r.url,
                r.planes["data-1"].ops_url]
        for url in mine:
            wrong(ask(r, "POST", "/api/channels",
                      {**CHANNEL, "base_url": url}), 400, "base_url")
        assert not r.admin.get("/api/channels")["data"]
        made = add(r)
        wrong(ask(r, "PATCH", f"/api/channels/{made['id']}",
                  {"base_url": mine[0]}), 400, "base_url")


# -- the document -------------------------------------------------------------


def table():
    """The route table, as the source has it."""
    text = (ROOT / "controlplane" / "api_routes.c").read_text()
    text = text[text.index("api_routes[] = {"):]
    rows = set()
    for kind, one, two in re.findall(
            r"(PUBLIC|READ|CHANGE)\(\s*\"([^\"]+)\",\s*(?:\"([^\"]+)\")?",
            text):
        rows.add(("GET", one) if kind == "READ" else (one, two))
    for method, path in re.findall(r"\{\s*\"([A-Z]+)\",\s*\"(/[^\"]+)\"", text):
        rows.add((method, path))
    return rows


# What to send to each route, in this order; {x} is an id from an answer before.
WALK = [
    ("POST", "/api/channels", "", {**CHANNEL, "models": [
        "gpt-*", {"name": "s", "upstream": "t"}], "tags": ["eu"],
        "headers": {"x-a": "b"}, "timeouts": {"connect_s": 2.5}}, "channel"),
    ("GET", "/api/channels", "?limit=1", None, None),
    ("GET", "/api/channels/{id}", "channel", None, None),
    ("PUT", "/api/channels/{id}", "channel", CHANNEL, None),
    ("PATCH", "/api/channels/{id}", "channel", {"weight": 3}, None),
    ("POST", "/api/channels/{id}/pause", "channel", None, None),
    ("POST", "/api/channels/{id}/resume", "channel", None, None),
    ("POST", "/api/channels/{id}/reset", "channel", None, None),
    ("PATCH", "/api/channels/{id}", "channel",
     {"base_url": "http://127.0.0.1:1"}, None),
    ("POST", "/api/channels/{id}/test", "channel", None, None),
    ("POST", "/api/channels/{id}/speedtest", "channel", {
        "urls": ["http://127.0.0.1:1", "http://127.0.0.1:2"], "rounds": 1},
     None),
    ("POST", "/api/channels/test-all", "", None, None),
    ("GET", "/api/channels/{id}/health", "channel", None, None),
    ("POST", "/api/tenants", "", {"name": "Acme & Co", "models": ["a*"],
                                  "limits": {}}, "tenant"),
    ("GET", "/api/tenants", "", None, None),
    ("GET", "/api/tenants/{id}", "tenant", None, None),
    ("PUT", "/api/tenants/{id}", "tenant", {"name": "Acme"}, None),
    ("PATCH", "/api/tenants/{id}", "tenant", {"status": "disabled"}, None),
    ("GET", "/api/tenants/{id}/usage", "tenant", None, None),
    ("POST", "/api/keys", "", {"name": "ci", "tenant": "default",
                               "expires_at": "2099-01-01T00:00:00Z"}, "key"),
    ("GET", "/api/keys", "?tenant=default", None, None),
    ("GET", "/api/keys/{id}", "key", None, None),
    ("PATCH", "/api/keys/{id}", "key", {"may_force_channel": True}, None),
    ("POST", "/api/keys/{id}/rotate", "key", None, None),
    ("POST", "/api/routing/functions", "", {
        "name": "small", "source": "return request.tokens < 100"}, "function"),
    ("GET", "/api/routing/functions", "", None, None),
    ("GET", "/api/routing/functions/{id}", "function", None, None),
    ("PUT", "/api/routing/functions/{id}", "function", {
        "name": "small", "source": "return request.tokens < 99"}, None),
    ("GET", "/api/routing/presets", "", None, None),
    ("POST", "/api/routing/rules", "", {
        "name": "r", "condition": {"customFunction": "small"},
        "target": {"channel": "main"}}, "rule"),
    ("GET", "/api/routing/rules", "", None, None),
    ("GET", "/api/routing/rules/{id}", "rule", None, None),
    ("PUT", "/api/routing/rules/{id}", "rule", {
        "name": "r", "type": "think", "condition": {"any": [
            {"keywords": ["a"]}, {"hasTools": True}]},
        "target": {"channels": [{"channel": "main", "weight": 2}],
                   "fallbacks": [{"channel": "main", "model": "m"}]}}, None),
    ("POST", "/api/routing/rules/{id}/disable", "rule", None, None),
    ("POST", "/api/routing/rules/{id}/enable", "rule", None, None),
    ("POST", "/api/routing/test", "", {"model": "m", "messages": []}, None),
    ("DELETE", "/api/routing/rules/{id}", "rule", None, None),
    ("DELETE", "/api/routing/functions/{id}", "function", None, None),
    ("GET", "/api/settings", "", None, None),
    ("PUT", "/api/settings", "", {"max_attempts": 2}, None),
    ("PATCH", "/api/settings", "", {"timeouts": {"idle_s": 9}}, None),
    ("POST", "/api/agents", "", {
        "name": "walker", "model": "m", "prompt": "You walk. " * 10}, "agent"),
    ("GET", "/api/agents", "", None, None),
    ("GET", "/api/agents/{id}", "agent", None, None),
    ("PUT", "/api/agents/{id}", "agent", {
        "name": "walker", "prompt": "You run. " * 10}, None),
    ("DELETE", "/api/agents/{id}", "agent", None, None),
    ("GET", "/api/config/export", "", None, None),
    ("POST", "/api/config/import", "?dry_run=true",
     {"tenants": [{"name": "more"}]}, None),
    ("POST", "/api/config/backup", "", None, None),
    ("GET", "/api/config/backups", "", None, None),
    # test_backup.py does what ends with a new start.
    ("POST", "/api/config/backups/{name}/restore", "", None, None),
    ("GET", "/api/oauth/providers", "", None, None),
    ("POST", "/api/oauth/{provider}/start", "", {"account": "mine"}, None),
    ("POST", "/api/oauth/{provider}/finish", "", {"code": "a#b"}, None),
    ("GET", "/api/oauth/callback", "?code=a&state=b", None, None),
    ("GET", "/api/oauth/accounts", "?limit=1", None, None),
    ("GET", "/api/oauth/accounts/{id}", "none", None, None),
    ("POST", "/api/oauth/accounts/{id}/refresh", "none", None, None),
    ("DELETE", "/api/oauth/accounts/{id}", "none", None, None),
    ("GET", "/api/requests", "?status=200&since=7d", None, None),
    ("GET", "/api/requests/live", "", None, None),
    ("GET", "/api/requests/{id}", "none", None, None),
    ("GET", "/api/requests/{id}/body", "none", None, None),
    ("GET", "/api/analytics/summary", "?range=24h&by=hour,model", None, None),
    ("GET", "/api/usage.csv", "?by=day,model", None, None),
    ("GET", "/api/anomalies", "", None, None),
    ("GET", "/api/alerts", "?state=all&kind=plane_lost", None, None),
    ("GET", "/api/alerts/{id}", "none", None, None),
    ("POST", "/api/alerts/{id}/ack", "none", None, None),
    ("POST", "/api/tees", "", {
        "name": "lines", "sink": "file", "file": {"max_bytes": 5000},
        "filter": {"status": 200}, "sampling": 0.5}, "tee"),
    ("GET", "/api/tees", "", None, None),
    ("GET", "/api/tees/{id}", "tee", None, None),
    ("PATCH", "/api/tees/{id}", "tee", {"status": "disabled"}, None),
    ("DELETE", "/api/tees/{id}", "tee", None, None),
    ("POST", "/api/webhooks", "", {
        "name": "pager", "url": "http://127.0.0.1:1/hook?x=1",
        "kinds": ["channel_down"], "severity": "warning"}, "webhook"),
    ("GET", "/api/webhooks", "", None, None),
    ("GET", "/api/webhooks/{id}", "webhook", None, None),
    ("PATCH", "/api/webhooks/{id}", "webhook", {"kinds": []}, None),
    ("POST", "/api/webhooks/{id}/test", "webhook", None, None),
    ("DELETE", "/api/webhooks/{id}", "webhook", None, None),
    ("GET", "/api/analytics", "?range=24h&by=model&bucket=hour", None, None),
    ("GET", "/api/prices", "?search=claude&limit=3", None, None),
    ("POST", "/api/prices", "?source=f", {"own/model": {
        "litellm_provider": "own", "input_cost_per_token": 1e-6}}, None),
    ("PUT", "/api/prices/{model}", "gpt-5", {
        "input": "1.5", "output": 2, "tiers": [{"over": 1000, "input": "3"}],
        "service_tiers": {"flex": {"input": "1"}}}, None),
    ("GET", "/api/prices/{model}", "gpt-5", None, None),
    ("DELETE", "/api/prices/{model}", "gpt-5", None, None),
    ("GET", "/api/prices/versions", "", None, None),
    ("GET", "/api/models", "", None, None),
    ("GET", "/api/planes", "", None, None),
    ("GET", "/api/providers", "", None, None),
    ("GET", "/api/transformers", "", None, None),
    ("GET", "/api/audit", "", None, None),
    ("GET", "/api/session", "", None, None),
    ("POST", "/api/session", "", {"name": "nobody", "password": "x"}, None),
    ("PATCH", "/api/session", "", {
        "current_password": "x", "password": "0123456789"}, None),
    ("DELETE", "/api/session", "", None, None),
    ("POST", "/api/users", "", {
        "name": "anna", "password": "0123456789"}, "user"),
    ("GET", "/api/users", "", None, None),
    ("GET", "/api/users/{id}", "user", None, None),
    ("PATCH", "/api/users/{id}", "user", {"name": "Anna"}, None),
    ("DELETE", "/api/users/{id}", "user", None, None),
    ("POST", "/api/tokens", "", {"name": "ci", "scopes": ["read"]}, "token"),
    ("GET", "/api/tokens", "", None, None),
    ("GET", "/api/tokens/{id}", "token", None, None),
    ("DELETE", "/api/tokens/{id}", "token", None, None),
    ("GET", "/api/status", "", None, None),
    ("GET", "/api/openapi.json", "", None, None),
    ("GET", "/health", "", None, None),
    ("GET", "/livez", "", None, None),
    ("GET", "/readyz", "", None, None),
    ("GET", "/metrics", "", None, None),
    ("GET", "/dashboard", "", None, None),
    ("GET", "/dashboard/{path}", "", None, None),
    ("DELETE", "/api/keys/{id}", "key", None, None),
    ("DELETE", "/api/tenants/{id}", "tenant", None, None),
    ("DELETE", "/api/channels/{id}", "channel", None, None),
]


# Streams: their head says enough.
ENDLESS = {"/api/requests/live"}

# What a token cannot do; test_users.py does it with a session.
NOT_BY_TOKEN = {
    ("POST", "/api/session"): 401,
    ("PATCH", "/api/session"): 403,
    ("DELETE", "/api/session"): 400,
    ("DELETE", "/api/users/{id}"): 409,
}


# Routes that change nothing though they are no GET.
ASKS_ONLY = {("POST", "/api/channels/{id}/test"), ("POST", "/api/routing/test")}


def last_line(r):
    return r.admin.get("/api/audit?limit=1")["data"][0]


def on_record(r, before, method, path):
    """The change that was just made has its line, and the line both sides."""
    line = last_line(r)
    if (method, path) in ASKS_ONLY:
        assert line == before, (method, path, line)
        return
    assert line["id"] != before["id"], (method, path, line)
    assert (line["actor"], line["actor_kind"], line["address"]) == (
        "first", "token", "127.0.0.1"), (method, path, line)
    has = line["before"] is not None, line["after"] is not None
    makes = method == "POST" and "{" not in path
    assert has == (not makes, method != "DELETE"), (method, path, line)


@test
def every_route_is_described_and_answers_as_described(build):
    with control(build) as r:
        document = Document(ask(r, "GET", "/api/openapi.json").body)
        assert document.doc["openapi"].startswith("3.1")
        assert document.routes() == table(), document.routes() ^ table()
        walked, ids = set(), {"none": "req_none"}
        for method, path, more, body, name in WALK:
            real = path.replace("{provider}", "anthropic")
            if "{id}" in path:
                real, more = path.replace("{id}", ids[more]), ""
            elif "{model}" in path:
                real, more = path.replace("{model}", more), ""
            real = real.replace("{name}", "none")
            answer = ask(r, "HEAD" if path in ENDLESS else method,
                         real + more, body)
            document.check(method, path, answer)
            if path == "/api/routing/test":  # nobody there to be asked
                assert answer.status == 503, answer.body
            elif (method, path) in NOT_BY_TOKEN:
                assert answer.status == NOT_BY_TOKEN[method, path], (
                    method, path, answer.status, answer.body)
            elif "/oauth/" in path and answer.status == 400:  # made-up code
                assert path.endswith(("/finish", "/callback")), path
            elif "none" not in real and not path.startswith("/dashboard"):
                assert answer.status < 300, (method, real, answer.body)
            if name:
                ids[name] = answer.json()["data"]["id"]
            walked.add((method, path))
        assert walked == document.routes(), walked ^ document.routes()


@test
def no_route_but_the_public_ones_answers_without_a_token(build):
    with control(build) as r:
        document = Document(ask(r, "GET", "/api/openapi.json").body)
        for method, path in sorted(document.routes()):
            public = document.operation(method, path).get("security") == []
            for headers in ({}, {"authorization": "Bearer wrong"},
                            {"authorization": r.admin.token},
                            {"authorization": f"Bearer {r.key}"}):
                with Client(r.control_url) as client:
                    answer = client.request(
                        method, path.replace("{id}", "x"), headers, None)
                if path == "/api/session":
                    assert answer.status in (400, 401), answer.status
                elif public:
                    assert answer.status in (200, 400, 404), (
                        path, answer.status)
                else:
                    wrong(answer, 401, code="unauthenticated")
                    assert answer.header("www-authenticate") == "Bearer"


# -- errors -------------------------------------------------------------------


@test
def every_wrong_field_is_named(build):
    rows = [
        ("/api/channels", {**CHANNEL, "prio": 1}, "prio"),
        ("/api/channels", {**CHANNEL, "models": ["a", {"nam": 1}]},
         "models[1].name"),
        ("/api/channels", {**CHANNEL, "limits": {"rpm": 1}}, "limits"),
        ("/api/channels", {**CHANNEL, "transformers": {"use": ["x"]}},
         "transformers.use[0]"),
        ("/api/channels", {**CHANNEL, "status": "on"}, "status"),
        ("/api/channels", {**CHANNEL, "proxy_url": "gopher://x"}, "proxy_url"),
        ("/api/channels", {**CHANNEL, "base_url": "http://u:p@h/"}, "base_url"),
        ("/api/channels", {"type": "openai", "api_key": "k"}, "name"),
        ("/api/tenants", {"name": "x", "limits": {"requests_per_min": 0}},
         "limits.requests_per_min"),
        ("/api/tenants", {"name": "x", "limits": {"rpm": 5}}, "limits.rpm"),
        ("/api/tenants", {"name": "x", "limits": {"budget": {
            "amount_usd": "5.00", "window": "year"}}}, "limits.budget.window"),
        ("/api/tenants", {"name": "x", "limits": {"budget": {
            "amount_usd": "0", "window": "day"}}}, "limits.budget.amount_usd"),
        ("/api/tenants", {"name": "x", "limits": {"quota": {
            "window": "day"}}}, "limits.quota.tokens"),
        ("/api/tenants", {"name": "x", "limits": {"quota": {
            "tokens": 5, "window": "year"}}}, "limits.quota.window"),
        ("/api/tenants", {"name": "x", "ips": ["10.0.0.1/8"]}, "ips"),
        ("/api/tenants", {"name": "x\n"}, "name"),
        ("/api/tenants", {"name": "x", "models": "a"}, "models"),
        ("/api/keys", {"name": "x", "tenant": "nobody"}, "tenant"),
        ("/api/keys", {"name": "x", "expires_at": "soon"}, "expires_at"),
        ("/api/keys", {"name": "x", "limits": {"concurrent": -1}},
         "limits.concurrent"),
        ("/api/keys", {"name": "x", "ips": ["nowhere"]}, "ips"),
    ]
    with control(build) as r:
        for path, body, field in rows:
            wrong(ask(r, "POST", path, body), 400, field, "invalid_request")
        for body, field in (({"strategy": "random"}, "strategy"),
                            ({"timeouts": {"idle_s": 0}}, "timeouts.idle_s"),
                            ({"max_attempts": 0}, "max_attempts"),
                            ({"sessions": {}}, "sessions")):
            wrong(ask(r, "PUT", "/api/settings", body), 400, field)
        for query, field in (("limit=0", "limit"), ("limit=x", "limit"),
                             ("cursor=%21", "cursor"), ("since=then", "since"),
                             ("status=abc", "status"), ("foo=1", "foo")):
            wrong(ask(r, "GET", f"/api/requests?{query}"), 400, field)
        assert r.admin.get("/api/channels")["data"] == []
        assert len(r.admin.get("/api/keys")["data"]) == 1


@test
def what_is_no_request_is_refused_in_the_same_form(build):
    with control(build) as r:
        for body in (b"", b"{", b"[]", b"null", b'"x"', b"\xff", b"{}{}",
                     b"[" * 5000, b'{"name":"\\u0000"}'):
            answer = ask(r, "POST", "/api/tenants", body)
            assert answer.status in (400, 413), (body[:20], answer.status)
            assert "error" in answer.json()
        big = b'{"name":"' + b"x" * (2 << 20) + b'"}'
        assert ask(r, "POST", "/api/tenants", big).status == 413
        wrong(ask(r, "GET", "/api/nothing"), 404, code="not_found")
        wrong(ask(r, "GET", "/api/channels/%zz"), 400)
        wrong(ask(r, "GET", "/api/channels/a%00b"), 400)
        wrong(ask(r, "GET", "/api/channels/nobody"), 404, code="not_found")
        answer = ask(r, "PATCH", "/api/channels", {})
        wrong(answer, 405, code="method_not_allowed")
        assert answer.header("allow") == "GET, HEAD, POST"
        assert ask(r, "HEAD", "/api/channels").status == 200


# -- concurrency and repetition -----------------------------------------------


@test
def a_change_of_an_old_version_is_refused(build):
    with control(build) as r:
        answer = ask(r, "POST", "/api/channels", CHANNEL)
        tag = answer.header("etag")
        path = f"/api/channels/{answer.json()['data']['id']}"
        assert ask(r, "GET", path).header("etag") == tag
        match = {"if-match": tag}
        answer = ask(r, "PATCH", path, {"weight": 2}, headers=match)
        assert answer.status == 200 and answer.header("etag") != tag
        for method, body in (("PATCH", {"weight": 3}), ("PUT", CHANNEL),
                             ("DELETE", None)):
            wrong(ask(r, method, path, body, headers=match), 412,
                  code="precondition_failed")
        assert ask(r, "GET", path).json()["data"]["weight"] == 2
        assert ask(r, "DELETE", path,
                   headers={"if-match": '"9", *'}).status == 200


@test
def the_same_post_again_changes_nothing_again(build):
    with control(build) as r:
        again = {"idempotency-key": "once-1"}
        first = ask(r, "POST", "/api/keys", {"name": "ci"}, headers=again)
        second = ask(r, "POST", "/api/keys", {"name": "ci"}, headers=again)
        assert first.status == second.status == 201
        assert first.body == second.body
        assert second.header("idempotency-replayed") == "true"
        assert len(r.admin.get("/api/keys")["data"]) == 2
        wrong(ask(r, "POST", "/api/keys", {"name": "cd"}, headers=again), 409,
              code="conflict")
        r.restart_control()
        third = ask(r, "POST", "/api/keys", {"name": "ci"}, headers=again)
        assert third.body == first.body
        # A refused request is not remembered.
        odd = {"idempotency-key": "once-2"}
        assert ask(r, "POST", "/api/keys", {"name": ""},
                   headers=odd).status == 400
        assert ask(r, "POST", "/api/keys", {"name": "ok"},
                   headers=odd).status == 201


@test
def pages_cover_everything_once(build):
    with control(build) as r:
        names = [f"t-{n:03}" for n in range(23)]
        for name in reversed(names):
            r.admin.post("/api/tenants", {"name": name})
            r.admin.post("/api/keys", {"name": name})
        for path, want in (("/api/tenants", [*names, "default"]),
                           ("/api/keys", [*names, "first"])):
            seen, cursor = [], ""
            while True:
                page = r.admin.get(f"{path}?limit=5{cursor}")
                seen += [row["name"] for row in page["data"]]
                if not page["next"]:
                    break
                cursor = f"&cursor={page['next']}"
            # Tenants come by name; keys of one millisecond in any order.
            assert sorted(seen) == sorted(want), seen
            assert path == "/api/keys" or seen == sorted(want), seen


# -- nouns --------------------------------------------------------------------


@test
def a_channel_read_may_be_sent_back_and_keeps_its_keys(build):
    with control(build) as r:
        made = add(r, proxy_url="http://u:secretpw@127.0.0.1:3128",
                   models=["gpt-*", {"name": "s", "upstream": "t"}],
                   keys=["sk-second-33334444"])
        path = f"/api/channels/{made['name']}"
        assert [k["last4"] for k in made["keys"]] == ["2222", "4444"]
        assert made["proxy_url"] == "http://u:****@127.0.0.1:3128"
        back = r.admin.call("PUT", path, r.admin.get(path)["data"])["data"]
        assert {**back, "updated_at": 0} == {**made, "updated_at": 0}
        # One key off, one more.
        keys = [{"id": made["keys"][0]["id"], "status": "disabled"},
                {"key": "sk-third-555566667777"}]
        back = r.admin.call("PATCH", path, {"keys": keys})["data"]
        assert [(k["last4"], k["status"]) for k in back["keys"]] == [
            ("2222", "disabled"), ("7777", "enabled")]
        assert back["keys"][0]["id"] == made["keys"][0]["id"]
        wrong(ask(r, "POST", "/api/channels", {**CHANNEL, "name": "MAIN"}), 409,
              code="conflict")
        # The names of the seed interfaces are understood.
        back = r.admin.call("PATCH", path, {
            "baseUrl": "https://x.example", "apiKey": "sk-camel-88889999"})
        assert back["data"]["base_url"] == "https://x.example"
        assert [k["last4"] for k in back["data"]["keys"]] == ["9999"]


@test
def no_secret_leaves_or_lies_in_clear(build):
    secrets = ["sk-test-000011112222", "sk-second-33334444", "proxypassword",
               "sk-header-value"]
    with control(build) as r:
        add(r, keys=[secrets[1]],
            proxy_url=f"http://u:{secrets[2]}@127.0.0.1:3128")
        made = r.admin.post("/api/keys", {"name": "ci"})["data"]
        secrets += [made["key"], r.key, r.admin.token]
        shown = b"".join(ask(r, "GET", path).body for path in (
            "/api/channels", "/api/channels/main", "/api/keys",
            f"/api/keys/{made['id']}", "/api/audit", "/api/status",
            "/metrics"))
        r.control.stop()
        files = b"".join(path.read_bytes() for path in
                         r.data_dir.rglob("*") if path.is_file())
        logged = r.control.err.read_bytes()
        for secret in secrets:
            for where in (shown, files, logged):
                assert secret.encode() not in where, secret


@test
def a_tenant_with_keys_cannot_be_removed(build):
    with control(build) as r:
        r.admin.post("/api/tenants", {"name": "acme"})
        key = r.admin.post("/api/keys", {"name": "k", "tenant": "acme"})["data"]
        wrong(ask(r, "DELETE", "/api/tenants/acme"), 409, code="conflict")
        assert r.admin.get("/api/tenants/acme")["data"]["key_count"] == 1
        r.admin.call("DELETE", f"/api/keys/{key['id']}")
        r.admin.call("DELETE", "/api/tenants/acme")
        wrong(ask(r, "GET", "/api/tenants/acme"), 404)


@test
def a_rotated_key_has_another_text_and_the_rest_stays(build):
    with control(build) as r:
        made = r.admin.post("/api/keys", {
            "name": "k", "models": ["gpt-*"], "may_force_channel": True})["data"]
        again = r.admin.post(f"/api/keys/{made['id']}/rotate")["data"]
        assert again["key"] != made["key"] and again["key"].startswith("rtx_")
        for name in ("id", "models", "may_force_channel", "tenant"):
            assert again[name] == made[name], name
        assert again["last4"] == again["key"][-4:]
        assert "key" not in r.admin.get(f"/api/keys/{made['id']}")["data"]


@test
def settings_go_back_to_their_defaults_when_left_out(build):
    with control(build) as r:
        before = r.admin.get("/api/settings")["data"]
        r.admin.call("PATCH", "/api/settings", {
            "timeouts": {"idle_s": 7.5, "total_s": 60}})
        r.restart_control()
        now = r.admin.get("/api/settings")["data"]
        assert now["timeouts"]["idle_s"] == 7.5
        assert now["timeouts"]["connect_s"] == before["timeouts"]["connect_s"]
        now = r.admin.call("PUT", "/api/settings", {})["data"]
        assert {**now, "updated_at": None} == before


@test
def testing_a_channel_asks_its_provider_and_says_what_it_heard(build):
    heard = []

    def provider(call):
        heard.append(call)
        good = call.header("authorization") == "Bearer sk-good-00001111"
        call.answer_json({"object": "list", "data": []} if good else {
            "error": {"message": "no such key"}}, 200 if good else 401)

    with control(build) as r, Upstream(provider) as upstream:
        add(r, base_url=upstream.url + "/v1", api_key="sk-good-00001111")
        add(r, name="bad", base_url=upstream.url, api_key="sk-bad-000022223")
        add(r, name="gone", base_url="http://127.0.0.1:1")
        told = r.admin.post("/api/channels/main/test")["data"]
        assert told["ok"] and told["status"] == 200, told
        assert heard[0].path.startswith("/v1/models"), heard[0].path
        told = r.admin.post("/api/channels/bad/test",
                            {"dialect": "responses"})["data"]
        assert not told["ok"] and told["status"] == 401, told
        assert told["provider_message"] == "no such key"
        told = r.admin.post("/api/channels/gone/test")["data"]
        assert not told["ok"] and told["status"] is None and told["message"]
        wrong(ask(r, "POST", "/api/channels/main/test",
                  {"dialect": "gemini"}), 400, "dialect")


@test
def changes_are_on_record(build):
    with control(build) as r:
        add(r)
        r.admin.post("/api/channels/main/pause")
        r.admin.call("DELETE", "/api/channels/main")
        lines = r.admin.get("/api/audit")["data"]
        assert [line["action"] for line in lines[:3]] == [
            "delete", "pause", "create"]
        assert all(line["name"] == "main" for line in lines[:3])
        assert lines[2]["detail"]["api_key"] == "(not recorded)"
        assert lines[2]["detail"]["type"] == "openai"
        # A change that failed is none.
        ask(r, "POST", "/api/channels", {**CHANNEL, "name": ""})
        assert len(r.admin.get("/api/audit")["data"]) == len(lines)


# -- the process --------------------------------------------------------------


@test
def a_restart_prints_nothing_and_makes_nothing_again(build):
    with control(build, demo=True) as r:
        assert [c["name"] for c in r.admin.get("/api/channels")["data"]] == [
            "demo"]
        r.admin.call("DELETE", "/api/channels/demo")
        first = r.control.out.read_text()
        r.control.stop()
        r.start_control()
        assert r.control.out.read_text() == first
        assert r.admin.get("/api/channels")["data"] == []
        assert len(r.admin.get("/api/keys")["data"]) == 1
        assert r.admin.get("/api/status")["data"]["published"]["items"] == 3


@test
def the_environment_brings_channels_and_a_token(build):
    with control(build) as r:
        r.control.stop()
        r.control = Program("again", [
            r.build / "routex-control", "--data-dir", r.data_dir,
            "--admin-port", "0"], r.folder, env={
                "ADMIN_API_KEY": "my-own-token",
                "DEFAULT_ANTHROPIC_KEY": "sk-ant-00001111",
                "DEFAULT_GEMINI_KEY": "AIza-00002222"})
        r.programs.append(r.control)
        r.control_url = r._told(r.control, "control.json")["admin_url"]
        answer = ask(r, "GET", "/api/channels", token="my-own-token")
        assert [c["name"] for c in answer.json()["data"]] == [
            "anthropic", "gemini"]
        assert r.control.out.read_text() == ""


@test
def a_second_control_plane_on_the_store_is_refused(build):
    with control(build) as r:
        second = subprocess.run([
            r.build / "routex-control", "--data-dir", r.data_dir,
            "--admin-port", "0"], capture_output=True, text=True, timeout=20)
        assert second.returncode == 1
        assert "another control plane" in second.stderr, second.stderr
        assert r.admin.get("/api/status")


@test
def wrong_options_are_explained(build):
    for words, says in ((["--data-dri", "x"], "did you mean --data-dir?"),
                        (["--admin-port", "99999"], "not a valid PORT"),
                        (["extra"], "not expected")):
        done = subprocess.run([build / "routex-control", *words],
                              capture_output=True, text=True, timeout=20)
        assert done.returncode == 2 and says in done.stderr, done.stderr
    done = subprocess.run([build / "routex-control", "--help"],
                          capture_output=True, text=True, timeout=20)
    assert done.returncode == 0 and "--admin-port" in done.stdout


@test
def killed_at_any_moment_it_keeps_what_it_acknowledged(build):
    with control(build) as r:
        acknowledged = set()
        for n in range(30):
            name = f"t-{n}"
            r.admin.post("/api/tenants", {"name": name})
            acknowledged.add(name)
            if n % 10 == 9:
                r.restart_control()
        page = r.admin.get("/api/tenants?limit=200")["data"]
        assert {t["name"] for t in page} == acknowledged | {"default"}


@test
def a_full_disk_refuses_changes_and_goes_on_answering(build):
    with control(build) as r:
        r.control.stop()
        size = (r.data_dir / "routex.db").stat().st_size
        r.start_control(limits=[(resource.RLIMIT_FSIZE, size + (64 << 10))])
        body = {**CHANNEL, "tags": [f"{n:060}" for n in range(900)]}
        refused = None
        for n in range(50):
            answer = ask(r, "POST", "/api/channels", {**body, "name": f"c{n}"})
            if answer.status != 201:
                refused = answer
                break
        assert refused, "the disk never filled"
        assert refused.status in (500, 503), refused.body
        listed = r.admin.get("/api/channels?limit=200")["data"]
        assert len(listed) == n, (len(listed), n)


@test
def it_is_small_when_idle(build):
    with control(build) as r:
        assert sanitized(build) or r.control.rss() < 16 << 20, r.control.rss()


@test
def a_request_is_found_by_everything_it_is_known_by(build):
    with Routex(build, demo=True) as r:
        answer = r.ask(CHAT)
        assert answer.status == 200, answer.body
        row = r.row(answer)
        assert row["outcome"] == "ok" and len(row["attempts"]) == 1, row
        assert row["input_tokens"] > 0 and row["cost_usd"] is None, row
        document = Document(ask(r, "GET", "/api/openapi.json").body)
        for path, more in (("/api/requests", ""), ("/api/planes", ""),
                           ("/api/status", ""), ("/api/audit", ""),
                           ("/api/requests/{id}", "/" + row["request_id"]),
                           ("/api/analytics/summary", "")):
            real = path.replace("/{id}", "") + more
            document.check("GET", path, ask(r, "GET", real))
        for name in ("tenant", "tenant_id", "key", "key_id", "channel",
                     "channel_id", "model_requested", "outcome", "request_id",
                     "status"):
            asked = {"tenant_id": "tenant", "key_id": "key",
                     "channel_id": "channel",
                     "model_requested": "model"}.get(name, name)
            found = r.admin.get(f"/api/requests?{asked}={row[name]}")["data"]
            assert [f["id"] for f in found] == [row["id"]], (name, found)
            if name != "status":
                assert r.admin.get(
                    f"/api/requests?{asked}=another")["data"] == [], name
        sums = r.admin.get("/api/analytics/summary?range=1h")["data"]
        for part in ("total", "by_day", "by_tenant", "by_key", "by_channel",
                     "by_model"):
            one = sums[part] if part == "total" else sums[part][0]
            assert one["requests"] == 1, (part, one)
            assert one["input_tokens"] == row["input_tokens"]
            assert one["output_tokens"] == row["output_tokens"]
        assert sums["by_channel"][0]["name"] == "demo"
        used = r.admin.get("/api/tenants/default/usage")["data"]
        assert used["total"]["requests"] == 1 and len(used["days"]) == 1
        key = r.admin.get(f"/api/keys/{row['key_id']}")["data"]
        assert key["last_used_at"] == row["started_at"]


@test
def numbers_are_there_from_the_start(build):
    with control(build) as r:
        text = ask(r, "GET", "/metrics").body.decode()
        for name in ("routex_build_info", "routex_admin_answers_total",
                     "routex_admin_duration_seconds_bucket",
                     "routex_planes_connected 0",
                     "routex_usage_rows_collected_total 0"):
            assert name in text, name


main()
