#include "dataplane/decide.h"

#include <stdio.h>
#include <string.h>

#include "dataplane/rule_index.h"
#include "shared/json.h"
#include "shared/log.h"

/* Channels of a hop are shared out among this many at most. */
#define SHARES_MAX 64

/* ---- one hop after the other ------------------------------------------------ */

static bool
is_there(const struct route_plan *plan, const struct candidate *c)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct candidate *k = &plan->candidates[i];
        if (k->channel == c->channel && k->credential == c->credential &&
            rx_str_eq(k->model, c->model))
            return true;
    }
    return false;
}

/* What is new in `more`, behind what is there.  The rest is the first's. */
static void
append(struct route_plan *plan, const struct route_plan *more)
{
    uint64_t until = plan->until_ms;
    bool lost = plan->pin_lost || more->pin_lost;

    if (plan->count == 0) {
        *plan = *more;
        if (until != 0 && (plan->until_ms == 0 || until < plan->until_ms))
            plan->until_ms = until;
        plan->pin_lost = lost;
        return;
    }
    plan->pin_lost = lost;
    for (size_t i = 0; i < more->count; i++) {
        if (plan->count < ROUTE_CANDIDATES_MAX &&
            !is_there(plan, &more->candidates[i]))
            plan->candidates[plan->count++] = more->candidates[i];
    }
}

struct deciding {
    struct decision *d;
    struct decide_request *r;
    const struct rule *agent; /* the first whose prompt it holds; or NULL */
    struct rx_arena *arena;
    struct route_plan *scratch;
    bool panic; /* who is in trouble may be tried nevertheless */
};

/* Add what `route` finds. */
static void
add_route(struct deciding *g, const struct route_request *route)
{
    if (route_plan(g->scratch, route) || g->d->plan.count == 0)
        append(&g->d->plan, g->scratch);
}

/* The request as a target changes it. */
static struct route_request
towards(const struct deciding *g, const struct rule *rule, rx_str model)
{
    struct route_request route = g->r->route;

    if (model.len > 0) {
        route.model = model;
        route.rewritten = true;
    }
    route.has_strategy = rule->has_strategy;
    route.strategy = rule->strategy;
    route.sober = !g->panic;
    return route;
}

static void
add_channel(
    struct deciding *g, const struct rule *rule, rx_str name, rx_str model)
{
    struct route_request route = towards(g, rule, model);

    route.only = snapshot_find_channel(route.snapshot, name);
    if (route.only != NULL)
        add_route(g, &route);
}

static uint64_t
stir(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* The same on every data plane: FNV-1a. */
static uint64_t
session_dice(rx_str session)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < session.len; i++)
        h = (h ^ (unsigned char)session.ptr[i]) * UINT64_C(0x100000001b3);
    return h;
}

/*
 * Channels in proportion to their weights, drawn without replacement.  The dice
 * are those of the conversation where there is one, so it stays where it is.
 */
static void
add_shares(struct deciding *g, const struct rule *rule, const struct hop *hop)
{
    rx_str session = g->r->subject.session;
    uint64_t dice = session.len > 0 ? session_dice(session) : g->r->route.dice;
    bool done[SHARES_MAX] = { false };
    size_t n =
        hop->channel_count < SHARES_MAX ? hop->channel_count : SHARES_MAX;
    uint64_t total = 0;

    for (size_t i = 0; i < n; i++)
        total += hop->weights[i];
    for (size_t drawn = 0; drawn < n && total > 0; drawn++) {
        uint64_t draw = stir(&dice) % total;
        size_t i = 0;
        while (done[i] || draw >= hop->weights[i]) {
            if (!done[i])
                draw -= hop->weights[i];
            i++;
        }
        done[i] = true;
        total -= hop->weights[i];
        add_channel(g, rule, hop->channels[i], hop->model);
    }
    /* Zero is for when nothing else is left. */
    for (size_t i = 0; i < n; i++) {
        if (!done[i])
            add_channel(g, rule, hop->channels[i], hop->model);
    }
}

static void
add_hop(struct deciding *g, const struct rule *rule, const struct hop *hop)
{
    if (hop->channel_count > 0 && hop->weights != NULL) {
        add_shares(g, rule, hop);
        return;
    }
    for (size_t i = 0; i < hop->channel_count; i++)
        add_channel(g, rule, hop->channels[i], hop->model);
    if (hop->channel_count == 0) {
        struct route_request route = towards(g, rule, hop->model);
        route.tag = hop->tag;
        add_route(g, &route);
    }
}

static void
add_targets(
    struct deciding *g, const struct rule *rule, const struct rule_match *match)
{
    static const struct hop anywhere = { 0 };

