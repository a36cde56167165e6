#include "controlplane/assets.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controlplane/assets_accept.h"
#include "shared/log.h"
#include "shared/map.h"
#include "shared/secret.h"

#define ASSET_PATH 1024
#define ASSET_MAX  ((off_t)8 << 20) /* bytes of one file */
#define DEPTH_MAX  4
#define TAG_SIZE   32 /* hexadecimal digits */

/* Nothing but what the dashboard brought runs, and nobody frames it. */
#define POLICY                                                         \
    "content-security-policy: default-src 'none'; script-src 'self'; " \
    "style-src 'self'; img-src 'self' data:; font-src 'self'; "        \
    "connect-src 'self'; base-uri 'none'; form-action 'self'; "        \
    "frame-ancestors 'none'\r\n"                                       \
    "x-frame-options: DENY\r\nreferrer-policy: same-origin\r\n"        \
    "cross-origin-opener-policy: same-origin\r\n"

/* One file on disk, as it was when it was seen. */
struct packing {
    bool there;
    ino_t ino;
    off_t size;
    struct timespec changed;
    char tag[TAG_SIZE + 1]; /* empty: nobody asked yet */
};
struct asset {
    struct packing as[ASSETS_PACKINGS];
};

struct assets {
    char folder[ASSET_PATH];
    struct rx_map *files; /* "/assets/x.js" -> struct asset */
};

static const struct {
    const char *ending;
    const char *type;
} types[] = {
    { ".html", "text/html; charset=utf-8" },
    { ".js", "text/javascript; charset=utf-8" },
    { ".css", "text/css; charset=utf-8" },
    { ".svg", "image/svg+xml" },
    { ".json", "application/json; charset=utf-8" },
    { ".woff2", "font/woff2" },
    { ".png", "image/png" },
    { ".ico", "image/x-icon" },
    { ".txt", "text/plain; charset=utf-8" },
};

static const char *const endings[ASSETS_PACKINGS] = {
    [ASSETS_PLAIN] = "",
    [ASSETS_GZIP] = ".gz",
    [ASSETS_BROTLI] = ".br",
};

/* ---- names ---- */

static bool
ends(rx_str s, const char *ending)
{
    size_t n = strlen(ending);

    return s.len > n && memcmp(s.ptr + s.len - n, ending, n) == 0;
}

static const char *
type_of(rx_str name)
{
    for (size_t i = 0; i < RX_COUNT(types); i++) {
        if (ends(name, types[i].ending))
            return types[i].type;
    }
    return NULL;
}

/* "x.js.br" is x.js, packed. */
static enum assets_packing
packing_of(rx_str *name)
{
    for (int p = ASSETS_PACKINGS - 1; p > ASSETS_PLAIN; p--) {
        if (ends(*name, endings[p])) {
            name->len -= strlen(endings[p]);
            return (enum assets_packing)p;
        }
    }
    return ASSETS_PLAIN;
}

static bool
join(char out[ASSET_PATH], const char *folder, rx_str name, const char *ending)
{
    int n = snprintf(out, ASSET_PATH, "%s" RX_STR_FMT "%s", folder,
        RX_STR_ARG(name), ending);

    return n > 0 && n < ASSET_PATH;
}

/* Does it lead anywhere but down? */
static bool
is_crooked(rx_str path)
{
    rx_str part, rest = path;

    if (memchr(path.ptr != NULL ? path.ptr : "", '\\', path.len) != NULL)
        return true;
    for (bool more = true; more;) {
        more = rx_str_cut(rest, '/', &part, &rest);
        if (rx_str_eq(part, RX_S(".")) || rx_str_eq(part, RX_S("..")))
            return true;
    }
    return false;
}

/* ---- reading the folder ---- */

static void
note_file(struct assets *a, rx_str name, const struct stat *st)
{
    enum assets_packing p = packing_of(&name);

    if (type_of(name) == NULL || st->st_size > ASSET_MAX)
        return;
    struct asset *f = rx_map_get(a->files, name);
    if (f == NULL) {
        f = calloc(1, sizeof(*f));
        if (f == NULL)
            abort();
        rx_map_put(a->files, name, f);
    }
    f->as[p] = (struct packing){
        .there = true,
        .ino = st->st_ino,
        .size = st->st_size,
        .changed = st->st_mtim,
    };
}

/* `below` is "" or "/assets". */
static void
scan(struct assets *a, const char *below, int depth)
{
    char path[ASSET_PATH];
    struct dirent *e;
    struct stat st;

    if (!join(path, a->folder, (rx_str){ below, strlen(below) }, ""))
        return;
    DIR *dir = opendir(path);
    if (dir == NULL)
        return;
    while ((e = readdir(dir)) != NULL) {
        int n = snprintf(path, sizeof(path), "%s/%s", below, e->d_name);
        if (e->d_name[0] == '.' || n >= (int)sizeof(path) ||
            fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        if (S_ISREG(st.st_mode))
            note_file(a, (rx_str){ path, (size_t)n }, &st);
        else if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX)
            scan(a, path, depth + 1);
    }
    closedir(dir);
}

static void
read_folder(struct assets *a)
{
    rx_map_free(a->files, free);
    a->files = rx_map_new();
    scan(a, "", 1);
}

/* ---- reading a file ---- */

static bool
is_still(const struct packing *p, const struct stat *st)
{
    return S_ISREG(st->st_mode) && st->st_ino == p->ino &&
           st->st_size == p->size && st->st_mtim.tv_sec == p->changed.tv_sec &&
           st->st_mtim.tv_nsec == p->changed.tv_nsec;
}

