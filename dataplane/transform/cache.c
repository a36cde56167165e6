/*
 * cleancache, cachecontrol: the marks of prompt caching.
 */
#include "dataplane/transform/body.h"
#include "dataplane/transform/kinds.h"

static void
clean_request(struct step_request *r)
{
    body_clean_cache(r->root, r->dialect);
}

const struct step_kind step_cleancache = {
    .name = "cleancache",
    .request = clean_request,
};

struct cache_options {
    bool inject;
    bool hour;
    unsigned marks;
};

static const void *
cache_configure(rx_json options, struct rx_arena *arena)
{
    struct cache_options *o = step_room(arena, sizeof(*o));

    o->inject = step_bool(options, "inject", true);
    o->hour = rx_str_eq(step_text(options, "ttl", arena, "5m"), RX_S("1h"));
    o->marks = (unsigned)step_number(options, "marks", 4);
    return o;
}

static rx_str
mark_text(const struct cache_options *o)
{
    return o->hour ? RX_S("{\"type\":\"ephemeral\",\"ttl\":\"1h\"}")
                   : RX_S("{\"type\":\"ephemeral\"}");
}

/* ---- marks of the request ----------------------------------------------- */

struct counting {
    unsigned count;
    unsigned surplus; /* to be removed, the oldest of the messages first */
    bool hour;
};

static void
count_mark(struct rx_edit *block, void *arg)
{
    struct counting *c = arg;

    (void)block;
    c->count++;
}

static void
lengthen(struct rx_edit *block, void *arg)
{
    const struct counting *c = arg;
    struct rx_edit *mark = rx_edit_get(block, "cache_control");

    if (c->hour && !rx_edit_there(rx_edit_get(mark, "ttl")))
        rx_edit_set(mark, "ttl", RX_S("\"1h\""));
}

static void
thin_out(struct rx_edit *list, struct counting *c, int depth)
{
    if (rx_edit_kind(list) != RX_SPAN_ARRAY || depth > 2)
        return;
    for (struct rx_edit *b = rx_edit_first(list); b != NULL && c->surplus > 0;
         b = rx_edit_next(b)) {
        thin_out(rx_edit_get(b, "content"), c, depth + 1);
        if (c->surplus > 0 && rx_edit_drop(b, "cache_control"))
            c->surplus--;
    }
}

/* ---- marks of ours ------------------------------------------------------ */

/* A text that stands for a list of one block becomes that list. */
static struct rx_edit *
as_list(struct rx_edit *content)
{
    if (rx_edit_kind(content) == RX_SPAN_STRING &&
        rx_edit_escaped(content).len > 0)
        rx_edit_put(
            content, rx_edit_join(content,
                         (rx_str[]){ RX_S("[{\"type\":\"text\",\"text\":"),
                             rx_edit_text(content), RX_S("}]") },
                         3));
    return rx_edit_kind(content) == RX_SPAN_ARRAY ? content : NULL;
}

/* Thinking cannot be marked, nor can an empty text. */
static bool
may_mark(struct rx_edit *block)
{
    struct rx_edit *text = rx_edit_get(block, "text");

    return rx_edit_kind(block) == RX_SPAN_OBJECT &&
           !body_says(block, "type", "thinking") &&
           !body_says(block, "type", "redacted_thinking") &&
           (text == NULL || rx_edit_escaped(text).len > 0);
}

static bool
mark(struct rx_edit *block, const struct cache_options *o, unsigned *left)
{
    if (*left == 0 || block == NULL || !may_mark(block))
        return false;
    rx_edit_set(block, "cache_control", mark_text(o));
    --*left;
    return true;
}

static bool
is_system(struct rx_edit *m)
{
    return body_says(m, "role", "system") || body_says(m, "role", "developer");
}

/* The last two turns of the user: what was written and what will be read. */
static void
mark_turns(struct rx_edit *root, const struct cache_options *o, unsigned *left)
{
    unsigned turns = 0;

    for (struct rx_edit *m = rx_edit_last(rx_edit_get(root, "messages"));
         m != NULL && turns < 2; m = rx_edit_prev(m)) {
        if (!body_says(m, "role", "user"))
            continue;
        turns++;
        mark(rx_edit_last(as_list(rx_edit_get(m, "content"))), o, left);
    }
}

static void
mark_system(
    struct step_request *r, const struct cache_options *o, unsigned *left)
{
    struct rx_edit *m = rx_edit_first(rx_edit_get(r->root, "messages"));
    struct rx_edit *content = rx_edit_get(r->root, "system");

    if (r->dialect == DIALECT_CHAT) {
        content = NULL;
        for (; m != NULL && is_system(m); m = rx_edit_next(m))
            content = rx_edit_get(m, "content");
    }
    mark(rx_edit_last(as_list(content)), o, left);
}

static void
cache_request(struct step_request *r)
{
    const struct cache_options *o = r->options;
    struct counting c = { .hour = o->hour };
    unsigned left = o->marks;

    body_each_mark(r->root, r->dialect, count_mark, &c);
    body_each_mark(r->root, r->dialect, lengthen, &c);
    if (c.count > o->marks) {
        c.surplus = c.count - o->marks;
        thin_out(rx_edit_get(r->root, "messages"), &c, 0);
    }
    if (c.count == 0 && o->inject) {
        mark_system(r, o, &left);
        if (r->dialect == DIALECT_ANTHROPIC)
            mark(rx_edit_last(rx_edit_get(r->root, "tools")), o, &left);
        mark_turns(r->root, o, &left);
    }
    if (o->hour && r->dialect == DIALECT_ANTHROPIC &&
        (c.count > 0 || o->inject))
        step_header(r, HEADER_APPEND, RX_S("anthropic-beta"),
            RX_S("extended-cache-ttl-2025-04-11"));
}

const struct step_kind step_cachecontrol = {
    .name = "cachecontrol",
    .configure = cache_configure,
    .request = cache_request,
};
