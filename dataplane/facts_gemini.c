/* What is learnt from Gemini answers; a stream's chunks are documents. */
#include "dataplane/facts.h"
#include "shared/attr.h"

static void
read_part(struct facts *f, struct rx_span *j)
{
    static const struct facts_member members[] = {
        { RX_STR_INIT("text"), facts_text },
        { RX_STR_INIT("functionCall"), facts_code },
        { RX_STR_INIT("executableCode"), facts_code },
        { RX_STR_INIT("codeExecutionResult"), facts_content },
        { RX_STR_INIT("inlineData"), facts_content },
        { RX_STR_INIT("fileData"), facts_content },
        { RX_STR_INIT("thoughtSignature"), facts_content },
    };

    FACTS_WALK(f, j, members);
}

static void
read_parts(struct facts *f, struct rx_span *j)
{
    facts_each(f, j, read_part);
}

static void
read_content(struct facts *f, struct rx_span *j)
{
    static const struct facts_member members[] = {
        { RX_STR_INIT("parts"), read_parts },
    };

    FACTS_WALK(f, j, members);
}

static void
read_finish(struct facts *f, struct rx_span *j)
{
    struct rx_span ahead = *j;
    rx_str reason;

    if (rx_span_string(&ahead, &reason) &&
        rx_str_eq(reason, RX_S("FINISH_REASON_UNSPECIFIED")))
        *j = ahead;
    else
        facts_stop(f, j);
}

static void
read_candidate(struct facts *f, struct rx_span *j)
{
    static const struct facts_member members[] = {
        { RX_STR_INIT("content"), read_content },
        { RX_STR_INIT("finishReason"), read_finish },
    };

    FACTS_WALK(f, j, members);
}

static void
read_candidates(struct facts *f, struct rx_span *j)
{
    facts_each(f, j, read_candidate);
}

static void
read_feedback(struct facts *f, struct rx_span *j)
{
    static const struct facts_member members[] = {
        { RX_STR_INIT("blockReason"), facts_stop },
    };

    FACTS_WALK(f, j, members);
}

static void
read_embedding(struct facts *f, struct rx_span *j)
{
    if (f->op == OP_EMBED)
        facts_content(f, j);
    else
        rx_span_skip(j, NULL);
}

static void
count(struct facts *f, struct rx_span *j, enum figure figure)
{
    uint64_t n;

    if (rx_span_u64(j, &n) && f->op == OP_COUNT) {
        f->figures.n[figure] = n;
        f->figures.has |= 1u << figure;
    }
}

static void
read_count(struct facts *f, struct rx_span *j)
{
    count(f, j, FIGURE_INPUT);
}

static void
read_cached_count(struct facts *f, struct rx_span *j)
{
    count(f, j, FIGURE_CACHED);
}

void
facts_gemini(struct facts *f, rx_str data)
{
    static const struct facts_member members[] = {
        { RX_STR_INIT("candidates"), read_candidates },
        { RX_STR_INIT("usageMetadata"), facts_usage },
        { RX_STR_INIT("modelVersion"), facts_model },
        { RX_STR_INIT("promptFeedback"), read_feedback },
        { RX_STR_INIT("error"), facts_error },
        { RX_STR_INIT("embedding"), read_embedding },
        { RX_STR_INIT("embeddings"), read_embedding },
        { RX_STR_INIT("totalTokens"), read_count },
        { RX_STR_INIT("cachedContentTokenCount"), read_cached_count },
    };
    struct rx_span j;

    rx_span_init(&j, data);
    if (rx_span_kind(&j) != RX_SPAN_ARRAY) {
        FACTS_WALK(f, &j, members);
        return;
    }
    /* Some send a chunk as an array of chunks. */
    rx_span_enter_array(&j);
    while (rx_span_element(&j))
        FACTS_WALK(f, &j, members);
}
