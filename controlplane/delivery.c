#include "controlplane/delivery.h"

#include <stdio.h>
#include <stdlib.h>

#include "controlplane/webhook.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/secret.h"

#define SLOTS      ((size_t)4)
#define IDLE_MS    60000
#define CONNECT_MS 5000
#define TOTAL_MS   15000

static const uint32_t backoff_s[] = { 1, 5, 30, 120, 600, 1800, 3600, 3600,
    3600, 3600, 3600, 3600, 3600, 3600, 3600, 3600, 3600 };

struct slot {
    struct deliveries *owner;
    struct rx_transfer *transfer; /* NULL: free */
    int64_t row;
    uint64_t attempts;
    char webhook[64], name[128];
};

struct deliveries {
    struct rx_loop *loop;
    struct rx_fetch *fetch;
    struct store *store;
    struct alerts *alerts;
    struct slot slots[SLOTS];
    struct rx_timer due;
};

uint64_t
delivery_backoff(uint64_t attempts)
{
    if (attempts == 0 || attempts > RX_COUNT(backoff_s))
        return 0;
    return (uint64_t)backoff_s[attempts - 1] * 1000;
}

/* ---- one post ---- */

struct rx_transfer *
delivery_post(struct rx_fetch *fetch, const struct webhook *h, rx_str body,
    void (*fn)(void *arg, const struct rx_transfer_result *result), void *arg)
{
    char timestamp[WEBHOOK_HEADER_SIZE], signature[WEBHOOK_HEADER_SIZE];
    const char *headers[] = { "content-type: application/json",
        "user-agent: routex/" ROUTEX_VERSION, timestamp, signature, NULL };
    char url[2048];
    struct rx_transfer_options options = {
        .method = "POST",
        .url = url,
        .headers = headers,
        .body = body,
        .connect_ms = CONNECT_MS,
        .total_ms = TOTAL_MS,
        .max_response = 64 << 10,
    };

    snprintf(url, sizeof(url), RX_STR_FMT, RX_STR_ARG(h->url));
    webhook_sign(
        h->secret, rx_clock_wall_ms() / 1000, body, timestamp, signature);
    struct rx_transfer *t = rx_transfer_start(fetch, &options, fn, arg);
    rx_wipe(url, sizeof(url));
    return t;
}

/* ---- what became of it ---- */

static uint64_t
jittered(uint64_t ms)
{
    uint32_t dice;

    rx_random(&dice, sizeof(dice));
    return ms * 9 / 10 + ms * (dice % 1000) / 5000; /* ±10 % */
}

static enum rx_code
save_row(const struct slot *s, bool ok, struct rx_err *err)
{
    struct db *db = s->owner->store->db;
    uint64_t wait = delivery_backoff(s->attempts);
    struct db_query *q;

    if (ok) {
        q = db_query(db, "delete from delivery where id = ?");
        db_bind_i64(q, 1, s->row);
        return db_run(q, err);
    }
    q = db_query(db, "update delivery set attempts = ?2, next_ms = ?3, "
                     "failed_ms = case when ?4 then ?5 end where id = ?1");
    db_bind_i64(q, 1, s->row);
    db_bind_u64(q, 2, s->attempts);
    db_bind_u64(q, 3, rx_clock_wall_ms() + jittered(wait));
    db_bind_i64(q, 4, wait == 0);
    db_bind_u64(q, 5, rx_clock_wall_ms());
    return db_run(q, err);
}

static enum rx_code
save_webhook(const struct slot *s, int status, rx_str why, struct rx_err *err)
{
    struct db_query *q = db_query(s->owner->store->db,
        "update webhook set last_ms = ?2, last_status = ?3, last_error = ?4 "
        "where id = ?1");

    db_bind_str(q, 1, field_text(s->webhook));
    db_bind_u64(q, 2, rx_clock_wall_ms());
    if (status > 0)
        db_bind_i64(q, 3, status);
    db_bind_str_or_null(q, 4, why);
    return db_run(q, err);
}

static void
save(const struct slot *s, const struct rx_transfer_result *r, bool ok)
{
    struct store *store = s->owner->store;
    struct rx_err err = { 0 };
    char why[160] = "";

    if (r->code != RX_OK)
        snprintf(why, sizeof(why), "%.150s", r->why);
    else if (!ok)
        snprintf(why, sizeof(why), "answered %d", r->status);
    enum rx_code code = store_begin(store, &err);
    if (code == RX_OK) {
        code = save_row(s, ok, &err);
        if (code == RX_OK)
            code = save_webhook(s, r->status, field_text(why), &err);
        if (code == RX_OK)
            code = store_commit(store, &err);
        else
            store_rollback(store);
    }
    if (code != RX_OK)
        rx_error("webhook.unsaved", "why=%s", rx_log_quote(err.text));
    if (!ok)
        rx_warn("webhook.failed", "name=%s attempt=%u why=%s",
            rx_log_quote(s->name), (unsigned)s->attempts, rx_log_quote(why));
}

