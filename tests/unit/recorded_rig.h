/*
 * recorded_rig.h - what each recorded exchange shows, and the table of what was
 * tried with them.
 */
#ifndef TESTS_RECORDED_RIG_H
#define TESTS_RECORDED_RIG_H

#include "tests/unit/fixtures.h"

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
    const struct fixture *fixture;
    enum dialect dialect;
    int status;
    bool counts;            /* it was asked how much it would be */
    unsigned asks, answers; /* features, a bit each */
};

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

/* What meta.json says; false when it is of no API that is translated. */
static inline bool
recorded_read(const struct fixture *f, struct recorded *r)
{
    struct fixture_doc meta;
    uint64_t status = 0;
    bool ok = false;

    *r = (struct recorded){ .fixture = f };
    if (fixture_read(f, "meta.json", &meta)) {
        size_t api = fixture_api(&meta);
        ok = api < FIXTURE_APIS &&
             rx_json_u64(rx_json_find(meta.root, "status"), &status);
        if (ok) {
            r->dialect = fixture_apis[api].dialect;
            r->counts = fixture_apis[api].counts;
        }
        r->status = (int)status;
        rx_json tag = rx_json_first(rx_json_find(meta.root, "features"));
        for (; rx_json_there(tag); tag = rx_json_next(tag))
            recorded_tag(r, rx_json_str(tag));
    }
    fixture_drop(&meta);
    return ok;
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

/* How many cells of the table have any case. */
static inline unsigned
recorded_kinds(void)
{
    unsigned n = 0;

    for (int client = 0; client < DIALECT_COUNT; client++) {
        for (int channel = 0; channel < DIALECT_COUNT; channel++) {
            for (int f = 0; f < FEATURE_END; f++)
                n += recorded_table[client][channel][f].run > 0;
        }
    }
    return n;
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
