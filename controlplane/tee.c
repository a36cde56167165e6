#include "controlplane/tee.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "controlplane/row.h"
#include "controlplane/sink_field.h"
#include "controlplane/webhook.h"
#include "shared/clock.h"
#include "shared/secret.h"
#include "shared/url.h"

#define SELECT                                                              \
    "select id, name, sink, status, options, shown, last4, created_ms, "    \
    "updated_ms, rev, done, sent, lost, last_ms, last_status, last_error, " \
    "url, headers, secret, (select max(id) from request) from tee "
#define PAIR_MAX ((size_t)2000)
#define MIB      ((uint64_t)1 << 20)

const char *const tee_sink_names[] = {
#define TEE_NAME(id, name) name,
    TEE_SINKS(TEE_NAME)
#undef TEE_NAME
        NULL
};
static const char *const statuses[] = { "enabled", "disabled", NULL };
static const char *const outcomes[] = { "ok", "error", "refused", "cut",
    "cancelled", NULL };

struct tee *
tee_new(struct rx_arena *arena)
{
    struct tee *t = field_make(arena, struct tee, 1);

    t->status = RX_S("enabled");
    t->sampling = 1;
    t->max_bytes = 64 * MIB;
    t->keep = 5;
    return t;
}

/* ---- from the API ---- */

static void
read_sink(struct tee *t, rx_json body)
{
    rx_str word = { 0 };

    if (t->id.len > 0) {
        rx_str given = { 0 };
        if (rx_json_get_str(body, "sink", &given) &&
            !rx_str_eq(given, field_text(tee_sink_names[t->sink])))
            rx_json_wrong_member(body, "sink", "cannot be changed");
        return;
    }
    if (!rx_json_need_str(body, "sink", &word))
        return;
    field_read_word(body, "sink", tee_sink_names, &word);
    for (size_t i = 0; i < TEE_SINK_COUNT; i++) {
        if (rx_str_eq(word, field_text(tee_sink_names[i])))
            t->sink = (enum tee_sink)i;
    }
}

/* A collector's address may be that of the whole, as its own programs say it. */
static rx_str
complete(struct rx_arena *arena, rx_str bare)
{
    struct rx_buf b;

    if (bare.len > 0 && bare.ptr[bare.len - 1] == '/')
        bare.len--;
    rx_buf_init(&b, SINK_URL_MAX + 64);
    rx_buf_add(&b, bare);
    rx_buf_add(&b, RX_S("/v1/traces"));
    rx_str whole = field_keep(arena, rx_buf_str(&b));
    rx_buf_fini(&b);
    return whole;
}

enum rx_code
tee_set_url(struct tee *t, rx_str s, struct rx_arena *arena, struct rx_err *err)
{
    struct rx_url url;
    enum rx_code code = sink_show_url(arena, s, &url, &t->shown, err);

    if (code != RX_OK)
        return code;
    bool whole = t->sink != TEE_OTLP || url.path.len > 0 ||
                 memchr(s.ptr, '?', s.len) != NULL;
    t->url = whole ? s : complete(arena, s);
    return RX_OK;
}

static void
read_url(
    struct tee *t, rx_json body, enum field_mode mode, struct rx_arena *arena)
{
    struct rx_err err = { 0 };
    rx_str s = { 0 };

    if (t->sink == TEE_FILE) {
        if (rx_json_get_str(body, "url", &s) && s.len > 0 &&
            !rx_str_eq(s, t->shown))
            rx_json_wrong_member(body, "url", "is not for this sink");
        return;
    }
    bool given = mode == FIELD_PATCH ? rx_json_get_str(body, "url", &s)
                                     : rx_json_need_str(body, "url", &s);
    if (given && tee_set_url(t, s, arena, &err) != RX_OK)
        rx_json_wrong_member(body, "url", "%s", err.text);
}

