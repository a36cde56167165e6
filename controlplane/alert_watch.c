#include "controlplane/alert_watch.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/field.h"
#include "controlplane/settings.h"
#include "shared/clock.h"

#define LOOK_MS     1000
#define SETTINGS_MS 10000
/* Of the journal's limit: a plane that cannot report fills it in hours. */
#define FILLING_PCT 50

struct alert_watch {
    struct rx_loop *loop;
    struct alerts *alerts;
    struct store *store;
    struct publisher *publisher;
    struct collector *collector;
    struct rx_timer due;
    uint64_t journal_limit; /* 0: not known */
    uint64_t settings_ms;   /* when it was read */
    uint64_t failed;        /* commits, at the last look */
};

static void
say(struct alert_watch *w, bool holds, enum alert_kind kind, rx_str id,
    rx_str name, const char *words)
{
    if (holds)
        alert_raise(w->alerts, kind, id, name, "%s", words);
    else
        alert_clear(w->alerts, kind, id);
}

/* ---- planes ---------------------------------------------------------------- */

static void
look_at_journal(struct alert_watch *w, const struct plane_info *p)
{
    uint64_t limit = w->journal_limit;
    bool filling = p->connected && limit > 0 &&
                   p->journal_bytes > limit / 100 * FILLING_PCT;

    if (filling)
        alert_raise(w->alerts, ALERT_JOURNAL, p->id, p->id,
            "The journal of data plane " RX_STR_FMT " holds %" PRIu64
            " records that were not taken in yet, more than half of its limit",
            RX_STR_ARG(p->id), p->journal_records);
    else
        alert_clear(w->alerts, ALERT_JOURNAL, p->id);
    if (p->connected && p->journal_dropped > 0)
        alert_raise(w->alerts, ALERT_DROPPED, p->id, p->id,
            "Data plane " RX_STR_FMT
            " had no room to write down what was used: records are lost",
            RX_STR_ARG(p->id));
    else
        alert_clear(w->alerts, ALERT_DROPPED, p->id);
}

static void
look_at_plane(struct alert_watch *w, const struct plane_info *p)
{
    if (!p->connected && !p->left)
        alert_raise(w->alerts, ALERT_PLANE_LOST, p->id, p->id,
            "Data plane " RX_STR_FMT " is not heard from", RX_STR_ARG(p->id));
    else
        alert_clear(w->alerts, ALERT_PLANE_LOST, p->id);
    if (p->connected && !p->compatible)
        alert_raise(w->alerts, ALERT_PLANE_FOREIGN, p->id, p->id,
            "Data plane " RX_STR_FMT " speaks version %u.%u of the protocol",
            RX_STR_ARG(p->id), p->major, p->minor);
    else
        alert_clear(w->alerts, ALERT_PLANE_FOREIGN, p->id);
    if (p->connected && p->rejected_count > 0)
        alert_raise(w->alerts, ALERT_PLANE_REJECTS, p->id, p->id,
            "Data plane " RX_STR_FMT " cannot use %zu parts of the "
            "configuration: " RX_STR_FMT " \"" RX_STR_FMT "\", among them",
            RX_STR_ARG(p->id), p->rejected_count,
            RX_STR_ARG(p->rejected[0].kind), RX_STR_ARG(p->rejected[0].name));
    else
        alert_clear(w->alerts, ALERT_PLANE_REJECTS, p->id);
    look_at_journal(w, p);
}

/* ---- channels ----------------------------------------------------------------- */

/* A token that was refused, and a fresh one is on its way. */
static bool
is_passing(const struct trouble *t)
{
    return t->until_ms != UINT64_MAX &&
           rx_str_eq(t->kind, RX_S("credential_refused"));
}

static bool
has_trouble(const struct alert_watch *w, rx_str channel, const char *kind)
{
    const struct troubles *all = collector_troubles(w->collector);
    const struct trouble *t;
    size_t at = 0;

    while (troubles_next(all, &at, &t)) {
        if (rx_str_eq(t->kind, field_text(kind)) &&
            rx_str_eq(t->channel, channel) &&
            t->until_ms > rx_loop_ms(w->loop) && !is_passing(t))
            return true;
    }
    return false;
}

static void
look_at_channel(struct alert_watch *w, rx_str id, rx_str name)
{
    if (has_trouble(w, id, "credential_refused"))
        alert_raise(w->alerts, ALERT_CREDENTIAL, id, name,
            "The provider refuses a key of channel " RX_STR_FMT,
            RX_STR_ARG(name));
    else
        alert_clear(w->alerts, ALERT_CREDENTIAL, id);
    if (has_trouble(w, id, "no_credit"))
        alert_raise(w->alerts, ALERT_NO_CREDIT, id, name,
            "The account of channel " RX_STR_FMT " cannot pay any more",
            RX_STR_ARG(name));
    else
        alert_clear(w->alerts, ALERT_NO_CREDIT, id);
}

