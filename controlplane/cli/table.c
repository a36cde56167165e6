#include "controlplane/cli/table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OUT_MAX     ((size_t)64 << 20)
#define COLUMNS_MAX 16
#define GAP         2

#define GREEN  "\033[32m"
#define YELLOW "\033[33m"
#define RED    "\033[31m"

static const struct {
    const char *word;
    const char *colour;
} states[] = {
    { "enabled", GREEN },
    { "ok", GREEN },
    { "in_sync", GREEN },
    { "healthy", GREEN },
    { "connected", GREEN },
    { "yes", GREEN },
    { "paused", YELLOW },
    { "behind", YELLOW },
    { "left", YELLOW },
    { "degraded", YELLOW },
    { "warn", YELLOW },
    { "cancelled", YELLOW },
    { "partial", YELLOW },
    { "disabled", RED },
    { "fail", RED },
    { "failed", RED },
    { "error", RED },
    { "lost", RED },
    { "incompatible", RED },
    { "refused", RED },
};

const char *
table_colour(rx_str word)
{
    for (size_t i = 0; i < RX_COUNT(states); i++) {
        if (rx_str_eq(word, (rx_str){ states[i].word, strlen(states[i].word) }))
            return states[i].colour;
    }
    return "";
}

/* Code points; the wide ones of East Asia and the pictures count twice. */
size_t
table_width(rx_str text)
{
    size_t width = 0;

    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        unsigned char next =
            i + 1 < text.len ? (unsigned char)text.ptr[i + 1] : 0;

        if ((c & 0xc0) == 0x80)
            continue;
        width++;
        if (c >= 0xe3 && c <= 0xe9)
            width++;
        else if (c == 0xf0 && next >= 0x9f)
            width++;
    }
    return width;
}

/* Text from a server is not to move anybody's cursor. */
static void
add_clean(struct rx_buf *out, rx_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];

        rx_buf_addc(out, c < 0x20 || c == 0x7f ? ' ' : s.ptr[i]);
    }
}

static void
add_number(struct rx_buf *out, rx_json v)
{
    char digits[32];
    uint64_t n;
    size_t len;

    if (!rx_json_u64(v, &n)) {
        rx_json_print(v, false, out);
        return;
    }
    len = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, n);
    for (size_t i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            rx_buf_addc(out, ' ');
        rx_buf_addc(out, digits[i]);
    }
}

static void
add_ms(struct rx_buf *out, rx_json v)
{
    double ms = rx_json_number(v);

    if (ms < 1000)
        rx_buf_addf(out, "%.0f ms", ms);
    else if (ms < 60000)
        rx_buf_addf(out, "%.2f s", ms / 1000);
    else
        rx_buf_addf(out, "%.0f min", ms / 60000);
}

/* Without the fraction, the T and the Z: times are UTC and headings say so. */
static void
add_time(struct rx_buf *out, rx_str s)
{
    if (s.len < 19 || s.ptr[10] != 'T') {
        add_clean(out, s);
        return;
    }
    add_clean(out, (rx_str){ s.ptr, 10 });
    rx_buf_addc(out, ' ');
    add_clean(out, (rx_str){ s.ptr + 11, 8 });
}

/* "name", or "name=upstream" of a model that has another name there. */
static void
add_named(struct rx_buf *out, rx_json e)
{
    rx_str upstream = rx_json_str(rx_json_find(e, "upstream"));

    add_clean(out, rx_json_str(rx_json_find(e, "name")));
    if (upstream.len > 0) {
        rx_buf_addc(out, '=');
        add_clean(out, upstream);
    }
}

static void
add_list(struct rx_buf *out, rx_json v)
{
    const char *comma = "";

    for (rx_json e = rx_json_first(v); rx_json_there(e); e = rx_json_next(e)) {
        rx_buf_addf(out, "%s", comma);
        comma = ", ";
        if (rx_json_kind(e) == RX_JSON_STRING)
            add_clean(out, rx_json_str(e));
        else if (rx_json_kind(e) == RX_JSON_OBJECT)
            add_named(out, e);
        else
            rx_json_print(e, false, out);
    }
}

static void
add_other(struct rx_buf *out, rx_json v)
{
    switch (rx_json_kind(v)) {
    case RX_JSON_NONE:
    case RX_JSON_NULL: break;
    case RX_JSON_BOOL:
        rx_buf_add(out, rx_json_bool(v) ? RX_S("yes") : RX_S("no"));
        break;
    case RX_JSON_STRING: add_clean(out, rx_json_str(v)); break;
    case RX_JSON_NUMBER:
    case RX_JSON_ARRAY:
    case RX_JSON_OBJECT: rx_json_print(v, false, out); break;
    }
}

void
table_value(struct rx_buf *out, rx_json v, enum table_kind kind)
{
    enum rx_json_kind is = rx_json_kind(v);

    if (is == RX_JSON_NONE || is == RX_JSON_NULL)
        return;
    switch (kind) {
    case TABLE_NUMBER: add_number(out, v); break;
    case TABLE_MS: add_ms(out, v); break;
    case TABLE_COUNT: rx_buf_addf(out, "%zu", rx_json_count(v)); break;
    case TABLE_LIST:
        if (is == RX_JSON_ARRAY)
            add_list(out, v);
        else
            add_other(out, v);
        break;
    case TABLE_TIME: add_time(out, rx_json_str(v)); break;
    case TABLE_MONEY:
        rx_buf_addc(out, '$');
        add_other(out, v);
        break;
    case TABLE_TEXT:
    case TABLE_STATE: add_other(out, v); break;
    }
}

