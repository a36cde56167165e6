/*
 * GET /dashboard, /dashboard/…: see assets.h.
 */
#include "controlplane/api.h"
#include "controlplane/assets.h"

enum rx_code
api_dashboard(struct api_call *c, struct rx_err *err)
{
    const struct rx_httpd_head *head = rx_httpd_head(c->req);
    struct rx_buf path;
    struct assets_answer answer = { .headers = &c->headers, .body = &c->out };

    if (c->world->assets == NULL)
        return rx_fail(err, RX_NOT_FOUND,
            "there is no dashboard here; use `routex` or the admin API");
    rx_buf_init(&path, 64 << 10);
    rx_buf_addc(&path, '/');
    rx_buf_add(&path, c->params[0]);
    struct assets_ask ask = {
        .path = rx_buf_str(&path),
        .accept_encoding = rx_httpd_header(head, RX_S("accept-encoding")),
        .if_none_match = rx_httpd_header(head, RX_S("if-none-match")),
    };
    enum rx_code code = assets_get(c->world->assets, &ask, &answer, err);
    rx_buf_fini(&path);
    if (code != RX_OK)
        return code;
    c->status = answer.status;
    c->raw_type = answer.type;
    c->keeps_cache_headers = true;
    return RX_OK;
}
