#include "controlplane/tees.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "controlplane/otlp.h"
#include "controlplane/tee_file.h"
#include "controlplane/webhook.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/secret.h"

#define GATHER_MS   100 /* rows wait so long for company */
#define SAVE_MS     2000
#define SLICE       ((uint64_t)200) /* rows looked at in one turn */
#define BATCH_ROWS  ((size_t)200)
#define BATCH_BYTES ((size_t)1 << 20) /* then it is sent */
#define BATCH_MAX   ((size_t)8 << 20)
#define ARENA_MAX   ((size_t)4 << 20)
#define CONNECT_MS  5000
#define TOTAL_MS    15000
#define BACKOFF_MS  ((uint64_t)1000)
#define BACKOFF_MAX ((uint64_t)60000)
#define ALERT_AFTER 3

/* One sink at work. */
struct runner {
    struct tees *owner;
    struct rx_arena *arena; /* of `tee` */
    struct tee *tee;
    struct rx_timer due;
    struct rx_transfer *transfer; /* NULL: none is under way */
    struct rx_buf batch;
    size_t rows;       /* in the batch */
    size_t most;       /* … at most: less after "too large" */
    uint64_t upto;     /* looked at, for the batch */
    uint64_t failures; /* in a row */
    bool dirty;        /* not saved as it is */
    char why[164];     /* what last_error says */
    bool kept;         /* seen in the store at the last reading */
};

struct counts {
    uint64_t *sent, *lost, *failed;
};

struct tees {
    struct tees_options options;
    struct usage_sink inner;
    struct runner *at[TEE_MOST];
    size_t count;
    struct rx_timer save;
    struct rx_timer again; /* read them anew */
    struct counts counts[TEE_SINK_COUNT];
    uint64_t unseen; /* where is counted until somebody looks */
};

static void pump(void *arg);

/* ---- making a batch ---------------------------------------------------------- */

static void
open_batch(struct runner *r)
{
    rx_buf_clear(&r->batch);
    r->rows = 0;
    r->upto = r->tee->done;
    if (r->tee->sink == TEE_OTLP)
        otlp_open(&r->batch, r->tee);
    else if (r->tee->sink == TEE_WEBHOOK)
        rx_buf_add(&r->batch, RX_S("{\"requests\":["));
}

static void
close_batch(struct runner *r)
{
    if (r->tee->sink == TEE_OTLP)
        otlp_close(&r->batch);
    else if (r->tee->sink == TEE_WEBHOOK)
        rx_buf_add(&r->batch, RX_S("]}"));
}

static bool
add_spans(struct runner *r, rx_str json)
{
    struct rx_json_doc *doc = NULL;
    bool added = false;

    if (rx_json_parse(&doc, json, NULL, NULL) != RX_OK)
        return false;
    if (r->rows > 0)
        rx_buf_addc(&r->batch, ',');
    size_t before = r->batch.len;
    added = otlp_add(&r->batch, rx_json_root(doc));
    if (!added && r->rows > 0)
        r->batch.len = before - 1;
    rx_json_free(doc);
    return added;
}

static void
add_row(void *user, uint64_t id, rx_str json)
{
    struct runner *r = user;

    (void)id;
    if (r->tee->sink == TEE_OTLP) {
        r->rows += add_spans(r, json);
        return;
    }
    if (r->tee->sink == TEE_WEBHOOK && r->rows > 0)
        rx_buf_addc(&r->batch, ',');
    rx_buf_add(&r->batch, json);
    if (r->tee->sink != TEE_WEBHOOK)
        rx_buf_addc(&r->batch, '\n');
    r->rows++;
}

