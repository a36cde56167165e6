#include "dataplane/transform/transform.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/snapshot.h"
#include "dataplane/transform/filter.h"
#include "dataplane/transform/step.h"
#include "shared/transformers.h"

#define TREE_BASE   ((size_t)4 * 1024 * 1024)
#define TREE_PER    ((size_t)32) /* times the body */
#define OPTIONS_MAX ((size_t)64 * 1024)

/* The steps of one list in one dialect. */
struct transform_chain {
    struct chain_step *steps;
    size_t count;
};

struct model_chains {
    rx_str pattern; /* empty: any model */
    struct transform_chain chains[DIALECT_COUNT];
};

struct transform_set {
    struct model_chains *models; /* those by name first, then the rest */
    size_t count;
};

/* ---- options ------------------------------------------------------------ */

void *
step_room(struct rx_arena *arena, size_t size)
{
    void *p = rx_arena_alloc(arena, size);

    if (p == NULL)
        abort(); /* configurations are bounded far below the arena */
    return p;
}

rx_str
step_text(rx_json options, const char *name, struct rx_arena *arena,
    const char *fallback)
{
    rx_json v = rx_json_find(options, name);

    if (rx_json_kind(v) == RX_JSON_STRING)
        return rx_arena_copy(arena, rx_json_str(v));
    return fallback != NULL ? (rx_str){ fallback, strlen(fallback) }
                            : (rx_str){ 0 };
}

double
step_number(rx_json options, const char *name, double fallback)
{
    rx_json v = rx_json_find(options, name);

    return rx_json_kind(v) == RX_JSON_NUMBER ? rx_json_number(v) : fallback;
}

bool
step_bool(rx_json options, const char *name, bool fallback)
{
    rx_json v = rx_json_find(options, name);

    return rx_json_kind(v) == RX_JSON_BOOL ? rx_json_bool(v) : fallback;
}

rx_str
step_json(rx_json value, struct rx_arena *arena)
{
    struct rx_buf text;

    rx_buf_init(&text, OPTIONS_MAX * 4);
    rx_json_print(value, false, &text);
    rx_str copy = rx_arena_copy(arena, rx_buf_str(&text));
    rx_buf_fini(&text);
    if (copy.ptr == NULL)
        abort();
    return copy;
}

/* ---- building ----------------------------------------------------------- */

static const struct step_kind *
find_kind(rx_str name)
{
    for (const struct step_kind *const *k = step_kinds; *k != NULL; k++) {
        if (rx_str_eq((rx_str){ (*k)->name, strlen((*k)->name) }, name))
            return *k;
    }
    return NULL;
}

static void
add_step(struct model_chains *m, unsigned dialects, struct chain_step step)
{
    for (size_t d = 0; d < DIALECT_COUNT; d++) {
        struct transform_chain *c = &m->chains[d];
        if ((dialects & (1U << d)) == 0)
            continue;
        c->steps[c->count++] = step;
    }
}

static enum rx_code
add_list(struct model_chains *m, rx_json use, struct rx_arena *arena,
    struct rx_err *err)
{
    for (rx_json v = rx_json_first(use); rx_json_there(v);
         v = rx_json_next(v)) {
        rx_json options;
        rx_str name = rx_transformer_step(v, &options);
        const struct rx_transformer *t = rx_transformer_find(name);
        const struct step_kind *kind = find_kind(name);
        if (t == NULL || kind == NULL)
            return rx_fail(err, RX_INVALID,
                "transformer " RX_STR_FMT " is not known here",
                (int)(name.len < 64 ? name.len : 64), name.ptr);
        struct chain_step step = { .kind = kind };
        if (kind->configure != NULL)
            step.options = kind->configure(options, arena);
        add_step(m, t->dialects, step);
    }
    return RX_OK;
}

/* One list after the other, for a model or for any. */
static enum rx_code
build_model(struct model_chains *m, rx_json all, rx_json own,
    struct rx_arena *arena, struct rx_err *err)
{
    size_t count = rx_json_count(all) + rx_json_count(own);

    for (size_t d = 0; d < DIALECT_COUNT; d++) {
        m->chains[d].steps = rx_arena_make(arena, struct chain_step, count);
        if (m->chains[d].steps == NULL)
            return rx_fail(err, RX_TOO_BIG, "transformers: no room");
    }
    enum rx_code code = add_list(m, all, arena, err);
    return code == RX_OK ? add_list(m, own, arena, err) : code;
}

static enum rx_code
build(rx_json config, struct rx_arena *arena, struct transform_set *set,
    struct rx_err *err)
{
    rx_json all = rx_json_find(config, "use");
    enum rx_code code = RX_OK;

    for (rx_json v = rx_json_first(config); code == RX_OK && rx_json_there(v);
         v = rx_json_next(v)) {
        if (rx_json_kind(v) != RX_JSON_OBJECT)
            continue;
        struct model_chains *m = &set->models[set->count++];
        m->pattern = rx_arena_copy(arena, rx_json_name(v));
        code = build_model(m, all, rx_json_find(v, "use"), arena, err);
    }
    if (code != RX_OK)
        return code;
    return build_model(
        &set->models[set->count++], all, (rx_json){ 0 }, arena, err);
}

