#include "controlplane/oauth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/oauth_parts.h"
#include "shared/clock.h"
#include "shared/log.h"

#define ARENA_MAX    ((size_t)4 << 20)
#define PAGE         100
/* Timers run on another clock than tokens: look again, now and then. */
#define LOOK_MS      60000
#define STORE_MS     1000 /* a store that did not take a token is tried again */
#define NEW_MS       (UINT64_C(10) * 60 * 1000)
#define SELF         "routex-control"
#define TROUBLES_MAX 1024
#define TROUBLE_ROOM ((size_t)1 << 20)

static void keeper_plan(struct keeper *k);

/* ---- telling what needs a person ------------------------------------------------- */

struct telling {
    struct rx_arena *arena;
    struct trouble_report report;
    const struct keeper *keeper;
    uint64_t now;
    bool quiet;
};

static void
add_trouble(void *arg, rx_str channel_id, rx_str channel, rx_str credential)
{
    struct telling *t = arg;

    (void)channel;
    if (t->report.trouble_count == TROUBLES_MAX)
        return;
    t->report.troubles[t->report.trouble_count++] = (struct trouble){
        .channel = field_keep(t->arena, channel_id),
        .credential = field_keep(t->arena, credential),
        .kind = RX_S("needs_login"),
        .noted_ms = t->now,
        .until_ms = UINT64_MAX,
        .secret = t->keeper->mark,
        .quiet = t->quiet,
    };
}

/* A token that is still taken is still used: shown, but not told to planes. */
static bool
is_usable(const struct keeper *k)
{
    return !k->rejected && oauth_left_ms(&k->span, rx_clock_wall_ms()) > 0;
}

static void
tell_people(struct oauth *o)
{
    struct rx_link *l;

    RX_LIST_FOREACH(l, &o->keepers) {
        const struct keeper *k = RX_LIST_ITEM(l, struct keeper, link);
        if (k->needs_login)
            alert_raise(o->alerts, ALERT_LOGIN, field_text(k->id),
                field_text(k->name),
                "Account %s has to be logged in again at its provider",
                k->name);
        else
            alert_clear(o->alerts, ALERT_LOGIN, field_text(k->id));
    }
}

static void
tell_troubles(struct oauth *o)
{
    struct telling t = { .arena = rx_arena_new(ARENA_MAX),
        .report = { .plane = RX_S(SELF) },
        .now = rx_loop_ms(o->loop) };
    struct rx_err err = { 0 };
    struct rx_link *l;

    tell_people(o);
    t.report.troubles = field_make(t.arena, struct trouble, TROUBLES_MAX);
    RX_LIST_FOREACH(l, &o->keepers) {
        struct keeper *k = RX_LIST_ITEM(l, struct keeper, link);
        t.keeper = k;
        t.quiet = is_usable(k);
        if (k->needs_login && oauth_account_uses(o->store, field_text(k->id),
                                  add_trouble, &t, &err) != RX_OK)
            rx_error("oauth.store", "why=%s", rx_log_quote(err.text));
    }
    troubles_take(o->troubles, &t.report);
    rx_arena_free(t.arena);
}

/* ---- keepers ----------------------------------------------------------------------- */

static struct keeper *
find_keeper(const struct oauth *o, rx_str id)
{
    struct rx_link *l;

    RX_LIST_FOREACH(l, &o->keepers) {
        struct keeper *k = RX_LIST_ITEM(l, struct keeper, link);
        if (rx_str_eq(id, field_text(k->id)))
            return k;
    }
    return NULL;
}

static void
begin_renewal(struct keeper *k, const struct oauth_actor *actor,
    const struct oauth_account *a)
{
    struct ask *ask = oauth_ask_new(k->oauth, actor);

    ask->provider = oauth_provider_find(k->oauth->providers, a->provider);
    ask->account = field_keep(ask->arena, a->id);
    ask->shown = field_keep(ask->arena, a->refresh);
    k->ask = ask;
    rx_timer_unset(&k->timer);
    oauth_ask_send(ask);
}

/* Its end has come: time to renew it, or to say that nobody can. */
static void
on_keeper(void *arg)
{
    struct keeper *k = arg;
    struct rx_arena *arena = rx_arena_new(ARENA_MAX);
    uint64_t now = rx_loop_ms(k->oauth->loop);
    struct oauth_account *a = NULL;
    struct rx_err err = { 0 };

    if (k->needs_login || !k->renewable) {
        tell_troubles(k->oauth);
    } else if (now >= k->again_ms &&
               (k->rejected || k->failures > 0 ||
                   oauth_due_in_ms(&k->span, rx_clock_wall_ms(), k->dice) ==
                       0)) {
        if (oauth_account_load(k->oauth->store, arena, field_text(k->id), true,
                &a, &err) != RX_OK)
            rx_error("oauth.store", "account=%s why=%s", k->id,
                rx_log_quote(err.text));
        else if (oauth_provider_find(k->oauth->providers, a->provider) != NULL)
            begin_renewal(k, NULL, a);
    }
    rx_arena_free(arena);
    if (k->ask == NULL)
        keeper_plan(k);
}

