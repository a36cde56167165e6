"""Coming from another router: one file of each system, as that system writes
it, is taken over, and what cannot be is said."""
import json
import os
import pathlib
import sqlite3
import subprocess
from contextlib import closing

from harness import Routex, main, test


class Shell:
    def __init__(self, r, build, **env):
        self.r = r
        self.program = pathlib.Path(build) / "routex"
        self.env = {"PATH": os.environ["PATH"], "HOME": str(r.folder),
                    "LC_ALL": "C.UTF-8", "ROUTEX_URL": r.control_url,
                    "ROUTEX_TOKEN": r.admin.token,
                    "ROUTEX_DATA_DIR": str(r.data_dir), **env}

    def run(self, *words):
        return subprocess.run([str(self.program), *map(str, words)], text=True,
                              capture_output=True, timeout=60, env=self.env,
                              cwd=self.r.folder, stdin=subprocess.DEVNULL)

    def ok(self, *words):
        done = self.run(*words)
        assert done.returncode == 0, (words, done)
        return done.stdout

    def convert(self, system, file):
        done = json.loads(self.ok("import", system, file, "--json"))
        return done["document"], {n["item"]: n["reason"]
                                  for n in done["report"]}

    def channels(self):
        return {c["name"]: c for c in
                self.r.admin.get("/api/channels?limit=200")["data"]}

    def rules(self):
        return {x["name"]: x for x in
                self.r.admin.get("/api/routing/rules?limit=200")["data"]}


def database(r, name, script, rows=()):
    path = r.folder / name
    with closing(sqlite3.connect(path)) as db:
        db.executescript(script)
        for sql, values in rows:
            db.executemany(sql, values)
        db.commit()
    return path


def twice(sh, system, file):
    """Only looked at unless --yes; the second time nothing changes."""
    before = sh.channels()
    looked = sh.ok("import", system, file)
    assert "Nothing was changed; --yes takes it over." in looked, looked
    assert sh.channels() == before
    done = sh.ok("import", system, file, "--yes")
    again = sh.ok("import", system, file, "--yes")
    assert "0 added, 0 changed, 0 removed" in again, again
    return done


CCR = """{
  // What most people have: JSON5.
  "LOG": true,
  "APIKEY": "your-secret-key-of-ccr",
  "PROXY_URL": "http://127.0.0.1:7890",
  API_TIMEOUT_MS: 600000,
  "CUSTOM_ROUTER_PATH": "$HOME/.claude-code-router/custom-router.js",
  "Providers": [
    {
      "name": "openrouter",
      "api_base_url": "https://openrouter.ai/api/v1/chat/completions",
      "api_key": "sk-or-000000000001",
      "models": ["google/gemini-2.5-pro-preview", "anthropic/claude-sonnet-4"],
      "transformer": {"use": ["openrouter"]}
    },
    {
      "name": "deepseek",
      "api_base_url": "https://api.deepseek.com/chat/completions",
      "api_key": "$DEEPSEEK_KEY",
      "models": ["deepseek-chat", "deepseek-reasoner"],
      "transformer": {
        "use": ["deepseek", ["maxtoken", {"max_tokens": 65536}]],
        "deepseek-chat": {"use": ["tooluse"]}
      }
    },
    {
      'name': 'ollama',
      'api_base_url': 'http://localhost:11434/v1/chat/completions',
      'api_key': 'ollama',
      'models': ['qwen2.5-coder:latest'],
    },
    {
      "name": "gemini",
      "api_base_url": "https://generativelanguage.googleapis.com/v1beta/models/",
      "api_key": "${MISSING_KEY}",
      "models": ["gemini-2.5-pro"],
      "transformer": {"use": ["gemini", "no-such-step"]}
    },
  ],
  "Router": {
    "default": "deepseek,deepseek-chat",
    "background": "ollama,qwen2.5-coder:latest",
    "think": "deepseek,deepseek-reasoner",
    "longContext": "openrouter,google/gemini-2.5-pro-preview",
    "longContextThreshold": 80000,
    "webSearch": "nobody,model" /* a mistake */
  },
  "fallback": {"default": ["openrouter,anthropic/claude-sonnet-4"]}
}
"""


