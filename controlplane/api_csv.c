/*
 * GET /api/usage.csv: rows or sums as a file, however long, written a slice per
 * tick of the loop and no faster than it is read.
 */
#include <stdlib.h>

#include "controlplane/analytics.h"
#include "controlplane/api.h"
#include "controlplane/request.h"
#include "controlplane/retention.h"
#include "shared/clock.h"
#include "shared/log.h"

#define SLICE_MAX   ((size_t)32 << 20)
#define EXPORTS_MAX 8     /* at a time */
#define NAMES_MAX   20000 /* of one bucket */
#define BUCKETS_MAX 3000

struct export
{
    struct api_call *call;
    struct rx_task task;
    struct rx_buf text;
    bool blocked;
    bool ended;
    bool by_rows;
    struct request_filter filter; /* by rows */
    struct analytics_question q;  /* by sums: what is left of it */
    enum rollup_dim by;
    uint64_t span_ms; /* of one bucket; 0: all in one */
};

static unsigned exports; /* under way */

/* ---- a slice --------------------------------------------------------------- */

static enum rx_code
add_bucket(struct export *x, bool *more, struct rx_err *err)
{
    struct analytics_question one = x->q;

    if (x->span_ms > 0 && one.until_ms - one.since_ms > x->span_ms)
        one.until_ms = one.since_ms + x->span_ms;
    enum rx_code code =
        analytics_csv(x->call->store, &one, x->by, NAMES_MAX, &x->text, err);
    x->q.since_ms = one.until_ms;
    *more = x->q.since_ms < x->q.until_ms;
    return code;
}

static enum rx_code
add_slice(struct export *x, bool *more, struct rx_err *err)
{
    enum rx_code code = x->by_rows ? request_csv(x->call->store, &x->filter,
                                         &x->text, more, err)
                                   : add_bucket(x, more, err);

    if (code == RX_OK && x->text.full)
        return rx_fail(err, RX_TOO_BIG, "the answer is too long; ask for less");
    return code;
}

/* Nothing can be said any more but that the file is not whole. */
static void
give_up(struct export *x, const struct rx_err *err)
{
    rx_warn("usage.csv_cut", "why=%s", rx_log_quote(err->text));
    x->ended = true;
    rx_httpd_abort(x->call->req);
}

static void
go_on(struct export *x, bool more)
{
    if (x->text.len > 0)
        x->blocked = !rx_httpd_write(x->call->req, rx_buf_str(&x->text));
    rx_buf_clear(&x->text);
    if (!more) {
        x->ended = true;
        rx_httpd_end(x->call->req);
    } else if (!x->blocked) {
        rx_loop_post(x->call->world->loop, &x->task);
    }
}

static void
on_turn(void *arg)
{
    struct export *x = arg;
    struct rx_err err = { 0 };
    bool more = false;

    if (x->blocked || x->ended)
        return;
    if (add_slice(x, &more, &err) == RX_OK)
        go_on(x, more);
    else
        give_up(x, &err);
}

static void
on_drained(void *arg)
{
    struct export *x = arg;

    x->blocked = false;
    if (!x->ended)
        rx_loop_post(x->call->world->loop, &x->task);
}

static void
on_gone(void *arg)
{
    struct export *x = arg;

    rx_loop_unpost(x->call->world->loop, &x->task);
    rx_buf_fini(&x->text);
    free(x);
    exports--;
}

/* ---- the question ------------------------------------------------------------ */

static enum rx_code
read_one_by(
    struct api_call *c, struct export *x, rx_str word, struct rx_err *err)
{
    bool hour = rx_str_eq(word, RX_S("hour"));

    if (hour || rx_str_eq(word, RX_S("day"))) {
        if (x->span_ms > 0)
            return api_wrong(c, err, "by", "takes one of hour and day");
        x->span_ms = rollup_span(hour ? ROLLUP_HOUR : ROLLUP_DAY);
        return RX_OK;
    }
    if (x->by != ROLLUP_TOTAL)
        return api_wrong(c, err, "by",
            "takes one of tenant, key, channel, model, rule, tag, agent "
            "and client");
    if (!analytics_dim(word, &x->by))
        return api_wrong(c, err, "by",
            "must be hour or day, or one of tenant, key, channel, model, rule, "
            "tag, agent, client, or both, as in day,model");
    return RX_OK;
}

