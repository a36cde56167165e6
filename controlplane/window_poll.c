#include "controlplane/window_poll.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/channel.h"
#include "controlplane/provider.h"
#include "controlplane/settings.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/map.h"
#include "shared/secret.h"
#include "shared/url.h"

#define AT_ONCE    ((size_t)4)
#define TICK_MS    500
#define BACK_MAX   ((uint64_t)30 * 60 * 1000)
#define TOTAL_MS   10000
#define ANSWER_MAX ((size_t)256 << 10)
#define WINDOWS    ((size_t)16)
#define ARENA_MAX  ((size_t)16 << 20)

/* One key that is asked about. */
struct account {
    struct window_poll *poll;
    char channel[64], key[64], name[128];
    uint64_t due_ms;
    uint32_t failures; /* in a row */
    uint64_t seen;
    struct rx_transfer *transfer;
};

struct window_poll {
    struct rx_loop *loop;
    struct rx_fetch *fetch;
    struct store *store;
    struct windows *windows;
    struct rx_map *accounts; /* by id of the key */
    uint64_t every_ms;       /* 0: never */
    uint64_t round;
    size_t running;
    bool stale;
    struct rx_timer tick;
};

static void
keep(char *to, size_t size, rx_str s)
{
    size_t n = s.len < size - 1 ? s.len : size - 1;

    if (n > 0)
        memcpy(to, s.ptr, n);
    to[n] = '\0';
}

/* ±20 %, twice as long after each failure. */
static uint64_t
wait_ms(const struct account *a)
{
    uint64_t ms = a->poll->every_ms;
    uint32_t dice;

    for (uint32_t i = 0; i < a->failures && ms < BACK_MAX; i++)
        ms *= 2;
    if (a->failures > 0 && ms > BACK_MAX)
        ms = BACK_MAX;
    rx_random(&dice, sizeof(dice));
    return ms * 4 / 5 + ms * (dice % 1000) / 2500;
}

/* ---- who is asked ------------------------------------------------------------- */

static bool
is_subscription(const struct provider *p, const struct channel_key *k)
{
    return rx_str_eq(k->kind, RX_S("oauth")) ||
           rx_str_starts(k->secret, field_text(p->usage->key_prefix));
}

static void
take_key(struct window_poll *p, const struct channel *ch,
    const struct channel_key *k)
{
    struct account *a = rx_map_get(p->accounts, k->id);

    if (a == NULL) {
        a = calloc(1, sizeof(*a));
        if (a == NULL)
            abort();
        a->poll = p;
        keep(a->key, sizeof(a->key), k->id);
        rx_map_put(p->accounts, k->id, a);
        a->due_ms = rx_loop_ms(p->loop) + TICK_MS;
    }
    keep(a->channel, sizeof(a->channel), ch->id);
    keep(a->name, sizeof(a->name), ch->name);
    a->seen = p->round;
}

static void
take_channel(struct window_poll *p, const struct channel *ch)
{
    const struct provider *provider = provider_find(ch->type);

    if (provider == NULL || provider->usage == NULL ||
        !rx_str_eq(ch->status, RX_S("enabled")))
        return;
    for (size_t i = 0; i < ch->key_count; i++) {
        const struct channel_key *k = &ch->keys[i];
        if (rx_str_eq(k->status, RX_S("enabled")) &&
            is_subscription(provider, k))
            take_key(p, ch, k);
    }
}

static void
drop_gone(struct window_poll *p)
{
    size_t at = 0;
    rx_str key;
    void *value = NULL;

    while (rx_map_next(p->accounts, &at, &key, &value)) {
        struct account *a = value;
        if (a->seen == p->round || a->transfer != NULL)
            continue;
        rx_map_remove(p->accounts, field_text(a->key));
        free(a);
        at = 0;
    }
}

static enum rx_code
read_channels(struct window_poll *p, struct rx_arena *arena, struct rx_err *err)
{
    struct channel **list = field_make(arena, struct channel *, 200);
    rx_str after = { 0 };
    size_t count;

    do {
        enum rx_code code =
            channel_list(p->store, arena, after, 200, true, list, &count, err);
        if (code != RX_OK)
            return code;
        for (size_t i = 0; i < count; i++)
            take_channel(p, list[i]);
        if (count > 0)
            after = list[count - 1]->name;
    } while (count == 200);
    return RX_OK;
}

static void
refresh(struct window_poll *p)
{
    struct rx_arena *arena = rx_arena_new((size_t)64 << 20);
    struct rx_err err = { 0 };
    struct settings s;

    p->stale = false;
    p->round++;
    enum rx_code code = settings_load(p->store, arena, &s, &err);
    if (code == RX_OK) {
        p->every_ms = s.health.usage_ms;
        code = read_channels(p, arena, &err);
    }
    if (code == RX_OK)
        drop_gone(p);
    else
        rx_warn("windows.unread", "why=%s", rx_log_quote(err.text));
    rx_arena_free(arena);
}

/* ---- asking ---------------------------------------------------------------------- */

