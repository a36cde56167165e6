/*
 * What the user writes.  Nothing here touches the socket: bytes are queued and
 * the connection is woken; it sends all of a tick's bytes at once.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "shared/clock.h"
#include "shared/httpd_conn.h"

const char *
rx_http_reason(int status)
{
    static const struct {
        int status;
        const char *words;
    } rows[] = {
        { 200, "OK" },
        { 100, "Continue" },
        { 101, "Switching Protocols" },
        { 201, "Created" },
        { 202, "Accepted" },
        { 204, "No Content" },
        { 206, "Partial Content" },
        { 301, "Moved Permanently" },
        { 302, "Found" },
        { 303, "See Other" },
        { 304, "Not Modified" },
        { 307, "Temporary Redirect" },
        { 308, "Permanent Redirect" },
        { 400, "Bad Request" },
        { 401, "Unauthorized" },
        { 402, "Payment Required" },
        { 403, "Forbidden" },
        { 404, "Not Found" },
        { 405, "Method Not Allowed" },
        { 406, "Not Acceptable" },
        { 408, "Request Timeout" },
        { 409, "Conflict" },
        { 410, "Gone" },
        { 411, "Length Required" },
        { 412, "Precondition Failed" },
        { 413, "Content Too Large" },
        { 414, "URI Too Long" },
        { 415, "Unsupported Media Type" },
        { 416, "Range Not Satisfiable" },
        { 417, "Expectation Failed" },
        { 421, "Misdirected Request" },
        { 422, "Unprocessable Content" },
        { 424, "Failed Dependency" },
        { 425, "Too Early" },
        { 426, "Upgrade Required" },
        { 428, "Precondition Required" },
        { 429, "Too Many Requests" },
        { 431, "Request Header Fields Too Large" },
        { 451, "Unavailable For Legal Reasons" },
        { 500, "Internal Server Error" },
        { 501, "Not Implemented" },
        { 502, "Bad Gateway" },
        { 503, "Service Unavailable" },
        { 504, "Gateway Timeout" },
        { 505, "HTTP Version Not Supported" },
        { 507, "Insufficient Storage" },
        { 529, "Overloaded" },
    };

    for (size_t i = 0; i < RX_COUNT(rows); i++)
        if (rows[i].status == status)
            return rows[i].words;
    return "Status";
}

/* A buffer of at least `need` bytes: a spare one where that is enough. */
static void
out_make_room(struct httpd_conn *c, size_t need)
{
    struct httpd_out *o = &c->out;
    size_t used = o->to - o->from;
    size_t size = HTTPD_SPARE_SIZE;
    char *p;

    if (o->from > 0 && used + need <= o->size && used <= o->from) {
        memcpy(o->ptr, o->ptr + o->from, used);
        o->from = 0;
        o->to = used;
        return;
    }
    while (size < used + need)
        size *= 2;
    if (size == HTTPD_SPARE_SIZE && c->httpd->spare_count > 0)
        p = c->httpd->spares[--c->httpd->spare_count];
    else
        p = malloc(size);
    if (p == NULL) {
        fprintf(stderr, "routex: out of memory allocating %zu bytes\n", size);
        abort();
    }
    if (used > 0)
        memcpy(p, o->ptr + o->from, used);
    free(o->ptr);
    *o = (struct httpd_out){ .ptr = p, .to = used, .size = size };
}

static char *
out_room(struct httpd_conn *c, size_t need)
{
    if (c->out.size - c->out.to < need)
        out_make_room(c, need);
    return c->out.ptr + c->out.to;
}

void
httpd_out_add(struct httpd_conn *c, rx_str bytes)
{
    if (bytes.len == 0)
        return;
    memcpy(out_room(c, bytes.len), bytes.ptr, bytes.len);
    c->out.to += bytes.len;
}

size_t
httpd_out_unsent(const struct httpd_conn *c)
{
    return c->out.to - c->out.from;
}

void
httpd_out_release(struct httpd_conn *c)
{
    struct rx_httpd *h = c->httpd;

    if (c->out.size == HTTPD_SPARE_SIZE && h->spare_count < HTTPD_SPARES)
        h->spares[h->spare_count++] = c->out.ptr;
    else
        free(c->out.ptr);
    c->out = (struct httpd_out){ 0 };
}

/* `digits` ends just behind where the number goes. */
static rx_str
number(char *digits, uint64_t n, unsigned base)
{
    char *p = digits;

    do {
        *--p = "0123456789abcdef"[n % base];
        n /= base;
    } while (n > 0);
    return (rx_str){ p, (size_t)(digits - p) };
}

static void
add_number(struct httpd_conn *c, uint64_t n, unsigned base)
{
    char digits[24];

    httpd_out_add(c, number(digits + sizeof(digits), n, base));
}

static void
add_date(struct httpd_conn *c)
{
    static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri",
        "Sat" };
    static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    struct rx_httpd *h = c->httpd;
    uint64_t now_s = rx_clock_wall_ms() / 1000;

    if (now_s != h->date_s) {
        time_t t = (time_t)now_s;
        struct tm tm;

        gmtime_r(&t, &tm);
        snprintf(h->date, sizeof(h->date),
            "date: %s, %02u %s %04u %02u:%02u:%02u GMT\r\n",
            days[tm.tm_wday % 7], (unsigned)tm.tm_mday % 100,
            months[tm.tm_mon % 12], (unsigned)(tm.tm_year + 1900) % 10000,
            (unsigned)tm.tm_hour % 100, (unsigned)tm.tm_min % 100,
            (unsigned)tm.tm_sec % 100);
        h->date_s = now_s;
    }
    httpd_out_add(c, (rx_str){ h->date, strlen(h->date) });
}

