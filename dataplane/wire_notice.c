/*
 * What planes tell each other through the control plane: troubles and pins.
 */
#include <assert.h>
#include <string.h>

#include "proto/sync.pb-c.h"

#include "dataplane/wire.h"

#define SCRATCH_MAX ((size_t)8 * 1024 * 1024)

static void *
arena_take(void *arg, size_t size)
{
    return rx_arena_alloc(arg, size > 0 ? size : 1);
}

static void
arena_leave(void *arg, void *at)
{
    (void)arg;
    (void)at;
}

static ProtobufCMessage *
unpack(const ProtobufCMessageDescriptor *type, rx_str packed,
    struct rx_arena *arena)
{
    ProtobufCAllocator in_arena = { arena_take, arena_leave, arena };

    return protobuf_c_message_unpack(
        type, &in_arena, packed.len, (const uint8_t *)packed.ptr);
}

#define UNPACK(out, type, descriptor) \
    type *out = (type *)(void *)unpack(&descriptor##__descriptor, packed, arena)

static rx_str
text(const char *s)
{
    return (rx_str){ s, strlen(s) };
}

/* ---- hearing ----------------------------------------------------------- */

static struct trouble_note
read_trouble(const Routex__Trouble *in, uint64_t now, enum trouble kind)
{
    return (struct trouble_note){
        .about = { text(in->channel_id), text(in->credential_id),
            text(in->model) },
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
    UNPACK(in, Routex__ChannelNotice, routex__channel_notice);
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
        if (trouble_find(text(in->troubles[i]->trouble), &kind))
            out->troubles[out->trouble_count++] =
                read_trouble(in->troubles[i], now, kind);
    }
    for (size_t i = 0; i < in->n_cleared; i++) {
        const Routex__Cleared *c = in->cleared[i];
        out->cleared[out->cleared_count++] = (struct wire_cleared){
            .about = { text(c->channel_id), text(c->credential_id),
                text(c->model) },
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
    UNPACK(in, Routex__PinReport, routex__pin_report);
    if (in == NULL)
        return false;
    *plane = text(in->plane);
    *pins = rx_arena_make(arena, struct wire_pin, in->n_pins + 1);
    *count = 0;
    for (size_t i = 0; *pins != NULL && i < in->n_pins; i++) {
        struct wire_pin *p = &(*pins)[*count];
        if (in->pins[i]->session.len != sizeof(p->key.bytes))
            continue;
        memcpy(p->key.bytes, in->pins[i]->session.data, sizeof(p->key.bytes));
        p->channel = text(in->pins[i]->channel_id);
        p->credential = text(in->pins[i]->credential_id);
        p->left_ms = in->pins[i]->left_ms;
        ++*count;
    }
    return *pins != NULL;
}

/* ---- telling ----------------------------------------------------------- */

static bool
pack(struct rx_buf *out, const ProtobufCMessage *m)
{
    size_t size = protobuf_c_message_get_packed_size(m);
    char *room = rx_buf_room(out, size);

    if (room == NULL)
        return false;
    protobuf_c_message_pack(m, (uint8_t *)room);
    rx_buf_grew(out, size);
    return true;
}

/* protobuf-c wants strings it could change. */
static char *
own(const char *s)
{
    return (char *)(uintptr_t)s;
}

/* A copy with a NUL. */
static char *
copy(struct rx_arena *arena, rx_str s)
{
    char *at = rx_arena_alloc(arena, s.len + 1);

    assert(at != NULL);
    if (s.len > 0)
        memcpy(at, s.ptr, s.len);
    return at;
}

static void
fill_trouble(struct rx_arena *arena, Routex__Trouble *m,
    const struct trouble_note *n, uint64_t now)
{
    routex__trouble__init(m);
    m->channel_id = copy(arena, n->about.channel);
    m->credential_id = copy(arena, n->about.credential);
    m->model = copy(arena, n->about.model);
    m->trouble = own(trouble_name(n->trouble));
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
    m->channel_id = copy(arena, c->about.channel);
    m->credential_id = copy(arena, c->about.credential);
    m->model = copy(arena, c->about.model);
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
    m.plane = own(plane);
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
    bool ok = pack(out, &m.base);
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
    m.plane = own(plane);
    m.n_pins = count;
    m.pins = rx_arena_make(arena, Routex__Pin *, count);
    for (size_t i = 0; i < count; i++) {
        routex__pin__init(&items[i]);
        items[i].session = (ProtobufCBinaryData){ sizeof(pins[i].key.bytes),
            (uint8_t *)(uintptr_t)pins[i].key.bytes };
        items[i].channel_id = copy(arena, pins[i].channel);
        items[i].credential_id = copy(arena, pins[i].credential);
        items[i].left_ms = pins[i].left_ms;
        m.pins[i] = &items[i];
    }
    bool ok = pack(out, &m.base);
    rx_arena_free(arena);
    return ok;
}

bool
wire_add_token_rejected(struct rx_buf *out, const struct wire_token_rejected *t)
{
    struct rx_arena *arena = rx_arena_new(SCRATCH_MAX);
    Routex__TokenRejected m;

    routex__token_rejected__init(&m);
    m.plane = own(t->plane);
    m.channel_id = copy(arena, t->channel);
    m.credential_id = copy(arena, t->credential);
    m.digest = (ProtobufCBinaryData){ sizeof(t->digest.bytes),
        (uint8_t *)(uintptr_t)t->digest.bytes };
    bool ok = pack(out, &m.base);
    rx_arena_free(arena);
    return ok;
}
