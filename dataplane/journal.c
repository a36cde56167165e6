/*
 * Segments are kept in the order they are to be read: boots before this one
 * first.  Only the last segment of this boot is open for writing.  Of earlier
 * boots, only each boot's last segment is read at the start, to learn where it
 * ends: the others end where the next begins.
 */
#include "dataplane/journal.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dataplane/journal_segment.h"
#include "shared/clock.h"
#include "shared/log.h"

#define SEGMENT_MAX   ((uint64_t)4 * 1024 * 1024)
#define SEGMENT_MIN   ((uint64_t)16 * 1024)
#define READ_CHUNK    ((size_t)512 * 1024)
#define RECYCLE_FROM  ((uint64_t)64 * 1024)
/* Added records are a batch that fits any segment; one more always fits. */
#define BATCH_MAX     ((size_t)256 * 1024)
#define UNWRITTEN_MAX (BATCH_MAX + JOURNAL_RECORD + JOURNAL_RECORD_MAX)

struct segment {
    uint64_t boot;
    uint64_t n;
    uint64_t first_seq;
    uint64_t last_seq;  /* first_seq - 1 while empty */
    uint64_t acked_seq; /* first_seq - 1 at first */
    uint64_t size;      /* good bytes */
};

struct journal {
    char *dir;
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

static void *
grow(void *old, size_t size)
{
    void *p = realloc(old, size);

    if (p == NULL) {
        fprintf(stderr, "routex: out of memory\n");
        abort();
    }
    return p;
}

/* ---- segments ---------------------------------------------------------- */

static void
segment_name(char out[64], uint64_t boot, uint64_t n)
{
    snprintf(out, 64, "%" PRIu64 "-%" PRIu64 ".seg", boot, n);
}

static bool
parse_name(const char *name, uint64_t *boot, uint64_t *n)
{
    rx_str head;
    rx_str tail;
    rx_str s = { name, strlen(name) };

    if (s.len < 5 || strcmp(name + s.len - 4, ".seg") != 0)
        return false;
    s.len -= 4;
    return rx_str_cut(s, '-', &head, &tail) && rx_str_u64(head, boot) &&
           rx_str_u64(tail, n);
}

/* ---- the boot number --------------------------------------------------- */

static uint64_t
read_boot(int dir_fd)
{
    char text[32] = "";
    int fd = openat(dir_fd, "boot", O_RDONLY | O_CLOEXEC);
    uint64_t n = 0;

    if (fd < 0)
        return 0;
    ssize_t len = read(fd, text, sizeof(text));
    close(fd);
    if (len <= 0 || text[len - 1] != '\n' ||
        !rx_str_u64((rx_str){ text, (size_t)len - 1 }, &n))
        return 0;
    return n;
}

static bool
write_boot(int dir_fd, uint64_t n)
{
    char text[32];
    int len = snprintf(text, sizeof(text), "%" PRIu64 "\n", n);
    int fd = openat(
        dir_fd, "boot.tmp", O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);

    if (fd < 0)
        return false;
    bool ok = write(fd, text, (size_t)len) == len && fsync(fd) == 0;
    int why = errno;
    close(fd);
    errno = why;
    return ok && renameat(dir_fd, "boot.tmp", dir_fd, "boot") == 0 &&
           fsync(dir_fd) == 0;
}

/* Call see(arg, boot, n, size) for each segment file. */
static bool
walk_segments(int dir_fd,
    void (*see)(void *arg, uint64_t boot, uint64_t n, uint64_t size), void *arg)
{
    int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;

    if (d == NULL)
        return false;
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        uint64_t boot = 0;
        uint64_t n = 0;
        struct stat st;
        if (parse_name(e->d_name, &boot, &n) &&
            fstatat(dir_fd, e->d_name, &st, 0) == 0)
            see(arg, boot, n, (uint64_t)st.st_size);
    }
    closedir(d);
    return true;
}

static void
see_boot(void *arg, uint64_t boot, uint64_t n, uint64_t size)
{
    uint64_t *most = arg;

    (void)n;
    (void)size;
    if (boot > *most)
        *most = boot;
}

