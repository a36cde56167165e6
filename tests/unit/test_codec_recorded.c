/*
 * Recorded answers of the real providers, each translated for clients of every
 * other dialect and read back as such a client would: text, tool calls, stop
 * reason and usage are the same as when read directly.
 *
 * The recordings are not part of this tree: $ROUTEX_FIXTURES names their folder
 * (../shared/fixtures if it is not set).  Without them nothing is checked.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "shared/json.h"
#include "tests/unit/check.h"
#include "tests/unit/codec_rig.h"

#define FILE_MAX ((size_t)64 * 1024 * 1024)

static const struct {
    const char *api;
    enum dialect dialect;
} apis[] = {
    { "anthropic-messages", DIALECT_ANTHROPIC },
    { "openai-chat", DIALECT_CHAT },
    { "openai-responses", DIALECT_RESPONSES },
    { "gemini", DIALECT_GEMINI },
};
static unsigned pairs[DIALECT_COUNT][DIALECT_COUNT];

/* A request of each dialect that wants to see reasoning and usage. */
static const rx_str requests[DIALECT_COUNT] = {
    [DIALECT_ANTHROPIC] = RX_STR_INIT(
        "{\"model\":\"m\",\"max_tokens\":9000,\"thinking\":{\"type\":"
        "\"adaptive\"},\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}"),
    [DIALECT_CHAT] = RX_STR_INIT(
        "{\"model\":\"m\",\"stream_options\":{\"include_usage\":true},"
        "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}"),
    [DIALECT_RESPONSES] = RX_STR_INIT(
        "{\"model\":\"m\",\"reasoning\":{\"summary\":\"auto\"},\"input\":"
        "\"hi\"}"),
    [DIALECT_GEMINI] = RX_STR_INIT(
        "{\"generationConfig\":{\"thinkingConfig\":{\"includeThoughts\":true}},"
        "\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"hi\"}]}]}"),
};

static bool
load(const char *folder, const char *name, const char *file, struct rx_buf *out)
{
    char path[1024];

    rx_buf_init(out, FILE_MAX);
    snprintf(path, sizeof(path), "%s/%s/%s", folder, name, file);
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

/* Which dialect's answer of status 200 a recording holds, if any. */
static bool
is_answer(const char *folder, const char *name, enum dialect *dialect)
{
    struct rx_json_limits limits = { .values = 100000 };
    struct rx_json_doc *doc;
    struct rx_buf meta;
    uint64_t status = 0;
    bool found = false;

    if (!load(folder, name, "meta.json", &meta) ||
        rx_json_parse(&doc, rx_buf_str(&meta), &limits, NULL) != RX_OK) {
        rx_buf_fini(&meta);
        return false;
    }
    rx_str api = rx_json_str(rx_json_find(rx_json_root(doc), "api"));
    bool ok = rx_json_u64(rx_json_find(rx_json_root(doc), "status"), &status) &&
              status == 200;
    for (size_t i = 0; ok && i < sizeof(apis) / sizeof(apis[0]); i++) {
        if (!rx_str_eq(api, (rx_str){ apis[i].api, strlen(apis[i].api) }))
            continue;
        *dialect = apis[i].dialect;
        found = true;
    }
    rx_json_free(doc);
    rx_buf_fini(&meta);
    return found;
}

/* Only the first of several answers in a row is one. */
static bool
is_one_answer(rx_str body)
{
    static const char *const ends[] = { "event: response.completed",
        "event: message_stop", "data: [DONE]" };

    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        const char *first =
            memmem(body.ptr, body.len, ends[i], strlen(ends[i]));
        if (first != NULL && strstr(first + 1, ends[i]) != NULL)
            return false;
    }
    return true;
}

