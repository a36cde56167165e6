/*
 * claude-code-router: the classic config.json (version 1 and 2), and the
 * config.sqlite of version 3.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/cli/cmd_config.h"
#include "controlplane/cli/importing.h"
#include "controlplane/db.h"
#include "shared/attr.h"
#include "shared/transformers.h"

#define FILE_MAX     ((size_t)16 << 20)
#define LONG_CONTEXT 60000
#define TARGETS_MAX  16

/* ---- providers ------------------------------------------------------------- */

/* Theirs name endpoints, not dialects. */
static rx_str
dialect_of(rx_json provider)
{
    static const struct {
        rx_str theirs;
        rx_str ours;
    } types[] = {
        { RX_STR_INIT("anthropic_messages"), RX_STR_INIT("anthropic") },
        { RX_STR_INIT("openai_chat_completions"), RX_STR_INIT("chat") },
        { RX_STR_INIT("openai_responses"), RX_STR_INIT("responses") },
        { RX_STR_INIT("gemini_generate_content"), RX_STR_INIT("gemini") },
    };
    rx_str type = rx_json_str(rx_json_find(provider, "type"));

    for (size_t i = 0; i < RX_COUNT(types); i++) {
        if (rx_str_ieq(type, types[i].theirs))
            return types[i].ours;
    }
    return (rx_str){ 0 };
}

static rx_str
first_text(rx_json object, const char *const *names)
{
    rx_str s = { 0 };

    for (; *names != NULL && s.len == 0; names++)
        s = rx_json_str(rx_json_find(object, *names));
    return s;
}

/* The steps that Routex has, too; those it does not have are told. */
static void
put_steps(struct importing *im, struct rx_json_out *w, rx_str name, rx_json use)
{
    rx_json_open_array(w, "use");
    for (rx_json v = rx_json_first(use); rx_json_there(v);
         v = rx_json_next(v)) {
        rx_json options;
        rx_str step = rx_transformer_step(v, &options);
        const struct rx_transformer *t = rx_transformer_find(step);
        if (t != NULL && (t->dialects & RX_TRANSFORMER_CHAT) != 0)
            rx_json_put_value(w, NULL, v);
        else if (!rx_str_ieq(step, RX_S("anthropic")) &&
                 !rx_str_ieq(step, RX_S("gemini")))
            import_note(im, name, "has no transformer \"%.60s\" here",
                step.len > 0 ? import_keep(im, step).ptr : "");
    }
    rx_json_close(w);
}

static bool
are_steps_good(struct importing *im, rx_str text)
{
    rx_json config = import_json(im, text);

    if (!rx_json_there(config))
        return false;
    rx_transformers_check(config);
    return rx_json_fault(config.doc) == NULL && rx_transformers_any(config);
}

/* {"use":[…],"model":{"use":[…]}}: ours look the same. */
static rx_str
transformers_of(struct importing *im, rx_str name, rx_json theirs)
{
    struct rx_buf text;

    if (rx_json_kind(theirs) != RX_JSON_OBJECT)
        return (rx_str){ 0 };
    rx_buf_init(&text, 1 << 20);
    struct rx_json_out w = rx_json_out(&text);
    rx_json_open_object(&w, NULL);
    for (rx_json v = rx_json_first(theirs); rx_json_there(v);
         v = rx_json_next(v)) {
        if (rx_json_kind(v) == RX_JSON_ARRAY &&
            rx_str_eq(rx_json_name(v), RX_S("use"))) {
            put_steps(im, &w, name, v);
        } else if (rx_json_kind(v) == RX_JSON_OBJECT) {
            rx_json_open_object(&w, rx_json_name(v).ptr);
            put_steps(im, &w, name, rx_json_find(v, "use"));
            rx_json_close(&w);
        }
    }
    rx_json_close(&w);
    rx_str kept = import_keep(im, rx_buf_str(&text));
    rx_buf_fini(&text);
    return are_steps_good(im, kept) ? kept : (rx_str){ 0 };
}

static rx_str
list_text(struct importing *im, rx_json list)
{
    struct rx_buf text;
    rx_str kept = { 0 };

    if (rx_json_kind(list) != RX_JSON_ARRAY || rx_json_count(list) == 0)
        return kept;
    rx_buf_init(&text, 1 << 20);
    rx_json_print(list, false, &text);
    kept = import_keep(im, rx_buf_str(&text));
    rx_buf_fini(&text);
    return kept;
}

