#include <stdlib.h>
#include <zlib.h>

#include "dataplane/usage.h"
#include "shared/attr.h"
#include "shared/buf.h"
#include "tests/unit/check.h"

#define PROMPT 400 /* bytes: 100 tokens when estimated */

/* An answer and what is to be learnt of it; 0 and NULL where nothing is. */
struct row {
    const char *what;
    enum dialect dialect;
    enum operation op;
    const char *type;
    const char *text;
    bool cut;
    bool content, terminal, error;
    int status;
    const char *finish;
    enum provenance provenance;
    uint64_t in, read, write_5m, write_1h, out;
};

#define SSE  "text/event-stream"
#define JSON "application/json"

static const struct row rows[] = {
    { "anthropic, complete", DIALECT_ANTHROPIC, OP_CREATE, SSE,
        "event: message_start\n"
        "data: {\"type\":\"message_start\",\"message\":{\"model\":\"m\","
        "\"content\":[],\"usage\":{\"input_tokens\":5,"
        "\"cache_read_input_tokens\":7,\"cache_creation_input_tokens\":30,"
        "\"cache_creation\":{\"ephemeral_5m_input_tokens\":10,"
        "\"ephemeral_1h_input_tokens\":20},\"output_tokens\":1}}}\n\n"
        "data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":"
        "{\"type\":\"text_delta\",\"text\":\"Hello\"}}\n\n"
        "data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":"
        "\"end_turn\"},\"usage\":{\"input_tokens\":0,"
        "\"cache_creation_input_tokens\":30,\"output_tokens\":9}}\n\n"
        "data: {\"type\":\"message_stop\"}\n\n",
        .content = true, .terminal = true, .finish = "end_turn",
        .provenance = PROVENANCE_REPORTED, .in = 5, .read = 7, .write_5m = 10,
        .write_1h = 20, .out = 9 },
    { "anthropic, more was written than the start said", DIALECT_ANTHROPIC,
        OP_CREATE, SSE,
        "data: {\"type\":\"message_start\",\"message\":{\"usage\":{"
        "\"input_tokens\":5,\"cache_creation_input_tokens\":30,"
        "\"cache_creation\":{\"ephemeral_5m_input_tokens\":10,"
        "\"ephemeral_1h_input_tokens\":20},\"output_tokens\":1}}}\n\n"
        "data: {\"type\":\"message_delta\",\"delta\":{},\"usage\":{"
        "\"cache_creation_input_tokens\":37,\"output_tokens\":9}}\n\n"
        "data: {\"type\":\"message_stop\"}\n\n",
        .terminal = true, .provenance = PROVENANCE_REPORTED, .in = 5,
        .write_5m = 17, .write_1h = 20, .out = 9 },
    { "anthropic, cut after the start: the prompt is billed", DIALECT_ANTHROPIC,
        OP_CREATE, SSE,
        "data: {\"type\":\"message_start\",\"message\":{\"usage\":{"
        "\"input_tokens\":5,\"output_tokens\":1}}}\n\n"
        "data: {\"type\":\"content_block_delta\",\"delta\":{\"type\":"
        "\"text_delta\",\"text\":\"12345678901234567890\"}}\n\n",
        .cut = true, .content = true, .provenance = PROVENANCE_PARTIAL, .in = 5,
        .out = 5 },
    { "anthropic, overloaded before content is free", DIALECT_ANTHROPIC,
        OP_CREATE, SSE,
        "data: {\"type\":\"message_start\",\"message\":{\"usage\":{"
        "\"input_tokens\":5,\"output_tokens\":1}}}\n\n"
        "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":"
        "\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n",
        .error = true, .status = 529 },
    { "anthropic, metadata is no content", DIALECT_ANTHROPIC, OP_CREATE, SSE,
        "data: {\"type\":\"message_start\",\"message\":{\"content\":[]}}\n\n"
        "data: {\"type\":\"content_block_start\",\"content_block\":{\"type\":"
        "\"text\",\"text\":\"\"}}\n\n"
        "data: {\"type\":\"ping\"}\n\n"
        "data: {\"type\":\"content_block_delta\",\"delta\":{\"type\":"
        "\"text_delta\",\"text\":\"\"}}\n\n",
        .cut = true },
    { "anthropic, an opened tool is content", DIALECT_ANTHROPIC, OP_CREATE, SSE,
        "data: {\"type\":\"content_block_start\",\"content_block\":{\"type\":"
        "\"tool_use\",\"id\":\"t\",\"name\":\"f\",\"input\":{}}}\n\n",
        .cut = true, .content = true, .provenance = PROVENANCE_ESTIMATED,
        .in = 100 },
    { "anthropic, a redacted block is content", DIALECT_ANTHROPIC, OP_CREATE,
        SSE,
        "data: {\"type\":\"content_block_start\",\"content_block\":{\"type\":"
        "\"redacted_thinking\",\"data\":\"x\"}}\n\n",
        .cut = true, .content = true, .provenance = PROVENANCE_ESTIMATED,
        .in = 100 },
    { "anthropic, a signature alone is content", DIALECT_ANTHROPIC, OP_CREATE,
        SSE,
        "data: {\"type\":\"content_block_start\",\"content_block\":{\"type\":"
        "\"thinking\",\"thinking\":\"\",\"signature\":\"\"}}\n\n"
        "data: {\"type\":\"content_block_delta\",\"delta\":{\"type\":"
        "\"signature_delta\",\"signature\":\"x\"}}\n\n",
        .cut = true, .content = true, .provenance = PROVENANCE_ESTIMATED,
        .in = 100 },
    { "anthropic, stopped but no last event", DIALECT_ANTHROPIC, OP_CREATE, SSE,
        "data: {\"type\":\"message_start\",\"message\":{\"usage\":{"
        "\"input_tokens\":5,\"output_tokens\":1}}}\n\n"
        "data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":"
        "\"end_turn\"},\"usage\":{\"output_tokens\":9}}\n\n",
        .terminal = true, .finish = "end_turn",
        .provenance = PROVENANCE_REPORTED, .in = 5, .out = 9 },
    { "anthropic, an error as a document", DIALECT_ANTHROPIC, OP_CREATE, JSON,
        "{\"type\":\"error\",\"error\":{\"type\":\"rate_limit_error\","
        "\"message\":\"slow down\"}}",
        .terminal = true, .error = true, .status = 429 },
    { "anthropic, a count", DIALECT_ANTHROPIC, OP_COUNT, JSON,
        "{ \"input_tokens\" : 42 }", .terminal = true,
        .provenance = PROVENANCE_REPORTED, .in = 42 },

    { "chat, complete", DIALECT_CHAT, OP_CREATE, SSE,
        "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\","
        "\"content\":\"\"},\"finish_reason\":null}],\"usage\":null}\n\n"
        "data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}\n\n"
        "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
        "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":50,"
        "\"completion_tokens\":3,\"total_tokens\":53,"
        "\"prompt_tokens_details\":{\"cached_tokens\":20}}}\n\n"
        "data: [DONE]\n\n",
        .content = true, .terminal = true, .finish = "stop",
        .provenance = PROVENANCE_REPORTED, .in = 30, .read = 20, .out = 3 },
    { "chat, the role alone is no content", DIALECT_CHAT, OP_CREATE, SSE,
        "data: {\"choices\":[],\"prompt_filter_results\":[{}]}\n\n"
        "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\","
        "\"content\":null,\"tool_calls\":[],\"refusal\":null}}]}\n\n",
        .cut = true },
    { "chat, no usage told", DIALECT_CHAT, OP_CREATE, SSE,
        "data: {\"choices\":[{\"delta\":{\"content\":\"12345678\"},"
        "\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n",
        .content = true, .terminal = true, .finish = "stop",
        .provenance = PROVENANCE_ESTIMATED, .in = 100, .out = 2 },
    { "chat, no mark but a stop reason and a clean end", DIALECT_CHAT,
        OP_CREATE, SSE,
        "data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"},"
        "\"finish_reason\":\"length\"}],\"usage\":{\"prompt_tokens\":5,"
        "\"completion_tokens\":1}}\n\n",
        .content = true, .terminal = true, .finish = "length",
        .provenance = PROVENANCE_REPORTED, .in = 5, .out = 1 },
    { "chat, the same but cut", DIALECT_CHAT, OP_CREATE, SSE,
        "data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"},"
        "\"finish_reason\":\"length\"}],\"usage\":{\"prompt_tokens\":5,"
        "\"completion_tokens\":1}}\n\n",
        .cut = true, .content = true, .finish = "length",
        .provenance = PROVENANCE_PARTIAL, .in = 5, .out = 1 },
    { "chat, an error in the stream", DIALECT_CHAT, OP_CREATE, SSE,
        "data: {\"error\":{\"message\":\"quota\",\"type\":"
        "\"insufficient_quota\",\"param\":null,\"code\":429}}\n\n",
        .error = true, .status = 429 },
    { "chat, an error that is none", DIALECT_CHAT, OP_CREATE, SSE,
        "data: {\"error\":null,\"choices\":[]}\n\n", .cut = true },
    { "chat, an error as plain text", DIALECT_CHAT, OP_CREATE, JSON,
        "{\"error\":\"it broke\"}", .terminal = true, .error = true },
    { "chat, reasoning kept apart by the total", DIALECT_CHAT, OP_CREATE, JSON,
        "{\"choices\":[{\"message\":{\"content\":\"x\"},\"finish_reason\":"
        "\"stop\"}],\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":3,"
        "\"total_tokens\":20,\"completion_tokens_details\":"
        "{\"reasoning_tokens\":7}}}",
        .content = true, .terminal = true, .finish = "stop",
        .provenance = PROVENANCE_REPORTED, .in = 10, .out = 10 },
    { "chat, cached more than the prompt", DIALECT_CHAT, OP_CREATE, JSON,
        "{\"choices\":[{\"text\":\"x\"}],\"usage\":{\"prompt_tokens\":10,"
        "\"completion_tokens\":3,\"prompt_tokens_details\":"
        "{\"cached_tokens\":15}}}",
        .content = true, .terminal = true, .provenance = PROVENANCE_REPORTED,
        .in = 10, .read = 15, .out = 3 },
    { "chat, groq's place for usage", DIALECT_CHAT, OP_CREATE, SSE,
        "data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}\n\n"
        "data: {\"choices\":[{\"finish_reason\":\"stop\",\"delta\":{}}],"
        "\"x_groq\":{\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":6}}}"
        "\n\ndata: [DONE]\n\n",
        .content = true, .terminal = true, .finish = "stop",
        .provenance = PROVENANCE_REPORTED, .in = 5, .out = 6 },
    { "legacy completion", DIALECT_CHAT, OP_COMPLETE, JSON,
        "{\"choices\":[{\"text\":\"abc\",\"finish_reason\":\"stop\"}],"
        "\"usage\":{\"prompt_tokens\":4,\"completion_tokens\":2}}",
        .content = true, .terminal = true, .finish = "stop",
        .provenance = PROVENANCE_REPORTED, .in = 4, .out = 2 },
    { "embeddings", DIALECT_CHAT, OP_EMBED, JSON,
        "{\"object\":\"list\",\"data\":[{\"embedding\":[0.1,-0.2]}],"
        "\"usage\":{\"prompt_tokens\":8,\"total_tokens\":8}}",
        .content = true, .terminal = true, .provenance = PROVENANCE_REPORTED,
        .in = 8 },

    { "responses, complete", DIALECT_RESPONSES, OP_CREATE, SSE,
        "event: response.created\ndata: {\"type\":\"response.created\","
        "\"response\":{\"model\":\"m\",\"status\":\"in_progress\","
        "\"usage\":null}}\n\n"
        "data: {\"type\":\"response.output_text.delta\",\"delta\":\"Hi\"}\n\n"
        "data: {\"type\":\"response.completed\",\"response\":{\"status\":"
        "\"completed\",\"error\":null,\"usage\":{\"input_tokens\":30,"
        "\"input_tokens_details\":{\"cached_tokens\":10},"
        "\"output_tokens\":4,\"total_tokens\":34}}}\n\n",
        .content = true, .terminal = true, .finish = "completed",
        .provenance = PROVENANCE_REPORTED, .in = 20, .read = 10, .out = 4 },
    { "responses, incomplete is billed", DIALECT_RESPONSES, OP_CREATE, SSE,
        "data: {\"type\":\"response.incomplete\",\"response\":{\"status\":"
        "\"incomplete\",\"incomplete_details\":{\"reason\":"
        "\"max_output_tokens\"},\"usage\":{\"input_tokens\":3,"
        "\"output_tokens\":4}}}\n\n",
        .terminal = true, .finish = "max_output_tokens",
        .provenance = PROVENANCE_REPORTED, .in = 3, .out = 4 },
    { "responses, failed in a 200", DIALECT_RESPONSES, OP_CREATE, SSE,
        "data: {\"type\":\"response.in_progress\",\"response\":{}}\n\n"
        "data: {\"type\":\"response.failed\",\"response\":{\"status\":"
        "\"failed\",\"error\":{\"code\":\"server_is_overloaded\","
        "\"message\":\"later\"},\"usage\":null}}\n\n",
        .terminal = true, .error = true, .status = 503, .finish = "failed" },
    { "responses, an error event", DIALECT_RESPONSES, OP_CREATE, SSE,
        "event: error\ndata: {\"type\":\"error\",\"code\":"
        "\"rate_limit_exceeded\",\"message\":\"m\",\"param\":null}\n\n",
        .terminal = true, .error = true, .status = 429 },
    { "responses, no last event", DIALECT_RESPONSES, OP_CREATE, SSE,
        "data: {\"type\":\"response.output_text.delta\",\"delta\":\"Hi\"}\n\n",
        .content = true, .provenance = PROVENANCE_ESTIMATED, .in = 100,
        .out = 1 },
    { "responses, a stored one is not billed twice", DIALECT_RESPONSES,
        OP_OBJECT, JSON,
        "{\"object\":\"response\",\"status\":\"completed\",\"output\":[{"
        "\"content\":[{\"text\":\"x\"}]}],\"usage\":{\"input_tokens\":3,"
        "\"output_tokens\":4}}",
        .content = true, .terminal = true, .finish = "completed" },

    { "gemini, complete", DIALECT_GEMINI, OP_CREATE, SSE,
        "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"Hi\"}]}}]"
        ",\"usageMetadata\":{\"promptTokenCount\":9,\"totalTokenCount\":9}}"
        "\r\n\r\n"
        "data: {\"candidates\":[{\"finishReason\":\"STOP\"}],"
        "\"usageMetadata\":{\"promptTokenCount\":9,"
        "\"candidatesTokenCount\":2,\"thoughtsTokenCount\":5,"
        "\"cachedContentTokenCount\":4,\"totalTokenCount\":16}}\r\n\r\n",
        .content = true, .terminal = true, .finish = "STOP",
        .provenance = PROVENANCE_REPORTED, .in = 5, .read = 4, .out = 7 },
    { "gemini, thoughts within the candidates", DIALECT_GEMINI, OP_CREATE, JSON,
        "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"Hi\"}]},"
        "\"finishReason\":\"STOP\"}],\"usageMetadata\":{"
        "\"promptTokenCount\":9,\"candidatesTokenCount\":7,"
        "\"thoughtsTokenCount\":5,\"totalTokenCount\":16}}",
        .content = true, .terminal = true, .finish = "STOP",
        .provenance = PROVENANCE_REPORTED, .in = 9, .out = 7 },
    { "gemini, a blocked prompt", DIALECT_GEMINI, OP_CREATE, SSE,
        "data: {\"promptFeedback\":{\"blockReason\":\"SAFETY\"},"
        "\"usageMetadata\":{\"promptTokenCount\":9,\"totalTokenCount\":9}}"
        "\n\n",
        .terminal = true, .finish = "SAFETY", .provenance = PROVENANCE_REPORTED,
        .in = 9 },
    { "gemini, a clean end without a reason", DIALECT_GEMINI, OP_CREATE, SSE,
        "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"1234\"}]}"
        "}]}\n\n",
        .content = true, .provenance = PROVENANCE_ESTIMATED, .in = 100,
        .out = 1 },
    { "gemini, a bare error in the stream", DIALECT_GEMINI, OP_CREATE, SSE,
        "data: {\"candidates\":[]}\n\n"
        "{\n  \"error\": {\n    \"code\": 503,\n    \"message\": \"busy\",\n"
        "    \"status\": \"UNAVAILABLE\"\n  }\n}\n",
        .error = true, .status = 503 },
    { "gemini, an array of chunks", DIALECT_GEMINI, OP_CREATE, JSON,
        "[{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]}}]}\n,"
        "\n{\"candidates\":[{\"finishReason\":\"STOP\"}],\"usageMetadata\":{"
        "\"promptTokenCount\":3,\"candidatesTokenCount\":1,"
        "\"totalTokenCount\":4}}\n]",
        .content = true, .terminal = true, .finish = "STOP",
        .provenance = PROVENANCE_REPORTED, .in = 3, .out = 1 },
    { "gemini, the array not closed", DIALECT_GEMINI, OP_CREATE, JSON,
        "[{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"abcd\"}]}}],"
        "\"usageMetadata\":{\"promptTokenCount\":3,\"totalTokenCount\":3}}\n",
        .content = true, .provenance = PROVENANCE_PARTIAL, .in = 3, .out = 1 },
    { "gemini, an error in an array", DIALECT_GEMINI, OP_CREATE, JSON,
        "[{\"error\":{\"code\":429,\"message\":\"quota\",\"status\":"
        "\"RESOURCE_EXHAUSTED\"}}]",
        .error = true, .status = 429 },
    { "gemini, embeddings have no usage", DIALECT_GEMINI, OP_EMBED, JSON,
        "{\"embedding\":{\"values\":[0.1]}}", .content = true, .terminal = true,
        .provenance = PROVENANCE_ESTIMATED, .in = 100 },
    { "gemini, a count", DIALECT_GEMINI, OP_COUNT, JSON, "{\"totalTokens\":31}",
        .terminal = true, .provenance = PROVENANCE_REPORTED, .in = 31 },

    { "a document where a stream was asked for", DIALECT_CHAT, OP_CREATE, SSE,
        "{\"choices\":[{\"message\":{\"content\":\"x\"},\"finish_reason\":"
        "\"stop\"}],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}}",
        .content = true, .terminal = true, .finish = "stop",
        .provenance = PROVENANCE_REPORTED, .in = 1, .out = 2 },
    { "a stream called JSON", DIALECT_CHAT, OP_CREATE, JSON,
        "\n: hello\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"abcd\"},"
        "\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n",
        .content = true, .terminal = true, .finish = "stop",
        .provenance = PROVENANCE_ESTIMATED, .in = 100, .out = 1 },
    { "a document cut in its text", DIALECT_CHAT, OP_CREATE, JSON,
        "{\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":6},"
        "\"choices\":[{\"message\":{\"content\":\"abcd\"},\"finish_reason\":"
        "\"stop\"},{\"message\":{\"conte",
        .cut = true, .content = true, .finish = "stop",
        .provenance = PROVENANCE_PARTIAL, .in = 5, .out = 6 },
};

