/* The response object: the answer so far and an echo of the request. */
#include <string.h>

#include "dataplane/codec/fault.h"
#include "dataplane/codec/put.h"
#include "dataplane/codec/responses_write.h"

static void
put_error(struct rx_buf *b, const struct ir_error *error)
{
    if (error == NULL) {
        put_member_null(b, "error");
        return;
    }
    const char *code = fault_words(error->fault)->openai_code;
    /* What clients do not know of is told as what they do. */
    if (code == NULL || error->fault == IR_FAULT_CUT ||
        error->fault == IR_FAULT_TIMEOUT)
        code = "server_error";
    put_member_open(b, "error", '{');
    put_member_word(
        b, "code", error->fault == IR_FAULT_INVALID ? "invalid_prompt" : code);
    put_member(b, "message", error->message);
    put_close(b, '}');
}

static void
put_usage(struct rx_buf *b, const struct usage *u)
{
    if (u->has == 0) {
        put_member_null(b, "usage");
        return;
    }
    uint64_t prompt = ir_usage_prompt(u);
    uint64_t output = u->n[USAGE_out_total];

    put_member_open(b, "usage", '{');
    put_member_u64(b, "input_tokens", prompt);
    put_member_open(b, "input_tokens_details", '{');
    put_member_u64(b, "cached_tokens", u->n[USAGE_cache_read]);
    put_member_u64(b, "cache_write_tokens", ir_usage_written(u));
    put_close(b, '}');
    put_member_u64(b, "output_tokens", output);
    put_member_open(b, "output_tokens_details", '{');
    put_member_u64(b, "reasoning_tokens", u->n[USAGE_out_reasoning]);
    put_close(b, '}');
    put_member_u64(b, "total_tokens", prompt + output);
    put_close(b, '}');
}

static void
put_int(struct rx_buf *b, const char *name, const struct ir_int *n)
{
    if (n->there && n->n >= 0)
        put_member_u64(b, name, (uint64_t)n->n);
    else
        put_member_null(b, name);
}

static void
put_or_null(struct rx_buf *b, const char *name, rx_str raw)
{
    put_member_raw(b, name, raw.len > 0 ? raw : RX_S("null"));
}

/* What was asked, as it was asked. */
static void
put_echo(struct rx_buf *b, const struct ir_request *r)
{
    const struct ir_echo *e = &r->echo;

    put_or_null(b, "instructions", e->instructions);
    put_int(b, "max_output_tokens", &r->max_output);
    put_int(b, "max_tool_calls", &r->max_tool_calls);
    put_member_raw(b, "tools", e->tools.len > 0 ? e->tools : RX_S("[]"));
    put_member_raw(b, "tool_choice",
        e->tool_choice.len > 0 ? e->tool_choice : RX_S("\"auto\""));
    put_member_bool(b, "parallel_tool_calls", r->parallel != IR_NO);
    put_member_null(b, "previous_response_id");
    put_or_null(b, "reasoning", e->reasoning);
    put_member_bool(b, "store", false);
    put_or_null(b, "temperature", r->temperature);
    put_or_null(b, "top_p", r->top_p);
    put_member_raw(b, "text",
        e->text.len > 0 ? e->text : RX_S("{\"format\":{\"type\":\"text\"}}"));
    put_member_word(b, "truncation", "disabled");
    put_member_raw(
        b, "metadata", r->metadata.len > 0 ? r->metadata : RX_S("{}"));
}

void
responses_put_object(const struct responses_writer *w, struct rx_buf *b)
{
    const struct responses_status *status = &w->status;
    const struct ir_request *r = w->base.about.request;

    put_open(b, '{');
    put_member_word(b, "id", w->id);
    put_member_word(b, "object", "response");
    put_member_u64(b, "created_at", w->created_s);
    put_member_word(b, "status", status->word);
    if (strcmp(status->word, "completed") == 0)
        put_member_u64(b, "completed_at", w->base.about.world->now_s);
    else
        put_member_null(b, "completed_at");
    put_error(b, status->error);
    if (status->incomplete != NULL) {
        put_member_open(b, "incomplete_details", '{');
        put_member_word(b, "reason", status->incomplete);
        put_close(b, '}');
    } else {
        put_member_null(b, "incomplete_details");
    }
    put_member(b, "model", r->model_asked);
    put_member_open(b, "output", '[');
    rx_buf_add(b, rx_buf_str(&w->output));
    put_close(b, ']');
    put_echo(b, r);
    if (w->tier[0] != '\0')
        put_member_word(b, "service_tier", w->tier);
    put_usage(b, &w->usage);
    put_close(b, '}');
}
