/*
 * script.h - small functions somebody else wrote in Lua: door to Lua 5.4.
 *
 * A script is the body of a function, or a chunk that returns one.  Each has an
 * interpreter of its own and sees nothing but what is put before a run: no
 * files, no other code, no clock.  Every run may take so many steps, so much
 * memory and so much time; one that takes more is ended, whatever it catches.
 * Nothing it leaves behind is there at the next run.
 *
 *     rx_script_begin(s);
 *     rx_script_open(s, NULL);              // first argument: a table
 *     rx_script_put_str(s, "model", model);
 *     rx_script_close(s);
 *     if (rx_script_run(s, &result, &err) == RX_OK)
 *         ...
 */
#ifndef SHARED_SCRIPT_H
#define SHARED_SCRIPT_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/err.h"
#include "shared/str.h"

#define RX_SCRIPT_SOURCE_MAX ((size_t)64 * 1024)
#define RX_SCRIPT_TEXT_MAX   ((size_t)256) /* of a text it returns */

struct rx_script;

struct rx_script_limits { /* 0: the default */
    uint32_t steps;       /* instructions; 50000, about a millisecond */
    uint32_t wall_ms;     /* when steps are long ones; 5 */
    uint32_t bytes;       /* in use at a time; 1 MiB */
};

/* RX_INVALID: it is no Lua.  `limits` may be NULL.  The caller owns *out. */
RX_NODISCARD enum rx_code rx_script_new(struct rx_script **out, rx_str source,
    const struct rx_script_limits *limits, struct rx_err *err);
void rx_script_free(struct rx_script *s); /* NULL is allowed */

/*
 * The arguments of the next run, one after the other.  `name` names a member of
 * the table that is open; NULL is its next element, or the next argument.
 */
void rx_script_begin(struct rx_script *s);
void rx_script_open(struct rx_script *s, const char *name);
void rx_script_close(struct rx_script *s);
void rx_script_put_str(struct rx_script *s, const char *name, rx_str value);
void rx_script_put_number(struct rx_script *s, const char *name, int64_t value);
void rx_script_put_bool(struct rx_script *s, const char *name, bool value);

struct rx_script_result {
    bool yes; /* it returned something but false and nil */
    size_t text_count;
    rx_str texts[2]; /* the texts it returned; valid until the next begin */
};

/* RX_INVALID: an error of the script; RX_LIMITED: it took too much. */
RX_NODISCARD enum rx_code rx_script_run(
    struct rx_script *s, struct rx_script_result *out, struct rx_err *err);

/* Of the last run. */
uint32_t rx_script_steps(const struct rx_script *s);

#endif
