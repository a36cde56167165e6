/*
 * Opening and closing, adding and writing, and what became of it.
 */
#include "dataplane/journal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/journal_parts.h"
#include "dataplane/journal_segment.h"
#include "shared/log.h"

#define SEGMENT_MIN   ((uint64_t)16 * 1024)
#define RECYCLE_FROM  ((uint64_t)64 * 1024)
/* Added records are a batch that fits any segment; one more always fits. */
#define BATCH_MAX     ((size_t)256 * 1024)
#define UNWRITTEN_MAX (BATCH_MAX + JOURNAL_RECORD + JOURNAL_RECORD_MAX)

enum rx_code
journal_open(struct journal **out, const char *dir, uint64_t boot,
    uint64_t limit, struct rx_err *err)
{
    *out = NULL;
    int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir_fd < 0)
        return rx_fail(err, RX_INTERNAL, "%s: %s", dir, strerror(errno));

    struct journal *j = journal_grow(NULL, sizeof(*j));
    *j = (struct journal){
        .dir_fd = dir_fd, .boot = boot, .limit = limit, .next_n = 1, .fd = -1
    };
    rx_buf_init(&j->unwritten, UNWRITTEN_MAX);
    if (!journal_learn(j)) {
        journal_close(j);
        return rx_fail(err, RX_INTERNAL, "%s: %s", dir, strerror(errno));
    }
    *out = j;
    return RX_OK;
}

static void
close_current(struct journal *j)
{
    if (j->fd < 0)
        return;
    if (j->unsynced) {
        j->old_fds =
            journal_grow(j->old_fds, (j->old_count + 1) * sizeof(*j->old_fds));
        j->old_fds[j->old_count++] = j->fd;
    } else {
        close(j->fd);
    }
    j->fd = -1;
    j->unsynced = false;
}

void
journal_close(struct journal *j)
{
    if (j == NULL)
        return;
    size_t last = j->unwritten_count;
    if (journal_write(j, NULL) != RX_OK)
        rx_error("journal.lost", "records=%zu", last);
    close_current(j);
    for (size_t i = j->count; i-- > 0;) {
        if (j->segments[i].acked_seq >= j->segments[i].last_seq)
            journal_segment_remove(j, i);
    }
    for (size_t i = 0; i < j->old_count; i++) {
        fdatasync(j->old_fds[i]);
        close(j->old_fds[i]);
    }
    fsync(j->dir_fd);
    close(j->dir_fd);
    rx_buf_fini(&j->unwritten);
    free(j->old_fds);
    free(j->segments);
    free(j);
}

void
journal_set_limit(struct journal *j, uint64_t bytes)
{
    j->limit = bytes;
}

/* ---- writing ----------------------------------------------------------- */

static enum rx_code
disk_refused(struct rx_err *err)
{
    return rx_fail(err, RX_UNAVAILABLE, "journal: %s", strerror(errno));
}

/* A fresh segment for this boot, its header written. */
static enum rx_code
start_segment(struct journal *j, struct rx_err *err)
{
    unsigned char header[JOURNAL_HEADER];
    struct segment s = { .boot = j->boot,
        .n = j->next_n,
        .first_seq = j->written_seq + 1,
        .last_seq = j->written_seq,
        .acked_seq = j->written_seq,
        .size = JOURNAL_HEADER };

    close_current(j);
    int fd =
        journal_segment_open(j, &s, O_CREAT | O_TRUNC | O_WRONLY | O_APPEND);
    if (fd < 0)
        return disk_refused(err);
    segment_put_header(header, j->boot, s.first_seq);
    ssize_t n = write(fd, header, sizeof(header));
    if (n != (ssize_t)sizeof(header)) {
        enum rx_code code = disk_refused(err);
        close(fd);
        journal_segment_unlink(j, &s);
        return code;
    }
    j->fd = fd;
    j->next_n++;
    j->dir_unsynced = true;
    j->bytes += s.size;
    journal_segment_add(j, s);
    return RX_OK;
}

static uint64_t
segment_max(const struct journal *j)
{
    uint64_t max = j->limit / 8;

    if (max < SEGMENT_MIN)
        max = SEGMENT_MIN;
    return max < SEGMENT_MAX ? max : SEGMENT_MAX;
}

enum rx_code
journal_add(struct journal *j, rx_str payload, struct rx_err *err)
{
    unsigned char head[JOURNAL_RECORD];
    uint64_t size = j->unwritten.len + sizeof(head) + payload.len;

    assert(payload.len <= JOURNAL_RECORD_MAX);
    assert(!journal_must_write(j));
    j->refused = j->bytes + size + JOURNAL_HEADER > j->limit;
    if (j->refused)
        return rx_fail(err, RX_LIMITED, "journal: limit reached");
    segment_put_record(head, journal_next_seq(j), payload);
    rx_buf_add(&j->unwritten, (rx_str){ (const char *)head, sizeof(head) });
    rx_buf_add(&j->unwritten, payload);
    j->unwritten_count++;
    return RX_OK;
}

