#include "shared/url.h"

#include <arpa/inet.h>
#include <string.h>

#define HOST_MAX 253
#define URL_MAX  2048

enum { HOST = 1, PATH = 2, USER = 4 };

/* Which bytes may stand where; everything else is a mistake or an attack. */
static bool
allowed(char c, unsigned where)
{
    bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                (c >= '0' && c <= '9');

    if (word || c == '-' || c == '.' || c == '_')
        return true;
    if (c == '\0' || where == HOST)
        return false;
    return strchr(where == PATH ? "~!$&'()*+,;=:@%/" : "~!$&'()*+,;=%", c) !=
           NULL;
}

static bool
all_allowed(rx_str s, unsigned where)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!allowed(s.ptr[i], where))
            return false;
    }
    return true;
}

static bool
ip6(rx_str host)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;

    if (host.len >= sizeof(text))
        return false;
    memcpy(text, host.ptr, host.len);
    text[host.len] = '\0';
    return inet_pton(AF_INET6, text, &address) == 1;
}

/* "a..b", ".a" and over-long labels never resolve; say so early. */
static bool
host_name(rx_str host)
{
    rx_str label;
    rx_str rest = host;

    if (host.len == 0 || host.len > HOST_MAX || !all_allowed(host, HOST))
        return false;
    for (bool more = true; more;) {
        more = rx_str_cut(rest, '.', &label, &rest);
        if (label.len > 63 ||
            (label.len == 0 && (more || label.ptr == host.ptr)))
            return false;
    }
    return true;
}

static enum rx_code
split_host(rx_str *rest, rx_str *host, struct rx_err *err)
{
    if (rest->len > 0 && rest->ptr[0] == '[') {
        rx_str inside = { rest->ptr + 1, rest->len - 1 };
        if (!rx_str_cut(inside, ']', host, rest) || !ip6(*host))
            return rx_fail(err, RX_INVALID, "bad IPv6 address in the URL");
        return RX_OK;
    }

    size_t n = 0;
    while (n < rest->len && rest->ptr[n] != ':')
        n++;
    *host = (rx_str){ rest->ptr, n };
    *rest = (rx_str){ rest->ptr + n, rest->len - n };
    if (!host_name(*host))
        return rx_fail(err, RX_INVALID, "bad host name in the URL");
    return RX_OK;
}

/* host[:port], nothing else.  `port` keeps its value when none is given. */
static enum rx_code
split_authority(rx_str text, rx_str *host, uint16_t *port, struct rx_err *err)
{
    rx_str rest = text;
    uint64_t number;
    enum rx_code code = split_host(&rest, host, err);

    if (code != RX_OK || rest.len == 0)
        return code;
    rx_str digits = { rest.ptr + 1, rest.len - 1 };
    if (rest.ptr[0] != ':' || !rx_str_u64(digits, &number) || number == 0 ||
        number > UINT16_MAX)
        return rx_fail(err, RX_INVALID, "bad port in the URL");
    *port = (uint16_t)number;
    return RX_OK;
}

static bool
take_scheme(rx_str *text, rx_str scheme)
{
    if (text->len < scheme.len ||
        !rx_str_ieq((rx_str){ text->ptr, scheme.len }, scheme))
        return false;
    text->ptr += scheme.len;
    text->len -= scheme.len;
    return true;
}

static bool
has_dot_segment(rx_str path)
{
    rx_str segment;

    for (bool more = true; more;) {
        more = rx_str_cut(path, '/', &segment, &path);
        if (rx_str_eq(segment, RX_S(".")) || rx_str_eq(segment, RX_S("..")))
            return true;
    }
    return false;
}

