/*
 * Looking at the whole: health, numbers, planes, providers, the audit log.
 */
#include <inttypes.h>
#include <stdio.h>

#include "controlplane/alert.h"
#include "controlplane/analytics.h"
#include "controlplane/api.h"
#include "controlplane/captured.h"
#include "controlplane/health.h"
#include "controlplane/openapi.h"
#include "controlplane/provider.h"
#include "controlplane/request.h"
#include "controlplane/tees.h"
#include "shared/clock.h"
#include "shared/transformers.h"

#define DAY_MS ((uint64_t)24 * 3600 * 1000)

/* ---- lists that are not nouns ---- */

enum rx_code
api_providers_list(struct api_call *c, struct rx_err *err)
{
    (void)err;
    rx_json_open_array(&c->w, "data");
    for (const struct provider *p = providers; p->type != NULL; p++)
        provider_put(&c->w, NULL, p);
    rx_json_close(&c->w);
    return RX_OK;
}

enum rx_code
api_transformers_list(struct api_call *c, struct rx_err *err)
{
    (void)err;
    rx_json_open_array(&c->w, "data");
    for (const struct rx_transformer *t = rx_transformers; t->name != NULL; t++)
        rx_transformer_put(&c->w, NULL, t);
    rx_json_close(&c->w);
    return RX_OK;
}

/* ---- planes ---- */

static void
put_rejected(struct rx_json_out *w, const struct plane_info *p)
{
    rx_json_open_array(w, "rejected");
    for (size_t i = 0; i < p->rejected_count; i++) {
        const struct plane_rejected *r = &p->rejected[i];
        rx_json_open_object(w, NULL);
        rx_json_put_str(w, "kind", r->kind);
        rx_json_put_str(w, "id", r->id);
        rx_json_put_str(w, "name", r->name);
        rx_json_put_str(w, "reason", r->reason);
        rx_json_close(w);
    }
    rx_json_close(w);
}

static const char *
plane_state(const struct plane_info *p)
{
    if (p->left)
        return "left";
    if (!p->connected)
        return "lost";
    if (!p->compatible)
        return "incompatible";
    return p->in_sync ? "in_sync" : "behind";
}

static void
put_plane(struct rx_json_out *w, const struct plane_info *p)
{
    rx_json_open_object(w, NULL);
    rx_json_put_str(w, "id", p->id);
    rx_json_put_text(w, "state", plane_state(p));
    rx_json_put_bool(w, "connected", p->connected);
    rx_json_put_bool(w, "in_sync", p->in_sync);
    rx_json_put_str(w, "software", p->software);
    rx_json_open_object(w, "applied");
    rx_json_put_u64(w, "epoch", p->epoch);
    rx_json_put_u64(w, "version", p->version);
    rx_json_close(w);
    put_rejected(w, p);
    rx_json_put_str(w, "client_url", p->client_url);
    rx_json_put_str(w, "ops_url", p->ops_url);
    rx_json_put_u64(w, "requests", p->requests);
    rx_json_put_u64(w, "active", p->active);
    rx_json_open_object(w, "journal");
    rx_json_put_u64(w, "bytes", p->journal_bytes);
    rx_json_put_u64(w, "records", p->journal_records);
    rx_json_put_u64(w, "dropped", p->journal_dropped);
    rx_json_close(w);
    rx_json_put_u64(w, "rss_bytes", p->rss_bytes);
    rx_json_put_time(w, "started_at", p->started_ms);
    rx_json_put_time(w, "seen_at", p->seen_ms);
    rx_json_close(w);
}

static void
put_planes(struct api_call *c, const char *key)
{
    struct collector *collector = c->world->collector;

    rx_json_open_array(&c->w, key);
    for (size_t i = 0; i < collector_plane_count(collector); i++)
        put_plane(&c->w, collector_plane(collector, i));
    rx_json_close(&c->w);
}

enum rx_code
api_planes_list(struct api_call *c, struct rx_err *err)
{
    (void)err;
    put_planes(c, "data");
    return RX_OK;
}

/* ---- one page ---- */

static void
put_published(struct rx_json_out *w, const struct publisher_status *p)
{
    rx_json_open_object(w, "published");
    rx_json_put_u64(w, "epoch", p->epoch);
    rx_json_put_u64(w, "version", p->version);
    rx_json_put_u64(w, "items", p->items);
    rx_json_put_u64(w, "bytes", p->bytes);
    if (p->trouble[0] == '\0')
        rx_json_put_null(w, "trouble");
    else
        rx_json_put_text(w, "trouble", p->trouble);
    rx_json_close(w);
}

static void
put_collected(struct rx_json_out *w, const struct collector_status *s)
{
    rx_json_open_object(w, "collected");
    rx_json_put_u64(w, "batches", s->batches);
    rx_json_put_u64(w, "rows", s->rows);
    rx_json_put_u64(w, "repeated", s->repeated);
    rx_json_put_u64(w, "refused", s->refused);
    rx_json_put_u64(w, "commit_failed", s->commit_failed);
    rx_json_close(w);
}

