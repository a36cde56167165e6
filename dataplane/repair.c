#include "dataplane/repair.h"

#include <stdio.h>
#include <string.h>

#include "shared/attr.h"
#include "shared/json_span.h"

#define ERROR_MAX      ((size_t)16 * 1024)
#define PATH_MAX_PARTS 16

/* ---- what the upstream minds ---------------------------------------------- */

enum fault {
    FAULT_NONE,
    FAULT_THINKING,   /* signatures of thinking blocks */
    FAULT_ENCRYPTED,  /* reasoning items another account encrypted */
    FAULT_BETA,       /* an item of anthropic-beta */
    FAULT_MAX_TOKENS, /* is max_completion_tokens there */
    FAULT_FIELD,      /* a member at a path */
};

/* Where the name of the part is in the message. */
enum place {
    NOWHERE,
    BEFORE, /* up to this mark, from the beginning of the message */
    QUOTED, /* in the first quotes behind the mark */
    GEMINI, /* "x" at 'path' */
};

static const struct {
    unsigned dialects;
    const char *mark;
    const char *also; /* must be there, too */
    enum fault fault;
    enum place place;
} faults[] = {
#define ON(d) (1u << DIALECT_##d)
    { ON(ANTHROPIC), "signature", "thinking", FAULT_THINKING, NOWHERE },
    { ON(ANTHROPIC), "anthropic-beta", "value", FAULT_BETA, QUOTED },
    { ON(ANTHROPIC), ": Extra inputs are not permitted", "", FAULT_FIELD,
        BEFORE },
    { ON(RESPONSES), "invalid_encrypted_content", "", FAULT_ENCRYPTED,
        NOWHERE },
    { ON(RESPONSES), "encrypted content", "could not be", FAULT_ENCRYPTED,
        NOWHERE },
    { ON(CHAT), "'max_completion_tokens' instead", "max_tokens",
        FAULT_MAX_TOKENS, NOWHERE },
    { ON(CHAT) | ON(RESPONSES), "Unsupported parameter: ", "", FAULT_FIELD,
        QUOTED },
    { ON(CHAT) | ON(RESPONSES), "Unsupported value: ", "", FAULT_FIELD,
        QUOTED },
    { ON(CHAT) | ON(RESPONSES), "Unknown parameter: ", "", FAULT_FIELD,
        QUOTED },
    { ON(GEMINI), "Unknown name ", "Cannot find field", FAULT_FIELD, GEMINI },
#undef ON
};

/* What cannot be left out: the request would be another one. */
static const rx_str needed[] = { RX_STR_INIT("model"), RX_STR_INIT("messages"),
    RX_STR_INIT("input"), RX_STR_INIT("contents"), RX_STR_INIT("max_tokens"),
    RX_STR_INIT("stream"), RX_STR_INIT("tools"), RX_STR_INIT("system"),
    RX_STR_INIT("instructions") };

/* A path into the body, outermost first: views into the message. */
struct finding {
    enum fault fault;
    rx_str path[PATH_MAX_PARTS];
    size_t parts;
    rx_str name; /* of the beta */
};

static const char *
find(rx_str text, const char *mark)
{
    size_t n = strlen(mark);

    for (size_t at = 0; at + n <= text.len; at++) {
        if (rx_str_ieq((rx_str){ text.ptr + at, n }, (rx_str){ mark, n }))
            return text.ptr + at;
    }
    return NULL;
}

/* The error's message, unescaped: the first string member of that name. */
static bool
read_message(rx_str error, struct rx_buf *out)
{
    struct rx_span j;
    rx_str text = { 0 };

    rx_span_init(&j, error);
    if (rx_span_kind(&j) != RX_SPAN_OBJECT)
        return false;
    rx_span_enter_object(&j);
    while (rx_span_member(&j, NULL)) {
        if (rx_span_key_is(&j, RX_S("error")) &&
            rx_span_kind(&j) == RX_SPAN_OBJECT)
            rx_span_enter_object(&j); /* its members come next */
        else if (rx_span_key_is(&j, RX_S("message")) && text.ptr == NULL)
            rx_span_string(&j, &text);
        else
            rx_span_skip(&j, NULL);
    }
    return text.ptr != NULL && rx_span_unescape(text, out);
}

