/*
 * What the control plane decides reaches every data plane, whole and in order.
 */
#include <signal.h>
#include <sys/wait.h>

#include "shared/log.h"
#include "tests/unit/planes_rig.h"

static void
a_late_joiner_gets_everything(void)
{
    struct rig *r = rig_new();

    CHECK_INT(RX_OK, rig_start_control(r, NULL));
    RIG_RUN(r, 100); /* what was published is long gone */
    uint64_t start = rx_clock_ms();
    struct follow *f = rig_follow(r, "data-1");
    RIG_UNTIL(r, rig_in_sync(r, f));
    printf("     joined in %" PRIu64 " ms\n", rx_clock_ms() - start);
    CHECK(follow_connected(f));
    CHECK(!follow_from_disk(f));
    CHECK_INT(1, (int)follow_snapshot(f)->key_count);
    RIG_UNTIL(r, collector_plane_count(r->collector) == 1 &&
                     collector_plane(r->collector, 0)->in_sync);
    const struct plane_info *p = collector_plane(r->collector, 0);
    CHECK(p->connected && p->compatible && !p->left);
    CHECK(rx_str_eq(p->id, RX_S("data-1")));
    CHECK(rx_str_eq(p->ops_url, RX_S("http://127.0.0.1:1")));
    CHECK(p->rss_bytes > 0);
    follow_close(f);
    RIG_UNTIL(r, collector_plane(r->collector, 0)->left);
    CHECK(!collector_plane(r->collector, 0)->connected);
    rig_free(r);
}

static void
a_plane_may_be_there_first(void)
{
    struct rig *r = rig_new();
    struct follow *f = rig_follow(r, "data-1");

    RIG_RUN(r, 200);
    CHECK(follow_snapshot(f) == NULL);
    CHECK(!follow_connected(f));
    CHECK_INT(RX_OK, rig_start_control(r, NULL));
    RIG_UNTIL(r, rig_in_sync(r, f));
    follow_close(f);
    rig_free(r);
}

static void
a_change_reaches_all_planes_as_a_delta(void)
{
    struct rig *r = rig_new();

    CHECK_INT(RX_OK, rig_start_control(r, NULL));
    struct follow *a = rig_follow(r, "data-1");
    struct follow *b = rig_follow(r, "data-10"); /* its prefix is data-1 */
    RIG_UNTIL(r, rig_in_sync(r, a) && rig_in_sync(r, b));
    uint64_t start = rx_clock_us();
    rig_change(r, toy_channel(2, 5));
    rig_change(r, toy_channel(3, 5));
    uint64_t version = publisher_status(r->publisher).version;
    RIG_UNTIL(r, publisher_status(r->publisher).version == version + 1 &&
                     rig_in_sync(r, a) && rig_in_sync(r, b));
    printf("     a change took %" PRIu64 " us\n", rx_clock_us() - start);
    CHECK_INT(3, (int)follow_snapshot(a)->channel_count);

    toy_remove(&r->toy, STATE_CHANNEL, RX_S("ch2"));
    publisher_touch(r->publisher, STATE_CHANNEL, RX_S("ch2"));
    RIG_UNTIL(r, publisher_status(r->publisher).version == version + 2 &&
                     rig_in_sync(r, a) && rig_in_sync(r, b));
    CHECK_INT(2, (int)follow_snapshot(b)->channel_count);

    /* Touching what did not change publishes nothing. */
    publisher_touch(r->publisher, STATE_CHANNEL, RX_S("ch3"));
    publisher_touch_all(r->publisher);
    RIG_RUN(r, 50);
    CHECK_INT((int)version + 2, (int)publisher_status(r->publisher).version);
    follow_close(a);
    follow_close(b);
    rig_free(r);
}

struct tap {
    struct rig *rig;
    unsigned snapshots, deltas;
};

static void
count_down(void *arg, rx_str message)
{
    struct tap *t = arg;
    struct rx_envelope head;
    struct rx_buf body;

    rx_buf_init(&body, 1 << 20);
    CHECK_INT(RX_OK,
        rx_envelope_open(&t->rig->keys, true, message, &head, &body, NULL));
    t->snapshots += head.kind == RX_MSG_SNAPSHOT;
    t->deltas += head.kind == RX_MSG_DELTA;
    rx_buf_fini(&body);
}

