/*
 * routex-control - wires the control plane together and runs it.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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
#include "controlplane/first.h"
#include "controlplane/health.h"
#include "controlplane/limiter.h"
#include "controlplane/live.h"
#include "controlplane/local_token.h"
#include "controlplane/login.h"
#include "controlplane/oauth.h"
#include "controlplane/place.h"
#include "controlplane/publisher.h"
#include "controlplane/request.h"
#include "controlplane/retention.h"
#include "controlplane/rollup.h"
#include "controlplane/settings.h"
#include "controlplane/source.h"
#include "controlplane/store.h"
#include "controlplane/tees.h"
#include "controlplane/token_keeper.h"
#include "controlplane/window_poll.h"
#include "controlplane/windows.h"
#include "shared/conf.h"
#include "shared/fetch.h"
#include "shared/log.h"
#include "shared/loop.h"
#include "shared/money.h"

#define DRAIN_MS 5000

struct options {
    const char *data_dir;
    const char *db_path;
    const char *key_file;
    const char *host;
    uint16_t admin_port;
    const char *admin_key;
    const char *publish;
    const char *pull;
    const char *tls_file;
    const char *demo_url;
    const char *strategy;
    const char *session_s;
    const char *restore;
    bool forget, compact;
    bool dashboard;
    const char *dashboard_dir;
    struct rx_conf_list oauth;
    bool json;
    enum rx_log_level log_level;
};

static const struct rx_conf_row rows[] = {
    RX_CONF("data-dir", "ROUTEX_DATA_DIR", "DIR", rx_conf_text, struct options,
        data_dir, NULL, "where everything is kept [~/.routex]"),
    RX_CONF("database", "DATABASE_PATH", "FILE", rx_conf_text, struct options,
        db_path, NULL, "the store [<data-dir>/routex.db]"),
    RX_CONF("master-key-file", "ROUTEX_MASTER_KEY_FILE", "FILE", rx_conf_text,
        struct options, key_file, NULL,
        "seals the secrets in the store [<data-dir>/master.key]"),
    RX_CONF("host", "ADMIN_HOST", "ADDRESS", rx_conf_text, struct options, host,
        "127.0.0.1", "where the admin API listens"),
    RX_CONF("admin-port", "ADMIN_PORT", "PORT", rx_conf_port, struct options,
        admin_port, "8081", "its port; 0: any"),
    RX_CONF("admin-api-key", "ADMIN_API_KEY", "TOKEN", rx_conf_text,
        struct options, admin_key, NULL, "an admin token of your own choice"),
    RX_CONF("publish", NULL, "URL", rx_conf_text, struct options, publish, NULL,
        "where data planes listen to us: ipc://, tcp://, tls+tcp://\n"
        "[ipc in <data-dir>/run]"),
    RX_CONF("pull", NULL, "URL", rx_conf_text, struct options, pull, NULL,
        "where data planes talk to us [ipc in <data-dir>/run]"),
    RX_CONF("tls-file", NULL, "FILE", rx_conf_text, struct options, tls_file,
        NULL, "certificate and key, for tls+tcp:// only"),
    RX_CONF("demo-url", NULL, "URL", rx_conf_text, struct options, demo_url,
        NULL, "a demo provider, used when there is no other channel"),
    RX_CONF("strategy", "LOAD_BALANCE_STRATEGY", "NAME", rx_conf_text,
        struct options, strategy, NULL,
        "set whom requests go to, at each start: see /api/settings"),
    RX_CONF("session-duration", "SESSION_DURATION", "SECONDS", rx_conf_text,
        struct options, session_s, NULL,
        "set how long conversations stay where they are, at each start"),
    RX_CONF("restore", NULL, "BACKUP", rx_conf_text, struct options, restore,
        NULL,
        "put a backup (its name, a path, or latest) in the store's place, and\n"
        "end; for a store that cannot be opened any more"),
    RX_CONF("dashboard", "ENABLE_DASHBOARD", NULL, rx_conf_switch,
        struct options, dashboard, "true", "serve the dashboard"),
    RX_CONF("dashboard-dir", NULL, "DIR", rx_conf_text, struct options,
        dashboard_dir, NULL, "its files [beside the program]"),
    RX_CONF("oauth", "ROUTEX_OAUTH", "WORDS", rx_conf_list, struct options,
        oauth, NULL,
        "log-ins at providers: PROVIDER.FIELD=VALUE, ';' between them;\n"
        "fields: client_id client_secret authorize_url token_url redirect_uri\n"
        "scope encoding extra_query proxy_url ca_file"),
    RX_CONF_SWITCH("forget-secrets", NULL, struct options, forget,
        "the master key is lost: forget what it sealed, and end; channels\n"
        "then wait for their keys"),
    RX_CONF_SWITCH("compact", NULL, struct options, compact,
        "write the store's file anew without its gaps, and end"),
    RX_CONF_SWITCH("json", NULL, struct options, json,
        "print the first credentials for machines"),
    RX_CONF("log-level", "LOG_LEVEL", "LEVEL", rx_conf_level, struct options,
        log_level, "info", "error, warn, info or debug"),
    { 0 },
};

static const struct rx_conf conf = {
    .program = "routex-control",
    .summary = "The control plane of Routex: owns the store, serves the admin "
               "API, tells\nthe data planes what was decided and takes in what "
               "happened.",
    .rows = rows,
};

struct control {
    struct options options;
    struct place place;
    struct rx_loop *loop;
    struct rx_fetch *fetch;
    struct store *store;
    struct publisher *publisher;
    struct collector *collector;
    struct limiter *limiter;
    struct token_keeper *tokens;
    struct live *live;
    struct alerts *alerts;
    struct deliveries *deliveries;
    struct tees *tees;
    struct captured *captured;
    struct alert_watch *alert_watch;
    struct demo *demo;
    struct health *health;
    struct windows *windows;
    struct window_poll *window_poll;
    struct login *login;
    struct assets *assets;
    struct oauth *oauth;
    struct api *api;
    struct backups *backups;
    struct retention *retention;
    struct anomalies *anomalies;
    struct rx_timer give_up; /* longest wait for answers under way */
    bool stopping;
    bool again;    /* start anew instead of ending */
    uint16_t port; /* where the admin API was, for then */
};