static enum rx_code
put_channels(struct api_call *c, struct rx_err *err)
{
    struct db_query *q = db_query(c->store->db,
        "select name, type, status, priority from channel "
        "order by priority desc, name limit 200");

    rx_json_open_array(&c->w, "channels");
    while (db_next(q)) {
        rx_json_open_object(&c->w, NULL);
        rx_json_put_str(&c->w, "name", db_str(q, 0));
        rx_json_put_str(&c->w, "type", db_str(q, 1));
        rx_json_put_str(&c->w, "status", db_str(q, 2));
        rx_json_put_i64(&c->w, "priority", db_i64(q, 3));
        rx_json_close(&c->w);
    }
    rx_json_close(&c->w);
    return db_done(q, err);
}

static enum rx_code
put_counts(struct api_call *c, struct rx_err *err)
{
    struct db_query *q = db_query(c->store->db,
        "select (select count(*) from channel), (select count(*) from tenant), "
        "(select count(*) from client_key)");

    rx_json_open_object(&c->w, "counts");
    if (db_next(q)) {
        rx_json_put_u64(&c->w, "channels", db_u64(q, 0));
        rx_json_put_u64(&c->w, "tenants", db_u64(q, 1));
        rx_json_put_u64(&c->w, "keys", db_u64(q, 2));
    }
    rx_json_close(&c->w);
    return db_done(q, err);
}

static enum rx_code
put_last_day(struct api_call *c, struct rx_err *err)
{
    uint64_t now = rx_clock_wall_ms();
    struct analytics_question q = { .since_ms = now - DAY_MS, .until_ms = now };

    analytics_align(&q, now);
    return analytics_total(c->store, &q, &c->w, "last_24h", err);
}

enum rx_code
api_status(struct api_call *c, struct rx_err *err)
{
    struct publisher_status published = publisher_status(c->world->publisher);
    struct collector_status collected = collector_status(c->world->collector);

    rx_json_open_object(&c->w, "data");
    rx_json_put_text(&c->w, "version", ROUTEX_VERSION);
    rx_json_put_u64(&c->w, "uptime_s", api_uptime_s(c->api));
    rx_json_put_time(&c->w, "now", rx_clock_wall_ms());
    put_published(&c->w, &published);
    put_collected(&c->w, &collected);
    enum rx_code code = put_counts(c, err);
    if (code == RX_OK)
        code = put_channels(c, err);
    put_planes(c, "planes");
    if (code == RX_OK)
        code = put_last_day(c, err);
    rx_json_close(&c->w);
    return code;
}

/* ---- health ---- */

struct planes_count {
    size_t connected, in_sync, rejecting;
};

static struct planes_count
count_planes(const struct api_world *world)
{
    struct planes_count n = { 0 };

    for (size_t i = 0; i < collector_plane_count(world->collector); i++) {
        const struct plane_info *p = collector_plane(world->collector, i);
        n.connected += p->connected;
        n.in_sync += p->connected && p->in_sync;
        n.rejecting += p->connected && p->rejected_count > 0;
    }
    return n;
}

/* Can the store be read and written?  An empty transaction tells. */
static enum rx_code
probe_store(struct api_call *c, struct rx_err *err)
{
    enum rx_code code = store_begin(c->store, err);

    if (code == RX_OK)
        store_rollback(c->store);
    return code;
}

static void
write_health(struct api_call *c, const char *status)
{
    struct planes_count n = count_planes(c->world);
    struct publisher_status p = publisher_status(c->world->publisher);

    c->raw_type = "application/json; charset=utf-8";
    rx_json_put_text(&c->w, "status", status);
    rx_json_put_text(&c->w, "version", ROUTEX_VERSION);
    rx_json_put_u64(&c->w, "uptime", api_uptime_s(c->api));
    rx_json_open_object(&c->w, "planes");
    rx_json_put_u64(&c->w, "connected", n.connected);
    rx_json_put_u64(&c->w, "in_sync", n.in_sync);
    rx_json_close(&c->w);
    rx_json_open_object(&c->w, "snapshot");
    rx_json_put_u64(&c->w, "epoch", p.epoch);
    rx_json_put_u64(&c->w, "version", p.version);
    rx_json_close(&c->w);
    rx_json_close(&c->w);
}

enum rx_code
api_health(struct api_call *c, struct rx_err *err)
{
    struct publisher_status p = publisher_status(c->world->publisher);
    struct planes_count n = count_planes(c->world);
    bool well = probe_store(c, err) == RX_OK && p.trouble[0] == '\0' &&
                n.in_sync == n.connected && n.rejecting == 0;

    write_health(c, well ? "healthy" : "degraded");
    return RX_OK;
}

