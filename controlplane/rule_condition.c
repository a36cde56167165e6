/*
 * Conditions: a table of what there is.  {"a":1,"b":2} is all of them; "any",
 * "all" and "not" nest.
 */
#include <stdio.h>
#include <string.h>

#include "controlplane/function.h"
#include "controlplane/key.h"
#include "controlplane/rule.h"
#include "controlplane/tenant.h"
#include "shared/pattern.h"

#define DEPTH_MAX  6
#define PARTS_MAX  100
#define TOKENS_MAX ((uint64_t)100000000)
#define WEEK       127 /* a bit a day, Monday first */
#define DAY_MIN    1440

struct reading {
    struct store *store;
    struct rx_arena *arena;
    unsigned depth;
};

/* Read the member's value into `out`; faults are noted. */
typedef void reader(struct reading *r, rx_json object, const char *name,
    rx_json v, struct state_condition *out);
/* Write it back as the member's value. */
typedef void writer(
    struct rx_json_out *w, const char *key, const struct state_condition *c);

static reader read_number, read_flag, read_texts, read_words, read_pattern,
    read_tenants, read_keys, read_time, read_function, read_all, read_any,
    read_not;
static writer put_number, put_flag, put_texts, put_text, put_time, put_list,
    put_not;

static const struct row {
    const char *name;
    reader *read;
    writer *put;
} rows[] = {
    { "token_threshold", read_number, put_number },
    { "token_below", read_number, put_number },
    { "min_word_count", read_number, put_number },
    { "max_word_count", read_number, put_number },
    { "keywords", read_texts, put_texts },
    { "user_pattern", read_pattern, put_text },
    { "system_pattern", read_pattern, put_text },
    { "model_pattern", read_pattern, put_text },
    { "model", read_texts, put_texts },
    { "tool_names", read_texts, put_texts },
    { "has_tools", read_flag, put_flag },
    { "has_images", read_flag, put_flag },
    { "has_documents", read_flag, put_flag },
    { "has_audio", read_flag, put_flag },
    { "has_code", read_flag, put_flag },
    { "stream", read_flag, put_flag },
    { "thinking", read_flag, put_flag },
    { "web_search", read_flag, put_flag },
    { "subagent", read_flag, put_flag },
    { "content_category", read_words, put_texts },
    { "complexity_level", read_words, put_texts },
    { "programming_language", read_words, put_texts },
    { "intent", read_words, put_texts },
    { "tenant", read_tenants, put_texts },
    { "key", read_keys, put_texts },
    { "tag", read_texts, put_texts },
    { "dialect", read_words, put_texts },
    { "user_agent", read_texts, put_texts },
    { "time", read_time, put_time },
    { "custom_function", read_function, put_text },
    { "all", read_all, put_list },
    { "any", read_any, put_list },
    { "not", read_not, put_not },
};

/* Words that are fixed. */
static const struct {
    const char *name;
    const char *words; /* with blanks around each */
} choices[] = {
    { "content_category", " coding writing analysis conversation research "
                          "creative technical general " },
    { "complexity_level", " simple moderate complex very_complex " },
    { "programming_language", " python javascript typescript java c cpp csharp "
                              "go rust ruby php sql shell none " },
    { "intent", " question task generation analysis conversation review "
                "debug " },
    { "dialect", " anthropic chat responses gemini " },
};

static bool
is_kind(const struct state_condition *c, const char *kind)
{
    return rx_str_eq(c->kind, field_text(kind));
}

/* ---- single values ---------------------------------------------------------- */

static void
set_number(struct reading *r, struct state_condition *out, int64_t n)
{
    int64_t *numbers = field_make(r->arena, int64_t, 1);

    *numbers = n;
    out->numbers = numbers;
    out->number_count = 1;
}

static void
read_number(struct reading *r, rx_json object, const char *name, rx_json v,
    struct state_condition *out)
{
    uint64_t n = 0;

    (void)v;
    rx_json_get_u64(object, name, 0, TOKENS_MAX, &n);
    set_number(r, out, (int64_t)n);
}

static void
put_number(
    struct rx_json_out *w, const char *key, const struct state_condition *c)
{
    rx_json_put_i64(w, key, c->numbers[0]);
}

static void
read_flag(struct reading *r, rx_json object, const char *name, rx_json v,
    struct state_condition *out)
{
    bool yes = false;

