#include "shared/conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/log.h"
#include "shared/str.h"

/* ---- kinds of values ---- */

static rx_str
str(const char *s)
{
    return (rx_str){ s, strlen(s) };
}

bool
rx_conf_text(void *to, const char *text)
{
    *(const char **)to = text;
    return true;
}

bool
rx_conf_list(void *to, const char *text)
{
    struct rx_conf_list *list = to;

    if (list->count == RX_CONF_LIST_MAX)
        return false;
    list->at[list->count++] = text;
    return true;
}

bool
rx_conf_switch(void *to, const char *text)
{
    static const char *const words[] = { "0", "false", "no", "off", "1", "true",
        "yes", "on" };

    for (size_t i = 0; i < RX_COUNT(words); i++) {
        if (rx_str_ieq(str(text), str(words[i]))) {
            *(bool *)to = i >= RX_COUNT(words) / 2;
            return true;
        }
    }
    return false;
}

bool
rx_conf_u64(void *to, const char *text)
{
    return rx_str_u64(str(text), to);
}

bool
rx_conf_port(void *to, const char *text)
{
    uint64_t n;

    if (!rx_str_u64(str(text), &n) || n > UINT16_MAX)
        return false;
    *(uint16_t *)to = (uint16_t)n;
    return true;
}

struct unit {
    const char *name;
    uint64_t size;
};

/* A number and one of `units` (the first one is meant when none is given). */
static bool
read_unit(uint64_t *to, const char *text, const struct unit *units)
{
    size_t digits = strspn(text, "0123456789");
    uint64_t n;

    if (!rx_str_u64((rx_str){ text, digits }, &n))
        return false;
    const struct unit *u = units;
    if (text[digits] != '\0') {
        while (u->name != NULL && !rx_str_ieq(str(text + digits), str(u->name)))
            u++;
    }
    return u->name != NULL && !__builtin_mul_overflow(n, u->size, to);
}

bool
rx_conf_ms(void *to, const char *text)
{
    static const struct unit units[] = { { "s", 1000 }, { "ms", 1 },
        { "m", 60000 }, { "h", 3600000 }, { NULL, 0 } };

    return read_unit(to, text, units);
}

bool
rx_conf_bytes(void *to, const char *text)
{
    static const struct unit units[] = { { "b", 1 }, { "k", 1 << 10 },
        { "m", 1 << 20 }, { "g", 1 << 30 }, { NULL, 0 } };

    return read_unit(to, text, units);
}

bool
rx_conf_level(void *to, const char *text)
{
    return rx_log_level_parse(str(text), to);
}

/* ---- which name was meant ---- */

static size_t
min3(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;

    return least < c ? least : c;
}

/* Levenshtein's distance; texts longer than 40 are as far as can be. */
static size_t
distance(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b);
    size_t row[42];

    if (n > 40 || m > 40)
        return SIZE_MAX;
    for (size_t j = 0; j <= m; j++)
        row[j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t corner = row[0];
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t up = row[j];
            row[j] = min3(up + 1, row[j - 1] + 1,
                corner + (a[i - 1] == b[j - 1] ? 0 : 1));
            corner = up;
        }
    }
    return row[m];
}

const char *
rx_conf_nearest(const char *wrong, const char *const *names)
{
    const char *best = NULL;
    size_t least = strlen(wrong) / 3 + 1;

    for (; *names != NULL; names++) {
        size_t d = distance(wrong, *names);
        if (d < least || (d == least && best == NULL)) {
            least = d;
            best = *names;
        }
    }
    return best;
}

/* ---- loading ---- */

struct load {
    const struct rx_conf *conf;
    char *options;
    int argc;
    char **argv;
    int at;   /* next of argv to look at */
    int kept; /* words moved to the front */
    struct rx_err *err;
};

static bool
set(const struct load *l, const struct rx_conf_row *row, const char *text)
{
    return row->set(l->options + row->offset, text);
}

static const struct rx_conf_row *
find_row(const struct rx_conf *conf, rx_str name)
{
    for (const struct rx_conf_row *r = conf->rows; r->name != NULL; r++) {
        if (rx_str_eq(str(r->name), name))
            return r;
    }
    return NULL;
}

