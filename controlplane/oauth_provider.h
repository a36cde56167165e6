/*
 * oauth_provider.h - where people log in, as data: addresses, what is asked
 * for, and in which form.
 *
 * The presets may be changed by words of the form "anthropic.token_url=https://
 * …", from the command line or the environment.
 */
#ifndef CONTROLPLANE_OAUTH_PROVIDER_H
#define CONTROLPLANE_OAUTH_PROVIDER_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/buf.h"
#include "shared/err.h"
#include "shared/json.h"
#include "shared/str.h"

/* The redirect goes to our own admin port. */
#define OAUTH_REDIRECT_LOCAL "local"
#define OAUTH_CALLBACK_PATH  "/api/oauth/callback"

struct oauth_provider {
    const char *name; /* NULL ends a list */
    const char *title;
    const char *client_id;
    const char *client_secret; /* "": a public client, as most are */
    const char *authorize_url;
    const char *token_url;
    const char *redirect_uri; /* or OAUTH_REDIRECT_LOCAL */
    const char *scope;
    const char *encoding;    /* of token requests: "json", "form" */
    const char *extra_query; /* of the authorize URL: "&code=true" */
    const char *proxy_url;   /* for token requests; "": none */
    const char *ca_file;     /* "": the system's */
    bool sends_state;        /* the token request repeats the state */
    /* What goes with a token, besides "authorization: Bearer". */
    const char *header, *header_value; /* NULL: nothing */
    const char *identity_header;       /* names the account; NULL: not wanted */
};

struct oauth_providers;

/* The presets with these changes: ';' or a line's end between them.  RX_INVALID
 * names the word that is wrong. */
RX_NODISCARD enum rx_code oauth_providers_new(struct oauth_providers **out,
    const char *const *changes, size_t count, struct rx_err *err);
void oauth_providers_free(struct oauth_providers *p); /* NULL is allowed */

/* NULL when unknown. */
const struct oauth_provider *oauth_provider_find(
    const struct oauth_providers *p, rx_str name);
/* The i-th; NULL behind the last. */
const struct oauth_provider *oauth_provider_at(
    const struct oauth_providers *p, size_t i);
/* A preset by name, whatever was changed about it; NULL when unknown. */
const struct oauth_provider *oauth_preset_find(rx_str name);

/* "redirect": the browser comes back to us; "loopback": to a port of the
 * person's own machine; "paste": a page shows what to copy. */
const char *oauth_provider_style(const struct oauth_provider *p);
/* Where the browser is sent back to. */
void oauth_provider_redirect(
    const struct oauth_provider *p, uint16_t admin_port, struct rx_buf *out);

#endif
