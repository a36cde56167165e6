#include "controlplane/cli/child.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "shared/log.h"

#define FIRST_WAIT_MS   100
#define LONGEST_WAIT_MS 5000
#define HEALTHY_MS      10000

static void spawn(struct child *c);

static void
close_output(struct child *c)
{
    if (c->output != NULL)
        event_free(c->output);
    c->output = NULL;
    if (c->output_fd >= 0)
        close(c->output_fd);
    c->output_fd = -1;
}

static void
read_output(struct child *c)
{
    char bytes[4096];
    ssize_t n;

    if (c->output_fd < 0)
        return;
    while ((n = read(c->output_fd, bytes, sizeof(bytes))) > 0)
        c->on_output(c->set->arg, (rx_str){ bytes, (size_t)n });
    if (n == 0)
        close_output(c);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    read_output(arg);
}

static uint64_t
back_off(const struct child *c)
{
    unsigned shift = c->failures < 8 ? c->failures : 8;
    uint64_t wait_ms = (uint64_t)FIRST_WAIT_MS << shift;

    return wait_ms < LONGEST_WAIT_MS ? wait_ms : LONGEST_WAIT_MS;
}

static void
ended(struct child *c, int status)
{
    read_output(c);
    close_output(c);
    c->pid = 0;
    if (c->state == CHILD_STOPPING) {
        c->state = CHILD_IDLE;
    } else {
        if (rx_loop_ms(c->set->loop) - c->started_ms >= HEALTHY_MS)
            c->failures = 0;
        c->state = CHILD_WAITING;
        rx_timer_set(&c->again, back_off(c));
        rx_warn("child.ended", "name=%s end=%s again_ms=%llu", c->name,
            rx_log_quote(child_end_words(status)),
            (unsigned long long)back_off(c));
        c->failures++;
    }
    c->set->on_end(c->set->arg, c, status);
}

static struct child *
find(struct child_set *set, pid_t pid)
{
    struct rx_link *l;

    RX_LIST_FOREACH(l, &set->list) {
        struct child *c = RX_LIST_ITEM(l, struct child, link);

        if (c->pid == pid)
            return c;
    }
    return NULL;
}

static void
reap(void *arg, int signo)
{
    struct child_set *set = arg;
    int status;
    pid_t pid;

    (void)signo;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        struct child *c = find(set, pid);

        if (c != NULL)
            ended(c, status);
    }
}

void
child_set_init(struct child_set *set, struct rx_loop *loop,
    void (*on_start)(void *arg, struct child *child),
    void (*on_end)(void *arg, struct child *child, int status), void *arg)
{
    set->loop = loop;
    set->on_start = on_start;
    set->on_end = on_end;
    set->arg = arg;
    rx_list_init(&set->list);
    rx_loop_signal(loop, SIGCHLD, reap, set);
}

unsigned
child_set_running(const struct child_set *set)
{
    struct rx_link *l;
    unsigned n = 0;

    RX_LIST_FOREACH(l, &set->list)
        n += RX_LIST_ITEM(l, struct child, link)->pid != 0;
    return n;
}

static void
start_again(void *arg)
{
    spawn(arg);
}

void
child_init(struct child *c, struct child_set *set, const char *name)
{
    memset(c, 0, sizeof(*c));
    c->name = name;
    c->set = set;
    c->output_fd = -1;
    rx_timer_init(&c->again, set->loop, start_again, c);
    rx_list_append(&set->list, &c->link);
}

void
child_clear(struct child *c)
{
    for (unsigned i = 0; i < c->argc; i++)
        free(c->argv[i]);
    memset(c->argv, 0, sizeof(c->argv));
    c->argc = 0;
}

void
child_fini(struct child *c)
{
    rx_timer_fini(&c->again);
    close_output(c);
    child_clear(c);
    rx_list_remove(&c->set->list, &c->link);
}

void
child_arg(struct child *c, const char *arg)
{
    assert(c->argc + 1 < CHILD_ARGS);
    c->argv[c->argc] = strdup(arg);
    if (c->argv[c->argc++] == NULL)
        abort();
}

/* In the new process; does not return. */
static void
become(const struct child *c, int output, pid_t parent)
{
    sigset_t none;

    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(0);
    signal(SIGPIPE, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (output >= 0)
        dup2(output, STDOUT_FILENO);
    execv(c->argv[0], c->argv);
    dprintf(STDERR_FILENO, "routex: %s: %s\n", c->argv[0], strerror(errno));
    _exit(127);
}

static void
watch_output(struct child *c, int fd)
{
    c->output_fd = fd;
    c->output = event_new(
        rx_loop_base(c->set->loop), fd, EV_READ | EV_PERSIST, on_readable, c);
    if (c->output == NULL)
        abort();
    event_add(c->output, NULL);
}

static void
spawn(struct child *c)
{
    int ends[2] = { -1, -1 };
    pid_t parent = getpid();

    if (c->on_output != NULL && pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
        abort();
    c->pid = fork();
    if (c->pid == 0) {
        if (ends[1] >= 0)
            fcntl(ends[1], F_SETFL, 0); // ours only: theirs may wait
        become(c, ends[1], parent);
    }
    if (ends[1] >= 0)
        close(ends[1]);
    c->started_ms = rx_loop_ms(c->set->loop);
    c->state = CHILD_RUNNING;
    if (c->pid < 0) {
        rx_error("child.fork", "name=%s errno=%d", c->name, errno);
        c->pid = 0;
        c->state = CHILD_WAITING;
        rx_timer_set(&c->again, LONGEST_WAIT_MS);
        if (ends[0] >= 0)
            close(ends[0]);
        return;
    }
    if (ends[0] >= 0)
        watch_output(c, ends[0]);
    rx_info("child.started", "name=%s pid=%d", c->name, (int)c->pid);
    if (c->set->on_start != NULL)
        c->set->on_start(c->set->arg, c);
}

void
child_start(struct child *c)
{
    if (c->state == CHILD_IDLE)
        spawn(c);
}

void
child_stop(struct child *c)
{
    switch (c->state) {
    case CHILD_RUNNING:
        c->state = CHILD_STOPPING;
        child_signal(c, SIGTERM);
        break;
    case CHILD_WAITING:
        rx_timer_unset(&c->again);
        c->state = CHILD_IDLE;
        break;
    case CHILD_IDLE:
    case CHILD_STOPPING: break;
    }
}

void
child_signal(const struct child *c, int signo)
{
    if (c->pid > 0)
        kill(c->pid, signo);
}

const char *
child_end_words(int status)
{
    static char words[64];

    if (WIFSIGNALED(status))
        snprintf(words, sizeof(words), "signal %d (%s)", WTERMSIG(status),
            strsignal(WTERMSIG(status)));
    else
        snprintf(words, sizeof(words), "exit code %d", WEXITSTATUS(status));
    return words;
}
