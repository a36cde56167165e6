#include "shared/transformers.h"

#include <string.h>

#include "shared/attr.h"

static const char *const type_names[] = {
#define TYPE_NAME(id, name) name,
    RX_TRANSFORMER_TYPES(TYPE_NAME)
#undef TYPE_NAME
};

static rx_str
view(const char *s)
{
    return (rx_str){ s, strlen(s) };
}

const struct rx_transformer *
rx_transformer_find(rx_str name)
{
    for (const struct rx_transformer *t = rx_transformers; t->name != NULL;
         t++) {
        if (rx_str_eq(view(t->name), name))
            return t;
    }
    return NULL;
}

/* ---- checking ----------------------------------------------------------- */

static bool
is_word_of(rx_str s, const char *words)
{
    rx_str rest = view(words);
    rx_str one;

    for (bool more = true; more;) {
        more = rx_str_cut(rest, '|', &one, &rest);
        if (rx_str_eq(one, s))
            return true;
    }
    return false;
}

static void
check_number(rx_json v, const struct rx_transformer_option *o)
{
    double n = rx_json_number(v);
    bool any = o->min == 0 && o->max == 0;

    if (!rx_json_want(v, RX_JSON_NUMBER))
        return;
    if (o->type == RX_TRANSFORMER_INTEGER &&
        (n < -1e15 || n > 1e15 || n != (double)(long long)n))
        rx_json_wrong(v, "must be a whole number");
    else if (!any && (n < o->min || n > o->max))
        rx_json_wrong(v, "must be %.15g to %.15g", o->min, o->max);
}

static void
check_list(rx_json v)
{
    if (!rx_json_want(v, RX_JSON_ARRAY))
        return;
    for (rx_json e = rx_json_first(v); rx_json_there(e); e = rx_json_next(e))
        rx_json_want(e, RX_JSON_STRING);
}

static void
check_option(rx_json v, const struct rx_transformer_option *o)
{
    switch (o->type) {
    case RX_TRANSFORMER_INTEGER:
    case RX_TRANSFORMER_NUMBER: check_number(v, o); break;
    case RX_TRANSFORMER_BOOL: rx_json_want(v, RX_JSON_BOOL); break;
    case RX_TRANSFORMER_TEXT: rx_json_want(v, RX_JSON_STRING); break;
    case RX_TRANSFORMER_LIST: check_list(v); break;
    case RX_TRANSFORMER_OBJECT: rx_json_want(v, RX_JSON_OBJECT); break;
    case RX_TRANSFORMER_WORD:
        if (rx_json_want(v, RX_JSON_STRING) &&
            !is_word_of(rx_json_str(v), o->words))
            rx_json_wrong(v, "must be one of %s", o->words);
        break;
    }
}

static void
check_options(rx_json step, rx_json options, const struct rx_transformer *t)
{
    for (const struct rx_transformer_option *o = t->options;
         o != NULL && o->name != NULL; o++) {
        rx_json v = { 0 };
        if (rx_json_there(options))
            v = rx_json_member(options, o->name);
        if (rx_json_kind(v) > RX_JSON_NULL)
            check_option(v, o);
        else if (o->required)
            rx_json_wrong(step, "needs the option \"%s\"", o->name);
    }
    if (!t->open && rx_json_there(options))
        rx_json_no_more(options);
    if (t->check != NULL)
        t->check(step, options);
}

rx_str
rx_transformer_step(rx_json step, rx_json *options)
{
    rx_json name = step;

    *options = (rx_json){ 0 };
    if (rx_json_kind(step) == RX_JSON_ARRAY) {
        name = rx_json_first(step);
        *options = rx_json_next(name);
    }
    return rx_json_str(name);
}

static void
check_step(rx_json step)
{
    rx_json options;
    rx_json name = step;

    if (rx_json_kind(step) == RX_JSON_ARRAY) {
        name = rx_json_first(step);
        if (rx_json_count(step) < 1 || rx_json_count(step) > 2) {
            rx_json_wrong(step, "must be [name, {options}]");
            return;
        }
    }
    if (!rx_json_want(name, RX_JSON_STRING))
        return;
    const struct rx_transformer *t =
        rx_transformer_find(rx_transformer_step(step, &options));
    if (t == NULL)
        rx_json_wrong(name,
            "is not a known transformer; GET /api/transformers lists them");
    else if (!rx_json_there(options) || rx_json_want(options, RX_JSON_OBJECT))
        check_options(step, options, t);
}

static void
check_use(rx_json of)
{
    rx_json use;

    if (!rx_json_get_array(of, "use", &use))
        return;
    if (rx_json_count(use) > RX_TRANSFORMER_STEPS_MAX) {
        rx_json_wrong(
            use, "must have at most %d elements", RX_TRANSFORMER_STEPS_MAX);
        return;
    }
    for (rx_json v = rx_json_first(use); rx_json_there(v); v = rx_json_next(v))
        check_step(v);
}