/* ---- parts ---- */

/* Words for whoever starts Routex for the first time. */
static void
print_first(const struct control *c, const struct first_words *words)
{
    struct rx_buf line;

    if (words->admin_token.len == 0)
        return;
    rx_buf_init(&line, 8192);
    if (c->options.json) {
        struct rx_json_out w = rx_json_out(&line);
        rx_json_open_object(&w, NULL);
        rx_json_put_str(&w, "admin_token", words->admin_token);
        rx_json_put_str(&w, "client_key", words->client_key);
        rx_json_close(&w);
        rx_buf_addc(&line, '\n');
    } else {
        rx_buf_addf(&line,
            "\nThis is a new store.  Keep these two, they are shown only now:\n"
            "\n  admin token  " RX_STR_FMT "\n  client key   " RX_STR_FMT
            "\n\nThe token is for the admin API and `routex`, the key is for "
            "clients.\n\n",
            RX_STR_ARG(words->admin_token), RX_STR_ARG(words->client_key));
    }
    fwrite(line.ptr, 1, line.len, stdout);
    fflush(stdout);
    rx_wipe(line.ptr, line.len);
    rx_buf_fini(&line);
}

/* What the environment wants, as a body of PATCH /api/settings. */
static void
put_wishes(const struct options *o, struct rx_buf *out)
{
    struct rx_json_out w = rx_json_out(out);

    rx_json_open_object(&w, NULL);
    if (o->strategy != NULL)
        rx_json_put_str(
            &w, "strategy", (rx_str){ o->strategy, strlen(o->strategy) });
    if (o->session_s != NULL)
        rx_json_put_raw(&w, "session_ttl_s",
            (rx_str){ o->session_s, strlen(o->session_s) });
    rx_json_close(&w);
}

