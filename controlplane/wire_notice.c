/*
 * What planes tell each other through us: troubles and pins.
 */
#include "proto/sync.pb-c.h"

#include "controlplane/trouble.h"
#include "controlplane/wire.h"
#include "controlplane/wire_parts.h"

static void
fill_trouble(struct rx_arena *arena, Routex__Trouble *m,
    const struct trouble *t, uint64_t now)
{
    routex__trouble__init(m);
    m->channel_id = rx_proto_copy(arena, t->channel);
    m->credential_id = rx_proto_copy(arena, t->credential);
    m->model = rx_proto_copy(arena, t->model);
    m->trouble = rx_proto_copy(arena, t->kind);
    m->age_ms = now > t->noted_ms ? now - t->noted_ms : 0;
    m->until_changed = t->until_ms == UINT64_MAX;
    m->left_ms = !m->until_changed && t->until_ms > now ? t->until_ms - now : 0;
    m->secret = t->secret;
}

static void
fill_cleared(struct rx_arena *arena, Routex__Cleared *m,
    const struct trouble_cleared *c, uint64_t now)
{
    routex__cleared__init(m);
    m->channel_id = rx_proto_copy(arena, c->channel);
    m->credential_id = rx_proto_copy(arena, c->credential);
    m->model = rx_proto_copy(arena, c->model);
    m->age_ms = now > c->before_ms ? now - c->before_ms : 0;
    m->reset = c->reset;
}

bool
wire_pack_notice(
    struct rx_buf *out, const struct trouble_report *all, uint64_t now)
{
    struct rx_arena *arena = rx_arena_new(WIRE_SCRATCH);
    size_t n = all->trouble_count;
    size_t k = all->cleared_count;
    Routex__Trouble *troubles = field_make(arena, Routex__Trouble, n);
    Routex__Cleared *cleared = field_make(arena, Routex__Cleared, k);
    Routex__ChannelNotice m;

    routex__channel_notice__init(&m);
    m.n_troubles = n;
    m.troubles = field_make(arena, Routex__Trouble *, n);
    m.n_cleared = k;
    m.cleared = field_make(arena, Routex__Cleared *, k);
    for (size_t i = 0; i < n; i++) {
        fill_trouble(arena, &troubles[i], &all->troubles[i], now);
        m.troubles[i] = &troubles[i];
    }
    for (size_t i = 0; i < k; i++) {
        fill_cleared(arena, &cleared[i], &all->cleared[i], now);
        m.cleared[i] = &cleared[i];
    }
    bool ok = rx_proto_add(out, &m.base);
    rx_arena_free(arena);
    return ok;
}

bool
wire_read_channel_report(rx_str packed, uint64_t now, struct rx_arena *arena,
    struct trouble_report *out)
{
    Routex__ChannelReport *in =
        rx_proto_read(routex__channel_report, packed, arena);

    if (in == NULL)
        return false;
    *out = (struct trouble_report){
        .plane = rx_str_of(in->plane),
        .troubles = rx_arena_make(arena, struct trouble, in->n_troubles + 1),
        .cleared =
            rx_arena_make(arena, struct trouble_cleared, in->n_cleared + 1),
    };
    if (out->troubles == NULL || out->cleared == NULL)
        return false;
    for (size_t i = 0; i < in->n_troubles; i++) {
        const Routex__Trouble *t = in->troubles[i];
        out->troubles[out->trouble_count++] = (struct trouble){
            .channel = rx_str_of(t->channel_id),
            .credential = rx_str_of(t->credential_id),
            .model = rx_str_of(t->model),
            .kind = rx_str_of(t->trouble),
            .noted_ms = now > t->age_ms ? now - t->age_ms : 0,
            .until_ms = t->until_changed ? UINT64_MAX : now + t->left_ms,
            .secret = t->secret,
        };
    }
    for (size_t i = 0; i < in->n_cleared; i++) {
        const Routex__Cleared *c = in->cleared[i];
        out->cleared[out->cleared_count++] =
            (struct trouble_cleared){ .channel = rx_str_of(c->channel_id),
                .credential = rx_str_of(c->credential_id),
                .model = rx_str_of(c->model),
                .before_ms = now > c->age_ms ? now - c->age_ms : 0 };
    }
    return true;
}

bool
wire_is_pin_report(rx_str packed, rx_str plane)
{
    struct rx_arena *arena = rx_arena_new(WIRE_SCRATCH);
    Routex__PinReport *in = rx_proto_read(routex__pin_report, packed, arena);
    bool ok = in != NULL && rx_str_eq(rx_str_of(in->plane), plane);

    rx_arena_free(arena);
    return ok;
}