static void
take_answer(struct account *a, rx_str body)
{
    struct window list[WINDOWS];
    struct rx_json_doc *doc;

    if (rx_json_parse(&doc, body, NULL, NULL) != RX_OK)
        return;
    size_t n = window_read_usage(
        rx_json_root(doc), rx_clock_wall_ms(), list, RX_COUNT(list));
    for (size_t i = 0; i < n; i++) {
        list[i].channel = field_text(a->channel);
        list[i].credential = field_text(a->key);
    }
    windows_take(a->poll->windows, list, n);
    rx_json_free(doc);
}

static void
on_answer(void *arg, const struct rx_transfer_result *r)
{
    struct account *a = arg;
    bool good = r->code == RX_OK && r->status == 200;

    a->transfer = NULL;
    a->poll->running--;
    a->failures = good ? 0 : a->failures + 1;
    a->due_ms = rx_loop_ms(a->poll->loop) + wait_ms(a);
    if (good)
        take_answer(a, r->body);
    else
        rx_info("windows.refused", "channel=%s status=%d why=%s", a->name,
            r->status, rx_log_quote(r->why));
}

static bool
make_url(const struct channel *ch, const struct provider *p, struct rx_buf *out)
{
    rx_str base = ch->base_url.len > 0 ? ch->base_url : field_text(p->base_url);
    struct rx_url url;

    if (rx_url_split(base, &url, NULL) != RX_OK)
        return false;
    rx_buf_addf(out, "%s://", url.tls ? "https" : "http");
    rx_url_add_authority(out, &url);
    rx_url_add_target(out, &url, field_text(p->usage->path));
    return true;
}

static void
ask_with(
    struct account *a, const struct channel *ch, const struct channel_key *k)
{
    const struct provider *p = provider_find(ch->type);
    struct rx_buf url, bearer;

    rx_buf_init(&url, 8192);
    rx_buf_init(&bearer, 64 << 10);
    rx_buf_addf(
        &bearer, "authorization: Bearer " RX_STR_FMT, RX_STR_ARG(k->secret));
    if (p != NULL && p->usage != NULL && make_url(ch, p, &url)) {
        const char *headers[] = { bearer.ptr,
            "user-agent: routex/" ROUTEX_VERSION, p->usage->header, NULL };
        struct rx_transfer_options options = {
            .method = "GET",
            .url = url.ptr,
            .headers = headers,
            .proxy_url = ch->proxy_url.len > 0 ? ch->proxy_url.ptr : NULL,
            .ca_file = ch->ca_file.len > 0 ? ch->ca_file.ptr : NULL,
            .total_ms = TOTAL_MS,
            .max_response = ANSWER_MAX,
        };
        a->transfer = rx_transfer_start(a->poll->fetch, &options, on_answer, a);
    }
    rx_wipe(bearer.ptr, bearer.len);
    rx_buf_fini(&bearer);
    rx_buf_fini(&url);
}

static void
ask(struct account *a)
{
    struct rx_arena *arena = rx_arena_new(ARENA_MAX);
    struct channel *ch;
    struct rx_err err = { 0 };

    a->due_ms = rx_loop_ms(a->poll->loop) + wait_ms(a);
    if (channel_load(a->poll->store, arena, field_text(a->channel), true, &ch,
            &err) == RX_OK) {
        for (size_t i = 0; i < ch->key_count; i++) {
            if (rx_str_eq(ch->keys[i].id, field_text(a->key)))
                ask_with(a, ch, &ch->keys[i]);
        }
    }
    if (a->transfer != NULL)
        a->poll->running++;
    rx_arena_free(arena);
}

static void
on_tick(void *arg)
{
    struct window_poll *p = arg;
    uint64_t now = rx_loop_ms(p->loop);
    size_t at = 0;
    rx_str key;
    void *value = NULL;

    rx_timer_set(&p->tick, TICK_MS);
    if (db_in_transaction(p->store->db))
        return;
    if (p->stale)
        refresh(p);
    while (p->every_ms > 0 && p->running < AT_ONCE &&
           rx_map_next(p->accounts, &at, &key, &value)) {
        struct account *a = value;
        if (a->transfer == NULL && a->due_ms <= now)
            ask(a);
    }
    if (rx_map_count(p->accounts) == 0)
        rx_timer_unset(&p->tick); /* until something changes */
}

/* ---- beginning and end -------------------------------------------------------------- */

struct window_poll *
window_poll_new(struct rx_loop *loop, struct rx_fetch *fetch,
    struct store *store, struct windows *windows)
{
    struct window_poll *p = calloc(1, sizeof(*p));

    if (p == NULL)
        abort();
    p->loop = loop;
    p->fetch = fetch;
    p->store = store;
    p->windows = windows;
    p->accounts = rx_map_new();
    p->stale = true;
    rx_timer_init(&p->tick, loop, on_tick, p);
    rx_timer_set(&p->tick, TICK_MS);
    return p;
}

void
window_poll_changed(struct window_poll *p)
{
    p->stale = true;
    if (!rx_timer_is_set(&p->tick))
        rx_timer_set(&p->tick, TICK_MS);
}

void
window_poll_free(struct window_poll *p)
{
    size_t at = 0;
    rx_str key;
    void *value = NULL;

    if (p == NULL)
        return;
    while (rx_map_next(p->accounts, &at, &key, &value))
        rx_transfer_cancel(((struct account *)value)->transfer);
    rx_map_free(p->accounts, free);
    rx_timer_fini(&p->tick);
    free(p);
}
