#include <stdlib.h>

#include "shared/stat.h"
#include "tests/unit/check.h"

static struct rx_buf out;

static const char *
print(const struct rx_stat *stat)
{
    rx_buf_clear(&out);
    rx_stat_print(stat, &out);
    return out.len == 0 ? "" : out.ptr;
}

static double
seven(void *arg)
{
    (void)arg;
    return 7.5;
}

static void
zeroes_show_before_anything_is_counted(void)
{
    struct rx_stat *stat = rx_stat_new();
    uint64_t *n = rx_stat_counter(
        stat, "x_total", "things", RX_STAT_LABELS({ "kind", "a" }));

    CHECK_TEXT("# HELP x_total things\n# TYPE x_total counter\n"
               "x_total{kind=\"a\"} 0\n",
        print(stat));
    *n += 3;
    CHECK(strstr(print(stat), "x_total{kind=\"a\"} 3\n") != NULL);
    rx_stat_free(stat);
}

static void
the_same_labels_are_the_same_slot(void)
{
    struct rx_stat *stat = rx_stat_new();
    uint64_t *a = rx_stat_counter(
        stat, "x_total", "things", RX_STAT_LABELS({ "k", "a" }));
    uint64_t *b = rx_stat_counter(
        stat, "x_total", "things", RX_STAT_LABELS({ "k", "b" }));

    CHECK(a != b);
    CHECK(a == rx_stat_counter(
                   stat, "x_total", "things", RX_STAT_LABELS({ "k", "a" })));
    rx_stat_free(stat);
}

static void
what_strangers_name_cannot_grow_a_family(void)
{
    struct rx_stat *stat = rx_stat_new();
    uint64_t *last = NULL;
    char name[32];

    for (int i = 0; i < RX_STAT_SERIES_MAX + 100; i++) {
        snprintf(name, sizeof(name), "%d", i);
        last = rx_stat_counter(
            stat, "x_total", "things", RX_STAT_LABELS({ "k", name }));
        ++*last;
    }
    CHECK_INT(100, (intmax_t)*last);
    CHECK(strstr(print(stat), "x_total{k=\"other\"} 100\n") != NULL);
    rx_stat_free(stat);
}

static void
label_values_are_escaped(void)
{
    struct rx_stat *stat = rx_stat_new();

    *rx_stat_gauge(stat, "x", "t", RX_STAT_LABELS({ "k", "a\"b\\c\nd" })) = -4;
    CHECK(strstr(print(stat), "x{k=\"a\\\"b\\\\c\\nd\"} -4\n") != NULL);
    rx_stat_free(stat);
}

static void
what_is_asked_is_a_counter_if_its_name_says_so(void)
{
    struct rx_stat *stat = rx_stat_new();

    rx_stat_ask(stat, "x_total", "all", RX_STAT_NO_LABELS, seven, NULL);
    rx_stat_ask(stat, "x", "now", RX_STAT_NO_LABELS, seven, NULL);
    CHECK_TEXT("# HELP x_total all\n# TYPE x_total counter\nx_total 7.5\n"
               "# HELP x now\n# TYPE x gauge\nx 7.5\n",
        print(stat));
    rx_stat_free(stat);
}

static void
histograms_are_cumulative_and_scaled(void)
{
    static const uint64_t bounds[] = { 10, 1000, 0 };
    struct rx_stat *stat = rx_stat_new();
    struct rx_histogram *h = rx_stat_histogram(stat, "d_seconds", "durations",
        RX_STAT_LABELS({ "k", "a" }), bounds, 1000);

    rx_histogram_add(h, 10);
    rx_histogram_add(h, 11);
    rx_histogram_add(h, 5000);
    rx_stat_ask(stat, "asked", "at sight", RX_STAT_NO_LABELS, seven, NULL);
    CHECK_TEXT("# HELP d_seconds durations\n# TYPE d_seconds histogram\n"
               "d_seconds_bucket{k=\"a\",le=\"0.01\"} 1\n"
               "d_seconds_bucket{k=\"a\",le=\"1\"} 2\n"
               "d_seconds_bucket{k=\"a\",le=\"+Inf\"} 3\n"
               "d_seconds_sum{k=\"a\"} 5.021\n"
               "d_seconds_count{k=\"a\"} 3\n"
               "# HELP asked at sight\n# TYPE asked gauge\nasked 7.5\n",
        print(stat));
    rx_stat_free(stat);
}

int
main(void)
{
    rx_buf_init(&out, 1 << 20);
    CHECK_RUN(zeroes_show_before_anything_is_counted);
    CHECK_RUN(the_same_labels_are_the_same_slot);
    CHECK_RUN(what_strangers_name_cannot_grow_a_family);
    CHECK_RUN(label_values_are_escaped);
    CHECK_RUN(what_is_asked_is_a_counter_if_its_name_says_so);
    CHECK_RUN(histograms_are_cumulative_and_scaled);
    rx_buf_fini(&out);
    return CHECK_EXIT();
}
