"""A body for each noun of the admin API that sets all of its fields to something
else than their defaults."""

LIMITS = {"requests_per_min": 61, "tokens_per_min": 62, "concurrent": 63,
          "quota": {"tokens": 64, "window": "week"},
          "budget": {"amount_usd": "65.50", "window": "day"}}
TIMEOUTS = {"connect_s": 1.5, "first_byte_s": 21, "first_event_s": 22,
            "idle_s": 23, "total_s": 24}
STEPS = {"use": [["maxtoken", {"max_tokens": 4000}]]}
PROMPT = "You look at changes, carefully and one after the other. " * 2

# By schema of docs/openapi.yaml: a body that sets all of its fields.  What a
# schema gains has to be set here, or test_travel.py fails.
FULL = {
    "Settings": {
        "strategy": "cost", "session_ttl_s": 11, "max_wait_s": 12,
        "breaker": {"window_s": 13, "min_samples": 14, "failure_percent": 15,
                    "failures_in_a_row": 16, "open_s": 17, "open_max_s": 18},
        "timeouts": TIMEOUTS,
        "health": {"enabled": False, "interval_s": 301, "timeout_s": 11,
                   "usage_interval_s": 91, "failures": 4, "successes": 5},
        "log_level": "warn", "max_attempts": 3, "strict_translation": True,
        "max_body_bytes": 1048576, "trace_upstream": "always", "backups": {"every_s": 86401, "keep": 8},
        "login": {"idle_s": 601, "absolute_s": 6001}, "audit_days": 31,
        "retention": {"requests_days": 40, "attempts_days": 41},
        "capture": {"enabled": True, "tenants": ["acme"], "keys": ["ci"],
                    "patterns": ["a+"], "max_bytes": 1024, "keep_s": 120},
        "journal": {"limit_bytes": 1048577, "when_full": "refuse"}},
    "TenantInput": {
        "name": "acme", "status": "disabled", "models": ["claude-*"],
        "channels": ["main"], "limits": LIMITS, "ips": ["10.0.0.0/8"]},
    "ChannelInput": {
        "name": "main", "type": "anthropic", "base_url": "http://127.0.0.1:9/b",
        "endpoints": [{"dialect": "chat", "auth": "bearer",
                       "base_url": "http://127.0.0.1:9/c"}],
        "keys": [{"key": "sk-test-111122223333", "status": "disabled"},
                 "sk-test-444455556666"],
        "models": ["claude-*", {"name": "s", "upstream": "claude-sonnet-4-5"}],
        "priority": 7, "weight": 8, "cost_multiplier": "0.25",
        "status": "paused", "tags": ["eu"], "headers": {"x-team": "a"},
        "timeouts": {**TIMEOUTS, "connect_s": 2.5},
        "health_check": {"enabled": False, "interval_s": 77},
        "transformers": {**STEPS, "claude-sonnet-4-5": STEPS},
        "proxy_url": "http://me:hidden@127.0.0.1:3128",
        "ca_file": "/etc/ssl/certs/ours.pem"},
    "FunctionInput": {"name": "small", "source": "return request.tokens < 9"},
    "RuleInput": {
        "name": "long", "type": "longContext", "status": "disabled",
        "priority": 9, "strict": True,
        "condition": {
            "token_threshold": 60000, "token_below": 70000,
            "min_word_count": 1, "max_word_count": 900, "keywords": ["a", "b"],
            "user_pattern": "x+", "system_pattern": "y+",
            "model_pattern": "z+", "model": ["claude-*"],
            "tool_names": ["Bash"], "has_tools": True, "has_images": True,
            "has_documents": True, "has_audio": True, "has_code": True,
            "stream": True, "thinking": True, "web_search": True,
            "subagent": True, "content_category": ["coding"],
            "complexity_level": ["complex"], "programming_language": ["c"],
            "intent": ["debug"], "tenant": ["acme"], "key": ["ci"],
            "tag": ["eu"], "dialect": ["chat"], "user_agent": ["curl*"],
            "header": {"x-a": "b"},
            "time": {"from": "08:00", "to": "18:00", "utc_offset": "+02:00",
                     "days": ["mon", "fri"]},
            "custom_function": "small", "any": [{"stream": True}],
            "all": [{"thinking": True}], "not": {"has_tools": False}},
        "target": {"channels": [{"channel": "main", "weight": 3},
                                {"channel": "spare", "weight": 1}],
                   "model": "claude-opus-4-1",
                   "fallbacks": [{"channel": "spare", "model": "m"},
                                 {"tag": "eu"}],
                   "strategy": "weighted", "transformers": STEPS}},
    "KeyInput": {
        "name": "ci", "tenant": "acme", "status": "disabled",
        "expires_at": "2099-01-01T00:00:00.000Z", "may_force_channel": True,
        "models": ["claude-*"], "channels": ["main"],
        "limits": {**LIMITS, "concurrent": 5}, "ips": ["192.168.0.0/16"]},
    "AgentInput": {
        "name": "reviewer", "description": "Looks at changes",
        "model": "claude-opus-4-1", "routing": "main, spare",
        "prompt": PROMPT},
    "PriceInput": {
        "input": "1.5", "output": "2.5", "reasoning": "3.5",
        "cache_read": "0.5", "cache_write_5m": "1.75", "cache_write_1h": "2",
        "audio_input": "4", "audio_output": "5", "image_input": "6",
        "image_output": "7", "web_search": "0.01",
        "tiers": [{"over": 200000, "input": "3", "output": "5"}],
        "service_tiers": {"flex": {"input": "0.75", "output": "1.25"}}},
    "WebhookInput": {
        "name": "pager", "url": "http://127.0.0.1:9/hook?token=hidden",
        "secret": "0123456789abcdef", "kinds": ["channel_down"],
        "severity": "warning", "status": "disabled"},
    "TeeInput": {
        "name": "copies", "sink": "otlp", "status": "disabled",
        "url": "http://127.0.0.1:9/otlp?key=hidden",
        "headers": {"x-token": "hidden too"},
        "filter": {"tenant": "acme", "key": "ci", "channel": "main",
                   "model": "claude-opus-4-1", "outcome": "error",
                   "status": 429},
        "sampling": 0.25, "resource": {"deployment.environment": "p"}},
    "UserInput": {"name": "anna", "role": "owner", "password": "0123456789"},
}