static void
take_provider(struct importing *im, rx_json v, rx_str proxy)
{
    static const char *const urls[] = { "api_base_url", "baseUrl", "baseurl",
        "base_url", NULL };
    static const char *const keys[] = { "api_key", "apiKey", "apikey", NULL };
    struct found_channel f = FOUND_CHANNEL;

    f.name = rx_json_str(rx_json_find(v, "name"));
    f.url = first_text(v, urls);
    f.key = first_text(v, keys);
    f.dialect = dialect_of(v);
    f.models = list_text(im, rx_json_find(v, "models"));
    f.proxy_url = proxy;
    f.transformers =
        transformers_of(im, f.name, rx_json_find(v, "transformer"));
    if (f.name.len == 0 || f.url.len == 0) {
        import_note(im, f.name.len > 0 ? f.name : RX_S("a provider"),
            "has no name or no address; it did nothing before, either");
        return;
    }
    if (rx_json_count(rx_json_find(v, "credentials")) > 0)
        import_note(im, f.name,
            "has a pool of credentials; add them with routex channel edit");
    import_channel(im, &f);
}

/* ---- targets --------------------------------------------------------------- */

struct target {
    rx_str channel, model;
};

/* "provider,model", and from version 3 "provider/model". */
static bool
read_target(struct importing *im, rx_str text, struct target *out)
{
    rx_str provider;

    if (text.len == 0)
        return false;
    if (!rx_str_cut(text, ',', &provider, &out->model) &&
        !rx_str_cut(text, '/', &provider, &out->model))
        return false;
    out->channel = import_known(im, rx_str_trim(provider));
    out->model = rx_str_trim(out->model);
    return out->channel.len > 0 && out->model.len > 0;
}

static void
put_target(struct importing *im, const struct target *first, rx_json fallbacks)
{
    struct rx_json_out *w = &im->rule_w;
    struct target t;

    rx_json_open_object(w, "target");
    rx_json_put_str(w, "channel", first->channel);
    rx_json_put_str(w, "model", first->model);
    rx_json_open_array(w, "fallbacks");
    for (rx_json v = rx_json_first(fallbacks); rx_json_there(v);
         v = rx_json_next(v)) {
        if (!read_target(im, rx_json_str(v), &t))
            continue;
        rx_json_open_object(w, NULL);
        rx_json_put_str(w, "channel", t.channel);
        rx_json_put_str(w, "model", t.model);
        rx_json_close(w);
    }
    rx_json_close(w);
    rx_json_close(w);
}

/* ---- the classic scenarios ------------------------------------------------- */

static const char *const scenarios[] = { "default", "background", "think",
    "longContext", "webSearch", "image" };

static void
take_scenario(struct importing *im, rx_json root, const char *scenario)
{
    char path[64];
    struct target t;
    uint64_t threshold = LONG_CONTEXT;

    snprintf(path, sizeof(path), "Router.%s", scenario);
    rx_json v = rx_json_find(root, path);
    if (rx_json_str(v).len == 0)
        return;
    if (!read_target(im, rx_json_str(v), &t)) {
        import_note(im, import_text(im, "Router.%s", scenario),
            "names \"" RX_STR_FMT "\", which is no provider and model in the "
            "file",
            RX_STR_ARG(rx_json_str(v)));
        return;
    }
    rx_json_open_object(&im->rule_w, NULL);
    rx_json_put_str(&im->rule_w, "name", import_text(im, "ccr %s", scenario));
    rx_json_put_text(&im->rule_w, "type", scenario);
    if (strcmp(scenario, "longContext") == 0) {
        rx_json_u64(
            rx_json_find(root, "Router.longContextThreshold"), &threshold);
        rx_json_open_object(&im->rule_w, "condition");
        rx_json_put_u64(&im->rule_w, "token_threshold", threshold);
        rx_json_close(&im->rule_w);
    }
    snprintf(path, sizeof(path), "fallback.%s", scenario);
    put_target(im, &t, rx_json_find(root, path));
    rx_json_close(&im->rule_w);
}

/* ---- the rules of version 3 ------------------------------------------------ */

/* The model that a rule sets in the body. */
static rx_str
rewritten_model(rx_json rule)
{
    static const char *const lists[] = { "rewrites", "rewrite", NULL };
    rx_str model = rx_json_str(rx_json_find(rule, "target"));

    for (const char *const *l = lists; *l != NULL && model.len == 0; l++) {
        rx_json list = rx_json_find(rule, *l);
        for (rx_json v = rx_json_first(list); rx_json_there(v);
             v = rx_json_next(v)) {
            if (rx_str_eq(rx_json_str(rx_json_find(v, "key")),
                    RX_S("request.body.model")))
                model = rx_json_str(rx_json_find(v, "value"));
        }
    }
    return model;
}

