/*
 * Conditions, by kind: what each takes, and how each is met.
 */
#include "dataplane/rules.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/rule_index.h"
#include "shared/attr.h"
#include "shared/find.h"

enum takes {
    TAKES_PARTS,
    TAKES_NUMBER,
    TAKES_FLAG,
    TAKES_TEXTS,
    TAKES_PATTERN,
    TAKES_PAIR,
    TAKES_TIMES,
    TAKES_NAME,
};

static const struct {
    rx_str name;
    enum takes takes;
} kinds[] = {
#define ROW(id, name, takes) { RX_STR_INIT(name), TAKES_##takes },
    CONDITIONS(ROW)
#undef ROW
};

bool
condition_find(rx_str name, enum condition_kind *out)
{
    for (unsigned i = 0; i < RX_COUNT(kinds); i++) {
        if (rx_str_eq(name, kinds[i].name)) {
            *out = (enum condition_kind)i;
            return true;
        }
    }
    return false;
}

/* ---- building ------------------------------------------------------------ */

static void
free_pattern(void *arg)
{
    rx_pattern_free(arg);
}

static enum rx_code
compile_pattern(struct condition *c, struct rx_arena *arena, struct rx_err *err)
{
    enum rx_code code = rx_pattern_new(&c->pattern, c->texts[0], err);

    if (code != RX_OK)
        return rx_because(err, "%s", kinds[c->kind].name.ptr);
    rx_arena_defer(arena, free_pattern, c->pattern);
    return RX_OK;
}

/* What must be there, by what the kind takes. */
static bool
is_complete(const struct condition *c)
{
    switch (kinds[c->kind].takes) {
    case TAKES_PARTS: return c->kind != CONDITION_NOT || c->part_count == 1;
    case TAKES_NUMBER:
    case TAKES_FLAG: return c->number_count == 1;
    case TAKES_TEXTS: return c->text_count > 0;
    case TAKES_PATTERN:
    case TAKES_NAME: return c->text_count == 1;
    case TAKES_PAIR: return c->text_count == 2;
    case TAKES_TIMES: return c->number_count == 4;
    }
    return false;
}

enum rx_code
condition_compile(
    struct condition *c, struct rx_arena *arena, struct rx_err *err)
{
    if (!is_complete(c))
        return rx_fail(
            err, RX_INVALID, "%s: is incomplete", kinds[c->kind].name.ptr);
    if (kinds[c->kind].takes == TAKES_PATTERN)
        return compile_pattern(c, arena, err);
    return RX_OK;
}

static void
free_script(void *arg)
{
    rx_script_free(arg);
}

enum rx_code
function_compile(struct function *f, rx_str source, struct rx_arena *arena,
    struct rx_err *err)
{
    enum rx_code code = rx_script_new(&f->script, source, NULL, err);

    if (code == RX_OK)
        rx_arena_defer(arena, free_script, f->script);
    return code;
}

bool
ruleset_init(
    struct ruleset *set, struct rx_arena *arena, size_t functions, size_t rules)
{
    *set = (struct ruleset){
        .functions = rx_arena_make(arena, struct function, functions + 1),
        .rules = rx_arena_make(arena, struct rule, rules + 1),
    };
    return set->functions != NULL && set->rules != NULL;
}

static const struct function *
find_function(const struct ruleset *set, rx_str name)
{
    for (size_t i = 0; i < set->function_count; i++) {
        if (rx_str_eq(set->functions[i].name, name))
            return &set->functions[i];
    }
    return NULL;
}

enum rx_code
ruleset_add_function(
    struct ruleset *set, const struct function *f, struct rx_err *err)
{
    if (find_function(set, f->name) != NULL)
        return rx_fail(err, RX_INVALID, "there twice");
    set->functions[set->function_count++] = *f;
    return RX_OK;
}

static enum rx_code
find_functions(
    const struct ruleset *set, struct condition *c, struct rx_err *err)
{
    for (size_t i = 0; i < c->part_count; i++) {
        enum rx_code code = find_functions(set, &c->parts[i], err);
        if (code != RX_OK)
            return code;
    }
    if (c->kind != CONDITION_CUSTOM_FUNCTION)
        return RX_OK;
    c->function = find_function(set, c->texts[0]);
    if (c->function == NULL)
        return rx_fail(err, RX_INVALID, "there is no function " RX_STR_FMT,
            (int)(c->texts[0].len < 64 ? c->texts[0].len : 64),
            c->texts[0].ptr);
    return RX_OK;
}

