/*
 * session.h - which conversation a request belongs to, and where it sits.
 *
 * The provider's prompt cache makes the second question of a conversation
 * cheap, if it goes where the first went.  The key comes from what clients send
 * (reference: the order of names in session.c); the table of pins is bounded,
 * the longest unused goes first.
 */
#ifndef DATAPLANE_SESSION_H
#define DATAPLANE_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/attr.h"
#include "shared/httpd.h"
#include "shared/str.h"

/* A digest of the tenant and the conversation's name; a value. */
struct session_key {
    unsigned char bytes[16]; /* all zero: no conversation is known */
};
bool session_known(const struct session_key *key);
uint64_t session_hash(const struct session_key *key); /* 0: not known */

/* What a key is made from; all borrowed. */
struct session_source {
    rx_str tenant;
    const struct rx_httpd_head *head;
    rx_str user_id;          /* metadata.user_id, decoded; may be empty */
    rx_str prompt_cache_key; /* decoded */
    rx_str messages;         /* as they stand, for the user's first */
};
struct session_key session_key_of(const struct session_source *s);
/*
 * A response the provider keeps under this id: who goes on from it, or fetches
 * it, has to be sent to the account that made it.
 */
struct session_key session_of_response(rx_str tenant, rx_str id);
/* The session in a metadata.user_id: JSON's session_id, or the tail of
 * "user_…_session_<id>"; empty when it names none. */
rx_str session_in_user_id(rx_str user_id);

/* ---- pins ------------------------------------------------------------------ */

struct session_pin {
    rx_str channel, credential; /* ids; views into the table */
    uint64_t until_ms;          /* loop time */
    uint64_t told_ms;           /* to the other planes; 0: never */
    uint32_t cold;              /* answers in a row that read no cache */
};

struct sessions;
RX_NODISCARD struct sessions *sessions_new(size_t most);
void sessions_free(struct sessions *s);
size_t sessions_count(const struct sessions *s);

/* NULL: it sits nowhere.  Valid until the table changes. */
const struct session_pin *sessions_find(
    struct sessions *s, const struct session_key *key, uint64_t now);
/* It sits there from now on (or still), for another ttl. */
void sessions_pin(struct sessions *s, const struct session_key *key,
    rx_str channel, rx_str credential, uint64_t now, uint64_t ttl_ms);
/* The same, as another plane says. */
void sessions_hear(struct sessions *s, const struct session_key *key,
    rx_str channel, rx_str credential, uint64_t now, uint64_t ttl_ms);
void sessions_drop(struct sessions *s, const struct session_key *key);
/*
 * An answer from there read so many tokens from the cache.  A pin that never
 * reads any is not worth keeping: after three in a row it is dropped.
 */
void sessions_note_cache(
    struct sessions *s, const struct session_key *key, uint64_t read);
/* Is it time to tell the others?  Counts as told. */
bool sessions_should_tell(
    struct sessions *s, const struct session_key *key, uint64_t now);

#endif
