/*
 * fixtures.h - the recorded exchanges with real providers: where they are, of
 * which API each is, its files, and all of them in order.
 *
 * They are not part of this tree: $ROUTEX_FIXTURES names their folder
 * (../shared/fixtures if it is not set).  Where that is not there the tests are
 * skipped and say so; a folder that is named must be there.  A test that reads
 * them holds nothing else, and says how many cases it needs at least.
 */
#ifndef TESTS_FIXTURES_H
#define TESTS_FIXTURES_H

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "dataplane/dialect.h"
#include "shared/attr.h"
#include "shared/buf.h"
#include "shared/json.h"
#include "tests/unit/check.h"

#define FIXTURE_MAX ((size_t)64 * 1024 * 1024)

struct fixture {
    const char *folder, *name;
};

/* What meta.json calls the API, and what that is. */
struct fixture_api {
    rx_str name;
    enum dialect dialect;
    bool counts; /* it is asked how much a request would be */
};

static const struct fixture_api fixture_apis[] = {
    { RX_STR_INIT("anthropic-messages"), DIALECT_ANTHROPIC, false },
    { RX_STR_INIT("openai-chat"), DIALECT_CHAT, false },
    { RX_STR_INIT("openai-responses"), DIALECT_RESPONSES, false },
    { RX_STR_INIT("gemini"), DIALECT_GEMINI, false },
    { RX_STR_INIT("anthropic-count-tokens"), DIALECT_ANTHROPIC, true },
    { RX_STR_INIT("gemini-count-tokens"), DIALECT_GEMINI, true },
};
#define FIXTURE_APIS RX_COUNT(fixture_apis)

/* A file and what it says; .root is nothing when it is not there or no JSON. */
struct fixture_doc {
    struct rx_buf text;
    struct rx_json_doc *doc;
    rx_json root;
};

/* The bytes of a file of it, to be released with rx_buf_fini in any case. */
static inline bool
fixture_load(const struct fixture *f, const char *file, struct rx_buf *out)
{
    char path[1024];

    rx_buf_init(out, FIXTURE_MAX);
    snprintf(path, sizeof(path), "%s/%s/%s", f->folder, f->name, file);
    FILE *in = fopen(path, "rb");
    if (in == NULL)
        return false;
    for (;;) {
        char *room = rx_buf_room(out, 65536);
        size_t n = room != NULL ? fread(room, 1, 65536, in) : 0;
        if (n == 0)
            break;
        rx_buf_grew(out, n);
    }
    fclose(in);
    return true;
}

static inline bool
fixture_read(const struct fixture *f, const char *file, struct fixture_doc *d)
{
    struct rx_json_limits limits = { .values = 10000000 };

    *d = (struct fixture_doc){ 0 };
    if (!fixture_load(f, file, &d->text) ||
        rx_json_parse(&d->doc, rx_buf_str(&d->text), &limits, NULL) != RX_OK)
        return false;
    d->root = rx_json_root(d->doc);
    return true;
}

static inline void
fixture_drop(struct fixture_doc *d)
{
    rx_json_free(d->doc);
    rx_buf_fini(&d->text);
}

/* Which of fixture_apis it is of; FIXTURE_APIS when of none. */
static inline size_t
fixture_api(const struct fixture_doc *meta)
{
    rx_str name = rx_json_str(rx_json_find(meta->root, "api"));
    size_t i = 0;

    while (i < FIXTURE_APIS && !rx_str_eq(name, fixture_apis[i].name))
        i++;
    return i;
}

static inline int
fixtures_by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* Every exchange in order; where there are none the test is skipped, and false
 * is returned. */
static inline bool
fixtures_each(void (*run)(const struct fixture *f))
{
    const char *named = getenv("ROUTEX_FIXTURES");
    bool is_named = named != NULL && named[0] != '\0';
    struct dirent **found = NULL;
    struct fixture f = {
        .folder = is_named ? named : ROUTEX_SOURCE_DIR "/../shared/fixtures"
    };
    int n = scandir(f.folder, &found, NULL, fixtures_by_name);

    if (n < 0) {
        CHECK(!is_named);
        CHECK_SKIP("no recorded exchanges: ROUTEX_FIXTURES names their folder");
        return false;
    }
    for (int i = 0; i < n; i++) {
        f.name = found[i]->d_name;
        if (f.name[0] != '.')
            run(&f);
        free(found[i]);
    }
    free(found);
    return true;
}

/* Says how many cases ran; too few are a failure. */
static inline void
fixtures_ran(const char *what, size_t n, size_t least)
{
    printf("     %4zu %s (at least %zu)\n", n, what, least);
    if (n < least) {
        fprintf(stderr, "only %zu %s ran, of at least %zu\n", n, what, least);
        check_failures++;
    }
}

#endif