static void
add_part(struct finding *f, rx_str part)
{
    if (part.len > 0 && f->parts < PATH_MAX_PARTS)
        f->path[f->parts++] = part;
}

/* "tools.0.custom.x", "tools[0].x" */
static void
add_path(struct finding *f, rx_str text)
{
    size_t from = 0;

    for (size_t i = 0; text.len > 0 && i <= text.len; i++) {
        if (i < text.len && memchr(".[]", text.ptr[i], 3) == NULL)
            continue;
        add_part(f, (rx_str){ text.ptr + from, i - from });
        from = i + 1;
    }
}

/* Between the first pair of any quotes in `text`; what follows into `rest`. */
static rx_str
quoted(rx_str text, rx_str *rest)
{
    size_t from = 0;

    *rest = (rx_str){ 0 };
    while (from < text.len && memchr("'\"`", text.ptr[from], 3) == NULL)
        from++;
    if (from == text.len)
        return (rx_str){ 0 };
    size_t to = from + 1;
    while (to < text.len && text.ptr[to] != text.ptr[from])
        to++;
    if (to == text.len)
        return (rx_str){ 0 };
    *rest = (rx_str){ text.ptr + to + 1, text.len - to - 1 };
    return (rx_str){ text.ptr + from + 1, to - from - 1 };
}

static void
read_place(struct finding *f, enum place place, rx_str message, const char *at,
    const char *mark)
{
    rx_str before = { message.ptr, (size_t)(at - message.ptr) };
    rx_str behind = { at, (size_t)(message.ptr + message.len - at) };
    rx_str name;
    rx_str rest;

    switch (place) {
    case NOWHERE: break;
    case BEFORE: add_path(f, before); break;
    case QUOTED:
        if (f->fault == FAULT_BETA)
            behind = message;
        else
            behind = (rx_str){ at + strlen(mark), behind.len - strlen(mark) };
        name = quoted(behind, &rest);
        f->name = name;
        add_path(f, name);
        break;
    case GEMINI:
        name = quoted(behind, &rest);
        if (find((rx_str){ rest.ptr, rest.len < 5 ? rest.len : 5 }, " at ") !=
            NULL)
            add_path(f, quoted(rest, &rest));
        add_part(f, name);
        break;
    }
}

static bool
may_go(const struct finding *f)
{
    if (f->fault == FAULT_BETA)
        return f->name.len > 0;
    if (f->fault != FAULT_FIELD)
        return true;
    if (f->parts == 0)
        return false;
    for (size_t i = 0; f->parts == 1 && i < RX_COUNT(needed); i++) {
        if (rx_str_eq(needed[i], f->path[0]))
            return false;
    }
    return true;
}

/* `message` backs the views in the finding. */
static struct finding
diagnose(enum dialect dialect, rx_str error, struct rx_buf *message)
{
    struct finding f = { 0 };

    if (error.len > ERROR_MAX || !read_message(error, message))
        return f;
    rx_str text = message->len > 0 ? rx_buf_str(message) : RX_S("");
    for (size_t i = 0; i < RX_COUNT(faults); i++) {
        const char *at = find(text, faults[i].mark);
        bool code = faults[i].fault == FAULT_ENCRYPTED &&
                    find(error, faults[i].mark) != NULL;
        if ((faults[i].dialects >> dialect & 1) == 0 || (at == NULL && !code) ||
            find(text, faults[i].also) == NULL)
            continue;
        f.fault = faults[i].fault;
        if (at != NULL)
            read_place(&f, faults[i].place, text, at, faults[i].mark);
        if (may_go(&f))
            return f;
        f = (struct finding){ 0 };
    }
    return f;
}

bool
repair_is_possible(enum dialect dialect, rx_str error_body)
{
    struct rx_buf message;

    rx_buf_init(&message, ERROR_MAX);
    struct finding f = diagnose(dialect, error_body, &message);
    rx_buf_fini(&message);
    return f.fault != FAULT_NONE;
}

/* ---- taking it out -------------------------------------------------------- */

/* Where members and elements go: copies what stays. */
struct copy {
    struct rx_buf *out;
    const char *copied; /* of the body, up to here */
    const char *before; /* the separator of the value at the cursor begins */
    unsigned removed;
    bool first; /* the value at the cursor is its container's first */
};

static void
copy_to(struct copy *c, const char *at)
{
    rx_buf_add(c->out, (rx_str){ c->copied, (size_t)(at - c->copied) });
    c->copied = at;
}

