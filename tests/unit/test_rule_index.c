/*
 * Rules found by the index beside rules asked one after the other.
 */
#include <stdlib.h>

#include "dataplane/draw.h"
#include "dataplane/rule_index.h"
#include "dataplane/rule_literal.h"
#include "dataplane/words.h"
#include "shared/attr.h"
#include "shared/pattern.h"
#include "tests/unit/check.h"

static uint64_t dice = 3;

static uint64_t
below(uint64_t most)
{
    return draw_mix(dice += UINT64_C(0x9e3779b97f4a7c15)) % most;
}

static rx_str
text_of(const char *s)
{
    return (rx_str){ s, strlen(s) };
}

/* ---- random rules ----------------------------------------------------------- */

static const char *const words[] = { "refactor", "Tests", "sql", "up", "x",
    "summarise this", "caf\xc3\xa9", "tests pass", "database", "base", "ASE" };
static const char *const names[] = { "gpt-5", "gpt-5-mini", "gpt-*", "*",
    "claude-*-5", "claude-opus", "*mini", "acme", "ci", "read_file", "read_*",
    "anthropic", "blue", "b*", "" };
static const char *const patterns[] = { "refactor.*tests", "^up\\b",
    "data(base)?", "tests? pass", "sql|base", "[a-c]afe", "summarise {1}this",
    "(?i)x", "ba+se", "tests\\s+pass", "\\Qx\\E", "summari[sz]e th.s", "x*" };

static rx_str
one_of(const char *const *texts, size_t n)
{
    return text_of(texts[below(n)]);
}

static void
make_texts(struct condition *c, struct rx_arena *arena,
    const char *const *texts, size_t n)
{
    rx_str *own = rx_arena_make(arena, rx_str, 2);

    own[0] = one_of(texts, n);
    own[1] = one_of(texts, n);
    c->texts = own;
    c->text_count = 1 + below(2);
}

static void
make_number(struct condition *c, struct rx_arena *arena, int64_t n)
{
    int64_t *own = rx_arena_make(arena, int64_t, 1);

    *own = n;
    c->numbers = own;
    c->number_count = 1;
}

static void
make_leaf(struct condition *c, struct rx_arena *arena)
{
    static const enum condition_kind by_names[] = { CONDITION_MODEL,
        CONDITION_TENANT, CONDITION_KEY, CONDITION_TAG, CONDITION_DIALECT,
        CONDITION_TOOL_NAMES, CONDITION_INTENT, CONDITION_CONTENT_CATEGORY };
    static const enum condition_kind by_words[] = { CONDITION_KEYWORDS,
        CONDITION_USER_AGENT };
    static const enum condition_kind by_pattern[] = { CONDITION_USER_PATTERN,
        CONDITION_SYSTEM_PATTERN, CONDITION_MODEL_PATTERN };
    static const enum condition_kind by_flag[] = { CONDITION_STREAM,
        CONDITION_HAS_TOOLS, CONDITION_HAS_IMAGES, CONDITION_THINKING,
        CONDITION_SUBAGENT, CONDITION_HAS_CODE, CONDITION_WEB_SEARCH };
    static const enum condition_kind by_number[] = { CONDITION_TOKEN_THRESHOLD,
        CONDITION_TOKEN_BELOW, CONDITION_MIN_WORD_COUNT,
        CONDITION_MAX_WORD_COUNT };

    switch (below(6)) {
    case 0:
        c->kind = by_names[below(RX_COUNT(by_names))];
        make_texts(c, arena, names, RX_COUNT(names));
        break;
    case 1:
        c->kind = by_words[below(RX_COUNT(by_words))];
        make_texts(c, arena, words, RX_COUNT(words));
        break;
    case 2:
        c->kind = by_pattern[below(RX_COUNT(by_pattern))];
        make_texts(c, arena, patterns, RX_COUNT(patterns));
        c->text_count = 1;
        break;
    case 3:
        c->kind = by_flag[below(RX_COUNT(by_flag))];
        make_number(c, arena, (int64_t)below(2));
        break;
    case 4:
        c->kind = by_number[below(RX_COUNT(by_number))];
        make_number(c, arena, (int64_t)below(40));
        break;
    default:
        c->kind = CONDITION_HEADER;
        make_texts(c, arena, names, RX_COUNT(names));
        ((rx_str *)(uintptr_t)(const void *)c->texts)[0] =
            below(2) == 0 ? RX_S("x-team") : RX_S("x-env");
        c->text_count = 2;
        break;
    }
}