/* When to look at it next. */
static void
keeper_plan(struct keeper *k)
{
    uint64_t now = rx_loop_ms(k->oauth->loop);
    uint64_t wall = rx_clock_wall_ms();
    uint64_t in = oauth_due_in_ms(&k->span, wall, k->dice);

    if (k->ask != NULL)
        return;
    if (k->needs_login || !k->renewable)
        in = oauth_left_ms(&k->span, wall);
    else if (k->rejected || k->failures > 0)
        in = 0;
    if (k->again_ms > now && in < k->again_ms - now)
        in = k->again_ms - now;
    if ((k->needs_login || !k->renewable) && in == 0)
        in = LOOK_MS;
    rx_timer_set(&k->timer, in < LOOK_MS ? in : LOOK_MS);
}

/* As the store has it now. */
static void
keeper_set(struct keeper *k, const struct oauth_account *a)
{
    struct rx_digest access = rx_digest(a->access);
    bool new_token = memcmp(&access, &k->access, sizeof(access)) != 0;

    if (new_token) {
        k->access = access;
        k->mark = a->access.len > 0 ? rx_secret_mark(a->access) : 0;
        k->rejected = false;
        rx_random(&k->dice, sizeof(k->dice));
    }
    snprintf(k->name, sizeof(k->name), RX_STR_FMT, RX_STR_ARG(a->name));
    k->span = a->span;
    k->renewable = a->refresh.len > 0;
    k->needs_login = a->needs_login;
    k->failures = a->failures;
    k->again_ms = 0;
    if (k->failures > 0)
        k->again_ms = rx_loop_ms(k->oauth->loop) +
                      oauth_pause_ms(k->failures, k->dice + k->failures);
}

static struct keeper *
keeper_new(struct oauth *o, rx_str id)
{
    struct keeper *k = calloc(1, sizeof(*k));

    if (k == NULL)
        abort();
    k->oauth = o;
    memcpy(k->id, id.ptr, id.len < OAUTH_ID_MAX ? id.len : OAUTH_ID_MAX);
    rx_timer_init(&k->timer, o->loop, on_keeper, k);
    rx_list_append(&o->keepers, &k->link);
    return k;
}

static void
keeper_free(struct keeper *k)
{
    rx_list_remove(&k->oauth->keepers, &k->link);
    rx_timer_fini(&k->timer);
    rx_wipe(k, sizeof(*k));
    free(k);
}

static void
keeper_take(struct oauth *o, const struct oauth_account *a)
{
    struct keeper *k = find_keeper(o, a->id);

    if (k == NULL)
        k = keeper_new(o, a->id);
    keeper_set(k, a);
    keeper_plan(k);
}

/* ---- what came of a request ---------------------------------------------------------- */

static void
log_outcome(const struct ask *a, const struct oauth_account *account)
{
    static const enum rx_log_level levels[] = { [OAUTH_GRANTED] = RX_LOG_INFO,
        [OAUTH_FAILED] = RX_LOG_WARN,
        [OAUTH_REFUSED] = RX_LOG_ERROR };
    static const char *const events[] = { [OAUTH_GRANTED] = "oauth.renewed",
        [OAUTH_FAILED] = "oauth.failed",
        [OAUTH_REFUSED] = "oauth.needs_login" };

    rx_log_at(levels[a->verdict],
        a->login != NULL && a->verdict == OAUTH_GRANTED ? "oauth.login"
                                                        : events[a->verdict],
        "provider=%s account=" RX_STR_FMT " why=%s", a->provider->name,
        RX_STR_ARG(account != NULL ? account->name : RX_S("-")),
        rx_log_quote(a->err.text));
}

/* May it be forgotten when the store does not take it? */
static bool
is_precious(const struct ask *a)
{
    return a->verdict == OAUTH_GRANTED || a->grant.refresh.len > 0;
}

static struct keeper *
keeper_of(const struct ask *a)
{
    return a->account.len > 0 ? find_keeper(a->oauth, a->account) : NULL;
}

static void
on_store_again(void *arg)
{
    oauth_answered(arg);
}

