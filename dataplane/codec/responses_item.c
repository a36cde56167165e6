/* Items and parts, as they stand in requests and in answers alike. */
#include "dataplane/codec/responses.h"

static const struct responses_builtin builtins[] = {
    {
        RX_STR_INIT("local_shell"),
        RX_STR_INIT("local_shell_call"),
        RX_STR_INIT("local_shell_call_output"),
        RX_STR_INIT("action"),
        RX_STR_INIT("Runs a command in a shell on the user's machine."),
        RX_STR_INIT("{\"type\":\"object\",\"properties\":{"
                    "\"command\":{\"type\":\"array\",\"items\":{\"type\":"
                    "\"string\"},\"description\":\"The command and its "
                    "arguments.\"},"
                    "\"working_directory\":{\"type\":\"string\"},"
                    "\"timeout_ms\":{\"type\":\"integer\"},"
                    "\"env\":{\"type\":\"object\",\"additionalProperties\":{"
                    "\"type\":\"string\"}}},"
                    "\"required\":[\"command\"]}"),
    },
    {
        RX_STR_INIT("shell"),
        RX_STR_INIT("shell_call"),
        RX_STR_INIT("shell_call_output"),
        RX_STR_INIT("action"),
        RX_STR_INIT("Runs commands in a shell, one after another."),
        RX_STR_INIT("{\"type\":\"object\",\"properties\":{"
                    "\"commands\":{\"type\":\"array\",\"items\":{\"type\":"
                    "\"string\"}},"
                    "\"timeout_ms\":{\"type\":\"integer\"},"
                    "\"max_output_length\":{\"type\":\"integer\"}},"
                    "\"required\":[\"commands\"]}"),
    },
    {
        RX_STR_INIT("apply_patch"),
        RX_STR_INIT("apply_patch_call"),
        RX_STR_INIT("apply_patch_call_output"),
        RX_STR_INIT("operation"),
        RX_STR_INIT("Creates, changes or deletes one file.  The diff is in "
                    "V4A form: context lines begin with a blank, removed ones "
                    "with -, added ones with +, sections with @@."),
        RX_STR_INIT("{\"type\":\"object\",\"properties\":{"
                    "\"type\":{\"type\":\"string\",\"enum\":[\"create_file\","
                    "\"update_file\",\"delete_file\"]},"
                    "\"path\":{\"type\":\"string\"},"
                    "\"diff\":{\"type\":\"string\"}},"
                    "\"required\":[\"type\",\"path\"]}"),
    },
    {
        RX_STR_INIT("tool_search"),
        RX_STR_INIT("tool_search_call"),
        RX_STR_INIT("tool_search_output"),
        RX_STR_INIT("arguments"),
        RX_STR_INIT("Searches for further tools."),
        RX_STR_INIT("{\"type\":\"object\",\"properties\":{}}"),
    },
};

const struct responses_builtin *
responses_builtin_of(rx_str type)
{
    for (size_t i = 0; i < RX_COUNT(builtins); i++) {
        if (rx_str_eq(type, builtins[i].type))
            return &builtins[i];
    }
    return NULL;
}

const struct responses_builtin *
responses_builtin_call(rx_str type)
{
    for (size_t i = 0; i < RX_COUNT(builtins); i++) {
        if (rx_str_eq(type, builtins[i].call))
            return &builtins[i];
    }
    return NULL;
}

static const struct {
    rx_str type;
    enum responses_kind kind;
} kinds[] = {
    { RX_STR_INIT("message"), RESPONSES_MESSAGE },
    { RX_STR_INIT("reasoning"), RESPONSES_REASONING },
    { RX_STR_INIT("function_call"), RESPONSES_FUNCTION_CALL },
    { RX_STR_INIT("function_call_output"), RESPONSES_FUNCTION_OUTPUT },
    { RX_STR_INIT("custom_tool_call"), RESPONSES_CUSTOM_CALL },
    { RX_STR_INIT("custom_tool_call_output"), RESPONSES_CUSTOM_OUTPUT },
    { RX_STR_INIT("local_shell_call"), RESPONSES_SHELL_CALL },
    { RX_STR_INIT("shell_call"), RESPONSES_SHELL_CALL },
    { RX_STR_INIT("apply_patch_call"), RESPONSES_SHELL_CALL },
    { RX_STR_INIT("local_shell_call_output"), RESPONSES_SHELL_OUTPUT },
    { RX_STR_INIT("shell_call_output"), RESPONSES_SHELL_OUTPUT },
    { RX_STR_INIT("apply_patch_call_output"), RESPONSES_SHELL_OUTPUT },
    { RX_STR_INIT("web_search_call"), RESPONSES_WEB_SEARCH },
    { RX_STR_INIT("tool_search_call"), RESPONSES_SHELL_CALL },
    { RX_STR_INIT("tool_search_output"), RESPONSES_TOOL_SEARCH_OUTPUT },
    { RX_STR_INIT("additional_tools"), RESPONSES_ADDITIONAL_TOOLS },
};

