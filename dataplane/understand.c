/*
 * One walker for all dialects: what their messages are made of has the same few
 * shapes under different names, so members are sorted into slots by name and a
 * block is judged by what is in its slots.
 */
#include "dataplane/understand.h"

#include <string.h>

#include "dataplane/codec/estimate.h"
#include "shared/attr.h"
#include "shared/buf.h"
#include "shared/json_span.h"

#define DEPTH_MAX 8

enum slot {
    SLOT_TYPE,
    SLOT_ROLE,
    SLOT_TEXT,
    SLOT_CONTENT, /* more of the same inside */
    SLOT_SOURCE,  /* of an image or a document */
    SLOT_RESULT,  /* Gemini's functionResponse */
    SLOT_INLINE,  /* Gemini's inlineData, fileData */
    SLOTS
};

static const struct {
    rx_str name;
    enum slot slot;
} members[] = {
    { RX_STR_INIT("type"), SLOT_TYPE },
    { RX_STR_INIT("role"), SLOT_ROLE },
    { RX_STR_INIT("text"), SLOT_TEXT },
    { RX_STR_INIT("refusal"), SLOT_TEXT },
    { RX_STR_INIT("content"), SLOT_CONTENT },
    { RX_STR_INIT("parts"), SLOT_CONTENT },
    { RX_STR_INIT("output"), SLOT_CONTENT },
    { RX_STR_INIT("source"), SLOT_SOURCE },
    { RX_STR_INIT("functionResponse"), SLOT_RESULT },
    { RX_STR_INIT("function_response"), SLOT_RESULT },
    { RX_STR_INIT("inlineData"), SLOT_INLINE },
    { RX_STR_INIT("inline_data"), SLOT_INLINE },
    { RX_STR_INIT("fileData"), SLOT_INLINE },
    { RX_STR_INIT("file_data"), SLOT_INLINE },
};

enum role { ROLE_OTHER, ROLE_USER, ROLE_SYSTEM };

struct walk {
    struct shape *s;
    struct text_pieces *texts; /* where texts are noted; NULL: nowhere */
    unsigned depth;
};

/* The inside of a string value; empty for another kind. */
static rx_str
inside(rx_str value)
{
    if (value.len < 2 || value.ptr[0] != '"')
        return (rx_str){ 0 };
    return (rx_str){ value.ptr + 1, value.len - 2 };
}

static bool
is_one_of(rx_str s, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (rx_str_eq(s, (rx_str){ *words, strlen(*words) }))
            return true;
    }
    return false;
}

/* The members of the object at the cursor by slot; false when it is none. */
static bool
sort_members_at(struct rx_span *j, rx_str slots[SLOTS])
{
    rx_str value;

    memset(slots, 0, SLOTS * sizeof(*slots));
    if (rx_span_kind(j) != RX_SPAN_OBJECT || !rx_span_enter_object(j))
        return false;
    while (rx_span_member(j, NULL)) {
        size_t i = 0;
        while (i < RX_COUNT(members) && !rx_span_key_is(j, members[i].name))
            i++;
        if (!rx_span_skip(j, &value))
            return false;
        if (i < RX_COUNT(members))
            slots[members[i].slot] = value;
    }
    return !j->bad;
}

static bool
sort_members(rx_str object, rx_str slots[SLOTS])
{
    struct rx_span j;

    rx_span_init(&j, object);
    return sort_members_at(&j, slots);
}

/* One member of an object, or empty. */
static rx_str
member(rx_str object, const char *name)
{
    struct rx_span j;
    rx_str value = { 0 };
    rx_str found = { 0 };

    rx_span_init(&j, object);
    if (rx_span_kind(&j) != RX_SPAN_OBJECT || !rx_span_enter_object(&j))
        return found;
    while (rx_span_member(&j, NULL)) {
        bool it = rx_span_key_is(&j, (rx_str){ name, strlen(name) });
        if (!rx_span_skip(&j, &value))
            break;
        if (it)
            found = value;
    }
    return found;
}

/* ---- messages ------------------------------------------------------------ */

