/*
 * db_copy.h - whole stores: copied while they are in use, and looked over.
 *
 * These open connections of their own and may run on any thread; the store in
 * use goes on being read and written meanwhile.
 */
#ifndef CONTROLPLANE_DB_COPY_H
#define CONTROLPLANE_DB_COPY_H

#include <stdatomic.h>
#include <stdint.h>

#include "controlplane/migrations.h"
#include "shared/attr.h"
#include "shared/err.h"

/*
 * The state of one moment, into a new file (mode 0600) that needs no other
 * beside it, and is on disk when this returns.  *stop (may be NULL) ends it
 * early: RX_CANCELLED.  On failure there is no file.
 */
RX_NODISCARD enum rx_code db_copy(const char *from, const char *to,
    const atomic_bool *stop, struct rx_err *err);

struct db_facts {
    uint64_t schema; /* its last migration */
    uint64_t requests, channels;
};
/*
 * Read all of it: is every page sound, and is it a store of ours that this
 * program understands?  RX_INTERNAL damaged, RX_CONFLICT not ours or too new.
 */
RX_NODISCARD enum rx_code db_verify(const char *path,
    const struct migration *history, const atomic_bool *stop,
    struct db_facts *out, struct rx_err *err);

#endif
