/*
 * The values of conditions: numbers, words, patterns, and names of what there is.
 */
#include <stdio.h>
#include <string.h>

#include "controlplane/function.h"
#include "controlplane/key.h"
#include "controlplane/rule_parts.h"
#include "controlplane/tenant.h"
#include "shared/pattern.h"

#define TOKENS_MAX ((uint64_t)100000000)

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

static void
set_number(struct reading *r, struct state_condition *out, int64_t n)
{
    int64_t *numbers = field_make(r->arena, int64_t, 1);

    *numbers = n;
    out->numbers = numbers;
    out->number_count = 1;
}

void
rule_read_number(struct reading *r, rx_json object, const char *name, rx_json v,
    struct state_condition *out)
{
    uint64_t n = 0;

    (void)v;
    rx_json_get_u64(object, name, 0, TOKENS_MAX, &n);
    set_number(r, out, (int64_t)n);
}

void
rule_put_number(
    struct rx_json_out *w, const char *key, const struct state_condition *c)
{
    rx_json_put_i64(w, key, c->numbers[0]);
}

void
rule_read_flag(struct reading *r, rx_json object, const char *name, rx_json v,
    struct state_condition *out)
{
    bool yes = false;

    (void)v;
    rx_json_get_bool(object, name, &yes);
    set_number(r, out, yes);
}

void
rule_put_flag(
    struct rx_json_out *w, const char *key, const struct state_condition *c)
{
    rx_json_put_bool(w, key, c->numbers[0] != 0);
}

void
rule_read_texts(struct reading *r, rx_json object, const char *name, rx_json v,
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

void
rule_put_texts(
    struct rx_json_out *w, const char *key, const struct state_condition *c)
{
    struct field_list list = { c->texts, c->text_count };

    field_put_list(w, key, &list);
}

void
rule_put_text(
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

void
rule_read_words(struct reading *r, rx_json object, const char *name, rx_json v,
    struct state_condition *out)
{
    const char *words = "";

    rule_read_texts(r, object, name, v, out);
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

void
rule_read_pattern(struct reading *r, rx_json object, const char *name,
    rx_json v, struct state_condition *out)
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

static bool
has_star(rx_str s)
{
    return memchr(s.ptr, '*', s.len) != NULL;
}

void
rule_read_tenants(struct reading *r, rx_json object, const char *name,
    rx_json v, struct state_condition *out)
{
    struct tenant *t;

    rule_read_texts(r, object, name, v, out);
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

void
rule_read_keys(struct reading *r, rx_json object, const char *name, rx_json v,
    struct state_condition *out)
{
    rule_read_texts(r, object, name, v, out);
    for (size_t i = 0; i < out->text_count; i++) {
        if (!has_star(out->texts[i]) && !is_key(r->store, out->texts[i]))
            rx_json_wrong(v, "there is no key \"%.*s\"",
                (int)(out->texts[i].len < 64 ? out->texts[i].len : 64),
                out->texts[i].ptr);
    }
}

void
rule_read_function(struct reading *r, rx_json object, const char *name,
    rx_json v, struct state_condition *out)
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
