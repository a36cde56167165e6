/*
 * settings.h - how the router behaves as a whole.  One item, always there: what
 * nobody set has its default.
 */
#ifndef CONTROLPLANE_SETTINGS_H
#define CONTROLPLANE_SETTINGS_H

#include <stdint.h>

#include "controlplane/field.h"
#include "controlplane/session.h"
#include "controlplane/state.h"
#include "controlplane/store.h"
#include "shared/json.h"

/* When the store is copied by itself, and how many copies are kept. */
struct backup_plan {
    uint64_t every_ms; /* 0: never */
    uint64_t keep;
};

/* How long requests are kept one by one; their sums stay.  0: for ever. */
struct settings_retention {
    uint64_t requests_days; /* at least RETENTION_REQUESTS_MIN */
    uint64_t attempts_days;
};

/* How channels are checked. */
struct settings_health {
    bool enabled;
    uint64_t interval_ms, timeout_ms;
    uint64_t usage_ms;            /* between questions about windows; 0: none */
    uint32_t failures, successes; /* in a row, until it is down, or up */
};

struct settings {
    struct state_settings state;
    struct settings_health health;
    struct session_limits login; /* of people at the admin API */
    uint64_t capture_keep_s;     /* how long bodies are kept */
    uint64_t audit_days;         /* how long its lines are kept */
    struct settings_retention retention;
    struct backup_plan backups;
    uint64_t updated_ms; /* 0: never set */
    uint64_t rev;
};

void settings_init(struct settings *s); /* the defaults */
void settings_read(struct settings *s, rx_json body, enum field_mode mode,
    struct rx_arena *arena);
void settings_put(
    struct rx_json_out *w, const char *key, const struct settings *s);
/* Take a PATCH body that no caller of the API sent.  RX_INVALID: which field. */
RX_NODISCARD enum rx_code settings_wish(struct settings *s,
    struct rx_arena *arena, rx_str body, struct rx_err *err);
RX_NODISCARD enum rx_code settings_load(struct store *store,
    struct rx_arena *arena, struct settings *out, struct rx_err *err);
/* Inside a transaction. */
RX_NODISCARD enum rx_code settings_save(
    struct store *store, struct settings *s, struct rx_err *err);

/* What "strategy" may be; ends with NULL. */
extern const char *const settings_strategies[];

#endif