static uint64_t
counter(const struct usage *u, enum usage_counter i)
{
    return (u->has >> i & 1) != 0 ? u->n[i] : 0;
}

static void
compare(const struct row *r, size_t size, const struct usage_tap *tap)
{
    const struct usage_seen *s = usage_tap_seen(tap);
    struct usage u = usage_tap_result(tap, PROMPT);
    const char *finish = r->finish != NULL ? r->finish : "";
    bool same = s->content == r->content && s->terminal == r->terminal &&
                s->error == r->error && s->error_status == r->status &&
                rx_str_eq(s->finish, (rx_str){ finish, strlen(finish) }) &&
                !s->unreadable && u.provenance == r->provenance &&
                counter(&u, USAGE_in_uncached) == r->in &&
                counter(&u, USAGE_cache_read) == r->read &&
                counter(&u, USAGE_cache_write_5m) == r->write_5m &&
                counter(&u, USAGE_cache_write_1h) == r->write_1h &&
                counter(&u, USAGE_out_total) == r->out;

    CHECK(same);
    if (!same)
        fprintf(stderr,
            "  %s, by %zu: content %d terminal %d error %d/%d finish " RX_STR_FMT
            " unreadable %d %s in %" PRIu64 " read %" PRIu64 " write %" PRIu64
            "/%" PRIu64 " out %" PRIu64 "\n",
            r->what, size, s->content, s->terminal, s->error, s->error_status,
            RX_STR_ARG(s->finish), s->unreadable, provenance_name(u.provenance),
            counter(&u, USAGE_in_uncached), counter(&u, USAGE_cache_read),
            counter(&u, USAGE_cache_write_5m),
            counter(&u, USAGE_cache_write_1h), counter(&u, USAGE_out_total));
}

