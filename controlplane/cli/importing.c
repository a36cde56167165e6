#include "controlplane/cli/importing.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/attr.h"
#include "shared/url.h"

#define PART_MAX       ((size_t)16 << 20)
#define ARENA_MAX      ((size_t)256 << 20)
#define NAME_MAX_BYTES 60

void
importing_init(struct importing *im)
{
    struct {
        struct rx_buf *buf;
        struct rx_json_out *w;
    } parts[] = { { &im->channels, &im->channel_w },
        { &im->rules, &im->rule_w }, { &im->keys, &im->key_w },
        { &im->report, &im->report_w } };

    *im = (struct importing){ .arena = rx_arena_new(ARENA_MAX),
        .names = rx_map_new(),
        .known = rx_map_new() };
    for (size_t i = 0; i < RX_COUNT(parts); i++) {
        rx_buf_init(parts[i].buf, PART_MAX);
        *parts[i].w = rx_json_out(parts[i].buf);
        rx_json_open_array(parts[i].w, NULL);
    }
    rx_buf_init(&im->settings, PART_MAX);
    im->setting_w = rx_json_out(&im->settings);
    rx_json_open_object(&im->setting_w, NULL);
}

void
importing_fini(struct importing *im)
{
    rx_buf_fini(&im->channels);
    rx_buf_fini(&im->rules);
    rx_buf_fini(&im->keys);
    rx_buf_fini(&im->settings);
    rx_buf_fini(&im->report);
    rx_map_free(im->names, NULL);
    rx_map_free(im->known, NULL);
    rx_arena_free(im->arena);
}

void
importing_document(struct importing *im, struct rx_buf *out)
{
    struct rx_json_out w = rx_json_out(out);

    rx_json_close(&im->channel_w);
    rx_json_close(&im->rule_w);
    rx_json_close(&im->key_w);
    rx_json_close(&im->setting_w);
    rx_json_close(&im->report_w);
    rx_json_open_object(&w, NULL);
    rx_json_put_text(&w, "format", "routex-config");
    rx_json_put_u64(&w, "version", 1);
    if (im->settings.len > 2)
        rx_json_put_raw(&w, "settings", rx_buf_str(&im->settings));
    rx_json_put_raw(&w, "channels", rx_buf_str(&im->channels));
    rx_json_put_raw(&w, "rules", rx_buf_str(&im->rules));
    rx_json_put_raw(&w, "keys", rx_buf_str(&im->keys));
    rx_json_close(&w);
}

/* ---- texts ----------------------------------------------------------------- */

rx_str
import_keep(struct importing *im, rx_str s)
{
    rx_str copy = rx_arena_copy(im->arena, s);

    if (copy.ptr == NULL)
        abort(); /* a configuration of hundreds of megabytes */
    return copy;
}

rx_str
import_text(struct importing *im, const char *fmt, ...)
{
    char text[2048];
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    size_t len = n < 0 ? 0 : (size_t)n;
    return import_keep(
        im, (rx_str){ text, len < sizeof(text) ? len : sizeof(text) - 1 });
}

static void
free_document(void *doc)
{
    rx_json_free(doc);
}

rx_json
import_json(struct importing *im, rx_str text)
{
    struct rx_json_limits limits = { .values = (size_t)1 << 20 };
    struct rx_json_doc *doc;

    if (text.len == 0 || rx_json_parse(&doc, text, &limits, NULL) != RX_OK)
        return (rx_json){ 0 };
    rx_arena_defer(im->arena, free_document, doc);
    return rx_json_root(doc);
}

void
import_note(struct importing *im, rx_str item, const char *fmt, ...)
{
    char why[400];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(why, sizeof(why), fmt, ap);
    va_end(ap);
    rx_json_open_object(&im->report_w, NULL);
    rx_json_put_str(&im->report_w, "item", item);
    rx_json_put_text(&im->report_w, "reason", why);
    rx_json_close(&im->report_w);
    im->noted++;
}

/* ---- names ----------------------------------------------------------------- */

/* Letters, digits, '.', '_' and '-': what a channel may be called. */
static rx_str
fit_name(struct importing *im, rx_str wanted)
{
    char name[NAME_MAX_BYTES + 1];
    size_t n = 0;

    for (size_t i = 0; i < wanted.len && n < NAME_MAX_BYTES; i++) {
        char c = wanted.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                     (c >= '0' && c <= '9');
        if (plain || (n > 0 && (c == '.' || c == '_' || c == '-')))
            name[n++] = c;
        else if (n > 0 && name[n - 1] != '-')
            name[n++] = '-';
    }
    while (n > 0 && name[n - 1] == '-')
        n--;
    return n > 0 ? import_keep(im, (rx_str){ name, n }) : RX_S("imported");
}

