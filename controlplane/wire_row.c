/*
 * UsageRecord of proto/telemetry.proto, read by hand and in place: there is one
 * for every request, and protobuf-c took a fifth of what taking one in costs.
 * What is read is the same; a member of the wrong type is always refused.
 */
#include <string.h>

#include "controlplane/wire.h"
#include "shared/packed.h"

/* ---- members by their numbers ---------------------------------------------- */

struct member {
    enum { NOTHING, U64, U32, FLAG, TEXT, BLOB, INNER } kind;
    size_t at;
};

/* False: it is of another type.  Unknown members are passed over. */
static bool
put_member(void *to, const struct member *m, const struct rx_packed_field *f)
{
    char *at = (char *)to + m->at;
    uint32_t u32 = (uint32_t)f->value;
    bool flag = f->value != 0;
    bool number = m->kind == U64 || m->kind == U32 || m->kind == FLAG;
    rx_str s = f->bytes;

    if (m->kind == NOTHING || m->kind == INNER)
        return m->kind == NOTHING || f->type == RX_PACKED_BYTES;
    if (f->type != (number ? RX_PACKED_VARINT : RX_PACKED_BYTES))
        return false;
    if (m->kind == TEXT) { /* no text of ours holds a NUL */
        const char *nul = memchr(s.ptr, '\0', s.len);
        s.len = nul != NULL ? (size_t)(nul - s.ptr) : s.len;
    }
    switch (m->kind) {
    case U64: memcpy(at, &f->value, sizeof(f->value)); break;
    case U32: memcpy(at, &u32, sizeof(u32)); break;
    case FLAG: memcpy(at, &flag, sizeof(flag)); break;
    case TEXT:
    case BLOB: memcpy(at, &s, sizeof(s)); break;
    case NOTHING:
    case INNER: break;
    }
    return true;
}

/* What is not there is an empty text, not none. */
static void
clear_texts(void *to, const struct member *members, size_t count)
{
    const rx_str empty = RX_S("");

    for (size_t i = 0; i < count; i++) {
        if (members[i].kind == TEXT)
            memcpy((char *)to + members[i].at, &empty, sizeof(empty));
    }
}

static bool
read_counts(rx_str packed, struct usage_counts *out)
{
    static const struct member texts[] = {
        { TEXT, offsetof(struct usage_counts, service_tier) },
        { TEXT, offsetof(struct usage_counts, provenance) },
    };
    struct rx_packed_field f;

    while (packed.len > 0) {
        if (!rx_packed_next(&packed, &f))
            return false;
        unsigned i = f.number - 1;
        if (i < COUNT_COUNTERS) {
            if (f.type != RX_PACKED_VARINT)
                return false;
            out->has |= 1u << i;
            out->n[i] = f.value;
        } else if (i - COUNT_COUNTERS < RX_COUNT(texts) &&
                   !put_member(out, &texts[i - COUNT_COUNTERS], &f)) {
            return false;
        }
    }
    return true;
}

#define A(name) offsetof(struct usage_attempt, name)
#define R(name) offsetof(struct usage_row, name)
enum { ATTEMPT_USAGE = 15, RECORD_USAGE = 27, RECORD_ATTEMPT = 28 };

static const struct member attempt_members[] = {
    [1] = { TEXT, A(channel_id) },
    [2] = { TEXT, A(channel) },
    [3] = { TEXT, A(credential_id) },
    [4] = { TEXT, A(model) },
    [5] = { U32, A(status) },
    [6] = { TEXT, A(code) },
    [7] = { TEXT, A(reason) },
    [8] = { U64, A(start_ms) },
    [9] = { U32, A(connect_ms) },
    [10] = { U32, A(first_byte_ms) },
    [11] = { U32, A(total_ms) },
    [12] = { FLAG, A(reused) },
    [13] = { U64, A(bytes) },
    [14] = { TEXT, A(upstream_request_id) },
    [ATTEMPT_USAGE] = { INNER, 0 },
};

static const struct member record_members[] = {
    [1] = { U64, R(seq) },
    [2] = { TEXT, R(request_id) },
    [3] = { U64, R(started_ms) },
    [4] = { TEXT, R(tenant_id) },
    [5] = { TEXT, R(key_id) },
    [6] = { TEXT, R(dialect) },
    [7] = { TEXT, R(operation) },
    [8] = { FLAG, R(stream) },
    [9] = { TEXT, R(model_requested) },
    [10] = { TEXT, R(model) },
    [11] = { TEXT, R(model_served) },
    [12] = { TEXT, R(channel_id) },
    [13] = { TEXT, R(channel) },
    [14] = { TEXT, R(rule) },
    [15] = { TEXT, R(session) },
    [16] = { TEXT, R(tag) },
    [17] = { TEXT, R(user_agent) },
    [18] = { TEXT, R(client_ip) },
    [19] = { U32, R(status) },
    [20] = { TEXT, R(outcome) },
    [21] = { TEXT, R(reason) },
    [22] = { TEXT, R(finish) },
    [23] = { U64, R(ttft_ms) },
    [24] = { U64, R(duration_ms) },
    [25] = { U64, R(request_bytes) },
    [26] = { U64, R(response_bytes) },
    [RECORD_USAGE] = { INNER, 0 },
    [RECORD_ATTEMPT] = { INNER, 0 },
    [29] = { TEXT, R(trace) },
    [30] = { BLOB, R(trace_context) },
    [31] = { TEXT, R(agent) },
};

static bool
read_attempt(rx_str packed, struct usage_attempt *out)
{
    const size_t count = RX_COUNT(attempt_members);
    struct rx_packed_field f;

    clear_texts(out, attempt_members, count);
    while (packed.len > 0) {
        if (!rx_packed_next(&packed, &f))
            return false;
        if (f.number < count &&
            !put_member(out, &attempt_members[f.number], &f))
            return false;
        if (f.number == ATTEMPT_USAGE) {
            out->has_usage = true;
            if (!read_counts(f.bytes, &out->usage))
                return false;
        }
    }
    return true;
}

/* *attempts: how many there are, whatever is in them. */
static bool
read_members(rx_str packed, struct usage_row *out, size_t *attempts)
{
    const size_t count = RX_COUNT(record_members);
    struct rx_packed_field f;

    clear_texts(out, record_members, count);
    for (*attempts = 0; packed.len > 0;) {
        if (!rx_packed_next(&packed, &f) ||
            (f.number < count &&
                !put_member(out, &record_members[f.number], &f)))
            return false;
        if (f.number == RECORD_USAGE && !read_counts(f.bytes, &out->usage))
            return false;
        *attempts += f.number == RECORD_ATTEMPT;
    }
    return true;
}

bool
wire_read_row(rx_str packed, struct rx_arena *arena, struct usage_row *out)
{
    struct rx_packed_field f;
    size_t count, n = 0;

    *out = (struct usage_row){ 0 };
    if (!read_members(packed, out, &count))
        return false;
    struct usage_attempt *list =
        rx_arena_make(arena, struct usage_attempt, count);
    if (list == NULL)
        return false;
    while (packed.len > 0 && n < count && rx_packed_next(&packed, &f)) {
        if (f.number == RECORD_ATTEMPT && !read_attempt(f.bytes, &list[n++]))
            return false;
    }
    out->attempts = list;
    out->attempt_count = n;
    return true;
}
