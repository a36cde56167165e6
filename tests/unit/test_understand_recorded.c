/*
 * What rules see of recorded requests, against the tags somebody else's program
 * gave them.
 */
#include "dataplane/understand.h"
#include "tests/unit/fixtures.h"

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
look_into(const struct fixture *f)
{
    struct fixture_doc meta;
    struct rx_buf body;

    bool there = fixture_load(f, "request.json", &body);
    if (fixture_read(f, "meta.json", &meta) && there) {
        size_t api = fixture_api(&meta);
        if (api < FIXTURE_APIS && !fixture_apis[api].counts)
            look_at(f->name, fixture_apis[api].dialect, rx_buf_str(&body),
                rx_json_find(meta.root, "features"));
    }
    fixture_drop(&meta);
    rx_buf_fini(&body);
}

static void
recorded_requests_show_what_their_tags_say(void)
{
    if (!fixtures_each(look_into))
        return;
    fixtures_ran("requests", requests, 350);
    fixtures_ran("with images", seen[IMAGE], 20);
    fixtures_ran("with documents", seen[DOCUMENT], 10);
    fixtures_ran("with audio", seen[AUDIO], 1);
    fixtures_ran("that may think", seen[THINKING], 15);
    fixtures_ran("that may search", seen[SEARCH], 15);
}

int
main(void)
{
    CHECK_RUN(recorded_requests_show_what_their_tags_say);
    return CHECK_EXIT();
}
