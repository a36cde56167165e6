#include "controlplane/sink_field.h"

#include "controlplane/webhook.h"
#include "shared/secret.h"

#define SECRET_MIN    16
#define SECRET_MAX    200
#define SECRET_RANDOM 40

enum rx_code
sink_show_url(struct rx_arena *arena, rx_str address, struct rx_url *parts,
    rx_str *shown, struct rx_err *err)
{
    rx_str bare, query;
    struct rx_buf b;

    (void)rx_str_cut(address, '?', &bare, &query);
    if (address.len > SINK_URL_MAX)
        return rx_fail(err, RX_INVALID, "is too long");
    enum rx_code code = rx_url_split(bare, parts, err);
    if (code != RX_OK)
        return code;
    rx_buf_init(&b, 4096);
    rx_buf_addf(&b, "%s://", parts->tls ? "https" : "http");
    rx_url_add_authority(&b, parts);
    rx_buf_add(&b, RX_S("/…"));
    *shown = field_keep(arena, rx_buf_str(&b));
    rx_buf_fini(&b);
    return RX_OK;
}

bool
sink_take_secret(struct rx_arena *arena, rx_json body, const rx_str *given,
    rx_str *secret, rx_str *last4)
{
    bool drawn = given == NULL && secret->len == 0;

    if (given != NULL) {
        if (given->len < SECRET_MIN || given->len > SECRET_MAX)
            rx_json_wrong_member(
                body, "secret", "must have 16 to 200 characters");
        *secret = *given;
    } else if (drawn) {
        struct rx_buf b;
        rx_buf_init(&b, 256);
        rx_random_text(WEBHOOK_SECRET_PREFIX, SECRET_RANDOM, &b);
        *secret = field_keep(arena, rx_buf_str(&b));
        rx_buf_fini(&b);
    }
    *last4 = field_last4(arena, *secret);
    return drawn;
}
