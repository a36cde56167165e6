#include "controlplane/agent.h"

#include <stdio.h>
#include <string.h>

#include "controlplane/channel.h"
#include "shared/pattern.h"

/* How much of a prompt is looked for: enough to be its own. */
#define HEAD_MAX     400
#define CHANNELS_MAX 16

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
    *out = (struct state_rule){
        .id = joined(arena, AGENT_PREFIX, a->id),
        .name = joined(arena, "agent ", a->name),
        .type = RX_S("custom"),
        .enabled = n > 0,
        .priority = AGENT_PRIORITY,
        .condition = condition_of(a, arena),
        .hops = hops,
        .hop_count = n,
        .agent = a->name,
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
