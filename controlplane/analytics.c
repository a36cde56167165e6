#include <stdio.h>
#include <string.h>

#include "controlplane/analytics_parts.h"
#include "controlplane/field.h"

/* ---- total ----------------------------------------------------------------- */

static struct db_query *
ask_total(struct store *s, const struct analytics_asked *a)
{
    struct rx_buf sql;

    rx_buf_init(&sql, ANALYTICS_SQL_MAX);
    analytics_add_columns(&sql, a, "''", "''");
    analytics_add_from(&sql, a);
    struct db_query *d = analytics_ask(s, a, sql.ptr);
    rx_buf_fini(&sql);
    return d;
}

enum rx_code
analytics_total(struct store *s, const struct analytics_question *q,
    struct rx_json_out *w, const char *key, struct rx_err *err)
{
    struct analytics_asked a = analytics_prepare(q, ROLLUP_TOTAL);
    enum rx_code code = rollup_flush(s->rollup, err);

    if (code == RX_OK)
        code = analytics_check(q, ROLLUP_TOTAL, err);
    if (code != RX_OK)
        return code;
    struct db_query *d = ask_total(s, &a);
    rx_json_open_object(w, key);
    if (db_next(d))
        analytics_put_sums(w, d, a.plain);
    rx_json_close(w);
    return db_done(d, err);
}

/* ---- groups ---------------------------------------------------------------- */

static void
put_who(struct rx_json_out *w, enum rollup_dim by, rx_str id, rx_str name)
{
    bool named = analytics_table_of(by) != NULL;

    if (named && id.len > 0)
        rx_json_put_str(w, "id", id);
    else
        rx_json_put_null(w, "id");
    rx_str shown = named ? name : id;
    if (shown.len > 0)
        rx_json_put_str(w, "name", shown);
    else
        rx_json_put_null(w, "name");
}

static void
add_grouping(struct rx_buf *sql, const struct analytics_asked *a,
    enum rollup_dim by, enum analytics_order order)
{
    static const char *const orders[] = { "sum(requests)",
        "sum(cost / 1000000)",
        ("sum(input_tokens + cache_read_tokens + cache_write_tokens + "
         "output_tokens)") };
    char column[64], name[160];

    snprintf(column, sizeof(column), "u.%s",
        a->plain ? "name" : analytics_column(by));
    if (analytics_table_of(by) != NULL)
        snprintf(name, sizeof(name), "(select name from %s where id = %s)",
            analytics_table_of(by), column);
    else
        snprintf(name, sizeof(name), "''");
    analytics_add_columns(sql, a, column, name);
    analytics_add_from(sql, a);
    rx_buf_addf(
        sql, " group by 1 order by %s desc, 1 limit ?30", orders[order]);
}

static struct db_query *
ask_groups(struct store *s, const struct analytics_asked *a, enum rollup_dim by,
    enum analytics_order order, size_t most)
{
    struct rx_buf sql;

    rx_buf_init(&sql, ANALYTICS_SQL_MAX);
    add_grouping(&sql, a, by, order);
    struct db_query *d = analytics_ask(s, a, sql.ptr);
    rx_buf_fini(&sql);
    db_bind_u64(d, 30, most);
    return d;
}

enum rx_code
analytics_groups(struct store *s, const struct analytics_question *q,
    enum rollup_dim by, enum analytics_order order, size_t most,
    struct rx_json_out *w, struct rx_err *err)
{
    struct analytics_asked a = analytics_prepare(q, by);
    enum rx_code code = rollup_flush(s->rollup, err);

    if (code == RX_OK)
        code = analytics_check(q, by, err);
    if (code != RX_OK)
        return code;
    struct db_query *d = ask_groups(s, &a, by, order, most);
    while (db_next(d)) {
        rx_json_open_object(w, NULL);
        put_who(w, by, db_str(d, C_GROUP), db_str(d, C_NAME));
        analytics_put_sums(w, d, a.plain);
        rx_json_close(w);
    }
    return db_done(d, err);
}

/* ---- as CSV ------------------------------------------------------------------ */

void
analytics_csv_head(struct rx_buf *out)
{
    rx_buf_add(out, RX_S("start,end,id,name," SUM_NAMES "\r\n"));
}

