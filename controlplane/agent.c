#include "controlplane/agent.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "controlplane/channel.h"
#include "shared/pattern.h"

/* How much of a prompt is looked for: enough to be its own. */
#define HEAD_MAX     400
#define CHANNELS_MAX 16
#define VALUE_MAX    8192

struct reading {
    struct agent *a;
    struct rx_arena *arena;
    rx_str rest;
    unsigned line; /* of what was read last */
};

RX_PRINTF(2, 3)
static void
wrong(struct reading *r, const char *fmt, ...)
{
    va_list ap;

    if (r->a->fault[0] != '\0')
        return;
    r->a->line = r->line;
    va_start(ap, fmt);
    vsnprintf(r->a->fault, sizeof(r->a->fault), fmt, ap);
    va_end(ap);
}

static bool
next_line(struct reading *r, rx_str *line)
{
    if (r->rest.len == 0)
        return false;
    rx_str_cut(r->rest, '\n', line, &r->rest);
    if (line->len > 0 && line->ptr[line->len - 1] == '\r')
        line->len--;
    r->line++;
    return true;
}

static bool
is_indented(rx_str rest)
{
    return rest.len > 0 && (rest.ptr[0] == ' ' || rest.ptr[0] == '\t');
}

/* The lines below a "|" or ">", with line ends or blanks between them. */
static rx_str
read_block(struct reading *r, char between)
{
    struct rx_buf text;
    rx_str line;

    rx_buf_init(&text, VALUE_MAX);
    while (is_indented(r->rest) && next_line(r, &line)) {
        if (text.len > 0)
            rx_buf_addc(&text, between);
        rx_buf_add(&text, rx_str_trim(line));
    }
    if (text.full)
        wrong(r, "is longer than %d bytes", VALUE_MAX);
    rx_str kept = field_keep(r->arena, rx_buf_str(&text));
    rx_buf_fini(&text);
    return kept;
}

/* "…" with the escapes people use, '…' with '' for a quote. */
static rx_str
read_quoted(struct reading *r, rx_str value)
{
    struct rx_buf text;
    char quote = value.ptr[0];
    size_t i = 1;

    rx_buf_init(&text, VALUE_MAX);
    for (; i < value.len && value.ptr[i] != quote; i++) {
        char c = value.ptr[i];
        if (c == '\\' && quote == '"' && i + 1 < value.len) {
            c = value.ptr[++i];
            c = c == 'n' ? '\n' : c == 't' ? '\t' : c;
        }
        rx_buf_addc(&text, c);
    }
    if (i == value.len)
        wrong(r, "the quotes are not closed");
    rx_str kept = field_keep(r->arena, rx_buf_str(&text));
    rx_buf_fini(&text);
    return kept;
}

static rx_str
read_value(struct reading *r, rx_str value)
{
    value = rx_str_trim(value);
    if (value.len == 0)
        return value;
    if (value.ptr[0] == '|' || value.ptr[0] == '>')
        return read_block(r, value.ptr[0] == '|' ? '\n' : ' ');
    if (value.ptr[0] == '"' || value.ptr[0] == '\'')
        return read_quoted(r, value);
    if (memchr("&*!%@`[{", value.ptr[0], 8) != NULL)
        wrong(r, "a value that begins with '%c' has to be in quotes",
            value.ptr[0]);
    return value;
}

static void
set_value(struct reading *r, rx_str key, rx_str value)
{
    struct {
        rx_str name;
        rx_str *to;
    } rows[] = { { RX_S("name"), &r->a->name },
        { RX_S("description"), &r->a->description },
        { RX_S("model"), &r->a->model }, { RX_S("routing"), &r->a->routing } };

    for (size_t i = 0; i < RX_COUNT(rows); i++) {
        if (!rx_str_eq(key, rows[i].name))
            continue;
        if (rows[i].to->len > 0)
            wrong(r, "%s is there twice", rows[i].name.ptr);
        *rows[i].to = read_value(r, value);
    }
}

static void
read_key(struct reading *r, rx_str line)
{
    rx_str key, value;

    if (rx_str_trim(line).len == 0 || line.ptr[0] == '#')
        return;
    if (is_indented(line))
        return; /* below a key that we do not know */
    if (!rx_str_cut(line, ':', &key, &value)) {
        if (line.ptr[0] != '-')
            wrong(r, "a line must be \"key: value\"");
        return;
    }
    set_value(r, rx_str_trim(key), value);
}

