#include "controlplane/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/buf.h"
#include "shared/json.h"

/* `wish`, or the folder and the usual name in it. */
static enum rx_code
set_path(char to[PLACE_PATH_MAX], const char *wish, const char *before,
    const char *folder, const char *name, struct rx_err *err)
{
    int n = wish != NULL
                ? snprintf(to, PLACE_PATH_MAX, "%s", wish)
                : snprintf(to, PLACE_PATH_MAX, "%s%s%s", before, folder, name);

    if (n < 0 || n >= PLACE_PATH_MAX)
        return rx_fail(err, RX_INVALID, "%.60s…: path too long",
            wish != NULL ? wish : folder);
    return RX_OK;
}

/* Hosting platforms mount what is to last at /data. */
static bool
on_platform(void)
{
    static const char *const marks[] = { "CLAW_ENV", "RAILWAY_ENVIRONMENT",
        "FLY_APP_NAME", "RENDER" };

    for (size_t i = 0; i < RX_COUNT(marks); i++) {
        const char *value = getenv(marks[i]);
        if (value != NULL && value[0] != '\0')
            return true;
    }
    return false;
}

static enum rx_code
find_data_dir(struct place *p, const char *wish, struct rx_err *err)
{
    char there[PLACE_PATH_MAX];
    const char *home = getenv("HOME");

    if (wish == NULL && on_platform())
        wish = "/data";
    if (wish == NULL && (home == NULL || home[0] == '\0'))
        return rx_fail(
            err, RX_INVALID, "HOME is not set; say where with --data-dir");
    enum rx_code code = set_path(there, wish, "", home, "/.routex", err);
    if (code != RX_OK)
        return code;
    /* Others are told paths of it, from wherever they are. */
    if (there[0] == '/')
        return set_path(p->data_dir, there, "", "", "", err);
    char here[PLACE_PATH_MAX];
    if (getcwd(here, sizeof(here)) == NULL)
        return rx_fail(err, RX_INTERNAL, "current folder: %s", strerror(errno));
    int n = snprintf(p->data_dir, PLACE_PATH_MAX, "%s/%s", here, there);
    if (n < 0 || n >= PLACE_PATH_MAX)
        return rx_fail(err, RX_INVALID, "%.60s…: path too long", there);
    return RX_OK;
}

/* Make the folder and those above it, for ourselves only. */
static enum rx_code
make_folder(const char *path, struct rx_err *err)
{
    char part[PLACE_PATH_MAX];

    snprintf(part, sizeof(part), "%s", path);
    for (char *slash = strchr(part + 1, '/'); slash != NULL;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(part, 0700);
        *slash = '/';
    }
    if (mkdir(part, 0700) != 0 && errno != EEXIST)
        return rx_fail(err, RX_INTERNAL, "%s: %s", path, strerror(errno));
    struct stat st;
    if (stat(part, &st) != 0 || !S_ISDIR(st.st_mode))
        return rx_fail(err, RX_INTERNAL, "%s: is not a folder", path);
    return RX_OK;
}

enum rx_code
place_prepare(
    struct place *p, const struct place_wishes *wishes, struct rx_err *err)
{
    const struct {
        char *to;
        const char *wish;
        const char *before;
        const char *name;
    } paths[] = {
        { p->database, wishes->database, "", "/routex.db" },
        { p->master_key, wishes->master_key, "", "/master.key" },
        { p->join_token, NULL, "", "/join.token" },
        { p->publish, wishes->publish, "ipc://", "/run/pub.sock" },
        { p->pull, wishes->pull, "ipc://", "/run/pull.sock" },
        { p->publish_lock, NULL, "", "/run/publish.lock" },
        { p->backups, NULL, "", "/backups" },
        { p->agents, NULL, "", "/agents" },
        { p->tees, NULL, "", "/tees" },
        { p->told, NULL, "", "/run/control.json" },
    };
    char run[PLACE_PATH_MAX];
    enum rx_code code = find_data_dir(p, wishes->data_dir, err);

    for (size_t i = 0; code == RX_OK && i < RX_COUNT(paths); i++)
        code = set_path(paths[i].to, paths[i].wish, paths[i].before,
            p->data_dir, paths[i].name, err);
    if (code == RX_OK)
        code = set_path(run, NULL, "", p->data_dir, "/run", err);
    if (code == RX_OK)
        code = make_folder(p->data_dir, err);
    return code == RX_OK ? make_folder(run, err) : code;
}

static enum rx_code
write_file(const char *path, rx_str text, struct rx_err *err)
{
    char temporary[PLACE_PATH_MAX + 16];

    snprintf(temporary, sizeof(temporary), "%s.new", path);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool good = fd >= 0 && write(fd, text.ptr, text.len) == (ssize_t)text.len;
    if (fd >= 0 && close(fd) != 0)
        good = false;
    if (!good || rename(temporary, path) != 0)
        return rx_fail(err, RX_INTERNAL, "%s: %s", path, strerror(errno));
    return RX_OK;
}

enum rx_code
place_tell(const struct place *p, const char *host, uint16_t admin_port,
    bool dashboard, struct rx_err *err)
{
    bool any = strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0;
    bool six = strchr(host, ':') != NULL && !any;
    struct rx_buf text, url;

    rx_buf_init(&text, 16 << 10);
    rx_buf_init(&url, 4096);
    rx_buf_addf(&url, "http://%s%s%s:%u", six ? "[" : "",
        any ? "127.0.0.1" : host, six ? "]" : "", admin_port);
    struct rx_json_out w = rx_json_out(&text);
    rx_json_open_object(&w, NULL);
    rx_json_put_str(&w, "admin_url", rx_buf_str(&url));
    rx_buf_add(&url, RX_S("/dashboard"));
    if (dashboard)
        rx_json_put_str(&w, "dashboard_url", rx_buf_str(&url));
    rx_json_put_text(&w, "pub", p->publish);
    rx_json_put_text(&w, "pull", p->pull);
    rx_json_put_u64(&w, "pid", (uint64_t)getpid());
    rx_json_close(&w);
    rx_buf_addc(&text, '\n');
    enum rx_code code = write_file(p->told, rx_buf_str(&text), err);
    rx_buf_fini(&text);
    rx_buf_fini(&url);
    return code;
}

void
place_untell(const struct place *p)
{
    (void)unlink(p->told);
}
