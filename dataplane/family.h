/*
 * family.h - which models a provider limits together.
 */
#ifndef DATAPLANE_FAMILY_H
#define DATAPLANE_FAMILY_H

#include "shared/str.h"

/* "opus" for "claude-opus-4-5"; empty when the model belongs to none. */
rx_str family_of(rx_str model);

#endif
