#include "controlplane/live.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "shared/clock.h"
#include "shared/json.h"
#include "shared/log.h"

#define ROWS_AT_ONCE ((size_t)100) /* then the others' turn, and the loop's */
#define SECOND_MS    1000
#define QUIET_MS     ((uint64_t)15000)
/* Then it comes back, and shows its credential again. */
#define LIFE_MS      ((uint64_t)15 * 60 * 1000)
#define TEXT_MAX     ((size_t)8 << 20)

struct live_reader {
    struct rx_link link;
    struct live *live;
    struct rx_httpd_req *req;
    struct request_filter filter;
    bool stats;
    bool blocked; /* until its connection drained */
    bool ended;
    uint64_t after_id;
    uint64_t began_ms, wrote_ms;
};

/* What was committed since the last stats. */
struct second {
    uint64_t requests, errors, input, output;
};

struct live {
    struct rx_loop *loop;
    struct store *store;
    struct collector *collector;
    struct usage_sink inner;
    struct rx_list readers;
    struct rx_task task;
    struct rx_timer beat;
    struct second now;
    uint64_t beat_ms; /* when `now` began */
    struct rx_buf text;
};

/* ---- writing ------------------------------------------------------------- */

static void
flush(struct live_reader *r)
{
    struct rx_buf *text = &r->live->text;

    if (text->len > 0) {
        r->blocked = !rx_httpd_write(r->req, rx_buf_str(text));
        r->wrote_ms = rx_loop_ms(r->live->loop);
    }
    rx_buf_clear(text);
}

static void
add_row(void *user, uint64_t id, rx_str json)
{
    struct live_reader *r = user;
    struct rx_buf *text = &r->live->text;

    rx_buf_addf(text, "id: %" PRIu64 "\nevent: request\ndata: ", id);
    rx_buf_add(text, json);
    rx_buf_add(text, RX_S("\n\n"));
    r->after_id = id;
}

static void
skip_to(struct live_reader *r, uint64_t id)
{
    rx_buf_addf(&r->live->text,
        "id: %" PRIu64 "\nevent: gap\ndata: {\"missed\":%" PRIu64 "}\n\n", id,
        id - r->after_id);
    r->after_id = id;
}

/* Some of what it has not seen; true when there is more. */
static bool
feed(struct live_reader *r, uint64_t newest)
{
    struct rx_err err = { 0 };
    size_t count = 0;

    if (r->blocked || r->ended || r->after_id >= newest)
        return false;
    if (newest - r->after_id > LIVE_BEHIND)
        skip_to(r, newest - LIVE_BEHIND);
    r->filter.limit = ROWS_AT_ONCE;
    enum rx_code code = request_follow(
        r->live->store, &r->filter, r->after_id, add_row, r, &count, &err);
    if (code != RX_OK) {
        rx_warn("live.unread", "why=%s", rx_log_quote(err.text));
        rx_buf_clear(&r->live->text);
        return false; /* the next commit tries again */
    }
    if (count < ROWS_AT_ONCE)
        r->after_id = newest; /* the rest does not fit its filter */
    flush(r);
    return r->after_id < newest && !r->blocked;
}

static void
pump(void *arg)
{
    struct live *l = arg;
    struct rx_link *link;
    bool more = false;

    if (l->readers.count == 0)
        return;
    uint64_t newest = request_count(l->store);
    RX_LIST_FOREACH(link, &l->readers) {
        if (feed(RX_LIST_ITEM(link, struct live_reader, link), newest))
            more = true;
    }
    if (more)
        rx_loop_post(l->loop, &l->task);
}

/* ---- every second --------------------------------------------------------- */

static void
put_planes(struct live *l, struct rx_json_out *w)
{
    uint64_t active = 0;

    rx_json_open_array(w, "planes");
    for (size_t i = 0; i < collector_plane_count(l->collector); i++) {
        const struct plane_info *p = collector_plane(l->collector, i);
        if (!p->connected)
            continue;
        active += p->active;
        rx_json_open_object(w, NULL);
        rx_json_put_str(w, "id", p->id);
        rx_json_put_u64(w, "active", p->active);
        rx_json_put_u64(w, "requests", p->requests);
        rx_json_close(w);
    }
    rx_json_close(w);
    rx_json_put_u64(w, "active", active);
}

static void
write_stats(struct live *l, struct rx_buf *text)
{
    uint64_t span = rx_loop_ms(l->loop) - l->beat_ms;
    double per_s = span > 0 ? 1000.0 / (double)span : 0;
    const struct {
        const char *name;
        uint64_t n;
    } rates[] = { { "requests_per_s", l->now.requests },
        { "errors_per_s", l->now.errors },
        { "input_tokens_per_s", l->now.input },
        { "output_tokens_per_s", l->now.output },
        { "tokens_per_s", l->now.input + l->now.output } };

    rx_buf_add(text, RX_S("event: stats\ndata: "));
    struct rx_json_out w = rx_json_out(text);
    rx_json_open_object(&w, NULL);
    rx_json_put_time(&w, "at", rx_clock_wall_ms());
    for (size_t i = 0; i < RX_COUNT(rates); i++) {
        /* Tenths are enough for people. */
        uint64_t tenths = (uint64_t)((double)rates[i].n * per_s * 10 + 0.5);
        rx_json_put_number(&w, rates[i].name, (double)tenths / 10);
    }
    put_planes(l, &w);
    rx_json_close(&w);
    rx_buf_add(text, RX_S("\n\n"));
}

