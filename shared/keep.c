#include "shared/keep.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "shared/buf.h"
#include "shared/map.h"

#define KEY_MAX ((size_t)4096)

struct rx_keep {
    struct rx_loop *loop;
    struct rx_keep_options options;
    struct rx_map *pools;
    struct rx_buf key;      /* scratch */
    struct rx_list ages[2]; /* idle ones, oldest first; [1]: TLS */
    struct rx_timer timer;  /* when the oldest is too old */
};

struct rx_pool {
    struct rx_keep *keep;
    struct rx_list idle; /* newest first */
    size_t users;        /* connections and calls */
    bool tls;
    size_t key_len;
    char key[];
};

static void *
zalloc(size_t size)
{
    void *p = calloc(1, size);

    if (p == NULL) {
        fprintf(stderr, "routex: out of memory\n");
        abort();
    }
    return p;
}

/* -- pools -- */

/* No text of a target holds a NUL, so fields cannot run into each other. */
static rx_str
target_key(struct rx_keep *keep, const struct rx_target *t)
{
    struct rx_buf *b = &keep->key;
    char fixed[3] = { t->tls ? 's' : 'p', (char)(t->port >> 8),
        (char)(t->port & 0xff) };

    rx_buf_clear(b);
    rx_buf_add(b, (rx_str){ fixed, sizeof(fixed) });
    rx_buf_add(b, t->host);
    rx_buf_addc(b, '\0');
    rx_buf_add(b, t->proxy_url);
    rx_buf_addc(b, '\0');
    rx_buf_add(b, t->ca_file);
    return rx_buf_str(b);
}

static struct rx_pool *
pool_new(struct rx_keep *keep, rx_str key, bool tls)
{
    struct rx_pool *pool = zalloc(sizeof(*pool) + key.len);

    pool->keep = keep;
    pool->tls = tls;
    pool->key_len = key.len;
    memcpy(pool->key, key.ptr, key.len);
    rx_list_init(&pool->idle);
    rx_map_put(keep->pools, key, pool);
    return pool;
}

struct rx_pool *
rx_pool_get(struct rx_keep *keep, const struct rx_target *target)
{
    rx_str key = target_key(keep, target);
    struct rx_pool *pool = rx_map_get(keep->pools, key);

    if (pool == NULL)
        pool = pool_new(keep, key, target->tls);
    pool->users++;
    return pool;
}

void
rx_pool_put(struct rx_pool *pool)
{
    assert(pool->users > 0);
    if (--pool->users > 0)
        return;
    rx_map_remove(pool->keep->pools, (rx_str){ pool->key, pool->key_len });
    free(pool);
}

/* -- the time that idle connections have -- */

static uint64_t
idle_limit_ms(const struct rx_keep *keep, int tls)
{
    return tls ? keep->options.idle_tls_ms : keep->options.idle_plain_ms;
}

static struct rx_conn *
oldest(const struct rx_keep *keep, int tls)
{
    struct rx_link *l = rx_list_first(&keep->ages[tls]);

    return l != NULL ? RX_LIST_ITEM(l, struct rx_conn, in_age) : NULL;
}

static void
set_timer(struct rx_keep *keep)
{
    uint64_t now = rx_loop_ms(keep->loop);
    uint64_t due = UINT64_MAX;

    if (rx_timer_is_set(&keep->timer))
        return;
    for (int tls = 0; tls < 2; tls++) {
        struct rx_conn *c = oldest(keep, tls);
        if (c == NULL)
            continue;
        uint64_t end = c->idle_since_ms + idle_limit_ms(keep, tls);
        due = end < due ? end : due;
    }
    if (due != UINT64_MAX)
        rx_timer_set(&keep->timer, due > now ? due - now : 1);
}

static void
on_timer(void *arg)
{
    struct rx_keep *keep = arg;
    uint64_t now = rx_loop_ms(keep->loop);

    for (int tls = 0; tls < 2; tls++) {
        struct rx_conn *c;
        while ((c = oldest(keep, tls)) != NULL &&
               now - c->idle_since_ms >= idle_limit_ms(keep, tls))
            rx_conn_close(c);
    }
    set_timer(keep);
}

static void
drop_oldest(struct rx_keep *keep)
{
    struct rx_conn *plain = oldest(keep, 0);
    struct rx_conn *tls = oldest(keep, 1);

    if (plain == NULL ||
        (tls != NULL && tls->idle_since_ms < plain->idle_since_ms))
        plain = tls;
    rx_conn_close(plain);
}

/* -- connections -- */

