/* What the provider looked up, as an item. */
#include "dataplane/codec/put.h"
#include "dataplane/codec/reseal.h"
#include "dataplane/codec/responses_write.h"

static void
put_action(struct rx_buf *b, const struct ir_lookup *l)
{
    bool page = l->kind == IR_LOOKUP_PAGE;

    put_member_open(b, "action", '{');
    put_member_word(b, "type", page ? "open_page" : "search");
    put_member(b, page ? "url" : "query", l->what);
    if (l->sources != NULL) {
        put_member_open(b, "sources", '[');
        for (const struct ir_page *s = l->sources; s != NULL; s = s->next) {
            put_open(b, '{');
            put_member_word(b, "type", "url");
            put_member(b, "url", s->url);
            put_close(b, '}');
        }
        put_close(b, ']');
    }
    put_close(b, '}');
}

void
responses_lookup_item(struct responses_writer *w, const struct ir_lookup *l)
{
    static const char *const stages[] = {
        "response.web_search_call.in_progress",
        "response.web_search_call.searching",
        "response.web_search_call.completed",
    };
    struct rx_buf rest;

    if (l == NULL)
        return;
    responses_item_finish(w);
    responses_item_begin(w, "ws_rtx1.");
    put_member_word(&w->head, "type", "web_search_call");
    responses_item_added(w);
    for (size_t i = 0; i < RX_COUNT(stages); i++) {
        if (!responses_frame(w, stages[i]))
            continue;
        responses_frame_item(w);
        responses_frame_end(w);
    }
    rx_buf_init(&rest, RESPONSES_OUTPUT_MAX);
    put_action(&rest, l);
    put_member_word(&rest, "status", l->failed ? "failed" : "completed");
    if (rest.full)
        w->output.full = true;
    responses_item_done(w, rx_buf_str(&rest));
    rx_buf_fini(&rest);
}
