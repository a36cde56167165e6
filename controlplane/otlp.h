/*
 * otlp.h - requests as OpenTelemetry spans, in OTLP's JSON.
 *
 * A request is a server span, each attempt a client span below it; names of
 * attributes are those of the GenAI semantic conventions where there are some,
 * "routex.…" else.
 */
#ifndef CONTROLPLANE_OTLP_H
#define CONTROLPLANE_OTLP_H

#include "controlplane/tee.h"
#include "shared/buf.h"
#include "shared/json.h"

/* What comes before and behind the spans, which have commas between them. */
void otlp_open(struct rx_buf *out, const struct tee *t);
void otlp_close(struct rx_buf *out);
/* Append the spans of a row in detail (request.h).  False, and nothing is
 * appended: it is part of no trace, being older than those. */
bool otlp_add(struct rx_buf *out, rx_json row);
/* How many spans the collector says it did not take; 0 if it says nothing. */
uint64_t otlp_rejected(rx_str answer);

#endif
