/*
 * A lane is what one kind of condition asks about.  Until the request has been
 * looked at in that respect, a lane stands for all its rules and waits at the
 * first of them; then the lists of those that may hold take its place.  All of
 * that is in a heap by the number of the next rule.
 */
#include "dataplane/rule_index.h"

#include <stdlib.h>
#include <string.h>

#include "dataplane/rule_literal.h"
#include "dataplane/words.h"
#include "shared/map.h"

/* Numbers of rules, lowest first. */
struct link {
    uint32_t rule;
    struct link *next;
};

/* Names that may hold '*', by what is before the first. */
struct names {
    struct rx_map *exact; /* to struct link */
    struct rx_map *begin;
    uint64_t lengths[4]; /* a bit for each length of a beginning there is */
    struct link *open;   /* nothing is before the first */
};

struct number {
    uint64_t value;
    struct link rule;
};

/* Header of that name: its values. */
struct header_lane {
    rx_str name;
    struct names values;
    struct header_lane *next;
};

enum looks { BY_NAMES, BY_WORDS, BY_FLAG, BY_NUMBER, BY_HEADERS, BY_NOTHING };

struct lane {
    enum condition_kind kind;
    enum looks looks;
    uint32_t first; /* rule in it; UINT32_MAX: none */
    struct names names;
    struct words *words;
    struct link **by_word;        /* by a word's number */
    struct link *flags[2];        /* those that want no, yes */
    const struct condition *flag; /* one of them, to be asked */
    struct number *numbers;       /* the one that is met first in front */
    size_t number_count;
    struct header_lane *headers;
};

#define LANES (CONDITION_KINDS + 1)
#define ALL   CONDITION_KINDS /* the lane of those that may hold whatever is */

struct rule_index {
    struct rx_arena *arena;
    struct lane lanes[LANES];
    struct rx_map *crowds; /* how many rules share a name */
    bool full;
};

/* ---- what each kind is known by ---------------------------------------------- */

/* `cost` of looking, in rules that may as well be asked. */
static const struct {
    bool known;
    enum looks looks;
    uint32_t cost;
} ways[CONDITION_KINDS] = {
    [CONDITION_MODEL] = { true, BY_NAMES, 0 },
    [CONDITION_TENANT] = { true, BY_NAMES, 0 },
    [CONDITION_KEY] = { true, BY_NAMES, 0 },
    [CONDITION_TAG] = { true, BY_NAMES, 0 },
    [CONDITION_DIALECT] = { true, BY_NAMES, 0 },
    [CONDITION_HEADER] = { true, BY_HEADERS, 0 },
    [CONDITION_STREAM] = { true, BY_FLAG, 0 },
    [CONDITION_HAS_TOOLS] = { true, BY_FLAG, 0 },
    [CONDITION_THINKING] = { true, BY_FLAG, 0 },
    [CONDITION_USER_AGENT] = { true, BY_WORDS, 1 },
    [CONDITION_MODEL_PATTERN] = { true, BY_WORDS, 1 },
    [CONDITION_TOOL_NAMES] = { true, BY_NAMES, 4 },
    [CONDITION_WEB_SEARCH] = { true, BY_FLAG, 4 },
    [CONDITION_HAS_IMAGES] = { true, BY_FLAG, 8 },
    [CONDITION_HAS_DOCUMENTS] = { true, BY_FLAG, 8 },
    [CONDITION_HAS_AUDIO] = { true, BY_FLAG, 8 },
    [CONDITION_SUBAGENT] = { true, BY_FLAG, 8 },
    [CONDITION_TOKEN_THRESHOLD] = { true, BY_NUMBER, 8 },
    [CONDITION_TOKEN_BELOW] = { true, BY_NUMBER, 8 },
    [CONDITION_KEYWORDS] = { true, BY_WORDS, 16 },
    [CONDITION_USER_PATTERN] = { true, BY_WORDS, 16 },
    [CONDITION_SYSTEM_PATTERN] = { true, BY_WORDS, 16 },
    [CONDITION_HAS_CODE] = { true, BY_FLAG, 32 },
    [CONDITION_MIN_WORD_COUNT] = { true, BY_NUMBER, 32 },
    [CONDITION_MAX_WORD_COUNT] = { true, BY_NUMBER, 32 },
    [CONDITION_CONTENT_CATEGORY] = { true, BY_NAMES, 32 },
    [CONDITION_COMPLEXITY_LEVEL] = { true, BY_NAMES, 32 },
    [CONDITION_PROGRAMMING_LANGUAGE] = { true, BY_NAMES, 32 },
    [CONDITION_INTENT] = { true, BY_NAMES, 32 },
};

