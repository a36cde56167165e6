/* Requests of Gemini, from clients: the conversation. */
#include "dataplane/codec/decode.h"
#include "dataplane/codec/gemini.h"
#include "dataplane/codec/provenance.h"
#include "shared/buf.h"

/* Requests may be written either way. */
#define BOTH(how, type, camel, snake, member) \
    WALK_ROW(how, type, camel, member), WALK_ROW(how, type, snake, member)

struct body {
    rx_str contents, system, tools, tool_config, generation, safety, cached,
        labels, tier;
};
static const struct walk_row body_rows[] = {
    WALK_ROW(RAW, body, "contents", contents),
    BOTH(RAW, body, "systemInstruction", "system_instruction", system),
    WALK_ROW(RAW, body, "tools", tools),
    BOTH(RAW, body, "toolConfig", "tool_config", tool_config),
    BOTH(RAW, body, "generationConfig", "generation_config", generation),
    BOTH(RAW, body, "safetySettings", "safety_settings", safety),
    BOTH(TEXT, body, "cachedContent", "cached_content", cached),
    WALK_ROW(RAW, body, "labels", labels),
    BOTH(TEXT, body, "serviceTier", "service_tier", tier),
};

struct content {
    rx_str role, parts;
};
static const struct walk_row content_rows[] = {
    WALK_ROW(TEXT, content, "role", role),
    WALK_ROW(RAW, content, "parts", parts),
};

struct part {
    rx_str text, inline_data, file_data, call, response, signature;
    bool thought;
};
static const struct walk_row part_rows[] = {
    WALK_ROW(TEXT, part, "text", text),
    WALK_ROW(BOOL, part, "thought", thought),
    BOTH(RAW, part, "inlineData", "inline_data", inline_data),
    BOTH(RAW, part, "fileData", "file_data", file_data),
    BOTH(RAW, part, "functionCall", "function_call", call),
    BOTH(RAW, part, "functionResponse", "function_response", response),
    BOTH(TEXT, part, "thoughtSignature", "thought_signature", signature),
};

struct blob {
    rx_str mime, data, uri, name;
};
static const struct walk_row blob_rows[] = {
    BOTH(TEXT, blob, "mimeType", "mime_type", mime),
    WALK_ROW(TEXT, blob, "data", data),
    BOTH(TEXT, blob, "fileUri", "file_uri", uri),
    BOTH(TEXT, blob, "displayName", "display_name", name),
};

struct call {
    rx_str id, name, args, response, parts;
};
static const struct walk_row call_rows[] = {
    WALK_ROW(TEXT, call, "id", id),
    WALK_ROW(TEXT, call, "name", name),
    WALK_ROW(RAW, call, "args", args),
    WALK_ROW(RAW, call, "response", response),
    WALK_ROW(RAW, call, "parts", parts),
};

/* One turn being read; thoughts come in many small parts. */
struct reading {
    struct decode *d;
    struct ir_parts *to;
    struct rx_buf thought;
};

/* --- signatures ----------------------------------------------------------------- */

/* An envelope of ours travels as base64, as Google's own bytes do. */
static struct ir_opaque
decode_seal(struct decode *d, rx_str signature, char kind)
{
    struct ir_opaque seal = { .dialect = DIALECT_GEMINI, .kind = kind };
    struct rx_buf plain;

    signature = ir_decode(d->arena, signature);
    seal.bytes = signature;
    /* "rtx1." and a letter */
    if (!rx_str_starts(signature, RX_S("cnR4MS5")))
        return seal;
    rx_buf_init(&plain, signature.len + 4);
    if (gemini_from_base64(signature, &plain))
        provenance_unwrap(rx_buf_str(&plain), d->arena, &seal);
    seal.family = rx_arena_copy(d->arena, seal.family);
    rx_buf_fini(&plain);
    return seal;
}

