/*
 * sigv4.h - AWS Signature Version 4, for requests whose body is at hand.
 *
 *     credential   "access key id:secret access key[:session token]"
 */
#ifndef SHARED_SIGV4_H
#define SHARED_SIGV4_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/attr.h"
#include "shared/buf.h"
#include "shared/secret.h"
#include "shared/str.h"

struct rx_sigv4_key {
    rx_str id, secret;
    rx_str token; /* of a session; empty: none */
};

/* False when the text is no pair of id and secret. */
RX_NODISCARD bool rx_sigv4_key_read(rx_str text, struct rx_sigv4_key *out);

/* "bedrock-runtime.eu-west-1.amazonaws.com": the part that names a region, a
 * view; empty when none does. */
rx_str rx_sigv4_region(rx_str host);

/* One header, its name in lower case and its value trimmed. */
struct rx_sigv4_field {
    rx_str name, value;
};

/* What is signed.  All borrowed. */
struct rx_sigv4_request {
    rx_str method;
    rx_str path;  /* as on the wire; encoded once more in the signature */
    rx_str query; /* without '?'; its parts encoded already */
    const struct rx_sigv4_field *fields; /* sorted by name */
    size_t field_count;
    struct rx_digest body; /* SHA-256 */
    rx_str region, service;
    char date[17]; /* "20150830T123600Z" */
};

void rx_sigv4_date(uint64_t wall_s, char date[17]);

/* Append the value of the authorization header. */
void rx_sigv4_authorization(const struct rx_sigv4_request *r,
    const struct rx_sigv4_key *key, struct rx_buf *out);

/*
 * Sign a request head that ends with its empty line, of a request with that
 * body: the headers of the signature are added.  False when the head is none.
 */
RX_NODISCARD bool rx_sigv4_sign(struct rx_buf *head, const rx_str *body,
    size_t body_count, const struct rx_sigv4_key *key, rx_str region,
    rx_str service, uint64_t wall_s);

#endif
