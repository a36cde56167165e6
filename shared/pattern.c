#include "shared/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>

/* About 2 ms of the slowest patterns; what is sensible takes hundreds. */
#define MATCH_LIMIT 50000
#define DEPTH_LIMIT 1000
#define HEAP_KIB    1024

struct rx_pattern {
    pcre2_code *code;
    pcre2_match_data *data;
    pcre2_match_context *limits;
};

void
rx_pattern_free(struct rx_pattern *p)
{
    if (p == NULL)
        return;
    pcre2_match_context_free(p->limits);
    pcre2_match_data_free(p->data);
    pcre2_code_free(p->code);
    free(p);
}

static enum rx_code
cannot_compile(int error, size_t at, struct rx_err *err)
{
    PCRE2_UCHAR words[120] = "";

    pcre2_get_error_message(error, words, sizeof(words));
    return rx_fail(err, RX_INVALID, "is not a usable pattern: %s at byte %zu",
        (const char *)words, at);
}

enum rx_code
rx_pattern_new(struct rx_pattern **out, rx_str text, struct rx_err *err)
{
    /* \C could split a character; nothing here needs it. */
    const uint32_t options = PCRE2_CASELESS | PCRE2_UTF |
                             PCRE2_MATCH_INVALID_UTF | PCRE2_MULTILINE |
                             PCRE2_NEVER_BACKSLASH_C;
    int error = 0;
    size_t at = 0;

    *out = NULL;
    if (text.len == 0 || text.len > RX_PATTERN_MAX)
        return rx_fail(err, RX_INVALID, "must be a pattern of 1 to %zu bytes",
            RX_PATTERN_MAX);
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)(const void *)text.ptr,
        text.len, options, &error, &at, NULL);
    if (code == NULL)
        return cannot_compile(error, at, err);

    struct rx_pattern *p = calloc(1, sizeof(*p));
    if (p == NULL)
        abort();
    p->code = code;
    p->data = pcre2_match_data_create(1, NULL);
    p->limits = pcre2_match_context_create(NULL);
    if (p->data == NULL || p->limits == NULL)
        abort();
    pcre2_set_match_limit(p->limits, MATCH_LIMIT);
    pcre2_set_depth_limit(p->limits, DEPTH_LIMIT);
    pcre2_set_heap_limit(p->limits, HEAP_KIB);
    /* Where memory may not be made executable the interpreter does it. */
    (void)pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
    *out = p;
    return RX_OK;
}

static enum rx_pattern_result
match(const struct rx_pattern *p, rx_str text, size_t from)
{
    int n = pcre2_match(p->code,
        (PCRE2_SPTR)(const void *)(text.len > 0 ? text.ptr : ""), text.len,
        from, 0, p->data, p->limits);

    if (n >= 0)
        return RX_PATTERN_YES;
    return n == PCRE2_ERROR_NOMATCH ? RX_PATTERN_NO : RX_PATTERN_GIVEN_UP;
}

enum rx_pattern_result
rx_pattern_find(const struct rx_pattern *p, rx_str text)
{
    return match(p, text, 0);
}

enum rx_pattern_result
rx_pattern_find_at(const struct rx_pattern *p, rx_str text, size_t from,
    size_t *begin, size_t *end)
{
    enum rx_pattern_result found = match(p, text, from);

    if (found == RX_PATTERN_YES) {
        const PCRE2_SIZE *at = pcre2_get_ovector_pointer(p->data);
        /* \K inside a look-ahead may put the one behind the other. */
        *begin = at[0] > from ? at[0] : from;
        *end = at[1] > *begin ? at[1] : *begin;
    }
    return found;
}
