/*
 * What a data plane believes: messages of strangers, of the past, of another
 * version, and noise.
 */
#include "shared/log.h"
#include "tests/unit/planes_rig.h"

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
    RIG_UNTIL(r, collector_status(r->collector).refused > 0);
    RIG_RUN(r, 500);
    CHECK(follow_snapshot(f) == NULL);
    CHECK(!follow_connected(f));
    CHECK_INT(0, (int)collector_plane_count(r->collector));
    rig_use(f, 1);
    RIG_RUN(r, 300);
    CHECK_INT(0, (int)r->row_count);
    follow_close(f);
    rig_free(r);
}

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

    RIG_UNTIL(r, (publish_state(r, bus, 50, 7, ++sequence, RX_WIRE_MAJOR),
                     version_of(f) == 7));
    sequence += 2;
    publish_state(r, bus, 50, 8, sequence, RX_WIRE_MAJOR);
    RIG_UNTIL(r, version_of(f) == 8);
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
    RIG_UNTIL(r, version_of(f) == 9);
    publish_state(r, bus, 51, 1, 1, RX_WIRE_MAJOR);
    RIG_UNTIL(r, version_of(f) == 1);

    /* A restart remembers, by its disk. */
    follow_close(f);
    f = rig_follow(r, "data-1");
    CHECK_INT(1, (int)version_of(f));
    sequence = 100;
    RIG_UNTIL(r, (publish_state(r, bus, 50, 99, ++sequence, RX_WIRE_MAJOR),
                     publish_state(r, bus, 51, 2, ++sequence, RX_WIRE_MAJOR),
                     version_of(f) != 1));
    CHECK_INT(2, (int)version_of(f));
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
    /* Its own is heard between those of the other. */
    uint64_t sequence = 20;
    RIG_UNTIL(r, (publish_state(r, bus, 50, 19, ++sequence, RX_WIRE_MAJOR + 1),
                     publish_state(r, bus, 50, 20, ++sequence, RX_WIRE_MAJOR),
                     version_of(f) != 0));
    CHECK_INT(20, (int)version_of(f));
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

    RIG_UNTIL(r, (publish_state(r, bus, 50, 7, ++sequence, RX_WIRE_MAJOR),
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
    RIG_UNTIL(r, version_of(f) == 8);
    follow_close(f);
    rx_bus_close(bus);
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
main(void)
{
    rx_secret_init();
    rx_log_init("test", getenv("DEBUG") ? RX_LOG_DEBUG : RX_LOG_ERROR);
    CHECK_RUN(another_token_learns_and_changes_nothing);
    CHECK_RUN(state_is_never_taken_back);
    CHECK_RUN(a_control_plane_of_another_major_version_changes_nothing);
    CHECK_RUN(what_cannot_be_read_leaves_the_state_in_force);
    CHECK_RUN(addresses_of_no_use_are_refused);
    return CHECK_EXIT();
}
