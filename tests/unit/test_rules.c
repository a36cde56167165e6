/*
 * Conditions, each as a row: published as the control plane does it, compiled
 * with the snapshot, asked of a request.
 */
#include "dataplane/decide.h"
#include "dataplane/snapshot_build.h"
#include "shared/attr.h"
#include "shared/clock.h"
#include "shared/json_span.h"
#include "tests/unit/check.h"
#include "toy_state.h"

static rx_str
text_of(const char *s)
{
    return (rx_str){ s, s != NULL ? strlen(s) : 0 };
}

/* ---- a request to ask about ------------------------------------------------- */

static const struct tenant acme = {
    .id = RX_STR_INIT("ten_1"), .name = RX_STR_INIT("acme"), .enabled = true
};
static const struct client_key ci_key = { .id = RX_STR_INIT("key_1"),
    .name = RX_STR_INIT("ci"),
    .tenant = &acme,
    .enabled = true };

static rx_str
header_of(const void *arg, rx_str name)
{
    (void)arg;
    if (rx_str_eq(name, RX_S("user-agent")))
        return RX_S("Claude-CLI/2.1 (external)");
    if (rx_str_eq(name, RX_S("x-routex-tag")))
        return RX_S("team-blue");
    if (rx_str_eq(name, RX_S("x-env")))
        return RX_S("staging");
    return (rx_str){ 0 };
}

/* 2026-11-21 was a Saturday. */
#define SATURDAY_1300 (UINT64_C(1795266000) * 1000)

struct asked {
    struct rx_arena *arena;
    struct scan scan;
    struct understanding u;
    struct rule_subject subject;
};

static void
ask_about(struct asked *a, enum dialect d, const char *body)
{
    struct rx_err err = { 0 };

    *a = (struct asked){ .arena = rx_arena_new(8 << 20) };
    CHECK_INT(RX_OK, scan_request(d, text_of(body), &a->scan, &err));
    understand_begin(&a->u, d, &a->scan, text_of(body), a->arena);
    a->subject = (struct rule_subject){ .u = &a->u,
        .key = &ci_key,
        .dialect = d,
        .model = a->scan.model,
        .stream = a->scan.stream,
        .wall_ms = SATURDAY_1300,
        .header = header_of };
}

static const struct snapshot *
publish(struct toy *t)
{
    const struct snapshot *s = NULL;
    struct rx_buf m;

    rx_buf_init(&m, 16 << 20);
    toy_pack(t, &m);
    CHECK_INT(RX_OK, snapshot_from_full(NULL, 1, 1, rx_buf_str(&m), &s, NULL));
    rx_buf_fini(&m);
    return s;
}

static struct toy *
toy_of(const struct state_item *items, size_t count)
{
    struct toy *t = calloc(1, sizeof(*t));

    toy_put(t, toy_settings(3));
    toy_put(t, toy_tenant(1));
    for (size_t i = 0; i < count; i++)
        toy_put(t, items[i]);
    return t;
}

static struct state_item
rule_item(const char *id, const struct state_condition *c, int32_t priority)
{
    return (struct state_item){ .kind = STATE_RULE,
        .rule = { .id = text_of(id),
            .name = text_of(id),
            .enabled = true,
            .priority = priority,
            .condition = *c } };
}

/* ---- every condition ---------------------------------------------------------- */

#define BODY                                                                   \
    "{\"model\":\"claude-sonnet-4-5\",\"stream\":true,\"max_tokens\":9,"       \
    "\"thinking\":{\"type\":\"adaptive\"},"                                    \
    "\"system\":[{\"type\":\"text\",\"text\":\"You are Claude Code\"}],"       \
    "\"tools\":[{\"name\":\"Bash\",\"input_schema\":{}},"                      \
    "{\"name\":\"mcp__db__query\",\"input_schema\":{}},"                       \
    "{\"type\":\"web_search_20250305\",\"name\":\"web_search\"}],"             \
    "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\","        \
    "\"text\":\"Fix this bug:\\n```python\\ndef f():\\n    pass\\n```\"},"     \
    "{\"type\":\"image\",\"source\":{\"type\":\"base64\",\"data\":\"aa\"}}]}," \
    "{\"role\":\"assistant\",\"content\":\"ok\"},"                             \
    "{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\","               \
    "\"tool_use_id\":\"t\",\"content\":[{\"type\":\"document\",\"source\":"    \
    "{\"type\":\"base64\",\"data\":\"aa\"}}]}]}]}"

