/*
 * rsa.h - signatures with a private RSA key: door to OpenSSL's libcrypto, for
 * what libsodium does not do.
 */
#ifndef SHARED_RSA_H
#define SHARED_RSA_H

#include "shared/attr.h"
#include "shared/buf.h"
#include "shared/err.h"
#include "shared/str.h"

/*
 * RSASSA-PKCS1-v1_5 with SHA-256 over `text`, appended to `out`.  `pem` is the
 * text of a private key.  RX_INVALID: it is none, or not of RSA.
 */
RX_NODISCARD enum rx_code rx_rsa_sign(
    rx_str pem, rx_str text, struct rx_buf *out, struct rx_err *err);
/* Is it such a key? */
RX_NODISCARD enum rx_code rx_rsa_check(rx_str pem, struct rx_err *err);

#endif
