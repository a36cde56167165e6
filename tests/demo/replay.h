/*
 * replay.h - answers that are recordings of real providers.
 *
 * A case is a folder with meta.json and the bytes of the body; see the FORMAT
 * page of the recordings.  Cases are read when first asked for, and kept.
 */
#ifndef DEMO_REPLAY_H
#define DEMO_REPLAY_H

#include "shared/err.h"
#include "shared/str.h"
#include "tests/demo/script.h"

struct replay;

/* `dir` is borrowed for the replay's life. */
RX_NODISCARD struct replay *replay_new(const char *dir);
void replay_free(struct replay *r);
/*
 * Copy the recorded reply of case `id` into `s`: status, headers, body.  The
 * events of a stream end where they did when recorded, as far as that is known.
 */
RX_NODISCARD enum rx_code replay_case(
    struct replay *r, rx_str id, struct script *s, struct rx_err *err);

#endif