static void
end(struct live_reader *r)
{
    if (!r->ended)
        rx_httpd_end(r->req);
    r->ended = true;
}

static void
beat_one(struct live_reader *r, rx_str stats)
{
    struct live *l = r->live;
    uint64_t now = rx_loop_ms(l->loop);

    if (now - r->began_ms > LIFE_MS)
        end(r);
    if (r->blocked || r->ended)
        return;
    if (r->stats)
        rx_buf_add(&l->text, stats);
    else if (now - r->wrote_ms >= QUIET_MS)
        rx_buf_add(&l->text, RX_S(": still here\n\n"));
    flush(r);
}

static void
beat(void *arg)
{
    struct live *l = arg;
    struct rx_link *link;
    struct rx_buf stats;

    if (l->readers.count == 0)
        return;
    rx_buf_init(&stats, TEXT_MAX);
    write_stats(l, &stats);
    RX_LIST_FOREACH(link, &l->readers)
        beat_one(
            RX_LIST_ITEM(link, struct live_reader, link), rx_buf_str(&stats));
    rx_buf_fini(&stats);
    l->now = (struct second){ 0 };
    l->beat_ms = rx_loop_ms(l->loop);
    rx_timer_set(&l->beat, SECOND_MS);
}

/* ---- hearing of rows -------------------------------------------------------- */

static uint64_t
sum(const struct usage_counts *u, unsigned from, unsigned to)
{
    uint64_t n = 0;

    for (unsigned c = from; c <= to; c++)
        n += (u->has >> c & 1) != 0 ? u->n[c] : 0;
    return n;
}

static void
count_row(struct second *s, const struct usage_row *row)
{
    s->requests++;
    s->errors += !rx_str_eq(row->outcome, RX_S("ok")) &&
                 !rx_str_eq(row->outcome, RX_S("cancelled"));
    s->input += sum(&row->usage, COUNT_in_uncached, COUNT_in_tool_use);
    s->output += sum(&row->usage, COUNT_out_total, COUNT_out_total);
}

static enum rx_code
sink_commit(void *arg, const struct usage_batch *batch, struct rx_err *err)
{
    struct live *l = arg;
    enum rx_code code = l->inner.commit(l->inner.arg, batch, err);

    if (code != RX_OK || l->readers.count == 0)
        return code;
    for (size_t i = 0; i < batch->row_count; i++)
        count_row(&l->now, &batch->rows[i]);
    rx_loop_post(l->loop, &l->task);
    return RX_OK;
}

static enum rx_code
sink_progress(
    void *arg, rx_str plane, uint64_t boot, uint64_t *seq, struct rx_err *err)
{
    struct live *l = arg;

    return l->inner.progress(l->inner.arg, plane, boot, seq, err);
}

struct usage_sink
live_sink(struct live *l, struct usage_sink inner)
{
    l->inner = inner;
    return (struct usage_sink){ l, sink_progress, sink_commit };
}

/* ---- readers ------------------------------------------------------------------ */

bool
live_has_room(const struct live *l)
{
    return l->readers.count < LIVE_READERS;
}

struct live_reader *
live_join(struct live *l, struct rx_httpd_req *req,
    const struct live_options *options)
{
    struct live_reader *r = calloc(1, sizeof(*r));

    if (r == NULL)
        abort();
    uint64_t newest = request_count(l->store);
    r->live = l;
    r->req = req;
    r->filter = options->filter;
    r->stats = options->stats;
    r->after_id = newest;
    if (options->resume)
        r->after_id = options->after_id;
    else if (options->filter.since_ms > 0)
        r->after_id = request_before(l->store, options->filter.since_ms);
    if (r->after_id > newest)
        r->after_id = newest;
    r->began_ms = rx_loop_ms(l->loop);
    rx_list_append(&l->readers, &r->link);
    /* No event, but what a client that has seen none comes back with. */
    rx_buf_addf(&l->text, "retry: 1000\nid: %" PRIu64 "\n\n", r->after_id);
    flush(r);
    rx_loop_post(l->loop, &l->task);
    if (!rx_timer_is_set(&l->beat)) {
        l->now = (struct second){ 0 };
        l->beat_ms = rx_loop_ms(l->loop);
        rx_timer_set(&l->beat, SECOND_MS);
    }
    return r;
}

void
live_drained(struct live_reader *r)
{
    r->blocked = false;
    rx_loop_post(r->live->loop, &r->live->task);
}

void
live_leave(struct live_reader *r)
{
    rx_list_remove(&r->live->readers, &r->link);
    free(r);
}

/* ---- beginning and end ---------------------------------------------------------- */

struct live *
live_new(struct rx_loop *loop, struct store *store)
{
    struct live *l = calloc(1, sizeof(*l));

    if (l == NULL)
        abort();
    l->loop = loop;
    l->store = store;
    l->task = (struct rx_task){ .fn = pump, .arg = l };
    rx_list_init(&l->readers);
    rx_timer_init(&l->beat, loop, beat, l);
    rx_buf_init(&l->text, TEXT_MAX);
    return l;
}

void
live_watch(struct live *l, struct collector *collector)
{
    l->collector = collector;
}

void
live_stop(struct live *l)
{
    struct rx_link *link;

    RX_LIST_FOREACH(link, &l->readers)
        end(RX_LIST_ITEM(link, struct live_reader, link));
}

void
live_free(struct live *l)
{
    if (l == NULL)
        return;
    rx_timer_fini(&l->beat);
    rx_loop_unpost(l->loop, &l->task);
    rx_buf_fini(&l->text);
    free(l);
}
