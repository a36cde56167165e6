/*
 * cmd_doctor.c - routex doctor: look at everything, say what to do.
 *
 * A check is a row; it says how it went in a line, and what to do about it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "controlplane/cli/command.h"
#include "shared/clock.h"

enum verdict { OK, WARN, FAIL };
static const char *const verdicts[] = { "ok", "warn", "fail" };

struct doctor {
    struct cli *c;
    struct rx_json_out json;
    unsigned counts[3];
    bool reachable;
};

static void say(struct doctor *d, const char *what, enum verdict verdict,
    const char *advice, const char *fmt, ...) RX_PRINTF(5, 6);

/* `advice` is NULL when there is nothing to do. */
static void
say(struct doctor *d, const char *what, enum verdict verdict,
    const char *advice, const char *fmt, ...)
{
    struct rx_buf *out = &d->c->out;
    const char *word = verdicts[verdict];
    char text[400];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    d->counts[verdict]++;
    if (d->c->o.json) {
        rx_json_open_object(&d->json, NULL);
        rx_json_put_text(&d->json, "check", what);
        rx_json_put_text(&d->json, "result", word);
        rx_json_put_text(&d->json, "found", text);
        cli_put_opt(&d->json, "advice", advice);
        rx_json_close(&d->json);
        return;
    }
    rx_buf_addf(out, "%s%-4s%s  %-13s %s\n",
        d->c->colour ? table_colour((rx_str){ word, strlen(word) }) : "", word,
        d->c->colour ? TABLE_PLAIN : "", what, text);
    if (advice != NULL)
        rx_buf_addf(out, "      -> %s\n", advice);
    cli_flush(d->c);
}

/* ---- this machine ---- */

static void
check_programs(struct doctor *d)
{
    static const char *const names[] = { "routex-control", "routex-data",
        "routex-demo" };
    char path[HOME_PATH];
    struct rx_err err = { 0 };
    unsigned missing = 0;

    for (size_t i = 0; i < RX_COUNT(names); i++) {
        if (home_sibling(names[i], path, &err) == RX_OK)
            continue;
        missing++;
        say(d, "programs", i < 2 ? FAIL : WARN,
            "build or install all of Routex into one folder", "%s", err.text);
    }
    if (missing == 0)
        say(d, "programs", OK, NULL, "all beside this one");
}

static void
check_mode(struct doctor *d, const char *path, unsigned most, bool secret)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return;
    if ((st.st_mode & 0777 & ~most) == 0 && st.st_uid == geteuid())
        return;
    say(d, "data dir", secret ? FAIL : WARN,
        "chmod it so, and let it belong to who runs Routex",
        "%s has mode %03o and owner %u; wanted %03o and %u", path,
        (unsigned)st.st_mode & 0777, (unsigned)st.st_uid, most,
        (unsigned)geteuid());
}

static void
check_data_dir(struct doctor *d)
{
    static const struct {
        const char *name;
        unsigned mode;
    } files[] = { { "master.key", 0600 }, { "join.token", 0600 },
        { "routex.db", 0600 }, { "run", 0700 } };
    const char *dir = d->c->data_dir;
    unsigned before = d->counts[WARN] + d->counts[FAIL];
    char path[HOME_PATH];

    if (access(dir, R_OK | W_OK | X_OK) != 0) {
        say(d, "data dir", FAIL,
            "routex up makes it; or name another with --data-dir", "%s: %s",
            dir, strerror(errno));
        return;
    }
    check_mode(d, dir, 0700, false);
    for (size_t i = 0; i < RX_COUNT(files); i++) {
        if (home_join(dir, files[i].name, path, NULL) == RX_OK)
            check_mode(d, path, files[i].mode, files[i].mode == 0600);
    }
    if (d->counts[WARN] + d->counts[FAIL] == before)
        say(d, "data dir", OK, NULL, "%s is ours alone", dir);
}

static void
check_disk(struct doctor *d)
{
    struct statvfs fs;
    uint64_t mib;

    if (statvfs(d->c->data_dir, &fs) != 0)
        return;
    mib = (uint64_t)fs.f_bavail * fs.f_frsize >> 20;
    if (mib < 1024)
        say(d, "disk", mib < 100 ? FAIL : WARN, "make room: usage is kept here",
            "%" PRIu64 " MiB free in %s", mib, d->c->data_dir);
    else
        say(d, "disk", OK, NULL, "%" PRIu64 " GiB free", mib >> 10);
}

