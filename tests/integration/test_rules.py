"""Rules decide where a request goes, through real daemons: the six ways users
of claude-code-router know, sub-agents' tags, functions, fall-backs, and the
explanation of it all."""
import json
import subprocess
import time

from dialects import ANTHROPIC, CHAT, provider
from harness import Failed, Routex, main, test
from peers import Client, Upstream

BILLING = "x-anthropic-billing-header: cc_version=2.1.330.b37; cc_entrypoint=sdk-cli;"


class Rig:
    """One upstream behind several Anthropic channels, told apart by path."""

    def __init__(self, build, *names, models=("*",), **more):
        self.upstream = Upstream(provider)
        self.names = names
        self.routex = Routex(build, [
            ANTHROPIC.channel(self.upstream.url, name, models=list(models),
                              priority=100 - n, **more)
            for n, name in enumerate(names)])

    def __enter__(self):
        self.routex.__enter__()
        self.admin = self.routex.admin
        return self

    def __exit__(self, *reason):
        self.upstream.close()
        self.routex.__exit__(*reason)

    def rule(self, name, settle=False, **fields):
        made = self.admin.post("/api/routing/rules",
                               {"name": name, **fields})["data"]
        if settle:
            self.routex.settle()
        return made

    def ask(self, body, headers=(), path="/v1/messages?beta=true"):
        r = self.routex
        with r.connect() as client:
            return client.request("POST", path, {
                "x-api-key": r.key, "content-type": "application/json",
                "anthropic-version": "2023-06-01", **dict(headers)},
                json.dumps(body).encode())

    def goes(self, body, channel, rule, model=None, headers=()):
        self.upstream.calls.clear()
        answer = self.ask(body, headers)
        where = (channel, rule, answer.status, answer.headers, answer.body)
        assert answer.status == 200, where
        assert answer.header("x-routex-channel") == channel, where
        assert (answer.header("x-routex-rule") or None) == rule, where
        sent = json.loads(self.upstream.calls[0].body)
        if model:
            assert sent["model"] == model, (sent["model"], where)
        return answer, sent


def turn(model="claude-sonnet-4-5", text="list the files", system=(), **more):
    """A request as Claude Code shapes it."""
    return {
        "model": model, "max_tokens": 32000,
        "system": [{"type": "text", "text": BILLING},
                   {"type": "text", "text": "You are Claude Code.",
                    "cache_control": {"type": "ephemeral"}},
                   *({"type": "text", "text": text} for text in system)],
        "messages": [{"role": "user", "content": [
            {"type": "text", "text": "<system-reminder>web search image"
                                     "</system-reminder>"},
            {"type": "text", "text": text,
             "cache_control": {"type": "ephemeral"}}]}],
        "tools": [{"name": "Bash", "description": "run a command",
                   "input_schema": {"type": "object", "properties": {}}}],
        "metadata": {"user_id": json.dumps({"session_id": "s-1"})},
        "thinking": {"type": "disabled"}, **more}


PNG = {"type": "image", "source": {"type": "base64", "media_type": "image/png",
                                   "data": "iVBORw0KGgo="}}


