/*
 * tee_file.h - a file of lines that begins anew when it is full.
 *
 * "x.jsonl" becomes "x.jsonl.1", that "x.jsonl.2", and so on; those beyond the
 * number kept are removed.  Lines are written whole or not at all.
 */
#ifndef CONTROLPLANE_TEE_FILE_H
#define CONTROLPLANE_TEE_FILE_H

#include <stdint.h>

#include "shared/err.h"
#include "shared/str.h"

struct tee_file {
    const char *path; /* borrowed */
    uint64_t max_bytes, keep;
};

/* Append complete lines, in a new file (mode 0600) if the one there would grow
 * too large.  RX_UNAVAILABLE: the disk is full; RX_INTERNAL: no such folder,
 * no right to write. */
RX_NODISCARD enum rx_code tee_file_write(
    const struct tee_file *f, rx_str lines, struct rx_err *err);

#endif
