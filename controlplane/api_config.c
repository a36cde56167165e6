/*
 * The configuration as data: out as one document, in with a look first.
 */
#include <stdio.h>
#include <string.h>

#include "controlplane/api_audit.h"
#include "controlplane/config.h"
#include "controlplane/oauth.h"
#include "controlplane/tees.h"
#include "shared/secret.h"

#define PASSPHRASE_MIN 8
#define PASSPHRASE_MAX 1024

/* In a header: queries end up in logs. */
static enum rx_code
read_passphrase(struct api_call *c, rx_str *out, struct rx_err *err)
{
    *out = rx_httpd_header(rx_httpd_head(c->req), RX_S("x-routex-passphrase"));
    if (out->len > 0 &&
        (out->len < PASSPHRASE_MIN || out->len > PASSPHRASE_MAX))
        return api_wrong(c, err, "x-routex-passphrase",
            "must be %d to %d characters", PASSPHRASE_MIN, PASSPHRASE_MAX);
    return RX_OK;
}

static enum rx_code
begin(struct api_call *c, struct config_run *run, rx_str *passphrase,
    struct rx_err *err)
{
    config_run_init(run, c->store, c->world, c->arena);
    run->admin_port = api_port(c->api);
    run->owner = c->who.role >= API_OWNER;
    enum rx_code code = read_passphrase(c, passphrase, err);
    if (code != RX_OK)
        return code;
    code =
        config_select(c->arena, api_query(c, "select"), &run->selection, err);
    if (code == RX_INVALID)
        snprintf(c->field, sizeof(c->field), "select");
    return code;
}

/* ---- passphrases ------------------------------------------------------------- */

/* A call that waits for its passphrase to become a key. */
struct stretching {
    struct config_run run;
    struct config_seal seal;
    struct login_job *job; /* NULL unless one waits */
    bool replace, dry;     /* of an import */
    void (*then)(struct api_call *c);
};

static void
on_leave(void *arg)
{
    struct stretching *s = arg;

    if (s->job != NULL)
        login_cancel(s->job);
    config_run_fini(&s->run);
}

static void
end(struct api_call *c, enum rx_code code, struct rx_err *err)
{
    struct stretching *s = c->work;

    rx_wipe(&s->seal.key, sizeof(s->seal.key));
    config_run_fini(&s->run);
    api_finish(c, code, err);
}

static void
on_stretched(void *arg, const struct login_result *result)
{
    struct api_call *c = arg;
    struct stretching *s = c->work;
    struct rx_err err = { 0 };

    s->job = NULL;
    c->cancel = NULL;
    if (!result->good) {
        end(c, api_busy(c, 1, &err), &err);
        return;
    }
    s->seal.key = *result->key;
    s->then(c);
}

static enum rx_code
stretch(struct api_call *c, rx_str passphrase, void (*then)(struct api_call *c),
    struct rx_err *err)
{
    struct stretching *s = c->work;

    s->then = then;
    s->job = login_stretch(
        c->world->login, passphrase, s->seal.salt, on_stretched, c);
    if (s->job == NULL)
        return api_busy(c, 1, err);
    c->later = true;
    c->cancel = on_leave;
    c->cancel_arg = s;
    return RX_OK;
}

/* ---- out --------------------------------------------------------------------- */

static enum rx_code export(struct api_call *c, struct config_run *run,
    const struct config_seal *seal, struct rx_err *err) {
    return config_export(run, &c->w, "data", seal, err);
}

static void
export_sealed(struct api_call *c)
{
    struct stretching *s = c->work;
    struct rx_err err = { 0 };

    end(c, export(c, &s->run, &s->seal, &err), &err);
}