def furnish(ask):
    """One of everything; ask(method, path, body) returns the answer."""
    ask("POST", "/api/channels", {
        "name": "spare", "type": "openai", "api_key": "sk-test-777788889999"})
    ask("POST", "/api/channels", FULL["ChannelInput"])
    ask("POST", "/api/tenants", FULL["TenantInput"])
    ask("POST", "/api/routing/functions", FULL["FunctionInput"])
    key = ask("POST", "/api/keys", FULL["KeyInput"])["data"]["id"]
    ask("POST", f"/api/keys/{key}/rotate", {"overlap_s": 3600})
    ask("POST", "/api/routing/rules", FULL["RuleInput"])
    ask("POST", "/api/agents", FULL["AgentInput"])
    ask("PUT", "/api/prices/gpt-5", FULL["PriceInput"])
    ask("PUT", "/api/prices/own%2Fmodel", {"input": "1", "output": "2"})
    ask("POST", "/api/webhooks", FULL["WebhookInput"])
    ask("POST", "/api/tees", FULL["TeeInput"])
    ask("POST", "/api/tees", {
        "name": "kept", "sink": "file", "file": {"max_bytes": 8192, "keep": 2}})
    ask("POST", "/api/tees", {
        "name": "told", "sink": "webhook", "url": "http://127.0.0.1:9/hidden",
        "secret": "0123456789abcdef", "status": "disabled"})
    ask("POST", "/api/users", FULL["UserInput"])
    ask("POST", "/api/users", {"name": "ben", "role": "admin",
                                  "password": "0123456789"})
    ask("PUT", "/api/settings", FULL["Settings"])
