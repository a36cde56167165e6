/*
 * child.h - programs that `routex up` keeps running.
 *
 *   IDLE ──child_start──> RUNNING ──(ended)──> WAITING ──(back-off)──> RUNNING
 *                            │                                            ▲
 *                       child_stop ──> STOPPING ──(ended)──> IDLE         │
 *                                                             └child_start┘
 *
 * A child leads its own process group, so that a Ctrl-C at the terminal
 * reaches us alone; when we die without a word, the kernel tells it to end.
 */
#ifndef CLI_CHILD_H
#define CLI_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "shared/list.h"
#include "shared/loop.h"
#include "shared/str.h"

#define CHILD_ARGS 40

enum child_state { CHILD_IDLE, CHILD_RUNNING, CHILD_WAITING, CHILD_STOPPING };

struct child {
    const char *name;       /* "control", "data-1", "demo" */
    char *argv[CHILD_ARGS]; /* owned; argv[0] is the program's path */
    unsigned argc;
    enum child_state state;
    pid_t pid;
    uint64_t started_ms;
    unsigned failures; /* ends in quick succession */
    struct rx_timer again;
    struct child_set *set;
    struct rx_link link;
    /* What it writes to stdout; NULL: goes where ours goes. */
    void (*on_output)(void *arg, rx_str bytes);
    struct event *output;
    int output_fd;
};

/* All children of this process: it reaps them. */
struct child_set {
    struct rx_loop *loop;
    struct rx_list list;
    /* `child` runs, for the first time or again; may be NULL. */
    void (*on_start)(void *arg, struct child *child);
    /* `child` ended with this wait status; its state is already the new one. */
    void (*on_end)(void *arg, struct child *child, int status);
    void *arg;
};

void child_set_init(struct child_set *set, struct rx_loop *loop,
    void (*on_start)(void *arg, struct child *child),
    void (*on_end)(void *arg, struct child *child, int status), void *arg);
/* Children that still run: not IDLE and not WAITING. */
unsigned child_set_running(const struct child_set *set);

void child_init(struct child *c, struct child_set *set, const char *name);
void child_fini(struct child *c);
/* Set the arguments anew; they are copied.  The first is the program. */
void child_clear(struct child *c);
void child_arg(struct child *c, const char *arg);
void child_start(struct child *c);
/* Ask it to end; it is not restarted. */
void child_stop(struct child *c);
void child_signal(const struct child *c, int signo);
/* "exit code 3", "signal 9 (Killed)" */
const char *child_end_words(int status);

#endif
