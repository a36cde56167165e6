/*
 * load.c - the load generator of the bench: one thread, raw epoll.
 *
 *     bench_load --port N --mode closed|rate|stream|hold [options]
 *
 *   closed  every connection sends its next request as soon as it has the
 *           answer: how much goes through
 *   rate    requests at a constant rate; latency counts from when a request
 *           should have been sent, so a queue is not hidden
 *   stream  open streams, again and again; latency is from the upstream's
 *           sending of an event to its arrival here
 *   hold    opens streams, says so ("open N"), and holds them until its
 *           standard input ends
 *
 * Every answer is checked byte by byte, every stream for its deltas and its
 * end; one JSON object says what was seen between warm-up and end, and how
 * much CPU the processes given with --watch took in just that time, and for how
 * long they, this one and those of --near had to wait for a core.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/hist.h"
#include "tests/bench/message.h"
#include "tests/bench/request.h"
#include "tests/bench/wire.h"

#define BATCH       256
#define RECEIVE     (64 * 1024)
#define WATCHED     16
#define ERRORS_MAX  1000 /* then there is no point in going on */
#define OPENING_MAX 64   /* streams being opened at a time */
#define SECOND      1000000000ull

enum mode { CLOSED, RATE, STREAM, HOLD };

struct conn {
    int fd; /* -1: not connected */
    bool busy;
    bool opened;       /* its stream has had all deltas of its start */
    size_t sent;       /* of the request */
    size_t matched;    /* of the answer */
    unsigned deltas;   /* seen */
    bool stopped;      /* message_stop seen */
    uint64_t began_ns; /* when the request should have been sent */
    struct conn *next; /* idle */
    size_t line_len;
    char line[160]; /* the start of the line that is being read */
    struct message in;
};

/* CPU of a watched process, and how long its first thread waited for a core. */
struct watch {
    pid_t pid;
    bool near; /* another part of the rig: only its waiting is of interest */
    clockid_t clock;
    uint64_t cpu_ns;
    uint64_t waited_ns;
};

struct load {
    enum mode mode;
    struct request request;
    unsigned conns_wanted;
    double rate;
    double warmup_s;
    double window_s;

    int epoll;
    char *bytes; /* the request */
    size_t len;
    struct conn *conns;
    struct conn *idle;

    uint64_t first_ns; /* when the first request is due */
    double gap_ns;     /* between two that are due by the clock */
    uint64_t issued;   /* of those */
    uint64_t limit;
    unsigned opening;
    unsigned open;
    uint64_t begin_ns; /* the window */
    uint64_t end_ns;
    bool measuring;
    bool done;

    uint64_t answers; /* in the window */
    uint64_t events;
    uint64_t errors; /* always */
    char error[160]; /* the first */
    struct hist latency;
    struct watch watch[WATCHED];
    size_t watched;
    char receive[RECEIVE];
};

