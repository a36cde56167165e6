#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "dataplane/journal.h"
#include "dataplane/journal_segment.h"
#include "shared/clock.h"
#include "shared/crc32c.h"
#include "shared/log.h"

#define MIB ((uint64_t)1024 * 1024)

static char dir[64];

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *w)
{
    (void)st;
    (void)type;
    (void)w;
    return remove(path);
}

static void
fresh_dir(void)
{
    if (dir[0] != '\0')
        nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    snprintf(dir, sizeof(dir), "/tmp/rxjournal.XXXXXX");
    if (mkdtemp(dir) == NULL)
        abort();
}

static struct journal *
open_boot(uint64_t boot, uint64_t limit)
{
    struct journal *j = NULL;
    struct rx_err err = { 0 };

    if (journal_open(&j, dir, boot, limit, &err) != RX_OK) {
        fprintf(stderr, "%s\n", err.text);
        abort();
    }
    return j;
}

static rx_str
payload_of(char out[64], uint64_t n)
{
    snprintf(out, 64, "record number %" PRIu64 " of this boot", n);
    return (rx_str){ out, strlen(out) };
}

/* A record that is alone in its write. */
static enum rx_code
append_now(struct journal *j, rx_str payload, struct rx_err *err)
{
    enum rx_code code = journal_add(j, payload, err);

    return code == RX_OK ? journal_write(j, err) : code;
}

static void
append(struct journal *j, uint64_t count)
{
    char text[64];

    for (uint64_t i = 0; i < count; i++) {
        rx_str p = payload_of(text, journal_next_seq(j));
        CHECK_INT(RX_OK, append_now(j, p, NULL));
    }
}

/* Read all there is, checking order and content; returns how many. */
static uint64_t
read_all(struct journal *j, struct journal_cursor *at, uint64_t *batches)
{
    struct journal_batch b;
    char text[64];
    uint64_t count = 0;
    uint64_t boot = 0;
    uint64_t last = 0;

    while (journal_read(j, at, 64 * 1024, &b)) {
        if (b.boot == boot)
            CHECK_INT((intmax_t)last + 1, (intmax_t)b.first_seq);
        CHECK(b.boot >= boot);
        CHECK(b.last_seq >= b.first_seq);
        CHECK(b.oldest_seq <= b.first_seq);
        for (size_t i = 0; i < b.count; i++)
            CHECK(rx_str_eq(payload_of(text, b.first_seq + i), b.payloads[i]));
        boot = b.boot;
        last = b.last_seq;
        count += b.count;
        if (batches != NULL)
            ++*batches;
        rx_buf_fini(&b.bytes);
    }
    return count;
}

static unsigned
segment_files(void)
{
    char command[128];
    char text[16] = "0";

    snprintf(command, sizeof(command), "ls %s | grep -c seg$", dir);
    FILE *f = popen(command, "r");
    if (fgets(text, sizeof(text), f) == NULL)
        text[0] = '0';
    pclose(f);
    return (unsigned)strtoul(text, NULL, 10);
}

static void
gives_back_what_was_written(void)
{
    fresh_dir();
    struct journal *j = open_boot(100, 64 * MIB);
    struct journal_cursor at = { 0 };

    CHECK_INT(0, (int)read_all(j, &at, NULL));
    append(j, 1000);
    CHECK_INT(1000, (int)read_all(j, &at, NULL));
    append(j, 10); /* the cursor goes on where it was */
    CHECK_INT(10, (int)read_all(j, &at, NULL));
    at = (struct journal_cursor){ 0 };
    CHECK_INT(1010, (int)read_all(j, &at, NULL));
    CHECK_INT(1010, (int)journal_status(j).pending_records);
    journal_ack(j, 100, 400);
    at = (struct journal_cursor){ 0 };
    CHECK_INT(610, (int)read_all(j, &at, NULL));
    CHECK_INT(610, (int)journal_status(j).pending_records);
    CHECK_INT(400, (int)journal_status(j).acked_seq);
    journal_ack(j, 100, 99999); /* more than there is */
    CHECK_INT(1010, (int)journal_status(j).acked_seq);
    CHECK_INT(0, (int)journal_status(j).pending_records);
    CHECK_INT(0, (int)journal_status(j).pending_bytes);
    journal_close(j);
    CHECK_INT(0, (int)segment_files());
}

