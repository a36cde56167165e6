/*
 * dataplane/codec/recall: two turns of a conversation whose client drops the
 * reasoning between them.
 */
#include "dataplane/codec/translate.h"
#include "shared/secret.h"
#include "tests/unit/check.h"
#include "tests/unit/codec_rig.h"

struct turn {
    enum dialect client, channel;
    const char *type, *host, *model;
    const char *tenant;
};

static rx_str
str(const char *s)
{
    return (rx_str){ s, strlen(s) };
}

static struct translation *
begin(const struct turn *t, struct memory *m, const char *body, uint64_t *seed)
{
    struct translation *made = NULL;
    struct rx_err err = { 0 };
    struct translate_ask ask = { .client = t->client,
        .body = str(body),
        .model_asked = str(t->model),
        .model = str(t->model),
        .key = { .dialect = t->channel,
            .type = str(t->type),
            .host = str(t->host),
            .model = str(t->model) },
        .world = rig_world(seed),
        .memory = m,
        .tenant = str(t->tenant) };

    CHECK_INT(RX_OK, translation_new(&made, &ask, &err));
    if (made == NULL)
        fprintf(stderr, "%s\n", err.text);
    return made;
}

/* The provider's whole answer to `body`; what the client gets is in `out`. */
static void
answer(const struct turn *t, struct memory *m, const char *body,
    const char *said, struct rx_buf *out)
{
    uint64_t seed;
    struct translation *made = begin(t, m, body, &seed);

    rx_buf_init(out, 1 << 20);
    if (made == NULL)
        return;
    translation_begin(made, 200, RX_S("application/json"), (rx_str){ 0 });
    rig_feed(made, str(said), 7, true, out);
    CHECK(!translation_failed(made));
    translation_free(made);
}

/* What the provider is then asked; has it `want` in it? */
static bool
asks_with(
    const struct turn *t, struct memory *m, const char *body, const char *want)
{
    uint64_t seed;
    struct translation *made = begin(t, m, body, &seed);
    bool found = false;

    if (made == NULL)
        return false;
    rx_str sent = translation_body(made);
    found = memmem(sent.ptr, sent.len, want, strlen(want)) != NULL;
    if (!found && want[0] == '!')
        fprintf(stderr, RX_STR_FMT "\n", RX_STR_ARG(sent));
    translation_free(made);
    return found;
}

static struct memory *
new_memory(void)
{
    return memory_new(&(struct memory_limits){ 1 << 20, 100, 3600000 });
}

#define TOOLS_A                                                         \
    "\"tools\":[{\"name\":\"f\",\"input_schema\":{\"type\":\"object\"}" \
    "}]"
#define TOOLS_C                                                       \
    "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"," \
    "\"parameters\":{\"type\":\"object\"}}}]"

#define ASK_A                                                        \
    "{\"model\":\"m\",\"max_tokens\":99," TOOLS_A ",\"messages\":[{" \
    "\"role\":\"user\",\"content\":\"go\"}"
#define ASK_C                                                        \
    "{\"model\":\"m\"," TOOLS_C ",\"messages\":[{\"role\":\"user\"," \
    "\"content\":\"go\"}"

static const struct turn deepseek = { DIALECT_ANTHROPIC, DIALECT_CHAT,
    "deepseek", "api.deepseek.com", "deepseek-chat", "t1" };

