/*
 * The command line's reader of server-sent events.
 */
#include <stdlib.h>

#include "controlplane/cli/watch.h"
#include "tests/unit/check.h"

struct heard {
    char text[512];
    size_t len;
    int events;
};

static void
note(void *arg, const struct watch_event *e)
{
    struct heard *h = arg;

    h->events++;
    h->len += (size_t)snprintf(h->text + h->len, sizeof(h->text) - h->len,
        "%.*s/%.*s=%.*s;", (int)e->name.len, e->name.ptr, (int)e->id.len,
        e->id.ptr, (int)(e->data.len < 40 ? e->data.len : 40), e->data.ptr);
}

static const char stream[] =
    "retry: 1000\nid: 7\n\n: a remark\n\n"
    "id: 8\r\nevent: request\r\ndata: {\"a\":1}\r\n\r\n"
    "data:x\ndata: y\n\n"
    "event: gap\nid: 9\ndata\n\n"
    "event: lost\n\ndata: z\n\n"
    "data: never ended";

#define HEARD "request/8={\"a\":1};message/8=x\ny;gap/9=;message/9=z;"

static void
events_are_the_same_however_the_stream_is_cut(void)
{
    for (size_t step = 1; step < sizeof(stream); step++) {
        struct heard h = { 0 };
        struct watch_parser p;
        watch_parser_init(&p, note, &h);
        for (size_t at = 0; at < sizeof(stream) - 1; at += step) {
            size_t left = sizeof(stream) - 1 - at;
            watch_parser_feed(
                &p, (rx_str){ stream + at, left < step ? left : step });
        }
        CHECK_TEXT(HEARD, h.text);
        watch_parser_fini(&p);
    }
}

static void
a_new_connection_keeps_the_last_id_and_drops_the_half_event(void)
{
    struct heard h = { 0 };
    struct watch_parser p;

    watch_parser_init(&p, note, &h);
    watch_parser_feed(&p, RX_S("id: 5\nevent: request\ndata: half\nda"));
    watch_parser_restart(&p);
    watch_parser_feed(&p, RX_S("data: whole\n\n"));
    CHECK_TEXT("message/5=whole;", h.text);
    watch_parser_fini(&p);
}

static void
an_event_that_is_too_big_is_passed_over(void)
{
    struct heard h = { 0 };
    struct watch_parser p;
    size_t size = (size_t)600 << 10;
    char *big = malloc(size);

    memset(big, 'b', size);
    watch_parser_init(&p, note, &h);
    for (int i = 0; i < 2; i++) { /* as lines that only together are */
        watch_parser_feed(&p, RX_S("data: "));
        watch_parser_feed(&p, (rx_str){ big, size });
        watch_parser_feed(&p, RX_S("\n"));
    }
    watch_parser_feed(&p, RX_S("\ndata: "));
    for (int i = 0; i < 4; i++) /* as one line */
        watch_parser_feed(&p, (rx_str){ big, size });
    watch_parser_feed(&p, RX_S("\n\ndata: small\n\n"));
    CHECK_TEXT("message/=small;", h.text);
    CHECK_INT(1, h.events);
    watch_parser_fini(&p);
    free(big);
}

int
main(void)
{
    CHECK_RUN(events_are_the_same_however_the_stream_is_cut);
    CHECK_RUN(a_new_connection_keeps_the_last_id_and_drops_the_half_event);
    CHECK_RUN(an_event_that_is_too_big_is_passed_over);
    return CHECK_EXIT();
}