@test
def a_router_set_of_six_scenarios_goes_where_its_users_expect(build):
    with Rig(build, "default", "background", "think", "long", "web",
             "vision") as rig:
        rig.rule("default", type="default", target={
            "channel": "default", "model": "big"})
        rig.rule("background", type="background", target={
            "channel": "background", "model": "small"})
        rig.rule("think", type="think", target={
            "channel": "think", "model": "reasoner"})
        rig.rule("long", type="longContext",
                 condition={"tokenThreshold": 20000},
                 target={"channel": "long", "model": "wide"})
        rig.rule("web", type="webSearch", target={
            "channel": "web", "model": "online"})
        rig.rule("vision", type="image", targetChannel="vision",
                 targetModel="seer", settle=True)

        rig.goes(turn(), "default", "default", "big")
        rig.goes(turn("claude-haiku-4-5-20251001"), "background", "background",
                 "small")
        rig.goes(turn(thinking={"type": "adaptive"}), "think", "think",
                 "reasoner")
        rig.goes(turn(thinking={"type": "enabled", "budget_tokens": 2000}),
                 "think", "think")
        rig.goes(turn(text="word " * 40000), "long", "long", "wide")
        search = turn()
        search["tools"].append({"type": "web_search_20250305",
                                "name": "web_search"})
        rig.goes(search, "web", "web", "online")
        # web search before thinking, length before all but pictures
        search["thinking"] = {"type": "adaptive"}
        rig.goes(search, "web", "web")
        rig.goes(turn("claude-haiku-4-5", text="word " * 40000), "long", "long")
        picture = turn()
        picture["messages"] += [
            {"role": "assistant", "content": [
                {"type": "tool_use", "id": "t1", "name": "Read", "input": {}}]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "t1",
                 "content": [PNG]}]}]
        rig.goes(picture, "vision", "vision", "seer")
        # what the client chose outright is its choice
        rig.goes(turn("think,claude-x"), "think", None, "claude-x")

        rows = rig.routex.rows(10)
        assert {row["rule"] for row in rows} == {
            "default", "background", "think", "long", "web", "vision", None}
        one = rig.admin.get(f"/api/requests/{rows[-1]['request_id']}")["data"]
        assert one["trace"]["rule"]["name"] == "default", one
        assert one["trace"]["candidates"] == ["default"], one


@test
def a_subagents_tag_chooses_the_model_and_never_leaves(build):
    tag = "<CCR-SUBAGENT-MODEL>second,special</CCR-SUBAGENT-MODEL>"
    with Rig(build, "first", "second") as rig:
        for at, body in {
                "system": turn(system=[tag + "You look things up."]),
                "message": turn(text=f"{tag}Please look this up."),
                "middle": turn(system=["Hello. " + tag + " Look."])}.items():
            answer, sent = rig.goes(body, "second", None, "special")
            assert "SUBAGENT" not in json.dumps(sent), (at, sent)
        # alone in its text: providers refuse texts that are empty
        _, sent = rig.goes(turn(system=[tag]), "second", None, "special")
        assert sent["system"][2]["text"].strip(), sent
        # a third message is talk about tags
        late = turn()
        late["messages"] += [{"role": "assistant", "content": "ok"},
                             {"role": "user", "content": "two"},
                             {"role": "assistant", "content": "ok"},
                             {"role": "user", "content": f"what is {tag}?"}]
        _, sent = rig.goes(late, "first", None, "claude-sonnet-4-5")
        assert tag in sent["messages"][-1]["content"]
        # a rule for sub-agents, who say so in their first block
        rig.rule("agents", type="subagent", target={"channel": "second"},
                 settle=True)
        agent = turn()
        agent["system"][0]["text"] += " cc_is_subagent=true;"
        rig.goes(agent, "second", "agents")
        rig.goes(turn(), "first", None)
        rig.goes(turn(), "second", "agents",
                 headers={"x-claude-code-agent-id": "a-1"})


@test
def a_rule_without_a_usable_channel_is_passed_by_unless_it_is_strict(build):
    with Rig(build, "first", "second") as rig:
        made = rig.rule("only-second", type="default",
                        target={"channel": "second"}, settle=True)
        rig.goes(turn(), "second", "only-second")
        rig.admin.post("/api/channels/second/pause")
        rig.routex.settle()
        answer, _ = rig.goes(turn(), "first", None)
        row = rig.routex.row(answer)
        assert row["trace"]["passed"][0]["rule"] == "only-second", row
        rig.admin.call("PUT", f"/api/routing/rules/{made['id']}", {
            "name": "only-second", "type": "default", "strict": True,
            "target": {"channel": "second"}})
        rig.routex.settle()
        answer = rig.ask(turn())
        assert answer.status in (503, 529), answer.status
        assert b"only-second" in answer.body, answer.body
        # with a fall-back it has somewhere to go
        rig.admin.call("PUT", f"/api/routing/rules/{made['id']}", {
            "name": "only-second", "type": "default", "strict": True,
            "target": {"channel": "second", "fallbacks": [
                {"channel": "first", "model": "spare"}]}})
        rig.routex.settle()
        rig.goes(turn(), "first", "only-second", "spare")
        rig.admin.post(f"/api/routing/rules/{made['id']}/disable")
        rig.routex.settle()
        rig.goes(turn(), "first", None, "claude-sonnet-4-5")


