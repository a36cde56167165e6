/*
 * Reading on from a cursor, through the segments of all boots.
 */
#include <inttypes.h>

#include "dataplane/journal_parts.h"
#include "dataplane/journal_segment.h"
#include "shared/log.h"

#define READ_CHUNK ((size_t)512 * 1024)

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
        if (s == journal_current(j))
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
        bool ok = journal_segment_read(j, s, at->offset,
            left < READ_CHUNK ? (size_t)left : READ_CHUNK, &out->bytes);
        if (!ok || take_records(at, s, max_bytes, out) == 0)
            give_up(j, at, s, out);
        if (out->last_seq != 0)
            return true;
        /* All of that was acknowledged before: read on. */
    }
}
