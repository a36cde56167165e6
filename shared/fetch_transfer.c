/* Whole exchanges by libcurl: see fetch.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/buf.h"
#include "shared/fetch.h"
#include "shared/fetch_curl.h"

#define HEADERS_MAX ((size_t)64 * 1024)

struct rx_transfer {
    struct rx_link link; /* in fetch->all_transfers */
    struct rx_fetch *fetch;
    CURL *easy;
    struct curl_slist *headers;
    struct rx_buf head;
    struct rx_buf body;
    uint32_t total_ms;
    bool told;
    void (*fn)(void *arg, const struct rx_transfer_result *result);
    void (*on_bytes)(void *arg, rx_str bytes);
    void *arg;
    char error[CURL_ERROR_SIZE];
};

static size_t
on_transfer_body(char *at, size_t size, size_t count, void *arg)
{
    struct rx_transfer *t = arg;
    size_t n = size * count;

    if (t->on_bytes != NULL && !t->told)
        t->on_bytes(t->arg, (rx_str){ at, n });
    if (t->on_bytes != NULL)
        return n;
    return rx_buf_add(&t->body, (rx_str){ at, n }) ? n : CURL_WRITEFUNC_ERROR;
}

/* A status line begins a new block: 100 Continue, a proxy, a redirect. */
static size_t
on_transfer_head(char *at, size_t size, size_t count, void *arg)
{
    struct rx_transfer *t = arg;
    size_t n = size * count;
    rx_str line = { at, n };

    if (rx_str_starts(line, RX_S("HTTP/")))
        rx_buf_clear(&t->head);
    return rx_buf_add(&t->head, line) ? n : CURL_WRITEFUNC_ERROR;
}

static void
transfer_grave(void *arg)
{
    struct rx_transfer *t = arg;

    curl_slist_free_all(t->headers);
    rx_buf_fini(&t->head);
    rx_buf_fini(&t->body);
    free(t);
}

static void
transfer_bury(struct rx_transfer *t)
{
    t->told = true;
    rx_list_remove(&t->fetch->all_transfers, &t->link);
    curl_multi_remove_handle(t->fetch->transfers.multi, t->easy);
    fetch_easy_give(t->fetch, t->easy);
    rx_loop_bury(t->fetch->loop, transfer_grave, t);
}

static uint32_t
info_ms(CURL *easy, CURLINFO what)
{
    curl_off_t us = 0;

    curl_easy_getinfo(easy, what, &us);
    return (uint32_t)(us / 1000);
}

static enum rx_code
transfer_code(const struct rx_transfer *t, CURLcode rc)
{
    if (rc == CURLE_OK)
        return RX_OK;
    if (t->body.full || t->head.full)
        return RX_TOO_BIG;
    return rc == CURLE_OPERATION_TIMEDOUT ? RX_TIMEOUT : RX_UPSTREAM;
}

void
fetch_transfer_ended(CURL *easy, CURLcode rc)
{
    struct rx_transfer *t;
    long status = 0;

    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&t);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    struct rx_transfer_result r = {
        .code = transfer_code(t, rc),
        .status = (int)status,
        .body = rx_buf_str(&t->body),
        .headers = rx_buf_str(&t->head),
        .connect_ms = info_ms(easy, CURLINFO_CONNECT_TIME_T),
        .first_byte_ms = info_ms(easy, CURLINFO_STARTTRANSFER_TIME_T),
        .total_ms = info_ms(easy, CURLINFO_TOTAL_TIME_T),
    };

    if (r.code == RX_TOO_BIG)
        snprintf(r.why, sizeof(r.why), "answer larger than %zu bytes",
            t->body.full ? t->body.cap : t->head.cap);
    else if (r.code == RX_TIMEOUT)
        snprintf(r.why, sizeof(r.why), "timed out after %u ms", r.total_ms);
    else if (r.code != RX_OK)
        fetch_explain(easy, rc, t->error, r.why, sizeof(r.why));
    transfer_bury(t);
    t->fn(t->arg, &r);
}

