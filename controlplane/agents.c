#include "controlplane/agents.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/event.h>

#include "shared/log.h"

#define PATH_ROOM  4096
#define AGENTS_MAX 1000
#define ARENA_MAX  (AGENTS_MAX * AGENT_FILE_MAX)
/* Editors write in several steps. */
#define GATHER_MS  50
/* For folders that cannot be watched. */
#define RESCAN_MS  10000

struct agents {
    struct rx_loop *loop;
    struct store *store;
    char folder[PATH_ROOM];
    int watch; /* inotify; -1: cannot be had */
    struct event *event;
    struct rx_timer gather, rescan;
    struct rx_arena *arena;
    struct agent *at;
    size_t count;
    void (*changed)(void *arg, rx_str rule);
    void *changed_arg;
};

/* ---- reading --------------------------------------------------------------- */

static bool
read_file(
    struct agents *g, struct rx_arena *arena, const char *file, struct agent *a)
{
    char path[PATH_ROOM + 256];
    struct rx_buf text;
    struct stat st;

    snprintf(path, sizeof(path), "%s/%s", g->folder, file);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return false;
    bool regular = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    rx_buf_init(&text, AGENT_FILE_MAX);
    ssize_t n = regular ? 1 : 0;
    while (n > 0) {
        char *room = rx_buf_room(&text, 4096);
        n = room != NULL ? read(fd, room, 4096) : 0;
        rx_buf_grew(&text, n > 0 ? (size_t)n : 0);
        if (room == NULL)
            break;
    }
    close(fd);
    *a = (struct agent){ 0 };
    a->updated_ms = regular ? (uint64_t)st.st_mtim.tv_sec * 1000 : 0;
    if (text.full)
        snprintf(a->fault, sizeof(a->fault), "is larger than %zu KiB",
            AGENT_FILE_MAX >> 10);
    a->text = field_keep(arena, rx_buf_str(&text));
    rx_buf_fini(&text);
    return regular;
}

static int
by_id(const void *a, const void *b)
{
    const struct agent *x = a;
    const struct agent *y = b;

    return strcmp(x->id.ptr, y->id.ptr);
}

static size_t
read_folder(struct agents *g, struct rx_arena *arena, struct agent *list)
{
    DIR *dir = opendir(g->folder);
    const struct dirent *e;
    size_t n = 0;

    while (dir != NULL && n < AGENTS_MAX && (e = readdir(dir)) != NULL) {
        size_t len = strlen(e->d_name);
        if (len < 4 || e->d_name[0] == '.' ||
            strcmp(e->d_name + len - 3, ".md") != 0)
            continue;
        rx_str id = { e->d_name, len - 3 };
        if (!agent_id_good(id) || !read_file(g, arena, e->d_name, &list[n]))
            continue;
        list[n].id = field_keep(arena, id);
        if (list[n].fault[0] == '\0')
            agent_parse(&list[n], arena);
        n++;
    }
    if (dir != NULL)
        closedir(dir);
    if (n > 1)
        qsort(list, n, sizeof(*list), by_id);
    return n;
}

/* ---- what changed ---------------------------------------------------------- */

static void
tell(struct agents *g, rx_str id)
{
    char rule[128];
    int n =
        snprintf(rule, sizeof(rule), AGENT_PREFIX RX_STR_FMT, RX_STR_ARG(id));

    if (g->changed != NULL && n > 0 && (size_t)n < sizeof(rule))
        g->changed(g->changed_arg, (rx_str){ rule, (size_t)n });
}

static const struct agent *
find_id(const struct agent *list, size_t count, rx_str id)
{
    for (size_t i = 0; i < count; i++) {
        if (rx_str_eq(list[i].id, id))
            return &list[i];
    }
    return NULL;
}

static void
note_faults(const struct agent *a)
{
    if (a->fault[0] != '\0')
        rx_warn("agent.unusable", "file=" RX_STR_FMT ".md line=%u reason=%s",
            RX_STR_ARG(a->id), a->line, rx_log_quote(a->fault));
}

static void
tell_differences(struct agents *g, const struct agent *old, size_t old_count)
{
    for (size_t i = 0; i < g->count; i++) {
        const struct agent *was = find_id(old, old_count, g->at[i].id);
        if (was != NULL && rx_str_eq(was->text, g->at[i].text))
            continue;
        note_faults(&g->at[i]);
        tell(g, g->at[i].id);
    }
    for (size_t i = 0; i < old_count; i++) {
        if (find_id(g->at, g->count, old[i].id) == NULL)
            tell(g, old[i].id);
    }
}

static void
scan(struct agents *g)
{
    struct rx_arena *arena = rx_arena_new(ARENA_MAX);
    struct rx_arena *old_arena = g->arena;
    struct agent *old = g->at;
    size_t old_count = g->count;

    g->at = field_make(arena, struct agent, AGENTS_MAX);
    g->count = read_folder(g, arena, g->at);
    g->arena = arena;
    tell_differences(g, old, old_count);
    rx_arena_free(old_arena);
}

