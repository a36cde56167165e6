#include <brotli/encode.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#include "shared/decode.h"
#include "tests/unit/check.h"

/* What a sender may do to a body, one function per coding. */
static rx_str text;
static struct rx_buf packed;

static void
pack_zlib(int window_bits)
{
    z_stream z = { 0 };
    size_t size = text.len + 1000;

    rx_buf_clear(&packed);
    char *room = rx_buf_room(&packed, size);
    if (room == NULL || deflateInit2(&z, 6, Z_DEFLATED, window_bits, 8,
                            Z_DEFAULT_STRATEGY) != Z_OK)
        abort();
    struct rx_buf copy;
    rx_buf_init(&copy, text.len);
    rx_buf_add(&copy, text);
    z.next_in = (Bytef *)copy.ptr;
    z.avail_in = (unsigned)text.len;
    z.next_out = (Bytef *)room;
    z.avail_out = (unsigned)size;
    if (deflate(&z, Z_FINISH) != Z_STREAM_END)
        abort();
    rx_buf_grew(&packed, size - z.avail_out);
    deflateEnd(&z);
    rx_buf_fini(&copy);
}

static void
pack_zstd(void)
{
    size_t size = ZSTD_compressBound(text.len);

    rx_buf_clear(&packed);
    char *room = rx_buf_room(&packed, size);
    if (room == NULL)
        abort();
    rx_buf_grew(&packed, ZSTD_compress(room, size, text.ptr, text.len, 3));
}

static void
pack_br(void)
{
    size_t size = BrotliEncoderMaxCompressedSize(text.len);

    rx_buf_clear(&packed);
    char *room = rx_buf_room(&packed, size);
    if (room == NULL ||
        !BrotliEncoderCompress(5, 22, BROTLI_MODE_TEXT, text.len,
            (const uint8_t *)text.ptr, &size, (uint8_t *)room))
        abort();
    rx_buf_grew(&packed, size);
}

static const struct way {
    const char *name;
    enum rx_coding coding;
    int window_bits; /* of zlib */
} ways[] = {
    { "gzip", RX_CODING_GZIP, 16 + MAX_WBITS },
    { "zlib", RX_CODING_DEFLATE, MAX_WBITS },
    { "raw deflate", RX_CODING_DEFLATE, -MAX_WBITS },
    { "zstd", RX_CODING_ZSTD, 0 },
    { "br", RX_CODING_BR, 0 },
};

static void
pack(const struct way *way)
{
    if (way->coding == RX_CODING_ZSTD)
        pack_zstd();
    else if (way->coding == RX_CODING_BR)
        pack_br();
    else
        pack_zlib(way->window_bits);
}

static void
what_was_packed_comes_out_again(void)
{
    for (size_t i = 0; i < RX_COUNT(ways); i++) {
        struct rx_buf out;
        pack(&ways[i]);
        rx_buf_init(&out, text.len);
        CHECK_INT(RX_OK,
            rx_decode_whole(ways[i].coding, rx_buf_str(&packed), &out, NULL));
        CHECK(rx_str_eq(rx_buf_str(&out), text));
        rx_buf_fini(&out);
    }
}

static void
a_bomb_stops_at_the_cap(void)
{
    for (size_t i = 0; i < RX_COUNT(ways); i++) {
        struct rx_buf out;
        struct rx_err err = { 0 };
        pack(&ways[i]);
        rx_buf_init(&out, text.len - 1);
        CHECK_INT(RX_TOO_BIG,
            rx_decode_whole(ways[i].coding, rx_buf_str(&packed), &out, &err));
        CHECK(out.len <= out.cap && err.text[0] != '\0');
        rx_buf_fini(&out);
    }
}

static void
cut_or_followed_by_something_it_is_refused(void)
{
    for (size_t i = 0; i < RX_COUNT(ways); i++) {
        struct rx_buf out;
        rx_buf_init(&out, 2 * text.len);
        pack(&ways[i]);
        for (size_t n = 0; n < packed.len; n += 1 + packed.len / 50) {
            rx_buf_clear(&out);
            CHECK_INT(RX_INVALID, rx_decode_whole(ways[i].coding,
                                      (rx_str){ packed.ptr, n }, &out, NULL));
        }
        rx_buf_add(&packed, RX_S("something"));
        rx_buf_clear(&out);
        CHECK_INT(RX_INVALID,
            rx_decode_whole(ways[i].coding, rx_buf_str(&packed), &out, NULL));
        rx_buf_fini(&out);
    }
}

