/*
 * journal_segment.h - the format of segment files, for journal*.c only.
 */
#ifndef DATAPLANE_JOURNAL_SEGMENT_H
#define DATAPLANE_JOURNAL_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/journal.h"

void segment_put_header(
    unsigned char out[JOURNAL_HEADER], uint64_t boot, uint64_t first_seq);
bool segment_get_header(rx_str bytes, uint64_t *boot, uint64_t *first_seq);
/* The head of a record around `payload`. */
void segment_put_record(
    unsigned char out[JOURNAL_RECORD], uint64_t seq, rx_str payload);
/* The record at the start of `bytes`; false when it is cut or damaged. */
bool segment_get_record(rx_str bytes, uint64_t *seq, rx_str *payload);

#endif
