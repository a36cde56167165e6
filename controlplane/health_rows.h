/*
 * health_rows.h - what health checks found, kept for a week.
 */
#ifndef CONTROLPLANE_HEALTH_ROWS_H
#define CONTROLPLANE_HEALTH_ROWS_H

#include "controlplane/probe.h"
#include "controlplane/store.h"
#include "shared/json.h"

/* In a transaction of its own; a store that does not take it is logged. */
void health_row_add(struct store *s, rx_str channel, uint64_t at_ms,
    const struct probe_result *r);
/* The last few of each channel, oldest first. */
void health_rows_replay(struct store *s,
    void (*each)(void *arg, rx_str channel, uint64_t at_ms, bool good),
    void *arg);
/* "latency":{…} of the last day's good ones and "checks":[…], newest first. */
RX_NODISCARD enum rx_code health_rows_put(struct store *s, rx_str channel,
    size_t limit, struct rx_json_out *w, struct rx_err *err);

#endif