static const struct row {
    const char *kind;
    const char *texts[3];
    int64_t numbers[4];
    int count; /* of numbers */
    bool holds;
} rows[] = {
    { "token_threshold", { 0 }, { 100 }, 1, true },
    { "token_threshold", { 0 }, { 1000000 }, 1, false },
    { "token_below", { 0 }, { 1000000 }, 1, true },
    { "token_below", { 0 }, { 10 }, 1, false },
    { "min_word_count", { 0 }, { 5 }, 1, true },
    { "min_word_count", { 0 }, { 50 }, 1, false },
    { "max_word_count", { 0 }, { 50 }, 1, true },
    { "max_word_count", { 0 }, { 2 }, 1, false },
    { "keywords", { "nothing", "THIS BUG" }, { 0 }, 0, true },
    { "keywords", { "claude code" }, { 0 }, 0, false },
    { "user_pattern", { "^fix .*bug" }, { 0 }, 0, true },
    { "user_pattern", { "^bug" }, { 0 }, 0, false },
    { "system_pattern", { "claude\\s+code" }, { 0 }, 0, true },
    { "system_pattern", { "gemini" }, { 0 }, 0, false },
    { "model_pattern", { "SONNET-\\d" }, { 0 }, 0, true },
    { "model_pattern", { "^sonnet" }, { 0 }, 0, false },
    { "model", { "gpt-*", "claude-sonnet-*" }, { 0 }, 0, true },
    { "model", { "sonnet" }, { 0 }, 0, false },
    { "tool_names", { "mcp__*" }, { 0 }, 0, true },
    { "tool_names", { "bash" }, { 0 }, 0, false },
    { "has_tools", { 0 }, { 1 }, 1, true },
    { "has_tools", { 0 }, { 0 }, 1, false },
    { "has_images", { 0 }, { 1 }, 1, true },
    { "has_documents", { 0 }, { 1 }, 1, true },
    { "has_audio", { 0 }, { 1 }, 1, false },
    { "has_audio", { 0 }, { 0 }, 1, true },
    { "has_code", { 0 }, { 1 }, 1, true },
    { "stream", { 0 }, { 1 }, 1, true },
    { "stream", { 0 }, { 0 }, 1, false },
    { "thinking", { 0 }, { 1 }, 1, true },
    { "web_search", { 0 }, { 1 }, 1, true },
    { "subagent", { 0 }, { 1 }, 1, false },
    { "content_category", { "coding" }, { 0 }, 0, true },
    { "content_category", { "writing", "creative" }, { 0 }, 0, false },
    { "complexity_level", { "simple" }, { 0 }, 0, true },
    { "programming_language", { "python" }, { 0 }, 0, true },
    { "programming_language", { "rust" }, { 0 }, 0, false },
    { "intent", { "debug" }, { 0 }, 0, true },
    { "intent", { "review" }, { 0 }, 0, false },
    { "tenant", { "acme" }, { 0 }, 0, true },
    { "tenant", { "ten_1" }, { 0 }, 0, true },
    { "tenant", { "globex" }, { 0 }, 0, false },
    { "key", { "c*" }, { 0 }, 0, true },
    { "key", { "prod" }, { 0 }, 0, false },
    { "tag", { "team-*" }, { 0 }, 0, true },
    { "tag", { "blue" }, { 0 }, 0, false },
    { "dialect", { "chat", "anthropic" }, { 0 }, 0, true },
    { "dialect", { "gemini" }, { 0 }, 0, false },
    { "user_agent", { "claude-cli" }, { 0 }, 0, true },
    { "user_agent", { "codex" }, { 0 }, 0, false },
    { "header", { "x-env", "stag*" }, { 0 }, 0, true },
    { "header", { "x-env", "prod" }, { 0 }, 0, false },
    { "header", { "x-none", "*" }, { 0 }, 0, false },
    /* from, to, offset, days: Saturday is bit 5 */
    { "time", { 0 }, { 720, 840, 0, 127 }, 4, true },
    { "time", { 0 }, { 720, 840, 0, 1 << 5 }, 4, true },
    { "time", { 0 }, { 720, 840, 0, 1 << 4 }, 4, false },
    { "time", { 0 }, { 840, 900, 0, 127 }, 4, false },
    { "time", { 0 }, { 840, 960, 90, 127 }, 4, true },
    { "time", { 0 }, { 1320, 360, 0, 127 }, 4, false },
    { "time", { 0 }, { 1320, 800, 0, 1 << 4 }, 4, true }, /* since Friday */
    { "time", { 0 }, { 1320, 800, 0, 1 << 5 }, 4, false },
};