static void
earlier_boots_are_read_first_under_their_number(void)
{
    fresh_dir();
    for (uint64_t boot = 5; boot < 8; boot++) {
        struct journal *j = open_boot(boot, 64 * MIB);
        append(j, boot * 10);
        journal_close(j);
    }
    struct journal *j = open_boot(8, 64 * MIB);
    append(j, 7);
    struct journal_cursor at = { 0 };
    CHECK_INT(187, (int)read_all(j, &at, NULL));
    CHECK_INT(187, (int)journal_status(j).pending_records);
    journal_ack(j, 6, 60);
    journal_ack(j, 5, 20);
    at = (struct journal_cursor){ 0 };
    CHECK_INT(30 + 70 + 7, (int)read_all(j, &at, NULL));
    journal_ack(j, 5, 50);
    journal_ack(j, 7, 70);
    CHECK_INT(7, (int)journal_status(j).pending_records);
    CHECK_INT(1, (int)segment_files());
    journal_close(j);
}

static void
boots_only_grow(void)
{
    uint64_t a;
    uint64_t b;
    char path[96];

    fresh_dir();
    CHECK_INT(RX_OK, journal_next_boot(dir, &a, NULL));
    CHECK(a >= 1700000000000u);
    CHECK_INT(RX_OK, journal_next_boot(dir, &b, NULL));
    CHECK(b > a);
    rx_clock_fake(1000); /* the clock is lost */
    CHECK_INT(RX_OK, journal_next_boot(dir, &a, NULL));
    CHECK_INT((intmax_t)b + 1, (intmax_t)a);
    /* So is the file, but segments tell. */
    snprintf(path, sizeof(path), "%s/boot", dir);
    CHECK_INT(0, unlink(path));
    snprintf(path, sizeof(path), "%s/%" PRIu64 "-3.seg", dir, a + 5);
    close(open(path, O_CREAT | O_WRONLY, 0600));
    CHECK_INT(RX_OK, journal_next_boot(dir, &b, NULL));
    CHECK_INT((intmax_t)a + 6, (intmax_t)b);
    rx_clock_fake(0);
}

static rx_str
slurp(const char *path, char *to, size_t size)
{
    int fd = open(path, O_RDONLY);
    ssize_t n = read(fd, to, size);

    close(fd);
    return (rx_str){ to, n > 0 ? (size_t)n : 0 };
}

static void
spill(const char *path, rx_str bytes)
{
    int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);

    CHECK(write(fd, bytes.ptr, bytes.len) == (ssize_t)bytes.len);
    close(fd);
}

static void
a_tail_torn_at_any_byte_costs_that_record_only(void)
{
    static char bytes[8192];
    char path[96];
    size_t ends[21]; /* where record i ends */
    struct journal_cursor at;

    fresh_dir();
    struct journal *j = open_boot(9, 64 * MIB);
    snprintf(path, sizeof(path), "%s/9-1.seg", dir);
    ends[0] = JOURNAL_HEADER;
    for (size_t i = 1; i <= 20; i++) {
        struct stat st;
        append(j, 1);
        CHECK_INT(0, stat(path, &st));
        ends[i] = (size_t)st.st_size;
    }
    journal_close(j);
    rx_str whole = slurp(path, bytes, sizeof(bytes));
    CHECK_INT((int)ends[20], (int)whole.len);

    for (size_t cut = 0; cut <= whole.len; cut++) {
        spill(path, (rx_str){ bytes, cut });
        size_t want = 0;
        while (want < 20 && ends[want + 1] <= cut)
            want++;
        j = open_boot(10, 64 * MIB);
        at = (struct journal_cursor){ 0 };
        CHECK_INT((int)want, (int)read_all(j, &at, NULL));
        journal_close(j);
        snprintf(path, sizeof(path), "%s/9-1.seg", dir);
    }
}