static void
add_text(struct walk *w, rx_str text)
{
    if (text.len == 0)
        return;
    /* What Claude Code puts between is not what the user said. */
    if (w->texts != NULL && w->texts->count < UNDERSTAND_PIECES &&
        !rx_str_starts(text, RX_S("<system-reminder>")))
        w->texts->at[w->texts->count++] = text;
}

static void walk_value(struct walk *w, rx_str value);

static void
walk_elements(struct walk *w, rx_str array)
{
    struct rx_span j;
    rx_str value;

    rx_span_init(&j, array);
    if (rx_span_kind(&j) != RX_SPAN_ARRAY || !rx_span_enter_array(&j))
        return;
    while (rx_span_element(&j) && rx_span_skip(&j, &value))
        walk_value(w, value);
}

/* Image, document or sound, by what the dialects call them. */
static bool
is_media(struct walk *w, rx_str type)
{
    static const char *const images[] = { "image", "image_url", "input_image",
        "computer_screenshot", NULL };
    static const char *const documents[] = { "document", "file", "input_file",
        "container_upload", NULL };
    static const char *const sounds[] = { "input_audio", "audio", NULL };

    if (type.len == 0)
        return false;
    bool image = is_one_of(type, images);
    bool document = is_one_of(type, documents);
    bool sound = is_one_of(type, sounds);
    w->s->images += image;
    w->s->documents += document;
    w->s->audio += sound;
    return image || document || sound;
}

/* A document may be text: that is counted as such. */
static void
walk_source(struct walk *w, rx_str source)
{
    rx_str type = inside(member(source, "type"));

    if (rx_str_eq(type, RX_S("text")))
        add_text(w, inside(member(source, "data")));
    else if (rx_str_eq(type, RX_S("content")))
        walk_value(w, member(source, "content"));
}

static void
walk_inline(struct walk *w, rx_str value)
{
    rx_str mime = inside(member(value, "mimeType"));

    if (mime.len == 0)
        mime = inside(member(value, "mime_type"));
    if (rx_str_starts(mime, RX_S("image/")))
        w->s->images++;
    else if (rx_str_starts(mime, RX_S("audio/")))
        w->s->audio++;
    else
        w->s->documents++;
}

/* What a tool gave: nobody's own words, but there may be pictures in it. */
static void
walk_result(struct walk *w, rx_str value)
{
    struct text_pieces *texts = w->texts;
    rx_str slots[SLOTS];

    w->texts = NULL;
    if (sort_members(value, slots))
        walk_value(w, slots[SLOT_CONTENT]);
    w->texts = texts;
}

static void
walk_slots(struct walk *w, const rx_str slots[SLOTS])
{
    static const char *const results[] = { "tool_result",
        "function_call_output", "custom_tool_call_output",
        "local_shell_call_output", "mcp_call", NULL };
    struct text_pieces *texts = w->texts;
    rx_str type = inside(slots[SLOT_TYPE]);

    if (is_media(w, type)) {
        walk_source(w, slots[SLOT_SOURCE]);
        return;
    }
    if (is_one_of(type, results))
        w->texts = NULL;
    add_text(w, inside(slots[SLOT_TEXT]));
    walk_value(w, slots[SLOT_CONTENT]);
    if (slots[SLOT_RESULT].len > 0)
        walk_result(w, slots[SLOT_RESULT]);
    if (slots[SLOT_INLINE].len > 0)
        walk_inline(w, slots[SLOT_INLINE]);
    w->texts = texts;
}

static void
walk_block(struct walk *w, rx_str object)
{
    rx_str slots[SLOTS];

    if (sort_members(object, slots))
        walk_slots(w, slots);
}

static void
walk_value(struct walk *w, rx_str value)
{
    if (value.len == 0 || w->depth == DEPTH_MAX)
        return;
    w->depth++;
    enum rx_span_kind kind = rx_span_kind_of(value);
    if (kind == RX_SPAN_STRING)
        add_text(w, inside(value));
    else if (kind == RX_SPAN_ARRAY)
        walk_elements(w, value);
    else if (kind == RX_SPAN_OBJECT)
        walk_block(w, value);
    w->depth--;
}

