/*
 * Leases of a control plane that is new, to planes that had none: this file is
 * the publisher of its program, and each plane's end of the wire.
 */
#include "controlplane/limiter.h"
#include "controlplane/quota.h"
#include "controlplane/tenant.h"
#include "dataplane/wire_lease.h"
#include "tests/unit/held_clock.h"
#include "tests/unit/store_rig.h"

#define NOW   ((uint64_t)1795318248756)
#define EPOCH 77
#define MOST  1000

/* The newest Lease that went out. */
static struct sent {
    unsigned count;
    char plane[16];
    struct wire_lease head;
    struct limit_lease item; /* the tenant's quota */
    unsigned items;
} sent;

static void
on_begin(void *arg, const struct wire_lease *head)
{
    (void)arg;
    sent.head = *head;
}

static void
on_item(void *arg, const struct limit_lease *item)
{
    (void)arg;
    sent.item = *item;
    sent.items++;
}

void
publisher_send_lease(struct publisher *p, rx_str plane, rx_str body)
{
    (void)p;
    sent.count++;
    sent.items = 0;
    snprintf(sent.plane, sizeof(sent.plane), RX_STR_FMT, RX_STR_ARG(plane));
    CHECK(wire_read_lease(body, on_begin, on_item, NULL));
    sent.item.id = (rx_str){ 0 }; /* borrowed */
}

struct publisher_status
publisher_status(const struct publisher *p)
{
    (void)p;
    return (struct publisher_status){ .epoch = EPOCH };
}

struct world {
    struct rx_loop *loop;
    struct store *store;
    struct rx_arena *arena;
    struct limiter *limiter;
    rx_str tenant;
};

/* A tenant with a quota; its predecessor had told so many planes. */
static void
begin(struct world *w, uint64_t planes)
{
    rx_clock_fake(NOW);
    sent = (struct sent){ 0 };
    *w = (struct world){ .loop = rx_loop_new(), .store = store_new() };
    w->arena = rx_arena_new(1 << 20);
    struct tenant *t = tenant_new(w->arena);
    t->name = RX_S("limited");
    t->limits.most[STATE_LIMIT_QUOTA] = MOST;
    t->limits.window = RX_WINDOW_DAY;
    CHECK_INT(RX_OK, store_begin(w->store, NULL));
    CHECK_INT(RX_OK, tenant_save(w->store, w->arena, t, NULL));
    CHECK_INT(RX_OK, store_set(w->store, "lease_planes", planes, NULL));
    CHECK_INT(RX_OK, store_commit(w->store, NULL));
    w->tenant = t->id;
    CHECK_INT(RX_OK, limiter_open(&w->limiter, w->loop, w->store, NULL, NULL));
}

static void
end(struct world *w)
{
    limiter_close(w->limiter);
    rx_arena_free(w->arena);
    store_end(w->store);
    rx_loop_free(w->loop);
}

/* This plane asks, having used so much; `serial` 0: it never had a Lease. */
static void
ask(struct world *w, const char *plane, uint64_t serial, uint64_t used)
{
    struct limit_demand item = { .owner = LIMIT_TENANT,
        .id = w->tenant,
        .limit = LIMIT_QUOTA,
        .used = used,
        .wanted = used + 1,
        .since_ms = NOW,
        .window_ms = rx_window_start(RX_WINDOW_DAY, NOW) };
    struct wire_demand m = { .plane = plane,
        .boot = 1,
        .epoch = serial > 0 ? EPOCH : 0,
        .serial = serial,
        .items = &item,
        .count = 1 };
    struct rx_buf body;

    rx_buf_init(&body, 1 << 16);
    CHECK(wire_add_demand(&body, &m));
    limiter_demand(
        w->limiter, (rx_str){ plane, strlen(plane) }, rx_buf_str(&body));
    rx_buf_fini(&body);
}

static void
who_comes_before_the_others_are_heard_is_lent_an_even_share(void)
{
    struct world w;

    begin(&w, 3);
    ask(&w, "a", 0, 0);
    CHECK_INT(1, (int)sent.count);
    CHECK_TEXT("a", sent.plane);
    CHECK_INT((int)LIMIT_PARTS / 3, (int)sent.head.parts);
    CHECK_INT(1, (int)sent.items);
    CHECK_INT(MOST / 3, (int)sent.item.share);
    CHECK_INT(MOST, (int)sent.item.left);
    /* What it used already cannot be had again: the rest is what is shared. */
    ask(&w, "b", 0, 400);
    CHECK_INT(2, (int)sent.count);
    CHECK_TEXT("b", sent.plane);
    CHECK_INT(400 + (MOST - 400) / 3, (int)sent.item.share);
    CHECK_INT(MOST - 400, (int)sent.item.left);
    end(&w);
}

/* A plane applies only what is newer than what it applied last. */
static void
each_loan_is_a_lease_newer_than_any_before_it(void)
{
    struct world w;
    uint64_t last = 0;

    begin(&w, 3);
    for (unsigned i = 0; i < 6; i++) {
        ask(&w, i % 2 == 0 ? "a" : "b", 0, 10 * i);
        CHECK_INT(1 + (int)i, (int)sent.count);
        CHECK(sent.head.serial > last);
        last = sent.head.serial;
    }
    end(&w);
}

static void
who_lives_by_a_loan_is_told_no_other_until_all_are_heard(void)
{
    struct world w;

    begin(&w, 3);
    ask(&w, "a", 0, 0);
    uint64_t serial = sent.head.serial;
    ask(&w, "a", serial, 20);
    CHECK_INT(1, (int)sent.count);
    /* The others do not come: it was listened for them long enough. */
    held_pass(w.loop, 1499);
    CHECK_INT(1, (int)sent.count);
    held_pass(w.loop, 250);
    CHECK_INT(2, (int)sent.count);
    CHECK(sent.head.serial > serial);
    CHECK_INT(MOST, (int)sent.item.share);
    CHECK_INT((int)LIMIT_PARTS, (int)sent.head.parts);
    end(&w);
}

int
main(void)
{
    rx_secret_init();
    CHECK_RUN(who_comes_before_the_others_are_heard_is_lent_an_even_share);
    CHECK_RUN(each_loan_is_a_lease_newer_than_any_before_it);
    CHECK_RUN(who_lives_by_a_loan_is_told_no_other_until_all_are_heard);
    return CHECK_EXIT();
}