static void
a_damaged_record_ends_its_segment_and_nothing_else(void)
{
    static char bytes[8192];
    char path[96];
    struct journal_batch b;

    fresh_dir();
    struct journal *j = open_boot(9, 64 * MIB);
    append(j, 20);
    journal_close(j);
    snprintf(path, sizeof(path), "%s/9-1.seg", dir);
    rx_str whole = slurp(path, bytes, sizeof(bytes));
    for (size_t i = JOURNAL_HEADER; i < whole.len; i += 7) {
        bytes[i] ^= 0x10;
        spill(path, whole);
        bytes[i] ^= 0x10;
        uint64_t boot = 0;
        uint64_t first = 0;
        uint64_t last = 0;
        bytes[i] ^= 0x10;
        size_t good = journal_check(whole, &boot, &first, &last);
        bytes[i] ^= 0x10;
        CHECK(good <= i && last < 20);
        j = open_boot(10, 64 * MIB);
        append(j, 3);
        struct journal_cursor at = { 0 };
        CHECK_INT((int)last + 3, (int)read_all(j, &at, NULL));
        journal_ack(j, 10, 3);
        journal_close(j);
    }

    /* Damage found while this boot still writes: the batch speaks for what is
     * lost, so that the numbers go on. */
    fresh_dir();
    j = open_boot(9, 64 * MIB);
    append(j, 20);
    snprintf(path, sizeof(path), "%s/9-1.seg", dir);
    int fd = open(path, O_RDWR);
    CHECK(pwrite(fd, "??", 2, (off_t)(whole.len / 2)) == 2);
    close(fd);
    struct journal_cursor at = { 0 };
    uint64_t spoken = 0;
    uint64_t records = 0;
    while (journal_read(j, &at, 65536, &b)) {
        CHECK_INT((intmax_t)spoken + 1, (intmax_t)b.first_seq);
        spoken = b.last_seq;
        records += b.count;
        rx_buf_fini(&b.bytes);
    }
    CHECK_INT(20, (int)spoken);
    CHECK(records > 5 && records < 20);
    CHECK(journal_status(j).damaged > 0);
    journal_close(j);
}

static void
at_its_limit_it_takes_nothing_until_something_is_taken_off(void)
{
    static char big[4096];
    uint64_t n = 0;

    fresh_dir();
    memset(big, 'x', sizeof(big));
    struct journal *j = open_boot(9, MIB);
    while (append_now(j, (rx_str){ big, sizeof(big) }, NULL) == RX_OK)
        n++;
    CHECK(n > 200 && n < 256);
    CHECK(journal_status(j).full);
    CHECK_INT(RX_LIMITED, append_now(j, (rx_str){ big, sizeof(big) }, NULL));
    CHECK(journal_status(j).pending_bytes <= MIB);
    CHECK(segment_files() > 4);
    journal_ack(j, 9, n / 2);
    CHECK(!journal_status(j).full);
    CHECK_INT(RX_OK, append_now(j, (rx_str){ big, sizeof(big) }, NULL));
    CHECK_INT((intmax_t)n + 1, (intmax_t)journal_status(j).last_seq);
    journal_close(j);
}

