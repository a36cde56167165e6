#include "controlplane/assets_accept.h"

#include <string.h>

/* "q=0", "q=0.", "q=0.000": not wanted. */
static bool
is_refused(rx_str parameters)
{
    rx_str one, name, value, rest = parameters;

    for (bool more = rest.len > 0; more;) {
        more = rx_str_cut(rest, ';', &one, &rest);
        rx_str_cut(rx_str_trim(one), '=', &name, &value);
        if (!rx_str_ieq(rx_str_trim(name), RX_S("q")))
            continue;
        value = rx_str_trim(value);
        size_t zeros = 0;
        while (zeros < value.len &&
               (value.ptr[zeros] == '0' || value.ptr[zeros] == '.'))
            zeros++;
        return value.len > 0 && zeros == value.len;
    }
    return false;
}

/* Its own word counts more than "*". */
static bool
is_taken(rx_str header, rx_str coding)
{
    rx_str one, word, parameters, rest = header;
    bool any = false;

    for (bool more = rest.len > 0; more;) {
        more = rx_str_cut(rest, ',', &one, &rest);
        rx_str_cut(one, ';', &word, &parameters);
        word = rx_str_trim(word);
        if (rx_str_ieq(word, coding))
            return !is_refused(parameters);
        if (rx_str_eq(word, RX_S("*")))
            any = !is_refused(parameters);
    }
    return any;
}

enum assets_packing
assets_choose(rx_str accept_encoding, const bool have[ASSETS_PACKINGS])
{
    if (have[ASSETS_BROTLI] && is_taken(accept_encoding, RX_S("br")))
        return ASSETS_BROTLI;
    if (have[ASSETS_GZIP] && is_taken(accept_encoding, RX_S("gzip")))
        return ASSETS_GZIP;
    return ASSETS_PLAIN;
}

bool
assets_tag_fits(rx_str if_none_match, const char *tag)
{
    rx_str one, rest = if_none_match;
    size_t len = strlen(tag);

    for (bool more = rest.len > 0; more;) {
        more = rx_str_cut(rest, ',', &one, &rest);
        one = rx_str_trim(one);
        if (rx_str_eq(one, RX_S("*")))
            return true;
        if (rx_str_starts(one, RX_S("W/"))) {
            one.ptr += 2;
            one.len -= 2;
        }
        if (one.len == len + 2 && one.ptr[0] == '"' &&
            one.ptr[len + 1] == '"' && memcmp(one.ptr + 1, tag, len) == 0)
            return true;
    }
    return false;
}
