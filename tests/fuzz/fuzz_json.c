/*
 * Whatever the strict walk accepts, cJSON accepts too; and what we print of it
 * is accepted again and prints the same.
 */
#include <stdint.h>

#include "tests/fuzz/json_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    rx_str text = { (const char *)data, size };
    struct rx_buf once, twice;

    if (rx_json_check(text, NULL, NULL) != RX_OK)
        return 0;
    rx_buf_init(&once, 16 << 20);
    rx_buf_init(&twice, 16 << 20);
    json_fuzz_print(text, &once);
    json_fuzz_print(rx_buf_str(&once), &twice);
    if (!rx_str_eq(rx_buf_str(&once), rx_buf_str(&twice)))
        abort();
    rx_buf_fini(&once);
    rx_buf_fini(&twice);
    return 0;
}
