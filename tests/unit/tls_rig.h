/*
 * tls_rig.h - a TLS server with a certificate of its own: openssl's s_server
 * with pipes for stdin and stdout.  What goes in is said to the client, what
 * the client says comes out (between lines of its own).
 */
#ifndef TESTS_TLS_RIG_H
#define TESTS_TLS_RIG_H

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "tests/unit/check.h"
#include "tests/unit/loopback.h"

static char tls_folder[] = "/tmp/routex-test-XXXXXX";
static char cert[64];
static char key[64];

struct tls {
    pid_t pid;
    int in;
    int out;
    uint16_t port;
    char *said; /* everything on its stdout */
    size_t said_len;
};

#define SAID_MAX ((size_t)16 << 20)

static inline pid_t
run(char *const argv[], int in, int out)
{
    posix_spawn_file_actions_t actions;
    pid_t pid = -1;

    posix_spawn_file_actions_init(&actions);
    if (in >= 0)
        posix_spawn_file_actions_adddup2(&actions, in, 0);
    if (out >= 0)
        posix_spawn_file_actions_adddup2(&actions, out, 1);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    CHECK_INT(0, posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ));
    posix_spawn_file_actions_destroy(&actions);
    return pid;
}

/* In whole arguments, so that no shell is needed. */
#define ARG(text) ((char *)(uintptr_t)(text))

static inline void
make_certificate(void)
{
    int status = -1;

    CHECK(mkdtemp(tls_folder) != NULL);
    snprintf(cert, sizeof(cert), "%s/cert.pem", tls_folder);
    snprintf(key, sizeof(key), "%s/key.pem", tls_folder);
    char *const argv[] = { ARG("openssl"), ARG("req"), ARG("-x509"),
        ARG("-newkey"), ARG("ec"), ARG("-pkeyopt"),
        ARG("ec_paramgen_curve:prime256v1"), ARG("-nodes"), ARG("-keyout"), key,
        ARG("-out"), cert, ARG("-days"), ARG("2"), ARG("-subj"),
        ARG("/CN=localhost"), ARG("-addext"),
        ARG("subjectAltName=DNS:localhost,IP:127.0.0.1"), NULL };
    waitpid(run(argv, -1, -1), &status, 0);
    CHECK_INT(0, status);
}

static inline void
drop_certificate(void)
{
    unlink(cert);
    unlink(key);
    rmdir(tls_folder);
}

static inline bool
tls_heard(struct tls *s, const char *text)
{
    ssize_t n = read(s->out, s->said + s->said_len, SAID_MAX - s->said_len);

    if (n > 0)
        s->said_len += (size_t)n;
    s->said[s->said_len] = '\0';
    return strstr(s->said, text) != NULL;
}

static inline void
tls_start(struct tls *s)
{
    int in[2];
    int out[2];
    char *const argv[] = { ARG("openssl"), ARG("s_server"), ARG("-accept"),
        ARG("127.0.0.1:0"), ARG("-cert"), cert, ARG("-key"), key, NULL };

    *s = (struct tls){ .said = calloc(1, SAID_MAX + 1) };
    CHECK_INT(0, pipe2(in, O_CLOEXEC));
    CHECK_INT(0, pipe2(out, O_CLOEXEC));
    s->pid = run(argv, in[0], out[1]);
    close(in[0]);
    close(out[1]);
    s->in = in[1];
    s->out = out[0];
    fcntl(s->out, F_SETFL, O_NONBLOCK);
    PUMP(tls_heard(s, "ACCEPT 127.0.0.1:") &&
         strchr(strstr(s->said, "ACCEPT"), '\n') != NULL);
    s->port =
        (uint16_t)strtoul(strstr(s->said, "ACCEPT 127.0.0.1:") + 17, NULL, 10);
}

static inline void
tls_stop(struct tls *s)
{
    kill(s->pid, SIGKILL);
    waitpid(s->pid, NULL, 0);
    close(s->in);
    close(s->out);
    free(s->said);
}

static inline void
tls_say(struct tls *s, const char *text)
{
    CHECK_INT((intmax_t)strlen(text), write(s->in, text, strlen(text)));
}

#endif
