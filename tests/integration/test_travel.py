"""Everything that can be set travels: a router with every field of every noun
set to something else than its default is written down, set up elsewhere, and
written down again."""
import json
import pathlib

from harness import Routex, main, test
from peers import Client

PASS = {"x-routex-passphrase": "correct horse battery"}
LIMITS = {"requests_per_min": 61, "tokens_per_min": 62, "concurrent": 63,
          "quota": {"tokens": 64, "window": "week"},
          "budget": {"amount_usd": "65.50", "window": "day"}}
TIMEOUTS = {"connect_s": 1.5, "first_byte_s": 21, "first_event_s": 22,
            "idle_s": 23, "total_s": 24}
STEPS = {"use": [["maxtoken", {"max_tokens": 4000}]]}
PROMPT = "You look at changes, carefully and one after the other. " * 2

# By schema of docs/openapi.yaml: a body that sets all of its fields.  What a
# schema gains has to be set here, or the first test fails.
FULL = {
    "Settings": {
        "strategy": "cost", "session_ttl_s": 11, "max_wait_s": 12,
        "breaker": {"window_s": 13, "min_samples": 14, "failure_percent": 15,
                    "failures_in_a_row": 16, "open_s": 17, "open_max_s": 18},
        "timeouts": TIMEOUTS,
        "health": {"enabled": False, "interval_s": 301, "timeout_s": 11,
                   "usage_interval_s": 91, "failures": 4, "successes": 5},
        "log_level": "warn", "max_attempts": 3, "strict_translation": True,
        "max_body_bytes": 1048576, "trace_upstream": "always", "backups": {"every_s": 86401, "keep": 8},
        "login": {"idle_s": 601, "absolute_s": 6001}, "audit_days": 31,
        "journal": {"limit_bytes": 1048577, "when_full": "refuse"}},
    "TenantInput": {
        "name": "acme", "status": "disabled", "models": ["claude-*"],
        "channels": ["main"], "limits": LIMITS, "ips": ["10.0.0.0/8"]},
    "ChannelInput": {
        "name": "main", "type": "anthropic", "base_url": "http://127.0.0.1:9/b",
        "endpoints": [{"dialect": "chat", "auth": "bearer",
                       "base_url": "http://127.0.0.1:9/c"}],
        "keys": [{"key": "sk-test-111122223333", "status": "disabled"},
                 "sk-test-444455556666"],
        "models": ["claude-*", {"name": "s", "upstream": "claude-sonnet-4-5"}],
        "priority": 7, "weight": 8, "cost_multiplier": "0.25",
        "status": "paused", "tags": ["eu"], "headers": {"x-team": "a"},
        "timeouts": {**TIMEOUTS, "connect_s": 2.5},
        "health_check": {"enabled": False, "interval_s": 77},
        "transformers": {**STEPS, "claude-sonnet-4-5": STEPS},
        "proxy_url": "http://me:hidden@127.0.0.1:3128",
        "ca_file": "/etc/ssl/certs/ours.pem"},
    "FunctionInput": {"name": "small", "source": "return request.tokens < 9"},
    "RuleInput": {
        "name": "long", "type": "longContext", "status": "disabled",
        "priority": 9, "strict": True,
        "condition": {
            "token_threshold": 60000, "token_below": 70000,
            "min_word_count": 1, "max_word_count": 900, "keywords": ["a", "b"],
            "user_pattern": "x+", "system_pattern": "y+",
            "model_pattern": "z+", "model": ["claude-*"],
            "tool_names": ["Bash"], "has_tools": True, "has_images": True,
            "has_documents": True, "has_audio": True, "has_code": True,
            "stream": True, "thinking": True, "web_search": True,
            "subagent": True, "content_category": ["coding"],
            "complexity_level": ["complex"], "programming_language": ["c"],
            "intent": ["debug"], "tenant": ["acme"], "key": ["ci"],
            "tag": ["eu"], "dialect": ["chat"], "user_agent": ["curl*"],
            "header": {"x-a": "b"},
            "time": {"from": "08:00", "to": "18:00", "utc_offset": "+02:00",
                     "days": ["mon", "fri"]},
            "custom_function": "small", "any": [{"stream": True}],
            "all": [{"thinking": True}], "not": {"has_tools": False}},
        "target": {"channels": [{"channel": "main", "weight": 3},
                                {"channel": "spare", "weight": 1}],
                   "model": "claude-opus-4-1",
                   "fallbacks": [{"channel": "spare", "model": "m"},
                                 {"tag": "eu"}],
                   "strategy": "weighted", "transformers": STEPS}},
    "KeyInput": {
        "name": "ci", "tenant": "acme", "status": "disabled",
        "expires_at": "2099-01-01T00:00:00.000Z", "may_force_channel": True,
        "models": ["claude-*"], "channels": ["main"],
        "limits": {**LIMITS, "concurrent": 5}, "ips": ["192.168.0.0/16"]},
    "AgentInput": {
        "name": "reviewer", "description": "Looks at changes",
        "model": "claude-opus-4-1", "routing": "main, spare",
        "prompt": PROMPT},
    "PriceInput": {
        "input": "1.5", "output": "2.5", "reasoning": "3.5",
        "cache_read": "0.5", "cache_write_5m": "1.75", "cache_write_1h": "2",
        "audio_input": "4", "audio_output": "5", "image_input": "6",
        "image_output": "7", "web_search": "0.01",
        "tiers": [{"over": 200000, "input": "3", "output": "5"}],
        "service_tiers": {"flex": {"input": "0.75", "output": "1.25"}}},
    "WebhookInput": {
        "name": "pager", "url": "http://127.0.0.1:9/hook?token=hidden",
        "secret": "0123456789abcdef", "kinds": ["channel_down"],
        "severity": "warning", "status": "disabled"},
    "TeeInput": {
        "name": "copies", "sink": "otlp", "status": "disabled",
        "url": "http://127.0.0.1:9/otlp?key=hidden",
        "headers": {"x-token": "hidden too"},
        "filter": {"tenant": "acme", "key": "ci", "channel": "main",
                   "model": "claude-opus-4-1", "outcome": "error",
                   "status": 429},
        "sampling": 0.25, "resource": {"deployment.environment": "p"}},
    "UserInput": {"name": "anna", "role": "owner", "password": "0123456789"},
}
# The same in other words, or for log-ins, which test_oauth.py moves.
ELSEWHERE = {"ChannelInput.api_key", "ChannelInput.account",
             "ChannelInput.keys.account", "ChannelInput.keys.id",
             "RuleInput.enabled", "RuleInput.target_channel",
             "RuleInput.target_model", "RuleInput.target.channel",
             "RuleInput.target.tag",
             # Of other sinks: the two more that furnish() makes.
             "TeeInput.secret", "TeeInput.file"}


