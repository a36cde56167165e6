/*
 * /api/routing/rules, /api/routing/functions, /api/routing/presets
 */
#include <inttypes.h>
#include <stdio.h>

#include "controlplane/api.h"
#include "controlplane/function.h"
#include "controlplane/rule.h"

/* ---- rules ---------------------------------------------------------------- */

/* In the order they are asked; the cursor is how many came before. */
enum rx_code
api_rules_list(struct api_call *c, struct rx_err *err)
{
    struct rule **list = field_make(c->arena, struct rule *, API_PAGE_MAX);
    size_t limit, count = 0;
    uint64_t skip = 0;
    char next[32];
    rx_str cursor;

    enum rx_code code = api_page(c, &limit, &cursor, err);
    if (code == RX_OK && cursor.len > 0 && !rx_str_u64(cursor, &skip))
        return api_wrong(c, err, "cursor", "is not one we gave out");
    if (code == RX_OK)
        code = rule_list(
            c->store, c->arena, (size_t)skip, limit, list, &count, err);
    if (code != RX_OK)
        return code;
    rx_json_open_array(&c->w, "data");
    for (size_t i = 0; i < count; i++)
        rule_put(&c->w, NULL, list[i]);
    rx_json_close(&c->w);
    snprintf(next, sizeof(next), "%" PRIu64, skip + count);
    api_put_next(c, count == limit ? field_text(next) : (rx_str){ 0 });
    return RX_OK;
}

static enum rx_code
finish_rule(
    struct api_call *c, struct rule *r, const char *action, struct rx_err *err)
{
    enum rx_code code = rule_save(c->store, c->arena, r, err);

    if (code == RX_OK)
        code = api_audit(c, action, "rule", r->id, r->name, err);
    if (code != RX_OK)
        return code;
    api_etag(c, r->rev);
    rule_put(&c->w, "data", r);
    return RX_OK;
}

enum rx_code
api_rules_create(struct api_call *c, struct rx_err *err)
{
    struct rule *r = field_make(c->arena, struct rule, 1);

    if (rx_json_there(c->body))
        rule_read(r, c->body, FIELD_CREATE, c->store, c->arena);
    enum rx_code code = api_body_done(c, err);
    c->status = 201;
    return code == RX_OK ? finish_rule(c, r, "create", err) : code;
}

enum rx_code
api_rule_get(struct api_call *c, struct rx_err *err)
{
    struct rule *r;
    enum rx_code code = rule_load(c->store, c->arena, c->params[0], &r, err);

    if (code != RX_OK)
        return code;
    api_etag(c, r->rev);
    rule_put(&c->w, "data", r);
    return RX_OK;
}

enum rx_code
api_rule_replace(struct api_call *c, struct rx_err *err)
{
    struct rule *r;
    enum rx_code code = rule_load(c->store, c->arena, c->params[0], &r, err);

    if (code == RX_OK)
        code = api_if_match(c, r->rev, err);
    if (code != RX_OK)
        return code;
    if (rx_json_there(c->body))
        rule_read(r, c->body, FIELD_REPLACE, c->store, c->arena);
    code = api_body_done(c, err);
    return code == RX_OK ? finish_rule(c, r, "update", err) : code;
}

enum rx_code
api_rule_delete(struct api_call *c, struct rx_err *err)
{
    struct rule *r;
    enum rx_code code = rule_load(c->store, c->arena, c->params[0], &r, err);

    if (code == RX_OK)
        code = api_if_match(c, r->rev, err);
    if (code == RX_OK)
        code = rule_delete(c->store, r, err);
    if (code == RX_OK)
        code = api_audit(c, "delete", "rule", r->id, r->name, err);
    if (code == RX_OK)
        api_put_deleted(c, r->id);
    return code;
}

static enum rx_code
set_status(
    struct api_call *c, rx_str status, const char *action, struct rx_err *err)
{
    struct rule *r;
    enum rx_code code = rule_load(c->store, c->arena, c->params[0], &r, err);

