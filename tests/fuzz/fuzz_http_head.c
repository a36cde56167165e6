/*
 * The verdict on a head does not depend on how its bytes arrived, and every
 * view of an accepted one lies inside it, in order, without line ends.
 */
#include <stdlib.h>
#include <string.h>

#include "shared/http_head.h"

#define MAX ((size_t)4 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool true_)
{
    if (!true_)
        abort();
}

static void
inside(rx_str s, rx_str in)
{
    if (s.len == 0)
        return;
    must(s.ptr >= in.ptr && s.ptr + s.len <= in.ptr + in.len);
    must(memchr(s.ptr, '\r', s.len) == NULL);
    must(memchr(s.ptr, '\n', s.len) == NULL);
    must(memchr(s.ptr, '\0', s.len) == NULL);
}

static void
check_head(rx_str in, size_t lines)
{
    static struct rx_header headers[RX_HTTP_MAX_HEADERS];
    struct rx_http_head h;
    const char *reason = NULL;
    const char *at = in.ptr;
    int status =
        rx_http_head_split(in, headers, RX_HTTP_MAX_HEADERS, &h, &reason);

    must(reason != NULL);
    if (status != 200) {
        must(status >= 400 && status <= 505 && reason[0] != '\0');
        return;
    }
    inside(h.method, in);
    inside(h.target, in);
    inside(h.path, in);
    inside(h.query, in);
    must(h.method.len > 0 && h.path.len > 0);
    must(h.minor <= 1);
    must(!(h.chunked && h.has_length));
    must(h.has_length || h.content_length == 0);
    must(h.header_count == lines);
    for (size_t i = 0; i < h.header_count; i++) {
        inside(headers[i].name, in);
        inside(headers[i].value, in);
        must(headers[i].name.len > 0 && headers[i].name.ptr >= at);
        at = headers[i].name.ptr + headers[i].name.len;
        must(*at == ':');
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rx_http_scan whole = { 0 };
    struct rx_http_scan piecewise = { 0 };
    size_t step = size > 0 ? (size_t)data[0] % 37 + 1 : 1;
    size_t copied = size > 0 ? size - 1 : 0;
    char *copy = malloc(copied + 1); /* exact, so that a sanitizer sees */
    int want;
    int got = 0;

    if (copied > 0)
        memcpy(copy, data + 1, copied);
    rx_str in = { copy, copied };

    want = rx_http_head_find(&whole, in, MAX);
    for (size_t n = 0; got == 0 && n < in.len;) {
        n = n + step < in.len ? n + step : in.len;
        got = rx_http_head_find(&piecewise, (rx_str){ in.ptr, n }, MAX);
    }
    must(got == want);
    must(whole.at == piecewise.at && whole.lines == piecewise.lines);
    if (want == 200) {
        must(whole.at <= MAX && whole.at <= in.len);
        must(whole.start < whole.at);
        check_head((rx_str){ in.ptr + whole.start, whole.at - whole.start },
            whole.lines);
    }
    free(copy);
    return 0;
}
