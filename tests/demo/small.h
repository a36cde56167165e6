/*
 * small.h - the small endpoints: counts, models, embeddings, images and so on.
 */
#ifndef DEMO_SMALL_H
#define DEMO_SMALL_H

#include "tests/demo/answer.h"
#include "tests/demo/question.h"
#include "tests/demo/script.h"

/* What a small endpoint knows when it writes its reply into `s`. */
struct small {
    struct script *s;
    const struct question *q;
    const struct answer *a;
    rx_str body;
    rx_str rest; /* of the path, behind what the route names */
};

typedef void small_fn(const struct small *x);

small_fn small_count_anthropic;
small_fn small_count_responses;
small_fn small_count_gemini;
small_fn small_completion; /* the legacy /v1/completions, streamed or not */
small_fn small_embeddings;
small_fn small_embed_gemini;
small_fn small_embed_gemini_batch;
small_fn small_models_openai;
small_fn small_models_anthropic;
small_fn small_models_gemini;
small_fn small_model_openai;
small_fn small_model_anthropic;
small_fn small_model_gemini;
small_fn small_response_get;
small_fn small_response_delete;
small_fn small_compact;
small_fn small_images;
small_fn small_speech;
small_fn small_transcription;
small_fn small_moderations;
small_fn small_rerank;
small_fn small_hello;

#endif
