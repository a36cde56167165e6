/* Tools: what the target calls them, and what it has none of. */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/codec/decode.h"
#include "dataplane/codec/shape.h"
#include "shared/crc32c.h"

static bool
name_ok(rx_str name, unsigned most)
{
    if (name.len == 0 || name.len > most)
        return false;
    if (!isalpha((unsigned char)name.ptr[0]) && name.ptr[0] != '_')
        return false;
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.ptr[i];
        if (!isalnum(c) && c != '_' && c != '-')
            return false;
    }
    return true;
}

/* As much of the name as is allowed, told apart by a hash when cut. */
static rx_str
make_name(struct shape *s, rx_str name, bool mark)
{
    char made[80];
    unsigned most = s->cap->tool_name_max < 64 ? s->cap->tool_name_max : 64;
    bool cut = mark || name.len > most;
    size_t n = 0;

    if (name.len == 0 || (!isalpha((unsigned char)name.ptr[0])))
        made[n++] = '_';
    for (size_t i = 0; i < name.len && n < (cut ? most - 9 : most); i++) {
        unsigned char c = (unsigned char)name.ptr[i];
        made[n++] = isalnum(c) || c == '_' || c == '-' ? (char)c : '_';
    }
    if (cut)
        n += (size_t)snprintf(
            made + n, sizeof(made) - n, "_%08" PRIx32, rx_crc32c(0, name));
    return rx_arena_copy(s->arena, (rx_str){ made, n });
}

static rx_str
full_name(struct shape *s, rx_str name, rx_str space)
{
    rx_str pieces[] = { space, RX_S("__"), name };

    if (space.len == 0 || s->target == DIALECT_RESPONSES)
        return name;
    return ir_concat(s->arena, pieces, 3);
}

static bool
taken(const struct shape *s, rx_str wire)
{
    for (const struct ir_rename *k = s->r->renames; k != NULL; k = k->next) {
        if (rx_str_eq(k->wire, wire))
            return true;
    }
    return false;
}

static const struct ir_rename *
find(const struct shape *s, rx_str name, rx_str space)
{
    const struct ir_rename *k = s->r->renames;

    while (k != NULL &&
           !(rx_str_eq(k->client, name) && rx_str_eq(k->space, space)))
        k = k->next;
    return k;
}

/* What the target calls a tool of the client's. */
static rx_str
tool_name(struct shape *s, rx_str name, rx_str space)
{
    const struct ir_rename *known = find(s, name, space);
    rx_str full;

    if (known != NULL)
        return known->wire;
    full = full_name(s, name, space);
    if (name_ok(full, s->cap->tool_name_max))
        return full;
    return make_name(s, full, false);
}

static void
remember(struct shape *s, const struct ir_tool *t, rx_str wire, bool custom)
{
    struct ir_rename *k = rx_arena_make(s->arena, struct ir_rename, 1);

    if (k == NULL)
        return;
    /* Copied: the client's body may be gone before the answer comes. */
    *k = (struct ir_rename){ .next = s->r->renames,
        .client = rx_arena_copy(s->arena, t->name),
        .space = rx_arena_copy(s->arena, t->space),
        .wire = rx_arena_copy(s->arena, wire),
        .custom = custom };
    s->r->renames = k;
}

/* --- definitions -------------------------------------------------------------------- */

