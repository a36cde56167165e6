/*
 * live.h - requests as they finish, to whoever watches: server-sent events.
 *
 *   collector ─commit─> live_sink ─(posted)─> pump ─> every reader
 *                          store <──rows behind its cursor──┘
 *
 * A reader is a cursor into the store: the row id of what it was sent last.  So
 * nothing is queued for it here, it can come back with Last-Event-ID, and a
 * slow one is asked no questions until its connection has drained; who is then
 * more than LIVE_BEHIND rows behind gets a gap marker instead of what it missed.
 *
 *   id: 4711                  the row's id
 *   event: request            as in GET /api/requests
 *   event: gap                {"missed":n}: rows that were passed over
 *   event: stats              every second: rates, and what is under way
 */
#ifndef CONTROLPLANE_LIVE_H
#define CONTROLPLANE_LIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "controlplane/collector.h"
#include "controlplane/request.h"
#include "shared/httpd.h"

#define LIVE_READERS ((size_t)64)
#define LIVE_BEHIND  ((uint64_t)1000)

struct live;
struct live_reader;

RX_NODISCARD struct live *live_new(struct rx_loop *loop, struct store *store);
/* Every reader must have left. */
void live_free(struct live *l);
/* Hears of what `inner` has committed. */
struct usage_sink live_sink(struct live *l, struct usage_sink inner);
/* Whose planes the stats are about; before the first reader. */
void live_watch(struct live *l, struct collector *collector);
/* End all streams; the clients may come back. */
void live_stop(struct live *l);

struct live_options {
    struct request_filter filter; /* its texts stay the caller's */
    bool resume;       /* else from now on, or since_ms of the filter */
    uint64_t after_id; /* the last row it has */
    bool stats;
};
/* Fewer than LIVE_READERS? */
bool live_has_room(const struct live *l);
/* The head of the answer has been started on `req`. */
RX_NODISCARD struct live_reader *live_join(struct live *l,
    struct rx_httpd_req *req, const struct live_options *options);
/* Its connection took what was waiting. */
void live_drained(struct live_reader *r);
/* The request is over; `req` is not touched again. */
void live_leave(struct live_reader *r);

#endif
