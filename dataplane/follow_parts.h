/*
 * follow_parts.h - what follow.c, follow_up.c and follow_open.c share.
 */
#ifndef DATAPLANE_FOLLOW_PARTS_H
#define DATAPLANE_FOLLOW_PARTS_H

#include "dataplane/builder.h"
#include "dataplane/demand.h"
#include "dataplane/follow.h"
#include "shared/bus.h"
#include "shared/envelope.h"
#include "shared/worker.h"

#define FOLLOW_QUEUE    8192 /* messages that wait for a socket */
#define FOLLOW_LOST_MS  3000 /* without a heartbeat */
#define FOLLOW_RETRY_MS 20   /* nobody took the Hello: pauses grow by it */

#define FOLLOW_HOOKS 8

struct hook {
    void (*fn)(void *arg);
    void *arg;
};

struct follow {
    struct rx_loop *loop;
    char *plane, *dir, *ops_url, *client_url, *pub_url, *pull_url;
    char *tls_ca_file; /* NULL: none */
    char topic[RX_TOPIC_MAX + 1];
    struct rx_join_keys keys;
    int lock_fd;
    void (*load)(void *arg, struct follow_load *out);
    void *load_arg;
    uint64_t started_ms;

    struct rx_bus *sub, *push;
    struct rx_worker *worker;
    struct report *report;
    struct limits *limits;
    struct demand *demand;
    uint64_t sequence; /* of what we send, in this boot */

    const struct snapshot *snapshot;
    bool from_disk;
    char refused[160]; /* why the last state was refused as a whole */
    struct hook hooks[FOLLOW_HOOKS];
    size_t hook_count;
    void (*on_notice)(void *arg, enum rx_message kind, rx_str body);
    void *on_notice_arg;

    struct rx_replay replay;
    uint64_t heard_ms;      /* monotonic; 0: never */
    uint64_t control_epoch; /* of the last message */
    bool connected;
    uint64_t opened_ms; /* monotonic */
    /* Monotonic: when the sockets were last known or made to work. */
    uint64_t sub_good_ms, push_good_ms;
    bool unheard_told;

    bool asking; /* for a snapshot */
    bool leaving;
    uint64_t ask_due_ms, ask_pause_ms;
    uint32_t retry_ms;
    struct rx_timer hello;
    struct rx_timer watch;

    struct builder *builder;
    struct rx_job save_job;
    const struct snapshot *saving; /* pinned while the thread writes it */
    bool save_again, saved;
};

/* ---- follow_up.c: what the control plane is told ---- */

enum rx_code follow_send_up(
    struct follow *f, enum rx_message kind, rx_str body);
/* For the report and the demand; arg is the follow. */
enum rx_code follow_send_usage(void *arg, rx_str batch);
bool follow_send_demand(void *arg, rx_str body);
enum rx_code follow_send_hello(struct follow *f, bool want_snapshot);
/* The timer `hello`: sends the one that is due. */
void follow_on_hello(void *arg);
/* What we apply is not what is published: ask for all of it. */
void follow_ask(struct follow *f);

/* ---- follow.c: what it says ---- */

enum rx_code follow_open_sub(struct follow *f, struct rx_err *err);
enum rx_code follow_open_push(struct follow *f, struct rx_err *err);
/* The timer `watch`. */
void follow_on_watch(void *arg);
void follow_install(struct follow *f, const struct snapshot *s, bool from_disk);
void follow_on_built(void *arg, const struct built *b);
const struct snapshot *follow_current(void *arg);
void follow_save_work(void *arg);
void follow_save_done(void *arg);

#endif