static void
a_delta_is_enough_and_no_snapshot_is_asked_for_after_it(void)
{
    struct rig *r = rig_new();
    struct tap tap = { .rig = r };
    struct rx_bus *bus = NULL;
    struct rx_bus_options options = { .role = RX_BUS_SUB,
        .url = r->pub_url,
        .max_message = 1 << 20,
        .queue = 64 };

    CHECK_INT(RX_OK, rig_start_control(r, NULL));
    CHECK_INT(
        RX_OK, rx_bus_open(&bus, r->loop, &options, count_down, &tap, NULL));
    CHECK_INT(RX_OK, rx_bus_subscribe(bus, (rx_str){ 0 }, NULL));
    struct follow *f = rig_follow(r, "data-1");
    RIG_UNTIL(r, rig_in_sync(r, f) && tap.snapshots > 0);
    unsigned snapshots = tap.snapshots;
    for (unsigned i = 2; i < 12; i++) {
        rig_change(r, toy_channel(i, 5));
        RIG_UNTIL(r, follow_snapshot(f)->channel_count == i &&
                         rig_in_sync(r, f) && tap.deltas == i - 1);
    }
    CHECK_INT((int)snapshots, (int)tap.snapshots);
    follow_close(f);
    rx_bus_close(bus);
    rig_free(r);
}

static void
a_gap_heals(void)
{
    struct rig *r = rig_new();

    CHECK_INT(RX_OK, rig_start_control(r, NULL));
    struct follow *f = rig_follow(r, "data-1");
    RIG_UNTIL(r, rig_in_sync(r, f));

    /* A version it never hears of: another epoch's worth of change. */
    rig_stop_control(r);
    toy_put(&r->toy, toy_key(2, 1));
    CHECK_INT(RX_OK, rig_start_control(r, NULL));
    rig_change(r, toy_key(3, 1));
    RIG_UNTIL(r, follow_snapshot(f)->key_count == 3);
    CHECK(rig_in_sync(r, f));
    follow_close(f);
    rig_free(r);
}

/* A plane in another process, so that it can be stopped. */
static int
be_a_plane(const char *dir)
{
    struct rig *r = calloc(1, sizeof(*r));

    r->loop = rx_loop_new();
    snprintf(r->dir, sizeof(r->dir), "%s", dir);
    snprintf(r->token, sizeof(r->token), "%s/join.token", dir);
    snprintf(r->pub_url, sizeof(r->pub_url), "ipc://%s/pub.sock", dir);
    snprintf(r->pull_url, sizeof(r->pull_url), "ipc://%s/pull.sock", dir);
    struct follow *f = rig_follow(r, "data-1");
    RIG_RUN(r, 60000);
    follow_close(f);
    return 0;
}

static pid_t
fork_plane(const struct rig *r)
{
    pid_t pid = fork();

    if (pid == 0) {
        execl("/proc/self/exe", "test_follow", r->dir, (char *)NULL);
        _exit(127);
    }
    return pid;
}

/* Enough keys that snapshots are built on the helper thread. */
static void
a_big_state_is_built_aside_and_ends_the_same(void)
{
    struct rig *r = rig_new();

    for (unsigned i = 2; i < 4000; i++)
        toy_put(&r->toy, toy_key(i, 1));
    CHECK_INT(RX_OK, rig_start_control(r, NULL));
    struct follow *f = rig_follow(r, "data-1");
    RIG_UNTIL(r, rig_in_sync(r, f));
    for (unsigned i = 0; i < 300; i++) {
        rig_change(r, toy_channel(i % 5, (int32_t)i));
        rig_change(r, toy_key(10 + i, 1 + i % 2));
        rx_loop_tick(r->loop, false);
    }
    uint64_t version = publisher_status(r->publisher).version;
    CHECK(version > 100);
    RIG_UNTIL(r,
        rig_in_sync(r, f) && publisher_status(r->publisher).version == version);
    follow_close(f); /* maybe in the middle of building: */
    f = rig_follow(r, "data-1");
    rig_change(r, toy_key(5, 2));
    follow_close(f);
    rig_free(r);
}

static void
a_subscriber_that_was_not_listening_catches_up(void)
{
    struct rig *r = rig_new();

    CHECK_INT(RX_OK, rig_start_control(r, NULL));
    pid_t pid = fork_plane(r);
    RIG_UNTIL(r, collector_plane_count(r->collector) == 1 &&
                     collector_plane(r->collector, 0)->in_sync);
    /* It sleeps while more is published than any queue holds. */
    kill(pid, SIGSTOP);
    for (unsigned i = 0; i < 12000; i++) {
        rig_change(r, toy_channel(1, (int32_t)i));
        rx_loop_tick(r->loop, false);
    }
    RIG_RUN(r, 50);
    CHECK(publisher_status(r->publisher).version > 10000);
    kill(pid, SIGCONT);
    RIG_UNTIL(r, collector_plane(r->collector, 0)->in_sync);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    rig_free(r);
}