static rx_str
lower(struct importing *im, rx_str s)
{
    char *copy = rx_arena_alloc(im->arena, s.len + 1);

    if (copy == NULL)
        abort();
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        copy[i] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
    }
    return (rx_str){ copy, s.len };
}

static rx_str
free_name(struct importing *im, rx_str wanted)
{
    rx_str base = fit_name(im, wanted);
    rx_str name = base;

    for (unsigned n = 2; rx_map_get(im->names, lower(im, name)) != NULL; n++)
        name = import_text(im, RX_STR_FMT "-%u", RX_STR_ARG(base), n);
    rx_map_put(im->names, lower(im, name), im);
    return name;
}

rx_str
import_known(const struct importing *im, rx_str theirs)
{
    const rx_str *found = rx_map_get(im->known, theirs);

    return found != NULL ? *found : (rx_str){ 0 };
}

static void
remember(struct importing *im, rx_str theirs, rx_str ours)
{
    rx_str *at = rx_arena_make(im->arena, rx_str, 1);

    if (at == NULL)
        abort();
    *at = ours;
    rx_map_put(im->known, theirs, at);
}

/* ---- addresses ------------------------------------------------------------- */

/* What an address ends with when it names more than the base. */
static const struct {
    rx_str end;
    const char *dialect;
} endings[] = {
    { RX_STR_INIT("/chat/completions"), "chat" },
    { RX_STR_INIT("/v1/messages"), "anthropic" },
    { RX_STR_INIT("/messages"), "anthropic" },
    { RX_STR_INIT("/responses"), "responses" },
    { RX_STR_INIT("/v1beta/models"), "gemini" },
    { RX_STR_INIT("/v1beta"), "gemini" },
};

/* Providers that Routex knows by name, by where they are. */
static const struct {
    rx_str host;
    const char *type, *dialects;
} hosts[] = {
    { RX_STR_INIT("api.anthropic.com"), "anthropic", "anthropic" },
    { RX_STR_INIT("api.openai.com"), "openai", "chat responses" },
    { RX_STR_INIT("generativelanguage.googleapis.com"), "gemini", "gemini" },
    { RX_STR_INIT("api.deepseek.com"), "deepseek", "chat anthropic" },
    { RX_STR_INIT("openrouter.ai"), "openrouter", "chat responses anthropic" },
    { RX_STR_INIT("api.groq.com"), "groq", "chat" },
    { RX_STR_INIT("api.mistral.ai"), "mistral", "chat" },
    { RX_STR_INIT("api.x.ai"), "xai", "chat responses anthropic" },
    { RX_STR_INIT("api.moonshot.ai"), "kimi", "chat anthropic" },
    { RX_STR_INIT("api.siliconflow.cn"), "siliconflow", "chat" },
    { RX_STR_INIT("api.cerebras.ai"), "cerebras", "chat" },
    { RX_STR_INIT("api.together.xyz"), "together", "chat" },
};

static bool
cut_end(rx_str *s, rx_str end)
{
    if (s->len < end.len ||
        memcmp(s->ptr + s->len - end.len, end.ptr, end.len) != 0)
        return false;
    s->len -= end.len;
    return true;
}

struct address {
    rx_str base;
    rx_str dialect;
    const char *type; /* NULL: none we know by name */
};

static struct address
judge(const struct found_channel *found)
{
    struct address a = { .base = rx_str_trim(found->url),
        .dialect = found->dialect };
    struct rx_url url;
    bool cut = false;

    while (a.base.len > 0 && a.base.ptr[a.base.len - 1] == '/')
        a.base.len--;
    for (size_t i = 0; i < RX_COUNT(endings) && !cut; i++) {
        cut = cut_end(&a.base, endings[i].end);
        if (cut && a.dialect.len == 0)
            a.dialect =
                (rx_str){ endings[i].dialect, strlen(endings[i].dialect) };
    }
    if (a.dialect.len == 0)
        a.dialect = RX_S("chat");
    if (a.base.len == 0 || rx_url_split(a.base, &url, NULL) != RX_OK)
        return a;
    for (size_t i = 0; i < RX_COUNT(hosts); i++) {
        if (rx_str_ieq(url.host, hosts[i].host) &&
            memmem(hosts[i].dialects, strlen(hosts[i].dialects), a.dialect.ptr,
                a.dialect.len) != NULL)
            a.type = hosts[i].type;
    }
    return a;
}

