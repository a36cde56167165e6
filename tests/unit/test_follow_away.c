/*
 * The two planes lose each other, come back, and are each there once.
 */
#include "shared/log.h"
#include "tests/unit/planes_rig.h"

static void
it_serves_from_disk_while_control_is_away(void)
{
    struct rig *r = rig_new();

    CHECK_INT(RX_OK, rig_start_control(r, NULL));
    struct follow *f = rig_follow(r, "data-1");
    RIG_UNTIL(r, rig_in_sync(r, f));
    rig_change(r, toy_key(2, 1));
    RIG_UNTIL(r, follow_snapshot(f)->key_count == 2);
    struct rx_digest state = follow_snapshot(f)->state;
    follow_close(f);
    rig_stop_control(r);

    f = rig_follow(r, "data-1");
    CHECK(follow_snapshot(f) != NULL);
    CHECK(follow_from_disk(f));
    CHECK(!follow_connected(f));
    CHECK(memcmp(&state, &follow_snapshot(f)->state, sizeof(state)) == 0);

    CHECK_INT(RX_OK, rig_start_control(r, NULL));
    RIG_UNTIL(r, rig_in_sync(r, f) && !follow_from_disk(f));
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
    RIG_UNTIL(r, rig_in_sync(r, f));
    rig_stop_control(r);
    RIG_UNTIL(r, !follow_connected(f));
    CHECK(follow_snapshot(f) != NULL);
    CHECK_INT(RX_OK, rig_start_control(r, NULL));
    RIG_UNTIL(r, follow_connected(f) && rig_in_sync(r, f));
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
    RIG_UNTIL(r, rx_clock_ms() >= then);
    unlink(r->pull_url + strlen("ipc://"));
    CHECK_INT(RX_OK, rig_start_control(r, NULL));
    RIG_UNTIL(r, rig_in_sync(r, f));
    CHECK(rig_in_sync(r, f));
    follow_close(f);
    rx_bus_close(hole);
    rx_loop_free(nobody);
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

int
main(void)
{
    rx_secret_init();
    rx_log_init("test", getenv("DEBUG") ? RX_LOG_DEBUG : RX_LOG_ERROR);
    CHECK_RUN(it_serves_from_disk_while_control_is_away);
    CHECK_RUN(control_lost_is_noticed_and_found_again);
    CHECK_RUN(a_control_plane_that_does_not_hear_us_is_dialled_anew);
    CHECK_RUN(one_plane_id_is_used_once);
    CHECK_RUN(one_control_plane_owns_a_store);
    return CHECK_EXIT();
}
