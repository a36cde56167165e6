"""Real command-line clients through a tool loop: the demo provider asks for a
shell command, the client runs it and sends its output back, the provider says
what it got.  Each client starts from an empty home and environment."""
import json

from agents import (CODEX_BUILT_IN, PROMPT, RAN, asked, claude, codex,
                    gemini_cli, opencode)
from harness import Routex, main, test


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


@test
def claude_code_with_a_bearer_token(build):
    good = tool_loop(build, "/v1/messages", claude("ANTHROPIC_AUTH_TOKEN"))
    assert all(row["dialect"] == "anthropic" for row in good)
    assert len({row["session"] for row in good}) == 1, good


@test
def claude_code_with_an_api_key(build):
    tool_loop(build, "/v1/messages", claude("ANTHROPIC_API_KEY"))


@test
def codex_with_a_provider_of_its_own(build):
    good = tool_loop(build, "/v1/responses", codex())
    assert all(row["dialect"] == "responses" for row in good)
    assert len({row["session"] for row in good}) == 1, good


@test
def codex_with_its_built_in_provider_falls_back_from_websockets(build):
    tool_loop(build, "/v1/responses", codex(CODEX_BUILT_IN))


@test
def gemini_cli_with_an_api_key(build):
    tool_loop(build, ":streamGenerateContent", gemini_cli())


@test
def opencode_over_anthropic_messages(build):
    tool_loop(build, "/v1/messages", opencode("anthropic"))


@test
def opencode_over_chat_completions(build):
    tool_loop(build, "/v1/chat/completions", opencode("chat"))


@test
def opencode_over_responses(build):
    tool_loop(build, "/v1/responses", opencode("responses"))


@test
def opencode_over_gemini(build):
    tool_loop(build, ":streamGenerateContent", opencode("gemini"))


main()