/* A type of ours with its own address; or any server of that dialect. */
static void
put_address(struct rx_json_out *w, const struct found_channel *found)
{
    struct address a = judge(found);

    if (found->type.len > 0) {
        rx_json_put_str(w, "type", found->type);
        if (a.base.len > 0)
            rx_json_put_str(w, "base_url", a.base);
    } else if (a.type != NULL) {
        rx_json_put_text(w, "type", a.type);
    } else if (rx_str_eq(a.dialect, RX_S("chat"))) {
        rx_json_put_text(w, "type", "openai-compatible");
        rx_json_put_str(w, "base_url", a.base);
    } else if (rx_str_eq(a.dialect, RX_S("anthropic"))) {
        rx_json_put_text(w, "type", "anthropic-compatible");
        rx_json_put_str(w, "base_url", a.base);
    } else {
        rx_json_put_text(w, "type", "generic");
        rx_json_open_array(w, "endpoints");
        rx_json_open_object(w, NULL);
        rx_json_put_str(w, "dialect", a.dialect);
        rx_json_put_str(w, "base_url", a.base);
        rx_json_close(w);
        rx_json_close(w);
    }
}

/* ---- items ----------------------------------------------------------------- */

/* "$NAME" and "${NAME}" stand for the environment. */
static rx_str
resolve_key(struct importing *im, rx_str name, rx_str key)
{
    char variable[256];
    rx_str inner = key;

    key = rx_str_trim(key);
    if (key.len < 2 || key.ptr[0] != '$')
        return key;
    inner = (rx_str){ key.ptr + 1, key.len - 1 };
    if (inner.ptr[0] == '{' && inner.ptr[inner.len - 1] == '}')
        inner = (rx_str){ inner.ptr + 1, inner.len - 2 };
    snprintf(variable, sizeof(variable), RX_STR_FMT, RX_STR_ARG(inner));
    const char *value = getenv(variable);
    if (value != NULL && value[0] != '\0')
        return (rx_str){ value, strlen(value) };
    import_note(im, name,
        "its key is $%s, which is not in the environment here; the channel is "
        "disabled until it has one",
        variable);
    return (rx_str){ 0 };
}

static void
put_optional(struct rx_json_out *w, const struct found_channel *f)
{
    if (f->models.len > 0)
        rx_json_put_raw(w, "models", f->models);
    if (f->headers.len > 2)
        rx_json_put_raw(w, "headers", f->headers);
    if (f->transformers.len > 2)
        rx_json_put_raw(w, "transformers", f->transformers);
    if (f->proxy_url.len > 0)
        rx_json_put_str(w, "proxy_url", f->proxy_url);
    if (f->priority != INT64_MIN)
        rx_json_put_i64(w, "priority", f->priority);
    if (f->weight > 0)
        rx_json_put_u64(w, "weight", f->weight < 1000 ? f->weight : 1000);
}

rx_str
import_channel(struct importing *im, const struct found_channel *found)
{
    rx_str name = free_name(im, found->name);
    rx_str key = resolve_key(im, name, found->key);
    struct rx_json_out *w = &im->channel_w;
    const char *status = found->status != NULL ? found->status : "enabled";

    /* A server of one's own may do without a key; a provider does not. */
    bool needed =
        found->key.len > 0 || found->type.len > 0 || judge(found).type != NULL;
    if (key.len == 0 && needed)
        status = "disabled";
    if (key.len == 0 && needed && found->key.len == 0)
        import_note(im, name,
            "has no key; the channel is disabled until it has one (routex "
            "channel edit " RX_STR_FMT " --api-key-stdin --status enabled)",
            RX_STR_ARG(name));
    rx_json_open_object(w, NULL);
    rx_json_put_str(w, "name", name);
    put_address(w, found);
    if (key.len > 0)
        rx_json_put_str(w, "api_key", key);
    rx_json_put_text(w, "status", status);
    put_optional(w, found);
    rx_json_close(w);
    if (!rx_str_eq(name, found->name))
        import_note(
            im, found->name, "is called " RX_STR_FMT " here", RX_STR_ARG(name));
    remember(im, found->known_as.len > 0 ? found->known_as : found->name, name);
    return name;
}

void
import_key(struct importing *im, rx_str name, rx_str text, bool enabled,
    rx_str expires, rx_str models)
{
    struct rx_json_out *w = &im->key_w;

    if (text.len < 16) {
        import_note(im, name,
            "as a client key it is too short to be safe (16 characters); make "
            "one with routex key add");
        return;
    }
    rx_json_open_object(w, NULL);
    rx_json_put_str(w, "name", name);
    rx_json_put_str(w, "key", text);
    rx_json_put_text(w, "status", enabled ? "enabled" : "disabled");
    if (expires.len > 0)
        rx_json_put_str(w, "expires_at", expires);
    if (models.len > 2)
        rx_json_put_raw(w, "models", models);
    rx_json_close(w);
}