static enum rx_code
build_checked(rx_json config, struct rx_arena *arena,
    const struct transform_set **out, struct rx_err *err)
{
    rx_transformers_check(config);
    const struct rx_json_fault *fault = rx_json_fault(config.doc);
    if (fault != NULL)
        return rx_fail(
            err, RX_INVALID, "transformers: %s %s", fault->field, fault->text);
    if (!rx_transformers_any(config))
        return RX_OK;
    struct transform_set *set = rx_arena_make(arena, struct transform_set, 1);
    if (set == NULL)
        return rx_fail(err, RX_TOO_BIG, "transformers: no room");
    set->models =
        rx_arena_make(arena, struct model_chains, rx_json_count(config) + 1);
    if (set->models == NULL)
        return rx_fail(err, RX_TOO_BIG, "transformers: no room");
    *out = set;
    return build(config, arena, set, err);
}

enum rx_code
transform_build(rx_str config, struct rx_arena *arena,
    const struct transform_set **out, struct rx_err *err)
{
    struct rx_json_doc *doc;

    *out = NULL;
    if (config.len == 0)
        return RX_OK;
    if (rx_json_parse(&doc, config, NULL, err) != RX_OK)
        return rx_because(err, "transformers");
    enum rx_code code = build_checked(rx_json_root(doc), arena, out, err);
    rx_json_free(doc);
    return code;
}

const struct transform_chain *
transform_find(
    const struct transform_set *set, enum dialect dialect, rx_str model)
{
    if (set == NULL)
        return NULL;
    for (size_t i = 0; i < set->count; i++) {
        const struct model_chains *m = &set->models[i];
        if (m->pattern.len == 0 || snapshot_pattern_fits(m->pattern, model))
            return m->chains[dialect].count > 0 ? &m->chains[dialect] : NULL;
    }
    return NULL;
}

const struct transform_chain *
transform_join(struct rx_arena *arena, const struct transform_chain *first,
    const struct transform_chain *second)
{
    if (first == NULL || second == NULL)
        return first != NULL ? first : second;
    struct transform_chain *c = step_room(arena, sizeof(*c));
    c->count = first->count + second->count;
    c->steps = step_room(arena, c->count * sizeof(*c->steps));
    for (size_t i = 0; i < c->count; i++)
        c->steps[i] = i < first->count ? first->steps[i]
                                       : second->steps[i - first->count];
    return c;
}

void
transform_names(const struct transform_chain *chain, struct rx_buf *out)
{
    for (size_t i = 0; i < chain->count; i++)
        rx_buf_addf(out, "%s%s", i > 0 ? "," : "", chain->steps[i].kind->name);
}

/* ---- ids ---------------------------------------------------------------- */

rx_str
step_new_id(const struct rx_edit *any, uint64_t (*random)(void *), void *arg,
    const char *prefix)
{
    static const char digits[] =
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    char text[64];
    int n = snprintf(text, 32, "%s", prefix);
    uint64_t bits = 0;

    for (int i = 0; i < 24; i++) {
        if (i % 8 == 0)
            bits = random(arg);
        text[n++] = digits[bits % 62];
        bits /= 62;
    }
    text[n] = '\0';
    return rx_edit_format(any, "%s", text);
}

/* ---- a request ---------------------------------------------------------- */

static void
run_step(struct step_request *r, const struct chain_step *step,
    struct filter_step *answer)
{
    unsigned ops = step->kind->ops != 0 ? step->kind->ops : STEP_OPS_BODY;

    r->options = step->options;
    r->state = answer->state;
    r->listen = (ops & (1U << r->out->op)) != 0 && step->kind->event != NULL;
    if ((ops & (1U << r->out->op)) == 0)
        return;
    if (step->kind->request != NULL && (r->root != NULL || ops == STEP_OPS_ALL))
        step->kind->request(r);
    answer->active = r->listen;
}

static enum rx_code
take_over(struct step_request *r, struct rx_err *err)
{
    struct transform_outgoing *out = r->out;

    if (r->root == NULL)
        return RX_OK;
    if (rx_edit_bad(r->root))
        return rx_fail(err, RX_INVALID, "the request body is not valid JSON");
    if (!rx_edit_changed(r->root))
        return RX_OK;
    rx_edit_print(r->root, out->changed);
    if (out->changed->full)
        return rx_fail(
            err, RX_INVALID, "the request body became too large to send");
    out->body = rx_buf_str(out->changed);
    return RX_OK;
}

enum rx_code
transform_request(const struct transform_chain *chain,
    struct transform_outgoing *out, struct transform_headers **headers,
    struct transform_filter **filter, struct rx_err *err)
{
    struct rx_arena *tree = rx_arena_new(TREE_BASE + TREE_PER * out->body.len);
    struct transform_filter *f = filter_new(chain->steps, chain->count, out);
    struct step_request r = {
        .out = out,
        .dialect = out->dialect,
        .stream = out->stream,
        .count = out->op == OP_COUNT,
        .headers = headers_new(out->arena),
    };

    if (out->body.len > 0 && out->op != OP_MEDIA)
        r.root = rx_edit_open(tree, out->body);
    for (size_t i = 0; i < chain->count; i++)
        run_step(&r, &chain->steps[i], filter_step(f, i));
    enum rx_code code = take_over(&r, err);
    *headers = headers_any(r.headers) ? r.headers : NULL;
    rx_arena_free(tree);
    if (code != RX_OK || !filter_useful(f)) {
        transform_filter_free(f);
        f = NULL;
    }
    *filter = f;
    return code;
}