@test
def the_classic_file_of_claude_code_router(build):
    with Routex(build, planes=0) as r:
        sh = Shell(r, build, DEEPSEEK_KEY="sk-ds-000000000002")
        (r.folder / "config.json").write_text(CCR)
        done = twice(sh, "ccr", "config.json")
        for told in ("Router.webSearch", "CUSTOM_ROUTER_PATH", "MISSING_KEY",
                     "no-such-step", "API_TIMEOUT_MS"):
            assert told in done, (told, done)
        have = sh.channels()
        assert have["openrouter"]["type"] == "openrouter", have
        assert have["deepseek"]["type"] == "deepseek", have
        assert have["deepseek"]["keys"][0]["last4"].endswith("0002"), have
        steps = have["deepseek"]["transformers"]
        assert ["maxtoken", {"max_tokens": 65536}] in steps["use"] or any(
            isinstance(s, list) and s[0] == "maxtoken" for s in steps["use"]
        ), steps
        assert have["ollama"]["type"] == "openai-compatible", have
        assert have["ollama"]["base_url"] == "http://localhost:11434/v1", have
        assert have["gemini"]["type"] == "gemini", have
        assert have["gemini"]["status"] == "disabled", have
        assert have["openrouter"]["proxy_url"] == "http://127.0.0.1:7890"
        rules = sh.rules()
        assert set(rules) == {"ccr default", "ccr background", "ccr think",
                              "ccr longContext"}, rules
        assert rules["ccr longContext"]["condition"] == {
            "token_threshold": 80000}, rules
        assert rules["ccr default"]["target"] == {
            "channel": "deepseek", "model": "deepseek-chat", "fallbacks": [
                {"channel": "openrouter",
                 "model": "anthropic/claude-sonnet-4"}]}, rules
        keys = {k["name"]: k for k in r.admin.get("/api/keys")["data"]}
        assert keys["ccr"]["last4"].endswith("-ccr"), keys


CCR3 = """
CREATE TABLE app_config (key TEXT PRIMARY KEY, value_json TEXT NOT NULL,
  updated_at TEXT NOT NULL);
CREATE TABLE api_keys (id TEXT PRIMARY KEY, name TEXT NOT NULL DEFAULT '',
  encrypted_key TEXT NOT NULL, encryption TEXT NOT NULL DEFAULT 'plain',
  created_at TEXT NOT NULL, expires_at TEXT NOT NULL DEFAULT '',
  limits_json TEXT NOT NULL DEFAULT '');
CREATE TABLE runtime_state (key TEXT PRIMARY KEY, value_json TEXT NOT NULL,
  updated_at TEXT NOT NULL);
"""


@test
def the_database_of_claude_code_router_3(build):
    with Routex(build, planes=0) as r:
        sh = Shell(r, build)
        config = {
            "HOST": "127.0.0.1", "PORT": 3456, "API_TIMEOUT_MS": 600000,
            "Providers": [
                {"name": "Claude", "baseUrl": "https://api.anthropic.com",
                 "apiKey": "sk-ant-000000000003",
                 "type": "anthropic_messages",
                 "models": ["claude-sonnet-4-5"]},
                {"name": "My Server", "api_base_url":
                 "https://llm.example.com/v1/responses",
                 "api_key": "sk-000000000004", "type": "openai_responses",
                 "models": ["big", "small"]}],
            "Router": {"builtInRules": {"claude-code": {"enabled": True}},
                       "fallback": {"mode": "off", "models": []},
                       "rules": [
                {"id": "1", "name": "long", "enabled": True,
                 "type": "condition", "condition": {
                     "left": "request.tokenCount", "operator": ">",
                     "right": "60000"},
                 "rewrites": [{"key": "request.body.model",
                               "operation": "set",
                               "value": "My Server/big"}]},
                {"id": "2", "name": "scripted", "enabled": True,
                 "type": "script", "script": "return 1"}]},
            "virtualModelProfiles": []}
        file = database(r, "config.sqlite", CCR3, [
            ("insert into app_config values (?, ?, ?)",
             [("default", json.dumps(config), "2026-08-01T00:00:00Z")]),
            ("insert into api_keys (id, name, encrypted_key, encryption, "
             "created_at, expires_at) values (?, ?, ?, ?, '', ?)",
             [("k1", "laptop", "ccr-0123456789abcdef", "plain",
               "2099-01-01T00:00:00Z"),
              ("k2", "locked", "AAAA", "keychain", "")])])
        done = twice(sh, "ccr", file)
        assert "scripted" in done and "locked" in done, done
        have = sh.channels()
        assert have["Claude"]["type"] == "anthropic", have
        assert have["My-Server"]["endpoints"][0]["dialect"] == "responses"
        rule = sh.rules()["long"]
        assert rule["target"]["channel"] == "My-Server", rule
        assert rule["condition"] == {"token_threshold": 60000}, rule


