/*
 * Rows as CSV: any number of them, a slice at a time.
 */
#include <string.h>

#include "controlplane/csv.h"
#include "controlplane/request.h"
#include "controlplane/request_filter.h"
#include "shared/money.h"

#define SLICE    250 /* rows that one call looks at */
#define TEXT_MAX ((size_t)16 << 10)

enum kind { TEXT, NUMBER, TIME, MONEY, FLAG };

/* Name, kind, SQL.  New ones go to the end: programs may count columns. */
#define COLUMNS(X)                                                             \
    X(id, NUMBER, "r.id")                                                      \
    X(request_id, TEXT, "r.request_id")                                        \
    X(started_at, TIME, "r.started_ms")                                        \
    X(tenant_id, TEXT, "r.tenant_id")                                          \
    X(tenant, TEXT, "t.name")                                                  \
    X(key_id, TEXT, "r.key_id")                                                \
    X(key, TEXT, "k.name")                                                     \
    X(channel_id, TEXT, "r.channel_id")                                        \
    X(channel, TEXT, "r.channel")                                              \
    X(rule, TEXT, "r.rule")                                                    \
    X(tag, TEXT, "r.tag")                                                      \
    X(session, TEXT, "r.session")                                              \
    X(dialect, TEXT, "r.dialect")                                              \
    X(operation, TEXT, "r.operation")                                          \
    X(stream, FLAG, "r.stream")                                                \
    X(model_requested, TEXT, "r.model_requested")                              \
    X(model, TEXT, "r.model")                                                  \
    X(model_served, TEXT, "r.model_served")                                    \
    X(status, NUMBER, "r.status")                                              \
    X(outcome, TEXT, "r.outcome")                                              \
    X(reason, TEXT, "r.reason")                                                \
    X(finish, TEXT, "r.finish")                                                \
    X(attempts, NUMBER, "(select count(*) from attempt where request = r.id)") \
    X(ttft_ms, NUMBER, "r.ttft_ms")                                            \
    X(duration_ms, NUMBER, "r.duration_ms")                                    \
    X(request_bytes, NUMBER, "r.request_bytes")                                \
    X(response_bytes, NUMBER, "r.response_bytes")                              \
    X(input_tokens, NUMBER,                                                    \
        "case when coalesce(r.in_uncached, r.in_tool_use) is not null then "   \
        "coalesce(r.in_uncached, 0) + coalesce(r.in_tool_use, 0) end")         \
    X(cache_read_tokens, NUMBER, "r.cache_read")                               \
    X(cache_write_tokens, NUMBER,                                              \
        "case when coalesce(r.cache_write_5m, r.cache_write_1h, "              \
        "r.cache_write_other) is not null then coalesce(r.cache_write_5m, 0) " \
        "+ coalesce(r.cache_write_1h, 0) + coalesce(r.cache_write_other, 0) "  \
        "end")                                                                 \
    X(cache_write_5m_tokens, NUMBER, "r.cache_write_5m")                       \
    X(cache_write_1h_tokens, NUMBER, "r.cache_write_1h")                       \
    X(output_tokens, NUMBER, "r.out_total")                                    \
    X(reasoning_tokens, NUMBER, "r.out_reasoning")                             \
    X(input_audio_tokens, NUMBER, "r.in_audio")                                \
    X(input_image_tokens, NUMBER, "r.in_image")                                \
    X(output_audio_tokens, NUMBER, "r.out_audio")                              \
    X(output_image_tokens, NUMBER, "r.out_image")                              \
    X(web_searches, NUMBER, "r.web_searches")                                  \
    X(web_fetches, NUMBER, "r.web_fetches")                                    \
    X(service_tier, TEXT, "r.service_tier")                                    \
    X(provenance, TEXT, "r.provenance")                                        \
    X(cost_usd, MONEY, "r.cost")                                               \
    X(cache_saved_usd, MONEY, "r.saved")                                       \
    X(price_version, NUMBER, "r.price_version")                                \
    X(plane, TEXT, "r.plane")                                                  \
    X(client_ip, TEXT, "r.client_ip")                                          \
    X(user_agent, TEXT, "r.user_agent")                                        \
    X(agent, TEXT, "r.agent")                                                  \
    X(client, TEXT, "r.client")

static const struct {
    const char *name;
    enum kind kind;
} columns[] = {
#define NAME_AND_KIND(name, kind, sql) { #name, kind },
    COLUMNS(NAME_AND_KIND)
#undef NAME_AND_KIND
};

#define FROM                                    \
    "r.id from request r "                      \
    "left join tenant t on t.id = r.tenant_id " \
    "left join client_key k on k.id = r.key_id "

