#include "controlplane/settings.h"

#include <assert.h>

#include "controlplane/retention.h"
#include "shared/clock.h"
#include "shared/pattern.h"

#define BACKUP_S_MAX ((uint64_t)90 * 86400)
#define DAYS_MAX     36500
#define MIB          ((uint64_t)1 << 20)
#define HOUR_MS      ((uint64_t)3600 * 1000)
/* A year. */
#define LOGIN_MAX_S  ((uint64_t)366 * 24 * 3600)

const char *const settings_strategies[] = { "priority", "weighted",
    "round_robin", "least_used", "latency", "cost", "headroom", "drain", NULL };
static const char *const log_levels[] = { "error", "warn", "info", "debug",
    NULL };
static const char *const trace_policies[] = { "off", "client", "always", NULL };
static const char *const journal_policies[] = { "keep-serving", "refuse",
    NULL };

void
settings_init(struct settings *s)
{
    *s = (struct settings){
        .health = {
            .enabled = true,
            .interval_ms = 300000,
            .timeout_ms = 10000,
            .usage_ms = 90000,
            .failures = 3,
            .successes = 2,
        },
        .state = {
            .strategy = RX_S("priority"),
            .breaker = {
                .window_ms = 30000,
                .min_samples = 5,
                .failure_pct = 50,
                .in_a_row = 5,
                .open_ms = 15000,
                .open_max_ms = 120000,
            },
            .max_wait_ms = 5000,
            .session_ttl_ms = 5 * 3600 * 1000,
            .timeouts = {
                .connect_ms = 10000,
                .first_byte_ms = 300000,
                .first_event_ms = 300000,
                .idle_ms = 120000,
            },
            .max_attempts = 4,
            .max_body_bytes = 32 * MIB,
            .journal_limit_bytes = 1024 * MIB,
            .journal_full = RX_S("keep-serving"),
            .trace_upstream = RX_S("client"),
            .capture = { .max_bytes = 64 << 10 },
        },
        .backups = { 24 * 3600 * 1000, 7 },
        .login = {
            .idle_ms = 8 * HOUR_MS,
            .absolute_ms = 7 * 24 * HOUR_MS,
        },
        .audit_days = 365,
        .retention = { .requests_days = 365, .attempts_days = 90 },
        .capture_keep_s = 7 * 86400,
    };
}

static void
read_timeouts(struct state_timeouts *t, rx_json body)
{
    const struct {
        const char *name;
        uint32_t *ms;
        bool needed;
    } rows[] = { { "connect_s", &t->connect_ms, true },
        { "first_byte_s", &t->first_byte_ms, true },
        { "first_event_s", &t->first_event_ms, true },
        { "idle_s", &t->idle_ms, true }, { "total_s", &t->total_ms, false } };
    rx_json v;

    if (!rx_json_get_object(body, "timeouts", &v))
        return;
    for (size_t i = 0; i < RX_COUNT(rows); i++) {
        field_read_seconds(v, rows[i].name, rows[i].ms);
        if (rows[i].needed && *rows[i].ms == 0)
            rx_json_wrong_member(v, rows[i].name,
                "must be greater than 0 (only total_s may be unlimited)");
    }
    rx_json_no_more(v);
}

static void
read_count(rx_json body, const char *name, uint64_t max, uint32_t *out)
{
    uint64_t value = *out;

    rx_json_get_u64(body, name, 1, max, &value);
    *out = (uint32_t)value;
}

static void
read_breaker(struct state_breaker *b, rx_json body)
{
    rx_json v;

    if (!rx_json_get_object(body, "breaker", &v))
        return;
    field_read_seconds(v, "window_s", &b->window_ms);
    read_count(v, "min_samples", 1000, &b->min_samples);
    read_count(v, "failure_percent", 100, &b->failure_pct);
    read_count(v, "failures_in_a_row", 1000, &b->in_a_row);
    field_read_seconds(v, "open_s", &b->open_ms);
    field_read_seconds(v, "open_max_s", &b->open_max_ms);
    if (b->open_ms == 0)
        rx_json_wrong_member(v, "open_s", "must be greater than 0");
    if (b->open_max_ms < b->open_ms)
        rx_json_wrong_member(v, "open_max_s", "must not be less than open_s");
    rx_json_no_more(v);
}

static void
read_journal(struct state_settings *s, rx_json body)
{
    rx_json v;

    if (!rx_json_get_object(body, "journal", &v))
        return;
    rx_json_get_u64(
        v, "limit_bytes", MIB, 1024 * 1024 * MIB, &s->journal_limit_bytes);
    field_read_word(v, "when_full", journal_policies, &s->journal_full);
    rx_json_no_more(v);
}

