"""Every recorded exchange, replayed by an upstream, passes byte for byte.

The request of a case goes through the data plane with the case's name as its
model; the upstream finds the case by that name and answers with the recorded
bytes, cut into pieces in several ways.  Compared are status, headers and body
at the client, the body at the upstream, and the tokens of the row in the admin
API with what the vendor's own SDK made of the same bytes.
"""
import concurrent.futures
import gzip
import json
import pathlib
import queue
import random
import re
import sys
import time
import urllib.parse

from harness import Routex, fixtures, main, test, wants_fixtures
from peers import Client, Upstream

CLIENTS = 12
ACCOUNT = (401, 402, 403)  # the account's trouble, not the client's
PASSING = re.compile(
    r"content-type|retry-after|x-should-retry|(x-)?request-id"
    r"|anthropic-.*|openai-.*|x-ratelimit-.*|ratelimit-.*", re.I)
NEVER_SENT = {"transfer-encoding", "content-length", "content-encoding",
              "connection", "keep-alive", "date", "server", "alt-svc", "via",
              "vary"}
DIALECT_OF = {"anthropic-messages": "anthropic", "openai-chat": "chat",
              "openai-responses": "responses", "gemini": "gemini",
              "anthropic-count-tokens": "anthropic",
              "gemini-count-tokens": "gemini"}
SMALLEST = {
    "anthropic": {"max_tokens": 64,
                  "messages": [{"role": "user", "content": "hi"}]},
    "chat": {"messages": [{"role": "user", "content": "hi"}]},
    "responses": {"input": "hi"},
    "gemini": {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}}


class Case:
    def __init__(self, folder):
        self.meta = json.loads((folder / "meta.json").read_text())
        self.id = self.meta["id"]
        self.api = self.meta["api"]
        self.dialect = DIALECT_OF[self.api]
        self.streaming = self.meta["streaming"]
        self.status = self.meta["status"]
        self.body = (folder / self.meta["response_file"]).read_bytes()
        self.sse = self.meta["response_file"].endswith(".sse")
        self.headers = [
            (name, value)
            for name, value in (self.meta["response_headers"] or {}).items()
            if name.lower() not in NEVER_SENT]
        if not any(n.lower() == "content-type" for n, _ in self.headers):
            self.headers.append(("content-type", "text/event-stream"
                                 if self.sse else "application/json"))
        final = folder / "sdk_final.json"
        self.final = json.loads(final.read_text()) if final.exists() else None
        request = folder / "request.json"
        self.recorded = request.read_bytes() if request.exists() else None
        # An account's trouble is not the client's: it hears of no channel.
        self.account = (self.status in ACCOUNT or self.status in (200, 400, 429)
                        and re.search(b"API key not valid|insufficient_quota",
                                      self.body) is not None)
        # Channels are judged by errors.
        self.troubles = (self.status >= 400 or
                         "mid_stream_error" in self.meta["features"])
        # A count is never refused for want of a place that counts.
        self.estimated = (self.api.endswith("count-tokens")
                          and self.status == 404)

    def request(self):
        """(path, body) with the case's name where the model stands."""
        if self.dialect == "gemini":
            return self._gemini_path(), self.recorded or json.dumps(
                SMALLEST["gemini"]).encode()
        body = self.recorded
        if body is None:
            value = {"model": self.id, **SMALLEST[self.dialect]}
            if self.streaming:
                value["stream"] = True
            body = json.dumps(value).encode()
        else:
            body = self._with_name(body)
        query = "?beta=true" if "beta=true" in self.meta["path"] else ""
        path = {"anthropic-messages": "/v1/messages",
                "anthropic-count-tokens": "/v1/messages/count_tokens",
                "openai-chat": "/v1/chat/completions",
                "openai-responses": "/v1/responses"}[self.api]
        return path + query, body

    def _with_name(self, body):
        model = json.loads(body).get("model")
        name = json.dumps(self.id).encode()
        if model is None:  # it was in the path (Azure)
            at = body.index(b"{") + 1
            return body[:at] + b'"model":' + name + b"," + body[at:]
        old = json.dumps(model).encode()
        mark = re.search(rb'"model"\s*:\s*' + re.escape(old), body)
        return body[:mark.end() - len(old)] + name + body[mark.end():]

    def _gemini_path(self):
        verb = "countTokens" if "count" in self.api else (
            "streamGenerateContent" if self.streaming else "generateContent")
        query = "?alt=sse" if self.sse else ""
        return f"/v1beta/models/{self.id}:{verb}{query}"

    def usage(self):
        """The vendor's usage object, None when nothing can be said."""
        if self.status != 200:
            return None
        if self.final is not None:
            result = self.final.get("result")
            if result is None:
                return None
            result = result.get("final_response", result)
        else:
            result = json.loads(self.body)
        if not isinstance(result, dict):
            return None
        return result.get(
            "usageMetadata" if self.dialect == "gemini" else "usage")