void
request_csv_head(struct rx_buf *out)
{
    struct csv c = { .out = out };

    for (size_t i = 0; i < RX_COUNT(columns); i++)
        csv_plain(&c, columns[i].name);
    csv_end_row(&c);
}

static void
add_money(struct csv *c, int64_t pico)
{
    char text[RX_DECIMAL_SIZE];

    rx_decimal_format(pico, 12, text);
    csv_plain(c, text);
}

static void
add_row(struct csv *c, struct db_query *q)
{
    for (int i = 0; i < (int)RX_COUNT(columns); i++) {
        if (db_is_null(q, i)) {
            csv_nothing(c);
            continue;
        }
        switch (columns[i].kind) {
        case TEXT: csv_text(c, db_str(q, i)); break;
        case NUMBER: csv_u64(c, db_u64(q, i)); break;
        case TIME: csv_time(c, db_u64(q, i)); break;
        case MONEY: add_money(c, db_i64(q, i)); break;
        case FLAG: csv_plain(c, db_i64(q, i) != 0 ? "true" : "false"); break;
        }
    }
    csv_end_row(c);
}

/* ---- which rows -------------------------------------------------------------- */

/* Where a slice ends: rows from (ms, id) on. */
struct edge {
    uint64_t ms, id;
};

/* The index that is walked: one at most, or it would be no walk. */
static const char *
walk(const struct request_filter *f)
{
    if (f->key.len > 0)
        return " and r.key_id = ?6";
    if (f->tenant.len > 0)
        return " and r.tenant_id = ?5";
    return f->channel.len > 0 ? " and r.channel_id = ?7" : "";
}

static void
bind_range(struct db_query *q, const struct request_filter *f)
{
    db_bind_u64(q, 1, f->before_ms);
    db_bind_u64(q, 2, f->before_id);
    db_bind_u64(q, 3, f->since_ms);
}

/* Only an index is read.  *more: there are rows before it. */
static enum rx_code
find_edge(struct store *s, const struct request_filter *f, struct edge *out,
    bool *more, struct rx_err *err)
{
    const char *by = walk(f);
    struct rx_buf text;

    rx_buf_init(&text, TEXT_MAX);
    rx_buf_addf(&text,
        "select r.started_ms, r.id from request r where "
        "(r.started_ms, r.id) < (?1, ?2) and r.started_ms >= ?3%s "
        "order by r.started_ms desc, r.id desc limit 1 offset ?4",
        by);
    struct db_query *q = db_query(s->db, text.ptr);
    rx_buf_fini(&text);
    bind_range(q, f);
    db_bind_u64(q, 4, SLICE - 1);
    if (by[0] != '\0')
        db_bind_str(q, by[strlen(by) - 1] - '0',
            f->key.len > 0      ? f->key
            : f->tenant.len > 0 ? f->tenant
                                : f->channel);
    *more = db_next(q);
    *out = *more ? (struct edge){ db_u64(q, 0), db_u64(q, 1) }
                 : (struct edge){ f->since_ms, 0 };
    return db_done(q, err);
}

static struct db_query *
slice_query(
    struct store *s, const struct request_filter *f, const struct edge *e)
{
    struct rx_buf text;

#define SQL(name, kind, sql) sql ", "
    rx_buf_init(&text, TEXT_MAX);
    rx_buf_add(&text,
        RX_S("select " COLUMNS(SQL) FROM
            "where (r.started_ms, r.id) < (?1, ?2) and r.started_ms >= ?3 "
            "and (r.started_ms, r.id) >= (?16, ?17)"));
#undef SQL
    request_add_conditions(&text, f);
    rx_buf_add(&text, RX_S(" order by r.started_ms desc, r.id desc"));
    struct db_query *q = db_query(s->db, text.ptr);
    rx_buf_fini(&text);
    bind_range(q, f);
    db_bind_u64(q, 16, e->ms);
    db_bind_u64(q, 17, e->id);
    request_bind_conditions(q, f);
    return q;
}

enum rx_code
request_csv(struct store *s, struct request_filter *filter, struct rx_buf *out,
    bool *more, struct rx_err *err)
{
    struct csv c = { .out = out };
    struct edge edge;

    if (filter->before_ms == 0) {
        filter->before_ms = filter->until_ms > 0 ? filter->until_ms : INT64_MAX;
        filter->before_id = 0;
    }
    enum rx_code code = find_edge(s, filter, &edge, more, err);
    if (code != RX_OK)
        return code;
    struct db_query *q = slice_query(s, filter, &edge);
    while (db_next(q))
        add_row(&c, q);
    filter->before_ms = edge.ms;
    filter->before_id = edge.id;
    return db_done(q, err);
}
