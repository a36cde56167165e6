/* What is learnt from Gemini answers; a stream's chunks are documents. */
#include "dataplane/facts.h"
#include "shared/attr.h"

static const struct facts_member part_members[] = {
    FACTS_READ("text", facts_text),
    FACTS_READ("functionCall", facts_code),
    FACTS_READ("executableCode", facts_code),
    FACTS_READ("codeExecutionResult", facts_content),
    FACTS_READ("inlineData", facts_content),
    FACTS_READ("fileData", facts_content),
    FACTS_READ("thoughtSignature", facts_content),
};

static const struct facts_member content_members[] = {
    FACTS_INSIDE("parts", part_members),
};

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

static const struct facts_member candidate_members[] = {
    FACTS_INSIDE("content", content_members),
    FACTS_READ("finishReason", read_finish),
};

static const struct facts_member feedback_members[] = {
    FACTS_READ("blockReason", facts_stop),
};

static void
read_embedding(struct facts *f, struct rx_span *j)
{
    if (f->op == OP_EMBED)
        facts_content(f, j);
    else
        rx_span_skip(j, NULL);
}

static void
read_cached_count(struct facts *f, struct rx_span *j)
{
    facts_count_as(f, j, FIGURE_CACHED);
}

void
facts_gemini(struct facts *f, rx_str data)
{
    static const struct facts_member members[] = {
        FACTS_INSIDE("candidates", candidate_members),
        FACTS_READ("usageMetadata", facts_usage),
        FACTS_READ("modelVersion", facts_model),
        FACTS_INSIDE("promptFeedback", feedback_members),
        FACTS_READ("error", facts_error),
        FACTS_READ("embedding", read_embedding),
        FACTS_READ("embeddings", read_embedding),
        FACTS_READ("totalTokens", facts_count),
        FACTS_READ("cachedContentTokenCount", read_cached_count),
    };
    struct rx_span j;

    rx_span_init(&j, data);
    FACTS_WALK(f, &j, members); /* some send a chunk as an array of them */
}