static void
write_text(struct api_call *c, const char *text)
{
    rx_buf_clear(&c->out);
    rx_buf_add(&c->out, field_text(text));
    c->raw_type = "text/plain; charset=utf-8";
}

enum rx_code
api_livez(struct api_call *c, struct rx_err *err)
{
    (void)err;
    write_text(c, "ok\n");
    return RX_OK;
}

enum rx_code
api_readyz(struct api_call *c, struct rx_err *err)
{
    struct publisher_status p = publisher_status(c->world->publisher);

    if (probe_store(c, err) != RX_OK) {
        c->status = 503;
        write_text(c, "the store cannot be written to\n");
    } else if (p.trouble[0] != '\0') {
        c->status = 503;
        write_text(c, "the last change could not be published\n");
    } else {
        write_text(c, "ok\n");
    }
    return RX_OK;
}

/* ---- numbers ---- */

enum rx_code
api_metrics(struct api_call *c, struct rx_err *err)
{
    (void)err;
    rx_buf_clear(&c->out);
    rx_stat_print(api_stat(c->api), &c->out);
    c->raw_type = RX_STAT_CONTENT_TYPE;
    return RX_OK;
}

static double
ask_up(void *arg)
{
    (void)arg;
    return 1;
}

static double
ask_connected(void *arg)
{
    return (double)count_planes(arg).connected;
}

static double
ask_in_sync(void *arg)
{
    return (double)count_planes(arg).in_sync;
}

static double
ask_version(void *arg)
{
    const struct api_world *world = arg;

    return (double)publisher_status(world->publisher).version;
}

static double
ask_rows(void *arg)
{
    const struct api_world *world = arg;

    return (double)collector_status(world->collector).rows;
}

static double
ask_failed(void *arg)
{
    const struct api_world *world = arg;

    return (double)collector_status(world->collector).commit_failed;
}

static double
ask_stored(void *arg)
{
    const struct api_world *world = arg;

    return (double)request_count(world->store);
}

static double
ask_critical(void *arg)
{
    const struct api_world *world = arg;

    return (double)alerts_count(world->alerts, ALERT_CRITICAL);
}

static double
ask_warning(void *arg)
{
    const struct api_world *world = arg;

    return (double)alerts_count(world->alerts, ALERT_WARNING);
}

static double
ask_channels_up(void *arg)
{
    const struct api_world *world = arg;

    return (double)health_count(world->health, PULSE_UP);
}

static double
ask_channels_down(void *arg)
{
    const struct api_world *world = arg;

    return (double)health_count(world->health, PULSE_DOWN);
}

static void
add_labelled(struct rx_stat *stat, struct api_world *world)
{
    static const char alerts[] = "routex_alerts_open";
    static const char health[] = "routex_channels_by_health";

    rx_stat_ask(stat, alerts, "alerts that are open",
        RX_STAT_LABELS({ "severity", "critical" }), ask_critical, world);
    rx_stat_ask(stat, alerts, "alerts that are open",
        RX_STAT_LABELS({ "severity", "warning" }), ask_warning, world);
    rx_stat_ask(stat, health, "channels by what health checks found",
        RX_STAT_LABELS({ "state", "up" }), ask_channels_up, world);
    rx_stat_ask(stat, health, "channels by what health checks found",
        RX_STAT_LABELS({ "state", "down" }), ask_channels_down, world);
}

void
api_ops_stats(struct rx_stat *stat, struct api_world *world)
{
    static const struct {
        const char *name;
        const char *help;
        double (*fn)(void *arg);
    } rows[] = {
        { "routex_planes_connected", "data planes heard from lately",
            ask_connected },
        { "routex_planes_in_sync", "of those, on the current version",
            ask_in_sync },
        { "routex_published_version", "version of the published state",
            ask_version },
        { "routex_usage_rows_collected_total", "usage rows since the start",
            ask_rows },
        { "routex_usage_commits_failed_total", "batches the store did not take",
            ask_failed },
        { "routex_usage_rows_stored", "greatest usage row id", ask_stored },
    };

    rx_stat_ask(stat, "routex_build_info", "the version, as a label",
        RX_STAT_LABELS({ "version", ROUTEX_VERSION }), ask_up, world);
    add_labelled(stat, world);
    tees_stats(world->tees, stat);
    captured_stats(world->captured, stat);
    for (size_t i = 0; i < RX_COUNT(rows); i++)
        rx_stat_ask(stat, rows[i].name, rows[i].help, RX_STAT_NO_LABELS,
            rows[i].fn, world);
}

/* ---- documents ---- */

enum rx_code
api_openapi(struct api_call *c, struct rx_err *err)
{
    (void)err;
    rx_buf_clear(&c->out);
    rx_buf_add(&c->out, field_text(openapi_json));
    c->raw_type = "application/json; charset=utf-8";
    return RX_OK;
}
