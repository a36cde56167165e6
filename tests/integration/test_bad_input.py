"""Bad input of every kind, made from the API's own description: each field of
each body once of a wrong type, out of its range, too long, of a word nobody
knows, and fields there are none of.  Each gives one error that names the field,
and changes nothing."""
import copy
import hashlib
import json
import sqlite3

from bodies import FULL, furnish
from harness import Routex, main, test
from openapi import Document
from peers import Client

# Bodies that make nothing which lasts, or another.
MORE = {
    "TestInput": {"dialect": "anthropic"},
    "SpeedInput": {"urls": ["http://127.0.0.1:9"], "rounds": 1},
    "KeyRotation": {"overlap_s": 60},
    "AdminTokenInput": {"name": "t", "scopes": ["read"],
                        "expires_at": "2099-01-01T00:00:00Z"},
    "OauthStartInput": {"account": "mine"},
    "OauthFinishInput": {"code": "a#b", "state": "b"},
    "LogIn": {"name": "anna", "password": "0123456789"},
    "OwnPassword": {"current_password": "0123456789",
                    "password": "9876543210"},
}
# Whole documents: test_config.py, test_money.py and test_rules.py see to them.
DOCUMENTS = {("POST", "/api/config/import"), ("POST", "/api/prices"),
             ("POST", "/api/routing/test")}
# Limited in how often they are tried, or for who has a session: test_users.py.
ELSEWHERE = {("POST", "/api/session"), ("PATCH", "/api/session")}
OF_TYPE = {"string": "zz", "integer": 7, "number": 0.5, "boolean": True,
           "object": {"zz_unknown": 1}, "array": [[[]]]}
# Names are the caller's own in these.
FREE = {"headers", "resource", "header", "transformers", "service_tiers"}


class Store:
    """Notices any change of what is configured."""

    SKIP = {"usage_sum", "usage_cube", "plane_progress", "meta",
            "health_check", "usage_window", "alert", "delivery", "tee_mark"}

    def __init__(self, r):
        path = r.data_dir / "routex.db"
        self.db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        self.tables = sorted(
            name for name, in self.db.execute(
                "select name from sqlite_master where type = 'table'")
            if name not in self.SKIP and not name.startswith("sqlite_"))
        self.version = self.digest = None
        self.agents = r.data_dir / "agents"

    def look(self):
        version = self.db.execute("pragma data_version").fetchone()[0]
        files = sorted((p.name, p.stat().st_mtime_ns)
                       for p in self.agents.glob("*"))
        if version != self.version:
            whole = hashlib.sha256()
            for table in self.tables:
                for row in self.db.execute(f'select * from "{table}"'):
                    # When a token was last used is no change of anything.
                    if table != "admin_token":
                        whole.update(repr(row).encode())
            self.version, self.digest = version, whole.hexdigest()
        return self.digest, files


class Schemas:
    def __init__(self, document):
        self.document = document

    def flat(self, schema):
        """One object schema out of $ref and allOf."""
        schema = self.document.resolve(schema)
        if "allOf" not in schema:
            return schema
        whole = {"type": "object", "properties": {}}
        for part in schema["allOf"]:
            part = self.flat(part)
            whole["properties"].update(part.get("properties", {}))
        return whole

    def types(self, schema):
        schema = self.flat(schema)
        kinds = schema.get("type", [])
        kinds = {kinds} if isinstance(kinds, str) else set(kinds)
        for part in schema.get("oneOf", []):
            kinds |= self.types(part)
        return kinds | ({"integer"} if "number" in kinds else set())

    def wrong_values(self, schema):
        """What kind of wrong, and a value that is."""
        flat, kinds = self.flat(schema), self.types(schema)
        if kinds:
            for kind, value in OF_TYPE.items():
                if kind not in kinds and not (
                        kind == "integer" and "number" in kinds):
                    yield f"{kind} for {'/'.join(sorted(kinds))}", value
        if "enum" in flat and "string" in kinds:
            yield "unknown word", "no-such-word"
        for word, far in (("minimum", -1), ("maximum", 1),
                          ("exclusiveMinimum", 0)):
            if word in flat:
                yield word, flat[word] + far
        if flat.get("maxLength"):
            yield "too long", "x" * (flat["maxLength"] + 1)
        if flat.get("minLength", 0) > 1:
            yield "too short", "x" * (flat["minLength"] - 1)
        if flat.get("format") == "date-time":
            yield "no time", "tomorrow"
        if flat.get("maxItems") and isinstance(flat.get("items"), dict) and \
                "string" in self.types(flat["items"]):
            yield "too many", [f"x{n}" for n in range(flat["maxItems"] + 1)]

    def cases(self, schema, value, path=""):
        """(where, what is wrong, the whole value with it)."""
        flat = self.flat(schema)
        if isinstance(value, dict):
            name = path.rsplit(".", 1)[-1]
            if name not in FREE:
                where = f"{path}.zz_unknown".lstrip(".")
                yield where, "unknown field", {**value, "zz_unknown": 1}
            known = flat.get("properties", {})
            for key, inner in value.items():
                if key not in known or name in FREE:
                    continue
                where = f"{path}.{key}".lstrip(".")
                for what, bad in self.wrong_values(known[key]):
                    yield where, what, {**value, key: bad}
                for at, what, bad in self.cases(known[key], inner, where):
                    yield at, what, {**value, key: bad}
        elif isinstance(value, list) and value and "items" in flat:
            for n, inner in enumerate(value):
                for at, what, bad in self.cases(
                        flat["items"], inner, f"{path}[{n}]"):
                    yield at, what, value[:n] + [bad] + value[n + 1:]


