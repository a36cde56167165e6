/*
 * startup.h - give back the memory that only starting took.
 *
 * Libraries run through megabytes of their code and tables once, to prepare
 * what we may never ask for (OpenSSL more than 3 MiB of it).  A while after the
 * start such pages are let go; what is needed again is mapped again from the
 * page cache, without reading a disk.
 */
#ifndef SHARED_STARTUP_H
#define SHARED_STARTUP_H

#include "shared/loop.h"

/* Zeroed before its first use. */
struct rx_startup {
    struct rx_timer over;
};

/* Do it in a second. */
void rx_startup_begin(struct rx_startup *s, struct rx_loop *loop);
void rx_startup_fini(struct rx_startup *s); /* idempotent */

#endif