static enum rx_code
save_wishes(struct control *c, struct rx_arena *arena, struct rx_err *err)
{
    struct settings s;
    struct rx_buf text;

    rx_buf_init(&text, 4096);
    put_wishes(&c->options, &text);
    enum rx_code code = settings_load(c->store, arena, &s, err);
    if (code == RX_OK)
        code = settings_wish(&s, arena, rx_buf_str(&text), err);
    if (code == RX_OK)
        code = settings_save(c->store, &s, err);
    rx_buf_fini(&text);
    return code;
}

static enum rx_code
obey_environment(struct control *c, struct rx_arena *arena, struct rx_err *err)
{
    if (c->options.strategy == NULL && c->options.session_s == NULL)
        return RX_OK;
    enum rx_code code = store_begin(c->store, err);
    if (code != RX_OK)
        return code;
    code = save_wishes(c, arena, err);
    if (code == RX_OK)
        return store_commit(c->store, err);
    store_rollback(c->store);
    return code;
}

static enum rx_code
open_store(struct control *c, struct rx_err *err)
{
    struct first_words words;
    struct rx_arena *arena = rx_arena_new((size_t)16 << 20);
    enum rx_code code = backup_check_store(&c->place, err);
    if (code == RX_OK)
        code =
            store_open(&c->store, c->place.database, c->place.master_key, err);

    if (code == RX_OK)
        code = first_start(c->store, arena, c->options.demo_url, &words, err);
    if (code == RX_OK)
        print_first(c, &words);
    if (code == RX_OK)
        code = obey_environment(c, arena, err);
    rx_arena_free(arena);
    return code;
}

/* A new incarnation; durable before anybody hears of it. */
static enum rx_code
next_epoch(struct store *s, uint64_t *out, struct rx_err *err)
{
    uint64_t stored;
    enum rx_code code = store_get(s, "epoch", &stored, err);

    if (code == RX_OK)
        code = store_begin(s, err);
    if (code != RX_OK)
        return code;
    *out = publisher_next_epoch(stored);
    code = store_set(s, "epoch", *out, err);
    if (code == RX_OK)
        return store_commit(s, err);
    store_rollback(s);
    return code;
}

/* What GET /api/channels shows beside the configuration. */
static void
put_known(void *arg, struct rx_json_out *w, rx_str channel)
{
    const struct control *c = arg;

    windows_put(c->windows, w, channel);
    rx_json_put_text(w, "health", health_state(c->health, channel));
}

/* What the settings say, or what it was started with. */
static void
set_log_level(const struct control *c)
{
    struct rx_arena *arena = rx_arena_new((size_t)16 << 20);
    enum rx_log_level level = c->options.log_level;
    struct settings s;

    if (settings_load(c->store, arena, &s, NULL) == RX_OK &&
        s.state.log_level.len > 0)
        (void)rx_log_level_parse(s.state.log_level, &level);
    if (level != rx_log_level) {
        rx_log_level = level;
        rx_info("log.level", "level=%d", (int)level);
    }
    rx_arena_free(arena);
}

static void
on_change(void *arg, enum state_kind kind, rx_str id)
{
    struct control *c = arg;

    publisher_touch(c->publisher, kind, id);
    if (kind == STATE_CHANNEL) /* other models, other prices */
        publisher_touch(c->publisher, STATE_SETTINGS, (rx_str){ 0 });
    limiter_changed(c->limiter, kind, id);
    if (kind == STATE_SETTINGS) {
        set_log_level(c);
        retention_changed(c->retention);
    }
    if (c->health != NULL && (kind == STATE_CHANNEL || kind == STATE_SETTINGS))
        health_changed(c->health);
    if (c->window_poll != NULL &&
        (kind == STATE_CHANNEL || kind == STATE_SETTINGS))
        window_poll_changed(c->window_poll);
    if (kind == STATE_CHANNEL) {
        agents_changed(c->store->agents);
        token_keeper_changed(c->tokens);
        oauth_changed(c->oauth);
    }
}

static void
on_token_rejected(void *arg, rx_str credential, const struct rx_digest *digest)
{
    struct control *c = arg;

    oauth_token_rejected(c->oauth, credential, digest);
    token_keeper_rejected(c->tokens, credential, digest);
}

