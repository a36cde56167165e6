/*
 * Walking over packed protobuf in place: just enough of the format to cut a
 * message into its items without unpacking them.
 */
#include "dataplane/wire.h"
#include "shared/attr.h"

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

/* One field of a packed message. */
struct field {
    uint32_t number;
    uint32_t type; /* 0 varint, 1 fixed64, 2 bytes, 5 fixed32 */
    uint64_t value;
    rx_str bytes;
};

static bool
take_varint(rx_str *rest, uint64_t *out)
{
    uint64_t v = 0;

    for (unsigned shift = 0; shift < 64 && rest->len > 0; shift += 7) {
        unsigned char c = (unsigned char)*rest->ptr;
        rest->ptr++;
        rest->len--;
        v |= (uint64_t)(c & 0x7f) << shift;
        if (c < 0x80) {
            *out = v;
            return true;
        }
    }
    return false;
}

static bool
take_bytes(rx_str *rest, uint64_t n, rx_str *out)
{
    if (n > rest->len)
        return false;
    *out = (rx_str){ rest->ptr, (size_t)n };
    rest->ptr += n;
    rest->len -= (size_t)n;
    return true;
}

static bool
take_field(rx_str *rest, struct field *f)
{
    uint64_t tag = 0;

    *f = (struct field){ 0 };
    if (!take_varint(rest, &tag) || tag >> 3 == 0 || tag >> 3 > UINT32_MAX)
        return false;
    f->number = (uint32_t)(tag >> 3);
    f->type = (uint32_t)(tag & 7);
    switch (f->type) {
    case 0: return take_varint(rest, &f->value);
    case 1: return take_bytes(rest, 8, &f->bytes);
    case 2:
        return take_varint(rest, &f->value) &&
               take_bytes(rest, f->value, &f->bytes);
    case 5: return take_bytes(rest, 4, &f->bytes);
    default: return false;
    }
}

/* What a field of Snapshot or Delta is; absent rows are of newer planes. */
struct meaning {
    enum wire_piece_type type;
    enum item_kind kind;
    uint32_t wire_type;
};

static const struct meaning of_snapshot[] = {
    [1] = { WIRE_ITEM, ITEM_CHANNEL, 2 },
    [2] = { WIRE_ITEM, ITEM_TENANT, 2 },
    [3] = { WIRE_ITEM, ITEM_KEY, 2 },
    [4] = { WIRE_ITEM, ITEM_SETTINGS, 2 },
    [5] = { WIRE_ITEM, ITEM_RULE, 2 },
    [6] = { WIRE_ITEM, ITEM_FUNCTION, 2 },
};

static const struct meaning of_delta[] = {
    [1] = { WIRE_FROM, 0, 0 },
    [2] = { WIRE_ITEM, ITEM_CHANNEL, 2 },
    [3] = { WIRE_ITEM, ITEM_TENANT, 2 },
    [4] = { WIRE_ITEM, ITEM_KEY, 2 },
    [5] = { WIRE_ITEM, ITEM_SETTINGS, 2 },
    [6] = { WIRE_DELETED, ITEM_CHANNEL, 2 },
    [7] = { WIRE_DELETED, ITEM_TENANT, 2 },
    [8] = { WIRE_DELETED, ITEM_KEY, 2 },
    [9] = { WIRE_DIGEST, 0, 2 },
    [10] = { WIRE_ITEM, ITEM_RULE, 2 },
    [11] = { WIRE_ITEM, ITEM_FUNCTION, 2 },
    [12] = { WIRE_DELETED, ITEM_RULE, 2 },
    [13] = { WIRE_DELETED, ITEM_FUNCTION, 2 },
};

static struct wire_piece
next_piece(rx_str *rest, const struct meaning *table, size_t rows)
{
    struct field f;

    while (rest->len > 0) {
        if (!take_field(rest, &f))
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
    struct field f;

    while (packed.len > 0 && take_field(&packed, &f)) {
        if (f.number == number && f.type == 2)
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
