/*
 * Files of lines begin anew when they are full, and lose no line before.
 */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controlplane/tee_file.h"
#include "tests/unit/check.h"

static char folder[] = "/tmp/rtx-tee-XXXXXX";
static char path[64];

/* What is in the n-th older file (0: the newest); "absent". */
static const char *
content(unsigned n)
{
    static char text[256];
    char name[96];

    snprintf(name, sizeof(name), n == 0 ? "%s" : "%s.%u", path, n);
    FILE *f = fopen(name, "r");
    if (f == NULL)
        return "absent";
    text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
    fclose(f);
    return text;
}

static void
begin(void)
{
    char name[96];

    for (unsigned n = 0; n < 9; n++) {
        snprintf(name, sizeof(name), n == 0 ? "%s" : "%s.%u", path, n);
        (void)unlink(name);
    }
}

static void
put(const struct tee_file *f, const char *lines)
{
    struct rx_err err = { 0 };

    CHECK(tee_file_write(f, rx_str_of(lines), &err) == RX_OK);
}

static void
lines_are_appended_until_the_file_would_grow_too_large(void)
{
    struct tee_file f = { path, 10, 3 };
    struct stat st;

    begin();
    put(&f, "1111\n");
    put(&f, "2222\n"); /* exactly full */
    CHECK_TEXT("1111\n2222\n", content(0));
    CHECK_TEXT("absent", content(1));
    put(&f, "3\n");
    CHECK_TEXT("3\n", content(0));
    CHECK_TEXT("1111\n2222\n", content(1));
    CHECK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
}

static void
older_files_move_up_and_the_oldest_goes(void)
{
    struct tee_file f = { path, 5, 2 };

    begin();
    put(&f, "aaaa\n");
    put(&f, "bbbb\n");
    put(&f, "cccc\n");
    CHECK_TEXT("cccc\n", content(0));
    CHECK_TEXT("bbbb\n", content(1));
    CHECK_TEXT("aaaa\n", content(2));
    put(&f, "dddd\n");
    CHECK_TEXT("dddd\n", content(0));
    CHECK_TEXT("bbbb\n", content(2));
    CHECK_TEXT("absent", content(3));
}

static void
with_none_kept_the_full_one_goes(void)
{
    struct tee_file f = { path, 5, 0 };

    begin();
    put(&f, "aaaa\n");
    put(&f, "bbbb\n");
    CHECK_TEXT("bbbb\n", content(0));
    CHECK_TEXT("absent", content(1));
}

static void
a_line_larger_than_a_file_may_be_has_one_of_its_own(void)
{
    struct tee_file f = { path, 5, 2 };

    begin();
    put(&f, "a\n");
    put(&f, "much longer than that\n");
    CHECK_TEXT("much longer than that\n", content(0));
    CHECK_TEXT("a\n", content(1));
}

static void
a_file_that_cannot_be_written_is_told_with_its_name(void)
{
    struct tee_file f = { "/nowhere/at/all.jsonl", 5, 2 };
    struct rx_err err = { 0 };

    CHECK(tee_file_write(&f, RX_S("x\n"), &err) == RX_INTERNAL);
    CHECK(strstr(err.text, "/nowhere/at/all.jsonl") != NULL);
    begin();
    CHECK(symlink("/tmp/rtx-elsewhere", path) == 0);
    f.path = path; /* who can make links there could choose what we write to */
    CHECK(tee_file_write(&f, RX_S("x\n"), &err) != RX_OK);
    CHECK(access("/tmp/rtx-elsewhere", F_OK) != 0);
    begin();
}

int
main(void)
{
    if (mkdtemp(folder) == NULL)
        return 1;
    snprintf(path, sizeof(path), "%s/t.jsonl", folder);
    CHECK_RUN(lines_are_appended_until_the_file_would_grow_too_large);
    CHECK_RUN(older_files_move_up_and_the_oldest_goes);
    CHECK_RUN(with_none_kept_the_full_one_goes);
    CHECK_RUN(a_line_larger_than_a_file_may_be_has_one_of_its_own);
    CHECK_RUN(a_file_that_cannot_be_written_is_told_with_its_name);
    begin();
    (void)rmdir(folder);
    return CHECK_EXIT();
}
