/*
 * Windows as messages.
 */
#include <string.h>

#include "proto/sync.pb-c.h"

#include "controlplane/field.h"
#include "controlplane/windows.h"
#include "controlplane/wire.h"

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
        to->channel_id = (char *)(uintptr_t)field_keep(arena, w->channel).ptr;
        to->credential_id =
            (char *)(uintptr_t)field_keep(arena, w->credential).ptr;
        to->name = (char *)(uintptr_t)field_keep(arena, w->name).ptr;
        to->used_permille = w->used_permille;
        to->left_ms = w->reset_ms > wall ? w->reset_ms - wall : 0;
        to->age_ms = wall > w->noted_ms ? wall - w->noted_ms : 0;
        m.windows[m.n_windows] = to;
    }
    size_t size = routex__window_report__get_packed_size(&m);
    char *room = rx_buf_room(out, size);
    if (room != NULL) {
        routex__window_report__pack(&m, (uint8_t *)room);
        rx_buf_grew(out, size);
    }
    rx_arena_free(arena);
    return room != NULL;
}

bool
wire_take_windows(rx_str packed, rx_str plane, uint64_t wall,
    struct rx_arena *arena, struct window **out, size_t *count)
{
    Routex__WindowReport *in = routex__window_report__unpack(
        NULL, packed.len, (const uint8_t *)packed.ptr);

    *count = 0;
    if (in == NULL)
        return false;
    if (!rx_str_eq(field_text(in->plane), plane)) {
        routex__window_report__free_unpacked(in, NULL);
        return false;
    }
    *out = field_make(arena, struct window, in->n_windows + 1);
    for (; *count < in->n_windows; ++*count) {
        const Routex__Window *w = in->windows[*count];
        (*out)[*count] = (struct window){
            .channel = field_keep(arena, field_text(w->channel_id)),
            .credential = field_keep(arena, field_text(w->credential_id)),
            .name = field_keep(arena, field_text(w->name)),
            .used_permille = w->used_permille,
            .reset_ms = w->left_ms > 0 ? wall + w->left_ms : 0,
            .noted_ms = wall > w->age_ms ? wall - w->age_ms : 0,
        };
    }
    routex__window_report__free_unpacked(in, NULL);
    return true;
}