def load():
    return [Case(meta.parent) for meta in sorted(fixtures().glob("*/meta.json"))
            if json.loads(meta.read_text())["api"] in DIALECT_OF]


# -- the upstream ----------------------------------------------------------


def pieces(case, way, body):
    if way == "bytes":
        return [body[at:at + 1] for at in range(len(body))]
    if way == "events":
        return [p for p in re.split(rb"(?<=\n\n)|(?<=\r\n\r\n)", body) if p]
    if way == "arrival":
        at, out = 0, []
        for length in case.meta["chunk_lengths"]:
            out.append(body[at:at + length])
            at += length
        return [p for p in (*out, body[at:]) if p]
    if way == "random":
        dice, at, out = random.Random(case.id), 0, []
        while at < len(body):
            step = dice.choice((1, 2, 3, 7, 40, 200, 1500, 9000))
            out.append(body[at:at + step])
            at += step
        return out
    return [body] if body else []


class Replay:
    """The script of the upstream: the way of answering rides in the model
    name, as <case>~<way>."""

    def __init__(self, cases):
        self.cases = {case.id: case for case in cases}
        self.seen = {}

    def answer(self, call):
        name, way = self.named(call)
        case = self.cases[name]
        # A field that is refused is taken out and asked again without.
        self.seen.setdefault(f"{name}~{way}", call)
        body = case.body
        headers = list(case.headers)
        if way == "gzip":
            body = gzip.compress(body, mtime=0)
            headers.append(("content-encoding", "gzip"))
        if way == "close":
            call.keep = False
            call.head(case.status, [*headers, ("connection", "close")])
            call.send(body)
            return
        if way == "whole" and not case.streaming:
            call.answer(case.status, headers, body)
            return
        call.head(case.status, [*headers, ("transfer-encoding", "chunked")])
        for piece in pieces(case, way, body):
            call.chunk(piece)
        call.end()

    @staticmethod
    def named(call):
        found = re.search(r"/models/([^/:]+):", call.path)
        model = (urllib.parse.unquote(found[1]) if found
                 else call.json()["model"])
        return model.split("~")


def ways(case, number):
    yield "whole"
    yield "events" if case.sse else "random"
    if case.sse:
        yield "random"
    if "chunk_lengths" in case.meta:
        yield "arrival"
    if len(case.body) < 3000 and number % 4 == 0:
        yield "bytes"
    # Whose trouble it is may stand in the words alone: those are not packed.
    if number % 3 == 0 and (not case.account or case.status in ACCOUNT):
        yield "gzip"
    if number % 5 == 0:
        yield "close"


# -- the clients -------------------------------------------------------------


