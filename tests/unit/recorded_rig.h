/*
 * recorded_rig.h - the recorded exchanges, what each shows, and the table of
 * what was tried with them.
 *
 * The recordings are not part of this tree: $ROUTEX_FIXTURES names their folder
 * (../shared/fixtures if it is not set).  Without them nothing is checked.
 */
#ifndef TESTS_RECORDED_RIG_H
#define TESTS_RECORDED_RIG_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "dataplane/dialect.h"
#include "shared/attr.h"
#include "shared/json.h"

#define FILE_MAX ((size_t)64 * 1024 * 1024)

/* id, heading */
#define FEATURES(X)             \
    X(TEXT, "text")             \
    X(TOOLS, "tools")           \
    X(PARALLEL, "parallel")     \
    X(THINKING, "thinking")     \
    X(IMAGES, "images")         \
    X(DOCUMENTS, "documents")   \
    X(STRUCTURED, "structured") \
    X(ERRORS, "errors")         \
    X(COUNT, "count")

enum feature {
#define FEATURE_ENUM(id, heading) FEATURE_##id,
    FEATURES(FEATURE_ENUM)
#undef FEATURE_ENUM
        FEATURE_END
};

/* Tags of meta.json, by their beginnings. */
static const struct {
    rx_str tag;
    enum feature feature;
    bool request; /* else it tells of the answer */
} recorded_tags[] = {
    { RX_STR_INIT("text_then_tool"), FEATURE_TEXT, false },
    { RX_STR_INIT("msg_refusal"), FEATURE_TEXT, false },
    { RX_STR_INIT("tools"), FEATURE_TOOLS, true },
    { RX_STR_INIT("tool:functionDeclarations"), FEATURE_TOOLS, true },
    { RX_STR_INIT("tool_result"), FEATURE_TOOLS, true },
    { RX_STR_INIT("tool_calls_in_history"), FEATURE_TOOLS, true },
    { RX_STR_INIT("in:function_call"), FEATURE_TOOLS, true },
    { RX_STR_INIT("function_call_in_history"), FEATURE_TOOLS, true },
    { RX_STR_INIT("function_response"), FEATURE_TOOLS, true },
    { RX_STR_INIT("legacy_function"), FEATURE_TOOLS, true },
    { RX_STR_INIT("tool_call"), FEATURE_TOOLS, false },
    { RX_STR_INIT("out:custom_tool_call"), FEATURE_TOOLS, false },
    { RX_STR_INIT("parallel_tool_calls"), FEATURE_PARALLEL, false },
    { RX_STR_INIT("thinking_req"), FEATURE_THINKING, true },
    { RX_STR_INIT("gen_thinkingConfig"), FEATURE_THINKING, true },
    { RX_STR_INIT("req_reasoning"), FEATURE_THINKING, true },
    { RX_STR_INIT("req_thinking"), FEATURE_THINKING, true },
    { RX_STR_INIT("thinking"), FEATURE_THINKING, false },
    { RX_STR_INIT("thought"), FEATURE_THINKING, false },
    { RX_STR_INIT("msg_reasoning"), FEATURE_THINKING, false },
    { RX_STR_INIT("reasoning"), FEATURE_THINKING, false },
    { RX_STR_INIT("image_input"), FEATURE_IMAGES, true },
    { RX_STR_INIT("inline_image"), FEATURE_IMAGES, true },
    { RX_STR_INIT("in:input_image"), FEATURE_IMAGES, true },
    { RX_STR_INIT("tool_result_image"), FEATURE_IMAGES, true },
    { RX_STR_INIT("document_input"), FEATURE_DOCUMENTS, true },
    { RX_STR_INIT("inline_application"), FEATURE_DOCUMENTS, true },
    { RX_STR_INIT("inline_text"), FEATURE_DOCUMENTS, true },
    { RX_STR_INIT("file_input"), FEATURE_DOCUMENTS, true },
    { RX_STR_INIT("file_data"), FEATURE_DOCUMENTS, true },
    { RX_STR_INIT("in:input_file"), FEATURE_DOCUMENTS, true },
    { RX_STR_INIT("tool_result_document"), FEATURE_DOCUMENTS, true },
    { RX_STR_INIT("response_format_json"), FEATURE_STRUCTURED, true },
    { RX_STR_INIT("text_format_json"), FEATURE_STRUCTURED, true },
    { RX_STR_INIT("gen_responseJsonSchema"), FEATURE_STRUCTURED, true },
    { RX_STR_INIT("gen_responseSchema"), FEATURE_STRUCTURED, true },
    { RX_STR_INIT("gen_response_schema"), FEATURE_STRUCTURED, true },
    { RX_STR_INIT("gen_responseMimeType"), FEATURE_STRUCTURED, true },
    { RX_STR_INIT("gen_response_mime_type"), FEATURE_STRUCTURED, true },
    { RX_STR_INIT("req_output_config"), FEATURE_STRUCTURED, true },
};

struct recorded {
    const char *folder, *name;
    enum dialect dialect;
    int status;
    bool counts;            /* it was asked how much it would be */
    unsigned asks, answers; /* features, a bit each */
};

