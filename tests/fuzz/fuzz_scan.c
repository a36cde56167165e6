/*
 * Every skip kernel says the same of a body; what is found lies inside it; and
 * putting the model it names back in its place gives the same bytes.  The first
 * byte chooses the dialect.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/scan.h"
#include "shared/attr.h"
#include "shared/json_span.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool fine)
{
    if (!fine)
        abort();
}

static void
require_inside(rx_str body, rx_str s)
{
    require(s.len == 0 ||
            (s.ptr >= body.ptr && s.ptr + s.len <= body.ptr + body.len));
}

static void
require_same_text(rx_str body, const rx_str *pieces, size_t n)
{
    size_t at = 0;

    for (size_t i = 0; i < n; i++) {
        require(at + pieces[i].len <= body.len);
        require(memcmp(body.ptr + at, pieces[i].ptr, pieces[i].len) == 0);
        at += pieces[i].len;
    }
    require(at == body.len);
}

static void
check_result(rx_str body, const struct scan *s)
{
    rx_str pieces[2 * SPLICE_MAX + 1];
    struct splice edit = { s->model_token, s->model_token };

    require_inside(body, s->model);
    require_inside(body, s->model_token);
    require_inside(body, s->stream_options);
    require_inside(body, s->user_id);
    require_inside(body, s->prompt_cache_key);
    require(s->object_start >= 1 && s->object_start <= body.len);
    require(body.ptr[s->object_start - 1] == '{');
    size_t n =
        splice_pieces(body, &edit, s->model_token.len > 0 ? 1 : 0, pieces);
    require_same_text(body, pieces, n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum rx_span_kernel kernels[] = { RX_SPAN_SCALAR, RX_SPAN_SSE2,
        RX_SPAN_AVX2 };
    struct scan first = { 0 };
    enum rx_code code = RX_OK;

    if (size < 2)
        return 0;
    enum dialect dialect = (enum dialect)(data[0] % DIALECT_COUNT);
    rx_str body = { (const char *)data + 1, size - 1 };
    for (size_t i = 0; i < RX_COUNT(kernels); i++) {
        struct scan s;
        if (!rx_span_use(kernels[i]))
            continue;
        enum rx_code now = scan_request(dialect, body, &s, NULL);
        if (now == RX_OK)
            check_result(body, &s);
        if (i == 0) {
            first = s;
            code = now;
        }
        require(now == code);
        require(now != RX_OK || memcmp(&s, &first, sizeof(s)) == 0);
    }
    return 0;
}
