/*
 * A journal of many small segments, written and read at the same time, as the
 * report does it under load.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/journal.h"
#include "tests/unit/check.h"

#define RECORDS 5000 /* about six segments of the smallest size */

static char dir[] = "/tmp/rx-journal-XXXXXX";

static struct journal *
open_journal(uint64_t boot)
{
    struct journal *j;
    struct rx_err err;

    if (journal_open(&j, dir, boot, 128 * 1024 * 8, &err) != RX_OK) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
    return j;
}

/* A record that is alone in its write. */
static enum rx_code
append_now(struct journal *j, rx_str payload, struct rx_err *err)
{
    enum rx_code code = journal_add(j, payload, err);

    return code == RX_OK ? journal_write(j, err) : code;
}

static void
append(struct journal *j)
{
    char text[100];
    struct rx_err err;

    memset(text, 'x', sizeof(text));
    CHECK_INT(RX_OK, append_now(j, (rx_str){ text, sizeof(text) }, &err));
}

/* Read what there is; every record must be the next one. */
static void
read_all(struct journal *j, struct journal_cursor *at, uint64_t *next)
{
    struct journal_batch b;

    while (journal_read(j, at, 16 * 1024, &b)) {
        CHECK_INT((intmax_t)*next, (intmax_t)b.first_seq);
        CHECK_INT((intmax_t)(b.last_seq - b.first_seq + 1), (intmax_t)b.count);
        *next = b.last_seq + 1;
        rx_buf_fini(&b.bytes);
    }
}

static void
reads_on_from_one_segment_into_the_next(void)
{
    struct journal *j = open_journal(1);
    struct journal_cursor at = { 0 };
    uint64_t next = 1;

    for (int i = 0; i < RECORDS; i++) {
        append(j);
        if (i % 7 == 0)
            read_all(j, &at, &next);
    }
    read_all(j, &at, &next);
    CHECK_INT(RECORDS + 1, (intmax_t)next);
    CHECK_INT(0, (intmax_t)journal_status(j).damaged);
    journal_ack(j, 1, RECORDS);
    journal_close(j);
}

static void
finds_what_is_added_to_a_segment_that_was_acknowledged(void)
{
    struct journal *j = open_journal(2);
    struct journal_cursor at = { 0 };
    uint64_t next = 1;

    for (int i = 0; i < 3; i++)
        append(j);
    journal_ack(j, 2, 3); /* from the run before: nothing was read yet */
    next = 4;
    read_all(j, &at, &next);
    append(j);
    read_all(j, &at, &next);
    CHECK_INT(5, (intmax_t)next);
    CHECK_INT(0, (intmax_t)journal_status(j).damaged);
    journal_ack(j, 2, 4);
    journal_close(j);
}

int
main(void)
{
    if (mkdtemp(dir) == NULL)
        return 1;
    CHECK_RUN(reads_on_from_one_segment_into_the_next);
    CHECK_RUN(finds_what_is_added_to_a_segment_that_was_acknowledged);
    rmdir(dir);
    return CHECK_EXIT();
}