/* Some more rows.  False: the store could not be read now. */
static bool
gather(struct runner *r, uint64_t newest)
{
    struct request_filter f = r->tee->filter;
    struct rx_err err = { 0 };
    size_t count;
    uint64_t room = r->most - r->rows;
    uint64_t slice = room < SLICE ? room : SLICE;

    f.until_id = newest - r->upto > slice ? r->upto + slice : newest;
    f.limit = SLICE;
    f.detail = true;
    f.sampled = r->tee->sampling < 1 || r->tee->sink == TEE_OTLP;
    f.heed_parent = r->tee->sink == TEE_OTLP;
    f.sample = r->tee->sampling < 1
                   ? (uint32_t)(r->tee->sampling * 4294967295.0)
                   : UINT32_MAX;
    enum rx_code code = request_follow(
        r->owner->options.store, &f, r->upto, add_row, r, &count, &err);
    if (code != RX_OK) {
        rx_warn("tee.unread", "name=" RX_STR_FMT " why=%s",
            RX_STR_ARG(r->tee->name), rx_log_quote(err.text));
        return false;
    }
    r->upto = f.until_id;
    return true;
}

/* ---- what became of it -------------------------------------------------------- */

static void
note(struct runner *r, uint64_t status, const char *why)
{
    r->tee->last_ms = rx_clock_wall_ms();
    r->tee->last_status = status;
    if (why != r->why)
        snprintf(r->why, sizeof(r->why), "%s", why);
    r->tee->last_error = field_text(r->why);
    r->dirty = true;
    if (!rx_timer_is_set(&r->owner->save))
        rx_timer_set(&r->owner->save, SAVE_MS);
}

/* The batch is dealt with; `lost` of its rows nobody has. */
static void
move_on(struct runner *r, uint64_t lost)
{
    struct counts *c = &r->owner->counts[r->tee->sink];

    if (lost > r->rows)
        lost = r->rows;
    r->tee->sent += r->rows - lost;
    r->tee->lost += lost;
    *c->sent += r->rows - lost;
    *c->lost += lost;
    r->tee->done = r->upto;
    r->rows = 0;
    r->dirty = true;
}

static void
went_well(struct runner *r, uint64_t status, uint64_t rejected)
{
    move_on(r, rejected);
    note(r, status, rejected > 0 ? "it did not take all of it" : "");
    r->failures = 0;
    if (r->most < BATCH_ROWS)
        r->most = 2 * r->most < BATCH_ROWS ? 2 * r->most : BATCH_ROWS;
    alert_clear(r->owner->options.alerts, ALERT_TEE, r->tee->id);
    rx_timer_set(&r->due, 0);
}

static uint64_t
pause_of(const struct runner *r, uint64_t asked_ms)
{
    uint64_t shift = r->failures < 8 ? r->failures - 1 : 7;
    uint64_t ms = BACKOFF_MS << shift;
    uint32_t dice;

    ms = ms < BACKOFF_MAX ? ms : BACKOFF_MAX;
    rx_random(&dice, sizeof(dice));
    ms = ms * 3 / 4 + ms * (dice % 1000) / 2000; /* a quarter either way */
    if (asked_ms > 5 * BACKOFF_MAX)
        asked_ms = 5 * BACKOFF_MAX;
    return ms > asked_ms ? ms : asked_ms;
}

static void
went_wrong(struct runner *r, uint64_t status, const char *why, bool for_good,
    uint64_t asked_ms)
{
    struct tee *t = r->tee;

    ++*r->owner->counts[t->sink].failed;
    r->failures++;
    rx_warn("tee.failed", "name=" RX_STR_FMT " rows=%zu lost=%d why=%s",
        RX_STR_ARG(t->name), r->rows, (int)for_good, rx_log_quote(why));
    if (r->failures >= ALERT_AFTER)
        alert_raise(r->owner->options.alerts, ALERT_TEE, t->id, t->name,
            "Tee " RX_STR_FMT " does not take what it is sent",
            RX_STR_ARG(t->name));
    if (for_good)
        move_on(r, r->rows);
    note(r, status, why);
    r->rows = 0; /* from the store again: it may be another batch then */
    rx_timer_set(&r->due, for_good ? GATHER_MS : pause_of(r, asked_ms));
}