/* The conditions that mean the same here; false: none of them. */
static bool
put_condition(struct importing *im, rx_json rule)
{
    struct rx_json_out *w = &im->rule_w;
    rx_json c = rx_json_find(rule, "condition");
    rx_str left = rx_json_str(rx_json_find(c, "left"));
    rx_str sign = rx_json_str(rx_json_find(c, "operator"));
    rx_json right = rx_json_find(c, "right");
    rx_str prefix = rx_json_str(rx_json_find(rule, "prefix"));
    rx_str text = rx_json_str(right);
    uint64_t n = 0;

    bool number = rx_json_u64(right, &n) || rx_str_u64(text, &n);
    if (prefix.len > 0) {
        rx_json_open_object(w, "condition");
        rx_json_open_array(w, "model");
        rx_json_put_str(
            w, NULL, import_text(im, RX_STR_FMT "*", RX_STR_ARG(prefix)));
        rx_json_close(w);
        rx_json_close(w);
        return true;
    }
    if (rx_str_eq(left, RX_S("request.tokenCount")) && number &&
        (rx_str_eq(sign, RX_S(">")) || rx_str_eq(sign, RX_S(">=")))) {
        rx_json_open_object(w, "condition");
        rx_json_put_u64(w, "token_threshold", n);
        rx_json_close(w);
        return true;
    }
    if (rx_str_eq(left, RX_S("request.body.model")) && text.len > 0 &&
        (rx_str_eq(sign, RX_S("==")) || rx_str_eq(sign, RX_S("starts-with")))) {
        rx_json_open_object(w, "condition");
        rx_json_open_array(w, "model");
        rx_json_put_str(w, NULL,
            import_text(im, RX_STR_FMT "%s", RX_STR_ARG(text),
                sign.len > 2 ? "*" : ""));
        rx_json_close(w);
        rx_json_close(w);
        return true;
    }
    return false;
}

static bool
is_convertible(struct importing *im, rx_json rule)
{
    struct rx_buf scratch;
    struct rx_json_out kept = im->rule_w;

    rx_buf_init(&scratch, 1 << 16);
    im->rule_w = rx_json_out(&scratch);
    rx_json_open_object(&im->rule_w, NULL);
    bool can = put_condition(im, rule);
    im->rule_w = kept;
    rx_buf_fini(&scratch);
    return can;
}

static void
take_rule(struct importing *im, rx_json rule, size_t number)
{
    rx_str name = rx_json_str(rx_json_find(rule, "name"));
    rx_json enabled = rx_json_find(rule, "enabled");
    struct target t;

    if (name.len == 0)
        name = import_text(im, "ccr rule %zu", number + 1);
    if (!is_convertible(im, rule)) {
        import_note(im, name,
            "its condition (or script) has no equal here; see docs/routing.md "
            "for conditions and Lua functions");
        return;
    }
    if (!read_target(im, rewritten_model(rule), &t)) {
        import_note(im, name, "does not lead to a provider and model");
        return;
    }
    rx_json_open_object(&im->rule_w, NULL);
    rx_json_put_str(&im->rule_w, "name", name);
    if (rx_json_kind(enabled) == RX_JSON_BOOL && !rx_json_bool(enabled))
        rx_json_put_text(&im->rule_w, "status", "disabled");
    rx_json_put_i64(&im->rule_w, "priority", 500 - (int64_t)number);
    put_condition(im, rule);
    put_target(im, &t, rx_json_find(rule, "fallback.models"));
    rx_json_close(&im->rule_w);
}

static void
take_rules(struct importing *im, rx_json root)
{
    rx_json list = rx_json_find(root, "Router.rules");
    size_t n = 0;

    for (rx_json v = rx_json_first(list); rx_json_there(v); v = rx_json_next(v))
        take_rule(im, v, n++);
    if (rx_json_count(rx_json_find(root, "Router.fallback.models")) > 0)
        import_note(im, RX_S("Router.fallback"),
            "another channel is always tried here; for an order of your own "
            "give rules their fallbacks");
}

/* ---- the rest -------------------------------------------------------------- */