static void
check(struct reading *r)
{
    struct agent *a = r->a;

    if (a->name.len == 0)
        a->name = a->id;
    if (rx_str_eq(a->model, RX_S("inherit")))
        a->model = (rx_str){ 0 };
    if (a->name.len > 64)
        wrong(r, "name: must be at most 64 bytes");
    if (a->model.len > 256)
        wrong(r, "model: must be at most 256 bytes");
    if (a->prompt.len < AGENT_PROMPT_MIN)
        wrong(r, "its prompt is too short to be told from others (%d bytes)",
            AGENT_PROMPT_MIN);
}

static bool
is_utf8(rx_str s)
{
    size_t n = 1;

    for (; s.len > 0 && (n = rx_json_rune(s)) > 0; s.len -= n)
        s.ptr += n;
    return s.len == 0;
}

void
agent_parse(struct agent *a, struct rx_arena *arena)
{
    struct reading r = { .a = a, .arena = arena, .rest = a->text };
    bool ended = false;
    rx_str line;

    if (!is_utf8(a->text))
        wrong(&r, "is not UTF-8");
    if (!next_line(&r, &line) || !rx_str_eq(rx_str_trim(line), RX_S("---"))) {
        wrong(&r, "must begin with a line ---");
        return;
    }
    while (!ended && next_line(&r, &line)) {
        ended = rx_str_eq(rx_str_trim(line), RX_S("---"));
        if (!ended)
            read_key(&r, line);
    }
    if (!ended)
        wrong(&r, "its head does not end: a line --- is missing");
    a->prompt = r.rest;
    while (
        a->prompt.len > 0 && memchr(" \t\r\n", a->prompt.ptr[0], 4) != NULL) {
        a->prompt.ptr++;
        a->prompt.len--;
    }
    while (a->prompt.len > 0 &&
           memchr(" \t\r\n", a->prompt.ptr[a->prompt.len - 1], 4) != NULL)
        a->prompt.len--;
    check(&r);
}

/* ---- writing --------------------------------------------------------------- */

static void
print_value(struct rx_buf *out, const char *key, rx_str value)
{
    if (value.len == 0)
        return;
    rx_buf_addf(out, "%s: \"", key);
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        if (c == '"' || c == '\\')
            rx_buf_addc(out, '\\');
        if (c == '\n')
            rx_buf_add(out, RX_S("\\n"));
        else
            rx_buf_addc(out, c);
    }
    rx_buf_add(out, RX_S("\"\n"));
}

void
agent_print(const struct agent *a, struct rx_buf *out)
{
    rx_buf_add(out, RX_S("---\n"));
    print_value(out, "name", a->name);
    print_value(out, "description", a->description);
    print_value(out, "model", a->model);
    print_value(out, "routing", a->routing);
    rx_buf_add(out, RX_S("---\n\n"));
    rx_buf_add(out, a->prompt);
    rx_buf_addc(out, '\n');
}

bool
agent_id_good(rx_str id)
{
    for (size_t i = 0; i < id.len; i++) {
        char c = id.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                     (c >= '0' && c <= '9');
        if (!plain && (i == 0 || (c != '-' && c != '_' && c != '.')))
            return false;
    }
    return id.len > 0 && id.len <= 64;
}

/* ---- for the planes -------------------------------------------------------- */

/* The beginning of the prompt, wherever it stands and however it is broken. */
static rx_str
pattern_of(rx_str prompt, struct rx_arena *arena)
{
    static const char special[] = "\\^$.[]|()?*+{}#-/";
    struct rx_buf text;
    bool blank = false;

    rx_buf_init(&text, RX_PATTERN_MAX);
    for (size_t i = 0; i < prompt.len && i < HEAD_MAX; i++) {
        char c = prompt.ptr[i];
        if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
            blank = true;
            continue;
        }
        if ((c & 0x80) != 0 && i > HEAD_MAX - 4)
            break; /* no half of a character */
        if (blank)
            rx_buf_add(&text, RX_S("\\s+"));
        blank = false;
        if (memchr(special, c, sizeof(special) - 1) != NULL)
            rx_buf_addc(&text, '\\');
        rx_buf_addc(&text, c);
    }
    rx_str kept = field_keep(arena, rx_buf_str(&text));
    rx_buf_fini(&text);
    return kept;
}

static bool
read_hop(const struct agent *a, rx_str word, struct store *s,
    struct rx_arena *arena, struct state_hop *hop, char why[160])
{
    struct channel *ch;
    rx_str *id = field_make(arena, rx_str, 1);

