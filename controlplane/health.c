#include "controlplane/health.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/health_rows.h"
#include "controlplane/probe.h"
#include "controlplane/pulse.h"
#include "controlplane/settings.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/map.h"
#include "shared/secret.h"

#define AT_ONCE   ((size_t)8)
#define TICK_MS   250
#define IDLE_MS   5000
#define ARENA_MAX ((size_t)16 << 20)
#define TROUBLE   "unhealthy"

struct patient {
    char id[64], name[128];
    bool checked; /* it is enabled, and so are checks of it */
    uint64_t interval_ms;
    struct pulse pulse;
    uint64_t due_ms; /* loop time */
    uint64_t seen;   /* the round it was last found in */
    /* While a check runs. */
    struct probe *probe;
    struct rx_arena *arena;
    struct health *health;
};

struct health {
    struct health_options o;
    struct settings_health rule;
    struct rx_map *patients; /* by id */
    size_t running;
    uint64_t round;
    bool stale; /* channels or settings are others */
    struct rx_timer tick;
};

static rx_str
text(const char *s)
{
    return (rx_str){ s, strlen(s) };
}

static uint32_t
dice(void)
{
    uint32_t n;

    rx_random(&n, sizeof(n));
    return n;
}

/* ---- who is to be checked ----------------------------------------------------- */

static void
keep(char *to, size_t size, rx_str s)
{
    size_t n = s.len < size - 1 ? s.len : size - 1;

    if (n > 0)
        memcpy(to, s.ptr, n);
    to[n] = '\0';
}

static struct patient *
patient_of(struct health *h, rx_str id)
{
    struct patient *p = rx_map_get(h->patients, id);

    if (p != NULL)
        return p;
    p = calloc(1, sizeof(*p));
    if (p == NULL)
        abort();
    keep(p->id, sizeof(p->id), id);
    p->health = h;
    rx_map_put(h->patients, id, p);
    return p;
}

static void
set_due(struct patient *p)
{
    p->due_ms = rx_loop_ms(p->health->o.loop) +
                pulse_wait(&p->pulse, p->interval_ms, dice());
}

static void
withdraw(struct patient *p)
{
    alert_clear(p->health->o.alerts, ALERT_CHANNEL_DOWN, text(p->id));
    troubles_unsay(p->health->o.troubles, text(p->id), TROUBLE);
}

static void
say(struct patient *p)
{
    struct health *h = p->health;
    /* It is said anew with each check; when checks end, so does it. */
    uint64_t lasts = 3 * (p->interval_ms + h->rule.timeout_ms) + 10000;

    if (p->pulse.state != PULSE_DOWN) {
        withdraw(p);
        return;
    }
    alert_raise(h->o.alerts, ALERT_CHANNEL_DOWN, text(p->id), text(p->name),
        "Channel %s fails its health checks", p->name);
    troubles_say(
        h->o.troubles, text(p->id), TROUBLE, rx_loop_ms(h->o.loop) + lasts);
}

static void
take_channel(struct health *h, struct db_query *q)
{
    struct patient *p = patient_of(h, db_str(q, 0));
    bool fresh = p->seen == 0;
    bool was = p->checked;
    uint64_t interval = db_u64(q, 3) > 0 ? db_u64(q, 3) : h->rule.interval_ms;

    keep(p->name, sizeof(p->name), db_str(q, 1));
    p->seen = h->round;
    p->checked = h->rule.enabled && db_i64(q, 2) != 0;
    if (fresh || was != p->checked || interval != p->interval_ms) {
        p->interval_ms = interval;
        set_due(p);
    }
    if (was && !p->checked)
        withdraw(p);
}

static void
drop(struct health *h, struct patient *p)
{
    withdraw(p);
    rx_map_remove(h->patients, text(p->id));
    free(p);
}

