/*
 * up.h - `routex up`: both planes on one machine.
 */
#ifndef CLI_UP_H
#define CLI_UP_H

#include <stdbool.h>
#include <stdint.h>

#include "controlplane/cli/home.h"
#include "shared/conf.h"

struct up_options {
    const char *data_dir;
    const char *host;
    const char *admin_host;
    uint16_t port;
    uint16_t admin_port;
    uint64_t planes;
    uint64_t drain_ms;
    bool json;
    bool yes;
};

extern const struct rx_conf_row up_rows[];
/* Runs until it is told to end; returns the exit code. */
int up_main(int argc, char **argv);

/* What the banner tells. */
struct up_told {
    const char *client_url;
    const char *admin_url;
    const char *dashboard_url; /* empty: there is none */
    const char *data_dir;
    const char *admin_token; /* empty unless this is the first start */
    const char *client_key;
    const char *platform; /* may be NULL */
    unsigned planes;
    bool demo;
};
void up_banner(const struct up_told *told);

/* A free port of `host`, or `port` itself if it is free.  The socket keeps it
 * for programs that share it (SO_REUSEPORT) until it is closed. */
RX_NODISCARD enum rx_code up_hold_port(const char *host, uint16_t port,
    uint16_t *out, int *fd, struct rx_err *err);

#endif
