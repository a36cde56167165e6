/*
 * Alerts as they are shown.
 */
#include <inttypes.h>
#include <stdio.h>

#include "controlplane/alert.h"
#include "shared/clock.h"

#define COLUMNS                                                      \
    "id, kind, severity, about, subject, name, message, opened_ms, " \
    "updated_ms, closed_ms, acked_ms, acked_by, flapping"

static void
put_row(struct rx_json_out *w, const char *key, struct db_query *q)
{
    static const struct {
        const char *name;
        int column;
    } texts[] = { { "kind", 1 }, { "severity", 2 }, { "about", 3 },
        { "subject", 4 }, { "name", 5 }, { "message", 6 } },
      times[] = { { "opened_at", 7 }, { "updated_at", 8 }, { "closed_at", 9 },
          { "acked_at", 10 } };
    char id[24];

    snprintf(id, sizeof(id), "%" PRIu64, db_u64(q, 0));
    rx_json_open_object(w, key);
    rx_json_put_text(w, "id", id);
    rx_json_put_text(w, "state", db_is_null(q, 9) ? "open" : "closed");
    for (size_t i = 0; i < RX_COUNT(texts); i++)
        rx_json_put_str(w, texts[i].name, db_str(q, texts[i].column));
    for (size_t i = 0; i < RX_COUNT(times); i++)
        rx_json_put_time(w, times[i].name, db_u64(q, times[i].column));
    if (db_is_null(q, 11))
        rx_json_put_null(w, "acked_by");
    else
        rx_json_put_str(w, "acked_by", db_str(q, 11));
    rx_json_put_bool(w, "flapping", db_i64(q, 12) != 0);
    rx_json_close(w);
}

enum rx_code
alert_list(struct store *s, const struct alert_filter *f, struct rx_json_out *w,
    size_t *count, uint64_t *last, struct rx_err *err)
{
    struct db_query *q =
        db_query(s->db, "select " COLUMNS " from alert where id < ?1 "
                        "and (?2 = 2 or (closed_ms is not null) = ?2) "
                        "and (?3 = '' or kind = ?3) order by id desc limit ?4");

    *count = 0;
    *last = 0;
    db_bind_u64(q, 1, f->before > 0 ? f->before : INT64_MAX);
    db_bind_i64(q, 2, (int64_t)f->state);
    db_bind_str(q, 3, f->kind);
    db_bind_u64(q, 4, f->limit);
    while (db_next(q)) {
        put_row(w, NULL, q);
        *last = db_u64(q, 0);
        ++*count;
    }
    return db_done(q, err);
}

enum rx_code
alert_put(struct store *s, rx_str id, struct rx_json_out *w, const char *key,
    struct rx_err *err)
{
    struct db_query *q =
        db_query(s->db, "select " COLUMNS " from alert where id = ?");
    uint64_t row = 0;

    db_bind_u64(q, 1, rx_str_u64(id, &row) ? row : 0);
    bool found = db_next(q);
    if (found)
        put_row(w, key, q);
    enum rx_code code = db_done(q, err);
    if (code == RX_OK && !found)
        return rx_fail(err, RX_NOT_FOUND, "there is no alert \"%.*s\"",
            (int)(id.len < 80 ? id.len : 80), id.ptr);
    return code;
}

enum rx_code
alert_ack(struct store *s, rx_str id, rx_str actor, struct rx_err *err)
{
    struct db_query *q =
        db_query(s->db, "update alert set acked_ms = ?2, acked_by = ?3 "
                        "where id = ?1 and acked_ms is null");
    uint64_t row = 0;

    db_bind_u64(q, 1, rx_str_u64(id, &row) ? row : 0);
    db_bind_u64(q, 2, rx_clock_wall_ms());
    db_bind_str(q, 3, actor);
    return db_run(q, err);
}
