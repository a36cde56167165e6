"""The configuration as data: out, compared, in; once, twice, elsewhere."""
import json
import os
import pathlib
import subprocess

from harness import Failed, Routex, main, test
from peers import Client

PASS = {"x-routex-passphrase": "correct horse battery"}
SECRET = "sk-test-000011112222"


def control(build, **more):
    return Routex(build, planes=0, **more)


def ask(r, method, path, body=None, headers=()):
    data = None if body is None else json.dumps(body).encode()
    with Client(r.control_url) as client:
        return client.request(method, path, {
            "authorization": f"Bearer {r.admin.token}", **dict(headers)}, data)


def take(r, document, query="", headers=()):
    answer = ask(r, "POST", f"/api/config/import{query}", document, headers)
    assert answer.status == 200, (answer.status, answer.body)
    return answer.json()["data"]


def faults(answer):
    assert answer.status == 400, (answer.status, answer.body)
    return {f["field"]: f["message"] for f in answer.json()["error"]["errors"]}


def furnish(r):
    """One of everything, with references between them."""
    r.admin.post("/api/tenants", {"name": "acme", "limits": {
        "requests_per_min": 600}, "models": ["claude-*"]})
    r.admin.post("/api/channels", {
        "name": "main", "type": "anthropic", "api_key": SECRET,
        "keys": ["sk-test-333344445555"], "models": [
            "claude-*", {"name": "s", "upstream": "claude-sonnet-4-5"}],
        "headers": {"x-team": "a"}, "tags": ["eu"], "timeouts": {
            "connect_s": 2.5},
        "proxy_url": "http://me:hidden@127.0.0.1:3128"})
    r.admin.post("/api/channels", {"name": "second", "type": "openai",
                                   "api_key": "sk-test-666677778888"})
    r.admin.post("/api/routing/functions", {
        "name": "small", "source": "return request.tokens < 100"})
    r.admin.post("/api/routing/rules", {
        "name": "little", "condition": {"custom_function": "small"},
        "target": {"channels": [{"channel": "main", "weight": 3},
                                {"channel": "second", "weight": 1}]}})
    r.admin.post("/api/routing/rules", {
        "name": "long", "type": "longContext",
        "condition": {"token_threshold": 60000},
        "target": {"channel": "main", "fallbacks": [{"channel": "second"}]}})
    key = r.admin.post("/api/keys", {
        "name": "ci", "tenant": "acme", "channels": ["main"],
        "expires_at": "2099-01-01T00:00:00Z"})["data"]["key"]
    r.admin.call("PATCH", "/api/settings", {"strategy": "weighted"})
    return key


def export(r, query="", headers=()):
    answer = ask(r, "GET", f"/api/config/export{query}", None, headers)
    assert answer.status == 200, (answer.status, answer.body)
    return answer.json()["data"]


@test
def a_document_moves_a_router_to_another_machine(build):
    with control(build) as old, control(build) as new:
        client_key = furnish(old)
        document = export(old, "?secrets=sealed", PASS)
        text = json.dumps(document)
        for hidden in (SECRET, "333344445555", "hidden", client_key):
            assert hidden not in text, hidden
        dry = take(new, document, "?dry_run=true", PASS)
        assert dry["dry_run"] is True and dry["summary"]["added"] >= 7, dry
        assert not new.admin.get("/api/channels")["data"]
        done = take(new, document, "", PASS)
        assert done["summary"] == dry["summary"], (done, dry)
        assert not done["warnings"], done["warnings"]
        again = take(new, document, "", PASS)
        assert again["summary"]["unchanged"] == sum(
            done["summary"].values()), again
        assert not again["changes"], again["changes"]
        mine, theirs = export(old), export(new)
        first = [k for k in theirs["keys"] if k not in mine["keys"]]
        assert len(first) == 1, first  # the new store's own first key
        theirs["keys"].remove(first[0])
        assert mine == theirs, (mine, theirs)
        sealed = export(new, "?secrets=sealed", PASS)
        third = take(old, sealed, "?select=channels", PASS)
        assert not third["changes"], third["changes"]


@test
def an_export_reads_the_same_each_time(build):
    with control(build) as r:
        furnish(r)
        one, two = (ask(r, "GET", "/api/config/export").body for _ in "ab")
        assert one == two, (one, two)
        assert export(r)["format"] == "routex-config", export(r)
        some = export(r, "?select=rules:long,tenants")
        assert [x["name"] for x in some["rules"]] == ["long"], some
        assert "channels" not in some and len(some["tenants"]) == 2, some


