/*
 * What a channel changes about requests and answers, checked before it is kept.
 */
#include <string.h>

#include "controlplane/channel_parts.h"
#include "controlplane/config.h"
#include "controlplane/provider.h"
#include "controlplane/service_account.h"
#include "shared/transformers.h"
#include "shared/url.h"

#define TRANSFORMERS_MAX (64 << 10)

static unsigned
dialect_bits(const struct channel *ch, struct rx_arena *arena)
{
    static const char *const names[] = { "anthropic", "chat", "responses",
        "gemini" };
    unsigned bits = 0;
    size_t count;
    const struct state_endpoint *e = channel_endpoints(ch, arena, &count);

    for (size_t i = 0; i < count; i++) {
        for (size_t d = 0; d < RX_COUNT(names); d++) {
            if (rx_str_eq(e[i].dialect, field_text(names[d])))
                bits |= 1U << d;
        }
    }
    return bits;
}

/* A step that has nothing to do here would be a silent mistake. */
static void
check_use(rx_json use, unsigned bits)
{
    for (rx_json v = rx_json_first(use); rx_json_there(v);
         v = rx_json_next(v)) {
        rx_json options;
        const struct rx_transformer *t =
            rx_transformer_find(rx_transformer_step(v, &options));
        if (t != NULL && (t->dialects & bits) == 0)
            rx_json_wrong(
                v, "does nothing in the dialects that this channel speaks");
    }
}

void
channel_read_transformers(struct channel *ch, rx_json body,
    enum field_mode mode, struct rx_arena *arena)
{
    rx_json config;

    if (mode == FIELD_PATCH &&
        !rx_json_there(rx_json_member(body, "transformers")))
        return;
    ch->transformers = (rx_str){ 0 };
    if (!rx_json_get_object(body, "transformers", &config))
        return;
    rx_transformers_check(config);
    if (rx_json_fault(body.doc) != NULL || provider_find(ch->type) == NULL)
        return;
    unsigned bits = dialect_bits(ch, arena);
    for (rx_json v = rx_json_first(config); rx_json_there(v);
         v = rx_json_next(v))
        check_use(
            rx_json_kind(v) == RX_JSON_OBJECT ? rx_json_member(v, "use") : v,
            bits);
    struct rx_buf text;
    rx_buf_init(&text, TRANSFORMERS_MAX);
    rx_json_print(config, false, &text);
    if (text.full)
        rx_json_wrong(config, "is too long");
    ch->transformers = field_keep(arena, rx_buf_str(&text));
    rx_buf_fini(&text);
}

/* Of "eu-west4-aiplatform.googleapis.com" the region; else "global". */
static rx_str
location_of(const struct channel *ch)
{
    static const char mark[] = "-aiplatform.";
    struct rx_url url;

    if (ch->base_url.len == 0 ||
        rx_url_split(ch->base_url, &url, NULL) != RX_OK)
        return RX_S("global");
    const char *at = memmem(url.host.ptr, url.host.len, mark, sizeof(mark) - 1);
    return at != NULL ? (rx_str){ url.host.ptr, (size_t)(at - url.host.ptr) }
                      : RX_S("global");
}

void
channel_fill_account_step(
    struct channel *ch, rx_json body, struct rx_arena *arena)
{
    const struct provider *p = provider_find(ch->type);
    struct service_account account = { 0 };
    struct rx_err err = { 0 };

    if (p == NULL || p->account_step == NULL || ch->transformers.len > 0)
        return;
    for (size_t i = 0; i < ch->key_count && account.project.len == 0; i++) {
        if (rx_str_eq(ch->keys[i].kind, RX_S(SERVICE_ACCOUNT_KIND)) &&
            ch->keys[i].secret.len > 0 &&
            service_account_read(ch->keys[i].secret, arena, &account, &err) !=
                RX_OK)
            account.project = (rx_str){ 0 };
    }
    if (account.project.len == 0) {
        rx_json_wrong_member(body, "transformers",
            "must name the project, [\"%s\", {\"project\": …}], where no "
            "service account's key file does",
            p->account_step);
        return;
    }
    struct rx_buf text;
    rx_buf_init(&text, TRANSFORMERS_MAX);
    rx_str location = location_of(ch);
    rx_buf_addf(&text,
        "{\"use\":[[\"%s\",{\"project\":\"" RX_STR_FMT
        "\",\"location\":\"" RX_STR_FMT "\"}]]}",
        p->account_step, RX_STR_ARG(account.project), RX_STR_ARG(location));
    ch->transformers = field_keep(arena, rx_buf_str(&text));
    rx_buf_fini(&text);
}
