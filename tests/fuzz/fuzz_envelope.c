/*
 * Strangers' bytes as a message.  Invariants: nothing opens that was not
 * sealed, whatever a header claims; peek and open agree; what is sealed opens
 * to the same bytes and header, and no longer does with one bit changed.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "shared/envelope.h"

static struct rx_join_keys keys;

static void
hostile(rx_str message)
{
    struct rx_envelope seen;
    struct rx_envelope head;
    struct rx_buf body;

    rx_buf_init(&body, rx_envelope_max(true));
    enum rx_code peeked = rx_envelope_peek(message, &seen, NULL);
    enum rx_code code =
        rx_envelope_open(&keys, true, message, &head, &body, NULL);
    assert(code != RX_OK && code != RX_CONFLICT);
    assert(body.len == 0);
    if (peeked == RX_OK) {
        assert(code == RX_DENIED);
        assert(seen.topic.ptr == message.ptr);
        assert(seen.topic.len <= RX_TOPIC_MAX);
    } else {
        assert(code == peeked);
    }
    rx_buf_fini(&body);
}

static void
there_and_back(rx_str body, size_t flip)
{
    struct rx_envelope head = { .kind = RX_MSG_HELLO,
        .topic = RX_S("plane/a"),
        .major = RX_WIRE_MAJOR,
        .epoch = flip,
        .sequence = body.len };
    struct rx_envelope got;
    struct rx_buf m;
    struct rx_buf out;

    rx_buf_init(&m, 1 << 20);
    rx_buf_init(&out, 1 << 20);
    if (!rx_envelope_seal(&keys, &head, body, &m))
        abort();
    assert(rx_envelope_open(&keys, false, rx_buf_str(&m), &got, &out, NULL) ==
           RX_OK);
    assert(rx_str_eq(rx_buf_str(&out), body));
    assert(got.epoch == head.epoch && got.sequence == head.sequence);
    rx_buf_clear(&out);
    m.ptr[flip % m.len] = (char)(m.ptr[flip % m.len] ^ 1);
    assert(rx_envelope_open(&keys, false, rx_buf_str(&m), &got, &out, NULL) !=
           RX_OK);
    rx_buf_fini(&m);
    rx_buf_fini(&out);
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    rx_secret_init();
    if (!rx_join_derive(RX_S("rtxj_0123456789abcdefghij"), &keys))
        abort();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    rx_str all = { (const char *)data, size };
    size_t flip = 0;

    hostile(all);
    for (size_t i = 0; i < size && i < 4; i++)
        flip = flip << 8 | data[i];
    there_and_back(all, flip);
    return 0;
}
