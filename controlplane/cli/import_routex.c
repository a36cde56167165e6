/*
 * The Routex of dctx-team: channels and rules in a SQLite database.
 */
#include <string.h>

#include "controlplane/cli/importing.h"
#include "controlplane/db.h"
#include "shared/attr.h"
#include "shared/transformers.h"

static const struct {
    rx_str theirs;
    const char *ours; /* NULL: by its address */
} types[] = {
    { RX_STR_INIT("anthropic"), "anthropic" },
    { RX_STR_INIT("openai"), "openai" },
    { RX_STR_INIT("google"), "gemini" },
    { RX_STR_INIT("azure"), "azure" },
    { RX_STR_INIT("zhipu"), "zhipu" },
    { RX_STR_INIT("custom"), NULL },
};

/* "iv:tag:text", each in hexadecimal: sealed with a password we do not have. */
static bool
is_sealed(rx_str key)
{
    unsigned colons = 0;

    for (size_t i = 0; i < key.len; i++) {
        char c = key.ptr[i];
        bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
                   (c >= 'A' && c <= 'F');
        colons += c == ':';
        if (!hex && c != ':')
            return false;
    }
    return colons == 2;
}

/* Their names are ours where the step exists; others are told. */
static rx_str
steps_of(struct importing *im, rx_str name, rx_str stored)
{
    rx_json list = import_json(im, stored);
    struct rx_buf text;
    size_t kept = 0;

    if (rx_json_kind(list) == RX_JSON_OBJECT)
        list = rx_json_find(list, "use");
    rx_buf_init(&text, 1 << 20);
    struct rx_json_out w = rx_json_out(&text);
    rx_json_open_object(&w, NULL);
    rx_json_open_array(&w, "use");
    for (rx_json v = rx_json_first(list); rx_json_there(v);
         v = rx_json_next(v)) {
        rx_json options;
        rx_str step = rx_transformer_step(v, &options);
        const struct rx_transformer *t = rx_transformer_find(step);
        if (t != NULL && t->dialects == RX_TRANSFORMER_ALL) {
            rx_json_put_value(&w, NULL, v);
            kept++;
        } else if (step.len > 0 && !rx_str_eq(step, RX_S("anthropic")) &&
                   !rx_str_eq(step, RX_S("openai"))) {
            import_note(im, name, "has no transformer \"" RX_STR_FMT "\" here",
                RX_STR_ARG(step));
        }
    }
    rx_json_close(&w);
    rx_json_close(&w);
    rx_str out = import_keep(im, rx_buf_str(&text));
    rx_buf_fini(&text);
    return kept > 0 ? out : (rx_str){ 0 };
}

static void
take_channel(struct importing *im, struct db_query *q)
{
    struct found_channel f = FOUND_CHANNEL;
    rx_str type = db_str(q, 2);
    rx_str status = db_str(q, 8);
    size_t i = 0;

    f.known_as = import_keep(im, db_str(q, 0));
    f.name = import_keep(im, db_str(q, 1));
    f.url = import_keep(im, db_str(q, 3));
    f.key = import_keep(im, db_str(q, 4));
    f.models = import_keep(im, db_str(q, 5));
    f.priority = db_i64(q, 6);
    f.weight = db_u64(q, 7);
    f.status = rx_str_eq(status, RX_S("disabled")) ? "disabled" : NULL;
    while (i < RX_COUNT(types) && !rx_str_eq(type, types[i].theirs))
        i++;
    if (i == RX_COUNT(types)) {
        import_note(im, f.name, "its type " RX_STR_FMT " has no equal here",
            RX_STR_ARG(type));
        return;
    }
    if (types[i].ours != NULL)
        f.type = (rx_str){ types[i].ours, strlen(types[i].ours) };
    if (is_sealed(f.key)) {
        f.key = (rx_str){ 0 };
        import_note(im, f.name,
            "its key is encrypted with that program's own password");
    }
    f.transformers = steps_of(im, f.name, import_keep(im, db_str(q, 9)));
    import_channel(im, &f);
}

static enum rx_code
take_channels(struct importing *im, struct db *db, struct rx_err *err)
{
    struct db_query *q = db_query(db,
        "select id, name, type, base_url, api_key, models, priority, weight, "
        "status, transformers from channels order by name");
    size_t n = 0;

    for (; db_next(q); n++)
        take_channel(im, q);
    if (n > 1)
        import_note(im, RX_S("priority"),
            "is kept as it is: the higher one is asked first here; there, the "
            "program took the lower one first while its dashboard said the "
            "opposite");
    return db_done(q, err);
}

