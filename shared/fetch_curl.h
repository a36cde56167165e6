/*
 * fetch_curl.h - what the two halves of the door to libcurl share; nobody else
 * includes it.
 */
#ifndef SHARED_FETCH_CURL_H
#define SHARED_FETCH_CURL_H

#include <curl/curl.h>

#include "shared/fetch.h"

#define FETCH_SPARES 16
#define FETCH_RECORD ((size_t)16 * 1024) /* what one TLS record holds */

/* A multi handle on the loop. */
struct fetch_engine {
    struct rx_fetch *fetch;
    CURLM *multi;
    struct rx_timer timer;
    struct rx_task kick; /* time has passed, as libcurl asked */
    struct rx_task reap; /* something may have ended */
    void (*ended)(CURL *easy, CURLcode rc);
};

struct rx_fetch {
    struct rx_loop *loop;
    CURLSH *share; /* TLS sessions, so that the second handshake is cheap */
    struct fetch_engine wires;
    struct fetch_engine transfers;
    struct rx_list waiting; /* wires that libcurl has not begun yet */
    struct rx_task dial;
    CURL *spare[FETCH_SPARES];
    size_t spare_count;
    int taking; /* the descriptor that outlives its libcurl connection */
    char record[FETCH_RECORD];
};

/* A handle with everything that wires and transfers have in common; NULL when
 * a text is unusable.  Given back (not in any multi), it is used again. */
CURL *fetch_easy_take(struct rx_fetch *fetch, rx_str proxy_url, rx_str ca_file);
void fetch_easy_give(struct rx_fetch *fetch, CURL *easy);

/* Why it failed, in an operator's words: "connect: Connection refused". */
void fetch_explain(
    CURL *easy, CURLcode rc, const char *detail, char *out, size_t size);

/* A transfer's easy handle has ended. */
void fetch_transfer_ended(CURL *easy, CURLcode rc);

#endif
