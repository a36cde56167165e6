#include <signal.h>
#include <sys/wait.h>

#include "planes_rig.h"
#include "shared/log.h"

static void
a_late_joiner_gets_everything(void)
{
    struct rig *r = rig_new();

    CHECK_INT(RX_OK, rig_start_control(r, NULL));
    RIG_RUN(r, 100); /* what was published is long gone */
    uint64_t start = rx_clock_ms();
    struct follow *f = rig_follow(r, "data-1");
    RIG_UNTIL(r, 3000, rig_in_sync(r, f));
    printf("     joined in %" PRIu64 " ms\n", rx_clock_ms() - start);
    CHECK(follow_connected(f));
    CHECK(!follow_from_disk(f));
    CHECK_INT(1, (int)follow_snapshot(f)->key_count);
    RIG_UNTIL(r, 3000,
        collector_plane_count(r->collector) == 1 &&
            collector_plane(r->collector, 0)->in_sync);
    const struct plane_info *p = collector_plane(r->collector, 0);
    CHECK(p->connected && p->compatible && !p->left);
    CHECK(rx_str_eq(p->id, RX_S("data-1")));
    CHECK(rx_str_eq(p->ops_url, RX_S("http://127.0.0.1:1")));
    CHECK(p->rss_bytes > 0);
    follow_close(f);
    RIG_UNTIL(r, 1000, collector_plane(r->collector, 0)->left);
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
    RIG_UNTIL(r, 5000, rig_in_sync(r, f));
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
    RIG_UNTIL(r, 3000, rig_in_sync(r, a) && rig_in_sync(r, b));
    uint64_t start = rx_clock_us();
    rig_change(r, toy_channel(2, 5));
    rig_change(r, toy_channel(3, 5));
    uint64_t version = publisher_status(r->publisher).version;
    RIG_UNTIL(r, 1000,
        publisher_status(r->publisher).version == version + 1 &&
            rig_in_sync(r, a) && rig_in_sync(r, b));
    printf("     a change took %" PRIu64 " us\n", rx_clock_us() - start);
    CHECK_INT(3, (int)follow_snapshot(a)->channel_count);

    toy_remove(&r->toy, STATE_CHANNEL, RX_S("ch2"));
    publisher_touch(r->publisher, STATE_CHANNEL, RX_S("ch2"));
    RIG_UNTIL(r, 1000,
        publisher_status(r->publisher).version == version + 2 &&
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

static void
a_gap_heals(void)
{
    struct rig *r = rig_new();

    CHECK_INT(RX_OK, rig_start_control(r, NULL));
    struct follow *f = rig_follow(r, "data-1");
    RIG_UNTIL(r, 3000, rig_in_sync(r, f));

    /* A version it never hears of: another epoch's worth of change. */
    rig_stop_control(r);
    toy_put(&r->toy, toy_key(2, 1));
    CHECK_INT(RX_OK, rig_start_control(r, NULL));
    rig_change(r, toy_key(3, 1));
    RIG_UNTIL(r, 6000, follow_snapshot(f)->key_count == 3);
    CHECK(rig_in_sync(r, f));
    follow_close(f);
    rig_free(r);
}

static void
it_serves_from_disk_while_control_is_away(void)
{
    struct rig *r = rig_new();

    CHECK_INT(RX_OK, rig_start_control(r, NULL));
    struct follow *f = rig_follow(r, "data-1");
    RIG_UNTIL(r, 3000, rig_in_sync(r, f));
    rig_change(r, toy_key(2, 1));
    RIG_UNTIL(r, 3000, follow_snapshot(f)->key_count == 2);
    struct rx_digest state = follow_snapshot(f)->state;
    follow_close(f);
    rig_stop_control(r);

    f = rig_follow(r, "data-1");
    CHECK(follow_snapshot(f) != NULL);
    CHECK(follow_from_disk(f));
    CHECK(!follow_connected(f));
    CHECK(memcmp(&state, &follow_snapshot(f)->state, sizeof(state)) == 0);

    CHECK_INT(RX_OK, rig_start_control(r, NULL));
    RIG_UNTIL(r, 5000, rig_in_sync(r, f) && !follow_from_disk(f));
    follow_close(f);

    /* The newest file is damaged: the one before it is taken. */
    rig_stop_control(r);
    char path[256];
    snprintf(path, sizeof(path), "%s/data/data-1/snapshot.1", r->dir);
    int fd = open(path, O_RDWR);
    char byte = 0;
    CHECK(pread(fd, &byte, 1, 200) == 1);
    byte ^= 1;
    CHECK(pwrite(fd, &byte, 1, 200) == 1);
    close(fd);
    f = rig_follow(r, "data-1");
    CHECK(follow_snapshot(f) != NULL && follow_from_disk(f));
    follow_close(f);
    rig_free(r);
}

static void
control_lost_is_noticed_and_found_again(void)
{
    struct rig *r = rig_new();

    CHECK_INT(RX_OK, rig_start_control(r, NULL));
    struct follow *f = rig_follow(r, "data-1");
    RIG_UNTIL(r, 3000, rig_in_sync(r, f));
    rig_stop_control(r);
    RIG_UNTIL(r, 5000, !follow_connected(f));
    CHECK(follow_snapshot(f) != NULL);
    CHECK_INT(RX_OK, rig_start_control(r, NULL));
    RIG_UNTIL(r, 5000, follow_connected(f) && rig_in_sync(r, f));
    follow_close(f);
    rig_free(r);
}

static void
rig_swallow(void *arg, rx_str message)
{
    (void)arg;
    (void)message;
}

/*
 * Our push socket hangs on a listener that will never read, as after a control
 * plane that died at the wrong moment; the living one listens in its place.
 */
static void
a_control_plane_that_does_not_hear_us_is_dialled_anew(void)
{
    struct rig *r = rig_new();
    struct rx_err err;
    struct rx_bus *hole = NULL;
    struct rx_bus_options options = { .role = RX_BUS_PULL,
        .url = r->pull_url,
        .max_message = 1 << 20,
        .queue = 1 };
    struct rx_loop *nobody = rx_loop_new();

    CHECK_INT(
        RX_OK, rx_bus_open(&hole, nobody, &options, rig_swallow, NULL, &err));
    struct follow *f = rig_follow(r, "data-1");
    uint64_t then = rx_clock_ms() + 500; /* connected to the hole by then */
    RIG_UNTIL(r, 2000, rx_clock_ms() >= then);
    unlink(r->pull_url + strlen("ipc://"));
    CHECK_INT(RX_OK, rig_start_control(r, NULL));
    RIG_UNTIL(r, 8000, rig_in_sync(r, f));
    CHECK(rig_in_sync(r, f));
    follow_close(f);
    rx_bus_close(hole);
    rx_loop_free(nobody);
    rig_free(r);
}

static void
another_token_learns_and_changes_nothing(void)
{
    struct rig *r = rig_new();
    struct follow *f = NULL;
    char other[160];
    struct rx_join_keys keys;

    CHECK_INT(RX_OK, rig_start_control(r, NULL));
    snprintf(other, sizeof(other), "%s/other.token", r->dir);
    CHECK_INT(RX_OK, rx_join_file(other, true, &keys, NULL));
    CHECK_INT(RX_OK, rig_follow_as(r, "stranger", other, &f, NULL));
    RIG_RUN(r, 1500);
    CHECK(follow_snapshot(f) == NULL);
    CHECK(!follow_connected(f));
    CHECK_INT(0, (int)collector_plane_count(r->collector));
    CHECK(collector_status(r->collector).refused > 0);
    rig_use(f, 1);
    RIG_RUN(r, 300);
    CHECK_INT(0, (int)r->row_count);
    follow_close(f);
    rig_free(r);
}

static void
one_plane_id_is_used_once(void)
{
    struct rig *r = rig_new();
    struct follow *f = rig_follow(r, "data-1");
    struct follow *again = NULL;
    struct rx_err err = { 0 };

    CHECK_INT(RX_CONFLICT, rig_follow_as(r, "data-1", r->token, &again, &err));
    CHECK(strstr(err.text, "data-1") != NULL);
    CHECK_INT(RX_INVALID, rig_follow_as(r, "a/b", r->token, &again, &err));
    follow_close(f);
    f = rig_follow(r, "data-1");
    follow_close(f);
    rig_free(r);
}

static void
one_control_plane_owns_a_store(void)
{
    struct rig *r = rig_new();
    struct rig second = *r;
    struct rx_err err = { 0 };

    CHECK_INT(RX_OK, rig_start_control(r, NULL));
    CHECK_INT(RX_CONFLICT, rig_start_control(&second, &err));
    rig_free(r);
}

static void
trouble_is_told_and_passes(void)
{
    struct rig *r = rig_new();

    CHECK_INT(RX_OK, rig_start_control(r, NULL));
    struct follow *f = rig_follow(r, "data-1");
    RIG_UNTIL(r, 3000, rig_in_sync(r, f));
    r->toy.broken = true;
    rig_change(r, toy_key(5, 1));
    RIG_UNTIL(r, 1000, publisher_status(r->publisher).trouble[0] != '\0');
    r->toy.broken = false;
    RIG_UNTIL(r, 3000, publisher_status(r->publisher).trouble[0] == '\0');
    RIG_UNTIL(r, 3000, rig_in_sync(r, f));
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
    RIG_UNTIL(r, 3000, rig_in_sync(r, f));
    struct state_item item = toy_channel(1, 1);
    item.channel.endpoints = &bad;
    rig_change(r, item);
    RIG_UNTIL(r, 3000,
        collector_plane_count(r->collector) == 1 &&
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
    RIG_UNTIL(r, 3000, rig_in_sync(r, f));
    rig_use(f, 1);
    RIG_UNTIL(r, 2000, r->row_count == 1);
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
    RIG_UNTIL(r, 5000, rig_in_sync(r, f));
    for (unsigned i = 0; i < 300; i++) {
        rig_change(r, toy_channel(i % 5, (int32_t)i));
        rig_change(r, toy_key(10 + i, 1 + i % 2));
        rx_loop_tick(r->loop, false);
    }
    uint64_t version = publisher_status(r->publisher).version;
    CHECK(version > 100);
    RIG_UNTIL(r, 8000,
        rig_in_sync(r, f) && publisher_status(r->publisher).version == version);
    follow_close(f); /* maybe in the middle of building: */
    f = rig_follow(r, "data-1");
    rig_change(r, toy_key(5, 2));
    follow_close(f);
    rig_free(r);
}

/* ---- a control plane of our own making --------------------------------- */

static struct rx_bus *
open_pub(struct rig *r)
{
    struct rx_bus_options o = {
        .role = RX_BUS_PUB, .url = r->pub_url, .queue = 64
    };
    struct rx_bus *bus = NULL;

    CHECK_INT(RX_OK, rx_bus_open(&bus, r->loop, &o, NULL, NULL, NULL));
    return bus;
}

static void
publish(struct rig *r, struct rx_bus *bus, const struct rx_envelope *head,
    rx_str body)
{
    struct rx_buf out;

    rx_buf_init(&out, body.len + RX_ENVELOPE_EXTRA);
    CHECK(rx_envelope_seal(&r->keys, head, body, &out));
    CHECK_INT(RX_OK, rx_bus_send(bus, rx_buf_str(&out)));
    rx_buf_fini(&out);
}

/* The toy's state under that version; a subscriber may not be there yet. */
static void
publish_state(struct rig *r, struct rx_bus *bus, uint64_t epoch,
    uint64_t version, uint64_t sequence, unsigned major)
{
    struct rx_envelope head = { .kind = RX_MSG_SNAPSHOT,
        .topic = RX_S("all"),
        .major = (uint8_t)major,
        .from_control = true,
        .epoch = epoch,
        .version = version,
        .sequence = sequence };
    struct rx_buf body;

    rx_buf_init(&body, 1 << 20);
    toy_pack(&r->toy, &body);
    publish(r, bus, &head, rx_buf_str(&body));
    rx_buf_fini(&body);
}

static uint64_t
version_of(const struct follow *f)
{
    const struct snapshot *s = follow_snapshot(f);

    return s != NULL ? s->version : 0;
}

static void
state_is_never_taken_back(void)
{
    struct rig *r = rig_new();
    struct rx_bus *bus = open_pub(r);
    struct follow *f = rig_follow(r, "data-1");
    uint64_t sequence = 0;

    RIG_UNTIL(r, 3000,
        (publish_state(r, bus, 50, 7, ++sequence, RX_WIRE_MAJOR),
            version_of(f) == 7));
    sequence += 2;
    publish_state(r, bus, 50, 8, sequence, RX_WIRE_MAJOR);
    RIG_UNTIL(r, 1000, version_of(f) == 8);
    /* Recorded and played again; older versions; older epochs. */
    toy_put(&r->toy, toy_key(2, 1));
    publish_state(r, bus, 50, 9, sequence, RX_WIRE_MAJOR);
    publish_state(r, bus, 50, 9, sequence - 1, RX_WIRE_MAJOR);
    publish_state(r, bus, 50, 6, sequence + 1, RX_WIRE_MAJOR);
    publish_state(r, bus, 49, 10, sequence + 2, RX_WIRE_MAJOR);
    RIG_RUN(r, 100);
    CHECK_INT(8, (int)version_of(f));
    CHECK_INT(1, (int)follow_snapshot(f)->key_count);
    /* Going on is fine, and so is a new epoch. */
    publish_state(r, bus, 50, 9, sequence + 5, RX_WIRE_MAJOR);
    RIG_UNTIL(r, 1000, version_of(f) == 9);
    publish_state(r, bus, 51, 1, 1, RX_WIRE_MAJOR);
    RIG_UNTIL(r, 1000, version_of(f) == 1);

    /* A restart remembers, by its disk. */
    follow_close(f);
    f = rig_follow(r, "data-1");
    CHECK_INT(1, (int)version_of(f));
    publish_state(r, bus, 50, 99, 99, RX_WIRE_MAJOR);
    RIG_RUN(r, 200);
    publish_state(r, bus, 50, 99, 100, RX_WIRE_MAJOR);
    RIG_RUN(r, 100);
    CHECK_INT(1, (int)version_of(f));
    follow_close(f);
    rx_bus_close(bus);
    rig_free(r);
}

static void
a_control_plane_of_another_major_version_changes_nothing(void)
{
    struct rig *r = rig_new();
    struct rx_bus *bus = open_pub(r);
    struct follow *f = rig_follow(r, "data-1");

    for (unsigned i = 1; i < 20; i++) {
        publish_state(r, bus, 50, i, i, RX_WIRE_MAJOR + 1);
        RIG_RUN(r, 10);
    }
    CHECK(follow_snapshot(f) == NULL);
    CHECK(!follow_connected(f));
    /* One of a newer minor is understood. */
    publish_state(r, bus, 50, 20, 20, RX_WIRE_MAJOR);
    RIG_UNTIL(r, 1000, version_of(f) == 20);
    follow_close(f);
    rx_bus_close(bus);
    rig_free(r);
}

static void
what_cannot_be_read_leaves_the_state_in_force(void)
{
    struct rig *r = rig_new();
    struct rx_bus *bus = open_pub(r);
    struct follow *f = rig_follow(r, "data-1");
    uint64_t sequence = 0;

    RIG_UNTIL(r, 3000,
        (publish_state(r, bus, 50, 7, ++sequence, RX_WIRE_MAJOR),
            version_of(f) == 7));
    static const enum rx_message kinds[] = { RX_MSG_SNAPSHOT, RX_MSG_DELTA,
        RX_MSG_HEARTBEAT, RX_MSG_ACK, (enum rx_message)9 };
    for (size_t i = 0; i < RX_COUNT(kinds); i++) {
        struct rx_envelope head = { .kind = kinds[i],
            .topic = RX_S("all"),
            .major = RX_WIRE_MAJOR,
            .from_control = true,
            .epoch = 50,
            .version = 8,
            .sequence = ++sequence };
        if (rx_message_max(kinds[i]) > 0)
            publish(r, bus, &head, RX_S("\xff\xff\xff noise"));
        CHECK_INT(RX_OK, rx_bus_send(bus, RX_S("all\0noise")));
    }
    RIG_RUN(r, 100);
    CHECK_INT(7, (int)version_of(f));
    toy_put(&r->toy, toy_key(2, 1));
    publish_state(r, bus, 50, 8, ++sequence, RX_WIRE_MAJOR);
    RIG_UNTIL(r, 1000, version_of(f) == 8);
    follow_close(f);
    rx_bus_close(bus);
    rig_free(r);
}

static void
a_subscriber_that_was_not_listening_catches_up(void)
{
    struct rig *r = rig_new();

    CHECK_INT(RX_OK, rig_start_control(r, NULL));
    pid_t pid = fork_plane(r);
    RIG_UNTIL(r, 5000,
        collector_plane_count(r->collector) == 1 &&
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
    RIG_UNTIL(r, 15000, collector_plane(r->collector, 0)->in_sync);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    rig_free(r);
}

static void
addresses_of_no_use_are_refused(void)
{
    static const struct {
        enum rx_bus_role role;
        const char *url;
    } rows[] = {
        { RX_BUS_SUB, "nonsense" }, { RX_BUS_SUB, "smoke://127.0.0.1:1" },
        { RX_BUS_SUB, "tls+tcp://127.0.0.1:1" }, /* whom to believe? */
        { RX_BUS_PUB, "tls+tcp://127.0.0.1:0" }, /* who are we? */
    };
    struct rx_loop *loop = rx_loop_new();

    for (size_t i = 0; i < RX_COUNT(rows); i++) {
        struct rx_bus_options o = { .role = rows[i].role,
            .url = rows[i].url,
            .max_message = 1000,
            .queue = 1 };
        struct rx_bus *bus = NULL;
        struct rx_err err = { 0 };
        CHECK_INT(RX_INVALID, rx_bus_open(&bus, loop, &o, NULL, NULL, &err));
        CHECK(bus == NULL && strstr(err.text, rows[i].url) != NULL);
    }
    rx_loop_free(loop);
}

int
main(int argc, char **argv)
{
    rx_secret_init();
    rx_log_init("test", getenv("DEBUG") ? RX_LOG_DEBUG : RX_LOG_ERROR);
    if (argc == 2)
        return be_a_plane(argv[1]);
    CHECK_RUN(addresses_of_no_use_are_refused);
    CHECK_RUN(state_is_never_taken_back);
    CHECK_RUN(a_control_plane_of_another_major_version_changes_nothing);
    CHECK_RUN(what_cannot_be_read_leaves_the_state_in_force);
    CHECK_RUN(a_subscriber_that_was_not_listening_catches_up);
    CHECK_RUN(a_big_state_is_built_aside_and_ends_the_same);
    CHECK_RUN(a_late_joiner_gets_everything);
    CHECK_RUN(a_plane_may_be_there_first);
    CHECK_RUN(a_change_reaches_all_planes_as_a_delta);
    CHECK_RUN(a_gap_heals);
    CHECK_RUN(it_serves_from_disk_while_control_is_away);
    CHECK_RUN(control_lost_is_noticed_and_found_again);
    CHECK_RUN(a_control_plane_that_does_not_hear_us_is_dialled_anew);
    CHECK_RUN(another_token_learns_and_changes_nothing);
    CHECK_RUN(one_plane_id_is_used_once);
    CHECK_RUN(one_control_plane_owns_a_store);
    CHECK_RUN(trouble_is_told_and_passes);
    CHECK_RUN(rejected_items_are_told_to_the_operator);
    CHECK_RUN(works_over_tcp);
    return CHECK_EXIT();
}