enum rx_code
journal_next_boot(const char *dir, uint64_t *boot, struct rx_err *err)
{
    if (mkdir(dir, 0700) != 0 && errno != EEXIST)
        return rx_fail(err, RX_INTERNAL, "%s: %s", dir, strerror(errno));
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return rx_fail(err, RX_INTERNAL, "%s: %s", dir, strerror(errno));

    uint64_t last = read_boot(fd);
    uint64_t now = rx_clock_wall_ms();
    bool ok = walk_segments(fd, see_boot, &last);
    *boot = last >= now ? last + 1 : now;
    ok = ok && write_boot(fd, *boot);
    int why = errno;
    close(fd);
    if (!ok)
        return rx_fail(err, RX_INTERNAL, "%s: %s", dir, strerror(why));
    return RX_OK;
}

/* ---- opening and closing files ----------------------------------------- */

static int
open_segment(const struct journal *j, const struct segment *s, int flags)
{
    char name[64];

    segment_name(name, s->boot, s->n);
    return openat(j->dir_fd, name, flags | O_CLOEXEC, 0600);
}

static void
remove_segment(struct journal *j, size_t i)
{
    char name[64];

    segment_name(name, j->segments[i].boot, j->segments[i].n);
    unlinkat(j->dir_fd, name, 0);
    j->dir_unsynced = true;
    j->refused = false;
    j->bytes -= j->segments[i].size;
    j->count--;
    memmove(&j->segments[i], &j->segments[i + 1],
        (j->count - i) * sizeof(*j->segments));
}

static struct segment *
add_segment(struct journal *j, struct segment s)
{
    if (j->count == j->size) {
        j->size = j->size > 0 ? j->size * 2 : 8;
        j->segments = grow(j->segments, j->size * sizeof(*j->segments));
    }
    j->segments[j->count] = s;
    return &j->segments[j->count++];
}

static int
by_age(const void *a, const void *b)
{
    const struct segment *x = a;
    const struct segment *y = b;

    if (x->boot != y->boot)
        return x->boot < y->boot ? -1 : 1;
    return x->n < y->n ? -1 : x->n > y->n;
}

/* Read up to `size` bytes at `offset`; what could be read is in `out`. */
static bool
read_at(const struct journal *j, const struct segment *s, uint64_t offset,
    size_t size, struct rx_buf *out)
{
    int fd = open_segment(j, s, O_RDONLY);
    char *room = fd >= 0 ? rx_buf_room(out, size) : NULL;
    ssize_t n = -1;

    if (room != NULL)
        n = pread(fd, room, size, (off_t)offset);
    if (fd >= 0)
        close(fd);
    if (n < 0)
        return false;
    rx_buf_grew(out, (size_t)n);
    return true;
}

/* ---- opening ----------------------------------------------------------- */

static void
see_segment(void *arg, uint64_t boot, uint64_t n, uint64_t size)
{
    struct journal *j = arg;

    add_segment(j, (struct segment){ .boot = boot, .n = n, .size = size });
    j->bytes += size;
}

/* Learn where a leftover segment begins; false when it is of no use. */
static bool
learn_start(struct journal *j, struct segment *s)
{
    struct rx_buf b;
    uint64_t boot = 0;

    rx_buf_init(&b, JOURNAL_HEADER);
    bool ok = read_at(j, s, 0, JOURNAL_HEADER, &b) &&
              segment_get_header(rx_buf_str(&b), &boot, &s->first_seq) &&
              boot == s->boot;
    rx_buf_fini(&b);
    s->acked_seq = s->first_seq - 1;
    s->last_seq = s->first_seq - 1;
    return ok;
}

/* ... and, if it is its boot's last, where it ends. */
static void
learn_end(struct journal *j, struct segment *s)
{
    struct rx_buf b;
    uint64_t boot;
    uint64_t first;

    size_t most = (size_t)SEGMENT_MAX + JOURNAL_RECORD_MAX;
    rx_buf_init(&b, most);
    size_t good = 0;
    if (read_at(j, s, 0, s->size < most ? s->size : most, &b))
        good = journal_check(rx_buf_str(&b), &boot, &first, &s->last_seq);
    rx_buf_fini(&b);
    if (good < s->size) {
        rx_info("journal.torn",
            "boot=%" PRIu64 " segment=%" PRIu64 " good=%zu size=%" PRIu64,
            s->boot, s->n, good, s->size);
        j->damaged += s->size - good;
    }
    j->bytes -= s->size - good;
    s->size = good;
}

