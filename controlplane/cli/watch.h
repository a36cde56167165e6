/*
 * watch.h - server-sent events of the admin API, for as long as they come.
 */
#ifndef CLI_WATCH_H
#define CLI_WATCH_H

#include "controlplane/cli/remote.h"

struct watch_event {
    rx_str name; /* "message" when it has none */
    rx_str id;   /* the last one given */
    rx_str data; /* its lines, joined */
};

/*
 * Borrowed for the call, which must not use `a`.  A connection that ends is made
 * anew and goes on behind the last event; returns when the first one cannot be
 * made, or a later one is refused.
 */
RX_NODISCARD enum rx_code watch(struct remote *a, const char *path,
    void (*fn)(void *arg, const struct watch_event *event), void *arg,
    struct rx_err *err);

/* ---- its parser, by itself ---- */

struct watch_parser {
    struct rx_buf line, data;
    char name[64], id[64];
    bool ended_cr; /* the last line ended in CR: an LF belongs to it */
    void (*fn)(void *arg, const struct watch_event *event);
    void *arg;
};
void watch_parser_init(struct watch_parser *p,
    void (*fn)(void *arg, const struct watch_event *event), void *arg);
void watch_parser_fini(struct watch_parser *p);
/* Bytes in any pieces; an event over 1 MiB is passed over. */
void watch_parser_feed(struct watch_parser *p, rx_str bytes);
/* A new connection: what was not complete is dropped, the last id stays. */
void watch_parser_restart(struct watch_parser *p);

#endif
