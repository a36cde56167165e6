/*
 * Agents are files, so they are written when everything else is right, and
 * written back should the commit fail.
 */
#include <string.h>

#include "controlplane/agents.h"
#include "controlplane/config_kind.h"
#include "shared/log.h"

static rx_str
agent_name(const void *noun)
{
    return ((const struct agent *)noun)->name;
}

/* The folder may be read again meanwhile. */
static struct agent *
copy_of(struct config_run *run, const struct agent *a)
{
    struct agent *copy = field_make(run->arena, struct agent, 1);

    *copy = *a;
    copy->id = field_keep(run->arena, a->id);
    copy->name = field_keep(run->arena, a->name);
    copy->description = field_keep(run->arena, a->description);
    copy->model = field_keep(run->arena, a->model);
    copy->routing = field_keep(run->arena, a->routing);
    copy->prompt = field_keep(run->arena, a->prompt);
    copy->text = field_keep(run->arena, a->text);
    return copy;
}

/* A file that cannot be read is nobody's agent. */
static enum rx_code
list_agents(
    struct config_run *run, void ***out, size_t *count, struct rx_err *err)
{
    const struct agents *g = run->store->agents;
    struct config_items list = { 0 };

    (void)err;
    for (size_t i = 0; g != NULL && i < agents_count(g); i++) {
        if (agents_at(g, i)->fault[0] == '\0')
            config_items_add(run->arena, &list, copy_of(run, agents_at(g, i)));
    }
    *out = list.at;
    *count = list.count;
    return RX_OK;
}

static enum rx_code
find_agent(struct config_run *run, rx_json body, void **out, struct rx_err *err)
{
    const struct agents *g = run->store->agents;
    rx_str name = config_wanted_name(body);

    (void)err;
    *out = NULL;
    for (size_t i = 0; g != NULL && i < agents_count(g); i++) {
        if (rx_str_ieq(agents_at(g, i)->name, name))
            *out = copy_of(run, agents_at(g, i));
    }
    return RX_OK;
}

static void
put_agent(struct rx_json_out *w, const void *noun)
{
    const struct agent *a = noun;

    rx_json_open_object(w, NULL);
    rx_json_put_str(w, "id", a->id);
    rx_json_put_str(w, "name", a->name);
    rx_json_put_str(w, "description", a->description);
    rx_json_put_str(w, "model", a->model);
    rx_json_put_str(w, "routing", a->routing);
    rx_json_put_str(w, "prompt", a->prompt);
    rx_json_close(w);
}

/* What is written must read back: there is one reader. */
static void
check(struct config_run *run, struct agent *a, rx_json body)
{
    struct agent again = { .id = a->id };
    struct state_rule rule;
    struct rx_buf text;
    char why[160] = "";

    rx_buf_init(&text, AGENT_FILE_MAX);
    agent_print(a, run->arena, &text);
    again.text = a->text = field_keep(run->arena, rx_buf_str(&text));
    bool full = text.full;
    rx_buf_fini(&text);
    if (full) {
        rx_json_wrong_member(body, "prompt", "is too long");
        return;
    }
    agent_parse(&again, run->arena);
    if (again.fault[0] != '\0')
        rx_json_wrong_member(body, "prompt", "%.100s", again.fault);
    else if (agent_rule(&again, run->store, run->arena, &rule, why) == RX_OK &&
             !rule.enabled && why[0] != '\0')
        config_warn(run, body, "is not routed: %.100s", why);
}

static void *
read_agent(
    struct config_run *run, void *noun, rx_json body, enum field_mode mode)
{
    struct agent *a =
        noun != NULL ? noun : field_make(run->arena, struct agent, 1);
    size_t before = rx_json_fault_count(body.doc);

    if (mode == FIELD_REPLACE)
        a->description = a->model = a->routing = (rx_str){ 0 };
    agent_read(a, body);
    if (rx_json_fault_count(body.doc) > before)
        return a;
    if (run->store->agents == NULL)
        rx_json_wrong(body, "there is no folder of agents here");
    if (a->id.len == 0)
        a->id = agent_id_for(a->name, run->arena);
    check(run, a, body);
    return a;
}

/* ---- files ----------------------------------------------------------------- */

static void
add_file(struct config_run *run, rx_str id, rx_str text)
{
    const struct agent *known = agents_find(run->store->agents, id);

    if (run->file_count == run->file_room) {
        size_t room = 2 * run->file_room + 16;
        struct config_file *more =
            field_make(run->arena, struct config_file, room);
        if (run->file_count > 0)
            memcpy(more, run->files, run->file_count * sizeof(*more));
        run->files = more;
        run->file_room = room;
    }
    run->files[run->file_count++] = (struct config_file){
        .id = id,
        .text = text,
        .before = known != NULL && rx_str_eq(known->id, id)
                      ? field_keep(run->arena, known->text)
                      : (rx_str){ 0 },
    };
}

/* Another agent's file is not this one's. */
static enum rx_code
check_free(struct config_run *run, const struct agent *a, struct rx_err *err)
{
    const struct agent *known = agents_find(run->store->agents, a->id);
    bool taken = known != NULL && rx_str_eq(known->id, a->id) &&
                 !rx_str_ieq(known->name, a->name);

    for (size_t i = 0; !taken && i < run->file_count; i++)
        taken = rx_str_eq(run->files[i].id, a->id);
    if (taken)
        return rx_fail(err, RX_CONFLICT,
            "name: another agent is in the file " RX_STR_FMT ".md",
            RX_STR_ARG(a->id));
    return RX_OK;
}

static enum rx_code
save_agent(struct config_run *run, void *noun, rx_json body, struct rx_err *err)
{
    const struct agent *a = noun;
    enum rx_code code = check_free(run, a, err);

    (void)body;
    if (code == RX_OK)
        add_file(run, a->id, a->text);
    return code;
}

static enum rx_code
remove_agent(struct config_run *run, void *noun, struct rx_err *err)
{
    const struct agent *a = noun;

    (void)err;
    add_file(run, a->id, (rx_str){ 0 });
    return RX_OK;
}

static enum rx_code
put_file(struct config_run *run, rx_str id, rx_str text, struct rx_err *err)
{
    return text.len > 0 ? agents_write(run->store->agents, id, text, err)
                        : agents_remove(run->store->agents, id, err);
}

enum rx_code
config_files_write(struct config_run *run, struct rx_err *err)
{
    enum rx_code code = RX_OK;

    for (size_t i = 0; code == RX_OK && i < run->file_count; i++) {
        struct config_file *f = &run->files[i];
        code = put_file(run, f->id, f->text, err);
        f->done = code == RX_OK;
    }
    if (code != RX_OK)
        config_files_undo(run);
    return code;
}

void
config_files_undo(struct config_run *run)
{
    struct rx_err err = { 0 };

    for (size_t i = run->file_count; i-- > 0;) {
        struct config_file *f = &run->files[i];
        if (f->done && put_file(run, f->id, f->before, &err) != RX_OK)
            rx_error(
                "agents.not_restored", "reason=%s", rx_log_quote(err.text));
        f->done = false;
    }
}

static const char *const agent_hidden[] = { "id", NULL };

const struct config_kind config_agents = {
    .name = "agents",
    .noun = "agent",
    .hidden = agent_hidden,
    .name_of = agent_name,
    .list = list_agents,
    .find = find_agent,
    .put = put_agent,
    .read = read_agent,
    .save = save_agent,
    .remove = remove_agent,
};
