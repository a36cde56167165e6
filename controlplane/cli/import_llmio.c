/*
 * llmio: providers, models and which provider serves which model as what.
 */
#include <string.h>

#include "controlplane/cli/importing.h"
#include "controlplane/db.h"
#include "shared/attr.h"

static const struct {
    rx_str theirs, ours;
} styles[] = {
    { RX_STR_INIT("openai"), RX_STR_INIT("chat") },
    { RX_STR_INIT("openai-res"), RX_STR_INIT("responses") },
    { RX_STR_INIT("anthropic"), RX_STR_INIT("anthropic") },
    { RX_STR_INIT("gemini"), RX_STR_INIT("gemini") },
};

struct served {
    struct rx_buf models, headers;
    uint64_t weight; /* the greatest */
    bool differs, any;
};

static void
add_model(struct importing *im, struct db_query *q, struct served *s,
    struct rx_json_out *w, rx_str provider)
{
    rx_str name = db_str(q, 0);
    rx_str upstream = db_str(q, 1);
    uint64_t weight = db_u64(q, 2);
    rx_str headers = db_str(q, 3);
    rx_str extra = db_str(q, 4);

    rx_json_open_object(w, NULL);
    rx_json_put_str(w, "name", name);
    if (!rx_str_eq(name, upstream) && upstream.len > 0)
        rx_json_put_str(w, "upstream", upstream);
    rx_json_close(w);
    s->differs = s->differs || (s->any && weight != s->weight);
    s->weight = weight > s->weight ? weight : s->weight;
    s->any = true;
    if (headers.len > 2 && !rx_str_eq(headers, RX_S("null")) &&
        s->headers.len == 0)
        rx_buf_add(&s->headers, headers);
    if (extra.len > 2 && !rx_str_eq(extra, RX_S("null")))
        import_note(im, provider,
            "adds a body of its own to requests for " RX_STR_FMT
            "; see the transformer custom-params",
            RX_STR_ARG(name));
}

/* What it serves, and as what. */
static void
read_served(struct importing *im, struct db *db, int64_t provider, rx_str name,
    struct served *s)
{
    struct db_query *q = db_query(db,
        "select m.name, a.provider_model, a.weight, a.customer_headers, "
        "a.extra_body, a.status from model_with_providers a "
        "join models m on m.id = a.model_id where a.provider_id = ? "
        "and a.deleted_at is null and m.deleted_at is null order by m.name");
    struct rx_json_out w = rx_json_out(&s->models);

    rx_json_open_array(&w, NULL);
    db_bind_i64(q, 1, provider);
    while (db_next(q)) {
        if (db_is_null(q, 5) || db_i64(q, 5) != 0)
            add_model(im, q, s, &w, name);
        else
            import_note(im, name,
                RX_STR_FMT " is switched off there, and left out",
                RX_STR_ARG(db_str(q, 0)));
    }
    rx_json_close(&w);
    (void)db_done(q, NULL);
}

static void
take_provider(
    struct importing *im, struct db *db, int64_t id, struct found_channel *f)
{
    struct served s = { 0 };

    rx_buf_init(&s.models, 4 << 20);
    rx_buf_init(&s.headers, 1 << 20);
    read_served(im, db, id, f->name, &s);
    f->models = import_keep(im, rx_buf_str(&s.models));
    f->headers = import_keep(im, rx_buf_str(&s.headers));
    f->weight = s.weight;
    if (!s.any) {
        f->models = (rx_str){ 0 };
        f->status = "disabled";
        import_note(im, f->name, "serves no model there; it is disabled here");
    }
    if (s.differs)
        import_note(im, f->name,
            "has another weight for each model; here it has one, the greatest "
            "(a rule can have its own weights)");
    import_channel(im, f);
    rx_buf_fini(&s.models);
    rx_buf_fini(&s.headers);
}

static void
describe(struct importing *im, struct db_query *q, struct found_channel *f)
{
    rx_json config = import_json(im, import_keep(im, db_str(q, 3)));
    rx_str style = db_str(q, 2);

    *f = (struct found_channel)FOUND_CHANNEL;
    f->name = import_keep(im, db_str(q, 1));
    f->url = rx_json_str(rx_json_find(config, "base_url"));
    f->key = rx_json_str(rx_json_find(config, "api_key"));
    f->proxy_url = import_keep(im, db_str(q, 4));
    for (size_t i = 0; i < RX_COUNT(styles); i++) {
        if (rx_str_eq(style, styles[i].theirs))
            f->dialect = styles[i].ours;
    }
    if (db_str(q, 5).len > 0)
        import_note(im, f->name, "its error matcher has no equal here");
}

#define PROVIDERS_MAX 2000

static enum rx_code
take_providers(struct importing *im, struct db *db, struct rx_err *err)
{
    struct found_channel *list =
        rx_arena_make(im->arena, struct found_channel, PROVIDERS_MAX);
    int64_t *ids = rx_arena_make(im->arena, int64_t, PROVIDERS_MAX);
    size_t n = 0;
    struct db_query *q = db_query(db,
        "select id, name, type, config, proxy, error_matcher from providers "
        "where deleted_at is null order by id");

    while (n < PROVIDERS_MAX && db_next(q)) {
        ids[n] = db_i64(q, 0);
        describe(im, q, &list[n++]);
    }
    enum rx_code code = db_done(q, err);
    for (size_t i = 0; code == RX_OK && i < n; i++)
        take_provider(im, db, ids[i], &list[i]);
    return code;
}

static void
take_keys(struct importing *im, struct db *db)
{
    struct db_query *q = db_query(db,
        "select name, key, status, allow_all, models, "
        "strftime('%Y-%m-%dT%H:%M:%SZ', expires_at) from auth_keys "
        "where deleted_at is null order by id");

    while (db_next(q)) {
        rx_str models = db_i64(q, 3) != 0 ? (rx_str){ 0 } : db_str(q, 4);
        if (rx_str_eq(models, RX_S("null")))
            models = (rx_str){ 0 };
        import_key(im, import_keep(im, db_str(q, 0)),
            import_keep(im, db_str(q, 1)), db_i64(q, 2) != 0,
            import_keep(im, db_str(q, 5)), import_keep(im, models));
    }
    (void)db_done(q, NULL);
}

static void
tell_models(struct importing *im, struct db *db)
{
    struct db_query *q =
        db_query(db, "select name, strategy, breaker, max_retry from models "
                     "where deleted_at is null");
    bool lottery = false;

    while (db_next(q)) {
        lottery = lottery || !rx_str_eq(db_str(q, 1), RX_S("rotor"));
        if (rx_str_eq(db_str(q, 1), RX_S("rotor")))
            import_note(im, db_str(q, 0),
                "takes providers in the order of their weights; here "
                "priorities say so (routex channel edit --priority)");
    }
    (void)db_done(q, NULL);
    if (lottery)
        rx_json_put_text(&im->setting_w, "strategy", "weighted");
}

enum rx_code
import_llmio(struct importing *im, const char *file, struct rx_err *err)
{
    struct db *db;
    enum rx_code code = db_open_foreign(&db, file, err);

    if (code != RX_OK)
        return code;
    code = take_providers(im, db, err);
    if (code != RX_OK)
        rx_because(err, "is it a database of llmio?");
    if (code == RX_OK) {
        tell_models(im, db);
        take_keys(im, db);
        import_note(im, RX_S("chat_logs"),
            "what was used is not carried over; only the configuration is");
    }
    db_close(db);
    return code;
}