    (void)v;
    rx_json_get_bool(object, name, &yes);
    set_number(r, out, yes);
}

static void
put_flag(
    struct rx_json_out *w, const char *key, const struct state_condition *c)
{
    rx_json_put_bool(w, key, c->numbers[0] != 0);
}

/* One text, or a list of them. */
static void
read_texts(struct reading *r, rx_json object, const char *name, rx_json v,
    struct state_condition *out)
{
    struct field_list list = { 0 };
    rx_str *one;

    if (rx_json_kind(v) == RX_JSON_ARRAY) {
        field_read_list(object, name, FIELD_CREATE, 256, r->arena, &list);
    } else if (rx_json_want(v, RX_JSON_STRING)) {
        one = field_make(r->arena, rx_str, 1);
        *one = rx_json_str(v);
        list = (struct field_list){ one, one->len > 0 && one->len <= 256 };
    }
    if (list.count == 0)
        rx_json_wrong(v, "must be a text of 1 to 256 bytes, or a list of them");
    out->texts = list.at;
    out->text_count = list.count;
}

static void
put_texts(
    struct rx_json_out *w, const char *key, const struct state_condition *c)
{
    struct field_list list = { c->texts, c->text_count };

    field_put_list(w, key, &list);
}

static void
put_text(
    struct rx_json_out *w, const char *key, const struct state_condition *c)
{
    rx_json_put_str(w, key, c->texts[0]);
}

static bool
is_choice(const char *words, rx_str word)
{
    char padded[64];
    int n = snprintf(padded, sizeof(padded), " " RX_STR_FMT " ",
        (int)(word.len < 60 ? word.len : 60), word.ptr);

    return n > 0 && memchr(word.ptr, ' ', word.len) == NULL &&
           strstr(words, padded) != NULL;
}

static void
read_words(struct reading *r, rx_json object, const char *name, rx_json v,
    struct state_condition *out)
{
    const char *words = "";

    read_texts(r, object, name, v, out);
    for (size_t i = 0; i < RX_COUNT(choices); i++) {
        if (strcmp(choices[i].name, name) == 0)
            words = choices[i].words;
    }
    for (size_t i = 0; i < out->text_count; i++) {
        if (!is_choice(words, out->texts[i]))
            rx_json_wrong(v, "must be one of%.120s", words);
    }
}

static void
set_text(struct reading *r, struct state_condition *out, rx_str text)
{
    rx_str *one = field_make(r->arena, rx_str, 1);

    *one = text;
    out->texts = one;
    out->text_count = 1;
}

static void
read_pattern(struct reading *r, rx_json object, const char *name, rx_json v,
    struct state_condition *out)
{
    struct rx_pattern *p;
    struct rx_err err = { 0 };

    (void)object;
    (void)name;
    set_text(r, out, rx_json_str(v));
    if (!rx_json_want(v, RX_JSON_STRING))
        return;
    if (rx_pattern_new(&p, out->texts[0], &err) != RX_OK)
        rx_json_wrong(v, "%.150s", err.text);
    else
        rx_pattern_free(p);
}

/* ---- names of things there are ------------------------------------------------ */

static bool
has_star(rx_str s)
{
    return memchr(s.ptr, '*', s.len) != NULL;
}

static void
read_tenants(struct reading *r, rx_json object, const char *name, rx_json v,
    struct state_condition *out)
{
    struct tenant *t;

    read_texts(r, object, name, v, out);
    for (size_t i = 0; i < out->text_count; i++) {
        if (!has_star(out->texts[i]) &&
            tenant_load(r->store, r->arena, out->texts[i], &t, NULL) != RX_OK)
            rx_json_wrong(v, "there is no tenant \"%.*s\"",
                (int)(out->texts[i].len < 64 ? out->texts[i].len : 64),
                out->texts[i].ptr);
    }
}

static bool
is_key(struct store *s, rx_str word)
{
    struct db_query *q = db_query(
        s->db, "select 1 from client_key where id = ?1 or name = ?1 limit 1");

    db_bind_str(q, 1, word);
    bool there = db_next(q);
    return db_done(q, NULL) == RX_OK && there;
}