/* ---- rules ----------------------------------------------------------------- */

struct found_rule {
    rx_str name, type, channel, theirs, model;
    rx_json condition;
    int64_t priority;
    bool enabled;
};

static void
put_rule(struct importing *im, const struct found_rule *r)
{
    struct rx_json_out *w = &im->rule_w;

    rx_json_open_object(w, NULL);
    rx_json_put_str(w, "name", r->name);
    rx_json_put_str(w, "type", r->type);
    rx_json_put_text(w, "status", r->enabled ? "enabled" : "disabled");
    rx_json_put_i64(w, "priority", r->priority);
    rx_json_put_value(w, "condition", r->condition);
    rx_json_open_object(w, "target");
    rx_json_put_str(w, "channel", r->channel);
    if (r->model.len > 0)
        rx_json_put_str(w, "model", r->model);
    rx_json_close(w);
    rx_json_close(w);
}

static void
take_rule(struct importing *im, struct found_rule *r)
{
    rx_json function = rx_json_find(r->condition, "customFunction");

    if (rx_json_kind(r->condition) != RX_JSON_OBJECT)
        import_note(im, r->name, "its condition cannot be read");
    else if (rx_json_kind(function) == RX_JSON_STRING)
        import_note(im, r->name,
            "calls the program's function " RX_STR_FMT "; write it in Lua "
            "(docs/routing.md)",
            RX_STR_ARG(rx_json_str(function)));
    else if (r->channel.len == 0)
        import_note(im, r->name,
            "points to the channel \"" RX_STR_FMT "\", which is not there",
            RX_STR_ARG(r->theirs));
    else if (rx_str_eq(r->type, RX_S("custom")) &&
             rx_json_count(r->condition) == 0)
        import_note(im, r->name, "has no condition, and never did anything");
    else
        put_rule(im, r);
}

/* By id or by name, as they had it. */
static rx_str
channel_named(struct importing *im, struct db *db, rx_str theirs)
{
    rx_str ours = import_known(im, theirs);
    struct db_query *q;

    if (ours.len > 0)
        return ours;
    q = db_query(db, "select id from channels where name = ?");
    db_bind_str(q, 1, theirs);
    if (db_next(q))
        ours = import_known(im, db_str(q, 0));
    (void)db_done(q, NULL);
    return ours;
}

static enum rx_code
take_rules(struct importing *im, struct db *db, struct rx_err *err)
{
    struct db_query *q = db_query(db,
        "select name, type, condition, target_channel, target_model, priority, "
        "enabled from routing_rules order by priority desc, created_at");

    while (db_next(q)) {
        struct found_rule r = {
            .name = import_keep(im, db_str(q, 0)),
            .type = import_keep(im, db_str(q, 1)),
            .condition = import_json(im, import_keep(im, db_str(q, 2))),
            .theirs = import_keep(im, db_str(q, 3)),
            .model = import_keep(im, db_str(q, 4)),
            .priority = db_i64(q, 5),
            .enabled = db_i64(q, 6) != 0,
        };
        r.channel = channel_named(im, db, r.theirs);
        take_rule(im, &r);
    }
    return db_done(q, err);
}

static void
tell_names(
    struct importing *im, struct db *db, const char *sql, const char *why)
{
    struct db_query *q = db_query(db, sql);

    while (db_next(q))
        import_note(im, db_str(q, 0), "%s", why);
    (void)db_done(q, NULL);
}

enum rx_code
import_dctx_routex(struct importing *im, const char *file, struct rx_err *err)
{
    struct db *db;
    enum rx_code code = db_open_foreign(&db, file, err);

    if (code != RX_OK)
        return code;
    code = take_channels(im, db, err);
    if (code != RX_OK)
        rx_because(err, "is it a database of dctx-team/Routex?");
    if (code == RX_OK)
        code = take_rules(im, db, err);
    if (code == RX_OK) {
        tell_names(im, db, "select name from tee_destinations",
            "is a tee; set it up anew");
        tell_names(im, db, "select provider from oauth_sessions",
            "is a log-in; tokens are not taken over, log in here");
        import_note(im, RX_S("requests"),
            "what was used is not carried over; only the configuration is");
    }
    db_close(db);
    return code;
}
