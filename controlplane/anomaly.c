#include "controlplane/anomaly.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/request.h"
#include "controlplane/rollup.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/map.h"
#include "shared/money.h"

#define MINUTE_MS ((uint64_t)60000)
#define HOUR_MS   (60 * MINUTE_MS)
#define READ_MS   1000
#define KEPT      100
#define TEXT_SIZE 160

/* spend; millionths of a dollar */
#define HOURS      168
#define HOURS_MIN  12 /* with less it is not known what is usual */
#define SPEND_MIN  UINT64_C(2000000)
#define DEVIATIONS 8
#define CANDIDATES 20
/* loops */
#define ROWS       1000 /* of one reading */
#define BEHIND     5000 /* then the newest only */
#define SESSIONS   4096
#define SLOTS      4 /* of one session: agents work side by side */
#define LOOP_SIZE  64
#define LOOP_COUNT 20
/* errors */
#define BURST_MS   (5 * MINUTE_MS)
#define BURST_MIN  20

enum what { SPEND, LOOP, ERRORS };
static const struct {
    const char *name;
    enum alert_kind alert;
} whats[] = {
    [SPEND] = { "spend", ALERT_SPEND },
    [LOOP] = { "loop", ALERT_LOOP },
    [ERRORS] = { "errors", ALERT_ERRORS },
};

struct anomaly {
    enum what what;
    const char *about; /* "tenant", "key", "channel", "session" */
    char id[TEXT_SIZE], name[TEXT_SIZE];
    uint64_t value, usual; /* millionths of a dollar, requests, permille */
    uint64_t began_ms, seen_ms;
    bool over, touched;
};

/* Requests of a session that are alike. */
struct alike {
    uint64_t bytes, last_ms, count;
    uint32_t model; /* its digest */
};
struct session_seen {
    struct alike slots[SLOTS];
    uint64_t last_ms;
};

struct anomalies {
    struct store *store;
    struct alerts *alerts;
    struct anomaly kept[KEPT]; /* newest last */
    size_t count;
    struct rx_map *sessions;
    uint64_t after_id;
    bool begun;
    struct rx_timer read, look;
    bool runs;
};

/* ---- what is usual --------------------------------------------------------- */

