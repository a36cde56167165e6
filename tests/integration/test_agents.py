"""Agents: files that are watched, told to the planes, recognised by their
prompt, and change where requests go."""
import json
import os
import pathlib
import subprocess

from dialects import ANTHROPIC, provider
from harness import Failed, Routex, main, test, wait_until
from peers import Client, Upstream

PROMPT = ("You are a careful reviewer (of C).  Look at each change;\n"
          "say what is wrong with it, and why: \"never\" guess.")
FILE = f"""---
name: reviewer
description: Looks at changes
model: deep-model
routing: deep
tools:
  - Read
---

{PROMPT}
"""


class Rig:
    def __init__(self, build):
        self.upstream = Upstream(provider)
        self.build = build

    def __enter__(self):
        self.r = Routex(self.build, channels=[
            ANTHROPIC.channel(self.upstream.url, "usual", priority=200),
            ANTHROPIC.channel(self.upstream.url, "deep")])
        self.r.__enter__()
        return self

    def __exit__(self, *how):
        self.r.__exit__(*how)
        self.upstream.close()

    def write(self, name, text):
        (self.r.data_dir / "agents" / name).write_text(text)

    def agent(self, name):
        try:
            return self.r.admin.get(f"/api/agents/{name}")["data"]
        except Failed:
            return None

    def send(self, system):
        with Client(self.r.url) as client:
            answer = client.request("POST", "/v1/messages", {
                "x-api-key": self.r.key, "anthropic-version": "2023-06-01",
                "content-type": "application/json"}, json.dumps({
                    "model": "claude-sonnet-4-5", "max_tokens": 9,
                    "system": system, "messages": [
                        {"role": "user", "content": "look"}]}).encode())
        assert answer.status == 200, (answer.status, answer.body)
        return (answer.header("x-routex-channel"),
                answer.header("x-routex-rule"),
                json.loads(self.upstream.calls[-1].body)["model"])


@test
def a_file_makes_its_requests_go_where_it_says(build):
    with Rig(build) as rig:
        assert rig.send(PROMPT)[0] == "usual"
        rig.write("reviewer.md", FILE)
        wait_until(lambda: rig.agent("reviewer"), "the file to be read")
        rig.r.settle()
        blocks = [{"type": "text", "text": "You are Claude Code."},
                  {"type": "text", "text": PROMPT.replace("\n", "  \n ")
                   + "\n\nNotes: today is Sunday."}]
        for system in (PROMPT, blocks):
            assert rig.send(system) == ("deep", "agent reviewer",
                                        "deep-model"), system
        assert rig.send("You are a careful painter of pictures and so on")[
            0] == "usual"
        told = rig.r.admin.post("/api/routing/test", {
            "dialect": "anthropic", "body": {
                "model": "claude-sonnet-4-5", "max_tokens": 9,
                "system": PROMPT, "messages": [
                    {"role": "user", "content": "look"}]}})["data"]
        assert told["rule"] == "agent reviewer" or (
            told["rule"]["name"] == "agent reviewer"), told["rule"]
        wait_until(lambda: len(rig.r.admin.rows()) == 4, "4 rows")
        rules = [row["rule"] for row in rig.r.admin.rows()]
        assert rules.count("agent reviewer") == 2, rules
        rig.write("reviewer.md", FILE.replace("routing: deep\n", ""))
        wait_until(lambda: rig.agent("reviewer")["routing"] == "",
                   "the change to be read")
        rig.r.settle()
        assert rig.send(PROMPT) == ("usual", "agent reviewer", "deep-model")
        (rig.r.data_dir / "agents" / "reviewer.md").unlink()
        wait_until(lambda: rig.agent("reviewer") is None, "it to be forgotten")
        rig.r.settle()
        assert rig.send(PROMPT)[1] is None


