/*
 * repair.h - JSON out of what a model wrote for JSON.
 */
#ifndef DATAPLANE_TRANSFORM_REPAIR_H
#define DATAPLANE_TRANSFORM_REPAIR_H

#include <stdbool.h>

#include "shared/buf.h"
#include "shared/str.h"

/*
 * Append an object that reads as `text` was meant: quotes, commas, brackets
 * and escapes are put right, comments and fences left out.  False, and nothing
 * usable in `out`, when there is no object in it or it nests too deep.
 */
bool repair_object(rx_str text, struct rx_buf *out);

#endif
