/*
 * vault.h - secrets at rest.
 *
 * A secret is sealed with a key derived from the master key file, and bound to
 * the row and column it is kept in, so that a sealed value moved to another row
 * does not open there.  The vault knows its own master key: a store opened with
 * another one, or with none, is refused and left as it is.
 */
#ifndef CONTROLPLANE_VAULT_H
#define CONTROLPLANE_VAULT_H

#include "controlplane/db.h"
#include "shared/buf.h"
#include "shared/err.h"
#include "shared/str.h"

struct vault;

/*
 * `key_file` is made when neither it nor anything sealed exists yet.
 * RX_NOT_FOUND: it is lost.  RX_DENIED: it is not the one this store was sealed
 * with, or others may read it.
 */
RX_NODISCARD enum rx_code vault_open(struct vault **out, struct db *db,
    const char *key_file, struct rx_err *err);
/*
 * The key is lost: forget all that was sealed with it, so that a new one can be
 * made.  Inside a transaction.  `names`: the channels that lose their keys.
 */
RX_NODISCARD enum rx_code vault_forget(
    struct db *db, struct rx_buf *names, struct rx_err *err);
void vault_close(struct vault *v); /* wipes the key; NULL is allowed */

/* `place` names the column, `id` the row: "credential.secret", "crd_…". */
void vault_seal(struct vault *v, const char *place, rx_str id, rx_str secret,
    struct rx_buf *out);
/* RX_DENIED: it was not sealed here, or was changed since. */
RX_NODISCARD enum rx_code vault_unseal(struct vault *v, const char *place,
    rx_str id, rx_str sealed, struct rx_buf *out, struct rx_err *err);

#endif