enum rx_code
rx_url_split(rx_str text, struct rx_url *out, struct rx_err *err)
{
    *out = (struct rx_url){ 0 };
    if (text.len > URL_MAX)
        return rx_fail(err, RX_INVALID, "the URL is too long");
    if (take_scheme(&text, RX_S("https://")))
        out->tls = true;
    else if (!take_scheme(&text, RX_S("http://")))
        return rx_fail(
            err, RX_INVALID, "the URL must begin with http:// or https://");

    size_t n = 0;
    while (n < text.len && text.ptr[n] != '/' && text.ptr[n] != '?' &&
           text.ptr[n] != '#')
        n++;
    rx_str authority = { text.ptr, n };
    rx_str path = { text.ptr + n, text.len - n };
    if (n > 0 && memchr(authority.ptr, '@', n) != NULL)
        return rx_fail(err, RX_INVALID, "the URL may not hold a user name");

    uint16_t usual = out->tls ? 443 : 80;
    out->port = usual;
    enum rx_code code = split_authority(authority, &out->host, &out->port, err);
    if (code != RX_OK)
        return code;
    out->default_port = out->port == usual;

    if (path.len > 0 && (memchr(path.ptr, '?', path.len) != NULL ||
                            memchr(path.ptr, '#', path.len) != NULL))
        return rx_fail(
            err, RX_INVALID, "the URL may not have a query or fragment");
    if (!all_allowed(path, PATH) || has_dot_segment(path))
        return rx_fail(err, RX_INVALID, "bad path in the URL");
    while (path.len > 0 && path.ptr[path.len - 1] == '/')
        path.len--;
    out->path = path;
    return RX_OK;
}

bool
rx_url_add_authority(struct rx_buf *out, const struct rx_url *url)
{
    bool brackets =
        url->host.len > 0 && memchr(url->host.ptr, ':', url->host.len) != NULL;

    if (brackets)
        rx_buf_addc(out, '[');
    rx_buf_add(out, url->host);
    if (brackets)
        rx_buf_addc(out, ']');
    if (!url->default_port)
        rx_buf_addf(out, ":%u", url->port);
    return !out->full;
}

/* The part of `path` that `base` does not end with already. */
static rx_str
without_version(rx_str base, rx_str path)
{
    static const rx_str versions[] = { RX_STR_INIT("/v1beta"),
        RX_STR_INIT("/v1") };

    for (size_t i = 0; i < RX_COUNT(versions); i++) {
        rx_str v = versions[i];
        if (base.len < v.len || !rx_str_starts(path, v) ||
            (path.len > v.len && path.ptr[v.len] != '/'))
            continue;
        if (rx_str_eq((rx_str){ base.ptr + base.len - v.len, v.len }, v))
            return (rx_str){ path.ptr + v.len, path.len - v.len };
    }
    return path;
}

bool
rx_url_add_target(struct rx_buf *out, const struct rx_url *base, rx_str path)
{
    rx_buf_add(out, base->path);
    rx_buf_add(out, without_version(base->path, path));
    return !out->full;
}

enum rx_code
rx_url_check_proxy(rx_str text, struct rx_err *err)
{
    static const rx_str schemes[] = { RX_STR_INIT("http://"),
        RX_STR_INIT("https://"), RX_STR_INIT("socks5h://"),
        RX_STR_INIT("socks5://") };
    bool known = false;
    rx_str host;
    uint16_t port = 0;

    if (text.len > URL_MAX)
        return rx_fail(err, RX_INVALID, "the URL is too long");
    for (size_t i = 0; i < RX_COUNT(schemes) && !known; i++)
        known = take_scheme(&text, schemes[i]);
    if (!known)
        return rx_fail(err, RX_INVALID,
            "a proxy is http://, https://, socks5:// or socks5h://");

    if (text.len > 0 && text.ptr[text.len - 1] == '/')
        text.len--;
    rx_str user;
    rx_str rest;
    if (!rx_str_cut(text, '@', &user, &rest)) {
        rest = text;
        user = (rx_str){ 0 };
    }
    for (size_t i = 0; i < user.len; i++) {
        if (user.ptr[i] != ':' && !allowed(user.ptr[i], USER))
            return rx_fail(err, RX_INVALID, "bad user name in the URL");
    }
    return split_authority(rest, &host, &port, err);
}
