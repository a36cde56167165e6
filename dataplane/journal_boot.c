/*
 * The number of a boot, in <dir>/boot.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dataplane/journal_parts.h"
#include "shared/clock.h"

static uint64_t
read_boot(int dir_fd)
{
    char text[32] = "";
    int fd = openat(dir_fd, "boot", O_RDONLY | O_CLOEXEC);
    uint64_t n = 0;

    if (fd < 0)
        return 0;
    ssize_t len = read(fd, text, sizeof(text));
    close(fd);
    if (len <= 0 || text[len - 1] != '\n' ||
        !rx_str_u64((rx_str){ text, (size_t)len - 1 }, &n))
        return 0;
    return n;
}

static bool
write_boot(int dir_fd, uint64_t n)
{
    char text[32];
    int len = snprintf(text, sizeof(text), "%" PRIu64 "\n", n);
    int fd = openat(
        dir_fd, "boot.tmp", O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);

    if (fd < 0)
        return false;
    bool ok = write(fd, text, (size_t)len) == len && fsync(fd) == 0;
    int why = errno;
    close(fd);
    errno = why;
    return ok && renameat(dir_fd, "boot.tmp", dir_fd, "boot") == 0 &&
           fsync(dir_fd) == 0;
}

static void
see_boot(void *arg, uint64_t boot, uint64_t n, uint64_t size)
{
    uint64_t *most = arg;

    (void)n;
    (void)size;
    if (boot > *most)
        *most = boot;
}

enum rx_code
journal_next_boot(const char *dir, uint64_t *boot, struct rx_err *err)
{
    if (mkdir(dir, 0700) != 0 && errno != EEXIST)
        return rx_fail(err, RX_INTERNAL, "%s: %s", dir, strerror(errno));
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return rx_fail(err, RX_INTERNAL, "%s: %s", dir, strerror(errno));

    uint64_t last = read_boot(fd);
    uint64_t now = rx_clock_wall_ms();
    bool ok = journal_walk(fd, see_boot, &last);
    *boot = last >= now ? last + 1 : now;
    ok = ok && write_boot(fd, *boot);
    int why = errno;
    close(fd);
    if (!ok)
        return rx_fail(err, RX_INTERNAL, "%s: %s", dir, strerror(why));
    return RX_OK;
}
