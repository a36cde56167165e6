/*
 * price_read.h - prices as files and bodies have them.
 *
 * Three forms, told apart by their shape:
 *   LiteLLM      model_prices_and_context_window.json, dollars per token
 *   models.dev   api.json, dollars per million tokens, by provider
 *   Routex       {"date":…,"models":{NAME:{"provider":…,"input":"3",…}}},
 *                dollars per million tokens as decimal strings
 */
#ifndef CONTROLPLANE_PRICE_READ_H
#define CONTROLPLANE_PRICE_READ_H

#include <stddef.h>

#include "shared/arena.h"
#include "shared/json.h"
#include "shared/price.h"

#define PRICE_MODELS_MAX ((size_t)20000)

struct price_item {
    rx_str name, provider;
    struct rx_price price;
};

struct price_list {
    const char *format; /* "litellm", "models.dev", "routex" */
    struct price_item *items;
    size_t count, room;
};

/* Texts are borrowed from the document.  RX_INVALID: of no known form. */
RX_NODISCARD enum rx_code price_read_file(struct price_list *out, rx_json root,
    struct rx_arena *arena, struct rx_err *err);
/* One model in our own form; notes faults in the document. */
void price_read_one(rx_json body, rx_str name, rx_str provider,
    struct rx_arena *arena, struct rx_price *out);
/* The same form, its members into the open object. */
void price_put_rates(struct rx_json_out *w, const struct rx_price *p);
/* "google" and "vertex_ai" are gemini: the name channels have for it. */
rx_str price_provider(rx_str name);

#endif
