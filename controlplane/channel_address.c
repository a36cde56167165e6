/*
 * Where a channel is, and the way there.
 */
#include <string.h>

#include "controlplane/channel_parts.h"
#include "controlplane/provider.h"
#include "shared/url.h"

void
channel_read_url(rx_json body, const char *name, rx_str *out)
{
    struct rx_err err = { 0 };
    struct rx_url url;
    rx_str s = { 0 };

    if (!rx_json_get_str(body, name, &s) || s.len == 0)
        return;
    if (rx_url_split(s, &url, &err) != RX_OK) {
        rx_json_wrong_member(body, name, "%s", err.text);
        return;
    }
    while (s.len > 0 && s.ptr[s.len - 1] == '/')
        s.len--;
    *out = s;
}

static void
read_endpoint(struct channel *ch, rx_json v)
{
    struct state_endpoint *e = &ch->endpoints[ch->endpoint_count];

    if (!rx_json_want(v, RX_JSON_OBJECT))
        return;
    *e = (struct state_endpoint){ .base_url = ch->base_url };
    if (!rx_json_need_str(v, "dialect", &e->dialect))
        return;
    const char *auth = provider_auth_for(e->dialect);
    if (auth == NULL) {
        rx_json_wrong_member(v, "dialect",
            "must be one of \"anthropic\", \"chat\", \"responses\", "
            "\"gemini\"");
        return;
    }
    e->auth = field_text(auth);
    channel_read_url(v, "base_url", &e->base_url);
    if (e->base_url.len == 0)
        rx_json_wrong_member(v, "base_url", "is required");
    if (rx_json_get_str(v, "auth", &e->auth) && !provider_auth_known(e->auth))
        rx_json_wrong_member(v, "auth",
            "must be one of \"x-api-key\", \"bearer\", \"x-goog-api-key\", "
            "\"api-key\", \"query\", \"sigv4\", \"none\"");
    for (size_t i = 0; i < ch->endpoint_count; i++) {
        if (rx_str_eq(ch->endpoints[i].dialect, e->dialect))
            rx_json_wrong_member(v, "dialect", "is there twice");
    }
    rx_json_no_more(v);
    ch->endpoint_count++;
}

void
channel_read_endpoints(struct channel *ch, rx_json body, enum field_mode mode,
    struct rx_arena *arena)
{
    rx_json list;

    if (mode == FIELD_PATCH &&
        !rx_json_there(rx_json_member(body, "endpoints")))
        return;
    ch->endpoint_count = 0;
    if (!rx_json_get_array(body, "endpoints", &list))
        return;
    size_t count = rx_json_count(list);
    if (count > 4) {
        rx_json_wrong(list, "must have at most one element per dialect");
        return;
    }
    ch->endpoints = field_make(arena, struct state_endpoint, count);
    for (rx_json v = rx_json_first(list);
         rx_json_there(v) && ch->endpoint_count < 4; v = rx_json_next(v))
        read_endpoint(ch, v);
}

void
channel_read_proxy(struct channel *ch, rx_json body, struct rx_arena *arena)
{
    struct rx_err err = { 0 };
    rx_str s = { 0 };

    if (!rx_json_there(rx_json_member(body, "proxy_url")))
        return;
    (void)rx_json_get_str(body, "proxy_url", &s);
    /* What we showed comes back: the password stays what it was. */
    if (s.len > 0 && rx_str_eq(s, channel_redact_url(arena, ch->proxy_url)))
        return;
    for (size_t i = 0; ch->offered != NULL && i < ch->offered->count; i++) {
        if (s.len > 0 &&
            rx_str_eq(s, channel_redact_url(arena, ch->offered->at[i]))) {
            ch->proxy_url = ch->offered->at[i];
            return;
        }
    }
    if (ch->offered != NULL && s.len > 0 &&
        memmem(s.ptr, s.len, ":****@", 6) != NULL)
        rx_json_wrong_member(body, "proxy_url",
            "its password is not in the document; enter it here");
    else if (s.len > 0 && rx_url_check_proxy(s, &err) != RX_OK)
        rx_json_wrong_member(body, "proxy_url", "%s", err.text);
    else
        ch->proxy_url = s;
}

void
channel_read_ca_file(struct channel *ch, rx_json body)
{
    rx_json v = rx_json_member(body, "ca_file");

    if (!rx_json_there(v))
        return;
    ch->ca_file = (rx_str){ 0 };
    if (rx_json_get_str(body, "ca_file", &ch->ca_file) && ch->ca_file.len > 0 &&
        (ch->ca_file.ptr[0] != '/' || ch->ca_file.len > 1024))
        rx_json_wrong(v, "must be the absolute path of a file of certificates");
}
