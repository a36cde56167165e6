/*
 * remote.h - talking to the control plane's admin API.
 */
#ifndef CLI_REMOTE_H
#define CLI_REMOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/buf.h"
#include "shared/err.h"
#include "shared/fetch.h"
#include "shared/json.h"
#include "shared/loop.h"

#define REMOTE_TEXT 512

/* Where the control plane is, and what lets us in. */
struct remote {
    char url[REMOTE_TEXT]; /* "http://127.0.0.1:8081", no slash at the end */
    char token[REMOTE_TEXT];
    const char *extra; /* one more header: "name: value"; NULL: none */
    bool patient;      /* it may take an hour */
    struct rx_loop *loop;
    struct rx_fetch *fetch;
};

/* An answer; ended with remote_answer_fini() whatever the code was. */
struct remote_answer {
    int status; /* 0: none came */
    uint32_t ms;
    struct rx_buf body;
    struct rx_json_doc *doc; /* NULL when the body is no JSON */
    rx_json data;            /* the "data" of a success */
};

/*
 * Find out where it is: what was given; else ROUTEX_URL and ROUTEX_TOKEN (or
 * ADMIN_API_KEY); else what a control plane on this machine wrote into
 * `data_dir`.  NULL stands for not given.
 */
RX_NODISCARD enum rx_code remote_find(struct remote *a, const char *data_dir,
    const char *url, const char *token, struct rx_err *err);
/* Loop and fetch are there, for who uses them directly. */
void remote_prepare(struct remote *a);
void remote_fini(struct remote *a);

/*
 * One exchange, waited for.  RX_OK for a status below 300; else the code that
 * belongs to the status, and the API's own words in `err`.  `body` may be
 * empty.
 */
RX_NODISCARD enum rx_code remote_call(struct remote *a, const char *method,
    const char *path, rx_str body, struct remote_answer *out,
    struct rx_err *err);
void remote_answer_fini(struct remote_answer *answer);

/*
 * GET what may be of any length: it goes to `fn` as it comes, which must not use
 * `a`.  A failure may come after some of it: what was given is not whole then.
 */
RX_NODISCARD enum rx_code remote_download(struct remote *a, const char *path,
    void (*fn)(void *arg, rx_str bytes), void *arg, struct rx_err *err);

/* The same for any address, without the token: `headers` as in fetch.h. */
RX_NODISCARD enum rx_code remote_fetch(struct remote *a, const char *method,
    const char *url, const char *const *headers, rx_str body,
    struct remote_answer *out, struct rx_err *err);

#endif
