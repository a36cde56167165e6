/*
 * azure, vertex: the same bodies under other paths.
 */
#include <string.h>

#include "dataplane/transform/body.h"
#include "dataplane/transform/kinds.h"

#define PATH_MAX_ ((size_t)2048)

static rx_str
keep_path(struct step_request *r, struct rx_buf *b)
{
    rx_str s = rx_arena_copy(r->out->arena, rx_buf_str(b));

    rx_buf_fini(b);
    return s;
}

/* ---- azure -------------------------------------------------------------- */

struct azure_options {
    rx_str version, deployment;
    bool v1;
};

static const void *
azure_configure(rx_json options, struct rx_arena *arena)
{
    struct azure_options *o = step_room(arena, sizeof(*o));

    o->version = step_text(options, "api_version", arena, "2024-10-21");
    o->deployment = step_text(options, "deployment", arena, NULL);
    o->v1 = rx_str_eq(
        step_text(options, "surface", arena, "deployments"), RX_S("v1"));
    return o;
}

/* "/v1/chat/completions" without its version. */
static rx_str
without_version(rx_str path)
{
    return rx_str_starts(path, RX_S("/v1/"))
               ? (rx_str){ path.ptr + 3, path.len - 3 }
               : path;
}

static void
add_version(struct step_request *r, rx_str version)
{
    rx_str query = r->out->query;
    struct rx_buf b;

    rx_buf_init(&b, PATH_MAX_ + query.len);
    rx_buf_add(&b, query);
    rx_buf_addf(&b, "%sapi-version=" RX_STR_FMT, query.len > 0 ? "&" : "?",
        RX_STR_ARG(version));
    r->out->query = keep_path(r, &b);
}

static void
azure_request(struct step_request *r)
{
    const struct azure_options *o = r->options;
    rx_str path = without_version(r->out->path);
    rx_str name = o->deployment.len > 0 ? o->deployment : r->out->model;
    struct rx_buf b;

    rx_buf_init(&b, PATH_MAX_ + path.len);
    /* The Responses API has no deployment paths. */
    if (o->v1 || r->dialect == DIALECT_RESPONSES) {
        rx_buf_add(&b, RX_S("/openai/v1"));
        if (o->deployment.len > 0 && rx_edit_get(r->root, "model") != NULL)
            rx_edit_set(r->root, "model", rx_edit_quote(r->root, name));
    } else {
        rx_buf_add(&b, RX_S("/openai/deployments/"));
        body_add_segment(&b, name);
        add_version(r, o->version);
    }
    rx_buf_add(&b, path);
    r->out->path = keep_path(r, &b);
}

const struct step_kind step_azure = {
    .name = "azure",
    .ops = STEP_OPS_ALL,
    .configure = azure_configure,
    .request = azure_request,
};

/* ---- vertex ------------------------------------------------------------- */

struct vertex_options {
    rx_str project, location;
};

static const void *
vertex_configure(rx_json options, struct rx_arena *arena)
{
    struct vertex_options *o = step_room(arena, sizeof(*o));

    o->project = step_text(options, "project", arena, NULL);
    o->location = step_text(options, "location", arena, "global");
    return o;
}

static void
begin_path(struct rx_buf *b, const struct vertex_options *o, const char *who)
{
    rx_buf_addf(b,
        "/v1/projects/" RX_STR_FMT "/locations/" RX_STR_FMT
        "/publishers/%s/models/",
        RX_STR_ARG(o->project), RX_STR_ARG(o->location), who);
}

/* Calls have no ids there. */
static void
drop_ids(struct rx_edit *root)
{
    for (struct rx_edit *c = rx_edit_first(rx_edit_get(root, "contents"));
         c != NULL; c = rx_edit_next(c)) {
        for (struct rx_edit *p = rx_edit_first(rx_edit_get(c, "parts"));
             p != NULL; p = rx_edit_next(p)) {
            rx_edit_drop(body_either(p, "functionCall", "function_call"), "id");
            rx_edit_drop(
                body_either(p, "functionResponse", "function_response"), "id");
        }
    }
}

/* "/v1beta/models/x:generateContent": what follows "models/". */
static rx_str
model_and_verb(rx_str path)
{
    const char *at =
        path.len > 0 ? memmem(path.ptr, path.len, "/models/", 8) : NULL;

    if (at == NULL)
        return (rx_str){ 0 };
    return (rx_str){ at + 8, (size_t)(path.ptr + path.len - at - 8) };
}

static void
vertex_claude(struct step_request *r, struct rx_buf *b)
{
    begin_path(b, r->options, "anthropic");
    if (r->count) {
        rx_buf_add(b, RX_S("count-tokens:rawPredict"));
        return;
    }
    body_add_segment(b, r->out->model);
    rx_buf_add(b, r->stream ? RX_S(":streamRawPredict") : RX_S(":rawPredict"));
    rx_edit_drop(r->root, "model");
    rx_edit_set(r->root, "anthropic_version", RX_S("\"vertex-2023-10-16\""));
}

static void
vertex_request(struct step_request *r)
{
    rx_str rest = model_and_verb(r->out->path);
    struct rx_buf b;

    rx_buf_init(&b, PATH_MAX_ + r->out->path.len);
    if (r->dialect == DIALECT_ANTHROPIC) {
        vertex_claude(r, &b);
    } else if (rest.len > 0) {
        begin_path(&b, r->options, "google");
        rx_buf_add(&b, rest);
        drop_ids(r->root);
    }
    if (b.len > 0)
        r->out->path = keep_path(r, &b);
    else
        rx_buf_fini(&b);
}

const struct step_kind step_vertex = {
    .name = "vertex",
    .configure = vertex_configure,
    .request = vertex_request,
};
