/*
 * Windows of subscriptions, as planes tell each other.
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

bool
wire_add_windows(struct rx_buf *out, const char *plane,
    const struct window_note *windows, size_t count, uint64_t now)
{
    struct rx_arena *arena = rx_arena_new(SCRATCH_MAX);
    Routex__Window *items = rx_arena_make(arena, Routex__Window, count + 1);
    Routex__WindowReport m;

    routex__window_report__init(&m);
    m.plane = (char *)(uintptr_t)plane;
    m.windows = rx_arena_make(arena, Routex__Window *, count + 1);
    for (; m.n_windows < count; m.n_windows++) {
        const struct window_note *w = &windows[m.n_windows];
        Routex__Window *to = &items[m.n_windows];
        routex__window__init(to);
        to->channel_id = copy(arena, w->channel);
        to->credential_id = copy(arena, w->credential);
        to->name = copy(arena, w->name);
        to->used_permille = (uint32_t)(w->used * 1000 + 0.5);
        to->left_ms = w->reset_ms > now ? w->reset_ms - now : 0;
        to->age_ms = now > w->noted_ms ? now - w->noted_ms : 0;
        m.windows[m.n_windows] = to;
    }
    bool ok = pack(out, &m.base);
    rx_arena_free(arena);
    return ok;
}

bool
wire_read_windows(rx_str packed, uint64_t now, struct rx_arena *arena,
    struct window_note **out, size_t *count)
{
    UNPACK(in, Routex__WindowReport, routex__window_report);

    *count = 0;
    if (in == NULL)
        return false;
    *out = rx_arena_make(arena, struct window_note, in->n_windows + 1);
    if (*out == NULL)
        return false;
    for (; *count < in->n_windows; ++*count) {
        const Routex__Window *w = in->windows[*count];
        (*out)[*count] =
            (struct window_note){ text(w->channel_id), text(w->credential_id),
                text(w->name), (double)w->used_permille / 1000,
                w->left_ms > 0 ? now + w->left_ms : 0,
                now > w->age_ms ? now - w->age_ms : 0 };
    }
    return true;
}