def ask(r, method, path, body=None, headers=()):
    with Client(r.control_url) as client:
        answer = client.request(method, path, {
            "authorization": f"Bearer {r.admin.token}",
            "content-type": "application/json", **dict(headers)},
            None if body is None else json.dumps(body).encode())
    assert answer.status < 300, (method, path, answer.status, answer.body)
    return answer.json()


def export(r, query="", headers=()):
    return ask(r, "GET", f"/api/config/export{query}", None, headers)["data"]


class Schemas:
    def __init__(self, r):
        self.all = ask(r, "GET", "/api/openapi.json")["components"]["schemas"]

    def fields(self, schema):
        """Its members by name, however they are put together."""
        if "$ref" in schema:
            return self.fields(self.all[schema["$ref"].rsplit("/", 1)[1]])
        found = dict(schema.get("properties", {}))
        for part in schema.get("allOf", []) + schema.get("oneOf", []):
            found.update(self.fields(part))
        if "items" in schema:
            found.update(self.fields(schema["items"]))
        return found

    def missing(self, schema, value, where):
        """Fields that some sample should set and none does."""
        values = value if isinstance(value, list) else [value]
        known = {k for v in values if isinstance(v, dict) for k in v}
        for name, inner in self.fields(schema).items():
            path = f"{where}.{name}"
            if path in ELSEWHERE or name == "updated_at":
                continue
            if name not in known:
                yield path
                continue
            for v in values:
                if isinstance(v, dict) and name in v:
                    yield from self.missing(inner, v[name], path)
                    break