    if (code != RX_OK)
        return code;
    r->status = status;
    return finish_rule(c, r, action, err);
}

enum rx_code
api_rule_enable(struct api_call *c, struct rx_err *err)
{
    return set_status(c, RX_S("enabled"), "enable", err);
}

enum rx_code
api_rule_disable(struct api_call *c, struct rx_err *err)
{
    return set_status(c, RX_S("disabled"), "disable", err);
}

enum rx_code
api_presets_list(struct api_call *c, struct rx_err *err)
{
    (void)err;
    rx_json_open_array(&c->w, "data");
    for (const struct rule_preset *p = rule_presets; p->type != NULL; p++)
        rule_preset_put(&c->w, p);
    rx_json_close(&c->w);
    return RX_OK;
}

/* ---- functions ---------------------------------------------------------------- */

enum rx_code
api_functions_list(struct api_call *c, struct rx_err *err)
{
    struct function **list =
        field_make(c->arena, struct function *, API_PAGE_MAX);
    size_t limit, count = 0;
    rx_str after;

    enum rx_code code = api_page(c, &limit, &after, err);
    if (code == RX_OK)
        code =
            function_list(c->store, c->arena, after, limit, list, &count, err);
    if (code != RX_OK)
        return code;
    rx_json_open_array(&c->w, "data");
    for (size_t i = 0; i < count; i++)
        function_put(&c->w, NULL, list[i]);
    rx_json_close(&c->w);
    api_put_next(c, count == limit ? list[count - 1]->name : (rx_str){ 0 });
    return RX_OK;
}

static enum rx_code
finish_function(struct api_call *c, struct function *f, const char *action,
    struct rx_err *err)
{
    enum rx_code code = function_save(c->store, c->arena, f, err);

    if (code == RX_OK)
        code = api_audit(c, action, "function", f->id, f->name, err);
    if (code != RX_OK)
        return code;
    api_etag(c, f->rev);
    function_put(&c->w, "data", f);
    return RX_OK;
}

enum rx_code
api_functions_create(struct api_call *c, struct rx_err *err)
{
    struct function *f = function_new(c->arena);

    if (rx_json_there(c->body))
        function_read(f, c->body, FIELD_CREATE);
    enum rx_code code = api_body_done(c, err);
    c->status = 201;
    return code == RX_OK ? finish_function(c, f, "create", err) : code;
}

enum rx_code
api_function_get(struct api_call *c, struct rx_err *err)
{
    struct function *f;
    enum rx_code code =
        function_load(c->store, c->arena, c->params[0], &f, err);

    if (code != RX_OK)
        return code;
    api_etag(c, f->rev);
    function_put(&c->w, "data", f);
    return RX_OK;
}

/* Rules know a function by its name. */
enum rx_code
api_function_replace(struct api_call *c, struct rx_err *err)
{
    struct function *f;
    enum rx_code code =
        function_load(c->store, c->arena, c->params[0], &f, err);

    if (code == RX_OK)
        code = api_if_match(c, f->rev, err);
    if (code != RX_OK)
        return code;
    rx_str name = f->name;
    if (rx_json_there(c->body))
        function_read(f, c->body, FIELD_REPLACE);
    code = api_body_done(c, err);
    if (code == RX_OK && !rx_str_eq(name, f->name))
        code = rule_spares_function(c->store, c->arena, name, err);
    return code == RX_OK ? finish_function(c, f, "update", err) : code;
}

enum rx_code
api_function_delete(struct api_call *c, struct rx_err *err)
{
    struct function *f;
    enum rx_code code =
        function_load(c->store, c->arena, c->params[0], &f, err);

    if (code == RX_OK)
        code = api_if_match(c, f->rev, err);
    if (code == RX_OK)
        code = rule_spares_function(c->store, c->arena, f->name, err);
    if (code == RX_OK)
        code = function_delete(c->store, f, err);
    if (code == RX_OK)
        code = api_audit(c, "delete", "function", f->id, f->name, err);
    if (code == RX_OK)
        api_put_deleted(c, f->id);
    return code;
}