static bool
to_the_right(enum table_kind kind)
{
    return kind == TABLE_NUMBER || kind == TABLE_MONEY || kind == TABLE_MS ||
           kind == TABLE_COUNT;
}

static void
pad(struct rx_buf *out, size_t n)
{
    while (n-- > 0)
        rx_buf_addc(out, ' ');
}

/* ---- cells ---- */

struct cells {
    struct rx_buf text; /* of all cells, one after another */
    size_t *ends;
    size_t count;
    size_t size;
};

static void
end_cell(struct cells *c)
{
    if (c->count == c->size) {
        c->size = c->size == 0 ? 256 : c->size * 2;
        c->ends = realloc(c->ends, c->size * sizeof(*c->ends));
        if (c->ends == NULL)
            abort();
    }
    c->ends[c->count++] = c->text.len;
}

static rx_str
cell(const struct cells *c, size_t i)
{
    size_t from = i == 0 ? 0 : c->ends[i - 1];

    return (rx_str){ c->text.ptr + from, c->ends[i] - from };
}

static size_t
column_count(const struct table_column *columns)
{
    size_t n = 0;

    while (columns[n].path != NULL && n < COLUMNS_MAX)
        n++;
    return n;
}

static void
fill(
    struct cells *c, const struct table_column *columns, size_t n, rx_json list)
{
    memset(c, 0, sizeof(*c));
    rx_buf_init(&c->text, OUT_MAX);
    for (size_t k = 0; k < n; k++) {
        rx_buf_addf(&c->text, "%s", columns[k].title);
        end_cell(c);
    }
    for (rx_json e = rx_json_first(list); rx_json_there(e);
         e = rx_json_next(e)) {
        for (size_t k = 0; k < n; k++) {
            size_t before = c->text.len;

            table_value(
                &c->text, rx_json_find(e, columns[k].path), columns[k].kind);
            if (c->text.len == before)
                rx_buf_addc(&c->text, '-');
            end_cell(c);
        }
    }
}

static void
print_cell(struct rx_buf *out, const struct table_column *column, rx_str text,
    size_t width, bool last, const char *colour)
{
    size_t gap = width - table_width(text);

    if (to_the_right(column->kind))
        pad(out, gap);
    rx_buf_addf(out, "%s", colour);
    rx_buf_add(out, text);
    if (colour[0] != '\0')
        rx_buf_add(out, RX_S(TABLE_PLAIN));
    if (last)
        rx_buf_addc(out, '\n');
    else
        pad(out, GAP + (to_the_right(column->kind) ? 0 : gap));
}

void
table_print(struct rx_buf *out, const struct table_column *columns,
    rx_json list, bool colour)
{
    size_t n = column_count(columns);
    size_t widths[COLUMNS_MAX] = { 0 };
    struct cells c;

    if (rx_json_count(list) == 0) {
        rx_buf_add(out, RX_S("none\n"));
        return;
    }
    fill(&c, columns, n, list);
    for (size_t i = 0; i < c.count; i++) {
        size_t width = table_width(cell(&c, i));

        if (width > widths[i % n])
            widths[i % n] = width;
    }
    for (size_t i = 0; i < c.count; i++) {
        size_t k = i % n;
        const char *begin = "";

        if (colour && i < n)
            begin = "\033[1m";
        else if (colour && columns[k].kind == TABLE_STATE)
            begin = table_colour(cell(&c, i));
        print_cell(out, &columns[k], cell(&c, i), widths[k], k == n - 1, begin);
    }
    free(c.ends);
    rx_buf_fini(&c.text);
}

void
table_print_one(struct rx_buf *out, const struct table_column *columns,
    rx_json object, bool colour)
{
    size_t n = column_count(columns);
    size_t width = 0;
    struct rx_buf value;

    for (size_t k = 0; k < n; k++)
        width =
            strlen(columns[k].title) > width ? strlen(columns[k].title) : width;
    rx_buf_init(&value, OUT_MAX);
    for (size_t k = 0; k < n; k++) {
        const char *begin = "";

        rx_buf_clear(&value);
        table_value(
            &value, rx_json_find(object, columns[k].path), columns[k].kind);
        if (value.len == 0)
            continue;
        if (colour && columns[k].kind == TABLE_STATE)
            begin = table_colour(rx_buf_str(&value));
        rx_buf_addf(out, "%s", columns[k].title);
        pad(out, width - strlen(columns[k].title) + GAP);
        rx_buf_addf(out, "%s", begin);
        rx_buf_add(out, rx_buf_str(&value));
        rx_buf_add(out, begin[0] != '\0' ? RX_S(TABLE_PLAIN "\n") : RX_S("\n"));
    }
    rx_buf_fini(&value);
}
