/* Ids of tool calls that the other side allows. */
#include <ctype.h>
#include <string.h>

#include "dataplane/codec/normalise.h"

bool
normalise_id_ok(rx_str id, enum cap_ids rule, unsigned most)
{
    if (id.len == 0 || id.len > most)
        return false;
    if (rule == CAP_IDS_NINE && id.len != 9)
        return false;
    for (size_t i = 0; i < id.len; i++) {
        unsigned char c = (unsigned char)id.ptr[i];
        bool word = isalnum(c) || c == '_' || c == '-';
        if (rule == CAP_IDS_WORD && !word)
            return false;
        if (rule == CAP_IDS_NINE && !isalnum(c))
            return false;
    }
    return true;
}

/* FNV-1a (Fowler, Noll, Vo), then mixed: short ids must differ everywhere. */
static uint64_t
hash(rx_str s, unsigned salt)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325) ^ salt;

    for (size_t i = 0; i < s.len; i++) {
        h ^= (unsigned char)s.ptr[i];
        h *= UINT64_C(0x100000001b3);
    }
    h ^= h >> 32;
    h *= UINT64_C(0x9e3779b97f4a7c15);
    return h ^ h >> 29;
}

rx_str
normalise_id(
    rx_str id, enum cap_ids rule, unsigned most, unsigned salt, char out[40])
{
    static const char digits[] =
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    uint64_t bits = hash(id, salt);
    size_t n = 0;
    size_t want = rule == CAP_IDS_NINE ? 9 : 15;

    if (rule != CAP_IDS_NINE) {
        memcpy(out, "call_", 5);
        n = 5;
    }
    if (want > most)
        want = most;
    for (; n < want; n++) {
        out[n] = digits[bits % 62];
        bits /= 62;
    }
    out[n] = '\0';
    return (rx_str){ out, n };
}
