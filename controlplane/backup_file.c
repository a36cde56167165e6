/*
 * Backups as files: names, descriptions, making, checking, preparing.  Nothing
 * here knows the loop: it may run on any thread.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "controlplane/backup.h"
#include "controlplane/vault.h"
#include "shared/clock.h"
#include "shared/secret.h"

#define PREFIX    "routex-"
#define NAMES_MAX 2000
#define PATH_ROOM (PLACE_PATH_MAX + BACKUP_NAME_MAX + 16)

/* ---- names ----------------------------------------------------------------- */

static void
file_of(const struct place *place, const char *name, const char *end, char *to)
{
    snprintf(to, PATH_ROOM, "%s/%.*s%s", place->backups, BACKUP_NAME_MAX - 1,
        name, end);
}

/* "routex-20261122T031500Z", of the second that `ms` is in. */
static void
name_for(uint64_t ms, unsigned again, char *out)
{
    char time[RX_TIME_SIZE];
    char digits[RX_TIME_SIZE];
    size_t n = 0;

    rx_time_format(ms, time);
    for (const char *c = time; *c != '\0' && *c != '.'; c++) {
        if (*c != '-' && *c != ':')
            digits[n++] = *c;
    }
    digits[n] = '\0';
    if (again == 0)
        snprintf(out, BACKUP_NAME_MAX, PREFIX "%sZ", digits);
    else
        snprintf(out, BACKUP_NAME_MAX, PREFIX "%sZ-%u", digits, again);
}

static bool
is_name(const char *file, char *name)
{
    size_t len = strlen(file);

    if (len < 4 || len >= BACKUP_NAME_MAX ||
        strncmp(file, PREFIX, sizeof(PREFIX) - 1) != 0 ||
        strcmp(file + len - 3, ".db") != 0)
        return false;
    snprintf(name, BACKUP_NAME_MAX, "%.*s", (int)(len - 3), file);
    return true;
}

static int
newest_first(const void *a, const void *b)
{
    return strcmp(b, a);
}

size_t
backup_names(
    const struct place *place, char (*out)[BACKUP_NAME_MAX], size_t max)
{
    DIR *dir = opendir(place->backups);
    const struct dirent *e;
    size_t n = 0;

    while (dir != NULL && n < max && (e = readdir(dir)) != NULL)
        n += is_name(e->d_name, out[n]);
    if (dir != NULL)
        closedir(dir);
    qsort(out, n, sizeof(*out), newest_first);
    return n;
}

enum rx_code
backup_find(const struct place *place, rx_str name, char *path, size_t size,
    struct rx_err *err)
{
    char(*names)[BACKUP_NAME_MAX] = calloc(NAMES_MAX, sizeof(*names));

    if (names == NULL)
        abort();
    size_t n = backup_names(place, names, NAMES_MAX);
    size_t i = 0;
    if (!rx_str_eq(name, RX_S("latest"))) {
        while (
            i < n && !rx_str_eq(name, (rx_str){ names[i], strlen(names[i]) }))
            i++;
    }
    if (i < n)
        snprintf(path, size, "%s/%s.db", place->backups, names[i]);
    free(names);
    return i < n ? RX_OK
                 : rx_fail(err, RX_NOT_FOUND, "there is no backup \"%.*s\"",
                       (int)(name.len < 80 ? name.len : 80), name.ptr);
}

/* ---- descriptions ---------------------------------------------------------- */

static enum rx_code
digest_file(const char *path, char *hex, uint64_t *bytes, struct rx_err *err)
{
    FILE *f = fopen(path, "re");
    struct rx_hasher *h = rx_hasher_new();
    struct rx_digest d;
    char part[16 << 10];
    size_t n;

    *bytes = 0;
    while (f != NULL && (n = fread(part, 1, sizeof(part), f)) > 0) {
        rx_hasher_add(h, (rx_str){ part, n });
        *bytes += n;
    }
    rx_hasher_end(h, &d);
    bool good = f != NULL && ferror(f) == 0;
    int why = errno;
    if (f != NULL)
        fclose(f);
    rx_hex(d.bytes, sizeof(d.bytes), hex);
    return good ? RX_OK
                : rx_fail(err, RX_INTERNAL, "%.120s: %s", path, strerror(why));
}

static void
put_description(struct rx_buf *out, const struct backup_info *info)
{
    struct rx_json_out w = rx_json_out(out);

    rx_json_open_object(&w, NULL);
    rx_json_put_u64(&w, "made_ms", info->made_ms);
    rx_json_put_u64(&w, "bytes", info->bytes);
    rx_json_put_u64(&w, "schema", info->facts.schema);
    rx_json_put_u64(&w, "requests", info->facts.requests);
    rx_json_put_u64(&w, "channels", info->facts.channels);
    rx_json_put_text(&w, "digest", info->digest);
    rx_json_close(&w);
    rx_buf_addc(out, '\n');
}

static enum rx_code
write_description(const struct place *place, const struct backup_info *info,
    struct rx_err *err)
{
    char path[PATH_ROOM];
    struct rx_buf text;