/* ---- sending ------------------------------------------------------------------ */

/* Of a header block; seconds only, dates are rare. */
static uint64_t
retry_after_ms(rx_str headers)
{
    rx_str line, name, value;
    uint64_t s = 0;

    for (bool more = headers.len > 0; more;) {
        more = rx_str_cut(headers, '\n', &line, &headers);
        if (rx_str_cut(line, ':', &name, &value) &&
            rx_str_ieq(rx_str_trim(name), RX_S("retry-after"))) {
            if (value.len > 0 && value.ptr[value.len - 1] == '\r')
                value.len--;
            if (rx_str_u64(rx_str_trim(value), &s) && s < 86400)
                return s * 1000;
        }
    }
    return 0;
}

static bool
may_come_again(int status)
{
    return status == 408 || status == 425 || status == 429 || status >= 500 ||
           status < 200 || status == 401 || status == 403 || status == 404;
}

static void
on_answer(void *arg, const struct rx_transfer_result *a)
{
    struct runner *r = arg;
    char why[80];

    r->transfer = NULL;
    if (a->code != RX_OK) {
        went_wrong(r, 0, a->why, false, 0);
        return;
    }
    uint64_t status = (uint64_t)a->status;
    if (a->status >= 200 && a->status < 300) {
        went_well(
            r, status, r->tee->sink == TEE_OTLP ? otlp_rejected(a->body) : 0);
        return;
    }
    snprintf(why, sizeof(why), "answered %d", a->status);
    if (a->status == 413 && r->rows > 1) {
        r->most = r->rows / 2;
        went_wrong(r, status, why, false, 0);
        return;
    }
    went_wrong(
        r, status, why, !may_come_again(a->status), retry_after_ms(a->headers));
}

/* As alerts are sent: an event with an id, signed. */
static void
make_event(const struct runner *r, struct rx_buf *out, char timestamp[],
    char signature[])
{
    struct rx_arena *arena = rx_arena_new(1 << 20);

    rx_buf_addf(out, "{\"id\":\"" RX_STR_FMT "\",\"event\":\"requests\",",
        RX_STR_ARG(store_new_id(arena, "evt_")));
    rx_buf_add(out, (rx_str){ r->batch.ptr + 1, r->batch.len - 1 });
    webhook_sign(r->tee->secret, rx_clock_wall_ms() / 1000, rx_buf_str(out),
        timestamp, signature);
    rx_arena_free(arena);
}

static void
post(struct runner *r)
{
    const char *headers[TEE_HEADERS_MAX + 6];
    char lines[TEE_HEADERS_MAX][4096];
    char timestamp[WEBHOOK_HEADER_SIZE], signature[WEBHOOK_HEADER_SIZE];
    const struct tee *t = r->tee;
    struct rx_buf event;
    char url[4096];
    size_t n = 0;
    struct rx_transfer_options o = { .method = "POST",
        .url = url,
        .headers = headers,
        .body = rx_buf_str(&r->batch),
        .connect_ms = CONNECT_MS,
        .total_ms = TOTAL_MS,
        .max_response = 64 << 10 };

    rx_buf_init(&event, BATCH_MAX + 4096);
    headers[n++] = t->sink == TEE_HTTP ? "content-type: application/x-ndjson"
                                       : "content-type: application/json";
    headers[n++] = "user-agent: routex/" ROUTEX_VERSION;
    if (t->sink == TEE_WEBHOOK) {
        make_event(r, &event, timestamp, signature);
        o.body = rx_buf_str(&event);
        headers[n++] = timestamp;
        headers[n++] = signature;
    }
    for (size_t i = 0; i < t->header_count; i++) {
        snprintf(lines[i], sizeof(lines[i]), RX_STR_FMT ": " RX_STR_FMT,
            RX_STR_ARG(t->headers[i].name), RX_STR_ARG(t->headers[i].value));
        headers[n++] = lines[i];
    }
    headers[n] = NULL;
    snprintf(url, sizeof(url), RX_STR_FMT, RX_STR_ARG(t->url));
    r->transfer = rx_transfer_start(r->owner->options.fetch, &o, on_answer, r);
    rx_buf_fini(&event);
    rx_wipe(url, sizeof(url));
    rx_wipe(lines, sizeof(lines));
}