static bool
is_pattern(enum condition_kind kind)
{
    return kind == CONDITION_USER_PATTERN || kind == CONDITION_SYSTEM_PATTERN ||
           kind == CONDITION_MODEL_PATTERN;
}

/* What is looked at once for both. */
static enum condition_kind
lane_of(enum condition_kind kind)
{
    return kind == CONDITION_USER_PATTERN ? CONDITION_KEYWORDS : kind;
}

/* ---- crowds --------------------------------------------------------------------- */

#define CROWD_TEXT ((size_t)256)

static rx_str
before_star(rx_str name)
{
    const char *star = name.len > 0 ? memchr(name.ptr, '*', name.len) : NULL;

    return (rx_str){ name.ptr,
        star != NULL ? (size_t)(star - name.ptr) : name.len };
}

/* By what `c` is looked up: its kind and one of its texts. */
static rx_str
crowd_key(const struct condition *c, size_t text, char room[CROWD_TEXT + 2])
{
    rx_str s = { 0 };
    size_t n = 1;

    room[0] = (char)c->kind;
    if (c->kind == CONDITION_HEADER)
        s = before_star(c->texts[1]);
    else if (c->text_count > 0)
        s = before_star(c->texts[text]);
    else if (c->number_count > 0)
        room[n++] = (char)(c->numbers[0] != 0);
    s.len = s.len < CROWD_TEXT ? s.len : CROWD_TEXT;
    if (s.len > 0)
        memcpy(room + n, s.ptr, s.len);
    return (rx_str){ room, n + s.len };
}

static void
count_crowd(struct rule_index *x, const struct condition *c)
{
    char room[CROWD_TEXT + 2];

    for (size_t i = 0; i < c->part_count; i++)
        count_crowd(x, &c->parts[i]);
    for (size_t i = 0; ways[c->kind].known && (i == 0 || i < c->text_count);
         i++) {
        rx_str key = crowd_key(c, i, room);
        uint32_t *n = rx_map_get(x->crowds, key);
        if (n == NULL) {
            n = rx_arena_make(x->arena, uint32_t, 1);
            x->full = x->full || n == NULL;
            if (n == NULL)
                return;
            rx_map_put(x->crowds, key, n);
        }
        ++*n;
    }
}

#define UNKNOWN UINT64_MAX

/* How many rules may have to be asked for being known by this. */
static uint64_t
cost_of_leaf(const struct rule_index *x, const struct condition *c)
{
    char room[CROWD_TEXT + 2];
    uint64_t cost = ways[c->kind].cost;

    if (!ways[c->kind].known ||
        (is_pattern(c->kind) && rule_literal(c->texts[0]).len == 0))
        return UNKNOWN;
    for (size_t i = 0; i == 0 || i < c->text_count; i++) {
        const uint32_t *n = rx_map_get(x->crowds, crowd_key(c, i, room));
        cost += n != NULL ? *n : 0;
    }
    return cost;
}

