/*
 * The control plane's parts are made, run and unmade.
 */
#include "controlplane/control.h"

#include <signal.h>

#include "controlplane/agents.h"
#include "controlplane/alert.h"
#include "controlplane/alert_watch.h"
#include "controlplane/anomaly.h"
#include "controlplane/api.h"
#include "controlplane/assets.h"
#include "controlplane/backup.h"
#include "controlplane/captured.h"
#include "controlplane/collector.h"
#include "controlplane/delivery.h"
#include "controlplane/demo.h"
#include "controlplane/health.h"
#include "controlplane/limiter.h"
#include "controlplane/live.h"
#include "controlplane/local_token.h"
#include "controlplane/login.h"
#include "controlplane/oauth.h"
#include "controlplane/publisher.h"
#include "controlplane/request.h"
#include "controlplane/retention.h"
#include "controlplane/rollup.h"
#include "controlplane/source.h"
#include "controlplane/store.h"
#include "controlplane/tees.h"
#include "controlplane/token_keeper.h"
#include "controlplane/window_poll.h"
#include "controlplane/windows.h"
#include "shared/envelope.h"
#include "shared/fetch.h"

#define DRAIN_MS 5000

static void
on_told(void *arg)
{
    deliveries_wake(arg);
}

static enum rx_code
open_alerts(struct control *c, struct rx_err *err)
{
    enum rx_code code = alerts_open(&c->alerts, c->loop, c->store, err);

    if (code != RX_OK)
        return code;
    c->deliveries = deliveries_new(c->loop, c->fetch, c->store, c->alerts);
    alerts_on_told(c->alerts, on_told, c->deliveries);
    c->tees = tees_new(&(struct tees_options){ .loop = c->loop,
        .fetch = c->fetch,
        .store = c->store,
        .alerts = c->alerts,
        .folder = c->place.tees });
    return RX_OK;
}

static enum rx_code
open_oauth(struct control *c, struct rx_err *err)
{
    struct oauth_options options = {
        .loop = c->loop,
        .fetch = c->fetch,
        .store = c->store,
        .troubles = collector_troubles(c->collector),
        .alerts = c->alerts,
        .changes = c->options.oauth.at,
        .change_count = c->options.oauth.count,
    };
    enum rx_code code = oauth_open(&c->oauth, &options, err);

    if (code != RX_OK)
        return rx_because(err, "--oauth");
    return RX_OK;
}

static enum rx_code
open_planes(struct control *c, struct rx_err *err)
{
    struct publisher_options publish = {
        .url = c->place.publish,
        .tls_cert_key_file = c->options.tls_file,
        .lock_file = c->place.publish_lock,
    };
    struct collector_options collect = {
        .url = c->place.pull,
        .tls_cert_key_file = c->options.tls_file,
    };
    struct state_source source = source_of(c->store);

    c->store->agents = agents_new(c->loop, c->store, c->place.agents);
    struct usage_sink sink = request_sink(c->store);

    enum rx_code code = control_next_epoch(c->store, &publish.epoch, err);
    if (code == RX_OK)
        code = rx_join_file(c->place.join_token, true, &publish.keys, err);
    collect.keys = publish.keys;
    if (code == RX_OK)
        code = publisher_open(&c->publisher, c->loop, &publish, &source, err);
    if (code == RX_OK)
        code = limiter_open(&c->limiter, c->loop, c->store, c->publisher, err);
    if (code == RX_OK)
        sink = demo_sink(
            c->demo, tees_sink(c->tees,
                         live_sink(c->live, limiter_sink(c->limiter, sink))));
    if (code == RX_OK)
        code = collector_open(
            &c->collector, c->loop, &collect, &sink, c->publisher, err);
    rx_wipe(&publish.keys, sizeof(publish.keys));
    rx_wipe(&collect.keys, sizeof(collect.keys));
    if (code == RX_OK)
        code = open_oauth(c, err);
    if (code == RX_OK) {
        live_watch(c->live, c->collector);
        c->captured = captured_new(c->loop, c->store);
        c->tokens = token_keeper_new(c->loop, c->fetch, c->store);
        c->windows = windows_new(c->loop, c->store, c->publisher);
        c->window_poll =
            window_poll_new(c->loop, c->fetch, c->store, c->windows);
    }
    return code;
}

static void
open_watchers(struct control *c)
{
    c->alert_watch = alert_watch_new(
        c->loop, c->alerts, c->store, c->publisher, c->collector);
    c->health = health_new(&(struct health_options){ .loop = c->loop,
        .fetch = c->fetch,
        .store = c->store,
        .alerts = c->alerts,
        .troubles = collector_troubles(c->collector),
        .demo = c->demo });
}

static void
stop_now(void *arg)
{
    struct control *c = arg;

    rx_loop_stop(c->loop);
}