static void
learn_segments(struct journal *j)
{
    for (size_t i = j->count; i-- > 0;) {
        if (!learn_start(j, &j->segments[i])) {
            rx_warn("journal.unreadable",
                "boot=%" PRIu64 " segment=%" PRIu64 " bytes=%" PRIu64,
                j->segments[i].boot, j->segments[i].n, j->segments[i].size);
            j->damaged += j->segments[i].size;
            remove_segment(j, i);
        }
    }
    for (size_t i = j->count; i-- > 0;) {
        struct segment *s = &j->segments[i];
        bool last = i + 1 == j->count || j->segments[i + 1].boot != s->boot;
        if (!last)
            s->last_seq = j->segments[i + 1].first_seq - 1;
        else
            learn_end(j, s);
        if (s->last_seq < s->first_seq)
            remove_segment(j, i);
    }
}

enum rx_code
journal_open(struct journal **out, const char *dir, uint64_t boot,
    uint64_t limit, struct rx_err *err)
{
    *out = NULL;
    int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir_fd < 0)
        return rx_fail(err, RX_INTERNAL, "%s: %s", dir, strerror(errno));

    struct journal *j = grow(NULL, sizeof(*j));
    *j = (struct journal){ .dir = strdup(dir),
        .dir_fd = dir_fd,
        .boot = boot,
        .limit = limit,
        .next_n = 1,
        .fd = -1 };
    rx_buf_init(&j->unwritten, UNWRITTEN_MAX);
    if (!walk_segments(dir_fd, see_segment, j)) {
        journal_close(j);
        return rx_fail(err, RX_INTERNAL, "%s: %s", dir, strerror(errno));
    }
    if (j->count > 1)
        qsort(j->segments, j->count, sizeof(*j->segments), by_age);
    learn_segments(j);
    *out = j;
    return RX_OK;
}