static bool
translate(enum dialect from, enum dialect to, rx_str body, bool events,
    bool stream, size_t most, struct rx_buf *out)
{
    uint64_t seed;
    struct translation *t;
    struct rx_err err;
    struct translate_ask ask = { .client = to,
        .body = requests[to],
        .model_asked = RX_S("m"),
        .model = RX_S("m"),
        .stream = stream,
        .key = { .dialect = from, .model = RX_S("m") },
        .world = rig_world(&seed) };

    rx_buf_init(out, FILE_MAX * 4);
    if (translation_new(&t, &ask, &err) != RX_OK) {
        fprintf(stderr, "%s to %s: %s\n", dialect_name(to), dialect_name(from),
            err.text);
        check_failures++;
        return false;
    }
    translation_begin(t, 200,
        events ? RX_S("text/event-stream") : RX_S("application/json"),
        RX_S(""));
    rig_feed(t, body, most, true, out);
    translation_free(t);
    return true;
}

static void
run_pair(const char *name, enum dialect from, enum dialect to, rx_str body,
    bool events, bool stream, rx_str direct)
{
    struct rx_buf out;
    struct rx_buf got;

    if (!translate(from, to, body, events, stream, stream ? 1000 : 0, &out))
        return;
    rx_buf_init(&got, FILE_MAX);
    rig_read_essence(to, rx_buf_str(&out), stream, &got);
    if (!rx_str_eq(direct, rx_buf_str(&got))) {
        fprintf(stderr,
            "%s: %s as %s%s:\n--- want\n" RX_STR_FMT "--- got\n" RX_STR_FMT,
            name, dialect_name(from), dialect_name(to),
            stream ? " (streamed)" : "", RX_STR_ARG(direct),
            RX_STR_ARG(rx_buf_str(&got)));
        check_failures++;
    }
    pairs[from][to]++;
    rx_buf_fini(&got);
    rx_buf_fini(&out);
}

static void
run_example(const char *folder, const char *name)
{
    enum dialect from;
    struct rx_buf body;
    struct rx_buf direct;

    if (!is_answer(folder, name, &from) || codec_of(from) == NULL)
        return;
    bool events = load(folder, name, "response.sse", &body);
    if (!events && !load(folder, name, "response.json", &body))
        return;
    rx_str text = rx_buf_str(&body);
    /* A streamed array is read element by element, as events are. */
    if (text.len > 0 && text.ptr[0] != '[' && is_one_answer(text)) {
        rx_buf_init(&direct, FILE_MAX);
        rig_read_essence(from, text, events, &direct);
        for (int to = 0; to < DIALECT_COUNT; to++) {
            if (!translate_can((enum dialect)to, from))
                continue;
            for (int stream = 0; stream < 2; stream++)
                run_pair(name, from, (enum dialect)to, text, events,
                    stream == 1, rx_buf_str(&direct));
        }
        rx_buf_fini(&direct);
    }
    rx_buf_fini(&body);
}

static int
by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void
a_recorded_answer_keeps_its_meaning_in_every_other_dialect(void)
{
    const char *folder = getenv("ROUTEX_FIXTURES");
    struct dirent **names;

    if (folder == NULL)
        folder = ROUTEX_SOURCE_DIR "/../shared/fixtures";
    int n = scandir(folder, &names, NULL, by_name);
    if (n < 0) {
        printf("  no recordings: nothing is checked\n");
        return;
    }
    for (int i = 0; i < n; i++) {
        if (names[i]->d_name[0] != '.')
            run_example(folder, names[i]->d_name);
        free(names[i]);
    }
    free(names);
    for (int from = 0; from < DIALECT_COUNT; from++) {
        for (int to = 0; to < DIALECT_COUNT; to++) {
            if (pairs[from][to] > 0)
                printf("  %s as %s: %u\n", dialect_name((enum dialect)from),
                    dialect_name((enum dialect)to), pairs[from][to]);
        }
    }
}

int
main(void)
{
    CHECK_RUN(a_recorded_answer_keeps_its_meaning_in_every_other_dialect);
    return CHECK_EXIT();
}
