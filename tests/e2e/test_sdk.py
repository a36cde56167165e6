"""The vendors' own SDKs, streamed and not, against both planes and the demo
provider.  What an SDK was told a request cost is what its row says."""
import json

import clients
from harness import Routex, main, test, wait_until


MODELS = ["claude-sonnet-5-5", "gpt-5.2", "gemini-2.5-pro",
          "text-embedding-3-small", "gemini-embedding-001"]


def sdk(build, script, package):
    with Routex(build, demo=True) as r:
        demo = r.admin.get("/api/channels")["data"][0]
        r.admin.call("PATCH", f"/api/channels/{demo['id']}",
                     {"models": MODELS})
        r.settle()
        done = clients.run(
            [clients.node(), clients.HERE / "sdk" / script, package],
            r.folder, {"HOME": str(r.folder), "ROUTEX_URL": r.url,
                       "ROUTEX_KEY": r.key, "ROUTEX_ADMIN_URL": r.control_url,
                       "ROUTEX_ADMIN_TOKEN": r.admin.token})
        lines = done.stdout.splitlines()
        print("\n".join(line for line in lines
                        if not line.startswith("row ")))
        assert done.returncode == 0, done.stderr[-3000:]
        told = [json.loads(line[4:]) for line in lines
                if line.startswith("row ")]
        assert len(told) >= 2, lines
        for one in told:
            compare(r, one)
        wait_until(lambda: any(row["outcome"] == "cancelled"
                               for row in r.rows()), "the abort's row")


def compare(r, told):
    row = r.row_of(told["id"])
    prompt = sum(row[f"{name}_tokens"] or 0
                 for name in ("input", "cache_read", "cache_write"))
    assert prompt == told["prompt"], (told, row)
    assert row["output_tokens"] == told["output"], (told, row)
    assert row["provenance"] == "reported", row


@test
def openai_7(build):
    sdk(build, "openai.mjs", "openai")


@test
def openai_6(build):
    sdk(build, "openai.mjs", "openai-6")


@test
def anthropic_1(build):
    sdk(build, "anthropic.mjs", "@anthropic-ai/sdk")


@test
def google_genai_3(build):
    sdk(build, "genai.mjs", "@google/genai")


@test
def google_genai_2(build):
    sdk(build, "genai.mjs", "genai-2")


main()