/* A message without a role is the user's where it has content at all. */
static enum role
role_of(const rx_str slots[SLOTS])
{
    static const char *const systems[] = { "system", "developer", NULL };
    rx_str role = inside(slots[SLOT_ROLE]);
    rx_str type = inside(slots[SLOT_TYPE]);

    if (role.len == 0)
        return type.len == 0 || rx_str_eq(type, RX_S("message")) ? ROLE_USER
                                                                 : ROLE_OTHER;
    if (is_one_of(role, systems))
        return ROLE_SYSTEM;
    return rx_str_eq(role, RX_S("user")) ? ROLE_USER : ROLE_OTHER;
}

static void
walk_message(struct walk *w, const rx_str slots[SLOTS])
{
    struct text_pieces user;
    enum role role = role_of(slots);

    user.count = 0;
    w->texts = role == ROLE_USER     ? &user
               : role == ROLE_SYSTEM ? &w->s->system
                                     : NULL;
    walk_slots(w, slots);
    w->texts = NULL;
    if (user.count == 0)
        return;
    if (w->s->first_user.count == 0)
        w->s->first_user = user;
    w->s->user = user;
}

static void
walk_messages(struct walk *w, rx_str messages)
{
    struct rx_span j;
    rx_str slots[SLOTS];

    if (rx_span_kind_of(messages) == RX_SPAN_STRING) {
        w->texts = &w->s->user;
        add_text(w, inside(messages));
        w->s->first_user = w->s->user;
        w->texts = NULL;
        return;
    }
    rx_span_init(&j, messages);
    if (rx_span_kind(&j) != RX_SPAN_ARRAY || !rx_span_enter_array(&j))
        return;
    while (rx_span_element(&j)) {
        if (rx_span_kind(&j) != RX_SPAN_OBJECT)
            rx_span_skip(&j, NULL);
        else if (sort_members_at(&j, slots))
            walk_message(w, slots);
    }
}

/* Claude Code's first system block is about itself, and changes every turn. */
static void
take_billing(struct shape *s)
{
    static const char mark[] = "cc_is_subagent=true";

    for (size_t i = 0; i < s->system.count; i++) {
        rx_str text = s->system.at[i];
        if (!rx_str_starts(text, RX_S("x-anthropic-billing-header")))
            continue;
        s->billing = true;
        s->subagent = s->subagent || memmem(text.ptr, text.len, mark,
                                         sizeof(mark) - 1) != NULL;
        s->system.count--;
        memmove(&s->system.at[i], &s->system.at[i + 1],
            (s->system.count - i) * sizeof(s->system.at[0]));
        return;
    }
}

/* ---- tools ---------------------------------------------------------------- */

struct names {
    rx_str *at;
    size_t count;
};

static void
add_name(struct names *n, rx_str name)
{
    if (name.len > 0 && n->count < UNDERSTAND_NAMES)
        n->at[n->count++] = name;
}

/* Gemini lists its functions one level deeper. */
static void
add_declarations(struct names *n, rx_str list)
{
    struct rx_span j;
    rx_str value;

    rx_span_init(&j, list);
    if (rx_span_kind(&j) != RX_SPAN_ARRAY || !rx_span_enter_array(&j))
        return;
    while (rx_span_element(&j) && rx_span_skip(&j, &value))
        add_name(n, inside(member(value, "name")));
}

