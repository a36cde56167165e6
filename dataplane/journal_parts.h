/*
 * journal_parts.h - what the files of the journal share.
 *
 * Segments are kept in the order they are to be read: boots before this one
 * first.  Only the last segment of this boot is open for writing.
 */
#ifndef DATAPLANE_JOURNAL_PARTS_H
#define DATAPLANE_JOURNAL_PARTS_H

#include "dataplane/journal.h"

#define SEGMENT_MAX ((uint64_t)4 * 1024 * 1024)

struct segment {
    uint64_t boot;
    uint64_t n;
    uint64_t first_seq;
    uint64_t last_seq;  /* first_seq - 1 while empty */
    uint64_t acked_seq; /* first_seq - 1 at first */
    uint64_t size;      /* good bytes */
};

struct journal {
    int dir_fd;
    uint64_t boot;
    uint64_t limit;
    uint64_t written_seq; /* of the last record on disk */
    uint64_t acked_seq;
    struct rx_buf unwritten; /* records added and not yet written */
    size_t unwritten_count;
    uint64_t next_n;
    struct segment *segments; /* in order of (boot, n) */
    size_t count, size;
    uint64_t bytes; /* of all segments */
    int fd;         /* of the last segment, when it is this boot's; or -1 */
    bool unsynced;  /* something was written to fd */
    bool dir_unsynced;
    int *old_fds; /* of closed segments, not synced yet */
    size_t old_count;
    uint64_t damaged;
    bool refused; /* an append met the limit; until something is removed */
};

void *journal_grow(void *old, size_t size);

/* Call see(arg, boot, n, size) for each segment file. */
bool journal_walk(int dir_fd,
    void (*see)(void *arg, uint64_t boot, uint64_t n, uint64_t size),
    void *arg);
/* A descriptor, or -1. */
int journal_segment_open(
    const struct journal *j, const struct segment *s, int flags);
struct segment *journal_segment_add(struct journal *j, struct segment s);
void journal_segment_unlink(const struct journal *j, const struct segment *s);
/* Off the list, and its file with it. */
void journal_segment_remove(struct journal *j, size_t i);
/* Read up to `size` bytes at `offset`; what could be read is in `out`. */
bool journal_segment_read(const struct journal *j, const struct segment *s,
    uint64_t offset, size_t size, struct rx_buf *out);
/* The segment being written, or NULL. */
struct segment *journal_current(const struct journal *j);

/* Take stock of the directory.  False when it cannot be read: errno. */
bool journal_learn(struct journal *j);

#endif
