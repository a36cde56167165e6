/*
 * A body without what was minded: copied but for the places that change.
 */
#include <string.h>

#include "dataplane/repair.h"
#include "shared/attr.h"
#include "shared/json_span.h"

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
    remove_types(c, j, thinking_types, RX_COUNT(thinking_types));
}

static void
remove_reasoning(struct copy *c, struct rx_span *j)
{
    remove_types(c, j, reasoning_types, RX_COUNT(reasoning_types));
}

/* Calls fn at the value of each member of that name; in an object. */
static void
each_member(struct copy *c, struct rx_span *j, rx_str name,
    void (*fn)(struct copy *c, struct rx_span *j))
{
    while (rx_span_member(j, NULL)) {
        if (rx_span_key_is(j, name))
            fn(c, j);
        else
            rx_span_skip(j, NULL);
    }
}

/* The same in each object of the array at the cursor. */
static void
each_member_of_all(struct copy *c, struct rx_span *j, rx_str name,
    void (*fn)(struct copy *c, struct rx_span *j))
{
    if (rx_span_kind(j) != RX_SPAN_ARRAY) {
        rx_span_skip(j, NULL);
        return;
    }
    rx_span_enter_array(j);
    while (rx_span_element(j)) {
        if (rx_span_kind(j) == RX_SPAN_OBJECT && rx_span_enter_object(j))
            each_member(c, j, name, fn);
        else
            rx_span_skip(j, NULL);
    }
}

/* The member at the cursor gets another name. */
static void
rename_member(struct copy *c, struct rx_span *j, rx_str from, rx_str to)
{
    while (rx_span_member(j, NULL)) {
        if (rx_span_key_is(j, from)) {
            copy_to(c, j->key.ptr);
            rx_buf_add(c->out, to);
            c->copied = j->key.ptr + j->key.len;
            c->removed++;
        }
        rx_span_skip(j, NULL);
    }
}

/* A string value becomes another one. */
static void
replace_string(struct copy *c, struct rx_span *j, rx_str with)
{
    rx_str old;

    if (rx_span_kind(j) != RX_SPAN_STRING || !rx_span_string(j, &old)) {
        rx_span_skip(j, NULL);
        return;
    }
    copy_to(c, old.ptr);
    rx_buf_add(c->out, with);
    c->copied = old.ptr + old.len;
    c->removed++;
}

/* The role "developer" becomes "system". */
static void
rename_role(struct copy *c, struct rx_span *j)
{
    struct rx_span look = *j;
    rx_str role = { 0 };

    if (rx_span_string(&look, &role) && rx_str_eq(role, RX_S("developer")))
        replace_string(c, j, RX_S("system"));
    else
        rx_span_skip(j, NULL);
}

static void
rename_developer(struct copy *c, struct rx_span *j)
{
    each_member_of_all(c, j, RX_S("role"), rename_role);
}

/* Signatures nobody can check become the word for "do not check".  What a tool
 * is called with is data. */
static void
forget_thoughts(struct copy *c, struct rx_span *j, unsigned depth)
{
    bool object = rx_span_kind(j) == RX_SPAN_OBJECT;

    if (depth == 0 || (!object && rx_span_kind(j) != RX_SPAN_ARRAY)) {
        rx_span_skip(j, NULL);
        return;
    }
    if (object)
        rx_span_enter_object(j);
    else
        rx_span_enter_array(j);
    while (object ? rx_span_member(j, NULL) : rx_span_element(j)) {
        if (object && is_name(j->key, RX_S("thoughtSignature")))
            replace_string(c, j, RX_S("skip_thought_signature_validator"));
        else
            forget_thoughts(c, j, depth - 1);
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
            each_member_of_all(c, j, RX_S("content"), remove_thinking);
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

/* contents[].parts[].thoughtSignature */
static void
forget_in_contents(struct copy *c, struct rx_span *j)
{
    forget_thoughts(c, j, 4);
}

static void
remove_field(struct copy *c, struct rx_span *j, const struct repair *r)
{
    rx_str path[REPAIR_PATH_MAX / 2];
    const char *part = r->path;

    for (size_t i = 0; i < r->parts; i++, part += strlen(part) + 1)
        path[i] = (rx_str){ part, strlen(part) };
    remove_at(c, j, path, r->parts);
}

static void
apply(struct copy *c, struct rx_span *j, const struct repair *r)
{
    if (r->fault == FAULT_FIELD) {
        remove_field(c, j, r);
        return;
    }
    if (!rx_span_enter_object(j))
        return;
    switch (r->fault) {
    case FAULT_THINKING: stop_thinking(c, j); break;
    case FAULT_ENCRYPTED:
        each_member(c, j, RX_S("input"), remove_reasoning);
        break;
    case FAULT_MAX_TOKENS:
        rename_member(c, j, RX_S("max_tokens"), RX_S("max_completion_tokens"));
        break;
    case FAULT_MAX_COMPLETION:
        rename_member(c, j, RX_S("max_completion_tokens"), RX_S("max_tokens"));
        break;
    case FAULT_DEVELOPER:
        each_member(c, j, RX_S("messages"), rename_developer);
        break;
    case FAULT_THOUGHT:
        each_member(c, j, RX_S("contents"), forget_in_contents);
        break;
    case FAULT_NONE:
    case FAULT_BETA:
    case FAULT_FIELD: break;
    }
}

bool
repair_apply(const struct repair *r, rx_str body, struct rx_buf *out)
{
    struct copy c = { .out = out, .copied = body.ptr };
    struct rx_span j;

    if (r->fault == FAULT_BETA)
        return false;
    rx_span_init(&j, body);
    apply(&c, &j, r);
    if (!j.bad && c.removed > 0)
        copy_to(&c, body.ptr + body.len);
    bool ok = !j.bad && c.removed > 0 && !out->full;
    if (!ok)
        rx_buf_clear(out);
    return ok;
}