static void
add_status(struct httpd_conn *c, int status)
{
    const char *words = rx_http_reason(status);

    httpd_out_add(c, RX_S("HTTP/1.1 "));
    add_number(c, (unsigned)status, 10);
    httpd_out_add(c, RX_S(" "));
    httpd_out_add(c, (rx_str){ words, strlen(words) });
    httpd_out_add(c, RX_S("\r\n"));
}

static void
add_length(struct httpd_conn *c, uint64_t length)
{
    httpd_out_add(c, RX_S("content-length: "));
    add_number(c, length, 10);
    httpd_out_add(c, RX_S("\r\n"));
}

void
httpd_reply_plain(struct httpd_conn *c, int status, const char *reason)
{
    rx_str text = { reason, strlen(reason) };

    add_status(c, status);
    httpd_out_add(c, RX_S("content-type: text/plain\r\n"));
    add_date(c);
    add_length(c, text.len + 1);
    httpd_out_add(c, RX_S("connection: close\r\n\r\n"));
    httpd_out_add(c, text);
    httpd_out_add(c, RX_S("\n"));
}

static enum httpd_framing
choose_framing(const struct rx_httpd_req *req, int status, uint64_t length)
{
    if (status == 204 || status == 304 || status < 200 ||
        rx_str_eq(req->head.method, RX_S("HEAD")))
        return FRAMING_NO_BODY;
    if (length != RX_HTTPD_CHUNKED)
        return FRAMING_LENGTH;
    return req->head.minor > 0 ? FRAMING_CHUNKED : FRAMING_BARE;
}

static void
add_framing(struct rx_httpd_req *req, int status, uint64_t length)
{
    struct httpd_conn *c = req->conn;

    if (length != RX_HTTPD_CHUNKED) {
        if (status >= 200 && status != 204 && status != 304)
            add_length(c, length);
    } else if (req->framing == FRAMING_CHUNKED) {
        httpd_out_add(c, RX_S("transfer-encoding: chunked\r\n"));
    }
    if (!c->keep)
        httpd_out_add(c, RX_S("connection: close\r\n"));
    else if (req->head.minor == 0)
        httpd_out_add(c, RX_S("connection: keep-alive\r\n"));
}

void
rx_httpd_start(
    struct rx_httpd_req *req, int status, rx_str headers, uint64_t length)
{
    struct httpd_conn *c = req->conn;

    assert(req->reply == REPLY_NONE);
    assert(status >= 200 && status <= 999);
    req->reply = REPLY_STARTED;
    req->framing = choose_framing(req, status, length);
    req->reply_left = req->framing == FRAMING_LENGTH ? length : 0;

    /* The rest of a body that nobody waits for is dropped if it is small. */
    c->keep = req->keep_alive && !c->httpd->draining &&
              req->framing != FRAMING_BARE && httpd_conn_can_skip(c);
    if (c->input == INPUT_BODY)
        c->input = c->keep ? INPUT_SKIP : INPUT_SHUT;

    add_status(c, status);
    httpd_out_add(c, headers);
    add_date(c);
    add_framing(req, status, length);
    httpd_out_add(c, RX_S("\r\n"));
    httpd_conn_wake(c);
}

bool
rx_httpd_write(struct rx_httpd_req *req, rx_str bytes)
{
    struct httpd_conn *c = req->conn;

    assert(req->reply == REPLY_STARTED);
    if (req->framing == FRAMING_LENGTH && bytes.len > req->reply_left)
        bytes.len = (size_t)req->reply_left;
    if (bytes.len > 0 && req->framing != FRAMING_NO_BODY) {
        (void)out_room(c, bytes.len + 24);
        if (req->framing == FRAMING_CHUNKED) {
            add_number(c, bytes.len, 16);
            httpd_out_add(c, RX_S("\r\n"));
            httpd_out_add(c, bytes);
            httpd_out_add(c, RX_S("\r\n"));
        } else {
            httpd_out_add(c, bytes);
        }
        if (req->framing == FRAMING_LENGTH)
            req->reply_left -= bytes.len;
        httpd_conn_wake(c);
    }
    if (httpd_out_unsent(c) <= c->httpd->options.high_water)
        return true;
    req->starved = true;
    return false;
}

void
rx_httpd_end(struct rx_httpd_req *req)
{
    assert(req->reply == REPLY_STARTED);
    /* Fewer bytes than were promised: there is no good way to end that. */
    if (req->reply_left > 0) {
        rx_httpd_abort(req);
        return;
    }
    req->reply = REPLY_ENDED;
    if (req->framing == FRAMING_CHUNKED)
        httpd_out_add(req->conn, RX_S("0\r\n\r\n"));
    httpd_conn_wake(req->conn);
}

void
rx_httpd_reply(
    struct rx_httpd_req *req, int status, rx_str headers, rx_str body)
{
    (void)out_room(req->conn, headers.len + body.len + 256);
    rx_httpd_start(req, status, headers, body.len);
    (void)rx_httpd_write(req, body);
    req->starved = false;
    rx_httpd_end(req);
}

void
rx_httpd_abort(struct rx_httpd_req *req)
{
    req->reply = REPLY_ENDED;
    req->aborted = true;
    req->starved = false;
    httpd_conn_wake(req->conn);
}

void
rx_httpd_reset(struct rx_httpd_req *req)
{
    req->reset = true;
    rx_httpd_abort(req);
}

size_t
rx_httpd_unsent(const struct rx_httpd_req *req)
{
    return httpd_out_unsent(req->conn);
}