static void
added_records_count_only_once_they_are_written(void)
{
    struct journal_cursor at = { 0 };
    char text[64];

    fresh_dir();
    struct journal *j = open_boot(9, 8 * MIB);
    for (uint64_t i = 1; i <= 5; i++) {
        CHECK_INT((intmax_t)i, (intmax_t)journal_next_seq(j));
        CHECK_INT(RX_OK, journal_add(j, payload_of(text, i), NULL));
    }
    CHECK_INT(0, (int)journal_status(j).last_seq);
    CHECK_INT(0, (int)read_all(j, &at, NULL));
    CHECK_INT(0, (int)segment_files());
    journal_ack(j, 9, 5); /* of what was never sent */
    CHECK_INT(RX_OK, journal_write(j, NULL));
    CHECK_INT(5, (int)journal_status(j).pending_records);
    CHECK_INT(5, (int)read_all(j, &at, NULL));
    journal_close(j);

    j = open_boot(10, 8 * MIB);
    at = (struct journal_cursor){ 0 };
    CHECK_INT(5, (int)read_all(j, &at, NULL));
    journal_close(j);
}

static void
a_batch_larger_than_a_segment_is_read_again(void)
{
    static char big[60000];
    int n = 0;

    fresh_dir();
    memset(big, 'x', sizeof(big));
    struct journal *j = open_boot(9, 2 * MIB); /* segments of 256 KiB */
    append(j, 1);
    for (; !journal_must_write(j); n++)
        CHECK_INT(RX_OK, journal_add(j, (rx_str){ big, sizeof(big) }, NULL));
    CHECK_INT(5, n);
    CHECK_INT(RX_OK, journal_write(j, NULL));
    append(j, 1);
    CHECK_INT(3, (int)segment_files());
    journal_close(j);

    j = open_boot(10, 2 * MIB);
    CHECK_INT(7, (int)journal_status(j).pending_records);
    CHECK_INT(0, (int)journal_status(j).damaged);
    journal_close(j);
}

static void
a_batch_that_cannot_be_written_is_given_up_whole(void)
{
    struct rlimit old;
    struct rlimit none;
    char text[64];

    fresh_dir();
    signal(SIGXFSZ, SIG_IGN);
    struct journal *j = open_boot(9, 8 * MIB);
    append(j, 3);
    getrlimit(RLIMIT_FSIZE, &old);
    none = (struct rlimit){ 200, old.rlim_max };
    setrlimit(RLIMIT_FSIZE, &none);
    for (uint64_t i = 4; i <= 40; i++)
        CHECK_INT(RX_OK, journal_add(j, payload_of(text, i), NULL));
    CHECK_INT(RX_UNAVAILABLE, journal_write(j, NULL));
    setrlimit(RLIMIT_FSIZE, &old);
    CHECK_INT(4, (int)journal_next_seq(j));
    append(j, 2);
    struct journal_cursor at = { 0 };
    CHECK_INT(5, (int)read_all(j, &at, NULL));
    CHECK_INT(0, (int)journal_status(j).damaged);
    journal_close(j);
}

/* No space left, as RLIMIT_FSIZE plays it: writes come up short, then fail. */
static void
a_disk_that_refuses_leaves_whole_records(void)
{
    struct rlimit old;
    char text[64];
    uint64_t n = 0;
    enum rx_code code;

    fresh_dir();
    signal(SIGXFSZ, SIG_IGN);
    struct journal *j = open_boot(9, 64 * MIB);
    getrlimit(RLIMIT_FSIZE, &old);
    struct rlimit small = { 5000, old.rlim_max };
    setrlimit(RLIMIT_FSIZE, &small);
    while ((code = append_now(
                j, payload_of(text, journal_next_seq(j)), NULL)) == RX_OK)
        n++;
    CHECK_INT(RX_UNAVAILABLE, code);
    CHECK(n > 100 && n < 130);
    struct rlimit none = { 0, old.rlim_max };
    setrlimit(RLIMIT_FSIZE, &none);
    CHECK(!journal_probe(j));
    setrlimit(RLIMIT_FSIZE, &old);
    CHECK(journal_probe(j));

    append(j, 30); /* it goes on with the next number */
    struct journal_cursor at = { 0 };
    CHECK_INT((int)n + 30, (int)read_all(j, &at, NULL));
    journal_close(j);
    j = open_boot(10, 64 * MIB);
    at = (struct journal_cursor){ 0 };
    CHECK_INT((int)n + 30, (int)read_all(j, &at, NULL));
    journal_close(j);
}

