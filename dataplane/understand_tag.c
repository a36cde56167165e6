/*
 * The tag by which an agent chooses the model of its sub-agent.  Every body is
 * looked through for it, so it must cost next to nothing where it is not.
 */
#include <string.h>

#include "dataplane/understand.h"
#include "shared/find.h"
#include "shared/json_span.h"

const rx_str subagent_mark = RX_STR_INIT("<CCR-SUBAGENT-MODEL>");
static const rx_str closing = RX_STR_INIT("</CCR-SUBAGENT-MODEL>");

static bool
find_tag(rx_str text, struct subagent_tag *out)
{
    const char *at = rx_find(text, subagent_mark);

    if (at == NULL)
        return false;
    const char *from = at + subagent_mark.len;
    rx_str rest = { from, (size_t)(text.ptr + text.len - from) };
    const char *to = rx_find(rest, closing);
    if (to == NULL)
        return false;
    out->span = (rx_str){ at, (size_t)(to + closing.len - at) };
    out->model = rx_str_trim((rx_str){ from, (size_t)(to - from) });
    return true;
}

static bool
is_role(rx_str message, const char *name)
{
    struct rx_span j;
    rx_str role = { 0 };

    rx_span_init(&j, message);
    if (rx_span_kind(&j) != RX_SPAN_OBJECT || !rx_span_enter_object(&j))
        return false;
    while (rx_span_member(&j, NULL)) {
        if (rx_span_key_is(&j, RX_S("role")))
            rx_span_string(&j, &role);
        else if (!rx_span_skip(&j, NULL))
            return false;
    }
    return rx_str_eq(role, (rx_str){ name, strlen(name) });
}

/* In system messages, and in the first two of the user. */
static bool
find_in_messages(rx_str messages, struct subagent_tag *out)
{
    struct rx_span j;
    rx_str value;
    unsigned users = 0;

    if (rx_span_kind_of(messages) == RX_SPAN_STRING)
        return find_tag(messages, out);
    rx_span_init(&j, messages);
    if (rx_span_kind(&j) != RX_SPAN_ARRAY || !rx_span_enter_array(&j))
        return false;
    while (rx_span_element(&j) && rx_span_skip(&j, &value)) {
        bool user = is_role(value, "user");
        bool system = is_role(value, "system") || is_role(value, "developer");
        users += user;
        if ((system || (user && users <= 2)) && find_tag(value, out))
            return true;
    }
    return false;
}

bool
understand_find_tag(enum dialect dialect, const struct scan *scan, rx_str body,
    struct subagent_tag *out)
{
    (void)dialect;
    if (!find_tag(body, out))
        return false;
    /* Somewhere; is it where it counts? */
    return find_tag(scan->parts[SCAN_SYSTEM], out) ||
           find_in_messages(scan->parts[SCAN_MESSAGES], out);
}
