"""docs/openapi.yaml as the control plane serves it: which routes there are, and
whether an answer is one of those it describes."""
import json
import re


class Document:
    def __init__(self, text):
        self.doc = json.loads(text)

    def routes(self):
        return {(method.upper(), path)
                for path, item in self.doc["paths"].items()
                for method in item if method != "parameters"}

    def operation(self, method, path):
        return self.doc["paths"][path][method.lower()]

    def resolve(self, schema):
        while "$ref" in schema:
            at = self.doc
            for step in schema["$ref"][2:].split("/"):
                at = at[step]
            schema = at
        return schema

    def fits(self, value, schema, where="body"):
        """Enough of JSON Schema for the words our document uses."""
        schema = self.resolve(schema)
        for part in schema.get("allOf", ()):
            self.fits(value, part, where)
        if "oneOf" in schema:
            fitting = [s for s in schema["oneOf"] if self.fits_quietly(value, s)]
            assert len(fitting) == 1, f"{where}: {value!r} fits {len(fitting)}"
        kinds = schema.get("type")
        if kinds:
            kinds = [kinds] if isinstance(kinds, str) else kinds
            assert any(self.is_kind(value, k) for k in kinds), \
                f"{where}: {value!r} is not {kinds}"
        if "enum" in schema:
            assert value in schema["enum"], f"{where}: {value!r}"
        if schema.get("format") == "date-time" and value is not None:
            assert re.fullmatch(
                r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", value), where
        if isinstance(value, dict):
            known = schema.get("properties", {})
            for name in schema.get("required", ()):
                assert name in value, f"{where}.{name} is missing"
            for name, inner in value.items():
                if name in known:
                    self.fits(inner, known[name], f"{where}.{name}")
                elif known and "allOf" not in schema and \
                        schema.get("additionalProperties") is False:
                    raise AssertionError(f"{where}.{name} is not described")
        if isinstance(value, list) and "items" in schema:
            for n, inner in enumerate(value):
                self.fits(inner, schema["items"], f"{where}[{n}]")

    def fits_quietly(self, value, schema):
        try:
            self.fits(value, schema)
        except AssertionError:
            return False
        return True

    @staticmethod
    def is_kind(value, kind):
        if kind == "null":
            return value is None
        if kind == "boolean":
            return isinstance(value, bool)
        if kind == "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        if kind == "number":
            return isinstance(value, (int, float)) and not isinstance(
                value, bool)
        return isinstance(value, {"string": str, "array": list,
                                  "object": dict}[kind])

    def check(self, method, path, answer):
        """The answer is one of those described, in its described form."""
        responses = self.operation(method, path)["responses"]
        assert str(answer.status) in responses, \
            f"{method} {path}: {answer.status} is not described"
        response = self.resolve(responses[str(answer.status)])
        kind = answer.header("content-type").split(";")[0]
        content = response["content"]
        assert kind in content, f"{method} {path}: {kind}"
        if kind == "application/json":
            self.fits(answer.json(), content[kind]["schema"],
                      f"{method} {path}")
