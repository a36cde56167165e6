/*
 * up_tell.c - what `routex up` says to its user, and the ports it takes.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "controlplane/cli/prompt.h"
#include "controlplane/cli/up.h"
#include "shared/messages.h"

static void
tell_try(const struct up_told *t)
{
    bool first = t->client_key[0] != '\0';

    prompt_say("up.try", NULL, NULL);
    printf(
        "    curl %s/v1/messages -H 'content-type: application/json' \\\n"
        "      -H %sx-api-key: %s%s -d '{\"model\":\"%s\",\"max_tokens\":100,"
        "\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}'\n",
        t->client_url, first ? "'" : "\"",
        first ? t->client_key : "$ROUTEX_KEY", first ? "'" : "\"",
        t->demo ? "demo" : "claude-sonnet-4-5");
    if (!t->demo)
        return;
    prompt_say("up.demo", NULL, NULL);
    printf("    routex channel add main --type anthropic --api-key-stdin\n");
}

/* With as many words as the message wants. */
static void
say(const char *code, const char *const *args)
{
    struct rx_buf text;

    rx_buf_init(&text, 64 << 10);
    rx_message_add(&text, rx_lang_of_environment(), code, args);
    fwrite(text.ptr, 1, text.len, stdout);
    rx_buf_fini(&text);
}

void
up_banner(const struct up_told *t)
{
    char planes[16];
    const char *where[] = { t->client_url, t->admin_url, t->data_dir, planes,
        NULL };
    const char *first[] = { t->admin_token, t->client_key, NULL };

    snprintf(planes, sizeof(planes), "%u", t->planes);
    prompt_say(t->platform != NULL ? "up.is_up_on" : "up.is_up", ROUTEX_VERSION,
        t->platform);
    say("up.where", where);
    if (t->dashboard_url[0] != '\0')
        prompt_say("up.dashboard", t->dashboard_url, NULL);
    if (t->admin_token[0] != '\0')
        say("up.first", first);
    tell_try(t);
    prompt_say("up.end", NULL, NULL);
}

/* ---- ports ---- */

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static bool
address_of(const char *host, uint16_t port, union address *a, socklen_t *size)
{
    memset(a, 0, sizeof(*a));
    if (inet_pton(AF_INET, host, &a->v4.sin_addr) == 1) {
        a->v4.sin_family = AF_INET;
        a->v4.sin_port = htons(port);
        *size = sizeof(a->v4);
        return true;
    }
    if (inet_pton(AF_INET6, host, &a->v6.sin6_addr) == 1) {
        a->v6.sin6_family = AF_INET6;
        a->v6.sin6_port = htons(port);
        *size = sizeof(a->v6);
        return true;
    }
    return false;
}

static int
bound(const union address *a, socklen_t size, bool share)
{
    int fd = socket(a->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int yes = 1;

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (share)
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof(yes));
    if (bind(fd, &a->any, size) != 0) {
        int why = errno;

        close(fd);
        errno = why;
        return -1;
    }
    return fd;
}

enum rx_code
up_hold_port(
    const char *host, uint16_t port, uint16_t *out, int *fd, struct rx_err *err)
{
    union address a;
    socklen_t size;
    int alone;

    if (!address_of(host, port, &a, &size))
        return rx_fail(err, RX_INVALID, "--host %s: not an IP address", host);
    /* Without sharing first: somebody else's server must not go unnoticed. */
    alone = port == 0 ? -1 : bound(&a, size, false);
    if (alone >= 0)
        close(alone);
    *fd = port != 0 && alone < 0 ? -1 : bound(&a, size, true);
    if (*fd < 0)
        return rx_fail(err, RX_CONFLICT,
            "port %u of %s: %s\nFree it, or choose another with --port.",
            (unsigned)port, host, strerror(errno));
    if (getsockname(*fd, &a.any, &size) != 0)
        return rx_fail(err, RX_INTERNAL, "getsockname: %s", strerror(errno));
    *out = ntohs(a.any.sa_family == AF_INET ? a.v4.sin_port : a.v6.sin6_port);
    return RX_OK;
}