static void
read_secret(struct tee *t, rx_json body, struct rx_arena *arena)
{
    rx_str s = { 0 };

    if (rx_json_get_str(body, "secret", &s) && t->sink != TEE_WEBHOOK) {
        rx_json_wrong_member(body, "secret", "is not for this sink");
        return;
    }
    if (t->sink == TEE_WEBHOOK &&
        sink_take_secret(
            arena, body, s.len > 0 ? &s : NULL, &t->secret, &t->last4))
        t->drawn = true;
}

static bool
is_printable(rx_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if ((unsigned char)s.ptr[i] < 0x20 || s.ptr[i] == 0x7f)
            return false;
    }
    return true;
}

static bool
is_token(rx_str s)
{
    static const char more[] = "!#$%&'*+-.^_`|~";

    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool word = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                    (c >= 'A' && c <= 'Z');
        if (!word && (c == '\0' || strchr(more, c) == NULL))
            return false;
    }
    return s.len > 0;
}

/* Members of an object of texts, all of them anew. */
static size_t
read_pairs(rx_json object, bool tokens, size_t most, struct tee_pair *out)
{
    size_t n = 0;

    for (rx_json v = rx_json_first(object); rx_json_there(v);
         v = rx_json_next(v)) {
        rx_str key = rx_json_name(v);
        if (rx_json_kind(v) != RX_JSON_STRING) {
            rx_json_wrong(v, "must be a string");
            break;
        }
        rx_str value = rx_json_str(v);
        if (n == most) {
            rx_json_wrong(object, "must have at most %zu members", most);
            break;
        }
        if (key.len == 0 || key.len > PAIR_MAX || value.len > PAIR_MAX ||
            !is_printable(value) || !is_printable(key) ||
            (tokens && !is_token(key))) {
            rx_json_wrong(v, "cannot be sent like this");
            break;
        }
        out[n++] = (struct tee_pair){ key, value };
    }
    return n;
}

static void
name_headers(struct tee *t, struct rx_arena *arena)
{
    rx_str *names = field_make(arena, rx_str, TEE_HEADERS_MAX);

    for (size_t i = 0; i < t->header_count; i++)
        names[i] = t->headers[i].name;
    t->header_names = (struct field_list){ names, t->header_count };
}

static void
read_headers(struct tee *t, rx_json body, struct rx_arena *arena)
{
    rx_json v;

    if (!rx_json_get_object(body, "headers", &v))
        return;
    if (t->sink == TEE_FILE && rx_json_count(v) > 0)
        rx_json_wrong_member(body, "headers", "is not for this sink");
    t->header_count = read_pairs(v, true, TEE_HEADERS_MAX, t->headers);
    name_headers(t, arena);
}

static void
read_filter(struct request_filter *f, rx_json body)
{
    const struct {
        const char *name;
        rx_str *text;
    } texts[] = { { "tenant", &f->tenant }, { "key", &f->key },
        { "channel", &f->channel }, { "model", &f->model } };
    rx_json v;

    if (!rx_json_get_object(body, "filter", &v))
        return;
    *f = (struct request_filter){ 0 };
    for (size_t i = 0; i < RX_COUNT(texts); i++) {
        rx_str s = { 0 };
        if (rx_json_get_str(v, texts[i].name, &s))
            *texts[i].text = s;
        if (s.len > 256)
            rx_json_wrong_member(v, texts[i].name, "is too long");
    }
    field_read_word(v, "outcome", outcomes, &f->outcome);
    rx_json_get_u64(v, "status", 100, 599, &f->status);
    rx_json_no_more(v);
}

static void
read_resource(struct tee *t, rx_json body)
{
    rx_json v;

    if (!rx_json_get_object(body, "resource", &v))
        return;
    if (t->sink != TEE_OTLP && rx_json_count(v) > 0)
        rx_json_wrong_member(body, "resource", "is not for this sink");
    t->attr_count = read_pairs(v, false, TEE_ATTRS_MAX, t->attrs);
}

