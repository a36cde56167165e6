/*
 * ip_range.h - addresses and networks, IPv4 and IPv6: "10.0.0.0/8", "::1".
 */
#ifndef SHARED_IP_RANGE_H
#define SHARED_IP_RANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/str.h"

struct rx_ip_range {
    uint8_t bytes[16]; /* IPv4 as ::ffff:a.b.c.d */
    uint8_t bits;      /* of these that count */
};

struct rx_ip_list {
    const struct rx_ip_range *at;
    size_t count;
};

/* False when it is neither; bits beyond the mask must be zero. */
bool rx_ip_range_parse(rx_str text, struct rx_ip_range *out);
/* Is this address in one of them?  An unreadable one is in none. */
bool rx_ip_in_list(const struct rx_ip_list *list, rx_str address);

#endif
