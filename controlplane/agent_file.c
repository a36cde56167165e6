/*
 * The files of agents, read and written.  They are people's: a line that says
 * what it said before stays as it was typed, and so does every line that we do
 * not know.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "controlplane/agent.h"

#define VALUE_MAX 8192

struct reading {
    struct agent *a;
    struct rx_arena *arena;
    rx_str rest;
    unsigned line; /* of what was read last */
    rx_str note;   /* the comment behind the last value, "# …" */
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

/* Is what follows, empty lines aside, still below the last key? */
static bool
goes_on(rx_str rest)
{
    rx_str line = { 0 };

    while (rest.len > 0 && line.len == 0 && !is_indented(rest)) {
        rx_str_cut(rest, '\n', &line, &rest);
        if (rx_str_eq(line, RX_S("\r")))
            line.len = 0;
    }
    return line.len == 0 && is_indented(rest);
}

/* The lines below a "|" or ">", with line ends or blanks between them. */
static rx_str
read_block(struct reading *r, char between)
{
    struct rx_buf text;
    rx_str line;

    rx_buf_init(&text, VALUE_MAX);
    while (goes_on(r->rest) && next_line(r, &line)) {
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
    else
        r->note = rx_str_trim((rx_str){ value.ptr + i + 1, value.len - i - 1 });
    rx_str kept = field_keep(r->arena, rx_buf_str(&text));
    rx_buf_fini(&text);
    return kept;
}

static rx_str
read_plain(struct reading *r, rx_str value)
{
    for (size_t i = 1; i < value.len; i++) {
        if (value.ptr[i] != '#' ||
            !is_indented((rx_str){ &value.ptr[i - 1], 1 }))
            continue;
        r->note = (rx_str){ value.ptr + i, value.len - i };
        return rx_str_trim((rx_str){ value.ptr, i });
    }
    return value;
}

static rx_str
read_value(struct reading *r, rx_str value)
{
    r->note = (rx_str){ 0 };
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
    return read_plain(r, value);
}

/* The keys that are ours; the order new ones are written in. */
static const struct part {
    rx_str key;
    size_t at;
} parts[] = {
    { RX_STR_INIT("name"), offsetof(struct agent, name) },
    { RX_STR_INIT("description"), offsetof(struct agent, description) },
    { RX_STR_INIT("model"), offsetof(struct agent, model) },
    { RX_STR_INIT("routing"), offsetof(struct agent, routing) },
};

static rx_str
part_of(const struct agent *a, const struct part *p)
{
    return *(const rx_str *)(const void *)((const char *)a + p->at);
}

static bool
is_fence(rx_str line)
{
    return !is_indented(line) && rx_str_eq(rx_str_trim(line), RX_S("---"));
}

static bool
is_note(rx_str line)
{
    return rx_str_trim(line).len == 0 || line.ptr[0] == '#';
}

/* NULL: the line is none of ours. */
static const struct part *
find_part(rx_str line, rx_str *value)
{
    rx_str key;

    if (is_note(line) || is_indented(line) ||
        !rx_str_cut(line, ':', &key, value))
        return NULL;
    for (size_t i = 0; i < RX_COUNT(parts); i++) {
        if (rx_str_eq(rx_str_trim(key), parts[i].key))
            return &parts[i];
    }
    return NULL;
}

/* Neither a key nor something below one. */
static bool
is_stray(rx_str line)
{
    return !is_note(line) && !is_indented(line) && line.ptr[0] != '-' &&
           memchr(line.ptr, ':', line.len) == NULL;
}

static void
read_line(struct reading *r, rx_str line)
{
    rx_str value;
    const struct part *p = find_part(line, &value);

    if (is_stray(line))
        wrong(r, "a line must be \"key: value\"");
    if (p == NULL)
        return;
    rx_str *to = (void *)((char *)r->a + p->at);
    if (to->len > 0)
        wrong(r, "%s is there twice", p->key.ptr);
    *to = read_value(r, value);
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

static rx_str
trim_lines(rx_str s)
{
    static const char blank[] = " \t\r\n";

    while (s.len > 0 && memchr(blank, s.ptr[0], 4) != NULL)
        s = (rx_str){ s.ptr + 1, s.len - 1 };
    while (s.len > 0 && memchr(blank, s.ptr[s.len - 1], 4) != NULL)
        s.len--;
    return s;
}

void
agent_parse(struct agent *a, struct rx_arena *arena)
{
    struct reading r = { .a = a, .arena = arena, .rest = a->text };
    bool ended = false;
    rx_str line;

    if (!is_utf8(a->text))
        wrong(&r, "is not UTF-8");
    if (!next_line(&r, &line) || !is_fence(line)) {
        wrong(&r, "must begin with a line ---");
        return;
    }
    const char *head = r.rest.ptr;
    while (!ended && next_line(&r, &line)) {
        ended = is_fence(line);
        if (!ended)
            read_line(&r, line);
    }
    if (!ended)
        wrong(&r, "its head does not end: a line --- is missing");
    else
        a->head = (rx_str){ head, (size_t)(line.ptr - head) };
    a->prompt = trim_lines(r.rest);
    check(&r);
}

/* ---- writing --------------------------------------------------------------- */

static void
print_value(struct rx_buf *out, rx_str key, rx_str value, rx_str note)
{
    if (value.len == 0)
        return;
    rx_buf_addf(out, RX_STR_FMT ": \"", RX_STR_ARG(key));
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        if (c == '"' || c == '\\')
            rx_buf_addc(out, '\\');
        if (c == '\n')
            rx_buf_add(out, RX_S("\\n"));
        else
            rx_buf_addc(out, c);
    }
    rx_buf_addf(
        out, "\"%s" RX_STR_FMT "\n", note.len > 0 ? " " : "", RX_STR_ARG(note));
}

/* The line, and what belongs to it. */
static rx_str
read_entry(struct reading *r, rx_str line, const struct part *p, rx_str value)
{
    rx_str below;

    if (p != NULL)
        (void)read_value(r, value);
    while (p != NULL && goes_on(r->rest))
        (void)next_line(r, &below);
    return (rx_str){ line.ptr, (size_t)(r->rest.ptr - line.ptr) };
}

/*
 * The head as it was, but for what is said anew.  Of one that could not be read
 * our own keys are written afresh, and a line that is no key becomes a comment.
 * Returns which of the parts were in it.
 */
static unsigned
print_head(const struct agent *a, struct agent *was, struct rx_arena *arena,
    struct rx_buf *out)
{
    struct reading r = { .a = was, .arena = arena, .rest = was->head };
    bool sound = was->fault[0] == '\0';
    unsigned seen = 0;
    rx_str line, value;

    while (next_line(&r, &line)) {
        const struct part *p = find_part(line, &value);
        rx_str entry = read_entry(&r, line, p, value);
        if (!sound && is_stray(line))
            rx_buf_add(out, RX_S("# "));
        if (p == NULL || (sound && rx_str_eq(part_of(a, p), part_of(was, p))))
            rx_buf_add(out, entry);
        else if ((seen >> (p - parts) & 1) == 0)
            print_value(out, p->key, part_of(a, p), r.note);
        seen |= p != NULL ? 1u << (p - parts) : 0;
    }
    return seen;
}

void
agent_print(const struct agent *a, struct rx_arena *arena, struct rx_buf *out)
{
    struct agent was = { .id = a->id, .text = a->text };

    agent_parse(&was, arena);
    bool fresh = was.head.ptr == NULL;
    size_t before = fresh ? 0 : (size_t)(was.head.ptr - a->text.ptr);
    rx_buf_add(out, fresh ? RX_S("---\n") : (rx_str){ a->text.ptr, before });
    unsigned seen = print_head(a, &was, arena, out);
    for (size_t i = 0; i < RX_COUNT(parts); i++) {
        rx_str value = part_of(a, &parts[i]);
        if ((seen >> i & 1) == 0 &&
            (fresh || !rx_str_eq(value, part_of(&was, &parts[i]))))
            print_value(out, parts[i].key, value, (rx_str){ 0 });
    }
    if (!fresh && rx_str_eq(a->prompt, was.prompt)) {
        size_t behind = before + was.head.len;
        rx_buf_add(out, (rx_str){ a->text.ptr + behind, a->text.len - behind });
        return;
    }
    rx_buf_add(out, RX_S("---\n\n"));
    rx_buf_add(out, a->prompt);
    rx_buf_addc(out, '\n');
}

/* ---- names ----------------------------------------------------------------- */

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
