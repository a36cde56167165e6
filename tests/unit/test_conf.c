#include <stdlib.h>

#include "shared/conf.h"
#include "shared/log.h"
#include "tests/unit/check.h"

struct options {
    const char *dir;
    uint16_t port;
    uint64_t wait_ms;
    uint64_t size;
    bool json;
    enum rx_log_level level;
    struct rx_conf_list tags;
};

static const struct rx_conf_row rows[] = {
    RX_CONF("data-dir", "TEST_RX_DIR", "DIR", rx_conf_text, struct options, dir,
        "/tmp", "where things are"),
    RX_CONF("port", "TEST_RX_PORT", "PORT", rx_conf_port, struct options, port,
        "8080", "where to listen"),
    RX_CONF("wait", NULL, "TIME", rx_conf_ms, struct options, wait_ms, "5m",
        "how long to wait"),
    RX_CONF("size", NULL, "BYTES", rx_conf_bytes, struct options, size, "32m",
        "how much"),
    RX_CONF("tag", NULL, "TAG", rx_conf_list, struct options, tags, NULL,
        "may be given more than once"),
    RX_CONF("log-level", NULL, "LEVEL", rx_conf_level, struct options, level,
        "info", "how much to say"),
    RX_CONF_SWITCH("json", NULL, struct options, json, "answer for machines"),
    { 0 },
};
static const struct rx_conf conf = { "prog", "It does things.", NULL, rows,
    false };
static const struct rx_conf conf_words = { "prog", "It does things.", "VERB",
    rows, true };

#define MAX_ARGS 12
struct run {
    struct options options;
    char *argv[MAX_ARGS + 1];
    int argc;
    struct rx_err err;
    enum rx_conf_end end;
};

/* Load blank-separated `line` as the command line. */
static struct run
load_with(const struct rx_conf *c, const char *line)
{
    static char copy[512];
    struct run r = { .argc = 1 };

    snprintf(copy, sizeof(copy), "%s", line);
    r.argv[0] = copy + sizeof(copy) - 1;
    for (char *at = copy; *at != '\0' && r.argc < MAX_ARGS;) {
        char *blank = at + strcspn(at, " ");
        r.argv[r.argc++] = at;
        at = *blank == '\0' ? blank : blank + 1;
        *blank = '\0';
    }
    r.end = rx_conf_load(c, &r.options, &r.argc, r.argv, &r.err);
    return r;
}

static struct run
load(const char *line)
{
    return load_with(&conf, line);
}

static void
defaults_hold_when_nothing_is_said(void)
{
    struct run r = load("");

    CHECK_INT(RX_CONF_RUN, r.end);
    CHECK_TEXT("/tmp", r.options.dir);
    CHECK_INT(8080, r.options.port);
    CHECK_INT(300000, (intmax_t)r.options.wait_ms);
    CHECK_INT(32 << 20, (intmax_t)r.options.size);
    CHECK_INT(RX_LOG_INFO, r.options.level);
    CHECK(!r.options.json);
}

static void
flags_win_over_environment_and_that_over_defaults(void)
{
    setenv("TEST_RX_PORT", "1000", 1);
    setenv("TEST_RX_DIR", "", 1);
    struct run r = load("");
    CHECK_INT(1000, r.options.port);
    CHECK_TEXT("/tmp", r.options.dir);
    r = load("--port=2000");
    CHECK_INT(2000, r.options.port);
    r = load("--port 0");
    CHECK_INT(0, r.options.port);
    unsetenv("TEST_RX_PORT");
    unsetenv("TEST_RX_DIR");
}

static void
values_have_units_and_ranges(void)
{
    struct run r = load("--wait 250ms --size 1g --json --log-level DEBUG");

    CHECK_INT(250, (intmax_t)r.options.wait_ms);
    CHECK_INT(1 << 30, (intmax_t)r.options.size);
    CHECK_INT(RX_LOG_DEBUG, r.options.level);
    CHECK(r.options.json);
    CHECK_INT(90000, (intmax_t)load("--wait 90").options.wait_ms);
    CHECK(!load("--json --no-json").options.json);
    r = load("--tag a --tag=b --tag");
    CHECK_INT(RX_CONF_WRONG, r.end);
    r = load("--tag a --tag=b");
    CHECK_INT(2, (intmax_t)r.options.tags.count);
    CHECK_TEXT("b", r.options.tags.at[1]);
}

static void
what_is_wrong_is_said(void)
{
    static const struct {
        const char *line;
        const char *says;
    } wrong[] = {
        { "--prot 1", "--prot: unknown option; did you mean --port?" },
        { "--zzzzzzzz", "--zzzzzzzz: unknown option (see --help)" },
        { "-x", "-x: unknown option (see --help)" },
        { "--port 65536", "--port: \"65536\" is not a valid PORT" },
        { "--wait 5d", "--wait: \"5d\" is not a valid TIME" },
        { "--size 99999999999g",
            "--size: \"99999999999g\" is not a valid BYTES" },
        { "--data-dir", "--data-dir needs a value: DIR" },
        { "--json=1", "--json takes no value" },
        { "word", "word: not expected here (see --help)" },
    };

    for (size_t i = 0; i < RX_COUNT(wrong); i++) {
        struct run r = load(wrong[i].line);
        CHECK_INT(RX_CONF_WRONG, r.end);
        CHECK_TEXT(wrong[i].says, r.err.text);
    }
    setenv("TEST_RX_PORT", "many", 1);
    struct run r = load("");
    CHECK_TEXT("TEST_RX_PORT: \"many\" is not a valid PORT", r.err.text);
    unsetenv("TEST_RX_PORT");
}

static void
a_very_long_unknown_option_is_refused_too(void)
{
    char line[400];

    memset(line, 'x', sizeof(line));
    line[0] = line[1] = '-';
    line[sizeof(line) - 1] = '\0';
    CHECK_INT(RX_CONF_WRONG, load(line).end);
}

static void
words_are_left_for_the_program(void)
{
    struct run r = load_with(&conf_words, "--json add --port x");

    CHECK_INT(RX_CONF_RUN, r.end);
    CHECK_INT(4, r.argc);
    CHECK_TEXT("add", r.argv[1]);
    CHECK_TEXT("--port", r.argv[2]);
}

static void
help_lists_every_option(void)
{
    struct rx_buf b;

    rx_buf_init(&b, 1 << 16);
    rx_conf_help(&conf, &b);
    for (const struct rx_conf_row *row = rows; row->name != NULL; row++)
        CHECK(strstr(b.ptr, row->name) != NULL);
    CHECK(strstr(b.ptr, "$TEST_RX_PORT") != NULL);
    rx_buf_fini(&b);
}

int
main(void)
{
    CHECK_RUN(defaults_hold_when_nothing_is_said);
    CHECK_RUN(flags_win_over_environment_and_that_over_defaults);
    CHECK_RUN(values_have_units_and_ranges);
    CHECK_RUN(what_is_wrong_is_said);
    CHECK_RUN(a_very_long_unknown_option_is_refused_too);
    CHECK_RUN(words_are_left_for_the_program);
    CHECK_RUN(help_lists_every_option);
    return CHECK_EXIT();
}
