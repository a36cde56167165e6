/*
 * Windows of subscriptions, as planes tell each other.
 */
#include "proto/sync.pb-c.h"

#include "dataplane/wire.h"
#include "shared/proto.h"

#define SCRATCH_MAX ((size_t)8 * 1024 * 1024)

bool
wire_add_windows(struct rx_buf *out, const char *plane,
    const struct window_note *windows, size_t count, uint64_t now)
{
    struct rx_arena *arena = rx_arena_new(SCRATCH_MAX);
    Routex__Window *items = rx_arena_make(arena, Routex__Window, count + 1);
    Routex__WindowReport m;

    routex__window_report__init(&m);
    m.plane = rx_proto_text(plane);
    m.windows = rx_arena_make(arena, Routex__Window *, count + 1);
    for (; m.n_windows < count; m.n_windows++) {
        const struct window_note *w = &windows[m.n_windows];
        Routex__Window *to = &items[m.n_windows];
        routex__window__init(to);
        to->channel_id = rx_proto_copy(arena, w->channel);
        to->credential_id = rx_proto_copy(arena, w->credential);
        to->name = rx_proto_copy(arena, w->name);
        to->used_permille = (uint32_t)(w->used * 1000 + 0.5);
        to->left_ms = w->reset_ms > now ? w->reset_ms - now : 0;
        to->age_ms = now > w->noted_ms ? now - w->noted_ms : 0;
        m.windows[m.n_windows] = to;
    }
    bool ok = rx_proto_add(out, &m.base);
    rx_arena_free(arena);
    return ok;
}

bool
wire_read_windows(rx_str packed, uint64_t now, struct rx_arena *arena,
    struct window_note **out, size_t *count)
{
    Routex__WindowReport *in =
        rx_proto_read(routex__window_report, packed, arena);

    *count = 0;
    if (in == NULL)
        return false;
    *out = rx_arena_make(arena, struct window_note, in->n_windows + 1);
    if (*out == NULL)
        return false;
    for (; *count < in->n_windows; ++*count) {
        const Routex__Window *w = in->windows[*count];
        (*out)[*count] = (struct window_note){ rx_str_of(w->channel_id),
            rx_str_of(w->credential_id), rx_str_of(w->name),
            (double)w->used_permille / 1000,
            w->left_ms > 0 ? now + w->left_ms : 0,
            now > w->age_ms ? now - w->age_ms : 0 };
    }
    return true;
}
