#include "controlplane/cli/home.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/json.h"

#define SMALL_FILE ((size_t)1 << 20)

const char *
home_platform(void)
{
    static const char *const marks[] = { "CLAW_ENV", "RAILWAY_ENVIRONMENT",
        "FLY_APP_NAME", "RENDER" };

    for (size_t i = 0; i < RX_COUNT(marks); i++) {
        const char *value = getenv(marks[i]);

        if (value != NULL && value[0] != '\0')
            return marks[i];
    }
    return NULL;
}

enum rx_code
home_default_dir(char out[HOME_PATH], struct rx_err *err)
{
    const char *home = getenv("HOME");

    if (home_platform() != NULL) {
        snprintf(out, HOME_PATH, "/data");
        return RX_OK;
    }
    if (home == NULL || home[0] == '\0')
        return rx_fail(err, RX_INVALID,
            "HOME is not set: say where data shall be with --data-dir");
    return home_join(home, ".routex", out, err);
}

static enum rx_code
make_one(const char *dir, struct rx_err *err)
{
    struct stat st;

    if (mkdir(dir, 0700) == 0)
        return RX_OK;
    if (errno != EEXIST)
        return rx_fail(err, RX_DENIED, "%s: %s", dir, strerror(errno));
    if (stat(dir, &st) != 0 || !S_ISDIR(st.st_mode))
        return rx_fail(err, RX_INVALID, "%s: is not a directory", dir);
    if (access(dir, R_OK | W_OK | X_OK) != 0)
        return rx_fail(err, RX_DENIED, "%s: %s", dir, strerror(errno));
    return RX_OK;
}

enum rx_code
home_make_dir(const char *dir, struct rx_err *err)
{
    char run[HOME_PATH];
    enum rx_code code = make_one(dir, err);

    if (code == RX_OK)
        code = home_join(dir, "run", run, err);
    return code == RX_OK ? make_one(run, err) : code;
}

enum rx_code
home_join(
    const char *dir, const char *name, char out[HOME_PATH], struct rx_err *err)
{
    int n = snprintf(out, HOME_PATH, "%s/%s", dir, name);

    if (n < 0 || n >= HOME_PATH)
        return rx_fail(err, RX_TOO_BIG, "%.80s...: path too long", dir);
    return RX_OK;
}

enum rx_code
home_sibling(const char *name, char out[HOME_PATH], struct rx_err *err)
{
    char self[HOME_PATH];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
    char *slash;
    enum rx_code code;

    if (n < 0)
        return rx_fail(err, RX_INTERNAL, "/proc/self/exe: %s", strerror(errno));
    self[n] = '\0';
    slash = strrchr(self, '/');
    if (slash == NULL)
        return rx_fail(err, RX_INTERNAL, "/proc/self/exe: no path");
    *slash = '\0';
    code = home_join(self, name, out, err);
    if (code == RX_OK && access(out, X_OK) != 0)
        return rx_fail(err, RX_NOT_FOUND, "%s: %s (it must lie beside routex)",
            out, strerror(errno));
    return code;
}

enum rx_code
home_read(const char *path, struct rx_buf *out, struct rx_err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    enum rx_code code = RX_OK;

    if (fd < 0)
        return rx_fail(err, errno == ENOENT ? RX_NOT_FOUND : RX_DENIED,
            "%s: %s", path, strerror(errno));
    for (;;) {
        char *to = rx_buf_room(out, 4096);
        ssize_t n = to == NULL ? -1 : read(fd, to, 4096);

        if (n == 0)
            break;
        if (n < 0) {
            code = rx_fail(err, RX_INTERNAL, "%s: %s", path,
                to == NULL ? "too big" : strerror(errno));
            break;
        }
        rx_buf_grew(out, (size_t)n);
    }
    close(fd);
    return code;
}

static bool
write_all(int fd, rx_str s)
{
    while (s.len > 0) {
        ssize_t n = write(fd, s.ptr, s.len);

        if (n < 0)
            return false;
        s.ptr += n;
        s.len -= (size_t)n;
    }
    return true;
}

enum rx_code
home_write(const char *path, rx_str content, struct rx_err *err)
{
    char next[HOME_PATH + 8];
    int fd;
    bool ok;

    snprintf(next, sizeof(next), "%s.new", path);
    fd = open(next, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return rx_fail(err, RX_DENIED, "%s: %s", next, strerror(errno));
    ok = write_all(fd, content);
    if (close(fd) != 0 || !ok || rename(next, path) != 0)
        return rx_fail(err, RX_INTERNAL, "%s: %s", path, strerror(errno));
    return RX_OK;
}

static bool
take_field(rx_str text, pid_t pid, const char *field, char *out, size_t size)
{
    struct rx_json_doc *doc = NULL;
    uint64_t told = 0;
    rx_str value;

    if (rx_json_parse(&doc, text, NULL, NULL) != RX_OK)
        return false;
    value = rx_json_str(rx_json_find(rx_json_root(doc), field));
    (void)rx_json_u64(rx_json_find(rx_json_root(doc), "pid"), &told);
    if (value.len >= size || (pid != 0 && told != (uint64_t)pid))
        value.len = 0;
    if (value.len > 0)
        snprintf(out, size, RX_STR_FMT, RX_STR_ARG(value));
    rx_json_free(doc);
    return value.len > 0;
}

bool
home_told(const char *dir, const char *name, pid_t pid, const char *field,
    char *out, size_t size)
{
    char path[HOME_PATH];
    struct rx_buf b;
    bool found = false;

    if (snprintf(path, sizeof(path), "%s/run/%s.json", dir, name) >=
        (int)sizeof(path))
        return false;
    rx_buf_init(&b, SMALL_FILE);
    if (home_read(path, &b, NULL) == RX_OK)
        found = take_field(rx_buf_str(&b), pid, field, out, size);
    rx_buf_fini(&b);
    return found;
}