/* Leave out from the separator before to `end`; the comma behind, if first. */
static void
leave_out(struct copy *c, const char *from, const char *end, const char *limit)
{
    copy_to(c, from);
    if (c->first) {
        while (end < limit && memchr(" \t\r\n", *end, 4) != NULL)
            end++;
        if (end < limit && *end == ',')
            end++;
    }
    c->copied = end;
    c->removed++;
}

/* "generationConfig" is "generation_config". */
static bool
is_name(rx_str a, rx_str b)
{
    size_t i = 0;
    size_t k = 0;

    for (;;) {
        while (i < a.len && a.ptr[i] == '_')
            i++;
        while (k < b.len && b.ptr[k] == '_')
            k++;
        if (i == a.len || k == b.len)
            return i == a.len && k == b.len;
        if ((a.ptr[i++] | 0x20) != (b.ptr[k++] | 0x20))
            return false;
    }
}

/*
 * Walk to path[0], path[1], …; a part that is not there is passed over, as
 * providers put the names of their own types into paths.
 */
static void
remove_at(struct copy *c, struct rx_span *j, const rx_str *path, size_t parts)
{
    bool object = rx_span_kind(j) == RX_SPAN_OBJECT;
    uint64_t index = 0;

    if (parts == 0 || (!object && rx_span_kind(j) != RX_SPAN_ARRAY)) {
        rx_span_skip(j, NULL);
        return;
    }
    struct rx_span start = *j;
    if (object)
        rx_span_enter_object(j);
    else
        rx_span_enter_array(j);
    const char *before = j->at;
    bool first = true;
    bool met = false;
    while (object ? rx_span_member(j, NULL) : rx_span_element(j)) {
        uint64_t wanted;
        bool here = object ? is_name(j->key, path[0])
                           : rx_str_u64(path[0], &wanted) && wanted == index;
        index++;
        met = met || here;
        if (here && parts > 1) {
            remove_at(c, j, path + 1, parts - 1);
        } else {
            rx_span_skip(j, NULL);
            c->first = first;
            if (here && !j->bad)
                leave_out(c, before, j->at, j->end);
        }
        before = j->at;
        first = false;
    }
    if (!met && parts > 1 && !j->bad) {
        *j = start;
        remove_at(c, j, path + 1, parts - 1);
    }
}

static bool
is_type(rx_str object, const rx_str *types, size_t n)
{
    struct rx_span j;
    rx_str type;

    rx_span_init(&j, object);
    if (rx_span_kind(&j) != RX_SPAN_OBJECT)
        return false;
    rx_span_enter_object(&j);
    while (rx_span_member(&j, NULL)) {
        if (!rx_span_key_is(&j, RX_S("type"))) {
            rx_span_skip(&j, NULL);
            continue;
        }
        if (!rx_span_string(&j, &type))
            return false;
        for (size_t i = 0; i < n; i++) {
            if (rx_str_eq(types[i], type))
                return true;
        }
        return false;
    }
    return false;
}

/* The array at the cursor without the objects of these types. */
static void
remove_types(struct copy *c, struct rx_span *j, const rx_str *types, size_t n)
{
    rx_str value;
    bool left = false; /* an element stays before the one at the cursor */

    if (rx_span_kind(j) != RX_SPAN_ARRAY) {
        rx_span_skip(j, NULL);
        return;
    }
    rx_span_enter_array(j);
    const char *before = j->at;
    while (rx_span_element(j)) {
        if (!rx_span_skip(j, &value))
            return;
        c->first = !left;
        if (is_type(value, types, n))
            leave_out(c, before, j->at, j->end);
        else
            left = true;
        before = c->copied > j->at ? c->copied : j->at;
    }
}

static const rx_str thinking_types[] = { RX_STR_INIT("thinking"),
    RX_STR_INIT("redacted_thinking") };
static const rx_str reasoning_types[] = { RX_STR_INIT("reasoning") };

static void
remove_thinking(struct copy *c, struct rx_span *j)
{
    if (rx_span_kind(j) != RX_SPAN_ARRAY) {
        rx_span_skip(j, NULL);
        return;
    }
    rx_span_enter_array(j);
    while (rx_span_element(j)) {
        if (rx_span_kind(j) != RX_SPAN_OBJECT) {
            rx_span_skip(j, NULL);
            continue;
        }
        rx_span_enter_object(j);
        while (rx_span_member(j, NULL)) {
            if (rx_span_key_is(j, RX_S("content")))
                remove_types(c, j, thinking_types, RX_COUNT(thinking_types));
            else
                rx_span_skip(j, NULL);
        }
    }
}