    if (match->channel.len > 0)
        add_channel(g, rule, match->channel, match->model);
    for (size_t i = 0; i < rule->hop_count; i++)
        add_hop(g, rule, &rule->hops[i]);
    if (rule->hop_count == 0 && match->channel.len == 0)
        add_hop(g, rule, &anywhere);
}

/* ---- rules -------------------------------------------------------------------- */

static void
pass_by(struct deciding *g, const struct rule *rule, const char *why)
{
    struct decision *d = g->d;

    if (d->passed_count == DECIDE_PASSED_MAX)
        return;
    d->passed[d->passed_count++] = (struct passed){ rule,
        rx_arena_copy(g->arena, (rx_str){ why, strlen(why) }) };
}

static bool
refuse_strictly(struct deciding *g, const struct rule *rule)
{
    struct route_plan *plan = &g->d->plan;
    char words[sizeof(plan->words)];

    snprintf(words, sizeof(words),
        "rule '" RX_STR_FMT "' leaves no usable channel: %.150s",
        (int)(rule->name.len < 64 ? rule->name.len : 64), rule->name.ptr,
        plan->words);
    memcpy(plan->words, words, sizeof(words));
    if (plan->refusal != REFUSE_NOT_ALLOWED && plan->refusal != REFUSE_LIMITED)
        plan->refusal = REFUSE_NO_CHANNEL;
    return false;
}

/* False: go on with the next rule. */
static bool
take_rule(
    struct deciding *g, const struct rule *rule, const struct rule_match *match)
{
    char why[200];

    g->d->plan.count = 0;
    g->d->plan.words[0] = '\0';
    g->d->plan.refusal = REFUSE_NO_CHANNEL;
    g->d->plan.until_ms = 0;
    add_targets(g, rule, match);
    if (g->d->plan.count == 0 && rule->strict) {
        g->panic = true;
        add_targets(g, rule, match);
    }
    if (g->d->plan.count > 0 || rule->strict) {
        g->d->rule = rule;
        return true;
    }
    snprintf(why, sizeof(why), "%.150s",
        g->d->plan.words[0] != '\0' ? g->d->plan.words
                                    : "its channels are not there");
    pass_by(g, rule, why);
    return false;
}

/* Could it not be told, that is said, and it does not hold. */
static bool
holds(struct deciding *g, const struct rule *rule, struct rule_match *match)
{
    enum rule_answer answer = rule_ask(rule, &g->r->subject, match);

    if (answer == RULE_TROUBLE) {
        g->d->troubles++;
        pass_by(g, rule, match->trouble);
        rx_warn("rule.skipped", "rule=%s why=%s", rx_log_quote_str(rule->name),
            rx_log_quote(match->trouble));
    }
    return answer == RULE_YES;
}

/*
 * Whose prompt it holds, whatever decides where it goes.  Afterwards agents
 * before g->agent are known not to be it.
 */
static void
recognise_agent(struct deciding *g, const struct ruleset *set)
{
    struct rule_walk *walk = rule_walk_begin(set->agents, &g->r->subject);
    struct rule_match match;
    size_t number;

    while (g->agent == NULL && rule_walk_next(walk, &number)) {
        const struct rule *rule = &set->rules[number];
        if (!holds(g, rule, &match))
            continue;
        g->agent = rule;
        g->d->agent = rule->agent;
    }
    rule_walk_end(walk);
}

/* It holds, and has somebody to offer. */
static bool
decides(struct deciding *g, const struct rule *rule)
{
    struct rule_match match = { 0 };

    if (rule->agent.len > 0 && (g->agent == NULL || rule < g->agent))
        return false;
    return (rule == g->agent || holds(g, rule, &match)) &&
           take_rule(g, rule, &match);
}

/* The first that does. */
static bool
ask_rules(struct deciding *g, const struct ruleset *set)
{
    struct rule_walk *walk = rule_walk_begin(set->index, &g->r->subject);
    bool decided = false;
    size_t number;

    while (!decided && rule_walk_next(walk, &number)) {
        g->d->asked = set->rules[number].rank;
        decided = decides(g, &set->rules[number]);
    }
    if (!decided)
        g->d->asked = set->rules[set->rule_count - 1].rank;
    rule_walk_end(walk);
    return decided;
}