static void
make_condition(struct condition *c, struct rx_arena *arena, unsigned depth)
{
    static const enum condition_kind of_parts[] = { CONDITION_ALL,
        CONDITION_ALL, CONDITION_ANY, CONDITION_NOT };

    *c = (struct condition){ 0 };
    if (depth == 0 || below(3) == 0) {
        make_leaf(c, arena);
    } else {
        c->kind = of_parts[below(RX_COUNT(of_parts))];
        c->part_count = c->kind == CONDITION_NOT ? 1 : below(4);
        c->parts = rx_arena_make(arena, struct condition, 4);
        for (size_t i = 0; i < c->part_count; i++)
            make_condition(&c->parts[i], arena, depth - 1);
    }
    CHECK_INT(RX_OK, condition_compile(c, arena, NULL));
}

static void
add_rule(struct ruleset *set, struct rx_arena *arena, struct condition *c)
{
    struct rule r = { .condition = c, .enabled = below(8) != 0 };
    char id[16];

    snprintf(id, sizeof(id), "%08u", (unsigned)set->rule_count);
    r.id = rx_arena_copy(arena, text_of(id));
    r.agent = below(8) == 0 ? r.id : (rx_str){ 0 };
    r.priority = (int32_t)below(3);
    CHECK_INT(RX_OK, ruleset_add(set, &r, NULL));
}

static void
make_rules(struct ruleset *set, struct rx_arena *arena, size_t n)
{
    CHECK(ruleset_init(set, arena, 0, n));
    for (size_t i = 0; i < n; i++) {
        struct condition *c = rx_arena_make(arena, struct condition, 1);
        make_condition(c, arena, 2);
        add_rule(set, arena, c);
    }
    CHECK(ruleset_finish(set, arena));
}

/* ---- random requests ---------------------------------------------------------- */

static const struct tenant acme = { .id = RX_STR_INIT("ten_1"),
    .name = RX_STR_INIT("acme") };
static const struct client_key ci = {
    .id = RX_STR_INIT("key_1"), .name = RX_STR_INIT("ci"), .tenant = &acme
};

struct asked {
    char body[2048];
    struct scan scan;
    struct understanding u;
    struct rule_subject subject;
    rx_str team, agent, tag;
};

static rx_str
header_of(const void *arg, rx_str name)
{
    const struct asked *a = arg;

    if (rx_str_eq(name, RX_S("x-team")))
        return a->team;
    if (rx_str_eq(name, RX_S("user-agent")))
        return a->agent;
    if (rx_str_eq(name, RX_S("x-routex-tag")))
        return a->tag;
    return (rx_str){ 0 };
}

static void
make_request(struct asked *a, struct rx_arena *arena)
{
    struct rx_err err = { 0 };
    char text[512] = "";
    size_t at = 0;

    for (size_t n = below(9); n > 0; n--)
        at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s",
            words[below(RX_COUNT(words))], below(3) == 0 ? "" : " ");
    int n = snprintf(a->body, sizeof(a->body),
        "{\"model\":\"%s\",\"max_tokens\":9,\"stream\":%s,"
        "\"system\":\"we %s\",%s\"messages\":[{\"role\":\"user\","
        "\"content\":\"%s\"}]}",
        names[below(RX_COUNT(names) - 1)], below(2) == 0 ? "true" : "false",
        words[below(RX_COUNT(words))],
        below(2) == 0 ? "\"tools\":[{\"name\":\"read_file\"}]," : "", text);
    CHECK(n > 0 && (size_t)n < sizeof(a->body));
    CHECK_INT(RX_OK, scan_request(DIALECT_ANTHROPIC,
                         (rx_str){ a->body, (size_t)n }, &a->scan, &err));
    understand_begin(&a->u, DIALECT_ANTHROPIC, &a->scan,
        (rx_str){ a->body, (size_t)n }, arena);
    a->team = one_of(names, RX_COUNT(names));
    a->agent = one_of(words, RX_COUNT(words));
    a->tag = one_of(names, RX_COUNT(names));
    a->subject = (struct rule_subject){ .u = &a->u,
        .key = &ci,
        .dialect = DIALECT_ANTHROPIC,
        .model = a->scan.model,
        .stream = a->scan.stream,
        .header = header_of,
        .header_arg = a };
}

