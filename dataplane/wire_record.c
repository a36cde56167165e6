/*
 * UsageRecord of proto/telemetry.proto, packed by hand: there is one for every
 * request, and protobuf-c, which wants a tree of C strings first, took a tenth
 * of all the time.  Fields are in order of their numbers and absent where they
 * hold nothing, so that the bytes are those that protobuf-c makes.
 */
#include <assert.h>
#include <string.h>

#include "dataplane/wire.h"

enum wire_type { VARINT = 0, BYTES = 2 };

/* More than any varint, tag or length takes. */
#define NUMBER_MAX ((size_t)10)

static unsigned char *
add_varint(unsigned char *at, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        *at++ = (unsigned char)(v | 0x80);
    *at++ = (unsigned char)v;
    return at;
}

static unsigned char *
add_tag(unsigned char *at, unsigned field, enum wire_type type)
{
    return add_varint(at, field << 3 | (unsigned)type);
}

static unsigned char *
add_count(unsigned char *at, unsigned field, uint64_t v)
{
    return add_varint(add_tag(at, field, VARINT), v);
}

static unsigned char *
add_number(unsigned char *at, unsigned field, uint64_t v)
{
    return v != 0 ? add_count(at, field, v) : at;
}

static size_t
cut_length(rx_str s)
{
    return s.len < WIRE_TEXT_MAX ? s.len : WIRE_TEXT_MAX;
}

static unsigned char *
add_whole(unsigned char *at, unsigned field, rx_str s)
{
    at = add_varint(add_tag(at, field, BYTES), s.len);
    if (s.len > 0)
        memcpy(at, s.ptr, s.len);
    return at + s.len;
}

static unsigned char *
add_bytes(unsigned char *at, unsigned field, rx_str s)
{
    return add_whole(at, field, (rx_str){ s.ptr, cut_length(s) });
}

static unsigned char *
add_text(unsigned char *at, unsigned field, rx_str s)
{
    return s.len > 0 ? add_bytes(at, field, s) : at;
}

/* A message inside begins here ... */
static unsigned char *
open_message(unsigned char *at, unsigned field)
{
    return add_tag(at, field, BYTES) + 1; /* most have a length of one byte */
}

/* ... and ends at `end`: now its length is known. */
static unsigned char *
close_message(unsigned char *begin, const unsigned char *end)
{
    unsigned char length[NUMBER_MAX];
    size_t size = (size_t)(end - begin);
    size_t n = (size_t)(add_varint(length, size) - length);

    if (n > 1)
        memmove(begin + n - 1, begin, size);
    memcpy(begin - 1, length, n);
    return begin + n - 1 + size;
}

/* Absent is not zero here, and the texts are always there. */
static unsigned char *
add_usage(unsigned char *at, unsigned field, const struct usage *u)
{
    unsigned char *begin = open_message(at, field);

    at = begin;
    for (unsigned i = 0; i < USAGE_COUNT; i++) {
        if ((u->has >> i & 1) != 0)
            at = add_count(at, i + 1, u->n[i]);
    }
    at = add_bytes(
        at, 15, (rx_str){ u->tier, strnlen(u->tier, sizeof(u->tier)) });
    at = add_bytes(at, 16, rx_str_of(provenance_name(u->provenance)));
    return close_message(begin, at);
}

static unsigned char *
add_attempt(unsigned char *at, unsigned field, const struct record_attempt *a)
{
    unsigned char *begin = open_message(at, field);

    at = add_text(begin, 1, a->channel_id);
    at = add_text(at, 2, a->channel);
    at = add_text(at, 3, a->credential_id);
    at = add_text(at, 4, a->model);
    at = add_number(at, 5, (uint32_t)a->status);
    at = add_text(at, 6, rx_str_of(rx_code_words(a->code)));
    at = add_text(at, 7, a->reason);
    at = add_number(at, 8, a->start_ms);
    at = add_number(at, 9, a->connect_ms);
    at = add_number(at, 10, a->first_byte_ms);
    at = add_number(at, 11, a->total_ms);
    at = add_number(at, 12, a->reused);
    at = add_number(at, 13, a->bytes);
    at = add_text(at, 14, a->upstream_request_id);
    if (a->has_usage)
        at = add_usage(at, 15, &a->usage);
    return close_message(begin, at);
}