def base_for(name):
    if name.endswith("Patch"):
        name = name[:-5] + "Input"
    return copy.deepcopy({**FULL, **MORE}.get(name))


class World:
    def __init__(self, r):
        self.r = r
        furnish(self.must)
        self.store = Store(r)
        self.document = Document(self.ask("GET", "/api/openapi.json").body)
        self.schemas = Schemas(self.document)
        self.client = Client(r.control_url)

    def ask(self, method, path, body=None):
        data = body if isinstance(body, (bytes, type(None))) \
            else json.dumps(body).encode()
        with Client(self.r.control_url) as client:
            return client.request(method, path, {
                "authorization": f"Bearer {self.r.admin.token}",
                "content-type": "application/json"}, data)

    def must(self, method, path, body=None):
        answer = self.ask(method, path, body)
        assert answer.status < 300, (method, path, answer.body)
        return answer.json()

    def operations(self):
        for method, path in sorted(self.document.routes()):
            body = self.document.operation(method, path).get("requestBody")
            if body is None or (method, path) in DOCUMENTS | ELSEWHERE:
                continue
            schema = body["content"]["application/json"]["schema"]
            name = schema["$ref"].rsplit("/", 1)[1]
            yield method, path, name, schema

    def place(self, path):
        """The path with something that is there."""
        if "{id}" not in path:
            return path.replace("{provider}", "anthropic").replace(
                "{model}", "gpt-5")
        above = path.split("/{id}")[0]
        wanted = {"/api/channels": "main", "/api/keys": "ci",
                  "/api/tenants": "acme"}.get(above)
        rows = self.must("GET", above)["data"]
        row = next((x for x in rows if x["name"] == wanted), rows[0])
        return path.replace("{id}", row["id"])


@test
def every_wrong_field_of_every_body_is_named_and_changes_nothing(build):
    with Routex(build, planes=0) as r:
        w = World(r)
        before = w.store.look()
        count, fields, odd, operations = 0, set(), [], 0
        for method, path, name, schema in w.operations():
            base = base_for(name)
            assert base is not None, (method, path, name)
            operations += 1
            real = w.place(path)
            if method == "POST" and "name" in base:
                base["name"] = "another"
            for where, what, body in w.schemas.cases(schema, base):
                answer = w.ask(method, real, body)
                said = (method, path, where, what)
                count += 1
                fields.add((path, where))
                if not 400 <= answer.status < 500:
                    odd.append((*said, answer.status))
                    if answer.status < 300:  # gone on from what it made
                        before = w.store.look()
                    continue
                w.document.check(method, path, answer)
                field = answer.json()["error"].get("field", "")
                if not (field == where or field.startswith(
                        (f"{where}.", f"{where}["))):
                    odd.append((*said, answer.body.decode()))
                if w.store.look() != before:
                    odd.append((*said, "changed the store"))
                    before = w.store.look()
        print(f"{operations} operations, {len(fields)} fields, {count} "
              f"bodies, {len(odd)} not refused as they should be")
        for line in odd:
            print("  ", *line)
        assert not odd, len(odd)
        assert operations > 15 and count > 1000, (operations, count)


@test
def what_is_no_document_is_refused_by_every_route_that_takes_one(build):
    with Routex(build, planes=0) as r:
        w = World(r)
        before, count = w.store.look(), 0
        bad = [b"", b"{", b"{}{}", b"null", b"7", b'"x"', b"[]",
               b'{"name":"\xff\xfe"}', b'{"name":"\xc0\xaf"}',
               b'{"name":"a\x00b"}', b'{"name":"\\u0000"}',
               b'{"name":"\\ud800"}', b"[" * 5000, b'{"a":' * 5000,
               b'{"name":"x","name":"y"}', b"\xef\xbb\xbf{",
               b'{"name":"' + b"x" * (2 << 20) + b'"}']
        for method, path, name, _ in w.operations():
            optional = not w.document.operation(method, path)[
                "requestBody"].get("required")
            real = w.place(path)
            for body in bad:
                if optional and body == b"":
                    continue
                answer = w.ask(method, real, body)
                said = (method, path, body[:24])
                assert answer.status in (400, 413), (said, answer.status)
                error = answer.json()["error"]
                assert error["message"], said
                if answer.status == 400:
                    w.document.check(method, path, answer)
                assert w.store.look() == before, said
                count += 1
        print(f"{count} bodies")
        assert count > 200, count


@test
def a_name_that_is_taken_is_a_conflict_that_names_it(build):
    with Routex(build, planes=0) as r:
        w = World(r)
        before = w.store.look()
        for path, name in (("/api/channels", "ChannelInput"),
                           ("/api/tenants", "TenantInput"),
                           ("/api/routing/rules", "RuleInput"),
                           ("/api/routing/functions", "FunctionInput"),
                           ("/api/agents", "AgentInput"),
                           ("/api/webhooks", "WebhookInput"),
                           ("/api/tees", "TeeInput"),
                           ("/api/users", "UserInput")):
            for word in (FULL[name]["name"], FULL[name]["name"].upper()):
                if path == "/api/agents" and word.isupper():
                    continue  # files differ by case
                answer = w.ask("POST", path, {**FULL[name], "name": word})
                assert answer.status == 409, (path, answer.status, answer.body)
                error = answer.json()["error"]
                assert error.get("field") == "name", (path, error)
                assert w.store.look() == before, path


main()
