/* Schemas, of tools and of answers, as the target takes them. */
#include "dataplane/codec/schema.h"
#include "dataplane/codec/shape.h"

#define SCHEMA_MAX ((size_t)4 * 1024 * 1024)

/* False: refused, with err filled. */
static bool
clean(struct shape *s, rx_str *schema, bool answer, enum ir_tri *strict)
{
    bool wanted = *strict == IR_YES;
    struct rx_buf out;
    struct schema_job job = { .schema = *schema,
        .profile = schema_profile_of(s->cap->schema, wanted),
        .answer = answer,
        .losses = s->losses,
        .out = &out };

    rx_buf_init(&out, SCHEMA_MAX);
    bool ok = schema_clean(&job, s->err) == RX_OK;
    if (ok)
        *schema = rx_arena_copy(s->arena, rx_buf_str(&out));
    rx_buf_fini(&out);
    if (ok && wanted && !job.strict_fits) {
        ir_lose(s->losses, "schema.strict", "the schema is not strict enough");
        *strict = IR_NO;
    }
    return ok && schema->ptr != NULL;
}

bool
shape_schemas(struct shape *s)
{
    struct ir_output *o = &s->r->output;
    /* Anthropic's formats are always strict. */
    enum ir_tri always = IR_YES;
    bool anthropic = s->cap->schema == CAP_SCHEMA_ANTHROPIC;

    for (struct ir_tool *t = s->r->tools; t != NULL; t = t->next) {
        if (t->kind == IR_TOOL_FUNCTION && t->schema.len > 0 &&
            !clean(s, &t->schema, false, &t->strict))
            return false;
    }
    if (o->format != IR_OUT_SCHEMA)
        return true;
    return clean(s, &o->schema, true, anthropic ? &always : &o->strict);
}
