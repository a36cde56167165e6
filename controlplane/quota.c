#include "controlplane/quota.h"

#include "controlplane/request.h"
#include "controlplane/rollup.h"

#define WHERE                                                              \
    "from request where started_ms >= ?2 and (?3 = '' or (plane = ?3 and " \
    "boot = ?4)) and "
#define TOKENS                                                                \
    "select coalesce(sum(coalesce(in_uncached, 0) + coalesce(cache_read, 0) " \
    "+ coalesce(cache_write_5m, 0) + coalesce(cache_write_1h, 0) "            \
    "+ coalesce(cache_write_other, 0) + coalesce(in_tool_use, 0) "            \
    "+ coalesce(out_total, 0)), 0) " WHERE "operation <> 'count' and "
#define MONEY "select coalesce(sum((cost + 999999) / 1000000), 0) " WHERE

static const char *const asked[][2] = {
    [LIMITED_TENANT] = { TOKENS "tenant_id = ?1", MONEY "tenant_id = ?1" },
    [LIMITED_KEY] = { TOKENS "key_id = ?1", MONEY "key_id = ?1" },
};

/* A month of rows is too much to add up; sums and what came after them is not. */
static enum rx_code
money_of_all(struct store *s, enum limited owner, rx_str id, uint64_t since_ms,
    uint64_t *out, struct rx_err *err)
{
    bool days = since_ms % rollup_span(ROLLUP_DAY) == 0;
    struct db_query *q = db_query(s->db,
        owner == LIMITED_TENANT
            ? "select (select coalesce(sum(cost / 1000000 + 1), 0) from "
              "usage_sum where level = ?3 and dim = ?4 and at_ms >= ?2 and "
              "name = ?1) + (select coalesce(sum((cost + 999999) / 1000000), "
              "0) from request where id > ?5 and tenant_id = ?1 and "
              "started_ms >= ?2)"
            : "select (select coalesce(sum(cost / 1000000 + 1), 0) from "
              "usage_sum where level = ?3 and dim = ?4 and at_ms >= ?2 and "
              "name = ?1) + (select coalesce(sum((cost + 999999) / 1000000), "
              "0) from request where id > ?5 and key_id = ?1 and "
              "started_ms >= ?2)");

    db_bind_str(q, 1, id);
    db_bind_u64(q, 2, since_ms);
    db_bind_i64(q, 3, days ? ROLLUP_DAY : ROLLUP_HOUR);
    db_bind_i64(q, 4, owner == LIMITED_TENANT ? ROLLUP_TENANT : ROLLUP_KEY);
    db_bind_u64(q, 5, rollup_mark(s->rollup));
    if (db_next(q))
        *out = db_u64(q, 0);
    return db_done(q, err);
}

/* Rows that are not there any more; those of windows with an end are. */
static enum rx_code
add_gone(struct store *s, enum limited owner, rx_str id, uint64_t *out,
    struct rx_err *err)
{
    struct db_query *q = db_query(
        s->db, owner == LIMITED_TENANT
                   ? "select sum(tokens) from request_gone where tenant_id = ?"
                   : "select sum(tokens) from request_gone where key_id = ?");

    db_bind_str(q, 1, id);
    if (db_next(q))
        *out += db_u64(q, 0);
    return db_done(q, err);
}

enum rx_code
quota_spent(struct store *s, enum limited owner, enum state_limit kind,
    rx_str id, uint64_t since_ms, rx_str plane, uint64_t boot, uint64_t *out,
    struct rx_err *err)
{
    bool money = kind == STATE_LIMIT_BUDGET;

    *out = 0;
    if (money && plane.len == 0)
        return money_of_all(s, owner, id, since_ms, out, err);
    struct db_query *q = db_query(s->db, asked[owner][money]);
    db_bind_str(q, 1, id);
    db_bind_u64(q, 2, since_ms);
    db_bind_str(q, 3, plane);
    db_bind_u64(q, 4, boot);
    if (db_next(q))
        *out = db_u64(q, 0);
    enum rx_code code = db_done(q, err);
    if (code == RX_OK && plane.len == 0 && since_ms == 0)
        code = add_gone(s, owner, id, out, err);
    return code;
}

uint64_t
quota_money_of_row(struct store *s, const struct usage_row *row)
{
    int64_t pico;

    if (!request_cost(s, row, &pico) || pico <= 0)
        return 0;
    return (uint64_t)pico / 1000000 + (pico % 1000000 > 0);
}

uint64_t
quota_of_row(const struct usage_row *row)
{
    static const enum usage_count counted[] = { COUNT_in_uncached,
        COUNT_cache_read, COUNT_cache_write_5m, COUNT_cache_write_1h,
        COUNT_cache_write_other, COUNT_in_tool_use, COUNT_out_total };
    uint64_t sum = 0;

    if (rx_str_eq(row->operation, RX_S("count")))
        return 0;
    for (size_t i = 0; i < RX_COUNT(counted); i++) {
        if ((row->usage.has >> counted[i] & 1) != 0)
            sum += row->usage.n[counted[i]];
    }
    return sum;
}
