/*
 * rule_parts.h - what the files that read and write conditions share.
 */
#ifndef CONTROLPLANE_RULE_PARTS_H
#define CONTROLPLANE_RULE_PARTS_H

#include "controlplane/rule.h"

struct reading {
    struct store *store;
    struct rx_arena *arena;
    unsigned depth;
};

/* Read the member's value into `out`; faults are noted. */
typedef void rule_reader(struct reading *r, rx_json object, const char *name,
    rx_json v, struct state_condition *out);
/* Write it back as the member's value. */
typedef void rule_writer(
    struct rx_json_out *w, const char *key, const struct state_condition *c);

rule_reader rule_read_number, rule_read_flag, rule_read_texts, rule_read_words,
    rule_read_pattern, rule_read_tenants, rule_read_keys, rule_read_function,
    rule_read_time;
rule_writer rule_put_number, rule_put_flag, rule_put_texts, rule_put_text,
    rule_put_time;

bool rule_is_kind(const struct state_condition *c, const char *kind);
/* The part of that kind; NULL: there is none. */
const struct state_condition *rule_find(
    const struct state_condition *all, const char *kind);

#endif