class Run:
    """One case answered in one way, as the client saw it."""

    def __init__(self, case, way):
        self.case = case
        self.way = way
        self.name = f"{case.id}~{way}"
        self.channel = None  # any
        self.faults = []

    def fault(self, text):
        self.faults.append(f"{self.name}: {text}")

    def go(self, client, key):
        path, body = self.case.request()
        old, new = self.case.id, self.name
        self.path = path.replace(old, urllib.parse.quote(new))
        self.body = body.replace(b'"%s"' % old.encode(),
                                 b'"%s"' % new.encode(), 1)
        headers = {"authorization": f"Bearer {key}",
                   "content-type": "application/json",
                   "accept-encoding": "gzip, br"}
        if self.case.dialect == "anthropic":
            headers["anthropic-version"] = "2023-06-01"
        if self.channel:
            headers["x-routex-channel"] = self.channel
        answer = client.request("POST", self.path, headers, self.body)
        self.request_id = answer.header("x-routex-request-id")
        self.compare(answer)
        return (answer.header("connection") or "").lower() != "close"

    def compare(self, answer):
        case = self.case
        if case.account:
            want = 529 if case.dialect == "anthropic" else 503
            if answer.status != want:
                self.fault(f"status {answer.status} for {case.status}")
            return
        if case.estimated:
            if (answer.status, answer.header("x-routex-estimated")) != (
                    200, "1"):
                self.fault(f"no estimate: {answer.status}")
            return
        if answer.status != case.status:
            self.fault(f"status {answer.status}, sent {case.status}: "
                       f"{answer.body[:200]!r}")
        if not answer.clean:
            self.fault("cut")
        want = case.body
        if self.way == "gzip":
            want = gzip.compress(case.body, mtime=0)
            if answer.header("content-encoding") != "gzip":
                self.fault("content-encoding lost")
        if answer.body != want:
            at = next((i for i, (a, b) in enumerate(zip(answer.body, want))
                       if a != b), min(len(answer.body), len(want)))
            self.fault(f"body differs at {at}: {answer.body[at:at + 60]!r}, "
                       f"sent {want[at:at + 60]!r}")
        for name, value in case.headers:
            if PASSING.fullmatch(name) and answer.header(name) != value:
                self.fault(f"{name}: {answer.header(name)!r}, sent {value!r}")

    def compare_upstream(self, call):
        if call is None:
            self.fault("never reached the upstream")
        elif call.body != self.body and not self.only_usage_asked(call.body):
            self.fault(f"request body changed: {call.body[:200]!r}")

    def only_usage_asked(self, body):
        """A chat stream may be asked for its usage; nothing else changes."""
        if self.case.dialect != "chat" or not self.case.streaming:
            return False
        got, sent = json.loads(body), json.loads(self.body)
        options = got.pop("stream_options", {})
        before = sent.pop("stream_options", {})
        return (options == {**before, "include_usage": True}
                and got == sent)


def play(url, key, runs):
    todo = queue.SimpleQueue()
    for run in runs:
        todo.put(run)

    def worker():
        with Client(url, timeout=60) as client:
            while True:
                try:
                    run = todo.get_nowait()
                except queue.Empty:
                    return
                try:
                    kept = run.go(client, key)
                except Exception as broken:
                    run.fault(f"{type(broken).__name__}: {broken}")
                    kept = False
                if not kept:
                    client.renew()

    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        for done in [pool.submit(worker) for _ in range(CLIENTS)]:
            done.result()


# -- the oracle ----------------------------------------------------------------


def less(whole, *parts):
    return max(0, whole - sum(p or 0 for p in parts))


def expected(dialect, usage):
    """The vendor's usage as the columns of a row (absent is None)."""
    def sub(holder, name):
        return (usage.get(holder) or {}).get(name)

    if dialect == "anthropic":
        return {
            "input": usage.get("input_tokens"),
            "cache_read": usage.get("cache_read_input_tokens"),
            "cache_write": usage.get("cache_creation_input_tokens"),
            "output": usage.get("output_tokens"),
            "reasoning": sub("output_tokens_details", "thinking_tokens")}
    if dialect == "gemini":
        prompt = usage.get("promptTokenCount")
        cached = usage.get("cachedContentTokenCount")
        thoughts = usage.get("thoughtsTokenCount")
        said = usage.get("candidatesTokenCount")
        total = usage.get("totalTokenCount")
        output = None
        if prompt is not None or said is not None or thoughts is not None:
            # Where a prompt is counted, a count of 0 is left out.
            output = (said or 0) + (thoughts or 0)
            if thoughts and (prompt or 0) + (said or 0) == total:
                output = said
        tools = usage.get("toolUsePromptTokenCount")
        return {
            "input": None if prompt is None else (
                less(prompt, cached) + (tools or 0)),
            "cache_read": cached, "output": output, "reasoning": thoughts}
    prefix, suffix = (("prompt", "completion") if dialect == "chat"
                      else ("input", "output"))
    whole = usage.get(f"{prefix}_tokens")
    details = f"{prefix}_tokens_details"
    cached = sub(details, "cached_tokens")
    for elsewhere in ("cached_tokens", "num_cached_tokens"):
        cached = usage.get(elsewhere) if cached is None else cached
    written = sub(details, "cache_write_tokens")
    output = usage.get(f"{suffix}_tokens")
    reasoning = sub(f"{suffix}_tokens_details", "reasoning_tokens")
    if reasoning and usage.get("total_tokens") == whole + output + reasoning:
        output += reasoning  # xAI counts it beside the output
    return {
        "input": None if whole is None else less(whole, cached, written),
        "cache_read": cached, "cache_write": written,
        "output": output, "reasoning": reasoning}