static inline bool
recorded_load(const struct recorded *r, const char *file, struct rx_buf *out)
{
    char path[1024];

    rx_buf_init(out, FILE_MAX);
    snprintf(path, sizeof(path), "%s/%s/%s", r->folder, r->name, file);
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

/* Tags "text" and "text_format…" begin alike: the bare word is the answer's. */
static inline void
recorded_tag(struct recorded *r, rx_str tag)
{
    if (rx_str_eq(tag, RX_S("text")))
        r->answers |= 1u << FEATURE_TEXT;
    for (size_t i = 0; i < RX_COUNT(recorded_tags); i++) {
        if (!rx_str_starts(tag, recorded_tags[i].tag))
            continue;
        unsigned *to = recorded_tags[i].request ? &r->asks : &r->answers;
        *to |= 1u << recorded_tags[i].feature;
    }
}

static inline bool
recorded_api(struct recorded *r, rx_str api)
{
    static const struct {
        rx_str api;
        enum dialect dialect;
        bool counts;
    } apis[] = {
        { RX_STR_INIT("anthropic-messages"), DIALECT_ANTHROPIC, false },
        { RX_STR_INIT("openai-chat"), DIALECT_CHAT, false },
        { RX_STR_INIT("openai-responses"), DIALECT_RESPONSES, false },
        { RX_STR_INIT("gemini"), DIALECT_GEMINI, false },
        { RX_STR_INIT("anthropic-count-tokens"), DIALECT_ANTHROPIC, true },
        { RX_STR_INIT("gemini-count-tokens"), DIALECT_GEMINI, true },
    };

    for (size_t i = 0; i < RX_COUNT(apis); i++) {
        if (!rx_str_eq(api, apis[i].api))
            continue;
        r->dialect = apis[i].dialect;
        r->counts = apis[i].counts;
        return true;
    }
    return false;
}

/* What meta.json says; false when it is of no API that is translated. */
static inline bool
recorded_read(struct recorded *r)
{
    struct rx_json_doc *doc;
    struct rx_buf meta;
    uint64_t status = 0;
    bool ok = false;

    if (recorded_load(r, "meta.json", &meta) &&
        rx_json_parse(&doc, rx_buf_str(&meta), NULL, NULL) == RX_OK) {
        rx_json root = rx_json_root(doc);
        ok = rx_json_u64(rx_json_find(root, "status"), &status) &&
             recorded_api(r, rx_json_str(rx_json_find(root, "api")));
        r->status = (int)status;
        rx_json tag = rx_json_first(rx_json_find(root, "features"));
        for (; rx_json_there(tag); tag = rx_json_next(tag))
            recorded_tag(r, rx_json_str(tag));
        rx_json_free(doc);
    }
    rx_buf_fini(&meta);
    return ok;
}

static inline int
recorded_by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* Every exchange in order; false if there are none. */
static inline bool
recorded_each(void (*run)(const struct recorded *r))
{
    const char *folder = getenv("ROUTEX_FIXTURES");
    struct dirent **names;

    if (folder == NULL || folder[0] == '\0')
        folder = ROUTEX_SOURCE_DIR "/../shared/fixtures";
    int n = scandir(folder, &names, NULL, recorded_by_name);
    for (int i = 0; i < n; i++) {
        struct recorded r = { .folder = folder, .name = names[i]->d_name };
        if (r.name[0] != '.' && recorded_read(&r))
            run(&r);
        free(names[i]);
    }
    if (n >= 0)
        free(names);
    return n > 0;
}

/* --- the table -------------------------------------------------------------------- */

static struct {
    unsigned passed, run;
} recorded_table[DIALECT_COUNT][DIALECT_COUNT][FEATURE_END];
/* Translations of requests that were refused; losses that were stated. */
static unsigned recorded_requests, recorded_refused, recorded_lost;

static inline void
recorded_note(
    enum dialect client, enum dialect channel, enum feature f, bool passed)
{
    recorded_table[client][channel][f].run++;
    recorded_table[client][channel][f].passed += passed;
}

static inline void
recorded_print_row(enum dialect client, enum dialect channel)
{
    char cell[32];

    snprintf(cell, sizeof(cell), "%s > %s", dialect_name(client),
        dialect_name(channel));
    printf("  %-22s", cell);
    for (int f = 0; f < FEATURE_END; f++) {
        unsigned run = recorded_table[client][channel][f].run;
        snprintf(cell, sizeof(cell), "%u/%u",
            recorded_table[client][channel][f].passed, run);
        printf(" %10s", run > 0 ? cell : "-");
    }
    printf("\n");
}

static inline void
recorded_print(void)
{
    static const char *const headings[] = {
#define FEATURE_HEADING(id, heading) heading,
        FEATURES(FEATURE_HEADING)
#undef FEATURE_HEADING
    };

    printf("  %-22s", "client > channel");
    for (int f = 0; f < FEATURE_END; f++)
        printf(" %10s", headings[f]);
    printf("\n");
    for (int client = 0; client < DIALECT_COUNT; client++) {
        for (int channel = 0; channel < DIALECT_COUNT; channel++) {
            if (client != channel)
                recorded_print_row((enum dialect)client, (enum dialect)channel);
        }
    }
    printf("  of %u translated requests %u were refused in words; %u features "
           "of the others\n  were lost and said to be\n",
        recorded_requests, recorded_refused, recorded_lost);
}

#endif