static void
write_file(struct runner *r)
{
    const char *folder = r->owner->options.folder;
    struct rx_err err = { 0 };
    char path[1100];
    struct tee_file f = { path, r->tee->max_bytes, r->tee->keep };

    snprintf(path, sizeof(path), "%s/" RX_STR_FMT ".jsonl", folder,
        RX_STR_ARG(r->tee->name));
    if (mkdir(folder, 0700) != 0 && errno != EEXIST)
        (void)rx_fail(&err, RX_INTERNAL, "%s: %s", folder, strerror(errno));
    else if (tee_file_write(&f, rx_buf_str(&r->batch), &err) == RX_OK) {
        went_well(r, 0, 0);
        return;
    }
    went_wrong(r, 0, err.text, false, 0);
}

/* ---- one turn ----------------------------------------------------------------- */

static void
pass_over(struct runner *r, uint64_t newest)
{
    uint64_t behind = newest - r->tee->done;

    if (behind <= TEES_BEHIND)
        return;
    uint64_t lost = behind - TEES_BEHIND;
    r->tee->lost += lost;
    *r->owner->counts[r->tee->sink].lost += lost;
    r->tee->done += lost;
    rx_error("tee.behind", "name=" RX_STR_FMT " lost=%" PRIu64,
        RX_STR_ARG(r->tee->name), lost);
    note(r, r->tee->last_status, "fell too far behind: rows were passed over");
}

static bool
is_whole(const struct runner *r, uint64_t newest)
{
    return r->upto >= newest || r->rows >= r->most ||
           r->batch.len >= BATCH_BYTES;
}

static void
send_batch(struct runner *r)
{
    if (r->batch.full) { /* one row of this size is not worth a halt */
        went_wrong(r, 0, "the batch is too large", true, 0);
        return;
    }
    close_batch(r);
    if (r->tee->sink == TEE_FILE)
        write_file(r);
    else
        post(r);
}

static void
pump(void *arg)
{
    struct runner *r = arg;
    struct store *store = r->owner->options.store;

    if (r->transfer != NULL || !rx_str_eq(r->tee->status, RX_S("enabled")))
        return;
    uint64_t newest = request_count(store);
    if (r->rows == 0) {
        if (r->tee->done >= newest)
            return;
        pass_over(r, newest);
        open_batch(r);
    }
    if (!gather(r, newest)) {
        r->rows = 0;
        rx_timer_set(&r->due, BACKOFF_MS);
    } else if (r->rows > 0 && is_whole(r, newest)) {
        send_batch(r);
    } else if (r->rows == 0) { /* nothing in there for it */
        r->tee->done = r->upto;
        r->dirty = true;
        rx_timer_set(&r->due, 0);
    } else {
        rx_timer_set(&r->due, 0); /* the others' turn, and the loop's */
    }
}

/* ---- hearing of rows ----------------------------------------------------------- */

static enum rx_code
sink_commit(void *arg, const struct usage_batch *batch, struct rx_err *err)
{
    struct tees *t = arg;
    enum rx_code code = t->inner.commit(t->inner.arg, batch, err);

    for (size_t i = 0; code == RX_OK && i < t->count; i++) {
        struct runner *r = t->at[i];
        if (r->transfer == NULL && !rx_timer_is_set(&r->due))
            rx_timer_set(&r->due, GATHER_MS);
    }
    return code;
}

static enum rx_code
sink_progress(
    void *arg, rx_str plane, uint64_t boot, uint64_t *seq, struct rx_err *err)
{
    struct tees *t = arg;

    return t->inner.progress(t->inner.arg, plane, boot, seq, err);
}

