/*
 * Any schema: what comes out of JSON is JSON, for every profile, and never more
 * than the buffer takes.
 */
#include <stdlib.h>

#include "dataplane/codec/schema.h"
#include "shared/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
is_json(rx_str text)
{
    struct rx_json_limits limits = { .values = 1000000 };
    struct rx_json_doc *doc;

    if (rx_json_parse(&doc, text, &limits, NULL) != RX_OK)
        return false;
    rx_json_free(doc);
    return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ir_losses losses = { 0 };
    struct rx_buf out;

    if (size < 1)
        return 0;
    struct schema_job job = {
        .schema = { (const char *)data + 1, size - 1 },
        .profile = data[0] % SCHEMA_PROFILE_COUNT,
        .answer = data[0] > 127,
        .losses = &losses,
        .out = &out,
    };
    rx_buf_init(&out, 1 << 20);
    enum rx_code code = schema_clean(&job, NULL);
    if (code == RX_OK && is_json(job.schema) && !is_json(rx_buf_str(&out)))
        abort();
    rx_buf_fini(&out);
    return 0;
}