static struct usage_tap *
feed(enum dialect dialect, enum operation op, const char *type,
    const char *coding, rx_str bytes, size_t size)
{
    struct usage_tap *tap = usage_tap_new(dialect, op,
        (rx_str){ type, strlen(type) }, (rx_str){ coding, strlen(coding) });

    while (bytes.len > 0) {
        size_t n = size < bytes.len ? size : bytes.len;
        usage_tap_feed(tap, (rx_str){ bytes.ptr, n });
        bytes = (rx_str){ bytes.ptr + n, bytes.len - n };
    }
    return tap;
}

static void
every_ending_is_told_apart_however_it_arrives(void)
{
    static const size_t sizes[] = { 1, 2, 3, 7, 16, 100, 100000 };

    for (size_t i = 0; i < RX_COUNT(rows); i++) {
        const struct row *r = &rows[i];
        for (size_t k = 0; k < RX_COUNT(sizes); k++) {
            struct usage_tap *tap = feed(r->dialect, r->op, r->type, "",
                (rx_str){ r->text, strlen(r->text) }, sizes[k]);
            usage_tap_end(tap, !r->cut);
            compare(r, sizes[k], tap);
            usage_tap_free(tap);
        }
    }
}

static void
the_gate_opens_with_the_event_that_has_content(void)
{
    static const char start[] =
        "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\"}}]}\n\n";
    static const char text[] =
        "data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n";
    struct usage_tap *tap =
        usage_tap_new(DIALECT_CHAT, OP_CREATE, RX_S(SSE), RX_S(""));
    const struct usage_seen *seen = usage_tap_seen(tap);

    CHECK(seen->at_boundary);
    usage_tap_feed(tap, (rx_str){ start, sizeof(start) - 2 });
    CHECK(!seen->at_boundary);
    usage_tap_feed(tap, RX_S("\n"));
    CHECK(seen->at_boundary && !seen->content);
    usage_tap_feed(tap, (rx_str){ text, sizeof(text) - 1 });
    CHECK(!seen->at_boundary && !seen->content);
    usage_tap_feed(tap, RX_S("\n"));
    CHECK(seen->at_boundary && seen->content);
    usage_tap_free(tap);
}

