#include "dataplane/inbound.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/auth.h"
#include "dataplane/codec/reseal.h"
#include "dataplane/session.h"
#include "dataplane/understand.h"
#include "shared/decode.h"
#include "shared/find.h"

#define QUERY_MAX   ((size_t)16 * 1024)
#define MODEL_MAX   ((size_t)512)
#define SESSION_MAX ((size_t)256)
#define USER_ID_MAX ((size_t)1024)
#define TAG_ROOM    ((size_t)64)

static enum rx_code
fail(struct inbound *in, enum refusal why, enum rx_code code,
    struct rx_err *err, const char *words)
{
    in->refusal = why;
    return rx_fail(err, code, "%s", words);
}

/* The body without its content-encoding. */
static enum rx_code
decode(struct inbound *in, const struct rx_httpd_head *head, rx_str raw,
    uint64_t limit, struct rx_err *err)
{
    enum rx_coding coding;

    in->body = raw;
    if (!rx_coding_find(
            rx_httpd_header(head, RX_S("content-encoding")), &coding))
        return fail(in, REFUSE_ENCODING, RX_INVALID, err,
            "content-encoding: only gzip, deflate, zstd and br are "
            "understood");
    if (coding == RX_CODING_IDENTITY)
        return RX_OK;

    rx_buf_init(&in->decoded, (size_t)limit);
    enum rx_code code = rx_decode_whole(coding, raw, &in->decoded, err);
    if (code == RX_OK)
        in->body = rx_buf_str(&in->decoded);
    else if (code == RX_TOO_BIG)
        fail(in, REFUSE_TOO_BIG, code, err,
            "the request body is larger than allowed once it is unpacked");
    else
        fail(in, REFUSE_BAD_REQUEST, code, err,
            "the request body is not what its content-encoding says");
    return code;
}

static bool
is_json(const struct rx_httpd_head *head)
{
    rx_str type = rx_httpd_header(head, RX_S("content-type"));
    rx_str first;
    rx_str rest;

    rx_str_cut(type, ';', &first, &rest);
    first = rx_str_trim(first);
    return first.len == 0 || rx_str_ieq(first, RX_S("application/json")) ||
           rx_str_ieq(first, RX_S("text/plain")) ||
           (first.len > 5 &&
               rx_str_ieq(
                   (rx_str){ first.ptr + first.len - 5, 5 }, RX_S("+json")));
}

/* A JSON string's contents, decoded into the arena; empty if it is too long. */
static rx_str
keep_decoded(struct rx_arena *arena, rx_str escaped, size_t most)
{
    struct rx_buf text;
    rx_str kept = { 0 };

    if (escaped.len == 0 || escaped.len > most)
        return kept;
    rx_buf_init(&text, most);
    if (scan_unescape(escaped, &text))
        kept = rx_arena_copy(arena, rx_buf_str(&text));
    rx_buf_fini(&text);
    return kept;
}

/* Providers refuse a text that is empty. */
static bool
stands_alone(rx_str body, rx_str span)
{
    const char *before = span.ptr;
    const char *after = span.ptr + span.len;

    while (before > body.ptr && before[-1] == ' ')
        before--;
    while (after < body.ptr + body.len && *after == ' ')
        after++;
    return before > body.ptr && before[-1] == '"' && *after == '"';
}

/*
 * Cut a sub-agent's tag out of the body, which is ours from then on: nobody
 * behind this ever sees it.  Rare, so the copy does not matter.
 */
static enum rx_code
cut_tag(struct inbound *in, enum dialect dialect, struct rx_arena *arena,
    uint64_t limit, struct rx_err *err)
{
    struct subagent_tag tag;
    struct rx_buf rest;

    if (!understand_find_tag(&in->scan, &tag))
        return RX_OK;
    size_t before = (size_t)(tag.span.ptr - in->body.ptr);
    const char *after = tag.span.ptr + tag.span.len;
    in->agent_model = keep_decoded(arena, tag.model, MODEL_MAX);
    rx_buf_init(&rest, (size_t)limit);
    rx_buf_add(&rest, (rx_str){ in->body.ptr, before });
    if (stands_alone(in->body, tag.span))
        rx_buf_addc(&rest, '.');
    rx_buf_add(&rest, (rx_str){ after, in->body.len - before - tag.span.len });
    rx_buf_fini(&in->decoded);
    in->decoded = rest;
    in->body = rx_buf_str(&in->decoded);
    return scan_request(dialect, in->body, &in->scan, err);
}

static enum rx_code
understand(struct inbound *in, const struct path *path, struct rx_arena *arena,
    uint64_t limit, struct rx_err *err)
{
    in->refusal = REFUSE_BAD_REQUEST;
    enum rx_code code = scan_request(path->dialect, in->body, &in->scan, err);
    /* Agents that know the tag speak this dialect. */
    if (code == RX_OK && path->dialect == DIALECT_ANTHROPIC)
        code = cut_tag(in, path->dialect, arena, limit, err);
    if (code != RX_OK)
        return code;
    in->scanned = true;
    in->stream = in->scan.stream;
    in->model = keep_decoded(arena, in->scan.model, MODEL_MAX);
    if (in->scan.model.len > 0 && in->model.len == 0)
        return rx_fail(err, RX_INVALID, "model: not a usable name");
    if (in->model.len == 0 && path->op == OP_CREATE &&
        (path->dialect == DIALECT_ANTHROPIC || path->dialect == DIALECT_CHAT))
        return rx_fail(err, RX_INVALID, "model: is required");
    in->prompt_cache_key =
        keep_decoded(arena, in->scan.prompt_cache_key, SESSION_MAX);
    in->previous = keep_decoded(arena, in->scan.previous, SESSION_MAX);
    in->user_id = keep_decoded(arena, in->scan.user_id, USER_ID_MAX);
    in->session = session_in_user_id(in->user_id);
    if (in->session.len == 0)
        in->session = in->prompt_cache_key;
    if (in->session.len == 0 && in->user_id.len <= SESSION_MAX)
        in->session = in->user_id;
    return RX_OK;
}

