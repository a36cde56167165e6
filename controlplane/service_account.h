/*
 * service_account.h - the key file of a Google Cloud service account, and how
 * it is exchanged for access tokens (RFC 7523).
 *
 *     key file ──service_account_read──> account
 *     account ──service_account_grant──> body for the token endpoint
 */
#ifndef CONTROLPLANE_SERVICE_ACCOUNT_H
#define CONTROLPLANE_SERVICE_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/arena.h"
#include "shared/buf.h"
#include "shared/err.h"
#include "shared/str.h"

#define SERVICE_ACCOUNT_KIND "service_account" /* of a credential */
#define SERVICE_ACCOUNT_MAX  ((size_t)16 * 1024)

struct service_account {
    rx_str email;
    rx_str private_key; /* PEM */
    rx_str key_id;      /* may be empty */
    rx_str project;     /* may be empty */
    rx_str token_uri;
};

/* Does a secret look like the text of a key file? */
bool service_account_like(rx_str secret);

/* Texts in the arena.  RX_INVALID says what is wrong with it. */
RX_NODISCARD enum rx_code service_account_read(rx_str text,
    struct rx_arena *arena, struct service_account *out, struct rx_err *err);

/* The text in one line, as it is kept; false when it is no JSON. */
RX_NODISCARD bool service_account_compact(rx_str text, struct rx_buf *out);

/* A form that asks for a token, signed at `wall_s`. */
RX_NODISCARD enum rx_code service_account_grant(const struct service_account *a,
    uint64_t wall_s, struct rx_buf *out, struct rx_err *err);

#endif
