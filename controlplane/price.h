/*
 * price.h - the price table: what the program brings along, what a file said,
 * and what an operator set, in rising order of trust.
 *
 * A model is found by its name as it stands, with its provider or without, then
 * by the spellings of shared/price.h.  What is not found has no price, and what
 * has no price costs NULL.
 */
#ifndef CONTROLPLANE_PRICE_H
#define CONTROLPLANE_PRICE_H

#include <stdbool.h>
#include <stdint.h>

#include "controlplane/price_read.h"
#include "controlplane/state.h"
#include "shared/arena.h"
#include "shared/err.h"
#include "shared/json.h"
#include "shared/price.h"

struct store;
struct prices;

enum price_source { PRICE_BUILT_IN, PRICE_FILE, PRICE_OVERRIDE };

struct price_entry {
    rx_str name;     /* as in the file: "claude-sonnet-4-5", "xai/grok-4" */
    rx_str provider; /* as channels' types say; empty: not known */
    enum price_source source;
    struct rx_price price;
};

RX_NODISCARD enum rx_code prices_open(
    struct prices **out, struct store *store, struct rx_err *err);
void prices_free(struct prices *p); /* NULL is allowed */

/* The table is another in the store. */
RX_NODISCARD enum rx_code prices_reload(struct prices *p, struct rx_err *err);
/* Channels changed: what was found for them may be wrong now. */
void prices_forget_channels(struct prices *p);
uint64_t prices_version(const struct prices *p);

/* `provider` is a channel's type, or empty.  NULL: no price is known. */
const struct price_entry *prices_find(
    const struct prices *p, rx_str provider, rx_str model);
/*
 * What a request to this channel costs; false when that is not known.  Counts
 * that are absent are taken as none.
 */
bool prices_cost(struct prices *p, rx_str channel_id, rx_str model,
    const struct usage_counts *usage, struct rx_cost *out);

/* Those that data planes want, for models that channels may serve. */
RX_NODISCARD enum rx_code prices_state(struct prices *p, struct rx_arena *arena,
    struct state_settings *out, struct rx_err *err);

/* In order of names; the i-th, NULL behind the last. */
const struct price_entry *prices_at(const struct prices *p, size_t i);
/* Where `name` stands, or would stand. */
size_t prices_index(const struct prices *p, rx_str name);
void price_put(
    struct rx_json_out *w, const char *key, const struct price_entry *e);

/* ---- changes, inside a transaction ---- */

/* Put a file's prices in the place of the last file's. */
RX_NODISCARD enum rx_code prices_load(struct store *s,
    const struct price_list *list, rx_str source, rx_str digest,
    struct rx_err *err);
RX_NODISCARD enum rx_code prices_override(
    struct store *s, rx_str name, rx_str rates, struct rx_err *err);
/* RX_NOT_FOUND: there is none. */
RX_NODISCARD enum rx_code prices_override_remove(
    struct store *s, rx_str name, struct rx_err *err);
/* The newest versions as elements of an open array. */
RX_NODISCARD enum rx_code prices_put_versions(
    struct store *s, struct rx_json_out *w, struct rx_err *err);

#endif
