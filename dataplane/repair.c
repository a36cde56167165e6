#include "dataplane/repair.h"

#include <stdio.h>
#include <string.h>

#include "shared/attr.h"
#include "shared/json_span.h"

#define ERROR_MAX      ((size_t)16 * 1024)
#define PATH_MAX_PARTS 16

/* ---- what the upstream minds ---------------------------------------------- */

/* Where the name of the part is in the message. */
enum place {
    NOWHERE,
    BEFORE, /* up to this mark, from the beginning of the message */
    QUOTED, /* in the first quotes behind the mark */
    GEMINI, /* "x" at 'path' */
    FIRST,  /* in the first quotes of the message */
    LAST,   /* behind the mark, up to the end or a blank */
    FIXED,  /* `also` is its name */
};

static const struct {
    unsigned dialects;
    const char *mark;
    const char *also; /* must be there, too */
    enum repair_fault fault;
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
    { ON(ANTHROPIC), "temperature` may only be set to 1", "temperature",
        FAULT_FIELD, FIXED },
    { ON(ANTHROPIC), "cannot both be specified", "top_p", FAULT_FIELD, FIXED },
    { ON(ANTHROPIC), "top_k` must be unset", "top_k", FAULT_FIELD, FIXED },
    { ON(CHAT), "'max_completion_tokens' instead", "max_tokens",
        FAULT_MAX_TOKENS, NOWHERE },
    { ON(CHAT), "developer", "role", FAULT_DEVELOPER, NOWHERE },
    { ON(CHAT), "does not support this tool_choice", "tool_choice", FAULT_FIELD,
        FIXED },
    { ON(CHAT), "Unrecognized request argument supplied: ", "", FAULT_FIELD,
        LAST },
    { ON(CHAT), "property '", "is unsupported", FAULT_FIELD, FIRST },
    { ON(CHAT) | ON(RESPONSES), "Unsupported parameter: ", "", FAULT_FIELD,
        QUOTED },
    { ON(CHAT) | ON(RESPONSES), "Unsupported value: ", "", FAULT_FIELD,
        QUOTED },
    { ON(CHAT) | ON(RESPONSES), "Unknown parameter: ", "", FAULT_FIELD,
        QUOTED },
    { ON(GEMINI), "thought signature", "", FAULT_THOUGHT, NOWHERE },
    { ON(GEMINI), "thought_signature", "", FAULT_THOUGHT, NOWHERE },
    { ON(GEMINI), "Unknown name ", "Cannot find field", FAULT_FIELD, GEMINI },
#undef ON
};

/* Values that differ: one that is minded says nothing of the others.  Of these
 * any but the default is minded. */
static const rx_str fixed[] = { RX_STR_INIT("temperature"),
    RX_STR_INIT("top_p"), RX_STR_INIT("presence_penalty"),
    RX_STR_INIT("frequency_penalty"), RX_STR_INIT("n") };

/* What cannot be left out: the request would be another one. */
static const rx_str needed[] = { RX_STR_INIT("model"), RX_STR_INIT("messages"),
    RX_STR_INIT("input"), RX_STR_INIT("contents"), RX_STR_INIT("max_tokens"),
    RX_STR_INIT("stream"), RX_STR_INIT("tools"), RX_STR_INIT("system"),
    RX_STR_INIT("instructions") };

/* A path into the body, outermost first: views into the message. */
struct finding {
    enum repair_fault fault;
    rx_str path[PATH_MAX_PARTS];
    size_t parts;
    rx_str name; /* of the beta */
    bool value;  /* it is this value that is minded */
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
    const char *mark, const char *also)
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
    case FIRST: add_path(f, quoted(message, &rest)); break;
    case FIXED: add_part(f, (rx_str){ also, strlen(also) }); break;
    case LAST:
        behind = (rx_str){ at + strlen(mark), behind.len - strlen(mark) };
        rx_str_cut(behind, ' ', &name, &rest);
        rx_str_cut(name, ',', &name, &rest);
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