static void
read_keys(struct reading *r, rx_json object, const char *name, rx_json v,
    struct state_condition *out)
{
    read_texts(r, object, name, v, out);
    for (size_t i = 0; i < out->text_count; i++) {
        if (!has_star(out->texts[i]) && !is_key(r->store, out->texts[i]))
            rx_json_wrong(v, "there is no key \"%.*s\"",
                (int)(out->texts[i].len < 64 ? out->texts[i].len : 64),
                out->texts[i].ptr);
    }
}

static void
read_function(struct reading *r, rx_json object, const char *name, rx_json v,
    struct state_condition *out)
{
    struct function *f;

    (void)object;
    (void)name;
    set_text(r, out, rx_json_str(v));
    if (rx_json_want(v, RX_JSON_STRING) &&
        function_load(r->store, r->arena, out->texts[0], &f, NULL) != RX_OK)
        rx_json_wrong(v, "there is no function \"%.*s\"",
            (int)(out->texts[0].len < 64 ? out->texts[0].len : 64),
            out->texts[0].ptr);
}

/* ---- time ------------------------------------------------------------------------ */

static const char *const days[] = { "mon", "tue", "wed", "thu", "fri", "sat",
    "sun" };

/* "HH:MM" as minutes; -1 when it is none.  24:00 is the end of the day. */
static int64_t
minutes_of(rx_str s)
{
    if (s.len != 5 || s.ptr[2] != ':')
        return -1;
    for (size_t i = 0; i < 5; i++) {
        if (i != 2 && (s.ptr[i] < '0' || s.ptr[i] > '9'))
            return -1;
    }
    int64_t h = (s.ptr[0] - '0') * 10 + s.ptr[1] - '0';
    int64_t m = (s.ptr[3] - '0') * 10 + s.ptr[4] - '0';
    return m < 60 && h * 60 + m <= DAY_MIN ? h * 60 + m : -1;
}

static void
read_clock(rx_json v, const char *name, int64_t *minutes)
{
    rx_str s;

    if (!rx_json_get_str(v, name, &s))
        return;
    *minutes = minutes_of(s);
    if (*minutes < 0)
        rx_json_wrong_member(v, name, "must be a time like \"18:30\"");
}

static void
read_offset(rx_json v, int64_t *minutes)
{
    rx_str s;

    if (!rx_json_get_str(v, "utc_offset", &s))
        return;
    bool sign = s.len == 6 && (s.ptr[0] == '+' || s.ptr[0] == '-');
    int64_t m = sign ? minutes_of((rx_str){ s.ptr + 1, 5 }) : -1;
    if (m < 0 || m > 14 * 60)
        rx_json_wrong_member(
            v, "utc_offset", "must be an offset like \"+02:00\"");
    *minutes = s.len > 0 && s.ptr[0] == '-' ? -m : m;
}

static void
read_days(rx_json v, int64_t *mask)
{
    rx_json list, day;

    if (!rx_json_get_array(v, "days", &list))
        return;
    *mask = 0;
    for (day = rx_json_first(list); rx_json_there(day);
         day = rx_json_next(day)) {
        size_t i = 0;
        while (i < RX_COUNT(days) &&
               !rx_str_eq(rx_json_str(day), field_text(days[i])))
            i++;
        if (i == RX_COUNT(days)) {
            rx_json_wrong(day, "must be mon, tue, wed, thu, fri, sat or sun");
            return;
        }
        *mask |= (int64_t)1 << i;
    }
}

static void
read_time(struct reading *r, rx_json object, const char *name, rx_json v,
    struct state_condition *out)
{
    int64_t *n = field_make(r->arena, int64_t, 4);

    (void)object;
    (void)name;
    n[1] = DAY_MIN;
    n[3] = WEEK;
    out->numbers = n;
    out->number_count = 4;
    if (!rx_json_want(v, RX_JSON_OBJECT))
        return;
    read_clock(v, "from", &n[0]);
    read_clock(v, "to", &n[1]);
    read_offset(v, &n[2]);
    read_days(v, &n[3]);
    rx_json_no_more(v);
}

static void
put_clock(struct rx_json_out *w, const char *key, const char *sign, int64_t m)
{
    char text[32];

    snprintf(
        text, sizeof(text), "%s%02d:%02d", sign, (int)(m / 60), (int)(m % 60));
    rx_json_put_text(w, key, text);
}

