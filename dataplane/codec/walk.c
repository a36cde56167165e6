#include "dataplane/codec/walk.h"

#include "dataplane/codec/ir.h"

static bool
take_int(struct rx_span *j, struct ir_int *out)
{
    rx_str text;
    uint64_t n;
    struct rx_span again = *j;

    if (rx_span_u64(&again, &n) && n <= INT64_MAX) {
        *j = again;
        *out = (struct ir_int){ true, (int64_t)n };
        return true;
    }
    if (!rx_span_number(j, &text) || text.len < 2 || text.ptr[0] != '-' ||
        !rx_str_u64((rx_str){ text.ptr + 1, text.len - 1 }, &n) ||
        n > INT64_MAX)
        return false;
    *out = (struct ir_int){ true, -(int64_t)n };
    return true;
}

static bool
take(struct rx_span *j, const struct walk_row *row, void *to)
{
    void *at = (char *)to + row->offset;
    bool yes;

    switch (row->how) {
    case WALK_TEXT: return rx_span_string(j, at);
    case WALK_RAW: return rx_span_skip(j, at);
    case WALK_NUMBER: return rx_span_number(j, at);
    case WALK_INT: return take_int(j, at);
    case WALK_TRI:
        if (!rx_span_bool(j, &yes))
            return false;
        *(enum ir_tri *)at = yes ? IR_YES : IR_NO;
        return true;
    case WALK_BOOL: return rx_span_bool(j, at);
    }
    return false;
}

static const struct walk_row *
find(const struct rx_span *j, const struct walk_row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (rx_span_key_is(j, rows[i].name))
            return &rows[i];
    }
    return NULL;
}

const struct walk_row *
walk_object(struct rx_span *j, const struct walk_row *rows, size_t n, void *to)
{
    const struct walk_row *wrong = NULL;

    if (rx_span_kind(j) != RX_SPAN_OBJECT) {
        rx_span_skip(j, NULL);
        return NULL;
    }
    rx_span_enter_object(j);
    while (rx_span_member(j, NULL)) {
        const struct walk_row *row = find(j, rows, n);
        if (row == NULL || rx_span_kind(j) == RX_SPAN_NULL)
            rx_span_skip(j, NULL);
        else if (!take(j, row, to) && wrong == NULL)
            wrong = row;
    }
    return wrong;
}

const struct walk_row *
walk_value(rx_str value, const struct walk_row *rows, size_t n, void *to)
{
    struct rx_span j;

    rx_span_init(&j, value);
    return walk_object(&j, rows, n, to);
}

bool
walk_array(struct rx_span *j, rx_str value)
{
    rx_span_init(j, value);
    return rx_span_kind(j) == RX_SPAN_ARRAY && rx_span_enter_array(j);
}

bool
walk_next(struct rx_span *j, rx_str *element)
{
    return rx_span_element(j) && rx_span_skip(j, element);
}

rx_str
walk_here(struct rx_span *j)
{
    (void)rx_span_kind(j); /* past the blanks */
    return (rx_str){ j->at, 0 };
}

rx_str
walk_text(rx_str value)
{
    if (value.len < 2 || value.ptr[0] != '"')
        return (rx_str){ 0 };
    return (rx_str){ value.ptr + 1, value.len - 2 };
}
