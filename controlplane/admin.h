/*
 * admin.h - tokens for the admin API: "rta_" and 40 random characters, of which
 * only digests are stored; with scopes (controlplane/scope.h) and maybe an end.
 */
#ifndef CONTROLPLANE_ADMIN_H
#define CONTROLPLANE_ADMIN_H

#include <stdint.h>

#include "controlplane/field.h"
#include "controlplane/store.h"
#include "shared/json.h"
#include "shared/secret.h"

#define ADMIN_PREFIX "rta_"

struct admin_token {
    rx_str id, name, last4;
    rx_str text; /* the token itself: only when just made; else empty */
    struct rx_digest digest;
    struct field_list scopes;
    uint64_t expires_ms; /* 0: never */
    uint64_t created_ms;
    uint64_t used_ms; /* 0: never; to the minute */
};

struct admin_token *admin_new(struct rx_arena *arena);
/* A body of POST; what is no scope is a fault. */
void admin_read(struct admin_token *t, rx_json body, struct rx_arena *arena);
void admin_put(
    struct rx_json_out *w, const char *key, const struct admin_token *t);

/* Draw its text and insert it, inside a transaction. */
RX_NODISCARD enum rx_code admin_create(struct store *s, struct rx_arena *arena,
    struct admin_token *t, struct rx_err *err);
/* The token with this digest; RX_UNAUTHENTICATED: there is none, or its time is
 * over.  Notes that it was used, once a minute at most. */
RX_NODISCARD enum rx_code admin_check(struct store *s, struct rx_arena *arena,
    const struct rx_digest *digest, struct admin_token **out,
    struct rx_err *err);
RX_NODISCARD enum rx_code admin_load(struct store *s, struct rx_arena *arena,
    rx_str id, struct admin_token **out, struct rx_err *err);
/* In order of birth, those after (ms, id). */
RX_NODISCARD enum rx_code admin_list(struct store *s, struct rx_arena *arena,
    uint64_t after_ms, rx_str after_id, size_t limit, struct admin_token **out,
    size_t *count, struct rx_err *err);
/* The sessions that came from it go too. */
RX_NODISCARD enum rx_code admin_delete(
    struct store *s, const struct admin_token *t, struct rx_err *err);

#endif