static bool
read_whole(int fd, off_t size, struct rx_buf *out)
{
    while ((off_t)out->len < size) {
        size_t want = (size_t)size - out->len;
        char *room = rx_buf_room(out, want);
        ssize_t n = room != NULL ? read(fd, room, want) : -1;
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        rx_buf_grew(out, (size_t)n);
    }
    return true;
}

/* False: it is not what it was. */
static bool
load(const struct assets *a, rx_str name, enum assets_packing which,
    struct packing *p, struct rx_buf *out)
{
    char path[ASSET_PATH];
    struct stat st;

    rx_buf_clear(out);
    if (!join(path, a->folder, name, endings[which]))
        return false;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return false;
    bool same =
        fstat(fd, &st) == 0 && is_still(p, &st) && read_whole(fd, p->size, out);
    close(fd);
    if (same && p->tag[0] == '\0') {
        struct rx_digest d = rx_digest(rx_buf_str(out));
        rx_hex(d.bytes, TAG_SIZE / 2, p->tag);
    }
    return same;
}

/* ---- asking ---- */

/* The file for this path: itself, or the page that shows all others. */
static struct asset *
find(struct assets *a, rx_str path, rx_str *name)
{
    struct asset *f = path.len > 1 ? rx_map_get(a->files, path) : NULL;

    *name = path;
    if (f != NULL && f->as[ASSETS_PLAIN].there)
        return f;
    if (rx_str_starts(path, RX_S("/assets/")))
        return NULL;
    *name = RX_S("/index.html");
    f = rx_map_get(a->files, *name);
    return f != NULL && f->as[ASSETS_PLAIN].there ? f : NULL;
}

static void
put_headers(struct rx_buf *out, rx_str name, enum assets_packing which,
    const struct packing *p)
{
    static const char *const encodings[ASSETS_PACKINGS] = {
        [ASSETS_GZIP] = "gzip",
        [ASSETS_BROTLI] = "br",
    };
    bool hashed = rx_str_starts(name, RX_S("/assets/"));

    rx_buf_addf(out, "etag: \"%s\"\r\nvary: accept-encoding\r\n", p->tag);
    rx_buf_add(out, hashed ? RX_S("cache-control: public, max-age=31536000, "
                                  "immutable\r\n")
                           : RX_S("cache-control: no-cache\r\n"));
    if (encodings[which] != NULL)
        rx_buf_addf(out, "content-encoding: %s\r\n", encodings[which]);
    rx_buf_add(out, RX_S(POLICY));
}

static bool
answer(
    struct assets *a, const struct assets_ask *ask, struct assets_answer *out)
{
    rx_str name;
    struct asset *f = find(a, ask->path, &name);
    bool have[ASSETS_PACKINGS] = { 0 };

    if (f == NULL)
        return false;
    for (int p = 0; p < ASSETS_PACKINGS; p++)
        have[p] = f->as[p].there;
    enum assets_packing which = assets_choose(ask->accept_encoding, have);
    struct packing *p = &f->as[which];
    if (!load(a, name, which, p, out->body))
        return false;
    out->type = type_of(name);
    put_headers(out->headers, name, which, p);
    out->status = 200;
    if (assets_tag_fits(ask->if_none_match, p->tag)) {
        out->status = 304;
        rx_buf_clear(out->body);
    }
    return true;
}

enum rx_code
assets_get(struct assets *a, const struct assets_ask *ask,
    struct assets_answer *out, struct rx_err *err)
{
    if (is_crooked(ask->path))
        return rx_fail(err, RX_NOT_FOUND, "there is no such file");
    if (answer(a, ask, out))
        return RX_OK;
    read_folder(a);
    if (answer(a, ask, out))
        return RX_OK;
    return rx_fail(err, RX_NOT_FOUND, "there is no such file");
}

/* ---- opening ---- */

static bool
has_index(const char *folder)
{
    char path[ASSET_PATH];

    return join(path, folder, RX_S("/index.html"), "") &&
           access(path, R_OK) == 0;
}

/* <prefix>/bin has it in share, build/<preset> beside the sources. */
static bool
find_folder(char out[ASSET_PATH])
{
    static const char *const places[] = { "/../share/routex/dashboard",
        "/dashboard", "/../../dashboard/dist" };
    char self[ASSET_PATH];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self));

    while (n > 0 && self[n - 1] != '/')
        n--;
    if (n <= 1)
        return false;
    self[n - 1] = '\0';
    for (size_t i = 0; i < RX_COUNT(places); i++) {
        rx_str place = { places[i], strlen(places[i]) };
        if (join(out, self, place, "") && has_index(out))
            return true;
    }
    return false;
}

struct assets *
assets_open(const char *folder)
{
    char path[ASSET_PATH];

    if (folder != NULL
            ? !join(path, folder, (rx_str){ 0 }, "") || !has_index(path)
            : !find_folder(path)) {
        if (folder != NULL)
            rx_warn("dashboard.missing", "folder=%s", rx_log_quote(folder));
        return NULL;
    }
    struct assets *a = calloc(1, sizeof(*a));
    if (a == NULL)
        abort();
    snprintf(a->folder, sizeof(a->folder), "%s", path);
    read_folder(a);
    return a;
}

void
assets_free(struct assets *a)
{
    if (a == NULL)
        return;
    rx_map_free(a->files, free);
    free(a);
}
