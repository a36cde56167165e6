/*
 * rule_index.h - of very many rules, those that may hold for a request.
 *
 * For each rule the index knows a part of its condition that must hold for the
 * whole to hold, and looks such parts up all at once: names in hash tables,
 * words in one walk over the text, flags and numbers by asking once.  A part
 * of the request is looked at only when it is the turn of a rule that is known
 * by it, so rules that decide early spare the rest.
 */
#ifndef DATAPLANE_RULE_INDEX_H
#define DATAPLANE_RULE_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/rules.h"

/* Of the set's agents, or of its rules that are enabled, in their final order;
 * NULL when the arena is full. */
RX_NODISCARD const struct rule_index *rule_index_new(
    const struct ruleset *set, bool agents, struct rx_arena *arena);

struct rule_walk;

struct rule_walk *rule_walk_begin(
    const struct rule_index *index, struct rule_subject *subject);
/* The next rule that may hold, by its place in the set; false behind the last.
 * Each comes once, in order. */
bool rule_walk_next(struct rule_walk *walk, size_t *number);
void rule_walk_end(struct rule_walk *walk);

#endif
