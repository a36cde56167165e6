/*
 * Door to libcrypto: nothing else in the tree calls it.  Its errors are a queue
 * per thread, which is emptied here whatever happened.
 */
#include "shared/rsa.h"

#include <limits.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#define PEM_MAX ((size_t)32 * 1024)

static EVP_PKEY *
read_key(rx_str pem)
{
    EVP_PKEY *key = NULL;

    if (pem.len == 0 || pem.len > PEM_MAX)
        return NULL;
    BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    if (bio != NULL)
        key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    BIO_free(bio);
    if (key != NULL && EVP_PKEY_base_id(key) != EVP_PKEY_RSA) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    return key;
}

static bool
sign(EVP_PKEY *key, rx_str text, struct rx_buf *out)
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    const unsigned char *bytes = (const unsigned char *)text.ptr;
    size_t size = 0;
    char *room = NULL;

    bool ok = md != NULL &&
              EVP_DigestSignInit(md, NULL, EVP_sha256(), NULL, key) == 1 &&
              EVP_DigestSign(md, NULL, &size, bytes, text.len) == 1;
    if (ok)
        room = rx_buf_room(out, size);
    ok = room != NULL &&
         EVP_DigestSign(md, (unsigned char *)room, &size, bytes, text.len) == 1;
    if (ok)
        rx_buf_grew(out, size);
    EVP_MD_CTX_free(md);
    return ok;
}

static enum rx_code
refuse(struct rx_err *err)
{
    ERR_clear_error();
    return rx_fail(err, RX_INVALID, "is no private RSA key in PEM");
}

enum rx_code
rx_rsa_sign(rx_str pem, rx_str text, struct rx_buf *out, struct rx_err *err)
{
    EVP_PKEY *key = read_key(pem);
    bool ok = key != NULL && sign(key, text, out);

    EVP_PKEY_free(key);
    return ok ? RX_OK : refuse(err);
}

enum rx_code
rx_rsa_check(rx_str pem, struct rx_err *err)
{
    EVP_PKEY *key = read_key(pem);
    bool ok = key != NULL;

    EVP_PKEY_free(key);
    return ok ? RX_OK : refuse(err);
}
