/*
 * Whatever the vectors do, a word is found where memmem() finds it.  The first
 * byte says how long the word is.
 */
#include <stdlib.h>
#include <string.h>

#include "shared/find.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t n = size > 0 ? data[0] % 64 : 0;

    if (n == 0 || size < 1 + n)
        return 0;
    rx_str word = { (const char *)data + 1, n };
    rx_str text = { word.ptr + n, size - 1 - n };
    if (rx_find(text, word) != memmem(text.ptr, text.len, word.ptr, n))
        abort();
    return 0;
}