CCFLARE = """
CREATE TABLE accounts (id TEXT PRIMARY KEY, name TEXT NOT NULL,
  provider TEXT DEFAULT 'anthropic', api_key TEXT, refresh_token TEXT NOT NULL,
  access_token TEXT, expires_at INTEGER, created_at INTEGER NOT NULL,
  last_used INTEGER, request_count INTEGER DEFAULT 0,
  total_requests INTEGER DEFAULT 0, account_tier INTEGER DEFAULT 1,
  rate_limited_until INTEGER, session_start INTEGER,
  session_request_count INTEGER DEFAULT 0, paused INTEGER DEFAULT 0,
  rate_limit_reset INTEGER, rate_limit_status TEXT,
  rate_limit_remaining INTEGER);
CREATE TABLE requests (id TEXT PRIMARY KEY, timestamp INTEGER NOT NULL,
  method TEXT NOT NULL, path TEXT NOT NULL, account_used TEXT);
CREATE TABLE agent_preferences (agent_id TEXT PRIMARY KEY, model TEXT NOT NULL,
  updated_at INTEGER NOT NULL);
"""


@test
def the_database_of_ccflare(build):
    with Routex(build, planes=0) as r:
        sh = Shell(r, build)
        file = database(r, "ccflare.db", CCFLARE, [
            ("insert into accounts (id, name, provider, api_key, refresh_token,"
             " created_at, account_tier, paused) values (?, ?, 'anthropic', ?,"
             " ?, 0, ?, ?)",
             [("a", "work", "sk-ant-000000000005", "", 5, 0),
              ("b", "rest", "sk-ant-000000000006", "", 1, 1),
              ("c", "max", None, "rt-secret-token", 20, 0)]),
            ("insert into agent_preferences values (?, ?, 0)",
             [("project:reviewer", "claude-opus-4")])])
        done = twice(sh, "ccflare", file)
        assert "max: is an account with a log-in" in done, done
        assert "project:reviewer" in done and "rt-secret" not in done, done
        have = sh.channels()
        assert have["work"]["type"] == "anthropic", have
        assert have["work"]["weight"] == 5, have
        assert have["rest"]["status"] == "paused", have
        assert "max" not in have, have


