"""SDKs and agents on a channel that speaks another dialect than they do: what
they were told is what they take from their own provider, tool loops included.
The demo provider answers, through one endpoint only."""
import concurrent.futures
import os
import time

import clients
from agents import PROMPT, RAN, asked, claude, codex, gemini_cli, opencode
from harness import Routex, main, test

PATHS = {"anthropic": "/v1/messages", "chat": "/chat/completions",
         "responses": "/v1/responses", "gemini": "enerateContent"}
AGENTS = {  # name: (what it speaks, how to run it)
    "Claude Code": ("anthropic", claude),
    "Codex": ("responses", codex),
    "Gemini CLI": ("gemini", gemini_cli),
    **{f"opencode ({dialect})":
       (dialect, lambda dialect=dialect: opencode(dialect))
       for dialect in PATHS},
}


def narrow(r, dialect):
    """Leaves the demo channel one endpoint."""
    channel = r.admin.get("/api/channels")["data"][0]
    kept = [one for one in channel["effective_endpoints"]
            if one["dialect"] == dialect]
    r.admin.call("PATCH", f"/api/channels/{channel['id']}",
                 {"endpoints": kept})
    r.settle()


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


def tool_loop(build, name, dialect):
    """The agent runs a shell command because the model asks it to, and the
    model gets what it printed: all of it in `dialect`."""
    speaks, client = AGENTS[name]
    with Routex(build, demo=True) as r:
        narrow(r, dialect)
        home = r.folder / "home"
        home.mkdir()
        done = client()(r, home)
        said = done.stdout + done.stderr
        assert done.returncode == 0, (done.returncode, said[-4000:])
        assert RAN in done.stdout, said[-4000:]
        seen = asked(r)
        paths = {one["path"] for one in seen}
        assert all(PATHS[dialect] in one for one in paths), paths
        mains = [one for one in seen if PROMPT in one["body"]]
        assert len(mains) >= 2, paths
        assert RAN not in mains[0]["body"], mains[0]["body"][-2000:]
        assert RAN in mains[-1]["body"], mains[-1]["body"][-2000:]
        good = [row for row in r.all_rows(len(seen))
                if row["outcome"] == "ok" and row["dialect"] == speaks
                and row["provenance"] == "reported"]
        assert len(good) >= 2, r.rows()


def attempt(build, name, dialect):
    """What the table says of one, and what went wrong."""
    start = time.monotonic()
    try:
        tool_loop(build, name, dialect)
    except Exception as error:  # the others are still to be tried
        return "FAILED", f"{name} on {dialect}: {error!r}"
    return f"ok {time.monotonic() - start:.1f} s", None


def show(table):
    print(f"  {'client (speaks)':24}" + "".join(f"{d:>12}" for d in PATHS))
    for name, (speaks, _) in AGENTS.items():
        label = name if "(" in name else f"{name} ({speaks})"
        print(f"  {label:24}" + "".join(
            f"{table.get((name, d), 'own'):>12}" for d in PATHS))


@test
def every_agent_over_every_dialect_that_is_not_its_own(build):
    cells = [(name, dialect) for name, (speaks, _) in AGENTS.items()
             for dialect in PATHS if dialect != speaks]
    # Agents wait more than they work: more of them than cores, the slowest
    # first.  A program lives no longer than the thread that started it: each
    # cell's are started and stopped in one.
    cells.sort(key=lambda cell: "(" not in cell[0])
    workers = 2 * (os.cpu_count() or 1)
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        done = list(pool.map(lambda cell: attempt(build, *cell), cells))
    show({cell: word for cell, (word, _) in zip(cells, done)})
    failed = [why for _, why in done if why]
    assert not failed, "\n".join(failed)


@test
def openai_responses_over_chat(build):
    responses_sdk(build, "chat")


@test
def openai_responses_over_anthropic(build):
    responses_sdk(build, "anthropic")


@test
def openai_responses_over_gemini(build):
    responses_sdk(build, "gemini")


main()
