/*
 * route.h - which endpoint a request means.
 */
#ifndef DEMO_ROUTE_H
#define DEMO_ROUTE_H

#include "shared/httpd.h"
#include "tests/demo/question.h"
#include "tests/demo/small.h"

struct route {
    enum demo_dialect dialect;
    small_fn *small; /* NULL: a question to the model */
    rx_str model;    /* from the path, Gemini; may be empty */
    rx_str rest;     /* of the path: an id */
    bool stream;     /* Gemini says it in the path */
    bool upgrade;    /* a WebSocket is asked for: 426 */
};

/* False when there is no such endpoint; r->dialect is then the nearest one. */
bool route_find(struct route *r, const struct rx_httpd_head *head, rx_str path);

#endif