static void
tell_rest(struct importing *im, rx_json root)
{
    static const struct {
        const char *name, *why;
    } rest[] = {
        { "CUSTOM_ROUTER_PATH",
            "is JavaScript; write it as a Lua function (docs/routing.md)" },
        { "REWRITE_SYSTEM_PROMPT", "has no equal here" },
        { "forceUseImageAgent", "has no equal: images are routed as they are" },
        { "API_TIMEOUT_MS",
            "time limits are set apart here: routex settings, timeouts" },
        { "PORT", "say it with routex up --port" },
        { "HOST", "say it with routex up --host" },
        { "transformers", "are JavaScript; see docs/transformers.md" },
        { "plugins", "have no equal here" },
        { "StatusLine", "belongs to the terminal" },
        { "virtualModelProfiles", "have no equal here" },
        { "botConfigs", "have no equal here" },
    };

    for (size_t i = 0; i < RX_COUNT(rest); i++) {
        rx_json v = rx_json_find(root, rest[i].name);
        bool empty =
            rx_json_kind(v) <= RX_JSON_NULL ||
            (rx_json_kind(v) == RX_JSON_STRING && rx_json_str(v).len == 0) ||
            (rx_json_kind(v) >= RX_JSON_ARRAY && rx_json_count(v) == 0) ||
            (rx_json_kind(v) == RX_JSON_BOOL && !rx_json_bool(v));
        if (!empty)
            import_note(im, (rx_str){ rest[i].name, strlen(rest[i].name) },
                "%s", rest[i].why);
    }
}

static void
take_root(struct importing *im, rx_json root)
{
    rx_json list = rx_json_find(root, "Providers");
    rx_str proxy = rx_json_str(rx_json_find(root, "PROXY_URL"));
    rx_str key = rx_json_str(rx_json_find(root, "APIKEY"));

    for (rx_json v = rx_json_first(list); rx_json_there(v); v = rx_json_next(v))
        take_provider(im, v, proxy);
    for (size_t i = 0; i < RX_COUNT(scenarios); i++)
        take_scenario(im, root, scenarios[i]);
    take_rules(im, root);
    if (key.len > 0)
        import_key(im, RX_S("ccr"), key, true, (rx_str){ 0 }, (rx_str){ 0 });
    tell_rest(im, root);
}

/* ---- files ----------------------------------------------------------------- */

static void
take_keys(struct importing *im, struct db *db)
{
    struct db_query *q = db_query(db,
        "select name, encrypted_key, encryption, expires_at, id from api_keys");

    while (db_next(q)) {
        rx_str name = import_keep(im, db_str(q, 0));
        if (name.len == 0)
            name = import_keep(im, db_str(q, 4));
        if (rx_str_eq(db_str(q, 2), RX_S("plain")))
            import_key(im, name, db_str(q, 1), true,
                import_keep(im, db_str(q, 3)), (rx_str){ 0 });
        else
            import_note(im, name,
                "its key is encrypted by the system's keychain; make a new one "
                "with routex key add");
    }
    (void)db_done(q, NULL);
}

static enum rx_code
import_v3(struct importing *im, const char *file, struct rx_err *err)
{
    struct db *db;
    rx_str text = { 0 };
    enum rx_code code = db_open_foreign(&db, file, err);

    if (code != RX_OK)
        return code;
    struct db_query *q =
        db_query(db, "select value_json from app_config where key = 'default'");
    if (db_next(q))
        text = import_keep(im, db_str(q, 0));
    code = db_done(q, err);
    if (code == RX_OK) {
        rx_json root = import_json(im, text);
        if (rx_json_there(root))
            take_root(im, root);
        else
            code = rx_fail(
                err, RX_INVALID, "%.120s: no configuration in it", file);
        take_keys(im, db);
    }
    db_close(db);
    return code;
}

enum rx_code
import_ccr(struct importing *im, const char *file, struct rx_err *err)
{
    struct rx_buf text, plain;
    enum rx_code code = RX_OK;

    rx_buf_init(&text, FILE_MAX);
    rx_buf_init(&plain, 2 * FILE_MAX);
    if (!cli_read_file(file, &text)) {
        code = rx_fail(err, RX_INVALID, "%.120s: cannot be read", file);
    } else if (rx_str_starts(rx_buf_str(&text), RX_S("SQLite format 3"))) {
        code = import_v3(im, file, err);
    } else {
        import_plain_json(rx_buf_str(&text), &plain);
        rx_json root = import_json(im, import_keep(im, rx_buf_str(&plain)));
        if (!rx_json_there(root))
            code = rx_fail(err, RX_INVALID,
                "%.120s: is neither JSON nor a database of "
                "claude-code-router",
                file);
        else
            take_root(im, root);
    }
    rx_buf_fini(&text);
    rx_buf_fini(&plain);
    return code;
}
