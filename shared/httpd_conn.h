/*
 * httpd_conn.h - what httpd's four files share; nobody else includes it.
 *
 *   httpd.c        listening, accepting, draining (the door to libevhtp)
 *   httpd_conn.c   a connection: deciding, sending, closing, time limits
 *   httpd_read.c   what comes in: the head gate, bodies, refusals
 *   httpd_reply.c  what the user writes: status lines, headers, framing
 */
#ifndef SHARED_HTTPD_CONN_H
#define SHARED_HTTPD_CONN_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "shared/buf.h"
#include "shared/http_chunk.h"
#include "shared/http_head.h"
#include "shared/httpd.h"
#include "shared/list.h"
#include "shared/loop.h"

/* One receive buffer for all connections of a server. */
#define HTTPD_SCRATCH    ((size_t)64 * 1024)
/* No limit on bodies is larger than this. */
#define HTTPD_BODY_MAX   ((uint64_t)1 << 40)
/* Empty send buffers kept for the next answer. */
#define HTTPD_SPARES     8
#define HTTPD_SPARE_SIZE ((size_t)16 * 1024)

struct evhtp;

struct rx_httpd {
    struct rx_loop *loop;
    struct rx_httpd_options options; /* defaults filled in */
    const struct rx_httpd_handler *handler;
    void *arg;
    struct evhtp *front;
    struct rx_list conns;
    struct rx_timer pause; /* out of descriptors: not accepting until then */
    bool paused;
    bool draining;
    void (*drained)(void *arg);
    void *drained_arg;
    struct rx_task drain_task;
    uint64_t date_s; /* the second that `date` says */
    char date[40];   /* "date: ...\r\n" */
    char *spares[HTTPD_SPARES];
    size_t spare_count;
    uint16_t port;
    char scratch[HTTPD_SCRATCH];
};

/* What bytes from the client mean now. */
enum httpd_input {
    INPUT_HEAD,   /* a request's head, or nothing yet */
    INPUT_BODY,   /* the body, kept */
    INPUT_SKIP,   /* the rest of a body nobody wants any more */
    INPUT_HOLD,   /* the next request: left in the kernel until we are done */
    INPUT_SHUT,   /* nothing: we close after what is queued */
    INPUT_LINGER, /* nothing: our side is closed, we wait for theirs */
};

/* What the timer would mean. */
enum httpd_wait {
    WAIT_NONE,
    WAIT_IDLE,
    WAIT_HEAD,
    WAIT_BODY,
    WAIT_SEND,
    WAIT_LINGER,
};

/* Bytes on their way out; `ptr` is NULL while there are none. */
struct httpd_out {
    char *ptr;
    size_t from;
    size_t to;
    size_t size;
};

/*
 * A client.  Its one event is edge-triggered and stays in the kernel from
 * accept to close: the callback only notes what it heard, a task of the same
 * tick does everything else.
 */
struct httpd_conn {
    struct rx_link link;
    struct rx_httpd *httpd;
    struct rx_httpd_req *req; /* the one under way, or NULL */
    struct event event;
    struct rx_task task;
    struct rx_timer timer;
    struct rx_buf in; /* part of a head, or bytes behind a request */
    struct rx_http_scan scan;
    struct httpd_out out;
    struct rx_chunk chunk;
    uint64_t left; /* body bytes to come when the length is known */
    uint64_t skip; /* body bytes we are still willing to drop */
    size_t moved;  /* bytes since the timer was set */
    int fd;
    enum httpd_input input;
    enum httpd_wait wait;
    bool chunked;  /* the body under way is */
    bool fresh;    /* `in` was not looked at since it changed */
    bool readable; /* heard so; not yet told otherwise */
    bool emptied;  /* the last read got all there was */
    bool fin;      /* the client will send no more */
    bool probe;    /* heard something while holding: data or a reset? */
    bool broken;   /* reset, or a send failed */
    bool blocked;  /* the kernel takes no more bytes now */
    bool expired;  /* the timer fired */
    bool running;  /* inside its turn: no need to be woken */
    bool keep;     /* after this request comes another */
    char peer[INET6_ADDRSTRLEN];
};

enum httpd_reply {
    REPLY_NONE,
    REPLY_STARTED,
    REPLY_ENDED,
};

enum httpd_framing {
    FRAMING_LENGTH,
    FRAMING_CHUNKED,
    FRAMING_BARE,    /* HTTP/1.0: ends with the connection */
    FRAMING_NO_BODY, /* HEAD, 204, 304 */
};

struct rx_httpd_req {
    struct httpd_conn *conn;
    void *user;
    struct rx_httpd_head head;
    struct rx_buf body;
    uint64_t body_limit;
    uint64_t reply_left; /* bytes promised and not yet written */
    enum httpd_reply reply;
    enum httpd_framing framing;
    enum rx_code how; /* for on_close */
    bool keep_alive;  /* the client's wish */
    bool starved;     /* owes on_drain */
    bool aborted;
    bool reset; /* and rudely */
    bool waits_for_100;
    /* headers, then the bytes of the head */
    struct rx_header headers[];
};

/* Take over an accepted socket. */
void httpd_conn_open(
    struct rx_httpd *httpd, int fd, const struct sockaddr *from);
/* End it now: on_close(how) if a request is under way; cut with a reset if
 * `reset`.  The memory lives until the end of the tick. */
void httpd_conn_close(struct httpd_conn *c, enum rx_code how, bool reset);
bool httpd_conn_idle(const struct httpd_conn *c);
/* Look at the connection once the callbacks of this tick are through. */
void httpd_conn_wake(struct httpd_conn *c);
/* The last connection of a draining server may have gone. */
void httpd_check_drained(struct rx_httpd *httpd);

/* Read what there is and what the state allows.  True when something came. */
bool httpd_read(struct httpd_conn *c);
/* Forget what was read and read no more: the connection is going to close. */
void httpd_stop_input(struct httpd_conn *c);
/* Answer a head that makes no request. */
void httpd_refuse_head(struct httpd_conn *c, int status, const char *reason);
/* The body makes the request impossible: have it refused, unless a reply is
 * already under way. */
void httpd_refuse_body(
    struct httpd_conn *c, int status, const char *reason, enum rx_code how);

/* Queue bytes. */
void httpd_out_add(struct httpd_conn *c, rx_str bytes);
size_t httpd_out_unsent(const struct httpd_conn *c);
/* Give the (empty) buffer back. */
void httpd_out_release(struct httpd_conn *c);
/* Queue a plain-text reply that closes, for a head that made no request. */
void httpd_reply_plain(struct httpd_conn *c, int status, const char *reason);
/* May the connection go on although the body was not read to its end? */
bool httpd_conn_can_skip(const struct httpd_conn *c);

#endif
