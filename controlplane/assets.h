/*
 * assets.h - the files of the built dashboard, and who gets which of them.
 *
 *   <folder>/index.html          every page of it; asked for again each time
 *            assets/x-<hash>.js  never changes: kept for a year
 *            *.br, *.gz          the same file, packed, for those who take it
 *
 * Only files found when the folder was read have a name here, so no path leads
 * out of it.  When one of them is not what it was, the folder is read again: a
 * new build shows without a restart.
 */
#ifndef CONTROLPLANE_ASSETS_H
#define CONTROLPLANE_ASSETS_H

#include <stdbool.h>

#include "shared/arena.h"
#include "shared/buf.h"
#include "shared/err.h"
#include "shared/str.h"

struct assets;

/* `folder` NULL: where a build or an installation has it, as seen from the
 * program.  NULL when there is no dashboard. */
RX_NODISCARD struct assets *assets_open(const char *folder);
void assets_free(struct assets *a); /* NULL is allowed */

/* What a request says that matters here. */
struct assets_ask {
    rx_str path; /* behind "/dashboard", decoded: "", "/channels" */
    rx_str accept_encoding;
    rx_str if_none_match;
};
/*
 * Status 200 with the file in `body`, or 304; either with its `headers`.
 * RX_NOT_FOUND when there is none.
 */
struct assets_answer {
    int status;
    const char *type;
    struct rx_buf *headers;
    struct rx_buf *body;
};
RX_NODISCARD enum rx_code assets_get(struct assets *a,
    const struct assets_ask *ask, struct assets_answer *out,
    struct rx_err *err);

#endif