static uint64_t
cost_of(const struct rule_index *x, const struct condition *c)
{
    uint64_t all = 0;
    uint64_t least = UNKNOWN;

    if (c->kind != CONDITION_ALL && c->kind != CONDITION_ANY)
        return cost_of_leaf(x, c);
    for (size_t i = 0; i < c->part_count; i++) {
        uint64_t cost = cost_of(x, &c->parts[i]);
        least = cost < least ? cost : least;
        all = cost == UNKNOWN || all == UNKNOWN ? UNKNOWN : all + cost;
    }
    return c->kind == CONDITION_ALL ? least : all;
}

/* ---- entering a rule -------------------------------------------------------------- */

static struct link *
link_new(struct rule_index *x, uint32_t rule, struct link *next)
{
    if (next != NULL && next->rule == rule)
        return next; /* it is there twice */
    struct link *l = rx_arena_make(x->arena, struct link, 1);

    x->full = x->full || l == NULL;
    if (l != NULL)
        *l = (struct link){ rule, next };
    return l;
}

static void
free_map(void *arg)
{
    rx_map_free(arg, NULL);
}

static struct rx_map *
map_new(struct rule_index *x)
{
    struct rx_map *m = rx_map_new();

    rx_arena_defer(x->arena, free_map, m);
    return m;
}

static void
put_in(struct rule_index *x, struct rx_map **map, rx_str key, uint32_t rule)
{
    if (*map == NULL)
        *map = map_new(x);
    struct link *l = link_new(x, rule, rx_map_get(*map, key));
    if (l != NULL)
        rx_map_put(*map, key, l);
}

#define BEGIN_MAX ((size_t)255)

static void
enter_name(struct rule_index *x, struct names *n, rx_str name, uint32_t rule)
{
    rx_str begin = before_star(name);

    if (begin.len == name.len) {
        put_in(x, &n->exact, name, rule);
        return;
    }
    begin.len = begin.len < BEGIN_MAX ? begin.len : BEGIN_MAX;
    if (begin.len == 0) {
        n->open = link_new(x, rule, n->open);
        return;
    }
    n->lengths[begin.len / 64] |= UINT64_C(1) << begin.len % 64;
    put_in(x, &n->begin, begin, rule);
}

/* A word that is too long or empty is in no text. */
static void
enter_word(struct rule_index *x, struct lane *lane, rx_str word, uint32_t rule)
{
    if (word.len == 0 || word.len > RULE_WORD_MAX)
        return;
    size_t n = words_add(lane->words, word);
    x->full = x->full || n == SIZE_MAX;
    if (n == SIZE_MAX)
        return;
    lane->by_word[n] = link_new(x, rule, lane->by_word[n]);
}

static void
enter_header(struct rule_index *x, struct lane *lane, const struct condition *c,
    uint32_t rule)
{
    struct header_lane *h = lane->headers;

    while (h != NULL && !rx_str_eq(h->name, c->texts[0]))
        h = h->next;
    if (h == NULL) {
        h = rx_arena_make(x->arena, struct header_lane, 1);
        x->full = x->full || h == NULL;
        if (h == NULL)
            return;
        h->name = c->texts[0];
        h->next = lane->headers;
        lane->headers = h;
    }
    enter_name(x, &h->values, c->texts[1], rule);
}

static void
enter_leaf(struct rule_index *x, const struct condition *c, uint32_t rule)
{
    struct lane *lane = &x->lanes[lane_of(c->kind)];
    bool wanted;

    lane->first = rule;
    switch (ways[c->kind].looks) {
    case BY_NAMES:
        for (size_t i = 0; i < c->text_count; i++)
            enter_name(x, &lane->names, c->texts[i], rule);
        break;
    case BY_WORDS:
        if (is_pattern(c->kind))
            enter_word(x, lane, rule_literal(c->texts[0]), rule);
        for (size_t i = 0; !is_pattern(c->kind) && i < c->text_count; i++)
            enter_word(x, lane, c->texts[i], rule);
        break;
    case BY_FLAG:
        wanted = c->numbers[0] != 0;
        lane->flags[wanted] = link_new(x, rule, lane->flags[wanted]);
        lane->flag = c;
        break;
    case BY_NUMBER:
        lane->numbers[lane->number_count++] =
            (struct number){ (uint64_t)c->numbers[0], { rule, NULL } };
        break;
    case BY_HEADERS: enter_header(x, lane, c, rule); break;
    case BY_NOTHING: break;
    }
}

