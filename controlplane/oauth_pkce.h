/*
 * oauth_pkce.h - proof key for code exchange (RFC 7636), method S256.
 */
#ifndef CONTROLPLANE_OAUTH_PKCE_H
#define CONTROLPLANE_OAUTH_PKCE_H

#include "shared/buf.h"
#include "shared/str.h"

/* 32 random bytes in base64url: 43 characters.  Verifiers and states. */
void oauth_random(struct rx_buf *out);
/* BASE64URL(SHA256(verifier)) */
void oauth_challenge(rx_str verifier, struct rx_buf *out);

#endif