/* Tools whose schema a model of their family knows by heart. */
static const struct {
    rx_str prefix;
    const char *description;
    const char *schema;
} builtins[] = {
    { RX_STR_INIT("bash_"), "Run a command in a persistent bash session.",
        "{\"type\":\"object\",\"properties\":{\"command\":{\"type\":\"string\","
        "\"description\":\"The command to run\"},\"restart\":{\"type\":"
        "\"boolean\",\"description\":\"Restart the session\"}}}" },
    { RX_STR_INIT("text_editor_"), "View, create and edit text files.",
        "{\"type\":\"object\",\"properties\":{\"command\":{\"type\":\"string\","
        "\"enum\":[\"view\",\"create\",\"str_replace\",\"insert\"]},\"path\":{"
        "\"type\":\"string\"},\"file_text\":{\"type\":\"string\"},\"old_str\":{"
        "\"type\":\"string\"},\"new_str\":{\"type\":\"string\"},\"insert_line\":"
        "{\"type\":\"integer\"},\"insert_text\":{\"type\":\"string\"},"
        "\"view_range\":{\"type\":\"array\",\"items\":{\"type\":\"integer\"}}},"
        "\"required\":[\"command\",\"path\"]}" },
    { RX_STR_INIT("memory_"), "Keep notes in files below /memories.",
        "{\"type\":\"object\",\"properties\":{\"command\":{\"type\":\"string\","
        "\"enum\":[\"view\",\"create\",\"str_replace\",\"insert\",\"delete\","
        "\"rename\"]},\"path\":{\"type\":\"string\"},\"file_text\":{\"type\":"
        "\"string\"},\"old_str\":{\"type\":\"string\"},\"new_str\":{\"type\":"
        "\"string\"},\"insert_line\":{\"type\":\"integer\"},\"insert_text\":{"
        "\"type\":\"string\"},\"old_path\":{\"type\":\"string\"},\"new_path\":{"
        "\"type\":\"string\"},\"view_range\":{\"type\":\"array\",\"items\":{"
        "\"type\":\"integer\"}}},\"required\":[\"command\"]}" },
};

static rx_str
str(const char *s)
{
    return (rx_str){ s, strlen(s) };
}

static bool
spell_out(struct shape *s, struct ir_tool *t)
{
    if (t->schema.len > 0) {
        t->kind = IR_TOOL_FUNCTION;
        return true;
    }
    for (size_t i = 0; i < RX_COUNT(builtins); i++) {
        if (!rx_str_starts(t->type, builtins[i].prefix))
            continue;
        t->kind = IR_TOOL_FUNCTION;
        t->description = str(builtins[i].description);
        t->schema = str(builtins[i].schema);
        return true;
    }
    rx_fail(s->err, RX_INVALID,
        "tools: " RX_STR_FMT " has no counterpart at the chosen model",
        RX_STR_ARG(t->type));
    return false;
}

/* Free text where only functions are known: one string called "input". */
static void
dress_custom(struct shape *s, struct ir_tool *t)
{
    rx_str pieces[] = { t->description,
        t->grammar.len > 0 ? RX_S("\\n\\nThe input must match this ")
                           : RX_S(""),
        t->grammar.len > 0 ? t->grammar_syntax : RX_S(""),
        t->grammar.len > 0 ? RX_S(" grammar:\\n") : RX_S(""), t->grammar };

    t->kind = IR_TOOL_FUNCTION;
    t->description = ir_concat(s->arena, pieces, RX_COUNT(pieces));
    t->schema = RX_S("{\"type\":\"object\",\"properties\":{\"input\":{\"type\":"
                     "\"string\"}},\"required\":[\"input\"]}");
    t->strict = IR_UNSET;
}

static bool
refuse_tool(struct shape *s, const struct ir_tool *t)
{
    rx_str type = t->type.len > 0 ? t->type : RX_S("web_search");

    rx_fail(s->err, RX_INVALID,
        "tools: server tool not supported by the chosen model: " RX_STR_FMT,
        (int)(type.len < 64 ? type.len : 64), type.ptr);
    return false;
}