/* ---- both ------------------------------------------------------------------------ */

static size_t
compare(const struct ruleset *set, bool agents, struct asked *a)
{
    struct rule_walk *walk =
        rule_walk_begin(agents ? set->agents : set->index, &a->subject);
    size_t number = 0;
    size_t told = 0;
    struct rule_match m;
    bool more = rule_walk_next(walk, &number);

    for (size_t i = 0; i < set->rule_count; i++) {
        const struct rule *r = &set->rules[i];
        bool mine = agents ? r->agent.len > 0 : r->enabled;
        if (more && number == i) {
            CHECK(mine);
            told++;
            more = rule_walk_next(walk, &number);
            CHECK(!more || number > i);
        } else if (mine) {
            CHECK(rule_ask(r, &a->subject, &m) != RULE_YES);
        }
    }
    CHECK(!more);
    rule_walk_end(walk);
    return told;
}

static void
no_rule_that_holds_is_left_out(void)
{
    static struct asked a;

    for (int round = 0; round < 60; round++) {
        struct rx_arena *arena = rx_arena_new(16 << 20);
        struct ruleset set;
        make_rules(&set, arena, 1 + below(120));
        for (int n = 0; n < 25; n++) {
            struct rx_arena *own = rx_arena_new(8 << 20);
            make_request(&a, own);
            compare(&set, false, &a);
            compare(&set, true, &a);
            rx_arena_free(own);
        }
        rx_arena_free(arena);
    }
}

static void
ranks_count_those_that_are_enabled(void)
{
    struct rx_arena *arena = rx_arena_new(16 << 20);
    struct ruleset set;
    uint32_t rank = 0;

    make_rules(&set, arena, 100);
    for (size_t i = 0; i < set.rule_count; i++) {
        rank += set.rules[i].enabled;
        CHECK_INT(rank, set.rules[i].rank);
    }
    rx_arena_free(arena);
}

#define MANY 10000

/* Ten thousand of the kinds people write, none of which is about the request. */
static struct condition *
other(struct rx_arena *arena, unsigned n)
{
    static const enum condition_kind kinds[] = { CONDITION_MODEL,
        CONDITION_KEYWORDS, CONDITION_USER_PATTERN, CONDITION_TOKEN_THRESHOLD,
        CONDITION_HEADER, CONDITION_TOOL_NAMES, CONDITION_KEY };
    static const char *const forms[] = { "other-%u-*", "unheard-of-%u",
        "^never %u [a-z]+ing$", "", "team-%u", "draw_%u", "key-%u" };
    struct condition *c = rx_arena_make(arena, struct condition, 1);
    rx_str *texts = rx_arena_make(arena, rx_str, 2);
    int64_t *number = rx_arena_make(arena, int64_t, 1);
    unsigned k = n % RX_COUNT(kinds);
    char text[64];

    snprintf(text, sizeof(text), "%.*s%u%s", (int)strcspn(forms[k], "%"),
        forms[k], n,
        strchr(forms[k], '%') != NULL ? strchr(forms[k], '%') + 2 : "");
    *number = 1000000 + n;
    texts[0] = texts[1] = rx_arena_copy(arena, text_of(text));
    *c = (struct condition){ .kind = kinds[k], .texts = texts };
    c->text_count = k == 3 ? 0 : k == 4 ? 2 : 1;
    if (k == 4)
        texts[0] = RX_S("x-team");
    if (k == 3) {
        c->numbers = number;
        c->number_count = 1;
    }
    CHECK_INT(RX_OK, condition_compile(c, arena, NULL));
    return c;
}

static void
of_ten_thousand_rules_hardly_any_is_asked(void)
{
    static struct asked a;
    struct rx_arena *arena = rx_arena_new(64 << 20);
    struct rx_arena *own = rx_arena_new(8 << 20);
    struct ruleset set;

    CHECK(ruleset_init(&set, arena, 0, MANY));
    for (unsigned i = 0; i < MANY; i++) {
        struct rule r = { .condition = other(arena, i), .enabled = true };
        char id[16];
        snprintf(id, sizeof(id), "%08u", i);
        r.id = rx_arena_copy(arena, text_of(id));
        CHECK_INT(RX_OK, ruleset_add(&set, &r, NULL));
    }
    CHECK(ruleset_finish(&set, arena));
    make_request(&a, own);
    CHECK_INT(0, (intmax_t)compare(&set, false, &a));
    a.team = RX_S("team-4442"); /* 4442 % 7 is 4 */
    CHECK_INT(1, (intmax_t)compare(&set, false, &a));
    fprintf(stderr, "     %d rules: an index of %zu KiB\n", MANY,
        rx_arena_used(arena) / 1024);
    rx_arena_free(own);
    rx_arena_free(arena);
}

