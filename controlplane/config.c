/*
 * Writing the document, and what writing and reading share.
 */
#include "controlplane/config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "shared/clock.h"
#include "shared/secret.h"

#define NOTES_MAX   ((size_t)1 << 20)
#define ITEM_MAX    ((size_t)4 << 20)
#define SECRETS_MAX ((size_t)16 << 20)
#define CONTEXT     "routex config secrets 1"

void
config_run_init(struct config_run *run, struct store *store,
    const struct api_world *world, struct rx_arena *arena)
{
    *run = (struct config_run){
        .store = store,
        .world = world,
        .arena = arena,
        .made_ms = rx_clock_wall_ms(),
    };
    rx_buf_init(&run->warnings, NOTES_MAX);
    rx_buf_init(&run->made_keys, NOTES_MAX);
    run->warn_w = rx_json_out(&run->warnings);
    run->made_w = rx_json_out(&run->made_keys);
    rx_json_open_array(&run->warn_w, NULL);
    rx_json_open_array(&run->made_w, NULL);
}

void
config_run_fini(struct config_run *run)
{
    if (run->made_keys.ptr != NULL)
        rx_wipe(run->made_keys.ptr, run->made_keys.len);
    rx_buf_fini(&run->made_keys);
    rx_buf_fini(&run->warnings);
}

void
config_warn(struct config_run *run, rx_json where, const char *fmt, ...)
{
    rx_str name = rx_json_str(rx_json_find(where, "name"));
    char words[320];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(words, sizeof(words), fmt, ap);
    va_end(ap);
    rx_json_open_object(&run->warn_w, NULL);
    rx_json_put_str(&run->warn_w, "name", name);
    rx_json_put_text(&run->warn_w, "message", words);
    rx_json_close(&run->warn_w);
}

void
config_mark(rx_str secret, char out[CONFIG_MARK_SIZE])
{
    struct rx_digest d = rx_digest(secret);

    rx_hex(d.bytes, (CONFIG_MARK_SIZE - 1) / 2, out);
}

/* ---- selecting ------------------------------------------------------------- */

static const struct config_kind *
kind_of(rx_str name)
{
    const struct config_kind *const *k = config_kinds;

    while (*k != NULL && !rx_str_eq(name, field_text((*k)->name)))
        k++;
    return *k;
}

enum rx_code
config_select(struct rx_arena *arena, rx_str text, struct config_selection *out,
    struct rx_err *err)
{
    rx_str *at = field_make(arena, rx_str, text.len / 2 + 1);
    rx_str rest = text;
    rx_str word, kind, name;

    *out = (struct config_selection){ .at = at };
    for (bool more = text.len > 0; more;) {
        more = rx_str_cut(rest, ',', &word, &rest);
        word = rx_str_trim(word);
        if (word.len == 0)
            continue;
        rx_str_cut(word, ':', &kind, &name);
        if (kind_of(kind) == NULL)
            return rx_fail(err, RX_INVALID,
                "there is no kind \"%.*s\"; a document has settings, tenants, "
                "accounts, channels, functions, rules, keys, agents, prices, "
                "webhooks, tees and users",
                (int)(kind.len < 40 ? kind.len : 40), kind.ptr);
        at[out->count++] = word;
    }
    return RX_OK;
}

bool
config_selected(
    const struct config_run *run, const struct config_kind *kind, rx_str name)
{
    const struct config_selection *s = &run->selection;
    rx_str k, n;

    for (size_t i = 0; i < s->count; i++) {
        bool one = rx_str_cut(s->at[i], ':', &k, &n);
        if (rx_str_eq(k, field_text(kind->name)) &&
            (!one || rx_str_ieq(n, name)))
            return true;
    }
    return s->count == 0;
}

bool
config_selected_kind(
    const struct config_run *run, const struct config_kind *kind)
{
    const struct config_selection *s = &run->selection;
    rx_str k, n;

    for (size_t i = 0; i < s->count; i++) {
        rx_str_cut(s->at[i], ':', &k, &n);
        if (rx_str_eq(k, field_text(kind->name)))
            return true;
    }
    return s->count == 0;
}

/* ---- one item -------------------------------------------------------------- */

static bool
is_hidden(const struct config_kind *kind, rx_str name)
{
    for (const char *const *h = kind->hidden; *h != NULL; h++) {
        if (rx_str_eq(name, field_text(*h)))
            return true;
    }
    return false;
}

