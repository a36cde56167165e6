#include "dataplane/auth.h"

/* The longest key we would ever look up; longer ones are not ours. */
#define KEY_MAX_BYTES ((size_t)512)

static rx_str
query_key(rx_str query)
{
    rx_str item;

    for (bool more = true; more && query.len > 0;) {
        more = rx_str_cut(query, '&', &item, &query);
        if (rx_str_starts(item, RX_S("key=")))
            return (rx_str){ item.ptr + 4, item.len - 4 };
    }
    return (rx_str){ 0 };
}

static rx_str
bearer(rx_str authorization)
{
    rx_str scheme;
    rx_str token;

    rx_str_cut(authorization, ' ', &scheme, &token);
    if (!rx_str_ieq(scheme, RX_S("bearer")))
        return (rx_str){ 0 };
    return rx_str_trim(token);
}

rx_str
auth_credential(const struct rx_httpd_head *head)
{
    enum { X_API_KEY, AUTHORIZATION, GOOGLE, API_KEY, PLACES };
    static const rx_str names[PLACES] = { RX_STR_INIT("x-api-key"),
        RX_STR_INIT("authorization"), RX_STR_INIT("x-goog-api-key"),
        RX_STR_INIT("api-key") };
    rx_str found[PLACES] = { 0 };

    for (size_t i = 0; i < head->header_count; i++) {
        const struct rx_header *h = &head->headers[i];
        for (size_t p = 0; p < PLACES; p++) {
            if (found[p].len == 0 && rx_str_ieq(h->name, names[p]))
                found[p] = rx_str_trim(h->value);
        }
    }
    found[AUTHORIZATION] = bearer(found[AUTHORIZATION]);
    for (size_t p = 0; p < PLACES; p++) {
        if (found[p].len > 0)
            return found[p];
    }
    return query_key(head->query);
}

const struct client_key *
auth_check(const struct snapshot *s, const struct rx_httpd_head *head,
    uint64_t now_wall_ms, enum refusal *why)
{
    rx_str text = auth_credential(head);

    if (text.len == 0) {
        *why = REFUSE_NO_KEY;
        return NULL;
    }
    *why = REFUSE_BAD_KEY;
    if (text.len > KEY_MAX_BYTES)
        return NULL;

    struct rx_digest digest = rx_digest(text);
    const struct client_key *key = snapshot_find_key(s, &digest);
    if (key == NULL)
        return NULL;
    if (!key->enabled || !key->tenant->enabled) {
        *why = REFUSE_KEY_DISABLED;
        return NULL;
    }
    if (key->expires_ms != 0 && key->expires_ms <= now_wall_ms) {
        *why = REFUSE_KEY_EXPIRED;
        return NULL;
    }
    return key;
}

void
auth_strip_query(rx_str query, struct rx_buf *out)
{
    rx_str item;
    bool first = true;

    for (bool more = true; more && query.len > 0;) {
        more = rx_str_cut(query, '&', &item, &query);
        if (item.len == 0 || rx_str_starts(item, RX_S("key=")))
            continue;
        rx_buf_addc(out, first ? '?' : '&');
        rx_buf_add(out, item);
        first = false;
    }
}