static void
read_tool(struct toolbox *t, struct names *n, rx_str tool)
{
    static const struct {
        rx_str name;
        enum { NAME, TYPE, INNER, LIST, SEARCH } what;
    } fields[] = {
        { RX_STR_INIT("name"), NAME },
        { RX_STR_INIT("type"), TYPE },
        { RX_STR_INIT("function"), INNER },
        { RX_STR_INIT("custom"), INNER },
        { RX_STR_INIT("functionDeclarations"), LIST },
        { RX_STR_INIT("function_declarations"), LIST },
        { RX_STR_INIT("googleSearch"), SEARCH },
        { RX_STR_INIT("google_search"), SEARCH },
        { RX_STR_INIT("googleSearchRetrieval"), SEARCH },
        { RX_STR_INIT("google_search_retrieval"), SEARCH },
    };
    struct rx_span j;
    rx_str value;

    rx_span_init(&j, tool);
    if (rx_span_kind(&j) != RX_SPAN_OBJECT || !rx_span_enter_object(&j))
        return;
    while (rx_span_member(&j, NULL)) {
        size_t i = 0;
        while (i < RX_COUNT(fields) && !rx_span_key_is(&j, fields[i].name))
            i++;
        if (!rx_span_skip(&j, &value) || i == RX_COUNT(fields))
            continue;
        switch (fields[i].what) {
        case NAME: add_name(n, inside(value)); break;
        case INNER: add_name(n, inside(member(value, "name"))); break;
        case LIST: add_declarations(n, value); break;
        case SEARCH: t->web_search = true; break;
        case TYPE:
            /* web_search_20250305, openrouter:web_search, ... */
            if (memmem(value.ptr, value.len, "web_search", 10) != NULL)
                t->web_search = true;
            break;
        }
    }
}

static void
read_tools(struct understanding *u, rx_str tools)
{
    struct names n = { .at =
                           rx_arena_make(u->arena, rx_str, UNDERSTAND_NAMES) };
    struct rx_span j;
    rx_str value;

    if (n.at == NULL)
        return;
    rx_span_init(&j, tools);
    if (rx_span_kind(&j) != RX_SPAN_ARRAY || !rx_span_enter_array(&j))
        return;
    while (rx_span_element(&j) && rx_span_skip(&j, &value)) {
        u->toolbox.any = true;
        read_tool(&u->toolbox, &n, value);
    }
    u->toolbox.names = n.at;
    u->toolbox.count = n.count;
}

/* ---- thinking --------------------------------------------------------------- */

static bool
is_effort(rx_str s)
{
    static const char *const none[] = { "none", "minimal", "off", "disabled",
        "disable", NULL };

    return s.len > 0 && !is_one_of(s, none);
}

/* `value` in the forms of all dialects: true, an effort, an object. */
static bool
thinks(rx_str value)
{
    static const char *const types[] = { "enabled", "adaptive", "auto", NULL };
    static const char *const efforts[] = { "effort", "thinkingLevel",
        "thinking_level", NULL };
    static const char *const budgets[] = { "thinkingBudget", "thinking_budget",
        "max_tokens", NULL };

    if (rx_str_eq(value, RX_S("true")))
        return true;
    if (value.len > 0 && value.ptr[0] == '"')
        return is_effort(inside(value));
    if (value.len == 0 || value.ptr[0] != '{')
        return false;
    rx_str type = inside(member(value, "type"));
    if (type.len > 0)
        return is_one_of(type, types);
    rx_str enabled = member(value, "enabled");
    if (enabled.len > 0)
        return rx_str_eq(enabled, RX_S("true"));
    for (size_t i = 0; budgets[i] != NULL; i++) {
        rx_str budget = member(value, budgets[i]);
        if (budget.len > 0)
            return !rx_str_eq(budget, RX_S("0"));
    }
    for (size_t i = 0; efforts[i] != NULL; i++) {
        rx_str effort = inside(member(value, efforts[i]));
        if (effort.len > 0)
            return is_effort(effort);
    }
    return rx_str_eq(member(value, "includeThoughts"), RX_S("true"));
}

/* ---- the whole ---------------------------------------------------------------- */

void
understand_begin(struct understanding *u, enum dialect dialect,
    const struct scan *scan, rx_str body, struct rx_arena *arena)
{
    u->dialect = dialect;
    u->scan = scan;
    u->body = body;
    u->arena = arena;
    u->has_tokens = u->has_toolbox = u->has_shape = u->has_user =
        u->has_system = u->has_content = false;
}

