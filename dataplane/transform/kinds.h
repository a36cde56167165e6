/*
 * kinds.h - all transformers; for dataplane/transform only.
 */
#ifndef DATAPLANE_TRANSFORM_KINDS_H
#define DATAPLANE_TRANSFORM_KINDS_H

#include "dataplane/transform/step.h"

extern const struct step_kind step_maxtoken, step_maxcompletiontokens,
    step_sampling, step_reasoning, step_forcereasoning, step_extrathinktag,
    step_cleancache, step_cachecontrol, step_tooluse, step_enhancetool,
    step_streamoptions, step_customparams, step_paramoverride, step_headers,
    step_systemprompt, step_deepseek, step_openrouter, step_groq, step_mistral,
    step_xai, step_qwen, step_kimi, step_zhipu, step_azure, step_codex,
    step_vertex, step_cerebras, step_gemini_schema, step_bedrock;

/* An object of options merged into the body; `win`: over what it says. */
const void *params_configure(rx_json options, struct rx_arena *arena);
void params_merge(struct step_request *r, bool win);

/* Lower a higher limit of output tokens. */
void limits_clamp(struct step_request *r, uint64_t most);

#endif
