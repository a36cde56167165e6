#include "controlplane/cli/watch.h"

#include <stdio.h>
#include <string.h>

#define EVENT_MAX ((size_t)1 << 20)
#define HEARD_MAX ((size_t)64 << 10)
#define AGAIN_MS  1000

/* ---- parsing --------------------------------------------------------------- */

void
watch_parser_init(struct watch_parser *p,
    void (*fn)(void *arg, const struct watch_event *event), void *arg)
{
    memset(p, 0, sizeof(*p));
    rx_buf_init(&p->line, EVENT_MAX);
    rx_buf_init(&p->data, EVENT_MAX);
    p->fn = fn;
    p->arg = arg;
}

void
watch_parser_fini(struct watch_parser *p)
{
    rx_buf_fini(&p->line);
    rx_buf_fini(&p->data);
}

void
watch_parser_restart(struct watch_parser *p)
{
    rx_buf_clear(&p->line);
    rx_buf_clear(&p->data);
    p->name[0] = '\0';
    p->ended_cr = false;
}

static rx_str
text_of(const char *s)
{
    return (rx_str){ s, strlen(s) };
}

static void
keep(char *to, size_t size, rx_str s)
{
    if (s.len >= size || (s.len > 0 && memchr(s.ptr, '\0', s.len) != NULL))
        return;
    if (s.len > 0)
        memcpy(to, s.ptr, s.len);
    to[s.len] = '\0';
}

static void
dispatch(struct watch_parser *p)
{
    rx_str data = rx_buf_str(&p->data);

    if (data.len > 0 && !p->data.full) {
        data.len--; /* the last line's end */
        p->fn(p->arg,
            &(struct watch_event){
                .name = p->name[0] != '\0' ? text_of(p->name) : RX_S("message"),
                .id = text_of(p->id),
                .data = data });
    }
    rx_buf_clear(&p->data);
    p->name[0] = '\0';
}

static void
take_line(struct watch_parser *p)
{
    rx_str line = rx_buf_str(&p->line);
    rx_str name, value;

    if (p->line.full) {
        p->data.full = true;
    } else if (line.len == 0) {
        dispatch(p);
    } else {
        (void)rx_str_cut(line, ':', &name, &value);
        if (value.len > 0 && value.ptr[0] == ' ')
            value = (rx_str){ value.ptr + 1, value.len - 1 };
        if (rx_str_eq(name, RX_S("data"))) {
            rx_buf_add(&p->data, value);
            rx_buf_addc(&p->data, '\n');
        } else if (rx_str_eq(name, RX_S("event"))) {
            keep(p->name, sizeof(p->name), value);
        } else if (rx_str_eq(name, RX_S("id"))) {
            keep(p->id, sizeof(p->id), value);
        }
    }
    rx_buf_clear(&p->line);
}

void
watch_parser_feed(struct watch_parser *p, rx_str bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        char c = bytes.ptr[i];
        bool tail = c == '\n' && p->ended_cr;
        p->ended_cr = c == '\r';
        if (tail)
            continue;
        if (c == '\n' || c == '\r')
            take_line(p);
        else
            rx_buf_addc(&p->line, c);
    }
}

/* ---- asking ------------------------------------------------------------------ */

struct watching {
    struct remote *remote;
    char url[2 * REMOTE_TEXT + 2048];
    struct watch_parser parser;
    struct rx_buf heard; /* the beginning: words, when it is a refusal */
    struct rx_timer again;
    bool reached; /* once */
    enum rx_code code;
    struct rx_err *err;
};

static void
on_bytes(void *arg, rx_str bytes)
{
    struct watching *w = arg;

    if (w->heard.len + bytes.len < HEARD_MAX)
        rx_buf_add(&w->heard, bytes);
    watch_parser_feed(&w->parser, bytes);
}

static void
give_up(struct watching *w, enum rx_code code, const char *why)
{
    w->code = rx_fail(w->err, code, "%s: %.160s", w->remote->url, why);
    rx_loop_stop(w->remote->loop);
}

static void
on_refused(struct watching *w, int status)
{
    struct rx_json_doc *doc = NULL;
    char why[200];

    snprintf(why, sizeof(why), "answered %d", status);
    if (rx_json_parse(&doc, rx_buf_str(&w->heard), NULL, NULL) == RX_OK) {
        rx_str words =
            rx_json_str(rx_json_find(rx_json_root(doc), "error.message"));
        if (words.len > 0)
            snprintf(why, sizeof(why), "%.*s",
                (int)(words.len < 190 ? words.len : 190), words.ptr);
        rx_json_free(doc);
    }
    give_up(w, status == 401 ? RX_UNAUTHENTICATED : RX_INVALID, why);
}

static void
on_end(void *arg, const struct rx_transfer_result *r)
{
    struct watching *w = arg;
    bool answered = r->status >= 200 && r->status < 300;

    w->reached = w->reached || answered;
    if (r->status >= 400 && r->status < 500)
        on_refused(w, r->status);
    else if (!w->reached && r->status != 0)
        on_refused(w, r->status);
    else if (!w->reached)
        give_up(w, RX_UNAVAILABLE, r->why);
    else
        rx_timer_set(&w->again, AGAIN_MS);
}

static void
ask(void *arg)
{
    struct watching *w = arg;
    char credential[REMOTE_TEXT + 32], last[96];
    const char *headers[] = { credential, "accept: text/event-stream", last,
        NULL };
    struct rx_transfer_options options = {
        .method = "GET",
        .url = w->url,
        .headers = headers,
        .total_ms = UINT32_MAX,
        .on_bytes = on_bytes,
    };

    snprintf(credential, sizeof(credential), "authorization: Bearer %s",
        w->remote->token);
    snprintf(last, sizeof(last), "last-event-id: %s", w->parser.id);
    if (w->parser.id[0] == '\0')
        headers[2] = NULL;
    watch_parser_restart(&w->parser);
    rx_buf_clear(&w->heard);
    if (rx_transfer_start(w->remote->fetch, &options, on_end, w) == NULL)
        give_up(w, RX_INVALID, "cannot be asked");
}

enum rx_code
watch(struct remote *a, const char *path,
    void (*fn)(void *arg, const struct watch_event *event), void *arg,
    struct rx_err *err)
{
    struct watching w = { .remote = a, .code = RX_INTERNAL, .err = err };

    if (snprintf(w.url, sizeof(w.url), "%s%s", a->url, path) >=
        (int)sizeof(w.url))
        return rx_fail(err, RX_TOO_BIG, "address too long");
    remote_prepare(a);
    watch_parser_init(&w.parser, fn, arg);
    rx_buf_init(&w.heard, HEARD_MAX);
    rx_timer_init(&w.again, a->loop, ask, &w);
    ask(&w);
    rx_loop_run(a->loop);
    rx_timer_fini(&w.again);
    watch_parser_fini(&w.parser);
    rx_buf_fini(&w.heard);
    return w.code;
}