static struct state_condition
condition_of(const struct row *r, rx_str texts[3])
{
    size_t n = 0;

    for (; n < 3 && r->texts[n] != NULL; n++)
        texts[n] = text_of(r->texts[n]);
    return (struct state_condition){ .kind = text_of(r->kind),
        .texts = texts,
        .text_count = n,
        .numbers = r->numbers,
        .number_count = (size_t)r->count };
}

/* The condition itself, in "not", in "any" and in "all". */
static void
every_condition_holds_when_it_should(void)
{
    struct asked a;

    for (size_t i = 0; i < RX_COUNT(rows); i++) {
        rx_str texts[3];
        struct state_condition c = condition_of(&rows[i], texts);
        struct state_condition not = {
            .kind = RX_S("not"), .parts = &c, .part_count = 1
        };
        struct state_condition never = { .kind = RX_S("any") };
        struct state_condition two[] = { never, c };
        struct state_condition any = {
            .kind = RX_S("any"), .parts = two, .part_count = 2
        };
        struct state_condition both[] = { c, not };
        struct state_condition all = {
            .kind = RX_S("all"), .parts = both, .part_count = 2
        };
        struct state_item items[] = { rule_item("1", &c, 4),
            rule_item("2", &not, 3), rule_item("3", &any, 2),
            rule_item("4", &all, 1) };
        struct toy *t = toy_of(items, RX_COUNT(items));
        const struct snapshot *s = publish(t);
        bool want[] = { rows[i].holds, !rows[i].holds, rows[i].holds, false };

        ask_about(&a, DIALECT_ANTHROPIC, BODY);
        CHECK_INT(0, (intmax_t)s->rejected_count);
        CHECK_INT(4, (intmax_t)s->rules->rule_count);
        for (size_t k = 0; k < 4 && k < s->rules->rule_count; k++) {
            struct rule_match m;
            enum rule_answer got =
                rule_ask(&s->rules->rules[k], &a.subject, &m);
            if (got != (want[k] ? RULE_YES : RULE_NO))
                fprintf(stderr, "row %zu: %s, as %zu\n", i, rows[i].kind, k);
            CHECK_INT(want[k] ? RULE_YES : RULE_NO, got);
        }
        rx_arena_free(a.arena);
        snapshot_unpin(s);
        free(t);
    }
}

static void
the_same_shows_in_every_dialect(void)
{
    static const struct {
        enum dialect dialect;
        const char *body;
        bool images, documents, thinking, search;
        const char *user;
    } each[] = {
        { DIALECT_CHAT,
            "{\"model\":\"m\",\"reasoning_effort\":\"high\",\"messages\":["
            "{\"role\":\"system\",\"content\":\"sys\"},"
            "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":"
            "\"hi\\u00e9\"},{\"type\":\"image_url\",\"image_url\":{}}]}],"
            "\"web_search_options\":{}}",
            true, false, true, true, "hi\xc3\xa9" },
        { DIALECT_CHAT,
            "{\"model\":\"m\",\"reasoning_effort\":\"none\",\"messages\":["
            "{\"role\":\"user\",\"content\":\"a\"},"
            "{\"role\":\"assistant\",\"content\":\"b\"},"
            "{\"role\":\"tool\",\"content\":\"c\"}]}",
            false, false, false, false, "a" },
        { DIALECT_RESPONSES,
            "{\"model\":\"m\",\"input\":\"plain\",\"reasoning\":{\"effort\":"
            "\"low\"},\"instructions\":\"sys\",\"tools\":[{\"type\":"
            "\"web_search\"}]}",
            false, false, true, true, "plain" },
        { DIALECT_RESPONSES,
            "{\"model\":\"m\",\"input\":[{\"role\":\"developer\",\"content\":"
            "\"sys\"},{\"type\":\"message\",\"role\":\"user\",\"content\":[{"
            "\"type\":\"input_text\",\"text\":\"x\"},{\"type\":"
            "\"input_file\"}]},{\"type\":\"function_call_output\",\"output\":"
            "[{\"type\":\"input_image\"}]}]}",
            true, true, false, false, "x" },
        { DIALECT_GEMINI,
            "{\"systemInstruction\":{\"parts\":[{\"text\":\"sys\"}]},"
            "\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"q\"},{"
            "\"inlineData\":{\"mimeType\":\"image/png\",\"data\":\"\"}},{"
            "\"fileData\":{\"mimeType\":\"application/pdf\"}}]}],\"tools\":[{"
            "\"googleSearch\":{}}],\"generationConfig\":{\"thinkingConfig\":{"
            "\"thinkingBudget\":512}}}",
            true, true, true, true, "q" },
        { DIALECT_GEMINI,
            "{\"contents\":[{\"parts\":[{\"text\":\"q\"}]}],"
            "\"generationConfig\":{\"thinkingConfig\":{\"thinkingBudget\":0}}}",
            false, false, false, false, "q" },
    };
    struct asked a;

    for (size_t i = 0; i < RX_COUNT(each); i++) {
        ask_about(&a, each[i].dialect, each[i].body);
        const struct shape *s = understand_shape(&a.u);
        CHECK_INT(each[i].images, s->images > 0);
        CHECK_INT(each[i].documents, s->documents > 0);
        CHECK_INT(each[i].thinking, understand_thinking(&a.u));
        CHECK_INT(each[i].search, understand_tools(&a.u)->web_search);
        CHECK(rx_str_eq(understand_user(&a.u), text_of(each[i].user)));
        if (strstr(each[i].body, "sys") != NULL)
            CHECK(rx_str_eq(understand_system(&a.u), RX_S("sys")));
        rx_arena_free(a.arena);
    }
}