void
rx_transformers_check(rx_json config)
{
    if (!rx_json_want(config, RX_JSON_OBJECT))
        return;
    check_use(config);
    if (rx_json_count(config) > RX_TRANSFORMER_MODELS_MAX) {
        rx_json_wrong(config, "must name at most %d models",
            RX_TRANSFORMER_MODELS_MAX - 1);
        return;
    }
    for (rx_json v = rx_json_first(config); rx_json_there(v);
         v = rx_json_next(v)) {
        if (rx_str_eq(rx_json_name(v), RX_S("use")))
            continue;
        if (rx_json_name(v).len == 0)
            rx_json_wrong(config, "must not have a member without a name");
        if (!rx_json_want(v, RX_JSON_OBJECT))
            return;
        if (!rx_json_there(rx_json_member(v, "use")))
            rx_json_wrong(v, "must be {\"use\": [...]}");
        check_use(v);
        rx_json_no_more(v);
    }
}

/* ---- what it comes to --------------------------------------------------- */

static unsigned
dialects_of(rx_json use, unsigned mask)
{
    for (rx_json v = rx_json_first(use); rx_json_there(v);
         v = rx_json_next(v)) {
        rx_json options;
        const struct rx_transformer *t =
            rx_transformer_find(rx_transformer_step(v, &options));
        mask |= t != NULL ? t->dialects : 0;
    }
    return mask;
}

static unsigned
all_dialects(rx_json config)
{
    unsigned mask = 0;

    for (rx_json v = rx_json_first(config); rx_json_there(v);
         v = rx_json_next(v)) {
        rx_json use =
            rx_json_kind(v) == RX_JSON_OBJECT ? rx_json_find(v, "use") : v;
        mask = dialects_of(use, mask);
    }
    return mask;
}

bool
rx_transformers_any(rx_json config)
{
    return all_dialects(config) != 0;
}

static void
put_words(struct rx_json_out *w, const char *words)
{
    rx_str rest = view(words);
    rx_str one;

    rx_json_open_array(w, "words");
    for (bool more = true; more;) {
        more = rx_str_cut(rest, '|', &one, &rest);
        rx_json_put_str(w, NULL, one);
    }
    rx_json_close(w);
}

static void
put_option(struct rx_json_out *w, const struct rx_transformer_option *o)
{
    rx_json_open_object(w, NULL);
    rx_json_put_text(w, "name", o->name);
    rx_json_put_text(w, "type", type_names[o->type]);
    rx_json_put_bool(w, "required", o->required);
    if (o->fallback != NULL)
        rx_json_put_raw(w, "default", view(o->fallback));
    else
        rx_json_put_null(w, "default");
    if (o->words != NULL)
        put_words(w, o->words);
    if (o->min != 0 || o->max != 0) {
        rx_json_put_number(w, "minimum", o->min);
        rx_json_put_number(w, "maximum", o->max);
    }
    rx_json_put_text(w, "help", o->help);
    rx_json_close(w);
}

void
rx_transformer_put(
    struct rx_json_out *w, const char *key, const struct rx_transformer *t)
{
    static const char *const dialects[] = { "anthropic", "chat", "responses",
        "gemini" };

    rx_json_open_object(w, key);
    rx_json_put_text(w, "name", t->name);
    rx_json_put_text(w, "help", t->help);
    rx_json_open_array(w, "dialects");
    for (size_t i = 0; i < RX_COUNT(dialects); i++) {
        if ((t->dialects & (1U << i)) != 0)
            rx_json_put_text(w, NULL, dialects[i]);
    }
    rx_json_close(w);
    rx_json_put_bool(w, "request", t->request);
    rx_json_put_bool(w, "response", t->response);
    rx_json_put_bool(w, "open", t->open);
    rx_json_open_array(w, "options");
    for (const struct rx_transformer_option *o = t->options;
         o != NULL && o->name != NULL; o++)
        put_option(w, o);
    rx_json_close(w);
    rx_json_close(w);
}

bool
rx_transformer_path(rx_str *path, rx_str *piece)
{
    char sep = path->len > 0 && path->ptr[0] == '/' ? '/' : '.';

    if (path->len == 0)
        return false;
    if (sep == '/') {
        path->ptr++;
        path->len--;
    }
    size_t n = 0;
    while (n < path->len && path->ptr[n] != sep)
        n++;
    *piece = (rx_str){ path->ptr, n };
    path->ptr += n;
    path->len -= n;
    if (sep == '.' && path->len > 0) { /* "a." ends in an empty piece */
        path->ptr++;
        path->len--;
    }
    return true;
}
