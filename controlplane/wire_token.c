/*
 * A data plane's word about an OAuth token.
 */
#include <string.h>

#include "proto/sync.pb-c.h"

#include "controlplane/wire.h"
#include "shared/proto.h"

bool
wire_read_token_rejected(
    rx_str packed, struct rx_arena *arena, struct token_rejected *out)
{
    Routex__TokenRejected *in =
        rx_proto_read(routex__token_rejected, packed, arena);

    if (in == NULL || in->digest.len != sizeof(out->digest.bytes))
        return false;
    out->plane = rx_str_of(in->plane);
    out->credential = rx_str_of(in->credential_id);
    memcpy(out->digest.bytes, in->digest.data, sizeof(out->digest.bytes));
    return true;
}
