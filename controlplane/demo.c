#include "controlplane/demo.h"

#include <stdlib.h>

#include "controlplane/audit.h"
#include "controlplane/channel.h"
#include "shared/log.h"

#define RETIRED   "demo_retired" /* in the store */
#define ARENA_MAX ((size_t)16 << 20)

struct demo {
    struct store *store;
    struct usage_sink inner;
    bool retired;
};

/* ---- going ----------------------------------------------------------------- */

/* Is it a channel that answers from now on? */
static bool
is_real(struct store *s, rx_str channel)
{
    struct db_query *q = db_query(s->db,
        "select 1 from channel where id = ? and status = 'enabled' "
        "and type <> '" DEMO "'");

    db_bind_str(q, 1, channel);
    bool real = db_next(q);
    return db_done(q, NULL) == RX_OK && real;
}

static enum rx_code
disable(struct store *s, struct rx_arena *arena, struct rx_err *err)
{
    struct audit_line line = {
        .actor = RX_S("routex-control"),
        .action = "disable",
        .kind = "channel",
        .name = RX_S(DEMO),
    };
    struct channel *ch;
    enum rx_code code = channel_load(s, arena, RX_S(DEMO), true, &ch, err);

    if (code == RX_NOT_FOUND)
        return RX_OK;
    if (code != RX_OK || !rx_str_eq(ch->type, RX_S(DEMO)) ||
        ch->priority != DEMO_PRIORITY ||
        !rx_str_eq(ch->status, RX_S("enabled")))
        return code;
    ch->status = RX_S("disabled");
    line.id = ch->id;
    code = channel_save(s, arena, ch, err);
    return code == RX_OK ? audit_add(s, &line, err) : code;
}

static enum rx_code
retire(struct store *s, struct rx_err *err)
{
    struct rx_arena *arena = rx_arena_new(ARENA_MAX);
    enum rx_code code = store_begin(s, err);

    if (code == RX_OK) {
        code = disable(s, arena, err);
        if (code == RX_OK)
            code = store_set(s, RETIRED, 1, err);
        if (code == RX_OK)
            code = store_commit(s, err);
        else
            store_rollback(s);
    }
    rx_arena_free(arena);
    return code;
}

void
demo_proven(struct demo *d, rx_str channel)
{
    struct rx_err err = { 0 };

    if (d->retired || !is_real(d->store, channel))
        return;
    d->retired = retire(d->store, &err) == RX_OK;
    if (!d->retired)
        rx_warn("demo.not_retired", "why=%s", rx_log_quote(err.text));
}

/* ---- watching requests ------------------------------------------------------ */

static enum rx_code
sink_commit(void *arg, const struct usage_batch *batch, struct rx_err *err)
{
    struct demo *d = arg;
    enum rx_code code = d->inner.commit(d->inner.arg, batch, err);

    for (size_t i = 0; code == RX_OK && !d->retired && i < batch->row_count;
         i++) {
        if (rx_str_eq(batch->rows[i].outcome, RX_S("ok")))
            demo_proven(d, batch->rows[i].channel_id);
    }
    return code;
}

static enum rx_code
sink_progress(
    void *arg, rx_str plane, uint64_t boot, uint64_t *seq, struct rx_err *err)
{
    struct demo *d = arg;

    return d->inner.progress(d->inner.arg, plane, boot, seq, err);
}

struct usage_sink
demo_sink(struct demo *d, struct usage_sink inner)
{
    d->inner = inner;
    return (struct usage_sink){ d, sink_progress, sink_commit };
}

/* ---- beginning and end ------------------------------------------------------ */

struct demo *
demo_new(struct store *store)
{
    struct demo *d = calloc(1, sizeof(*d));
    uint64_t retired = 0;

    if (d == NULL)
        abort();
    d->store = store;
    if (store_get(store, RETIRED, &retired, NULL) == RX_OK)
        d->retired = retired != 0;
    return d;
}

void
demo_free(struct demo *d)
{
    free(d);
}
