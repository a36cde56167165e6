#include "shared/stat.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/list.h"

const uint64_t rx_stat_ms_bounds[] = { 1, 2, 5, 10, 25, 50, 100, 250, 500, 1000,
    2500, 5000, 10000, 30000, 60000, 120000, 300000, 0 };

enum kind { COUNTER, GAUGE, ASKED, HISTOGRAM };

/* One set of labels of a family. */
struct series {
    struct rx_link link;
    char *labels; /* printed: `a="1",b="2"`; empty if none */
    union {
        uint64_t counter;
        int64_t gauge;
        struct rx_histogram histogram;
        struct {
            double (*fn)(void *arg);
            void *arg;
        } ask;
    };
};

struct family {
    struct rx_link link;
    enum kind kind;
    const char *name;
    const char *help;
    struct rx_list series;
};

struct rx_stat {
    struct rx_list families;
};

static void *
zeroed(size_t size)
{
    void *p = calloc(1, size);

    if (p == NULL)
        abort();
    return p;
}

struct rx_stat *
rx_stat_new(void)
{
    struct rx_stat *stat = zeroed(sizeof(*stat));

    rx_list_init(&stat->families);
    return stat;
}

static void
family_free(struct family *f)
{
    struct rx_link *l;

    while ((l = rx_list_first(&f->series)) != NULL) {
        struct series *s = RX_LIST_ITEM(l, struct series, link);
        rx_list_remove(&f->series, l);
        free(s->labels);
        free(s);
    }
    free(f);
}

void
rx_stat_free(struct rx_stat *stat)
{
    struct rx_link *l;

    if (stat == NULL)
        return;
    while ((l = rx_list_first(&stat->families)) != NULL) {
        rx_list_remove(&stat->families, l);
        family_free(RX_LIST_ITEM(l, struct family, link));
    }
    free(stat);
}

static struct family *
family_get(
    struct rx_stat *stat, enum kind kind, const char *name, const char *help)
{
    struct rx_link *l;

    RX_LIST_FOREACH(l, &stat->families) {
        struct family *f = RX_LIST_ITEM(l, struct family, link);
        if (strcmp(f->name, name) == 0) {
            assert(f->kind == kind);
            return f;
        }
    }
    struct family *f = zeroed(sizeof(*f));
    *f = (struct family){ .kind = kind, .name = name, .help = help };
    rx_list_init(&f->series);
    rx_list_append(&stat->families, &f->link);
    return f;
}

/* Backslash, quote and line break are escaped, as the format wants. */
static void
add_label_value(struct rx_buf *b, const char *s)
{
    for (; *s != '\0'; s++) {
        if (*s == '\\' || *s == '"')
            rx_buf_addc(b, '\\');
        rx_buf_add(b, *s == '\n' ? RX_S("\\n") : (rx_str){ s, 1 });
    }
}

/* The labels as they are shown; every value is `other` if that is given. */
static char *
labels_print(const struct rx_stat_labels *labels, const char *other)
{
    struct rx_buf b;

    rx_buf_init(&b, 64 << 10);
    for (size_t i = 0; i < RX_STAT_LABELS_MAX; i++) {
        const struct rx_stat_label *l = &labels->at[i];
        if (l->name == NULL)
            break;
        rx_buf_addf(&b, "%s%s=\"", i == 0 ? "" : ",", l->name);
        add_label_value(&b, other != NULL ? other : l->value);
        rx_buf_addc(&b, '"');
    }
    char *text = strdup(b.len == 0 || b.full ? "" : b.ptr);
    if (text == NULL)
        abort();
    rx_buf_fini(&b);
    return text;
}

static struct series *
series_find(const struct family *f, const char *labels)
{
    struct rx_link *l;

    RX_LIST_FOREACH(l, &f->series) {
        struct series *s = RX_LIST_ITEM(l, struct series, link);
        if (strcmp(s->labels, labels) == 0)
            return s;
    }
    return NULL;
}

static struct series *
series_get(struct rx_stat *stat, enum kind kind, const char *name,
    const char *help, const struct rx_stat_labels *labels)
{
    struct family *f = family_get(stat, kind, name, help);
    char *text = labels_print(labels, NULL);
    struct series *s = series_find(f, text);

    if (s == NULL && f->series.count >= RX_STAT_SERIES_MAX) {
        free(text);
        text = labels_print(labels, "other");
        s = series_find(f, text);
    }
    if (s != NULL) {
        free(text);
        return s;
    }
    s = zeroed(sizeof(*s));
    s->labels = text;
    rx_list_append(&f->series, &s->link);
    return s;
}