static void
a_prefix_is_the_same_whatever_its_form(void)
{
    static const char *const same[] = {
        "{\"system\":\"s\",\"messages\":[{\"role\":\"user\",\"content\":"
        "\"one\"}]}",
        "{\"messages\":[{\"content\":[{\"text\":\"one\",\"type\":\"text\","
        "\"cache_control\":{\"type\":\"ephemeral\"}}],\"role\":\"user\"},"
        "{\"role\":\"assistant\",\"content\":\"x\"},{\"role\":\"user\","
        "\"content\":\"two\"}],\"system\":[{\"type\":\"text\",\"text\":"
        "\"x-anthropic-billing-header: cc_version=1;\"},{\"type\":\"text\","
        "\"text\":\"s\"}]}",
    };
    struct rx_digest d[2], other;
    struct asked a;

    for (size_t i = 0; i < 2; i++) {
        ask_about(&a, DIALECT_ANTHROPIC, same[i]);
        CHECK(understand_prefix(&a.u, &d[i]));
        rx_arena_free(a.arena);
    }
    CHECK(memcmp(&d[0], &d[1], sizeof(d[0])) == 0);
    ask_about(&a, DIALECT_ANTHROPIC,
        "{\"system\":\"s\",\"messages\":[{\"role\":\"user\",\"content\":"
        "\"two\"}]}");
    CHECK(understand_prefix(&a.u, &other));
    CHECK(memcmp(&d[0], &other, sizeof(other)) != 0);
    rx_arena_free(a.arena);
}

/* ---- what cannot be used --------------------------------------------------------- */

static void
a_rule_that_cannot_be_used_is_rejected_alone(void)
{
    static const rx_str bad_pattern[] = { RX_STR_INIT("(a") };
    static const rx_str nobody[] = { RX_STR_INIT("nobody") };
    static const int64_t one[] = { 1 };
    struct state_condition wrong[] = {
        { .kind = RX_S("telepathy") },
        { .kind = RX_S("user_pattern"), .texts = bad_pattern, .text_count = 1 },
        { .kind = RX_S("custom_function"), .texts = nobody, .text_count = 1 },
        { .kind = RX_S("token_threshold") },
        { .kind = RX_S("not") },
        { .kind = RX_S("time"), .numbers = one, .number_count = 1 },
    };
    struct state_condition good = { .kind = RX_S("all") };

    for (size_t i = 0; i < RX_COUNT(wrong); i++) {
        struct state_item items[] = { rule_item("bad", &wrong[i], 2),
            rule_item("good", &good, 1) };
        struct toy *t = toy_of(items, RX_COUNT(items));
        const struct snapshot *s = publish(t);
        CHECK_INT(1, (intmax_t)s->rejected_count);
        CHECK(rx_str_eq(s->rejected[0].id, RX_S("bad")));
        CHECK(s->rejected[0].reason.len > 0);
        CHECK_INT(1, (intmax_t)s->rules->rule_count);
        snapshot_unpin(s);
        free(t);
    }
}

