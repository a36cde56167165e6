/*
 * Whatever the vectors do, a word is found where memmem() finds it, and of two
 * the one that comes first.  The first byte says how long the word is; the
 * second word is the first, backwards.
 */
#include <stdlib.h>
#include <string.h>

#include "shared/find.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char back[64];

    if (size < 2 || data[0] % sizeof(back) == 0)
        return 0;
    size_t n = data[0] % sizeof(back);
    if (size < 1 + n)
        return 0;
    rx_str word = { (const char *)data + 1, n };
    rx_str text = { word.ptr + n, size - 1 - n };
    for (size_t i = 0; i < n; i++)
        back[i] = word.ptr[n - 1 - i];
    const char *a = memmem(text.ptr, text.len, word.ptr, n);
    const char *b = memmem(text.ptr, text.len, back, n);
    if (rx_find(text, word) != a)
        abort();
    const char *first = a == NULL || (b != NULL && b < a) ? b : a;
    if (rx_find_either(text, word, (rx_str){ back, n }) != first)
        abort();
    return 0;
}