/* Whole seconds: a session may last for months. */
static void
read_backups(struct backup_plan *plan, rx_json body)
{
    uint64_t every_s = plan->every_ms / 1000;
    rx_json v;

    if (!rx_json_get_object(body, "backups", &v))
        return;
    rx_json_get_u64(v, "every_s", 0, BACKUP_S_MAX, &every_s);
    rx_json_get_u64(v, "keep", 1, 1000, &plan->keep);
    plan->every_ms = every_s * 1000;
    rx_json_no_more(v);
}

static void
read_login(struct session_limits *l, rx_json body)
{
    uint64_t idle_s = l->idle_ms / 1000, absolute_s = l->absolute_ms / 1000;
    rx_json v;

    if (!rx_json_get_object(body, "login", &v))
        return;
    rx_json_get_u64(v, "idle_s", 60, LOGIN_MAX_S, &idle_s);
    rx_json_get_u64(v, "absolute_s", 60, LOGIN_MAX_S, &absolute_s);
    if (absolute_s < idle_s)
        rx_json_wrong_member(v, "absolute_s", "must not be less than idle_s");
    rx_json_no_more(v);
    *l = (struct session_limits){ idle_s * 1000, absolute_s * 1000 };
}

static void
read_retention(struct settings_retention *r, rx_json body)
{
    rx_json v;

    if (!rx_json_get_object(body, "retention", &v))
        return;
    rx_json_get_u64(v, "requests_days", 0, DAYS_MAX, &r->requests_days);
    rx_json_get_u64(v, "attempts_days", 0, DAYS_MAX, &r->attempts_days);
    if (r->requests_days > 0 && r->requests_days < RETENTION_REQUESTS_MIN)
        rx_json_wrong_member(v, "requests_days",
            "must be at least 32 (limits of a month are counted from the rows) "
            "or 0, which is for ever");
    rx_json_no_more(v);
}

static void
read_health(struct settings_health *h, rx_json body)
{
    uint32_t interval = (uint32_t)h->interval_ms;
    uint32_t timeout = (uint32_t)h->timeout_ms;
    uint32_t usage = (uint32_t)h->usage_ms;
    rx_json v;

    if (!rx_json_get_object(body, "health", &v))
        return;
    rx_json_get_bool(v, "enabled", &h->enabled);
    field_read_seconds(v, "interval_s", &interval);
    field_read_seconds(v, "timeout_s", &timeout);
    field_read_seconds(v, "usage_interval_s", &usage);
    if (usage > 0 && usage < 1000)
        rx_json_wrong_member(v, "usage_interval_s", "must be at least 1, or 0");
    read_count(v, "failures", 100, &h->failures);
    read_count(v, "successes", 100, &h->successes);
    if (interval < 1000)
        rx_json_wrong_member(v, "interval_s", "must be at least 1");
    if (timeout < 100)
        rx_json_wrong_member(v, "timeout_s", "must be at least 0.1");
    rx_json_no_more(v);
    h->interval_ms = interval;
    h->timeout_ms = timeout;
    h->usage_ms = usage;
}

static void
read_texts(rx_json body, const char *name, size_t most, struct rx_arena *arena,
    const rx_str **list, size_t *count)
{
    struct field_list read = { *list, *count };

    field_read_list(body, name, FIELD_PATCH, most, arena, &read);
    *list = read.at;
    *count = read.count;
}

static void
check_patterns(const struct state_capture *c, rx_json body)
{
    for (size_t i = 0; i < c->pattern_count; i++) {
        struct rx_err err = { 0 };
        struct rx_pattern *p = NULL;
        if (rx_pattern_new(&p, c->patterns[i], &err) != RX_OK) {
            rx_json_wrong_member(body, "patterns", "%s", err.text);
            return;
        }
        rx_pattern_free(p);
    }
}

static void
read_capture(struct settings *s, rx_json body, struct rx_arena *arena)
{
    struct state_capture *c = &s->state.capture;
    uint64_t max = c->max_bytes;
    rx_json v;

    if (!rx_json_get_object(body, "capture", &v))
        return;
    rx_json_get_bool(v, "enabled", &c->enabled);
    read_texts(v, "tenants", 128, arena, &c->tenants, &c->tenant_count);
    read_texts(v, "keys", 128, arena, &c->keys, &c->key_count);
    read_texts(v, "patterns", 1000, arena, &c->patterns, &c->pattern_count);
    check_patterns(c, v);
    rx_json_get_u64(v, "max_bytes", 256, MIB, &max);
    c->max_bytes = (uint32_t)max;
    rx_json_get_u64(
        v, "keep_s", 60, 3650 * UINT64_C(86400), &s->capture_keep_s);
    rx_json_no_more(v);
}