static void
rules_are_asked_by_priority_then_age(void)
{
    struct state_condition always = { .kind = RX_S("all") };
    struct state_item items[] = { rule_item("late", &always, 1),
        rule_item("b", &always, 5), rule_item("a", &always, 5),
        rule_item("early", &always, 5), rule_item("first", &always, 9) };
    static const char *const want[] = { "first", "early", "a", "b", "late" };

    for (size_t i = 0; i < RX_COUNT(items); i++)
        items[i].rule.created_ms = i == 3 ? 1000 : 2000;
    struct toy *t = toy_of(items, RX_COUNT(items));
    const struct snapshot *s = publish(t);
    CHECK_INT((intmax_t)RX_COUNT(want), (intmax_t)s->rules->rule_count);
    for (size_t i = 0; i < RX_COUNT(want) && i < s->rules->rule_count; i++)
        CHECK(rx_str_eq(s->rules->rules[i].id, text_of(want[i])));
    snapshot_unpin(s);
    free(t);
}

static void
a_pattern_that_explodes_is_trouble_and_soon_over(void)
{
    static const rx_str evil[] = { RX_STR_INIT("^(a+)+$") };
    struct state_condition c = {
        .kind = RX_S("user_pattern"), .texts = evil, .text_count = 1
    };
    struct state_item item = rule_item("evil", &c, 1);
    struct toy *t = toy_of(&item, 1);
    const struct snapshot *s = publish(t);
    static char body[9000];
    struct asked a;
    struct rule_match m;
    int n = snprintf(
        body, sizeof(body), "{\"messages\":[{\"role\":\"user\",\"content\":\"");

    memset(body + n, 'a', 8000);
    snprintf(body + n + 8000, sizeof(body) - (size_t)n - 8000, "!\"}]}");
    ask_about(&a, DIALECT_ANTHROPIC, body);
    uint64_t start = rx_clock_us();
    CHECK_INT(RULE_TROUBLE, rule_ask(&s->rules->rules[0], &a.subject, &m));
    CHECK(rx_clock_us() - start < 500000);
    CHECK(strstr(m.trouble, "user_pattern") != NULL);
    rx_arena_free(a.arena);
    snapshot_unpin(s);
    free(t);
}

/* ---- targets ------------------------------------------------------------------------ */

static uint64_t dice;

static bool
decide_on(const struct snapshot *s, struct decision *d, const char *body,
    struct rx_arena *arena)
{
    struct scan scan;
    struct understanding u = { 0 };
    struct decide_request r = {
        .route = { .snapshot = s,
            .key = &ci_key,
            .dialect = DIALECT_CHAT,
            .op = OP_CREATE,
            .dice = dice },
        .subject = { .u = &u,
            .key = &ci_key,
            .dialect = DIALECT_CHAT,
            .header = header_of },
    };

    CHECK_INT(RX_OK, scan_request(DIALECT_CHAT, text_of(body), &scan, NULL));
    understand_begin(&u, DIALECT_CHAT, &scan, text_of(body), arena);
    r.route.model = r.subject.model = scan.model;
    return decide(d, &r, arena);
}

static void
targets_lead_where_they_say(void)
{
    static const rx_str one[] = { RX_STR_INIT("ch1") };
    static const rx_str two[] = { RX_STR_INIT("ch2"), RX_STR_INIT("ch0") };
    static const rx_str gone[] = { RX_STR_INIT("ch9") };
    static const uint32_t weights[] = { 0, 5 };
    static const rx_str eu[] = { RX_STR_INIT("eu") };
    static const struct {
        struct state_hop hops[2];
        size_t count;
        const char *order[4]; /* ids of the candidates */
        const char *model;    /* of the first */
    } each[] = {
        { { { .channels = one, .channel_count = 1 } }, 1, { "ch1" }, "m" },
        { { { .channels = one,
              .channel_count = 1,
              .model = RX_STR_INIT("x/y") } },
            1, { "ch1" }, "x/y" },
        { { { .channels = two, .channel_count = 2 } }, 1, { "ch2", "ch0" },
            "m" },
        { { { .channels = two, .weights = weights, .channel_count = 2 } }, 1,
            { "ch0", "ch2" }, "m" },
        { { { .tag = RX_STR_INIT("eu") } }, 1, { "ch2" }, "m" },
        { { { .model = RX_STR_INIT("z") } }, 1, { "ch0", "ch1", "ch2" }, "z" },
        { { { .channels = gone, .channel_count = 1 },
              { .channels = one, .channel_count = 1 } },
            2, { "ch1" }, "m" },
        { { { .channels = gone, .channel_count = 1 } }, 1,
            { "ch0", "ch1", "ch2" }, "m" },
    };
    struct state_condition always = { .kind = RX_S("all") };

    for (size_t i = 0; i < RX_COUNT(each); i++) {
        struct state_item items[] = { rule_item("r", &always, 1),
            toy_channel(0, 3), toy_channel(1, 2), toy_channel(2, 1) };
        items[0].rule.hops = each[i].hops;
        items[0].rule.hop_count = each[i].count;
        items[3].channel.tags = eu;
        items[3].channel.tag_count = 1;
        struct toy *t = toy_of(items, RX_COUNT(items));
        const struct snapshot *s = publish(t);
        struct rx_arena *arena = rx_arena_new(1 << 20);
        struct decision d;

        CHECK(decide_on(s, &d, "{\"model\":\"m\",\"messages\":[]}", arena));
        size_t want = 0;
        while (want < 4 && each[i].order[want] != NULL)
            want++;
        CHECK_INT((intmax_t)want, (intmax_t)d.plan.count);
        for (size_t k = 0; k < want && k < d.plan.count; k++)
            CHECK(rx_str_eq(
                d.plan.candidates[k].channel->id, text_of(each[i].order[k])));
        CHECK(rx_str_eq(d.plan.candidates[0].model, text_of(each[i].model)));
        CHECK_INT(i + 1 < RX_COUNT(each), d.rule != NULL);
        rx_arena_free(arena);
        snapshot_unpin(s);
        free(t);
    }
}

