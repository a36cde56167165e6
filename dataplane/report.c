/*
 * Go-back-N over the journal: batches are read from disk and pushed in order,
 * a few ahead of their acknowledgements; when those stay away, or the other
 * side is new, the cursor returns to the oldest record not acknowledged.  The
 * control plane drops what it has.  Nothing is kept in memory but the cursor.
 */
#include "dataplane/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/journal.h"
#include "dataplane/wire.h"
#include "shared/log.h"
#include "shared/worker.h"

#define GATHER_MS   50   /* a record waits this long for company … */
#define STEADY_MS   200  /* … and so long while they keep coming */
#define RETRY_MS    5    /* when nobody took the batch */
#define RESEND_MS   2000 /* without an acknowledgement */
#define SYNC_MS     500
#define AHEAD       8 /* batches not acknowledged */
#define BATCH_BYTES ((size_t)256 * 1024)
#define BATCH_MAX   ((size_t)2 * 1024 * 1024)

struct sent {
    uint64_t boot;
    uint64_t last_seq;
};

struct report {
    struct rx_loop *loop;
    struct report_options options;
    struct journal *journal;
    bool refuses; /* policy while the journal cannot take more */
    bool failing; /* the disk refused the last write */
    uint64_t dropped;

    struct rx_buf packed; /* a record on its way into the journal */
    unsigned unwritten;   /* records added in this tick */
    struct rx_list entries;
    struct rx_task write;

    bool online;
    struct journal_cursor cursor;
    struct sent ahead[AHEAD]; /* oldest first */
    size_t ahead_count;
    unsigned gathered; /* records written since the last send … */
    uint64_t sent_ms;  /* … which was then; 0: none yet */
    struct rx_timer pump;
    struct rx_task more; /* … at once */
    struct rx_timer resend;

    struct rx_timer sync;
    struct rx_job sync_job;
    bool syncing;
    int *fds; /* the thread's while syncing */
    size_t fd_count;
};

/* ---- sending ----------------------------------------------------------- */

static enum rx_code
send_batch(struct report *r, const struct journal_batch *b)
{
    struct rx_buf packed;
    struct wire_batch w = {
        .plane = r->options.plane,
        .boot = b->boot,
        .first_seq = b->first_seq,
        .last_seq = b->last_seq,
        .oldest_seq = b->oldest_seq,
        .dropped = r->dropped,
        .records = b->payloads,
        .record_count = b->count,
    };

    rx_buf_init(&packed, BATCH_MAX);
    enum rx_code code = RX_TOO_BIG;
    if (wire_add_batch(&packed, &w))
        code = r->options.send(r->options.arg, rx_buf_str(&packed));
    rx_buf_fini(&packed);
    return code;
}

/* False when there is none, or nobody takes it. */
static bool
send_next(struct report *r)
{
    struct journal_cursor before = r->cursor;
    struct journal_batch b;

    if (!journal_read(r->journal, &r->cursor, BATCH_BYTES, &b))
        return false;
    enum rx_code code = send_batch(r, &b);
    rx_buf_fini(&b.bytes);
    if (code != RX_OK) {
        r->cursor = before;
        rx_timer_set(&r->pump, RETRY_MS);
        return false;
    }
    r->ahead[r->ahead_count++] = (struct sent){ b.boot, b.last_seq };
    r->sent_ms = rx_loop_ms(r->loop);
    if (r->ahead_count == 1)
        rx_timer_set(&r->resend, RESEND_MS);
    return true;
}

/* Is there a whole batch to be sent, or one that nothing can come to? */
static bool
has_batch(const struct report *r)
{
    struct journal_status st = journal_status(r->journal);

    return r->cursor.boot != st.boot ||
           r->cursor.seq + JOURNAL_BATCH_RECORDS <= st.last_seq + 1;
}

/*
 * Taking in a batch costs the other side as much as taking in ten rows, so
 * while there is one after the other they are made larger; what comes after a
 * rest is seen at once.
 */
static unsigned
gather_ms(const struct report *r)
{
    bool steady =
        r->sent_ms != 0 && rx_loop_ms(r->loop) - r->sent_ms < 2 * STEADY_MS;

    return steady ? STEADY_MS : GATHER_MS;
}

