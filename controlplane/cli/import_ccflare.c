/*
 * ccflare and better-ccflare: accounts at providers in a SQLite database.
 */
#include <stdio.h>
#include <string.h>

#include "controlplane/cli/importing.h"
#include "controlplane/db.h"
#include "shared/attr.h"

/* Their providers; NULL url: the account has its own. */
static const struct {
    rx_str theirs;
    const char *url, *dialect;
} providers[] = {
    { RX_STR_INIT("anthropic"), "https://api.anthropic.com", "anthropic" },
    { RX_STR_INIT("claude-console-api"), "https://api.anthropic.com",
        "anthropic" },
    { RX_STR_INIT("zai"), "https://api.z.ai/api/anthropic", "anthropic" },
    { RX_STR_INIT("minimax"), "https://api.minimax.io/anthropic", "anthropic" },
    { RX_STR_INIT("anthropic-compatible"), NULL, "anthropic" },
    { RX_STR_INIT("openai-compatible"), NULL, "chat" },
    { RX_STR_INIT("nanogpt"), "https://nano-gpt.com/api", "anthropic" },
    { RX_STR_INIT("kilo"), "https://api.kilo.ai/api/gateway", "chat" },
    { RX_STR_INIT("openrouter"), "https://openrouter.ai/api/v1", "chat" },
    { RX_STR_INIT("alibaba-coding-plan"),
        "https://coding-intl.dashscope.aliyuncs.com/apps/anthropic",
        "anthropic" },
    { RX_STR_INIT("ollama"), "http://127.0.0.1:11434", "anthropic" },
    { RX_STR_INIT("ollama-cloud"), "https://ollama.com", "anthropic" },
    { RX_STR_INIT("muse-spark"), "https://api.meta.ai", "anthropic" },
};

struct account {
    rx_str id, name, provider, key, refresh, endpoint, mappings;
    bool paused;
    int64_t priority; /* theirs: lower is first */
    uint64_t tier;
};

static bool
has_column(struct db *db, const char *table, const char *column)
{
    struct db_query *q =
        db_query(db, "select 1 from pragma_table_info(?1) where name = ?2");

    db_bind_str(q, 1, (rx_str){ table, strlen(table) });
    db_bind_str(q, 2, (rx_str){ column, strlen(column) });
    bool has = db_next(q);
    (void)db_done(q, NULL);
    return has;
}

/* {"opus":"a","sonnet":["b","c"]}: families and what they are there. */
static rx_str
models_of(struct importing *im, const struct account *a)
{
    rx_json map = import_json(im, a->mappings);
    struct rx_buf text;

    if (rx_json_kind(map) != RX_JSON_OBJECT || rx_json_count(map) == 0)
        return (rx_str){ 0 };
    rx_buf_init(&text, 1 << 20);
    struct rx_json_out w = rx_json_out(&text);
    rx_json_open_array(&w, NULL);
    for (rx_json v = rx_json_first(map); rx_json_there(v);
         v = rx_json_next(v)) {
        rx_str family = rx_json_name(v);
        rx_str upstream = rx_json_str(v);
        if (rx_json_kind(v) == RX_JSON_ARRAY) {
            upstream = rx_json_str(rx_json_first(v));
            if (rx_json_count(v) > 1)
                import_note(im, a->name,
                    "maps " RX_STR_FMT " to several models; only the first is "
                    "kept, make a rule with fallbacks for the others",
                    RX_STR_ARG(family));
        }
        rx_json_open_object(&w, NULL);
        rx_json_put_str(&w, "name",
            import_text(im, "*" RX_STR_FMT "*", RX_STR_ARG(family)));
        rx_json_put_str(&w, "upstream", upstream);
        rx_json_close(&w);
    }
    rx_json_close(&w);
    rx_str kept = import_keep(im, rx_buf_str(&text));
    rx_buf_fini(&text);
    return kept;
}

static void
take_account(struct importing *im, const struct account *a)
{
    struct found_channel f = FOUND_CHANNEL;
    size_t i = 0;

    while (
        i < RX_COUNT(providers) && !rx_str_eq(a->provider, providers[i].theirs))
        i++;
    if (a->key.len == 0 && a->refresh.len > 0) {
        import_note(im, a->name,
            "is an account with a log-in of " RX_STR_FMT "; tokens are not "
            "taken over, because only one program can renew them: log in "
            "here (routex login)",
            RX_STR_ARG(a->provider));
        return;
    }
    if (i == RX_COUNT(providers)) {
        import_note(im, a->name,
            "its provider " RX_STR_FMT " cannot be carried over; see routex "
            "channel add --help",
            RX_STR_ARG(a->provider));
        return;
    }
    f.known_as = a->id;
    f.name = a->name;
    f.key = a->key;
    f.dialect = (rx_str){ providers[i].dialect, strlen(providers[i].dialect) };
    f.url = a->endpoint;
    if (f.url.len == 0 && providers[i].url != NULL)
        f.url = (rx_str){ providers[i].url, strlen(providers[i].url) };
    f.models = models_of(im, a);
    f.status = a->paused ? "paused" : NULL;
    f.priority = 100 - a->priority;
    f.weight = a->tier;
    if (f.url.len == 0)
        import_note(im, a->name, "has no address");
    else
        import_channel(im, &f);
}