@test
def every_field_of_every_body_is_set_by_this_test(build):
    with Routex(build, planes=0) as r:
        schemas = Schemas(r)
        bodies = {n for n in schemas.all if n.endswith("Input")}
        # What is asked once, and what belongs to one installation.
        bodies -= {"ChannelKeyInput", "SpeedInput", "TestInput",
                   "AdminTokenInput", "OauthStartInput", "OauthFinishInput"}
        assert bodies | {"Settings"} == set(FULL), bodies ^ set(FULL)
        missing = [m for name, body in FULL.items() for m in schemas.missing(
            {"$ref": f"#/{name}"}, body, name)
            if not m.startswith(("PriceInput.tiers.", "ChannelInput.transf"))]
        assert not missing, missing


def furnish(r):
    ask(r, "POST", "/api/channels", {
        "name": "spare", "type": "openai", "api_key": "sk-test-777788889999"})
    ask(r, "POST", "/api/channels", FULL["ChannelInput"])
    ask(r, "POST", "/api/tenants", FULL["TenantInput"])
    ask(r, "POST", "/api/routing/functions", FULL["FunctionInput"])
    key = ask(r, "POST", "/api/keys", FULL["KeyInput"])["data"]["id"]
    ask(r, "POST", f"/api/keys/{key}/rotate", {"overlap_s": 3600})
    ask(r, "POST", "/api/routing/rules", FULL["RuleInput"])
    ask(r, "POST", "/api/agents", FULL["AgentInput"])
    ask(r, "PUT", "/api/prices/gpt-5", FULL["PriceInput"])
    ask(r, "PUT", "/api/prices/own%2Fmodel", {"input": "1", "output": "2"})
    ask(r, "POST", "/api/webhooks", FULL["WebhookInput"])
    ask(r, "POST", "/api/tees", FULL["TeeInput"])
    ask(r, "POST", "/api/tees", {
        "name": "kept", "sink": "file", "file": {"max_bytes": 8192, "keep": 2}})
    ask(r, "POST", "/api/tees", {
        "name": "told", "sink": "webhook", "url": "http://127.0.0.1:9/hidden",
        "secret": "0123456789abcdef", "status": "disabled"})
    ask(r, "POST", "/api/users", FULL["UserInput"])
    ask(r, "POST", "/api/users", {"name": "ben", "role": "admin",
                                  "password": "0123456789"})
    ask(r, "PUT", "/api/settings", FULL["Settings"])


@test
def nothing_that_can_be_set_is_lost_on_the_way(build):
    with Routex(build, planes=0) as old, Routex(build, planes=0) as new:
        plain = export(old)
        furnish(old)
        document = export(old, "?secrets=sealed", PASS)
        text = json.dumps(document)
        for hidden in ("4444555566", "hidden", "0123456789"):
            assert hidden not in text, hidden
        # What was set differs from what is there without.
        for name, value in document["settings"].items():
            assert value != plain["settings"][name], name
        key = next(k for k in document["keys"] if k["name"] == "ci")
        assert key["previous"]["last4"] and key["previous"]["digest"], key

        own = {k["digest"] for k in export(new)["keys"]}
        dry = ask(new, "POST", "/api/config/import?dry_run=true", document,
                  PASS)["data"]
        assert not ask(new, "GET", "/api/agents")["data"], dry
        done = ask(new, "POST", "/api/config/import", document, PASS)["data"]
        assert done["summary"] == dry["summary"], (done, dry)
        mine, theirs = export(old), export(new)
        theirs["keys"] = [k for k in theirs["keys"] if k["digest"] not in own]
        for kind in mine:
            assert mine[kind] == theirs[kind], (kind, mine[kind], theirs[kind])
        assert set(mine) == set(theirs), set(mine) ^ set(theirs)
        again = ask(new, "POST", "/api/config/import", document, PASS)["data"]
        assert not again["changes"], again["changes"]
        # Back again it also changes nothing, not even the secrets.
        back = export(new, "?secrets=sealed", PASS)
        back["keys"] = theirs["keys"]
        returned = ask(old, "POST", "/api/config/import", back, PASS)["data"]
        assert not returned["changes"], returned["changes"]
        hook, = ask(new, "GET", "/api/webhooks")["data"]
        assert hook["secret_last4"][-4:] == "cdef", hook


