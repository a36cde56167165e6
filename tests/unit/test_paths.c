#include "dataplane/paths.h"
#include "shared/attr.h"
#include "tests/unit/check.h"

static struct path
find(const char *method, const char *path)
{
    return path_find(
        (rx_str){ method, strlen(method) }, (rx_str){ path, strlen(path) });
}

static void
every_path_of_the_contract_is_known(void)
{
    static const struct {
        const char *method;
        const char *path;
        enum path_kind kind;
        enum dialect dialect;
        enum operation op;
    } rows[] = {
        { "POST", "/v1/messages", PATH_PROXY, DIALECT_ANTHROPIC, OP_CREATE },
        { "POST", "/v1/messages/count_tokens", PATH_PROXY, DIALECT_ANTHROPIC,
            OP_COUNT },
        { "POST", "/v1/chat/completions", PATH_PROXY, DIALECT_CHAT, OP_CREATE },
        { "POST", "/v1/embeddings", PATH_PROXY, DIALECT_CHAT, OP_EMBED },
        { "POST", "/v1/completions", PATH_PROXY, DIALECT_CHAT, OP_COMPLETE },
        { "POST", "/v1/responses", PATH_PROXY, DIALECT_RESPONSES, OP_CREATE },
        { "GET", "/v1/responses/resp_1", PATH_PROXY, DIALECT_RESPONSES,
            OP_OBJECT },
        { "DELETE", "/v1/responses/resp_1", PATH_PROXY, DIALECT_RESPONSES,
            OP_OBJECT },
        { "POST", "/v1/responses/compact", PATH_PROXY, DIALECT_RESPONSES,
            OP_OBJECT },
        { "POST", "/v1/images/generations", PATH_PROXY, DIALECT_CHAT,
            OP_MEDIA },
        { "POST", "/v1/audio/speech", PATH_PROXY, DIALECT_CHAT, OP_MEDIA },
        { "POST", "/v1/moderations", PATH_PROXY, DIALECT_CHAT, OP_MEDIA },
        { "POST", "/v1/rerank", PATH_PROXY, DIALECT_CHAT, OP_MEDIA },
        { "GET", "/v1/models", PATH_MODELS, DIALECT_CHAT, OP_MODELS },
        { "GET", "/v1/models/gpt-5", PATH_MODEL, DIALECT_CHAT, OP_MODELS },
        { "GET", "/v1beta/models", PATH_MODELS, DIALECT_GEMINI, OP_MODELS },
        { "HEAD", "/", PATH_HELLO, DIALECT_ANTHROPIC, OP_MODELS },
        { "HEAD", "/api/hello", PATH_HELLO, DIALECT_ANTHROPIC, OP_MODELS },
        { "GET", "/health", PATH_HEALTH, DIALECT_CHAT, OP_MODELS },
        { "PUT", "/api/channels/x", PATH_CONTROL, DIALECT_CHAT, OP_MODELS },
        { "GET", "/dashboard", PATH_CONTROL, DIALECT_CHAT, OP_MODELS },
        { "GET", "/dashboard/", PATH_CONTROL, DIALECT_CHAT, OP_MODELS },
        { "GET", "/dashboard/a/b", PATH_CONTROL, DIALECT_CHAT, OP_MODELS },
    };

    for (size_t i = 0; i < RX_COUNT(rows); i++) {
        struct path p = find(rows[i].method, rows[i].path);
        CHECK_INT(rows[i].kind, p.kind);
        CHECK_INT(rows[i].dialect, p.dialect);
        if (rows[i].kind == PATH_PROXY)
            CHECK_INT(rows[i].op, p.op);
    }
}

static void
a_path_is_matched_whole_and_never_by_its_beginning(void)
{
    CHECK_INT(PATH_UNKNOWN, find("GET", "/healthzXYZ").kind);
    CHECK_INT(PATH_UNKNOWN, find("POST", "/v1/messages/").kind);
    CHECK_INT(PATH_UNKNOWN, find("POST", "/v1/messagesX").kind);
    CHECK_INT(PATH_UNKNOWN, find("GET", "/v1/models/").kind);
    CHECK_INT(PATH_UNKNOWN, find("GET", "").kind);
}

static void
a_known_path_with_another_method_is_told_which(void)
{
    struct path p = find("GET", "/v1/messages");

    CHECK_INT(PATH_METHOD, p.kind);
    CHECK_INT(DIALECT_ANTHROPIC, p.dialect);
    CHECK_TEXT("POST", p.allow);
    CHECK_TEXT("GET, DELETE", find("PUT", "/v1/responses/x").allow);
}

static void
gemini_is_split_at_the_last_colon(void)
{
    struct path p =
        find("POST", "/v1beta/models/tuned:x%2Fy:streamGenerateContent");

    CHECK_INT(PATH_PROXY, p.kind);
    CHECK_INT(DIALECT_GEMINI, p.dialect);
    CHECK(p.stream);
    CHECK(rx_str_eq(p.model, RX_S("tuned:x%2Fy")));
    CHECK(rx_str_eq(p.verb, RX_S(":streamGenerateContent")));

    p = find("POST", "/v1/models/gemini-3:countTokens");
    CHECK_INT(OP_COUNT, p.op);
    CHECK(!p.stream);
    CHECK(rx_str_eq(p.upstream, RX_S("/v1beta/models/")));
    CHECK_INT(PATH_UNKNOWN, find("POST", "/v1beta/models/x:noSuchVerb").kind);
    CHECK_INT(PATH_METHOD, find("POST", "/v1beta/models/x").kind);
}

int
main(void)
{
    CHECK_RUN(every_path_of_the_contract_is_known);
    CHECK_RUN(a_path_is_matched_whole_and_never_by_its_beginning);
    CHECK_RUN(a_known_path_with_another_method_is_told_which);
    CHECK_RUN(gemini_is_split_at_the_last_colon);
    return CHECK_EXIT();
}
