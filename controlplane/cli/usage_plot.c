#include "controlplane/cli/usage_plot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/cli/table.h"

#define BAR_WIDTH  30
#define NAME_WIDTH 28
#define POINTS_MAX 400

static double
number_of(rx_json row, const char *member)
{
    rx_json v = rx_json_find(row, member);
    char text[40];
    rx_str s;

    if (rx_json_kind(v) != RX_JSON_STRING)
        return rx_json_number(v);
    s = rx_json_str(v);
    snprintf(text, sizeof(text), "%.*s", (int)(s.len < 39 ? s.len : 39), s.ptr);
    return strtod(text, NULL);
}

static double
sum_of(rx_json rows, const char *member)
{
    double sum = 0;

    for (rx_json r = rx_json_first(rows); rx_json_there(r); r = rx_json_next(r))
        sum += number_of(r, member);
    return sum;
}

/* Money, where any was spent. */
static const char *
measure(rx_json rows)
{
    return sum_of(rows, "cost_usd") > 0 ? "cost_usd" : "requests";
}

static const char *
title(const char *member)
{
    return strcmp(member, "cost_usd") == 0 ? "cost" : "requests";
}

static void
add_bar(struct rx_buf *out, double share)
{
    int full = (int)(share * BAR_WIDTH + 0.5);

    for (int i = 0; i < BAR_WIDTH; i++)
        rx_buf_add(out, i < full ? RX_S("\xe2\x96\x88") : RX_S("\xc2\xb7"));
    rx_buf_addf(out, " %5.1f %%\n", share * 100);
}

void
usage_bars(struct rx_buf *out, rx_json rows)
{
    struct rx_buf name;
    const char *by = measure(rows);
    double all = sum_of(rows, by);

    if (all <= 0)
        return;
    rx_buf_init(&name, 4096);
    rx_buf_addf(out, "\nShare of %s\n", title(by));
    for (rx_json r = rx_json_first(rows); rx_json_there(r);
         r = rx_json_next(r)) {
        rx_buf_clear(&name);
        table_value(&name, rx_json_find(r, "name"), TABLE_TEXT);
        if (name.len == 0)
            rx_buf_addc(&name, '-');
        rx_buf_add(out, rx_buf_str(&name));
        for (size_t w = table_width(rx_buf_str(&name)); w < NAME_WIDTH; w++)
            rx_buf_addc(out, ' ');
        rx_buf_addc(out, ' ');
        add_bar(out, number_of(r, by) / all);
    }
    rx_buf_fini(&name);
}

void
usage_sparkline(struct rx_buf *out, rx_json rows)
{
    static const char *const levels[] = { "\xe2\x96\x81", "\xe2\x96\x82",
        "\xe2\x96\x83", "\xe2\x96\x84", "\xe2\x96\x85", "\xe2\x96\x86",
        "\xe2\x96\x87", "\xe2\x96\x88" };
    const char *by = measure(rows);
    double most = 0;
    size_t n = 0;

    for (rx_json r = rx_json_first(rows); rx_json_there(r); r = rx_json_next(r))
        most = number_of(r, by) > most ? number_of(r, by) : most;
    if (most <= 0)
        return;
    rx_buf_addf(out, "\n%s  ", title(by));
    for (rx_json r = rx_json_first(rows); rx_json_there(r) && n < POINTS_MAX;
         r = rx_json_next(r), n++) {
        size_t level = (size_t)(number_of(r, by) / most * 7 + 0.5);
        rx_buf_addf(out, "%s", levels[level < 8 ? level : 7]);
    }
    rx_buf_addf(out, "  up to %.6g%s\n", most,
        strcmp(by, "cost_usd") == 0 ? " dollars" : "");
}