enum rx_code
ruleset_add(struct ruleset *set, const struct rule *rule, struct rx_err *err)
{
    enum rx_code code = find_functions(set, rule->condition, err);

    if (code == RX_OK && (rule->enabled || rule->agent.len > 0))
        set->rules[set->rule_count++] = *rule;
    if (code == RX_OK)
        set->agent_count += rule->agent.len > 0;
    return code;
}

static int
by_order(const void *a, const void *b)
{
    const struct rule *x = a;
    const struct rule *y = b;

    if (x->priority != y->priority)
        return x->priority > y->priority ? -1 : 1;
    if (x->created_ms != y->created_ms)
        return x->created_ms < y->created_ms ? -1 : 1;
    size_t n = x->id.len < y->id.len ? x->id.len : y->id.len;
    return memcmp(x->id.ptr, y->id.ptr, n);
}

bool
ruleset_finish(struct ruleset *set, struct rx_arena *arena)
{
    if (set->rule_count > 1)
        qsort(set->rules, set->rule_count, sizeof(*set->rules), by_order);
    for (size_t i = 0, rank = 0; i < set->rule_count; i++) {
        rank += set->rules[i].enabled;
        set->rules[i].rank = (uint32_t)rank;
    }
    set->index = rule_index_new(set, false, arena);
    set->agents = rule_index_new(set, true, arena);
    return set->index != NULL && set->agents != NULL;
}

static rx_str
view(const char *text)
{
    return (rx_str){ text, strlen(text) };
}

/* ---- looking at texts ------------------------------------------------------ */

/* Asking one thing about many: what each says to the subject. */
struct asking {
    struct rule_subject *subject;
    struct rule_match *out;
    const struct rule *rule;
};

static bool
fits_one(const struct condition *c, rx_str value)
{
    for (size_t i = 0; i < c->text_count; i++) {
        if (snapshot_pattern_fits(c->texts[i], value))
            return true;
    }
    return false;
}

static rx_str
lowered(struct rx_arena *arena, rx_str text)
{
    char *low = rx_arena_alloc(arena, text.len + 1);

    if (low == NULL)
        return text;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        low[i] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
    }
    return (rx_str){ low, text.len };
}

/* Is `word` in `text`, which is in lower case?  ASCII case does not matter. */
static bool
holds(rx_str text, rx_str word)
{
    char small[RULE_WORD_MAX];

    if (word.len == 0 || word.len > sizeof(small) || word.len > text.len)
        return false;
    for (size_t i = 0; i < word.len; i++)
        small[i] = (char)tolower((unsigned char)word.ptr[i]);
    return rx_find(text, (rx_str){ small, word.len }) != NULL;
}

static bool
holds_one(const struct condition *c, rx_str text)
{
    for (size_t i = 0; i < c->text_count; i++) {
        if (holds(text, c->texts[i]))
            return true;
    }
    return false;
}

static enum rule_answer
yes_if(bool yes)
{
    return yes ? RULE_YES : RULE_NO;
}

static enum rule_answer
match_text(const struct condition *c, struct asking *a, rx_str text)
{
    enum rx_pattern_result r = rx_pattern_find(c->pattern, text);

    if (r != RX_PATTERN_GIVEN_UP)
        return yes_if(r == RX_PATTERN_YES);
    snprintf(a->out->trouble, sizeof(a->out->trouble),
        "%s: the pattern takes too long on this text", kinds[c->kind].name.ptr);
    return RULE_TROUBLE;
}

/* ---- functions --------------------------------------------------------------- */

