/*
 * The audit log: what an item was before a change and is after it, as the route
 * that shows it would say.  So every noun is covered that has a GET of its own.
 */
#include "controlplane/api_audit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "controlplane/settings.h"
#include "shared/clock.h"

#define DAY_MS ((uint64_t)24 * 3600 * 1000)

/* ---- the item ---- */

static bool
is_one(const struct api_route *r)
{
    size_t len = strlen(r->path);

    return r->path[len - 1] == '}';
}

/*
 * Does `g` show what `r` changes?  The same path, or one above it that ends in
 * an id; to what makes something belongs the path that has one id more.
 */
static bool
shows(const struct api_route *g, const struct api_route *r)
{
    size_t len = strlen(g->path), whole = strlen(r->path);

    if (strcmp(g->method, "GET") != 0 || g->role == API_PUBLIC)
        return false;
    if (strncmp(g->path, r->path, len < whole ? len : whole) != 0)
        return false;
    if (len <= whole)
        return (r->path[len] == '\0' || r->path[len] == '/') &&
               (is_one(g) || (len == whole && strcmp(r->method, "POST") != 0));
    return strcmp(r->method, "POST") == 0 && !is_one(r) &&
           g->path[whole] == '/' && g->path[whole + 1] == '{' &&
           strchr(g->path + whole + 1, '/') == NULL;
}

static const struct api_route *
shown_by(const struct api_route *changing)
{
    const struct api_route *best = NULL;

    for (const struct api_route *g = api_routes; g->method != NULL; g++) {
        if (shows(g, changing) &&
            (best == NULL || strlen(g->path) > strlen(best->path)))
            best = g;
    }
    return best;
}

/* What GET would answer; not there when it would not. */
static rx_json
show(struct api_call *c, const struct api_route *g, rx_str id)
{
    struct api_call sub = *c;
    struct rx_err err = { 0 };
    rx_json none = { 0 };

    sub.route = g;
    sub.params[0] = id;
    sub.query_count = 0;
    sub.body = none;
    sub.later = false;
    sub.cancel = NULL;
    rx_buf_init(&sub.out, (size_t)1 << 20);
    rx_buf_init(&sub.headers, 8 << 10);
    sub.w = rx_json_out(&sub.out);
    rx_json_open_object(&sub.w, NULL);
    enum rx_code code = g->handle(&sub, &err);
    if (sub.later && sub.cancel != NULL)
        sub.cancel(sub.cancel_arg);
    rx_json_close(&sub.w);
    rx_json item = none;
    if (code == RX_OK && !sub.later && sub.raw_type == NULL && !sub.out.full)
        item =
            rx_json_find(field_parse(c->arena, rx_buf_str(&sub.out)), "data");
    rx_buf_fini(&sub.out);
    rx_buf_fini(&sub.headers);
    return item;
}

void
api_audit_before(struct api_call *c)
{
    const struct api_route *g = shown_by(c->route);

    c->before = (rx_json){ 0 };
    if (g != NULL && strlen(g->path) <= strlen(c->route->path))
        c->before = show(c, g, c->params[0]);
}

/* ---- lines ---- */

static enum rx_code
prune(struct api_call *c, struct rx_err *err)
{
    struct settings settings;
    uint64_t now = rx_clock_wall_ms();
    enum rx_code code = settings_load(c->store, c->arena, &settings, err);
    uint64_t keep = settings.audit_days * DAY_MS;

    return code == RX_OK && keep < now ? audit_prune(c->store, now - keep, err)
                                       : code;
}

struct audit_line
api_audit_line(const struct api_call *c, const char *action, const char *kind,
    rx_str id, rx_str name)
{
    return (struct audit_line){
        .actor = c->who.name,
        .action = action,
        .kind = kind,
        .id = id,
        .name = name,
        .actor_kind = scope_kind_name(c->who.kind),
        .actor_id = c->who.id,
        .address = c->address,
    };
}

enum rx_code
api_audit(struct api_call *c, const char *action, const char *kind, rx_str id,
    rx_str name, struct rx_err *err)
{
    const struct api_route *g = shown_by(c->route);
    struct audit_line line = api_audit_line(c, action, kind, id, name);

    line.body = c->body;
    line.before = c->before;
    if (g != NULL)
        line.after = show(c, g, id);
    enum rx_code code = audit_add(c->store, &line, err);
    return code == RX_OK ? prune(c, err) : code;
}

enum rx_code
api_audit_read(struct api_call *c, const char *kind, rx_str id, rx_str name,
    struct rx_err *err)
{
    struct audit_line line = api_audit_line(c, "read", kind, id, name);
    enum rx_code code = store_begin(c->store, err);

    if (code != RX_OK)
        return code;
    code = audit_add(c->store, &line, err);
    if (code == RX_OK)
        return store_commit(c->store, err);
    store_rollback(c->store);
    return code;
}

enum rx_code
api_audit_list(struct api_call *c, struct rx_err *err)
{
    struct audit_filter filter = {
        .actor = api_query(c, "actor"),
        .object = api_query(c, "object"),
        .kind = api_query(c, "kind"),
        .action = api_query(c, "action"),
    };
    size_t limit, count = 0;
    uint64_t last;
    char next[32];
    rx_str cursor;

    enum rx_code code = api_page(c, &limit, &cursor, err);
    if (code == RX_OK)
        code = api_query_time(c, "since", 0, &filter.since_ms, err);
    if (code == RX_OK)
        code = api_query_time(c, "until", 0, &filter.until_ms, err);
    if (code != RX_OK)
        return code;
    if (cursor.len > 0 && !rx_str_u64(cursor, &filter.before))
        return api_wrong(c, err, "cursor", "is not one we gave out");
    rx_json_open_array(&c->w, "data");
    code = audit_list(c->store, &filter, limit, &c->w, &count, &last, err);
    rx_json_close(&c->w);
    snprintf(next, sizeof(next), "%" PRIu64, last);
    api_put_next(c, count == limit ? field_text(next) : (rx_str){ 0 });
    return code;
}