/* The provider counts on it that we have this.  Those who wait are told now. */
static void
store_later(struct ask *a, struct rx_err *err)
{
    rx_error("oauth.unstored", "provider=%s why=%s", a->provider->name,
        rx_log_quote(err->text));
    oauth_ask_tell(a, NULL, err);
    if (a->timer.loop == NULL)
        rx_timer_init(&a->timer, a->oauth->loop, on_store_again, a);
    rx_timer_set(&a->timer, STORE_MS);
}

static void
let_go(struct ask *a, const struct oauth_account *account)
{
    struct oauth *o = a->oauth;
    struct keeper *k = keeper_of(a);

    if (k != NULL)
        k->ask = NULL;
    oauth_ask_end(a);
    if (account != NULL)
        keeper_take(o, account);
    else if (k != NULL)
        keeper_plan(k);
    tell_troubles(o);
}

static bool
will_never_fit(enum rx_code code)
{
    return code == RX_CONFLICT || code == RX_NOT_FOUND;
}

void
oauth_answered(struct ask *a)
{
    struct oauth_account *account = NULL;
    struct rx_err err = { 0 };
    enum rx_code code = RX_OK;

    /* A log-in that failed leaves nothing behind. */
    if (a->login == NULL || a->verdict == OAUTH_GRANTED)
        code = oauth_store_outcome(a, &account, &err);
    if (code != RX_OK)
        account = NULL;
    if (code != RX_OK && is_precious(a) && !will_never_fit(code)) {
        store_later(a, &err);
        return;
    }
    log_outcome(a, account);
    oauth_ask_tell(a, account, code != RX_OK ? &err : &a->err);
    let_go(a, account);
}

/* ---- from outside ---------------------------------------------------------------------- */

void
oauth_finish(struct oauth *o, const struct oauth_login *login, rx_str code,
    const struct oauth_actor *actor, const struct oauth_waiter *waiter)
{
    struct ask *a = oauth_ask_new(o, actor);
    struct oauth_login *l = field_make(a->arena, struct oauth_login, 1);

    l->provider = field_keep(a->arena, login->provider);
    l->account = field_keep(a->arena, login->account);
    l->redirect_uri = field_keep(a->arena, login->redirect_uri);
    l->state = field_keep(a->arena, login->state);
    l->verifier = field_keep(a->arena, login->verifier);
    a->login = l;
    a->provider = oauth_provider_find(o->providers, l->provider);
    a->shown = field_keep(a->arena, code);
    oauth_ask_wait(a, waiter);
    oauth_ask_send(a);
}

enum rx_code
oauth_refresh(struct oauth *o, rx_str id, const struct oauth_actor *actor,
    const struct oauth_waiter *waiter, struct rx_err *err)
{
    struct rx_arena *arena = rx_arena_new(ARENA_MAX);
    struct oauth_account *a;
    enum rx_code code = oauth_account_load(o->store, arena, id, true, &a, err);

    if (code == RX_OK && a->refresh.len == 0)
        code = rx_fail(
            err, RX_CONFLICT, "this account cannot be renewed; log in again");
    if (code == RX_OK && oauth_provider_find(o->providers, a->provider) == NULL)
        code = rx_fail(err, RX_CONFLICT, "its provider is not known here");
    if (code == RX_OK) {
        struct keeper *k = find_keeper(o, a->id);
        if (k == NULL) {
            k = keeper_new(o, a->id);
            keeper_set(k, a);
        }
        if (k->ask == NULL)
            begin_renewal(k, actor, a);
        oauth_ask_wait(k->ask, waiter);
    }
    rx_arena_free(arena);
    return code;
}

/*
 * One that was refused while it was new may be refused for good (the account is
 * shut, say): such ones are renewed at ever longer intervals.
 */
static void
reject(struct keeper *k)
{
    uint64_t wall = rx_clock_wall_ms();
    uint64_t age = wall > k->span.got_ms ? wall - k->span.got_ms : 0;
    uint64_t now = rx_loop_ms(k->oauth->loop);

    k->rejected = true;
    if (age > NEW_MS)
        k->refusals = 0;
    uint64_t pause = oauth_refused_pause_ms(k->refusals);
    if (pause > age && now + pause - age > k->again_ms)
        k->again_ms = now + pause - age;
    k->refusals++;
    rx_info("oauth.rejected", "account=%s renewed_in_ms=%llu", k->id,
        (unsigned long long)(k->again_ms > now ? k->again_ms - now : 0));
    if (k->needs_login || !k->renewable)
        tell_troubles(k->oauth);
    keeper_plan(k);
}

