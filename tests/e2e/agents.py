"""Command-line agents: each starts from an empty home and environment, talks
to the given Routex and is told to run a shell command.  `go(r, home)` runs one
and gives what subprocess.run gives."""
import json
import platform

import clients

PROMPT = "TOOLTEST run a shell command"
RAN = "routex-tool-ok"  # what the command that the demo asks for prints

CODEX_PROVIDER = """
model = "gpt-5.5"
model_provider = "routex"
[model_providers.routex]
name = "routex"
base_url = "{url}/v1"
env_key = "ROUTEX_KEY"
wire_api = "responses"
"""
CODEX_BUILT_IN = """
model = "gpt-5.5"
openai_base_url = "{url}/v1"
"""
OPENCODE = {"anthropic": "anthropic/claude-sonnet-4-5",
            "chat": "routex/my-model",
            "responses": "openai/gpt-5.2",
            "gemini": "google/gemini-2.5-pro"}


def asked(r):
    """The requests the provider saw, as logged."""
    lines = map(json.loads, r.demo_log.read_text().splitlines())
    return [line for line in lines if line["event"] == "request"]


def claude(credential="ANTHROPIC_AUTH_TOKEN"):
    def go(r, home):
        return clients.run(
            [clients.installed("@anthropic-ai/claude-code-linux-"
                               f"{clients.CPU}/claude"),
             "-p", PROMPT, "--allowedTools", "Bash(echo:*)"],
            r.folder, {"HOME": str(home), "ANTHROPIC_BASE_URL": r.url,
                       credential: r.key})
    return go


def codex(config=CODEX_PROVIDER):
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


def gemini_cli():
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
    return go


def opencode(dialect):
    """Which dialect it speaks follows from the model it is told to use."""
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
            [binary, "run", "--model", OPENCODE[dialect], PROMPT], r.folder,
            {"HOME": str(home), "OPENCODE_DISABLE_AUTOUPDATE": "1",
             "OPENCODE_DISABLE_MODELS_FETCH": "1",
             "OPENCODE_DISABLE_LSP_DOWNLOAD": "1"})
    return go


def has_avx2():
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        return " avx2" in info.read()
