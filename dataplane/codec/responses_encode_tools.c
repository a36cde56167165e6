/* A request for the channel: tools, and which of them may be called. */
#include "dataplane/codec/put.h"
#include "dataplane/codec/responses.h"

/* `strict` is always told: where it is not, some servers take it for set. */
static void
put_function(
    const struct codec_encode *in, const struct ir_tool *t, struct rx_buf *b)
{
    bool strict = t->strict == IR_YES && in->cap->strict_tools;

    put_open(b, '{');
    put_member_word(b, "type", "function");
    put_member(b, "name", t->name);
    put_member_if(b, "description", t->description);
    put_member_raw(b, "parameters",
        t->schema.len > 0 ? t->schema
                          : RX_S("{\"type\":\"object\",\"properties\":{}}"));
    put_member_bool(b, "strict", strict);
    put_close(b, '}');
    if (t->strict == IR_YES && !strict)
        ir_lose(in->losses, "tools.strict", "the model does not take it");
}

static void
put_custom(const struct ir_tool *t, struct rx_buf *b)
{
    put_open(b, '{');
    put_member_word(b, "type", "custom");
    put_member(b, "name", t->name);
    put_member_if(b, "description", t->description);
    if (t->grammar.len > 0) {
        put_member_open(b, "format", '{');
        put_member_word(b, "type", "grammar");
        put_member(b, "syntax", t->grammar_syntax);
        put_member(b, "definition", t->grammar);
        put_close(b, '}');
    }
    put_close(b, '}');
}

static void
put_place(const struct ir_tool *t, struct rx_buf *b)
{
    if (t->search.city.len + t->search.region.len + t->search.country.len +
            t->search.timezone.len ==
        0)
        return;
    put_member_open(b, "user_location", '{');
    put_member_word(b, "type", "approximate");
    put_member_if(b, "city", t->search.city);
    put_member_if(b, "region", t->search.region);
    put_member_if(b, "country", t->search.country);
    put_member_if(b, "timezone", t->search.timezone);
    put_close(b, '}');
}

static void
put_search(
    const struct codec_encode *in, const struct ir_tool *t, struct rx_buf *b)
{
    put_open(b, '{');
    put_member_word(b, "type", "web_search");
    if (t->search.allow.len > 0) {
        put_member_open(b, "filters", '{');
        put_member_raw(b, "allowed_domains", t->search.allow);
        put_close(b, '}');
    }
    put_place(t, b);
    put_member_if(b, "search_context_size", t->search.context_size);
    put_close(b, '}');
    if (t->search.block.len > 0)
        ir_lose(in->losses, "web_search.blocked_domains", "cannot be told");
    if (t->search.max_uses.there)
        ir_lose(in->losses, "web_search.max_uses", "cannot be told");
}

static void
put_tool(
    const struct codec_encode *in, const struct ir_tool *t, struct rx_buf *b)
{
    switch (t->kind) {
    case IR_TOOL_FUNCTION: put_function(in, t, b); break;
    case IR_TOOL_CUSTOM: put_custom(t, b); break;
    case IR_TOOL_WEB_SEARCH: put_search(in, t, b); break;
    case IR_TOOL_WEB_FETCH:
    case IR_TOOL_CODE:
    case IR_TOOL_BUILTIN:
    case IR_TOOL_OTHER:
        ir_lose(in->losses, "tools", "hosted by another provider");
        break;
    }
}

void
responses_put_tools(const struct codec_encode *in)
{
    const struct ir_tool *t = in->request->tools;
    struct rx_buf *b = &in->out->body;

    if (t == NULL)
        return;
    put_member_open(b, "tools", '[');
    for (; t != NULL; t = t->next)
        put_tool(in, t, b);
    put_close(b, ']');
}

/* --- choice ------------------------------------------------------------------------ */

static const struct ir_tool *
find(const struct ir_request *r, rx_str name)
{
    const struct ir_tool *t = r->tools;

    while (t != NULL && !rx_str_eq(t->name, name))
        t = t->next;
    return t;
}

/* {"type":"function","name":...}, or the type alone of what has no name. */
static void
put_named(const struct ir_request *r, rx_str name, struct rx_buf *b)
{
    const struct ir_tool *t = find(r, name);
    enum ir_tool_kind kind = t != NULL ? t->kind : IR_TOOL_FUNCTION;

    put_open(b, '{');
    if (kind == IR_TOOL_WEB_SEARCH) {
        put_member_word(b, "type", "web_search");
    } else {
        put_member_word(
            b, "type", kind == IR_TOOL_CUSTOM ? "custom" : "function");
        put_member(b, "name", name);
    }
    put_close(b, '}');
}

static void
put_allowed(const struct ir_request *r, struct rx_buf *b)
{
    put_open(b, '{');
    put_member_word(b, "type", "allowed_tools");
    put_member_word(b, "mode", r->allowed_required ? "required" : "auto");
    put_member_open(b, "tools", '[');
    for (const struct ir_name *n = r->allowed; n != NULL; n = n->next)
        put_named(r, n->name, b);
    put_close(b, ']');
    put_close(b, '}');
}

/* Without tools neither may be told. */
void
responses_put_choice(const struct codec_encode *in)
{
    const struct ir_request *r = in->request;
    struct rx_buf *b = &in->out->body;

    if (r->tools == NULL)
        return;
    if (r->choice != IR_CHOICE_UNSET)
        put_key(b, "tool_choice");
    switch (r->choice) {
    case IR_CHOICE_UNSET: break;
    case IR_CHOICE_AUTO: put_word(b, "auto"); break;
    case IR_CHOICE_NONE: put_word(b, "none"); break;
    case IR_CHOICE_REQUIRED: put_word(b, "required"); break;
    case IR_CHOICE_NAMED: put_named(r, r->choice_name, b); break;
    case IR_CHOICE_ALLOWED: put_allowed(r, b); break;
    }
    if (r->parallel != IR_UNSET && in->cap->parallel_flag)
        put_member_bool(b, "parallel_tool_calls", r->parallel == IR_YES);
}
