/*
 * csv.h - comma separated values as RFC 4180 has them: a line per row, ended by
 * CR LF; a value with a comma, a quote or a line break stands in quotes, in
 * which a quote is doubled.
 *
 * Texts are strangers' (a model's name, a tag, a User-Agent) and end up in
 * spreadsheets, which run what begins like a formula: such a text gets an
 * apostrophe in front.  Numbers are ours and stay as they are.  What is unknown
 * is empty, never 0.
 */
#ifndef CONTROLPLANE_CSV_H
#define CONTROLPLANE_CSV_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/buf.h"
#include "shared/str.h"

struct csv {
    struct rx_buf *out;
    bool inside; /* a row has begun */
};

void csv_text(struct csv *c, rx_str text);
/* As it is: it needs no quotes and no apostrophe. */
void csv_plain(struct csv *c, const char *value);
void csv_u64(struct csv *c, uint64_t n);
void csv_number(
    struct csv *c, double n); /* up to six digits behind the point */
void csv_time(struct csv *c, uint64_t wall_ms); /* RFC 3339; empty for 0 */
void csv_nothing(struct csv *c);
void csv_end_row(struct csv *c);

#endif