def agent_of(rig, body, **headers):
    """Whose the row of a request is, and the program that sent it."""
    before = len(rig.r.admin.rows())
    with Client(rig.r.url) as client:
        answer = client.request("POST", "/v1/messages", {
            "x-api-key": rig.r.key, "anthropic-version": "2023-06-01",
            "content-type": "application/json",
            **{k.replace("_", "-"): v for k, v in headers.items()}},
            json.dumps({"model": "claude-sonnet-4-5", "max_tokens": 9,
                        "messages": [{"role": "user", "content": "look"}],
                        **body}).encode())
    assert answer.status == 200, (answer.status, answer.body)
    wait_until(lambda: len(rig.r.admin.rows()) == before + 1, "the row")
    row = rig.r.admin.rows()[0]
    return row["agent"], row["client"], row["rule"]


@test
def rows_and_sums_know_their_agent_and_client(build):
    quiet = (FILE.replace("name: reviewer", "name: quiet")
             .replace("model: deep-model\nrouting: deep\n", "")
             .replace("careful reviewer", "quiet listener"))
    with Rig(build) as rig:
        rig.write("reviewer.md", FILE)
        rig.write("quiet.md", quiet)
        wait_until(lambda: rig.agent("quiet") and rig.agent("reviewer"),
                   "the files to be read")
        assert not rig.agent("quiet")["routed"], rig.agent("quiet")
        rig.r.settle()
        cli = {"user_agent": "claude-cli/2.0.31 (external, cli)"}
        prompt = PROMPT.replace("careful reviewer", "quiet listener")
        got = [
            agent_of(rig, {"system": PROMPT}, **cli),
            # One that decides nothing is known all the same, and so is one
            # that is not asked where to go.
            agent_of(rig, {"system": prompt}, **cli),
            agent_of(rig, {"system": PROMPT, "model": "usual,claude-x"}),
            agent_of(rig, {}, x_claude_code_agent_id="a1", **cli),
            agent_of(rig, {"system": "You are nobody."},
                     user_agent="codex_cli_rs/0.46.0 (Debian)")]
        assert got == [("reviewer", "claude-code", "agent reviewer"),
                       ("quiet", "claude-code", None),
                       ("reviewer", got[2][1], None),
                       ("(sub-agent)", "claude-code", None),
                       (None, "codex", None)], got
        summary = rig.r.admin.get(
            "/api/analytics/summary?range=1h&by=agent,client")["data"]
        for group, at in (("by_agent", 0), ("by_client", 1)):
            sums = {s["name"]: s["requests"] for s in summary[group]}
            want = {row[at]: sum(r[at] == row[at] for r in got) for row in got}
            assert sums == want, (group, sums, want)
        for query, count in (("agent=reviewer", 2), ("client=codex", 1),
                             ("rule=agent%20reviewer", 1), ("tag=x", 0),
                             ("agent=reviewer&client=claude-code", 1)):
            rows = rig.r.admin.get(f"/api/requests?{query}")["data"]
            assert len(rows) == count, (query, rows)
        series = rig.r.admin.get(
            "/api/analytics?range=1h&by=client&client=codex")["data"]["series"]
        assert [(s["name"], s["total"]["requests"]) for s in series] == [
            ("codex", 1)], series
        told = rig.r.admin.post("/api/routing/test", {
            "dialect": "anthropic", "body": {
                "model": "claude-sonnet-4-5", "max_tokens": 9,
                "system": prompt, "messages": [
                    {"role": "user", "content": "look"}]}})["data"]
        assert (told["agent"], told["rule"]) == ("quiet", None), told
        listed = subprocess.run(
            [str(rig.build / "routex"), "usage", "--by", "agent", "--range", "1h",
             "--json", "--data-dir", rig.r.data_dir], check=True,
            capture_output=True, env={"PATH": os.environ["PATH"]}).stdout
        names = {s["name"] for s in json.loads(listed)["by_agent"]}
        assert names == {"reviewer", "quiet", "(sub-agent)", None}, names


