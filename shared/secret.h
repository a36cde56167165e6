/*
 * secret.h - sealing, digests, passwords, randomness: door to libsodium.
 */
#ifndef SHARED_SECRET_H
#define SHARED_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/buf.h"
#include "shared/err.h"
#include "shared/str.h"

/* Call once at process start; ends the process when there is no randomness. */
void rx_secret_init(void);

void rx_random(void *to, size_t size);
void rx_wipe(void *at, size_t size);
/* Same length and content, in time that depends on the length only. */
bool rx_secret_eq(rx_str a, rx_str b);

#define RX_KEY_SIZE    32
#define RX_DIGEST_SIZE 32
struct rx_key {
    unsigned char bytes[RX_KEY_SIZE];
};
struct rx_digest {
    unsigned char bytes[RX_DIGEST_SIZE];
};

/* BLAKE2b-256 of `s`: how client keys and admin tokens are stored. */
struct rx_digest rx_digest(rx_str s);
/* The same, of what comes piece by piece. */
struct rx_hasher;
RX_NODISCARD struct rx_hasher *rx_hasher_new(void);
void rx_hasher_add(struct rx_hasher *h, rx_str piece);
void rx_hasher_end(struct rx_hasher *h, struct rx_digest *out); /* frees it */
/* A number by which a changed secret is told from the one before; never 0. */
uint64_t rx_secret_mark(rx_str secret);
/* A key for one purpose out of another key: BLAKE2b keyed with `from`. */
struct rx_key rx_key_derive(const struct rx_key *from, rx_str purpose);

/*
 * XChaCha20-Poly1305 (IETF), random nonce in front: nonce(24) || box(n + 16).
 * `context` is authenticated, not encrypted.
 */
#define RX_SEAL_EXTRA ((size_t)24 + 16)
RX_NODISCARD bool rx_seal(
    const struct rx_key *key, rx_str plain, rx_str context, struct rx_buf *out);
/* False when it was not made with this key and context, or was changed. */
RX_NODISCARD bool rx_unseal(const struct rx_key *key, rx_str sealed,
    rx_str context, struct rx_buf *out);

/* Argon2id; `out` is a printable string of at most 128 bytes with NUL. */
RX_NODISCARD bool rx_password_hash(rx_str password, char out[128]);
/* A NULL hash is nobody's: that is false, and takes as long to find out. */
bool rx_password_check(rx_str password, const char *hash);

/* `size` random bytes as base62 text behind `prefix`: "rtx_…".  `out` gets a
 * NUL-terminated text of strlen(prefix) + count characters. */
void rx_random_text(const char *prefix, size_t count, struct rx_buf *out);
void rx_hex(const void *bytes, size_t size, char *out); /* 2 * size + 1 */
bool rx_unhex(rx_str hex, void *out, size_t size);
/* What other people's protocols ask for: SHA-256 of the pieces, one after the
 * other, and HMAC-SHA-256. */
struct rx_digest rx_sha256(const rx_str *pieces, size_t count);
struct rx_digest rx_hmac_sha256(rx_str key, rx_str text);
/* With padding, in the usual alphabet. */
void rx_base64(rx_str bytes, struct rx_buf *out);
RX_NODISCARD bool rx_unbase64(rx_str text, struct rx_buf *out);
/*
 * A key out of a passphrase: Argon2id with `salt`, about 0.1 s and 64 MiB.
 */
#define RX_SALT_SIZE 16
RX_NODISCARD bool rx_key_stretch(rx_str passphrase,
    const unsigned char salt[RX_SALT_SIZE], struct rx_key *out);
/* URL-safe base64 without padding. */
void rx_base64url(rx_str bytes, struct rx_buf *out);
bool rx_unbase64url(rx_str text, struct rx_buf *out);

/* 32 bytes from a file of mode 0600; made with random content if absent and
 * `create`.  RX_DENIED when others may read it. */
RX_NODISCARD enum rx_code rx_key_file(
    const char *path, bool create, struct rx_key *out, struct rx_err *err);

#endif