/* What was thought up to here, as one part. */
static void
end_thought(struct reading *g, rx_str signature)
{
    struct decode *d = g->d;

    if (g->thought.len == 0 && signature.len == 0)
        return;
    struct ir_part *p = decode_part(d, g->to, IR_THINKING);
    if (p == NULL)
        return;
    p->thinking.text = rx_arena_copy(d->arena, rx_buf_str(&g->thought));
    p->thinking.summary = true;
    if (signature.len > 0)
        p->thinking.seal = decode_seal(d, signature, 's');
    p->thinking.redacted = p->thinking.seal.kind == 'r' ||
                           (p->thinking.text.len == 0 &&
                               p->thinking.seal.dialect != DIALECT_ANTHROPIC);
    rx_buf_clear(&g->thought);
}

/* --- parts ------------------------------------------------------------------------ */

/* A text file is a text. */
static bool
decode_text_file(struct decode *d, const struct blob *b, struct ir_media *m)
{
    struct rx_buf plain;

    if (!rx_str_starts(b->mime, RX_S("text/")))
        return false;
    rx_buf_init(&plain, b->data.len + 4);
    bool ok = gemini_from_base64(ir_decode(d->arena, b->data), &plain);
    if (ok) {
        m->source = IR_PLAIN;
        m->data = ir_escape(d->arena, rx_buf_str(&plain));
    }
    rx_buf_fini(&plain);
    return ok;
}

static void
decode_inline(struct decode *d, struct ir_parts *to, rx_str value)
{
    struct ir_part *p = decode_part(d, to, IR_MEDIA);
    struct blob b = { 0 };

    WALK_VALUE(value, blob_rows, &b);
    if (p == NULL)
        return;
    if (b.data.len == 0) {
        decode_fail_part(d, "inlineData.data: is required");
        return;
    }
    p->media.kind = gemini_media_kind(b.mime);
    p->media.mime = b.mime;
    p->media.title = b.name;
    if (decode_text_file(d, &b, &p->media))
        return;
    p->media.source = IR_INLINE;
    p->media.data = b.data;
}

/* Google's own stores can only be read by Google. */
static bool
is_stored(rx_str uri)
{
    static const char files[] = "/v1beta/files/";

    return rx_str_starts(uri, RX_S("gs://")) ||
           rx_str_starts(uri, RX_S("files/")) ||
           memmem(uri.ptr, uri.len, files, sizeof(files) - 1) != NULL;
}

static void
decode_file(struct decode *d, struct ir_parts *to, rx_str value)
{
    struct ir_part *p = decode_part(d, to, IR_MEDIA);
    struct blob b = { 0 };

    WALK_VALUE(value, blob_rows, &b);
    if (p == NULL)
        return;
    if (b.uri.len == 0) {
        decode_fail_part(d, "fileData.fileUri: is required");
        return;
    }
    p->media.kind = gemini_media_kind(b.mime);
    p->media.mime = b.mime;
    p->media.title = b.name;
    p->media.source = is_stored(b.uri) ? IR_FILE_ID : IR_URL;
    p->media.data = b.uri;
}

static void
decode_call(struct decode *d, struct ir_parts *to, const struct part *from)
{
    struct ir_part *p = decode_part(d, to, IR_TOOL_CALL);
    struct call c = { 0 };

    WALK_VALUE(from->call, call_rows, &c);
    if (p == NULL)
        return;
    if (c.name.len == 0) {
        decode_fail_part(d, "functionCall.name: is required");
        return;
    }
    p->call.id = c.id;
    p->call.name = c.name;
    p->call.args.s = c.args;
    if (from->signature.len > 0 &&
        !rx_str_eq(from->signature, RX_S(GEMINI_NO_SIGNATURE)))
        p->call.seal = decode_seal(d, from->signature, 't');
}

