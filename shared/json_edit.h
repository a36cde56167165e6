/*
 * json_edit.h - change a few places of a JSON text, leave the rest as it is.
 *
 * The text is opened as a tree that is unfolded only where somebody looks.
 * What was not changed is written again byte by byte, white space and number
 * spelling included; of a container with a change in it only the changed
 * members differ.
 *
 *     struct rx_edit *root = rx_edit_open(arena, body);
 *
 *     rx_edit_set(root, "max_tokens", RX_S("4096"));
 *     rx_edit_drop(root, "seed");
 *     for (e = rx_edit_first(rx_edit_get(root, "messages")); e != NULL;
 *          e = rx_edit_next(e))
 *         ...
 *     rx_edit_print(root, &out);
 *
 * Every function minds neither a NULL node nor one of another kind: there is
 * then nothing to find and nothing to change.  Text given to be put in is JSON
 * and must live as long as the arena.  An arena past its limit and text that is
 * no JSON are noted in the document: rx_edit_bad().
 */
#ifndef SHARED_JSON_EDIT_H
#define SHARED_JSON_EDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/arena.h"
#include "shared/attr.h"
#include "shared/buf.h"
#include "shared/json_span.h"
#include "shared/str.h"

struct rx_edit;

/* NULL when the arena is full.  `text` must outlive the tree. */
struct rx_edit *rx_edit_open(struct rx_arena *arena, rx_str text);
/* Did the text turn out not to be JSON, as far as it was looked at? */
bool rx_edit_bad(const struct rx_edit *node);
/* Was anything in this tree changed since it was opened? */
bool rx_edit_changed(const struct rx_edit *root);
/* Append the text as it is now. */
void rx_edit_print(const struct rx_edit *node, struct rx_buf *out);
struct rx_arena *rx_edit_arena(const struct rx_edit *node);

/* ---- looking ---- */

enum rx_span_kind rx_edit_kind(const struct rx_edit *node);
/* The value as text: as it came, or printed into the arena if changed. */
rx_str rx_edit_text(const struct rx_edit *node);
/* Of members with the same name the last one, as with most parsers. */
struct rx_edit *rx_edit_get(struct rx_edit *object, const char *name);
/* The same with a name of any bytes, not escaped. */
struct rx_edit *rx_edit_member(struct rx_edit *object, rx_str name);
struct rx_edit *rx_edit_first(struct rx_edit *container);
struct rx_edit *rx_edit_last(struct rx_edit *container);
struct rx_edit *rx_edit_next(const struct rx_edit *node);
struct rx_edit *rx_edit_prev(const struct rx_edit *node);
struct rx_edit *rx_edit_parent(const struct rx_edit *node);
size_t rx_edit_count(struct rx_edit *container);
/* Of a member, without quotes, still escaped; empty for an element. */
rx_str rx_edit_key(const struct rx_edit *node);
bool rx_edit_key_is(const struct rx_edit *node, const char *name);
/* Of a string: its inside, still escaped; decoded into the arena; compared. */
rx_str rx_edit_escaped(const struct rx_edit *node);
rx_str rx_edit_plain(const struct rx_edit *node);
bool rx_edit_is(const struct rx_edit *node, const char *plain);
/* False when it is no number (or no whole one). */
bool rx_edit_number(const struct rx_edit *node, double *out);
bool rx_edit_u64(const struct rx_edit *node, uint64_t *out);
/* Is it `true`? */
bool rx_edit_true(const struct rx_edit *node);
/* Is it there, and not null? */
bool rx_edit_there(const struct rx_edit *node);

/* ---- changing ---- */

/* Replace the value, in its place. */
void rx_edit_put(struct rx_edit *node, rx_str json);
/* Set member `name`: in its place if it is there, else at the end.  Gives the
 * member; NULL when `object` is none. */
struct rx_edit *rx_edit_set(
    struct rx_edit *object, const char *name, rx_str json);
struct rx_edit *rx_edit_set_member(
    struct rx_edit *object, rx_str name, rx_str json);
/* Remove every member of that name.  False when there was none. */
bool rx_edit_drop(struct rx_edit *object, const char *name);
/* Another name for a member; if there is one called so, it wins. */
void rx_edit_rename(struct rx_edit *object, const char *from, const char *to);
/* Take the node out of its container. */
void rx_edit_remove(struct rx_edit *node);
/* New elements of an array: at its end, or before one of its elements. */
struct rx_edit *rx_edit_append(struct rx_edit *array, rx_str json);
struct rx_edit *rx_edit_insert(struct rx_edit *before, rx_str json);

/* ---- making text ---- */

/* JSON text in the arena; empty, and noted, when there is no room. */
rx_str rx_edit_format(const struct rx_edit *any, const char *fmt, ...)
    RX_PRINTF(2, 3);
/* `plain` as a JSON string, quotes included. */
rx_str rx_edit_quote(const struct rx_edit *any, rx_str plain);
/* The pieces, one behind the other. */
rx_str rx_edit_join(const struct rx_edit *any, const rx_str *at, size_t count);

#endif
