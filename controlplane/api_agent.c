/*
 * Agents are files: what changes here is written there, and the other way.
 */
#include <stdio.h>
#include <string.h>

#include "controlplane/agents.h"
#include "controlplane/api.h"

static void
put_agent(struct api_call *c, const char *key, const struct agent *a)
{
    struct rx_json_out *w = &c->w;
    struct state_rule rule;
    char why[160];

    bool used =
        agent_rule(a, c->store, c->arena, &rule, why) == RX_OK && rule.enabled;
    rx_json_open_object(w, key);
    rx_json_put_str(w, "id", a->id);
    rx_json_put_str(w, "name", a->name);
    rx_json_put_str(w, "description", a->description);
    rx_json_put_str(w, "model", a->model);
    rx_json_put_str(w, "routing", a->routing);
    rx_json_put_str(w, "prompt", a->prompt);
    rx_json_put_bool(w, "routed", used);
    if (a->fault[0] != '\0') {
        rx_json_open_object(w, "fault");
        rx_json_put_u64(w, "line", a->line);
        rx_json_put_text(w, "reason", a->fault);
        rx_json_close(w);
    } else if (why[0] != '\0') {
        rx_json_open_object(w, "fault");
        rx_json_put_u64(w, "line", 0);
        rx_json_put_text(w, "reason", why);
        rx_json_close(w);
    } else {
        rx_json_put_null(w, "fault");
    }
    rx_json_put_time(w, "updated_at", a->updated_ms);
    rx_json_close(w);
}

enum rx_code
api_agents_list(struct api_call *c, struct rx_err *err)
{
    const struct agents *g = c->store->agents;

    (void)err;
    rx_json_open_array(&c->w, "data");
    for (size_t i = 0; i < agents_count(g); i++)
        put_agent(c, NULL, agents_at(g, i));
    rx_json_close(&c->w);
    api_put_next(c, (rx_str){ 0 });
    return RX_OK;
}

static enum rx_code
find(struct api_call *c, const struct agent **out, struct rx_err *err)
{
    rx_str id = c->params[0];

    *out = agents_find(c->store->agents, id);
    if (*out == NULL)
        return rx_fail(err, RX_NOT_FOUND, "there is no agent \"%.*s\"",
            (int)(id.len < 80 ? id.len : 80), id.ptr);
    return RX_OK;
}

enum rx_code
api_agent_get(struct api_call *c, struct rx_err *err)
{
    const struct agent *a;
    enum rx_code code = find(c, &a, err);

    if (code == RX_OK)
        put_agent(c, "data", a);
    return code;
}

/* ---- changing -------------------------------------------------------------- */

/* What is written must read back: there is one reader. */
static enum rx_code
write_agent(struct api_call *c, const struct agent *a, const char *action,
    struct rx_err *err)
{
    struct agent again = { .id = a->id };
    struct state_rule rule;
    struct rx_buf text;
    char why[160];

    rx_buf_init(&text, AGENT_FILE_MAX);
    agent_print(a, c->arena, &text);
    again.text = field_keep(c->arena, rx_buf_str(&text));
    bool full = text.full;
    rx_buf_fini(&text);
    if (full)
        return api_wrong(c, err, "prompt", "is too long");
    agent_parse(&again, c->arena);
    if (again.fault[0] != '\0')
        return api_wrong(c, err, "prompt", "%.100s", again.fault);
    if (agent_rule(&again, c->store, c->arena, &rule, why) == RX_OK &&
        !rule.enabled && why[0] != '\0')
        return api_wrong(
            c, err, "routing", "%.100s", why + strlen("routing: "));
    enum rx_code code = api_audit(c, action, "agent", a->id, a->name, err);
    return code == RX_OK
               ? agents_write(c->store->agents, a->id, again.text, err)
               : code;
}

static enum rx_code
finish(struct api_call *c, rx_str id, struct rx_err *err)
{
    c->params[0] = id;
    return api_agent_get(c, err);
}

enum rx_code
api_agents_create(struct api_call *c, struct rx_err *err)
{
    struct agent a = { 0 };

    if (rx_json_there(c->body))
        agent_read(&a, c->body);
    enum rx_code code = api_body_done(c, err);
    if (code != RX_OK)
        return code;
    a.id = agent_id_for(a.name, c->arena);
    if (agents_find(c->store->agents, a.id) != NULL ||
        agents_find(c->store->agents, a.name) != NULL)
        return rx_fail(err, RX_CONFLICT,
            "name: there is an agent \"" RX_STR_FMT "\" already",
            RX_STR_ARG(a.name));
    c->status = 201;
    code = write_agent(c, &a, "create", err);
    return code == RX_OK ? finish(c, a.id, err) : code;
}

enum rx_code
api_agent_replace(struct api_call *c, struct rx_err *err)
{
    const struct agent *known;
    struct agent a = { 0 };
    enum rx_code code = find(c, &known, err);

    if (code != RX_OK)
        return code;
    a.id = field_keep(c->arena, known->id);
    a.text = field_keep(c->arena, known->text);
    if (rx_json_there(c->body))
        agent_read(&a, c->body);
    code = api_body_done(c, err);
    if (code == RX_OK)
        code = write_agent(c, &a, "update", err);
    return code == RX_OK ? finish(c, a.id, err) : code;
}

enum rx_code
api_agent_delete(struct api_call *c, struct rx_err *err)
{
    const struct agent *a;
    enum rx_code code = find(c, &a, err);

    if (code != RX_OK)
        return code;
    rx_str id = field_keep(c->arena, a->id);
    code =
        api_audit(c, "delete", "agent", id, field_keep(c->arena, a->name), err);
    if (code == RX_OK)
        code = agents_remove(c->store->agents, id, err);
    if (code == RX_OK)
        api_put_deleted(c, id);
    return code;
}