@test
def fallbacks_are_tried_one_after_the_other(build):
    with Rig(build, "first", "second") as rig:
        def reply(call):
            if json.loads(call.body)["model"] == "broken":
                return call.answer_json({"error": {"message": "no"}}, 500)
            return provider(call)
        rig.upstream.reply = reply
        rig.rule("chain", type="default", settle=True, target={
            "channel": "first", "model": "broken",
            "fallbacks": [{"channel": "second", "model": "good"}]})
        rig.upstream.calls.clear()
        answer = rig.ask(turn())
        assert answer.status == 200, answer.body
        assert answer.header("x-routex-channel") == "second"
        assert answer.header("x-routex-attempts") in "23"
        models = [json.loads(c.body)["model"] for c in rig.upstream.calls]
        assert models[-1] == "good" and "broken" in models, models


@test
def weights_share_and_a_conversation_stays(build):
    with Rig(build, "first", "second") as rig:
        rig.rule("shares", type="default", settle=True, target={"channels": [
            {"channel": "first", "weight": 1},
            {"channel": "second", "weight": 3}]})
        seen = {"first": 0, "second": 0}
        for n in range(60):
            one = rig.ask(turn(), {"x-routex-session": f"s-{n}"})
            channel = one.header("x-routex-channel")
            seen[channel] += 1
            if n < 5:
                again = rig.ask(turn(), {"x-routex-session": f"s-{n}"})
                assert again.header("x-routex-channel") == channel
        assert 4 <= seen["first"] <= 28, seen


@test
def a_function_chooses_and_a_bad_one_is_skipped(build):
    with Rig(build, "first", "second") as rig:
        made = rig.admin.post("/api/routing/functions", {
            "name": "pick", "source":
                "if request.model == 'spin' then while true do end end\n"
                "if find(request.text, 'second please') then\n"
                "  return candidates[2].channel, 'chosen'\nend\n"
                "return request.model == 'none' and false"})["data"]
        rig.rule("fn", condition={"customFunction": "pick"}, settle=True)
        rig.goes(turn(text="the second please"), "second", "fn", "chosen")
        rig.goes(turn(text="anything"), "first", None)
        answer, _ = rig.goes(turn("spin"), "first", None)
        row = rig.routex.row(answer)
        assert "more time" in row["trace"]["passed"][0]["why"], row["trace"]
        with Client(rig.routex.plane.ops_url) as client:
            text = client.request("GET", "/metrics").body.decode()
        assert "routex_rule_troubles_total 1" in text, text
        for path in (f"/api/routing/functions/{made['id']}",):
            try:
                rig.admin.call("DELETE", path)
                raise AssertionError("deleted though a rule calls it")
            except Failed as failed:
                assert failed.status == 409, failed


@test
def a_function_sees_who_asks_and_for_what(build):
    texts = ("model", "dialect", "session", "tag", "user_agent", "key",
             "tenant", "text")
    source = ("local r = request\n"
              "local whole = r.stream and r.thinking and not r.web_search"
              " and not r.subagent and r.images == 1 and r.documents == 0"
              " and r.audio == 0 and r.messages == 1"
              " and r.max_tokens == 32000 and r.tokens > 10"
              " and #r.tools == 1 and r.tools[1] == 'Bash'"
              " and find(r.system, 'Claude Code') and r.time > 1000000000\n"
              "return candidates[2].channel, "
              + " .. '|' .. ".join(f"r.{name}" for name in texts)
              + " .. '|' .. tostring(whole and true)")
    with Rig(build, "first", "second") as rig:
        rig.admin.post("/api/routing/functions",
                       {"name": "tell", "source": source})
        rig.rule("fn", condition={"customFunction": "tell"}, settle=True)
        asked = turn(stream=True, thinking={"type": "adaptive"})
        asked["messages"][0]["content"].append(PNG)
        key = rig.admin.get("/api/keys")["data"][0]
        tenant = rig.admin.get("/api/tenants")["data"][0]
        rig.goes(asked, "second", "fn", "|".join([
            "claude-sonnet-4-5", "anthropic", "s-1", "nightly",
            "somebody/1.0", key["name"], tenant["name"], "list the files",
            "true"]),
            {"x-routex-tag": "nightly", "user-agent": "somebody/1.0"})