BETTER = """
CREATE TABLE accounts (id TEXT PRIMARY KEY, name TEXT NOT NULL,
  provider TEXT DEFAULT 'anthropic', api_key TEXT, refresh_token TEXT,
  access_token TEXT, expires_at INTEGER, created_at INTEGER NOT NULL,
  last_used INTEGER, paused INTEGER DEFAULT 0, priority INTEGER DEFAULT 0,
  custom_endpoint TEXT, model_mappings TEXT, model_fallbacks TEXT,
  cross_region_mode TEXT, billing_type TEXT, requires_reauth INTEGER DEFAULT 0);
CREATE TABLE api_keys (id TEXT PRIMARY KEY, name TEXT UNIQUE NOT NULL,
  hashed_key TEXT UNIQUE NOT NULL, created_at INTEGER, last_used INTEGER,
  usage_count INTEGER DEFAULT 0, is_active INTEGER DEFAULT 1, role TEXT);
CREATE TABLE combos (id TEXT PRIMARY KEY, name TEXT UNIQUE, description TEXT,
  enabled INTEGER, created_at INTEGER, updated_at INTEGER);
CREATE TABLE combo_slots (id TEXT PRIMARY KEY, combo_id TEXT, account_id TEXT,
  model TEXT, priority INTEGER, enabled INTEGER);
CREATE TABLE combo_family_assignments (family TEXT PRIMARY KEY, combo_id TEXT,
  enabled INTEGER DEFAULT 0);
CREATE TABLE agent_preferences (agent_id TEXT PRIMARY KEY, model TEXT NOT NULL,
  updated_at INTEGER NOT NULL);
"""


@test
def the_database_of_better_ccflare(build):
    with Routex(build, planes=0) as r:
        sh = Shell(r, build)
        file = database(r, "better.db", BETTER, [
            ("insert into accounts (id, name, provider, api_key, refresh_token,"
             " created_at, paused, priority, custom_endpoint, model_mappings) "
             "values (?, ?, ?, ?, ?, 0, ?, ?, ?, ?)",
             [("1", "console", "claude-console-api", "sk-ant-000000000007",
               None, 0, 0, None, None),
              ("2", "z.ai main", "zai", "zai-000000000008", None, 0, 10, None,
               '{"opus":["glm-4.6","glm-4.5"],"sonnet":"glm-4.5-air"}'),
              ("3", "mine", "openai-compatible", "sk-000000000009", None, 1,
               20, "https://llm.example.com/v1", None),
              ("4", "chatgpt", "codex", None, "rt-000000000010", 0, 30, None,
               None),
              ("5", "aws", "bedrock", "profile", None, 0, 40, None, None)]),
            ("insert into api_keys (id, name, hashed_key) values (?, ?, ?)",
             [("k", "ci", "aa:bb")]),
            ("insert into combos values (?, ?, '', 1, 0, 0)", [("c", "best")]),
            ("insert into combo_slots values (?, 'c', ?, ?, ?, 1)",
             [("s1", "2", "opus-like", 1), ("s2", "1", "claude-opus-4-5", 0)]),
            ("insert into combo_family_assignments values (?, 'c', 1)",
             [("opus",)])])
        done = twice(sh, "better-ccflare", file)
        for told in ("chatgpt", "aws", "ci: only a hash", "several models",
                     "is called z.ai-main here"):
            assert told in done, (told, done)
        have = sh.channels()
        assert set(have) == {"console", "z.ai-main", "mine"}, have
        assert have["z.ai-main"]["base_url"] == "https://api.z.ai/api/anthropic"
        assert have["z.ai-main"]["models"] == [
            {"name": "*opus*", "upstream": "glm-4.6"},
            {"name": "*sonnet*", "upstream": "glm-4.5-air"}], have
        assert have["console"]["priority"] > have["z.ai-main"]["priority"]
        rule = sh.rules()["combo opus"]
        assert rule["target"] == {
            "channel": "console", "model": "claude-opus-4-5", "fallbacks": [
                {"channel": "z.ai-main", "model": "opus-like"}]}, rule