static enum rx_code
take_accounts(
    struct importing *im, struct db *db, bool better, struct rx_err *err)
{
    struct db_query *q = db_query(db,
        better ? "select id, name, provider, api_key, refresh_token, paused, "
                 "priority, custom_endpoint, model_mappings from accounts "
                 "order by priority, name"
               : "select id, name, provider, api_key, refresh_token, paused, "
                 "account_tier from accounts order by name");
    struct account a = { 0 };

    while (db_next(q)) {
        a.id = import_keep(im, db_str(q, 0));
        a.name = import_keep(im, db_str(q, 1));
        a.provider = import_keep(im, db_str(q, 2));
        a.key = import_keep(im, db_str(q, 3));
        a.refresh = import_keep(im, db_str(q, 4));
        a.paused = db_i64(q, 5) != 0;
        a.priority = better ? db_i64(q, 6) : 0;
        a.tier = better ? 0 : db_u64(q, 6);
        if (better) {
            a.endpoint = import_keep(im, db_str(q, 7));
            a.mappings = import_keep(im, db_str(q, 8));
        }
        take_account(im, &a);
    }
    return db_done(q, err);
}

/* ---- what else is in it ---------------------------------------------------- */

static void
tell_keys(struct importing *im, struct db *db)
{
    struct db_query *q = db_query(db, "select name from api_keys");

    while (db_next(q))
        import_note(im, db_str(q, 0),
            "only a hash of this client key is there, of another kind than "
            "ours; make a new one with routex key add");
    (void)db_done(q, NULL);
}

static void
tell_agents(struct importing *im, struct db *db)
{
    struct db_query *q =
        db_query(db, "select agent_id, model from agent_preferences");

    while (db_next(q)) {
        rx_str model = import_keep(im, db_str(q, 1));
        import_note(im, db_str(q, 0),
            "is an agent with the model " RX_STR_FMT "; its file says so from "
            "now on: routex agent edit",
            RX_STR_ARG(model));
    }
    (void)db_done(q, NULL);
}

struct slot {
    rx_str family, channel, model;
};

/* A family's combo: its slots in their order, one rule. */
static void
put_combo(struct importing *im, const struct slot *slots, size_t count)
{
    struct rx_json_out *w = &im->rule_w;

    rx_json_open_object(w, NULL);
    rx_json_put_str(w, "name",
        import_text(im, "combo " RX_STR_FMT, RX_STR_ARG(slots[0].family)));
    rx_json_open_object(w, "condition");
    rx_json_open_array(w, "model");
    rx_json_put_str(w, NULL,
        import_text(im, "*" RX_STR_FMT "*", RX_STR_ARG(slots[0].family)));
    rx_json_close(w);
    rx_json_close(w);
    rx_json_open_object(w, "target");
    for (size_t i = 0; i < count; i++) {
        if (i == 1)
            rx_json_open_array(w, "fallbacks");
        if (i > 0)
            rx_json_open_object(w, NULL);
        rx_json_put_str(w, "channel", slots[i].channel);
        rx_json_put_str(w, "model", slots[i].model);
        if (i > 0)
            rx_json_close(w);
    }
    if (count > 1)
        rx_json_close(w);
    rx_json_close(w);
    rx_json_close(w);
}

#define SLOTS_MAX 16

static void
take_combos(struct importing *im, struct db *db)
{
    struct slot slots[SLOTS_MAX];
    size_t count = 0;
    struct db_query *q = db_query(db,
        "select f.family, s.account_id, s.model from combo_family_assignments f "
        "join combos c on c.id = f.combo_id join combo_slots s "
        "on s.combo_id = c.id where f.enabled and c.enabled and s.enabled "
        "order by f.family, s.priority");

    while (db_next(q)) {
        struct slot s = { import_keep(im, db_str(q, 0)),
            import_known(im, db_str(q, 1)), import_keep(im, db_str(q, 2)) };
        if (count > 0 && !rx_str_eq(s.family, slots[0].family)) {
            put_combo(im, slots, count);
            count = 0;
        }
        if (s.channel.len == 0)
            import_note(im, s.family,
                "its combo has an account that was not carried over");
        else if (count < SLOTS_MAX)
            slots[count++] = s;
    }
    if (count > 0)
        put_combo(im, slots, count);
    (void)db_done(q, NULL);
}

static enum rx_code
run(struct importing *im, const char *file, bool wanted_better,
    struct rx_err *err)
{
    struct db *db;
    enum rx_code code = db_open_foreign(&db, file, err);

    if (code != RX_OK)
        return code;
    bool better = has_column(db, "accounts", "priority");
    if (!has_column(db, "accounts", "refresh_token"))
        code = rx_fail(err, RX_INVALID,
            "%.120s: is no database of %sccflare (it has no accounts)", file,
            wanted_better ? "better-" : "");
    if (code == RX_OK)
        code = take_accounts(im, db, better, err);
    if (code == RX_OK) {
        if (has_column(db, "combo_slots", "combo_id"))
            take_combos(im, db);
        if (has_column(db, "api_keys", "hashed_key"))
            tell_keys(im, db);
        if (has_column(db, "agent_preferences", "agent_id"))
            tell_agents(im, db);
        import_note(im, RX_S("requests"),
            "what was used is not carried over; only the configuration is");
    }
    db_close(db);
    return code;
}

enum rx_code
import_ccflare(struct importing *im, const char *file, struct rx_err *err)
{
    return run(im, file, false, err);
}

enum rx_code
import_better_ccflare(
    struct importing *im, const char *file, struct rx_err *err)
{
    return run(im, file, true, err);
}