static enum rx_code
read_by(struct api_call *c, struct export *x, struct rx_err *err)
{
    rx_str rest = api_query(c, "by");
    enum rx_code code = RX_OK;
    rx_str one;

    x->by = ROLLUP_TOTAL;
    x->by_rows = rest.len == 0;
    for (bool more = rest.len > 0; code == RX_OK && more;) {
        more = rx_str_cut(rest, ',', &one, &rest);
        code = read_one_by(c, x, one, err);
    }
    return code;
}

static enum rx_code
read_rows(struct api_call *c, struct export *x, struct rx_err *err)
{
    const rx_str *only = x->q.only;

    x->filter = (struct request_filter){
        .tenant = only[ROLLUP_TENANT],
        .key = only[ROLLUP_KEY],
        .channel = only[ROLLUP_CHANNEL],
        .model = only[ROLLUP_MODEL],
        .rule = only[ROLLUP_RULE],
        .tag = only[ROLLUP_TAG],
        .agent = only[ROLLUP_AGENT],
        .client = only[ROLLUP_CLIENT],
        .outcome = api_query(c, "outcome"),
        .since_ms = x->q.since_ms,
        .until_ms = x->q.until_ms,
    };
    return api_query_u64(c, "status", 100, 599, 0, &x->filter.status, err);
}

/* Buckets are whole. */
static enum rx_code
widen(struct api_call *c, struct export *x, struct rx_err *err)
{
    struct analytics_question *q = &x->q;
    uint64_t now = rx_clock_wall_ms();

    if (x->span_ms == rollup_span(ROLLUP_HOUR) &&
        q->since_ms + RETENTION_HOURS_MS < now)
        return api_wrong(c, err, "by", "hours are kept for a hundred days");
    analytics_align(q, now);
    if (x->span_ms == 0)
        return RX_OK;
    q->since_ms -= q->since_ms % x->span_ms;
    q->until_ms += (x->span_ms - q->until_ms % x->span_ms) % x->span_ms;
    if ((q->until_ms - q->since_ms) / x->span_ms > BUCKETS_MAX)
        return api_wrong(c, err, "by", "is too fine for so long a range");
    return RX_OK;
}

static enum rx_code
read_question(struct api_call *c, struct export *x, struct rx_err *err)
{
    enum rx_code code = read_by(c, x, err);

    if (code == RX_OK)
        code = api_span(c, &x->q, err);
    if (code == RX_OK)
        code = api_only(c, &x->q, err);
    if (code == RX_OK)
        code = x->by_rows ? read_rows(c, x, err) : widen(c, x, err);
    if (code == RX_OK)
        code = api_query_done(c, err);
    return code;
}

/* ---- the answer -------------------------------------------------------------- */

static struct export *
export_new(struct api_call *c)
{
    struct export *x = calloc(1, sizeof(*x));

    if (x == NULL)
        abort();
    exports++;
    x->call = c;
    x->task = (struct rx_task){ .fn = on_turn, .arg = x };
    rx_buf_init(&x->text, SLICE_MAX);
    return x;
}

/* What goes wrong with the first slice is said as with any other route. */
static enum rx_code
begin(struct api_call *c, struct export *x, bool *more, struct rx_err *err)
{
    enum rx_code code = read_question(c, x, err);

    if (code != RX_OK)
        return code;
    if (x->by_rows)
        request_csv_head(&x->text);
    else
        analytics_csv_head(&x->text);
    return add_slice(x, more, err);
}

enum rx_code
api_usage_csv(struct api_call *c, struct rx_err *err)
{
    static const char type[] = "text/csv; charset=utf-8; header=present";
    bool more = false;

    if (exports >= EXPORTS_MAX)
        return api_busy(c, 5, err);
    struct export *x = export_new(c);
    enum rx_code code = begin(c, x, &more, err);
    bool head = rx_str_eq(rx_httpd_head(c->req)->method, RX_S("HEAD"));
    if (code != RX_OK || head) {
        on_gone(x);
        c->raw_type = code == RX_OK ? type : NULL;
        rx_buf_clear(&c->out);
        return code;
    }
    rx_buf_add(&c->headers,
        RX_S("content-disposition: attachment; filename=\"usage.csv\"\r\n"));
    c->later = true;
    api_stream(c, type);
    c->cancel = on_gone;
    c->cancel_arg = x;
    c->drained = on_drained;
    go_on(x, more);
    return RX_OK;
}