enum rx_code
api_config_export(struct api_call *c, struct rx_err *err)
{
    struct stretching *s = field_make(c->arena, struct stretching, 1);
    rx_str secrets = api_query(c, "secrets");
    rx_str passphrase;

    c->work = s;
    enum rx_code code = begin(c, &s->run, &passphrase, err);

    bool sealed = rx_str_eq(secrets, RX_S("sealed"));
    if (code == RX_OK && secrets.len > 0 && !sealed &&
        !rx_str_eq(secrets, RX_S("omit")))
        code = api_wrong(c, err, "secrets", "must be \"omit\" or \"sealed\"");
    if (code == RX_OK && sealed && passphrase.len == 0)
        code = api_wrong(c, err, "x-routex-passphrase",
            "is needed to seal the secrets with");
    /* With a passphrase of his own anybody could open all of them. */
    if (code == RX_OK && sealed && c->who.role < API_OWNER)
        code = rx_fail(err, RX_DENIED, "only an owner may take secrets out");
    if (code == RX_OK)
        code = api_query_done(c, err);
    if (code == RX_OK && sealed) {
        rx_random(s->seal.salt, sizeof(s->seal.salt));
        code = stretch(c, passphrase, export_sealed, err);
    } else if (code == RX_OK) {
        code = export(c, &s->run, NULL, err);
    }
    if (code != RX_OK || !c->later)
        config_run_fini(&s->run);
    return code;
}

/* ---- in -------------------------------------------------------------------- */

/* All that is wrong, for who reads the answer with a program. */
static void
show_faults(struct api_call *c, const struct rx_json_doc *doc)
{
    struct rx_buf text;

    if (rx_json_fault_count(doc) == 0)
        return;
    rx_buf_init(&text, 1 << 20);
    struct rx_json_out w = rx_json_out(&text);
    rx_json_open_array(&w, NULL);
    for (size_t i = 0; i < rx_json_fault_count(doc); i++) {
        const struct rx_json_fault *f = rx_json_fault_at(doc, i);
        rx_json_open_object(&w, NULL);
        rx_json_put_text(&w, "field", f->field);
        rx_json_put_text(&w, "message", f->text);
        rx_json_close(&w);
    }
    rx_json_close(&w);
    c->fail_errors = field_keep(c->arena, rx_buf_str(&text));
    rx_buf_fini(&text);
}

/* One fault says itself; of several the first is named. */
static void
tell_faults(struct api_call *c, struct rx_err *err)
{
    const struct rx_json_doc *doc = c->body.doc;
    const struct rx_json_fault *first = rx_json_fault(doc);
    size_t count = rx_json_fault_count(doc);

    if (first == NULL)
        return;
    show_faults(c, doc);
    snprintf(c->field, sizeof(c->field), "%s", first->field);
    if (count == 1)
        rx_fail(err, RX_INVALID, "%.90s: %.100s", first->field, first->text);
    else
        rx_fail(err, RX_INVALID, "%.70s: %.80s (and %zu more)", first->field,
            first->text, count - 1);
}

static enum rx_code
read_word(struct api_call *c, const char *name, const char *no, const char *yes,
    bool *out, struct rx_err *err)
{
    rx_str word = api_query(c, name);

    *out = rx_str_eq(word, field_text(yes));
    if (word.len > 0 && !*out && !rx_str_eq(word, field_text(no)))
        return api_wrong(c, err, name, "must be \"%s\" or \"%s\"", no, yes);
    return RX_OK;
}

/* What an export answered may come back as it is. */
static rx_json
document_of(struct api_call *c)
{
    rx_json data = rx_json_find(c->body, "data");

    return rx_json_count(c->body) == 1 && rx_json_there(data) ? data : c->body;
}

/* What became of one object has its own line, as if it had been changed alone;
 * texts are those of a document, with marks in the place of secrets. */
static enum rx_code
audit_change(
    struct api_call *c, const struct config_change *change, struct rx_err *err)
{
    static const char *const actions[][2] = { { "added", "create" },
        { "changed", "update" }, { "removed", "delete" } };
    struct audit_line line =
        api_audit_line(c, NULL, change->kind->noun, change->id, change->name);

