/*
 * walk.h - a JSON object into a struct, by a table.
 *
 *     static const struct walk_row rows[] = {
 *         WALK_ROW(TEXT, struct delta, "text", text),
 *         WALK_ROW(RAW, struct delta, "citation", citation),
 *     };
 *     struct delta d = { 0 };
 *     WALK(&j, rows, &d);
 *
 * What the table does not name is passed unread; null leaves a field as it is.
 */
#ifndef DATAPLANE_CODEC_WALK_H
#define DATAPLANE_CODEC_WALK_H

#include <stddef.h>

#include "shared/attr.h"
#include "shared/json_span.h"
#include "shared/str.h"

enum walk_how {
    WALK_TEXT,   /* rx_str: inside of a string */
    WALK_RAW,    /* rx_str: any value's source */
    WALK_NUMBER, /* rx_str: a number as it is spelt */
    WALK_INT,    /* struct ir_int */
    WALK_TRI,    /* enum ir_tri: a boolean */
    WALK_BOOL,   /* bool */
};

struct walk_row {
    rx_str name;
    enum walk_how how;
    size_t offset;
};

#define WALK_ROW(how, type, name, member)                            \
    {                                                                \
        RX_STR_INIT(name), WALK_##how, offsetof(struct type, member) \
    }

/*
 * Read the object at the cursor (another kind of value is passed).  Returns
 * the row whose value was of the wrong kind, the first if several; else NULL.
 */
const struct walk_row *walk_object(
    struct rx_span *j, const struct walk_row *rows, size_t n, void *to);
/* The same for a value handed out by a walk or a skip. */
const struct walk_row *walk_value(
    rx_str value, const struct walk_row *rows, size_t n, void *to);

#define WALK(j, rows, to)           walk_object(j, rows, RX_COUNT(rows), to)
#define WALK_VALUE(value, rows, to) walk_value(value, rows, RX_COUNT(rows), to)

/* Begin to go through an array; false when the value is none. */
bool walk_array(struct rx_span *j, rx_str value);
/* The next element's source. */
bool walk_next(struct rx_span *j, rx_str *element);

/* Where the value at the cursor begins; nothing of it is passed. */
rx_str walk_here(struct rx_span *j);

/* What is inside the quotes of a string's source; empty for other values. */
rx_str walk_text(rx_str value);

#endif
