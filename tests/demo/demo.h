/*
 * demo.h - the demo provider: a server that answers like the real ones.
 */
#ifndef DEMO_DEMO_H
#define DEMO_DEMO_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/err.h"
#include "shared/httpd.h"
#include "shared/loop.h"
#include "tests/demo/recipe.h"

struct demo;

struct demo_options {
    const char *host;
    uint16_t port; /* 0: any */
    bool reuse_port;
    const char *always;      /* recipe for every request; may be NULL */
    const char *require_key; /* other keys get 401; NULL: any */
    const char *replay_dir;  /* recorded exchanges; may be NULL */
    const char *log_path;    /* JSON lines; may be NULL */
    bool bench;              /* fixed tiny answers, as fast as it goes */
};

/* The options must outlive the server. */
RX_NODISCARD enum rx_code demo_open(struct demo **out, struct rx_loop *loop,
    const struct demo_options *options, struct rx_err *err);
void demo_close(struct demo *d);
uint16_t demo_port(const struct demo *d);
/* Finish what is under way; fn(arg) is called when all is sent. */
void demo_drain(struct demo *d, void (*fn)(void *arg), void *arg);

#endif
