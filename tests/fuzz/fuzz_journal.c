/*
 * Hostile bytes as a segment file.  Invariants: what is good is a prefix, and
 * cutting the file behind it changes nothing; every record before it checks by
 * itself; writing the records anew gives the same bytes.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/journal_segment.h"
#include "shared/crc32c.h"

/* Mend checksums, so that the fuzzer gets past them. */
static void
mend(unsigned char *at, size_t size)
{
    static const char magic[] = "RXJRNL1\n";

    if (size < JOURNAL_HEADER)
        return;
    memcpy(at, magic, 8);
    uint32_t crc = rx_crc32c(0, (rx_str){ (char *)at, 28 });
    memcpy(at + 28, &crc, 4);
    for (size_t i = JOURNAL_HEADER; i + JOURNAL_RECORD <= size;) {
        size_t len = at[i + 4] | (size_t)at[i + 5] << 8;
        if (at[i] == 0xff || len > size - i - JOURNAL_RECORD)
            return; /* this one stays broken */
        at[i + 6] = at[i + 7] = 0;
        crc = rx_crc32c(
            0, (rx_str){ (char *)at + i + 4, len + JOURNAL_RECORD - 4 });
        memcpy(at + i, &crc, 4);
        i += JOURNAL_RECORD + len;
    }
}

static void
check(rx_str file)
{
    uint64_t boot = 0;
    uint64_t first = 0;
    uint64_t last = 0;
    uint64_t again[3] = { 0 };
    size_t good = journal_check(file, &boot, &first, &last);

    assert(good <= file.len);
    if (good == 0)
        return;
    assert(good >= JOURNAL_HEADER && last >= first - 1);
    assert(journal_check((rx_str){ file.ptr, good }, &again[0], &again[1],
               &again[2]) == good);
    assert(again[0] == boot && again[1] == first && again[2] == last);

    unsigned char head[JOURNAL_HEADER];
    segment_put_header(head, boot, first);
    assert(memcmp(head + 28, file.ptr + 28, 4) == 0 ||
           memcmp(head, file.ptr, 28) != 0);
    size_t at = JOURNAL_HEADER;
    for (uint64_t want = first; want <= last; want++) {
        uint64_t seq = 0;
        rx_str payload;
        unsigned char record[JOURNAL_RECORD];
        bool ok = segment_get_record(
            (rx_str){ file.ptr + at, good - at }, &seq, &payload);
        assert(ok && seq == want);
        segment_put_record(record, seq, payload);
        assert(memcmp(record, file.ptr + at, sizeof(record)) == 0);
        at += JOURNAL_RECORD + payload.len;
    }
    assert(at == good);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned char *copy = malloc(size + 1);

    memcpy(copy, data, size);
    check((rx_str){ (const char *)copy, size });
    mend(copy, size);
    check((rx_str){ (const char *)copy, size });
    free(copy);
    return 0;
}
