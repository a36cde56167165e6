/*
 * channel_parts.h - what the files that read channels share.  Each reads what its
 * name says from the body; faults are noted there.
 */
#ifndef CONTROLPLANE_CHANNEL_PARTS_H
#define CONTROLPLANE_CHANNEL_PARTS_H

#include "controlplane/channel.h"

void channel_read_url(rx_json body, const char *name, rx_str *out);
void channel_read_endpoints(struct channel *ch, rx_json body,
    enum field_mode mode, struct rx_arena *arena);
void channel_read_proxy(
    struct channel *ch, rx_json body, struct rx_arena *arena);
void channel_read_ca_file(struct channel *ch, rx_json body);
void channel_read_keys(
    struct channel *ch, rx_json body, struct rx_arena *arena);
void channel_read_transformers(struct channel *ch, rx_json body,
    enum field_mode mode, struct rx_arena *arena);
/* What a service account tells of where its models are. */
void channel_fill_account_step(
    struct channel *ch, rx_json body, struct rx_arena *arena);

#endif
