/*
 * toy_state.h - a store in memory: what the planes' tests publish from.
 */
#ifndef TESTS_TOY_STATE_H
#define TESTS_TOY_STATE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/state.h"
#include "controlplane/wire.h"
#include "shared/buf.h"
#include "shared/tally.h"

#define TOY_ITEMS 4096

struct toy {
    struct state_item items[TOY_ITEMS];
    size_t count;
    bool broken; /* the store answers with errors */
};

static const struct state_endpoint toy_endpoint = {
    RX_STR_INIT("chat"),
    RX_STR_INIT("http://127.0.0.1:9/v1"),
    RX_STR_INIT("bearer"),
};
static const struct state_credential toy_credential = {
    .id = RX_STR_INIT("cr1"),
    .kind = RX_STR_INIT("api_key"),
    .secret = RX_STR_INIT("sk-toy"),
    .enabled = true,
};

/* Texts that live as long as the test. */
static inline rx_str
toy_text(const char *prefix, unsigned n)
{
    static char texts[65536][24];
    static size_t at;
    char *out = texts[at++ % 65536];

    snprintf(out, 24, "%s%u", prefix, n);
    return (rx_str){ out, strlen(out) };
}

static inline struct state_item
toy_channel(unsigned n, int32_t priority)
{
    return (struct state_item){ .kind = STATE_CHANNEL,
        .channel = { .id = toy_text("ch", n),
            .name = toy_text("channel-", n),
            .type = RX_S("openai"),
            .endpoints = &toy_endpoint,
            .endpoint_count = 1,
            .credentials = &toy_credential,
            .credential_count = 1,
            .priority = priority,
            .weight = 1,
            .status = RX_S("enabled") } };
}

static inline struct state_item
toy_tenant(unsigned n)
{
    return (struct state_item){ .kind = STATE_TENANT,
        .tenant = { .id = toy_text("te", n),
            .name = toy_text("tenant-", n),
            .enabled = true } };
}

static inline struct rx_digest
toy_key_digest(unsigned n)
{
    return rx_digest(toy_text("rtx_key", n));
}

static inline struct state_item
toy_key(unsigned n, unsigned tenant)
{
    return (struct state_item){ .kind = STATE_KEY,
        .key = { .id = toy_text("ke", n),
            .name = toy_text("key-", n),
            .digest = toy_key_digest(n),
            .tenant_id = toy_text("te", tenant),
            .enabled = true } };
}

static inline struct state_item
toy_settings(uint32_t attempts)
{
    return (struct state_item){ .kind = STATE_SETTINGS,
        .settings = { .strategy = RX_S("priority"),
            .max_attempts = attempts,
            .journal_full = RX_S("keep-serving") } };
}

static inline rx_str
toy_id(const struct state_item *item)
{
    switch (item->kind) {
    case STATE_CHANNEL: return item->channel.id;
    case STATE_TENANT: return item->tenant.id;
    case STATE_KEY: return item->key.id;
    case STATE_RULE: return item->rule.id;
    case STATE_FUNCTION: return item->function.id;
    case STATE_SETTINGS:
    case STATE_KINDS: break;
    }
    return (rx_str){ 0 };
}

static inline struct state_item *
toy_find(struct toy *t, enum state_kind kind, rx_str id)
{
    for (size_t i = 0; i < t->count; i++) {
        if (t->items[i].kind == kind && rx_str_eq(toy_id(&t->items[i]), id))
            return &t->items[i];
    }
    return NULL;
}

static inline void
toy_put(struct toy *t, struct state_item item)
{
    struct state_item *old = toy_find(t, item.kind, toy_id(&item));

    if (old == NULL)
        old = &t->items[t->count++];
    *old = item;
}

static inline void
toy_remove(struct toy *t, enum state_kind kind, rx_str id)
{
    struct state_item *old = toy_find(t, kind, id);

    if (old != NULL)
        *old = t->items[--t->count];
}

/* The state as a packed Snapshot. */
static inline void
toy_pack(const struct toy *t, struct rx_buf *out)
{
    for (size_t i = 0; i < t->count; i++) {
        struct rx_buf item;
        rx_buf_init(&item, 1 << 20);
        wire_pack_item(&item, &t->items[i]);
        wire_put_item(out, false, t->items[i].kind, rx_buf_str(&item));
        rx_buf_fini(&item);
    }
}

/* Its digest, computed as docs/protocol.md says. */
static inline struct rx_digest
toy_digest(const struct toy *t)
{
    struct rx_tally tally = { 0 };

    for (size_t i = 0; i < t->count; i++) {
        struct rx_buf item;
        rx_buf_init(&item, 1 << 20);
        wire_pack_item(&item, &t->items[i]);
        rx_tally_add(&tally, t->items[i].kind, rx_buf_str(&item));
        rx_buf_fini(&item);
    }
    return rx_tally_digest(&tally);
}

#endif
