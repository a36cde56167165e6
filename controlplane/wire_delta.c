/*
 * Snapshot and Delta, field by field: what is in them is packed once, for the
 * digest and for both.
 */
#include <assert.h>

#include "controlplane/wire.h"
#include "controlplane/wire_parts.h"

bool
wire_pack_item(struct rx_buf *out, const struct state_item *item)
{
    static wire_packer *const packers[STATE_KINDS] = {
        [STATE_CHANNEL] = wire_pack_channel,
        [STATE_TENANT] = wire_pack_tenant,
        [STATE_KEY] = wire_pack_key,
        [STATE_SETTINGS] = wire_pack_settings,
        [STATE_RULE] = wire_pack_rule,
        [STATE_FUNCTION] = wire_pack_function,
    };
    struct rx_arena *arena = rx_arena_new(WIRE_SCRATCH);
    bool ok = packers[item->kind](arena, out, item);

    rx_arena_free(arena);
    return ok;
}

static void
put_varint(struct rx_buf *out, uint64_t v)
{
    for (; v > 0x7f; v >>= 7)
        rx_buf_addc(out, (char)((v & 0x7f) | 0x80));
    rx_buf_addc(out, (char)v);
}

static void
put_bytes(struct rx_buf *out, unsigned field, rx_str bytes)
{
    put_varint(out, (uint64_t)field << 3 | 2);
    put_varint(out, bytes.len);
    rx_buf_add(out, bytes);
}

/* Field numbers in Snapshot and Delta. */
static const struct {
    unsigned char snapshot, delta, deleted;
} numbers[STATE_KINDS] = {
    [STATE_CHANNEL] = { 1, 2, 6 },
    [STATE_TENANT] = { 2, 3, 7 },
    [STATE_KEY] = { 3, 4, 8 },
    [STATE_SETTINGS] = { 4, 5, 0 },
    [STATE_RULE] = { 5, 10, 12 },
    [STATE_FUNCTION] = { 6, 11, 13 },
};

void
wire_put_item(
    struct rx_buf *out, bool delta, enum state_kind kind, rx_str packed)
{
    put_bytes(
        out, delta ? numbers[kind].delta : numbers[kind].snapshot, packed);
}

void
wire_put_deleted(struct rx_buf *delta, enum state_kind kind, rx_str id)
{
    assert(kind != STATE_SETTINGS);
    put_bytes(delta, numbers[kind].deleted, id);
}

void
wire_put_from(struct rx_buf *delta, uint64_t version)
{
    put_varint(delta, 1 << 3);
    put_varint(delta, version);
}

void
wire_put_digest(struct rx_buf *delta, const struct rx_digest *digest)
{
    put_bytes(delta, 9,
        (rx_str){ (const char *)digest->bytes, sizeof(digest->bytes) });
}
