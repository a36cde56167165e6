#include "shared/decode.h"

#include <assert.h>
#define ZLIB_CONST /* next_in does not change what it points to */

#include <brotli/decode.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#define OUT_SIZE        ((size_t)16 * 1024)
/* zstd as content coding: windows up to 8 MiB, RFC 9659. */
#define ZSTD_WINDOW_LOG 23
#define ZSTD_LEVEL      3

struct rx_decode {
    enum rx_coding coding;
    bool started; /* zlib: inflateInit2 was done */
    bool complete;
    bool failed;
    z_stream zlib;
    ZSTD_DStream *zstd;
    BrotliDecoderState *brotli;
    unsigned char first[2]; /* deflate: until we know which kind it is */
    size_t first_len;
    unsigned char out[OUT_SIZE];
};

static const struct {
    rx_str name;
    enum rx_coding coding;
} names[] = {
    { RX_STR_INIT(""), RX_CODING_IDENTITY },
    { RX_STR_INIT("identity"), RX_CODING_IDENTITY },
    { RX_STR_INIT("gzip"), RX_CODING_GZIP },
    { RX_STR_INIT("x-gzip"), RX_CODING_GZIP },
    { RX_STR_INIT("deflate"), RX_CODING_DEFLATE },
    { RX_STR_INIT("zstd"), RX_CODING_ZSTD },
    { RX_STR_INIT("br"), RX_CODING_BR },
};

bool
rx_coding_find(rx_str header, enum rx_coding *out)
{
    rx_str name = rx_str_trim(header);

    for (size_t i = 0; i < RX_COUNT(names); i++) {
        if (rx_str_ieq(name, names[i].name)) {
            *out = names[i].coding;
            return true;
        }
    }
    return false;
}

static void
out_of_memory(void)
{
    fputs("routex: out of memory for a decoder\n", stderr);
    abort();
}

static void
zlib_start(struct rx_decode *d, int window_bits)
{
    if (inflateInit2(&d->zlib, window_bits) != Z_OK)
        out_of_memory();
    d->started = true;
}

struct rx_decode *
rx_decode_new(enum rx_coding coding)
{
    struct rx_decode *d = calloc(1, sizeof(*d));

    assert(coding != RX_CODING_IDENTITY);
    if (d == NULL)
        out_of_memory();
    d->coding = coding;
    switch (coding) {
    case RX_CODING_GZIP: zlib_start(d, 16 + MAX_WBITS); break;
    case RX_CODING_ZSTD:
        if ((d->zstd = ZSTD_createDStream()) == NULL)
            out_of_memory();
        ZSTD_DCtx_setParameter(d->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG);
        break;
    case RX_CODING_BR:
        d->brotli = BrotliDecoderCreateInstance(NULL, NULL, NULL);
        if (d->brotli == NULL)
            out_of_memory();
        break;
    case RX_CODING_DEFLATE: /* waits for the first two bytes */
    case RX_CODING_IDENTITY: break;
    }
    return d;
}

void
rx_decode_free(struct rx_decode *d)
{
    if (d == NULL)
        return;
    if (d->started)
        inflateEnd(&d->zlib);
    ZSTD_freeDStream(d->zstd);
    if (d->brotli != NULL)
        BrotliDecoderDestroyInstance(d->brotli);
    free(d);
}

static void
advance(rx_str *in, size_t n)
{
    in->ptr += n;
    in->len -= n;
}

/* inflate() as much of `in` as fits; zlib counts in unsigned int. */
static int
zlib_run(struct rx_decode *d, rx_str *in, size_t *made)
{
    unsigned take =
        in->len > UINT32_MAX / 2 ? UINT32_MAX / 2 : (unsigned)in->len;

    d->zlib.next_in = (const Bytef *)in->ptr;
    d->zlib.avail_in = take;
    d->zlib.next_out = d->out + *made;
    d->zlib.avail_out = (unsigned)(OUT_SIZE - *made);
    int rc = inflate(&d->zlib, Z_NO_FLUSH);
    advance(in, take - d->zlib.avail_in);
    *made = OUT_SIZE - d->zlib.avail_out;
    return rc;
}

/* A zlib header says so: method 8, and a check over its 16 bits. */
static bool
is_zlib_header(const unsigned char b[2])
{
    return (b[0] & 0x0f) == 8 && (b[0] * 256 + b[1]) % 31 == 0;
}

/* Collect two bytes, decide, and give them to zlib. */
static int
deflate_start(struct rx_decode *d, rx_str *in, size_t *made)
{
    while (d->first_len < 2 && in->len > 0) {
        d->first[d->first_len++] = (unsigned char)in->ptr[0];
        advance(in, 1);
    }
    if (d->first_len < 2)
        return Z_OK;
    zlib_start(d, is_zlib_header(d->first) ? MAX_WBITS : -MAX_WBITS);
    rx_str head = { (const char *)d->first, 2 };
    return zlib_run(d, &head, made);
}

