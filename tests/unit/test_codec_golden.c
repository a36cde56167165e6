/*
 * The catalogue: what a client says, what the channel is told, what it answers
 * and what the client gets, in tests/golden/codec/.  A case is a file of
 * sections, each begun by a line "=== name":
 *
 *   case      lines of "key value": client, channel, type, host, model, stream
 *   request   the client's body        upstream  what the channel must get
 *   refused   or the words it is refused with
 *   answer    the channel's answer     client    what the client must get
 *   losses    how many there are
 *   lost      once it is answered: what was, and why, a line each
 *
 * Every case with an answer is fed in pieces of many sizes, cut everywhere, and
 * compared with the same answer asked for without streaming.
 * GOLDEN_UPDATE=1 writes what was got into the files, to be read with care.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "shared/json.h"
#include "tests/unit/check.h"
#include "tests/unit/codec_rig.h"

#define FOLDER   ROUTEX_SOURCE_DIR "/tests/golden/codec"
#define CASE_MAX ((size_t)4 * 1024 * 1024)
#define SECTIONS 12

/* Of the last answer. */
static struct rx_buf lost;

struct section {
    rx_str name, text;
};

struct golden {
    char path[512];
    struct rx_buf file;
    struct section sections[SECTIONS];
    size_t count;
    struct rx_buf got; /* the file as it would be written */
    bool differs;
};

/* The last line feed belongs to the file, not to the text. */
static rx_str
without_end(rx_str s)
{
    if (s.len > 0 && s.ptr[s.len - 1] == '\n')
        s.len--;
    return s;
}

static void
split(struct golden *g)
{
    rx_str rest = rx_buf_str(&g->file);
    rx_str line;

    while (rest.len > 0) {
        const char *from = rest.ptr;
        rx_str_cut(rest, '\n', &line, &rest);
        if (rx_str_starts(line, RX_S("=== "))) {
            if (g->count == SECTIONS)
                abort();
            g->sections[g->count++] = (struct section){
                .name = { line.ptr + 4, line.len - 4 },
                .text = { line.ptr + line.len + 1, 0 },
            };
        } else if (g->count > 0) {
            struct section *s = &g->sections[g->count - 1];
            s->text.len = (size_t)(from + line.len + 1 - s->text.ptr);
        }
    }
    const char *end = g->file.ptr + g->file.len;
    for (size_t i = 0; i < g->count; i++) {
        rx_str *t = &g->sections[i].text;
        if (t->ptr + t->len > end)
            t->len = (size_t)(end - t->ptr);
        *t = without_end(*t);
    }
}

static bool
load(struct golden *g, const char *name)
{
    snprintf(g->path, sizeof(g->path), "%s/%s", FOLDER, name);
    rx_buf_init(&g->file, CASE_MAX);
    rx_buf_init(&g->got, CASE_MAX);
    FILE *in = fopen(g->path, "rb");
    if (in == NULL)
        return false;
    char *room = rx_buf_room(&g->file, CASE_MAX / 4);
    rx_buf_grew(&g->file, fread(room, 1, CASE_MAX / 4, in));
    fclose(in);
    split(g);
    return true;
}

static const rx_str *
section(const struct golden *g, const char *name)
{
    for (size_t i = 0; i < g->count; i++) {
        if (rx_str_eq(g->sections[i].name, (rx_str){ name, strlen(name) }))
            return &g->sections[i].text;
    }
    return NULL;
}

/* "client chat" of the case section. */
static rx_str
field(const struct golden *g, const char *key)
{
    const rx_str *text = section(g, "case");
    rx_str rest = text != NULL ? *text : (rx_str){ 0 };
    rx_str line;
    rx_str name;
    rx_str value;

    for (bool more = true; more;) {
        more = rx_str_cut(rest, '\n', &line, &rest);
        if (rx_str_cut(line, ' ', &name, &value) &&
            rx_str_eq(name, (rx_str){ key, strlen(key) }))
            return value;
    }
    return (rx_str){ 0 };
}