/* A restored store is in place: nothing of what is in memory is true now. */
static void
start_again(void *arg)
{
    struct control *c = arg;

    c->again = c->stopping = true;
    c->port = api_port(c->api);
    rx_info("control.restarting", "reason=restored");
    rx_timer_set(&c->give_up, DRAIN_MS);
    api_drain(c->api, stop_now, c);
}

static enum rx_code
open_api(struct control *c, struct rx_err *err)
{
    struct rx_buf token;

    c->backups = backups_new(c->loop, c->store, &c->place);
    struct api_options options = {
        .host = c->options.host,
        .port = c->options.admin_port,
        .admin_key = c->options.admin_key,
    };
    struct api_world world = {
        .loop = c->loop,
        .fetch = c->fetch,
        .store = c->store,
        .publisher = c->publisher,
        .collector = c->collector,
        .limiter = c->limiter,
        .backups = c->backups,
        .live = c->live,
        .alerts = c->alerts,
        .anomalies = c->anomalies,
        .health = c->health,
        .demo = c->demo,
        .login = c->login = login_new(c->loop),
        .oauth = c->oauth,
        .tees = c->tees,
        .captured = c->captured,
    };

    if (c->options.dashboard)
        world.assets = c->assets = assets_open(c->options.dashboard_dir);
    rx_buf_init(&token, 256);
    backups_on_restored(c->backups, start_again, c);
    enum rx_code code = local_token(c->place.master_key, &token, err);
    options.local_token = rx_buf_str(&token);
    if (code == RX_OK)
        code = api_open(&c->api, &world, &options, err);
    rx_buf_fini(&token);
    return code;
}

static void
on_signal(void *arg, int signo)
{
    struct control *c = arg;

    if (c->stopping) {
        stop_now(c);
        return;
    }
    c->stopping = true;
    rx_info("control.stopping", "signal=%d", signo);
    rx_timer_set(&c->give_up, DRAIN_MS);
    api_drain(c->api, stop_now, c);
}

static void
run_upkeep(struct control *c)
{
    db_run_log(c->store->db, c->loop);
    rollup_run(c->store->rollup, c->loop);
    c->retention = retention_new(c->store);
    retention_run(c->retention, c->loop);
    c->anomalies = anomalies_new(c->store, c->alerts);
    anomalies_run(c->anomalies, c->loop);
}

enum rx_code
control_start(struct control *c, struct rx_err *err)
{
    struct place_wishes wishes = {
        .data_dir = c->options.data_dir,
        .database = c->options.db_path,
        .master_key = c->options.key_file,
        .publish = c->options.publish,
        .pull = c->options.pull,
    };

    c->loop = rx_loop_new();
    rx_timer_init(&c->give_up, c->loop, stop_now, c);
    c->fetch = rx_fetch_new(c->loop);
    enum rx_code code = place_prepare(&c->place, &wishes, err);
    if (code == RX_OK)
        code = control_open_store(c, err);
    if (code == RX_OK) {
        c->live = live_new(c->loop, c->store);
        c->demo = demo_new(c->store);
        code = open_alerts(c, err);
    }
    if (code == RX_OK)
        run_upkeep(c);
    if (code == RX_OK)
        code = open_planes(c, err);
    if (code == RX_OK) {
        open_watchers(c);
        control_connect(c);
        code = open_api(c, err);
    }
    if (code != RX_OK)
        return code;
    rx_loop_signal(c->loop, SIGTERM, on_signal, c);
    rx_loop_signal(c->loop, SIGINT, on_signal, c);
    return place_tell(
        &c->place, c->options.host, api_port(c->api), c->assets != NULL, err);
}

void
control_close(struct control *c)
{
    api_close(c->api);
    backups_free(c->backups);
    login_free(c->login);
    alert_watch_free(c->alert_watch);
    assets_free(c->assets);
    health_free(c->health);
    oauth_close(c->oauth);
    window_poll_free(c->window_poll);
    windows_free(c->windows);
    if (c->collector != NULL)
        collector_close(c->collector);
    limiter_close(c->limiter);
    token_keeper_free(c->tokens);
    live_free(c->live);
    demo_free(c->demo);
    tees_free(c->tees);
    captured_free(c->captured);
    anomalies_free(c->anomalies);
    retention_free(c->retention);
    if (c->alerts != NULL) /* what is said last waits for the next start */
        alerts_on_told(c->alerts, NULL, NULL);
    deliveries_free(c->deliveries);
    alerts_close(c->alerts);
    if (c->publisher != NULL)
        publisher_close(c->publisher);
    if (c->store != NULL)
        agents_free(c->store->agents);
    store_close(c->store);
    if (c->fetch != NULL)
        rx_fetch_free(c->fetch);
    rx_timer_fini(&c->give_up);
    rx_startup_fini(&c->startup);
    if (c->loop != NULL)
        rx_loop_free(c->loop);
}
