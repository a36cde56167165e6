/*
 * relay.c - shared/httpd and shared/client with nothing in between: what the
 * transport costs, and so what the data plane adds.
 *
 *     bench_relay UPSTREAM-PORT      prints "port N"
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "shared/buf.h"
#include "shared/client.h"
#include "shared/fetch.h"
#include "shared/httpd.h"
#include "shared/loop.h"

#define HEAD_MAX ((size_t)64 * 1024)

struct rig {
    struct rx_loop *loop;
    struct rx_client *client;
    struct rx_httpd *httpd;
    uint16_t upstream;
};

struct relay {
    struct rig *rig;
    struct rx_httpd_req *req;
    struct rx_client_call *call; /* NULL before and after */
    bool begun;
    rx_str body;
    struct rx_buf head;
};

static void
on_head(void *arg, const struct rx_client_head *head)
{
    struct relay *r = arg;
    struct rx_buf out;

    rx_buf_init(&out, HEAD_MAX);
    rx_buf_add(&out, RX_S("content-type: "));
    rx_buf_add(&out, rx_client_header(head, RX_S("content-type")));
    rx_buf_add(&out, RX_S("\r\n"));
    rx_httpd_start(r->req, head->status, rx_buf_str(&out),
        head->has_length ? head->length : RX_HTTPD_CHUNKED);
    rx_buf_fini(&out);
    r->begun = true;
}

static void
on_bytes(void *arg, rx_str bytes)
{
    struct relay *r = arg;

    if (!rx_httpd_write(r->req, bytes))
        rx_client_pause(r->call);
}

static void
on_sent(void *arg)
{
    rx_httpd_drop_body(((struct relay *)arg)->req);
}

static void
on_end(void *arg, enum rx_code code, const char *why)
{
    struct relay *r = arg;

    (void)why;
    r->call = NULL;
    if (code == RX_OK)
        rx_httpd_end(r->req);
    else if (r->begun)
        rx_httpd_abort(r->req);
    else
        rx_httpd_reply(r->req, 502, (rx_str){ 0 }, (rx_str){ 0 });
}

static const struct rx_client_events events = {
    .on_sent = on_sent,
    .on_head = on_head,
    .on_body = on_bytes,
    .on_end = on_end,
};

static void
on_request(void *arg, struct rx_httpd_req *req)
{
    struct relay *r = calloc(1, sizeof(*r));

    if (r == NULL)
        abort();
    r->rig = arg;
    r->req = req;
    rx_buf_init(&r->head, HEAD_MAX);
    rx_httpd_set_user(req, r);
}

static void
on_body(void *arg, struct rx_httpd_req *req)
{
    struct relay *r = rx_httpd_user(req);
    const struct rx_httpd_head *head = rx_httpd_head(req);

    (void)arg;
    r->body = rx_httpd_body(req);
    rx_buf_addf(&r->head,
        RX_STR_FMT " " RX_STR_FMT " HTTP/1.1\r\nhost: 127.0.0.1:%u\r\n"
                   "content-type: application/json\r\n"
                   "content-length: %zu\r\n\r\n",
        RX_STR_ARG(head->method), RX_STR_ARG(head->target),
        (unsigned)r->rig->upstream, r->body.len);
    struct rx_client_request request = {
        .target = { .host = RX_S("127.0.0.1"), .port = r->rig->upstream },
        .head = rx_buf_str(&r->head),
        .body = &r->body,
        .body_count = r->body.len > 0 ? 1 : 0,
        .connect_ms = 5000,
    };
    r->call = rx_client_start(r->rig->client, &request, &events, r);
}

static void
on_drain(void *arg, struct rx_httpd_req *req)
{
    struct relay *r = rx_httpd_user(req);

    (void)arg;
    if (r->call != NULL)
        rx_client_resume(r->call);
}

static void
free_relay(void *arg)
{
    struct relay *r = arg;

    rx_buf_fini(&r->head);
    free(r);
}

static void
on_close(void *arg, struct rx_httpd_req *req, enum rx_code how)
{
    struct relay *r = rx_httpd_user(req);

    (void)arg;
    (void)how;
    if (r->call != NULL)
        rx_client_cancel(r->call);
    r->call = NULL;
    rx_loop_bury(r->rig->loop, free_relay, r);
}

static const struct rx_httpd_handler handler = {
    .on_request = on_request,
    .on_body = on_body,
    .on_drain = on_drain,
    .on_close = on_close,
};

int
main(int argc, char **argv)
{
    static struct rig rig;
    struct rx_httpd_options options = { .host = "127.0.0.1",
        .server_name = "relay" };
    struct rx_client_options client = { 0 };
    struct rx_err err;

    if (argc != 2)
        return 2;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    rig.upstream = (uint16_t)strtoul(argv[1], NULL, 10);
    rig.loop = rx_loop_new();
    rig.client = rx_client_new(rig.loop, rx_fetch_new(rig.loop), &client);
    if (rx_httpd_open(&rig.httpd, rig.loop, &options, &handler, &rig, &err) !=
        RX_OK) {
        fprintf(stderr, "bench_relay: %s\n", err.text);
        return 1;
    }
    printf("port %u\n", rx_httpd_port(rig.httpd));
    fflush(stdout);
    rx_loop_run(rig.loop);
}