/* Channels that are gone; one that is being asked goes when it has answered. */
static void
drop_gone(struct health *h)
{
    size_t at = 0;
    rx_str key;
    void *value = NULL;

    while (rx_map_next(h->patients, &at, &key, &value)) {
        struct patient *p = value;
        if (p->seen == h->round || p->probe != NULL)
            continue;
        drop(h, p);
        at = 0;
    }
}

static void
read_rule(struct health *h)
{
    struct rx_arena *arena = rx_arena_new(ARENA_MAX);
    struct settings s;

    if (settings_load(h->o.store, arena, &s, NULL) == RX_OK)
        h->rule = s.health;
    rx_arena_free(arena);
}

static void
refresh(struct health *h)
{
    struct rx_err err = { 0 };

    read_rule(h);
    h->round++;
    struct db_query *q = db_query(h->o.store->db,
        "select id, name, status = 'enabled' "
        "and coalesce(json_extract(health_check, '$.enabled'), 1) <> 0, "
        "cast(coalesce(json_extract(health_check, '$.interval_s'), 0) "
        "* 1000 as integer) from channel");
    while (db_next(q))
        take_channel(h, q);
    if (db_done(q, &err) != RX_OK) {
        rx_warn("health.unread", "why=%s", rx_log_quote(err.text));
        return;
    }
    h->stale = false;
    drop_gone(h);
}

/* ---- one check ------------------------------------------------------------------ */

static void
end_check(struct patient *p)
{
    rx_arena_free(p->arena);
    p->arena = NULL;
    p->probe = NULL;
    p->health->running--;
    set_due(p);
}

static void
on_result(void *arg, const struct probe_result *r)
{
    struct patient *p = arg;
    struct health *h = p->health;
    bool good = r->verdict != PROBE_BAD;
    uint64_t now = rx_clock_wall_ms();
    bool turned =
        pulse_beat(&p->pulse, good, h->rule.failures, h->rule.successes, now);

    health_row_add(h->o.store, text(p->id), now, r);
    if (r->ok)
        demo_proven(h->o.demo, text(p->id));
    rx_debug("health.checked", "channel=%s verdict=%s ms=%u", p->name,
        probe_verdict_name(r->verdict), r->total_ms);
    if (turned && p->pulse.state == PULSE_DOWN)
        rx_warn("channel.down", "channel=%s why=%s", p->name,
            rx_log_quote(r->message));
    else if (turned)
        rx_info("channel.up", "channel=%s ms=%u", p->name, r->total_ms);
    end_check(p);
    if (p->checked)
        say(p);
}

static void
begin_check(struct health *h, struct patient *p)
{
    struct probe_wish wish = { .total_ms = (uint32_t)h->rule.timeout_ms };
    struct channel *ch;
    struct rx_err err = { 0 };
    const char *field;

    p->arena = rx_arena_new(ARENA_MAX);
    h->running++;
    enum rx_code code =
        channel_load(h->o.store, p->arena, text(p->id), true, &ch, &err);
    if (code == RX_OK)
        code = probe_prepare(&p->probe, p->arena, ch, &wish, &field, &err);
    if (code != RX_OK) { /* no key yet, or a way that cannot be asked cheaply */
        rx_debug("health.passed", "channel=%s why=%s", p->name,
            rx_log_quote(err.text));
        end_check(p);
        return;
    }
    probe_start(p->probe, h->o.fetch, on_result, p);
}

static void
on_tick(void *arg)
{
    struct health *h = arg;
    uint64_t now = rx_loop_ms(h->o.loop);
    uint64_t next = now + IDLE_MS;
    size_t at = 0;
    rx_str key;
    void *value = NULL;

    rx_timer_set(&h->tick, TICK_MS);
    if (db_in_transaction(h->o.store->db))
        return;
    if (h->stale)
        refresh(h);
    while (rx_map_next(h->patients, &at, &key, &value)) {
        struct patient *p = value;
        if (!p->checked || p->probe != NULL)
            continue;
        if (p->due_ms <= now && h->running < AT_ONCE)
            begin_check(h, p);
        if (p->due_ms < next)
            next = p->due_ms;
    }
    if (next > now + TICK_MS && !h->stale)
        rx_timer_set(&h->tick, next - now);
}

