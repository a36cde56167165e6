/*
 * auth.h - which client key came with a request, and may it be used.
 *
 * A key may come in any of the usual places whatever the dialect; the first
 * that is not empty counts: x-api-key, Authorization: Bearer, x-goog-api-key,
 * api-key, ?key=.
 */
#ifndef DATAPLANE_AUTH_H
#define DATAPLANE_AUTH_H

#include "dataplane/refusal.h"
#include "dataplane/snapshot.h"
#include "shared/httpd.h"

/* The key's text as sent, borrowed from the head; empty if there is none. */
rx_str auth_credential(const struct rx_httpd_head *head);

/*
 * The key in force, or NULL and why not.  Looks nothing up twice and writes
 * nothing down: a flood of unknown keys costs a digest each.
 */
const struct client_key *auth_check(const struct snapshot *s,
    const struct rx_httpd_head *head, uint64_t now_wall_ms, enum refusal *why);

/* `query` without its key=… parameter, into `out`: it is ours, not the
 * provider's. */
void auth_strip_query(rx_str query, struct rx_buf *out);

#endif