struct usage_sink
tees_sink(struct tees *t, struct usage_sink inner)
{
    t->inner = inner;
    return (struct usage_sink){ t, sink_progress, sink_commit };
}

/* ---- how far they are ------------------------------------------------------------ */

static enum rx_code
save_one(struct store *s, const struct tee *t, struct rx_err *err)
{
    struct db_query *q = db_query(s->db,
        "update tee set done = ?2, sent = ?3, lost = ?4, last_ms = ?5, "
        "last_status = ?6, last_error = ?7 where id = ?1");

    db_bind_str(q, 1, t->id);
    db_bind_u64(q, 2, t->done);
    db_bind_u64(q, 3, t->sent);
    db_bind_u64(q, 4, t->lost);
    db_bind_u64(q, 5, t->last_ms);
    db_bind_u64(q, 6, t->last_status);
    db_bind_str_or_null(q, 7, t->last_error);
    return db_run(q, err);
}

static enum rx_code
save_all(struct tees *t, struct rx_err *err)
{
    struct store *s = t->options.store;
    enum rx_code code = store_begin(s, err);

    if (code != RX_OK)
        return code;
    for (size_t i = 0; code == RX_OK && i < t->count; i++) {
        if (t->at[i]->dirty)
            code = save_one(s, t->at[i]->tee, err);
    }
    if (code == RX_OK)
        return store_commit(s, err);
    store_rollback(s);
    return code;
}

static void
save(void *arg)
{
    struct tees *t = arg;
    struct rx_err err = { 0 };
    bool any = false;

    for (size_t i = 0; i < t->count; i++)
        any = any || t->at[i]->dirty;
    if (!any)
        return;
    if (db_in_transaction(t->options.store->db)) {
        rx_timer_set(&t->save, 1);
        return;
    }
    if (save_all(t, &err) != RX_OK) {
        rx_warn("tee.unsaved", "why=%s", rx_log_quote(err.text));
        rx_timer_set(&t->save, SAVE_MS);
        return;
    }
    for (size_t i = 0; i < t->count; i++)
        t->at[i]->dirty = false;
}

/* ---- which there are -------------------------------------------------------------- */

static void
runner_free(struct runner *r)
{
    rx_transfer_cancel(r->transfer);
    rx_timer_fini(&r->due);
    rx_buf_fini(&r->batch);
    rx_arena_free(r->arena);
    free(r);
}

static struct runner *
runner_of(struct tees *t, rx_str id)
{
    for (size_t i = 0; i < t->count; i++) {
        if (rx_str_eq(t->at[i]->tee->id, id))
            return t->at[i];
    }
    if (t->count == TEE_MOST)
        return NULL;
    struct runner *r = calloc(1, sizeof(*r));
    if (r == NULL)
        abort();
    r->owner = t;
    r->most = BATCH_ROWS;
    rx_buf_init(&r->batch, BATCH_MAX);
    rx_timer_init(&r->due, t->options.loop, pump, r);
    t->at[t->count++] = r;
    return r;
}

/* Start it, or have it go on in a new way; `done` is what it had. */
static void
take_up(struct tees *t, rx_str id)
{
    struct rx_arena *arena = rx_arena_new(ARENA_MAX);
    struct rx_err err = { 0 };
    struct tee *fresh = NULL;

    if (tee_load(t->options.store, arena, id, true, &fresh, &err) != RX_OK) {
        rx_error("tee.unread", "why=%s", rx_log_quote(err.text));
        rx_arena_free(arena);
        return;
    }
    struct runner *r = runner_of(t, fresh->id);
    if (r == NULL) {
        rx_arena_free(arena);
        return;
    }
    r->kept = true;
    if (r->tee != NULL && r->tee->rev == fresh->rev) {
        rx_arena_free(arena);
        return;
    }
    if (r->tee != NULL) { /* … but for what only we know */
        fresh->done = r->tee->done;
        fresh->sent = r->tee->sent;
        fresh->lost = r->tee->lost;
        rx_transfer_cancel(r->transfer);
        r->transfer = NULL;
        r->rows = 0;
        r->failures = 0;
    }
    uint64_t newest = request_count(t->options.store);
    if (fresh->done > newest) /* of a store that was put back */
        fresh->done = newest;
    rx_arena_free(r->arena);
    r->arena = arena;
    r->tee = fresh;
    rx_timer_set(&r->due, 0);
}