static bool
shape_tool(struct shape *s, struct ir_tool *t)
{
    bool custom = t->kind == IR_TOOL_CUSTOM && !s->cap->custom_tools;

    if (t->kind == IR_TOOL_BUILTIN && !spell_out(s, t))
        return false;
    if (t->kind == IR_TOOL_OTHER || t->kind == IR_TOOL_CODE)
        return refuse_tool(s, t);
    if (s->target == DIALECT_CHAT && t->kind >= IR_TOOL_WEB_SEARCH)
        return refuse_tool(s, t);
    if (t->kind != IR_TOOL_FUNCTION && t->kind != IR_TOOL_CUSTOM)
        return true;
    if (custom)
        dress_custom(s, t);
    if (t->strict == IR_YES && !s->cap->strict_tools) {
        ir_lose(s->losses, "tools.strict", "the model does not know it");
        t->strict = IR_UNSET;
    }
    rx_str full = full_name(s, t->name, t->space);
    rx_str wire =
        name_ok(full, s->cap->tool_name_max) ? full : make_name(s, full, false);
    if (taken(s, wire))
        wire = make_name(s, full, true);
    remember(s, t, wire, custom);
    return true;
}

/*
 * Agents offer a search beside tools of their own and do without it.  Asked
 * for alone it is what the request is about, and its lack a refusal.
 */
static void
drop_side_search(struct shape *s)
{
    struct ir_tool **at = &s->r->tools;
    bool others = false;

    for (const struct ir_tool *t = *at; t != NULL; t = t->next)
        others = others || t->kind < IR_TOOL_WEB_SEARCH;
    if (!others || s->target != DIALECT_CHAT || s->r->choice == IR_CHOICE_NAMED)
        return;
    s->r->last_tool = NULL;
    while (*at != NULL) {
        if ((*at)->kind == IR_TOOL_WEB_SEARCH) {
            ir_lose(s->losses, "web_search", "the model has none");
            *at = (*at)->next;
        } else {
            s->r->last_tool = *at;
            at = &(*at)->next;
        }
    }
}

static bool
same_tool(const struct ir_tool *a, const struct ir_tool *b)
{
    return a->kind == b->kind && a->name.len > 0 &&
           rx_str_eq(a->name, b->name) && rx_str_eq(a->space, b->space);
}

/* Of tools with one name the first stays. */
static void
drop_doubles(struct shape *s)
{
    for (struct ir_tool *t = s->r->tools; t != NULL; t = t->next) {
        for (struct ir_tool *k = t; k->next != NULL;) {
            if (!same_tool(t, k->next)) {
                k = k->next;
                continue;
            }
            ir_lose(s->losses, "tools", "of the same name");
            if (s->r->last_tool == k->next)
                s->r->last_tool = k;
            k->next = k->next->next;
        }
    }
}

/* --- choice -------------------------------------------------------------------------- */

static bool
declared(const struct shape *s, rx_str name)
{
    for (const struct ir_tool *t = s->r->tools; t != NULL; t = t->next) {
        if (rx_str_eq(t->name, name))
            return true;
    }
    return false;
}

static bool
in_list(const struct ir_name *list, rx_str name)
{
    while (list != NULL && !rx_str_eq(list->name, name))
        list = list->next;
    return list != NULL;
}

/* Where a choice among some is unknown, the others are left out. */
static void
filter_allowed(struct shape *s)
{
    struct ir_tool **at = &s->r->tools;

    s->r->last_tool = NULL;
    while (*at != NULL) {
        if (in_list(s->r->allowed, (*at)->name)) {
            s->r->last_tool = *at;
            at = &(*at)->next;
        } else {
            *at = (*at)->next;
        }
    }
    s->r->choice = s->r->allowed_required ? IR_CHOICE_REQUIRED : IR_CHOICE_AUTO;
    ir_lose(s->losses, "tool_choice.allowed_tools",
        "the tools not allowed were left out");
}