    file_of(place, info->name, ".json", path);
    rx_buf_init(&text, 4096);
    put_description(&text, info);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool good = fd >= 0 && write(fd, text.ptr, text.len) == (ssize_t)text.len &&
                fsync(fd) == 0;
    int why = errno;
    if (fd >= 0)
        close(fd);
    rx_buf_fini(&text);
    return good ? RX_OK
                : rx_fail(
                      err, RX_UNAVAILABLE, "%.120s: %s", path, strerror(why));
}

static bool
read_description(const char *path, struct backup_info *out)
{
    char text[4096];
    struct rx_json_doc *doc;
    FILE *f = fopen(path, "re");
    size_t n = f != NULL ? fread(text, 1, sizeof(text), f) : 0;

    if (f != NULL)
        fclose(f);
    if (n == 0 || rx_json_parse(&doc, (rx_str){ text, n }, NULL, NULL) != RX_OK)
        return false;
    rx_json root = rx_json_root(doc);
    rx_str digest = { 0 };
    rx_json_get_u64(root, "made_ms", 0, RX_JSON_INT_MAX, &out->made_ms);
    rx_json_get_u64(root, "bytes", 0, RX_JSON_INT_MAX, &out->bytes);
    rx_json_get_u64(root, "schema", 0, 10000, &out->facts.schema);
    rx_json_get_u64(root, "requests", 0, RX_JSON_INT_MAX, &out->facts.requests);
    rx_json_get_u64(root, "channels", 0, RX_JSON_INT_MAX, &out->facts.channels);
    rx_json_get_str(root, "digest", &digest);
    snprintf(out->digest, sizeof(out->digest), RX_STR_FMT, RX_STR_ARG(digest));
    bool good = rx_json_fault(doc) == NULL;
    rx_json_free(doc);
    return good;
}

void
backup_describe(
    const struct place *place, const char *name, struct backup_info *out)
{
    char path[PATH_ROOM];
    struct stat st;

    *out = (struct backup_info){ 0 };
    snprintf(out->name, sizeof(out->name), "%s", name);
    file_of(place, name, ".json", path);
    out->described = read_description(path, out);
    file_of(place, name, ".db", path);
    if (stat(path, &st) != 0)
        return;
    out->bytes = (uint64_t)st.st_size;
    if (!out->described)
        out->made_ms = (uint64_t)st.st_mtim.tv_sec * 1000;
}

void
backup_put(
    struct rx_json_out *w, const char *key, const struct backup_info *info)
{
    rx_json_open_object(w, key);
    rx_json_put_text(w, "name", info->name);
    rx_json_put_time(w, "created_at", info->made_ms);
    rx_json_put_u64(w, "bytes", info->bytes);
    if (info->described) {
        rx_json_put_u64(w, "schema", info->facts.schema);
        rx_json_put_u64(w, "requests", info->facts.requests);
        rx_json_put_u64(w, "channels", info->facts.channels);
        rx_json_put_text(w, "digest", info->digest);
    } else {
        rx_json_put_null(w, "schema");
        rx_json_put_null(w, "requests");
        rx_json_put_null(w, "channels");
        rx_json_put_null(w, "digest");
    }
    rx_json_close(w);
}

/* ---- making one ------------------------------------------------------------ */

static void
sync_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0) {
        (void)fsync(fd);
        close(fd);
    }
}

static enum rx_code
check_and_name(const struct place *place, const char *part,
    const atomic_bool *stop, struct backup_info *out, struct rx_err *err)
{
    char path[PATH_ROOM];
    enum rx_code code = db_verify(part, migrations, stop, &out->facts, err);

    if (code == RX_OK)
        code = digest_file(part, out->digest, &out->bytes, err);
    if (code != RX_OK)
        return code;
    out->made_ms = rx_clock_wall_ms();
    unsigned again = 0;
    do {
        name_for(out->made_ms, again++, out->name);
        file_of(place, out->name, ".db", path);
    } while (access(path, F_OK) == 0 && again < 100);
    code = write_description(place, out, err);
    if (code == RX_OK && rename(part, path) != 0)
        code = rx_fail(err, RX_INTERNAL, "%.120s: %s", path, strerror(errno));
    sync_folder(place->backups);
    out->described = true;
    return code;
}

enum rx_code
backup_make_file(const struct place *place, const atomic_bool *stop,
    struct backup_info *out, struct rx_err *err)
{
    char part[PATH_ROOM];

    *out = (struct backup_info){ 0 };
    if (mkdir(place->backups, 0700) != 0 && errno != EEXIST)
        return rx_fail(err, errno == ENOSPC ? RX_UNAVAILABLE : RX_INTERNAL,
            "%.120s: %s", place->backups, strerror(errno));
    file_of(place, "unfinished", ".part", part);
    (void)unlink(part);
    enum rx_code code = db_copy(place->database, part, stop, err);
    if (code == RX_OK)
        code = check_and_name(place, part, stop, out, err);
    if (code != RX_OK)
        (void)unlink(part);
    return code;
}

