"""SDKs and agents on a channel that speaks another dialect than they do: what
they were told is what they take from their own provider, tool loops included.
The demo provider answers, through one endpoint only."""
import json

import clients
from harness import Routex, main, test

PROMPT = "TOOLTEST run a shell command"
RAN = "routex-tool-ok"
CODEX = """
model = "gpt-5.5"
model_provider = "routex"
[model_providers.routex]
name = "routex"
base_url = "{url}/v1"
env_key = "ROUTEX_KEY"
wire_api = "responses"
"""
PATHS = {"anthropic": "/v1/messages", "chat": "/chat/completions",
         "responses": "/v1/responses", "gemini": "enerateContent"}


def narrow(r, dialect):
    """Leaves the demo channel one endpoint."""
    channel = r.admin.get("/api/channels")["data"][0]
    kept = [one for one in channel["effective_endpoints"]
            if one["dialect"] == dialect]
    r.admin.call("PATCH", f"/api/channels/{channel['id']}",
                 {"endpoints": kept})
    r.settle()


def asked(r):
    lines = map(json.loads, r.demo_log.read_text().splitlines())
    return [line for line in lines if line["event"] == "request"]


def responses_sdk(build, dialect):
    with Routex(build, demo=True) as r:
        narrow(r, dialect)
        done = clients.run(
            [clients.node(), clients.HERE / "sdk" / "foreign.mjs"],
            r.folder, {"HOME": str(r.folder), "ROUTEX_URL": r.url,
                       "ROUTEX_KEY": r.key})
        print(done.stdout)
        assert done.returncode == 0, done.stdout + done.stderr[-3000:]
        paths = {one["path"] for one in asked(r)}
        assert paths and all(PATHS[dialect] in one for one in paths), paths


def agent(build, dialect, argv, **env):
    """One that runs a shell command because the model asks it to."""
    with Routex(build, demo=True) as r:
        narrow(r, dialect)
        home = r.folder / "home"
        (home / ".codex").mkdir(parents=True)
        (home / ".codex" / "config.toml").write_text(CODEX.format(url=r.url))
        done = clients.run(argv, r.folder, {
            "HOME": str(home), "CODEX_HOME": str(home / ".codex"),
            "ROUTEX_KEY": r.key, "ANTHROPIC_BASE_URL": r.url,
            "ANTHROPIC_AUTH_TOKEN": r.key})
        said = done.stdout + done.stderr
        assert done.returncode == 0, (done.returncode, said[-4000:])
        assert RAN in done.stdout, said[-4000:]
        mains = [one for one in asked(r) if PATHS[dialect] in one["path"]
                 and PROMPT in one["body"]]
        assert len(mains) >= 2, [one["path"] for one in asked(r)]
        assert RAN in mains[-1]["body"], mains[-1]["body"][-2000:]


def codex(build, dialect):
    agent(build, dialect, [
        clients.node(), clients.installed("@openai/codex/bin/codex.js"),
        "exec", "--skip-git-repo-check",
        "--dangerously-bypass-approvals-and-sandbox", PROMPT])


def claude(build, dialect):
    agent(build, dialect, [
        clients.installed("@anthropic-ai/claude-code-linux-"
                          f"{clients.CPU}/claude"),
        "-p", PROMPT, "--allowedTools", "Bash(echo:*)"])


@test
def openai_responses_over_chat(build):
    responses_sdk(build, "chat")


@test
def openai_responses_over_anthropic(build):
    responses_sdk(build, "anthropic")


@test
def openai_responses_over_gemini(build):
    responses_sdk(build, "gemini")


@test
def codex_over_chat(build):
    codex(build, "chat")


@test
def codex_over_anthropic(build):
    codex(build, "anthropic")


@test
def codex_over_gemini(build):
    codex(build, "gemini")


@test
def claude_code_over_responses(build):
    claude(build, "responses")


@test
def claude_code_over_chat(build):
    claude(build, "chat")


@test
def claude_code_over_gemini(build):
    claude(build, "gemini")


main()
