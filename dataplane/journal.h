/*
 * journal.h - numbered records on disk until somebody has taken them.
 *
 *   <dir>/<boot>-<n>.seg:  header (32)  record  record  record ...
 *
 *   header  "RXJRNL1\n", boot, first seq (little-endian), 4 zero bytes, CRC32C
 *   record  CRC32C of the rest, length, seq, payload
 *
 * Records are numbered from 1 in each boot.  A segment that ends in the middle
 * of a record, or holds a damaged one, is good up to there.  What earlier boots
 * left is read before the records of this one.
 *
 * Records are added in memory and written together (journal_write): only what
 * is written counts anywhere else here.  Nothing waits for the disk but write(2)
 * itself: syncing is handed out (journal_take_unsynced) for a helper thread.
 */
#ifndef DATAPLANE_JOURNAL_H
#define DATAPLANE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/attr.h"
#include "shared/buf.h"
#include "shared/err.h"
#include "shared/str.h"

#define JOURNAL_RECORD_MAX ((size_t)256 * 1024)
#define JOURNAL_HEADER     ((size_t)32)
#define JOURNAL_RECORD     ((size_t)16)

struct journal;

/*
 * The number of a new boot, durable (in <dir>/boot) once this returns: greater
 * than any before it, and never less than the wall clock in ms, so that a plane
 * whose disk was lost does not use numbers again.  Makes the directory.
 */
RX_NODISCARD enum rx_code journal_next_boot(
    const char *dir, uint64_t *boot, struct rx_err *err);

/*
 * Open the directory and look at what is left in it.  `limit` is
 * for all segments together, in bytes.
 */
RX_NODISCARD enum rx_code journal_open(struct journal **out, const char *dir,
    uint64_t boot, uint64_t limit, struct rx_err *err);
/* Syncs, closes, and removes segments that were wholly acknowledged. */
void journal_close(struct journal *j);
void journal_set_limit(struct journal *j, uint64_t bytes);

/* The number the next record will have. */
uint64_t journal_next_seq(const struct journal *j);
/*
 * Take one record for the next write; it gets journal_next_seq().  RX_LIMITED:
 * the limit is reached, and the record is not taken.  Not to be called while
 * journal_must_write() says so.
 */
RX_NODISCARD enum rx_code journal_add(
    struct journal *j, rx_str payload, struct rx_err *err);
bool journal_must_write(const struct journal *j);
/*
 * Write what was added, all of it with one write(2).  RX_UNAVAILABLE: the disk
 * does not take it; then nothing was written, and the records and their numbers
 * are given up.
 */
RX_NODISCARD enum rx_code journal_write(struct journal *j, struct rx_err *err);
/* Does the disk take writes again?  Leaves nothing behind. */
bool journal_probe(struct journal *j);

/* Everything up to `seq` of that boot is safe elsewhere. */
void journal_ack(struct journal *j, uint64_t boot, uint64_t seq);

/* A place in the journal; zeroed: the oldest record not acknowledged. */
struct journal_cursor {
    uint64_t boot;
    uint64_t segment;
    uint64_t offset;
    uint64_t seq; /* of the next record */
};

#define JOURNAL_BATCH_RECORDS 256
struct journal_batch {
    uint64_t boot;
    uint64_t first_seq, last_seq; /* it speaks for these */
    uint64_t oldest_seq;          /* of this boot, not acknowledged */
    size_t count;
    rx_str payloads[JOURNAL_BATCH_RECORDS]; /* in `bytes` */
    struct rx_buf bytes;                    /* to be freed by the caller */
};
/*
 * Read on from the cursor, records of one boot, at most `max_bytes` of them (but
 * at least one).  False when there is nothing more.  A batch may be without
 * records when they were damaged.
 */
bool journal_read(struct journal *j, struct journal_cursor *at,
    size_t max_bytes, struct journal_batch *out);

struct journal_status {
    uint64_t boot;
    uint64_t last_seq, acked_seq; /* of this boot */
    uint64_t pending_records;     /* not acknowledged, all boots */
    uint64_t pending_bytes;       /* on disk; 0 when nothing is pending */
    uint64_t damaged;             /* bytes given up in segments read so far */
    bool full;
};
struct journal_status journal_status(const struct journal *j);

/*
 * Descriptors of what was written since the last call (and the directory's
 * where it changed); the caller fsyncs and closes them, on any thread.  Returns
 * how many; NULL list for none.  The list is the caller's to free.
 */
size_t journal_take_unsynced(struct journal *j, int **fds);

/*
 * Check a segment's bytes as reading does: returns how many of them are good,
 * header included, 0 when the header is not.  `last_seq` is the last good
 * record's number, or first_seq - 1.
 */
size_t journal_check(
    rx_str segment, uint64_t *boot, uint64_t *first_seq, uint64_t *last_seq);

#endif
