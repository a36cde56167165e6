#include "dataplane/codec/count.h"

#include <string.h>

#include "shared/json_edit.h"

#define TREE_BASE ((size_t)1024 * 1024)
#define TREE_PER  ((size_t)4)
#define PATH_ROOM ((size_t)2048)

/* What each takes of a request; anything else it would refuse. */
static const char *const anthropic_members[] = { "model", "messages", "system",
    "tools", "tool_choice", "thinking", NULL };
static const char *const responses_members[] = { "model", "input",
    "instructions", "tools", "tool_choice", "parallel_tool_calls", "reasoning",
    "text", "truncation", NULL };
static const char *const vertex_members[] = { "contents", "systemInstruction",
    "tools", "generationConfig", NULL };

bool
count_known(enum dialect channel)
{
    return channel != DIALECT_CHAT;
}

rx_str
count_inner(enum dialect client, rx_str body)
{
    struct rx_span j;
    rx_str inner = body;

    if (client != DIALECT_GEMINI)
        return body;
    rx_span_init(&j, body);
    if (rx_span_kind(&j) != RX_SPAN_OBJECT)
        return body;
    rx_span_enter_object(&j);
    while (rx_span_member(&j, NULL)) {
        if (rx_span_key_is(&j, RX_S("generateContentRequest")) ||
            rx_span_key_is(&j, RX_S("generate_content_request")))
            rx_span_skip(&j, &inner);
        else
            rx_span_skip(&j, NULL);
    }
    return j.bad ? body : inner;
}

static bool
listed(const char *const *names, const struct rx_edit *member)
{
    for (; *names != NULL; names++) {
        if (rx_edit_key_is(member, *names))
            return true;
    }
    return false;
}

static void
keep_only(struct rx_edit *root, const char *const *names)
{
    for (struct rx_edit *m = rx_edit_first(root), *next; m != NULL; m = next) {
        next = rx_edit_next(m);
        if (!listed(names, m))
            rx_edit_remove(m);
    }
}

/* "/v1beta/models/x:streamGenerateContent?alt=sse": its model. */
static rx_str
gemini_model(rx_str path)
{
    static const char mark[] = "/models/";
    const char *at = memmem(path.ptr, path.len, mark, sizeof(mark) - 1);
    rx_str model, rest;

    if (at == NULL)
        return path;
    at += sizeof(mark) - 1;
    rx_str_cut(
        (rx_str){ at, (size_t)(path.ptr + path.len - at) }, ':', &model, &rest);
    return model;
}

/* Google's own API takes the whole request in a wrapper, Vertex does not. */
static void
shape_gemini(struct rx_edit *root, bool vertex, struct codec_outgoing *out,
    struct rx_arena *arena)
{
    rx_str model = gemini_model(out->path);
    struct rx_buf path;

    rx_buf_init(&path, PATH_ROOM);
    rx_buf_addf(
        &path, "/v1beta/models/" RX_STR_FMT ":countTokens", RX_STR_ARG(model));
    out->path = rx_arena_copy(arena, rx_buf_str(&path));
    rx_buf_fini(&path);
    if (vertex) {
        keep_only(root, vertex_members);
        return;
    }
    rx_edit_set(root, "model",
        rx_edit_format(root, "\"models/" RX_STR_FMT "\"", RX_STR_ARG(model)));
    rx_edit_put(root,
        rx_edit_format(root, "{\"generateContentRequest\":" RX_STR_FMT "}",
            RX_STR_ARG(rx_edit_text(root))));
}

enum rx_code
count_shape(const struct capability_key *to, struct codec_outgoing *out,
    struct rx_arena *arena, struct rx_err *err)
{
    struct rx_arena *tree = rx_arena_new(TREE_BASE + TREE_PER * out->body.len);
    struct rx_edit *root = rx_edit_open(tree, rx_buf_str(&out->body));
    struct rx_buf shaped;

    switch (to->dialect) {
    case DIALECT_ANTHROPIC:
        keep_only(root, anthropic_members);
        out->path = RX_S("/v1/messages/count_tokens");
        break;
    case DIALECT_RESPONSES:
        keep_only(root, responses_members);
        out->path = RX_S("/v1/responses/input_tokens");
        break;
    case DIALECT_GEMINI:
        shape_gemini(root, rx_str_eq(to->type, RX_S("vertex")), out, arena);
        break;
    case DIALECT_CHAT:
    case DIALECT_COUNT: break;
    }
    rx_buf_init(&shaped, out->body.cap);
    rx_edit_print(root, &shaped);
    bool ok = !rx_edit_bad(root) && !shaped.full;
    rx_buf_fini(&out->body);
    out->body = shaped;
    rx_arena_free(tree);
    return ok ? RX_OK
              : rx_fail(
                    err, RX_TOO_BIG, "the request is too large to translate");
}

bool
count_read(enum dialect channel, rx_str document, uint64_t *tokens)
{
    rx_str name =
        channel == DIALECT_GEMINI ? RX_S("totalTokens") : RX_S("input_tokens");
    struct rx_span j;
    bool found = false;

    rx_span_init(&j, document);
    if (rx_span_kind(&j) != RX_SPAN_OBJECT)
        return false;
    rx_span_enter_object(&j);
    while (rx_span_member(&j, NULL)) {
        if (rx_span_key_is(&j, name))
            found = rx_span_u64(&j, tokens);
        else
            rx_span_skip(&j, NULL);
    }
    return found && !j.bad;
}