static void
check_descriptors(struct doctor *d)
{
    struct rlimit most;

    if (getrlimit(RLIMIT_NOFILE, &most) != 0)
        return;
    if (most.rlim_max != RLIM_INFINITY && most.rlim_max < 65536)
        say(d, "descriptors", WARN,
            "raise the limit (ulimit -Hn, LimitNOFILE=): a stream takes two",
            "a process may open %" PRIu64, (uint64_t)most.rlim_max);
    else
        say(d, "descriptors", OK, NULL, "enough for %s streams",
            most.rlim_max == RLIM_INFINITY ? "any number of" : "30 000");
}

static void
check_clock(struct doctor *d)
{
    uint64_t now = rx_clock_wall_ms();
    char text[RX_TIME_SIZE];

    rx_time_format(now, text);
    /* The year of this version. */
    if (now < 1735689600000)
        say(d, "clock", FAIL, "set it: certificates and limits depend on it",
            "%s is in the past", text);
    else
        say(d, "clock", OK, NULL, "%s", text);
}

/* ---- what runs ---- */

static void
check_control(struct doctor *d)
{
    struct remote *r = &d->c->remote;
    struct rx_err err = { 0 };
    struct remote_answer answer = { 0 };

    if (remote_find(r, d->c->data_dir, d->c->o.url, d->c->o.token, &err) !=
        RX_OK) {
        char *line = strchr(err.text, '\n');

        if (line != NULL)
            *line = '\0';
        say(d, "control plane", FAIL, line != NULL ? line + 1 : "routex up",
            "%s", err.text);
        return;
    }
    d->c->remote_known = true;
    if (remote_call(r, "GET", "/api/settings", RX_S(""), &answer, &err) !=
        RX_OK) {
        say(d, "control plane", FAIL,
            answer.status == 401 ? "give the right token: ROUTEX_TOKEN"
                                 : "start it: routex up",
            "%s", err.text);
    } else {
        d->reachable = true;
        say(d, "control plane", OK, NULL, "%s answers in %u ms", r->url,
            answer.ms);
    }
    remote_answer_fini(&answer);
}

static void
check_plane(struct doctor *d, rx_json plane)
{
    rx_str name = rx_json_str(rx_json_find(plane, "id"));
    rx_str state = rx_json_str(rx_json_find(plane, "state"));
    size_t rejected = rx_json_count(rx_json_find(plane, "rejected"));
    uint64_t waiting = 0;

    (void)rx_json_u64(rx_json_find(plane, "journal.records"), &waiting);
    if (!rx_str_eq(state, RX_S("in_sync")))
        say(d, "data plane", WARN,
            "behind: wait a second; lost: look at its log; left: it was ended",
            RX_STR_FMT " is " RX_STR_FMT, RX_STR_ARG(name), RX_STR_ARG(state));
    else if (rejected > 0)
        say(d, "data plane", WARN, "routex status --json names them",
            RX_STR_FMT " cannot use %zu items", RX_STR_ARG(name), rejected);
    else if (waiting > 10000)
        say(d, "data plane", WARN, "is the control plane short of disk?",
            RX_STR_FMT " holds %" PRIu64 " records nobody has taken",
            RX_STR_ARG(name), waiting);
    else
        say(d, "data plane", OK, NULL, RX_STR_FMT " is in step",
            RX_STR_ARG(name));
}

static void
check_planes(struct doctor *d)
{
    struct remote_answer answer;
    struct rx_err err = { 0 };

    if (!d->reachable)
        return;
    if (remote_call(&d->c->remote, "GET", "/api/planes", RX_S(""), &answer,
            &err) == RX_OK) {
        rx_json list = answer.data;

        if (rx_json_count(list) == 0)
            say(d, "data planes", FAIL, "start one: routex-data, or routex up",
                "none has reported");
        for (rx_json p = rx_json_first(list); rx_json_there(p);
             p = rx_json_next(p))
            check_plane(d, p);
    } else {
        say(d, "data planes", WARN, NULL, "%s", err.text);
    }
    remote_answer_fini(&answer);
}

