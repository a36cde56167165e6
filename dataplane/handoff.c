#include "dataplane/handoff.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "shared/url.h"

#define HEAD_MAX   ((size_t)256 * 1024)
#define CONNECT_MS 2000

struct handoff {
    const struct proxy_guest *guest;
    struct proxy *proxy;
    struct rx_httpd_req *req; /* NULL once the client is gone */
    struct rx_client_call *call;
    struct rx_url url;
    struct rx_buf head;
    rx_str body;
    bool begun; /* the answer's head was passed on */
};

/* They belong to one connection, not to the request (RFC 9110, 7.6.1). */
static const rx_str hop_by_hop[] = {
    RX_STR_INIT("connection"),
    RX_STR_INIT("content-length"),
    RX_STR_INIT("date"),
    RX_STR_INIT("expect"),
    RX_STR_INIT("host"),
    RX_STR_INIT("keep-alive"),
    RX_STR_INIT("proxy-authenticate"),
    RX_STR_INIT("proxy-authorization"),
    RX_STR_INIT("te"),
    RX_STR_INIT("trailer"),
    RX_STR_INIT("transfer-encoding"),
    RX_STR_INIT("upgrade"),
};

static void
add_end_to_end(
    struct rx_buf *out, const struct rx_header *headers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool hop = false;
        for (size_t h = 0; h < RX_COUNT(hop_by_hop); h++)
            hop = hop || rx_str_ieq(headers[i].name, hop_by_hop[h]);
        if (hop)
            continue;
        rx_buf_add(out, headers[i].name);
        rx_buf_add(out, RX_S(": "));
        rx_buf_add(out, headers[i].value);
        rx_buf_add(out, RX_S("\r\n"));
    }
}

static void
free_handoff(void *arg)
{
    struct handoff *h = arg;

    rx_buf_fini(&h->head);
    free(h);
}

static void
on_head(void *arg, const struct rx_client_head *head)
{
    struct handoff *h = arg;
    struct rx_buf headers;

    rx_buf_init(&headers, HEAD_MAX);
    add_end_to_end(&headers, head->headers, head->header_count);
    rx_httpd_start(h->req, head->status, rx_buf_str(&headers),
        head->has_length ? head->length : RX_HTTPD_CHUNKED);
    rx_buf_fini(&headers);
    h->begun = true;
}

static void
on_body_bytes(void *arg, rx_str bytes)
{
    struct handoff *h = arg;

    if (!rx_httpd_write(h->req, bytes))
        rx_client_pause(h->call);
}

static void
on_end(void *arg, enum rx_code code, const char *why)
{
    struct handoff *h = arg;

    (void)why;
    h->call = NULL;
    if (!h->begun)
        proxy_refuse(h->req, REFUSE_UPSTREAM, DIALECT_CHAT,
            "the control plane does not answer", (rx_str){ 0 }, (rx_str){ 0 });
    else if (code == RX_OK)
        rx_httpd_end(h->req);
    else
        rx_httpd_abort(h->req);
}

static const struct rx_client_events events = {
    .on_head = on_head,
    .on_body = on_body_bytes,
    .on_end = on_end,
};

static void
on_body(void *guest)
{
    struct handoff *h = guest;
    const struct rx_httpd_head *head = rx_httpd_head(h->req);

    h->body = rx_httpd_body(h->req);
    rx_buf_addf(&h->head, RX_STR_FMT " " RX_STR_FMT " HTTP/1.1\r\n",
        RX_STR_ARG(head->method), RX_STR_ARG(head->target));
    rx_buf_add(&h->head, RX_S("host: "));
    rx_buf_add(&h->head, rx_httpd_header(head, RX_S("host")));
    rx_buf_add(&h->head, RX_S("\r\n"));
    add_end_to_end(&h->head, head->headers, head->header_count);
    rx_buf_addf(&h->head, "x-forwarded-for: " RX_STR_FMT "\r\n",
        RX_STR_ARG(head->peer));
    if (head->has_body)
        rx_buf_addf(&h->head, "content-length: %zu\r\n", h->body.len);
    rx_buf_add(&h->head, RX_S("\r\n"));

    struct rx_client_request request = {
        .target = { .tls = h->url.tls,
            .host = h->url.host,
            .port = h->url.port },
        .head = rx_buf_str(&h->head),
        .body = &h->body,
        .body_count = h->body.len > 0 ? 1 : 0,
        .head_only = rx_str_eq(head->method, RX_S("HEAD")),
        .connect_ms = CONNECT_MS,
    };
    h->call = rx_client_start(h->proxy->client, &request, &events, h);
}

static void
on_drained(void *guest)
{
    struct handoff *h = guest;

    if (h->call != NULL)
        rx_client_resume(h->call);
}

static void
on_closed(void *guest, enum rx_code how)
{
    struct handoff *h = guest;

    (void)how;
    if (h->call != NULL)
        rx_client_cancel(h->call);
    h->call = NULL;
    h->req = NULL;
    rx_loop_bury(h->proxy->loop, free_handoff, h);
}

static const struct proxy_guest guest_calls = {
    .body = on_body,
    .drained = on_drained,
    .closed = on_closed,
};

void
handoff_begin(struct proxy *p, struct rx_httpd_req *req)
{
    struct handoff *h = calloc(1, sizeof(*h));
    struct rx_err err;

    if (h == NULL)
        abort();
    h->guest = &guest_calls;
    h->proxy = p;
    h->req = req;
    rx_buf_init(&h->head, HEAD_MAX);
    rx_str url = { p->options.admin_url, strlen(p->options.admin_url) };
    if (rx_url_split(url, &h->url, &err) != RX_OK)
        abort(); /* main.c checked it */
    rx_httpd_set_user(req, h);
}