static void
add_csv_row(struct csv *c, const struct analytics_question *q,
    enum rollup_dim by, struct db_query *d, bool plain)
{
    bool named = analytics_table_of(by) != NULL;

    csv_time(c, q->since_ms);
    csv_time(c, q->until_ms);
    csv_text(c, named ? db_str(d, C_GROUP) : (rx_str){ 0 });
    csv_text(c, named ? db_str(d, C_NAME) : db_str(d, C_GROUP));
    analytics_put_sums_on(&(struct analytics_paper){ .csv = c }, d, plain);
    csv_end_row(c);
}

enum rx_code
analytics_csv(struct store *s, const struct analytics_question *q,
    enum rollup_dim by, size_t most, struct rx_buf *out, struct rx_err *err)
{
    struct analytics_asked a = analytics_prepare(q, by);
    struct csv c = { .out = out };
    size_t count = 0;

    enum rx_code code = rollup_flush(s->rollup, err);
    if (code == RX_OK)
        code = analytics_check(q, by, err);
    if (code != RX_OK)
        return code;
    struct db_query *d =
        by == ROLLUP_TOTAL
            ? ask_total(s, &a)
            : ask_groups(s, &a, by, ANALYTICS_BY_REQUESTS, most + 1);
    while (db_next(d) && count++ < most) {
        /* The sum of nothing is a row, too. */
        if (db_u64(d, C_SUMS + ROLLUP_N_requests) > 0)
            add_csv_row(&c, q, by, d, a.plain);
    }
    code = db_done(d, err);
    if (code == RX_OK && count > most)
        return rx_fail(err, RX_TOO_BIG,
            "more than %zu names; ask for less at a time, or for the rows",
            most);
    return code;
}

/* ---- series ---------------------------------------------------------------- */

static void
put_point(struct rx_json_out *w, struct db_query *d, bool plain)
{
    rx_json_open_object(w, NULL);
    rx_json_put_time(w, "start", db_u64(d, C_GROUP));
    analytics_put_sums(w, d, plain);
    rx_json_close(w);
}

static enum rx_code
check_level(const struct analytics_asked *a, enum rollup_level level,
    struct rx_err *err)
{
    if (!a->plain && level == ROLLUP_MINUTE)
        return rx_fail(err, RX_INVALID,
            "minutes are kept for one dimension at a time only");
    return RX_OK;
}

enum rx_code
analytics_times(struct store *s, const struct analytics_question *q,
    enum rollup_level level, struct rx_json_out *w, struct rx_err *err)
{
    struct analytics_asked a = analytics_prepare_level(q, ROLLUP_TOTAL, level);
    enum rx_code code = rollup_flush(s->rollup, err);
    struct rx_buf sql;

    if (code == RX_OK)
        code = check_level(&a, level, err);
    if (code != RX_OK)
        return code;
    rx_buf_init(&sql, ANALYTICS_SQL_MAX);
    analytics_add_bucket_columns(&sql, &a, "''");
    rx_buf_add(
        &sql, a.plain ? RX_S(" order by 1") : RX_S(" group by 1 order by 1"));
    struct db_query *d = analytics_ask(s, &a, sql.ptr);
    rx_buf_fini(&sql);
    while (db_next(d))
        put_point(w, d, a.plain);
    return db_done(d, err);
}

/* A name that gets a series of its own. */
struct line {
    rx_str id, name;
    struct rx_buf points; /* its elements, as they will be written */
    struct rx_json_out w;
};

struct lines {
    struct rx_arena *arena;
    struct line at[ANALYTICS_SERIES_MAX];
    size_t count;
};

static enum rx_code
find_lines(struct store *s, const struct analytics_question *q,
    enum rollup_dim by, enum analytics_order order, size_t most,
    struct lines *out, struct rx_err *err)
{
    struct analytics_asked a = analytics_prepare(q, by);
    a.thin = true; /* most names get no line */
    struct db_query *d = ask_groups(s, &a, by, order, most);