static void
reasoning_the_client_did_not_want_goes_back_with_its_call(void)
{
    struct memory *m = new_memory();
    struct turn other = deepseek;
    struct rx_buf out;

    answer(&deepseek, m, ASK_A "]}",
        "{\"id\":\"1\",\"choices\":[{\"index\":0,\"finish_reason\":\"tool_"
        "calls\",\"message\":{\"role\":\"assistant\",\"content\":null,"
        "\"reasoning_content\":\"deep \\\"thought\\\"\",\"tool_calls\":[{"
        "\"id\":\"call_1\",\"type\":\"function\",\"function\":{\"name\":"
        "\"f\",\"arguments\":\"{}\"}}]}}]}",
        &out);
    CHECK(strstr(out.ptr, "thought") == NULL);
    CHECK(strstr(out.ptr, "call_1") != NULL);
    rx_buf_fini(&out);
    static const char next[] = ASK_A
        ",{\"role\":\"assistant\",\"content\":[{\"type\":\"tool_use\",\"id\":"
        "\"call_1\",\"name\":\"f\",\"input\":{}}]},{\"role\":\"user\","
        "\"content\":[{\"type\":\"tool_result\",\"tool_use_id\":\"call_1\","
        "\"content\":\"r\"}]}]}";
    static const char want[] = "\"reasoning_content\":\"deep \\\"thought\\\"\"";
    CHECK(asks_with(&deepseek, m, next, want));
    other.tenant = "t2";
    CHECK(!asks_with(&other, m, next, want));
    CHECK(!asks_with(&deepseek, NULL, next, want));
    memory_free(m);
}

static void
without_a_call_it_is_known_by_what_was_said(void)
{
    struct memory *m = new_memory();
    struct rx_buf out;

    answer(&deepseek, m, ASK_A "]}",
        "{\"id\":\"1\",\"choices\":[{\"index\":0,\"finish_reason\":\"stop\","
        "\"message\":{\"role\":\"assistant\",\"content\":\"caf\\u00e9 \\n\","
        "\"reasoning_content\":\"why\"}}]}",
        &out);
    rx_buf_fini(&out);
    CHECK(asks_with(&deepseek, m,
        ASK_A ",{\"role\":\"assistant\",\"content\":\"caf\xc3\xa9 \\u000a\"},{"
              "\"role\":\"user\",\"content\":\"more\"}]}",
        "\"reasoning_content\":\"why\""));
    CHECK(!asks_with(&deepseek, m,
        ASK_A ",{\"role\":\"assistant\",\"content\":\"tea\"},{"
              "\"role\":\"user\",\"content\":\"more\"}]}",
        "\"why\""));
    memory_free(m);
}