void
backup_prune(const struct place *place, size_t keep)
{
    char(*names)[BACKUP_NAME_MAX] = calloc(NAMES_MAX, sizeof(*names));
    char path[PATH_ROOM];

    if (names == NULL)
        abort();
    size_t n = backup_names(place, names, NAMES_MAX);
    for (size_t i = keep > 0 ? keep : 1; i < n; i++) {
        file_of(place, names[i], ".db", path);
        (void)unlink(path);
        file_of(place, names[i], ".json", path);
        (void)unlink(path);
    }
    free(names);
}

/* ---- the way back ---------------------------------------------------------- */

void
backup_prepared_path(const struct place *place, char *to, size_t size)
{
    snprintf(to, size, "%s.restored", place->database);
}

void
backup_aside_path(const struct place *place, char *to, size_t size)
{
    char name[BACKUP_NAME_MAX];

    for (unsigned again = 0; again < 100; again++) {
        name_for(rx_clock_wall_ms(), again, name);
        snprintf(to, size, "%s.before-%s", place->database,
            name + sizeof(PREFIX) - 1);
        if (access(to, F_OK) != 0)
            return;
    }
}

/* A file that was changed since it was checked is not what was backed up. */
static enum rx_code
check_digest(const struct place *place, const char *path, struct rx_err *err)
{
    const char *slash = strrchr(path, '/');
    struct backup_info said;
    char name[BACKUP_NAME_MAX];
    char hex[2 * RX_DIGEST_SIZE + 1];
    uint64_t bytes;

    if (slash == NULL || !is_name(slash + 1, name))
        return RX_OK;
    backup_describe(place, name, &said);
    if (!said.described)
        return RX_OK;
    enum rx_code code = digest_file(path, hex, &bytes, err);
    if (code == RX_OK && strcmp(hex, said.digest) != 0)
        return rx_fail(err, RX_INTERNAL,
            "%.120s: was changed since it was made; take another backup", path);
    return code;
}

static enum rx_code
fill_prepared(const struct place *place, const char *prepared,
    struct backup_done *out, struct rx_err *err)
{
    struct vault *vault = NULL;
    struct db *db = NULL;
    enum rx_code code = db_open(&db, prepared, migrations, err);

    /* Secrets that cannot be opened are noticed now, not afterwards. */
    if (code == RX_OK)
        code = vault_open(&vault, db, place->master_key, err);
    if (code == RX_OK && access(place->database, F_OK) == 0)
        code = merge_usage(db, place->database, &out->merged, err);
    vault_close(vault);
    db_close(db);
    return code;
}

enum rx_code
backup_prepare(const struct place *place, const char *path,
    const atomic_bool *stop, struct backup_done *out, struct rx_err *err)
{
    char prepared[PATH_ROOM];

    backup_prepared_path(place, prepared, sizeof(prepared));
    (void)unlink(prepared);
    enum rx_code code = check_digest(place, path, err);
    if (code == RX_OK)
        code = db_verify(path, migrations, stop, &out->info.facts, err);
    if (code == RX_OK)
        code = db_copy(path, prepared, stop, err);
    if (code != RX_OK)
        return code;
    code = fill_prepared(place, prepared, out, err);
    if (code != RX_OK)
        (void)unlink(prepared);
    return code;
}

enum rx_code
backup_check_store(const struct place *place, struct rx_err *err)
{
    char path[PATH_ROOM];
    struct stat st;

    if (stat(place->database, &st) == 0 && st.st_size > 0)
        return RX_OK;
    if (backup_find(place, RX_S("latest"), path, sizeof(path), NULL) != RX_OK)
        return RX_OK;
    return rx_fail(err, RX_NOT_FOUND,
        "%.60s is gone, but there are backups of it; get it back with routex "
        "config restore latest --offline, or move backups/ away to begin anew",
        place->database);
}

/* The old one keeps its log beside it: it may be what could not be read. */
static void
move_beside(const char *from, const char *to, const char *end)
{
    char old[PATH_ROOM];
    char new[PATH_ROOM];

    snprintf(old, sizeof(old), "%s%s", from, end);
    snprintf(new, sizeof(new), "%s%s", to, end);
    (void)rename(old, new);
}

enum rx_code
backup_restore_offline(const struct place *place, const char *name,
    struct backup_done *out, struct rx_err *err)
{
    char path[PATH_ROOM];
    char prepared[PATH_ROOM];
    enum rx_code code = RX_OK;

    *out = (struct backup_done){ 0 };
    if (strchr(name, '/') != NULL)
        snprintf(path, sizeof(path), "%s", name);
    else
        code = backup_find(
            place, (rx_str){ name, strlen(name) }, path, sizeof(path), err);
    if (code == RX_OK)
        code = backup_prepare(place, path, NULL, out, err);
    if (code != RX_OK)
        return code;
    backup_prepared_path(place, prepared, sizeof(prepared));
    backup_aside_path(place, out->aside, sizeof(out->aside));
    move_beside(place->database, out->aside, "");
    move_beside(place->database, out->aside, "-wal");
    move_beside(place->database, out->aside, "-shm");
    if (rename(prepared, place->database) != 0)
        return rx_fail(
            err, RX_INTERNAL, "%.120s: %s", place->database, strerror(errno));
    sync_folder(place->data_dir);
    return RX_OK;
}
