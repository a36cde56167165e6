/*
 * Segments as files: their names, and the list of them that a journal keeps.
 */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dataplane/journal_parts.h"

void *
journal_grow(void *old, size_t size)
{
    void *p = realloc(old, size);

    if (p == NULL) {
        fprintf(stderr, "routex: out of memory\n");
        abort();
    }
    return p;
}

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

/* Call see(arg, boot, n, size) for each segment file. */
bool
journal_walk(int dir_fd,
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

int
journal_segment_open(
    const struct journal *j, const struct segment *s, int flags)
{
    char name[64];

    segment_name(name, s->boot, s->n);
    return openat(j->dir_fd, name, flags | O_CLOEXEC, 0600);
}

void
journal_segment_unlink(const struct journal *j, const struct segment *s)
{
    char name[64];

    segment_name(name, s->boot, s->n);
    unlinkat(j->dir_fd, name, 0);
}

void
journal_segment_remove(struct journal *j, size_t i)
{
    journal_segment_unlink(j, &j->segments[i]);
    j->dir_unsynced = true;
    j->refused = false;
    j->bytes -= j->segments[i].size;
    j->count--;
    memmove(&j->segments[i], &j->segments[i + 1],
        (j->count - i) * sizeof(*j->segments));
}

struct segment *
journal_segment_add(struct journal *j, struct segment s)
{
    if (j->count == j->size) {
        j->size = j->size > 0 ? j->size * 2 : 8;
        j->segments = journal_grow(j->segments, j->size * sizeof(*j->segments));
    }
    j->segments[j->count] = s;
    return &j->segments[j->count++];
}

/* Read up to `size` bytes at `offset`; what could be read is in `out`. */
bool
journal_segment_read(const struct journal *j, const struct segment *s,
    uint64_t offset, size_t size, struct rx_buf *out)
{
    int fd = journal_segment_open(j, s, O_RDONLY);
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

/* The segment being written, or NULL. */
struct segment *
journal_current(const struct journal *j)
{
    return j->fd >= 0 ? &j->segments[j->count - 1] : NULL;
}
