/*
 * schema.h - a JSON Schema as another provider takes it (wire.md 3.5).
 *
 * Keywords count only where a schema stands: a property may be called `title`,
 * `format` or `$schema`, and a default may look like a schema.  What a provider
 * refuses is said in other words where it can be, put into the description
 * where a model can still heed it, and else left out; the ledger says which.
 * The same schema always gives the same bytes, so caches hold.
 */
#ifndef DATAPLANE_CODEC_SCHEMA_H
#define DATAPLANE_CODEC_SCHEMA_H

#include <stdbool.h>

#include "dataplane/codec/capability.h"
#include "dataplane/codec/ir.h"
#include "shared/buf.h"
#include "shared/err.h"

enum schema_profile {
    SCHEMA_NONE, /* as it came */
    SCHEMA_OPENAI,
    SCHEMA_OPENAI_STRICT,
    SCHEMA_ANTHROPIC,
    SCHEMA_ANTHROPIC_STRICT, /* strict tools, output formats */
    SCHEMA_GEMINI_JSON,      /* parametersJsonSchema, responseJsonSchema */
    SCHEMA_GEMINI_PROTO,     /* parameters, responseSchema */
    SCHEMA_MOONSHOT,
    SCHEMA_PROFILE_COUNT,
};

struct schema_job {
    rx_str schema; /* raw; empty: none was given */
    enum schema_profile profile;
    bool answer; /* what an answer must look like, not a tool's arguments */
    struct ir_losses *losses;
    struct rx_buf *out;
    /* Set: is it what OPENAI_STRICT asks for?  If not, do not say strict. */
    bool strict_fits;
};

/* The one a model of that capability wants. */
enum schema_profile schema_profile_of(enum cap_schema schema, bool strict);

/*
 * Write the schema, as a value, comma included.  RX_INVALID, with nothing of
 * use in `out`, when it is broken, deeper than 64 or larger than 20 000 nodes.
 */
RX_NODISCARD enum rx_code schema_clean(
    struct schema_job *job, struct rx_err *err);

#endif
