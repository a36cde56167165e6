#include "shared/header_rule.h"

#include <stdbool.h>
#include <string.h>

#include "shared/attr.h"

#define NAME_MAX_  128
#define VALUE_MAX_ 4096

/* Headers that are the router's own business, or hold a key in clear. */
static const rx_str ours[] = {
    RX_STR_INIT("host"),
    RX_STR_INIT("content-length"),
    RX_STR_INIT("transfer-encoding"),
    RX_STR_INIT("connection"),
    RX_STR_INIT("upgrade"),
    RX_STR_INIT("te"),
    RX_STR_INIT("trailer"),
    RX_STR_INIT("expect"),
    RX_STR_INIT("keep-alive"),
    RX_STR_INIT("accept-encoding"),
    RX_STR_INIT("content-encoding"),
    RX_STR_INIT("authorization"),
    RX_STR_INIT("proxy-authorization"),
    RX_STR_INIT("x-api-key"),
    RX_STR_INIT("x-goog-api-key"),
    RX_STR_INIT("api-key"),
    RX_STR_INIT("cookie"),
};

static bool
is_token(rx_str s)
{
    static const char more[] = "!#$%&'*+-.^_`|~";

    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                     (c >= '0' && c <= '9');
        if (!plain && memchr(more, c, sizeof(more) - 1) == NULL)
            return false;
    }
    return s.len > 0 && s.len <= NAME_MAX_;
}

const char *
rx_header_refuse(rx_str name, rx_str value)
{
    if (!is_token(name))
        return "is not a header's name";
    for (size_t i = 0; i < RX_COUNT(ours); i++) {
        if (rx_str_ieq(name, ours[i]))
            return "is set by Routex itself (a key belongs into \"api_key\")";
    }
    if (value.len > VALUE_MAX_)
        return "is too long";
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];
        if ((c < 0x20 && c != '\t') || c == 0x7F)
            return "must not hold control characters";
    }
    return NULL;
}
