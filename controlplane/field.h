/*
 * field.h - what the nouns have in common: names, lists of texts, allow-lists,
 * and how they look in JSON, in the API and in the store alike.
 *
 * Readers note faults in the document (shared/json.h).  What they return lives
 * as long as the document and the arena.
 */
#ifndef CONTROLPLANE_FIELD_H
#define CONTROLPLANE_FIELD_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/arena.h"
#include "shared/json.h"
#include "shared/str.h"

/* How a body is meant. */
enum field_mode {
    FIELD_CREATE,  /* POST: what is absent gets its default */
    FIELD_REPLACE, /* PUT: the same, on an item that exists */
    FIELD_PATCH,   /* PATCH: what is absent stays */
};

/* A list of texts in the arena. */
struct field_list {
    const rx_str *at;
    size_t count;
};

/* NUL-terminated text as a view; NULL is empty. */
rx_str field_text(const char *s);
/* Copies into the arena of a call, whose sizes were bounded before. */
rx_str field_keep(struct rx_arena *arena, rx_str s);
void *field_room(struct rx_arena *arena, size_t size, size_t count);
#define field_make(arena, type, count) \
    ((type *)field_room(arena, sizeof(type), count))

/* JSON from the store, freed with the arena. */
rx_json field_parse(struct rx_arena *arena, rx_str stored);
/* Give a document to the arena. */
void field_adopt(struct rx_arena *arena, struct rx_json_doc *doc);

/*
 * A name people use.  `strict`: letters, digits, '.', '_' and '-' only, since it
 * appears in headers and in "channel/model".  Never looks like an id.
 */
bool field_read_name(
    rx_json body, enum field_mode mode, bool strict, rx_str *name);

/*
 * An array of non-empty texts without control characters, each at most
 * `max_len` bytes.  Null and, except for PATCH, absence are the empty list.
 */
void field_read_list(rx_json body, const char *name, enum field_mode mode,
    size_t max_len, struct rx_arena *arena, struct field_list *out);
/* An allow-list: ["*"] and [] are the same, and become []. */
void field_read_allowed(rx_json body, const char *name, enum field_mode mode,
    struct rx_arena *arena, struct field_list *out);
void field_put_list(
    struct rx_json_out *w, const char *key, const struct field_list *list);
/* The allow-list as it is shown: ["*"] when everything is allowed. */
void field_put_allowed(
    struct rx_json_out *w, const char *key, const struct field_list *list);

/* A list as it is stored, and back. */
rx_str field_list_text(struct rx_arena *arena, const struct field_list *list);
void field_load_list(
    struct rx_arena *arena, rx_str stored, struct field_list *out);

/* One of `words` (NULL-terminated). */
void field_read_word(
    rx_json body, const char *name, const char *const *words, rx_str *out);
/* Seconds with fraction into ms; null is 0.  At most a day. */
void field_read_seconds(rx_json body, const char *name, uint32_t *ms);
void field_put_seconds(struct rx_json_out *w, const char *key, uint64_t ms);
/* RFC 3339; null is 0. */
void field_read_time(rx_json body, const char *name, uint64_t *wall_ms);

/*
 * What we show and nobody sets: allowed in a body that was read before (PUT,
 * PATCH), and then ignored.
 */
void field_ignore(rx_json body, enum field_mode mode, const char *const *names);
/*
 * Something this version does not do.  Absent, null, {} and [] are fine; else a
 * fault, because an option that silently does nothing would be a lie.
 */
void field_refuse_unsupported(rx_json body, const char *name);

/* "…a1b2" of a secret, in the arena; shorter secrets show less. */
rx_str field_last4(struct rx_arena *arena, rx_str secret);

#endif