/* ---- showing ---------------------------------------------------------------------- */

size_t
health_count(const struct health *h, enum pulse_state state)
{
    size_t at = 0, n = 0;
    rx_str key;
    void *value = NULL;

    while (rx_map_next(h->patients, &at, &key, &value)) {
        const struct patient *p = value;
        n += p->checked && p->pulse.state == state;
    }
    return n;
}

const char *
health_state(const struct health *h, rx_str channel)
{
    const struct patient *p =
        h != NULL ? rx_map_get(h->patients, channel) : NULL;

    return pulse_name(p != NULL && p->checked ? p->pulse.state : PULSE_UNKNOWN);
}

enum rx_code
health_put(struct health *h, rx_str channel, size_t limit,
    struct rx_json_out *w, const char *key, struct rx_err *err)
{
    const struct patient *p = rx_map_get(h->patients, channel);
    bool checked = p != NULL && p->checked;
    uint64_t now = rx_loop_ms(h->o.loop);

    rx_json_open_object(w, key);
    rx_json_put_text(
        w, "state", pulse_name(checked ? p->pulse.state : PULSE_UNKNOWN));
    rx_json_put_bool(w, "checked", checked);
    rx_json_put_time(w, "since", checked ? p->pulse.since_ms : 0);
    rx_json_put_u64(w, "failures_in_a_row", checked ? p->pulse.bad : 0);
    field_put_seconds(
        w, "interval_s", p != NULL ? p->interval_ms : h->rule.interval_ms);
    rx_json_put_time(w, "next_at",
        checked ? rx_clock_wall_ms() + (p->due_ms > now ? p->due_ms - now : 0)
                : 0);
    enum rx_code code = health_rows_put(h->o.store, channel, limit, w, err);
    rx_json_close(w);
    return code;
}

/* ---- beginning and end -------------------------------------------------------------- */

static void
replay(void *arg, rx_str channel, uint64_t at_ms, bool good)
{
    struct health *h = arg;
    struct patient *p = rx_map_get(h->patients, channel);

    if (p != NULL)
        pulse_beat(&p->pulse, good, h->rule.failures, h->rule.successes, at_ms);
}

struct health *
health_new(const struct health_options *options)
{
    struct health *h = calloc(1, sizeof(*h));
    size_t at = 0;
    rx_str key;
    void *value = NULL;

    if (h == NULL)
        abort();
    h->o = *options;
    h->patients = rx_map_new();
    h->stale = true;
    rx_timer_init(&h->tick, h->o.loop, on_tick, h);
    refresh(h);
    health_rows_replay(h->o.store, replay, h);
    while (rx_map_next(h->patients, &at, &key, &value)) {
        struct patient *p = value;
        set_due(p);
        if (p->checked && p->pulse.state == PULSE_DOWN)
            say(p);
    }
    rx_timer_set(&h->tick, TICK_MS);
    return h;
}

void
health_free(struct health *h)
{
    size_t at = 0;
    rx_str key;
    void *value = NULL;

    if (h == NULL)
        return;
    while (rx_map_next(h->patients, &at, &key, &value)) {
        struct patient *p = value;
        if (p->probe != NULL)
            probe_cancel(p->probe);
        rx_arena_free(p->arena);
    }
    rx_map_free(h->patients, free);
    rx_timer_fini(&h->tick);
    free(h);
}

void
health_changed(struct health *h)
{
    h->stale = true;
    rx_timer_set(&h->tick, 0);
}

void
health_forget(struct health *h, rx_str channel)
{
    struct patient *p = rx_map_get(h->patients, channel);

    if (p == NULL)
        return;
    p->pulse = (struct pulse){ 0 };
    withdraw(p);
}