    for (size_t i = 0; i < RX_COUNT(actions); i++) {
        if (strcmp(change->action, actions[i][0]) == 0)
            line.action = actions[i][1];
    }
    if (change->before.len > 0)
        line.before = field_parse(c->arena, change->before);
    if (change->after.len > 0)
        line.after = field_parse(c->arena, change->after);
    return audit_add(c->store, &line, err);
}

static enum rx_code
audit_all(
    struct api_call *c, const struct config_result *result, struct rx_err *err)
{
    enum rx_code code = RX_OK;

    for (size_t i = 0; code == RX_OK && i < result->change_count; i++)
        code = audit_change(c, &result->changes[i], err);
    c->body = (rx_json){ 0 }; /* too long for the audit log */
    return code == RX_OK ? api_audit(c, "import", "config", (rx_str){ 0 },
                               RX_S("configuration"), err)
                         : code;
}

/* Those who keep something of it in memory. */
static void
tell_others(struct api_call *c)
{
    oauth_changed(c->world->oauth);
    tees_changed(c->world->tees);
}

static enum rx_code
finish(struct api_call *c, struct config_run *run,
    const struct config_result *result, bool dry, struct rx_err *err)
{
    bool keep = !dry && result->change_count > 0;
    enum rx_code code = keep ? audit_all(c, result, err) : RX_OK;

    if (code == RX_OK && keep)
        code = config_files_write(run, err);
    if (code != RX_OK || !keep) {
        store_rollback(c->store);
        return code;
    }
    code = store_commit(c->store, err);
    if (code != RX_OK)
        config_files_undo(run);
    else
        tell_others(c);
    return code;
}

static enum rx_code
take(struct api_call *c, struct config_run *run, bool replace, bool dry,
    const struct rx_key *key, struct rx_err *err)
{
    struct config_result result;
    enum rx_code code = store_begin(c->store, err);

    if (code != RX_OK)
        return code;
    code = config_import(run, document_of(c),
        replace ? CONFIG_REPLACE : CONFIG_MERGE, key, &result, err);
    if (code != RX_OK) {
        store_rollback(c->store);
        if (code == RX_INVALID)
            tell_faults(c, err);
        return code;
    }
    rx_json_open_object(&c->w, "data");
    rx_json_put_bool(&c->w, "dry_run", dry);
    rx_json_put_text(&c->w, "mode", replace ? "replace" : "merge");
    config_put_result(run, &c->w, &result, dry);
    rx_json_close(&c->w);
    return finish(c, run, &result, dry, err);
}

static void
take_opened(struct api_call *c)
{
    struct stretching *s = c->work;
    struct rx_err err = { 0 };

    end(c, take(c, &s->run, s->replace, s->dry, &s->seal.key, &err), &err);
}

enum rx_code
api_config_import(struct api_call *c, struct rx_err *err)
{
    struct stretching *s = field_make(c->arena, struct stretching, 1);
    rx_str passphrase;

    c->work = s;
    enum rx_code code = begin(c, &s->run, &passphrase, err);
    if (code == RX_OK)
        code = read_word(c, "mode", "merge", "replace", &s->replace, err);
    if (code == RX_OK)
        code = read_word(c, "dry_run", "false", "true", &s->dry, err);
    if (code == RX_OK)
        code = api_query_done(c, err);
    if (code == RX_OK && !rx_json_there(c->body))
        code = rx_fail(err, RX_INVALID, "the body must be a document");
    if (code == RX_OK && passphrase.len > 0 &&
        config_salt(document_of(c), s->seal.salt))
        code = stretch(c, passphrase, take_opened, err);
    else if (code == RX_OK)
        code = take(c, &s->run, s->replace, s->dry, NULL, err);
    if (code != RX_OK || !c->later)
        config_run_fini(&s->run);
    return code;
}