/* By the part it is best known by; by several where one of them suffices. */
static void
enter(struct rule_index *x, const struct condition *c, uint32_t rule)
{
    const struct condition *best = NULL;
    uint64_t least = UNKNOWN;

    if (c->kind != CONDITION_ALL && c->kind != CONDITION_ANY) {
        enter_leaf(x, c, rule);
        return;
    }
    for (size_t i = 0; i < c->part_count; i++) {
        uint64_t cost = cost_of(x, &c->parts[i]);
        if (c->kind == CONDITION_ANY)
            enter(x, &c->parts[i], rule);
        else if (cost < least)
            best = &c->parts[i];
        least = cost < least ? cost : least;
    }
    if (best != NULL)
        enter(x, best, rule);
}

static void
enter_rule(struct rule_index *x, const struct rule *r, uint32_t number)
{
    struct lane *all = &x->lanes[ALL];

    if (cost_of(x, r->condition) != UNKNOWN) {
        enter(x, r->condition, number);
        return;
    }
    all->first = number;
    all->flags[1] = link_new(x, number, all->flags[1]);
}

/* How many texts or numbers a lane may get. */
static size_t
count_things(const struct condition *c, size_t lane)
{
    size_t n = 0;

    if (lane_of(c->kind) == lane)
        n = c->text_count > 0 ? c->text_count : c->number_count;
    for (size_t i = 0; i < c->part_count; i++)
        n += count_things(&c->parts[i], lane);
    return n;
}

static bool
make_lane(struct rule_index *x, const struct ruleset *set, size_t kind)
{
    struct lane *lane = &x->lanes[kind];
    size_t most = 0;

    lane->kind = (enum condition_kind)kind;
    lane->looks = kind == ALL ? BY_NOTHING : ways[kind].looks;
    lane->first = UINT32_MAX;
    if (lane->looks != BY_WORDS && lane->looks != BY_NUMBER)
        return true;
    for (size_t i = 0; i < set->rule_count; i++)
        most += count_things(set->rules[i].condition, kind);
    if (lane->looks == BY_NUMBER) {
        lane->numbers = rx_arena_make(x->arena, struct number, most);
        return lane->numbers != NULL;
    }
    lane->words = words_new(x->arena);
    lane->by_word = rx_arena_make(x->arena, struct link *, most);
    return lane->words != NULL && lane->by_word != NULL;
}

static bool
wants_more(enum condition_kind kind)
{
    return kind == CONDITION_TOKEN_THRESHOLD ||
           kind == CONDITION_MIN_WORD_COUNT;
}

static int
by_value(const void *a, const void *b)
{
    const struct number *x = a;
    const struct number *y = b;

    return (x->value > y->value) - (x->value < y->value);
}

static int
by_value_down(const void *a, const void *b)
{
    return by_value(b, a);
}

static bool
finish_lane(struct lane *lane)
{
    if (lane->number_count > 1)
        qsort(lane->numbers, lane->number_count, sizeof(*lane->numbers),
            wants_more(lane->kind) ? by_value : by_value_down);
    return lane->words == NULL || words_finish(lane->words);
}

static bool
belongs(const struct rule *r, bool agents)
{
    return agents ? r->agent.len > 0 : r->enabled;
}