static enum rx_conf_end
unknown(const struct load *l, rx_str name)
{
    const char *names[130] = { "help", "version" };
    size_t n = 2;
    char wrong[48];

    for (const struct rx_conf_row *r = l->conf->rows; r->name != NULL; r++) {
        if (n + 1 < RX_COUNT(names))
            names[n++] = r->name;
    }
    snprintf(wrong, sizeof(wrong), RX_STR_FMT,
        (int)(name.len < 40 ? name.len : 40), name.ptr);
    const char *near = rx_conf_nearest(wrong, names);
    rx_fail(l->err, RX_INVALID, "--%s: unknown option%s%s%s", wrong,
        near == NULL ? "" : "; did you mean --", near == NULL ? "" : near,
        near == NULL ? " (see --help)" : "?");
    return RX_CONF_WRONG;
}

static enum rx_conf_end
refuse(const struct load *l, const struct rx_conf_row *row, const char *prefix,
    const char *name, const char *text)
{
    rx_fail(l->err, RX_INVALID, "%s%s: \"%.60s\" is not %s %s", prefix, name,
        text, row->what == NULL ? "yes or no" : "a valid",
        row->what == NULL ? "" : row->what);
    return RX_CONF_WRONG;
}

static enum rx_conf_end
load_environment(const struct load *l)
{
    for (const struct rx_conf_row *r = l->conf->rows; r->name != NULL; r++) {
        const char *text = r->env == NULL ? NULL : getenv(r->env);
        /* An empty variable is a platform's way of not setting it. */
        if (text != NULL && text[0] != '\0') {
            if (!set(l, r, text))
                return refuse(l, r, "", r->env, text);
        } else if (r->fallback != NULL && !set(l, r, r->fallback)) {
            return refuse(l, r, "--", r->name, r->fallback);
        }
    }
    return RX_CONF_RUN;
}

/* "--no-json" is the switch "json", off. */
static const struct rx_conf_row *
find_negated(const struct load *l, rx_str name)
{
    const struct rx_conf_row *row;

    if (!rx_str_starts(name, RX_S("no-")))
        return NULL;
    row = find_row(l->conf, (rx_str){ name.ptr + 3, name.len - 3 });
    return row != NULL && row->what == NULL ? row : NULL;
}

static enum rx_conf_end
load_switch(const struct load *l, const struct rx_conf_row *row, bool has_value)
{
    if (has_value) {
        rx_fail(l->err, RX_INVALID, "--%s takes no value", row->name);
        return RX_CONF_WRONG;
    }
    set(l, row, "1");
    return RX_CONF_RUN;
}

static enum rx_conf_end
load_option(struct load *l, const char *arg)
{
    rx_str name, rest;
    bool has_value = rx_str_cut(str(arg), '=', &name, &rest);
    const struct rx_conf_row *row = find_row(l->conf, name);

    if (row == NULL && !has_value && find_negated(l, name) != NULL) {
        set(l, find_negated(l, name), "0");
        return RX_CONF_RUN;
    }
    if (row == NULL)
        return unknown(l, name);
    if (row->what == NULL)
        return load_switch(l, row, has_value);
    if (!has_value && l->at == l->argc) {
        rx_fail(
            l->err, RX_INVALID, "--%s needs a value: %s", row->name, row->what);
        return RX_CONF_WRONG;
    }
    const char *text = has_value ? arg + name.len + 1 : l->argv[l->at++];
    if (!set(l, row, text))
        return refuse(l, row, "--", row->name, text);
    return RX_CONF_RUN;
}

static enum rx_conf_end
print_and_end(const struct rx_conf *conf, bool help)
{
    struct rx_buf out;

    rx_buf_init(&out, 64 << 10);
    if (help)
        rx_conf_help(conf, &out);
    else
        rx_buf_addf(&out, "%s " ROUTEX_VERSION "\n", conf->program);
    fwrite(out.ptr, 1, out.len, stdout);
    fflush(stdout);
    rx_buf_fini(&out);
    return RX_CONF_DONE;
}