static void
names_and_messages_are_decoded_and_bounded(void)
{
    struct rx_buf b;
    struct usage_tap *tap;

    rx_buf_init(&b, 10000);
    rx_buf_add(&b, RX_S("{\"model\":\"a\\/b\",\"error\":{\"message\":\""));
    for (unsigned i = 0; i < 400; i++)
        rx_buf_add(&b, RX_S("\\u00e9\xe4\xb8\xad"));
    rx_buf_add(&b, RX_S("\",\"code\":\"model_not_found\",\"type\":"
                        "\"invalid_request_error\"}}"));
    tap = feed(DIALECT_CHAT, OP_CREATE, JSON, "", rx_buf_str(&b), 9);
    const struct usage_seen *seen = usage_tap_seen(tap);
    CHECK(rx_str_eq(seen->model, RX_S("a/b")));
    CHECK_INT(404, seen->error_status);
    CHECK(rx_str_eq(seen->error_type, RX_S("model_not_found")));
    CHECK(seen->error_message.len > 500 && seen->error_message.len < 512);
    /* Whole characters, of two and three bytes in turn. */
    size_t rest = seen->error_message.len % 5;
    CHECK(rest == 0 || rest == 2);
    usage_tap_free(tap);
    rx_buf_fini(&b);

    tap = feed(DIALECT_CHAT, OP_CREATE, JSON, "",
        RX_S("{\"error\":{\"message\":\"good\\x bad\"}}"), 9);
    CHECK(rx_str_eq(usage_tap_seen(tap)->error_message, RX_S("good")));
    usage_tap_free(tap);
}