static void
put_request(struct asking *a, struct rx_script *s)
{
    struct rule_subject *q = a->subject;
    const struct shape *shape = understand_shape(q->u);
    const struct toolbox *tools = understand_tools(q->u);

    rx_script_open(s, NULL);
    rx_script_put_str(s, "model", q->model);
    rx_script_put_str(s, "dialect", view(dialect_name(q->dialect)));
    rx_script_put_bool(s, "stream", q->stream);
    rx_script_put_number(s, "tokens", (int64_t)understand_tokens(q->u));
    rx_script_put_number(s, "messages", (int64_t)understand_messages(q->u));
    if (q->u->scan != NULL && q->u->scan->has_max_tokens)
        rx_script_put_number(s, "max_tokens", (int64_t)q->u->scan->max_tokens);
    rx_script_put_bool(s, "thinking", understand_thinking(q->u));
    rx_script_put_bool(s, "web_search", understand_tools(q->u)->web_search);
    rx_script_put_bool(s, "subagent", rule_is_subagent(q));
    rx_script_put_number(s, "images", shape->images);
    rx_script_put_number(s, "documents", shape->documents);
    rx_script_put_number(s, "audio", shape->audio);
    rx_script_put_str(s, "text", understand_user(q->u));
    rx_script_put_str(s, "system", understand_system(q->u));
    rx_script_open(s, "tools");
    for (size_t i = 0; i < tools->count; i++)
        rx_script_put_str(s, NULL, tools->names[i]);
    rx_script_close(s);
    rx_script_put_str(s, "tenant", q->key->tenant->name);
    rx_script_put_str(s, "key", q->key->name);
    rx_script_put_str(s, "session", q->session);
    rx_script_put_str(s, "tag", q->header(q->header_arg, RX_S("x-routex-tag")));
    rx_script_put_str(
        s, "user_agent", q->header(q->header_arg, RX_S("user-agent")));
    rx_script_put_number(s, "time", (int64_t)(q->wall_ms / 1000));
    rx_script_close(s);
}

/* "channel", "channel,model", or both by themselves. */
static void
take_choice(struct asking *a, const struct rx_script_result *r)
{
    struct rx_arena *arena = a->subject->u->arena;
    rx_str channel;
    rx_str model = { 0 };

    if (r->text_count == 0)
        return;
    if (r->text_count == 2) {
        channel = r->texts[0];
        model = r->texts[1];
    } else {
        rx_str_cut(r->texts[0], ',', &channel, &model);
    }
    a->out->channel = rx_arena_copy(arena, rx_str_trim(channel));
    a->out->model = rx_arena_copy(arena, rx_str_trim(model));
}

static enum rule_answer
meet_custom_function(const struct condition *c, struct asking *a)
{
    struct rx_script *s = c->function->script;
    struct rx_script_result r;
    struct rx_err err = { 0 };

    rx_script_begin(s);
    put_request(a, s);
    rx_script_open(s, NULL);
    if (a->subject->put_candidates != NULL)
        a->subject->put_candidates(a->subject->put_arg, s);
    rx_script_close(s);
    if (rx_script_run(s, &r, &err) != RX_OK) {
        snprintf(a->out->trouble, sizeof(a->out->trouble),
            "function " RX_STR_FMT ": %.110s",
            (int)(c->function->name.len < 32 ? c->function->name.len : 32),
            c->function->name.ptr, err.text);
        return RULE_TROUBLE;
    }
    if (r.yes)
        take_choice(a, &r);
    return yes_if(r.yes);
}

/* ---- each kind ------------------------------------------------------------------ */

static enum rule_answer ask(const struct condition *c, struct asking *a);

/* `until`: the answer of a part that settles it. */
static enum rule_answer
ask_parts(const struct condition *c, struct asking *a, enum rule_answer until)
{
    for (size_t i = 0; i < c->part_count; i++) {
        enum rule_answer r = ask(&c->parts[i], a);
        if (r == until || r == RULE_TROUBLE)
            return r;
    }
    return until == RULE_NO ? RULE_YES : RULE_NO;
}

static enum rule_answer
meet_all(const struct condition *c, struct asking *a)
{
    return ask_parts(c, a, RULE_NO);
}

static enum rule_answer
meet_any(const struct condition *c, struct asking *a)
{
    return ask_parts(c, a, RULE_YES);
}

static enum rule_answer
meet_not(const struct condition *c, struct asking *a)
{
    enum rule_answer r = ask(&c->parts[0], a);

    return r == RULE_TROUBLE ? r : r == RULE_NO ? RULE_YES : RULE_NO;
}

/* Minutes of the day and the weekday there, midnight crossed where from > to. */
static bool
is_time(const struct condition *c, uint64_t wall_ms)
{
    int64_t minute = (int64_t)(wall_ms / 60000) + c->numbers[2];
    int64_t day = minute / 1440; /* 1970-01-01 was a Thursday */
    int64_t now = minute % 1440;
    int64_t from = c->numbers[0];
    int64_t to = c->numbers[1];
    bool inside =
        from <= to ? now >= from && now < to : now >= from || now < to;

    if (from > to && now < to)
        day--; /* it began yesterday */
    return inside && (c->numbers[3] >> ((day + 3) % 7) & 1) != 0;
}

