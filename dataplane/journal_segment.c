#include "dataplane/journal_segment.h"

#include <string.h>

#include "shared/crc32c.h"

static const char magic[8] = { 'R', 'X', 'J', 'R', 'N', 'L', '1', '\n' };

static void
put(unsigned char *at, uint64_t v, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++, v >>= 8)
        at[i] = (unsigned char)(v & 0xff);
}

static uint64_t
get(const char *at, size_t bytes)
{
    uint64_t v = 0;

    for (size_t i = bytes; i-- > 0;)
        v = v << 8 | (unsigned char)at[i];
    return v;
}

static rx_str
view(const unsigned char *at, size_t len)
{
    return (rx_str){ (const char *)at, len };
}

void
segment_put_header(
    unsigned char out[JOURNAL_HEADER], uint64_t boot, uint64_t first_seq)
{
    memset(out, 0, JOURNAL_HEADER);
    memcpy(out, magic, sizeof(magic));
    put(out + 8, boot, 8);
    put(out + 16, first_seq, 8);
    put(out + 28, rx_crc32c(0, view(out, 28)), 4);
}

bool
segment_get_header(rx_str bytes, uint64_t *boot, uint64_t *first_seq)
{
    if (bytes.len < JOURNAL_HEADER ||
        memcmp(bytes.ptr, magic, sizeof(magic)) != 0 ||
        get(bytes.ptr + 28, 4) != rx_crc32c(0, (rx_str){ bytes.ptr, 28 }))
        return false;
    *boot = get(bytes.ptr + 8, 8);
    *first_seq = get(bytes.ptr + 16, 8);
    return *first_seq > 0 && *first_seq <= INT64_MAX; /* room to count */
}

void
segment_put_record(
    unsigned char out[JOURNAL_RECORD], uint64_t seq, rx_str payload)
{
    put(out + 4, payload.len, 4);
    put(out + 8, seq, 8);
    put(out, rx_crc32c(rx_crc32c(0, view(out + 4, 12)), payload), 4);
}

bool
segment_get_record(rx_str bytes, uint64_t *seq, rx_str *payload)
{
    if (bytes.len < JOURNAL_RECORD)
        return false;
    size_t len = (size_t)get(bytes.ptr + 4, 4);
    if (len > JOURNAL_RECORD_MAX || len > bytes.len - JOURNAL_RECORD)
        return false;
    if (get(bytes.ptr, 4) !=
        rx_crc32c(0, (rx_str){ bytes.ptr + 4, len + JOURNAL_RECORD - 4 }))
        return false;
    *seq = get(bytes.ptr + 8, 8);
    *payload = (rx_str){ bytes.ptr + JOURNAL_RECORD, len };
    return true;
}

size_t
journal_check(
    rx_str segment, uint64_t *boot, uint64_t *first_seq, uint64_t *last_seq)
{
    if (!segment_get_header(segment, boot, first_seq))
        return 0;

    size_t good = JOURNAL_HEADER;
    uint64_t seq = 0;
    rx_str payload;
    *last_seq = *first_seq - 1;
    while (
        segment_get_record((rx_str){ segment.ptr + good, segment.len - good },
            &seq, &payload) &&
        seq == *last_seq + 1) {
        *last_seq = seq;
        good += JOURNAL_RECORD + payload.len;
    }
    return good;
}
