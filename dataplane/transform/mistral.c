/*
 * mistral: names, ids of nine characters, thinking in lists.
 */
#include <string.h>

#include "dataplane/transform/body.h"
#include "dataplane/transform/kinds.h"

#define ID_LENGTH 9

static bool
good_id(rx_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                (c >= 'a' && c <= 'z')))
            return false;
    }
    return s.len == ID_LENGTH;
}

/* The same id becomes the same one in every turn: FNV-1a, written in base 62. */
static void
shorten_id(struct rx_edit *id)
{
    static const char digits[] =
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    rx_str s = rx_edit_plain(id);
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    char text[ID_LENGTH + 1] = { 0 };

    if (s.len == 0 || good_id(s))
        return;
    for (size_t i = 0; i < s.len; i++)
        h = (h ^ (unsigned char)s.ptr[i]) * UINT64_C(0x100000001b3);
    for (size_t i = 0; i < ID_LENGTH; i++) {
        text[i] = digits[h % 62];
        h /= 62;
    }
    rx_edit_put(id, rx_edit_format(id, "\"%s\"", text));
}

static void
shorten_calls(struct rx_edit *message, void *arg)
{
    (void)arg;
    for (struct rx_edit *c = rx_edit_first(rx_edit_get(message, "tool_calls"));
         c != NULL; c = rx_edit_next(c)) {
        shorten_id(rx_edit_get(c, "id"));
        rx_edit_drop(c, "index");
    }
}

/* The name of the function whose call had this id. */
static struct rx_edit *
called(struct rx_edit *root, rx_str id)
{
    for (struct rx_edit *m = rx_edit_last(rx_edit_get(root, "messages"));
         m != NULL; m = rx_edit_prev(m)) {
        for (struct rx_edit *c = rx_edit_first(rx_edit_get(m, "tool_calls"));
             c != NULL; c = rx_edit_next(c)) {
            if (rx_str_eq(rx_edit_plain(rx_edit_get(c, "id")), id))
                return rx_edit_get(rx_edit_get(c, "function"), "name");
        }
    }
    return NULL;
}

static void
name_result(struct rx_edit *message, void *arg)
{
    struct rx_edit *id = rx_edit_get(message, "tool_call_id");
    struct rx_edit *name = called(arg, rx_edit_plain(id));

    if (name != NULL && !rx_edit_there(rx_edit_get(message, "name")))
        rx_edit_set(message, "name", rx_edit_text(name));
}

static void
shorten_result(struct rx_edit *message, void *arg)
{
    (void)arg;
    shorten_id(rx_edit_get(message, "tool_call_id"));
}

/* image_url {"url"} as plain text; reasoning_content as a thinking part. */
static void
shape_content(struct rx_edit *message, void *arg)
{
    (void)arg;
    for (struct rx_edit *p = rx_edit_first(rx_edit_get(message, "content"));
         p != NULL; p = rx_edit_next(p)) {
        struct rx_edit *image = rx_edit_get(p, "image_url");
        struct rx_edit *url = rx_edit_get(image, "url");
        if (url != NULL)
            rx_edit_put(image, rx_edit_text(url));
    }
    rx_edit_drop(message, "reasoning_content");
    rx_edit_drop(message, "reasoning_details");
    rx_edit_drop(message, "refusal");
    if (body_says(message, "role", "developer"))
        rx_edit_set(message, "role", RX_S("\"system\""));
}

/* required is any; a certain tool is the only one there is. */
static void
choose_tool(struct rx_edit *root)
{
    struct rx_edit *choice = rx_edit_get(root, "tool_choice");
    struct rx_edit *name = rx_edit_get(rx_edit_get(choice, "function"), "name");
    struct rx_edit *next;

    if (rx_edit_is(choice, "required"))
        rx_edit_put(choice, RX_S("\"any\""));
    if (name == NULL)
        return;
    rx_str wanted = rx_edit_plain(name);
    for (struct rx_edit *t = rx_edit_first(rx_edit_get(root, "tools"));
         t != NULL; t = next) {
        next = rx_edit_next(t);
        struct rx_edit *f = rx_edit_get(t, "function");
        if (!rx_str_eq(rx_edit_plain(rx_edit_get(f, "name")), wanted))
            rx_edit_remove(t);
    }
    rx_edit_put(choice, RX_S("\"any\""));
}