uint64_t
understand_tokens(struct understanding *u)
{
    if (!u->has_tokens) {
        u->tokens = u->scan != NULL ? estimate_tokens(u->dialect, u->body) : 0;
        u->has_tokens = true;
    }
    return u->tokens;
}

bool
understand_thinking(const struct understanding *u)
{
    return u->scan != NULL && thinks(u->scan->parts[SCAN_THINKING]);
}

size_t
understand_messages(const struct understanding *u)
{
    return u->scan != NULL ? scan_count(u->scan, SCAN_MESSAGES) : 0;
}

const struct toolbox *
understand_tools(struct understanding *u)
{
    if (u->has_toolbox)
        return &u->toolbox;
    u->has_toolbox = true;
    u->toolbox = (struct toolbox){ 0 };
    if (u->scan == NULL)
        return &u->toolbox;
    u->toolbox.web_search = u->scan->parts[SCAN_SEARCH].len > 0;
    if (u->scan->parts[SCAN_TOOLS].len > 0)
        read_tools(u, u->scan->parts[SCAN_TOOLS]);
    return &u->toolbox;
}

const struct shape *
understand_shape(struct understanding *u)
{
    struct walk w = { .s = &u->shape };

    if (u->has_shape)
        return &u->shape;
    u->has_shape = true;
    u->shape = (struct shape){ 0 };
    if (u->scan == NULL)
        return &u->shape;
    w.texts = &u->shape.system;
    walk_value(&w, u->scan->parts[SCAN_SYSTEM]);
    w.texts = NULL;
    walk_messages(&w, u->scan->parts[SCAN_MESSAGES]);
    take_billing(&u->shape);
    return &u->shape;
}

/* Pieces decoded, with line ends between, cut to `most` bytes. */
static rx_str
join(struct understanding *u, const struct text_pieces *pieces, size_t most)
{
    struct rx_buf text;

    rx_buf_init(&text, most);
    for (size_t i = 0; i < pieces->count && !text.full; i++) {
        rx_str p = pieces->at[i];
        if (i > 0)
            rx_buf_addc(&text, '\n');
        /* Decoding needs room for the escaped form. */
        size_t room = most - text.len;
        if (p.len > room) {
            p.len = room;
            while (
                p.len > 0 && memchr(p.ptr + p.len - (p.len < 12 ? p.len : 12),
                                 '\\', p.len < 12 ? p.len : 12) != NULL)
                p.len -= p.len < 12 ? p.len : 12;
        }
        rx_span_unescape(p, &text);
    }
    rx_str kept = rx_arena_copy(u->arena, rx_buf_str(&text));
    rx_buf_fini(&text);
    return kept.ptr != NULL ? kept : (rx_str){ 0 };
}

rx_str
understand_user(struct understanding *u)
{
    if (!u->has_user) {
        u->user = join(u, &understand_shape(u)->user, UNDERSTAND_USER);
        u->has_user = true;
    }
    return u->user;
}

rx_str
understand_system(struct understanding *u)
{
    if (!u->has_system) {
        u->system = join(u, &understand_shape(u)->system, UNDERSTAND_SYSTEM);
        u->has_system = true;
    }
    return u->system;
}

const struct content *
understand_content(struct understanding *u)
{
    if (!u->has_content) {
        content_judge(&u->content, understand_user(u), understand_messages(u));
        u->has_content = true;
    }
    return &u->content;
}

bool
understand_prefix(struct understanding *u, struct rx_digest *out)
{
    const struct shape *s = understand_shape(u);
    const struct text_pieces *all[] = { &s->system, &s->first_user };
    struct rx_digest each[2 * UNDERSTAND_PIECES];
    size_t n = 0;

    if (s->first_user.count == 0)
        return false;
    for (size_t i = 0; i < RX_COUNT(all); i++) {
        for (size_t k = 0; k < all[i]->count; k++)
            each[n++] = rx_digest(all[i]->at[k]);
    }
    *out = rx_digest(
        (rx_str){ (const char *)(const void *)each, n * sizeof(each[0]) });
    return true;
}
