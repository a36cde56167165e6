"""Real command-line clients through a tool loop: the demo provider asks for a
shell command, the client runs it and sends its output back, the provider says
what it got.  Each client starts from an empty home and environment."""
import json
import platform

import clients
from harness import Routex, main, test

PROMPT = "TOOLTEST run a shell command"
RAN = "routex-tool-ok"  # what the command that the demo asks for prints


def asked(r):
    """The requests the provider saw, as logged."""
    lines = map(json.loads, r.demo_log.read_text().splitlines())
    return [line for line in lines if line["event"] == "request"]


def tool_loop(build, path, client):
    """`client(r, home)` runs a client; gives its output."""
    with Routex(build, demo=True) as r:
        home = r.folder / "home"
        home.mkdir()
        done = client(r, home)
        said = done.stdout + done.stderr
        assert done.returncode == 0, (done.returncode, said[-4000:])
        assert RAN in done.stdout, said[-4000:]
        mains = [one for one in asked(r)
                 if path in one["path"] and PROMPT in one["body"]
                 and '"tools"' in one["body"]]
        assert len(mains) >= 2, [one["path"] for one in asked(r)]
        first, last = mains[0]["body"], mains[-1]["body"]
        assert RAN not in first, first[-2000:]
        assert RAN in last, last[-2000:]
        for one in asked(r):
            assert r.key not in json.dumps(one["headers"]), one["headers"]
        good = [row for row in r.all_rows(len(mains))
                if row["outcome"] == "ok" and row["provenance"] == "reported"]
        assert len(good) >= 2, r.rows()
        for row in good:
            assert row["input_tokens"] + (row["cache_read_tokens"] or 0) + (
                row["cache_write_tokens"] or 0) > 0, row
            assert row["output_tokens"] > 0, row
        return good


def claude(**more):
    def go(r, home):
        return clients.run(
            [clients.installed("@anthropic-ai/claude-code-linux-"
                               f"{clients.CPU}/claude"),
             "-p", PROMPT, "--allowedTools", "Bash(echo:*)"],
            r.folder, {"HOME": str(home), "ANTHROPIC_BASE_URL": r.url,
                       **{name: value(r) for name, value in more.items()}})
    return go


@test
def claude_code_with_a_bearer_token(build):
    good = tool_loop(build, "/v1/messages",
                     claude(ANTHROPIC_AUTH_TOKEN=lambda r: r.key))
    assert all(row["dialect"] == "anthropic" for row in good)
    assert len({row["session"] for row in good}) == 1, good


@test
def claude_code_with_an_api_key(build):
    tool_loop(build, "/v1/messages",
              claude(ANTHROPIC_API_KEY=lambda r: r.key))


def codex(config):
    def go(r, home):
        folder = home / ".codex"
        folder.mkdir()
        (folder / "config.toml").write_text(config.format(url=r.url))
        return clients.run(
            [clients.node(), clients.installed("@openai/codex/bin/codex.js"),
             "exec", "--skip-git-repo-check",
             "--dangerously-bypass-approvals-and-sandbox", PROMPT],
            r.folder, {"HOME": str(home), "CODEX_HOME": str(folder),
                       "ROUTEX_KEY": r.key, "OPENAI_API_KEY": r.key,
                       "CODEX_API_KEY": r.key})
    return go


@test
def codex_with_a_provider_of_its_own(build):
    good = tool_loop(build, "/v1/responses", codex("""
model = "gpt-5.5"
model_provider = "routex"
[model_providers.routex]
name = "routex"
base_url = "{url}/v1"
env_key = "ROUTEX_KEY"
wire_api = "responses"
"""))
    assert all(row["dialect"] == "responses" for row in good)
    assert len({row["session"] for row in good}) == 1, good


@test
def codex_with_its_built_in_provider_falls_back_from_websockets(build):
    tool_loop(build, "/v1/responses", codex("""
model = "gpt-5.5"
openai_base_url = "{url}/v1"
"""))


@test
def gemini_cli(build):
    def go(r, home):
        folder = home / ".gemini"
        folder.mkdir()
        (folder / "settings.json").write_text(json.dumps({
            "security": {"auth": {"selectedType": "gemini-api-key"}},
            "privacy": {"usageStatisticsEnabled": False},
            "telemetry": {"enabled": False},
            "general": {"disableAutoUpdate": True}}))
        return clients.run(
            [clients.node(),
             clients.installed("@google/gemini-cli/bundle/gemini.js"),
             "-p", PROMPT, "--yolo", "-m", "gemini-2.5-flash"],
            r.folder, {"HOME": str(home), "GOOGLE_GEMINI_BASE_URL": r.url,
                       "GEMINI_API_KEY": r.key,
                       "GEMINI_CLI_TRUST_WORKSPACE": "true"})

    tool_loop(build, ":streamGenerateContent", go)


def opencode(model):
    baseline = platform.machine() == "x86_64" and not has_avx2()
    binary = clients.installed(
        f"opencode-linux-{clients.CPU}{'-baseline' if baseline else ''}"
        "/bin/opencode")

    def go(r, home):
        folder = home / ".config" / "opencode"
        folder.mkdir(parents=True)

        def at(version):
            return {"baseURL": f"{r.url}/{version}", "apiKey": r.key}
        (folder / "opencode.json").write_text(json.dumps({
            "autoupdate": False, "share": "disabled", "provider": {
                "anthropic": {"options": at("v1"),
                              "models": {"claude-sonnet-4-5": {}}},
                "openai": {"options": at("v1"), "models": {"gpt-5.2": {}}},
                "google": {"options": at("v1beta"),
                           "models": {"gemini-2.5-pro": {}}},
                "routex": {
                    "npm": "@ai-sdk/openai-compatible", "name": "Routex",
                    "options": at("v1"), "models": {"my-model": {
                        "name": "my-model", "tool_call": True}}}}}))
        return clients.run(
            [binary, "run", "--model", model, PROMPT], r.folder,
            {"HOME": str(home), "OPENCODE_DISABLE_AUTOUPDATE": "1",
             "OPENCODE_DISABLE_MODELS_FETCH": "1",
             "OPENCODE_DISABLE_LSP_DOWNLOAD": "1"})
    return go


def has_avx2():
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        return " avx2" in info.read()


@test
def opencode_over_anthropic_messages(build):
    tool_loop(build, "/v1/messages", opencode("anthropic/claude-sonnet-4-5"))


@test
def opencode_over_chat_completions(build):
    tool_loop(build, "/v1/chat/completions", opencode("routex/my-model"))


@test
def opencode_over_responses(build):
    tool_loop(build, "/v1/responses", opencode("openai/gpt-5.2"))


@test
def opencode_over_gemini(build):
    tool_loop(build, ":streamGenerateContent",
              opencode("google/gemini-2.5-pro"))


main()