void
oauth_token_rejected(
    struct oauth *o, rx_str credential, const struct rx_digest *digest)
{
    struct rx_arena *arena = rx_arena_new(ARENA_MAX);
    struct rx_err err = { 0 };
    rx_str id;

    if (oauth_account_by_credential(o->store, arena, credential, &id, &err) !=
        RX_OK)
        rx_error("oauth.store", "why=%s", rx_log_quote(err.text));
    struct keeper *k = id.len > 0 ? find_keeper(o, id) : NULL;
    /* About a token that was replaced, or told by another plane already. */
    if (k != NULL && !k->rejected &&
        memcmp(digest, &k->access, sizeof(*digest)) == 0)
        reject(k);
    rx_arena_free(arena);
}

/* ---- as the store has it ----------------------------------------------------------------- */

static enum rx_code
take_account(struct oauth *o, rx_str id, struct rx_err *err)
{
    struct rx_arena *arena = rx_arena_new(ARENA_MAX);
    struct oauth_account *a;
    enum rx_code code = oauth_account_load(o->store, arena, id, true, &a, err);

    if (code == RX_OK)
        keeper_take(o, a);
    rx_arena_free(arena);
    return code;
}

static enum rx_code
take_new(struct oauth *o, struct rx_err *err)
{
    struct rx_arena *arena = rx_arena_new((size_t)64 << 20);
    struct oauth_account *page[PAGE];
    rx_str after = { 0 };
    enum rx_code code = RX_OK;
    size_t count = PAGE;

    while (code == RX_OK && count == PAGE) {
        code =
            oauth_account_list(o->store, arena, after, PAGE, page, &count, err);
        for (size_t i = 0; code == RX_OK && i < count; i++) {
            if (find_keeper(o, page[i]->id) == NULL)
                code = take_account(o, page[i]->id, err);
        }
        if (code == RX_OK && count > 0)
            after = page[count - 1]->name;
    }
    rx_arena_free(arena);
    return code;
}

static bool
is_gone(const struct keeper *k)
{
    struct rx_arena *arena = rx_arena_new(ARENA_MAX);
    struct oauth_account *a;
    struct rx_err err = { 0 };
    enum rx_code code = oauth_account_load(
        k->oauth->store, arena, field_text(k->id), false, &a, &err);

    rx_arena_free(arena);
    return code == RX_NOT_FOUND;
}

static void
look(void *arg)
{
    struct oauth *o = arg;
    struct rx_link *l, *save;
    struct rx_err err = { 0 };

    RX_LIST_FOREACH_SAFE(l, save, &o->keepers) {
        struct keeper *k = RX_LIST_ITEM(l, struct keeper, link);
        if (!is_gone(k))
            continue;
        alert_clear(o->alerts, ALERT_LOGIN, field_text(k->id));
        keeper_free(k);
    }
    if (take_new(o, &err) != RX_OK)
        rx_error("oauth.store", "why=%s", rx_log_quote(err.text));
    tell_troubles(o);
}

void
oauth_changed(struct oauth *o)
{
    rx_loop_post(o->loop, &o->look);
}

/* ---- beginning and end --------------------------------------------------------------------- */

enum rx_code
oauth_open(
    struct oauth **out, const struct oauth_options *options, struct rx_err *err)
{
    struct oauth *o = calloc(1, sizeof(*o));

    if (o == NULL)
        abort();
    o->loop = options->loop;
    o->fetch = options->fetch;
    o->store = options->store;
    o->troubles = options->troubles;
    o->alerts = options->alerts;
    o->look = (struct rx_task){ .fn = look, .arg = o };
    rx_list_init(&o->keepers);
    rx_list_init(&o->asks);
    enum rx_code code = oauth_providers_new(
        &o->providers, options->changes, options->change_count, err);
    if (code == RX_OK)
        code = take_new(o, err);
    if (code != RX_OK) {
        oauth_close(o);
        return code;
    }
    tell_troubles(o);
    *out = o;
    return RX_OK;
}

void
oauth_close(struct oauth *o)
{
    struct rx_link *l;

    if (o == NULL)
        return;
    rx_loop_unpost(o->loop, &o->look);
    while ((l = rx_list_first(&o->asks)) != NULL)
        oauth_ask_free(RX_LIST_ITEM(l, struct ask, link));
    while ((l = rx_list_first(&o->keepers)) != NULL)
        keeper_free(RX_LIST_ITEM(l, struct keeper, link));
    oauth_providers_free(o->providers);
    free(o);
}

const struct oauth_providers *
oauth_providers_of(const struct oauth *o)
{
    return o->providers;
}
