/* The beginning and the end of following. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dataplane/follow_parts.h"
#include "dataplane/keep.h"
#include "shared/clock.h"

#define CLOSE_MS 1000 /* for outstanding acknowledgements */

static enum rx_code
make_folders(const char *path, struct rx_err *err)
{
    char part[4096];
    size_t len = strlen(path);

    if (len == 0 || len >= sizeof(part))
        return rx_fail(err, RX_INVALID, "data directory: bad path");
    memcpy(part, path, len + 1);
    for (size_t i = 1; i <= len; i++) {
        if (part[i] != '/' && part[i] != '\0')
            continue;
        char end = part[i];
        part[i] = '\0';
        if (mkdir(part, 0700) != 0 && errno != EEXIST)
            return rx_fail(err, RX_INTERNAL, "%s: %s", part, strerror(errno));
        part[i] = end;
    }
    return RX_OK;
}

static enum rx_code
take_lock(struct follow *f, struct rx_err *err)
{
    char path[4096];
    int n = snprintf(path, sizeof(path), "%s/lock", f->dir);

    if (n < 0 || (size_t)n >= sizeof(path))
        return rx_fail(err, RX_INVALID, "data directory: path too long");
    f->lock_fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    if (f->lock_fd < 0)
        return rx_fail(err, RX_INTERNAL, "%s: %s", path, strerror(errno));
    if (flock(f->lock_fd, LOCK_EX | LOCK_NB) != 0)
        return rx_fail(err, RX_CONFLICT,
            "data plane %s is running already (%s is locked)", f->plane, path);
    return RX_OK;
}

static enum rx_code
open_report(struct follow *f, struct rx_err *err)
{
    char dir[4096];
    int n = snprintf(dir, sizeof(dir), "%s/journal", f->dir);

    if (n < 0 || (size_t)n >= sizeof(dir))
        return rx_fail(err, RX_INVALID, "data directory: path too long");
    struct report_options options = {
        .plane = f->plane,
        .dir = dir,
        .worker = f->worker,
        .send = follow_send_usage,
        .arg = f,
    };
    return report_open(&f->report, f->loop, &options, err);
}

static enum rx_code
open_sockets(struct follow *f, struct rx_err *err)
{
    enum rx_code code = follow_open_sub(f, err);

    return code == RX_OK ? follow_open_push(f, err) : code;
}

static void
start_from_disk(struct follow *f)
{
    const struct snapshot *s = keep_load(f->dir, &f->keys.at_rest);

    if (s == NULL)
        return;
    follow_install(f, s, true);
    f->replay = (struct rx_replay){ .epoch = s->epoch };
}

static char *
copy(const char *s)
{
    char *p = strdup(s != NULL ? s : "");

    if (p == NULL)
        abort();
    return p;
}

static enum rx_code
start(
    struct follow *f, const struct follow_options *options, struct rx_err *err)
{
    rx_str id = { f->plane, strlen(f->plane) };

    if (!rx_plane_id_ok(id))
        return rx_fail(err, RX_INVALID,
            "data plane id: 1 to 64 letters, digits, '.', '_' or '-'");
    rx_plane_topic(id, f->topic);
    enum rx_code code =
        rx_join_file(options->join_token_file, false, &f->keys, err);
    if (code != RX_OK)
        return code;
    code = make_folders(f->dir, err);
    if (code == RX_OK)
        code = take_lock(f, err);
    if (code == RX_OK)
        code = open_report(f, err);
    if (code == RX_OK) {
        struct demand_options demand = { .plane = f->plane,
            .boot = report_status(f->report).boot,
            .send = follow_send_demand,
            .arg = f };
        f->demand = demand_new(f->loop, f->limits, &demand);
        start_from_disk(f);
    }
    if (code == RX_OK)
        code = open_sockets(f, err);
    return code;
}

static void
destroy(struct follow *f)
{
    rx_timer_fini(&f->hello);
    rx_timer_fini(&f->watch);
    rx_bus_close(f->sub);
    rx_bus_close(f->push);
    builder_free(f->builder);
    rx_worker_finish(f->worker); /* the newest snapshot is on disk */
    report_close(f->report);
    rx_worker_free(f->worker);
    demand_free(f->demand);
    limits_free(f->limits);
    snapshot_unpin(f->snapshot);
    if (f->lock_fd >= 0)
        close(f->lock_fd);
    rx_wipe(&f->keys, sizeof(f->keys));
    free(f->plane);
    free(f->dir);
    free(f->ops_url);
    free(f->client_url);
    free(f->pub_url);
    free(f->pull_url);
    free(f->tls_ca_file);
    free(f);
}

enum rx_code
follow_open(struct follow **out, struct rx_loop *loop,
    const struct follow_options *options,
    void (*load)(void *arg, struct follow_load *out), void *arg,
    struct rx_err *err)
{
    struct follow *f = calloc(1, sizeof(*f));

    *out = NULL;
    if (f == NULL)
        abort();
    f->loop = loop;
    f->plane = copy(options->plane);
    f->dir = copy(options->data_dir);
    f->ops_url = copy(options->ops_url);
    f->client_url = copy(options->client_url);
    f->pub_url = copy(options->pub_url);
    f->pull_url = copy(options->pull_url);
    if (options->tls_ca_file != NULL)
        f->tls_ca_file = copy(options->tls_ca_file);
    f->opened_ms = f->sub_good_ms = f->push_good_ms = rx_loop_ms(loop);
    f->load = load;
    f->load_arg = arg;
    f->lock_fd = -1;
    f->started_ms = rx_clock_wall_ms();
    f->retry_ms = FOLLOW_RETRY_MS;
    f->limits = limits_new();
    f->worker = rx_worker_new(loop);
    f->builder = builder_new(loop, follow_current, follow_on_built, f);
    f->save_job = (struct rx_job){
        .work = follow_save_work, .done = follow_save_done, .arg = f
    };
    rx_timer_init(&f->hello, loop, follow_on_hello, f);
    rx_timer_init(&f->watch, loop, follow_on_watch, f);
    enum rx_code code = start(f, options, err);
    if (code != RX_OK) {
        destroy(f);
        return code;
    }
    follow_ask(f);
    rx_timer_set(&f->watch, FOLLOW_LOST_MS / 6);
    *out = f;
    return RX_OK;
}

/* ---- end --------------------------------------------------------------- */

static void
nothing(void *arg)
{
    (void)arg;
}

/* Let the loop run for `ms`, or until every record is acknowledged. */
static void
linger(struct follow *f, uint64_t ms, bool for_acks)
{
    struct rx_timer wake;
    uint64_t end = rx_clock_ms() + ms;

    rx_timer_init(&wake, f->loop, nothing, NULL);
    while (rx_clock_ms() < end &&
           !(for_acks && report_status(f->report).pending_records == 0)) {
        rx_timer_set(&wake, 5);
        rx_loop_tick(f->loop, true);
    }
    rx_timer_fini(&wake);
}

void
follow_close(struct follow *f)
{
    if (f == NULL)
        return;
    if (f->connected) {
        linger(f, CLOSE_MS, true);
        f->leaving = true;
        rx_timer_unset(&f->hello);
        for (int i = 0; i < 10 && follow_send_hello(f, false) != RX_OK; i++)
            linger(f, 5, false);
        linger(f, 20, false); /* nng's threads hand it to the kernel */
    }
    destroy(f);
}
