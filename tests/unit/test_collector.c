#include <sys/wait.h>

#include "planes_rig.h"
#include "shared/log.h"

static uint64_t
pending(const struct follow *f)
{
    return report_status(follow_report((struct follow *)(uintptr_t)f))
        .pending_records;
}

/* Every request once, and nothing else. */
static void
check_each_once(const struct rig *r, unsigned from, unsigned to)
{
    unsigned char *seen = calloc(to + 1, 1);
    unsigned wrong = 0;

    for (size_t i = 0; i < r->row_count; i++) {
        if (r->rows[i].in >= from && r->rows[i].in < to)
            seen[r->rows[i].in]++;
    }
    for (unsigned i = from; i < to; i++)
        wrong += seen[i] != 1;
    CHECK_INT(0, (int)wrong);
    free(seen);
}

static void
usage_arrives_once_and_is_acknowledged(void)
{
    struct rig *r = rig_new();

    CHECK_INT(RX_OK, rig_start_control(r, NULL));
    struct follow *f = rig_follow(r, "data-1");
    RIG_UNTIL(r, rig_in_sync(r, f));
    uint64_t start = rx_clock_us();
    for (unsigned i = 0; i < 5000; i++)
        rig_use(f, i);
    uint64_t added = rx_clock_us();
    RIG_UNTIL(r, pending(f) == 0);
    printf("     5000 records: %.1f us each to add, all acknowledged in "
           "%" PRIu64 " us\n",
        (double)(added - start) / 5000, rx_clock_us() - start);
    CHECK_INT(5000, (int)r->row_count);
    check_each_once(r, 0, 5000);
    struct report_status st = report_status(follow_report(f));
    CHECK_INT(5000, (int)st.acked_seq);
    CHECK_INT(0, (int)st.dropped);
    CHECK(strcmp(r->rows[7].request, "request-7") == 0);
    follow_close(f);
    rig_free(r);
}

static void
control_killed_between_commit_and_ack_doubles_nothing(void)
{
    struct rig *r = rig_new();

    CHECK_INT(RX_OK, rig_start_control(r, NULL));
    struct follow *f = rig_follow(r, "data-1");
    RIG_UNTIL(r, rig_in_sync(r, f));
    r->crash_at_commit = true;
    for (unsigned i = 0; i < 700; i++)
        rig_use(f, i);
    RIG_UNTIL(r, r->commits > 0);
    rig_stop_control(r);
    r->crash_at_commit = false;
    CHECK(pending(f) == 700); /* nobody told it anything */
    CHECK_INT(RX_OK, rig_start_control(r, NULL));
    RIG_UNTIL(r, pending(f) == 0);
    CHECK_INT(700, (int)r->row_count);
    CHECK_INT(0, (int)r->doubled); /* filtered before the store */
    check_each_once(r, 0, 700);
    follow_close(f);
    rig_free(r);
}

static void
what_is_used_while_control_is_away_comes_later(void)
{
    struct rig *r = rig_new();
    struct follow *f = rig_follow(r, "data-1");

    for (unsigned i = 0; i < 3000; i++)
        rig_use(f, i);
    RIG_RUN(r, 200);
    CHECK_INT(3000, (int)pending(f));
    CHECK_INT(RX_OK, rig_start_control(r, NULL));
    RIG_UNTIL(r, pending(f) == 0);
    check_each_once(r, 0, 3000);

    /* And across a pause. */
    rig_stop_control(r);
    for (unsigned i = 3000; i < 4000; i++)
        rig_use(f, i);
    RIG_RUN(r, 100);
    CHECK_INT(RX_OK, rig_start_control(r, NULL));
    RIG_UNTIL(r, pending(f) == 0);
    check_each_once(r, 0, 4000);
    CHECK_INT(4000, (int)r->row_count);
    follow_close(f);
    rig_free(r);
}

static void
a_store_that_fails_is_asked_again(void)
{
    struct rig *r = rig_new();

    CHECK_INT(RX_OK, rig_start_control(r, NULL));
    struct follow *f = rig_follow(r, "data-1");
    RIG_UNTIL(r, rig_in_sync(r, f));
    r->commit_fails = true;
    for (unsigned i = 0; i < 10; i++)
        rig_use(f, i);
    RIG_UNTIL(r, collector_status(r->collector).commit_failed > 0);
    CHECK_INT(10, (int)pending(f));
    r->commit_fails = false;
    RIG_UNTIL(r, pending(f) == 0);
    check_each_once(r, 0, 10);
    follow_close(f);
    rig_free(r);
}

/* A plane in another process, so that it can be killed. */
static pid_t
plane_process(const struct rig *r, unsigned from, unsigned count)
{
    char number[2][16];

    snprintf(number[0], 16, "%u", from);
    snprintf(number[1], 16, "%u", count);
    pid_t pid = fork();
    if (pid == 0) {
        execl("/proc/self/exe", "test_collector", r->dir, number[0], number[1],
            (char *)NULL);
        _exit(127);
    }
    return pid;
}