    *hop = (struct state_hop){ .model = a->model };
    if (rx_str_starts(word, RX_S("tag:"))) {
        hop->tag = rx_str_trim((rx_str){ word.ptr + 4, word.len - 4 });
        return true;
    }
    if (channel_load(s, arena, word, false, &ch, NULL) != RX_OK) {
        snprintf(why, 160, "routing: there is no channel \"%.*s\"",
            (int)(word.len < 64 ? word.len : 64), word.ptr);
        return false;
    }
    *id = ch->id;
    hop->channels = id;
    hop->channel_count = 1;
    return true;
}

/* A channel that is not there is passed over: the others still are. */
static size_t
read_hops(const struct agent *a, struct store *s, struct rx_arena *arena,
    struct state_hop *hops, char why[160])
{
    rx_str rest = a->routing;
    rx_str word;
    size_t n = 0;

    for (bool more = rest.len > 0; more && n < CHANNELS_MAX;) {
        more = rx_str_cut(rest, ',', &word, &rest);
        word = rx_str_trim(word);
        if (word.len > 0)
            n += read_hop(a, word, s, arena, &hops[n], why);
    }
    if (a->routing.len == 0 && a->model.len > 0)
        hops[n++] = (struct state_hop){ .model = a->model };
    return n;
}

static struct state_condition
condition_of(const struct agent *a, struct rx_arena *arena)
{
    struct state_condition *part = field_make(arena, struct state_condition, 1);
    rx_str *text = field_make(arena, rx_str, 1);

    *text = pattern_of(a->prompt, arena);
    *part = (struct state_condition){
        .kind = RX_S("system_pattern"), .texts = text, .text_count = 1
    };
    return (struct state_condition){
        .kind = RX_S("all"), .parts = part, .part_count = 1
    };
}

static rx_str
joined(struct rx_arena *arena, const char *before, rx_str s)
{
    struct rx_buf text;

    rx_buf_init(&text, 512);
    rx_buf_addf(&text, "%s" RX_STR_FMT, before, RX_STR_ARG(s));
    rx_str kept = field_keep(arena, rx_buf_str(&text));
    rx_buf_fini(&text);
    return kept;
}

enum rx_code
agent_rule(const struct agent *a, struct store *s, struct rx_arena *arena,
    struct state_rule *out, char why[160])
{
    struct state_hop *hops =
        field_make(arena, struct state_hop, CHANNELS_MAX + 1);
    char unused[160];

    if (why == NULL)
        why = unused;
    why[0] = '\0';
    if (a->fault[0] != '\0')
        return RX_NOT_FOUND;
    size_t n = read_hops(a, s, arena, hops, why);
    if (n == 0)
        return RX_NOT_FOUND;
    *out = (struct state_rule){
        .id = joined(arena, AGENT_PREFIX, a->id),
        .name = joined(arena, "agent ", a->name),
        .type = RX_S("custom"),
        .enabled = true,
        .priority = AGENT_PRIORITY,
        .condition = condition_of(a, arena),
        .hops = hops,
        .hop_count = n,
    };
    return RX_OK;
}

/* ---- from the API ---------------------------------------------------------- */

void
agent_read(struct agent *a, rx_json body)
{
    static const char *const shown_only[] = { "id", "routed", "fault",
        "updated_at", NULL };

    if (!rx_json_want(body, RX_JSON_OBJECT))
        return;
    if (rx_json_need_str(body, "name", &a->name) && a->name.len > 64)
        rx_json_wrong_member(body, "name", "must be at most 64 bytes");
    rx_json_get_str(body, "description", &a->description);
    rx_json_get_str(body, "model", &a->model);
    rx_json_get_str(body, "routing", &a->routing);
    if (rx_json_need_str(body, "prompt", &a->prompt) &&
        a->prompt.len < AGENT_PROMPT_MIN)
        rx_json_wrong_member(body, "prompt",
            "must be at least %d bytes, to be told from others",
            AGENT_PROMPT_MIN);
    field_ignore(body, FIELD_PATCH, shown_only);
    rx_json_no_more(body);
}

rx_str
agent_id_for(rx_str name, struct rx_arena *arena)
{
    char *id = field_room(arena, 1, name.len + 1);
    size_t n = 0;

    for (size_t i = 0; i < name.len; i++) {
        char ch = name.ptr[i];
        if (agent_id_good((rx_str){ &ch, 1 }))
            id[n++] = ch;
        else if (n > 0 && id[n - 1] != '-')
            id[n++] = '-';
    }
    return n > 0 ? (rx_str){ id, n } : RX_S("agent");
}
