/*
 * extrathinktag, forcereasoning: reasoning that stands in the text of an
 * answer, in tags, at its very beginning.
 *
 *   LOOK ──(open tag)──> INSIDE ──(close tag)──> TRIM ──> PASS
 *     └──(anything else)──────────────────────────────────^
 */
#include <string.h>

#include "dataplane/transform/body.h"
#include "dataplane/transform/kinds.h"

#define CHOICES  8
#define HELD_MAX 256
#define TAG_MAX  140

enum tag_state { TAG_LOOK, TAG_INSIDE, TAG_TRIM, TAG_PASS };

struct tag_choice {
    enum tag_state state;
    char held[HELD_MAX]; /* what may be the beginning of a tag */
    size_t held_len;
};

struct tag_state_all {
    struct tag_choice choices[CHOICES];
};

struct tag_options {
    char open[TAG_MAX], close[TAG_MAX];
    rx_str prompt;
    unsigned turns;
};

/* What one piece of text comes to. */
struct tag_split {
    struct rx_buf thought, said;
};

static rx_str
view(const char *s)
{
    return (rx_str){ s, strlen(s) };
}

static rx_str
skip(rx_str s, size_t n)
{
    return (rx_str){ s.ptr + n, s.len - n };
}

/* Length of the longest end of `s` that `tag` begins with. */
static size_t
partial(rx_str s, rx_str tag)
{
    size_t n = s.len < tag.len ? s.len : tag.len - 1;

    for (; n > 0; n--) {
        if (memcmp(s.ptr + s.len - n, tag.ptr, n) == 0)
            return n;
    }
    return 0;
}

static void
hold(struct tag_choice *c, rx_str s)
{
    c->held_len = s.len < HELD_MAX ? s.len : HELD_MAX;
    if (c->held_len > 0)
        memmove(c->held, s.ptr, c->held_len);
}

static rx_str
blanks_off(rx_str s)
{
    while (s.len > 0 && strchr(" \t\r\n", s.ptr[0]) != NULL)
        s = skip(s, 1);
    return s;
}

/* Take what can be taken of `s`; what is left over is returned to be held. */
static rx_str
take(struct tag_choice *c, const struct tag_options *o, rx_str s,
    struct tag_split *out)
{
    rx_str open = view(o->open);
    rx_str close = view(o->close);

    if (c->state == TAG_LOOK) {
        rx_str text = blanks_off(s);
        if (text.len < open.len &&
            (text.len == 0 || memcmp(text.ptr, open.ptr, text.len) == 0) &&
            s.len < HELD_MAX)
            return s;
        bool tagged = rx_str_starts(text, open);
        c->state = tagged ? TAG_INSIDE : TAG_PASS;
        if (tagged)
            s = skip(text, open.len);
    }
    if (c->state == TAG_INSIDE) {
        const char *at =
            s.len > 0 ? memmem(s.ptr, s.len, close.ptr, close.len) : NULL;
        size_t n =
            at != NULL ? (size_t)(at - s.ptr) : s.len - partial(s, close);
        rx_buf_add(&out->thought, (rx_str){ s.ptr, n });
        if (at == NULL)
            return skip(s, n);
        s = skip(s, n + close.len);
        c->state = TAG_TRIM;
    }
    if (c->state == TAG_TRIM) {
        s = blanks_off(s);
        if (s.len > 0)
            c->state = TAG_PASS;
    }
    rx_buf_add(&out->said, s);
    return (rx_str){ 0 };
}

static void
set_split(struct rx_edit *message, const struct tag_split *out)
{
    rx_str thought = rx_buf_str(&out->thought);

    rx_edit_set(
        message, "content", rx_edit_quote(message, rx_buf_str(&out->said)));
    if (thought.len > 0)
        rx_edit_set(
            message, "reasoning_content", rx_edit_quote(message, thought));
}

/* `last`: nothing comes behind this; what is held is what it is. */
static void
split_message(struct tag_choice *c, const struct tag_options *o,
    struct rx_edit *message, bool last)
{
    struct rx_edit *content = rx_edit_get(message, "content");
    struct tag_split out;
    struct rx_buf joined;

    if (c->state == TAG_PASS ||
        (rx_edit_kind(content) != RX_SPAN_STRING && !(last && c->held_len > 0)))
        return;
    rx_buf_init(&joined, 64 << 20);
    rx_buf_init(&out.thought, 64 << 20);
    rx_buf_init(&out.said, 64 << 20);
    rx_buf_add(&joined, (rx_str){ c->held, c->held_len });
    rx_buf_add(&joined, rx_edit_plain(content));
    rx_str rest = take(c, o, rx_buf_str(&joined), &out);
    if (last) {
        rx_buf_add(c->state == TAG_INSIDE ? &out.thought : &out.said, rest);
        rest = (rx_str){ 0 };
    }
    hold(c, rest);
    set_split(message, &out);
    rx_buf_fini(&joined);
    rx_buf_fini(&out.thought);
    rx_buf_fini(&out.said);
}

