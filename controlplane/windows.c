#include "controlplane/windows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/wire.h"
#include "shared/clock.h"
#include "shared/log.h"

#define MOST    ((size_t)4096)
#define SOON_MS 100
#define TELL_MS 10000 /* for planes that came later */
#define SAVE_MS 2000
#define NAME    24

struct cell {
    struct window w;
    bool unsaved;
    char text[];
};

struct windows {
    struct rx_loop *loop;
    struct store *store;
    struct publisher *publisher;
    struct cell **cells;
    size_t count;
    struct rx_timer tell, save;
};

/* ---- telling ---------------------------------------------------------------- */

static bool
runs(const struct window *w, uint64_t wall)
{
    return w->reset_ms == 0 || w->reset_ms > wall;
}

static void
tell(void *arg)
{
    struct windows *w = arg;
    struct window *list = calloc(w->count + 1, sizeof(*list));
    uint64_t wall = rx_clock_wall_ms();
    struct rx_buf body;
    size_t n = 0;

    if (list == NULL)
        abort();
    for (size_t i = 0; i < w->count; i++) {
        if (runs(&w->cells[i]->w, wall))
            list[n++] = w->cells[i]->w;
    }
    rx_buf_init(&body, rx_message_max(RX_MSG_WINDOW_NOTICE));
    if (n > 0 && wire_pack_windows(&body, list, n, wall))
        publisher_send_notice(
            w->publisher, RX_MSG_WINDOW_NOTICE, rx_buf_str(&body));
    rx_buf_fini(&body);
    free(list);
    if (n > 0)
        rx_timer_set(&w->tell, TELL_MS);
}

/* ---- rows --------------------------------------------------------------------- */

static enum rx_code
save_cell(struct windows *w, const struct window *one, struct rx_err *err)
{
    struct db_query *q = db_query(w->store->db,
        "insert or replace into usage_window (channel_id, credential_id, "
        "name, used_permille, reset_ms, noted_ms) "
        "select ?1, ?2, ?3, ?4, ?5, ?6 "
        "where exists (select 1 from channel where id = ?1)");

    db_bind_str(q, 1, one->channel);
    db_bind_str(q, 2, one->credential);
    db_bind_str(q, 3, one->name);
    db_bind_u64(q, 4, one->used_permille);
    db_bind_u64(q, 5, one->reset_ms);
    db_bind_u64(q, 6, one->noted_ms);
    return db_run(q, err);
}

static void
save(void *arg)
{
    struct windows *w = arg;
    struct rx_err err = { 0 };

    if (db_in_transaction(w->store->db)) {
        rx_timer_set(&w->save, 1);
        return;
    }
    enum rx_code code = store_begin(w->store, &err);
    for (size_t i = 0; code == RX_OK && i < w->count; i++) {
        if (w->cells[i]->unsaved)
            code = save_cell(w, &w->cells[i]->w, &err);
    }
    if (code == RX_OK)
        code = store_commit(w->store, &err);
    else if (db_in_transaction(w->store->db))
        store_rollback(w->store);
    if (code != RX_OK) {
        rx_warn("windows.unwritten", "why=%s", rx_log_quote(err.text));
        rx_timer_set(&w->save, TELL_MS);
        return;
    }
    for (size_t i = 0; i < w->count; i++)
        w->cells[i]->unsaved = false;
}

/* ---- taking --------------------------------------------------------------------- */

static rx_str
keep(char **at, rx_str s)
{
    rx_str kept = { *at, s.len };

    if (s.len > 0)
        memcpy(*at, s.ptr, s.len);
    *at += s.len;
    return kept;
}

static struct cell *
find(const struct windows *w, const struct window *one)
{
    for (size_t i = 0; i < w->count; i++) {
        const struct window *have = &w->cells[i]->w;
        if (rx_str_eq(have->channel, one->channel) &&
            rx_str_eq(have->credential, one->credential) &&
            rx_str_eq(have->name, one->name))
            return w->cells[i];
    }
    return NULL;
}

static struct cell *
add(struct windows *w, const struct window *one)
{
    struct cell *c;
    char *at;

    if (w->count == MOST || one->name.len == 0 || one->name.len >= NAME)
        return NULL;
    c = calloc(
        1, sizeof(*c) + one->channel.len + one->credential.len + one->name.len);
    w->cells = realloc(w->cells, (w->count + 1) * sizeof(struct cell *));
    if (c == NULL || w->cells == NULL)
        abort();
    at = c->text;
    c->w.channel = keep(&at, one->channel);
    c->w.credential = keep(&at, one->credential);
    c->w.name = keep(&at, one->name);
    w->cells[w->count++] = c;
    return c;
}