    while (db_next(d) && out->count < ANALYTICS_SERIES_MAX) {
        struct line *l = &out->at[out->count++];
        l->id = field_keep(out->arena, db_str(d, C_GROUP));
        if (l->id.ptr == NULL)
            l->id.ptr = "";
        l->name = field_keep(out->arena, db_str(d, C_NAME));
        rx_buf_init(&l->points, (size_t)8 << 20);
        l->w = rx_json_out(&l->points);
        rx_json_open_array(&l->w, NULL);
    }
    return db_done(d, err);
}

/* All of them in one pass over the buckets. */
static enum rx_code
read_points(struct store *s, const struct analytics_question *q,
    enum rollup_dim by, enum rollup_level level, struct lines *lines,
    struct rx_err *err)
{
    struct analytics_asked a = analytics_prepare_level(q, by, level);
    char column[64];
    struct rx_buf sql;

    enum rx_code code = check_level(&a, level, err);
    if (code != RX_OK || lines->count == 0)
        return code;
    rx_buf_init(&sql, ANALYTICS_SQL_MAX);
    snprintf(column, sizeof(column), "u.%s",
        a.plain ? "name" : analytics_column(by));
    analytics_add_bucket_columns(&sql, &a, column);
    rx_buf_addf(&sql, " and %s in (", column);
    for (size_t i = 0; i < lines->count; i++)
        rx_buf_addf(&sql, "%s?%zu", i > 0 ? ", " : "", 40 + i);
    rx_buf_add(&sql,
        a.plain ? RX_S(") order by 1") : RX_S(") group by 1, 2 order by 1"));
    struct db_query *d = analytics_ask(s, &a, sql.ptr);
    rx_buf_fini(&sql);
    for (size_t i = 0; i < lines->count; i++)
        db_bind_str(d, 40 + (int)i, lines->at[i].id);
    while (db_next(d)) {
        rx_str id = db_str(d, C_NAME);
        size_t i = 0;
        while (i < lines->count && !rx_str_eq(id, lines->at[i].id))
            i++;
        if (i < lines->count)
            put_point(&lines->at[i].w, d, a.plain);
    }
    return db_done(d, err);
}

static enum rx_code
put_line(struct store *s, const struct analytics_question *q,
    enum rollup_dim by, struct line *l, struct rx_json_out *w,
    struct rx_err *err)
{
    struct analytics_question one = *q;

    one.only[by] = l->id;
    rx_json_open_object(w, NULL);
    put_who(w, by, l->id, l->name);
    enum rx_code code = analytics_total(s, &one, w, "total", err);
    rx_json_close(&l->w);
    rx_json_put_raw(w, "points", rx_buf_str(&l->points));
    rx_json_close(w);
    return code;
}

static enum rx_code
put_all_series(struct store *s, const struct analytics_question *q,
    enum rollup_level level, struct rx_json_out *w, struct rx_err *err)
{
    rx_json_open_object(w, NULL);
    rx_json_put_null(w, "id");
    rx_json_put_null(w, "name");
    enum rx_code code = analytics_total(s, q, w, "total", err);
    rx_json_open_array(w, "points");
    if (code == RX_OK)
        code = analytics_times(s, q, level, w, err);
    rx_json_close(w);
    rx_json_close(w);
    return code;
}

enum rx_code
analytics_series(struct store *s, const struct analytics_question *q,
    enum rollup_dim by, enum rollup_level level, enum analytics_order order,
    size_t most, struct rx_json_out *w, struct rx_err *err)
{
    if (by == ROLLUP_TOTAL)
        return put_all_series(s, q, level, w, err);
    struct rx_arena *arena = rx_arena_new((size_t)4 << 20);
    struct lines *lines = field_make(arena, struct lines, 1);
    lines->arena = arena;
    enum rx_code code = rollup_flush(s->rollup, err);
    if (code == RX_OK)
        code = analytics_check(q, by, err);
    if (code == RX_OK)
        code = find_lines(s, q, by, order, most, lines, err);
    if (code == RX_OK)
        code = read_points(s, q, by, level, lines, err);
    for (size_t i = 0; i < lines->count; i++) {
        if (code == RX_OK)
            code = put_line(s, q, by, &lines->at[i], w, err);
        rx_buf_fini(&lines->at[i].points);
    }
    rx_arena_free(arena);
    return code;
}