/*
 * As far ahead as allowed, but a batch a tick: each takes a good part of one.
 * What does not fill another waits for company again: taking in a batch costs
 * the other side as much as taking in twenty rows.
 */
static void
pump(void *arg)
{
    struct report *r = arg;

    r->gathered = 0;
    if (!r->online || r->ahead_count == AHEAD || !send_next(r))
        return;
    if (has_batch(r))
        rx_loop_post(r->loop, &r->more);
    else if (!rx_timer_is_set(&r->pump))
        rx_timer_set(&r->pump, gather_ms(r));
}

/* From the oldest record that is not acknowledged, again. */
static void
rewind_to_oldest(struct report *r)
{
    r->cursor = (struct journal_cursor){ 0 };
    r->ahead_count = 0;
    rx_timer_unset(&r->resend);
    rx_timer_set(&r->pump, 1);
}

static void
on_resend(void *arg)
{
    struct report *r = arg;

    if (r->ahead_count == 0 || !r->online)
        return;
    rx_info("usage.resent", "batches=%zu boot=%" PRIu64, r->ahead_count,
        r->ahead[0].boot);
    rewind_to_oldest(r);
}

void
report_online(struct report *r, bool online, bool anew)
{
    bool before = r->online;

    r->online = online;
    if (online && (!before || anew))
        rewind_to_oldest(r);
}

void
report_acked(struct report *r, uint64_t boot, uint64_t seq)
{
    size_t done = 0;

    journal_ack(r->journal, boot, seq);
    while (done < r->ahead_count && r->ahead[done].boot == boot &&
           r->ahead[done].last_seq <= seq)
        done++;
    if (done == 0)
        return;
    bool was_full = r->ahead_count == AHEAD;
    r->ahead_count -= done;
    memmove(r->ahead, r->ahead + done, r->ahead_count * sizeof(*r->ahead));
    if (r->ahead_count > 0)
        rx_timer_set(&r->resend, RESEND_MS);
    else
        rx_timer_unset(&r->resend);
    /* Otherwise all there was is sent, and what comes has its timer. */
    if (was_full && !rx_timer_is_set(&r->pump))
        rx_timer_set(&r->pump, 1);
}

/* ---- syncing ----------------------------------------------------------- */

static void
sync_work(void *arg)
{
    struct report *r = arg;

    for (size_t i = 0; i < r->fd_count; i++) {
        fsync(r->fds[i]);
        close(r->fds[i]);
    }
}

static void
sync_done(void *arg)
{
    struct report *r = arg;

    free(r->fds);
    r->fds = NULL;
    r->syncing = false;
}

static void
on_sync(void *arg)
{
    struct report *r = arg;

    if (r->failing && journal_probe(r->journal)) {
        r->failing = false;
        rx_info("journal.recovered", "dropped=%" PRIu64, r->dropped);
    }
    if (!r->syncing) {
        r->fd_count = journal_take_unsynced(r->journal, &r->fds);
        if (r->fd_count > 0) {
            r->syncing = true;
            rx_worker_give(r->options.worker, &r->sync_job);
        }
    }
    /* Ticks on only while there is something to watch. */
    if (r->failing || r->syncing)
        rx_timer_set(&r->sync, SYNC_MS);
}

/* ---- writing down ------------------------------------------------------ */

bool
report_admits(const struct report *r)
{
    if (!r->refuses)
        return true;
    return !r->failing && !journal_status(r->journal).full;
}

static void
dropped(struct report *r, unsigned count, enum rx_code code, const char *why)
{
    r->dropped += count;
    r->failing = code == RX_UNAVAILABLE;
    rx_error("usage.dropped", "dropped=%" PRIu64 " why=%s", r->dropped,
        rx_log_quote(why));
}

/* Soon when there is a batch of them, else when they had time to gather. */
static void
plan_sending(struct report *r, unsigned count)
{
    bool many = r->gathered < JOURNAL_BATCH_RECORDS &&
                r->gathered + count >= JOURNAL_BATCH_RECORDS;

    r->gathered += count;
    if (many)
        rx_timer_set(&r->pump, 1);
    else if (!rx_timer_is_set(&r->pump))
        rx_timer_set(&r->pump, gather_ms(r));
}

