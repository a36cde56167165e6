/*
 * One table of byte classes, one function per part of the grammar.  A part
 * that is wrong returns its status and the reason; nothing is repaired.
 */
#include "shared/http_head.h"

#include <string.h>

enum {
    TOKEN = 1,  /* may be in a method or a header's name */
    TARGET = 2, /* may be in a request target */
    VALUE = 4,  /* may be in a header's value */
};

/* Lower and upper letters, digits and the marks of RFC 9110's token. */
static unsigned char classes[256];

static void
classes_init(void)
{
    static const char marks[] = "!#$%&'*+-.^_`|~";

    for (int c = 0; c < 256; c++) {
        unsigned char is = 0;
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

        if (letter || (c >= '0' && c <= '9') ||
            (c != 0 && strchr(marks, c) != NULL))
            is |= TOKEN;
        if (c > ' ' && c < 0x7f && c != '#')
            is |= TARGET;
        if (c == '\t' || (c >= ' ' && c != 0x7f))
            is |= VALUE;
        classes[c] = is;
    }
}

static bool
all_of(rx_str s, unsigned char is)
{
    for (size_t i = 0; i < s.len; i++)
        if ((classes[(unsigned char)s.ptr[i]] & is) == 0)
            return false;
    return true;
}

static rx_str
part(rx_str s, size_t from, size_t to)
{
    return (rx_str){ s.ptr + from, to - from };
}