const struct rule_index *
rule_index_new(const struct ruleset *set, bool agents, struct rx_arena *arena)
{
    struct rule_index *x = rx_arena_make(arena, struct rule_index, 1);

    if (x == NULL)
        return NULL;
    x->arena = arena;
    for (size_t i = 0; i < LANES; i++)
        x->full = x->full || !make_lane(x, set, i);
    x->crowds = rx_map_new();
    for (size_t i = 0; i < set->rule_count && !x->full; i++) {
        if (belongs(&set->rules[i], agents))
            count_crowd(x, set->rules[i].condition);
    }
    /* From the last on, so that lists get the first in front. */
    for (size_t i = set->rule_count; i-- > 0 && !x->full;) {
        if (belongs(&set->rules[i], agents))
            enter_rule(x, &set->rules[i], (uint32_t)i);
    }
    rx_map_free(x->crowds, NULL);
    for (size_t i = 0; i < LANES && !x->full; i++)
        x->full = !finish_lane(&x->lanes[i]);
    return x->full ? NULL : x;
}

/* ---- walking ------------------------------------------------------------------------ */

/* What is to come of a list, or of a lane that nobody looked at yet. */
struct stream {
    uint32_t next; /* rule */
    const struct link *list;
    const struct lane *lane; /* NULL: it is a list */
};

#define WALK_MAX      ((size_t)1024 * 1024 * 1024)
#define STREAMS_USUAL 40

struct rule_walk {
    const struct rule_index *index;
    struct rx_arena *arena;
    struct rule_subject *subject;
    struct stream *heap; /* the least first */
    size_t count, size;
    size_t told;             /* the rule told last, and one */
    const struct lane *lane; /* being looked at */
    uint64_t *seen;          /* words of it */
};

static void
push(struct rule_walk *w, struct stream own)
{
    if (w->count == w->size) {
        struct stream *more =
            rx_arena_make(w->arena, struct stream, w->size * 2);
        if (more == NULL)
            abort(); /* there are no more than the configuration's texts */
        memcpy(more, w->heap, w->count * sizeof(*more));
        w->heap = more;
        w->size *= 2;
    }
    size_t i = w->count++;
    for (; i > 0 && own.next < w->heap[(i - 1) / 2].next; i = (i - 1) / 2)
        w->heap[i] = w->heap[(i - 1) / 2];
    w->heap[i] = own;
}

static struct stream
pop(struct rule_walk *w)
{
    struct stream least = w->heap[0];
    struct stream last = w->heap[--w->count];
    size_t i = 0;

    for (;;) {
        size_t child = 2 * i + 1;
        if (child + 1 < w->count &&
            w->heap[child + 1].next < w->heap[child].next)
            child++;
        if (child >= w->count || last.next <= w->heap[child].next)
            break;
        w->heap[i] = w->heap[child];
        i = child;
    }
    w->heap[i] = last;
    return least;
}

static void
push_list(struct rule_walk *w, const struct link *list)
{
    if (list != NULL)
        push(w, (struct stream){ list->rule, list, NULL });
}

struct rule_walk *
rule_walk_begin(const struct rule_index *x, struct rule_subject *subject)
{
    struct rx_arena *arena = rx_arena_new(WALK_MAX);
    struct rule_walk *w = rx_arena_make(arena, struct rule_walk, 1);
    struct stream *heap = rx_arena_make(arena, struct stream, STREAMS_USUAL);

    if (w == NULL || heap == NULL)
        abort(); /* the arena is new */
    *w = (struct rule_walk){ .index = x,
        .arena = arena,
        .subject = subject,
        .heap = heap,
        .size = STREAMS_USUAL };
    for (size_t i = 0; i < LANES; i++) {
        const struct lane *lane = &x->lanes[i];
        if (lane->first != UINT32_MAX)
            push(w, (struct stream){ lane->first, NULL, lane });
    }
    return w;
}

/* ---- looking at the request ---------------------------------------------------------- */

