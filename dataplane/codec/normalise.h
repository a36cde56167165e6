/*
 * normalise.h - what all dialects share between a reader and a writer, and
 * between a decoder and an encoder.
 *
 * The stream's half makes of what a reader tells loosely what every writer can
 * rely on (see struct ir_event): parts one after another, none left open, ids
 * the client's dialect allows, names as the client knows them, a stop reason
 * that agrees with what was said, and no clean end without the upstream's.
 * Media and lookups it hands on live in the arena; citations come at the end of
 * their text and tell their place in both ways.
 */
#ifndef DATAPLANE_CODEC_NORMALISE_H
#define DATAPLANE_CODEC_NORMALISE_H

#include "dataplane/codec/capability.h"
#include "dataplane/codec/codec.h"
#include "dataplane/codec/ir.h"

/* --- answers ----------------------------------------------------------------- */

struct normaliser;

/* What may be buffered of parts that wait for their turn. */
#define NORMALISE_HELD_MAX ((size_t)32 * 1024 * 1024)

/* `about` and `to` outlive it. */
RX_NODISCARD struct normaliser *normaliser_new(
    const struct codec_stream *about, struct ir_sink to);
void normaliser_free(struct normaliser *n);
void normaliser_put(struct normaliser *n, const struct ir_event *e);
/* For a reader: puts into `n`. */
struct ir_sink normaliser_sink(struct normaliser *n);

/* --- requests ------------------------------------------------------------------ */

/*
 * Shape a decoded request for one target (wire.md 3.2, 3.4, 3.7, 3.9): turns
 * merged and alternating, calls paired with results, ids and names the target
 * allows, reasoning kept only where it may go.  RX_INVALID for what no shaping
 * can help (wire.md 3.17).  Fills request->renames.
 */
RX_NODISCARD enum rx_code normalise_request(struct ir_request *r,
    enum dialect target, const struct capability *cap, struct rx_arena *arena,
    struct ir_losses *losses, struct rx_err *err);

/* Neighbours of the same role become one turn. */
void normalise_turns(struct ir_request *r);

/* Can a dialect's tools be called that? */
bool normalise_id_ok(rx_str id, enum cap_ids rule, unsigned most);
/* One that can, always the same for the same id.  `out` has 40 bytes. */
rx_str normalise_id(
    rx_str id, enum cap_ids rule, unsigned most, unsigned salt, char out[40]);

#endif
