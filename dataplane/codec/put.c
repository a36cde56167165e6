#include "dataplane/codec/put.h"

#include <string.h>

#include "dataplane/codec/ir.h"
#include "shared/json.h"
#include "shared/json_span.h"

/* Does what is in front of a value want a comma behind it? */
static bool
wants_comma(const struct rx_buf *b)
{
    switch (b->len > 0 ? b->ptr[b->len - 1] : ' ') {
    case '{':
    case '[':
    case ':':
    case ' ':
    case '\n': return false;
    default: return true;
    }
}

void
put_comma(struct rx_buf *b)
{
    if (wants_comma(b))
        rx_buf_addc(b, ',');
}

/* A string, its comma before it and `behind` after it, all at once. */
static void
put_quoted(struct rx_buf *b, rx_str text, rx_str behind)
{
    char *room = rx_buf_room(b, text.len + behind.len + 2);
    char *to = room;

    if (to == NULL)
        return;
    if (wants_comma(b))
        *to++ = ',';
    *to++ = '"';
    if (text.len > 0)
        memcpy(to, text.ptr, text.len);
    memcpy(to + text.len, behind.ptr, behind.len);
    rx_buf_grew(b, (size_t)(to - room) + text.len + behind.len);
}

void
put_open(struct rx_buf *b, char bracket)
{
    put_comma(b);
    rx_buf_addc(b, bracket);
}

void
put_close(struct rx_buf *b, char bracket)
{
    rx_buf_addc(b, bracket);
}

void
put_name(struct rx_buf *b, rx_str name)
{
    put_quoted(b, name, RX_S("\":"));
}

void
put_raw(struct rx_buf *b, rx_str raw)
{
    put_comma(b);
    rx_buf_add(b, raw);
}

void
put_text(struct rx_buf *b, rx_str text)
{
    put_quoted(b, text, RX_S("\""));
}

void
put_plain(struct rx_buf *b, rx_str plain)
{
    put_comma(b);
    rx_buf_addc(b, '"');
    rx_buf_add_json(b, plain);
    rx_buf_addc(b, '"');
}

void
put_u64(struct rx_buf *b, uint64_t n)
{
    put_comma(b);
    rx_buf_add_u64(b, n);
}

void
put_bool(struct rx_buf *b, bool yes)
{
    put_raw(b, yes ? RX_S("true") : RX_S("false"));
}

void
put_null(struct rx_buf *b)
{
    put_raw(b, RX_S("null"));
}

void
put_args_text(struct rx_buf *b, const struct ir_args *args)
{
    if (args->escaped)
        rx_buf_add(b, args->s);
    else
        rx_buf_add_json(b, args->s);
}

static rx_str
trim(rx_str s)
{
    while (s.len > 0 && memchr(" \t\r\n", s.ptr[0], 4) != NULL)
        s = (rx_str){ s.ptr + 1, s.len - 1 };
    while (s.len > 0 && memchr(" \t\r\n", s.ptr[s.len - 1], 4) != NULL)
        s.len--;
    return s;
}

/* JSON that may be no object. */
static bool
put_value(struct rx_buf *b, rx_str json, rx_str text)
{
    json = trim(json);
    if (json.len == 0) {
        put_raw(b, RX_S("{}"));
        return true;
    }
    /* Strictly: one bad number in it would spoil the whole request. */
    bool whole = rx_json_check(json, NULL, NULL) == RX_OK;
    if (whole && rx_span_kind_of(json) == RX_SPAN_OBJECT) {
        put_raw(b, json);
        return true;
    }
    put_open(b, '{');
    if (whole) {
        put_member_raw(b, "value", json);
    } else {
        put_key(b, "_raw_arguments");
        put_text(b, text);
    }
    put_close(b, '}');
    return false;
}

bool
put_args_object(struct rx_buf *b, const struct ir_args *args)
{
    struct rx_buf json;

    if (!args->escaped)
        return put_value(b, args->s, RX_S(""));
    rx_buf_init(&json, args->s.len + 1);
    bool ok = rx_span_unescape(args->s, &json);
    rx_str inner = trim(rx_buf_str(&json));
    /* An object in a string in a string: some models do that. */
    if (ok && rx_span_kind_of(inner) == RX_SPAN_STRING &&
        rx_span_whole(inner)) {
        struct ir_args again = { { inner.ptr + 1, inner.len - 2 }, true };
        struct rx_buf twice;
        rx_buf_init(&twice, inner.len);
        if (rx_span_unescape(again.s, &twice) &&
            rx_span_kind_of(rx_buf_str(&twice)) == RX_SPAN_OBJECT &&
            rx_span_whole(rx_buf_str(&twice)))
            inner = rx_buf_str(&twice);
        ok = put_value(b, inner, args->s);
        rx_buf_fini(&twice);
    } else {
        ok = put_value(b, ok ? inner : RX_S("?"), args->s);
    }
    rx_buf_fini(&json);
    return ok;
}