static void
look_up(struct rule_walk *w, const struct names *n, rx_str value)
{
    push_list(w, n->open);
    if (n->exact != NULL)
        push_list(w, rx_map_get(n->exact, value));
    for (size_t i = 0; i < RX_COUNT(n->lengths); i++) {
        for (uint64_t bits = n->lengths[i]; bits != 0; bits &= bits - 1) {
            size_t len = 64 * i + (size_t)__builtin_ctzll(bits);
            if (len <= value.len)
                push_list(w, rx_map_get(n->begin, (rx_str){ value.ptr, len }));
        }
    }
}

static void
look_at_names(struct rule_walk *w, const struct lane *lane)
{
    rx_str values[RULE_NAMES_MAX];
    size_t n = rule_names(lane->kind, w->subject, values);
    const struct toolbox *tools = NULL;

    if (lane->kind == CONDITION_TOOL_NAMES)
        tools = understand_tools(w->subject->u);
    for (size_t i = 0; i < n; i++)
        look_up(w, &lane->names, values[i]);
    for (size_t i = 0; tools != NULL && i < tools->count; i++)
        look_up(w, &lane->names, tools->names[i]);
}

static void
found_word(void *arg, size_t number)
{
    struct rule_walk *w = arg;
    uint64_t bit = UINT64_C(1) << number % 64;

    if ((w->seen[number / 64] & bit) != 0)
        return;
    w->seen[number / 64] |= bit;
    push_list(w, w->lane->by_word[number]);
}

static void
look_at_words(struct rule_walk *w, const struct lane *lane)
{
    size_t words = words_count(lane->words);

    w->seen = rx_arena_make(w->arena, uint64_t, words / 64 + 1);
    if (w->seen == NULL)
        abort(); /* a bit for each word of the configuration */
    w->lane = lane;
    words_find(lane->words, rule_text(lane->kind, w->subject), found_word, w);
}

static bool
is_met(enum condition_kind kind, uint64_t have, uint64_t wanted)
{
    if (kind == CONDITION_TOKEN_BELOW)
        return have < wanted;
    return kind == CONDITION_MAX_WORD_COUNT ? have <= wanted : have >= wanted;
}

static void
look_at_numbers(struct rule_walk *w, const struct lane *lane)
{
    uint64_t have = rule_number(lane->kind, w->subject);

    for (size_t i = 0; i < lane->number_count &&
                       is_met(lane->kind, have, lane->numbers[i].value);
         i++)
        push_list(w, &lane->numbers[i].rule);
}

static void
look_at_headers(struct rule_walk *w, const struct lane *lane)
{
    const struct rule_subject *q = w->subject;

    for (const struct header_lane *h = lane->headers; h != NULL; h = h->next) {
        rx_str value = q->header(q->header_arg, h->name);
        if (value.len > 0)
            look_up(w, &h->values, value);
    }
}

static void
look_at(struct rule_walk *w, const struct lane *lane)
{
    bool wanted;

    switch (lane->looks) {
    case BY_NAMES: look_at_names(w, lane); break;
    case BY_WORDS: look_at_words(w, lane); break;
    case BY_FLAG:
        wanted = lane->flag->numbers[0] != 0;
        if (!condition_holds(lane->flag, w->subject))
            wanted = !wanted;
        push_list(w, lane->flags[wanted]);
        break;
    case BY_NUMBER: look_at_numbers(w, lane); break;
    case BY_HEADERS: look_at_headers(w, lane); break;
    case BY_NOTHING: push_list(w, lane->flags[1]); break;
    }
}

bool
rule_walk_next(struct rule_walk *w, size_t *number)
{
    while (w->count > 0) {
        struct stream s = pop(w);
        if (s.lane != NULL) {
            look_at(w, s.lane);
            continue;
        }
        push_list(w, s.list->next);
        if (w->told == s.next + (size_t)1)
            continue;
        w->told = s.next + (size_t)1;
        *number = s.next;
        return true;
    }
    return false;
}

void
rule_walk_end(struct rule_walk *w)
{
    rx_arena_free(w->arena);
}