static void
tell_written(struct report *r)
{
    for (size_t n = r->entries.count; n > 0; n--) {
        struct report_entry *e =
            RX_LIST_ITEM(rx_list_first(&r->entries), struct report_entry, link);
        rx_list_remove(&r->entries, &e->link);
        e->written(e->arg);
    }
}

/* The records of this tick, once all its tasks have run. */
static void
write_out(void *arg)
{
    struct report *r = arg;
    struct rx_err err = { 0 };
    unsigned count = r->unwritten;

    r->unwritten = 0;
    if (count > 0) {
        enum rx_code code = journal_write(r->journal, &err);
        if (code != RX_OK) {
            dropped(r, count, code, err.text);
        } else {
            r->failing = false;
            plan_sending(r, count);
        }
    }
    tell_written(r);
}

static enum rx_code
take_record(struct report *r, const struct record *record, struct rx_err *err)
{
    uint64_t seq = journal_next_seq(r->journal);

    rx_buf_clear(&r->packed);
    if (!wire_add_record(&r->packed, seq, record))
        return rx_fail(err, RX_TOO_BIG, "record: too large");
    return journal_add(r->journal, rx_buf_str(&r->packed), err);
}

void
report_add(
    struct report *r, const struct record *record, struct report_entry *entry)
{
    struct rx_err err = { 0 };

    if (journal_must_write(r->journal))
        write_out(r);
    enum rx_code code = take_record(r, record, &err);
    if (code == RX_OK)
        r->unwritten++;
    else
        dropped(r, 1, code, err.text);
    if (entry != NULL)
        rx_list_append(&r->entries, &entry->link);
    rx_loop_post_last(r->loop, &r->write);
    if (!rx_timer_is_set(&r->sync))
        rx_timer_set(&r->sync, SYNC_MS);
}

struct report_status
report_status(const struct report *r)
{
    struct journal_status j = journal_status(r->journal);

    return (struct report_status){
        .boot = j.boot,
        .last_seq = j.last_seq,
        .acked_seq = j.acked_seq,
        .pending_records = j.pending_records + r->unwritten,
        .pending_bytes = j.pending_bytes,
        .dropped = r->dropped,
        .full = j.full,
        .failing = r->failing,
    };
}

void
report_configure(struct report *r, uint64_t limit_bytes, bool full_refuses)
{
    journal_set_limit(r->journal, limit_bytes);
    r->refuses = full_refuses;
}

/* ---- beginning and end ------------------------------------------------- */

enum rx_code
report_open(struct report **out, struct rx_loop *loop,
    const struct report_options *options, struct rx_err *err)
{
    struct settings s = wire_default_settings();
    struct journal *journal = NULL;
    uint64_t boot = 0;

    *out = NULL;
    enum rx_code code = journal_next_boot(options->dir, &boot, err);
    if (code == RX_OK)
        code = journal_open(
            &journal, options->dir, boot, s.journal_limit_bytes, err);
    if (code != RX_OK)
        return code;

    struct report *r = calloc(1, sizeof(*r));
    if (r == NULL)
        abort();
    r->loop = loop;
    r->options = *options;
    r->journal = journal;
    rx_buf_init(&r->packed, JOURNAL_RECORD_MAX);
    rx_list_init(&r->entries);
    r->write = (struct rx_task){ .fn = write_out, .arg = r };
    rx_timer_init(&r->pump, loop, pump, r);
    r->more = (struct rx_task){ .fn = pump, .arg = r };
    rx_timer_init(&r->resend, loop, on_resend, r);
    rx_timer_init(&r->sync, loop, on_sync, r);
    r->sync_job =
        (struct rx_job){ .work = sync_work, .done = sync_done, .arg = r };
    struct journal_status st = journal_status(journal);
    if (st.pending_records > 0)
        rx_info("journal.leftover", "records=%" PRIu64 " bytes=%" PRIu64,
            st.pending_records, st.pending_bytes);
    *out = r;
    return RX_OK;
}

void
report_close(struct report *r)
{
    if (r == NULL)
        return;
    rx_worker_finish(r->options.worker);
    rx_timer_fini(&r->pump);
    rx_loop_unpost(r->loop, &r->more);
    rx_timer_fini(&r->resend);
    rx_timer_fini(&r->sync);
    rx_loop_unpost(r->loop, &r->write);
    rx_buf_fini(&r->packed);
    journal_close(r->journal);
    free(r);
}
