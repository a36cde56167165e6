#include "dataplane/codec/provenance.h"

#include <string.h>

#include "shared/attr.h"
#include "shared/json_span.h"

static const char prefix[] = "rtx1.";
static const char letters[DIALECT_COUNT] = {
    [DIALECT_ANTHROPIC] = 'a',
    [DIALECT_CHAT] = 'c',
    [DIALECT_RESPONSES] = 'r',
    [DIALECT_GEMINI] = 'g',
};
static const char digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void
add_base64(struct rx_buf *out, rx_str s)
{
    for (size_t i = 0; i < s.len; i += 3) {
        uint32_t bits = 0;
        size_t n = s.len - i < 3 ? s.len - i : 3;
        for (size_t k = 0; k < 3; k++)
            bits = bits << 8 | (k < n ? (unsigned char)s.ptr[i + k] : 0);
        for (size_t k = 0; k <= n; k++)
            rx_buf_addc(out, digits[bits >> (18 - 6 * k) & 63]);
    }
}

static bool
read_base64(rx_str s, char *out, size_t *len)
{
    uint32_t bits = 0;
    unsigned have = 0;

    *len = 0;
    for (size_t i = 0; i < s.len; i++) {
        const char *at = s.ptr[i] != '\0' ? strchr(digits, s.ptr[i]) : NULL;
        if (at == NULL)
            return false;
        bits = bits << 6 | (uint32_t)(at - digits);
        have += 6;
        if (have >= 8) {
            have -= 8;
            out[(*len)++] = (char)(bits >> have & 0xff);
        }
    }
    return s.len % 4 != 1;
}

void
provenance_wrap(struct rx_buf *out, const struct ir_opaque *seal)
{
    rx_str family = seal->family.len > 0 ? seal->family : RX_S("unknown");

    rx_buf_addf(out, "%s%c." RX_STR_FMT ".%c.", prefix, letters[seal->dialect],
        RX_STR_ARG(family), seal->kind != '\0' ? seal->kind : 's');
    add_base64(out, seal->bytes);
}

bool
provenance_is_wrapped(rx_str text)
{
    return rx_str_starts(text, RX_S("rtx1."));
}

bool
provenance_unwrap(rx_str text, struct rx_arena *arena, struct ir_opaque *out)
{
    rx_str field[4];
    rx_str rest = text;

    if (!provenance_is_wrapped(text))
        return false;
    rest = (rx_str){ text.ptr + 5, text.len - 5 };
    for (size_t i = 0; i < 3; i++) {
        if (!rx_str_cut(rest, '.', &field[i], &rest))
            return false;
    }
    if (field[0].len != 1 || field[2].len != 1)
        return false;
    const char *at = memchr(letters, field[0].ptr[0], sizeof(letters));
    char *bytes = rx_arena_alloc(arena, rest.len + 1);
    size_t len;
    if (at == NULL || bytes == NULL || !read_base64(rest, bytes, &len))
        return false;
    /* What was sealed was text; anything else was not sealed by us. */
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)bytes[i] < 0x20 || (unsigned char)bytes[i] > 0x7e ||
            bytes[i] == '"')
            return false;
    }
    char *plain = rx_arena_alloc(arena, len + 1);
    size_t plain_len;
    if (plain == NULL ||
        !rx_span_decode((rx_str){ bytes, len }, plain, &plain_len))
        return false;
    *out = (struct ir_opaque){ .bytes = { bytes, len },
        .dialect = (enum dialect)(at - letters),
        .family = field[1],
        .kind = field[2].ptr[0] };
    return true;
}

/* Whose signature may this be, by its looks? */
static rx_str
guess_family(rx_str bytes)
{
    if (rx_str_starts(bytes, RX_S("gAAAA")))
        return RX_S("gpt");
    if (bytes.len > 0 && memchr("ERC", bytes.ptr[0], 3) != NULL)
        return RX_S("claude");
    return RX_S("gemini");
}

bool
provenance_fits(
    const struct ir_opaque *seal, enum dialect target, rx_str family)
{
    if (seal->bytes.len == 0 || seal->dialect != target)
        return false;
    if (seal->family.len > 0)
        return rx_str_eq(seal->family, family);
    return rx_str_eq(guess_family(seal->bytes), family);
}