/* The only member's value when it is called "output" or "error". */
static bool
only_member(rx_str response, rx_str *value, bool *error)
{
    struct rx_span j;
    rx_str key;
    size_t n = 0;
    bool known = false;

    rx_span_init(&j, response);
    if (rx_span_kind(&j) != RX_SPAN_OBJECT)
        return false;
    rx_span_enter_object(&j);
    while (rx_span_member(&j, &key)) {
        *error = rx_str_eq(key, RX_S("error"));
        known = *error || rx_str_eq(key, RX_S("output"));
        rx_span_skip(&j, value);
        n++;
    }
    return n == 1 && known;
}

static rx_str
result_text(struct decode *d, rx_str response, bool *error)
{
    rx_str value = response;

    *error = false;
    if (!only_member(response, &value, error)) {
        *error = false;
        value = response;
    }
    if (rx_span_kind_of(value) == RX_SPAN_STRING)
        return walk_text(value);
    return value.len > 0 ? ir_escape(d->arena, value) : value;
}

static void
decode_response(struct decode *d, struct ir_parts *to, rx_str value)
{
    struct ir_part *p = decode_part(d, to, IR_TOOL_RESULT);
    struct call c = { 0 };
    struct rx_span j;
    rx_str one;

    WALK_VALUE(value, call_rows, &c);
    if (p == NULL)
        return;
    p->result.call_id = c.id;
    p->result.name = c.name;
    rx_str text = result_text(d, c.response, &p->result.is_error);
    if (text.len > 0)
        decode_text(d, &p->result.parts, text);
    if (c.parts.len == 0 || !walk_array(&j, c.parts))
        return;
    while (decode_ok(d) && walk_next(&j, &one)) {
        struct part k = { 0 };
        WALK_VALUE(one, part_rows, &k);
        if (k.inline_data.len > 0)
            decode_inline(d, &p->result.parts, k.inline_data);
        else if (k.file_data.len > 0)
            decode_file(d, &p->result.parts, k.file_data);
    }
}

static void
decode_opaque(struct decode *d, struct ir_parts *to, rx_str value)
{
    struct ir_part *p = decode_part(d, to, IR_OPAQUE);

    if (p == NULL)
        return;
    p->opaque.type = RX_S("part");
    p->opaque.raw = value;
    p->opaque.dialect = DIALECT_GEMINI;
}

static bool
read_part(struct reading *g, rx_str value)
{
    struct part p = { 0 };
    struct decode *d = g->d;
    const struct walk_row *wrong = WALK_VALUE(value, part_rows, &p);

    if (wrong != NULL)
        return decode_fail_part(d, "a member has the wrong type");
    if (p.thought) {
        rx_buf_add(&g->thought, p.text);
        if (p.signature.len > 0)
            end_thought(g, p.signature);
        return decode_ok(d);
    }
    end_thought(g, RX_S(""));
    if (p.call.len > 0) {
        decode_call(d, g->to, &p);
        return decode_ok(d);
    }
    if (p.signature.len > 0)
        end_thought(g, p.signature);
    if (p.text.ptr != NULL)
        decode_text(d, g->to, p.text);
    else if (p.inline_data.len > 0)
        decode_inline(d, g->to, p.inline_data);
    else if (p.file_data.len > 0)
        decode_file(d, g->to, p.file_data);
    else if (p.response.len > 0)
        decode_response(d, g->to, p.response);
    else
        decode_opaque(d, g->to, value);
    return decode_ok(d);
}

/* A list, or just one. */
static bool
read_parts(struct decode *d, rx_str value, struct ir_parts *to)
{
    struct reading g = { .d = d, .to = to };
    struct rx_span j;
    rx_str one;
    bool ok = true;

    rx_buf_init(&g.thought, (size_t)64 * 1024 * 1024);
    if (rx_span_kind_of(value) == RX_SPAN_OBJECT) {
        ok = read_part(&g, value);
    } else if (walk_array(&j, value)) {
        for (d->index = 0; ok && walk_next(&j, &one); d->index++)
            ok = read_part(&g, one);
        if (ok && j.bad)
            ok = decode_fail_part(d, "is not valid JSON");
    } else if (value.len > 0) {
        ok = decode_fail(d, "%s[%u].parts: must be a list", d->turns, d->turn);
    }
    if (ok)
        end_thought(&g, RX_S(""));
    rx_buf_fini(&g.thought);
    return decode_ok(d);
}

