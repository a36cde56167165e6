/*
 * report.h - usage records on their way to the control plane, exactly once.
 *
 *   report_add ─> journal (write) ─> push in batches ─> Ack ─> segment dropped
 *
 * The journal is segment files of length + CRC32C + packed record.  All records
 * of a tick are written together at its end, and then those who added them are
 * told: they may say now what must not be heard before.  fdatasync happens on a helper thread at
 * least once a second.  What a previous boot left unacknowledged is sent first,
 * under that boot's number.
 */
#ifndef DATAPLANE_REPORT_H
#define DATAPLANE_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/record.h"
#include "shared/err.h"
#include "shared/list.h"
#include "shared/loop.h"

struct report;

struct report_status {
    uint64_t boot, last_seq, acked_seq;
    uint64_t pending_records; /* not acknowledged; all boots */
    uint64_t pending_bytes;
    uint64_t dropped; /* not written because the journal was full */
    bool full;        /* at its limit now */
    bool failing;     /* the disk refuses writes now */
};

/* May a new request be taken?  False only while the journal is full (or the
 * disk refuses) and policy says "refuse". */
bool report_admits(const struct report *r);
/* Whoever adds a record embeds one, to be told when it is written. */
struct report_entry {
    struct rx_link link;
    void (*written)(void *arg);
    void *arg;
};
/*
 * Write it down, in this tick; `record` may go once this returns, `entry` (NULL
 * is allowed) is told from the loop and has to stay until then.  Never fails
 * towards the caller: what cannot be written is counted as dropped, loudly, and
 * the entry is told all the same.
 */
void report_add(
    struct report *r, const struct record *record, struct report_entry *entry);
struct report_status report_status(const struct report *r);

/* ---- for follow.c, which owns the reporter ----------------------------- */

struct rx_worker;

struct report_options {
    const char *plane;
    const char *dir; /* the journal's */
    struct rx_worker *worker;
    /* Hand a packed UsageBatch to the control plane; not RX_OK: not now. */
    enum rx_code (*send)(void *arg, rx_str batch);
    void *arg;
};
/* Takes the next boot number.  RX_INTERNAL: the directory is of no use. */
RX_NODISCARD enum rx_code report_open(struct report **out, struct rx_loop *loop,
    const struct report_options *options, struct rx_err *err);
void report_close(struct report *r);
/* From the settings in force. */
void report_configure(
    struct report *r, uint64_t limit_bytes, bool full_refuses);
/* Is there a control plane to send to?  True again after false, or `anew` (it
 * is another one): what is not acknowledged is sent again at once. */
void report_online(struct report *r, bool online, bool anew);
void report_acked(struct report *r, uint64_t boot, uint64_t seq);

#endif
