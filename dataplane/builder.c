#include "dataplane/builder.h"

#include <stdlib.h>

#include "dataplane/snapshot_build.h"
#include "shared/buf.h"
#include "shared/list.h"
#include "shared/map.h"
#include "shared/secret.h"
#include "shared/worker.h"

#define WAITING_MAX 64
#define INLINE_MAX  ((size_t)256 * 1024)
#define KEY_BYTES   ((size_t)64) /* about what a key is packed */

struct arrival {
    struct rx_link link;
    bool delta;
    uint64_t epoch, version;
    struct rx_buf message;
};

/* The first arrival, `base`, and the results are the thread's while busy. */
struct builder {
    const struct snapshot *(*current)(void *arg);
    void (*on_built)(void *arg, const struct built *built);
    void *arg;
    struct rx_list arrivals;
    struct rx_worker *worker;
    struct rx_job job;
    bool busy;
    bool ending;
    const struct snapshot *base; /* pinned */
    const struct snapshot *made;
    enum rx_code code;
    struct rx_err err;
};

static struct arrival *
first(const struct builder *b)
{
    struct rx_link *l = rx_list_first(&b->arrivals);

    return l != NULL ? RX_LIST_ITEM(l, struct arrival, link) : NULL;
}

static void
drop(struct builder *b, struct arrival *a)
{
    rx_list_remove(&b->arrivals, &a->link);
    if (a->message.len > 0)
        rx_wipe(a->message.ptr, a->message.len); /* credentials are in it */
    rx_buf_fini(&a->message);
    free(a);
}

static void
work(void *arg)
{
    struct builder *b = arg;
    const struct arrival *a = first(b);
    rx_str message = rx_buf_str(&a->message);

    b->made = NULL;
    b->err = (struct rx_err){ 0 };
    if (!a->delta)
        b->code = snapshot_from_full(
            b->base, a->epoch, a->version, message, &b->made, &b->err);
    else if (b->base != NULL)
        b->code = snapshot_from_delta(
            b->base, a->epoch, a->version, message, &b->made, &b->err);
    else
        b->code = RX_CONFLICT;
}

static void
tell(struct builder *b, const struct arrival *a)
{
    struct built built = {
        .result = b->code == RX_OK         ? BUILT
                  : b->code == RX_CONFLICT ? BUILT_GAP
                                           : BUILT_BROKEN,
        .delta = a->delta,
        .version = a->version,
        .snapshot = b->made,
        .err = &b->err,
    };

    b->on_built(b->arg, &built);
}

static void start_next(struct builder *b);

static void
done(void *arg)
{
    struct builder *b = arg;
    struct arrival *a = first(b);

    b->busy = false;
    snapshot_unpin(b->base);
    b->base = NULL;
    if (b->ending)
        snapshot_unpin(b->made);
    else
        tell(b, a);
    b->made = NULL;
    drop(b, a);
    if (!b->ending)
        start_next(b);
}

/* Does it say anything that what is installed does not say? */
static bool
news(const struct snapshot *s, const struct arrival *a)
{
    if (s == NULL || a->epoch > s->epoch)
        return true;
    if (a->epoch < s->epoch)
        return false;
    return a->delta ? a->version > s->version : a->version >= s->version;
}

static void
start_next(struct builder *b)
{
    const struct snapshot *s = b->current(b->arg);
    struct arrival *a;

    while ((a = first(b)) != NULL && !news(s, a))
        drop(b, a);
    if (a == NULL)
        return;
    size_t size = a->message.len;
    if (s != NULL) {
        b->base = snapshot_pin(s);
        size += s->key_count * KEY_BYTES;
    }
    b->busy = true;
    if (size > INLINE_MAX) {
        rx_worker_give(b->worker, &b->job);
    } else {
        work(b);
        done(b);
    }
}

struct builder *
builder_new(struct rx_loop *loop, const struct snapshot *(*current)(void *arg),
    void (*on_built)(void *arg, const struct built *built), void *arg)
{
    struct builder *b = calloc(1, sizeof(*b));

    if (b == NULL)
        abort();
    b->current = current;
    b->on_built = on_built;
    b->arg = arg;
    rx_list_init(&b->arrivals);
    b->worker = rx_worker_new(loop);
    b->job = (struct rx_job){ .work = work, .done = done, .arg = b };
    /* Maps draw their secret at first use: before there are two threads. */
    (void)rx_hash(RX_S(""));
    return b;
}

void
builder_free(struct builder *b)
{
    struct arrival *a;

    if (b == NULL)
        return;
    b->ending = true;
    rx_worker_free(b->worker);
    while ((a = first(b)) != NULL)
        drop(b, a);
    free(b);
}

void
builder_give(struct builder *b, bool delta, uint64_t epoch, uint64_t version,
    rx_str message)
{
    if (b->arrivals.count == WAITING_MAX)
        return;
    struct arrival *a = calloc(1, sizeof(*a));
    if (a == NULL)
        abort();
    a->delta = delta;
    a->epoch = epoch;
    a->version = version;
    rx_buf_init(&a->message, message.len);
    rx_buf_add(&a->message, message);
    rx_list_append(&b->arrivals, &a->link);
    if (!b->busy)
        start_next(b);
}

bool
builder_busy(const struct builder *b)
{
    return b->busy;
}
