#include "controlplane/provider.h"

#include <string.h>

#include "controlplane/field.h"
#include "shared/attr.h"

static const struct {
    const char *dialect;
    const char *auth;
    struct provider_probe probe;
} dialects[] = {
    { "anthropic", "x-api-key", { "anthropic", "/v1/models?limit=1" } },
    { "chat", "bearer", { "chat", "/v1/models" } },
    { "responses", "bearer", { "responses", "/v1/models" } },
    { "gemini", "x-goog-api-key", { "gemini", "/v1beta/models?pageSize=1" } },
};

static bool
is(const char *text, rx_str s)
{
    return rx_str_eq((rx_str){ text, strlen(text) }, s);
}

const struct provider *
provider_find(rx_str type)
{
    for (const struct provider *p = providers; p->type != NULL; p++) {
        if (is(p->type, type))
            return p;
    }
    return NULL;
}

const struct provider_probe *
provider_probe_for(rx_str dialect)
{
    for (size_t i = 0; i < RX_COUNT(dialects); i++) {
        if (is(dialects[i].dialect, dialect))
            return &dialects[i].probe;
    }
    return NULL;
}

const char *
provider_auth_for(rx_str dialect)
{
    for (size_t i = 0; i < RX_COUNT(dialects); i++) {
        if (is(dialects[i].dialect, dialect))
            return dialects[i].auth;
    }
    return NULL;
}

bool
provider_auth_known(rx_str auth)
{
    static const char *const known[] = { "x-api-key", "bearer",
        "x-goog-api-key", "api-key", "query", "sigv4", "none" };

    for (size_t i = 0; i < RX_COUNT(known); i++) {
        if (is(known[i], auth))
            return true;
    }
    return false;
}

/* ---- addresses ---------------------------------------------------------- */

static bool
ends_in(rx_str s, const char *end)
{
    size_t n = strlen(end);

    return s.len >= n && memcmp(s.ptr + s.len - n, end, n) == 0;
}

/* People give the address of one dialect as the base of all. */
static rx_str
bare_base(const struct provider *p, rx_str base)
{
    for (const struct provider_endpoint *e = p->endpoints; e->dialect != NULL;
         e++) {
        if (e->path != NULL && ends_in(base, e->path))
            return (rx_str){ base.ptr, base.len - strlen(e->path) };
    }
    return base;
}

rx_str
provider_address(struct rx_arena *arena, const struct provider *p,
    const struct provider_endpoint *e, rx_str base_url)
{
    rx_str base = bare_base(p, base_url);
    struct rx_buf b;

    if (e->path == NULL)
        return base;
    rx_buf_init(&b, base.len + strlen(e->path) + 1);
    rx_buf_add(&b, base);
    rx_buf_add(&b, field_text(e->path));
    rx_str address = field_keep(arena, rx_buf_str(&b));
    rx_buf_fini(&b);
    return address;
}

/* ---- showing ------------------------------------------------------------ */

static void
put_text(struct rx_json_out *w, const char *key, const char *text)
{
    if (text == NULL || text[0] == '\0')
        rx_json_put_null(w, key);
    else
        rx_json_put_text(w, key, text);
}

static void
put_endpoints(struct rx_json_out *w, const struct provider *p)
{
    struct rx_arena *arena = rx_arena_new(64 << 10);

    rx_json_open_array(w, "endpoints");
    for (const struct provider_endpoint *e = p->endpoints; e->dialect != NULL;
         e++) {
        rx_json_open_object(w, NULL);
        rx_json_put_text(w, "dialect", e->dialect);
        rx_json_put_text(w, "auth", e->auth);
        if (p->base_url[0] == '\0')
            rx_json_put_null(w, "base_url");
        else
            rx_json_put_str(w, "base_url",
                provider_address(arena, p, e, field_text(p->base_url)));
        rx_json_close(w);
    }
    rx_json_close(w);
    rx_arena_free(arena);
}

static void
put_count(struct rx_json_out *w, const char *key, uint64_t n)
{
    if (n == 0)
        rx_json_put_null(w, key);
    else
        rx_json_put_u64(w, key, n);
}

static void
put_models(struct rx_json_out *w, const struct provider *p)
{
    rx_json_open_array(w, "models");
    for (const struct provider_model *m = p->models;
         m != NULL && m->name != NULL; m++) {
        rx_json_open_object(w, NULL);
        rx_json_put_text(w, "name", m->name);
        put_count(w, "context", m->context);
        put_count(w, "max_output", m->max_output);
        rx_json_close(w);
    }
    rx_json_close(w);
}

void
provider_put(struct rx_json_out *w, const char *key, const struct provider *p)
{
    rx_json_open_object(w, key);
    rx_json_put_text(w, "type", p->type);
    rx_json_put_text(w, "title", p->title);
    put_text(w, "base_url", p->base_url);
    put_endpoints(w, p);
    rx_json_put_bool(w, "key_required", p->key_required);
    put_text(w, "key_env", p->key_env);
    rx_json_put_text(w, "key_url", p->key_url);
    put_text(w, "oauth", p->oauth);
    rx_json_put_raw(w, "transformers",
        field_text(p->transformers != NULL ? p->transformers : "{\"use\":[]}"));
    put_models(w, p);
    rx_json_put_text(w, "help", p->help);
    rx_json_close(w);
}
