/*
 * What rules see of recorded requests, against the tags somebody else's program
 * gave them.  The recordings are not part of this tree: $ROUTEX_FIXTURES names
 * their folder (../shared/fixtures if it is not set); without them nothing is
 * checked.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "dataplane/understand.h"
#include "shared/attr.h"
#include "shared/json.h"
#include "tests/unit/check.h"

static const struct {
    const char *api;
    enum dialect dialect;
} apis[] = {
    { "anthropic-messages", DIALECT_ANTHROPIC },
    { "openai-chat", DIALECT_CHAT },
    { "openai-responses", DIALECT_RESPONSES },
    { "gemini", DIALECT_GEMINI },
};

enum sight { IMAGE, DOCUMENT, AUDIO, THINKING, SEARCH, TOOLS, SIGHTS };

/* A tag that begins so says that the request has it. */
static const struct {
    const char *tag;
    enum sight sight;
} tags[] = {
    { "image_input_", IMAGE },
    { "in:input_image", IMAGE },
    { "inline_image", IMAGE },
    { "tool_result_image", IMAGE },
    { "document_input_", DOCUMENT },
    { "in:input_file", DOCUMENT },
    { "inline_application", DOCUMENT },
    { "tool_result_document", DOCUMENT },
    { "audio_input", AUDIO },
    { "inline_audio", AUDIO },
    { "thinking_req_adaptive", THINKING },
    { "thinking_req_enabled", THINKING },
    { "server_tool:web_search", SEARCH },
    { "builtin_tool:web_search", SEARCH },
    { "tool:googleSearch", SEARCH },
    { "req_web_search_options", SEARCH },
};
static unsigned seen[SIGHTS], requests;

static bool
read_file(const char *folder, const char *case_name, const char *file,
    struct rx_buf *out)
{
    char path[1200];

    snprintf(path, sizeof(path), "%s/%s/%s", folder, case_name, file);
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return false;
    size_t n = 1;
    while (n > 0) {
        char *room = rx_buf_room(out, 65536);
        if (room == NULL)
            break;
        n = fread(room, 1, 65536, f);
        rx_buf_grew(out, n);
    }
    fclose(f);
    return !out->full;
}

static void
compare(const char *name, struct understanding *u, rx_json features)
{
    const struct shape *s = understand_shape(u);
    const bool ours[] = {
        [IMAGE] = s->images > 0,
        [DOCUMENT] = s->documents > 0,
        [AUDIO] = s->audio > 0,
        [THINKING] = understand_thinking(u),
        [SEARCH] = understand_tools(u)->web_search,
    };

    for (rx_json f = rx_json_first(features); rx_json_there(f);
         f = rx_json_next(f)) {
        rx_str tag = rx_json_str(f);
        for (size_t i = 0; i < RX_COUNT(tags); i++) {
            rx_str start = { tags[i].tag, strlen(tags[i].tag) };
            if (!rx_str_starts(tag, start))
                continue;
            seen[tags[i].sight]++;
            if (!ours[tags[i].sight])
                fprintf(stderr, "%s: %s not seen\n", name, tags[i].tag);
            CHECK(ours[tags[i].sight]);
        }
    }
}

/* Whoever has a user message with text in it is understood to say something. */
static void
look_at(const char *name, enum dialect d, rx_str body, rx_json features)
{
    struct understanding u = { 0 };
    struct scan scan;

    if (scan_request(d, body, &scan, NULL) != RX_OK)
        return;
    struct rx_arena *arena = rx_arena_new(64 << 20);
    understand_begin(&u, d, &scan, body, arena);
    compare(name, &u, features);
    CHECK(understand_tokens(&u) > 0);
    requests++;
    rx_arena_free(arena);
}

static void
look_into(const char *folder, const char *name)
{
    struct rx_buf meta, body;
    struct rx_json_doc *doc = NULL;

    rx_buf_init(&meta, 1 << 20);
    rx_buf_init(&body, 64 << 20);
    if (read_file(folder, name, "meta.json", &meta) &&
        read_file(folder, name, "request.json", &body) &&
        rx_json_parse(&doc, rx_buf_str(&meta), NULL, NULL) == RX_OK) {
        rx_json root = rx_json_root(doc);
        rx_str api = rx_json_str(rx_json_find(root, "api"));
        for (size_t i = 0; i < RX_COUNT(apis); i++) {
            if (rx_str_eq(api, (rx_str){ apis[i].api, strlen(apis[i].api) }))
                look_at(name, apis[i].dialect, rx_buf_str(&body),
                    rx_json_find(root, "features"));
        }
    }
    rx_json_free(doc);
    rx_buf_fini(&meta);
    rx_buf_fini(&body);
}

static void
recorded_requests_show_what_their_tags_say(void)
{
    const char *folder = getenv("ROUTEX_FIXTURES");
    static const char *const names[] = { "images", "documents", "audio",
        "thinking", "web search" };

    if (folder == NULL)
        folder = ROUTEX_SOURCE_DIR "/../shared/fixtures";
    DIR *dir = opendir(folder);
    if (dir == NULL) {
        printf("     no recordings at %s\n", folder);
        return;
    }
    for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        if (e->d_name[0] != '.')
            look_into(folder, e->d_name);
    }
    closedir(dir);
    printf("     %u requests", requests);
    for (size_t i = 0; i < RX_COUNT(names); i++)
        printf(", %s in %u", names[i], seen[i]);
    printf("\n");
    CHECK(requests > 100);
}

int
main(void)
{
    CHECK_RUN(recorded_requests_show_what_their_tags_say);
    return CHECK_EXIT();
}
