#include "dataplane/codec/image.h"

#include <string.h>

#include "shared/attr.h"

/* A JPEG's frame header is looked for behind at most so many segments. */
#define SEGMENTS_MAX 64

static int
digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    if (c == '/' || c == '_')
        return 63;
    return -1;
}

/* Byte `i` of the file; 256 when there is none or the text is no base64. */
static unsigned
byte(rx_str base64, size_t i)
{
    size_t from = i / 3 * 4 + i % 3;

    if (from + 1 >= base64.len)
        return 256;
    int high = digit(base64.ptr[from]);
    int low = digit(base64.ptr[from + 1]);
    if (high < 0 || low < 0)
        return 256;
    switch (i % 3) {
    case 0: return ((unsigned)high << 2 | (unsigned)low >> 4) & 0xff;
    case 1: return ((unsigned)high << 4 | (unsigned)low >> 2) & 0xff;
    default: return ((unsigned)high << 6 | (unsigned)low) & 0xff;
    }
}

static uint32_t
big16(rx_str b, size_t i)
{
    return byte(b, i) << 8 | byte(b, i + 1);
}

static uint32_t
little16(rx_str b, size_t i)
{
    return byte(b, i + 1) << 8 | byte(b, i);
}

static bool
has(rx_str b, size_t at, const char *magic)
{
    for (; *magic != '\0'; magic++, at++) {
        if (byte(b, at) != (unsigned char)*magic)
            return false;
    }
    return true;
}

static bool
is_png(rx_str b)
{
    return has(b, 0, "\x89PNG\r\n\x1a\n");
}

static bool
is_gif(rx_str b)
{
    return has(b, 0, "GIF8");
}

static bool
is_jpeg(rx_str b)
{
    return has(b, 0, "\xff\xd8\xff");
}

static bool
is_webp(rx_str b)
{
    return has(b, 0, "RIFF") && has(b, 8, "WEBP");
}

static bool
is_pdf(rx_str b)
{
    return has(b, 0, "%PDF");
}

rx_str
image_mime(rx_str base64)
{
    static const struct {
        bool (*is)(rx_str b);
        rx_str mime;
    } kinds[] = {
        { is_png, RX_STR_INIT("image/png") },
        { is_jpeg, RX_STR_INIT("image/jpeg") },
        { is_gif, RX_STR_INIT("image/gif") },
        { is_webp, RX_STR_INIT("image/webp") },
        { is_pdf, RX_STR_INIT("application/pdf") },
    };

    for (size_t i = 0; i < RX_COUNT(kinds); i++) {
        if (kinds[i].is(base64))
            return kinds[i].mime;
    }
    return (rx_str){ 0 };
}

/* Start of frame, of any kind; c4, c8 and cc are tables. */
static bool
is_frame(unsigned marker)
{
    return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 &&
           marker != 0xc8 && marker != 0xcc;
}

static bool
jpeg_size(rx_str b, uint32_t *width, uint32_t *height)
{
    size_t at = 2;

    for (int i = 0; i < SEGMENTS_MAX && byte(b, at) == 0xff; i++) {
        unsigned marker = byte(b, at + 1);
        if (is_frame(marker)) {
            *height = big16(b, at + 5);
            *width = big16(b, at + 7);
            return true;
        }
        at += marker == 0xff ? 1 : 2 + (size_t)big16(b, at + 2);
    }
    return false;
}

static bool
webp_size(rx_str b, uint32_t *width, uint32_t *height)
{
    if (has(b, 12, "VP8X")) {
        *width = (byte(b, 26) << 16 | little16(b, 24)) + 1;
        *height = (byte(b, 29) << 16 | little16(b, 27)) + 1;
        return true;
    }
    if (has(b, 12, "VP8L")) {
        uint32_t bits = little16(b, 23) << 16 | little16(b, 21);
        *width = (bits & 0x3fff) + 1;
        *height = (bits >> 14 & 0x3fff) + 1;
        return true;
    }
    if (has(b, 12, "VP8 ")) {
        *width = little16(b, 26) & 0x3fff;
        *height = little16(b, 28) & 0x3fff;
        return true;
    }
    return false;
}

bool
image_size(rx_str base64, uint32_t *width, uint32_t *height)
{
    *width = *height = 0;
    if (is_png(base64)) {
        *width = big16(base64, 16) << 16 | big16(base64, 18);
        *height = big16(base64, 20) << 16 | big16(base64, 22);
    } else if (is_gif(base64)) {
        *width = little16(base64, 6);
        *height = little16(base64, 8);
    } else if (is_jpeg(base64)) {
        if (!jpeg_size(base64, width, height))
            return false;
    } else if (!is_webp(base64) || !webp_size(base64, width, height)) {
        return false;
    }
    return *width > 0 && *height > 0;
}
