#include "shared/worker.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <event2/event.h>

/* Reserved, not used: whole stores are checked on it. */
#define STACK ((size_t)512 * 1024)

struct rx_worker {
    pthread_t thread;
    bool started;
    int wake; /* eventfd: a job is done */
    struct event *event;
    size_t given; /* and not done; the loop's side only */

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t work;
    struct rx_list waiting;
    struct rx_list finished;
    bool ending;
};

static void
lock(struct rx_worker *w)
{
    pthread_mutex_lock(&w->lock);
}

static void
unlock(struct rx_worker *w)
{
    pthread_mutex_unlock(&w->lock);
}

/* The next job, or NULL when it is time to end. */
static struct rx_job *
next_job(struct rx_worker *w)
{
    struct rx_job *job = NULL;

    lock(w);
    while (w->waiting.count == 0 && !w->ending)
        pthread_cond_wait(&w->work, &w->lock);
    if (w->waiting.count > 0) {
        struct rx_link *l = rx_list_first(&w->waiting);
        rx_list_remove(&w->waiting, l);
        job = RX_LIST_ITEM(l, struct rx_job, link);
    }
    unlock(w);
    return job;
}

static void *
run(void *arg)
{
    struct rx_worker *w = arg;

    for (struct rx_job *job; (job = next_job(w)) != NULL;) {
        job->work(job->arg);
        lock(w);
        rx_list_append(&w->finished, &job->link);
        unlock(w);
        uint64_t one = 1;
        if (write(w->wake, &one, sizeof(one)) != (ssize_t)sizeof(one))
            abort();
    }
    return NULL;
}

/* Call done() of what is finished. */
static void
collect(struct rx_worker *w)
{
    for (;;) {
        lock(w);
        struct rx_link *l = rx_list_first(&w->finished);
        if (l != NULL)
            rx_list_remove(&w->finished, l);
        unlock(w);
        if (l == NULL)
            return;
        struct rx_job *job = RX_LIST_ITEM(l, struct rx_job, link);
        w->given--;
        job->done(job->arg);
    }
}

static void
on_wake(evutil_socket_t fd, short what, void *arg)
{
    uint64_t count;

    (void)what;
    if (read(fd, &count, sizeof(count)) != (ssize_t)sizeof(count))
        return;
    collect(arg);
}

struct rx_worker *
rx_worker_new(struct rx_loop *loop)
{
    struct rx_worker *w = calloc(1, sizeof(*w));

    if (w == NULL)
        abort();
    rx_list_init(&w->waiting);
    rx_list_init(&w->finished);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->work, NULL);
    w->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    w->event = event_new(
        rx_loop_base(loop), w->wake, EV_READ | EV_PERSIST, on_wake, w);
    if (w->wake < 0 || w->event == NULL || event_add(w->event, NULL) != 0) {
        fprintf(stderr, "routex: no descriptor for a helper thread\n");
        abort();
    }
    return w;
}

static void
start(struct rx_worker *w)
{
    pthread_attr_t attr;
    sigset_t all;
    sigset_t before;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK);
    /* Signals are the loop's business. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (pthread_create(&w->thread, &attr, run, w) != 0) {
        fprintf(stderr, "routex: cannot start a helper thread\n");
        abort();
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    w->started = true;
}

void
rx_worker_give(struct rx_worker *w, struct rx_job *job)
{
    assert(!rx_link_in(&job->link));
    if (!w->started)
        start(w);
    w->given++;
    lock(w);
    rx_list_append(&w->waiting, &job->link);
    pthread_cond_signal(&w->work);
    unlock(w);
}

void
rx_worker_finish(struct rx_worker *w)
{
    /* Jobs take milliseconds, and nothing else is left to do. */
    for (collect(w); w->given > 0; collect(w))
        usleep(1000);
}

void
rx_worker_free(struct rx_worker *w)
{
    if (w == NULL)
        return;
    rx_worker_finish(w);
    if (w->started) {
        lock(w);
        w->ending = true;
        pthread_cond_signal(&w->work);
        unlock(w);
        pthread_join(w->thread, NULL);
    }
    event_free(w->event);
    close(w->wake);
    pthread_cond_destroy(&w->work);
    pthread_mutex_destroy(&w->lock);
    free(w);
}