static void
die(const char *what)
{
    fprintf(stderr, "bench_load: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* ---- watched processes ------------------------------------------------- */

static uint64_t
cpu_of(const struct watch *w)
{
    struct timespec t;

    if (clock_gettime(w->clock, &t) < 0)
        return 0;
    return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

static uint64_t
waited_of(const struct watch *w)
{
    char path[64];
    unsigned long long ran = 0, waited = 0;
    FILE *f;

    snprintf(path, sizeof path, "/proc/%d/schedstat", (int)w->pid);
    f = fopen(path, "r");
    if (f == NULL)
        return 0;
    if (fscanf(f, "%llu %llu", &ran, &waited) != 2)
        waited = 0;
    fclose(f);
    return waited;
}

/* Called at both ends of the window: the second time leaves the difference. */
static void
watch_all(struct load *l)
{
    for (size_t i = 0; i < l->watched; i++) {
        struct watch *w = &l->watch[i];
        w->cpu_ns = cpu_of(w) - w->cpu_ns;
        w->waited_ns = waited_of(w) - w->waited_ns;
    }
}

/* ---- connections ------------------------------------------------------- */

static void conn_start(struct load *l, struct conn *c, uint64_t when);

static void
conn_idle(struct load *l, struct conn *c)
{
    c->busy = false;
    c->next = l->idle;
    l->idle = c;
}

static void
conn_close(struct conn *c)
{
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
}

static __attribute__((format(printf, 3, 4))) void
conn_fail(struct load *l, struct conn *c, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    if (l->errors++ == 0)
        vsnprintf(l->error, sizeof l->error, format, args);
    va_end(args);
    if (l->errors >= ERRORS_MAX)
        l->done = true;
    if (c->busy && !c->opened && l->mode == HOLD)
        l->opening--;
    conn_close(c);
    if (c->busy)
        conn_idle(l, c);
}

static bool
conn_connect(struct load *l, struct conn *c)
{
    struct sockaddr_in a = { .sin_family = AF_INET,
        .sin_port = htons((uint16_t)l->request.port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct epoll_event e = { .events = EPOLLIN | EPOLLOUT | EPOLLET,
        .data.ptr = c };
    int one = 1;

    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0)
        die("socket");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(c->fd, (struct sockaddr *)&a, sizeof a) < 0 &&
        errno != EINPROGRESS)
        return false;
    if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &e) < 0)
        die("epoll_ctl");
    return true;
}

static void
conn_send(struct load *l, struct conn *c)
{
    while (c->busy && c->sent < l->len) {
        ssize_t n =
            send(c->fd, l->bytes + c->sent, l->len - c->sent, MSG_NOSIGNAL);
        if (n >= 0) {
            c->sent += (size_t)n;
        } else if (errno == EAGAIN || errno == ENOTCONN) {
            return;
        } else {
            conn_fail(l, c, "send: %s", strerror(errno));
            return;
        }
    }
}

static void
conn_start(struct load *l, struct conn *c, uint64_t when)
{
    c->busy = true;
    c->opened = false;
    c->sent = 0;
    c->matched = 0;
    c->deltas = 0;
    c->stopped = false;
    c->line_len = 0;
    c->began_ns = when;
    message_init(&c->in, true);
    if (l->mode == HOLD)
        l->opening++;
    if (c->fd < 0 && !conn_connect(l, c))
        conn_fail(l, c, "connect: %s", strerror(errno));
    else
        conn_send(l, c);
}

/* ---- answers ----------------------------------------------------------- */

/* The last delta of a held stream has come: it is open. */
static void
stream_opened(struct load *l, struct conn *c)
{
    if (l->mode != HOLD || c->deltas < l->request.deltas)
        return;
    c->opened = true;
    l->opening--;
    if (++l->open == l->conns_wanted) {
        printf("open %u\n", l->open);
        fflush(stdout);
    }
}

static void
stream_line(struct load *l, struct conn *c)
{
    const char *stamp =
        memmem(c->line, c->line_len, BENCH_STAMP, sizeof BENCH_STAMP - 1);
    const char *end = c->line + c->line_len;
    uint64_t sent_us = 0;

    if (c->line_len == sizeof BENCH_STOP - 1 &&
        memcmp(c->line, BENCH_STOP, c->line_len) == 0)
        c->stopped = true;
    if (stamp == NULL)
        return;
    stamp += sizeof BENCH_STAMP - 1;
    if (end - stamp < BENCH_STAMP_DIGITS)
        return; /* then a delta is missing at the end, and that shows */
    for (int i = 0; i < BENCH_STAMP_DIGITS; i++)
        sent_us = sent_us * 10 + (uint64_t)(stamp[i] - '0');
    c->deltas++;
    if (l->measuring) {
        uint64_t now = bench_now_ns();
        l->events++;
        hist_add(&l->latency, now > sent_us * 1000 ? now - sent_us * 1000 : 0);
    }
    stream_opened(l, c);
}

static void
stream_bytes(struct load *l, struct conn *c, struct message_span s)
{
    while (s.len > 0) {
        const char *nl = memchr(s.at, '\n', s.len);
        size_t n = nl != NULL ? (size_t)(nl - s.at) + 1 : s.len;
        size_t room = sizeof c->line - c->line_len;
        size_t keep = n < room ? n : room;

        memcpy(c->line + c->line_len, s.at, keep);
        c->line_len += keep;
        if (nl != NULL) {
            stream_line(l, c);
            c->line_len = 0;
        }
        s.at += n;
        s.len -= n;
    }
}

static bool
answer_bytes(struct load *l, struct conn *c, struct message_span s)
{
    static const char want[] = BENCH_ANSWER;

    if (l->request.stream) {
        stream_bytes(l, c, s);
        return true;
    }
    if (s.len > sizeof want - 1 - c->matched ||
        memcmp(want + c->matched, s.at, s.len) != 0)
        return false;
    c->matched += s.len;
    return true;
}

static bool
answer_whole(const struct load *l, const struct conn *c)
{
    if (c->sent < l->len)
        return false;
    if (l->request.stream)
        return l->mode == STREAM && c->stopped &&
               c->deltas == l->request.deltas;
    return c->matched == sizeof BENCH_ANSWER - 1;
}

static void
answer_end(struct load *l, struct conn *c)
{
    uint64_t now = bench_now_ns();

    if (c->in.status != 200 || !answer_whole(l, c)) {
        conn_fail(l, c, "an answer of status %d, %zu bytes, %u deltas",
            c->in.status, c->matched, c->deltas);
        return;
    }
    if (l->measuring) {
        l->answers++;
        if (!l->request.stream)
            hist_add(&l->latency, now - c->began_ns);
    }
    if (c->in.close)
        conn_close(c);
    if (l->mode == RATE || now >= l->end_ns)
        conn_idle(l, c);
    else
        conn_start(l, c, now);
}

/* False when the connection has failed and nothing more is to be read. */
static bool
conn_take(struct load *l, struct conn *c, const char *at, const char *end)
{
    struct message_span body;

    for (;;) {
        if (!c->busy && at < end) {
            conn_fail(l, c, "bytes behind the answer");
            return false;
        }
        switch (message_read(&c->in, &at, end, &body)) {
        case MESSAGE_MORE: return true;
        case MESSAGE_BAD:
            conn_fail(l, c, "bad framing: %.100s", c->in.head);
            return false;
        case MESSAGE_BODY:
            if (c->in.status == 200 && !answer_bytes(l, c, body)) {
                conn_fail(l, c, "another answer: %.*s",
                    (int)(body.len < 100 ? body.len : 100), body.at);
                return false;
            }
            break;
        case MESSAGE_DONE:
            if (at < end) {
                conn_fail(l, c, "bytes behind the answer");
                return false;
            }
            answer_end(l, c);
            return c->fd >= 0;
        }
    }
}

static void
conn_receive(struct load *l, struct conn *c)
{
    while (c->fd >= 0) {
        ssize_t n = recv(c->fd, l->receive, RECEIVE, 0);

        if (n < 0 && errno == EAGAIN)
            return;
        if (n == 0 && !c->busy) {
            conn_close(c); /* an idle connection may be closed */
            return;
        }
        if (n <= 0) {
            conn_fail(l, c, n == 0 ? "closed within an answer" : "recv: %s",
                strerror(errno));
            return;
        }
        if (!conn_take(l, c, l->receive, l->receive + n))
            return;
        if (n < RECEIVE)
            return; /* edge-triggered: a short read has emptied the socket */
    }
}

/* ---- the clock --------------------------------------------------------- */

/* Starts what is due; returns how long until the next, at most a second. */
static uint64_t
issue_due(struct load *l, uint64_t now)
{
    while (l->issued < l->limit && l->idle != NULL && !l->done) {
        uint64_t due = l->first_ns + (uint64_t)((double)l->issued * l->gap_ns);
        struct conn *c = l->idle;

        if (due >= l->end_ns || (l->mode == HOLD && l->opening >= OPENING_MAX))
            break;
        if (due > now)
            return due - now < SECOND ? due - now : SECOND;
        l->issued++;
        l->idle = c->next;
        conn_start(l, c, due);
    }
    return SECOND;
}

/* The window opens and closes here; returns how long until it does. */
static uint64_t
window_step(struct load *l, uint64_t now)
{
    if (l->mode == HOLD)
        return SECOND;
    if (!l->measuring && now >= l->begin_ns) {
        watch_all(l);
        l->begin_ns = bench_now_ns();
        l->measuring = true;
    }
    if (l->measuring && now >= l->end_ns) {
        watch_all(l);
        l->end_ns = bench_now_ns();
        l->done = true;
    }
    now = l->measuring ? l->end_ns - now : l->begin_ns - now;
    return l->done ? 0 : now;
}

static void
on_input(struct load *l)
{
    char byte;

    if (read(STDIN_FILENO, &byte, 1) <= 0) {
        l->end_ns = bench_now_ns();
        l->done = true;
    }
}

static void
run(struct load *l)
{
    struct epoll_event events[BATCH];

    while (!l->done) {
        uint64_t now = bench_now_ns();
        uint64_t wait = issue_due(l, now);
        uint64_t edge = window_step(l, now);
        struct timespec t = { 0, 0 };
        int n;

        if (edge < wait)
            wait = edge;
        t.tv_sec = (time_t)(wait / SECOND);
        t.tv_nsec = (long)(wait % SECOND);
        n = epoll_pwait2(l->epoll, events, BATCH, &t, NULL);
        if (n < 0 && errno != EINTR)
            die("epoll");
        for (int i = 0; i < n && !l->done; i++) {
            struct conn *c = events[i].data.ptr;

            if (c == NULL) {
                on_input(l);
                continue;
            }
            if (c->busy && (events[i].events & EPOLLOUT) != 0)
                conn_send(l, c);
            if ((events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
                conn_receive(l, c);
        }
    }
}

/* ---- from options to JSON ---------------------------------------------- */

static void
print_text(const char *s)
{
    for (; *s != '\0'; s++) {
        if (*s == '"' || *s == '\\')
            putchar('\\');
        putchar((unsigned char)*s < ' ' ? ' ' : *s);
    }
}

static void
print_result(const struct load *l)
{
    double s = (double)(l->end_ns - l->begin_ns) / 1e9;
    uint64_t cpu = 0, waited = 0;
    /* Of a constant rate, what should have been sent and was not. */
    double behind =
        l->mode != RATE
            ? 0
            : (double)(l->end_ns - l->first_ns) / l->gap_ns - (double)l->issued;

    for (size_t i = 0; i < l->watched; i++) {
        cpu += l->watch[i].near ? 0 : l->watch[i].cpu_ns;
        waited += l->watch[i].waited_ns;
    }
    printf("{\"seconds\":%.3f,\"answers\":%llu,\"events\":%llu,", s,
        (unsigned long long)l->answers, (unsigned long long)l->events);
    printf("\"rps\":%.1f,\"events_per_s\":%.1f,", (double)l->answers / s,
        (double)l->events / s);
    printf("\"p50_us\":%.1f,\"p90_us\":%.1f,\"p99_us\":%.1f,\"max_us\":%.1f,",
        (double)hist_at(&l->latency, 0.50) / 1e3,
        (double)hist_at(&l->latency, 0.90) / 1e3,
        (double)hist_at(&l->latency, 0.99) / 1e3, (double)l->latency.max / 1e3);
    printf("\"cpu_us\":%.1f,\"waited_us\":%.1f,\"open\":%u,\"behind\":%.0f,",
        (double)cpu / 1e3, (double)waited / 1e3, l->open,
        behind < 1 ? 0.0 : behind);
    printf("\"errors\":%llu,\"error\":\"", (unsigned long long)l->errors);
    print_text(l->error);
    printf("\"}\n");
}

static double
number(const char *text)
{
    char *end;
    double value = strtod(text, &end);

    if (*text == '\0' || *end != '\0' || !(value >= 0)) {
        fprintf(stderr, "bench_load: not a number: %s\n", text);
        exit(2);
    }
    return value;
}

static enum mode
mode_named(const char *name)
{
    static const char *const names[] = { "closed", "rate", "stream", "hold" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(name, names[i]) == 0)
            return (enum mode)i;
    }
    fprintf(stderr, "bench_load: no such mode: %s\n", name);
    exit(2);
}

static void
watch_add(struct load *l, pid_t pid, bool near)
{
    struct watch *w = &l->watch[l->watched];

    if (l->watched == WATCHED)
        return;
    w->pid = pid;
    w->near = near;
    if (clock_getcpuclockid(w->pid, &w->clock) != 0)
        die("watch");
    l->watched++;
}

static void
read_options(struct load *l, int argc, char **argv)
{
    static const struct option options[] = {
        { "port", required_argument, NULL, 'p' },
        { "mode", required_argument, NULL, 'm' },
        { "conns", required_argument, NULL, 'c' },
        { "rate", required_argument, NULL, 'r' },
        { "warmup", required_argument, NULL, 'w' },
        { "seconds", required_argument, NULL, 's' },
        { "body", required_argument, NULL, 'b' },
        { "deltas", required_argument, NULL, 'd' },
        { "key", required_argument, NULL, 'k' },
        { "path", required_argument, NULL, 'u' },
        { "watch", required_argument, NULL, 'o' },
        { "near", required_argument, NULL, 'n' },
        { NULL, 0, NULL, 0 },
    };
    int opt;

    while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (opt) {
        case 'p': l->request.port = (unsigned)number(optarg); break;
        case 'm': l->mode = mode_named(optarg); break;
        case 'c': l->conns_wanted = (unsigned)number(optarg); break;
        case 'r': l->rate = number(optarg); break;
        case 'w': l->warmup_s = number(optarg); break;
        case 's': l->window_s = number(optarg); break;
        case 'b': l->request.body = (size_t)number(optarg); break;
        case 'd': l->request.deltas = (unsigned)number(optarg); break;
        case 'k': l->request.key = optarg; break;
        case 'u': l->request.path = optarg; break;
        case 'o': watch_add(l, (pid_t)number(optarg), false); break;
        case 'n': watch_add(l, (pid_t)number(optarg), true); break;
        default: exit(2);
        }
    }
    if (l->request.body < REQUEST_BODY_MIN || l->conns_wanted == 0 ||
        l->rate <= 0 || l->request.deltas == 0) {
        fprintf(stderr, "bench_load: body, conns, rate or deltas too small\n");
        exit(2);
    }
}

/* Which requests start by the clock: all of a rate, else each first. */
static void
plan(struct load *l)
{
    l->request.stream = l->mode == STREAM || l->mode == HOLD;
    l->request.hold = l->mode == HOLD;
    l->bytes = request_build(&l->request, &l->len);
    l->limit = l->mode == RATE ? UINT64_MAX : l->conns_wanted;
    if (l->mode == RATE)
        l->gap_ns = 1e9 / l->rate;
    if (l->mode == STREAM) /* spread over the life of one */
        l->gap_ns = BENCH_PACE_US * 1e3 * l->request.deltas / l->conns_wanted;
    l->first_ns = bench_now_ns();
    l->begin_ns = l->first_ns + (uint64_t)(l->warmup_s * 1e9);
    l->end_ns = l->begin_ns + (uint64_t)(l->window_s * 1e9);
    if (l->mode == HOLD)
        l->end_ns = UINT64_MAX;
}

static void
open_rig(struct load *l)
{
    struct epoll_event e = { .events = EPOLLIN, .data.ptr = NULL };

    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (l->epoll < 0)
        die("epoll");
    if (l->mode == HOLD &&
        epoll_ctl(l->epoll, EPOLL_CTL_ADD, STDIN_FILENO, &e) < 0)
        die("standard input");
    l->conns = calloc(l->conns_wanted, sizeof *l->conns);
    if (l->conns == NULL)
        die("memory");
    for (unsigned i = l->conns_wanted; i-- > 0;) {
        l->conns[i].fd = -1;
        conn_idle(l, &l->conns[i]);
    }
}

int
main(int argc, char **argv)
{
    static struct load l = {
        .request = { .body = 1024,
            .deltas = 64,
            .key = "bench",
            .path = "/v1/messages" },
        .conns_wanted = 32,
        .rate = 2000,
        .warmup_s = 0.5,
        .window_s = 3,
    };
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_TIMERSLACK, 1ul);
    read_options(&l, argc, argv);
    watch_add(&l, getpid(), true);
    open_rig(&l);
    plan(&l);
    run(&l);
    print_result(&l);
    return l.errors == 0 ? 0 : 1;
}
