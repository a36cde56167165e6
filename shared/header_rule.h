/*
 * header_rule.h - which headers a user may set on requests to providers.
 */
#ifndef SHARED_HEADER_RULE_H
#define SHARED_HEADER_RULE_H

#include "shared/str.h"

/*
 * NULL when it may be set; else why not, to be put behind the name: "is not a
 * header's name".  Framing, credentials and what the router says itself may
 * not.
 */
const char *rx_header_refuse(rx_str name, rx_str value);

#endif