LLMIO = """
CREATE TABLE `providers` (`id` integer PRIMARY KEY AUTOINCREMENT,
  `created_at` datetime,`updated_at` datetime,`deleted_at` datetime,
  `name` text,`type` text,`config` text,`console` text,`proxy` text,
  `error_matcher` text);
CREATE TABLE `models` (`id` integer PRIMARY KEY AUTOINCREMENT,
  `created_at` datetime,`updated_at` datetime,`deleted_at` datetime,
  `name` text,`remark` text,`max_retry` integer,`time_out` integer,
  `strategy` text,`breaker` numeric,`display_order` integer);
CREATE TABLE `model_with_providers` (`id` integer PRIMARY KEY AUTOINCREMENT,
  `created_at` datetime,`updated_at` datetime,`deleted_at` datetime,
  `model_id` integer,`provider_model` text,`provider_id` integer,
  `tool_call` numeric,`structured_output` numeric,`image` numeric,
  `with_header` numeric,`status` numeric,`customer_headers` text,
  `extra_body` text,`weight` integer);
CREATE TABLE `auth_keys` (`id` integer PRIMARY KEY AUTOINCREMENT,
  `created_at` datetime,`updated_at` datetime,`deleted_at` datetime,
  `name` text,`key` text,`status` numeric,`io_log` numeric,`allow_all` numeric,
  `models` text,`expires_at` datetime,`usage_count` integer,
  `last_used_at` datetime);
"""


@test
def the_database_of_llmio(build):
    with Routex(build, planes=0) as r:
        sh = Shell(r, build)
        file = database(r, "llmio.db", LLMIO, [
            ("insert into providers (name, type, config, proxy, deleted_at) "
             "values (?, ?, ?, ?, ?)",
             [("OpenAI", "openai", json.dumps({
                 "base_url": "https://api.openai.com/v1",
                 "api_key": "sk-000000000011"}), "", None),
              ("mirror", "anthropic", json.dumps({
                  "base_url": "https://claude.example.com/v1",
                  "api_key": "sk-000000000012", "version": "2023-06-01"}),
               "http://127.0.0.1:3128", None),
              ("gone", "openai", "{}", "", "2026-01-01")]),
            ("insert into models (name, strategy) values (?, ?)",
             [("fast", "lottery"), ("claude", "rotor")]),
            ("insert into model_with_providers (model_id, provider_model, "
             "provider_id, status, customer_headers, weight) values "
             "(?, ?, ?, ?, ?, ?)",
             [(1, "gpt-5-mini", 1, 1, '{"x-team":"a"}', 5),
              (2, "claude-sonnet-4-5", 2, 1, None, 3),
              (1, "off", 2, 0, None, 3)]),
            ("insert into auth_keys (name, key, status, allow_all, models, "
             "expires_at) values (?, ?, 1, ?, ?, ?)",
             [("all", "sk-llmio-" + "a" * 36, 1, "null", None),
              ("few", "sk-llmio-" + "b" * 36, 0, '["fast"]',
               "2099-01-01 00:00:00+00:00")])])
        done = twice(sh, "llmio", file)
        assert "mirror: fast is switched off there" in done, done
        have = sh.channels()
        assert set(have) == {"OpenAI", "mirror"}, have
        assert have["OpenAI"]["models"] == [
            {"name": "fast", "upstream": "gpt-5-mini"}], have
        assert have["OpenAI"]["headers"] == {"x-team": "a"}, have
        assert have["mirror"]["type"] == "anthropic-compatible", have
        assert have["mirror"]["proxy_url"] == "http://127.0.0.1:3128", have
        assert r.admin.get("/api/settings")["data"]["strategy"] == "weighted"
        keys = {k["name"]: k for k in r.admin.get("/api/keys")["data"]}
        assert keys["few"]["models"] == ["fast"], keys
        assert keys["few"]["expires_at"].startswith("2099-01-01"), keys
        assert keys["all"]["models"] == ["*"], keys