void
settings_read(struct settings *s, rx_json body, enum field_mode mode,
    struct rx_arena *arena)
{
    static const char *const shown_only[] = { "updated_at", NULL };
    struct state_settings *st = &s->state;
    uint64_t attempts = st->max_attempts;

    if (!rx_json_want(body, RX_JSON_OBJECT))
        return;
    if (mode == FIELD_REPLACE) {
        uint64_t rev = s->rev;
        settings_init(s);
        s->rev = rev;
        attempts = st->max_attempts;
    }
    field_read_word(body, "strategy", settings_strategies, &st->strategy);
    read_breaker(&st->breaker, body);
    field_read_seconds(body, "max_wait_s", &st->max_wait_ms);
    field_read_seconds(body, "session_ttl_s", &st->session_ttl_ms);
    read_timeouts(&st->timeouts, body);
    rx_json_get_u64(body, "max_attempts", 1, 8, &attempts);
    st->max_attempts = (uint32_t)attempts;
    rx_json_get_bool(body, "strict_translation", &st->strict_translation);
    rx_json_get_u64(
        body, "max_body_bytes", 1024, 1024 * MIB, &st->max_body_bytes);
    read_journal(st, body);
    if (rx_json_kind(rx_json_member(body, "log_level")) == RX_JSON_NULL)
        st->log_level = (rx_str){ 0 };
    field_read_word(body, "log_level", log_levels, &st->log_level);
    field_read_word(
        body, "trace_upstream", trace_policies, &st->trace_upstream);
    read_capture(s, body, arena);
    read_health(&s->health, body);
    read_login(&s->login, body);
    rx_json_get_u64(body, "audit_days", 1, DAYS_MAX, &s->audit_days);
    read_retention(&s->retention, body);
    read_backups(&s->backups, body);
    field_ignore(body, mode, shown_only);
    rx_json_no_more(body);
}

static void
put_timeouts(struct rx_json_out *w, const struct state_timeouts *t)
{
    rx_json_open_object(w, "timeouts");
    field_put_seconds(w, "connect_s", t->connect_ms);
    field_put_seconds(w, "first_byte_s", t->first_byte_ms);
    field_put_seconds(w, "first_event_s", t->first_event_ms);
    field_put_seconds(w, "idle_s", t->idle_ms);
    field_put_seconds(w, "total_s", t->total_ms);
    rx_json_close(w);
}

/* 0 is a value here, where other spans have none. */
static void
put_span(struct rx_json_out *w, const char *key, uint64_t ms)
{
    if (ms == 0)
        rx_json_put_u64(w, key, 0);
    else
        field_put_seconds(w, key, ms);
}

static void
put_breaker(struct rx_json_out *w, const struct state_breaker *b)
{
    rx_json_open_object(w, "breaker");
    put_span(w, "window_s", b->window_ms);
    rx_json_put_u64(w, "min_samples", b->min_samples);
    rx_json_put_u64(w, "failure_percent", b->failure_pct);
    rx_json_put_u64(w, "failures_in_a_row", b->in_a_row);
    field_put_seconds(w, "open_s", b->open_ms);
    field_put_seconds(w, "open_max_s", b->open_max_ms);
    rx_json_close(w);
}

static void
put_health(struct rx_json_out *w, const struct settings_health *h)
{
    rx_json_open_object(w, "health");
    rx_json_put_bool(w, "enabled", h->enabled);
    field_put_seconds(w, "interval_s", h->interval_ms);
    field_put_seconds(w, "timeout_s", h->timeout_ms);
    put_span(w, "usage_interval_s", h->usage_ms);
    rx_json_put_u64(w, "failures", h->failures);
    rx_json_put_u64(w, "successes", h->successes);
    rx_json_close(w);
}