/* Does the port that clients use belong to a router that is well? */
static void
check_clients(struct doctor *d)
{
    char url[REMOTE_TEXT];
    char health[REMOTE_TEXT + 16];
    struct remote_answer answer = { 0 };
    struct rx_err err = { 0 };
    rx_str status;

    if (!home_told(d->c->data_dir, "up", 0, "client_url", url, sizeof(url)))
        return;
    snprintf(health, sizeof(health), "%s/health", url);
    if (remote_fetch(&d->c->remote, "GET", health, NULL, RX_S(""), &answer,
            &err) != RX_OK) {
        say(d, "clients", FAIL, "is it still running? routex up", "%s",
            err.text);
    } else {
        status =
            answer.doc == NULL
                ? RX_S("not Routex")
                : rx_json_str(rx_json_find(rx_json_root(answer.doc), "status"));
        say(d, "clients", rx_str_eq(status, RX_S("healthy")) ? OK : WARN,
            rx_str_eq(status, RX_S("healthy")) ? NULL
                                               : "see the channels below",
            "%s is " RX_STR_FMT, url, RX_STR_ARG(status));
    }
    remote_answer_fini(&answer);
}

static void
check_channel(struct doctor *d, rx_json channel)
{
    rx_str name = rx_json_str(rx_json_find(channel, "name"));
    rx_str status = rx_json_str(rx_json_find(channel, "status"));
    struct remote_answer answer;
    struct rx_err err = { 0 };
    struct rx_buf path;
    char word[256];

    snprintf(word, sizeof(word), RX_STR_FMT, RX_STR_ARG(name));
    if (!rx_str_eq(status, RX_S("enabled"))) {
        say(d, "channel", WARN, NULL, "%s is " RX_STR_FMT, word,
            RX_STR_ARG(status));
        return;
    }
    cli_path(&path, "/api/channels/", word, "/test");
    if (remote_call(&d->c->remote, "POST", path.ptr, RX_S("{}"), &answer,
            &err) != RX_OK)
        say(d, "channel", FAIL, "routex channel show has its settings",
            "%s: %s", word, err.text);
    else if (!rx_json_bool(rx_json_find(answer.data, "ok")))
        say(d, "channel", FAIL, "check its key and address",
            "%s does not answer as it should: " RX_STR_FMT, word,
            RX_STR_ARG(rx_json_str(rx_json_find(answer.data, "message"))));
    else
        say(d, "channel", OK, NULL, "%s answers in %u ms", word, answer.ms);
    remote_answer_fini(&answer);
    rx_buf_fini(&path);
}

static void
check_channels(struct doctor *d)
{
    struct remote_answer answer;
    struct rx_err err = { 0 };

    if (!d->reachable)
        return;
    if (remote_call(&d->c->remote, "GET", "/api/channels?limit=200", RX_S(""),
            &answer, &err) == RX_OK) {
        if (rx_json_count(answer.data) == 0)
            say(d, "channels", FAIL, "routex channel add", "there is none");
        for (rx_json k = rx_json_first(answer.data); rx_json_there(k);
             k = rx_json_next(k))
            check_channel(d, k);
    }
    remote_answer_fini(&answer);
}

static void (*const checks[])(struct doctor *d) = {
    check_programs,
    check_data_dir,
    check_disk,
    check_descriptors,
    check_clock,
    check_control,
    check_planes,
    check_clients,
    check_channels,
};

int
cmd_doctor(struct cli *c, int argc, char **argv)
{
    struct doctor d = { .c = c };

    (void)argc;
    (void)argv;
    d.json = rx_json_out(&c->out);
    if (c->o.json) {
        rx_json_open_object(&d.json, NULL);
        rx_json_open_array(&d.json, "checks");
    }
    for (size_t i = 0; i < RX_COUNT(checks); i++)
        checks[i](&d);
    if (c->o.json) {
        rx_json_close(&d.json);
        rx_json_put_bool(&d.json, "healthy", d.counts[FAIL] == 0);
        rx_json_close(&d.json);
        rx_buf_addc(&c->out, '\n');
    } else {
        rx_buf_addf(&c->out, "\n%u ok, %u to look at, %u wrong\n", d.counts[OK],
            d.counts[WARN], d.counts[FAIL]);
    }
    return d.counts[FAIL] == 0 ? CLI_OK : CLI_FAILED;
}
