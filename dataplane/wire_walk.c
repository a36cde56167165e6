/*
 * Walking over packed protobuf in place: just enough of the format to cut a
 * message into its items without unpacking them.
 */
#include "dataplane/wire.h"
#include "shared/attr.h"
#include "shared/packed.h"

static const char *const kinds[] = {
    [ITEM_CHANNEL] = "channel",
    [ITEM_TENANT] = "tenant",
    [ITEM_KEY] = "key",
    [ITEM_SETTINGS] = "settings",
    [ITEM_RULE] = "rule",
    [ITEM_FUNCTION] = "function",
};

const char *
item_kind_name(enum item_kind kind)
{
    return kinds[kind];
}

/* What a field of Snapshot or Delta is; absent rows are of newer planes. */
struct meaning {
    enum wire_piece_type type;
    enum item_kind kind;
    uint32_t wire_type;
};

static const struct meaning of_snapshot[] = {
    [1] = { WIRE_ITEM, ITEM_CHANNEL, RX_PACKED_BYTES },
    [2] = { WIRE_ITEM, ITEM_TENANT, RX_PACKED_BYTES },
    [3] = { WIRE_ITEM, ITEM_KEY, RX_PACKED_BYTES },
    [4] = { WIRE_ITEM, ITEM_SETTINGS, RX_PACKED_BYTES },
    [5] = { WIRE_ITEM, ITEM_RULE, RX_PACKED_BYTES },
    [6] = { WIRE_ITEM, ITEM_FUNCTION, RX_PACKED_BYTES },
};

static const struct meaning of_delta[] = {
    [1] = { WIRE_FROM, 0, RX_PACKED_VARINT },
    [2] = { WIRE_ITEM, ITEM_CHANNEL, RX_PACKED_BYTES },
    [3] = { WIRE_ITEM, ITEM_TENANT, RX_PACKED_BYTES },
    [4] = { WIRE_ITEM, ITEM_KEY, RX_PACKED_BYTES },
    [5] = { WIRE_ITEM, ITEM_SETTINGS, RX_PACKED_BYTES },
    [6] = { WIRE_DELETED, ITEM_CHANNEL, RX_PACKED_BYTES },
    [7] = { WIRE_DELETED, ITEM_TENANT, RX_PACKED_BYTES },
    [8] = { WIRE_DELETED, ITEM_KEY, RX_PACKED_BYTES },
    [9] = { WIRE_DIGEST, 0, RX_PACKED_BYTES },
    [10] = { WIRE_ITEM, ITEM_RULE, RX_PACKED_BYTES },
    [11] = { WIRE_ITEM, ITEM_FUNCTION, RX_PACKED_BYTES },
    [12] = { WIRE_DELETED, ITEM_RULE, RX_PACKED_BYTES },
    [13] = { WIRE_DELETED, ITEM_FUNCTION, RX_PACKED_BYTES },
};

static struct wire_piece
next_piece(rx_str *rest, const struct meaning *table, size_t rows)
{
    struct rx_packed_field f;

    while (rest->len > 0) {
        if (!rx_packed_next(rest, &f))
            return (struct wire_piece){ .type = WIRE_BAD };
        if (f.number >= rows || table[f.number].type == WIRE_END)
            continue;
        const struct meaning *m = &table[f.number];
        if (f.type != m->wire_type)
            return (struct wire_piece){ .type = WIRE_BAD };
        return (struct wire_piece){ m->type, m->kind, f.bytes, f.value };
    }
    return (struct wire_piece){ .type = WIRE_END };
}

struct wire_piece
wire_next_of_snapshot(rx_str *rest)
{
    return next_piece(rest, of_snapshot, RX_COUNT(of_snapshot));
}

struct wire_piece
wire_next_of_delta(rx_str *rest)
{
    return next_piece(rest, of_delta, RX_COUNT(of_delta));
}

/* The last field of that number, as protobuf has it. */
static rx_str
find_bytes(rx_str packed, uint32_t number)
{
    rx_str found = { 0 };
    struct rx_packed_field f;

    while (packed.len > 0 && rx_packed_next(&packed, &f)) {
        if (f.number == number && f.type == RX_PACKED_BYTES)
            found = f.bytes;
    }
    return found;
}

rx_str
wire_item_id(enum item_kind kind, rx_str packed)
{
    return kind == ITEM_SETTINGS ? (rx_str){ 0 } : find_bytes(packed, 1);
}

rx_str
wire_item_name(enum item_kind kind, rx_str packed)
{
    return kind == ITEM_SETTINGS ? (rx_str){ 0 } : find_bytes(packed, 2);
}

bool
wire_add_item(struct rx_buf *out, enum item_kind kind, rx_str packed)
{
    size_t n = packed.len;

    rx_buf_addc(out, (char)(((unsigned)kind + 1) << 3 | 2));
    for (; n > 0x7f; n >>= 7)
        rx_buf_addc(out, (char)((n & 0x7f) | 0x80));
    rx_buf_addc(out, (char)n);
    return rx_buf_add(out, packed);
}