bool
rule_is_subagent(struct rule_subject *q)
{
    return understand_shape(q->u)->subagent ||
           q->header(q->header_arg, RX_S("x-claude-code-agent-id")).len > 0 ||
           q->header(q->header_arg, RX_S("x-parent-session-id")).len > 0;
}

/* What a flag says of the request. */
#define FLAG(name, expression)                               \
    static enum rule_answer meet_##name(                     \
        const struct condition *c, struct asking *a)         \
    {                                                        \
        struct rule_subject *q = a->subject;                 \
        return yes_if((expression) == (c->numbers[0] != 0)); \
    }
FLAG(stream, q->stream)
FLAG(has_code, understand_content(q->u)->code)
FLAG(subagent, rule_is_subagent(q))
FLAG(has_tools, understand_tools(q->u)->any)
FLAG(has_images, understand_shape(q->u)->images > 0)
FLAG(has_documents, understand_shape(q->u)->documents > 0)
FLAG(has_audio, understand_shape(q->u)->audio > 0)
FLAG(thinking, understand_thinking(q->u))
FLAG(web_search, understand_tools(q->u)->web_search)
#undef FLAG

/* A number of the request against the rule's. */
uint64_t
rule_number(enum condition_kind kind, struct rule_subject *q)
{
    return kind == CONDITION_TOKEN_THRESHOLD || kind == CONDITION_TOKEN_BELOW
               ? understand_tokens(q->u)
               : understand_content(q->u)->words;
}

#define NUMBER(name, compare)                                                  \
    static enum rule_answer meet_##name(                                       \
        const struct condition *c, struct asking *a)                           \
    {                                                                          \
        return yes_if(                                                         \
            rule_number(c->kind, a->subject) compare(uint64_t) c->numbers[0]); \
    }
NUMBER(token_threshold, >=)
NUMBER(token_below, <)
NUMBER(min_word_count, >=)
NUMBER(max_word_count, <=)
#undef NUMBER

/* One name is what most kinds ask for. */
static rx_str
name_of(enum condition_kind kind, struct rule_subject *q)
{
    static const rx_str tag = RX_STR_INIT("x-routex-tag");

    if (kind == CONDITION_MODEL)
        return q->model;
    if (kind == CONDITION_TAG)
        return q->header(q->header_arg, tag);
    if (kind == CONDITION_DIALECT)
        return view(dialect_name(q->dialect));
    const struct content *c = understand_content(q->u);
    if (kind == CONDITION_CONTENT_CATEGORY)
        return view(content_category_name(c->category));
    if (kind == CONDITION_COMPLEXITY_LEVEL)
        return view(content_level_name(c->level));
    if (kind == CONDITION_PROGRAMMING_LANGUAGE)
        return view(content_language_name(c->language));
    return view(content_intent_name(c->intent));
}

size_t
rule_names(enum condition_kind kind, struct rule_subject *q,
    rx_str names[RULE_NAMES_MAX])
{
    const struct client_key *k = q->key;

    if (kind == CONDITION_TOOL_NAMES)
        return 0;
    names[0] = kind == CONDITION_TENANT ? k->tenant->name : k->name;
    names[1] = kind == CONDITION_TENANT ? k->tenant->id : k->id;
    if (kind == CONDITION_TENANT || kind == CONDITION_KEY)
        return 2;
    names[0] = name_of(kind, q);
    return 1;
}

/* Names of the request against names that may hold '*'. */
static enum rule_answer
meet_names(const struct condition *c, struct asking *a)
{
    rx_str names[RULE_NAMES_MAX];
    size_t n = rule_names(c->kind, a->subject, names);

    for (size_t i = 0; i < n; i++) {
        if (fits_one(c, names[i]))
            return RULE_YES;
    }
    return RULE_NO;
}

rx_str
rule_text(enum condition_kind kind, struct rule_subject *q)
{
    if (kind == CONDITION_USER_AGENT)
        return q->header(q->header_arg, RX_S("user-agent"));
    if (kind == CONDITION_MODEL_PATTERN)
        return q->model;
    return kind == CONDITION_SYSTEM_PATTERN ? understand_system(q->u)
                                            : understand_user(q->u);
}

