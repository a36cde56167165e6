/*
 * Hostile bytes as a Snapshot and as a Delta on top of a small good state.
 * Invariants: whatever is built packs to a state with the same digest; its last
 * good values alone reject nothing; every key found is the key asked for;
 * channels stand in order.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/snapshot_build.h"
#include "dataplane/wire.h"

/* Settings, a tenant, a key of it, a channel: packed by hand. */
static const char good[] =
    "\x0a\x3d\x0a\x01\x63\x12\x02\x63\x63\x1a\x01\x74\x22\x24\x0a\x04"
    "\x63\x68\x61\x74\x12\x14\x68\x74\x74\x70\x3a\x2f\x2f\x31\x32\x37"
    "\x2e\x30\x2e\x30\x2e\x31\x3a\x39\x2f\x78\x1a\x06\x62\x65\x61\x72"
    "\x65\x72\x38\x02\x40\x01\x4a\x07\x65\x6e\x61\x62\x6c\x65\x64\x12"
    "\x07\x0a\x01\x74\x12\x00\x18\x01\x1a\x2a\x0a\x01\x6b\x1a\x20\x30"
    "\x31\x32\x33\x34\x35\x36\x37\x38\x39\x61\x62\x63\x64\x65\x66\x30"
    "\x31\x32\x33\x34\x35\x36\x37\x38\x39\x61\x62\x63\x64\x65\x66\x22"
    "\x01\x74\x28\x01\x22\x02\x18\x03";

static const struct snapshot *base;

static void
check(const struct snapshot *s)
{
    const struct snapshot *again = NULL;
    const struct snapshot *calm = NULL;
    struct rx_buf m;

    rx_buf_init(&m, 64 << 20);
    assert(snapshot_pack(s, &m));
    assert(snapshot_from_full(NULL, s->epoch, s->version, rx_buf_str(&m),
               &again, NULL) == RX_OK);
    assert(memcmp(&again->state, &s->state, sizeof(s->state)) == 0);
    snapshot_unpin(again);
    rx_buf_clear(&m);
    assert(snapshot_pack_good(s, &m));
    assert(snapshot_from_full(NULL, s->epoch, s->version, rx_buf_str(&m), &calm,
               NULL) == RX_OK);
    assert(calm->channel_count == s->channel_count);
    assert(calm->key_count == s->key_count);
    snapshot_unpin(calm);
    rx_buf_fini(&m);

    for (size_t i = 0; i < s->channel_count; i++) {
        const struct channel *c = &s->channels[i];
        assert(c->index == i);
        assert(i == 0 || s->channels[i - 1].priority >= c->priority);
        assert(snapshot_find_channel(s, c->id) != NULL);
        assert(c->timeouts.connect != 0 && c->timeouts.idle != 0);
    }
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    rx_secret_init();
    rx_str m = { good, sizeof(good) - 1 };
    if (snapshot_from_full(NULL, 1, 1, m, &base, NULL) != RX_OK ||
        base->rejected_count != 0 || base->key_count != 1 ||
        base->channel_count != 1)
        abort();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    rx_str m = { (const char *)data, size };
    const struct snapshot *s = NULL;

    if (snapshot_from_full(base, 1, 2, m, &s, NULL) == RX_OK) {
        check(s);
        snapshot_unpin(s);
    }
    enum rx_code code = snapshot_from_delta(base, 1, 2, m, &s, NULL);
    assert((code == RX_OK) == (s != NULL));
    if (s != NULL) {
        check(s);
        snapshot_unpin(s);
    }
    return 0;
}
