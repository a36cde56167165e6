/*
 * store.h - the truth: the database, the vault, and who is told of changes.
 *
 * Every change happens between store_begin() and store_commit().  Nouns
 * (channel.h, tenant.h, key.h, settings.h) say what they touched; the listener
 * hears of it once the change is on disk, never before.
 *
 * One control plane per store: it is locked from open to close.
 */
#ifndef CONTROLPLANE_STORE_H
#define CONTROLPLANE_STORE_H

#include <stdint.h>

#include "controlplane/db.h"
#include "controlplane/price.h"
#include "controlplane/state.h"
#include "controlplane/vault.h"
#include "shared/arena.h"
#include "shared/err.h"
#include "shared/list.h"
#include "shared/str.h"

struct agents;

struct store {
    struct db *db;
    struct vault *vault;
    int lock_fd;
    struct agents *agents; /* those of the folder; NULL: none are read */
    char *db_path, *key_file;
    const char *frozen;    /* why nothing may be changed now; NULL: it may */
    struct prices *prices; /* price.h */
    struct rollup *rollup; /* rollup.h */
    bool prices_changed;   /* in the running transaction */
    struct rx_list touched;
    void (*on_change)(void *arg, enum state_kind kind, rx_str id);
    void *on_change_arg;
};

/*
 * RX_CONFLICT: another control plane has it, or it is newer than this program.
 * See vault_open() for a lost or wrong master key.
 */
RX_NODISCARD enum rx_code store_open(struct store **out, const char *db_path,
    const char *key_file, struct rx_err *err);
void store_close(struct store *s); /* NULL is allowed */
/*
 * Put the store in the file `with` in this one's place; this one becomes the
 * file `aside`.  On failure everything is as before.  Whoever keeps something
 * of the store in memory does not hear of it: start anew afterwards.
 */
RX_NODISCARD enum rx_code store_exchange(
    struct store *s, const char *with, const char *aside, struct rx_err *err);

/*
 * The master key is lost for good: forget what it sealed.  `names` gets the
 * channels that have to be given their keys again.
 */
RX_NODISCARD enum rx_code store_forget_secrets(const char *db_path,
    const char *key_file, struct rx_buf *names, struct rx_err *err);
/* Write the file of a store that nobody has open anew, without gaps; bytes
 * before and after.  RX_CONFLICT: a control plane is running on it. */
RX_NODISCARD enum rx_code store_compact(
    const char *db_path, uint64_t *before, uint64_t *after, struct rx_err *err);
/* RX_CONFLICT: a control plane is running on it. */
RX_NODISCARD enum rx_code store_is_free(
    const char *db_path, struct rx_err *err);

RX_NODISCARD enum rx_code store_begin(struct store *s, struct rx_err *err);
/* Its commit does not wait for the disk: see db_begin_lazily(). */
RX_NODISCARD enum rx_code store_begin_lazily(
    struct store *s, struct rx_err *err);
RX_NODISCARD enum rx_code store_commit(struct store *s, struct rx_err *err);
void store_rollback(struct store *s);

/* This item was made, changed or deleted in the running transaction. */
void store_touch(struct store *s, enum state_kind kind, rx_str id);
void store_on_change(struct store *s,
    void (*fn)(void *arg, enum state_kind kind, rx_str id), void *arg);

/* Named numbers of the store itself; 0 when never set. */
RX_NODISCARD enum rx_code store_get(
    struct store *s, const char *name, uint64_t *out, struct rx_err *err);
RX_NODISCARD enum rx_code store_set(
    struct store *s, const char *name, uint64_t value, struct rx_err *err);

/* "chn_3fK…": `prefix` and 16 random characters, in the arena. */
rx_str store_new_id(struct rx_arena *arena, const char *prefix);

#endif
