/*
 * What earlier boots left in the directory.  Only each boot's last segment is
 * read, to learn where it ends: the others end where the next begins.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "dataplane/journal_parts.h"
#include "dataplane/journal_segment.h"
#include "shared/log.h"

static void
see_segment(void *arg, uint64_t boot, uint64_t n, uint64_t size)
{
    struct journal *j = arg;

    journal_segment_add(
        j, (struct segment){ .boot = boot, .n = n, .size = size });
    j->bytes += size;
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

/* Learn where a leftover segment begins; false when it is of no use. */
static bool
learn_start(struct journal *j, struct segment *s)
{
    struct rx_buf b;
    uint64_t boot = 0;

    rx_buf_init(&b, JOURNAL_HEADER);
    bool ok = journal_segment_read(j, s, 0, JOURNAL_HEADER, &b) &&
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
    if (journal_segment_read(j, s, 0, s->size < most ? s->size : most, &b))
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

bool
journal_learn(struct journal *j)
{
    if (!journal_walk(j->dir_fd, see_segment, j))
        return false;
    if (j->count > 1)
        qsort(j->segments, j->count, sizeof(*j->segments), by_age);
    for (size_t i = j->count; i-- > 0;) {
        if (!learn_start(j, &j->segments[i])) {
            rx_warn("journal.unreadable",
                "boot=%" PRIu64 " segment=%" PRIu64 " bytes=%" PRIu64,
                j->segments[i].boot, j->segments[i].n, j->segments[i].size);
            j->damaged += j->segments[i].size;
            journal_segment_remove(j, i);
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
            journal_segment_remove(j, i);
    }
    return true;
}
