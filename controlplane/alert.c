#include "controlplane/alert.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/alert_damp.h"
#include "controlplane/field.h"
#include "controlplane/webhook.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/map.h"

#define CELLS_MAX  ((size_t)4096)
#define GRACE_MS   10000 /* after a start, for those not said again */
#define AGAIN_MS   5000  /* the store did not take it */
#define FORGET_MS  60000
#define TEXT_SIZE  201
#define WORDS_SIZE 401

static const struct {
    enum alert_severity severity;
    uint32_t raise_ms, clear_ms;
    bool sticky;
    const char *about;
} kinds[] = {
#define ALERT_ROW(id, name, severity, raise, clear, sticky, about) \
    { ALERT_##severity, raise, clear, sticky, about },
    ALERTS(ALERT_ROW)
#undef ALERT_ROW
};
const char *const alert_kind_names[] = {
#define ALERT_NAME(id, name, severity, raise, clear, sticky, about) name,
    ALERTS(ALERT_NAME)
#undef ALERT_NAME
        NULL
};
const char *const alert_severity_names[] = { "info", "warning", "critical",
    NULL };

struct cell {
    enum alert_kind kind;
    struct alert_damp damp;
    int64_t row;   /* while open */
    bool reworded; /* since the row was written */
    char id[TEXT_SIZE], name[TEXT_SIZE], words[WORDS_SIZE];
};

struct alerts {
    struct rx_loop *loop;
    struct store *store;
    struct rx_map *cells; /* "kind/id" */
    struct rx_timer due;
    uint64_t open[3]; /* by severity */
    void (*told)(void *arg);
    void *told_arg;
};

const char *
alert_kind_name(enum alert_kind kind)
{
    return alert_kind_names[kind];
}

bool
alert_kind_of(rx_str name, enum alert_kind *out)
{
    for (size_t i = 0; i < ALERT_KINDS; i++) {
        if (rx_str_eq(name, field_text(alert_kind_names[i]))) {
            *out = (enum alert_kind)i;
            return true;
        }
    }
    return false;
}

/* ---- noting --------------------------------------------------------------- */

static void
keep(char *to, size_t size, rx_str s)
{
    size_t n = s.len < size - 1 ? s.len : size - 1;

    if (n > 0)
        memcpy(to, s.ptr, n);
    to[n] = '\0';
}

static rx_str
cell_key(char room[TEXT_SIZE + 4], enum alert_kind kind, rx_str id)
{
    int n = snprintf(room, TEXT_SIZE + 4, "%02u/%.*s", (unsigned)kind,
        (int)(id.len < TEXT_SIZE - 1 ? id.len : TEXT_SIZE - 1),
        id.len > 0 ? id.ptr : "");

    return (rx_str){ room, (size_t)n };
}

static struct cell *
find(const struct alerts *a, enum alert_kind kind, rx_str id)
{
    char room[TEXT_SIZE + 4];

    return rx_map_get(a->cells, cell_key(room, kind, id));
}

static struct cell *
make(struct alerts *a, enum alert_kind kind, rx_str id)
{
    char room[TEXT_SIZE + 4];
    struct cell *c = find(a, kind, id);

    if (c != NULL || rx_map_count(a->cells) >= CELLS_MAX)
        return c;
    c = calloc(1, sizeof(*c));
    if (c == NULL)
        abort();
    c->kind = kind;
    keep(c->id, sizeof(c->id), id);
    rx_map_put(a->cells, cell_key(room, kind, id), c);
    return c;
}

void
alert_raise(struct alerts *a, enum alert_kind kind, rx_str id, rx_str name,
    const char *fmt, ...)
{
    struct cell *c = make(a, kind, id);
    char words[WORDS_SIZE];
    va_list args;

    if (c == NULL)
        return;
    va_start(args, fmt);
    vsnprintf(words, sizeof(words), fmt, args);
    va_end(args);
    bool news = !c->damp.on || strcmp(words, c->words) != 0;
    c->reworded = c->reworded || strcmp(words, c->words) != 0;
    memcpy(c->words, words, sizeof(words));
    keep(c->name, sizeof(c->name), name);
    alert_damp_note(&c->damp, true, rx_loop_ms(a->loop));
    if (news)
        rx_timer_set(&a->due, 0);
}

void
alert_clear(struct alerts *a, enum alert_kind kind, rx_str id)
{
    struct cell *c = find(a, kind, id);

    if (c == NULL || !c->damp.on)
        return;
    alert_damp_note(&c->damp, false, rx_loop_ms(a->loop));
    rx_timer_set(&a->due, 0);
}

uint64_t
alerts_count(const struct alerts *a, enum alert_severity severity)
{
    return a->open[severity];
}

/* ---- writing down ------------------------------------------------------------ */

static enum rx_code
insert_row(struct alerts *a, struct cell *c, struct rx_err *err)
{
    struct db_query *q = db_query(a->store->db,
        "insert into alert (kind, severity, about, subject, name, message, "
        "opened_ms, updated_ms, flapping) values (?, ?, ?, ?, ?, ?, ?, ?, ?)");
    uint64_t now = rx_clock_wall_ms();

    db_bind_str(q, 1, field_text(alert_kind_names[c->kind]));
    db_bind_str(
        q, 2, field_text(alert_severity_names[kinds[c->kind].severity]));
    db_bind_str(q, 3, field_text(kinds[c->kind].about));
    db_bind_str(q, 4, field_text(c->id));
    db_bind_str(q, 5, field_text(c->name));
    db_bind_str(q, 6, field_text(c->words));
    db_bind_u64(q, 7, now);
    db_bind_u64(q, 8, now);
    db_bind_i64(q, 9, alert_damp_flaps(&c->damp));
    enum rx_code code = db_run(q, err);
    if (code == RX_OK)
        c->row = db_last_id(a->store->db);
    return code;
}

static enum rx_code
update_row(
    struct alerts *a, const struct cell *c, bool close, struct rx_err *err)
{
    struct db_query *q = db_query(a->store->db,
        "update alert set message = ?2, updated_ms = ?3, "
        "closed_ms = case when ?4 then ?3 end where id = ?1");

    db_bind_i64(q, 1, c->row);
    db_bind_str(q, 2, field_text(c->words));
    db_bind_u64(q, 3, rx_clock_wall_ms());
    db_bind_i64(q, 4, close);
    return db_run(q, err);
}

/* The alert as it stands now, to everybody who wants to hear of it. */
static enum rx_code
tell(struct alerts *a, const struct cell *c, const char *event,
    struct rx_err *err)
{
    struct rx_buf body;
    char id[24];

    snprintf(id, sizeof(id), "%lld", (long long)c->row);
    rx_buf_init(&body, 64 << 10);
    struct rx_json_out w = rx_json_out(&body);
    rx_json_open_object(&w, NULL);
    enum rx_code code = alert_put(a->store, field_text(id), &w, "alert", err);
    rx_json_close(&w);
    if (code == RX_OK)
        code = webhook_tell(a->store,
            &(struct webhook_event){ .event = event,
                .kind = alert_kind_names[c->kind],
                .severity = kinds[c->kind].severity,
                .subject = field_text(c->id),
                .members = rx_buf_str(&body) },
            err);
    rx_buf_fini(&body);
    return code;
}

static enum rx_code
write_cell(struct alerts *a, struct cell *c, bool flip, struct rx_err *err)
{
    enum rx_code code = store_begin(a->store, err);

    if (code != RX_OK)
        return code;
    if (flip && c->damp.on)
        code = insert_row(a, c, err);
    else
        code = update_row(a, c, flip, err);
    if (code == RX_OK && flip)
        code = tell(a, c, c->damp.on ? "alert.opened" : "alert.closed", err);
    if (code == RX_OK)
        return store_commit(a->store, err);
    store_rollback(a->store);
    return code;
}

static void
log_flip(const struct cell *c)
{
    enum rx_log_level level = RX_LOG_INFO;

    if (c->damp.open && kinds[c->kind].severity != ALERT_INFO)
        level = RX_LOG_WARN;
    rx_log_at(level, c->damp.open ? "alert.opened" : "alert.closed",
        "kind=%s about=%s subject=%s words=%s", alert_kind_names[c->kind],
        kinds[c->kind].about,
        rx_log_quote(c->name[0] != '\0' ? c->name : c->id),
        rx_log_quote(c->words));
}

/* When it wants to be looked at again. */
static uint64_t
settle_cell(struct alerts *a, struct cell *c, uint64_t now, bool *told)
{
    struct rx_err err = { 0 };
    uint64_t due = alert_damp_due(
        &c->damp, kinds[c->kind].raise_ms, kinds[c->kind].clear_ms);
    bool flip = due <= now;

    if (!flip && !(c->reworded && c->damp.open))
        return due;
    if (write_cell(a, c, flip, &err) != RX_OK) {
        rx_error("alert.unwritten", "kind=%s why=%s", alert_kind_names[c->kind],
            rx_log_quote(err.text));
        return now + AGAIN_MS;
    }
    c->reworded = false;
    if (!flip)
        return due;
    alert_damp_flip(&c->damp, now);
    a->open[kinds[c->kind].severity] += c->damp.open ? 1 : UINT64_MAX;
    log_flip(c);
    *told = true;
    return UINT64_MAX;
}

static void
forget_idle(struct alerts *a, uint64_t now)
{
    char room[TEXT_SIZE + 4];
    size_t at = 0;
    rx_str key;
    void *value = NULL;

    while (rx_map_next(a->cells, &at, &key, &value)) {
        struct cell *c = value;
        if (!alert_damp_idle(&c->damp, now))
            continue;
        rx_map_remove(a->cells, cell_key(room, c->kind, field_text(c->id)));
        free(c);
        at = 0;
    }
}

static void
settle(void *arg)
{
    struct alerts *a = arg;
    uint64_t now = rx_loop_ms(a->loop);
    uint64_t next = now + FORGET_MS;
    bool told = false;
    size_t at = 0;
    rx_str key;
    void *value = NULL;

    if (db_in_transaction(a->store->db)) {
        rx_timer_set(&a->due, 1);
        return;
    }
    forget_idle(a, now);
    while (rx_map_next(a->cells, &at, &key, &value)) {
        uint64_t due = settle_cell(a, value, now, &told);
        next = due < next ? due : next;
    }
    if (rx_map_count(a->cells) > 0)
        rx_timer_set(&a->due, next > now ? next - now : 1);
    if (told && a->told != NULL)
        a->told(a->told_arg);
}

/* ---- beginning and end ------------------------------------------------------------ */

static void
take_row(struct alerts *a, struct db_query *q)
{
    uint64_t now = rx_loop_ms(a->loop);
    enum alert_kind kind;

    if (!alert_kind_of(db_str(q, 1), &kind))
        return;
    struct cell *c = make(a, kind, db_str(q, 2));
    if (c == NULL)
        return;
    c->row = db_i64(q, 0);
    keep(c->name, sizeof(c->name), db_str(q, 3));
    keep(c->words, sizeof(c->words), db_str(q, 4));
    c->damp.open = true;
    c->damp.on = kinds[kind].sticky;
    c->damp.since_ms = now + GRACE_MS;
    a->open[kinds[kind].severity]++;
}

enum rx_code
alerts_open(struct alerts **out, struct rx_loop *loop, struct store *store,
    struct rx_err *err)
{
    struct alerts *a = calloc(1, sizeof(*a));

    if (a == NULL)
        abort();
    a->loop = loop;
    a->store = store;
    a->cells = rx_map_new();
    rx_timer_init(&a->due, loop, settle, a);
    *out = a;
    struct db_query *q = db_query(store->db,
        "select id, kind, subject, name, message from alert "
        "where closed_ms is null order by id");
    while (db_next(q))
        take_row(a, q);
    if (rx_map_count(a->cells) > 0)
        rx_timer_set(&a->due, GRACE_MS);
    return db_done(q, err);
}

void
alerts_close(struct alerts *a)
{
    if (a == NULL)
        return;
    settle(a);
    rx_timer_fini(&a->due);
    rx_map_free(a->cells, free);
    free(a);
}

void
alerts_on_told(struct alerts *a, void (*fn)(void *arg), void *arg)
{
    a->told = fn;
    a->told_arg = arg;
}
