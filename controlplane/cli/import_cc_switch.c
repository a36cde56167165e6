/*
 * cc-switch: its export is an SQL text; the providers in it are the settings of
 * other programs, each in that program's own form.
 */
#include <string.h>

#include "controlplane/cli/cmd_config.h"
#include "controlplane/cli/importing.h"
#include "controlplane/db.h"
#include "shared/attr.h"

#define FILE_MAX ((size_t)512 << 20)
#define MARK     "-- CC Switch SQLite"

static rx_str
env_of(rx_json config, const char *const *names)
{
    rx_json env = rx_json_find(config, "env");
    rx_str s = { 0 };

    for (; *names != NULL && s.len == 0; names++)
        s = rx_json_str(rx_json_find(env, *names));
    return s;
}

static void
read_claude(rx_json config, struct found_channel *f)
{
    static const char *const urls[] = { "ANTHROPIC_BASE_URL", NULL };
    static const char *const keys[] = { "ANTHROPIC_AUTH_TOKEN",
        "ANTHROPIC_API_KEY", NULL };

    f->url = env_of(config, urls);
    f->key = env_of(config, keys);
    f->dialect = RX_S("anthropic");
    if (f->url.len == 0)
        f->url = RX_S("https://api.anthropic.com");
}

static void
read_gemini(rx_json config, struct found_channel *f)
{
    static const char *const urls[] = { "GOOGLE_GEMINI_BASE_URL", NULL };
    static const char *const keys[] = { "GEMINI_API_KEY", "GOOGLE_API_KEY",
        NULL };

    f->url = env_of(config, urls);
    f->key = env_of(config, keys);
    f->dialect = RX_S("gemini");
    if (f->url.len == 0)
        f->url = RX_S("https://generativelanguage.googleapis.com");
}

/* name = "value", on a line of its own: all that is asked of their TOML. */
static rx_str
toml_text(rx_str toml, rx_str name)
{
    rx_str line, key, value;
    rx_str rest = toml;
    rx_str found = { 0 };

    for (bool more = toml.len > 0; more && found.len == 0;) {
        more = rx_str_cut(rest, '\n', &line, &rest);
        if (!rx_str_cut(line, '=', &key, &value) ||
            !rx_str_eq(rx_str_trim(key), name))
            continue;
        value = rx_str_trim(value);
        if (value.len > 0 && value.ptr[value.len - 1] == '\r')
            value.len--;
        if (value.len >= 2 && value.ptr[0] == '"')
            rx_str_cut(
                (rx_str){ value.ptr + 1, value.len - 1 }, '"', &found, &value);
    }
    return found;
}

static void
read_codex(rx_json config, struct found_channel *f)
{
    rx_str toml = rx_json_str(rx_json_find(config, "config"));
    rx_str api = toml_text(toml, RX_S("wire_api"));

    f->url = toml_text(toml, RX_S("base_url"));
    f->key = rx_json_str(rx_json_find(config, "auth.OPENAI_API_KEY"));
    f->dialect = rx_str_eq(api, RX_S("chat")) ? api : RX_S("responses");
    if (f->url.len == 0)
        f->url = RX_S("https://api.openai.com");
}

static const struct {
    rx_str app;
    void (*read)(rx_json config, struct found_channel *f);
} apps[] = {
    { RX_STR_INIT("claude"), read_claude },
    { RX_STR_INIT("codex"), read_codex },
    { RX_STR_INIT("gemini"), read_gemini },
};

static void
take_provider(struct importing *im, struct db_query *q, int64_t place)
{
    struct found_channel f = FOUND_CHANNEL;
    rx_str app = db_str(q, 0);
    rx_json config = import_json(im, import_keep(im, db_str(q, 2)));
    size_t i = 0;

    f.name = import_text(im, RX_STR_FMT "-" RX_STR_FMT,
        RX_STR_ARG(db_str(q, 1)), RX_STR_ARG(app));
    while (i < RX_COUNT(apps) && !rx_str_eq(app, apps[i].app))
        i++;
    if (i == RX_COUNT(apps)) {
        import_note(im, f.name, "is for a program whose settings are not read");
        return;
    }
    if (!rx_json_there(config)) {
        import_note(im, f.name, "its settings cannot be read");
        return;
    }
    apps[i].read(config, &f);
    f.priority = 100 - place;
    if (f.key.len == 0)
        import_note(
            im, f.name, "has no key (an account with a log-in): log in here");
    else
        import_channel(im, &f);
}

static enum rx_code
take_all(struct importing *im, struct db *db, struct rx_err *err)
{
    struct db_query *q =
        db_query(db, "select app_type, name, settings_config from providers "
                     "order by app_type, sort_index is null, sort_index, name");
    int64_t place = 0;

    while (db_next(q))
        take_provider(im, q, place++);
    enum rx_code code = db_done(q, err);
    if (code != RX_OK)
        return code;
    q = db_query(db, "select count(*) from mcp_servers");
    if (db_next(q) && db_i64(q, 0) > 0)
        import_note(im, RX_S("mcp_servers"),
            "belong to the programs themselves; they stay where they are");
    (void)db_done(q, NULL);
    import_note(im, RX_S("current provider"),
        "there one is in use at a time; here all are, in the order of their "
        "priorities");
    return RX_OK;
}

enum rx_code
import_cc_switch(struct importing *im, const char *file, struct rx_err *err)
{
    struct rx_buf text;
    struct db *db = NULL;
    enum rx_code code = RX_OK;

    rx_buf_init(&text, FILE_MAX);
    if (!cli_read_file(file, &text))
        code = rx_fail(err, RX_INVALID, "%.120s: cannot be read", file);
    else if (rx_str_starts(rx_buf_str(&text), RX_S("SQLite format 3")))
        code = db_open_foreign(&db, file, err);
    else if (!rx_str_starts(rx_buf_str(&text), RX_S(MARK)))
        code = rx_fail(err, RX_INVALID,
            "%.120s: is no export of cc-switch (its first line says so)", file);
    else
        code = db_open_script(&db, rx_buf_str(&text), err);
    rx_buf_fini(&text);
    if (code == RX_OK)
        code = take_all(im, db, err);
    db_close(db);
    return code;
}