bool
responses_is_hosted(rx_str raw)
{
    struct environment {
        rx_str type;
    } e = { 0 };
    static const struct walk_row rows[] = {
        WALK_ROW(TEXT, environment, "type", type),
    };

    WALK_VALUE(raw, rows, &e);
    return e.type.len > 0 && !rx_str_eq(e.type, RX_S("local"));
}

static enum responses_kind
kind_of(const struct responses_item *item)
{
    if (item->type.len == 0)
        return item->role.len > 0 ? RESPONSES_MESSAGE : RESPONSES_FOREIGN;
    /* Tools are looked for by the provider, unless it says otherwise. */
    if (rx_str_eq(item->type, RX_S("tool_search_call")) &&
        !rx_str_eq(item->execution, RX_S("client")))
        return RESPONSES_FOREIGN;
    if (responses_is_hosted(item->environment))
        return RESPONSES_FOREIGN;
    for (size_t i = 0; i < RX_COUNT(kinds); i++) {
        if (rx_str_eq(item->type, kinds[i].type))
            return kinds[i].kind;
    }
    return RESPONSES_FOREIGN;
}

bool
responses_walk(rx_str object, const struct walk_row *rows, size_t n, void *to)
{
    struct rx_span j;

    rx_span_init(&j, object);
    if (rx_span_kind(&j) != RX_SPAN_OBJECT)
        return false;
    walk_object(&j, rows, n, to);
    return rx_span_finish(&j);
}

bool
responses_item_read(rx_str raw, struct responses_item *item)
{
    static const struct walk_row rows[] = {
        WALK_ROW(TEXT, responses_item, "type", type),
        WALK_ROW(TEXT, responses_item, "id", id),
        WALK_ROW(TEXT, responses_item, "role", role),
        WALK_ROW(TEXT, responses_item, "phase", phase),
        WALK_ROW(TEXT, responses_item, "status", status),
        WALK_ROW(TEXT, responses_item, "call_id", call_id),
        WALK_ROW(TEXT, responses_item, "name", name),
        WALK_ROW(TEXT, responses_item, "execution", execution),
        WALK_ROW(TEXT, responses_item, "namespace", space),
        WALK_ROW(TEXT, responses_item, "encrypted_content", encrypted),
        WALK_ROW(RAW, responses_item, "content", content),
        WALK_ROW(RAW, responses_item, "summary", summary),
        WALK_ROW(RAW, responses_item, "arguments", arguments),
        WALK_ROW(RAW, responses_item, "input", input),
        WALK_ROW(RAW, responses_item, "output", output),
        WALK_ROW(RAW, responses_item, "action", action),
        WALK_ROW(RAW, responses_item, "operation", action),
        WALK_ROW(RAW, responses_item, "tools", tools),
        WALK_ROW(RAW, responses_item, "environment", environment),
    };

    *item = (struct responses_item){ .whole = raw };
    if (!RESPONSES_WALK(raw, rows, item))
        return false;
    item->kind = kind_of(item);
    return true;
}

bool
responses_part_read(rx_str raw, struct responses_part *part)
{
    static const struct walk_row rows[] = {
        WALK_ROW(TEXT, responses_part, "type", type),
        WALK_ROW(TEXT, responses_part, "text", text),
        WALK_ROW(TEXT, responses_part, "refusal", refusal),
        WALK_ROW(TEXT, responses_part, "detail", detail),
        WALK_ROW(TEXT, responses_part, "file_id", file_id),
        WALK_ROW(TEXT, responses_part, "file_url", file_url),
        WALK_ROW(TEXT, responses_part, "file_data", file_data),
        WALK_ROW(TEXT, responses_part, "filename", filename),
        WALK_ROW(RAW, responses_part, "image_url", image_url),
        WALK_ROW(RAW, responses_part, "input_audio", input_audio),
        WALK_ROW(RAW, responses_part, "annotations", annotations),
        WALK_ROW(RAW, responses_part, "logprobs", logprobs),
    };

    *part = (struct responses_part){ 0 };
    return RESPONSES_WALK(raw, rows, part);
}

void
responses_citation_read(rx_str raw, struct ir_citation *c)
{
    struct annotation {
        rx_str url, title, filename;
        struct ir_int start, end;
    } a = { 0 };
    static const struct walk_row rows[] = {
        WALK_ROW(TEXT, annotation, "url", url),
        WALK_ROW(TEXT, annotation, "title", title),
        WALK_ROW(TEXT, annotation, "filename", filename),
        WALK_ROW(INT, annotation, "start_index", start),
        WALK_ROW(INT, annotation, "end_index", end),
    };

    RESPONSES_WALK(raw, rows, &a);
    *c = (struct ir_citation){
        .url = a.url,
        .title = a.title.len > 0 ? a.title : a.filename,
        .start = a.start,
        .end = a.end,
        .dialect = DIALECT_RESPONSES,
        .raw = raw,
    };
}
