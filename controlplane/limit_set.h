/*
 * limit_set.h - what a tenant or a key may use: the `limits` of their bodies,
 * and the addresses it may be used from.
 *
 *   {"requests_per_min":600,"tokens_per_min":2000000,"concurrent":50,
 *    "quota":{"tokens":1000000,"window":"day"},
 *    "budget":{"amount_usd":"500.00","window":"month"}}
 */
#ifndef CONTROLPLANE_LIMIT_SET_H
#define CONTROLPLANE_LIMIT_SET_H

#include "controlplane/field.h"
#include "controlplane/state.h"
#include "shared/json.h"

/* Names of the kinds, as they stand in the body. */
const char *limit_set_name(enum state_limit kind);

/* For PATCH what is absent stays, and null takes it away. */
void limit_set_read(
    rx_json body, enum field_mode mode, struct state_limits *set);
void limit_set_put(
    struct rx_json_out *w, const char *key, const struct state_limits *set);

/* As it is stored, and back. */
rx_str limit_set_text(struct rx_arena *arena, const struct state_limits *set);
void limit_set_load(
    struct rx_arena *arena, rx_str stored, struct state_limits *set);

/* "ips": addresses and networks; ["*"] and [] are anywhere. */
void limit_set_read_ips(rx_json body, enum field_mode mode,
    struct rx_arena *arena, struct field_list *out);

#endif