static struct cell *
take_one(struct windows *w, const struct window *one)
{
    struct cell *c = find(w, one);

    if (c != NULL && c->w.noted_ms >= one->noted_ms)
        return NULL;
    if (c == NULL)
        c = add(w, one);
    if (c == NULL)
        return NULL;
    c->w.used_permille = one->used_permille;
    c->w.reset_ms = one->reset_ms;
    c->w.noted_ms = one->noted_ms;
    return c;
}

void
windows_take(struct windows *w, const struct window *list, size_t count)
{
    bool news = false;

    for (size_t i = 0; i < count; i++) {
        struct cell *c = take_one(w, &list[i]);
        if (c == NULL)
            continue;
        c->unsaved = true;
        news = true;
    }
    if (!news)
        return;
    rx_timer_set(&w->tell, SOON_MS);
    if (!rx_timer_is_set(&w->save))
        rx_timer_set(&w->save, SAVE_MS);
}

/* ---- showing ---------------------------------------------------------------------- */

void
windows_put(const struct windows *w, struct rx_json_out *out, rx_str channel)
{
    uint64_t wall = rx_clock_wall_ms();

    rx_json_open_array(out, "windows");
    for (size_t i = 0; i < w->count; i++) {
        const struct window *one = &w->cells[i]->w;
        if (!rx_str_eq(one->channel, channel) || !runs(one, wall))
            continue;
        rx_json_open_object(out, NULL);
        rx_json_put_str(out, "name", one->name);
        rx_json_put_str(out, "key", one->credential);
        rx_json_put_number(
            out, "used_percent", (double)one->used_permille / 10);
        rx_json_put_time(out, "resets_at", one->reset_ms);
        rx_json_put_time(out, "seen_at", one->noted_ms);
        rx_json_close(out);
    }
    rx_json_close(out);
}

/* ---- beginning and end -------------------------------------------------------------- */

struct windows *
windows_new(
    struct rx_loop *loop, struct store *store, struct publisher *publisher)
{
    struct windows *w = calloc(1, sizeof(*w));

    if (w == NULL)
        abort();
    w->loop = loop;
    w->store = store;
    w->publisher = publisher;
    rx_timer_init(&w->tell, loop, tell, w);
    rx_timer_init(&w->save, loop, save, w);
    struct db_query *q = db_query(store->db,
        "select channel_id, credential_id, name, used_permille, reset_ms, "
        "noted_ms from usage_window where reset_ms = 0 or reset_ms > ?");
    db_bind_u64(q, 1, rx_clock_wall_ms());
    while (db_next(q))
        (void)take_one(
            w, &(struct window){ db_str(q, 0), db_str(q, 1), db_str(q, 2),
                   (uint32_t)db_u64(q, 3), db_u64(q, 4), db_u64(q, 5) });
    (void)db_done(q, NULL);
    if (w->count > 0)
        rx_timer_set(&w->tell, SOON_MS);
    return w;
}

void
windows_free(struct windows *w)
{
    if (w == NULL)
        return;
    if (rx_timer_is_set(&w->save))
        save(w);
    rx_timer_fini(&w->tell);
    rx_timer_fini(&w->save);
    for (size_t i = 0; i < w->count; i++)
        free(w->cells[i]);
    free(w->cells);
    free(w);
}

/* ---- documents ------------------------------------------------------------------------ */

/* Members that stand for themselves, rather than for a window. */
static bool
is_window(rx_json v)
{
    return rx_json_kind(v) == RX_JSON_OBJECT &&
           rx_json_kind(rx_json_find(v, "utilization")) == RX_JSON_NUMBER &&
           !rx_str_eq(rx_json_name(v), RX_S("extra_usage")) &&
           rx_json_name(v).len > 0 && rx_json_name(v).len < NAME;
}

/*
 * {"five_hour":{"utilization":37.5,"resets_at":"…"},"seven_day":{…},…}: windows
 * come and go there, so they are known by their shape, not by name.
 */
size_t
window_read_usage(
    rx_json doc, uint64_t wall_ms, struct window *out, size_t most)
{
    size_t n = 0;

    for (rx_json v = rx_json_first(doc); rx_json_there(v) && n < most;
         v = rx_json_next(v)) {
        uint64_t reset = 0;
        if (!is_window(v))
            continue;
        double used = rx_json_number(rx_json_find(v, "utilization"));
        if (!(used >= 0) || used > 100000)
            continue;
        rx_str text = rx_json_str(rx_json_find(v, "resets_at"));
        if (text.len > 0 && !rx_time_parse(text, &reset))
            reset = 0;
        out[n++] = (struct window){ .name = rx_json_name(v),
            .used_permille = (uint32_t)(used * 10 + 0.5),
            .reset_ms = reset,
            .noted_ms = wall_ms };
    }
    return n;
}