void
config_put_item(struct rx_json_out *w, const char *key,
    const struct config_kind *kind, const void *noun, struct rx_arena *arena)
{
    struct rx_buf text;

    rx_buf_init(&text, ITEM_MAX);
    struct rx_json_out shown = rx_json_out(&text);
    kind->put(&shown, noun);
    rx_json root = field_parse(arena, rx_buf_str(&text));
    rx_buf_fini(&text);
    rx_json_open_object(w, key);
    for (rx_json v = rx_json_first(root); rx_json_there(v);
         v = rx_json_next(v)) {
        if (!is_hidden(kind, rx_json_name(v)))
            rx_json_put_value(w, rx_json_name(v).ptr, v);
    }
    if (kind->put_marks != NULL)
        kind->put_marks(w, noun);
    rx_json_close(w);
}

/* ---- secrets --------------------------------------------------------------- */

static void
add_secret(void *arg, rx_str secret)
{
    if (secret.len > 0)
        rx_json_put_str(arg, NULL, secret);
}

static void
put_sealed(struct rx_json_out *w, const unsigned char *salt, rx_str sealed)
{
    struct rx_buf text;

    rx_buf_init(&text, 2 * SECRETS_MAX);
    rx_json_open_object(w, "secrets");
    rx_json_put_text(w, "kdf", "argon2id");
    rx_base64url((rx_str){ (const char *)salt, RX_SALT_SIZE }, &text);
    rx_json_put_str(w, "salt", rx_buf_str(&text));
    rx_buf_clear(&text);
    rx_base64url(sealed, &text);
    rx_json_put_str(w, "box", rx_buf_str(&text));
    rx_json_close(w);
    rx_buf_fini(&text);
}

/* A list of texts, sealed: the document has their marks. */
static enum rx_code
put_secrets(struct rx_json_out *w, const struct config_seal *seal, rx_str plain,
    struct rx_err *err)
{
    struct rx_buf sealed;

    rx_buf_init(&sealed, SECRETS_MAX + RX_SEAL_EXTRA);
    bool good = rx_seal(&seal->key, plain, RX_S(CONTEXT), &sealed);
    if (good)
        put_sealed(w, seal->salt, rx_buf_str(&sealed));
    rx_buf_fini(&sealed);
    return good ? RX_OK
                : rx_fail(err, RX_INTERNAL, "the secrets cannot be sealed");
}

/* ---- the whole ------------------------------------------------------------- */

static void
put_items(struct config_run *run, struct rx_json_out *w,
    const struct config_kind *kind, void *const *items, size_t count,
    struct rx_json_out *secrets)
{
    if (!kind->single)
        rx_json_open_array(w, kind->name);
    for (size_t i = 0; i < count; i++) {
        if (!config_selected(run, kind, kind->name_of(items[i])) ||
            (kind->secrets != NULL && kind->keep != NULL &&
                kind->keep(items[i])))
            continue;
        config_put_item(
            w, kind->single ? kind->name : NULL, kind, items[i], run->arena);
        if (kind->secrets != NULL)
            kind->secrets(items[i], add_secret, secrets);
    }
    if (!kind->single)
        rx_json_close(w);
}

static enum rx_code
put_kinds(struct config_run *run, struct rx_json_out *w,
    struct rx_json_out *secrets, struct rx_err *err)
{
    enum rx_code code = RX_OK;

    for (size_t i = 0; code == RX_OK && config_kinds[i] != NULL; i++) {
        const struct config_kind *k = config_kinds[i];
        void **items = NULL;
        size_t count = 0;
        if (!config_selected_kind(run, k) || (k->owners && !run->owner))
            continue;
        code = k->list(run, &items, &count, err);
        if (code == RX_OK)
            put_items(run, w, k, items, count, secrets);
    }
    return code;
}

enum rx_code
config_export(struct config_run *run, struct rx_json_out *w, const char *key,
    const struct config_seal *seal, struct rx_err *err)
{
    struct rx_buf plain;

    rx_buf_init(&plain, SECRETS_MAX);
    struct rx_json_out secrets = rx_json_out(&plain);
    rx_json_open_array(&secrets, NULL);
    rx_json_open_object(w, key);
    rx_json_put_text(w, "format", CONFIG_FORMAT);
    rx_json_put_u64(w, "version", CONFIG_VERSION);
    enum rx_code code = put_kinds(run, w, &secrets, err);
    rx_json_close(&secrets);
    if (code == RX_OK && seal != NULL)
        code = plain.full ? rx_fail(err, RX_TOO_BIG, "too many secrets")
                          : put_secrets(w, seal, rx_buf_str(&plain), err);
    rx_json_close(w);
    if (plain.ptr != NULL)
        rx_wipe(plain.ptr, plain.len);
    rx_buf_fini(&plain);
    return code;
}