static bool
shape_choice(struct shape *s)
{
    struct ir_request *r = s->r;
    bool forced =
        r->choice == IR_CHOICE_REQUIRED || r->choice == IR_CHOICE_NAMED;

    if (r->tools == NULL && forced) {
        rx_fail(s->err, RX_INVALID, "tool_choice: there are no tools");
        return false;
    }
    if (r->tools == NULL)
        r->choice = IR_CHOICE_UNSET;
    if (r->choice == IR_CHOICE_NAMED && !declared(s, r->choice_name)) {
        rx_fail(s->err, RX_INVALID, "tool_choice: names an undeclared tool");
        return false;
    }
    if (r->choice == IR_CHOICE_ALLOWED && s->target != DIALECT_RESPONSES)
        filter_allowed(s);
    forced = r->choice == IR_CHOICE_REQUIRED || r->choice == IR_CHOICE_NAMED;
    if (forced && !s->cap->forced_choice_thinks &&
        reasoning_wanted(&r->reasoning)) {
        r->reasoning = (struct ir_reasoning){ .mode = IR_THINK_OFF };
        ir_lose(s->losses, "reasoning", "it excludes a forced tool choice");
    }
    return true;
}

/* --- names in the conversation ------------------------------------------------------------ */

static bool
is_declared(const struct ir_request *r, rx_str name, rx_str space)
{
    const struct ir_tool *t = r->tools;

    while (
        t != NULL && !(rx_str_eq(t->name, name) && rx_str_eq(t->space, space)))
        t = t->next;
    return t != NULL;
}

/* A deferred tool that was loaded is called in a namespace of its own name,
 * though it was declared in none. */
static rx_str
call_space(const struct shape *s, const struct ir_call *c)
{
    if (rx_str_eq(c->name, c->space) && !is_declared(s->r, c->name, c->space))
        return (rx_str){ 0 };
    return c->space;
}

static void
rename_parts(struct shape *s, struct ir_parts *parts)
{
    for (struct ir_part *p = parts->first; p != NULL; p = p->next) {
        if (p->kind == IR_TOOL_CALL) {
            p->call.name = tool_name(s, p->call.name, call_space(s, &p->call));
            if (s->target != DIALECT_RESPONSES)
                p->call.space = (rx_str){ 0 };
        } else if (p->kind == IR_TOOL_RESULT) {
            p->result.name = tool_name(s, p->result.name, RX_S(""));
        }
    }
}

/* A call of a free-text tool that is a function there. */
static void
dress_calls(struct shape *s, struct ir_parts *parts)
{
    for (struct ir_part *p = parts->first; p != NULL; p = p->next) {
        if (p->kind != IR_TOOL_CALL || p->call.kind != IR_CALL_CUSTOM ||
            s->cap->custom_tools)
            continue;
        rx_str pieces[] = { RX_S("{\"input\":\""), p->call.args.s,
            RX_S("\"}") };
        p->call.kind = IR_CALL_FUNCTION;
        p->call.args =
            (struct ir_args){ ir_concat(s->arena, pieces, 3), false };
    }
}

/* More would cost more to compare than they are worth. */
#define TOOLS_MAX 1024

bool
shape_tools(struct shape *s)
{
    size_t count = 0;

    for (struct ir_tool *t = s->r->tools; t != NULL; t = t->next)
        count++;
    if (count > TOOLS_MAX) {
        rx_fail(s->err, RX_INVALID, "tools: are too many");
        return false;
    }
    drop_doubles(s);
    drop_side_search(s);
    for (struct ir_tool *t = s->r->tools; t != NULL; t = t->next) {
        if (!shape_tool(s, t))
            return false;
    }
    if (!shape_choice(s))
        return false;
    for (struct ir_turn *t = s->r->turns; t != NULL; t = t->next) {
        dress_calls(s, &t->parts);
        rename_parts(s, &t->parts);
    }
    if (s->r->choice == IR_CHOICE_NAMED)
        s->r->choice_name = tool_name(s, s->r->choice_name, RX_S(""));
    for (struct ir_name *n = s->r->allowed; n != NULL; n = n->next)
        n->name = tool_name(s, n->name, RX_S(""));
    for (struct ir_tool *t = s->r->tools; t != NULL; t = t->next) {
        t->name = tool_name(s, t->name, t->space);
        if (s->target != DIALECT_RESPONSES)
            t->space = (rx_str){ 0 };
    }
    return true;
}
