/*
 * backup.h - copies of the store, and the way back.
 *
 *   <data-dir>/backups/routex-20261122T031500Z.db     one file, checked
 *                      routex-20261122T031500Z.json   its digest and what is in it
 *
 * Made on a helper thread while the store is in use: by hand, and by itself as
 * often as the settings say, which also say how many are kept.
 *
 * Restoring takes the configuration from the backup and leaves what happened:
 * the backup is checked, copied, brought up to date and given the requests of
 * the store in use (merge.h), all beside the store, in which nothing changes
 * meanwhile (data planes keep their records until they are taken in).  Then one
 * rename puts it in its place, and the control plane starts anew with a new
 * epoch.  The store that was in use stays beside it.
 */
#ifndef CONTROLPLANE_BACKUP_H
#define CONTROLPLANE_BACKUP_H

#include <stdbool.h>
#include <stdint.h>

#include "controlplane/db_copy.h"
#include "controlplane/merge.h"
#include "controlplane/place.h"
#include "controlplane/store.h"
#include "shared/json.h"
#include "shared/loop.h"

#define BACKUP_NAME_MAX 64

struct backup_info {
    char name[BACKUP_NAME_MAX]; /* "routex-20261122T031500Z" */
    uint64_t made_ms, bytes;
    struct db_facts facts;
    char digest[2 * RX_DIGEST_SIZE + 1]; /* BLAKE2b of the file */
    bool described;                      /* the file beside it is there */
};

struct backup_done {
    struct backup_info info;
    struct merge_result merged; /* restoring only */
    char aside[PLACE_PATH_MAX]; /* where the store in use went */
};
typedef void backup_fn(void *arg, enum rx_code code,
    const struct backup_done *done, struct rx_err *err);

struct backups;

/* `store` and `place` must outlive it. */
RX_NODISCARD struct backups *backups_new(
    struct rx_loop *loop, struct store *store, const struct place *place);
/* Waits for what is under way; NULL is allowed. */
void backups_free(struct backups *b);
/* Call fn(arg) when a restored store is in place: the program must start anew. */
void backups_on_restored(struct backups *b, void (*fn)(void *arg), void *arg);

/* RX_CONFLICT: one is being made or restored just now. */
RX_NODISCARD enum rx_code backups_make(
    struct backups *b, backup_fn *fn, void *arg, struct rx_err *err);
/* `name` as in the list, or "latest".  RX_NOT_FOUND. */
RX_NODISCARD enum rx_code backups_restore(struct backups *b, rx_str name,
    backup_fn *fn, void *arg, struct rx_err *err);
/* Whoever asked does not want to know any more. */
void backups_forget(struct backups *b, void *arg);
/* Newest first, as elements of the open array. */
RX_NODISCARD enum rx_code backups_list(
    struct backups *b, struct rx_json_out *w, struct rx_err *err);
void backup_put(
    struct rx_json_out *w, const char *key, const struct backup_info *info);

/*
 * Before anything is opened: put a backup (a name, "latest", or a path) in the
 * store's place, with what can still be read of the store that is there.
 */
RX_NODISCARD enum rx_code backup_restore_offline(const struct place *place,
    const char *name, struct backup_done *out, struct rx_err *err);

/*
 * A store that is gone while there are backups of it is not quietly begun anew:
 * RX_NOT_FOUND says how to get it back.
 */
RX_NODISCARD enum rx_code backup_check_store(
    const struct place *place, struct rx_err *err);

/* ---- between the files ---- */

/* Names by age, newest first; at most `max`. */
size_t backup_names(
    const struct place *place, char (*out)[BACKUP_NAME_MAX], size_t max);
/* RX_NOT_FOUND. */
RX_NODISCARD enum rx_code backup_find(const struct place *place, rx_str name,
    char *path, size_t size, struct rx_err *err);
/* What the file beside it says. */
void backup_describe(
    const struct place *place, const char *name, struct backup_info *out);
/* On any thread: make one. */
RX_NODISCARD enum rx_code backup_make_file(const struct place *place,
    const atomic_bool *stop, struct backup_info *out, struct rx_err *err);
void backup_prune(const struct place *place, size_t keep);
/* On any thread: check `path`, and make the store that will take its place. */
RX_NODISCARD enum rx_code backup_prepare(const struct place *place,
    const char *path, const atomic_bool *stop, struct backup_done *out,
    struct rx_err *err);
/* Where the prepared store is. */
void backup_prepared_path(const struct place *place, char *to, size_t size);
void backup_aside_path(const struct place *place, char *to, size_t size);

#endif