void
agents_changed(struct agents *g)
{
    for (size_t i = 0; g != NULL && i < g->count; i++)
        tell(g, g->at[i].id);
}

/* ---- watching -------------------------------------------------------------- */

static void
on_watch(evutil_socket_t fd, short what, void *arg)
{
    char events[4096];
    struct agents *g = arg;

    (void)what;
    while (read((int)fd, events, sizeof(events)) > 0)
        continue;
    rx_timer_set(&g->gather, GATHER_MS);
}

static void
on_gather(void *arg)
{
    scan(arg);
}

static void
on_rescan(void *arg)
{
    struct agents *g = arg;

    scan(g);
    rx_timer_set(&g->rescan, RESCAN_MS);
}

static void
watch(struct agents *g)
{
    g->watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (g->watch < 0)
        return;
    if (inotify_add_watch(g->watch, g->folder,
            IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE) < 0)
        rx_warn("agents.unwatched", "folder=%s", rx_log_quote(g->folder));
    g->event = event_new(
        rx_loop_base(g->loop), g->watch, EV_READ | EV_PERSIST, on_watch, g);
    if (g->event == NULL || event_add(g->event, NULL) != 0)
        abort();
}

struct agents *
agents_new(struct rx_loop *loop, struct store *store, const char *folder)
{
    struct agents *g = calloc(1, sizeof(*g));

    if (g == NULL)
        abort();
    g->loop = loop;
    g->store = store;
    snprintf(g->folder, sizeof(g->folder), "%s", folder);
    if (mkdir(g->folder, 0700) != 0 && errno != EEXIST)
        rx_warn("agents.no_folder", "folder=%s", rx_log_quote(folder));
    rx_timer_init(&g->gather, loop, on_gather, g);
    rx_timer_init(&g->rescan, loop, on_rescan, g);
    watch(g);
    on_rescan(g);
    return g;
}

void
agents_free(struct agents *g)
{
    if (g == NULL)
        return;
    if (g->event != NULL)
        event_free(g->event);
    if (g->watch >= 0)
        close(g->watch);
    rx_timer_fini(&g->gather);
    rx_timer_fini(&g->rescan);
    rx_arena_free(g->arena);
    free(g);
}

void
agents_on_change(
    struct agents *g, void (*fn)(void *arg, rx_str rule), void *arg)
{
    g->changed = fn;
    g->changed_arg = arg;
}

size_t
agents_count(const struct agents *g)
{
    return g->count;
}

const struct agent *
agents_at(const struct agents *g, size_t i)
{
    return &g->at[i];
}

const struct agent *
agents_find(const struct agents *g, rx_str id)
{
    const struct agent *a = find_id(g->at, g->count, id);

    for (size_t i = 0; a == NULL && i < g->count; i++) {
        if (rx_str_eq(g->at[i].name, id))
            a = &g->at[i];
    }
    return a;
}

/* ---- writing --------------------------------------------------------------- */

static bool
write_all(int fd, rx_str text)
{
    while (text.len > 0) {
        ssize_t n = write(fd, text.ptr, text.len);
        if (n <= 0)
            return false;
        text = (rx_str){ text.ptr + n, text.len - (size_t)n };
    }
    return true;
}

enum rx_code
agents_write(struct agents *g, rx_str id, rx_str text, struct rx_err *err)
{
    char path[PATH_ROOM + 256];
    char part[PATH_ROOM + 256];

    snprintf(
        path, sizeof(path), "%s/" RX_STR_FMT ".md", g->folder, RX_STR_ARG(id));
    snprintf(part, sizeof(part), "%s/." RX_STR_FMT ".new", g->folder,
        RX_STR_ARG(id));
    int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool good = fd >= 0 && write_all(fd, text) && fsync(fd) == 0;
    if (fd >= 0 && close(fd) != 0)
        good = false;
    if (!good || rename(part, path) != 0) {
        rx_fail(err, errno == ENOSPC ? RX_UNAVAILABLE : RX_INTERNAL,
            "%.120s: %s", path, strerror(errno));
        (void)unlink(part);
        return err->code;
    }
    scan(g);
    return RX_OK;
}

enum rx_code
agents_remove(struct agents *g, rx_str id, struct rx_err *err)
{
    char path[PATH_ROOM + 256];

    snprintf(
        path, sizeof(path), "%s/" RX_STR_FMT ".md", g->folder, RX_STR_ARG(id));
    if (unlink(path) != 0 && errno != ENOENT)
        return rx_fail(err, RX_INTERNAL, "%.120s: %s", path, strerror(errno));
    scan(g);
    return RX_OK;
}
