/*
 * How much of a subscription is used: what providers say, and what becomes of
 * it on a data plane.
 */
#include <string.h>

#include "controlplane/windows.h"
#include "dataplane/standing.h"
#include "shared/clock.h"
#include "tests/unit/check.h"

#define NOW UINT64_C(5000000)

static void
windows_are_known_by_their_shape(void)
{
    static const char text[] =
        "{\"five_hour\":{\"utilization\":37.5,"
        "\"resets_at\":\"2026-11-22T05:00:00Z\"},"
        "\"seven_day\":{\"utilization\":100.4,\"resets_at\":null},"
        "\"seven_day_opus\":null,\"seven_day_new\":{\"utilization\":0},"
        "\"extra_usage\":{\"utilization\":3},\"spend\":{\"x\":1},"
        "\"bad\":{\"utilization\":-1},\"worse\":{\"utilization\":\"9\"}}";
    struct window w[8];
    struct rx_json_doc *doc = NULL;
    uint64_t reset = 0;

    CHECK_INT(RX_OK,
        rx_json_parse(&doc, (rx_str){ text, sizeof(text) - 1 }, NULL, NULL));
    CHECK(rx_time_parse(RX_S("2026-11-22T05:00:00Z"), &reset));
    CHECK(window_read_usage(rx_json_root(doc), 77, w, 8) == 3);
    CHECK(rx_str_eq(w[0].name, RX_S("five_hour")));
    CHECK_INT(375, w[0].used_permille);
    CHECK(w[0].reset_ms == reset && w[0].noted_ms == 77);
    CHECK(rx_str_eq(w[1].name, RX_S("seven_day")));
    CHECK_INT(1004, w[1].used_permille);
    CHECK(w[1].reset_ms == 0);
    CHECK(rx_str_eq(w[2].name, RX_S("seven_day_new")));
    CHECK(window_read_usage(rx_json_root(doc), 77, w, 2) == 2);
    rx_json_free(doc);
}

static struct limit_facts
facts(const char *used5, const char *reset5, const char *used7)
{
    struct limit_facts f = { 0 };
    const struct {
        rx_str name;
        const char *value;
    } rows[] = {
        { RX_STR_INIT("anthropic-ratelimit-unified-5h-utilization"), used5 },
        { RX_STR_INIT("anthropic-ratelimit-unified-5h-reset"), reset5 },
        { RX_STR_INIT("anthropic-ratelimit-unified-7d-utilization"), used7 },
    };

    for (size_t i = 0; i < RX_COUNT(rows); i++)
        limit_read_header(&f, rows[i].name,
            (rx_str){ rows[i].value, strlen(rows[i].value) },
            UINT64_C(1766000000000));
    return f;
}

static void
headers_fill_the_windows_and_the_fullest_counts(void)
{
    struct standing *s = standing_new();
    struct seat *seat = standing_seat(s, RX_S("ch"), RX_S("k"));
    struct window_note out[8];
    struct limit_facts f = facts("0.25", "1766003600", "0.5");

    CHECK(seat_note_limits(seat, &f, NOW));
    CHECK(seat->used == 0.5);
    CHECK(seat->reset_ms == 0); /* of the seven days nobody said it */
    CHECK(standing_take_windows(s, out, 8) == 2);
    CHECK(rx_str_eq(out[0].channel, RX_S("ch")));
    CHECK(rx_str_eq(out[0].credential, RX_S("k")));
    CHECK(rx_str_eq(out[0].name, RX_S("five_hour")));
    CHECK(out[0].reset_ms == NOW + 3600000);
    CHECK(rx_str_eq(out[1].name, RX_S("seven_day")));
    CHECK(standing_take_windows(s, out, 8) == 0);
    /* The same again is no news, a little more is. */
    CHECK(!seat_note_limits(seat, &f, NOW + 10));
    f = facts("0.26", "1766003600", "0.5");
    CHECK(seat_note_limits(seat, &f, NOW + 20));
    CHECK(standing_take_windows(s, out, 8) == 1);
    standing_free(s);
}

static void
the_newer_word_counts_and_what_is_over_does_not(void)
{
    struct standing *s = standing_new();
    struct seat *seat = standing_seat(s, RX_S("ch"), RX_S("k"));
    struct window_note n = { .name = RX_S("five_hour"),
        .used = 0.9,
        .reset_ms = NOW + 1000,
        .noted_ms = NOW };
    struct window_note out[8];

    seat_hear_window(seat, &n, NOW);
    CHECK(seat->used == 0.9 && seat->reset_ms == NOW + 1000);
    n.used = 0.1;
    n.noted_ms = NOW - 1;
    seat_hear_window(seat, &n, NOW);
    CHECK(seat->used == 0.9);
    CHECK(standing_take_windows(s, out, 8) == 0); /* no echo */
    n = (struct window_note){ .name = RX_S("seven_day"),
        .used = 0.3,
        .reset_ms = NOW + 99999,
        .noted_ms = NOW + 2000 };
    seat_hear_window(seat, &n, NOW + 2000); /* the five hours are over */
    CHECK(seat->used == 0.3 && seat->reset_ms == NOW + 99999);
    standing_free(s);
}

int
main(void)
{
    CHECK_RUN(windows_are_known_by_their_shape);
    CHECK_RUN(headers_fill_the_windows_and_the_fullest_counts);
    CHECK_RUN(the_newer_word_counts_and_what_is_over_does_not);
    return CHECK_EXIT();
}
