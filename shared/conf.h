/*
 * conf.h - a program's options, as one table.
 *
 * A row is the flag, the environment variable, the default, the check, the unit
 * and the line in --help.  Flags win over the environment, the environment over
 * defaults.  --help and --version come by themselves.
 *
 *     struct options { const char *data_dir; uint16_t port; bool json; };
 *     static const struct rx_conf_row rows[] = {
 *         RX_CONF("data-dir", "ROUTEX_DATA_DIR", "DIR", rx_conf_text,
 *             struct options, data_dir, NULL, "where everything is kept"),
 *         RX_CONF("port", "PORT", "N", rx_conf_port,
 *             struct options, port, "8080", "clients' port; 0: any"),
 *         RX_CONF_SWITCH("json", NULL,
 *             struct options, json, "answer for machines"),
 *         { 0 },
 *     };
 *     static const struct rx_conf conf = {
 *         .program = "routex-data", .summary = "…", .rows = rows };
 *
 *     switch (rx_conf_load(&conf, &options, &argc, argv, &err)) {
 *     case RX_CONF_RUN: break;
 *     case RX_CONF_DONE: return 0;   // --help or --version was printed
 *     case RX_CONF_WRONG: …          // err says what; exit code 2
 *     }
 */
#ifndef SHARED_CONF_H
#define SHARED_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/attr.h"
#include "shared/buf.h"
#include "shared/err.h"

/* Read `text` into *to; false when it cannot be that. */
typedef bool rx_conf_fn(void *to, const char *text);

struct rx_conf_row {
    const char *name; /* "data-dir"; NULL ends the table */
    const char *env;  /* "ROUTEX_DATA_DIR"; may be NULL */
    const char *what; /* "DIR"; NULL: a switch, takes no value */
    rx_conf_fn *set;
    size_t offset;        /* of the member in the options struct */
    const char *fallback; /* NULL: the member is left as it is */
    const char *help;     /* one line; may hold '\n' for more */
};

#define RX_CONF(name, env, what, set, type, member, fallback, help)  \
    {                                                                \
        name, env, what, set, offsetof(type, member), fallback, help \
    }
/* --name or --no-name; a bool that starts false unless preset by the caller */
#define RX_CONF_SWITCH(name, env, type, member, help)                       \
    {                                                                       \
        name, env, NULL, rx_conf_switch, offsetof(type, member), NULL, help \
    }

/* What members are, and what they are read from. */
rx_conf_fn rx_conf_text;   /* const char *: borrowed from argv, env or table */
rx_conf_fn rx_conf_list;   /* struct rx_conf_list: each use adds one */
rx_conf_fn rx_conf_switch; /* bool: 1 true yes on, 0 false no off */
rx_conf_fn rx_conf_port;   /* uint16_t */
rx_conf_fn rx_conf_u64;    /* uint64_t */
rx_conf_fn rx_conf_ms;     /* uint64_t ms: 250ms 30s 5m 2h; bare: seconds */
rx_conf_fn rx_conf_bytes;  /* uint64_t: 512 64k 32m 1g */
rx_conf_fn rx_conf_level;  /* enum rx_log_level: error warn info debug */

#define RX_CONF_LIST_MAX 32
struct rx_conf_list {
    const char *at[RX_CONF_LIST_MAX];
    size_t count;
};

struct rx_conf {
    const char *program; /* "routex-data" */
    const char *summary; /* what it does, one or more lines */
    const char *words; /* what may follow the options: "CHANNEL"; NULL: none */
    const struct rx_conf_row *rows;
    /* The first word that is no option ends the options: for programs whose
     * words are verbs with options of their own. */
    bool stop_at_word;
};

enum rx_conf_end { RX_CONF_RUN, RX_CONF_DONE, RX_CONF_WRONG };

/*
 * Fill `options`.  Words that are not options are moved to argv[1 … *argc - 1];
 * "--" ends the options.  RX_CONF_WRONG fills `err` ("--prot: unknown option;
 * did you mean --port?").
 */
RX_NODISCARD enum rx_conf_end rx_conf_load(const struct rx_conf *conf,
    void *options, int *argc, char **argv, struct rx_err *err);

/* What --help prints. */
void rx_conf_help(const struct rx_conf *conf, struct rx_buf *out);

/*
 * The name in `names` (NULL-terminated) that `wrong` was probably meant to be;
 * NULL when none is near.
 */
const char *rx_conf_nearest(const char *wrong, const char *const *names);

#endif
