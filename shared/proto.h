/*
 * proto.h - the door of protobuf-c: messages between the planes, as bytes and
 * as the structs protoc makes.
 *
 * A message that is read lives in an arena, and views of its texts live as long
 * as that.  A message that is added is filled from wherever its texts are and
 * packed at once; protobuf-c wants pointers it could write through, but never
 * does.
 */
#ifndef SHARED_PROTO_H
#define SHARED_PROTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

#include "shared/arena.h"
#include "shared/attr.h"
#include "shared/buf.h"
#include "shared/str.h"

/* ---- reading ----------------------------------------------------------- */

/*
 * The message of type `m` (as in routex__hello), or NULL when the bytes are
 * none or the arena is full:
 *
 *     Routex__Hello *in = rx_proto_read(routex__hello, packed, arena);
 */
#define rx_proto_read(m, packed, arena) \
    rx_proto_unpack(&m##__descriptor, packed, arena)
RX_NODISCARD void *rx_proto_unpack(const ProtobufCMessageDescriptor *type,
    rx_str packed, struct rx_arena *arena);

static inline rx_str
rx_proto_bytes(ProtobufCBinaryData b)
{
    return (rx_str){ (const char *)b.data, b.len };
}

/* ---- adding ------------------------------------------------------------ */

/* Append the packed message.  False when there is no room. */
RX_NODISCARD bool rx_proto_add(
    struct rx_buf *out, const ProtobufCMessage *message);

static inline char *
rx_proto_text(const char *s)
{
    return (char *)(uintptr_t)s;
}

static inline ProtobufCBinaryData
rx_proto_blob(const void *bytes, size_t len)
{
    return (ProtobufCBinaryData){ len, (uint8_t *)(uintptr_t)bytes };
}

/* A copy with a NUL, in an arena that is made large enough. */
char *rx_proto_copy(struct rx_arena *arena, rx_str s);

#endif
