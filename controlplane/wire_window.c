/*
 * Windows as messages.
 */
#include "proto/sync.pb-c.h"

#include "controlplane/field.h"
#include "controlplane/windows.h"
#include "controlplane/wire.h"
#include "shared/proto.h"

#define SCRATCH_MAX ((size_t)8 << 20)

bool
wire_pack_windows(
    struct rx_buf *out, const struct window *list, size_t count, uint64_t wall)
{
    struct rx_arena *arena = rx_arena_new(SCRATCH_MAX);
    Routex__Window *items = field_make(arena, Routex__Window, count + 1);
    Routex__WindowReport m;

    routex__window_report__init(&m);
    m.windows = field_make(arena, Routex__Window *, count + 1);
    for (; m.n_windows < count; m.n_windows++) {
        const struct window *w = &list[m.n_windows];
        Routex__Window *to = &items[m.n_windows];
        routex__window__init(to);
        to->channel_id = rx_proto_copy(arena, w->channel);
        to->credential_id = rx_proto_copy(arena, w->credential);
        to->name = rx_proto_copy(arena, w->name);
        to->used_permille = w->used_permille;
        to->left_ms = w->reset_ms > wall ? w->reset_ms - wall : 0;
        to->age_ms = wall > w->noted_ms ? wall - w->noted_ms : 0;
        m.windows[m.n_windows] = to;
    }
    bool ok = rx_proto_add(out, &m.base);
    rx_arena_free(arena);
    return ok;
}

bool
wire_take_windows(rx_str packed, rx_str plane, uint64_t wall,
    struct rx_arena *arena, struct window **out, size_t *count)
{
    Routex__WindowReport *in =
        rx_proto_read(routex__window_report, packed, arena);

    *count = 0;
    if (in == NULL || !rx_str_eq(rx_str_of(in->plane), plane))
        return false;
    *out = field_make(arena, struct window, in->n_windows);
    for (; *count < in->n_windows; ++*count) {
        const Routex__Window *w = in->windows[*count];
        (*out)[*count] = (struct window){
            .channel = rx_str_of(w->channel_id),
            .credential = rx_str_of(w->credential_id),
            .name = rx_str_of(w->name),
            .used_permille = w->used_permille,
            .reset_ms = w->left_ms > 0 ? wall + w->left_ms : 0,
            .noted_ms = wall > w->age_ms ? wall - w->age_ms : 0,
        };
    }
    return true;
}