static void
drop_gone(struct tees *t)
{
    for (size_t i = t->count; i-- > 0;) {
        struct runner *r = t->at[i];
        if (r->kept)
            continue;
        runner_free(r);
        t->at[i] = t->at[--t->count];
    }
}

static void
read_anew(void *arg)
{
    struct tees *t = arg;
    struct rx_arena *arena = rx_arena_new(ARENA_MAX);
    struct tee *list[TEE_MOST];
    struct rx_err err = { 0 };
    size_t count = 0;

    if (db_in_transaction(t->options.store->db)) {
        rx_timer_set(&t->again, 1);
    } else if (tee_list(t->options.store, arena, false, list, &count, &err) !=
               RX_OK) {
        rx_error("tee.unread", "why=%s", rx_log_quote(err.text));
        rx_timer_set(&t->again, SAVE_MS);
    } else {
        for (size_t i = 0; i < t->count; i++)
            t->at[i]->kept = false;
        for (size_t i = 0; i < count; i++)
            take_up(t, list[i]->id);
        drop_gone(t);
    }
    rx_arena_free(arena);
}

void
tees_changed(struct tees *t)
{
    rx_timer_set(&t->again, 0);
}

void
tees_fill(const struct tees *t, struct tee *loaded)
{
    uint64_t newest = loaded->done + loaded->behind;

    for (size_t i = 0; i < t->count; i++) {
        const struct tee *mine = t->at[i]->tee;
        if (!rx_str_eq(mine->id, loaded->id))
            continue;
        loaded->done = mine->done;
        loaded->sent = mine->sent;
        loaded->lost = mine->lost;
        loaded->last_ms = mine->last_ms;
        loaded->last_status = mine->last_status;
        loaded->last_error = mine->last_error;
        loaded->behind = newest > mine->done ? newest - mine->done : 0;
    }
}

/* ---- numbers -------------------------------------------------------------------- */

void
tees_stats(struct tees *t, struct rx_stat *stat)
{
    for (size_t i = 0; i < TEE_SINK_COUNT; i++) {
        struct rx_stat_labels sink =
            RX_STAT_LABELS({ "sink", tee_sink_names[i] });
        t->counts[i].sent = rx_stat_counter(
            stat, "routex_tee_sent_total", "rows that tees handed on", sink);
        t->counts[i].lost = rx_stat_counter(stat, "routex_tee_lost_total",
            "rows that a tee's sink did not take, or fell too far behind",
            sink);
        t->counts[i].failed = rx_stat_counter(stat, "routex_tee_failures_total",
            "attempts of tees that failed", sink);
    }
}

/* ---- beginning and end ------------------------------------------------------------ */

struct tees *
tees_new(const struct tees_options *options)
{
    struct tees *t = calloc(1, sizeof(*t));

    if (t == NULL)
        abort();
    t->options = *options;
    for (size_t i = 0; i < TEE_SINK_COUNT; i++)
        t->counts[i] = (struct counts){ &t->unseen, &t->unseen, &t->unseen };
    rx_timer_init(&t->save, options->loop, save, t);
    rx_timer_init(&t->again, options->loop, read_anew, t);
    rx_timer_set(&t->again, 0);
    return t;
}

void
tees_free(struct tees *t)
{
    if (t == NULL)
        return;
    save(t);
    for (size_t i = 0; i < t->count; i++)
        runner_free(t->at[i]);
    rx_timer_fini(&t->save);
    rx_timer_fini(&t->again);
    free(t);
}