static bool
is_total(const char *name)
{
    size_t len = strlen(name);

    return len > 6 && strcmp(name + len - 6, "_total") == 0;
}

uint64_t *
rx_stat_counter(struct rx_stat *stat, const char *name, const char *help,
    struct rx_stat_labels labels)
{
    assert(is_total(name));
    return &series_get(stat, COUNTER, name, help, &labels)->counter;
}

int64_t *
rx_stat_gauge(struct rx_stat *stat, const char *name, const char *help,
    struct rx_stat_labels labels)
{
    assert(!is_total(name));
    return &series_get(stat, GAUGE, name, help, &labels)->gauge;
}

void
rx_stat_ask(struct rx_stat *stat, const char *name, const char *help,
    struct rx_stat_labels labels, double (*fn)(void *arg), void *arg)
{
    struct series *s = series_get(stat, ASKED, name, help, &labels);

    s->ask.fn = fn;
    s->ask.arg = arg;
}

struct rx_histogram *
rx_stat_histogram(struct rx_stat *stat, const char *name, const char *help,
    struct rx_stat_labels labels, const uint64_t *bounds, uint64_t scale)
{
    struct rx_histogram *h =
        &series_get(stat, HISTOGRAM, name, help, &labels)->histogram;

    h->bounds = bounds;
    h->scale = scale;
    h->bucket_count = 0;
    while (bounds[h->bucket_count] != 0)
        h->bucket_count++;
    assert(h->bucket_count <= RX_STAT_BUCKETS_MAX);
    return h;
}

/* ---- printing ---- */

static void
print_name(struct rx_buf *out, const char *name, const char *suffix,
    const struct series *s)
{
    bool bare = s->labels[0] == '\0';

    rx_buf_addf(out, "%s%s%s%s%s ", name, suffix, bare ? "" : "{", s->labels,
        bare ? "" : "}");
}

static void
print_histogram(struct rx_buf *out, const char *name, const struct series *s)
{
    const struct rx_histogram *h = &s->histogram;
    const char *comma = s->labels[0] == '\0' ? "" : ",";
    double scale = (double)h->scale;
    uint64_t total = 0;

    for (size_t i = 0; i < h->bucket_count; i++) {
        total += h->buckets[i];
        rx_buf_addf(out, "%s_bucket{%s%sle=\"%g\"} %" PRIu64 "\n", name,
            s->labels, comma, (double)h->bounds[i] / scale, total);
    }
    total += h->buckets[h->bucket_count];
    rx_buf_addf(out, "%s_bucket{%s%sle=\"+Inf\"} %" PRIu64 "\n", name,
        s->labels, comma, total);
    print_name(out, name, "_sum", s);
    rx_buf_addf(out, "%.15g\n", (double)h->sum / scale);
    print_name(out, name, "_count", s);
    rx_buf_addf(out, "%" PRIu64 "\n", total);
}

static void
print_series(struct rx_buf *out, const struct family *f, const struct series *s)
{
    if (f->kind == HISTOGRAM) {
        print_histogram(out, f->name, s);
        return;
    }
    print_name(out, f->name, "", s);
    if (f->kind == COUNTER)
        rx_buf_addf(out, "%" PRIu64 "\n", s->counter);
    else if (f->kind == GAUGE)
        rx_buf_addf(out, "%" PRId64 "\n", s->gauge);
    else
        rx_buf_addf(out, "%.15g\n", s->ask.fn(s->ask.arg));
}

void
rx_stat_print(const struct rx_stat *stat, struct rx_buf *out)
{
    static const char *const types[] = { "counter", "gauge", "gauge",
        "histogram" };
    struct rx_link *l, *m;

    RX_LIST_FOREACH(l, &stat->families) {
        const struct family *f = RX_LIST_ITEM(l, struct family, link);
        rx_buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", f->name, f->help,
            f->name,
            f->kind == ASKED && is_total(f->name) ? "counter" : types[f->kind]);
        RX_LIST_FOREACH(m, &f->series)
            print_series(out, f, RX_LIST_ITEM(m, struct series, link));
    }
}