static struct tag_choice *
choice_state(struct tag_state_all *all, struct rx_edit *choice)
{
    uint64_t index = 0;

    rx_edit_u64(rx_edit_get(choice, "index"), &index);
    return index < CHOICES ? &all->choices[index] : NULL;
}

static void
tag_event(const void *options, void *state, struct step_flow *flow,
    struct step_event *event)
{
    for (struct rx_edit *c = rx_edit_first(rx_edit_get(event->root, "choices"));
         c != NULL; c = rx_edit_next(c)) {
        struct tag_choice *t = choice_state(state, c);
        bool last = rx_edit_there(rx_edit_get(c, "finish_reason"));
        if (t != NULL && body_choice(c) != NULL)
            split_message(t, options, body_choice(c), last);
    }
    step_pass(flow, event);
}

static void
tag_document(const void *options, void *state, struct step_flow *flow,
    struct rx_edit *root)
{
    (void)state;
    (void)flow;
    for (struct rx_edit *c = rx_edit_first(rx_edit_get(root, "choices"));
         c != NULL; c = rx_edit_next(c)) {
        struct tag_choice t = { 0 };
        split_message(&t, options, body_choice(c), true);
    }
}

static void
set_tag(struct tag_options *o, rx_str tag)
{
    struct rx_buf b;

    rx_buf_init(&b, 2 * TAG_MAX);
    rx_buf_addf(&b, "</" RX_STR_FMT ">", RX_STR_ARG(tag));
    if (b.len < TAG_MAX) {
        memcpy(o->close, b.ptr, b.len + 1);
        o->open[0] = '<';
        memcpy(o->open + 1, b.ptr + 2, b.len - 1);
    }
    rx_buf_fini(&b);
}

static const void *
tag_configure(rx_json options, struct rx_arena *arena)
{
    struct tag_options *o = step_room(arena, sizeof(*o));

    set_tag(o, step_text(options, "tag", arena, "think"));
    return o;
}

const struct step_kind step_extrathinktag = {
    .name = "extrathinktag",
    .ops = 1U << OP_CREATE,
    .state = sizeof(struct tag_state_all),
    .configure = tag_configure,
    .event = tag_event,
    .document = tag_document,
};

/* ---- forcereasoning ----------------------------------------------------- */

static const char force_prompt[] =
    "Think before you answer. Write your thoughts first, between "
    "<reasoning_content> and </reasoning_content>, and nothing before them; "
    "then write the answer, or call tools, as usual.";

static const void *
force_configure(rx_json options, struct rx_arena *arena)
{
    struct tag_options *o = step_room(arena, sizeof(*o));

    set_tag(o, RX_S("reasoning_content"));
    o->prompt = step_text(options, "prompt", arena, force_prompt);
    o->turns = (unsigned)step_number(options, "turns", 10);
    return o;
}

/* Thoughts of an earlier turn, back in their tags. */
static void
put_back(struct rx_edit *m, const struct tag_options *o)
{
    struct rx_edit *thought = rx_edit_get(m, "reasoning_content");
    struct rx_edit *content = rx_edit_get(m, "content");

    if (rx_edit_escaped(thought).len == 0 ||
        rx_edit_kind(content) == RX_SPAN_ARRAY)
        return;
    rx_edit_set(m, "content",
        rx_edit_join(m,
            (rx_str[]){ RX_S("\""), view(o->open), rx_edit_escaped(thought),
                view(o->close), RX_S("\\n"), rx_edit_escaped(content),
                RX_S("\"") },
            7));
}

static void
force_request(struct step_request *r)
{
    const struct tag_options *o = r->options;
    unsigned turns = 0;

    for (struct rx_edit *m = rx_edit_last(rx_edit_get(r->root, "messages"));
         m != NULL; m = rx_edit_prev(m)) {
        if (!body_says(m, "role", "assistant"))
            continue;
        body_name_reasoning(m, NULL);
        if (turns++ < o->turns)
            put_back(m, o);
        rx_edit_drop(m, "reasoning_content");
    }
    body_add_system(r, o->prompt, false);
}

const struct step_kind step_forcereasoning = {
    .name = "forcereasoning",
    .ops = 1U << OP_CREATE,
    .state = sizeof(struct tag_state_all),
    .configure = force_configure,
    .request = force_request,
    .event = tag_event,
    .document = tag_document,
};