static enum rule_answer
meet_pattern(const struct condition *c, struct asking *a)
{
    return match_text(c, a, rule_text(c->kind, a->subject));
}

static enum rule_answer
meet_keywords(const struct condition *c, struct asking *a)
{
    struct rule_subject *q = a->subject;

    if (q->lowered.ptr == NULL)
        q->lowered = lowered(q->u->arena, understand_user(q->u));
    return yes_if(holds_one(c, q->lowered));
}

static enum rule_answer
meet_user_agent(const struct condition *c, struct asking *a)
{
    struct rule_subject *q = a->subject;
    rx_str agent = q->header(q->header_arg, RX_S("user-agent"));

    return yes_if(holds_one(c, lowered(q->u->arena, agent)));
}

static enum rule_answer
meet_header(const struct condition *c, struct asking *a)
{
    rx_str value = a->subject->header(a->subject->header_arg, c->texts[0]);

    return yes_if(value.len > 0 && snapshot_pattern_fits(c->texts[1], value));
}

static enum rule_answer
meet_tool_names(const struct condition *c, struct asking *a)
{
    const struct toolbox *t = understand_tools(a->subject->u);

    for (size_t i = 0; i < t->count; i++) {
        if (fits_one(c, t->names[i]))
            return RULE_YES;
    }
    return RULE_NO;
}

static enum rule_answer
meet_time(const struct condition *c, struct asking *a)
{
    return yes_if(is_time(c, a->subject->wall_ms));
}

static enum rule_answer (*const meet[CONDITION_KINDS])(
    const struct condition *c, struct asking *a) = {
    [CONDITION_ALL] = meet_all,
    [CONDITION_ANY] = meet_any,
    [CONDITION_NOT] = meet_not,
    [CONDITION_TOKEN_THRESHOLD] = meet_token_threshold,
    [CONDITION_TOKEN_BELOW] = meet_token_below,
    [CONDITION_MIN_WORD_COUNT] = meet_min_word_count,
    [CONDITION_MAX_WORD_COUNT] = meet_max_word_count,
    [CONDITION_KEYWORDS] = meet_keywords,
    [CONDITION_USER_PATTERN] = meet_pattern,
    [CONDITION_SYSTEM_PATTERN] = meet_pattern,
    [CONDITION_MODEL_PATTERN] = meet_pattern,
    [CONDITION_MODEL] = meet_names,
    [CONDITION_TOOL_NAMES] = meet_tool_names,
    [CONDITION_HAS_TOOLS] = meet_has_tools,
    [CONDITION_HAS_IMAGES] = meet_has_images,
    [CONDITION_HAS_DOCUMENTS] = meet_has_documents,
    [CONDITION_HAS_AUDIO] = meet_has_audio,
    [CONDITION_HAS_CODE] = meet_has_code,
    [CONDITION_STREAM] = meet_stream,
    [CONDITION_THINKING] = meet_thinking,
    [CONDITION_WEB_SEARCH] = meet_web_search,
    [CONDITION_SUBAGENT] = meet_subagent,
    [CONDITION_CONTENT_CATEGORY] = meet_names,
    [CONDITION_COMPLEXITY_LEVEL] = meet_names,
    [CONDITION_PROGRAMMING_LANGUAGE] = meet_names,
    [CONDITION_INTENT] = meet_names,
    [CONDITION_TENANT] = meet_names,
    [CONDITION_KEY] = meet_names,
    [CONDITION_TAG] = meet_names,
    [CONDITION_DIALECT] = meet_names,
    [CONDITION_USER_AGENT] = meet_user_agent,
    [CONDITION_HEADER] = meet_header,
    [CONDITION_TIME] = meet_time,
    [CONDITION_CUSTOM_FUNCTION] = meet_custom_function,
};

static enum rule_answer
ask(const struct condition *c, struct asking *a)
{
    return meet[c->kind](c, a);
}

bool
condition_holds(const struct condition *c, struct rule_subject *subject)
{
    struct rule_match match = { 0 };
    struct asking a = { .subject = subject, .out = &match };

    return ask(c, &a) == RULE_YES;
}

enum rule_answer
rule_ask(const struct rule *rule, struct rule_subject *subject,
    struct rule_match *out)
{
    struct asking a = { .subject = subject, .out = out, .rule = rule };

    *out = (struct rule_match){ 0 };
    return ask(rule->condition, &a);
}