ROUTEX = """
CREATE TABLE channels (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE,
  type TEXT NOT NULL, base_url TEXT, api_key TEXT, refresh_token TEXT,
  models TEXT NOT NULL, priority INTEGER NOT NULL DEFAULT 50,
  weight INTEGER NOT NULL DEFAULT 1, status TEXT NOT NULL DEFAULT 'enabled',
  request_count INTEGER DEFAULT 0, success_count INTEGER DEFAULT 0,
  failure_count INTEGER DEFAULT 0, last_used_at INTEGER,
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
  consecutive_failures INTEGER DEFAULT 0, last_failure_time INTEGER,
  circuit_breaker_until INTEGER, rate_limited_until INTEGER,
  transformers TEXT);
CREATE TABLE routing_rules (id TEXT PRIMARY KEY, name TEXT NOT NULL,
  type TEXT NOT NULL, condition TEXT NOT NULL, target_channel TEXT NOT NULL,
  target_model TEXT, priority INTEGER NOT NULL DEFAULT 50,
  enabled INTEGER NOT NULL DEFAULT 1, created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL);
CREATE TABLE tee_destinations (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE,
  type TEXT NOT NULL, enabled INTEGER);
CREATE TABLE oauth_sessions (id TEXT PRIMARY KEY, channel_id TEXT,
  provider TEXT NOT NULL, access_token TEXT NOT NULL);
PRAGMA user_version = 5;
"""


@test
def the_database_of_the_other_routex(build):
    with Routex(build, planes=0) as r:
        sh = Shell(r, build)
        file = database(r, "routex-theirs.db", ROUTEX, [
            ("insert into channels (id, name, type, base_url, api_key, models,"
             " priority, weight, status, created_at, updated_at) values "
             "(?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0)",
             [("c1", "claude main", "anthropic", None, "sk-ant-000000000013",
               '["claude-sonnet-4-5"]', 60, 2, "rate_limited"),
              ("c2", "sealed", "openai", None,
               "00ff00ff00ff00ff00ff00ff00ff00ff:aa00aa00aa00aa00:bb00bb",
               '["gpt-5"]', 50, 1, "enabled"),
              ("c3", "mine", "custom", "https://llm.example.com/v1",
               "sk-000000000014", '["m"]', 50, 1, "disabled"),
              ("c4", "co", "cohere", None, "k", '["c"]', 50, 1, "enabled")]),
            ("insert into routing_rules values (?, ?, ?, ?, ?, ?, ?, ?, 0, 0)",
             [("r1", "long", "longContext", '{"tokenThreshold":60000}', "c1",
               "claude-sonnet-4-5", 80, 1),
              ("r2", "words", "custom",
               '{"keywords":["refactor"],"hasTools":true}', "mine", None, 50,
               0),
              ("r3", "fn", "custom", '{"customFunction":"abTest"}', "c1",
               None, 40, 1)]),
            ("insert into tee_destinations values (?, ?, 'http', 1)",
             [("t", "archive")])])
        done = twice(sh, "routex", file)
        for told in ("co: its type cohere", "sealed: its key is encrypted",
                     "abTest", "archive"):
            assert told in done, (told, done)
        have = sh.channels()
        assert have["claude-main"]["status"] == "enabled", have
        assert have["sealed"]["status"] == "disabled", have
        assert have["mine"]["status"] == "disabled", have
        rules = sh.rules()
        assert rules["long"]["target"]["channel"] == "claude-main", rules
        assert rules["words"]["condition"] == {
            "keywords": ["refactor"], "has_tools": True}, rules
        assert rules["words"]["status"] == "disabled", rules
        assert "fn" not in rules, rules


def cc_switch_dump(r, rows):
    """As its exporter writes it: a mark, the schema, batches of rows."""
    file = database(r, "cc-switch.db", """
CREATE TABLE providers (id TEXT NOT NULL, app_type TEXT NOT NULL,
  name TEXT NOT NULL, settings_config TEXT NOT NULL, website_url TEXT,
  category TEXT, created_at INTEGER, sort_index INTEGER, notes TEXT,
  icon TEXT, icon_color TEXT, meta TEXT NOT NULL DEFAULT '{}',
  is_current BOOLEAN NOT NULL DEFAULT 0,
  in_failover_queue BOOLEAN NOT NULL DEFAULT 0, PRIMARY KEY (id, app_type));
CREATE TABLE provider_endpoints (id INTEGER PRIMARY KEY AUTOINCREMENT,
  provider_id TEXT NOT NULL, app_type TEXT NOT NULL, url TEXT NOT NULL,
  added_at INTEGER);
CREATE TABLE mcp_servers (id TEXT PRIMARY KEY, name TEXT NOT NULL,
  server_config TEXT NOT NULL);
""", [("insert into providers (id, app_type, name, settings_config, "
       "sort_index, is_current) values (?, ?, ?, ?, ?, ?)", rows),
      ("insert into mcp_servers values (?, ?, '{}')", [("m", "files")])])
    with closing(sqlite3.connect(file)) as db:
        text = "\n".join(line for line in db.iterdump()
                         if "sqlite_sequence" not in line)
    out = r.folder / "export.sql"
    out.write_text("-- CC Switch SQLite 导出\nPRAGMA foreign_keys=OFF;\n"
                   "PRAGMA user_version=17;\n" + text)
    return out


