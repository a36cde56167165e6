/*
 * What planes tell each other through the control plane: troubles and pins.
 */
#include <string.h>

#include "proto/sync.pb-c.h"

#include "dataplane/wire.h"
#include "shared/proto.h"

#define SCRATCH_MAX ((size_t)8 * 1024 * 1024)

/* ---- hearing ----------------------------------------------------------- */

static struct trouble_note
read_trouble(const Routex__Trouble *in, uint64_t now, enum trouble kind)
{
    return (struct trouble_note){
        .about = { rx_str_of(in->channel_id), rx_str_of(in->credential_id),
            rx_str_of(in->model) },
        .trouble = kind,
        .noted_ms = now > in->age_ms ? now - in->age_ms : 0,
        .until_ms = in->until_changed ? UINT64_MAX : now + in->left_ms,
        .secret = in->secret,
    };
}

bool
wire_read_notice(rx_str packed, uint64_t now, struct rx_arena *arena,
    struct wire_notice *out)
{
    Routex__ChannelNotice *in =
        rx_proto_read(routex__channel_notice, packed, arena);
    enum trouble kind;

    *out = (struct wire_notice){ 0 };
    if (in == NULL)
        return false;
    out->troubles =
        rx_arena_make(arena, struct trouble_note, in->n_troubles + 1);
    out->cleared = rx_arena_make(arena, struct wire_cleared, in->n_cleared + 1);
    if (out->troubles == NULL || out->cleared == NULL)
        return false;
    for (size_t i = 0; i < in->n_troubles; i++) {
        /* What a newer plane calls by a name not known here is left out. */
        if (trouble_find(rx_str_of(in->troubles[i]->trouble), &kind))
            out->troubles[out->trouble_count++] =
                read_trouble(in->troubles[i], now, kind);
    }
    for (size_t i = 0; i < in->n_cleared; i++) {
        const Routex__Cleared *c = in->cleared[i];
        out->cleared[out->cleared_count++] = (struct wire_cleared){
            .about = { rx_str_of(c->channel_id), rx_str_of(c->credential_id),
                rx_str_of(c->model) },
            .before_ms = now > c->age_ms ? now - c->age_ms : 0,
            .reset = c->reset,
        };
    }
    return true;
}

bool
wire_read_pins(rx_str packed, struct rx_arena *arena, rx_str *plane,
    struct wire_pin **pins, size_t *count)
{
    Routex__PinReport *in = rx_proto_read(routex__pin_report, packed, arena);
    if (in == NULL)
        return false;
    *plane = rx_str_of(in->plane);
    *pins = rx_arena_make(arena, struct wire_pin, in->n_pins + 1);
    *count = 0;
    for (size_t i = 0; *pins != NULL && i < in->n_pins; i++) {
        struct wire_pin *p = &(*pins)[*count];
        if (in->pins[i]->session.len != sizeof(p->key.bytes))
            continue;
        memcpy(p->key.bytes, in->pins[i]->session.data, sizeof(p->key.bytes));
        p->channel = rx_str_of(in->pins[i]->channel_id);
        p->credential = rx_str_of(in->pins[i]->credential_id);
        p->left_ms = in->pins[i]->left_ms;
        ++*count;
    }
    return *pins != NULL;
}

/* ---- telling ----------------------------------------------------------- */

static void
fill_trouble(struct rx_arena *arena, Routex__Trouble *m,
    const struct trouble_note *n, uint64_t now)
{
    routex__trouble__init(m);
    m->channel_id = rx_proto_copy(arena, n->about.channel);
    m->credential_id = rx_proto_copy(arena, n->about.credential);
    m->model = rx_proto_copy(arena, n->about.model);
    m->trouble = rx_proto_text(trouble_name(n->trouble));
    m->age_ms = now > n->noted_ms ? now - n->noted_ms : 0;
    m->until_changed = n->until_ms == UINT64_MAX;
    m->left_ms = !m->until_changed && n->until_ms > now ? n->until_ms - now : 0;
    m->secret = n->secret;
}

static void
fill_cleared(struct rx_arena *arena, Routex__Cleared *m,
    const struct wire_cleared *c, uint64_t now)
{
    routex__cleared__init(m);
    m->channel_id = rx_proto_copy(arena, c->about.channel);
    m->credential_id = rx_proto_copy(arena, c->about.credential);
    m->model = rx_proto_copy(arena, c->about.model);
    m->age_ms = now > c->before_ms ? now - c->before_ms : 0;
    m->reset = c->reset;
}

bool
wire_add_channel_report(struct rx_buf *out, const char *plane,
    const struct wire_notice *report, uint64_t now)
{
    struct rx_arena *arena = rx_arena_new(8 * SCRATCH_MAX);
    size_t n = report->trouble_count;
    size_t k = report->cleared_count;
    Routex__Trouble *troubles = rx_arena_make(arena, Routex__Trouble, n);
    Routex__Cleared *cleared = rx_arena_make(arena, Routex__Cleared, k);
    Routex__ChannelReport m;

    routex__channel_report__init(&m);
    m.plane = rx_proto_text(plane);
    m.n_troubles = n;
    m.troubles = rx_arena_make(arena, Routex__Trouble *, n);
    m.n_cleared = k;
    m.cleared = rx_arena_make(arena, Routex__Cleared *, k);
    for (size_t i = 0; i < n; i++) {
        fill_trouble(arena, &troubles[i], &report->troubles[i], now);
        m.troubles[i] = &troubles[i];
    }
    for (size_t i = 0; i < k; i++) {
        fill_cleared(arena, &cleared[i], &report->cleared[i], now);
        m.cleared[i] = &cleared[i];
    }
    bool ok = rx_proto_add(out, &m.base);
    rx_arena_free(arena);
    return ok;
}

bool
wire_add_pins(struct rx_buf *out, const char *plane,
    const struct wire_pin *pins, size_t count)
{
    struct rx_arena *arena = rx_arena_new(SCRATCH_MAX);
    Routex__Pin *items = rx_arena_make(arena, Routex__Pin, count);
    Routex__PinReport m;

    routex__pin_report__init(&m);
    m.plane = rx_proto_text(plane);
    m.n_pins = count;
    m.pins = rx_arena_make(arena, Routex__Pin *, count);
    for (size_t i = 0; i < count; i++) {
        routex__pin__init(&items[i]);
        items[i].session =
            rx_proto_blob(pins[i].key.bytes, sizeof(pins[i].key.bytes));
        items[i].channel_id = rx_proto_copy(arena, pins[i].channel);
        items[i].credential_id = rx_proto_copy(arena, pins[i].credential);
        items[i].left_ms = pins[i].left_ms;
        m.pins[i] = &items[i];
    }
    bool ok = rx_proto_add(out, &m.base);
    rx_arena_free(arena);
    return ok;
}

bool
wire_add_token_rejected(struct rx_buf *out, const struct wire_token_rejected *t)
{
    struct rx_arena *arena = rx_arena_new(SCRATCH_MAX);
    Routex__TokenRejected m;

    routex__token_rejected__init(&m);
    m.plane = rx_proto_text(t->plane);
    m.channel_id = rx_proto_copy(arena, t->channel);
    m.credential_id = rx_proto_copy(arena, t->credential);
    m.digest = rx_proto_blob(t->digest.bytes, sizeof(t->digest.bytes));
    bool ok = rx_proto_add(out, &m.base);
    rx_arena_free(arena);
    return ok;
}