@test
def the_explanation_is_what_then_happens(build):
    with Rig(build, "first", "second") as rig:
        rig.rule("think", type="think", settle=True,
                 target={"channel": "second", "model": "reasoner"})
        rig.admin.post("/api/channels/first/pause")
        rig.routex.settle()
        body = turn(thinking={"type": "adaptive"})
        for question in (body, {"dialect": "anthropic", "body": body,
                                "headers": {"x-routex-session": "abc"}}):
            told = rig.admin.post("/api/routing/test", question)["data"]
            assert told["chosen"]["channel"] == "second", told
            assert told["chosen"]["model"] == "reasoner", told
            assert told["rule"]["name"] == "think", told
            reasons = {c["channel"]: c["reason"] for c in told["candidates"]}
            assert reasons == {"second": "ok", "first": "paused"}, told
            assert [s["step"] for s in told["steps"]][0] == "understand", told
            assert told["request"]["thinking"] is True, told
        assert told["session"] == "abc", told
        # as large as clients' requests are
        told = rig.admin.post("/api/routing/test",
                              turn(text="word " * 500000))["data"]
        assert told["request"]["tokens"] > 400000, told["request"]
        rig.goes(body, "second", "think", "reasoner")
        try:
            rig.admin.post("/api/routing/test", {"dialect": "klingon",
                                                 "body": body})
            raise AssertionError("took a dialect there is not")
        except Failed as failed:
            assert failed.status == 400 and b"dialect" in failed.body, failed
        # nobody there to be asked
        rig.routex.plane.stop()
        time.sleep(0)
        try:
            rig.admin.post("/api/routing/test", body)
            raise AssertionError("answered without a data plane")
        except Failed as failed:
            assert failed.status == 503, failed


@test
def what_can_never_work_is_refused_and_named(build):
    wrongs = [
        ({"type": "thinking"}, "type"),
        ({"condition": {"tokenTreshold": 1}}, "condition.tokenTreshold"),
        ({"condition": {"userPattern": "(a"}}, "condition.userPattern"),
        ({"condition": {"tokenThreshold": 100, "tokenBelow": 50}}, "condition"),
        ({"condition": {"any": []}}, "condition.any"),
        ({"condition": {"any": [{"bogus": 1}]}}, "condition.any[0].bogus"),
        ({"condition": {"intent": "mischief"}}, "condition.intent"),
        ({"condition": {"tenant": "nobody"}}, "condition.tenant"),
        ({"condition": {"customFunction": "nope"}},
         "condition.customFunction"),
        ({"condition": {"time": {"from": "25:00"}}}, "condition.time.from"),
        ({"condition": {}}, "condition"),
        ({"type": "think", "condition": {"thinking": False}}, "condition"),
        ({"target": {"channel": "nope"}}, "target.channel"),
        ({"target": {"channel": "first", "model": "gpt-9"}}, "target.model"),
        ({"target": {"model": "gpt-9"}}, "target.model"),
        ({"target": {"tag": "moon"}}, "target.tag"),
        ({"target": {}}, "target"),
        ({"target": {"channel": "first", "strategy": "magic"}},
         "target.strategy"),
        ({"target": {"channel": "first", "limits": {"rpm": 1}}},
         "target.limits"),
        ({"target": {"channel": "first", "surprise": 1}}, "target.surprise"),
        ({"priority": "high"}, "priority"),
        ({"name": ""}, "name"),
        ({"extra": True}, "extra"),
    ]
    with Rig(build, "first", models=("claude-*",)) as rig:
        for fields, field in wrongs:
            body = {"name": "r", "type": "custom",
                    "condition": {"hasTools": True},
                    "target": {"channel": "first"}, **fields}
            try:
                rig.admin.post("/api/routing/rules", body)
                raise AssertionError(f"taken: {body}")
            except Failed as failed:
                error = json.loads(failed.body)["error"]
                assert failed.status == 400, (body, error)
                named = error.get("field", "").replace("_", "").lower()
                assert named == field.lower(), (body, error)
        assert rig.admin.get("/api/routing/rules")["data"] == []
        made = rig.rule("r", condition={"hasTools": True, "any": [
            {"keywords": ["a", "b"]}, {"not": {"stream": True}}],
            "header": {"x-team": "blue*"},
            "time": {"from": "22:00", "to": "06:00", "days": ["mon"]}},
            target={"channel": "first"})
        again = rig.admin.call("PUT", f"/api/routing/rules/{made['id']}",
                               made)["data"]
        for part in ("condition", "target", "priority", "type"):
            assert again[part] == made[part], (part, made, again)
        try:
            rig.admin.call("DELETE", "/api/channels/first")
            raise AssertionError("a channel went that a rule points to")
        except Failed as failed:
            assert failed.status == 409, failed