static void
read_file(struct tee *t, rx_json body)
{
    rx_json v;

    if (!rx_json_get_object(body, "file", &v))
        return;
    if (t->sink != TEE_FILE)
        rx_json_wrong_member(body, "file", "is not for this sink");
    rx_json_get_u64(v, "max_bytes", 4096, 1024 * 1024 * MIB, &t->max_bytes);
    rx_json_get_u64(v, "keep", 0, 1000, &t->keep);
    rx_json_no_more(v);
}

static void
read_options(struct tee *t, rx_json body)
{
    read_filter(&t->filter, body);
    rx_json_get_number(body, "sampling", 0, 1, &t->sampling);
    read_resource(t, body);
    read_file(t, body);
}

void
tee_read(
    struct tee *t, rx_json body, enum field_mode mode, struct rx_arena *arena)
{
    static const char *const shown_only[] = { "id", "created_at", "updated_at",
        "secret_last4", "header_names", "sent", "lost", "behind", "last_at",
        "last_status", "last_error", NULL };

    if (!rx_json_want(body, RX_JSON_OBJECT))
        return;
    field_read_name(body, mode, true, &t->name);
    read_sink(t, body);
    read_url(t, body, mode, arena);
    read_secret(t, body, arena);
    read_headers(t, body, arena);
    field_read_word(body, "status", statuses, &t->status);
    read_options(t, body);
    field_ignore(body, mode, shown_only);
    rx_json_no_more(body);
}

/* ---- showing ---- */

static void
put_text(struct rx_json_out *w, const char *key, rx_str s)
{
    if (s.len == 0)
        rx_json_put_null(w, key);
    else
        rx_json_put_str(w, key, s);
}

static void
put_filter(struct rx_json_out *w, const struct request_filter *f)
{
    rx_json_open_object(w, "filter");
    put_text(w, "tenant", f->tenant);
    put_text(w, "key", f->key);
    put_text(w, "channel", f->channel);
    put_text(w, "model", f->model);
    put_text(w, "outcome", f->outcome);
    if (f->status == 0)
        rx_json_put_null(w, "status");
    else
        rx_json_put_u64(w, "status", f->status);
    rx_json_close(w);
}

static void
put_pairs(struct rx_json_out *w, const char *key, const struct tee_pair *pairs,
    size_t count)
{
    rx_json_open_object(w, key);
    for (size_t i = 0; i < count; i++) {
        char name[PAIR_MAX + 1];
        snprintf(name, sizeof(name), RX_STR_FMT, RX_STR_ARG(pairs[i].name));
        rx_json_put_str(w, name, pairs[i].value);
    }
    rx_json_close(w);
}

/* As it is shown, and as it is stored. */
static void
put_options(struct rx_json_out *w, const struct tee *t)
{
    put_filter(w, &t->filter);
    rx_json_put_number(w, "sampling", t->sampling);
    if (t->sink == TEE_OTLP)
        put_pairs(w, "resource", t->attrs, t->attr_count);
    if (t->sink != TEE_FILE)
        return;
    rx_json_open_object(w, "file");
    rx_json_put_u64(w, "max_bytes", t->max_bytes);
    rx_json_put_u64(w, "keep", t->keep);
    rx_json_close(w);
}

void
tee_put(struct rx_json_out *w, const char *key, const struct tee *t)
{
    rx_json_open_object(w, key);
    rx_json_put_str(w, "id", t->id);
    rx_json_put_str(w, "name", t->name);
    rx_json_put_text(w, "sink", tee_sink_names[t->sink]);
    rx_json_put_str(w, "status", t->status);
    put_text(w, "url", t->shown);
    field_put_list(w, "header_names", &t->header_names);
    if (t->sink == TEE_WEBHOOK)
        rx_json_put_str(w, "secret_last4", t->last4);
    if (t->drawn)
        rx_json_put_str(w, "secret", t->secret);
    put_options(w, t);
    rx_json_put_u64(w, "sent", t->sent);
    rx_json_put_u64(w, "lost", t->lost);
    rx_json_put_u64(w, "behind", t->behind);
    rx_json_put_time(w, "last_at", t->last_ms);
    if (t->last_status == 0)
        rx_json_put_null(w, "last_status");
    else
        rx_json_put_u64(w, "last_status", t->last_status);
    put_text(w, "last_error", t->last_error);
    rx_json_put_time(w, "created_at", t->created_ms);
    rx_json_put_time(w, "updated_at", t->updated_ms);
    rx_json_close(w);
}

