/*
 * alert.h - what people have to know of: said once, taken back once.
 *
 *   alert_raise ─┐   noted    damped      one transaction
 *   alert_clear ─┴──> cell ──────────> row in `alert` + a delivery for each
 *                                      webhook that wants it (webhook.h)
 *
 * Whoever finds something out calls alert_raise() as often as it likes, and
 * alert_clear() when it is over: the same (kind, id) is one alert however often
 * it is said, one that comes and goes is told a few times and then stays open
 * until it has been quiet (alert_damp.h).  Both only note, so they may be
 * called from anywhere, inside a transaction too.
 *
 * Alerts that are open when the control plane ends are open when it starts
 * again.  Those not said again within ten seconds are closed then, but for the
 * sticky ones, which wait for their alert_clear().
 */
#ifndef CONTROLPLANE_ALERT_H
#define CONTROLPLANE_ALERT_H

#include <stdbool.h>
#include <stdint.h>

#include "controlplane/store.h"
#include "shared/json.h"
#include "shared/loop.h"

/* id, name in the API, severity, ms it must hold, ms it must be over, sticky,
 * kind of the thing that `id` names */
#define ALERTS(X)                                                            \
    X(CHANNEL_DOWN, "channel_down", CRITICAL, 0, 0, false, "channel")        \
    X(CREDENTIAL, "credential_refused", CRITICAL, 0, 5000, false, "channel") \
    X(NO_CREDIT, "no_credit", CRITICAL, 0, 5000, false, "channel")           \
    X(LOGIN, "login_needed", CRITICAL, 0, 0, true, "account")                \
    X(BUDGET_80, "budget_80", WARNING, 0, 0, true, "budget")                 \
    X(BUDGET_100, "budget_100", CRITICAL, 0, 0, true, "budget")              \
    X(SPEND, "spend_unusual", WARNING, 0, 0, false, "usage")                 \
    X(LOOP, "request_loop", WARNING, 0, 0, false, "usage")                   \
    X(ERRORS, "error_burst", WARNING, 0, 60000, false, "usage")              \
    X(PLANE_LOST, "plane_lost", CRITICAL, 0, 0, true, "plane")               \
    X(PLANE_REJECTS, "plane_rejects", WARNING, 3000, 3000, false, "plane")   \
    X(PLANE_FOREIGN, "plane_incompatible", CRITICAL, 0, 0, false, "plane")   \
    X(JOURNAL, "journal_filling", WARNING, 3000, 30000, false, "plane")      \
    X(DROPPED, "usage_dropped", CRITICAL, 0, 60000, false, "plane")          \
    X(UNPUBLISHED, "publish_failed", CRITICAL, 1000, 1000, false, "store")   \
    X(UNCOMMITTED, "commit_failed", CRITICAL, 1000, 30000, false, "store")   \
    X(WEBHOOK, "webhook_failing", WARNING, 0, 0, false, "webhook")           \
    X(TEE, "tee_failing", WARNING, 0, 0, false, "tee")

enum alert_kind {
#define ALERT_ENUM(id, name, severity, raise, clear, sticky, about) ALERT_##id,
    ALERTS(ALERT_ENUM)
#undef ALERT_ENUM
        ALERT_KINDS
};
/* "info", "warning", "critical" */
enum alert_severity { ALERT_INFO, ALERT_WARNING, ALERT_CRITICAL };
const char *alert_kind_name(enum alert_kind kind);
bool alert_kind_of(rx_str name, enum alert_kind *out);
/* NULL-terminated, for lists of words. */
extern const char *const alert_kind_names[];
extern const char *const alert_severity_names[];

struct alerts;

/* Takes up what was open.  `store` outlives it. */
RX_NODISCARD enum rx_code alerts_open(struct alerts **out, struct rx_loop *loop,
    struct store *store, struct rx_err *err);
/* Writes what is due. */
void alerts_close(struct alerts *a);

/*
 * `id` tells one from another, `name` is for people; both are copied, cut at
 * 200 bytes.  The words are a sentence without secrets; saying others about the
 * same replaces them.
 */
void alert_raise(struct alerts *a, enum alert_kind kind, rx_str id, rx_str name,
    const char *fmt, ...) RX_PRINTF(5, 6);
/* It is over; no harm when there was nothing. */
void alert_clear(struct alerts *a, enum alert_kind kind, rx_str id);
/* How many are open, by severity. */
uint64_t alerts_count(const struct alerts *a, enum alert_severity severity);

/* Somebody has something to send: called after the commit. */
void alerts_on_told(struct alerts *a, void (*fn)(void *arg), void *arg);

/* ---- rows, for the API ---- */

enum alert_state { ALERT_STATE_OPEN, ALERT_STATE_CLOSED, ALERT_STATE_ALL };
struct alert_filter {
    enum alert_state state;
    rx_str kind;     /* empty: any */
    uint64_t before; /* rows with ids less than this; 0: from the newest */
    size_t limit;
};
RX_NODISCARD enum rx_code alert_list(struct store *s,
    const struct alert_filter *f, struct rx_json_out *w, size_t *count,
    uint64_t *last, struct rx_err *err);
/* As an object under `key`.  RX_NOT_FOUND. */
RX_NODISCARD enum rx_code alert_put(struct store *s, rx_str id,
    struct rx_json_out *w, const char *key, struct rx_err *err);
/* Somebody has seen it; inside a transaction.  Saying it twice is fine. */
RX_NODISCARD enum rx_code alert_ack(
    struct store *s, rx_str id, rx_str actor, struct rx_err *err);

#endif