static void
mistral_request(struct step_request *r)
{
    static const char *const refused[] = { "logit_bias", "logprobs",
        "top_logprobs", "stream_options", "user", "store", "service_tier",
        "metadata", "verbosity", NULL };
    struct rx_edit *last = rx_edit_last(rx_edit_get(r->root, "messages"));

    body_clean_cache(r->root, r->dialect);
    body_drop_all(r->root, refused);
    rx_edit_rename(r->root, "max_completion_tokens", "max_tokens");
    rx_edit_rename(r->root, "seed", "random_seed");
    choose_tool(r->root);
    body_each_message(r->root, "tool", name_result, r->root);
    body_each_message(r->root, "tool", shorten_result, NULL);
    body_each_message(r->root, "assistant", shorten_calls, NULL);
    body_each_message(r->root, NULL, shape_content, NULL);
    if (body_says(last, "role", "assistant") &&
        rx_edit_get(last, "tool_calls") == NULL)
        rx_edit_set(last, "prefix", RX_S("true"));
}

/* ---- answers ------------------------------------------------------------ */

/* Append the inside of each text among the parts. */
static void
add_texts(struct rx_buf *b, struct rx_edit *parts)
{
    for (struct rx_edit *p = rx_edit_first(parts); p != NULL;
         p = rx_edit_next(p))
        rx_buf_add(b, rx_edit_escaped(rx_edit_get(p, "text")));
}

static void
set_texts(struct rx_edit *message, const char *name, struct rx_buf *inside)
{
    rx_edit_set(message, name,
        rx_edit_join(message,
            (rx_str[]){ RX_S("\""), rx_buf_str(inside), RX_S("\"") }, 3));
}

/* A list of parts as content and reasoning_content. */
static void
flatten(struct rx_edit *message, void *arg)
{
    struct rx_edit *content = rx_edit_get(message, "content");
    struct rx_buf said;
    struct rx_buf thought;

    (void)arg;
    if (rx_edit_kind(content) != RX_SPAN_ARRAY)
        return;
    rx_buf_init(&said, 64 << 20);
    rx_buf_init(&thought, 64 << 20);
    for (struct rx_edit *p = rx_edit_first(content); p != NULL;
         p = rx_edit_next(p)) {
        if (body_says(p, "type", "thinking"))
            add_texts(&thought, rx_edit_get(p, "thinking"));
        else
            rx_buf_add(&said, rx_edit_escaped(rx_edit_get(p, "text")));
    }
    set_texts(message, "content", &said);
    if (thought.len > 0)
        set_texts(message, "reasoning_content", &thought);
    rx_buf_fini(&said);
    rx_buf_fini(&thought);
}

/* model_length is what others call length. */
static void
name_finish(struct rx_edit *root)
{
    for (struct rx_edit *c = rx_edit_first(rx_edit_get(root, "choices"));
         c != NULL; c = rx_edit_next(c)) {
        struct rx_edit *finish = rx_edit_get(c, "finish_reason");
        if (rx_edit_is(finish, "model_length"))
            rx_edit_put(finish, RX_S("\"length\""));
    }
}

static void
mistral_document(const void *options, void *state, struct step_flow *flow,
    struct rx_edit *root)
{
    (void)options;
    (void)state;
    (void)flow;
    body_each_choice(root, flatten, NULL);
    name_finish(root);
}

static void
mistral_event(const void *options, void *state, struct step_flow *flow,
    struct step_event *event)
{
    mistral_document(options, state, flow, event->root);
    step_pass(flow, event);
}

const struct step_kind step_mistral = {
    .name = "mistral",
    .ops = 1U << OP_CREATE,
    .request = mistral_request,
    .event = mistral_event,
    .document = mistral_document,
};