static void
put_time(
    struct rx_json_out *w, const char *key, const struct state_condition *c)
{
    const int64_t *n = c->numbers;

    rx_json_open_object(w, key);
    put_clock(w, "from", "", n[0]);
    put_clock(w, "to", "", n[1]);
    put_clock(w, "utc_offset", n[2] < 0 ? "-" : "+", n[2] < 0 ? -n[2] : n[2]);
    rx_json_open_array(w, "days");
    for (size_t i = 0; i < RX_COUNT(days); i++) {
        if ((n[3] >> i & 1) != 0)
            rx_json_put_text(w, NULL, days[i]);
    }
    rx_json_close(w);
    rx_json_close(w);
}

/* ---- groups ------------------------------------------------------------------------- */

static void read_object(
    struct reading *r, rx_json object, struct state_condition *out);

static void
read_group(struct reading *r, rx_json v, struct state_condition *out)
{
    size_t n = 0;

    if (!rx_json_want(v, RX_JSON_ARRAY))
        return;
    if (rx_json_count(v) == 0 || rx_json_count(v) > PARTS_MAX) {
        rx_json_wrong(v, "must have 1 to %d conditions", PARTS_MAX);
        return;
    }
    struct state_condition *parts =
        field_make(r->arena, struct state_condition, rx_json_count(v));
    for (rx_json e = rx_json_first(v); rx_json_there(e); e = rx_json_next(e)) {
        if (rx_json_want(e, RX_JSON_OBJECT) && rx_json_count(e) == 0)
            rx_json_wrong(e, "must name a condition");
        read_object(r, e, &parts[n++]);
    }
    out->parts = parts;
    out->part_count = n;
}

static void
read_all(struct reading *r, rx_json object, const char *name, rx_json v,
    struct state_condition *out)
{
    (void)object;
    (void)name;
    read_group(r, v, out);
}

static void
read_any(struct reading *r, rx_json object, const char *name, rx_json v,
    struct state_condition *out)
{
    (void)object;
    (void)name;
    read_group(r, v, out);
}

static void
read_not(struct reading *r, rx_json object, const char *name, rx_json v,
    struct state_condition *out)
{
    struct state_condition *part =
        field_make(r->arena, struct state_condition, 1);

    (void)object;
    (void)name;
    if (rx_json_want(v, RX_JSON_OBJECT) && rx_json_count(v) == 0)
        rx_json_wrong(v, "must name a condition; this can never hold");
    read_object(r, v, part);
    out->parts = part;
    out->part_count = 1;
}

static void
put_list(
    struct rx_json_out *w, const char *key, const struct state_condition *c)
{
    rx_json_open_array(w, key);
    for (size_t i = 0; i < c->part_count; i++)
        rule_put_condition(w, NULL, &c->parts[i]);
    rx_json_close(w);
}

static void
put_not(struct rx_json_out *w, const char *key, const struct state_condition *c)
{
    rule_put_condition(w, key, &c->parts[0]);
}

/* {"x-header":"value*"}: one condition each. */
static size_t
read_headers(struct reading *r, rx_json object, struct state_condition *parts,
    size_t most)
{
    size_t n = 0;
    rx_json v;

    if (!rx_json_get_object(object, "header", &v))
        return 0;
    for (rx_json h = rx_json_first(v); rx_json_there(h) && n < most;
         h = rx_json_next(h)) {
        rx_str *pair = field_make(r->arena, rx_str, 2);
        pair[0] = rx_json_name(h);
        pair[1] = rx_json_str(h);
        if (!rx_json_want(h, RX_JSON_STRING) || pair[1].len == 0 ||
            pair[0].len == 0 || pair[0].len > 256 || pair[1].len > 256)
            rx_json_wrong(h, "must be a value of 1 to 256 bytes ('*' for any)");
        parts[n++] = (struct state_condition){
            .kind = RX_S("header"), .texts = pair, .text_count = 2
        };
    }
    if (n == 0)
        rx_json_wrong(v, "must name a header");
    return n;
}

