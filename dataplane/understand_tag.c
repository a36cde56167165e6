/*
 * The tag by which an agent chooses the model of its sub-agent.  Every body is
 * looked through for it, so it must cost next to nothing where it is not.
 */
#include <string.h>

#include "dataplane/understand.h"
#include "shared/json_span.h"

#if defined(__SSE2__)
#    include <emmintrin.h>
#endif

static const rx_str opening = RX_STR_INIT("<CCR-SUBAGENT-MODEL>");
static const rx_str closing = RX_STR_INIT("</CCR-SUBAGENT-MODEL>");

/* The first `<C` at or behind `at`; NULL when there is none. */
static const char *
find_start(const char *at, const char *end)
{
#if defined(__SSE2__)
    const __m128i less = _mm_set1_epi8('<');
    const __m128i c = _mm_set1_epi8('C');

    for (; end - at > 64; at += 64) {
        __m128i hit = _mm_setzero_si128();
        for (int i = 0; i < 64; i += 16) {
            const char *p = at + i;
            __m128i one = _mm_loadu_si128((const __m128i *)(const void *)p);
            __m128i two =
                _mm_loadu_si128((const __m128i *)(const void *)(p + 1));
            hit = _mm_or_si128(hit, _mm_and_si128(_mm_cmpeq_epi8(one, less),
                                        _mm_cmpeq_epi8(two, c)));
        }
        if (_mm_movemask_epi8(hit) != 0)
            break;
    }
#endif
    for (; end - at >= 2; at++) {
        if (at[0] == '<' && at[1] == 'C')
            return at;
    }
    return NULL;
}

static bool
find_tag(rx_str text, struct subagent_tag *out)
{
    if (text.len < opening.len + closing.len)
        return false;
    const char *end = text.ptr + text.len;
    for (const char *at = text.ptr; (at = find_start(at, end)) != NULL; at++) {
        rx_str rest = { at, (size_t)(end - at) };
        if (!rx_str_starts(rest, opening))
            continue;
        const char *from = at + opening.len;
        const char *to =
            memmem(from, (size_t)(end - from), closing.ptr, closing.len);
        if (to == NULL)
            return false;
        out->span = (rx_str){ at, (size_t)(to + closing.len - at) };
        out->model = rx_str_trim((rx_str){ from, (size_t)(to - from) });
        return true;
    }
    return false;
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