/* TLS may have something to say for itself (session tickets): that is AGAIN. */
static void
idle_readable(struct rx_conn *c)
{
    char byte;

    if (rx_wire_recv(c->wire, &byte, 1) != RX_WIRE_AGAIN)
        rx_conn_close(c);
}

static void
on_event(evutil_socket_t fd, short what, void *arg)
{
    struct rx_conn *c = arg;

    (void)fd;
    if (c->idle)
        idle_readable(c);
    else
        c->on_ready(c->arg, (what & EV_WRITE) != 0);
}

struct rx_conn *
rx_conn_new(struct rx_pool *pool)
{
    struct rx_conn *c = zalloc(sizeof(*c));

    pool->users++;
    c->pool = pool;
    c->http1 = rx_http1_new(
        pool->keep->options.events, NULL, pool->keep->options.max_head);
    return c;
}

void
rx_conn_attach(struct rx_conn *c)
{
    struct event_base *base = rx_loop_base(c->pool->keep->loop);
    int fd = rx_wire_fd(c->wire);

    event_assign(&c->readable, base, fd, EV_READ | EV_PERSIST, on_event, c);
    event_assign(&c->writable, base, fd, EV_WRITE | EV_PERSIST, on_event, c);
    event_add(&c->readable, NULL);
    c->attached = true;
}

static void
leave_idle(struct rx_conn *c)
{
    struct rx_keep *keep = c->pool->keep;

    rx_list_remove(&c->pool->idle, &c->in_pool);
    rx_list_remove(&keep->ages[c->pool->tls], &c->in_age);
    c->idle = false;
}

struct rx_conn *
rx_conn_take(struct rx_pool *pool)
{
    struct rx_link *l = rx_list_first(&pool->idle);

    if (l == NULL)
        return NULL;
    struct rx_conn *c = RX_LIST_ITEM(l, struct rx_conn, in_pool);
    leave_idle(c);
    c->reused = true;
    return c;
}

void
rx_conn_give(struct rx_conn *c)
{
    struct rx_keep *keep = c->pool->keep;

    assert(c->attached && !c->idle);
    event_del(&c->writable);
    event_add(&c->readable, NULL);
    c->idle = true;
    c->on_ready = NULL;
    c->arg = NULL;
    c->idle_since_ms = rx_loop_ms(keep->loop);
    rx_list_push(&c->pool->idle, &c->in_pool);
    rx_list_append(&keep->ages[c->pool->tls], &c->in_age);
    if (rx_keep_idle(keep) > keep->options.max_idle)
        drop_oldest(keep);
    set_timer(keep);
}

static void
conn_grave(void *arg)
{
    struct rx_conn *c = arg;

    rx_http1_free(c->http1);
    free(c);
}

void
rx_conn_close(struct rx_conn *c)
{
    if (c == NULL)
        return;
    struct rx_loop *loop = c->pool->keep->loop;

    if (c->idle)
        leave_idle(c);
    if (c->attached) {
        event_del(&c->readable);
        event_del(&c->writable);
    }
    rx_wire_close(c->wire);
    c->wire = NULL;
    rx_pool_put(c->pool);
    c->pool = NULL;
    rx_loop_bury(loop, conn_grave, c);
}

/* -- all of it -- */

struct rx_keep *
rx_keep_new(struct rx_loop *loop, const struct rx_keep_options *options)
{
    struct rx_keep *keep = zalloc(sizeof(*keep));

    keep->loop = loop;
    keep->options = *options;
    keep->pools = rx_map_new();
    rx_buf_init(&keep->key, KEY_MAX);
    rx_list_init(&keep->ages[0]);
    rx_list_init(&keep->ages[1]);
    rx_timer_init(&keep->timer, loop, on_timer, keep);
    return keep;
}

void
rx_keep_flush(struct rx_keep *keep)
{
    for (int tls = 0; tls < 2; tls++) {
        struct rx_conn *c;
        while ((c = oldest(keep, tls)) != NULL)
            rx_conn_close(c);
    }
    rx_timer_unset(&keep->timer);
}

void
rx_keep_free(struct rx_keep *keep)
{
    if (keep == NULL)
        return;
    rx_keep_flush(keep);
    assert(rx_map_count(keep->pools) == 0);
    rx_map_free(keep->pools, NULL);
    rx_buf_fini(&keep->key);
    rx_timer_fini(&keep->timer);
    free(keep);
}

size_t
rx_keep_idle(const struct rx_keep *keep)
{
    return keep->ages[0].count + keep->ages[1].count;
}
