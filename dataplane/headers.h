/*
 * headers.h - which headers cross the router, in both directions.
 */
#ifndef DATAPLANE_HEADERS_H
#define DATAPLANE_HEADERS_H

#include <stdbool.h>

#include "dataplane/route.h"
#include "shared/buf.h"
#include "shared/client.h"
#include "shared/httpd.h"
#include "shared/str.h"

/* Everything the upstream's request head is made of.  All borrowed. */
struct outbound {
    const struct rx_httpd_head *from; /* the client's head */
    const struct candidate *to;
    rx_str path;  /* canonical: "/v1/messages" */
    rx_str query; /* the client's, with its '?', without our key */
    bool has_body;
    uint64_t body_bytes;
    bool translated; /* another dialect than the client's */
    bool stream;     /* translated: an event stream is asked for */
    rx_str more;     /* translated: further complete lines */
    rx_str traceparent, tracestate; /* empty: not sent */
    rx_str without_beta; /* these items of anthropic-beta stay behind */
};

/*
 * Write the complete request head.  What the client sent passes by allow-list;
 * credentials, cookies, hop-by-hop and our own headers never do; the channel's
 * own headers are added (anthropic-beta as an ordered union).
 */
void headers_outbound(struct rx_buf *out, const struct outbound *o);

/* Does the finished head have to be signed (shared/sigv4.h)? */
bool headers_to_sign(const struct candidate *c);

/* The upstream's path for a channel whose base URL ends in a version already:
 * "https://x/v1" + "/v1/messages" is one /v1. */
rx_str headers_join_path(rx_str base_path, rx_str path);

/* Append those of the answer's headers that the client may see. */
void headers_inbound(struct rx_buf *out, const struct rx_client_head *head);

/* The same for an answer that is translated: none that tells of its format. */
void headers_inbound_translated(
    struct rx_buf *out, const struct rx_client_head *head);

/* Session identity of a request by its headers; empty if it has none. */
rx_str headers_session(const struct rx_httpd_head *head);

#endif