/* What would be there without rules, for functions to choose from. */
static void
put_candidates(void *arg, struct rx_script *s)
{
    struct deciding *g = arg;
    struct route_plan *plan = rx_arena_make(g->arena, struct route_plan, 1);
    const struct channel *last = NULL;

    if (plan == NULL || !route_plan(plan, &g->r->route))
        return;
    for (size_t i = 0; i < plan->count; i++) {
        const struct candidate *c = &plan->candidates[i];
        if (c->channel == last)
            continue; /* another key of it */
        last = c->channel;
        rx_script_open(s, NULL);
        rx_script_put_str(s, "channel", last->name);
        rx_script_put_str(s, "type", last->type);
        rx_script_put_str(s, "model", c->model);
        rx_script_put_number(s, "priority", last->priority);
        rx_script_put_number(s, "weight", last->weight);
        rx_script_close(s);
    }
}

/* Rules are about conversations; NULL: there are none about this request. */
static const struct ruleset *
rules_for(const struct decide_request *r)
{
    const struct ruleset *set = r->route.snapshot->rules;
    enum operation op = r->route.op;

    if (set == NULL || set->rule_count == 0)
        return NULL;
    return op == OP_CREATE || op == OP_COUNT || op == OP_COMPLETE ? set : NULL;
}

/* What a sub-agent was given; false when nobody serves it. */
static bool
take_agent_model(struct deciding *g)
{
    struct route_request route = g->r->route;

    route.model = g->r->agent_model;
    if (!route_plan(&g->d->plan, &route)) {
        pass_by(g, NULL, g->d->plan.words);
        return false;
    }
    g->d->by_agent = true;
    g->d->model = route.model;
    return true;
}

bool
decide(struct decision *d, struct decide_request *r, struct rx_arena *arena)
{
    struct deciding g = { .d = d, .r = r, .arena = arena };

    memset(d, 0, sizeof(*d));
    d->model = r->route.model;
    const struct ruleset *set = rules_for(r);
    if (set != NULL && set->agent_count > 0)
        recognise_agent(&g, set);
    if (r->route.forced.len == 0 && r->route.home == NULL &&
        r->agent_model.len > 0 && take_agent_model(&g))
        return true;
    d->direct = r->route.forced.len > 0 || r->route.home != NULL ||
                route_names_channel(&r->route);
    if (!d->direct && set != NULL &&
        route_key_allows_model(r->route.key, r->route.model)) {
        g.scratch = rx_arena_make(arena, struct route_plan, 1);
        r->subject.put_candidates = put_candidates;
        r->subject.put_arg = &g;
        if (g.scratch != NULL && ask_rules(&g, set))
            return d->plan.count > 0 || refuse_strictly(&g, d->rule);
    }
    return route_plan(&d->plan, &r->route);
}

/* ---- what is kept of it ----------------------------------------------------------- */

static void
put_rule(struct rx_json_out *w, const char *key, const struct rule *rule)
{
    rx_json_open_object(w, key);
    rx_json_put_str(w, "id", rule->id);
    rx_json_put_str(w, "name", rule->name);
    rx_json_close(w);
}

static rx_str
cut(rx_str s, size_t most)
{
    return (rx_str){ s.ptr, s.len < most ? s.len : most };
}

static void
put_trace(const struct decision *d, struct rx_buf *out, size_t passed,
    size_t candidates)
{
    struct rx_json_out w = rx_json_out(out);

    rx_json_open_object(&w, NULL);
    if (d->rule != NULL)
        put_rule(&w, "rule", d->rule);
    if (d->direct)
        rx_json_put_text(&w, "chosen_by", "client");
    else if (d->by_agent)
        rx_json_put_text(&w, "chosen_by", "subagent");
    if (d->asked > 0)
        rx_json_put_u64(&w, "rules_asked", d->asked);
    if (passed > 0)
        rx_json_open_array(&w, "passed");
    for (size_t i = 0; i < passed; i++) {
        rx_json_open_object(&w, NULL);
        if (d->passed[i].rule != NULL)
            rx_json_put_str(&w, "rule", d->passed[i].rule->name);
        rx_json_put_str(&w, "why", cut(d->passed[i].why, 80));
        rx_json_close(&w);
    }
    if (passed > 0)
        rx_json_close(&w);
    rx_json_open_array(&w, "candidates");
    for (size_t i = 0; i < candidates; i++)
        rx_json_put_str(&w, NULL, d->plan.candidates[i].channel->name);
    rx_json_close(&w);
    rx_json_close(&w);
}

void
decision_trace(const struct decision *d, struct rx_buf *out)
{
    /* Names may be long; then there are fewer of them. */
    for (size_t most = 8;; most /= 2) {
        size_t from = out->len;
        put_trace(d, out, d->passed_count < most ? d->passed_count : most,
            d->plan.count < most ? d->plan.count : most);
        if (out->len - from <= DECISION_TRACE_MAX || most == 0)
            return;
        out->len = from;
    }
}
