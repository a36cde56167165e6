/*
 * Door to libsodium: nothing else in the tree calls it.
 */
#include "shared/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NONCE_SIZE crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define MAC_SIZE   crypto_aead_xchacha20poly1305_ietf_ABYTES

/* Argon2id as OWASP asks at least: 19 MiB, two passes; a login stays under
 * 50 ms and fits a small container. */
#define PASSWORD_OPS    2
#define PASSWORD_MEMORY ((size_t)19 * 1024 * 1024)

/* For files that may be guessed at for years, unlike a log-in. */
#define STRETCH_OPS    3
#define STRETCH_MEMORY ((size_t)64 * 1024 * 1024)

_Static_assert(RX_KEY_SIZE == crypto_aead_xchacha20poly1305_ietf_KEYBYTES,
    "a key is a key of the cipher");
_Static_assert(RX_SEAL_EXTRA == NONCE_SIZE + MAC_SIZE,
    "what sealing adds is a nonce and a tag");
_Static_assert(crypto_pwhash_STRBYTES <= 128, "a password hash fits");

void
rx_secret_init(void)
{
    if (sodium_init() < 0) {
        fprintf(stderr, "routex: no source of randomness\n");
        abort();
    }
}

void
rx_random(void *to, size_t size)
{
    randombytes_buf(to, size);
}

void
rx_wipe(void *at, size_t size)
{
    sodium_memzero(at, size);
}

bool
rx_secret_eq(rx_str a, rx_str b)
{
    if (a.len != b.len)
        return false;
    return a.len == 0 || sodium_memcmp(a.ptr, b.ptr, a.len) == 0;
}

static const unsigned char *
bytes_of(rx_str s)
{
    return (const unsigned char *)s.ptr;
}

struct rx_digest
rx_digest(rx_str s)
{
    struct rx_digest d;

    crypto_generichash(
        d.bytes, sizeof(d.bytes), bytes_of(s), s.len, NULL, (size_t)0);
    return d;
}

struct rx_hasher {
    crypto_generichash_state state;
};

struct rx_hasher *
rx_hasher_new(void)
{
    void *at = NULL;

    /* Its state wants more alignment than malloc gives. */
    if (posix_memalign(&at, 64, sizeof(struct rx_hasher)) != 0)
        abort();
    struct rx_hasher *h = at;
    crypto_generichash_init(&h->state, NULL, 0, RX_DIGEST_SIZE);
    return h;
}

void
rx_hasher_add(struct rx_hasher *h, rx_str piece)
{
    crypto_generichash_update(&h->state, bytes_of(piece), piece.len);
}

void
rx_hasher_end(struct rx_hasher *h, struct rx_digest *out)
{
    crypto_generichash_final(&h->state, out->bytes, sizeof(out->bytes));
    free(h);
}

uint64_t
rx_secret_mark(rx_str secret)
{
    struct rx_digest d = rx_digest(secret);
    uint64_t mark;

    memcpy(&mark, d.bytes, sizeof(mark));
    return mark | 1;
}

struct rx_key
rx_key_derive(const struct rx_key *from, rx_str purpose)
{
    struct rx_key k;

    crypto_generichash(k.bytes, sizeof(k.bytes), bytes_of(purpose), purpose.len,
        from->bytes, sizeof(from->bytes));
    return k;
}

bool
rx_seal(
    const struct rx_key *key, rx_str plain, rx_str context, struct rx_buf *out)
{
    if (plain.len > SIZE_MAX - RX_SEAL_EXTRA)
        return false;
    size_t size = plain.len + RX_SEAL_EXTRA;
    char *room = rx_buf_room(out, size);
    if (room == NULL)
        return false;

    unsigned char *nonce = (unsigned char *)room;
    randombytes_buf(nonce, NONCE_SIZE);
    crypto_aead_xchacha20poly1305_ietf_encrypt(nonce + NONCE_SIZE, NULL,
        bytes_of(plain), plain.len, bytes_of(context), context.len, NULL, nonce,
        key->bytes);
    rx_buf_grew(out, size);
    return true;
}

