/*
 * home.h - where things are: the data directory, the programs beside us, the
 * platform we run on, and the files in which the planes tell about themselves.
 */
#ifndef CLI_HOME_H
#define CLI_HOME_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "shared/buf.h"
#include "shared/err.h"

#define HOME_PATH 4096

/* The hosting platform that shows in the environment, or NULL. */
const char *home_platform(void);

/* Data directory when nobody named one: /data on a platform, else ~/.routex. */
RX_NODISCARD enum rx_code home_default_dir(
    char out[HOME_PATH], struct rx_err *err);

/* Make `dir` and dir/run of mode 0700 if they are not there. */
RX_NODISCARD enum rx_code home_make_dir(const char *dir, struct rx_err *err);

/* Absolute path of a program that lies beside the running one. */
RX_NODISCARD enum rx_code home_sibling(
    const char *name, char out[HOME_PATH], struct rx_err *err);

/* dir/name, or RX_TOO_BIG. */
RX_NODISCARD enum rx_code home_join(
    const char *dir, const char *name, char out[HOME_PATH], struct rx_err *err);

/* The whole of a small file.  RX_NOT_FOUND when it is not there. */
RX_NODISCARD enum rx_code home_read(
    const char *path, struct rx_buf *out, struct rx_err *err);
/* Replace a file by its new content at once, mode 0600. */
RX_NODISCARD enum rx_code home_write(
    const char *path, rx_str content, struct rx_err *err);

/*
 * What a daemon wrote in dir/run/<name>.json: member `field`, if the daemon is
 * the process `pid` (0: any).  False when it has not (yet) been written.
 */
bool home_told(const char *dir, const char *name, pid_t pid, const char *field,
    char *out, size_t size);

#endif
