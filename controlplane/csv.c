#include "controlplane/csv.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "shared/clock.h"

static void
begin(struct csv *c)
{
    if (c->inside)
        rx_buf_addc(c->out, ',');
    c->inside = true;
}

static bool
is_one_of(char ch, const char *set, size_t count)
{
    return memchr(set, ch, count) != NULL;
}

/* What Excel, LibreOffice and Google Sheets take for one. */
static bool
is_formula(rx_str s)
{
    return s.len > 0 && is_one_of(s.ptr[0], "=+-@\t\r\n", 7);
}

static bool
needs_quotes(rx_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (is_one_of(s.ptr[i], ",\"\r\n", 4))
            return true;
    }
    /* Some readers drop blanks around what stands bare. */
    return s.len > 0 && (s.ptr[0] == ' ' || s.ptr[s.len - 1] == ' ');
}

void
csv_text(struct csv *c, rx_str text)
{
    bool quotes = needs_quotes(text);

    begin(c);
    if (quotes)
        rx_buf_addc(c->out, '"');
    if (is_formula(text))
        rx_buf_addc(c->out, '\'');
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"')
            rx_buf_addc(c->out, '"');
        rx_buf_addc(c->out, text.ptr[i]);
    }
    if (quotes)
        rx_buf_addc(c->out, '"');
}

void
csv_plain(struct csv *c, const char *value)
{
    begin(c);
    rx_buf_add(c->out, (rx_str){ value, strlen(value) });
}

void
csv_u64(struct csv *c, uint64_t n)
{
    begin(c);
    rx_buf_addf(c->out, "%" PRIu64, n);
}

void
csv_number(struct csv *c, double n)
{
    begin(c);
    rx_buf_addf(c->out, "%.6g", n);
}

void
csv_time(struct csv *c, uint64_t wall_ms)
{
    char text[RX_TIME_SIZE];

    if (wall_ms == 0) {
        csv_nothing(c);
        return;
    }
    rx_time_format(wall_ms, text);
    csv_plain(c, text);
}

void
csv_nothing(struct csv *c)
{
    begin(c);
}

void
csv_end_row(struct csv *c)
{
    rx_buf_add(c->out, RX_S("\r\n"));
    c->inside = false;
}