static void
put_capture(struct rx_json_out *w, const struct settings *s)
{
    const struct state_capture *c = &s->state.capture;

    rx_json_open_object(w, "capture");
    rx_json_put_bool(w, "enabled", c->enabled);
    field_put_list(
        w, "tenants", &(struct field_list){ c->tenants, c->tenant_count });
    field_put_list(w, "keys", &(struct field_list){ c->keys, c->key_count });
    field_put_list(
        w, "patterns", &(struct field_list){ c->patterns, c->pattern_count });
    rx_json_put_u64(w, "max_bytes", c->max_bytes);
    rx_json_put_u64(w, "keep_s", s->capture_keep_s);
    rx_json_close(w);
}

void
settings_put(struct rx_json_out *w, const char *key, const struct settings *s)
{
    const struct state_settings *st = &s->state;

    rx_json_open_object(w, key);
    rx_json_put_str(w, "strategy", st->strategy);
    put_timeouts(w, &st->timeouts);
    rx_json_put_u64(w, "max_attempts", st->max_attempts);
    rx_json_put_bool(w, "strict_translation", st->strict_translation);
    put_span(w, "max_wait_s", st->max_wait_ms);
    put_span(w, "session_ttl_s", st->session_ttl_ms);
    put_breaker(w, &st->breaker);
    put_health(w, &s->health);
    if (st->log_level.len == 0)
        rx_json_put_null(w, "log_level");
    else
        rx_json_put_str(w, "log_level", st->log_level);
    put_capture(w, s);
    rx_json_put_str(w, "trace_upstream", st->trace_upstream);
    rx_json_put_u64(w, "max_body_bytes", st->max_body_bytes);
    rx_json_open_object(w, "journal");
    rx_json_put_u64(w, "limit_bytes", st->journal_limit_bytes);
    rx_json_put_str(w, "when_full", st->journal_full);
    rx_json_close(w);
    rx_json_open_object(w, "backups");
    rx_json_put_u64(w, "every_s", s->backups.every_ms / 1000);
    rx_json_put_u64(w, "keep", s->backups.keep);
    rx_json_close(w);
    rx_json_open_object(w, "login");
    rx_json_put_u64(w, "idle_s", s->login.idle_ms / 1000);
    rx_json_put_u64(w, "absolute_s", s->login.absolute_ms / 1000);
    rx_json_close(w);
    rx_json_put_u64(w, "audit_days", s->audit_days);
    rx_json_open_object(w, "retention");
    rx_json_put_u64(w, "requests_days", s->retention.requests_days);
    rx_json_put_u64(w, "attempts_days", s->retention.attempts_days);
    rx_json_close(w);
    rx_json_put_time(w, "updated_at", s->updated_ms);
    rx_json_close(w);
}

enum rx_code
settings_wish(
    struct settings *s, struct rx_arena *arena, rx_str body, struct rx_err *err)
{
    struct rx_json_doc *doc;
    enum rx_code code = rx_json_parse(&doc, body, NULL, err);

    if (code != RX_OK)
        return code;
    field_adopt(arena, doc);
    settings_read(s, rx_json_root(doc), FIELD_PATCH, arena);
    const struct rx_json_fault *fault = rx_json_fault(doc);
    if (fault != NULL)
        return rx_fail(err, RX_INVALID, "%s: %s", fault->field, fault->text);
    return RX_OK;
}

enum rx_code
settings_load(struct store *store, struct rx_arena *arena, struct settings *out,
    struct rx_err *err)
{
    struct db_query *q =
        db_query(store->db, "select body, rev, updated_ms from setting");

    settings_init(out);
    if (db_next(q)) {
        rx_json body = field_parse(arena, db_str(q, 0));
        settings_read(out, body, FIELD_PATCH, arena);
        out->rev = db_u64(q, 1);
        out->updated_ms = db_u64(q, 2);
    }
    return db_done(q, err);
}

enum rx_code
settings_save(struct store *store, struct settings *s, struct rx_err *err)
{
    struct rx_buf text;

    assert(db_in_transaction(store->db));
    s->rev++;
    s->updated_ms = rx_clock_wall_ms();
    rx_buf_init(&text, 64 << 10);
    struct rx_json_out w = rx_json_out(&text);
    settings_put(&w, NULL, s);
    struct db_query *q = db_query(store->db,
        "insert or replace into setting (id, body, rev, updated_ms) "
        "values (1, ?, ?, ?)");
    db_bind_str(q, 1, rx_buf_str(&text));
    db_bind_u64(q, 2, s->rev);
    db_bind_u64(q, 3, s->updated_ms);
    rx_buf_fini(&text);
    enum rx_code code = db_run(q, err);
    if (code == RX_OK)
        store_touch(store, STATE_SETTINGS, (rx_str){ 0 });
    return code;
}
