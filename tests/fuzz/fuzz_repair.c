/*
 * A refusal by one stranger of a request by another: first byte the dialect,
 * then the error's body up to the first zero byte, then the request's.
 * Invariants: what is said to be possible can be asked for; a body that was
 * repaired is one the scan takes, and is shorter or says what it did; a repair
 * that is refused writes nothing; input is never written to.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "dataplane/repair.h"
#include "dataplane/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct repair done = { 0 };
    struct rx_buf out;
    struct scan scan;

    if (size < 2)
        return 0;
    enum dialect d = (enum dialect)(data[0] % DIALECT_COUNT);
    const char *error = (const char *)data + 1;
    const char *zero = memchr(error, 0, size - 1);
    if (zero == NULL)
        return 0;
    rx_str why = { error, (size_t)(zero - error) };
    rx_str body = { zero + 1, size - 2 - why.len };
    if (scan_request(d, body, &scan, NULL) != RX_OK)
        return 0;
    rx_buf_init(&out, 1 << 20);
    bool possible = repair_is_possible(d, why);
    bool ok = repair_find(d, why, &done) &&
              (done.fault == FAULT_BETA || repair_apply(&done, body, &out));
    assert(!ok || possible);
    assert(ok || rx_buf_str(&out).len == 0);
    if (ok) {
        assert(memchr(done.what, 0, sizeof(done.what)) != NULL);
        assert(memchr(done.beta, 0, sizeof(done.beta)) != NULL);
        assert(done.what[0] != '\0' || done.beta[0] != '\0');
        rx_str rest = rx_buf_str(&out);
        if (rest.len > 0)
            assert(scan_request(d, rest, &scan, NULL) == RX_OK);
        else
            assert(done.beta[0] != '\0');
    }
    rx_buf_fini(&out);
    return 0;
}