static void
expect(struct golden *g, const char *name, rx_str got)
{
    const rx_str *want = section(g, name);

    if (want == NULL || rx_str_eq(*want, got))
        return;
    if (getenv("GOLDEN_UPDATE") == NULL) {
        fprintf(stderr,
            "%s: %s:\n--- want\n" RX_STR_FMT "\n--- got\n" RX_STR_FMT "\n",
            g->path, name, RX_STR_ARG(*want), RX_STR_ARG(got));
        check_failures++;
        return;
    }
    g->differs = true;
    for (size_t i = 0; i < g->count; i++) {
        if (rx_str_eq(g->sections[i].name, (rx_str){ name, strlen(name) })) {
            char *copy = malloc(got.len + 1);
            if (copy == NULL)
                abort();
            memcpy(copy, got.ptr != NULL ? got.ptr : "", got.len);
            g->sections[i].text = (rx_str){ copy, got.len };
        }
    }
}

static void
update(struct golden *g)
{
    if (!g->differs || getenv("GOLDEN_UPDATE") == NULL)
        return;
    FILE *out = fopen(g->path, "wb");
    if (out == NULL)
        abort();
    for (size_t i = 0; i < g->count; i++)
        fprintf(out, "=== " RX_STR_FMT "\n" RX_STR_FMT "\n",
            RX_STR_ARG(g->sections[i].name), RX_STR_ARG(g->sections[i].text));
    fclose(out);
}

static struct translate_ask
ask_for(const struct golden *g, uint64_t *seed)
{
    struct translate_ask a = { 0 };
    const rx_str *body = section(g, "request");

    CHECK(dialect_find(field(g, "client"), &a.client));
    CHECK(dialect_find(field(g, "channel"), &a.key.dialect));
    a.body = body != NULL ? *body : (rx_str){ 0 };
    a.model_asked = field(g, "asked");
    a.model = field(g, "model");
    a.stream = rx_str_eq(field(g, "stream"), RX_S("yes"));
    a.stream_array = a.stream && field(g, "array").len > 0;
    a.key.type = field(g, "type");
    a.key.host = field(g, "host");
    a.key.model = a.model;
    a.world = rig_world(seed);
    return a;
}

static rx_str
content_type(rx_str answer)
{
    return answer.len > 0 && (answer.ptr[0] == '{' || answer.ptr[0] == '[')
               ? RX_S("application/json")
               : RX_S("text/event-stream");
}

static int
status_of(const struct golden *g)
{
    uint64_t n = 200;

    rx_str_u64(field(g, "status"), &n);
    return (int)n;
}

static void
note_losses(const struct ir_losses *l)
{
    rx_buf_fini(&lost);
    rx_buf_init(&lost, CASE_MAX);
    for (size_t i = 0; i < l->count && i < IR_LOSSES_KEPT; i++)
        rx_buf_addf(&lost, "%s%s: %s", i > 0 ? "\n" : "", l->kept[i].what,
            l->kept[i].why);
}

/* Translate the first `len` bytes of the answer in pieces. */
static void
answer(const struct golden *g, bool stream, size_t len, size_t most, bool clean,
    struct rx_buf *out)
{
    uint64_t seed;
    struct translate_ask a = ask_for(g, &seed);
    struct translation *t;
    struct rx_err err;
    rx_str text = *section(g, "answer");

    rx_buf_init(out, CASE_MAX * 8);
    a.stream = stream;
    a.stream_array = a.stream_array && stream;
    if (translation_new(&t, &a, &err) != RX_OK) {
        CHECK(false);
        return;
    }
    translation_begin(t, status_of(g), content_type(text), RX_S(""));
    rig_feed(t, (rx_str){ text.ptr, len }, most, clean, out);
    note_losses(translation_losses(t));
    translation_free(t);
}

static void
check_request(struct golden *g)
{
    uint64_t seed;
    struct translate_ask a = ask_for(g, &seed);
    struct translation *t;
    struct rx_err err = { 0 };
    char losses[32];

    if (translation_new(&t, &a, &err) != RX_OK) {
        if (section(g, "refused") == NULL) {
            fprintf(stderr, "%s: refused: %s\n", g->path, err.text);
            check_failures++;
        }
        expect(g, "refused", (rx_str){ err.text, strlen(err.text) });
        return;
    }
    CHECK(section(g, "refused") == NULL);
    CHECK(rx_span_whole(translation_body(t)));
    expect(g, "upstream", translation_body(t));
    snprintf(losses, sizeof(losses), "%zu", translation_losses(t)->count);
    expect(g, "losses", (rx_str){ losses, strlen(losses) });
    translation_free(t);
}