@test
def every_fault_is_named_with_its_path_and_nothing_is_changed(build):
    with control(build) as r:
        furnish(r)
        before = export(r)
        answer = ask(r, "POST", "/api/config/import", {
            "format": "routex-config", "version": 1, "colour": "red",
            "settings": {"strategy": "guess"},
            "channels": [
                {"name": "fine", "type": "openai", "api_key": SECRET},
                {"name": "bad one", "type": "openai", "weight": 0},
                {"name": "nokey", "type": "openai"},
                {"name": "fine", "type": "openai", "api_key": SECRET}],
            "rules": [{"name": "r", "condition": {"stream": True},
                       "target": {"channel": "nobody"}}],
            "keys": [{"name": "k", "tenant": "nobody"}, 7]})
        found = faults(answer)
        for path in ("colour", "settings.strategy", "channels[1].name",
                     "channels[1].weight", "channels[2].api_key",
                     "channels[3].name", "rules[0].target.channel",
                     "keys[0].tenant", "keys[1]"):
            assert path in found, (path, found)
        assert export(r) == before


@test
def an_unknown_parameter_is_refused_before_anything_is_changed(build):
    with control(build) as r:
        answer = ask(r, "POST", "/api/config/import?dryrun=true", {
            "tenants": [{"name": "new"}]})
        assert answer.status == 400, answer.body
        assert answer.json()["error"]["field"] == "dryrun", answer.body
        names = [t["name"] for t in r.admin.get("/api/tenants")["data"]]
        assert names == ["default"], names


@test
def a_difference_shows_fields_before_and_after_and_no_secret(build):
    with control(build) as r:
        furnish(r)
        document = {"channels": [{
            "name": "main", "priority": 7, "timeouts": {"connect_s": 3},
            "keys": ["sk-other-99990000aaaa"]}]}
        shown = take(r, document, "?dry_run=true")
        assert shown["summary"] == {"added": 0, "changed": 1, "removed": 0,
                                    "unchanged": 0}, shown
        fields = {f["field"]: f for f in shown["changes"][0]["fields"]}
        assert set(fields) == {"priority", "timeouts.connect_s", "keys"}, fields
        assert fields["priority"]["before"] == 100, fields
        assert fields["priority"]["after"] == 7, fields
        assert fields["keys"]["after"][0]["last4"].endswith("aaaa"), fields
        assert "sk-other" not in json.dumps(shown), shown
        now = r.admin.get("/api/channels/main")["data"]
        assert now["priority"] == 100 and len(now["keys"]) == 2, now


@test
def replacing_removes_what_the_document_does_not_have(build):
    with control(build) as r:
        furnish(r)
        document = export(r)
        document["rules"] = [x for x in document["rules"]
                             if x["name"] == "long"]
        document["functions"] = []
        document["keys"] = [k for k in document["keys"] if k["name"] != "ci"]
        document["tenants"] = [t for t in document["tenants"]
                               if t["name"] != "acme"]
        kept = take(r, document)
        assert kept["summary"]["removed"] == 0, kept
        shown = take(r, document, "?mode=replace&dry_run=true")
        removed = {(c["kind"], c["name"]) for c in shown["changes"]
                   if c["action"] == "removed"}
        assert removed == {("rules", "little"), ("functions", "small"),
                           ("keys", "ci"), ("tenants", "acme")}, removed
        take(r, document, "?mode=replace&select=rules")
        assert len(export(r)["functions"]) == 1
        take(r, document, "?mode=replace")
        assert export(r) == document, (export(r), document)


@test
def removing_what_is_still_pointed_to_is_a_fault(build):
    with control(build) as r:
        furnish(r)
        document = {"channels": [c for c in export(r)["channels"]
                                 if c["name"] == "main"]}
        answer = ask(r, "POST", "/api/config/import?mode=replace", document)
        found = faults(answer)
        assert "points to this channel" in found["channels"], found
        assert len(export(r)["channels"]) == 2


@test
def secrets_that_were_left_out_leave_the_keys_that_are_known(build):
    with control(build) as old, control(build) as new:
        furnish(old)
        document = export(old)
        assert not take(old, document)["changes"]
        for channel in document["channels"]:
            channel["proxy_url"] = None
        done = take(new, document)
        assert {w["name"] for w in done["warnings"]} == {"main", "second"}, done
        for name in ("main", "second"):
            channel = new.admin.get(f"/api/channels/{name}")["data"]
            assert channel["status"] == "disabled", channel
            assert not channel["keys"], channel
        try:
            new.admin.post("/api/channels/main/resume")
            raise AssertionError("a channel without its key was enabled")
        except Failed as refused:
            assert refused.status == 400, refused.body
        new.admin.call("PATCH", "/api/channels/main", {
            "api_key": SECRET, "status": "enabled"})
        # Its key was changed meanwhile: an old document does not take it away.
        new.admin.call("PATCH", "/api/channels/second", {
            "api_key": "sk-new-0000", "status": "enabled"})
        take(new, document)
        channel = new.admin.get("/api/channels/second")["data"]
        assert [k["last4"][-4:] for k in channel["keys"]] == ["0000"], channel


