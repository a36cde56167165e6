#include "controlplane/quota.h"

#define SUM                                                                   \
    "select coalesce(sum(coalesce(in_uncached, 0) + coalesce(cache_read, 0) " \
    "+ coalesce(cache_write_5m, 0) + coalesce(cache_write_1h, 0) "            \
    "+ coalesce(cache_write_other, 0) + coalesce(in_tool_use, 0) "            \
    "+ coalesce(out_total, 0)), 0) from request where operation <> 'count' "  \
    "and started_ms >= ?2 and (?3 = '' or (plane = ?3 and boot = ?4)) and "

enum rx_code
quota_spent(struct store *s, enum limited owner, rx_str id, uint64_t since_ms,
    rx_str plane, uint64_t boot, uint64_t *out, struct rx_err *err)
{
    struct db_query *q = db_query(s->db,
        owner == LIMITED_TENANT ? SUM "tenant_id = ?1" : SUM "key_id = ?1");

    *out = 0;
    db_bind_str(q, 1, id);
    db_bind_u64(q, 2, since_ms);
    db_bind_str(q, 3, plane);
    db_bind_u64(q, 4, boot);
    if (db_next(q))
        *out = db_u64(q, 0);
    return db_done(q, err);
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
