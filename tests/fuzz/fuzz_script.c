/*
 * Any text is refused as no Lua, or runs and ends: soon, within its memory, and
 * with an answer or words.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/script.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct rx_script_limits limits = { .steps = 5000,
        .bytes = 256 * 1024 };
    struct rx_script_result r;
    struct rx_script *s = NULL;
    struct rx_err err = { 0 };

    if (rx_script_new(
            &s, (rx_str){ (const char *)data, size }, &limits, &err) != RX_OK) {
        assert(s == NULL && err.text[0] != '\0');
        return 0;
    }
    for (int i = 0; i < 2; i++) {
        rx_script_begin(s);
        rx_script_open(s, NULL);
        rx_script_put_str(s, "model", RX_S("m"));
        rx_script_close(s);
        if (rx_script_run(s, &r, &err) == RX_OK)
            assert(r.text_count <= 2 && (r.text_count == 0 || r.yes));
        else
            assert(err.text[0] != '\0');
        assert(rx_script_steps(s) < 20000);
    }
    rx_script_free(s);
    return 0;
}
