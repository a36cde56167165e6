/*
 * gemini-schema, and what others need of schemas.
 */
#include "dataplane/transform/schemas.h"

#include "dataplane/transform/body.h"
#include "dataplane/transform/kinds.h"

#define SCHEMA_MAX ((size_t)16 * 1024 * 1024)
#define DEPTH_MAX  64

void
schemas_fit(struct rx_edit *schema, enum schema_profile profile, bool answer)
{
    struct rx_buf out;
    struct ir_losses losses = { 0 };
    struct schema_job job = {
        .schema = rx_edit_text(schema),
        .profile = profile,
        .answer = answer,
        .losses = &losses,
        .out = &out,
    };

    if (!rx_edit_there(schema))
        return;
    rx_buf_init(&out, SCHEMA_MAX);
    if (schema_clean(&job, NULL) == RX_OK && !out.full &&
        !rx_str_eq(rx_buf_str(&out), job.schema))
        rx_edit_put(
            schema, rx_arena_copy(rx_edit_arena(schema), rx_buf_str(&out)));
    rx_buf_fini(&out);
}

static void
loosen(struct rx_edit *node, bool schema, unsigned depth)
{
    struct rx_edit *additional = rx_edit_get(node, "additionalProperties");

    if (depth > DEPTH_MAX)
        return;
    if (schema && rx_edit_kind(additional) == RX_SPAN_FALSE)
        rx_edit_drop(node, "additionalProperties");
    for (struct rx_edit *e = rx_edit_first(node); e != NULL;
         e = rx_edit_next(e)) {
        /* Names of properties are no keywords; values are no schemas. */
        bool names = schema && (rx_edit_key_is(e, "properties") ||
                                   rx_edit_key_is(e, "$defs") ||
                                   rx_edit_key_is(e, "definitions"));
        bool data =
            schema &&
            (rx_edit_key_is(e, "default") || rx_edit_key_is(e, "const") ||
                rx_edit_key_is(e, "enum") || rx_edit_key_is(e, "examples"));
        if (!data)
            loosen(e, !names, depth + 1);
    }
}

void
schemas_loosen(struct rx_edit *schema)
{
    loosen(schema, true, 0);
}

/* ---- gemini-schema ------------------------------------------------------ */

enum profile { PROFILE_AUTO, PROFILE_PROTO, PROFILE_JSON };

static const void *
gemini_configure(rx_json options, struct rx_arena *arena)
{
    enum profile *p = step_room(arena, sizeof(*p));
    rx_str name = step_text(options, "profile", arena, "auto");

    *p = PROFILE_AUTO;
    if (rx_str_eq(name, RX_S("proto")))
        *p = PROFILE_PROTO;
    else if (rx_str_eq(name, RX_S("json")))
        *p = PROFILE_JSON;
    return p;
}

static void
fit(struct rx_edit *schema, enum profile wanted, enum profile by_field,
    bool answer)
{
    enum profile p = wanted == PROFILE_AUTO ? by_field : wanted;

    schemas_fit(schema,
        p == PROFILE_JSON ? SCHEMA_GEMINI_JSON : SCHEMA_GEMINI_PROTO, answer);
}

static void
fit_gemini(struct rx_edit *root, enum profile p)
{
    struct rx_edit *config = body_config(root, false);

    for (struct rx_edit *t = rx_edit_first(rx_edit_get(root, "tools"));
         t != NULL; t = rx_edit_next(t)) {
        struct rx_edit *list =
            body_either(t, "functionDeclarations", "function_declarations");
        for (struct rx_edit *f = rx_edit_first(list); f != NULL;
             f = rx_edit_next(f)) {
            fit(rx_edit_get(f, "parameters"), p, PROFILE_PROTO, false);
            fit(body_either(
                    f, "parametersJsonSchema", "parameters_json_schema"),
                p, PROFILE_JSON, false);
        }
    }
    fit(body_either(config, "responseSchema", "response_schema"), p,
        PROFILE_PROTO, true);
    fit(body_either(config, "responseJsonSchema", "response_json_schema"), p,
        PROFILE_JSON, true);
}

static void
fit_chat(struct rx_edit *root, enum profile p)
{
    struct rx_edit *format =
        rx_edit_get(rx_edit_get(root, "response_format"), "json_schema");

    for (struct rx_edit *t = rx_edit_first(rx_edit_get(root, "tools"));
         t != NULL; t = rx_edit_next(t)) {
        struct rx_edit *f = rx_edit_get(t, "function");
        fit(rx_edit_get(f, "parameters"), p, PROFILE_PROTO, false);
    }
    fit(rx_edit_get(format, "schema"), p, PROFILE_PROTO, true);
}

static void
gemini_request(struct step_request *r)
{
    const enum profile *p = r->options;

    if (r->dialect == DIALECT_GEMINI)
        fit_gemini(r->root, *p);
    else
        fit_chat(r->root, *p);
}

const struct step_kind step_gemini_schema = {
    .name = "gemini-schema",
    .configure = gemini_configure,
    .request = gemini_request,
};
