"""Everything that can be set travels: a router with every field of every noun
set to something else than its default is written down, set up elsewhere, and
written down again."""
import json
import pathlib
import re

from bodies import FULL, furnish as fill
from harness import Routex, main, test
from peers import Client

PASS = {"x-routex-passphrase": "correct horse battery"}
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


@test
def nothing_that_can_be_set_is_lost_on_the_way(build):
    with Routex(build, planes=0) as old, Routex(build, planes=0) as new:
        plain = export(old)
        fill(lambda *a: ask(old, *a))
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
        fill(lambda *a: ask(old, *a))
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
        fill(lambda *a: ask(r, *a))
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


def camel(value, name=""):
    """The same in camelCase, but for names that are the caller's own."""
    if isinstance(value, list):
        return [camel(v, name) for v in value]
    if not isinstance(value, dict):
        return value
    if name in ("headers", "header", "resource", "transformers"):
        return value
    return {re.sub("_([a-z])", lambda m: m[1].upper(), k): camel(v, k)
            for k, v in value.items()}


@test
def camel_case_says_the_same(build):
    with Routex(build, planes=0) as one, Routex(build, planes=0) as two:
        fill(lambda *a: ask(one, *a))
        fill(lambda method, path, body: ask(two, method, path, camel(body)))
        mine, theirs = export(one), export(two)
        for document in mine, theirs:
            for key in document["keys"]:
                for drawn in ("digest", "last4", "previous"):
                    del key[drawn]
        assert mine == theirs, [
            (k, mine[k], theirs[k]) for k in mine if mine[k] != theirs[k]]
        # As the first interfaces of this kind wrote rules.
        rule = ask(two, "POST", "/api/routing/rules", {
            "name": "seed", "type": "longContext", "enabled": True,
            "condition": {"tokenThreshold": 60000, "userPattern": "x",
                          "keywords": ["a"], "modelPattern": "c.*",
                          "hasTools": True, "contentCategory": "coding",
                          "customFunction": "small"},
            "targetChannel": "main", "targetModel": "claude-opus-4-1",
            "priority": 90})["data"]
        assert rule["target"]["channel"] == "main" or rule["target"], rule
        assert rule["condition"]["token_threshold"] == 60000, rule
        assert rule["target"]["model"] == "claude-opus-4-1", rule


main()