static void
acknowledged_segments_go_away(void)
{
    static char big[8192];

    fresh_dir();
    struct journal *j = open_boot(9, 8 * MIB);
    memset(big, 'x', sizeof(big));
    for (int i = 0; i < 600; i++)
        CHECK_INT(RX_OK, append_now(j, (rx_str){ big, sizeof(big) }, NULL));
    CHECK(segment_files() > 3);
    journal_ack(j, 9, 600);
    CHECK_INT(0, (int)segment_files());
    append(j, 5);
    CHECK_INT(605, (int)journal_status(j).last_seq);
    struct journal_cursor at = { 0 };
    CHECK_INT(5, (int)read_all(j, &at, NULL));
    journal_close(j);
    CHECK_INT(1, (int)segment_files());
}

static void
what_was_written_is_handed_out_for_syncing_once(void)
{
    int *fds = NULL;

    fresh_dir();
    struct journal *j = open_boot(9, 64 * MIB);
    CHECK_INT(0, (int)journal_take_unsynced(j, &fds));
    append(j, 3);
    size_t n = journal_take_unsynced(j, &fds);
    CHECK_INT(2, (int)n); /* the file, and the directory it is new in */
    for (size_t i = 0; i < n; i++) {
        CHECK_INT(0, fsync(fds[i]));
        close(fds[i]);
    }
    free(fds);
    CHECK_INT(0, (int)journal_take_unsynced(j, &fds));
    append(j, 1);
    CHECK_INT(1, (int)journal_take_unsynced(j, &fds));
    close(fds[0]);
    free(fds);
    journal_close(j);
}

static void
crc32c_is_the_one_everybody_uses(void)
{
    static char bytes[1000];

    CHECK(rx_crc32c(0, RX_S("123456789")) == 0xe3069283u);
    CHECK(rx_crc32c_portable(0, RX_S("123456789")) == 0xe3069283u);
    CHECK(rx_crc32c(0, (rx_str){ 0 }) == 0);
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)(i * 31 + i / 7);
    for (size_t from = 0; from < 9; from++) {
        for (size_t len = 0; len < 64; len++) {
            rx_str s = { bytes + from, len };
            rx_str a = { bytes + from, len / 3 };
            rx_str b = { bytes + from + len / 3, len - len / 3 };
            CHECK(rx_crc32c(0, s) == rx_crc32c_portable(0, s));
            CHECK(rx_crc32c(0, s) == rx_crc32c(rx_crc32c(0, a), b));
        }
    }
}

int
main(void)
{
    rx_log_init("test", RX_LOG_ERROR);
    CHECK_RUN(crc32c_is_the_one_everybody_uses);
    CHECK_RUN(gives_back_what_was_written);
    CHECK_RUN(earlier_boots_are_read_first_under_their_number);
    CHECK_RUN(boots_only_grow);
    CHECK_RUN(a_tail_torn_at_any_byte_costs_that_record_only);
    CHECK_RUN(a_damaged_record_ends_its_segment_and_nothing_else);
    CHECK_RUN(at_its_limit_it_takes_nothing_until_something_is_taken_off);
    CHECK_RUN(added_records_count_only_once_they_are_written);
    CHECK_RUN(a_batch_larger_than_a_segment_is_read_again);
    CHECK_RUN(a_batch_that_cannot_be_written_is_given_up_whole);
    CHECK_RUN(a_disk_that_refuses_leaves_whole_records);
    CHECK_RUN(acknowledged_segments_go_away);
    CHECK_RUN(what_was_written_is_handed_out_for_syncing_once);
    nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return CHECK_EXIT();
}
