/*
 * Seals in envelopes, in requests that are not translated: opened for their own
 * family, left out for others, and every other byte as it was.
 */
#include "dataplane/codec/reseal.h"
#include "shared/attr.h"
#include "tests/unit/check.h"

/* The payload is "EqoB" and "gAAA", in base64. */
#define CLAUDE "rtx1.a.claude.s.RXFvQg"
#define GPT    "rtx1.r.gpt.s.Z0FBQQ"
#define CALL   "{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"f\",\"input\":{}}"

static const struct {
    enum dialect dialect;
    const char *model, *body, *want; /* NULL: as it was */
} rows[] = {
    { DIALECT_ANTHROPIC, "claude-sonnet-4-5",
        "{ \"messages\": [{\"role\":\"assistant\",\"content\":[{\"type\":"
        "\"thinking\", \"thinking\":\"x\",\"signature\": \"" CLAUDE
        "\"} , " CALL "]}],  \"thinking\":{}}",
        "{ \"messages\": [{\"role\":\"assistant\",\"content\":[{\"type\":"
        "\"thinking\", \"thinking\":\"x\",\"signature\": \"EqoB\"} , " CALL
        "]}],  \"thinking\":{}}" },
    { DIALECT_ANTHROPIC, "claude-sonnet-4-5",
        "{\"messages\":[{\"role\":\"assistant\",\"content\":[{\"type\":"
        "\"redacted_thinking\",\"data\":\"" GPT "\"}," CALL
        "]}],\"thinking\":{\"type\":\"enabled\"},\"x\":1e2}",
        "{\"messages\":[{\"role\":\"assistant\",\"content\":[" CALL
        "]}],\"x\":1e2}" },
    { DIALECT_ANTHROPIC, "claude-sonnet-4-5",
        "{\"messages\":[{\"role\":\"assistant\",\"content\":[{\"type\":"
        "\"thinking\",\"thinking\":\"x\",\"signature\":\"" GPT
        "\"}]},{\"role\":\"user\",\"content\":\"hi\"}]}",
        "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}" },
    { DIALECT_ANTHROPIC, "claude-sonnet-4-5",
        "{\"messages\":[{\"role\":\"user\",\"content\":\"" GPT "\"}]}", NULL },
    { DIALECT_RESPONSES, "gpt-5",
        "{\"input\":[{\"type\":\"reasoning\",\"encrypted_content\":\"" GPT
        "\"},{\"type\":\"reasoning\",\"encrypted_content\":\"" CLAUDE "\"}]}",
        "{\"input\":[{\"type\":\"reasoning\",\"encrypted_content\":\"gAAA\"}"
        "]}" },
    { DIALECT_RESPONSES, "gpt-5", "{\"input\":\"" GPT "\"}", NULL },
    { DIALECT_CHAT, "gpt-5",
        "{\"messages\":[{\"role\":\"assistant\",\"content\":\"a\","
        "\"reasoning_details\":[{\"data\":\"" CLAUDE "\"}]}]}",
        "{\"messages\":[{\"role\":\"assistant\",\"content\":\"a\"}]}" },
    /* Searches of another provider, told as Anthropic's would have been. */
    { DIALECT_ANTHROPIC, "claude-sonnet-4-5",
        "{\"messages\":[{\"role\":\"assistant\",\"content\":[{\"type\":"
        "\"server_tool_use\",\"id\":\"srvtoolu_rtx1.a\",\"name\":"
        "\"web_search\",\"input\":{}},{\"type\":\"web_search_tool_result\","
        "\"tool_use_id\":\"srvtoolu_rtx1.a\",\"content\":[]},{\"type\":"
        "\"server_tool_use\",\"id\":\"srvtoolu_b\"},{\"type\":\"text\","
        "\"text\":\"x\",\"citations\":[{\"url\":\"u\",\"encrypted_index\":"
        "\"rtx1.\"}]},{\"type\":\"text\",\"text\":\"y\",\"citations\":[{"
        "\"url\":\"u\",\"encrypted_index\":\"Eq\"}]}]}]}",
        "{\"messages\":[{\"role\":\"assistant\",\"content\":[{\"type\":"
        "\"server_tool_use\",\"id\":\"srvtoolu_b\"},{\"type\":\"text\","
        "\"text\":\"x\"},{\"type\":\"text\",\"text\":\"y\",\"citations\":[{"
        "\"url\":\"u\",\"encrypted_index\":\"Eq\"}]}]}]}" },
    { DIALECT_RESPONSES, "gpt-5",
        "{\"input\":[{\"type\":\"web_search_call\",\"id\":\"ws_rtx1.a\"},{"
        "\"type\":\"web_search_call\",\"id\":\"ws_1\"}]}",
        "{\"input\":[{\"type\":\"web_search_call\",\"id\":\"ws_1\"}]}" },
    { DIALECT_ANTHROPIC, "claude-sonnet-4-5", "{\"messages\":[rtx1.", NULL },
};

static void
a_seal_goes_home_or_nowhere_and_all_else_stays(void)
{
    for (size_t i = 0; i < RX_COUNT(rows); i++) {
        rx_str body = { rows[i].body, strlen(rows[i].body) };
        struct capability_key to = { .dialect = rows[i].dialect,
            .model = { rows[i].model, strlen(rows[i].model) } };
        struct rx_buf out;
        rx_buf_init(&out, 1 << 16);
        CHECK(reseal_needed(body));
        CHECK((rows[i].want != NULL) == reseal(&to, body, &out));
        if (rows[i].want != NULL)
            CHECK_TEXT(rows[i].want, out.ptr != NULL ? out.ptr : "");
        rx_buf_fini(&out);
    }
    CHECK(!reseal_needed(RX_S("{\"messages\":[]}")));
}

int
main(void)
{
    CHECK_RUN(a_seal_goes_home_or_nowhere_and_all_else_stays);
    return CHECK_EXIT();
}