@test
def the_wrong_passphrase_opens_nothing(build):
    with control(build) as r:
        furnish(r)
        document = export(r, "?secrets=sealed", PASS)
        answer = ask(r, "POST", "/api/config/import", document,
                     {"x-routex-passphrase": "correct horse batterz"})
        assert list(faults(answer)) == ["secrets"], answer.body
        document["secrets"]["box"] = "AAAA" + document["secrets"]["box"][4:]
        answer = ask(r, "POST", "/api/config/import", document, PASS)
        assert list(faults(answer)) == ["secrets"], answer.body
        answer = ask(r, "GET", "/api/config/export?secrets=sealed")
        assert answer.status == 400, answer.body


@test
def keys_are_brought_by_text_or_digest_or_made_once(build):
    with control(build) as r:
        document = {"keys": [{"name": "mine", "key": "sk-llmio-0123456789abcdef"},
                             {"name": "drawn"}]}
        assert take(r, document, "?dry_run=true")["made_keys"] == []
        done = take(r, document)
        made = done["made_keys"]
        assert [k["name"] for k in made] == ["drawn"], made
        again = take(r, document)
        assert not again["changes"] and not again["made_keys"], again
        shown = {k["name"]: k for k in export(r)["keys"]}
        assert shown["mine"]["last4"].endswith("cdef"), shown
        assert "0123456789" not in json.dumps(shown), shown


@test
def what_an_import_changes_reaches_the_data_planes(build):
    with Routex(build, demo=True) as r:
        shown = r.admin.get("/api/channels/demo")["data"]
        take(r, {"keys": [{"name": "theirs", "key": "my-own-client-key-1"}],
                 "channels": [{"name": "again", "type": "demo",
                               "base_url": shown["base_url"]}]})
        r.settle()
        with Client(r.url) as client:
            answer = client.request("POST", "/v1/messages", {
                "x-api-key": "my-own-client-key-1",
                "anthropic-version": "2023-06-01",
                "content-type": "application/json"}, json.dumps({
                    "model": "again/demo", "max_tokens": 9, "messages": [
                        {"role": "user", "content": "hi"}]}).encode())
        assert answer.status == 200, answer.body
        assert answer.header("x-routex-channel") == "again", answer.headers


# -- the command line -----------------------------------------------------------


class Shell:
    def __init__(self, r, build):
        self.program = pathlib.Path(build) / "routex"
        self.env = {"PATH": os.environ["PATH"], "HOME": str(r.folder),
                    "LC_ALL": "C.UTF-8", "ROUTEX_URL": r.control_url,
                    "ROUTEX_TOKEN": r.admin.token,
                    "ROUTEX_DATA_DIR": str(r.data_dir)}
        self.folder = r.folder

    def run(self, *words, given=""):
        return subprocess.run([str(self.program), *words], input=given,
                              capture_output=True, text=True, timeout=60,
                              env=self.env, cwd=self.folder)

    def ok(self, *words, given=""):
        done = self.run(*words, given=given)
        assert done.returncode == 0, (words, done)
        return done.stdout


@test
def apply_makes_it_so_and_the_second_time_changes_nothing(build):
    with control(build) as r:
        sh = Shell(r, build)
        furnish(r)
        text = sh.ok("config", "export")
        assert text.startswith('{\n  "format"'), text[:80]
        assert "0 added, 0 changed, 0 removed" in sh.ok(
            "apply", "-f", "-", given=text)
        document = json.loads(text)
        document["rules"].pop()
        document["tenants"].append({"name": "new"})
        (r.folder / "doc.json").write_text(json.dumps(document))
        shown = sh.run("config", "diff", "doc.json")
        assert shown.returncode == 1, shown
        assert "+ tenants new" in shown.stdout, shown
        assert "1 added, 0 changed, 0 removed" in sh.ok(
            "apply", "-f", "doc.json")
        assert "- rules" in sh.ok("apply", "--prune", "-f", "doc.json")
        assert "0 added, 0 changed, 0 removed" in sh.ok(
            "apply", "doc.json", "--prune")
        assert sh.run("config", "diff", "doc.json").returncode == 0
        document["tenants"].append({"name": "x", "models": 7})
        document["channels"][0]["weight"] = -1
        done = sh.run("apply", "-f", "-", given=json.dumps(document))
        assert done.returncode == 1, done
        assert "channels[0].weight:" in done.stderr, done
        assert "tenants[3].models:" in done.stderr, done
        assert sh.run("apply").returncode == 2


@test
def secrets_travel_with_a_passphrase_from_a_file(build):
    with control(build) as old, control(build) as new:
        furnish(old)
        for r in (old, new):
            (r.folder / "pass").write_text("correct horse battery\n")
        sh = Shell(old, build)
        assert sh.run("config", "export", "--secrets").returncode == 2
        sh.ok("config", "export", "--secrets", "--passphrase-file", "pass",
              "--output", "all.json")
        file = old.folder / "all.json"
        assert file.stat().st_mode & 0o777 == 0o600, oct(file.stat().st_mode)
        Shell(new, build).ok("config", "import", str(file),
                             "--passphrase-file", "pass")
        channel = new.admin.get("/api/channels/main")["data"]
        assert channel["status"] == "enabled" and len(
            channel["keys"]) == 2, channel


main()
