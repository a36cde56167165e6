#include "dataplane/redact.h"

#include <stdlib.h>

#include "shared/attr.h"
#include "shared/pattern.h"

/* What \K stands behind stays. */
static const rx_str own[] = {
    /* keys and tokens by how they begin */
    RX_STR_INIT("\\b(?:(?:sk|rk|gh[pousr]|github_pat|glpat|xox[abprs]|rtx[a-z]?"
                "|whs|hf|gsk|pplx)[-_]|ya29\\.|AIza|AKIA|ASIA)"
                "[A-Za-z0-9_.-]{12,}"),
    /* JSON web tokens */
    RX_STR_INIT("\\beyJ[A-Za-z0-9_-]{8,}\\.[A-Za-z0-9_-]{8,}\\.[A-Za-z0-9_-]*"),
    RX_STR_INIT("\\bbearer\\s+\\K[A-Za-z0-9._~+/=-]{8,}"),
    RX_STR_INIT("-----BEGIN [A-Z ]*PRIVATE KEY-----[\\s\\S]*?"
                "-----END [A-Z ]*PRIVATE KEY-----"),
    /* members of objects by their names, in texts of JSON too */
    RX_STR_INIT("\"(?:x-)?(?:api[_-]?key|authorization|passwd|password|secret"
                "|client_secret|access_token|refresh_token|private_key)\\\\*\""
                "\\s*:\\s*\\\\*\"\\K[^\"\\\\]{4,}"),
};

struct redact {
    struct rx_pattern **at;
    size_t count;
};

struct redact *
redact_new(const rx_str *patterns, size_t count)
{
    struct redact *r = calloc(1, sizeof(*r));

    if (r == NULL)
        abort();
    r->at = calloc(RX_COUNT(own) + count, sizeof(*r->at));
    if (r->at == NULL)
        abort();
    for (size_t i = 0; i < RX_COUNT(own) + count; i++) {
        rx_str text = i < RX_COUNT(own) ? own[i] : patterns[i - RX_COUNT(own)];
        if (rx_pattern_new(&r->at[r->count], text, NULL) == RX_OK)
            r->count++;
    }
    return r;
}

void
redact_free(struct redact *r)
{
    if (r == NULL)
        return;
    for (size_t i = 0; i < r->count; i++)
        rx_pattern_free(r->at[i]);
    free(r->at);
    free(r);
}

/* False: it could not be looked through. */
static bool
replace_all(
    const struct rx_pattern *p, rx_str text, struct rx_buf *out, size_t *count)
{
    size_t from = 0, begin, end;
    enum rx_pattern_result found;

    while ((found = rx_pattern_find_at(p, text, from, &begin, &end)) ==
           RX_PATTERN_YES) {
        if (end == begin) { /* it matches nothing: go on behind it */
            if (begin >= text.len)
                break;
            end = begin + 1;
            rx_buf_add(out, (rx_str){ text.ptr + from, end - from });
        } else {
            rx_buf_add(out, (rx_str){ text.ptr + from, begin - from });
            rx_buf_add(out, RX_S(REDACT_MARK));
            ++*count;
        }
        from = end;
    }
    rx_buf_add(out, (rx_str){ text.ptr + from, text.len - from });
    return found != RX_PATTERN_GIVEN_UP && !out->full;
}

size_t
redact_text(const struct redact *r, rx_str text, struct rx_buf *out)
{
    struct rx_buf room[2];
    size_t count = 0;
    bool good = true;

    for (size_t i = 0; i < 2; i++)
        rx_buf_init(&room[i], 2 * text.len + 65536);
    for (size_t i = 0; good && i < r->count && text.len > 0; i++) {
        struct rx_buf *to = &room[i % 2];
        rx_buf_clear(to);
        good = replace_all(r->at[i], text, to, &count);
        text = rx_buf_str(to);
    }
    if (good)
        rx_buf_add(out, text);
    if (!good || out->full) {
        rx_buf_clear(out);
        rx_buf_add(out, RX_S(REDACT_MARK));
        count++;
    }
    rx_buf_fini(&room[0]);
    rx_buf_fini(&room[1]);
    return count;
}
