/*
 * Which part hears of what.  Parts know nothing of each other but what they are
 * told in here.
 */
#include <stdio.h>
#include <string.h>

#include "controlplane/agents.h"
#include "controlplane/alert.h"
#include "controlplane/captured.h"
#include "controlplane/collector.h"
#include "controlplane/control.h"
#include "controlplane/health.h"
#include "controlplane/limiter.h"
#include "controlplane/oauth.h"
#include "controlplane/publisher.h"
#include "controlplane/retention.h"
#include "controlplane/settings.h"
#include "controlplane/token_keeper.h"
#include "controlplane/window_poll.h"
#include "controlplane/windows.h"
#include "shared/money.h"

/* What GET /api/channels shows beside the configuration. */
static void
put_known(void *arg, struct rx_json_out *w, rx_str channel)
{
    const struct control *c = arg;

    windows_put(c->windows, w, channel);
    rx_json_put_text(w, "health", health_state(c->health, channel));
}

void
control_set_log_level(const struct control *c)
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
        control_set_log_level(c);
        retention_changed(c->retention);
    }
    if (kind == STATE_CHANNEL || kind == STATE_SETTINGS) {
        health_changed(c->health);
        window_poll_changed(c->window_poll);
    }
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

static void
on_agent(void *arg, rx_str rule)
{
    struct control *c = arg;

    publisher_touch(c->publisher, STATE_RULE, rule);
}

void
control_connect(struct control *c)
{
    collector_on_capture(c->collector, c->captured);
    collector_on_windows(c->collector, c->windows);
    collector_on_token_rejected(c->collector, on_token_rejected, c);
    collector_on_demand(c->collector,
        &(struct demand_sink){ c->limiter, on_demand, on_born, on_left });
    troubles_put_also(collector_troubles(c->collector), put_known, c);
    store_on_change(c->store, on_change, c);
    limiter_on_mark(c->limiter, on_budget, c);
    agents_on_change(c->store->agents, on_agent, c);
    control_set_log_level(c);
}
