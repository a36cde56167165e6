/*
 * Redaction ends and keeps within its room; what is found leaves a mark, and a
 * text in which nothing is found stays as it is.  The first line is an
 * operator's pattern.
 */
#include <stdlib.h>
#include <string.h>

#include "dataplane/redact.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool true_)
{
    if (!true_)
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    rx_str pattern, text;
    struct rx_buf once, plain;

    if (size > 4096)
        return 0;
    (void)rx_str_cut(
        (rx_str){ (const char *)data, size }, '\n', &pattern, &text);
    struct redact *with = redact_new(&pattern, 1);
    struct redact *own = redact_new(NULL, 0);
    rx_buf_init(&once, 1 << 20);
    rx_buf_init(&plain, 1 << 20);
    size_t n = redact_text(with, text, &once);
    must(!once.full || n > 0);
    n = redact_text(own, text, &plain);
    if (n == 0)
        must(rx_str_eq(rx_buf_str(&plain), text));
    else
        must(memmem(plain.ptr, plain.len, REDACT_MARK,
                 sizeof(REDACT_MARK) - 1) != NULL);
    rx_buf_fini(&once);
    rx_buf_fini(&plain);
    redact_free(with);
    redact_free(own);
    return 0;
}