/* The limit of output tokens cannot go; it has two names. */
static void
settle_names(struct finding *f)
{
    if (f->fault != FAULT_FIELD || f->parts != 1)
        return;
    if (rx_str_eq(f->path[0], RX_S("max_completion_tokens")) && !f->value)
        f->fault = FAULT_MAX_COMPLETION;
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
            read_place(
                &f, faults[i].place, text, at, faults[i].mark, faults[i].also);
        f.value = strstr(faults[i].mark, "value") != NULL;
        settle_names(&f);
        if (may_go(&f))
            return f;
        f = (struct finding){ 0 };
    }
    return f;
}

/* ---- in words --------------------------------------------------------------- */

static void
say(struct repair *done, const struct finding *f)
{
    static const char *const words[] = {
        [FAULT_NONE] = "",
        [FAULT_THINKING] = "thinking blocks",
        [FAULT_THOUGHT] = "thought signatures",
        [FAULT_ENCRYPTED] = "reasoning items",
        [FAULT_BETA] = "beta ",
        [FAULT_MAX_TOKENS] = "max_tokens",
        [FAULT_MAX_COMPLETION] = "max_completion_tokens",
        [FAULT_DEVELOPER] = "the role developer",
        [FAULT_FIELD] = "field ",
    };
    rx_str name = f->fault == FAULT_FIELD ? f->path[f->parts - 1] : f->name;

    snprintf(done->what, sizeof(done->what), "%s" RX_STR_FMT, words[f->fault],
        (int)(name.len < 40 ? name.len : 40), name.ptr != NULL ? name.ptr : "");
    if (f->fault == FAULT_BETA && name.len < sizeof(done->beta))
        snprintf(done->beta, sizeof(done->beta), RX_STR_FMT, RX_STR_ARG(name));
}

/* ---- kept ------------------------------------------------------------------- */

static bool
listed(const rx_str *list, size_t n, rx_str name)
{
    for (size_t i = 0; i < n; i++) {
        if (rx_str_eq(list[i], name))
            return true;
    }
    return false;
}

/* Does it say something of the model, and not of one conversation? */
static bool
is_lasting(const struct finding *f)
{
    switch (f->fault) {
    case FAULT_BETA:
    case FAULT_MAX_TOKENS:
    case FAULT_MAX_COMPLETION:
    case FAULT_DEVELOPER: return true;
    case FAULT_FIELD:
        return f->parts == 1 &&
               (!f->value || listed(fixed, RX_COUNT(fixed), f->path[0]));
    case FAULT_NONE:
    case FAULT_THINKING:
    case FAULT_THOUGHT:
    case FAULT_ENCRYPTED: break;
    }
    return false;
}

/* False when the path is longer than anything that is repaired. */
static bool
keep(struct repair *r, const struct finding *f)
{
    size_t at = 0;

    *r = (struct repair){ .fault = f->fault, .parts = (unsigned)f->parts };
    for (size_t i = 0; i < f->parts; i++) {
        rx_str part = f->path[i];
        if (part.len >= sizeof(r->path) - at)
            return false;
        memcpy(r->path + at, part.ptr, part.len);
        at += part.len + 1;
    }
    r->lasting = is_lasting(f);
    say(r, f);
    return true;
}

bool
repair_find(enum dialect dialect, rx_str error_body, struct repair *out)
{
    struct rx_buf message;

    *out = (struct repair){ 0 };
    rx_buf_init(&message, ERROR_MAX);
    struct finding f = diagnose(dialect, error_body, &message);
    bool ok = f.fault != FAULT_NONE && keep(out, &f);
    rx_buf_fini(&message);
    return ok;
}

bool
repair_is_possible(enum dialect dialect, rx_str error_body)
{
    struct repair r;

    return repair_find(dialect, error_body, &r);
}