/* ---- rows ---- */

static enum rx_code
load_secrets(struct store *s, struct db_query *q, struct rx_arena *arena,
    struct tee *t, struct rx_err *err)
{
    rx_str headers = { 0 };
    enum rx_code code =
        row_unseal(s, arena, "tee.url", t->id, db_blob(q, 16), &t->url, err);

    if (code == RX_OK)
        code = row_unseal(
            s, arena, "tee.headers", t->id, db_blob(q, 17), &headers, err);
    if (code == RX_OK)
        code = row_unseal(
            s, arena, "tee.secret", t->id, db_blob(q, 18), &t->secret, err);
    if (code == RX_OK)
        t->header_count = read_pairs(
            field_parse(arena, headers), true, TEE_HEADERS_MAX, t->headers);
    return code;
}

static void
load_options(struct tee *t, struct rx_arena *arena, rx_str stored)
{
    rx_json body = field_parse(arena, stored);
    rx_json names;

    read_options(t, body);
    if (!rx_json_get_array(body, "header_names", &names))
        return;
    struct rx_buf text;
    rx_buf_init(&text, 64 << 10);
    rx_json_print(names, false, &text);
    field_load_list(arena, rx_buf_str(&text), &t->header_names);
    rx_buf_fini(&text);
}

static enum rx_code
read_row(struct store *s, struct db_query *q, struct rx_arena *arena,
    bool secrets, struct tee **out, struct rx_err *err)
{
    struct tee *t = tee_new(arena);

    *out = t;
    t->id = field_keep(arena, db_str(q, 0));
    t->name = field_keep(arena, db_str(q, 1));
    for (size_t i = 0; i < TEE_SINK_COUNT; i++) {
        if (rx_str_eq(db_str(q, 2), field_text(tee_sink_names[i])))
            t->sink = (enum tee_sink)i;
    }
    t->status = field_keep(arena, db_str(q, 3));
    load_options(t, arena, db_str(q, 4));
    t->shown = field_keep(arena, db_str(q, 5));
    t->last4 = field_keep(arena, db_str(q, 6));
    t->created_ms = db_u64(q, 7);
    t->updated_ms = db_u64(q, 8);
    t->rev = db_u64(q, 9);
    t->done = db_u64(q, 10);
    t->sent = db_u64(q, 11);
    t->lost = db_u64(q, 12);
    t->last_ms = db_u64(q, 13);
    t->last_status = db_u64(q, 14);
    t->last_error = field_keep(arena, db_str(q, 15));
    t->behind = db_u64(q, 19) > t->done ? db_u64(q, 19) - t->done : 0;
    return secrets ? load_secrets(s, q, arena, t, err) : RX_OK;
}

enum rx_code
tee_load(struct store *s, struct rx_arena *arena, rx_str id, bool secrets,
    struct tee **out, struct rx_err *err)
{
    struct db_query *q = db_query(s->db,
        SELECT "where id = ?1 or name = ?1 order by id = ?1 desc limit 1");
    enum rx_code code = RX_OK;

    *out = NULL;
    db_bind_str(q, 1, id);
    if (db_next(q))
        code = read_row(s, q, arena, secrets, out, err);
    return row_end(q, code, *out != NULL, "tee", id, err);
}

enum rx_code
tee_list(struct store *s, struct rx_arena *arena, bool secrets,
    struct tee **out, size_t *count, struct rx_err *err)
{
    struct db_query *q = db_query(s->db, SELECT "order by name limit ?");
    enum rx_code code = RX_OK;

