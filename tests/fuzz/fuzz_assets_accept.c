/*
 * Only what is there is chosen, a refused packing never is, and a tag fits a
 * header exactly when the header names it.
 */
#include <stdlib.h>
#include <string.h>

#include "controlplane/assets_accept.h"

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
    if (size < 1)
        return 0;
    bool have[ASSETS_PACKINGS] = { true, (data[0] & 1) != 0,
        (data[0] & 2) != 0 };
    char *copy = malloc(size); /* exact, so that reading past it is seen */
    if (copy == NULL)
        abort();
    memcpy(copy, data, size);
    rx_str header = { copy + 1, size - 1 };

    enum assets_packing p = assets_choose(header, have);
    must(p < ASSETS_PACKINGS && have[p]);
    if (p != ASSETS_PLAIN)
        must(memchr(header.ptr, '*', header.len) != NULL ||
             header.len >= (p == ASSETS_GZIP ? 4 : 2));
    if (assets_tag_fits(header, "4711"))
        must(memchr(header.ptr, '*', header.len) != NULL ||
             memmem(header.ptr, header.len, "\"4711\"", 6) != NULL);
    free(copy);
    return 0;
}