bool
rx_unseal(
    const struct rx_key *key, rx_str sealed, rx_str context, struct rx_buf *out)
{
    if (sealed.len < RX_SEAL_EXTRA)
        return false;
    size_t size = sealed.len - RX_SEAL_EXTRA;
    char *room = rx_buf_room(out, size);
    if (room == NULL)
        return false;

    const unsigned char *nonce = bytes_of(sealed);
    if (crypto_aead_xchacha20poly1305_ietf_decrypt((unsigned char *)room, NULL,
            NULL, nonce + NONCE_SIZE, sealed.len - NONCE_SIZE,
            bytes_of(context), context.len, nonce, key->bytes) != 0)
        return false;
    rx_buf_grew(out, size);
    return true;
}

bool
rx_password_hash(rx_str password, char out[128])
{
    memset(out, 0, 128);
    return crypto_pwhash_str_alg(out, password.ptr ? password.ptr : "",
               password.len, PASSWORD_OPS, PASSWORD_MEMORY,
               crypto_pwhash_ALG_ARGON2ID13) == 0;
}

/* Of the same cost as those of rx_password_hash(); nothing leads to it. */
static const char nobody[] = "$argon2id$v=19$m=19456,t=2,p=1$"
                             "cm91dGV4IGhhcyBubyBvbmU$"
                             "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

bool
rx_password_check(rx_str password, const char *hash)
{
    if (hash == NULL)
        hash = nobody;
    return crypto_pwhash_str_verify(
               hash, password.ptr ? password.ptr : "", password.len) == 0;
}

bool
rx_key_stretch(rx_str passphrase, const unsigned char salt[RX_SALT_SIZE],
    struct rx_key *out)
{
    return crypto_pwhash(out->bytes, sizeof(out->bytes),
               passphrase.ptr ? passphrase.ptr : "", passphrase.len, salt,
               STRETCH_OPS, STRETCH_MEMORY, crypto_pwhash_ALG_ARGON2ID13) == 0;
}

void
rx_random_text(const char *prefix, size_t count, struct rx_buf *out)
{
    static const char digits[] = "0123456789"
                                 "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz";

    rx_buf_add(out, (rx_str){ prefix, strlen(prefix) });
    for (size_t i = 0; i < count; i++)
        rx_buf_addc(out, digits[randombytes_uniform(sizeof(digits) - 1)]);
}

void
rx_hex(const void *bytes, size_t size, char *out)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *b = bytes;

    for (size_t i = 0; i < size; i++) {
        *out++ = digits[b[i] >> 4];
        *out++ = digits[b[i] & 15];
    }
    *out = '\0';
}

bool
rx_unhex(rx_str hex, void *out, size_t size)
{
    size_t len = 0;
    const char *end = NULL;

    if (hex.len != size * 2)
        return false;
    if (size == 0)
        return true;
    return sodium_hex2bin(out, size, hex.ptr, hex.len, NULL, &len, &end) == 0 &&
           len == size && end == hex.ptr + hex.len;
}

struct rx_digest
rx_sha256(const rx_str *pieces, size_t count)
{
    crypto_hash_sha256_state state;
    struct rx_digest d;

    crypto_hash_sha256_init(&state);
    for (size_t i = 0; i < count; i++)
        crypto_hash_sha256_update(&state, bytes_of(pieces[i]), pieces[i].len);
    crypto_hash_sha256_final(&state, d.bytes);
    return d;
}

struct rx_digest
rx_hmac_sha256(rx_str key, rx_str text)
{
    crypto_auth_hmacsha256_state state;
    struct rx_digest d;

    crypto_auth_hmacsha256_init(&state, bytes_of(key), key.len);
    crypto_auth_hmacsha256_update(&state, bytes_of(text), text.len);
    crypto_auth_hmacsha256_final(&state, d.bytes);
    rx_wipe(&state, sizeof(state));
    return d;
}

