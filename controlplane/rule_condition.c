/*
 * Conditions: a table of what there is.  {"a":1,"b":2} is all of them; "any",
 * "all" and "not" nest.
 */
#include <stdio.h>

#include "controlplane/key.h"
#include "controlplane/rule_parts.h"
#include "controlplane/tenant.h"

#define DEPTH_MAX 6
#define PARTS_MAX 100

static rule_reader read_all, read_any, read_not;
static rule_writer put_list, put_not;

static const struct row {
    const char *name;
    rule_reader *read;
    rule_writer *put;
} rows[] = {
    { "token_threshold", rule_read_number, rule_put_number },
    { "token_below", rule_read_number, rule_put_number },
    { "min_word_count", rule_read_number, rule_put_number },
    { "max_word_count", rule_read_number, rule_put_number },
    { "keywords", rule_read_texts, rule_put_texts },
    { "user_pattern", rule_read_pattern, rule_put_text },
    { "system_pattern", rule_read_pattern, rule_put_text },
    { "model_pattern", rule_read_pattern, rule_put_text },
    { "model", rule_read_texts, rule_put_texts },
    { "tool_names", rule_read_texts, rule_put_texts },
    { "has_tools", rule_read_flag, rule_put_flag },
    { "has_images", rule_read_flag, rule_put_flag },
    { "has_documents", rule_read_flag, rule_put_flag },
    { "has_audio", rule_read_flag, rule_put_flag },
    { "has_code", rule_read_flag, rule_put_flag },
    { "stream", rule_read_flag, rule_put_flag },
    { "thinking", rule_read_flag, rule_put_flag },
    { "web_search", rule_read_flag, rule_put_flag },
    { "subagent", rule_read_flag, rule_put_flag },
    { "content_category", rule_read_words, rule_put_texts },
    { "complexity_level", rule_read_words, rule_put_texts },
    { "programming_language", rule_read_words, rule_put_texts },
    { "intent", rule_read_words, rule_put_texts },
    { "tenant", rule_read_tenants, rule_put_texts },
    { "key", rule_read_keys, rule_put_texts },
    { "tag", rule_read_texts, rule_put_texts },
    { "dialect", rule_read_words, rule_put_texts },
    { "user_agent", rule_read_texts, rule_put_texts },
    { "time", rule_read_time, rule_put_time },
    { "custom_function", rule_read_function, rule_put_text },
    { "all", read_all, put_list },
    { "any", read_any, put_list },
    { "not", read_not, put_not },
};

static void read_object(
    struct reading *r, rx_json object, struct state_condition *out);

bool
rule_is_kind(const struct state_condition *c, const char *kind)
{
    return rx_str_eq(c->kind, field_text(kind));
}

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
        if (!rule_is_kind(part, "header"))
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
            if (rule_is_kind(part, rows[k].name))
                rows[k].put(w, rows[k].name, part);
        }
    }
    put_headers(w, c);
    rx_json_close(w);
}
