/*
 * Configuration files as people write them: JSON comes out as the same JSON, and
 * nothing is written that was not there (or twice its length).
 */
#include <stdint.h>

#include "controlplane/cli/importing.h"
#include "tests/fuzz/json_fuzz.h"

#define MOST ((size_t)1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    rx_str text = { (const char *)data, size };
    struct rx_buf plain, before, after;

    if (size > MOST)
        return 0;
    rx_buf_init(&plain, 3 * MOST);
    rx_buf_init(&before, 8 * MOST);
    rx_buf_init(&after, 8 * MOST);
    import_plain_json(text, &plain);
    if (plain.len > 2 * size + 2)
        abort();
    if (rx_json_check(text, NULL, NULL) == RX_OK) {
        json_fuzz_print(text, &before);
        json_fuzz_print(rx_buf_str(&plain), &after);
        if (!rx_str_eq(rx_buf_str(&before), rx_buf_str(&after)))
            abort();
    }
    rx_buf_fini(&plain);
    rx_buf_fini(&before);
    rx_buf_fini(&after);
    return 0;
}