static void
thought_signatures_go_back_on_their_calls(void)
{
    static const struct turn gemini = { DIALECT_CHAT, DIALECT_GEMINI, "gemini",
        "generativelanguage.googleapis.com", "gemini-3-pro", "t1" };
    static const char next[] = ASK_C
        ",{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":"
        "\"fc_1\",\"type\":\"function\",\"function\":{\"name\":\"f\","
        "\"arguments\":\"{}\"}}]},{\"role\":\"tool\",\"tool_call_id\":\"fc_1\","
        "\"content\":\"r\"}]}";
    struct memory *m = new_memory();
    struct rx_buf out;

    answer(&gemini, m, ASK_C "]}",
        "{\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":[{"
        "\"functionCall\":{\"id\":\"fc_1\",\"name\":\"f\",\"args\":{}},"
        "\"thoughtSignature\":\"c2lnbmF0dXJl\"}]},\"finishReason\":\"STOP\"}]}",
        &out);
    CHECK(strstr(out.ptr, "fc_1") != NULL);
    rx_buf_fini(&out);
    CHECK(asks_with(&gemini, m, next, "\"thoughtSignature\":\"c2lnbmF0dXJl\""));
    CHECK(asks_with(&gemini, NULL, next, "skip_thought_signature_validator"));
    memory_free(m);
}

static void
sealed_thinking_goes_back_to_its_family_only(void)
{
    static const struct turn claude = { DIALECT_CHAT, DIALECT_ANTHROPIC,
        "anthropic", "api.anthropic.com", "claude-sonnet-4-5", "t1" };
    struct turn other = claude;
    static const char next[] = ASK_C
        ",{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":"
        "\"toolu_1\",\"type\":\"function\",\"function\":{\"name\":\"f\","
        "\"arguments\":\"{}\"}}]},{\"role\":\"tool\",\"tool_call_id\":"
        "\"toolu_1\",\"content\":\"r\"}]}";
    struct memory *m = new_memory();
    struct rx_buf out;

    answer(&claude, m, ASK_C "]}",
        "{\"id\":\"m\",\"type\":\"message\",\"role\":\"assistant\",\"model\":"
        "\"c\",\"content\":[{\"type\":\"thinking\",\"thinking\":\"hm\","
        "\"signature\":\"Esig\"},{\"type\":\"tool_use\",\"id\":\"toolu_1\","
        "\"name\":\"f\",\"input\":{}}],\"stop_reason\":\"tool_use\",\"usage\":{"
        "\"input_tokens\":1,\"output_tokens\":1}}",
        &out);
    rx_buf_fini(&out);
    CHECK(asks_with(&claude, m, next,
        "{\"type\":\"thinking\",\"thinking\":\"hm\",\"signature\":\"Esig\"}"));
    other.type = "kimi";
    other.host = "api.moonshot.ai";
    other.model = "kimi-k2";
    CHECK(!asks_with(&other, m, next, "Esig"));
    memory_free(m);
}

static void
what_the_client_brought_back_is_not_doubled(void)
{
    static const struct turn claude = { DIALECT_CHAT, DIALECT_ANTHROPIC,
        "anthropic", "api.anthropic.com", "claude-sonnet-4-5", "t1" };
    struct memory *m = new_memory();
    struct rx_buf out, next;

    answer(&claude, m, ASK_C "]}",
        "{\"id\":\"m\",\"type\":\"message\",\"role\":\"assistant\",\"model\":"
        "\"c\",\"content\":[{\"type\":\"thinking\",\"thinking\":\"hm\","
        "\"signature\":\"Esig\"},{\"type\":\"text\",\"text\":\"yes\"}],"
        "\"stop_reason\":\"end_turn\",\"usage\":{\"input_tokens\":1,"
        "\"output_tokens\":1}}",
        &out);
    /* choices[0].message as it is, which carries the envelope */
    const char *from = strstr(out.ptr, "\"message\":");
    CHECK(from != NULL && strstr(from, "rtx1.") != NULL);
    const char *end = from != NULL ? strstr(from, "},\"") : NULL;
    CHECK(end != NULL);
    if (from == NULL || end == NULL)
        return;
    rx_buf_init(&next, 1 << 20);
    rx_buf_addf(&next, ASK_C ",%.*s},{\"role\":\"user\",\"content\":\"go\"}]}",
        (int)(end - from - 10), from + 10);
    uint64_t seed;
    struct translation *made = begin(&claude, m, next.ptr, &seed);
    rx_str sent = made != NULL ? translation_body(made) : RX_S("");
    const char *first = memmem(sent.ptr, sent.len, "Esig", 4);
    CHECK(first != NULL);
    if (first != NULL)
        CHECK(memmem(first + 4, (size_t)(sent.ptr + sent.len - first - 4),
                  "Esig", 4) == NULL);
    translation_free(made);
    rx_buf_fini(&next);
    rx_buf_fini(&out);
    memory_free(m);
}

static void
what_was_cut_is_not_remembered(void)
{
    struct memory *m = new_memory();
    struct rx_buf out;
    uint64_t seed;
    struct translation *made = begin(&deepseek, m, ASK_A "]}", &seed);

    rx_buf_init(&out, 1 << 20);
    translation_begin(made, 200, RX_S("text/event-stream"), (rx_str){ 0 });
    rig_feed(made,
        RX_S("data: {\"choices\":[{\"index\":0,\"delta\":{"
             "\"reasoning_content\":\"why\"}}]}\n\ndata: {\"choices\":[{"
             "\"index\":0,\"delta\":{\"content\":\"yes\"}}]}\n\n"),
        3, true, &out);
    CHECK_INT(0, (intmax_t)memory_count(m));
    translation_free(made);
    rx_buf_fini(&out);
    memory_free(m);
}

int
main(void)
{
    rx_secret_init();
    CHECK_RUN(reasoning_the_client_did_not_want_goes_back_with_its_call);
    CHECK_RUN(without_a_call_it_is_known_by_what_was_said);
    CHECK_RUN(thought_signatures_go_back_on_their_calls);
    CHECK_RUN(sealed_thinking_goes_back_to_its_family_only);
    CHECK_RUN(what_the_client_brought_back_is_not_doubled);
    CHECK_RUN(what_was_cut_is_not_remembered);
    return CHECK_EXIT();
}