static bool
zlib_step(struct rx_decode *d, rx_str *in, size_t *made)
{
    int rc = Z_OK;

    if (d->complete && in->len > 0) {
        if (d->coding != RX_CODING_GZIP || inflateReset(&d->zlib) != Z_OK)
            return false;
        d->complete = false; /* one more member */
    }
    if (!d->started)
        rc = deflate_start(d, in, made);
    if (d->started && rc == Z_OK)
        rc = zlib_run(d, in, made);
    d->complete = rc == Z_STREAM_END;
    /* Z_BUF_ERROR: nothing to do just now. */
    return rc == Z_OK || rc == Z_STREAM_END || rc == Z_BUF_ERROR;
}

static bool
zstd_step(struct rx_decode *d, rx_str *in, size_t *made)
{
    ZSTD_inBuffer from = { in->ptr, in->len, 0 };
    ZSTD_outBuffer to = { d->out, OUT_SIZE, 0 };

    if (d->complete && in->len == 0)
        return true;
    size_t rc = ZSTD_decompressStream(d->zstd, &to, &from);
    advance(in, from.pos);
    *made = to.pos;
    if (ZSTD_isError(rc))
        return false;
    d->complete = rc == 0;
    return true;
}

static bool
brotli_step(struct rx_decode *d, rx_str *in, size_t *made)
{
    const uint8_t *from = (const uint8_t *)in->ptr;
    size_t left = in->len;
    uint8_t *to = d->out;
    size_t room = OUT_SIZE;

    if (d->complete)
        return in->len == 0;
    BrotliDecoderResult rc = BrotliDecoderDecompressStream(
        d->brotli, &left, &from, &room, &to, NULL);
    advance(in, in->len - left);
    *made = OUT_SIZE - room;
    d->complete = rc == BROTLI_DECODER_RESULT_SUCCESS;
    return rc != BROTLI_DECODER_RESULT_ERROR;
}

enum rx_code
rx_decode_step(struct rx_decode *d, rx_str *in, rx_str *out)
{
    size_t made = 0;
    bool ok = false;

    *out = (rx_str){ 0 };
    if (d->failed)
        return RX_INVALID;
    switch (d->coding) {
    case RX_CODING_GZIP:
    case RX_CODING_DEFLATE: ok = zlib_step(d, in, &made); break;
    case RX_CODING_ZSTD: ok = zstd_step(d, in, &made); break;
    case RX_CODING_BR: ok = brotli_step(d, in, &made); break;
    case RX_CODING_IDENTITY: break;
    }
    d->failed = !ok;
    *out = (rx_str){ (const char *)d->out, made };
    return ok ? RX_OK : RX_INVALID;
}

bool
rx_decode_complete(const struct rx_decode *d)
{
    return d->complete && !d->failed;
}

static enum rx_code
decode_all(
    struct rx_decode *d, rx_str in, struct rx_buf *out, struct rx_err *err)
{
    rx_str piece;

    do {
        if (rx_decode_step(d, &in, &piece) != RX_OK)
            return rx_fail(err, RX_INVALID, "content-encoding: broken data");
        if (piece.len > 0 && !rx_buf_add(out, piece))
            return rx_fail(err, RX_TOO_BIG,
                "content-encoding: more than %zu bytes decoded", out->cap);
    } while (in.len > 0 || piece.len > 0);
    if (!rx_decode_complete(d))
        return rx_fail(err, RX_INVALID, "content-encoding: data ends early");
    return RX_OK;
}

enum rx_code
rx_decode_whole(
    enum rx_coding coding, rx_str in, struct rx_buf *out, struct rx_err *err)
{
    if (coding == RX_CODING_IDENTITY) {
        if (in.len > 0 && !rx_buf_add(out, in))
            return rx_fail(err, RX_TOO_BIG, "more than %zu bytes", out->cap);
        return RX_OK;
    }
    struct rx_decode *d = rx_decode_new(coding);
    enum rx_code code = decode_all(d, in, out, err);
    rx_decode_free(d);
    return code;
}

uint32_t
rx_crc32(uint32_t crc, rx_str bytes)
{
    return (uint32_t)crc32_z(crc, (const unsigned char *)bytes.ptr, bytes.len);
}

size_t
rx_zstd_bound(size_t size)
{
    return ZSTD_compressBound(size);
}

bool
rx_zstd_pack(rx_str in, struct rx_buf *out)
{
    size_t bound = ZSTD_compressBound(in.len);
    char *to = rx_buf_room(out, bound);

    if (to == NULL)
        return false;
    size_t n =
        ZSTD_compress(to, bound, in.len > 0 ? in.ptr : "", in.len, ZSTD_LEVEL);
    if (ZSTD_isError(n))
        return false;
    rx_buf_grew(out, n);
    return true;
}
