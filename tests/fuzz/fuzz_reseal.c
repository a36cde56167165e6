/* Any body: what is changed in JSON is JSON still, for every dialect. */
#include <stdlib.h>

#include "dataplane/codec/reseal.h"
#include "shared/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rx_buf out;

    if (size < 1)
        return 0;
    rx_str body = { (const char *)data + 1, size - 1 };
    struct capability_key to = { .dialect = data[0] % DIALECT_COUNT,
        .model = RX_S("claude-sonnet-4-5") };
    rx_buf_init(&out, 1 << 20);
    if (reseal(&to, body, &out) && rx_json_check(body, NULL, NULL) == RX_OK &&
        rx_json_check(rx_buf_str(&out), NULL, NULL) != RX_OK)
        abort();
    rx_buf_fini(&out);
    return 0;
}