static unsigned char *
add_context(unsigned char *at, unsigned field, const struct rx_trace *t)
{
    unsigned char *begin = open_message(at, field);

    return close_message(begin, begin + rx_trace_pack(t, begin));
}

static unsigned char *
add_record(unsigned char *at, uint64_t seq, const struct record *r)
{
    at = add_number(at, 1, seq);
    at = add_text(at, 2, r->request_id);
    at = add_number(at, 3, r->started_ms);
    at = add_text(at, 4, r->tenant_id);
    at = add_text(at, 5, r->key_id);
    at = add_text(at, 6, rx_str_of(dialect_name(r->dialect)));
    at = add_text(at, 7, rx_str_of(operation_name(r->operation)));
    at = add_number(at, 8, r->stream);
    at = add_text(at, 9, r->model_requested);
    at = add_text(at, 10, r->model);
    at = add_text(at, 11, r->model_served);
    at = add_text(at, 12, r->channel_id);
    at = add_text(at, 13, r->channel);
    at = add_text(at, 14, r->rule);
    at = add_text(at, 15, r->session);
    at = add_text(at, 16, r->tag);
    at = add_text(at, 17, r->user_agent);
    at = add_text(at, 18, r->client_ip);
    at = add_number(at, 19, (uint32_t)r->status);
    at = add_text(at, 20, r->outcome);
    at = add_text(at, 21, r->reason);
    at = add_text(at, 22, r->finish);
    at = add_number(at, 23, r->ttft_ms);
    at = add_number(at, 24, r->duration_ms);
    at = add_number(at, 25, r->request_bytes);
    at = add_number(at, 26, r->response_bytes);
    at = add_usage(at, 27, &r->usage);
    for (size_t i = 0; i < r->attempt_count; i++)
        at = add_attempt(at, 28, r->attempts[i]);
    /* Half of a JSON text is none. */
    if (r->trace.len > 0 && r->trace.len <= WIRE_TRACE_MAX)
        at = add_whole(at, 29, r->trace);
    if (rx_trace_is(&r->context))
        at = add_context(at, 30, &r->context);
    return add_text(at, 31, r->agent);
}

/* ---- how much room that takes ------------------------------------------ */

/* Every field takes a tag of two bytes at most, and a number or a length. */
#define FIELD_MAX  (2 + NUMBER_MAX)
#define USAGE_MAX  ((USAGE_COUNT + 3) * FIELD_MAX + 16 + 16)
#define FIXED_TEXT 64 /* names of ours: dialect, operation, code */

static size_t
attempt_room(const struct record_attempt *a)
{
    const rx_str texts[] = { a->channel_id, a->channel, a->credential_id,
        a->model, a->reason, a->upstream_request_id };
    size_t room = 16 * FIELD_MAX + FIXED_TEXT + USAGE_MAX;

    for (size_t i = 0; i < RX_COUNT(texts); i++)
        room += cut_length(texts[i]);
    return room;
}

static size_t
record_room(const struct record *r)
{
    const rx_str texts[] = { r->request_id, r->tenant_id, r->key_id,
        r->model_requested, r->model, r->model_served, r->channel_id,
        r->channel, r->rule, r->session, r->tag, r->user_agent, r->client_ip,
        r->outcome, r->reason, r->finish, r->agent };
    size_t room = 31 * FIELD_MAX + 2 * FIXED_TEXT + USAGE_MAX + r->trace.len +
                  RX_TRACE_PACKED_MAX;

    for (size_t i = 0; i < RX_COUNT(texts); i++)
        room += cut_length(texts[i]);
    for (size_t i = 0; i < r->attempt_count; i++)
        room += attempt_room(r->attempts[i]);
    return room;
}

bool
wire_add_record(struct rx_buf *out, uint64_t seq, const struct record *record)
{
    assert(record->attempt_count <= RECORD_ATTEMPTS_MAX);
    size_t room = record_room(record);
    char *begin = rx_buf_room(out, room);

    if (begin == NULL)
        return false;
    const unsigned char *end = add_record((unsigned char *)begin, seq, record);
    size_t size = (size_t)(end - (unsigned char *)begin);
    assert(size <= room);
    rx_buf_grew(out, size);
    return true;
}
