"""routex NOUN VERB: the admin API for people and for scripts."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

import dialects
from harness import Routex, main, test, wait_until
from peers import Client


class Shell:
    """Commands against a running pair of planes."""

    def __init__(self, router, build, **env):
        self.program = pathlib.Path(build) / "routex"
        self.folder = router.folder
        self.env = {"PATH": os.environ["PATH"], "HOME": str(router.folder),
                    "LC_ALL": "C.UTF-8", "ROUTEX_URL": router.control_url,
                    "ROUTEX_TOKEN": router.admin.token,
                    "ROUTEX_DATA_DIR": str(router.data_dir), **env}

    def run(self, *words, given="", env=None):
        return subprocess.run(
            [str(self.program), *words], input=given, capture_output=True,
            text=True, timeout=60, env={**self.env, **(env or {})},
            cwd=self.folder)

    def ok(self, *words, **more):
        done = self.run(*words, **more)
        assert done.returncode == 0, (words, done)
        return done.stdout

    def json(self, *words, **more):
        return json.loads(self.ok(*words, "--json", **more))


@test
def a_channel_lives_from_add_to_rm(build):
    with Routex(build, demo=True) as r:
        sh = Shell(r, build)
        made = sh.json("channel", "add", "main", "--type", "openai",
                       "--api-key-stdin", "--model", "gpt-*", "--model",
                       "fast=gpt-5.4-nano", "--priority", "-5", "--weight",
                       "3", "--tag", "eu", "--header", "x-team: a",
                       given="sk-abcdefghijkl-9876\n")
        assert made["name"] == "main" and made["priority"] == -5, made
        assert made["weight"] == 3 and made["tags"] == ["eu"], made
        assert made["headers"] == {"x-team": "a"}, made
        assert made["keys"][0]["last4"] == "9876", made
        assert "sk-abc" not in json.dumps(made)
        table = sh.ok("channel", "list").splitlines()
        assert table[0].split()[:3] == ["NAME", "TYPE", "STATUS"], table
        assert table[0].index("TYPE") == table[2].index("openai"), table
        assert table[0].index("MODELS") == table[2].index("gpt-*"), table
        assert "fast=gpt-5.4-nano" in sh.ok("channel", "show", "main")
        sh.ok("channel", "edit", "main", "--name", "second", "--weight", "7")
        shown = sh.json("channel", "show", "second")
        assert shown["weight"] == 7 and shown["priority"] == -5, shown
        assert shown["keys"][0]["last4"] == "9876", shown
        sh.ok("channel", "edit", "second", "--transformers",
              '{"use":[["maxtoken",{"max_tokens":9}]]}')
        shown = sh.json("channel", "show", "second")["transformers"]
        assert shown == {"use": [["maxtoken", {"max_tokens": 9}]]}, shown
        sh.ok("channel", "pause", "second")
        assert sh.json("channel", "show", "second")["status"] == "paused"
        sh.ok("channel", "resume", "second")
        assert sh.json("channel", "show", "second")["status"] == "enabled"
        assert "gone" in sh.ok("channel", "rm", "second")
        assert [c["name"] for c in sh.json("channel", "list")] == ["demo"]


@test
def testing_a_channel_tells_by_words_and_exit_code(build):
    with Routex(build, demo=True) as r:
        sh = Shell(r, build)
        good = sh.run("channel", "test", "demo")
        assert good.returncode == 0 and "yes" in good.stdout, good
        sh.ok("channel", "add", "bad", "--type", "openai", "--base-url",
              r.demo_url + "/with/status=401", "--api-key", "sk-x")
        bad = sh.run("channel", "test", "bad")
        assert bad.returncode == 1 and "401" in bad.stdout, bad


@test
def keys_open_the_door_until_they_are_rotated_or_gone(build):
    with Routex(build, demo=True) as r:
        sh = Shell(r, build)
        first = sh.json("key", "add", "ci")["key"]
        wait_until(lambda: r.admits("data-1", first), "the key to be known")
        second = sh.json("key", "rotate", "ci")["key"]
        assert first != second
        wait_until(lambda: not r.admits("data-1", first), "the old to be out")
        assert r.admits("data-1", second)
        sh.ok("key", "rm", "ci")
        wait_until(lambda: not r.admits("data-1", second), "it to be out")
        sh.ok("key", "add", "twin")
        sh.ok("key", "add", "twin")
        twins = sh.run("key", "rm", "twin")
        assert twins.returncode == 1 and "2 keys" in twins.stderr, twins
        text = sh.ok("key", "add", "shown")
        assert text.startswith("rtx_") and "not shown again" in text


@test
def tenants_come_and_go(build):
    with Routex(build, demo=True) as r:
        sh = Shell(r, build)
        sh.ok("tenant", "add", "acme", "--model", "claude-*")
        assert sh.json("tenant", "show", "acme")["models"] == ["claude-*"]
        sh.ok("tenant", "edit", "acme", "--rpm", "60", "--quota", "9000/day")
        sh.ok("tenant", "edit", "acme", "--rpm", "0", "--concurrent", "5")
        assert sh.json("tenant", "show", "acme")["limits"] == {
            "concurrent": 5, "quota": {"tokens": 9000, "window": "day"}}
        assert "day, week" in sh.run(
            "tenant", "edit", "acme", "--quota", "9/year").stderr
        sh.ok("key", "add", "k", "--tenant", "acme")
        assert [k["name"] for k in sh.json("key", "list", "--tenant",
                                           "acme")] == ["k"]
        assert sh.run("tenant", "rm", "acme").returncode == 1
        sh.ok("key", "rm", "k")
        sh.ok("tenant", "rm", "acme")
        assert "acme" not in sh.ok("tenant", "list")


@test
def what_was_asked_is_listed_followed_and_summed(build):
    with Routex(build, demo=True) as r:
        sh = Shell(r, build)
        follower = subprocess.Popen(
            [str(sh.program), "requests", "--follow", "--json", "--since",
             "2026-01-01T00:00:00Z"], stdout=subprocess.PIPE, text=True,
            env=sh.env, cwd=r.folder)
        try:
            assert r.ask(dialects.ANTHROPIC, model="m-7").status == 200
            r.rows(1)
            row, = sh.json("requests", "--model", "m-7")
            assert row["channel"] == "demo" and row["output_tokens"] > 0, row
            assert sh.json("requests", "--model", "other") == []
            assert row["request_id"] in sh.ok("requests")
            followed = json.loads(follower.stdout.readline())
            assert followed["request_id"] == row["request_id"]
        finally:
            follower.kill()
            follower.wait()
            follower.stdout.close()
        line = [cells for cells in map(str.split, sh.ok(
            "usage", "--range", "24h").splitlines()) if cells[:1] == ["m-7"]][0]
        assert line[1] == "1" and line[3] == str(row["input_tokens"]), line
        for by in "channel", "tenant", "key", "day", "hour":
            assert "1" in sh.ok("usage", "--by", by)


@test
def status_and_doctor_find_all_well_and_then_not(build):
    with Routex(build, demo=True) as r:
        sh = Shell(r, build)
        status = sh.json("status")
        assert [p["id"] for p in status["planes"]] == ["data-1"], status
        assert "data-1" in sh.ok("status")
        checks = sh.json("doctor")
        assert checks["healthy"] is True, checks
        named = {c["check"]: c["result"] for c in checks["checks"]}
        assert named["control plane"] == named["data plane"] == "ok", named
        assert named["channel"] == "ok", named
        os.chmod(r.data_dir / "master.key", 0o644)
        done = sh.run("doctor")
        assert done.returncode == 1 and "master.key" in done.stdout, done
        os.chmod(r.data_dir / "master.key", 0o600)
        wrong = sh.run("doctor", env={"ROUTEX_TOKEN": "nope"})
        assert wrong.returncode == 1 and "token" in wrong.stdout, wrong


@test
def wrong_words_are_explained(build):
    with Routex(build, demo=True) as r:
        sh = Shell(r, build)
        rows = [
            (["chanel"], 2, "did you mean channel?"),
            (["channel", "lst"], 2, "did you mean list?"),
            (["channel", "show"], 2, "missing"),
            (["channel", "show", "a", "b"], 2, "too many"),
            (["channel", "list", "--jsn"], 2, "--json"),
            (["channel", "add", "x"], 2, "--type"),
            (["channel", "add", "x", "--type", "demo", "--transformers",
              "{"], 2, "--transformers"),
            (["channel", "add", "x", "--type", "demo", "--priority", "z"], 2,
             "whole number"),
            (["channel", "add", "x", "--type", "nonsense"], 1, "type"),
            (["channel", "show", "nope"], 1, "nope"),
            (["env", "emacs"], 2, "claude"),
            (["completion", "tcsh"], 2, "bash"),
        ]
        for words, code, said in rows:
            done = sh.run(*words)
            assert done.returncode == code, (words, done)
            assert said in done.stderr, (words, done.stderr)
            assert done.stderr.startswith("routex"), done.stderr
        done = sh.run("status", env={"ROUTEX_TOKEN": "nope"})
        assert done.returncode == 3, done
        done = sh.run("status", env={"ROUTEX_URL": "http://127.0.0.1:9"})
        assert done.returncode == 3, done


@test
def help_names_every_command_and_needs_no_router(build):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="rtx-"))
    run = lambda *words: subprocess.run(
        [str(build / "routex"), *words], capture_output=True, text=True,
        env={"HOME": str(folder), "PATH": "/usr/bin:/bin"}, timeout=20)
    whole = run("--help")
    assert whole.returncode == 0
    for word in ("up", "channel add", "key rotate", "doctor", "completion"):
        assert f"  {word}" in whole.stdout, word
    assert all(len(line) <= 80 for line in whole.stdout.splitlines())
    channel = run("channel", "--help")
    assert channel.returncode == 0 and "pause" in channel.stdout
    add = run("channel", "add", "--help")
    assert add.returncode == 0 and "--api-key-stdin" in add.stdout
    assert run("--version").stdout.startswith("routex ")
    assert run().returncode == 2
    none = run("channel", "list")
    assert none.returncode == 3 and "routex up" in none.stderr, none
    shutil.rmtree(folder)


@test
def bash_completes_from_the_table(build):
    script = subprocess.run([str(build / "routex"), "completion", "bash"],
                            capture_output=True, text=True, timeout=20,
                            env={"HOME": "/tmp"}).stdout
    rows = [("routex chan", "channel"), ("routex channel pa", "pause"),
            ("routex channel add x --api-key-s", "--api-key-stdin"),
            ("routex requests --fol", "--follow"),
            ("routex env cl", "claude"), ("routex up --data-p",
                                          "--data-planes")]
    for line, want in rows:
        words = line.split(" ")
        code = script + "\nCOMP_WORDS=(" + " ".join(words) + ")\n" \
            f"COMP_CWORD={len(words) - 1}\n_routex\n" \
            'printf "%s\\n" "${COMPREPLY[@]}"\n'
        done = subprocess.run(["bash", "-c", code], capture_output=True,
                              text=True, timeout=20)
        assert want in done.stdout.split(), (line, done)


@test
def clients_get_what_they_read_from_the_environment(build):
    with Routex(build, demo=True) as r:
        sh = Shell(r, build, ROUTEX_KEY="rtx_it's", ROUTEX_CLIENT_URL=r.url)
        shown = sh.run("env", "claude").stdout
        done = subprocess.run(
            ["bash", "-c", shown + 'echo "$ANTHROPIC_BASE_URL '
             '$ANTHROPIC_AUTH_TOKEN"'], capture_output=True, text=True)
        assert done.stdout.split("\n")[0] == f"{r.url} rtx_it's", done
        assert sh.json("env", "openai")["OPENAI_BASE_URL"] == f"{r.url}/v1"
        assert sh.json("env", "gemini")["GOOGLE_GEMINI_BASE_URL"] == r.url
        fake = r.folder / "codex"
        fake.write_text('#!/bin/sh\nprintf "%s\\n" "$OPENAI_API_KEY" "$@"\n')
        fake.chmod(0o755)
        words = sh.ok("code", "--", str(fake), "exec", "--json").splitlines()
        assert words[0] == "rtx_it's" and words[-2:] == ["exec", "--json"]
        assert f'model_providers.routex.base_url="{r.url}/v1"' in words, words
        assert sh.run("code", "--", "no-such-program").returncode == 127
        no_key = sh.run("env", "claude", env={"ROUTEX_KEY": ""})
        assert no_key.returncode == 2 and "ROUTEX_KEY" in no_key.stderr


@test
def health_speed_alerts_and_webhooks_have_their_verbs(build):
    with Routex(build, demo=True) as r:
        sh = Shell(r, build)
        assert sh.json("channel", "test-all")[0]["ok"]
        assert "demo" in sh.ok("channel", "test-all")
        assert sh.json("channel", "health", "demo")["state"] == "unknown"
        assert "demo is unknown" in sh.ok("channel", "health", "demo")
        found = sh.json("channel", "speed", "demo", r.demo_url,
                        "http://127.0.0.1:1")
        assert [row["base_url"] for row in found] == [
            r.demo_url, "http://127.0.0.1:1"], found
        assert sh.json("alert", "list") == []
        assert "whs_" in sh.ok("webhook", "add", "pager",
                               "http://127.0.0.1:1/x")
        assert sh.json("webhook", "list")[0]["name"] == "pager"
        assert sh.run("webhook", "test", "pager").returncode == 1
        sh.ok("webhook", "rm", "pager")
        assert sh.run("alert", "ack", "4711").returncode == 1
        r.plane.kill()
        alert, = wait_until(lambda: sh.json("alert", "list"), "the alert")
        assert "plane_lost" in sh.ok("alert", "list")
        sh.ok("alert", "ack", alert["id"])
        assert sh.json("alert", "list")[0]["acked_by"]


@test
def people_and_programs_that_administrate_have_their_verbs(build):
    with Routex(build, demo=True) as r:
        sh = Shell(r, build)
        assert "nobody" not in sh.ok("user", "list")
        assert sh.run("user", "add", "anna").returncode == 2
        made = sh.json("user", "add", "anna", "--role", "owner",
                       "--password-stdin", given="0123456789\n")
        assert made["role"] == "owner" and made["has_password"], made
        done = sh.run("user", "add", "ben", "--password-stdin", given="x\n")
        assert done.returncode == 1 and "password" in done.stderr, done
        sh.ok("user", "add", "ben", "--password-stdin", given="0123456789\n")
        sh.ok("user", "edit", "ben", "--name", "Ben", "--role", "admin")
        assert sh.json("user", "show", "Ben")["role"] == "admin"
        sh.ok("user", "rm", "Ben")
        assert [u["name"] for u in sh.json("user", "list")] == ["anna"]

        made = sh.json("token", "add", "ci", "--scope", "read", "--expires",
                       "2099-01-01T00:00:00Z")
        assert made["token"].startswith("rtxa_") or made["token"], made
        env = {"ROUTEX_TOKEN": made["token"]}
        assert sh.ok("channel", "list", env=env)
        done = sh.run("tenant", "add", "x", env=env)
        assert done.returncode in (1, 3) and "scope" in done.stderr, done
        assert "ci" in sh.ok("token", "list")
        sh.ok("token", "rm", made["id"])
        assert sh.run("channel", "list", env=env).returncode == 3

        lines = sh.json("audit", "--kind", "user")
        assert [x["action"] for x in lines][:2] == ["delete", "update"], lines
        assert "anna" in sh.ok("audit", "--object", "anna", "--limit", "5")
        assert sh.json("planes")[0]["id"] in sh.ok("planes")
        key = sh.json("key", "add", "spare")
        sh.ok("key", "edit", "spare", "--status", "disabled", "--rpm", "7")
        shown = sh.json("key", "show", "spare")
        assert (shown["id"], shown["status"]) == (key["id"], "disabled"), shown
        assert shown["limits"]["requests_per_min"] == 7, shown


@test
def prices_are_set_shown_and_taken_back(build):
    with Routex(build, planes=0) as r:
        sh = Shell(r, build)
        (r.folder / "prices.json").write_text(json.dumps({"own/model": {
            "litellm_provider": "own", "input_cost_per_token": 1e-6}}))
        assert "prices.json" in sh.ok("price", "load", "prices.json")
        assert sh.json("price", "show", "own/model")["input"] == "1"
        sh.ok("price", "set", "own/model", "2.5", "7")
        shown = sh.json("price", "show", "own/model")
        assert (shown["input"], shown["output"], shown["source"]) == (
            "2.5", "7", "override"), shown
        assert [p["model"] for p in sh.json("price", "list", "own/")] == [
            "own/model"]
        sh.ok("price", "unset", "own/model")
        assert sh.json("price", "show", "own/model")["source"] == "file"


# Areas of the admin API and what people type for them; None: not for people.
VERBS = {
    "channels": ["channel"], "tenants": ["tenant"], "keys": ["key"],
    "routing": ["rule", "route"], "settings": ["settings"],
    "agents": ["agent"], "config": ["config", "apply", "import"],
    "oauth": ["login", "account"], "requests": ["requests"],
    "analytics": ["usage"], "usage.csv": ["usage"], "alerts": ["alert"],
    "anomalies": ["anomalies"],
    "webhooks": ["webhook"], "tees": ["tee"], "prices": ["price"],
    "planes": ["planes"], "audit": ["audit"], "users": ["user"],
    "tokens": ["token"], "status": ["status", "doctor"],
    # What a form needs: `channel add --help` says the same.
    "models": None, "providers": None, "transformers": None,
    # A browser's; programs have tokens.
    "session": None, "openapi.json": None,
}


@test
def webhooks_and_tees_are_changed_in_place(build):
    with Routex(build, planes=0) as r:
        sh = Shell(r, build)
        sh.ok("webhook", "add", "pager", "http://127.0.0.1:1/in",
              "--kind", "budget_80")
        assert sh.json("webhook", "show", "pager")["kinds"] == ["budget_80"]
        assert "pager is changed" in sh.ok(
            "webhook", "edit", "pager", "--name", "bell", "--severity",
            "critical", "--to", "http://127.0.0.1:2/in", "--status",
            "disabled")
        bell = sh.json("webhook", "show", "bell")
        assert bell["severity"] == "critical", bell
        assert bell["kinds"] == ["budget_80"], bell
        assert bell["status"] == "disabled", bell
        assert bell["url"].startswith("http://127.0.0.1:2/"), bell
        sh.ok("tee", "add", "lake", "http", "http://127.0.0.1:1/in",
              "--http-status", "429")
        sh.ok("tee", "edit", "lake", "--sampling", "0.5", "--status",
              "disabled", "--to", "http://127.0.0.1:2/in")
        lake = sh.json("tee", "show", "lake")
        assert lake["filter"]["status"] == 429, lake
        assert (lake["sampling"], lake["status"]) == (0.5, "disabled"), lake
        assert lake["url"].startswith("http://127.0.0.1:2/"), lake
        for words, code in ((("webhook", "edit", "nobody", "--name", "x"), 1),
                            (("tee", "edit", "lake", "--sampling", "x"), 2),
                            (("tee", "edit"), 2)):
            assert sh.run(*words).returncode == code, words
        sh.ok("webhook", "rm", "bell")
        sh.ok("tee", "rm", "lake")


@test
def a_list_has_all_there_are_not_just_the_first_page(build):
    with Routex(build, planes=0) as r:
        sh = Shell(r, build)
        for n in range(205):
            r.admin.post("/api/keys", {"name": f"k{n}", "tenant": "default"})
        names = {k["name"] for k in sh.json("key", "list")}
        assert {f"k{n}" for n in range(205)} <= names, len(names)
        assert sh.json("key", "show", "k0")["name"] == "k0"
        assert sh.json("key", "show", "k204")["name"] == "k204"


@test
def every_area_of_the_api_has_its_command_and_every_command_its_help(build):
    with Routex(build, planes=0) as r:
        sh = Shell(r, build)
        with Client(r.control_url) as client:
            paths = client.request("GET", "/api/openapi.json", {}, None).json()[
                "paths"]
        areas = {p.split("/")[2] for p in paths if p.startswith("/api/")}
        unknown = {a for a in areas if a not in VERBS}
        assert not unknown, unknown
        overview = sh.ok("--help")
        commands = [line[2:].split("  ")[0].split() for line in
                    overview.splitlines() if line.startswith("  ")
                    and line[2:3].islower()]
        nouns = {c[0] for c in commands}
        for area in areas:
            for noun in VERBS[area] or ():
                assert noun in nouns, (area, noun)
        assert "Exit codes:" in overview, overview
        scripts = {name: sh.ok("completion", name)
                   for name in ("bash", "zsh", "fish")}
        count = 0
        for words in commands:
            name = [w for w in words if w.islower()][:2]
            shown = sh.ok(*name, "--help")
            assert "usage: routex " + " ".join(name) in shown, (name, shown)
            if "VERB" in shown.split("\n")[2]:
                continue
            if name[0] not in ("up", "code", "completion", "env"):
                assert "--json" in shown, (name, shown)
            for kind, script in scripts.items():
                assert all(w in script for w in name), (kind, name)
            count += 1
        assert count > 60, count


main()
