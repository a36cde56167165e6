/*
 * provenance.h - opaque reasoning with a tag that says whose it is.
 *
 * A signature that leaves for a client of another dialect travels as
 *
 *     rtx1.<dialect>.<family>.<kind>.<base64url of the bytes>
 *
 * and is unwrapped when it comes back; it goes to no family but its own.
 */
#ifndef DATAPLANE_CODEC_PROVENANCE_H
#define DATAPLANE_CODEC_PROVENANCE_H

#include "dataplane/codec/ir.h"
#include "shared/buf.h"

/* Append it as text (no quotes). */
void provenance_wrap(struct rx_buf *out, const struct ir_opaque *seal);

bool provenance_is_wrapped(rx_str text);
/* False when it is no envelope of ours, or a broken one. */
bool provenance_unwrap(
    rx_str text, struct rx_arena *arena, struct ir_opaque *out);

/*
 * May a seal go to a model of this dialect and family?  One without an
 * envelope is judged by its looks, and only in its own dialect.
 */
bool provenance_fits(
    const struct ir_opaque *seal, enum dialect target, rx_str family);

#endif