@test
def the_command_line_makes_shows_and_explains_rules(build):
    with Rig(build, "first", "second") as rig:
        def routex(*words, code=0, stdin=None):
            done = subprocess.run(
                [build / "routex", *words, "--data-dir", rig.routex.data_dir],
                capture_output=True, text=True, timeout=30, input=stdin,
                env={"HOME": str(rig.routex.folder)}, check=False)
            assert done.returncode == code, (words, done)
            return done.stdout

        routex("rule", "add", "deep", "--type", "think", "--channel",
               "second", "--model", "reasoner")
        routex("rule", "add", "night", "--channel", "first", "--channel",
               "second", "--condition", '{"keywords":["night"]}', "--strict")
        table = routex("rule", "list")
        assert table.index("night") < table.index("deep"), table
        assert json.loads(routex("rule", "show", "night", "--json"))[
            "condition"] == {"keywords": ["night"]}
        routex("rule", "add", "no", "--condition", "{", code=2)
        routex("rule", "add", "no", "--channel", "nope", code=1)
        rig.routex.settle()
        file = rig.routex.folder / "request.json"
        file.write_text(json.dumps(turn(thinking={"type": "adaptive"})))
        told = routex("route", "explain", str(file))
        assert "channel second, model reasoner" in told, told
        assert "is not where the rule points" in told, told
        told = json.loads(routex("route", "explain", "-", "--json",
                                 stdin=json.dumps(turn(text="good night"))))
        assert told["rule"]["name"] == "night", told
        routex("rule", "disable", "deep")
        rig.routex.settle()
        assert "channel first" in routex("route", "explain", str(file))
        routex("rule", "enable", "deep")
        routex("rule", "rm", "deep", "night")
        assert json.loads(routex("rule", "list", "--json")) == []


@test
def rules_hold_for_other_dialects_too(build):
    upstream = Upstream(provider)
    with Routex(build, [CHAT.channel(upstream.url, name, priority=n)
                        for n, name in enumerate(("low", "high"))]) as r:
        r.admin.post("/api/routing/rules", {
            "name": "effort", "type": "think", "target": {"channel": "low"}})
        r.settle()
        assert r.ask(CHAT).header("x-routex-channel") == "high"
        answer = r.ask(CHAT, reasoning_effort="high")
        assert answer.header("x-routex-channel") == "low", answer.headers
        answer = r.ask(CHAT, reasoning_effort="none")
        assert answer.header("x-routex-channel") == "high", answer.headers
    upstream.close()


main()
