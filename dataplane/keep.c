/*
 * File: magic (8), epoch (8), version (8), digest of the state (32), then
 * sealed, with those 56 bytes authenticated:
 *
 *   length of the first (8) | state with last good values | state as published
 *
 * Numbers are big-endian.  The first is installed under the second, so that
 * what was rejected before a restart still has its last good value after it.
 */
#include "dataplane/keep.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dataplane/snapshot_build.h"
#include "shared/buf.h"
#include "shared/envelope.h"
#include "shared/log.h"

#define MAGIC     "RXSNAP1\n"
#define HEAD      ((size_t)56)
#define STATE_MAX (2 * (size_t)128 * 1024 * 1024)
#define FILE_MAX  (STATE_MAX + 8 + HEAD + RX_SEAL_EXTRA)
#define PATH_SIZE 4096

static void
put64(char *at, uint64_t v)
{
    for (int i = 7; i >= 0; i--, v >>= 8)
        at[i] = (char)(v & 0xff);
}

static uint64_t
get64(const char *at)
{
    uint64_t v = 0;

    for (int i = 0; i < 8; i++)
        v = v << 8 | (unsigned char)at[i];
    return v;
}

/* ---- loading ----------------------------------------------------------- */

static bool
read_file(const char *path, struct rx_buf *out)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool ok = false;

    if (fd < 0)
        return false;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
        (uint64_t)st.st_size <= FILE_MAX) {
        size_t size = (size_t)st.st_size;
        char *room = rx_buf_room(out, size);
        ok = room != NULL && read(fd, room, size) == (ssize_t)size;
        if (ok)
            rx_buf_grew(out, size);
    }
    close(fd);
    return ok;
}

static const struct snapshot *
rebuild(rx_str state, uint64_t epoch, uint64_t version,
    const struct rx_digest *digest)
{
    const struct snapshot *good = NULL;
    const struct snapshot *s = NULL;

    if (state.len < 8 || get64(state.ptr) > state.len - 8)
        return NULL;
    size_t first = (size_t)get64(state.ptr);
    rx_str good_bytes = { state.ptr + 8, first };
    rx_str bytes = { state.ptr + 8 + first, state.len - 8 - first };
    if (snapshot_from_full(NULL, epoch, version, good_bytes, &good, NULL) !=
        RX_OK)
        return NULL;
    if (snapshot_from_full(good, epoch, version, bytes, &s, NULL) != RX_OK)
        s = NULL;
    snapshot_unpin(good);
    if (s != NULL && memcmp(&s->state, digest, sizeof(*digest)) != 0) {
        snapshot_unpin(s);
        s = NULL;
    }
    return s;
}

static const struct snapshot *
load(const char *path, const struct rx_key *key)
{
    const struct snapshot *s = NULL;
    struct rx_buf file;
    struct rx_buf state;

    rx_buf_init(&file, FILE_MAX);
    rx_buf_init(&state, STATE_MAX + 8);
    if (read_file(path, &file) && file.len > HEAD &&
        memcmp(file.ptr, MAGIC, 8) == 0 &&
        rx_unseal(key, (rx_str){ file.ptr + HEAD, file.len - HEAD },
            (rx_str){ file.ptr, HEAD }, &state)) {
        struct rx_digest digest;
        memcpy(digest.bytes, file.ptr + 24, sizeof(digest.bytes));
        s = rebuild(rx_buf_str(&state), get64(file.ptr + 8),
            get64(file.ptr + 16), &digest);
    }
    if (s == NULL && file.len > 0)
        rx_warn("snapshot.unusable", "file=%s", rx_log_quote(path));
    if (state.len > 0)
        rx_wipe(state.ptr, state.len);
    rx_buf_fini(&state);
    rx_buf_fini(&file);
    return s;
}

static bool
name(char out[PATH_SIZE], const char *dir, const char *file)
{
    int n = snprintf(out, PATH_SIZE, "%s/%s", dir, file);

    return n > 0 && n < PATH_SIZE;
}

const struct snapshot *
keep_load(const char *dir, const struct rx_key *key)
{
    static const char *const files[] = { "snapshot.1", "snapshot.2" };
    char path[PATH_SIZE];

    for (size_t i = 0; i < RX_COUNT(files); i++) {
        const struct snapshot *s = NULL;
        if (name(path, dir, files[i]))
            s = load(path, key);
        if (s != NULL)
            return s;
    }
    return NULL;
}

/* ---- saving ------------------------------------------------------------ */

static bool
pack(const struct rx_key *key, const struct snapshot *s, struct rx_buf *file)
{
    struct rx_buf state;
    char head[HEAD] = MAGIC;
    char length[8] = { 0 };

    put64(head + 8, s->epoch);
    put64(head + 16, s->version);
    memcpy(head + 24, s->state.bytes, sizeof(s->state.bytes));
    rx_buf_init(&state, STATE_MAX + 8);
    rx_buf_add(&state, (rx_str){ length, sizeof(length) });
    bool ok = snapshot_pack_good(s, &state);
    if (ok)
        put64(state.ptr, state.len - 8);
    ok = ok && snapshot_pack(s, &state) &&
         rx_buf_add(file, (rx_str){ head, sizeof(head) }) &&
         rx_seal(key, rx_buf_str(&state), (rx_str){ head, sizeof(head) }, file);
    rx_wipe(state.ptr, state.len);
    rx_buf_fini(&state);
    return ok;
}

static bool
write_synced(const char *path, rx_str bytes)
{
    int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);

    if (fd < 0)
        return false;
    bool ok = true;
    for (size_t done = 0; ok && done < bytes.len;) {
        ssize_t n = write(fd, bytes.ptr + done, bytes.len - done);
        ok = n > 0;
        done += ok ? (size_t)n : 0;
    }
    ok = ok && fsync(fd) == 0;
    close(fd);
    return ok;
}

static void
sync_folder(const char *dir)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return;
    fsync(fd);
    close(fd);
}

bool
keep_save(const char *dir, const struct rx_key *key, const struct snapshot *s)
{
    char fresh[PATH_SIZE];
    char newest[PATH_SIZE];
    char older[PATH_SIZE];
    struct rx_buf file;

    if (!name(fresh, dir, "snapshot.tmp") || !name(newest, dir, "snapshot.1") ||
        !name(older, dir, "snapshot.2"))
        return false;
    rx_buf_init(&file, FILE_MAX);
    bool ok = pack(key, s, &file) && write_synced(fresh, rx_buf_str(&file));
    rx_buf_fini(&file);
    /* Between the two renames the older generation is the one to start from. */
    ok = ok && (rename(newest, older) == 0 || errno == ENOENT) &&
         rename(fresh, newest) == 0;
    if (ok)
        sync_folder(dir);
    else
        unlink(fresh);
    return ok;
}