static int
by_size(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

uint64_t
anomaly_median(uint64_t *values, size_t n)
{
    if (n == 0)
        return 0;
    qsort(values, n, sizeof(*values), by_size);
    return n % 2 ? values[n / 2]
                 : values[n / 2 - 1] / 2 + values[n / 2] / 2 +
                       (values[n / 2 - 1] % 2 + values[n / 2] % 2) / 2;
}

/* Few wild hours move neither the median nor the median of what lies off it. */
uint64_t
anomaly_bound(uint64_t *values, size_t n)
{
    uint64_t median = anomaly_median(values, n);

    for (size_t i = 0; i < n; i++)
        values[i] =
            values[i] > median ? values[i] - median : median - values[i];
    uint64_t bound = median + DEVIATIONS * anomaly_median(values, n);
    return bound > 3 * median ? bound : 3 * median;
}

/* ---- noting ------------------------------------------------------------------ */

static void
keep(char to[TEXT_SIZE], rx_str s)
{
    snprintf(to, TEXT_SIZE, "%.*s",
        (int)(s.len < TEXT_SIZE - 1 ? s.len : TEXT_SIZE - 1),
        s.len > 0 ? s.ptr : "");
}

static rx_str
alert_id(const struct anomaly *n, char room[2 * TEXT_SIZE])
{
    int len = snprintf(room, 2 * TEXT_SIZE, "%s/%s", n->about, n->id);

    return (rx_str){ room, (size_t)len };
}

static void
say(const struct anomalies *a, const struct anomaly *n)
{
    char room[2 * TEXT_SIZE], value[RX_DECIMAL_SIZE], usual[RX_DECIMAL_SIZE];
    rx_str name = { n->name, strlen(n->name) };
    rx_str id = alert_id(n, room);

    if (a->alerts == NULL)
        return;
    rx_decimal_format((int64_t)n->value, 6, value);
    rx_decimal_format((int64_t)n->usual, 6, usual);
    if (n->what == SPEND)
        alert_raise(a->alerts, ALERT_SPEND, id, name,
            "The %s %s spent %s dollars this hour; %s are usual", n->about,
            n->name, value, usual);
    else if (n->what == LOOP)
        alert_raise(a->alerts, ALERT_LOOP, id, name,
            "A session sends the same again and again: %" PRIu64
            " requests alike in a row, with the key %s",
            n->value, n->name);
    else
        alert_raise(a->alerts, ALERT_ERRORS, id, name,
            "%" PRIu64 " %% of the requests of the %s %s failed in five "
            "minutes; %" PRIu64 " %% are usual",
            n->value / 10, n->about, n->name, n->usual / 10);
}

static struct anomaly *
find(struct anomalies *a, enum what what, const char *about, rx_str id)
{
    for (size_t i = a->count; i-- > 0;) {
        struct anomaly *n = &a->kept[i];
        if (!n->over && n->what == what && strcmp(n->about, about) == 0 &&
            strlen(n->id) == id.len && memcmp(n->id, id.ptr, id.len) == 0)
            return n;
    }
    return NULL;
}

static void
finish(struct anomalies *a, struct anomaly *n)
{
    char room[2 * TEXT_SIZE];

    n->over = true;
    if (a->alerts != NULL)
        alert_clear(a->alerts, whats[n->what].alert, alert_id(n, room));
}

static struct anomaly *
make(struct anomalies *a)
{
    if (a->count == KEPT) {
        if (!a->kept[0].over)
            finish(a, &a->kept[0]);
        memmove(a->kept, a->kept + 1, (KEPT - 1) * sizeof(a->kept[0]));
        a->count--;
    }
    a->kept[a->count] = (struct anomaly){ .began_ms = rx_clock_wall_ms() };
    return &a->kept[a->count++];
}

static void
found(struct anomalies *a, enum what what, const char *about, rx_str id,
    rx_str name, uint64_t value, uint64_t usual)
{
    struct anomaly *n;

    if (id.len >= TEXT_SIZE)
        id.len = TEXT_SIZE - 1;
    n = find(a, what, about, id);
    if (n == NULL) {
        n = make(a);
        n->what = what;
        n->about = about;
        keep(n->id, id);
        rx_warn("anomaly.found",
            "what=%s %s=%s value=%" PRIu64 " usual=%" PRIu64, whats[what].name,
            about, rx_log_quote(n->id), value, usual);
    }
    keep(n->name, name.len > 0 ? name : id);
    n->value = value;
    n->usual = usual;
    n->seen_ms = rx_clock_wall_ms();
    n->touched = true;
    say(a, n);
}

/* What was not found again is over. */
static void
finish_untouched(struct anomalies *a)
{
    uint64_t now = rx_clock_wall_ms();

    for (size_t i = 0; i < a->count; i++) {
        struct anomaly *n = &a->kept[i];
        bool stays =
            n->what == LOOP ? now - n->seen_ms < 2 * MINUTE_MS : n->touched;
        if (!n->over && !stays)
            finish(a, n);
        n->touched = false;
    }
}

/* ---- loops -------------------------------------------------------------------- */

static uint32_t
digest(rx_str s)
{
    uint32_t h = 2166136261U;

    for (size_t i = 0; i < s.len; i++)
        h = (h ^ (unsigned char)s.ptr[i]) * 16777619U;
    return h;
}

static struct session_seen *
session_of(struct anomalies *a, rx_str id)
{
    struct session_seen *s = rx_map_get(a->sessions, id);

    if (s != NULL)
        return s;
    if (rx_map_count(a->sessions) >= SESSIONS) {
        rx_map_free(a->sessions, free); /* the busy ones are back at once */
        a->sessions = rx_map_new();
    }
    s = calloc(1, sizeof(*s));
    if (s == NULL)
        abort();
    rx_map_put(a->sessions, id, s);
    return s;
}

/* The slot it goes on with, or the one longest unused, begun anew. */
static struct alike *
slot_of(struct session_seen *s, uint32_t model, uint64_t bytes, uint64_t ms)
{
    struct alike *oldest = &s->slots[0];

    for (size_t i = 0; i < SLOTS; i++) {
        struct alike *l = &s->slots[i];
        uint64_t off = l->bytes > bytes ? l->bytes - bytes : bytes - l->bytes;
        if (l->count > 0 && l->model == model && off <= LOOP_SIZE &&
            ms < l->last_ms + MINUTE_MS)
            return l;
        if (l->last_ms < oldest->last_ms)
            oldest = l;
    }
    *oldest = (struct alike){ .model = model, .bytes = bytes };
    return oldest;
}

static void
take_row(struct anomalies *a, struct db_query *q)
{
    rx_str session = db_str(q, 1);
    uint64_t ms = db_u64(q, 4);

    a->after_id = db_u64(q, 0);
    if (session.len == 0)
        return;
    struct session_seen *s = session_of(a, session);
    struct alike *l = slot_of(s, digest(db_str(q, 2)), db_u64(q, 3), ms);
    l->last_ms = s->last_ms = ms;
    if (++l->count >= LOOP_COUNT)
        found(a, LOOP, "session", session,
            db_str(q, 6).len > 0 ? db_str(q, 6) : db_str(q, 5), l->count, 1);
}

enum rx_code
anomalies_read(struct anomalies *a, struct rx_err *err)
{
    uint64_t newest = request_count(a->store);

    if (!a->begun || newest > a->after_id + BEHIND)
        a->after_id = newest; /* what was before we came is past */
    a->begun = true;
    struct db_query *q = db_query(a->store->db,
        "select r.id, r.session, r.model_requested, r.request_bytes, "
        "r.started_ms, r.key_id, k.name from request r not indexed "
        "left join client_key k on k.id = r.key_id where r.id > ?1 and "
        "r.operation <> 'count' order by r.id limit ?2");
    db_bind_u64(q, 1, a->after_id);
    db_bind_u64(q, 2, ROWS);
    while (db_next(q))
        take_row(a, q);
    return db_done(q, err);
}

/* ---- spending ------------------------------------------------------------------ */

struct named {
    char id[TEXT_SIZE], name[TEXT_SIZE];
    uint64_t a, b;
};

/* Names with two numbers; kept, because others are asked meanwhile. */
static enum rx_code
gather(struct db_query *q, struct named *out, size_t *count, struct rx_err *err)
{
    while (*count < CANDIDATES && db_next(q)) {
        struct named *n = &out[(*count)++];
        keep(n->id, db_str(q, 0));
        keep(n->name, db_str(q, 1));
        n->a = db_u64(q, 2);
        n->b = db_u64(q, 3);
    }
    return db_done(q, err);
}

static enum rx_code
past_hours(struct anomalies *a, enum rollup_dim dim, const char *id,
    uint64_t hour, uint64_t *out, size_t *count, struct rx_err *err)
{
    struct db_query *q = db_query(a->store->db,
        "with recursive h(at) as (select ?3 - 3600000 union all select at - "
        "3600000 from h where at > ?3 - 604800000) select cost / 1000000 from "
        "h cross join usage_sum u on u.level = 1 and u.dim = ?1 and "
        "u.at_ms = h.at and u.name = ?2 where cost >= 1000000");

    *count = 0;
    db_bind_i64(q, 1, dim);
    db_bind_str(q, 2, (rx_str){ id, strlen(id) });
    db_bind_u64(q, 3, hour);
    while (*count < HOURS && db_next(q))
        out[(*count)++] = db_u64(q, 0);
    return db_done(q, err);
}

static enum rx_code
judge_spend(struct anomalies *a, enum rollup_dim dim, const char *about,
    const struct named *n, uint64_t hour, struct rx_err *err)
{
    uint64_t values[HOURS];
    size_t count;

    enum rx_code code = past_hours(a, dim, n->id, hour, values, &count, err);
    if (code != RX_OK || count < HOURS_MIN)
        return code;
    uint64_t usual = anomaly_median(values, count);
    if (n->a > anomaly_bound(values, count))
        found(a, SPEND, about, (rx_str){ n->id, strlen(n->id) },
            (rx_str){ n->name, strlen(n->name) }, n->a, usual);
    return RX_OK;
}

static enum rx_code
look_at_spend(struct anomalies *a, enum rollup_dim dim, struct rx_err *err)
{
    uint64_t now = rx_clock_wall_ms(), hour = now - now % HOUR_MS;
    struct named names[CANDIDATES];
    size_t count = 0;
    struct db_query *q = db_query(a->store->db,
        dim == ROLLUP_TENANT
            ? "select u.name, t.name, u.cost / 1000000, 0 from usage_sum u "
              "left join tenant t on t.id = u.name where level = 1 and "
              "dim = ?1 and at_ms = ?2 and cost / 1000000 >= ?3 "
              "order by cost desc limit 20"
            : "select u.name, k.name, u.cost / 1000000, 0 from usage_sum u "
              "left join client_key k on k.id = u.name where level = 1 and "
              "dim = ?1 and at_ms = ?2 and cost / 1000000 >= ?3 "
              "order by cost desc limit 20");

    db_bind_i64(q, 1, dim);
    db_bind_u64(q, 2, hour);
    db_bind_u64(q, 3, SPEND_MIN);
    enum rx_code code = gather(q, names, &count, err);
    for (size_t i = 0; code == RX_OK && i < count; i++)
        code = judge_spend(a, dim, dim == ROLLUP_TENANT ? "tenant" : "key",
            &names[i], hour, err);
    return code;
}

/* ---- errors --------------------------------------------------------------------- */

/* Failures of the day before, in thousandths; before this burst began. */
static enum rx_code
usual_errors(struct anomalies *a, enum rollup_dim dim, const char *id,
    uint64_t *permille, struct rx_err *err)
{
    uint64_t now = rx_clock_wall_ms(), hour = now - now % HOUR_MS;
    struct db_query *q = db_query(a->store->db,
        "with recursive h(at) as (select ?3 - 3600000 union all select at - "
        "3600000 from h where at > ?3 - 86400000) select coalesce(sum(failed) "
        "* 1000 / sum(requests), 0) from h cross join usage_sum u on "
        "u.level = 1 and u.dim = ?1 and u.at_ms = h.at and u.name = ?2");

    db_bind_i64(q, 1, dim);
    db_bind_str(q, 2, (rx_str){ id, strlen(id) });
    db_bind_u64(q, 3, hour);
    *permille = db_next(q) ? db_u64(q, 0) : 0;
    return db_done(q, err);
}

static enum rx_code
look_at_errors(struct anomalies *a, enum rollup_dim dim, struct rx_err *err)
{
    struct named names[CANDIDATES];
    size_t count = 0;
    struct db_query *q = db_query(a->store->db,
        dim == ROLLUP_KEY
            ? "select u.name, (select name from client_key where id = u.name), "
              "sum(requests) r, sum(failed) f from usage_sum u where level = 0 "
              "and dim = ?1 and at_ms >= ?2 and u.name <> '' group by 1 "
              "having f >= ?3 and f * 2 >= r order by f desc limit 20"
            : "select u.name, (select name from channel where id = u.name), "
              "sum(requests) r, sum(failed) f from usage_sum u where level = 0 "
              "and dim = ?1 and at_ms >= ?2 and u.name <> '' group by 1 "
              "having f >= ?3 and f * 2 >= r order by f desc limit 20");

    db_bind_i64(q, 1, dim);
    db_bind_u64(q, 2, rx_clock_wall_ms() - BURST_MS);
    db_bind_u64(q, 3, BURST_MIN);
    enum rx_code code = gather(q, names, &count, err);
    for (size_t i = 0; code == RX_OK && i < count; i++) {
        const struct named *n = &names[i];
        uint64_t now = n->b * 1000 / n->a, usual;
        code = usual_errors(a, dim, n->id, &usual, err);
        if (code == RX_OK && now >= 4 * usual)
            found(a, ERRORS, dim == ROLLUP_KEY ? "key" : "channel",
                (rx_str){ n->id, strlen(n->id) },
                (rx_str){ n->name, strlen(n->name) }, now, usual);
    }
    return code;
}

enum rx_code
anomalies_look(struct anomalies *a, struct rx_err *err)
{
    enum rx_code code = rollup_flush(a->store->rollup, err);

    if (code == RX_OK)
        code = look_at_spend(a, ROLLUP_TENANT, err);
    if (code == RX_OK)
        code = look_at_spend(a, ROLLUP_KEY, err);
    if (code == RX_OK)
        code = look_at_errors(a, ROLLUP_KEY, err);
    if (code == RX_OK)
        code = look_at_errors(a, ROLLUP_CHANNEL, err);
    if (code == RX_OK)
        finish_untouched(a);
    return code;
}

/* ---- outside ------------------------------------------------------------------- */

static void
put_one(const struct anomaly *n, struct rx_json_out *w)
{
    rx_json_open_object(w, NULL);
    rx_json_put_text(w, "kind", whats[n->what].name);
    rx_json_put_text(w, "about", n->about);
    rx_json_put_text(w, "id", n->id);
    rx_json_put_text(w, "name", n->name);
    rx_json_put_time(w, "began_at", n->began_ms);
    rx_json_put_time(w, "seen_at", n->seen_ms);
    rx_json_put_bool(w, "over", n->over);
    if (n->what == SPEND) {
        rx_decimal_put(w, "value", (int64_t)n->value, 6);
        rx_decimal_put(w, "usual", (int64_t)n->usual, 6);
    } else {
        unsigned scale = n->what == ERRORS ? 3 : 0;
        rx_decimal_put(w, "value", (int64_t)n->value, scale);
        rx_decimal_put(w, "usual", (int64_t)n->usual, scale);
    }
    rx_json_close(w);
}

void
anomalies_put(const struct anomalies *a, struct rx_json_out *w)
{
    for (size_t i = a->count; i-- > 0;)
        put_one(&a->kept[i], w);
}

static void
warn(const struct rx_err *err)
{
    rx_warn("anomaly.unread", "why=%s", rx_log_quote(err->text));
}

static void
on_read(void *arg)
{
    struct anomalies *a = arg;
    struct rx_err err = { 0 };

    rx_timer_set(&a->read, READ_MS);
    if (!db_in_transaction(a->store->db) && anomalies_read(a, &err) != RX_OK)
        warn(&err);
}

static void
on_look(void *arg)
{
    struct anomalies *a = arg;
    struct rx_err err = { 0 };

    rx_timer_set(&a->look, MINUTE_MS);
    if (!db_in_transaction(a->store->db) && anomalies_look(a, &err) != RX_OK)
        warn(&err);
}

struct anomalies *
anomalies_new(struct store *store, struct alerts *alerts)
{
    struct anomalies *a = calloc(1, sizeof(*a));

    if (a == NULL)
        abort();
    a->store = store;
    a->alerts = alerts;
    a->sessions = rx_map_new();
    return a;
}

void
anomalies_run(struct anomalies *a, struct rx_loop *loop)
{
    rx_timer_init(&a->read, loop, on_read, a);
    rx_timer_init(&a->look, loop, on_look, a);
    a->runs = true;
    rx_timer_set(&a->read, 1);
    rx_timer_set(&a->look, READ_MS);
}

void
anomalies_free(struct anomalies *a)
{
    if (a == NULL)
        return;
    if (a->runs) {
        rx_timer_fini(&a->read);
        rx_timer_fini(&a->look);
    }
    rx_map_free(a->sessions, free);
    free(a);
}