static void
two_members_are_one_body(void)
{
    struct rx_buf out;
    struct rx_buf twice;

    rx_buf_init(&out, 2 * text.len);
    rx_buf_init(&twice, 2 * text.len + 2000);
    pack(&ways[0]);
    rx_buf_add(&twice, rx_buf_str(&packed));
    rx_buf_add(&twice, rx_buf_str(&packed));
    CHECK_INT(
        RX_OK, rx_decode_whole(RX_CODING_GZIP, rx_buf_str(&twice), &out, NULL));
    CHECK_INT((intmax_t)(2 * text.len), (intmax_t)out.len);
    rx_buf_fini(&out);
    rx_buf_fini(&twice);
}

static void
byte_by_byte_it_comes_out_as_it_went_in(void)
{
    for (size_t i = 0; i < RX_COUNT(ways); i++) {
        struct rx_decode *d = rx_decode_new(ways[i].coding);
        size_t at = 0;
        pack(&ways[i]);
        for (size_t n = 0; n < packed.len; n++) {
            rx_str in = { packed.ptr + n, 1 };
            rx_str out;
            CHECK(!rx_decode_complete(d));
            do {
                CHECK_INT(RX_OK, rx_decode_step(d, &in, &out));
                CHECK(at + out.len <= text.len &&
                      (out.len == 0 ||
                          memcmp(text.ptr + at, out.ptr, out.len) == 0));
                at += out.len;
            } while (in.len > 0 || out.len > 0);
        }
        CHECK(rx_decode_complete(d));
        CHECK_INT((intmax_t)text.len, (intmax_t)at);
        rx_decode_free(d);
    }
}

static void
broken_data_stays_broken(void)
{
    for (size_t i = 0; i < RX_COUNT(ways); i++) {
        struct rx_decode *d = rx_decode_new(ways[i].coding);
        rx_str in = RX_S("\xff\xff this is not compressed \xff\xff\xff\xff");
        rx_str out;
        enum rx_code code = RX_OK;
        for (unsigned n = 0; n < 10 && code == RX_OK; n++)
            code = rx_decode_step(d, &in, &out);
        CHECK_INT(RX_INVALID, code);
        in = RX_S("more");
        CHECK_INT(RX_INVALID, rx_decode_step(d, &in, &out));
        CHECK(!rx_decode_complete(d));
        rx_decode_free(d);
    }
}

static void
codings_are_known_by_name(void)
{
    enum rx_coding c;

    CHECK(rx_coding_find(RX_S(""), &c) && c == RX_CODING_IDENTITY);
    CHECK(rx_coding_find(RX_S(" GZip "), &c) && c == RX_CODING_GZIP);
    CHECK(rx_coding_find(RX_S("br"), &c) && c == RX_CODING_BR);
    CHECK(!rx_coding_find(RX_S("gzip, br"), &c));
    CHECK(!rx_coding_find(RX_S("compress"), &c));
}

int
main(void)
{
    struct rx_buf b;

    rx_buf_init(&b, 400000);
    rx_buf_init(&packed, 1000000);
    for (unsigned i = 0; i < 4000; i++)
        rx_buf_addf(&b, "{\"line\":%u,\"of\":\"text %u\"}\n", i, i * i % 97);
    text = rx_buf_str(&b);
    CHECK_RUN(what_was_packed_comes_out_again);
    CHECK_RUN(a_bomb_stops_at_the_cap);
    CHECK_RUN(cut_or_followed_by_something_it_is_refused);
    CHECK_RUN(two_members_are_one_body);
    CHECK_RUN(byte_by_byte_it_comes_out_as_it_went_in);
    CHECK_RUN(broken_data_stays_broken);
    CHECK_RUN(codings_are_known_by_name);
    rx_buf_fini(&b);
    rx_buf_fini(&packed);
    return CHECK_EXIT();
}