static void
to_base64(rx_str bytes, int variant, struct rx_buf *out)
{
    size_t size = sodium_base64_encoded_len(bytes.len, variant);
    char *room = rx_buf_room(out, size);

    if (room == NULL)
        return;
    sodium_bin2base64(room, size, bytes_of(bytes), bytes.len, variant);
    rx_buf_grew(out, size - 1); /* without its NUL */
}

static bool
from_base64(rx_str text, int variant, struct rx_buf *out)
{
    size_t len = 0;
    size_t size = text.len / 4 * 3 + 3;
    char *room = rx_buf_room(out, size);

    if (room == NULL)
        return false;
    if (text.len == 0)
        return true;
    if (sodium_base642bin((unsigned char *)room, size, text.ptr, text.len, NULL,
            &len, NULL, variant) != 0)
        return false;
    rx_buf_grew(out, len);
    return true;
}

void
rx_base64(rx_str bytes, struct rx_buf *out)
{
    to_base64(bytes, sodium_base64_VARIANT_ORIGINAL, out);
}

bool
rx_unbase64(rx_str text, struct rx_buf *out)
{
    return from_base64(text, sodium_base64_VARIANT_ORIGINAL, out);
}

void
rx_base64url(rx_str bytes, struct rx_buf *out)
{
    to_base64(bytes, sodium_base64_VARIANT_URLSAFE_NO_PADDING, out);
}

bool
rx_unbase64url(rx_str text, struct rx_buf *out)
{
    return from_base64(text, sodium_base64_VARIANT_URLSAFE_NO_PADDING, out);
}

static enum rx_code
key_read(int fd, const char *path, struct rx_key *out, struct rx_err *err)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return rx_fail(err, RX_INTERNAL, "%s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode) || (st.st_mode & 077) != 0)
        return rx_fail(err, RX_DENIED,
            "%s: others may read it (mode %03o); chmod 600 it", path,
            (unsigned)st.st_mode & 0777);
    ssize_t n = read(fd, out->bytes, sizeof(out->bytes));
    if (n < 0)
        return rx_fail(err, RX_INTERNAL, "%s: %s", path, strerror(errno));
    if ((size_t)n != sizeof(out->bytes) ||
        st.st_size != (off_t)sizeof(out->bytes))
        return rx_fail(
            err, RX_INVALID, "%s: not a key of %d bytes", path, RX_KEY_SIZE);
    return RX_OK;
}

/*
 * Whole or not at all: written under another name, made durable, then linked,
 * which fails when somebody else was first; then theirs counts.
 */
static bool
key_create(const char *path, const char *temporary)
{
    struct rx_key key;
    int fd = open(temporary, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);

    if (fd < 0)
        return false;
    rx_random(key.bytes, sizeof(key.bytes));
    bool ok =
        write(fd, key.bytes, sizeof(key.bytes)) == (ssize_t)sizeof(key.bytes) &&
        fsync(fd) == 0;
    rx_wipe(&key, sizeof(key));
    close(fd);
    if (ok && link(temporary, path) != 0)
        ok = errno == EEXIST;
    int why = errno;
    unlink(temporary);
    errno = why;
    return ok;
}

enum rx_code
rx_key_file(
    const char *path, bool create, struct rx_key *out, struct rx_err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 && errno == ENOENT && create) {
        char temporary[4096];
        int n = snprintf(
            temporary, sizeof(temporary), "%s.%ld.new", path, (long)getpid());
        if (n < 0 || (size_t)n >= sizeof(temporary))
            return rx_fail(err, RX_INVALID, "%s: path too long", path);
        if (!key_create(path, temporary))
            return rx_fail(
                err, RX_INTERNAL, "creating %s: %s", path, strerror(errno));
        fd = open(path, O_RDONLY | O_CLOEXEC);
    }
    if (fd < 0)
        return rx_fail(err, errno == ENOENT ? RX_NOT_FOUND : RX_INTERNAL,
            "%s: %s", path, strerror(errno));

    enum rx_code code = key_read(fd, path, out, err);
    close(fd);
    return code;
}
