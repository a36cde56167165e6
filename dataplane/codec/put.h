/*
 * put.h - JSON, written into a buffer.
 *
 * The comma looks after itself: one is put unless the byte before begins
 * something ('{', '[', ':' or a blank).  Values never end so.
 *
 *     put_open(b, '{');
 *     put_member(b, "type", part->type);      // text: is escaped already
 *     put_key(b, "source");
 *     put_open(b, '{');
 *     ...
 */
#ifndef DATAPLANE_CODEC_PUT_H
#define DATAPLANE_CODEC_PUT_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/buf.h"
#include "shared/str.h"

/* Begin a value: the comma, if one is due. */
void put_comma(struct rx_buf *b);
void put_open(struct rx_buf *b, char bracket);
void put_close(struct rx_buf *b, char bracket);
void put_name(struct rx_buf *b, rx_str name); /* a key */
void put_raw(struct rx_buf *b, rx_str raw);
void put_text(struct rx_buf *b, rx_str text);   /* escaped; in quotes */
void put_plain(struct rx_buf *b, rx_str plain); /* to be escaped */
void put_u64(struct rx_buf *b, uint64_t n);
void put_bool(struct rx_buf *b, bool yes);
void put_null(struct rx_buf *b);

/* Names and words are literals mostly: their lengths are constants here. */
static inline void
put_key(struct rx_buf *b, const char *name)
{
    put_name(b, rx_str_of(name));
}

static inline void
put_word(struct rx_buf *b, const char *word)
{
    put_text(b, rx_str_of(word));
}

/* ---- key and value ----------------------------------------------------- */

static inline void
put_member(struct rx_buf *b, const char *name, rx_str text)
{
    put_key(b, name);
    put_text(b, text);
}

static inline void
put_member_word(struct rx_buf *b, const char *name, const char *word)
{
    put_key(b, name);
    put_word(b, word);
}

static inline void
put_member_raw(struct rx_buf *b, const char *name, rx_str raw)
{
    put_key(b, name);
    put_raw(b, raw);
}

static inline void
put_member_u64(struct rx_buf *b, const char *name, uint64_t n)
{
    put_key(b, name);
    put_u64(b, n);
}

static inline void
put_member_bool(struct rx_buf *b, const char *name, bool yes)
{
    put_key(b, name);
    put_bool(b, yes);
}

static inline void
put_member_null(struct rx_buf *b, const char *name)
{
    put_key(b, name);
    put_null(b);
}

static inline void
put_member_open(struct rx_buf *b, const char *name, char bracket)
{
    put_key(b, name);
    put_open(b, bracket);
}

/* Nothing if the view is empty. */
static inline void
put_member_if(struct rx_buf *b, const char *name, rx_str text)
{
    if (text.len > 0)
        put_member(b, name, text);
}

static inline void
put_member_raw_if(struct rx_buf *b, const char *name, rx_str raw)
{
    if (raw.len > 0)
        put_member_raw(b, name, raw);
}

struct ir_args;
struct rx_arena;
/*
 * Tool arguments where a string is wanted: the inside of it, without quotes.
 */
void put_args_text(struct rx_buf *b, const struct ir_args *args);
/*
 * Tool arguments where an object is wanted: {} for nothing; what is no object
 * is wrapped, not repaired (wire.md 3.7).  False when it had to be.
 */
bool put_args_object(struct rx_buf *b, const struct ir_args *args);

#endif