static void
on_demand(void *arg, rx_str plane, rx_str body)
{
    limiter_demand(arg, plane, body);
}

static void
on_born(void *arg, rx_str plane, uint64_t boot)
{
    limiter_born(arg, plane, boot);
}

static void
on_left(void *arg, rx_str plane)
{
    limiter_left(arg, plane);
}

/* Both marks are there or not, as the budget has it now. */
static void
on_budget(void *arg, const struct budget_mark *m)
{
    struct control *c = arg;
    const char *owner = m->owner == LIMITED_TENANT ? "tenant" : "key";
    char id[200], used[RX_DECIMAL_SIZE], most[RX_DECIMAL_SIZE];

    snprintf(id, sizeof(id), "%s/" RX_STR_FMT, owner, RX_STR_ARG(m->id));
    rx_str who = { id, strlen(id) };
    rx_decimal_format((int64_t)m->used, 6, used);
    rx_decimal_format((int64_t)m->most, 6, most);
    if (c->alerts == NULL)
        return;
    for (unsigned percent = 80; percent <= 100; percent += 20) {
        enum alert_kind kind =
            percent == 80 ? ALERT_BUDGET_80 : ALERT_BUDGET_100;
        if (m->percent == percent)
            alert_raise(c->alerts, kind, who, m->id,
                "%s of %s dollars per %s are spent by the %s", used, most,
                rx_window_name(m->window), owner);
        else
            alert_clear(c->alerts, kind, who);
    }
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
    collector_on_token_rejected(c->collector, on_token_rejected, c);
    return RX_OK;
}

static void
on_agent(void *arg, rx_str rule)
{
    struct control *c = arg;

    publisher_touch(c->publisher, STATE_RULE, rule);
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

    enum rx_code code = next_epoch(c->store, &publish.epoch, err);
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
        collector_on_capture(c->collector, c->captured);
        c->tokens = token_keeper_new(c->loop, c->fetch, c->store);
        store_on_change(c->store, on_change, c);
        limiter_on_mark(c->limiter, on_budget, c);
        agents_on_change(c->store->agents, on_agent, c);
        collector_on_demand(c->collector,
            &(struct demand_sink){ c->limiter, on_demand, on_born, on_left });
    }
    return code;
}

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

/* ---- stopping ---- */

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
close_all(struct control *c)
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
    if (c->loop != NULL)
        rx_loop_free(c->loop);
}

/* ---- running ---- */

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

static enum rx_code
start(struct control *c, struct rx_err *err)
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
        code = open_store(c, err);
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
        c->alert_watch = alert_watch_new(
            c->loop, c->alerts, c->store, c->publisher, c->collector);
        set_log_level(c);
        c->windows = windows_new(c->loop, c->store, c->publisher);
        c->window_poll =
            window_poll_new(c->loop, c->fetch, c->store, c->windows);
        collector_on_windows(c->collector, c->windows);
        troubles_put_also(collector_troubles(c->collector), put_known, c);
        c->health = health_new(&(struct health_options){ .loop = c->loop,
            .fetch = c->fetch,
            .store = c->store,
            .alerts = c->alerts,
            .troubles = collector_troubles(c->collector),
            .demo = c->demo });
    }
    if (code == RX_OK)
        code = open_api(c, err);
    if (code != RX_OK)
        return code;
    rx_loop_signal(c->loop, SIGTERM, on_signal, c);
    rx_loop_signal(c->loop, SIGINT, on_signal, c);
    return place_tell(
        &c->place, c->options.host, api_port(c->api), c->assets != NULL, err);
}

static enum rx_code
find_place(struct control *c, struct rx_err *err)
{
    struct place_wishes wishes = {
        .data_dir = c->options.data_dir,
        .database = c->options.db_path,
        .master_key = c->options.key_file,
    };

    return place_prepare(&c->place, &wishes, err);
}