/* The other process: write records, tell so by a file, run until killed. */
static int
be_a_plane(const char *dir, unsigned from, unsigned count)
{
    struct rig *r = calloc(1, sizeof(*r));
    char path[256];

    r->loop = rx_loop_new();
    snprintf(r->dir, sizeof(r->dir), "%s", dir);
    snprintf(r->token, sizeof(r->token), "%s/join.token", dir);
    snprintf(r->pub_url, sizeof(r->pub_url), "ipc://%s/pub.sock", dir);
    snprintf(r->pull_url, sizeof(r->pull_url), "ipc://%s/pull.sock", dir);
    struct follow *f = rig_follow(r, "data-1");
    for (unsigned i = from; i < from + count; i++)
        rig_use(f, i);
    rx_loop_tick(r->loop, false); /* they are written */
    snprintf(path, sizeof(path), "%s/written-%u", dir, from);
    close(open(path, O_CREAT | O_WRONLY, 0600));
    RIG_RUN(r, 20000);
    follow_close(f);
    return 0;
}

static void
a_killed_plane_loses_and_doubles_nothing(void)
{
    struct rig *r = rig_new();
    char path[256];

    for (unsigned round = 0; round < 4; round++) {
        unsigned from = round * 2000;
        size_t rows = r->row_count;
        pid_t pid = plane_process(r, from, 2000);
        snprintf(path, sizeof(path), "%s/written-%u", r->dir, from);
        RIG_UNTIL(r, access(path, F_OK) == 0);
        /* Once before anything was sent, then at some point on the way. */
        if (round == 1)
            CHECK_INT(RX_OK, rig_start_control(r, NULL));
        if (round > 0)
            RIG_UNTIL(r, r->row_count > rows);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
    struct follow *f = rig_follow(r, "data-1");
    RIG_UNTIL(r, follow_connected(f) && pending(f) == 0);
    CHECK_INT(8000, (int)r->row_count);
    check_each_once(r, 0, 8000);
    follow_close(f);
    rig_free(r);
}

static void
a_restored_store_does_not_stop_the_flow(void)
{
    struct rig *r = rig_new();

    CHECK_INT(RX_OK, rig_start_control(r, NULL));
    struct follow *f = rig_follow(r, "data-1");
    RIG_UNTIL(r, rig_in_sync(r, f));
    for (unsigned i = 0; i < 100; i++)
        rig_use(f, i);
    RIG_UNTIL(r, pending(f) == 0);
    /* Back to a backup made before all that. */
    rig_stop_control(r);
    r->progress_count = 0;
    memset(r->progress, 0, sizeof(r->progress));
    CHECK_INT(RX_OK, rig_start_control(r, NULL));
    for (unsigned i = 100; i < 200; i++)
        rig_use(f, i);
    RIG_UNTIL(r, pending(f) == 0);
    check_each_once(r, 100, 200);
    follow_close(f);
    rig_free(r);
}

static void
a_full_journal_does_what_policy_says(void)
{
    struct rig *r = rig_new();
    struct state_item settings = toy_settings(3);

    settings.settings.journal_limit_bytes = 100000;
    toy_put(&r->toy, settings);
    CHECK_INT(RX_OK, rig_start_control(r, NULL));
    struct follow *f = rig_follow(r, "data-1");
    RIG_UNTIL(r, rig_in_sync(r, f));
    r->commit_fails = true;
    for (unsigned i = 0; i < 2000; i++)
        rig_use(f, i);
    rx_loop_tick(r->loop, false); /* they are written */
    struct report_status st = report_status(follow_report(f));
    CHECK(st.full && st.dropped > 500 && st.last_seq > 200);
    CHECK_INT(2000, (int)(st.dropped + st.last_seq));
    CHECK(st.pending_bytes <= 100000);
    CHECK(report_admits(follow_report(f))); /* keep-serving */
    RIG_UNTIL(
        r, collector_plane_count(r->collector) == 1 &&
               collector_plane(r->collector, 0)->journal_dropped == st.dropped);

    settings.settings.journal_full = RX_S("refuse");
    rig_change(r, settings);
    RIG_UNTIL(r, !report_admits(follow_report(f)));
    r->commit_fails = false;
    RIG_UNTIL(r, pending(f) == 0);
    CHECK(report_admits(follow_report(f)));
    CHECK_INT((int)st.last_seq, (int)r->row_count);
    follow_close(f);
    rig_free(r);
}

/* ---- strangers and old acquaintances ----------------------------------- */

static struct rx_bus *
open_push(struct rig *r)
{
    struct rx_bus_options o = {
        .role = RX_BUS_PUSH, .url = r->pull_url, .queue = 16
    };
    struct rx_bus *bus = NULL;

    CHECK_INT(RX_OK, rx_bus_open(&bus, r->loop, &o, NULL, NULL, NULL));
    return bus;
}

static void
push_sealed(struct rig *r, struct rx_bus *bus, const struct rx_envelope *head,
    rx_str body)
{
    struct rx_buf out;

    rx_buf_init(&out, body.len + RX_ENVELOPE_EXTRA);
    CHECK(rx_envelope_seal(&r->keys, head, body, &out));
    RIG_UNTIL(r, rx_bus_send(bus, rx_buf_str(&out)) == RX_OK);
    rx_buf_fini(&out);
}

static void
a_plane_of_another_major_version_is_shown(void)
{
    struct rig *r = rig_new();

    CHECK_INT(RX_OK, rig_start_control(r, NULL));
    struct rx_bus *bus = open_push(r);
    struct rx_envelope head = { .kind = RX_MSG_HELLO,
        .topic = RX_S("plane/from-the-future"),
        .major = 2,
        .minor = 1,
        .epoch = 5,
        .sequence = 1 };
    push_sealed(r, bus, &head, RX_S("\x0a"));
    RIG_UNTIL(r, collector_plane_count(r->collector) == 1);
    const struct plane_info *p = collector_plane(r->collector, 0);
    CHECK(!p->compatible && !p->in_sync);
    CHECK_INT(2, (int)p->major);
    rx_bus_close(bus);
    rig_free(r);
}

static void
a_replayed_message_is_refused(void)
{
    struct rig *r = rig_new();

    CHECK_INT(RX_OK, rig_start_control(r, NULL));
    struct rx_bus *bus = open_push(r);
    struct rx_envelope head = { .kind = RX_MSG_HELLO,
        .topic = RX_S("plane/p"),
        .major = RX_WIRE_MAJOR,
        .epoch = 5,
        .sequence = 9 };
    /* Hello { plane: "p" } */
    push_sealed(r, bus, &head, RX_S("\x0a\x01p"));
    RIG_UNTIL(r, collector_plane_count(r->collector) == 1);
    CHECK_INT(0, (int)collector_status(r->collector).refused);
    push_sealed(r, bus, &head, RX_S("\x0a\x01p"));
    RIG_UNTIL(r, collector_status(r->collector).refused == 1);
    head.sequence = 8;
    push_sealed(r, bus, &head, RX_S("\x0a\x01p"));
    RIG_UNTIL(r, collector_status(r->collector).refused == 2);
    /* And one that speaks for somebody else. */
    head.sequence = 10;
    push_sealed(r, bus, &head, RX_S("\x0a\x01q"));
    RIG_UNTIL(r, collector_status(r->collector).refused == 3);
    CHECK_INT(1, (int)collector_plane_count(r->collector));
    rx_bus_close(bus);
    rig_free(r);
}

static void
noise_and_oversize_are_refused(void)
{
    struct rig *r = rig_new();

    CHECK_INT(RX_OK, rig_start_control(r, NULL));
    struct rx_bus *bus = open_push(r);
    RIG_UNTIL(r, rx_bus_send(bus, RX_S("plane/x\0noise")) == RX_OK);
    RIG_UNTIL(r, collector_status(r->collector).refused == 1);
    /* Bigger than any message: the connection ends, the plane comes back. */
    size_t size = rx_envelope_max(false) + 1;
    char *big = calloc(1, size);
    RIG_UNTIL(r, rx_bus_send(bus, (rx_str){ big, size }) == RX_OK);
    free(big);
    RIG_RUN(r, 200);
    CHECK_INT(1, (int)collector_status(r->collector).refused);
    struct follow *f = rig_follow(r, "data-1");
    RIG_UNTIL(r, rig_in_sync(r, f));
    follow_close(f);
    rx_bus_close(bus);
    rig_free(r);
}

int
main(int argc, char **argv)
{
    uint64_t from = 0;
    uint64_t count = 0;

    rx_secret_init();
    rx_log_init("test", getenv("DEBUG") ? RX_LOG_DEBUG : RX_LOG_ERROR);
    if (argc == 4 && rx_str_u64((rx_str){ argv[2], strlen(argv[2]) }, &from) &&
        rx_str_u64((rx_str){ argv[3], strlen(argv[3]) }, &count))
        return be_a_plane(argv[1], (unsigned)from, (unsigned)count);
    CHECK_RUN(usage_arrives_once_and_is_acknowledged);
    CHECK_RUN(control_killed_between_commit_and_ack_doubles_nothing);
    CHECK_RUN(what_is_used_while_control_is_away_comes_later);
    CHECK_RUN(a_store_that_fails_is_asked_again);
    CHECK_RUN(a_killed_plane_loses_and_doubles_nothing);
    CHECK_RUN(a_restored_store_does_not_stop_the_flow);
    CHECK_RUN(a_full_journal_does_what_policy_says);
    CHECK_RUN(a_plane_of_another_major_version_is_shown);
    CHECK_RUN(a_replayed_message_is_refused);
    CHECK_RUN(noise_and_oversize_are_refused);
    return CHECK_EXIT();
}