@test
def a_bad_file_is_told_with_its_line_and_disturbs_nobody(build):
    with Rig(build) as rig:
        rig.write("good.md", FILE)
        bad = {
            "noend.md": ("---\nname: x\nnote: y\n", "is missing"),
            "nohead.md": (PROMPT, "must begin with"),
            "quote.md": (FILE.replace("deep-model", '"deep'), "not closed"),
            "line.md": (FILE.replace("tools:", "tools"), "key: value"),
            "short.md": ("---\nname: s\n---\nHi.", "too short"),
            "twice.md": (FILE.replace("tools:", "model: y\ntools:"), "twice"),
            "away.md": (FILE.replace("routing: deep", "routing: nobody"),
                        "no channel"),
        }
        for name, (text, _) in bad.items():
            rig.write(name, text)
        wait_until(lambda: len(rig.r.admin.get("/api/agents")["data"]) == 8,
                   "all files to be read")
        listed = {a["id"]: a for a in rig.r.admin.get("/api/agents")["data"]}
        for name, (_, words) in bad.items():
            fault = listed[name[:-3]]["fault"]
            assert fault and words in fault["reason"], (name, fault)
            assert not listed[name[:-3]]["routed"], name
        assert listed["quote"]["fault"]["line"] == 4, listed["quote"]
        assert listed["good"]["fault"] is None, listed["good"]
        rig.r.settle()
        assert rig.send(PROMPT)[0] == "deep"


@test
def saving_an_agent_keeps_the_lines_of_its_file_that_are_not_ours(build):
    text = FILE.replace("---\nname", "---\n# ours since May\ncolor: red\nname")
    with Rig(build) as rig:
        rig.write("reviewer.md", text)
        shown = wait_until(lambda: rig.agent("reviewer"), "it to be read")
        file = rig.r.data_dir / "agents" / "reviewer.md"
        said = {k: shown[k] for k in (
            "name", "description", "model", "routing", "prompt")}
        rig.r.admin.call("PUT", "/api/agents/reviewer", said)
        assert file.read_text() == text, file.read_text()
        rig.r.admin.call("PUT", "/api/agents/reviewer",
                         {**said, "model": "other"})
        assert file.read_text() == text.replace(
            "model: deep-model", 'model: "other"'), file.read_text()
        document = {"version": 1, "agents": [{**said, "model": "third"}]}
        rig.r.admin.call("POST", "/api/config/import?mode=merge", document)
        assert file.read_text() == text.replace(
            "model: deep-model", 'model: "third"'), file.read_text()


@test
def agents_are_written_by_the_api_and_the_command_line(build):
    with Rig(build) as rig:
        made = rig.r.admin.post("/api/agents", {
            "name": "Code reviewer", "model": "m", "routing": "deep",
            "description": 'says "why"\nand more', "prompt": PROMPT})["data"]
        assert made["id"] == "Code-reviewer" and made["routed"], made
        file = rig.r.data_dir / "agents" / "Code-reviewer.md"
        assert file.read_text().startswith('---\nname: "Code reviewer"\n')
        assert rig.agent("Code-reviewer")["description"] == (
            'says "why"\nand more')
        rig.r.settle()
        assert rig.send(PROMPT)[:2] == ("deep", "agent Code reviewer")
        for wrong, field in (({"prompt": "short"}, "prompt"),
                             ({"routing": "nobody"}, "routing"),
                             ({"colour": "red"}, "colour")):
            try:
                rig.r.admin.call("PUT", "/api/agents/Code-reviewer", {
                    "name": "x", "prompt": PROMPT, **wrong})
                raise AssertionError(wrong)
            except Failed as why:
                error = json.loads(why.body)["error"]
                assert error["field"] == field, error
        rig.r.admin.call("DELETE", "/api/agents/Code-reviewer")
        assert not file.exists()
        run = {"PATH": os.environ["PATH"], "HOME": str(rig.r.folder),
               "ROUTEX_URL": rig.r.control_url,
               "ROUTEX_TOKEN": rig.r.admin.token}
        (rig.r.folder / "p.txt").write_text(PROMPT)
        for words in (("edit", "quick", "--prompt-file", "p.txt", "--routing",
                       "deep"), ("edit", "quick", "--model", "m2"), ("list",),
                      ("show", "quick"), ("rm", "quick")):
            done = subprocess.run(
                [str(pathlib.Path(build) / "routex"), "agent", *words],
                env=run, cwd=rig.r.folder, capture_output=True, text=True,
                timeout=60)
            assert done.returncode == 0, done
            if words[0] == "list":
                assert "m2" in done.stdout and "deep" in done.stdout, done
        assert not list(file.parent.iterdir())


main()