static void
rename_max_tokens(struct copy *c, struct rx_span *j)
{
    while (rx_span_member(j, NULL)) {
        if (rx_span_key_is(j, RX_S("max_tokens"))) {
            copy_to(c, j->key.ptr);
            rx_buf_add(c->out, RX_S("max_completion_tokens"));
            c->copied = j->key.ptr + j->key.len;
            c->removed++;
        }
        rx_span_skip(j, NULL);
    }
}

/*
 * Blocks out of the messages, and the wish for thinking: a turn that goes on
 * after a tool's result without its thinking is refused while that stands.
 */
static void
stop_thinking(struct copy *c, struct rx_span *j)
{
    const char *before = j->at;
    bool first = true;

    while (rx_span_member(j, NULL)) {
        if (rx_span_key_is(j, RX_S("messages"))) {
            remove_thinking(c, j);
        } else if (rx_span_key_is(j, RX_S("thinking")) &&
                   rx_span_skip(j, NULL)) {
            c->first = first;
            leave_out(c, before, j->at, j->end);
        } else {
            rx_span_skip(j, NULL);
        }
        before = c->copied > j->at ? c->copied : j->at;
        first = first && c->copied >= j->at;
    }
}

static void
remove_reasoning(struct copy *c, struct rx_span *j)
{
    while (rx_span_member(j, NULL)) {
        if (rx_span_key_is(j, RX_S("input")))
            remove_types(c, j, reasoning_types, RX_COUNT(reasoning_types));
        else
            rx_span_skip(j, NULL);
    }
}

static void
apply(struct copy *c, struct rx_span *j, const struct finding *f)
{
    if (f->fault == FAULT_FIELD) {
        remove_at(c, j, f->path, f->parts);
        return;
    }
    if (!rx_span_enter_object(j))
        return;
    switch (f->fault) {
    case FAULT_THINKING: stop_thinking(c, j); break;
    case FAULT_ENCRYPTED: remove_reasoning(c, j); break;
    case FAULT_MAX_TOKENS: rename_max_tokens(c, j); break;
    case FAULT_NONE:
    case FAULT_BETA:
    case FAULT_FIELD: break;
    }
}

static void
say(struct repair *done, const struct finding *f)
{
    static const char *const words[] = {
        [FAULT_NONE] = "",
        [FAULT_THINKING] = "thinking blocks",
        [FAULT_ENCRYPTED] = "reasoning items",
        [FAULT_BETA] = "beta ",
        [FAULT_MAX_TOKENS] = "max_tokens",
        [FAULT_FIELD] = "field ",
    };
    rx_str name = f->fault == FAULT_FIELD ? f->path[f->parts - 1] : f->name;

    snprintf(done->what, sizeof(done->what), "%s" RX_STR_FMT, words[f->fault],
        (int)(name.len < 40 ? name.len : 40), name.ptr != NULL ? name.ptr : "");
    if (f->fault == FAULT_BETA && name.len < sizeof(done->beta))
        snprintf(done->beta, sizeof(done->beta), RX_STR_FMT, RX_STR_ARG(name));
}

bool
repair_body(enum dialect dialect, rx_str error_body, rx_str body,
    struct rx_buf *out, struct repair *done)
{
    struct rx_buf message;
    struct rx_span j;
    struct copy c = { .out = out, .copied = body.ptr };

    *done = (struct repair){ 0 };
    rx_buf_init(&message, ERROR_MAX);
    struct finding f = diagnose(dialect, error_body, &message);
    bool ok = f.fault == FAULT_BETA;
    if (f.fault != FAULT_NONE && f.fault != FAULT_BETA) {
        rx_span_init(&j, body);
        apply(&c, &j, &f);
        if (!j.bad && c.removed > 0)
            copy_to(&c, body.ptr + body.len);
        ok = !j.bad && c.removed > 0 && !out->full;
        if (!ok)
            rx_buf_clear(out);
    }
    if (ok)
        say(done, &f);
    rx_buf_fini(&message);
    return ok;
}
