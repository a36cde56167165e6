/*
 * schema_parts.h - rewrites of one schema; for schema*.c only.
 */
#ifndef DATAPLANE_TRANSFORM_SCHEMA_PARTS_H
#define DATAPLANE_TRANSFORM_SCHEMA_PARTS_H

#include <stdbool.h>

#include "shared/json_edit.h"

struct rx_edit *schema_get(
    struct rx_edit *schema, const char *name, enum rx_span_kind kind);
/* Say it in the description, because no keyword can. */
void schema_describe(struct rx_edit *schema, rx_str words);
void schema_tell_and_drop(struct rx_edit *schema, const char *name);
void schema_merge_all_of(struct rx_edit *schema);
void schema_one_of_to_any_of(struct rx_edit *schema);
bool schema_unwrap_null(struct rx_edit *schema);
void schema_clean_required(struct rx_edit *schema);
void schema_lift_required(struct rx_edit *schema);
void schema_drop_booleans(struct rx_edit *schema);
void schema_close_bounds(struct rx_edit *schema);
void schema_keep_only(struct rx_edit *schema, const char *const *names);

#endif
