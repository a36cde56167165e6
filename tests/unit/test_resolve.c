/*
 * Names are looked up once for all who wait for them.
 */
#include <dirent.h>

#include "tests/unit/fetch_rig.h"

/* Whoever answers for names may be slow. */
#define PATIENCE_MS 60000

static int
threads(void)
{
    DIR *dir = opendir("/proc/self/task");
    int n = 0;

    while (readdir(dir) != NULL)
        n++;
    closedir(dir);
    return n - 2;
}

static void
a_name_is_looked_up_by_one_for_all(void)
{
    struct call calls[60] = { 0 };
    struct rx_client *client = client_new();
    struct rx_client_request r = ask(80, false, NULL);
    int most = 0;
    int ended = 0;
    int before = threads();

    r.connect_ms = PATIENCE_MS;
    r.target.host = RX_S("no-such-host.invalid");
    for (int i = 0; i < 60; i++)
        start(client, &calls[i], &r);
    rx_client_cancel(calls[30].call);
    uint64_t until = rx_clock_ms() + r.connect_ms;
    while (ended < 59 && rx_clock_ms() < until) {
        tick();
        most = threads() > most ? threads() : most;
        ended = 0;
        for (int i = 0; i < 60; i++)
            ended += calls[i].ended;
    }
    CHECK(most <= before + 1);
    CHECK_INT(59, ended);
    CHECK_INT(0, calls[30].ended);
    CHECK_TEXT(
        "dns: could not resolve host no-such-host.invalid", calls[59].why);
    rx_client_free(client);
}

static void
who_waits_for_a_name_goes_on_when_the_asker_leaves(void)
{
    struct call calls[3] = { 0 };
    struct rx_client *client = client_new();
    struct rx_client_request r = ask(port, false, NULL);

    r.target.host = RX_S("localhost");
    for (int i = 0; i < 3; i++)
        start(client, &calls[i], &r);
    rx_client_cancel(calls[0].call);
    int fds[2];
    for (int i = 0; i < 2; i++) {
        fds[i] = accepted();
        expect(fds[i], "GET / HTTP/1.1\r\nhost: t\r\n\r\n");
        say_text(fds[i], "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n12");
    }
    PUMP(calls[1].ended && calls[2].ended);
    CHECK_TEXT("", calls[1].why);
    CHECK_TEXT("", calls[2].why);
    rx_client_free(client);

    client = client_new(); /* the asker leaves while it asks */
    r.target.host = RX_S("no-such-host.invalid");
    for (int i = 0; i < 3; i++) {
        calls[i] = (struct call){ 0 };
        start(client, &calls[i], &r);
    }
    tick();
    tick();
    if (!calls[0].ended)
        rx_client_cancel(calls[0].call);
    PUMP(calls[1].ended && calls[2].ended);
    rx_client_free(client);
    close(fds[0]);
    close(fds[1]);
}

int
main(void)
{
    signal(SIGPIPE, SIG_IGN);
    RUN(a_name_is_looked_up_by_one_for_all);
    RUN(who_waits_for_a_name_goes_on_when_the_asker_leaves);
    return CHECK_EXIT();
}
