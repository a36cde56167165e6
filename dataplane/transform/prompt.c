/*
 * headers, systemprompt.
 */
#include "dataplane/transform/body.h"
#include "dataplane/transform/kinds.h"

/* ---- headers ------------------------------------------------------------ */

struct header_option {
    enum header_change change;
    rx_str name, value;
};

struct header_options {
    struct header_option *at;
    size_t count;
};

static void
add_headers(struct header_options *o, rx_json list, enum header_change change,
    struct rx_arena *arena)
{
    for (rx_json v = rx_json_first(list); rx_json_there(v);
         v = rx_json_next(v)) {
        struct header_option *h = &o->at[o->count++];
        bool remove = change == HEADER_REMOVE;
        h->change = change;
        h->name =
            rx_arena_copy(arena, remove ? rx_json_str(v) : rx_json_name(v));
        if (!remove)
            h->value = rx_arena_copy(arena, rx_json_str(v));
    }
}

static const void *
header_configure(rx_json options, struct rx_arena *arena)
{
    struct header_options *o = step_room(arena, sizeof(*o));
    rx_json set = rx_json_find(options, "set");
    rx_json append = rx_json_find(options, "append");
    rx_json remove = rx_json_find(options, "remove");
    size_t n =
        rx_json_count(set) + rx_json_count(append) + rx_json_count(remove);

    o->at = step_room(arena, n * sizeof(*o->at) + 1);
    add_headers(o, remove, HEADER_REMOVE, arena);
    add_headers(o, set, HEADER_SET, arena);
    add_headers(o, append, HEADER_APPEND, arena);
    return o;
}

static void
header_request(struct step_request *r)
{
    const struct header_options *o = r->options;

    for (size_t i = 0; i < o->count; i++)
        step_header(r, o->at[i].change, o->at[i].name, o->at[i].value);
}

const struct step_kind step_headers = {
    .name = "headers",
    .ops = STEP_OPS_ALL,
    .configure = header_configure,
    .request = header_request,
};

/* ---- systemprompt ------------------------------------------------------- */

struct prompt_options {
    rx_str prepend, append, replace;
    bool replaces;
};

static const void *
prompt_configure(rx_json options, struct rx_arena *arena)
{
    struct prompt_options *o = step_room(arena, sizeof(*o));

    o->prepend = step_text(options, "prepend", arena, NULL);
    o->append = step_text(options, "append", arena, NULL);
    o->replaces =
        rx_json_kind(rx_json_find(options, "replace")) == RX_JSON_STRING;
    o->replace = step_text(options, "replace", arena, NULL);
    return o;
}

/* A JSON string made longer at one end, a blank line between. */
static void
join_text(struct rx_edit *text, rx_str plain, bool front)
{
    rx_str mine = rx_edit_quote(text, plain);
    rx_str old = rx_edit_escaped(text);

    if (mine.len < 2)
        return;
    mine = (rx_str){ mine.ptr + 1, mine.len - 2 };
    if (old.len == 0) {
        rx_edit_put(text, rx_edit_quote(text, plain));
        return;
    }
    rx_edit_put(text, rx_edit_join(text,
                          (rx_str[]){ RX_S("\""), front ? mine : old,
                              RX_S("\\n\\n"), front ? old : mine, RX_S("\"") },
                          5));
}

/* A list of parts gets one more; `form` is what it looks like, around it. */
static void
join_part(struct rx_edit *list, rx_str plain, bool front, rx_str open)
{
    rx_str part = rx_edit_join(
        list, (rx_str[]){ open, rx_edit_quote(list, plain), RX_S("}") }, 3);

    if (front && rx_edit_first(list) != NULL)
        rx_edit_insert(rx_edit_first(list), part);
    else
        rx_edit_append(list, part);
}

static void
join_content(struct rx_edit *content, rx_str plain, bool front)
{
    if (rx_edit_kind(content) == RX_SPAN_ARRAY)
        join_part(content, plain, front, RX_S("{\"type\":\"text\",\"text\":"));
    else
        join_text(content, plain, front);
}

/* A top-level text that may be absent: system, instructions. */
static void
join_member(struct rx_edit *root, const char *name, rx_str plain, bool front)
{
    struct rx_edit *e = rx_edit_get(root, name);

    if (rx_edit_there(e))
        join_content(e, plain, front);
    else
        rx_edit_set(root, name, rx_edit_quote(root, plain));
}

/* The last of the leading system messages; the first if `front`. */
static struct rx_edit *
system_message(struct rx_edit *root, bool front)
{
    struct rx_edit *found = NULL;

    for (struct rx_edit *m = rx_edit_first(rx_edit_get(root, "messages"));
         m != NULL &&
         (body_says(m, "role", "system") || body_says(m, "role", "developer"));
         m = rx_edit_next(m)) {
        found = m;
        if (front)
            break;
    }
    return found;
}

static void
join_chat(struct rx_edit *root, rx_str plain, bool front)
{
    struct rx_edit *messages = rx_edit_get(root, "messages");
    struct rx_edit *m = system_message(root, front);

    if (m != NULL) {
        join_content(rx_edit_get(m, "content"), plain, front);
        return;
    }
    rx_str made = rx_edit_join(root,
        (rx_str[]){ RX_S("{\"role\":\"system\",\"content\":"),
            rx_edit_quote(root, plain), RX_S("}") },
        3);
    if (rx_edit_first(messages) != NULL)
        rx_edit_insert(rx_edit_first(messages), made);
    else
        rx_edit_append(messages, made);
}

static void
join_gemini(struct rx_edit *root, rx_str plain, bool front)
{
    struct rx_edit *e =
        body_either(root, "systemInstruction", "system_instruction");

    if (!rx_edit_there(rx_edit_get(e, "parts"))) {
        rx_edit_set(root, "systemInstruction",
            rx_edit_join(root,
                (rx_str[]){ RX_S("{\"parts\":[{\"text\":"),
                    rx_edit_quote(root, plain), RX_S("}]}") },
                3));
        return;
    }
    join_part(rx_edit_get(e, "parts"), plain, front, RX_S("{\"text\":"));
}

static void
add_system(struct step_request *r, rx_str plain, bool front)
{
    switch (r->dialect) {
    case DIALECT_ANTHROPIC: join_member(r->root, "system", plain, front); break;
    case DIALECT_RESPONSES:
        join_member(r->root, "instructions", plain, front);
        break;
    case DIALECT_GEMINI: join_gemini(r->root, plain, front); break;
    case DIALECT_CHAT:
    case DIALECT_COUNT: join_chat(r->root, plain, front); break;
    }
}

void
body_add_system(struct step_request *r, rx_str plain, bool front)
{
    if (plain.len > 0)
        add_system(r, plain, front);
}

static void
drop_system(struct step_request *r)
{
    struct rx_edit *m;

    rx_edit_drop(
        r->root, r->dialect == DIALECT_ANTHROPIC ? "system" : "instructions");
    rx_edit_drop(r->root, "systemInstruction");
    rx_edit_drop(r->root, "system_instruction");
    while (r->dialect == DIALECT_CHAT &&
           (m = system_message(r->root, true)) != NULL)
        rx_edit_remove(m);
}

static void
prompt_request(struct step_request *r)
{
    const struct prompt_options *o = r->options;

    if (o->replaces) {
        drop_system(r);
        body_add_system(r, o->replace, true);
    }
    body_add_system(r, o->prepend, true);
    body_add_system(r, o->append, false);
}

const struct step_kind step_systemprompt = {
    .name = "systemprompt",
    .configure = prompt_configure,
    .request = prompt_request,
};
