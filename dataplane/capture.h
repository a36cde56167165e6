/*
 * capture.h - copies of requests' and answers' bodies, where the settings ask
 * for them.
 *
 * What is kept of a body is bounded by the settings, what all of them take
 * together by CAPTURE_BYTES_MAX; beyond that a request goes on without being
 * captured, and is counted.  Credentials are taken out and the rest is packed
 * on a thread of its own; one message then takes it to the control plane, or
 * it is lost, and counted.
 */
#ifndef DATAPLANE_CAPTURE_H
#define DATAPLANE_CAPTURE_H

#include "dataplane/follow.h"
#include "shared/stat.h"

#define CAPTURE_BYTES_MAX ((size_t)64 << 20)

struct captures;
struct capture;

RX_NODISCARD struct captures *captures_new(
    struct rx_loop *loop, struct follow *follow, struct rx_stat *stat);
void captures_free(struct captures *c); /* NULL is allowed */

/* NULL: these settings want none of this key, or there is no room. */
struct capture *capture_begin(
    struct captures *c, const struct snapshot *s, const struct client_key *key);
void capture_request(struct capture *k, rx_str body);
void capture_answer(struct capture *k, rx_str bytes);
/* It is whole: send it.  The capture is gone. */
void capture_end(struct capture *k, rx_str request_id, uint64_t started_ms);
void capture_drop(struct capture *k); /* NULL is allowed */

#endif
