/*
 * image.h - what the first bytes of an inline file tell, without decoding it.
 *
 * The file is the inside of a JSON string: base64, as it came.
 */
#ifndef DATAPLANE_CODEC_IMAGE_H
#define DATAPLANE_CODEC_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/str.h"

/* "image/png" and its like by the file's magic bytes; empty: not known. */
rx_str image_mime(rx_str base64);

/* Width and height of a PNG, GIF, JPEG or WebP in pixels, both above 0. */
bool image_size(rx_str base64, uint32_t *width, uint32_t *height);

#endif