static void
a_rules_strategy_replaces_the_settings(void)
{
    struct state_condition always = { .kind = RX_S("all") };
    static const rx_str words[] = { RX_STR_INIT("weighted"),
        RX_STR_INIT("magic") };

    for (size_t i = 0; i < 2; i++) {
        struct state_item items[] = { rule_item("r", &always, 1),
            toy_channel(0, 9), toy_channel(1, 0) };
        items[0].rule.strategy = words[i];
        struct toy *t = toy_of(items, RX_COUNT(items));
        const struct snapshot *s = publish(t);
        struct rx_arena *arena = rx_arena_new(8 << 20);
        struct decision d;
        unsigned low = 0;

        CHECK_INT((intmax_t)i, (intmax_t)s->rejected_count);
        for (unsigned n = 0; n < 200; n++) {
            dice = n * UINT64_C(0x9e3779b97f4a7c15);
            CHECK(decide_on(s, &d, "{\"model\":\"m\"}", arena));
            low += d.plan.candidates[0].channel->priority == 0;
        }
        /* By priority alone the low one would never be first. */
        CHECK(i == 0 ? low > 50 && low < 150 : low == 0);
        rx_arena_free(arena);
        snapshot_unpin(s);
        free(t);
    }
}

static void
the_trace_is_json_and_small_whatever_the_names(void)
{
    struct decision d = { .plan = { .count = ROUTE_CANDIDATES_MAX } };
    static char name[400];
    struct rule rule = { .id = RX_S("rul_1") };
    struct channel c = { 0 };
    struct rx_buf out;

    memset(name, '"', sizeof(name) - 1);
    rule.name = c.name = text_of(name);
    d.rule = &rule;
    d.passed_count = DECIDE_PASSED_MAX;
    for (size_t i = 0; i < DECIDE_PASSED_MAX; i++)
        d.passed[i] = (struct passed){ &rule, text_of(name) };
    for (size_t i = 0; i < ROUTE_CANDIDATES_MAX; i++)
        d.plan.candidates[i].channel = &c;
    rx_buf_init(&out, 1 << 16);
    decision_trace(&d, &out);
    CHECK(out.len > 0 && out.len <= DECISION_TRACE_MAX);
    CHECK(rx_span_whole(rx_buf_str(&out)));
    rx_buf_fini(&out);
}

int
main(void)
{
    CHECK_RUN(every_condition_holds_when_it_should);
    CHECK_RUN(the_same_shows_in_every_dialect);
    CHECK_RUN(a_prefix_is_the_same_whatever_its_form);
    CHECK_RUN(a_rule_that_cannot_be_used_is_rejected_alone);
    CHECK_RUN(rules_are_asked_by_priority_then_age);
    CHECK_RUN(a_pattern_that_explodes_is_trouble_and_soon_over);
    CHECK_RUN(targets_lead_where_they_say);
    CHECK_RUN(a_rules_strategy_replaces_the_settings);
    CHECK_RUN(the_trace_is_json_and_small_whatever_the_names);
    return CHECK_EXIT();
}
