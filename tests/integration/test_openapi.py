"""The document against the running server: every answer of every route that
reads, on a store that holds one of everything, has the fields the document
describes and no others; examples fit their schemas."""
import json

from bodies import FULL, furnish
from dialects import ANTHROPIC
from harness import Routex, main, test, wait_until
from openapi import Document
from peers import Client

# Named by the caller, or shown as they were written.
OPEN = {"effective_transformers", "headers", "header", "resource", "transformers", "service_tiers",
        "condition", "target", "before", "after", "detail", "trace", "default",
        "settings", "tenants", "accounts", "channels", "functions", "rules",
        "keys", "agents", "prices", "webhooks", "tees", "users", "counts",
        "published", "collected", "snapshot", "planes"}


def ask(r, method, path, body=None, token=None):
    with Client(r.control_url) as client:
        return client.request(method, path, {
            "authorization": f"Bearer {token or r.admin.token}",
            "content-type": "application/json"},
            None if body is None else json.dumps(body).encode())


def must(r, method, path, body=None):
    answer = ask(r, method, path, body)
    assert answer.status < 300, (method, path, answer.body)
    return answer.json()


class Strict(Document):
    def known(self, schema):
        """All members a schema describes, or None: it is open."""
        schema = self.resolve(schema)
        parts = schema.get("allOf", []) + schema.get("oneOf", [])
        found = dict(schema.get("properties", {}))
        for part in parts:
            found.update(self.known(part) or {})
        if isinstance(schema.get("additionalProperties"), dict):
            return None
        return found or None

    def items(self, schema):
        schema = self.resolve(schema)
        if "items" in schema:
            return schema["items"]
        return next((self.items(p) for p in schema.get("allOf", []) +
                     schema.get("oneOf", []) if self.items(p)), None)

    def undescribed(self, value, schema, where=""):
        if isinstance(value, list):
            inner = self.items(schema)
            for v in value if inner else ():
                yield from self.undescribed(v, inner, f"{where}[]")
        elif isinstance(value, dict):
            known = self.known(schema)
            for name, v in value.items() if known else ():
                path = f"{where}.{name}".lstrip(".")
                if name not in known:
                    yield path
                elif name not in OPEN:
                    yield from self.undescribed(v, known[name], path)

    def examples(self, node, where=()):
        """(schema, example, where) all over the document."""
        if isinstance(node, dict):
            if "example" in node and ("type" in node or "schema" in node
                                      or "allOf" in node):
                yield node.get("schema", node), node["example"], where
            if "examples" in node and isinstance(node["examples"], dict):
                for one in node["examples"].values():
                    if "value" in one:
                        yield node["schema"], one["value"], where
            for name, inner in node.items():
                yield from self.examples(inner, (*where, name))
        elif isinstance(node, list):
            for n, inner in enumerate(node):
                yield from self.examples(inner, (*where, n))


def places(r, path):
    """The path for each thing that is there."""
    if "{" not in path:
        return [path]
    if "{model}" in path:
        return [path.replace("{model}", m) for m in ("gpt-5", "own%2Fmodel")]
    if "{id}" not in path:
        return []
    rows = must(r, "GET", path.split("/{id}")[0])["data"]
    return [path.replace("{id}", row["id"]) for row in rows[:5]]


@test
def every_answer_has_what_is_described_and_nothing_else(build):
    with Routex(build, demo=True) as r:
        furnish(lambda *a: must(r, *a))
        must(r, "PATCH", "/api/settings", {"journal": {
            "when_full": "keep-serving"}, "max_wait_s": 0})
        document = Strict(ask(r, "GET", "/api/openapi.json").body)
        for _ in range(3):
            r.ask(ANTHROPIC, model="demo/demo")
        r.admin.post("/api/channels/spare/pause")
        wait_until(lambda: must(r, "GET", "/api/requests")["data"],
                   "a request in the store")
        checked, empty, odd = 0, [], set()
        for method, path in sorted(document.routes()):
            if method != "GET" or path in (
                    "/api/requests/live", "/api/oauth/callback",
                    "/dashboard", "/dashboard/{path}"):
                continue
            real = places(r, path)
            if not real:
                empty.append(path)
            for one in real:
                answer = ask(r, "GET", one)
                if path == "/api/requests/{id}/body":  # none was kept
                    document.check(method, path, answer)
                    continue
                assert answer.status == 200, (one, answer.body)
                document.check(method, path, answer)
                checked += 1
                if not answer.header("content-type").startswith(
                        "application/json") or path == "/api/openapi.json":
                    continue
                content = document.resolve(document.operation(method, path)[
                    "responses"]["200"])["content"]["application/json"]
                for field in document.undescribed(
                        answer.json(), content["schema"]):
                    odd.add((path, field))
            # What it is not asked for, and by nobody.
            if real and document.operation(method, path).get(
                    "security") != [] and path.startswith("/api/"):
                for query, token, status in (
                        ("?zz_unknown=1", None, 400), ("", "wrong", 401)):
                    if query and path.endswith("/body"):
                        continue
                    answer = ask(r, "GET", real[0] + query, token=token)
                    assert answer.status == status, (path, answer.status)
                    if str(status) not in document.operation(
                            method, path)["responses"]:
                        odd.add((path, f"{status} is not described"))
                        continue
                    document.check(method, path, answer)
                    checked += 1
                if "{id}" in path:
                    answer = ask(r, "GET", path.replace("{id}", "nobody"))
                    assert answer.status == 404, (path, answer.status)
                    document.check(method, path, answer)
                    checked += 1
        print(f"{checked} answers; nothing to look at in: {empty}")
        for line in sorted(odd):
            print("  ", *line)
        assert not odd, len(odd)
        assert checked > 120, checked


@test
def every_example_fits_its_schema(build):
    with Routex(build, planes=0) as r:
        document = Strict(ask(r, "GET", "/api/openapi.json").body)
        count = 0
        for schema, example, where in document.examples(document.doc):
            document.fits(example, schema, "/".join(map(str, where)))
            count += 1
        for name, body in FULL.items():
            document.fits(body, {"$ref": f"#/components/schemas/{name}"}, name)
        print(f"{count} examples, {len(FULL)} bodies")
        assert count > 0, count


main()