/* ---- what it is made of ------------------------------------------------------------ */

static void
a_literal_is_in_all_that_the_pattern_matches(void)
{
    static const struct {
        const char *pattern, *literal;
    } rows[] = {
        { "^never 12 [a-z]+ing$", "never 12 " },
        { "project 12\\b.*\\bred", "project 12" },
        { "(?x) a b c", "" },
        { "abcd|efgh", "" },
        { "abcd?e", "abc" },
        { "abcd*efghi", "efghi" },
        { "abcd{0,2}", "abc" },
        { "(abcdef)?gh", "" },
        { "(abcdef)?ghi", "ghi" },
        { "[abcdef]ghi[^]]x", "ghi" },
        { "[[:alpha:]]abcdef", "" },
        { "\\Qabc\\E", "" },
        { "\\x41abcd", "" },
        { "\\d\\d\\d-abcd", "-abcd" },
        { "take this", "e thi" }, /* without k and s */
        { "a.b.c", "" },
        { "", "" },
    };

    for (size_t i = 0; i < RX_COUNT(rows); i++) {
        rx_str got = rule_literal(text_of(rows[i].pattern));
        if (!rx_str_eq(got, text_of(rows[i].literal)))
            fprintf(stderr, "%s: '" RX_STR_FMT "'\n", rows[i].pattern,
                RX_STR_ARG(got));
        CHECK(rx_str_eq(got, text_of(rows[i].literal)));
    }
}

static void
mark(void *arg, size_t number)
{
    ((bool *)arg)[number] = true;
}

#define TEXT_MAX 60

/* Of few letters, so that they are found often. */
static size_t
make_text(char *out, size_t most)
{
    size_t n = below(most + 1);

    for (size_t i = 0; i < n; i++)
        out[i] = "abAB-"[below(5)];
    return n;
}

static bool
stands_in(rx_str word, rx_str text)
{
    for (size_t i = 0; i + word.len <= text.len; i++) {
        if (rx_str_ieq((rx_str){ text.ptr + i, word.len }, word))
            return true;
    }
    return false;
}

static void
all_words_that_are_in_a_text_are_found_and_no_others(void)
{
    for (int round = 0; round < 400; round++) {
        struct rx_arena *arena = rx_arena_new(8 << 20);
        struct words *w = words_new(arena);
        rx_str all[200];
        size_t numbers[200];
        size_t n = 1 + below(200);
        size_t least = 1 + below(9);
        for (size_t i = 0; i < n; i++) {
            char text[24];
            size_t len = make_text(text, 12);
            while (len < least)
                text[len++] = 'a';
            all[i] = rx_arena_copy(arena, (rx_str){ text, len });
            numbers[i] = words_add(w, all[i]);
            CHECK(numbers[i] < n);
        }
        CHECK(words_finish(w));
        for (int k = 0; k < 20; k++) {
            bool found[200] = { false };
            char *text = malloc(TEXT_MAX + 1); /* of just that size */
            if (text == NULL)
                abort();
            size_t len = make_text(text, TEXT_MAX);
            char *exact = realloc(text, len > 0 ? len : 1);
            words_find(w, (rx_str){ exact, len }, mark, found);
            for (size_t i = 0; i < n; i++)
                CHECK_INT(stands_in(all[i], (rx_str){ exact, len }),
                    found[numbers[i]]);
            free(exact);
        }
        rx_arena_free(arena);
    }
}

int
main(void)
{
    CHECK_RUN(no_rule_that_holds_is_left_out);
    CHECK_RUN(ranks_count_those_that_are_enabled);
    CHECK_RUN(of_ten_thousand_rules_hardly_any_is_asked);
    CHECK_RUN(a_literal_is_in_all_that_the_pattern_matches);
    CHECK_RUN(all_words_that_are_in_a_text_are_found_and_no_others);
    return CHECK_EXIT();
}
