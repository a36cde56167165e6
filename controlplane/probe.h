/*
 * probe.h - one cheap request straight to a provider, so that what is wrong
 * with an address or a key is known before a client meets it.
 *
 * Never through routing, and it changes nothing.  Used by the test button, the
 * health checks and the speed test.
 */
#ifndef CONTROLPLANE_PROBE_H
#define CONTROLPLANE_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "controlplane/channel.h"
#include "shared/fetch.h"

struct probe_wish {
    rx_str dialect;    /* empty: the channel's first */
    rx_str key_id;     /* empty: the first that is enabled */
    rx_str base_url;   /* instead of the channel's; then no key is sent */
    uint32_t total_ms; /* 0: 20 s */
};

enum probe_verdict {
    PROBE_GOOD,    /* 2xx, or an answer that shows that it works: 429 */
    PROBE_REFUSED, /* it is there, and minds the key or the question */
    PROBE_BAD,     /* not there, too slow, or in trouble */
};
/* "good", "refused", "bad" */
const char *probe_verdict_name(enum probe_verdict v);
enum probe_verdict probe_judge(enum rx_code code, int status);

struct probe_result {
    bool ok; /* 2xx */
    enum probe_verdict verdict;
    int status; /* 0: no answer */
    uint32_t connect_ms, first_byte_ms, total_ms;
    const char *message;     /* ours, a sentence's part */
    rx_str provider_message; /* theirs, without the key; may be empty */
};

struct probe;

/*
 * All of it lives in `arena`, which has to stay until the end; `ch` was loaded
 * with secrets.  RX_INVALID with *field: the wish names what is not there.
 * RX_CONFLICT: the channel cannot be asked that way.
 */
RX_NODISCARD enum rx_code probe_prepare(struct probe **out,
    struct rx_arena *arena, const struct channel *ch,
    const struct probe_wish *wish, const char **field, struct rx_err *err);
/* fn(arg) once, later; never after probe_cancel(). */
void probe_start(struct probe *p, struct rx_fetch *fetch,
    void (*fn)(void *arg, const struct probe_result *r), void *arg);
void probe_cancel(struct probe *p);
/* The members of TestResult, into the open object. */
void probe_put(
    struct rx_json_out *w, const struct probe *p, const struct probe_result *r);

#endif