static bool
may_begin(char c)
{
    return c == '\r' || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* One line, LF included, ends at `end`.  200 when it is the last of the head. */
static int
line_found(struct rx_http_scan *scan, rx_str in, size_t end, size_t max)
{
    size_t size = end - scan->at;

    if (end > max)
        return scan->begun ? 431 : 414;
    if (size < 2 || in.ptr[end - 2] != '\r')
        return 400;
    scan->at = end;
    scan->seen = 0;
    if (size > 2) {
        scan->lines += scan->begun ? 1 : 0;
        scan->begun = true;
        return 0;
    }
    if (scan->begun)
        return 200;
    scan->start = end; /* a blank line before the request */
    return 0;
}

int
rx_http_head_find(struct rx_http_scan *scan, rx_str in, size_t max)
{
    for (;;) {
        size_t from = scan->at + scan->seen;
        const char *lf = NULL;
        int status;

        /* What cannot begin a request is not worth waiting for. */
        if (!scan->begun && in.len > scan->at && !may_begin(in.ptr[scan->at]))
            return 400;
        if (in.len > from)
            lf = memchr(in.ptr + from, '\n', in.len - from);
        if (lf == NULL) {
            scan->seen = in.len - scan->at;
            if (in.len > max)
                return scan->begun ? 431 : 414;
            return 0;
        }
        status = line_found(scan, in, (size_t)(lf - in.ptr) + 1, max);
        if (status != 0)
            return status;
    }
}

static int
refuse(const char **reason, int status, const char *why)
{
    *reason = why;
    return status;
}

static bool
method_known(rx_str m)
{
    static const rx_str known[] = {
        RX_STR_INIT("POST"),
        RX_STR_INIT("GET"),
        RX_STR_INIT("HEAD"),
        RX_STR_INIT("PUT"),
        RX_STR_INIT("PATCH"),
        RX_STR_INIT("DELETE"),
        RX_STR_INIT("OPTIONS"),
    };

    for (size_t i = 0; i < RX_COUNT(known); i++)
        if (rx_str_eq(m, known[i]))
            return true;
    return false;
}

/* "HTTP/1.1": the digits decide between 400 (not HTTP) and 505 (not ours). */
static int
split_version(rx_str s, struct rx_http_head *out, const char **reason)
{
    if (s.len != 8 || !rx_str_starts(s, RX_S("HTTP/")) || s.ptr[5] < '0' ||
        s.ptr[5] > '9' || s.ptr[6] != '.' || s.ptr[7] < '0' || s.ptr[7] > '9')
        return refuse(reason, 400, "malformed request line");
    if (s.ptr[5] != '1' || s.ptr[7] > '1')
        return refuse(reason, 505, "HTTP version not supported");
    out->minor = (unsigned)(s.ptr[7] - '0');
    return 200;
}

/* Path and query of "/p?q", "http://host/p?q", or "*" for OPTIONS. */
static int
split_target(struct rx_http_head *out, const char **reason)
{
    static const rx_str schemes[] = {
        RX_STR_INIT("http://"),
        RX_STR_INIT("https://"),
    };
    rx_str t = out->target;
    rx_str slash = { 0 };

    if (t.len == 0 || !all_of(t, TARGET))
        return refuse(reason, 400, "malformed request target");
    if (t.len > RX_HTTP_MAX_TARGET)
        return refuse(reason, 414, "request target too long");
    for (size_t i = 0; i < RX_COUNT(schemes); i++) {
        size_t at = schemes[i].len;

        if (t.len <= at || !rx_str_ieq(part(t, 0, at), schemes[i]))
            continue;
        if (t.ptr[at] == '/' || t.ptr[at] == '?')
            return refuse(reason, 400, "malformed request target");
        while (at < t.len && t.ptr[at] != '/' && t.ptr[at] != '?')
            at++;
        t = part(t, at, t.len);
        /* "http://host" asks for "/"; the slash before the host is one. */
        slash = part(out->target, schemes[i].len - 1, schemes[i].len);
        break;
    }
    rx_str_cut(t, '?', &out->path, &out->query);
    if (out->path.len == 0)
        out->path = slash;
    if (out->path.len == 0)
        return refuse(reason, 400, "malformed request target");
    if (out->path.ptr[0] == '/' || (rx_str_eq(out->target, RX_S("*")) &&
                                       rx_str_eq(out->method, RX_S("OPTIONS"))))
        return 200;
    return refuse(reason, 400, "malformed request target");
}

static int
split_request_line(rx_str line, struct rx_http_head *out, const char **reason)
{
    rx_str rest;
    rx_str version;
    int status;

    if (!rx_str_cut(line, ' ', &out->method, &rest) || out->method.len == 0 ||
        !all_of(out->method, TOKEN) ||
        !rx_str_cut(rest, ' ', &out->target, &version))
        return refuse(reason, 400, "malformed request line");
    status = split_version(version, out, reason);
    if (status != 200)
        return status;
    if (!method_known(out->method))
        return refuse(reason, 501, "unknown method");
    return split_target(out, reason);
}

/* What the headers have said so far, across lines. */
struct framing {
    unsigned hosts;
    unsigned lengths;
    unsigned codings;
    bool close;
    bool keep;
};

static int
see_host(
    rx_str v, struct rx_http_head *out, struct framing *f, const char **reason)
{
    (void)out;
    if (f->hosts++ > 0)
        return refuse(reason, 400, "more than one Host");
    if (!all_of(v, TARGET) || memchr(v.ptr, '/', v.len) != NULL)
        return refuse(reason, 400, "malformed Host");
    return 200;
}

static int
see_length(
    rx_str v, struct rx_http_head *out, struct framing *f, const char **reason)
{
    if (f->lengths++ > 0)
        return refuse(reason, 400, "more than one Content-Length");
    if (!rx_str_u64(v, &out->content_length))
        return refuse(reason, 400, "malformed Content-Length");
    out->has_length = true;
    return 200;
}

static int
see_coding(
    rx_str v, struct rx_http_head *out, struct framing *f, const char **reason)
{
    if (f->codings++ > 0)
        return refuse(reason, 400, "more than one Transfer-Encoding");
    if (!rx_str_ieq(v, RX_S("chunked")))
        return refuse(reason, 501, "unknown Transfer-Encoding");
    out->chunked = true;
    return 200;
}

static int
see_connection(
    rx_str v, struct rx_http_head *out, struct framing *f, const char **reason)
{
    rx_str item;

    (void)out;
    (void)reason;
    for (bool more = true; more;) {
        more = rx_str_cut(v, ',', &item, &v);
        item = rx_str_trim(item);
        f->close |= rx_str_ieq(item, RX_S("close"));
        f->keep |= rx_str_ieq(item, RX_S("keep-alive"));
    }
    return 200;
}

static int
see_expect(
    rx_str v, struct rx_http_head *out, struct framing *f, const char **reason)
{
    (void)f;
    if (!rx_str_ieq(v, RX_S("100-continue")))
        return refuse(reason, 417, "expectation not known");
    out->expect_continue = out->minor > 0;
    return 200;
}

/* The headers that decide where a message ends and what follows it. */
static int
see_header(const struct rx_header *h, struct rx_http_head *out,
    struct framing *f, const char **reason)
{
    static const struct {
        rx_str name;
        int (*see)(rx_str v, struct rx_http_head *out, struct framing *f,
            const char **reason);
    } rows[] = {
        { RX_STR_INIT("host"), see_host },
        { RX_STR_INIT("content-length"), see_length },
        { RX_STR_INIT("transfer-encoding"), see_coding },
        { RX_STR_INIT("connection"), see_connection },
        { RX_STR_INIT("expect"), see_expect },
    };

    for (size_t i = 0; i < RX_COUNT(rows); i++)
        if (h->name.len == rows[i].name.len &&
            rx_str_ieq(h->name, rows[i].name))
            return rows[i].see(h->value, out, f, reason);
    return 200;
}

static int
split_header(rx_str line, struct rx_header *h, const char **reason)
{
    if (!rx_str_cut(line, ':', &h->name, &h->value) || h->name.len == 0 ||
        !all_of(h->name, TOKEN))
        return refuse(reason, 400, "malformed header line");
    if (!all_of(h->value, VALUE))
        return refuse(reason, 400, "control character in a header");
    h->value = rx_str_trim(h->value);
    return 200;
}

/* Cut the next line off `rest`, CRLF dropped. */
static rx_str
next_line(rx_str *rest)
{
    rx_str line;

    rx_str_cut(*rest, '\n', &line, rest);
    if (line.len > 0 && line.ptr[line.len - 1] == '\r')
        line.len--;
    return line;
}

static int
check_framing(
    struct rx_http_head *out, const struct framing *f, const char **reason)
{
    if (out->minor > 0 && f->hosts == 0)
        return refuse(reason, 400, "no Host");
    if (out->chunked && out->has_length)
        return refuse(reason, 400, "both Content-Length and Transfer-Encoding");
    if (out->chunked && out->minor == 0)
        return refuse(reason, 400, "Transfer-Encoding in HTTP/1.0");
    out->keep_alive = !f->close && (out->minor > 0 || f->keep);
    return 200;
}

int
rx_http_head_split(rx_str in, struct rx_header *headers, size_t room,
    struct rx_http_head *out, const char **reason)
{
    struct framing f = { 0 };
    rx_str rest = in;
    rx_str line;
    int status;

    if (classes['A'] == 0)
        classes_init();
    *out = (struct rx_http_head){ .headers = headers };
    *reason = "";
    if (room > RX_HTTP_MAX_HEADERS)
        room = RX_HTTP_MAX_HEADERS;

    while (rx_str_starts(rest, RX_S("\r\n")))
        rest = part(rest, 2, rest.len);
    status = split_request_line(next_line(&rest), out, reason);
    while (status == 200 && (line = next_line(&rest)).len > 0) {
        struct rx_header *h = &headers[out->header_count];

        if (out->header_count == room)
            return refuse(reason, 431, "too many headers");
        status = split_header(line, h, reason);
        if (status != 200)
            break;
        out->header_count++;
        status = see_header(h, out, &f, reason);
    }
    return status == 200 ? check_framing(out, &f, reason) : status;
}