static int
hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* %41 -> A; what is no escape stays. */
static rx_str
percent_decode(struct rx_arena *arena, rx_str s)
{
    char *out = rx_arena_alloc(arena, s.len + 1);
    size_t n = 0;

    if (out == NULL)
        return s;
    for (size_t i = 0; i < s.len; i++) {
        int high = i + 2 < s.len ? hex_value(s.ptr[i + 1]) : -1;
        int low = i + 2 < s.len ? hex_value(s.ptr[i + 2]) : -1;
        if (s.ptr[i] == '%' && high >= 0 && low >= 0) {
            out[n++] = (char)(high * 16 + low);
            i += 2;
        } else {
            out[n++] = s.ptr[i];
        }
    }
    return (rx_str){ out, n };
}

/* A ':' may stay: upstreams split the verb off at the last one. */
static rx_str
percent_encode(struct rx_arena *arena, rx_str s)
{
    static const char hex[] = "0123456789ABCDEF";
    char *out = rx_arena_alloc(arena, s.len * 3 + 1);
    size_t n = 0;

    if (out == NULL)
        return (rx_str){ 0 };
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (isalnum(c) || memchr("-._~:@/", c, 7) != NULL) {
            out[n++] = (char)c;
        } else {
            out[n++] = '%';
            out[n++] = hex[c >> 4];
            out[n++] = hex[c & 15];
        }
    }
    return (rx_str){ out, n };
}

static void
keep_query(struct inbound *in, const struct rx_httpd_head *head,
    struct rx_arena *arena)
{
    struct rx_buf query;

    if (head->query.len == 0)
        return;
    rx_buf_init(&query, QUERY_MAX);
    auth_strip_query(head->query, &query);
    in->query = rx_arena_copy(arena, rx_buf_str(&query));
    rx_buf_fini(&query);
}

enum rx_code
inbound_read(struct inbound *in, const struct rx_httpd_head *head, rx_str raw,
    const struct path *path, struct rx_arena *arena, uint64_t limit,
    struct rx_err *err)
{
    enum rx_code code = decode(in, head, raw, limit, err);

    if (code != RX_OK)
        return code;
    in->has_body = head->has_body;
    keep_query(in, head, arena);
    if (rx_str_eq(head->method, RX_S("POST")) &&
        (path->op != OP_MEDIA || is_json(head)))
        code = understand(in, path, arena, limit, err);
    if (path->dialect == DIALECT_GEMINI) {
        in->model = percent_decode(arena, path->model);
        in->stream = path->stream;
    }
    return code;
}

void
inbound_release(struct inbound *in)
{
    rx_buf_release(&in->decoded);
    in->body = (rx_str){ NULL, in->body.len };
}

void
inbound_fini(struct inbound *in)
{
    rx_buf_fini(&in->decoded);
}

/* `model` as a JSON string, quotes included. */
static rx_str
model_token(struct rx_arena *arena, rx_str model)
{
    struct rx_buf text;

    rx_buf_init(&text, 8 * MODEL_MAX);
    rx_buf_addc(&text, '"');
    rx_buf_add_json(&text, model);
    rx_buf_addc(&text, '"');
    rx_str kept = rx_arena_copy(arena, rx_buf_str(&text));
    rx_buf_fini(&text);
    return kept;
}

const struct inbound_pieces *
inbound_for(const struct inbound *in, struct rx_arena *arena, rx_str model)
{
    struct inbound_pieces *p = rx_arena_make(arena, struct inbound_pieces, 1);

    if (p == NULL)
        abort(); /* a few attempts of a bounded request always fit */
    if (!in->scanned || in->scan.model_token.len == 0 ||
        rx_str_eq(in->model, model)) {
        p->at[0] = in->body;
        p->count = in->body.len > 0 ? 1 : 0;
    } else {
        struct splice edit = { .at = in->scan.model_token,
            .with = model_token(arena, model) };
        p->count = splice_pieces(in->body, &edit, 1, p->at);
    }
    for (size_t i = 0; i < p->count; i++)
        p->bytes += p->at[i].len;
    return p;
}

rx_str
inbound_path(const struct inbound *in, struct rx_arena *arena,
    const struct path *path, rx_str model)
{
    struct rx_buf out;

    if (path->dialect != DIALECT_GEMINI)
        return path->upstream;
    rx_str name = rx_str_eq(model, in->model) ? path->model
                                              : percent_encode(arena, model);
    rx_buf_init(&out, QUERY_MAX);
    rx_buf_add(&out, path->upstream);
    rx_buf_add(&out, name);
    rx_buf_add(&out, path->verb);
    rx_str kept = rx_arena_copy(arena, rx_buf_str(&out));
    rx_buf_fini(&out);
    return kept;
}
