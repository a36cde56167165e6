/*
 * config_kind.h - the kinds of config.h, one or two to a file, and what they
 * have in common.
 */
#ifndef CONTROLPLANE_CONFIG_KIND_H
#define CONTROLPLANE_CONFIG_KIND_H

#include "controlplane/config.h"

#define CONFIG_PAGE 200

extern const struct config_kind config_accounts, config_keys, config_agents,
    config_prices, config_webhooks, config_tees, config_users;

struct config_items {
    void **at;
    size_t count, room;
};
void config_items_add(
    struct rx_arena *arena, struct config_items *list, void *item);

/* A page by name, whatever the noun; `name` says where the next begins. */
typedef enum rx_code config_page_fn(struct config_run *run, rx_str after,
    void **out, size_t *count, struct rx_err *err);
RX_NODISCARD enum rx_code config_list_by_name(struct config_run *run,
    config_page_fn *page, rx_str (*name_of)(const void *noun), void ***out,
    size_t *count, struct rx_err *err);

/* The item of that name; none is no failure. */
RX_NODISCARD enum rx_code config_or_none(enum rx_code code, const void *found,
    rx_str name, rx_str (*name_of)(const void *noun), void **out,
    struct rx_err *err);
rx_str config_wanted_name(rx_json body);

#endif
