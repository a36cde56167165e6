/*
 * place.h - where the control plane keeps what on this machine.
 *
 *   <data-dir>/            0700
 *     routex.db            the store
 *     master.key           0600
 *     join.token           0600
 *     agents/              a file per agent
 *     backups/             0700
 *     tees/                0700; what tees write: controlplane/tee.h
 *     run/                 0700
 *       pub.sock pull.sock
 *       control.json       who and where we are, while we run
 */
#ifndef CONTROLPLANE_PLACE_H
#define CONTROLPLANE_PLACE_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/attr.h"
#include "shared/err.h"

#define PLACE_PATH_MAX 1024

struct place {
    char data_dir[PLACE_PATH_MAX];
    char database[PLACE_PATH_MAX];
    char master_key[PLACE_PATH_MAX];
    char join_token[PLACE_PATH_MAX];
    char publish[PLACE_PATH_MAX]; /* URL */
    char pull[PLACE_PATH_MAX];    /* URL */
    char publish_lock[PLACE_PATH_MAX];
    char backups[PLACE_PATH_MAX];
    char agents[PLACE_PATH_MAX];
    char tees[PLACE_PATH_MAX];
    char told[PLACE_PATH_MAX]; /* control.json */
};

/* NULL: the usual. */
struct place_wishes {
    const char *data_dir;
    const char *database;
    const char *master_key;
    const char *publish;
    const char *pull;
};

/* Work out all paths and make the folders. */
RX_NODISCARD enum rx_code place_prepare(
    struct place *p, const struct place_wishes *wishes, struct rx_err *err);
/*
 * Write control.json, whole or not at all: from now on others find us.
 */
RX_NODISCARD enum rx_code place_tell(const struct place *p, const char *host,
    uint16_t admin_port, bool dashboard, struct rx_err *err);
void place_untell(const struct place *p);

#endif