static void
close_current(struct journal *j)
{
    if (j->fd < 0)
        return;
    if (j->unsynced) {
        j->old_fds = grow(j->old_fds, (j->old_count + 1) * sizeof(*j->old_fds));
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
            remove_segment(j, i);
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
    free(j->dir);
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
    char name[64];
    struct segment s = { .boot = j->boot,
        .n = j->next_n,
        .first_seq = j->written_seq + 1,
        .last_seq = j->written_seq,
        .acked_seq = j->written_seq,
        .size = JOURNAL_HEADER };

    close_current(j);
    int fd = open_segment(j, &s, O_CREAT | O_TRUNC | O_WRONLY | O_APPEND);
    if (fd < 0)
        return disk_refused(err);
    segment_put_header(header, j->boot, s.first_seq);
    ssize_t n = write(fd, header, sizeof(header));
    if (n != (ssize_t)sizeof(header)) {
        enum rx_code code = disk_refused(err);
        close(fd);
        segment_name(name, s.boot, s.n);
        unlinkat(j->dir_fd, name, 0);
        return code;
    }
    j->fd = fd;
    j->next_n++;
    j->dir_unsynced = true;
    j->bytes += s.size;
    add_segment(j, s);
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

/* The segment being written, or NULL. */
static struct segment *
current(const struct journal *j)
{
    return j->fd >= 0 ? &j->segments[j->count - 1] : NULL;
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
    struct segment *s = current(j);

    if (s == NULL || s->size + bytes.len > segment_max(j)) {
        enum rx_code code = start_segment(j, err);
        if (code != RX_OK)
            return code;
        s = current(j);
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
        current(j)->last_seq = j->written_seq;
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
        if (s == current(j)) {
            /* Keep appending to it until it is worth throwing away. */
            if (s->size < RECYCLE_FROM)
                continue;
            j->unsynced = false;
            close_current(j);
        }
        remove_segment(j, i);
    }
}

/* ---- reading ----------------------------------------------------------- */

static const struct segment *
find_segment(const struct journal *j, const struct journal_cursor *at)
{
    for (size_t i = 0; i < j->count; i++) {
        const struct segment *s = &j->segments[i];
        if (s->boot > at->boot || (s->boot == at->boot && s->n >= at->segment))
            return s;
    }
    return NULL;
}

static uint64_t
oldest_of(const struct journal *j, uint64_t boot)
{
    for (size_t i = 0; i < j->count; i++) {
        const struct segment *s = &j->segments[i];
        if (s->boot == boot && s->acked_seq < s->last_seq)
            return s->acked_seq + 1;
    }
    return 1;
}

/* Put the cursor on the next segment that has something for it. */
static const struct segment *
settle(const struct journal *j, struct journal_cursor *at)
{
    for (;;) {
        const struct segment *s = find_segment(j, at);
        if (s == NULL)
            return NULL;
        if (s->boot != at->boot || s->n != at->segment) {
            *at = (struct journal_cursor){ s->boot, s->n, JOURNAL_HEADER,
                s->first_seq };
        }
        if (at->seq <= s->acked_seq && s->acked_seq == s->last_seq) {
            at->seq = s->last_seq + 1;
            at->offset = s->size;
        }
        if (at->seq <= s->last_seq)
            return s;
        if (s == current(j))
            return NULL;
        *at = (struct journal_cursor){ s->boot, s->n + 1, JOURNAL_HEADER,
            s->last_seq + 1 };
    }
}

/* Cut records out of out->bytes; returns how many bytes they took. */
static size_t
take_records(struct journal_cursor *at, const struct segment *s,
    size_t max_bytes, struct journal_batch *out)
{
    rx_str rest = rx_buf_str(&out->bytes);
    size_t used = 0;
    size_t taken = 0;

    while (at->seq <= s->last_seq && out->count < JOURNAL_BATCH_RECORDS) {
        uint64_t seq = 0;
        rx_str payload;
        if (!segment_get_record(
                (rx_str){ rest.ptr + used, rest.len - used }, &seq, &payload) ||
            seq != at->seq)
            break;
        if (seq > s->acked_seq) {
            if (out->count > 0 && taken + payload.len > max_bytes)
                break;
            if (out->count == 0)
                out->first_seq = seq;
            out->payloads[out->count++] = payload;
            taken += payload.len;
            out->last_seq = seq;
        }
        used += JOURNAL_RECORD + payload.len;
        at->seq = seq + 1;
    }
    at->offset += used;
    return used;
}

/* Nothing could be cut although something should be there: give it up. */
static void
give_up(struct journal *j, struct journal_cursor *at, const struct segment *s,
    struct journal_batch *out)
{
    rx_warn("journal.damaged",
        "boot=%" PRIu64 " segment=%" PRIu64 " offset=%" PRIu64
        " records=%" PRIu64,
        s->boot, s->n, at->offset, s->last_seq - at->seq + 1);
    j->damaged += s->size > at->offset ? s->size - at->offset : 0;
    if (out->first_seq == 0)
        out->first_seq = at->seq > s->acked_seq ? at->seq : s->acked_seq + 1;
    out->last_seq = s->last_seq;
    at->seq = s->last_seq + 1;
}

bool
journal_read(struct journal *j, struct journal_cursor *at, size_t max_bytes,
    struct journal_batch *out)
{
    out->first_seq = out->last_seq = 0;
    out->count = 0;
    rx_buf_init(&out->bytes, READ_CHUNK);
    for (;;) {
        const struct segment *s = settle(j, at);
        if (s == NULL) {
            rx_buf_fini(&out->bytes);
            return false;
        }
        out->boot = s->boot;
        out->oldest_seq = oldest_of(j, s->boot);
        rx_buf_clear(&out->bytes);
        uint64_t left = s->size > at->offset ? s->size - at->offset : 0;
        bool ok = read_at(j, s, at->offset,
            left < READ_CHUNK ? (size_t)left : READ_CHUNK, &out->bytes);
        if (!ok || take_records(at, s, max_bytes, out) == 0)
            give_up(j, at, s, out);
        if (out->last_seq != 0)
            return true;
        /* All of that was acknowledged before: read on. */
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

    *fds = grow(j->old_fds, (n + 2) * sizeof(**fds));
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