static void
trouble_is_told_and_passes(void)
{
    struct rig *r = rig_new();

    CHECK_INT(RX_OK, rig_start_control(r, NULL));
    struct follow *f = rig_follow(r, "data-1");
    RIG_UNTIL(r, rig_in_sync(r, f));
    r->toy.broken = true;
    rig_change(r, toy_key(5, 1));
    RIG_UNTIL(r, publisher_status(r->publisher).trouble[0] != '\0');
    r->toy.broken = false;
    RIG_UNTIL(r, publisher_status(r->publisher).trouble[0] == '\0');
    RIG_UNTIL(r, rig_in_sync(r, f));
    CHECK_INT(2, (int)follow_snapshot(f)->key_count);
    follow_close(f);
    rig_free(r);
}

static void
rejected_items_are_told_to_the_operator(void)
{
    static const struct state_endpoint bad = { RX_STR_INIT("chat"),
        RX_STR_INIT("gopher://x"), RX_STR_INIT("bearer") };
    struct rig *r = rig_new();

    CHECK_INT(RX_OK, rig_start_control(r, NULL));
    struct follow *f = rig_follow(r, "data-1");
    RIG_UNTIL(r, rig_in_sync(r, f));
    struct state_item item = toy_channel(1, 1);
    item.channel.endpoints = &bad;
    rig_change(r, item);
    RIG_UNTIL(r, collector_plane_count(r->collector) == 1 &&
                     collector_plane(r->collector, 0)->rejected_count == 1);
    const struct plane_info *p = collector_plane(r->collector, 0);
    CHECK(p->rejected_count == 1 &&
          rx_str_eq(p->rejected[0].name, RX_S("channel-1")));
    CHECK(p->in_sync); /* it applies the version, without that item */

    /* A restart keeps the last good value. */
    follow_close(f);
    rig_stop_control(r);
    f = rig_follow(r, "data-1");
    CHECK_INT(1, (int)follow_snapshot(f)->channel_count);
    CHECK_INT(1, (int)follow_snapshot(f)->rejected_count);
    follow_close(f);
    rig_free(r);
}

static void
works_over_tcp(void)
{
    struct rig *r = rig_new();
    struct rx_bus_options o = {
        .role = RX_BUS_PULL, .max_message = 10, .queue = 1
    };
    struct rx_bus *probe[2];

    /* Two free ports, found by asking for any. */
    for (int i = 0; i < 2; i++) {
        o.url = "tcp://127.0.0.1:0";
        CHECK_INT(RX_OK, rx_bus_open(&probe[i], r->loop, &o, NULL, NULL, NULL));
    }
    snprintf(r->pub_url, sizeof(r->pub_url), "tcp://127.0.0.1:%d",
        rx_bus_port(probe[0]));
    snprintf(r->pull_url, sizeof(r->pull_url), "tcp://127.0.0.1:%d",
        rx_bus_port(probe[1]));
    rx_bus_close(probe[0]);
    rx_bus_close(probe[1]);

    CHECK_INT(RX_OK, rig_start_control(r, NULL));
    struct follow *f = rig_follow(r, "data-1");
    RIG_UNTIL(r, rig_in_sync(r, f));
    rig_use(f, 1);
    RIG_UNTIL(r, r->row_count == 1);
    follow_close(f);
    rig_free(r);
}

int
main(int argc, char **argv)
{
    rx_secret_init();
    rx_log_init("test", getenv("DEBUG") ? RX_LOG_DEBUG : RX_LOG_ERROR);
    if (argc == 2)
        return be_a_plane(argv[1]);
    CHECK_RUN(a_late_joiner_gets_everything);
    CHECK_RUN(a_plane_may_be_there_first);
    CHECK_RUN(a_change_reaches_all_planes_as_a_delta);
    CHECK_RUN(a_delta_is_enough_and_no_snapshot_is_asked_for_after_it);
    CHECK_RUN(a_gap_heals);
    CHECK_RUN(a_big_state_is_built_aside_and_ends_the_same);
    CHECK_RUN(a_subscriber_that_was_not_listening_catches_up);
    CHECK_RUN(trouble_is_told_and_passes);
    CHECK_RUN(rejected_items_are_told_to_the_operator);
    CHECK_RUN(works_over_tcp);
    return CHECK_EXIT();
}
