/*
 * inbound.h - a client's request body, decoded and understood.
 */
#ifndef DATAPLANE_INBOUND_H
#define DATAPLANE_INBOUND_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/paths.h"
#include "dataplane/refusal.h"
#include "dataplane/scan.h"
#include "shared/arena.h"
#include "shared/httpd.h"

struct inbound {
    bool has_body;
    rx_str body; /* decoded; borrowed from httpd or from `decoded` */
    struct rx_buf decoded;
    struct scan scan;
    bool scanned;
    bool stream;
    rx_str model;       /* decoded; in the arena */
    rx_str query;       /* with its '?', without our key; in the arena */
    rx_str agent_model; /* of a sub-agent's tag, which is cut out; decoded */
    rx_str user_id, prompt_cache_key; /* decoded, in the arena; may be empty */
    rx_str previous; /* the response it goes on from, decoded, in the arena */
    rx_str session;  /* as the body names it; in the arena; may be empty */
    enum refusal refusal; /* when inbound_read fails */
};

/*
 * Fills `in` (zeroed by the caller).  On failure `in->refusal` and err say why,
 * naming the field.
 */
RX_NODISCARD enum rx_code inbound_read(struct inbound *in,
    const struct rx_httpd_head *head, rx_str raw, const struct path *path,
    struct rx_arena *arena, uint64_t limit, struct rx_err *err);
/* The body is not needed any more; texts in the arena stay. */
void inbound_release(struct inbound *in);
void inbound_fini(struct inbound *in);

/* The body as one upstream gets it: the client's bytes but for the model. */
struct inbound_pieces {
    rx_str at[2 * SPLICE_MAX + 1];
    size_t count;
    uint64_t bytes;
};
const struct inbound_pieces *inbound_for(
    const struct inbound *in, struct rx_arena *arena, rx_str model);

/* The upstream's path; for Gemini it names the model. */
rx_str inbound_path(const struct inbound *in, struct rx_arena *arena,
    const struct path *path, rx_str model);

#endif