static void
set_method(struct rx_transfer *t, const struct rx_transfer_options *o)
{
    const char *method = o->method != NULL ? o->method : "GET";

    if (strcmp(method, "HEAD") == 0) {
        curl_easy_setopt(t->easy, CURLOPT_NOBODY, 1L);
        return;
    }
    if (o->body.len > 0 || strcmp(method, "POST") == 0) {
        curl_easy_setopt(
            t->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)o->body.len);
        curl_easy_setopt(t->easy, CURLOPT_COPYPOSTFIELDS,
            o->body.len > 0 ? o->body.ptr : "");
    }
    curl_easy_setopt(t->easy, CURLOPT_CUSTOMREQUEST, method);
}

/* An empty value takes back a header that libcurl would add by itself; the
 * caller's own one of that name comes later and wins. */
static void
set_headers(struct rx_transfer *t, const struct rx_transfer_options *o)
{
    bool typed = false;

    for (const char *const *h = o->headers; h != NULL && *h != NULL; h++) {
        rx_str line = { *h, strlen(*h) };
        if (line.len >= 13 &&
            rx_str_ieq((rx_str){ *h, 13 }, RX_S("content-type:")))
            typed = true;
        t->headers = curl_slist_append(t->headers, *h);
    }
    if (!typed)
        t->headers = curl_slist_append(t->headers, "Content-Type:");
    t->headers = curl_slist_append(t->headers, "Expect:");
    curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers);
}

static void
set_limits(struct rx_transfer *t, const struct rx_transfer_options *o)
{
    curl_easy_setopt(t->easy, CURLOPT_CONNECTTIMEOUT_MS,
        o->connect_ms > 0 ? (long)o->connect_ms : 5000L);
    curl_easy_setopt(t->easy, CURLOPT_TIMEOUT_MS,
        o->total_ms > 0 ? (long)o->total_ms : 30000L);
    curl_easy_setopt(
        t->easy, CURLOPT_FOLLOWLOCATION, o->follow_redirects ? 1L : 0L);
    curl_easy_setopt(t->easy, CURLOPT_MAXREDIRS, 5L);
    curl_easy_setopt(
        t->easy, CURLOPT_FRESH_CONNECT, o->own_connection ? 1L : 0L);
    curl_easy_setopt(
        t->easy, CURLOPT_FORBID_REUSE, o->own_connection ? 1L : 0L);
    rx_buf_init(&t->head, HEADERS_MAX);
    rx_buf_init(&t->body, o->max_response);
}

static rx_str
view(const char *text)
{
    return text != NULL ? (rx_str){ text, strlen(text) } : (rx_str){ 0 };
}

struct rx_transfer *
rx_transfer_start(struct rx_fetch *fetch,
    const struct rx_transfer_options *options,
    void (*fn)(void *arg, const struct rx_transfer_result *result), void *arg)
{
    CURL *easy = fetch_easy_take(
        fetch, view(options->proxy_url), view(options->ca_file));

    if (easy == NULL)
        return NULL;
    struct rx_transfer *t = fetch_zalloc(sizeof(*t));
    t->fetch = fetch;
    t->easy = easy;
    t->fn = fn;
    t->on_bytes = options->on_bytes;
    t->arg = arg;
    set_method(t, options);
    set_headers(t, options);
    set_limits(t, options);
    curl_easy_setopt(easy, CURLOPT_URL, options->url);
    curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, options->unix_socket);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, t);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->error);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_transfer_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_transfer_head);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, t);
    rx_list_append(&fetch->all_transfers, &t->link);
    if (curl_multi_add_handle(fetch->transfers.multi, easy) != CURLM_OK)
        abort();
    return t;
}

void
rx_transfer_cancel(struct rx_transfer *t)
{
    if (t != NULL && !t->told)
        transfer_bury(t);
}

void
fetch_transfers_cancel(struct rx_fetch *fetch)
{
    struct rx_link *l;

    while ((l = rx_list_first(&fetch->all_transfers)) != NULL)
        rx_transfer_cancel(RX_LIST_ITEM(l, struct rx_transfer, link));
}