@test
def the_export_of_cc_switch(build):
    with Routex(build, planes=0) as r:
        sh = Shell(r, build)
        file = cc_switch_dump(r, [
            ("1", "claude", "Kimi", json.dumps({"env": {
                "ANTHROPIC_BASE_URL": "https://api.moonshot.cn/anthropic",
                "ANTHROPIC_AUTH_TOKEN": "sk-000000000015"}}), 1, 1),
            ("2", "claude", "Claude Official", json.dumps({"env": {}}), 0, 0),
            ("3", "codex", "Mirror; drop", json.dumps({
                "auth": {"OPENAI_API_KEY": "sk-000000000016"},
                "config": 'model_provider = "m"\n[model_providers.m]\n'
                          'base_url = "https://codex.example.com/v1"\n'
                          'wire_api = "responses"\n'}), 0, 1),
            ("4", "gemini", "Google", json.dumps({"env": {
                "GEMINI_API_KEY": "g-000000000017"}}), 0, 1),
            ("5", "hermes", "Other", "{}", 0, 0)])
        done = twice(sh, "cc-switch", file)
        for told in ("Claude Official-claude", "Other-hermes", "mcp_servers"):
            assert told in done, (told, done)
        have = sh.channels()
        assert set(have) == {"Kimi-claude", "Mirror-drop-codex",
                             "Google-gemini"}, have
        assert have["Kimi-claude"]["base_url"] == (
            "https://api.moonshot.cn/anthropic"), have
        assert have["Mirror-drop-codex"]["endpoints"][0]["dialect"] == (
            "responses"), have
        assert have["Google-gemini"]["type"] == "gemini", have


@test
def a_dump_may_fill_tables_and_nothing_else(build):
    with Routex(build, planes=0) as r:
        sh = Shell(r, build)
        victim = r.folder / "victim.db"
        for evil in (f"ATTACH '{victim}' AS x; CREATE TABLE x.t (a);",
                     f"VACUUM INTO '{victim}';",
                     "PRAGMA writable_schema=ON;",
                     "CREATE VIRTUAL TABLE v USING fts5(a);",
                     "SELECT load_extension('/tmp/x.so');",
                     "BEGIN; CREATE TABLE providers (a);"):
            (r.folder / "evil.sql").write_text(
                "-- CC Switch SQLite 导出\n" + evil)
            done = sh.run("import", "cc-switch", "evil.sql", "--yes")
            assert done.returncode == 1, (evil, done)
            assert not victim.exists(), evil
        (r.folder / "other.sql").write_text("CREATE TABLE providers (a);")
        done = sh.run("import", "cc-switch", "other.sql")
        assert "is no export of cc-switch" in done.stderr, done


@test
def files_that_are_something_else_are_refused(build):
    with Routex(build, planes=0) as r:
        sh = Shell(r, build)
        (r.folder / "text").write_text("hello")
        empty = database(r, "empty.db", "create table t (a);")
        for system in ("ccr", "ccflare", "better-ccflare", "llmio", "routex",
                       "cc-switch"):
            for file in ("text", empty, "missing"):
                done = sh.run("import", system, file, "--yes")
                assert done.returncode == 1, (system, file, done)
                assert done.stderr.startswith("routex: "), done
        assert sh.run("import", "litellm", "text").returncode == 2
        assert not sh.channels()


main()