static void
read_object(struct reading *r, rx_json object, struct state_condition *out)
{
    size_t most = RX_COUNT(rows) + 16;
    struct state_condition *parts =
        field_make(r->arena, struct state_condition, most);
    size_t n = 0;

    *out = (struct state_condition){ .kind = RX_S("all"), .parts = parts };
    if (!rx_json_want(object, RX_JSON_OBJECT))
        return;
    if (++r->depth > DEPTH_MAX) {
        rx_json_wrong(object, "nests too deep");
        return;
    }
    for (size_t i = 0; i < RX_COUNT(rows); i++) {
        rx_json v = rx_json_member(object, rows[i].name);
        if (!rx_json_there(v) || rx_json_kind(v) == RX_JSON_NULL)
            continue;
        parts[n].kind = field_text(rows[i].name);
        rows[i].read(r, object, rows[i].name, v, &parts[n]);
        n++;
    }
    out->part_count = n + read_headers(r, object, parts + n, most - n);
    rx_json_no_more(object);
    r->depth--;
}

void
rule_read_condition(rx_json object, struct store *s, struct rx_arena *arena,
    struct state_condition *out)
{
    struct reading r = { s, arena, 0 };

    *out = (struct state_condition){ .kind = RX_S("all") };
    if (rx_json_there(object) && rx_json_kind(object) != RX_JSON_NULL)
        read_object(&r, object, out);
}

static void
put_headers(struct rx_json_out *w, const struct state_condition *c)
{
    bool open = false;

    for (size_t i = 0; i < c->part_count; i++) {
        const struct state_condition *part = &c->parts[i];
        char name[260];
        if (!is_kind(part, "header"))
            continue;
        if (!open)
            rx_json_open_object(w, "header");
        open = true;
        snprintf(name, sizeof(name), RX_STR_FMT, RX_STR_ARG(part->texts[0]));
        rx_json_put_str(w, name, part->texts[1]);
    }
    if (open)
        rx_json_close(w);
}

/* `c` is an "all". */
void
rule_put_condition(
    struct rx_json_out *w, const char *key, const struct state_condition *c)
{
    rx_json_open_object(w, key);
    for (size_t i = 0; i < c->part_count; i++) {
        const struct state_condition *part = &c->parts[i];
        for (size_t k = 0; k < RX_COUNT(rows); k++) {
            if (is_kind(part, rows[k].name))
                rows[k].put(w, rows[k].name, part);
        }
    }
    put_headers(w, c);
    rx_json_close(w);
}

/* ---- what can never be --------------------------------------------------------------- */

static const struct state_condition *
find(const struct state_condition *all, const char *kind)
{
    for (size_t i = 0; i < all->part_count; i++) {
        if (is_kind(&all->parts[i], kind))
            return &all->parts[i];
    }
    return NULL;
}

static bool
crosses(const struct state_condition *all, const char *least, const char *most,
    int64_t gap)
{
    const struct state_condition *a = find(all, least);
    const struct state_condition *b = find(all, most);

    return a != NULL && b != NULL && a->numbers[0] + gap > b->numbers[0];
}

/* The same flag, both ways. */
static bool
contradicts(const struct state_condition *all)
{
    for (size_t i = 0; i < all->part_count; i++) {
        const struct state_condition *a = &all->parts[i];
        for (size_t k = i + 1; k < all->part_count; k++) {
            const struct state_condition *b = &all->parts[k];
            if (rx_str_eq(a->kind, b->kind) && a->number_count == 1 &&
                b->number_count == 1 && a->numbers[0] != b->numbers[0] &&
                a->numbers[0] <= 1 && b->numbers[0] <= 1)
                return true;
        }
    }
    return false;
}

static const char *
never_all(const struct state_condition *all)
{
    const struct state_condition *tools = find(all, "has_tools");
    const struct state_condition *below = find(all, "token_below");
    const struct state_condition *time = find(all, "time");

    if (crosses(all, "token_threshold", "token_below", 1))
        return "token_threshold is not below token_below";
    if (crosses(all, "min_word_count", "max_word_count", 0))
        return "min_word_count is above max_word_count";
    if (below != NULL && below->numbers[0] == 0)
        return "token_below is 0";
    if (tools != NULL && tools->numbers[0] == 0 &&
        find(all, "tool_names") != NULL)
        return "tool_names with has_tools false";
    if (time != NULL &&
        (time->numbers[0] == time->numbers[1] || time->numbers[3] == 0))
        return "the time is never";
    return contradicts(all) ? "it contradicts the rule's type" : NULL;
}