static size_t
pack(rx_str in, char *out, size_t size)
{
    z_stream z = { 0 };
    char copy[4096];

    if (in.len > sizeof(copy) ||
        deflateInit2(&z, 6, Z_DEFLATED, 16 + 15, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        abort();
    memcpy(copy, in.ptr, in.len);
    z.next_in = (Bytef *)copy;
    z.avail_in = (unsigned)in.len;
    z.next_out = (Bytef *)out;
    z.avail_out = (unsigned)size;
    if (deflate(&z, Z_FINISH) != Z_STREAM_END)
        abort();
    deflateEnd(&z);
    return size - z.avail_out;
}

static void
compressed_answers_are_read_and_cut_ones_known(void)
{
    char packed[8192];

    for (size_t i = 0; i < RX_COUNT(rows); i++) {
        const struct row *r = &rows[i];
        size_t n =
            pack((rx_str){ r->text, strlen(r->text) }, packed, sizeof(packed));
        struct usage_tap *tap =
            feed(r->dialect, r->op, r->type, "gzip", (rx_str){ packed, n }, 5);
        usage_tap_end(tap, !r->cut);
        compare(r, 5, tap);
        usage_tap_free(tap);
    }

    static const char text[] =
        "data: {\"choices\":[{\"finish_reason\":\"stop\"}]}\n\n";
    size_t n = pack((rx_str){ text, sizeof(text) - 1 }, packed, sizeof(packed));
    struct usage_tap *tap = feed(
        DIALECT_CHAT, OP_CREATE, SSE, "gzip", (rx_str){ packed, n - 1 }, 100);
    usage_tap_end(tap, true);
    CHECK(rx_str_eq(usage_tap_seen(tap)->finish, RX_S("stop")));
    CHECK(!usage_tap_seen(tap)->terminal);
    usage_tap_free(tap);
}

static void
what_cannot_be_read_is_said_to_be_so(void)
{
    static const struct {
        const char *type, *coding, *text;
        bool error;
    } cases[] = {
        { JSON, "compress", "{}", false },
        { JSON, "gzip, br", "{}", false },
        { JSON, "gzip", "this is no gzip data at all", false },
        { "audio/mpeg", "", "\xff\xfb\x90", false },
        { JSON, "", "{\"a\":1}[", false },
        { "text/html", "", "<html></html>", true },
        { JSON, "", "  <html></html>", true },
    };

    for (size_t i = 0; i < RX_COUNT(cases); i++) {
        rx_str text = { cases[i].text, strlen(cases[i].text) };
        struct usage_tap *tap = feed(
            DIALECT_CHAT, OP_CREATE, cases[i].type, cases[i].coding, text, 4);
        usage_tap_end(tap, true);
        /* What comes behind a whole document is not looked at. */
        CHECK_INT(i != 4, usage_tap_seen(tap)->unreadable);
        CHECK_INT(cases[i].error, usage_tap_seen(tap)->error);
        CHECK_INT(PROVENANCE_NONE, usage_tap_result(tap, 1).provenance);
        usage_tap_free(tap);
    }
}

static uint64_t
estimate(const char *text)
{
    struct rx_buf b;
    uint64_t n;

    rx_buf_init(&b, 10000);
    rx_buf_addf(
        &b, "data: {\"choices\":[{\"delta\":{\"content\":\"%s\"}}]}\n\n", text);
    struct usage_tap *tap =
        feed(DIALECT_CHAT, OP_CREATE, SSE, "", rx_buf_str(&b), 1000);
    usage_tap_end(tap, true);
    n = usage_tap_result(tap, 0).n[USAGE_out_total];
    usage_tap_free(tap);
    rx_buf_fini(&b);
    return n;
}

static void
an_estimate_goes_by_script(void)
{
    CHECK_INT(
        10, (intmax_t)estimate("abcdefghijklmnopqrstuvwxyzabcdefghijklmn"));
    CHECK_INT(4,
        (intmax_t)estimate("\xe4\xb8\xad\xe6\x96\x87\xe6\x96\x87\xe5\xad\x97"));
    CHECK_INT(4, (intmax_t)estimate("\\u4e2d\\u6587\\u6587\\u5b57"));
    CHECK_INT(2, (intmax_t)estimate("\xd0\xbf\xd0\xbf\xd0\xbf\xd0\xbf"));
    CHECK_INT(1, (intmax_t)estimate("\\ud83d\\ude00"));
    CHECK_INT(1, (intmax_t)estimate("\\n\\n\\n\\n"));
}

static void
tokens_are_those_that_were_told_and_none_twice(void)
{
    struct usage u = { 0 };

    CHECK_INT(0, (intmax_t)usage_tokens(&u));
    for (unsigned i = 0; i < USAGE_COUNT; i++)
        u.n[i] = UINT64_C(1) << i;
    CHECK_INT(0, (intmax_t)usage_tokens(&u));
    u.has = 1u << USAGE_in_uncached | 1u << USAGE_cache_read |
            1u << USAGE_out_total | 1u << USAGE_out_reasoning;
    /* Reasoning is part of the output. */
    CHECK_INT((intmax_t)(u.n[USAGE_in_uncached] + u.n[USAGE_cache_read] +
                         u.n[USAGE_out_total]),
        (intmax_t)usage_tokens(&u));
}

int
main(void)
{
    CHECK_RUN(tokens_are_those_that_were_told_and_none_twice);
    CHECK_RUN(every_ending_is_told_apart_however_it_arrives);
    CHECK_RUN(the_gate_opens_with_the_event_that_has_content);
    CHECK_RUN(names_and_messages_are_decoded_and_bounded);
    CHECK_RUN(compressed_answers_are_read_and_cut_ones_known);
    CHECK_RUN(what_cannot_be_read_is_said_to_be_so);
    CHECK_RUN(an_estimate_goes_by_script);
    return CHECK_EXIT();
}
