/*
 * A batch on its way, and what became of it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "controlplane/otlp.h"
#include "controlplane/tee_file.h"
#include "controlplane/tees.h"
#include "controlplane/tees_parts.h"
#include "controlplane/webhook.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/secret.h"

#define CONNECT_MS  5000
#define TOTAL_MS    15000
#define BACKOFF_MAX ((uint64_t)60000)
#define ALERT_AFTER 3

void
tee_note(struct runner *r, uint64_t status, const char *why)
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
    tee_note(r, status, rejected > 0 ? "it did not take all of it" : "");
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
    tee_note(r, status, why);
    r->rows = 0; /* from the store again: it may be another batch then */
    rx_timer_set(&r->due, for_good ? GATHER_MS : pause_of(r, asked_ms));
}

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

void
tee_send_batch(struct runner *r)
{
    if (r->batch.full) { /* one row of this size is not worth a halt */
        went_wrong(r, 0, "the batch is too large", true, 0);
        return;
    }
    tee_close_batch(r);
    if (r->tee->sink == TEE_FILE)
        write_file(r);
    else
        post(r);
}
