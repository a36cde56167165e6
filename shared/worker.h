/*
 * worker.h - one helper thread for what would block the loop: fsync, rename.
 *
 * Jobs run one after the other in the order they were given.  A job's data
 * belongs to the thread from rx_worker_give() until done() is called, on the
 * loop.  The thread starts with the first job.
 */
#ifndef SHARED_WORKER_H
#define SHARED_WORKER_H

#include <stdbool.h>

#include "shared/attr.h"
#include "shared/loop.h"

struct rx_worker;

/* Embedded in what the job is about; idle again once done() is called. */
struct rx_job {
    struct rx_link link;
    void (*work)(void *arg); /* on the thread */
    void (*done)(void *arg); /* on the loop */
    void *arg;
};

RX_NODISCARD struct rx_worker *rx_worker_new(struct rx_loop *loop);
/* Finishes every job given so far, calls their done(), ends the thread. */
void rx_worker_free(struct rx_worker *w);
/* The job may not be given a second time before it is done. */
void rx_worker_give(struct rx_worker *w, struct rx_job *job);
/* Wait until every job given so far is done.  For the end of a process. */
void rx_worker_finish(struct rx_worker *w);

#endif