def compare_row(run, row):
    case = run.case
    if row is None:
        run.fault("no row")
        return
    if case.estimated:
        if row["provenance"] != "estimated":
            run.fault(f"provenance {row['provenance']} of our estimate")
    elif row["status"] != case.status and not case.account:
        run.fault(f"row's status {row['status']}, {case.status} sent")
    if row["model_requested"] != run.name:
        run.fault(f"row's model {row['model_requested']!r}")
    usage = case.usage()
    if case.api.endswith("count-tokens") or not usage:
        return
    wanted = expected(case.dialect, usage)
    for name, want in wanted.items():
        column = f"{name}_tokens"
        if row[column] != want:
            run.fault(f"{column} {row[column]}, {want} expected")
    counted = any(want is not None for want in wanted.values())
    if counted and row["provenance"] != "reported":
        run.fault(f"provenance {row['provenance']}")


# -- the tests -----------------------------------------------------------------


def channels(url, runs):
    """One for each kind of provider, and those that runs want to themselves."""
    of = {"anthropic": ("anthropic", url), "gemini": ("gemini", url),
          "chat": ("openai", f"{url}/v1"), "responses": ("openai", f"{url}/v1")}
    common = [{"name": kind, "type": kind, "base_url": base, "api_key": "k"}
              for kind, base in dict(of.values()).items()]
    own = [{"name": run.channel, "type": of[run.case.dialect][0],
            "base_url": of[run.case.dialect][1], "api_key": "k",
            "priority": -1000}
           for run in runs if run.channel]
    return common + own


def tags():
    """(beginning of a tag, feature), as the table of the codecs' test has it."""
    source = pathlib.Path(__file__).parents[1] / "unit" / "recorded_rig.h"
    return [(tag, feature.lower()) for tag, feature in re.findall(
        r'RX_STR_INIT\("(\S+?)"\), FEATURE_(\w+),', source.read_text())]


def features(case, known):
    if case.api.endswith("count-tokens"):
        return {"count"}
    if case.status >= 400 or "mid_stream_error" in case.meta["features"]:
        return {"errors"}
    return {feature for tag in case.meta["features"]
            for start, feature in [("text", "text"), *known]
            if (tag == "text" if start == "text" else tag.startswith(start))}


def show(runs):
    """Of how many it held, as the codecs' test tells it for the other pairs."""
    names = ["text", "tools", "parallel", "thinking", "images", "documents",
             "structured", "errors", "count"]
    known = tags()
    table = {}
    for run in runs:
        for feature in features(run.case, known):
            cell = table.setdefault((run.case.dialect, feature), [0, 0])
            cell[0] += not run.faults
            cell[1] += 1
    print(f"  {'client > channel':22}" + "".join(f"{n:>11}" for n in names))
    for dialect in ("anthropic", "chat", "responses", "gemini"):
        cells = [table.get((dialect, name)) for name in names]
        print(f"  {dialect + ' > ' + dialect:22}" + "".join(
            f"{'-' if c is None else f'{c[0]}/{c[1]}':>11}" for c in cells))


def report(runs):
    faults = [fault for run in runs for fault in run.faults]
    for fault in faults[:60]:
        print("  ", fault)
    wrong = len({run.name for run in runs if run.faults})
    assert not faults, f"{wrong} of {len(runs)} exchanges differ"


@test
def every_recorded_exchange_passes_unchanged_and_is_counted(build):
    cases = load()
    assert len(cases) > 300, f"no recorded exchanges in {fixtures()}"
    replay = Replay(cases)
    runs = [Run(case, way) for number, case in enumerate(cases)
            for way in ways(case, number)]
    # What may take a channel out of service gets one of its own.
    for number, run in enumerate(runs):
        if run.case.troubles:
            run.channel = f"own-{number}"
    with Upstream(replay.answer) as upstream:
        with Routex(build, channels(upstream.url, runs)) as r:
            start = time.monotonic()
            play(r.url, r.key, runs)
            took = time.monotonic() - start
            rows = r.all_rows(len(runs))
        by_id = {row["request_id"]: row for row in rows}
        for run in runs:
            run.compare_upstream(replay.seen.get(run.name))
            if not run.faults:
                compare_row(run, by_id.get(run.request_id))
        assert not upstream.failed, upstream.failed
    print(f"{len(cases)} recorded cases in {len(runs)} exchanges, "
          f"{took:.1f} s", file=sys.stdout)
    show(runs)
    report(runs)
    assert len(rows) == len(runs), f"{len(rows)} rows for {len(runs)}"


wants_fixtures()
main()
