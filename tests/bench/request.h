/*
 * request.h - the request that the bench sends: an Anthropic Messages call as
 * a coding agent makes it, of exactly the size asked for.
 */
#ifndef TESTS_BENCH_REQUEST_H
#define TESTS_BENCH_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#define REQUEST_BODY_MIN 512

struct request {
    size_t body;      /* bytes, at least REQUEST_BODY_MIN */
    bool stream;      /* ask for a stream of `deltas` */
    bool hold;        /* one that never ends */
    unsigned deltas;  /* 1..99999 */
    unsigned port;    /* for the Host header */
    const char *key;  /* client key */
    const char *path; /* /v1/messages */
};

/* Head and body in one allocation; the caller frees. */
char *request_build(const struct request *r, size_t *len);

#endif
