/*
 * json.h - JSON documents: door to cJSON.
 *
 * Reading.  rx_json_parse() accepts RFC 8259 and nothing beyond it, within
 * limits on depth and number of values.  What comes out are rx_json values:
 * small, passed by copy, borrowed from the document.
 *
 * A document notes what was found wrong with its content (its *faults*, each
 * with the path of the field), so a reader asks for all it wants and looks once:
 *
 *     rx_json body = rx_json_root(doc);
 *     rx_json_need_str(body, "name", &name);
 *     rx_json_get_u64(body, "weight", 1, 1000, &weight);
 *     rx_json_no_more(body);            // members nobody asked for: a fault
 *     if (rx_json_fault(doc) != NULL)   // "weight", "must be 1 to 1000"
 *         ...
 *
 * Writing goes straight into a rx_buf; commas and quotes are the writer's.
 *
 *     struct rx_json_out w = rx_json_out(&buf);
 *     rx_json_open_object(&w, NULL);
 *     rx_json_put_str(&w, "name", name);
 *     rx_json_open_array(&w, "tags");
 *     rx_json_put_text(&w, NULL, "eu");   // no key: an element
 *     rx_json_close(&w);
 *     rx_json_close(&w);                  // {"name":"…","tags":["eu"]}
 */
#ifndef SHARED_JSON_H
#define SHARED_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/attr.h"
#include "shared/buf.h"
#include "shared/err.h"
#include "shared/str.h"

/* No document nests deeper, whatever its limits say. */
#define RX_JSON_DEPTH_MAX 48

/* Integers are exact up to here, in both directions. */
#define RX_JSON_INT_MAX ((uint64_t)1 << 53)

struct rx_json_doc;

enum rx_json_kind {
    RX_JSON_NONE, /* not there */
    RX_JSON_NULL,
    RX_JSON_BOOL,
    RX_JSON_NUMBER,
    RX_JSON_STRING,
    RX_JSON_ARRAY,
    RX_JSON_OBJECT,
};

/* A value of a document.  Valid until the document is freed. */
typedef struct rx_json {
    struct rx_json_doc *doc;
    void *node; /* NULL: not there */
} rx_json;

struct rx_json_limits {
    size_t depth;  /* nested arrays and objects; 0: RX_JSON_DEPTH_MAX */
    size_t values; /* in all; 0: 100000 */
};

/*
 * Read a whole document; `limits` may be NULL.  The caller owns *out and ends
 * it with rx_json_free().  RX_INVALID says what is wrong at which byte; RX_TOO_BIG
 * when a limit is passed.  The escape of U+0000 in a string is refused.
 */
RX_NODISCARD enum rx_code rx_json_parse(struct rx_json_doc **out, rx_str text,
    const struct rx_json_limits *limits, struct rx_err *err);
/* Is it a document that rx_json_parse() would accept? */
RX_NODISCARD enum rx_code rx_json_check(
    rx_str text, const struct rx_json_limits *limits, struct rx_err *err);
void rx_json_free(struct rx_json_doc *doc); /* NULL is allowed */

rx_json rx_json_root(struct rx_json_doc *doc);
enum rx_json_kind rx_json_kind(rx_json v);
/* "a string", "an object" ... for messages */
const char *rx_json_kind_words(enum rx_json_kind kind);
static inline bool
rx_json_there(rx_json v)
{
    return v.node != NULL;
}

/* Elements of an array or members of an object. */
size_t rx_json_count(rx_json v);
rx_json rx_json_first(rx_json v); /* not there when empty or no container */
rx_json rx_json_next(rx_json v);
rx_str rx_json_name(rx_json v); /* of a member; empty for an element */

/* The value itself; empty, 0 or false when it is of another kind. */
rx_str rx_json_str(rx_json v);
bool rx_json_bool(rx_json v);
double rx_json_number(rx_json v);
/* False when it is no whole number from 0 to RX_JSON_INT_MAX. */
bool rx_json_u64(rx_json v, uint64_t *out);

/* Member `name`, or not there.  It then counts as asked for. */
rx_json rx_json_member(rx_json object, const char *name);
/*
 * From now on members are also found under the camelCase form of their name:
 * "base_url" as "baseUrl".
 */