static void
check_pieces(const struct golden *g, rx_str whole)
{
    static const size_t sizes[] = { 1, 2, 3, 7, 61, 4096 };
    bool stream = rx_str_eq(field(g, "stream"), RX_S("yes"));
    struct rx_buf out;

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        answer(g, stream, section(g, "answer")->len, sizes[i], true, &out);
        if (!rx_str_eq(rx_buf_str(&out), whole)) {
            fprintf(
                stderr, "%s: differs in pieces of %zu\n", g->path, sizes[i]);
            check_failures++;
        }
        rx_buf_fini(&out);
    }
}

/* However it is cut, half an answer is not taken for a whole one. */
static void
check_cuts(const struct golden *g, rx_str whole)
{
    enum dialect client;
    struct rx_buf out;

    CHECK(dialect_find(field(g, "client"), &client));
    for (size_t len = 0; len < section(g, "answer")->len; len++) {
        answer(g, true, len, 0, false, &out);
        if (rig_looks_clean(client, rx_buf_str(&out)) &&
            !rx_str_eq(rx_buf_str(&out), whole)) {
            fprintf(stderr, "%s: looks clean when cut at %zu\n", g->path, len);
            check_failures++;
        }
        rx_buf_fini(&out);
    }
}

/* Streamed or not, the client learns the same. */
static void
check_fold(const struct golden *g, rx_str whole)
{
    enum dialect client;
    struct rx_buf document;
    struct rx_buf a;
    struct rx_buf b;

    CHECK(dialect_find(field(g, "client"), &client));
    answer(g, false, section(g, "answer")->len, 0, true, &document);
    rx_buf_init(&a, CASE_MAX);
    rx_buf_init(&b, CASE_MAX);
    rig_read(client, whole, field(g, "array").len == 0, &a);
    rig_read(client, rx_buf_str(&document), false, &b);
    if (memmem(a.ptr, a.len, "failed ", 7) == NULL)
        CHECK_TEXT(a.ptr, b.ptr);
    rx_buf_fini(&a);
    rx_buf_fini(&b);
    rx_buf_fini(&document);
}

/* Whatever is sent is JSON, event by event. */
static void
check_json(const struct golden *g, rx_str out)
{
    rx_str line;

    if (out.len > 0 && (out.ptr[0] == '{' || out.ptr[0] == '[')) {
        CHECK(
            rx_json_check(out, NULL, NULL) == RX_OK || field(g, "end").len > 0);
        return;
    }
    for (bool more = true; more;) {
        more = rx_str_cut(out, '\n', &line, &out);
        line = rx_str_trim(line);
        if (!rx_str_starts(line, RX_S("data: ")) ||
            rx_str_eq(line, RX_S("data: [DONE]")))
            continue;
        line = (rx_str){ line.ptr + 6, line.len - 6 };
        if (line.len > 0 && line.ptr[line.len - 1] == '\r')
            line.len--;
        CHECK(rx_json_check(line, NULL, NULL) == RX_OK);
    }
}

static void
check_answer(struct golden *g)
{
    bool stream = rx_str_eq(field(g, "stream"), RX_S("yes"));
    struct rx_buf out;

    if (section(g, "answer") == NULL)
        return;
    answer(g, stream, section(g, "answer")->len, 0,
        !rx_str_eq(field(g, "end"), RX_S("cut")), &out);
    expect(g, "client", rx_buf_str(&out));
    expect(g, "lost", rx_buf_str(&lost));
    check_json(g, rx_buf_str(&out));
    if (field(g, "end").len == 0 && status_of(g) == 200) {
        check_pieces(g, rx_buf_str(&out));
        if (stream) {
            check_cuts(g, rx_buf_str(&out));
            check_fold(g, rx_buf_str(&out));
        }
    }
    rx_buf_fini(&out);
}

static int
by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void
every_case_of_the_catalogue_holds(void)
{
    struct dirent **names;
    int n = scandir(FOLDER, &names, NULL, by_name);

    CHECK(n > 2);
    for (int i = 0; i < n; i++) {
        struct golden *g = calloc(1, sizeof(*g));
        if (g == NULL)
            abort();
        if (names[i]->d_name[0] != '.' && load(g, names[i]->d_name)) {
            int before = check_failures;
            check_request(g);
            if (section(g, "refused") == NULL)
                check_answer(g);
            update(g);
            printf("  %s %s\n", check_failures == before ? "ok  " : "FAIL",
                names[i]->d_name);
        }
        rx_buf_fini(&g->file);
        rx_buf_fini(&g->got);
        free(g);
        free(names[i]);
    }
    free(names);
}

int
main(void)
{
    CHECK_RUN(every_case_of_the_catalogue_holds);
    return CHECK_EXIT();
}