static int
forget_secrets(struct control *c, struct rx_err *err)
{
    struct rx_buf names;
    enum rx_code code = find_place(c, err);

    rx_buf_init(&names, 1 << 20);
    if (code == RX_OK)
        code = store_forget_secrets(
            c->place.database, c->place.master_key, &names, err);
    if (code != RX_OK)
        fprintf(stderr, "routex-control: %s\n", err->text);
    else
        printf("What the lost master key sealed is forgotten; a new one is "
               "made at the next start.\nClient keys, rules and usage are as "
               "they were.  Disabled until they have a key\nagain (routex "
               "channel edit NAME --api-key-stdin --status enabled):\n%s\n",
            names.len > 0 ? names.ptr : "(no channel)");
    rx_buf_fini(&names);
    return code == RX_OK ? 0 : 1;
}

/* Put a backup in the place of a store that nobody has open. */
static int
restore(struct control *c, struct rx_err *err)
{
    struct backup_done done;
    enum rx_code code = find_place(c, err);

    if (code == RX_OK)
        code = store_is_free(c->place.database, err);
    if (code == RX_OK)
        code =
            backup_restore_offline(&c->place, c->options.restore, &done, err);
    if (code != RX_OK) {
        fprintf(stderr, "routex-control: %s\n", err->text);
        return 1;
    }
    printf("%s is in place; %" PRIu64 " requests that came after it were kept",
        c->options.restore, done.merged.requests);
    if (done.merged.unreadable > 0)
        printf(", %" PRIu64 " could not be read", done.merged.unreadable);
    printf(".\n");
    if (done.merged.left[0] != '\0')
        printf("Could not be carried over: %s.\n", done.merged.left);
    printf("The store that was there is %s\n", done.aside);
    return 0;
}

static int
compact(struct control *c, struct rx_err *err)
{
    uint64_t before, after;
    enum rx_code code = find_place(c, err);

    if (code == RX_OK)
        code = store_compact(c->place.database, &before, &after, err);
    if (code != RX_OK)
        fprintf(stderr, "routex-control: %s\n", err->text);
    else
        printf("%s had %" PRIu64 " bytes and has %" PRIu64 " now.\n",
            c->place.database, before, after);
    return code == RX_OK ? 0 : 1;
}

/* The same program with the same words, on the port it had. */
static int
run_again(int argc, char **argv, uint16_t port)
{
    static char flag[] = "--admin-port";
    char number[8];
    char **words = calloc((size_t)argc + 3, sizeof(*words));

    if (words == NULL)
        abort();
    memcpy(words, argv, (size_t)argc * sizeof(*words));
    snprintf(number, sizeof(number), "%u", port);
    words[argc] = flag;
    words[argc + 1] = number;
    execv("/proc/self/exe", words);
    rx_error(
        "control.not_restarted", "reason=%s", rx_log_quote(strerror(errno)));
    return 1;
}

int
main(int argc, char **argv)
{
    struct control c = { 0 };
    struct rx_err err = { 0 };
    int count = argc;
    char **words = calloc((size_t)argc + 1, sizeof(*words));

    if (words == NULL)
        abort();
    memcpy(words, argv, (size_t)argc * sizeof(*words));

    switch (rx_conf_load(&conf, &c.options, &argc, argv, &err)) {
    case RX_CONF_RUN: break;
    case RX_CONF_DONE: free(words); return 0;
    case RX_CONF_WRONG:
        free(words);
        fprintf(stderr, "routex-control: %s\n", err.text);
        return 2;
    }
    rx_log_init("control", c.options.log_level);
    rx_secret_init();
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a limit on file sizes is a full disk */
    if (c.options.restore != NULL || c.options.forget || c.options.compact) {
        free(words);
        return c.options.compact  ? compact(&c, &err)
               : c.options.forget ? forget_secrets(&c, &err)
                                  : restore(&c, &err);
    }
    if (start(&c, &err) != RX_OK) {
        fprintf(stderr, "routex-control: %s\n", err.text);
        close_all(&c);
        free(words);
        return 1;
    }
    rx_info("control.ready", "admin_port=%u", api_port(c.api));
    rx_loop_run(c.loop);
    place_untell(&c.place);
    close_all(&c);
    rx_info("control.stopped", "clean=true");
    int end = c.again ? run_again(count, words, c.port) : 0;
    free(words);
    return end;
}
