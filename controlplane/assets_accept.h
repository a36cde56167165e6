/*
 * assets_accept.h - what a client takes and has (RFC 9110, 12.5.3 and 13.1.2).
 */
#ifndef CONTROLPLANE_ASSETS_ACCEPT_H
#define CONTROLPLANE_ASSETS_ACCEPT_H

#include <stdbool.h>

#include "shared/str.h"

/* In rising order of preference. */
enum assets_packing {
    ASSETS_PLAIN,
    ASSETS_GZIP,
    ASSETS_BROTLI,
    ASSETS_PACKINGS,
};

/* The best of those we have that Accept-Encoding allows; plain, if none. */
enum assets_packing assets_choose(
    rx_str accept_encoding, const bool have[ASSETS_PACKINGS]);
/* Does If-None-Match name this tag, or "*"? */
bool assets_tag_fits(rx_str if_none_match, const char *tag);

#endif