void rx_json_accept_camel(struct rx_json_doc *doc);
/*
 * By path: members by name, elements by number: "data.0.name".  For reading
 * documents whose shape is known; notes no faults.
 */
rx_json rx_json_find(rx_json v, const char *path);

/*
 * rx_json_get_x: read member `name` of `object`.  True when it is there.
 * False and *out untouched when it is absent or null.  False and a fault when
 * it is of another kind or out of range.
 * rx_json_need_x: the same, but absent, null and the empty string are faults.
 */
bool rx_json_get_str(rx_json object, const char *name, rx_str *out);
bool rx_json_get_bool(rx_json object, const char *name, bool *out);
bool rx_json_get_u64(rx_json object, const char *name, uint64_t min,
    uint64_t max, uint64_t *out);
bool rx_json_get_i64(
    rx_json object, const char *name, int64_t min, int64_t max, int64_t *out);
bool rx_json_get_number(
    rx_json object, const char *name, double min, double max, double *out);
bool rx_json_get_array(rx_json object, const char *name, rx_json *out);
bool rx_json_get_object(rx_json object, const char *name, rx_json *out);
bool rx_json_need_str(rx_json object, const char *name, rx_str *out);

/* Check the kind of a value of its own (an element): a fault if not `kind`. */
bool rx_json_want(rx_json v, enum rx_json_kind kind);
/* Members of `object` that nobody asked for, or that are there twice. */
void rx_json_no_more(rx_json object);
/* Note a fault of the caller's finding; a field keeps its first one. */
void rx_json_wrong(rx_json v, const char *fmt, ...) RX_PRINTF(2, 3);
/* The same for member `name` of `object`, there or not. */
void rx_json_wrong_member(
    rx_json object, const char *name, const char *fmt, ...) RX_PRINTF(3, 4);

struct rx_json_fault {
    char field[128]; /* "models[2].upstream"; empty: the document */
    char text[160];  /* "must be a string" */
};
/* The first fault noted, or NULL. */
const struct rx_json_fault *rx_json_fault(const struct rx_json_doc *doc);
/* All of them, one per field and at most 100, in the order they were found. */
size_t rx_json_fault_count(const struct rx_json_doc *doc);
const struct rx_json_fault *rx_json_fault_at(
    const struct rx_json_doc *doc, size_t i);

/* Length of the UTF-8 sequence `s` begins with; 0 when it begins with none. */
size_t rx_json_rune(rx_str s);

/* Write `v` again, without blanks, or indented by two for people. */
void rx_json_print(rx_json v, bool pretty, struct rx_buf *out);

/* ---- writing ---- */

struct rx_json_out {
    struct rx_buf *buf;
    unsigned depth;
    uint64_t arrays; /* bit d: what is open at depth d is an array */
    uint64_t filled; /* bit d: it holds something already */
};

/* Write into `buf`; whether all fitted is buf->full at the end. */
struct rx_json_out rx_json_out(struct rx_buf *buf);
/* `key` names a member; NULL for an element or the document itself. */
void rx_json_open_object(struct rx_json_out *w, const char *key);
void rx_json_open_array(struct rx_json_out *w, const char *key);
void rx_json_close(struct rx_json_out *w);
/* Bytes that are not UTF-8 become U+FFFD: what is written is always JSON. */
void rx_json_put_str(struct rx_json_out *w, const char *key, rx_str s);
void rx_json_put_text(struct rx_json_out *w, const char *key, const char *s);
void rx_json_put_u64(struct rx_json_out *w, const char *key, uint64_t n);
void rx_json_put_i64(struct rx_json_out *w, const char *key, int64_t n);
/* Shortest text that reads back the same; null when it is not finite. */
void rx_json_put_number(struct rx_json_out *w, const char *key, double n);
void rx_json_put_bool(struct rx_json_out *w, const char *key, bool yes);
void rx_json_put_null(struct rx_json_out *w, const char *key);
/* RFC 3339 of a wall clock time; null for 0. */
void rx_json_put_time(struct rx_json_out *w, const char *key, uint64_t wall_ms);
/* Text that is JSON already. */
void rx_json_put_raw(struct rx_json_out *w, const char *key, rx_str json);
void rx_json_put_value(struct rx_json_out *w, const char *key, rx_json v);

#endif
