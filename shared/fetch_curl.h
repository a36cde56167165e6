/*
 * fetch_curl.h - what the files of the door to libcurl share; nobody else
 * includes it.
 */
#ifndef SHARED_FETCH_CURL_H
#define SHARED_FETCH_CURL_H

#include <curl/curl.h>

#include "shared/fetch.h"
#include "shared/list.h"
#include "shared/map.h"

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
    struct rx_list waiting; /* dials that libcurl has not begun yet */
    struct rx_task dial;
    struct rx_map *names;         /* hosts and proxies that were looked up */
    struct rx_list all_transfers; /* under way */
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

/* Zeroed memory, or the end of the process. */
void *fetch_zalloc(size_t size);

/* Time has passed; look at what ended. */
void fetch_engine_kick(void *engine);

/* Begin some of the dials that wait; `arg` is the fetch. */
void fetch_dial_some(void *arg);
/* A wire's name has been looked up; its easy handle has ended. */
void fetch_wire_resolved(struct rx_wire *w);
void fetch_wire_ended(CURL *easy, CURLcode rc);

/* A transfer's easy handle has ended. */
void fetch_transfer_ended(CURL *easy, CURLcode rc);
/* End all that are under way without a word. */
void fetch_transfers_cancel(struct rx_fetch *fetch);

#endif
