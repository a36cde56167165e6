/*
 * table.h - answers of the admin API for people: aligned columns.
 */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/buf.h"
#include "shared/json.h"

/* How a value is written. */
enum table_kind {
    TABLE_TEXT,
    TABLE_STATE,  /* a word with a colour: enabled, paused, failed ... */
    TABLE_NUMBER, /* right-aligned, thousands apart */
    TABLE_MONEY,  /* "0.0042" -> "$0.0042" */
    TABLE_TIME,   /* RFC 3339 -> "2026-11-21 23:50:48" */
    TABLE_MS,     /* 1234 -> "1.23 s" */
    TABLE_LIST,   /* elements or their names, with commas */
    TABLE_COUNT,  /* how many elements */
};

struct table_column {
    const char *title;
    const char *path; /* as in rx_json_find(); NULL ends the columns */
    enum table_kind kind;
};

/* Rows are the elements of `list`.  Says "none" when there are none. */
void table_print(struct rx_buf *out, const struct table_column *columns,
    rx_json list, bool colour);
/* One object, a line per column; absent values are left out. */
void table_print_one(struct rx_buf *out, const struct table_column *columns,
    rx_json object, bool colour);

/* One value as it would stand in a cell, without colour. */
void table_value(struct rx_buf *out, rx_json value, enum table_kind kind);
/* Columns that a text takes on a terminal. */
size_t table_width(rx_str text);
/* The escape sequence that begins the colour of a state word; "" for none. */
const char *table_colour(rx_str word);
#define TABLE_PLAIN "\033[0m"

#endif
