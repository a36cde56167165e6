#include "shared/trace.h"

#include <string.h>

#include "shared/secret.h"

#define VERSION_0_LENGTH ((size_t)55)
#define STATE_MAX        ((size_t)512)
#define STATE_MEMBERS    32
#define STATE_KEY_MAX    ((size_t)256)
#define PACKED_OWN       ((size_t)25) /* without a parent */

static bool
is_zero(const unsigned char *bytes, size_t size)
{
    unsigned char any = 0;

    for (size_t i = 0; i < size; i++)
        any |= bytes[i];
    return any == 0;
}

bool
rx_trace_is(const struct rx_trace *t)
{
    return !is_zero(t->id, sizeof(t->id));
}

bool
rx_trace_has_parent(const struct rx_trace *t)
{
    return !is_zero(t->parent, sizeof(t->parent));
}

/* ---- reading --------------------------------------------------------------- */

static int
digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; /* upper case is wrong */
}

static bool
read_hex(const char *at, unsigned char *out, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        int high = digit(at[2 * i]);
        int low = digit(at[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}

bool
rx_trace_read(rx_str value, struct rx_trace *t)
{
    struct rx_trace read = { 0 };
    unsigned char version;
    const char *s = value.ptr;

    if (value.len < VERSION_0_LENGTH || !read_hex(s, &version, 1) ||
        version == 0xff || s[2] != '-' || s[35] != '-' || s[52] != '-')
        return false;
    if (value.len > VERSION_0_LENGTH && (version == 0 || s[55] != '-'))
        return false;
    if (!read_hex(s + 3, read.id, sizeof(read.id)) ||
        !read_hex(s + 36, read.parent, sizeof(read.parent)) ||
        !read_hex(s + 53, &read.flags, 1))
        return false;
    if (!rx_trace_is(&read) || !rx_trace_has_parent(&read))
        return false;
    read.flags &= RX_TRACE_SAMPLED; /* the others mean nothing yet */
    memcpy(read.span, t->span, sizeof(read.span));
    *t = read;
    return true;
}

static bool
is_key_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '*' || c == '/' || c == '@';
}

/* key=value; a value is printable, without ',' and '='. */
static bool
is_member(rx_str member)
{
    rx_str key;
    rx_str value;

    if (!rx_str_cut(member, '=', &key, &value) || key.len == 0 ||
        key.len > STATE_KEY_MAX || value.len == 0)
        return false;
    for (size_t i = 0; i < key.len; i++) {
        if (!is_key_char(key.ptr[i]))
            return false;
    }
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] < 0x20 || value.ptr[i] > 0x7e || value.ptr[i] == '=')
            return false;
    }
    return true;
}

bool
rx_trace_state_fits(rx_str value)
{
    unsigned members = 0;
    rx_str item;

    if (value.len > STATE_MAX)
        return false;
    for (bool more = value.len > 0; more;) {
        more = rx_str_cut(value, ',', &item, &value);
        item = rx_str_trim(item);
        if (item.len == 0)
            continue; /* allowed, for joining lists */
        if (!is_member(item) || ++members > STATE_MEMBERS)
            return false;
    }
    return members > 0;
}

/* ---- making ---------------------------------------------------------------- */

void
rx_trace_attempt(const struct rx_trace *t, unsigned n, unsigned char span[8])
{
    uint64_t own = 0;

    for (size_t i = 0; i < 8; i++)
        own = own << 8 | t->span[i];
    own += (n + UINT64_C(1)) * UINT64_C(0x9e3779b97f4a7c15);
    own += own == 0;
    for (size_t i = 0; i < 8; i++)
        span[i] = (unsigned char)(own >> (56 - 8 * i));
}

void
rx_trace_write(const struct rx_trace *t, const unsigned char span[8],
    char out[RX_TRACE_TEXT_SIZE])
{
    memcpy(out, "00-", 3);
    rx_hex(t->id, sizeof(t->id), out + 3);
    out[35] = '-';
    rx_hex(span, 8, out + 36);
    out[52] = '-';
    rx_hex(&t->flags, 1, out + 53);
}

size_t
rx_trace_pack(const struct rx_trace *t, unsigned char out[RX_TRACE_PACKED_MAX])
{
    memcpy(out, t->id, 16);
    memcpy(out + 16, t->span, 8);
    out[24] = t->flags;
    if (!rx_trace_has_parent(t))
        return PACKED_OWN;
    memcpy(out + PACKED_OWN, t->parent, 8);
    return RX_TRACE_PACKED_MAX;
}

bool
rx_trace_unpack(rx_str packed, struct rx_trace *t)
{
    *t = (struct rx_trace){ 0 };
    if (packed.len != PACKED_OWN && packed.len != RX_TRACE_PACKED_MAX)
        return false;
    memcpy(t->id, packed.ptr, 16);
    memcpy(t->span, packed.ptr + 16, 8);
    t->flags = (uint8_t)packed.ptr[24];
    if (packed.len == RX_TRACE_PACKED_MAX)
        memcpy(t->parent, packed.ptr + PACKED_OWN, 8);
    if (rx_trace_is(t) && !is_zero(t->span, 8) &&
        (packed.len == PACKED_OWN || rx_trace_has_parent(t)))
        return true;
    *t = (struct rx_trace){ 0 };
    return false;
}