static void
on_answer(void *arg, const struct rx_transfer_result *r)
{
    struct slot *s = arg;
    struct alerts *alerts = s->owner->alerts;
    bool ok = r->code == RX_OK && r->status >= 200 && r->status < 300;
    rx_str id = field_text(s->webhook);

    s->transfer = NULL;
    s->attempts++;
    save(s, r, ok);
    if (ok)
        alert_clear(alerts, ALERT_WEBHOOK, id);
    else if (s->attempts >= 3)
        alert_raise(alerts, ALERT_WEBHOOK, id, field_text(s->name),
            "Webhook %s does not take what it is sent", s->name);
    deliveries_wake(s->owner);
}

/* ---- who is next ---- */

static bool
is_under_way(const struct deliveries *d, int64_t row)
{
    for (size_t i = 0; i < SLOTS; i++) {
        if (d->slots[i].transfer != NULL && d->slots[i].row == row)
            return true;
    }
    return false;
}

static struct slot *
free_slot(struct deliveries *d)
{
    for (size_t i = 0; i < SLOTS; i++) {
        if (d->slots[i].transfer == NULL)
            return &d->slots[i];
    }
    return NULL;
}

struct due {
    int64_t row;
    uint64_t attempts, next_ms;
    rx_str webhook, body;
};

static void
begin(struct deliveries *d, struct rx_arena *arena, const struct due *due)
{
    struct slot *s = free_slot(d);
    struct webhook *h;
    struct rx_err err = { 0 };

    if (webhook_load(d->store, arena, due->webhook, true, &h, &err) != RX_OK) {
        rx_error("webhook.unread", "why=%s", rx_log_quote(err.text));
        return;
    }
    s->owner = d;
    s->row = due->row;
    s->attempts = due->attempts;
    snprintf(s->webhook, sizeof(s->webhook), RX_STR_FMT, RX_STR_ARG(h->id));
    snprintf(s->name, sizeof(s->name), RX_STR_FMT, RX_STR_ARG(h->name));
    s->transfer = delivery_post(d->fetch, h, due->body, on_answer, s);
    rx_wipe((void *)(uintptr_t)h->secret.ptr, h->secret.len);
}

/* The first few that wait, whether due or not: the last says when to look. */
static size_t
gather(struct deliveries *d, struct rx_arena *arena, struct due *out,
    size_t most, struct rx_err *err)
{
    struct db_query *q = db_query(d->store->db,
        "select d.id, d.attempts, d.next_ms, d.webhook_id, d.body "
        "from delivery d join webhook w on w.id = d.webhook_id "
        "where d.failed_ms is null and w.status = 'enabled' "
        "order by d.next_ms, d.id limit ?");
    size_t n = 0;

    db_bind_u64(q, 1, most);
    while (db_next(q)) {
        if (is_under_way(d, db_i64(q, 0)))
            continue;
        out[n++] = (struct due){ .row = db_i64(q, 0),
            .attempts = db_u64(q, 1),
            .next_ms = db_u64(q, 2),
            .webhook = field_keep(arena, db_str(q, 3)),
            .body = field_keep(arena, db_str(q, 4)) };
    }
    if (db_done(q, err) != RX_OK)
        return 0;
    return n;
}

static void
look(void *arg)
{
    struct deliveries *d = arg;
    struct rx_arena *arena = rx_arena_new(32 << 20);
    struct due due[2 * SLOTS];
    struct rx_err err = { 0 };
    uint64_t now = rx_clock_wall_ms();
    uint64_t next = now + IDLE_MS;

    if (db_in_transaction(d->store->db)) {
        rx_timer_set(&d->due, 1);
        rx_arena_free(arena);
        return;
    }
    size_t n = gather(d, arena, due, RX_COUNT(due), &err);
    for (size_t i = 0; i < n && free_slot(d) != NULL; i++) {
        if (due[i].next_ms <= now)
            begin(d, arena, &due[i]);
        else if (due[i].next_ms < next)
            next = due[i].next_ms;
    }
    rx_timer_set(&d->due, next - now);
    rx_arena_free(arena);
}

void
deliveries_wake(struct deliveries *d)
{
    rx_timer_set(&d->due, 0);
}

/* ---- beginning and end ---- */

struct deliveries *
deliveries_new(struct rx_loop *loop, struct rx_fetch *fetch,
    struct store *store, struct alerts *alerts)
{
    struct deliveries *d = calloc(1, sizeof(*d));

    if (d == NULL)
        abort();
    d->loop = loop;
    d->fetch = fetch;
    d->store = store;
    d->alerts = alerts;
    rx_timer_init(&d->due, loop, look, d);
    rx_timer_set(&d->due, 0);
    return d;
}

void
deliveries_free(struct deliveries *d)
{
    if (d == NULL)
        return;
    for (size_t i = 0; i < SLOTS; i++)
        rx_transfer_cancel(d->slots[i].transfer);
    rx_timer_fini(&d->due);
    free(d);
}