static bool
is(const char *arg, const char *a, const char *b)
{
    return strcmp(arg, a) == 0 || strcmp(arg, b) == 0;
}

static enum rx_conf_end
load_word(struct load *l, char *word)
{
    if (l->conf->words == NULL) {
        rx_fail(
            l->err, RX_INVALID, "%.60s: not expected here (see --help)", word);
        return RX_CONF_WRONG;
    }
    l->argv[l->kept++] = word;
    return RX_CONF_RUN;
}

static enum rx_conf_end
load_rest_as_words(struct load *l)
{
    enum rx_conf_end end = RX_CONF_RUN;

    while (end == RX_CONF_RUN && l->at < l->argc)
        end = load_word(l, l->argv[l->at++]);
    return end;
}

static enum rx_conf_end
load_arguments(struct load *l)
{
    enum rx_conf_end end = RX_CONF_RUN;

    while (end == RX_CONF_RUN && l->at < l->argc) {
        char *arg = l->argv[l->at++];
        if (is(arg, "--help", "-h") || is(arg, "--version", "-V"))
            return print_and_end(l->conf, is(arg, "--help", "-h"));
        if (strcmp(arg, "--") == 0)
            return load_rest_as_words(l);
        if (strncmp(arg, "--", 2) == 0) {
            end = load_option(l, arg + 2);
        } else if (arg[0] == '-' && arg[1] != '\0') {
            rx_fail(
                l->err, RX_INVALID, "%.60s: unknown option (see --help)", arg);
            end = RX_CONF_WRONG;
        } else if (l->conf->stop_at_word) {
            l->at--;
            return load_rest_as_words(l);
        } else {
            end = load_word(l, arg);
        }
    }
    return end;
}

enum rx_conf_end
rx_conf_load(const struct rx_conf *conf, void *options, int *argc, char **argv,
    struct rx_err *err)
{
    struct load l = { conf, options, *argc, argv, 1, 1, err };
    enum rx_conf_end end = load_environment(&l);
    struct rx_err env_err = err == NULL ? (struct rx_err){ 0 } : *err;

    /* --help must work in a wrong environment. */
    enum rx_conf_end args = load_arguments(&l);
    if (args == RX_CONF_DONE || end == RX_CONF_RUN)
        end = args;
    else if (err != NULL)
        *err = env_err;
    if (end == RX_CONF_RUN)
        *argc = l.kept;
    return end;
}

/* ---- --help ---- */

#define HELP_COLUMN 30

static void
help_text(struct rx_buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        rx_buf_addc(out, *text);
        if (*text == '\n')
            rx_buf_addf(out, "%*s", HELP_COLUMN, "");
    }
}

static void
help_row(struct rx_buf *out, const struct rx_conf_row *r)
{
    size_t from = out->len;

    rx_buf_addf(out, "  --%s%s%s", r->name, r->what == NULL ? "" : " ",
        r->what == NULL ? "" : r->what);
    if (out->len - from >= HELP_COLUMN - 1) {
        rx_buf_addc(out, '\n');
        from = out->len;
    }
    rx_buf_addf(out, "%*s", (int)(HELP_COLUMN - (out->len - from)), "");
    help_text(out, r->help);
    if (r->fallback != NULL)
        rx_buf_addf(out, " [%s]", r->fallback);
    if (r->env != NULL)
        rx_buf_addf(out, " ($%s)", r->env);
    rx_buf_addc(out, '\n');
}

void
rx_conf_help(const struct rx_conf *conf, struct rx_buf *out)
{
    rx_buf_addf(out, "usage: %s [options]%s%s\n\n%s\n\n", conf->program,
        conf->words == NULL ? "" : " ", conf->words == NULL ? "" : conf->words,
        conf->summary);
    for (const struct rx_conf_row *r = conf->rows; r->name != NULL; r++)
        help_row(out, r);
    rx_buf_addf(out, "  %-*s%s\n", HELP_COLUMN - 2, "--help", "show this");
    rx_buf_addf(
        out, "  %-*s%s\n", HELP_COLUMN - 2, "--version", "show the version");
}
