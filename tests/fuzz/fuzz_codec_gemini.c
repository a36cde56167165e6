/*
 * Whatever a client or a provider of this dialect sends is refused, or becomes
 * something of the other dialect that is well-formed; however it is cut into
 * reads it becomes the same, and half an answer never a whole one.
 */
#include "tests/fuzz/codec_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_codec(DIALECT_GEMINI, data, size);
    return 0;
}