    *count = 0;
    db_bind_u64(q, 1, TEE_MOST);
    while (code == RX_OK && db_next(q))
        code = read_row(s, q, arena, secrets, &out[(*count)++], err);
    enum rx_code done = db_done(q, code == RX_OK ? err : NULL);
    return code == RX_OK ? done : code;
}

/* The name is nobody else's, and there are not too many. */
static enum rx_code
check_place(struct store *s, const struct tee *t, struct rx_err *err)
{
    struct db_query *q =
        db_query(s->db, "select count(*) from tee where id <> ?");

    db_bind_str(q, 1, t->id);
    uint64_t others = db_next(q) ? db_u64(q, 0) : 0;
    enum rx_code code = db_done(q, err);
    if (code == RX_OK && others >= TEE_MOST)
        return rx_fail(err, RX_CONFLICT, "there are %u tees already", TEE_MOST);
    return code == RX_OK ? row_check_name(s, "tee", t->name, t->id, err) : code;
}

static void
bind_open(struct db_query *q, const struct tee *t)
{
    struct rx_buf text;

    rx_buf_init(&text, 256 << 10);
    struct rx_json_out w = rx_json_out(&text);
    rx_json_open_object(&w, NULL);
    put_options(&w, t);
    field_put_list(&w, "header_names", &t->header_names);
    rx_json_close(&w);
    db_bind_str(q, 5, rx_buf_str(&text));
    rx_buf_fini(&text);
}

static void
bind_closed(struct store *s, struct db_query *q, const struct tee *t)
{
    struct rx_buf text;

    rx_buf_init(&text, 128 << 10);
    struct rx_json_out w = rx_json_out(&text);
    put_pairs(&w, NULL, t->headers, t->header_count);
    row_bind_sealed(s, q, 6, "tee.url", t->id, t->url);
    row_bind_sealed(s, q, 8, "tee.headers", t->id, rx_buf_str(&text));
    row_bind_sealed(s, q, 9, "tee.secret", t->id, t->secret);
    rx_wipe(text.ptr, text.len);
    rx_buf_fini(&text);
}

enum rx_code
tee_save(
    struct store *s, struct rx_arena *arena, struct tee *t, struct rx_err *err)
{
    assert(db_in_transaction(s->db));
    enum rx_code code = check_place(s, t, err);
    if (code != RX_OK)
        return code;
    t->updated_ms = rx_clock_wall_ms();
    if (t->id.len == 0) {
        t->id = store_new_id(arena, "tee_");
        t->created_ms = t->updated_ms;
        t->done = request_count(s); /* from now on */
    }
    t->rev++;
    struct db_query *q = db_query(s->db,
        "insert into tee (id, name, sink, status, options, url, shown, "
        "headers, secret, last4, created_ms, updated_ms, rev, done) "
        "values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
        "on conflict (id) do update set name = excluded.name, "
        "status = excluded.status, options = excluded.options, "
        "url = excluded.url, shown = excluded.shown, "
        "headers = excluded.headers, secret = excluded.secret, "
        "last4 = excluded.last4, updated_ms = excluded.updated_ms, "
        "rev = excluded.rev");
    db_bind_str(q, 1, t->id);
    db_bind_str(q, 2, t->name);
    db_bind_str(q, 3, field_text(tee_sink_names[t->sink]));
    db_bind_str(q, 4, t->status);
    bind_open(q, t);
    bind_closed(s, q, t);
    db_bind_str(q, 7, t->shown);
    db_bind_str(q, 10, t->last4);
    db_bind_u64(q, 11, t->created_ms);
    db_bind_u64(q, 12, t->updated_ms);
    db_bind_u64(q, 13, t->rev);
    db_bind_u64(q, 14, t->done);
    return db_run(q, err);
}

enum rx_code
tee_delete(struct store *s, const struct tee *t, struct rx_err *err)
{
    struct db_query *q = db_query(s->db, "delete from tee where id = ?");

    assert(db_in_transaction(s->db));
    db_bind_str(q, 1, t->id);
    return db_run(q, err);
}
