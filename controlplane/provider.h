/*
 * provider.h - what a channel's type means: where it is, which dialects it
 * speaks there, how it takes its key, and what it wants differently.
 */
#ifndef CONTROLPLANE_PROVIDER_H
#define CONTROLPLANE_PROVIDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/arena.h"
#include "shared/json.h"
#include "shared/str.h"

struct provider_endpoint {
    const char *dialect; /* NULL ends the list */
    const char *auth;
    const char *path; /* behind the base URL; NULL: nothing */
};

/* The cheapest request that shows whether address and key are good. */
struct provider_probe {
    const char *dialect; /* whose endpoint and auth it uses */
    const char *path;    /* a GET; joined to the base URL */
};

/* A model people use there; tokens, 0: not known for sure. */
struct provider_model {
    const char *name; /* NULL ends the list */
    uint64_t context, max_output;
};

/* Where a subscription's usage is told: see window_read_usage(). */
struct provider_usage {
    const char *path;       /* a GET with the key as bearer */
    const char *key_prefix; /* of keys that are a subscription's */
    const char *header;     /* besides; NULL: none */
};

#define PROVIDER_ENDPOINTS_MAX 5
struct provider {
    const char *type;
    const char *title;
    const char *base_url; /* "": the channel must bring its own */
    struct provider_endpoint endpoints[PROVIDER_ENDPOINTS_MAX];
    bool key_required;
    const char *key_env;      /* whose presence makes a channel; NULL: none */
    const char *key_url;      /* where people get a key; "" if nowhere */
    const char *oauth;        /* whose accounts may serve it; NULL: none */
    const char *transformers; /* as JSON; NULL: none */
    /* The transformer that is told the project of a service account's key;
     * NULL: none. */
    const char *account_step;
    const struct provider_model *models; /* NULL: none to tell */
    const struct provider_usage *usage;  /* NULL: it does not tell */
    const char *help;
};

/* Ends with a NULL type. */
extern const struct provider providers[];
/* NULL when unknown. */
const struct provider *provider_find(rx_str type);

/* Where that endpoint is, below the base URL of a channel. */
rx_str provider_address(struct rx_arena *arena, const struct provider *p,
    const struct provider_endpoint *e, rx_str base_url);
/* All about it, as GET /api/providers shows it. */
void provider_put(
    struct rx_json_out *w, const char *key, const struct provider *p);

/* What a dialect's endpoints look like; NULL when there is no such dialect. */
const struct provider_probe *provider_probe_for(rx_str dialect);
/* How a key is sent in that dialect unless said otherwise. */
const char *provider_auth_for(rx_str dialect);
bool provider_auth_known(rx_str auth);

#endif
