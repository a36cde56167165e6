/*
 * The tag by which an agent chooses the model of its sub-agent.  Every body is
 * looked through for it, so it must cost next to nothing where it is not.
 */
#include <string.h>

#include "dataplane/understand.h"
#include "shared/find.h"
#include "shared/json_span.h"

static const rx_str opening = RX_STR_INIT("<CCR-SUBAGENT-MODEL>");
static const rx_str closing = RX_STR_INIT("</CCR-SUBAGENT-MODEL>");

static bool
find_tag(rx_str text, struct subagent_tag *out)
{
    const char *at = rx_find(text, opening);

    if (at == NULL)
        return false;
    const char *from = at + opening.len;
    rx_str rest = { from, (size_t)(text.ptr + text.len - from) };
    const char *to = rx_find(rest, closing);
    if (to == NULL)
        return false;
    out->span = (rx_str){ at, (size_t)(to + closing.len - at) };
    out->model = rx_str_trim((rx_str){ from, (size_t)(to - from) });
    return true;
}

/* Of a message; it says so first, as a rule. */
static rx_str
role_of(rx_str message)
{
    struct rx_span j;
    rx_str role = { 0 };

    rx_span_init(&j, message);
    if (rx_span_kind(&j) != RX_SPAN_OBJECT || !rx_span_enter_object(&j))
        return role;
    while (role.ptr == NULL && rx_span_member(&j, NULL)) {
        if (!rx_span_key_is(&j, RX_S("role")))
            rx_span_skip(&j, NULL);
        else if (!rx_span_string(&j, &role))
            break;
    }
    return role;
}

/* The messages up to the user's second one, as they stand: the rest is long,
 * and no place for a tag. */
static rx_str
beginning(rx_str messages)
{
    struct rx_span j;
    rx_str value = { messages.ptr, 0 };
    unsigned users = 0;

    if (rx_span_kind_of(messages) == RX_SPAN_STRING)
        return messages;
    rx_span_init(&j, messages);
    if (rx_span_kind(&j) != RX_SPAN_ARRAY || !rx_span_enter_array(&j))
        return value;
    while (users < 2 && rx_span_element(&j) && rx_span_skip(&j, &value))
        users += rx_str_eq(role_of(value), RX_S("user"));
    return (
        rx_str){ messages.ptr, (size_t)(value.ptr + value.len - messages.ptr) };
}

/* May whoever speaks so choose? */
static bool
may_tell(rx_str role)
{
    return rx_str_eq(role, RX_S("user")) || rx_str_eq(role, RX_S("system")) ||
           rx_str_eq(role, RX_S("developer"));
}

static bool
find_in_messages(rx_str messages, struct subagent_tag *out)
{
    rx_str text = beginning(messages);
    struct rx_span j;
    rx_str value;

    if (!find_tag(text, out))
        return false;
    if (rx_span_kind_of(messages) == RX_SPAN_STRING)
        return true;
    rx_span_init(&j, messages);
    rx_span_enter_array(&j);
    while (rx_span_element(&j) && rx_span_skip(&j, &value) &&
           value.ptr < text.ptr + text.len) {
        if (may_tell(role_of(value)) && find_tag(value, out))
            return true;
    }
    return false;
}

bool
understand_find_tag(const struct scan *scan, struct subagent_tag *out)
{
    return find_tag(scan->parts[SCAN_SYSTEM], out) ||
           find_in_messages(scan->parts[SCAN_MESSAGES], out);
}