const char *
rule_never_holds(const struct state_condition *c)
{
    const char *why = is_kind(c, "all") ? never_all(c) : NULL;
    size_t never = 0;

    if (is_kind(c, "not"))
        return NULL;
    for (size_t i = 0; i < c->part_count && why == NULL; i++) {
        const char *part = rule_never_holds(&c->parts[i]);
        never += part != NULL;
        if (part != NULL && is_kind(c, "all"))
            why = part;
    }
    if (why == NULL && is_kind(c, "any") && never == c->part_count)
        why = "none of any can hold";
    return why;
}

bool
rule_calls(const struct state_condition *c, rx_str function)
{
    if (is_kind(c, "custom_function") &&
        (function.len == 0 || rx_str_eq(c->texts[0], function)))
        return true;
    for (size_t i = 0; i < c->part_count; i++) {
        if (rule_calls(&c->parts[i], function))
            return true;
    }
    return false;
}

/* ---- what a type adds ------------------------------------------------------------------ */

static const rx_str small_models[] = { RX_STR_INIT("*haiku*"),
    RX_STR_INIT("*-mini"), RX_STR_INIT("*-mini-*"), RX_STR_INIT("*-nano*"),
    RX_STR_INIT("*flash-lite*"), RX_STR_INIT("*-lite") };
static const int64_t yes[] = { 1 };
static const int64_t long_tokens[] = { 60000 };

static const struct {
    const char *type;
    const char *unless; /* the rule's own condition that replaces it */
    struct state_condition adds;
} additions[] = {
    { "background", "model",
        { .kind = RX_STR_INIT("model"),
            .texts = small_models,
            .text_count = RX_COUNT(small_models) } },
    { "think", NULL,
        { .kind = RX_STR_INIT("thinking"),
            .numbers = yes,
            .number_count = 1 } },
    { "longContext", "token_threshold",
        { .kind = RX_STR_INIT("token_threshold"),
            .numbers = long_tokens,
            .number_count = 1 } },
    { "webSearch", NULL,
        { .kind = RX_STR_INIT("web_search"),
            .numbers = yes,
            .number_count = 1 } },
    { "image", NULL,
        { .kind = RX_STR_INIT("has_images"),
            .numbers = yes,
            .number_count = 1 } },
    { "subagent", NULL,
        { .kind = RX_STR_INIT("subagent"),
            .numbers = yes,
            .number_count = 1 } },
};

const struct rule_preset rule_presets[] = {
    { "custom", 100, "what its condition says" },
    { "image", 90, "there are pictures, in tool results too" },
    { "longContext", 80, "the input is long (token_threshold)" },
    { "subagent", 70, "it comes from a sub-agent" },
    { "background", 60, "a small model of the family was asked for" },
    { "webSearch", 50, "the provider's web search is among the tools" },
    { "think", 40, "thinking is asked for" },
    { "default", 0, "everything else" },
    { 0 },
};

struct state_condition
rule_full_condition(const struct rule *r, struct rx_arena *arena)
{
    size_t n = r->condition.part_count;
    struct state_condition *parts =
        field_make(arena, struct state_condition, n + 1);

    if (n > 0)
        memcpy(parts, r->condition.parts, n * sizeof(*parts));
    for (size_t i = 0; i < RX_COUNT(additions); i++) {
        bool replaced = additions[i].unless != NULL &&
                        find(&r->condition, additions[i].unless) != NULL;
        if (rx_str_eq(r->type, field_text(additions[i].type)) && !replaced)
            parts[n++] = additions[i].adds;
    }
    return (struct state_condition){
        .kind = RX_S("all"), .parts = parts, .part_count = n
    };
}

void
rule_preset_put(struct rx_json_out *w, const struct rule_preset *preset)
{
    struct state_condition all = { .kind = RX_STR_INIT("all") };

    for (size_t i = 0; i < RX_COUNT(additions); i++) {
        if (strcmp(additions[i].type, preset->type) == 0) {
            all.parts = &additions[i].adds;
            all.part_count = 1;
        }
    }
    rx_json_open_object(w, NULL);
    rx_json_put_text(w, "type", preset->type);
    rx_json_put_i64(w, "priority", preset->priority);
    rx_json_put_text(w, "help", preset->help);
    rule_put_condition(w, "condition", &all);
    rx_json_close(w);
}
