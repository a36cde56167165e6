/*
 * What only starting took of memory is let go, and nothing is lost with it.
 */
#include <stdio.h>
#include <stdlib.h>

#include "shared/startup.h"
#include "tests/unit/check.h"

/* KiB of files that are in our memory now. */
static long
mapped_files(void)
{
    char line[128];
    long kib = -1;
    FILE *f = fopen("/proc/self/status", "r");

    while (f != NULL && fgets(line, sizeof(line), f) != NULL)
        (void)sscanf(line, "RssFile: %ld kB", &kib);
    if (f != NULL)
        fclose(f);
    return kib;
}

/* A table with relocations: it is read-only, and not what its file says. */
static int
one(void)
{
    return 1;
}

static int
two(void)
{
    return 2;
}

static int (*const table[])(void) = { one, two };
static int written = 3;

static void
pages_of_code_go_and_come_back_when_they_are_needed(void)
{
    struct rx_loop *loop = rx_loop_new();
    struct rx_startup startup = { 0 };
    int (*const volatile *calls)(void) = table;

    written = 4;
    long before = mapped_files();
    rx_startup_begin(&startup, loop);
    while (rx_timer_is_set(&startup.over))
        rx_loop_tick(loop, true);
    long after = mapped_files();
    CHECK(before > 0);
    if (after >= before)
        fprintf(stderr, "%ld KiB before, %ld after\n", before, after);
    CHECK(after < before);
    CHECK_INT(1, calls[0]());
    CHECK_INT(2, calls[1]());
    CHECK_INT(4, written);
    rx_startup_fini(&startup);
    rx_startup_fini(&startup);
    rx_loop_free(loop);
}

int
main(void)
{
    CHECK_RUN(pages_of_code_go_and_come_back_when_they_are_needed);
    return CHECK_EXIT();
}
