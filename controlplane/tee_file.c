#include "controlplane/tee_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE 1200

static void
name_older(const struct tee_file *f, uint64_t n, char out[PATH_SIZE])
{
    if (n == 0)
        snprintf(out, PATH_SIZE, "%s", f->path);
    else
        snprintf(out, PATH_SIZE, "%s.%" PRIu64, f->path, n);
}

/* Each takes the place of the one before it; the oldest goes. */
static void
turn_over(const struct tee_file *f)
{
    char from[PATH_SIZE], to[PATH_SIZE];

    if (f->keep == 0) {
        (void)unlink(f->path);
        return;
    }
    for (uint64_t n = f->keep; n > 0; n--) {
        name_older(f, n - 1, from);
        name_older(f, n, to);
        (void)rename(from, to);
    }
}

static enum rx_code
fail(const struct tee_file *f, struct rx_err *err)
{
    bool full = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;

    return rx_fail(err, full ? RX_UNAVAILABLE : RX_INTERNAL, "%s: %s", f->path,
        strerror(errno));
}

static bool
write_all(int fd, rx_str s)
{
    while (s.len > 0) {
        ssize_t n = write(fd, s.ptr, s.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        s.ptr += n;
        s.len -= (size_t)n;
    }
    return true;
}

enum rx_code
tee_file_write(const struct tee_file *f, rx_str lines, struct rx_err *err)
{
    struct stat st;

    if (stat(f->path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 &&
        (uint64_t)st.st_size + lines.len > f->max_bytes)
        turn_over(f);
    int fd = open(
        f->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return fail(f, err);
    enum rx_code code = RX_OK;
    if (fstat(fd, &st) != 0 || !write_all(fd, lines)) {
        code = fail(f, err);
        if (ftruncate(fd, st.st_size) != 0) /* half a line is none */
            code = fail(f, err);
    }
    close(fd);
    return code;
}