/* --- conversation ------------------------------------------------------------------ */

static bool
read_content(struct decode *d, rx_str value)
{
    struct content c = { 0 };
    enum ir_role role = IR_USER;

    if (rx_span_kind_of(value) == RX_SPAN_STRING) {
        struct ir_turn *t = decode_turn(d, IR_USER);
        if (t != NULL)
            decode_text(d, &t->parts, walk_text(value));
        return decode_ok(d);
    }
    WALK_VALUE(value, content_rows, &c);
    if (rx_str_eq(c.role, RX_S("model")) ||
        rx_str_eq(c.role, RX_S("assistant")))
        role = IR_ASSISTANT;
    else if (rx_str_eq(c.role, RX_S("system")))
        role = IR_SYSTEM;
    else if (c.role.len > 0 && !rx_str_eq(c.role, RX_S("user")) &&
             !rx_str_eq(c.role, RX_S("function")))
        return decode_fail(
            d, "contents[%u].role: must be user or model", d->turn);
    struct ir_turn *t = decode_turn(d, role);
    return t != NULL && read_parts(d, c.parts, &t->parts);
}

static bool
read_contents(struct decode *d, rx_str value)
{
    struct rx_span j;
    rx_str one;

    if (value.len == 0)
        return decode_fail(d, "contents: is required");
    if (!walk_array(&j, value))
        return read_content(d, value);
    for (d->turn = 0; walk_next(&j, &one); d->turn++) {
        if (!read_content(d, one))
            return false;
    }
    return !j.bad || decode_fail(d, "contents: is not valid JSON");
}

static bool
read_system(struct decode *d, rx_str value)
{
    struct content c = { 0 };

    if (value.len == 0)
        return true;
    if (rx_span_kind_of(value) == RX_SPAN_STRING) {
        decode_text(d, &d->r->system, walk_text(value));
        return decode_ok(d);
    }
    WALK_VALUE(value, content_rows, &c);
    return read_parts(d, c.parts, &d->r->system);
}

static bool
read_rest(struct decode *d, const struct body *b)
{
    static const struct {
        rx_str word;
        enum ir_tier tier;
    } tiers[] = {
        { RX_STR_INIT("standard"), IR_TIER_STANDARD },
        { RX_STR_INIT("flex"), IR_TIER_FLEX },
        { RX_STR_INIT("priority"), IR_TIER_PRIORITY },
    };

    for (size_t i = 0; i < RX_COUNT(tiers); i++) {
        if (rx_str_ieq(b->tier, tiers[i].word))
            d->r->tier = tiers[i].tier;
    }
    if (b->safety.len > 0)
        ir_extra_add(d->arena, d->r, RX_S("safetySettings"), b->safety);
    if (b->labels.len > 0)
        ir_extra_add(d->arena, d->r, RX_S("labels"), b->labels);
    d->r->wants_state = b->cached.len > 0;
    return true;
}

enum rx_code
gemini_decode_request(rx_str body, struct rx_arena *arena,
    struct ir_request *request, struct rx_err *err)
{
    struct decode d = {
        .arena = arena, .r = request, .err = err, .turns = "contents"
    };
    struct body b = { 0 };

    request->stream_usage = true;
    if (!decode_object(&d, body, body_rows, RX_COUNT(body_rows), &b))
        return err->code;
    if (read_system(&d, b.system) && read_contents(&d, b.contents) &&
        gemini_decode_tools(&d, b.tools, b.tool_config) &&
        gemini_decode_generation(&d, b.generation))
        read_rest(&d, &b);
    return err->code;
}