bool
journal_must_write(const struct journal *j)
{
    return j->unwritten.len >= BATCH_MAX;
}

/* All of `bytes` at the end of the current segment, or nothing. */
static enum rx_code
write_bytes(struct journal *j, rx_str bytes, struct rx_err *err)
{
    struct segment *s = journal_current(j);

    if (s == NULL || s->size + bytes.len > segment_max(j)) {
        enum rx_code code = start_segment(j, err);
        if (code != RX_OK)
            return code;
        s = journal_current(j);
    }
    ssize_t n = write(j->fd, bytes.ptr, bytes.len);
    if (n == (ssize_t)bytes.len) {
        j->unsynced = true;
        s->size += bytes.len;
        j->bytes += bytes.len;
        return RX_OK;
    }
    if (n >= 0)
        errno = ENOSPC;
    enum rx_code code = disk_refused(err);
    /* Take back what was written; failing that, go on in a new file. */
    if (n > 0 && ftruncate(j->fd, (off_t)s->size) != 0)
        close_current(j);
    return code;
}

enum rx_code
journal_write(struct journal *j, struct rx_err *err)
{
    if (j->unwritten_count == 0)
        return RX_OK;
    enum rx_code code = write_bytes(j, rx_buf_str(&j->unwritten), err);
    if (code == RX_OK) {
        j->written_seq += j->unwritten_count;
        journal_current(j)->last_seq = j->written_seq;
    }
    j->unwritten_count = 0;
    rx_buf_clear(&j->unwritten);
    return code;
}

bool
journal_probe(struct journal *j)
{
    static const char zeros[4096];
    int fd = openat(
        j->dir_fd, "probe", O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);

    if (fd < 0)
        return false;
    bool ok = write(fd, zeros, sizeof(zeros)) == (ssize_t)sizeof(zeros);
    close(fd);
    unlinkat(j->dir_fd, "probe", 0);
    return ok;
}

uint64_t
journal_next_seq(const struct journal *j)
{
    return j->written_seq + j->unwritten_count + 1;
}

/* ---- acknowledging ----------------------------------------------------- */

void
journal_ack(struct journal *j, uint64_t boot, uint64_t seq)
{
    if (boot == j->boot && seq > j->written_seq)
        seq = j->written_seq;
    if (boot == j->boot && seq > j->acked_seq)
        j->acked_seq = seq;
    for (size_t i = j->count; i-- > 0;) {
        struct segment *s = &j->segments[i];
        if (s->boot != boot)
            continue;
        uint64_t most = seq < s->last_seq ? seq : s->last_seq;
        if (most > s->acked_seq)
            s->acked_seq = most;
        if (s->acked_seq < s->last_seq)
            continue;
        if (s == journal_current(j)) {
            /* Keep appending to it until it is worth throwing away. */
            if (s->size < RECYCLE_FROM)
                continue;
            j->unsynced = false;
            close_current(j);
        }
        journal_segment_remove(j, i);
    }
}

/* ---- telling ----------------------------------------------------------- */

struct journal_status
journal_status(const struct journal *j)
{
    struct journal_status st = {
        .boot = j->boot,
        .last_seq = j->written_seq,
        .acked_seq = j->acked_seq,
        .damaged = j->damaged,
        .full = j->refused || j->bytes + j->unwritten.len + 4096 > j->limit,
    };

    for (size_t i = 0; i < j->count; i++)
        st.pending_records +=
            j->segments[i].last_seq - j->segments[i].acked_seq;
    if (st.pending_records > 0)
        st.pending_bytes = j->bytes;
    return st;
}

size_t
journal_take_unsynced(struct journal *j, int **fds)
{
    size_t n = j->old_count;

    *fds = journal_grow(j->old_fds, (n + 2) * sizeof(**fds));
    j->old_fds = NULL;
    j->old_count = 0;
    if (j->unsynced) {
        int fd = fcntl(j->fd, F_DUPFD_CLOEXEC, 0);
        if (fd >= 0)
            (*fds)[n++] = fd;
        j->unsynced = false;
    }
    if (j->dir_unsynced) {
        int fd = fcntl(j->dir_fd, F_DUPFD_CLOEXEC, 0);
        if (fd >= 0)
            (*fds)[n++] = fd;
        j->dir_unsynced = false;
    }
    if (n == 0) {
        free(*fds);
        *fds = NULL;
    }
    return n;
}