@test
def each_object_of_an_import_has_its_line_in_the_audit_log(build):
    with Routex(build, planes=0) as old, Routex(build, planes=0) as new:
        furnish(old)
        document = export(old, "?secrets=sealed", PASS)
        done = ask(new, "POST", "/api/config/import", document, PASS)["data"]
        lines = ask(new, "GET", "/api/audit?limit=200")["data"]
        assert lines[0]["action"] == "import", lines[0]
        made = [x for x in lines if x["action"] == "create" and x["after"]]
        assert len(made) >= done["summary"]["added"], (len(made), done)
        for kind in ("tenant", "channel", "rule", "function", "key", "agent",
                     "price", "webhook", "tee", "user"):
            some = [x for x in made if x["kind"] == kind]
            assert some and all(x["before"] is None for x in some), (kind, some)
            assert all(x["item_id"] for x in some), some
        text = json.dumps(lines)
        for hidden in ("4444555566", "hidden", "0123456789"):
            assert hidden not in text, hidden
        document = {"tenants": [{"name": "acme", "status": "enabled"}]}
        ask(new, "POST", "/api/config/import", document)
        line = next(x for x in ask(new, "GET", "/api/audit?kind=tenant")[
            "data"] if x["action"] == "update")
        assert (line["before"]["status"], line["after"]["status"]) == (
            "disabled", "enabled"), line


@test
def users_come_without_a_password_and_log_in_once_they_have_one(build):
    with Routex(build, planes=0) as r:
        done = ask(r, "POST", "/api/config/import", {"users": [
            {"name": "anna", "role": "owner"}]})["data"]
        assert "--password-stdin" in done["warnings"][0]["message"], done
        user, = ask(r, "GET", "/api/users")["data"]
        assert user["has_password"] is False, user

        def enter():
            with Client(r.control_url) as client:
                return client.request("POST", "/api/session", {
                    "content-type": "application/json"}, json.dumps({
                        "name": "anna", "password": "0123456789"}).encode())
        assert enter().status == 401
        ask(r, "PATCH", f"/api/users/{user['id']}", {"password": "0123456789"})
        assert enter().status == 201
        # The last who can make others owner is not lost to a document.
        with Client(r.control_url) as client:
            answer = client.request(
                "POST", "/api/config/import?mode=replace",
                {"authorization": f"Bearer {r.admin.token}"},
                json.dumps({"users": [{"name": "ben", "role": "owner"}]})
                .encode())
        assert answer.status == 400, answer.body
        assert answer.json()["error"]["field"] == "users", answer.body


@test
def who_is_no_owner_neither_sees_nor_brings_users(build):
    with Routex(build, planes=0) as r:
        furnish(r)
        token = ask(r, "POST", "/api/tokens", {
            "name": "ci", "scopes": ["write", "read"]})["data"]["token"]

        def call(method, path, body=None):
            with Client(r.control_url) as client:
                return client.request(method, path, {
                    "authorization": f"Bearer {token}"},
                    body and json.dumps(body).encode())
        shown = call("GET", "/api/config/export").json()["data"]
        assert "users" not in shown and "webhooks" in shown, list(shown)
        answer = call("POST", "/api/config/import", {"users": [
            {"name": "anna", "role": "viewer"}]})
        assert answer.status == 403, answer.body
        assert call("POST", "/api/config/import", shown).status == 200


def cpu_ns(pid):
    """Of the thread that runs the loop, and of all the others."""
    used = {}
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        used[int(task.name)] = int((task / "schedstat").read_text().split()[0])
    return used.pop(pid), sum(used.values())


@test
def a_passphrase_is_stretched_away_from_the_loop(build):
    with Routex(build, planes=0) as r:
        before = cpu_ns(r.control.pid)
        for _ in range(3):
            document = export(r, "?secrets=sealed", PASS)
            ask(r, "POST", "/api/config/import?dry_run=true", document, PASS)
        after = cpu_ns(r.control.pid)
        loop, helpers = (b - a for a, b in zip(before, after))
        assert loop < helpers, (loop, helpers)


main()