static void
look_at_channels(struct alert_watch *w)
{
    struct db_query *q = db_query(w->store->db, "select id, name from channel");

    while (db_next(q))
        look_at_channel(w, db_str(q, 0), db_str(q, 1));
    (void)db_done(q, NULL);
}

/* ---- what is gone ------------------------------------------------------------ */

/* Nobody says of a thing that was deleted that it is well. */
static void
forget_deleted(struct alert_watch *w)
{
    struct db_query *q = db_query(w->store->db,
        "select kind, subject from alert where closed_ms is null and ("
        "about = 'channel' and subject not in (select id from channel) or "
        "about = 'account' and subject not in (select id from oauth_account) "
        "or about = 'webhook' and subject not in (select id from webhook) or "
        "about = 'tee' and subject not in (select id from tee) or "
        "about = 'budget' and subject not in (select 'tenant/' || id from "
        "tenant union all select 'key/' || id from client_key))");
    enum alert_kind kind;

    while (db_next(q)) {
        if (alert_kind_of(db_str(q, 0), &kind))
            alert_clear(w->alerts, kind, db_str(q, 1));
    }
    (void)db_done(q, NULL);
}

/* ---- planes nobody knows any more --------------------------------------- */

static bool
is_known(const struct alert_watch *w, rx_str plane)
{
    for (size_t i = 0; i < collector_plane_count(w->collector); i++) {
        if (rx_str_eq(collector_plane(w->collector, i)->id, plane))
            return true;
    }
    return false;
}

/*
 * A plane that is away stays an alert when we start again, though we have not
 * heard of it then; as long as the collector would have remembered it.
 */
static void
forget_planes(struct alert_watch *w)
{
    uint64_t now = rx_clock_wall_ms();
    struct db_query *q = db_query(w->store->db,
        "select subject from alert where closed_ms is null and kind = ? "
        "and opened_ms < ?");

    db_bind_str(q, 1, field_text(alert_kind_name(ALERT_PLANE_LOST)));
    db_bind_u64(
        q, 2, now > COLLECTOR_FORGET_MS ? now - COLLECTOR_FORGET_MS : 0);
    while (db_next(q)) {
        if (!is_known(w, db_str(q, 0)))
            alert_clear(w->alerts, ALERT_PLANE_LOST, db_str(q, 0));
    }
    (void)db_done(q, NULL);
}

/* ---- the whole ------------------------------------------------------------------ */

static void
read_settings(struct alert_watch *w)
{
    struct rx_arena *arena;
    struct settings s;

    if (w->settings_ms != 0 &&
        rx_loop_ms(w->loop) - w->settings_ms < SETTINGS_MS)
        return;
    arena = rx_arena_new(8 << 20);
    w->settings_ms = rx_loop_ms(w->loop);
    forget_planes(w);
    if (settings_load(w->store, arena, &s, NULL) == RX_OK)
        w->journal_limit = s.state.journal_limit_bytes;
    rx_arena_free(arena);
}

static void
look(void *arg)
{
    struct alert_watch *w = arg;
    struct publisher_status p = publisher_status(w->publisher);
    uint64_t failed = collector_status(w->collector).commit_failed;
    const rx_str store = RX_S("store");

    rx_timer_set(&w->due, LOOK_MS);
    if (db_in_transaction(w->store->db))
        return;
    read_settings(w);
    for (size_t i = 0; i < collector_plane_count(w->collector); i++)
        look_at_plane(w, collector_plane(w->collector, i));
    look_at_channels(w);
    forget_deleted(w);
    say(w, p.trouble[0] != '\0', ALERT_UNPUBLISHED, store, store,
        "The last change could not be published to the data planes");
    say(w, failed != w->failed, ALERT_UNCOMMITTED, store, store,
        "The store does not take what the data planes report");
    w->failed = failed;
}

struct alert_watch *
alert_watch_new(struct rx_loop *loop, struct alerts *alerts,
    struct store *store, struct publisher *publisher,
    struct collector *collector)
{
    struct alert_watch *w = calloc(1, sizeof(*w));

    if (w == NULL)
        abort();
    w->loop = loop;
    w->alerts = alerts;
    w->store = store;
    w->publisher = publisher;
    w->collector = collector;
    rx_timer_init(&w->due, loop, look, w);
    rx_timer_set(&w->due, LOOK_MS);
    return w;
}

void
alert_watch_free(struct alert_watch *w)
{
    if (w == NULL)
        return;
    rx_timer_fini(&w->due);
    free(w);
}
