#include "dataplane/route.h"

#include <stdio.h>
#include <string.h>

#include "dataplane/codec/translate.h"
#include "dataplane/record.h"
#include "dataplane/shortlist.h"

#define CHOICES_MAX ((size_t)64 * 1024 * 1024) /* bytes */

static const char *const reason_words[] = {
#define ROUTE_WORDS(id, words) words,
    ROUTE_REASONS(ROUTE_WORDS)
#undef ROUTE_WORDS
};

const char *
route_reason_words(enum route_reason reason)
{
    return reason_words[reason];
}

static bool
any_fits(const rx_str *patterns, size_t count, rx_str name)
{
    for (size_t i = 0; i < count; i++) {
        if (snapshot_pattern_fits(patterns[i], name))
            return true;
    }
    return count == 0;
}

bool
route_key_allows_model(const struct client_key *key, rx_str model)
{
    return any_fits(key->models, key->model_count, model) &&
           any_fits(key->tenant->models, key->tenant->model_count, model);
}

static bool
lists_channel(const rx_str *names, size_t count, const struct channel *c)
{
    return any_fits(names, count, c->name) || any_fits(names, count, c->id);
}

bool
route_key_allows_channel(
    const struct client_key *key, const struct channel *channel)
{
    return lists_channel(key->channels, key->channel_count, channel) &&
           lists_channel(
               key->tenant->channels, key->tenant->channel_count, channel);
}

/*
 * What `channel` calls the model; false when it does not serve it.  An exact
 * name beats a pattern wherever it stands in the list.
 */
static bool
map_model(const struct channel *channel, rx_str model, rx_str *upstream)
{
    const struct model_entry *fit = NULL;

    *upstream = model;
    if (channel->model_count == 0 || model.len == 0)
        return true;
    for (size_t i = 0; i < channel->model_count; i++) {
        const struct model_entry *e = &channel->models[i];
        if (rx_str_eq(e->name, model)) {
            fit = e;
            break;
        }
        if (fit == NULL && snapshot_pattern_fits(e->name, model))
            fit = e;
    }
    if (fit == NULL)
        return false;
    if (fit->upstream.len > 0)
        *upstream = fit->upstream;
    return true;
}

/* What the client's `model` and x-routex-channel come to. */
struct wanted {
    rx_str model;
    const struct channel *only; /* NULL: any channel */
};

static bool
some_channel_lists(const struct snapshot *s, rx_str model)
{
    rx_str upstream;

    for (size_t i = 0; i < s->channel_count; i++) {
        if (s->channels[i].model_count > 0 &&
            map_model(&s->channels[i], model, &upstream))
            return true;
    }
    return false;
}

/*
 * "channel,model" always names a channel; "channel/model" does unless the whole
 * is a model some channel lists, as aggregators' names have slashes, too.
 */
static struct wanted
read_model(const struct route_request *r)
{
    struct wanted w = { .model = r->model, .only = r->only };
    rx_str left;
    rx_str right;

    if (r->rewritten || r->only != NULL)
        return w;
    if (rx_str_cut(r->model, ',', &left, &right) ||
        (rx_str_cut(r->model, '/', &left, &right) &&
            !some_channel_lists(r->snapshot, r->model))) {
        const struct channel *c =
            snapshot_find_channel(r->snapshot, rx_str_trim(left));
        if (c != NULL) {
            w.only = c;
            w.model = rx_str_trim(right);
        }
    }
    return w;
}

/*
 * The endpoint for a request: of the client's dialect if there is one, else the
 * first that can be translated to.
 */
static bool
find_endpoint(const struct channel *c, const struct route_request *r,
    enum dialect *dialect)
{
    *dialect = r->dialect;
    if (c->endpoints[r->dialect].present)
        return true;
    if (r->op != OP_CREATE)
        return false;
    for (int d = 0; d < DIALECT_COUNT; d++) {
        *dialect = (enum dialect)d;
        if (c->endpoints[d].present && translate_can(r->dialect, *dialect))
            return true;
    }
    return false;
}

bool
route_names_channel(const struct route_request *request)
{
    return read_model(request).only != NULL;
}

static bool
is_tagged(const struct channel *c, rx_str tag)
{
    for (size_t i = 0; i < c->tag_count; i++) {
        if (rx_str_eq(c->tags[i], tag))
            return true;
    }
    return tag.len == 0;
}

/* The one place that says whether a channel may be used for a request. */
static enum route_reason
availability(const struct channel *c, const struct route_request *r,
    const struct wanted *w, struct choice *out)
{
    out->channel = c;
    if (w->only != NULL && w->only != c)
        return r->only != NULL ? ROUTE_NOT_TARGET : ROUTE_NOT_FORCED;
    if (!is_tagged(c, r->tag))
        return ROUTE_NOT_TARGET;
    if (!route_key_allows_channel(r->key, c))
        return ROUTE_NOT_ALLOWED;
    if (!map_model(c, w->model, &out->model))
        return ROUTE_MODEL;
    if (!find_endpoint(c, r, &out->dialect))
        return ROUTE_DIALECT;
    if (!c->enabled)
        return ROUTE_DISABLED;
    if (c->paused)
        return ROUTE_PAUSED;
    if (c->credential_count == 0 &&
        c->endpoints[out->dialect].auth != AUTH_NONE)
        return ROUTE_NO_CREDENTIAL;
    return ROUTE_OK;
}

enum route_reason
route_reason_of(
    const struct channel *channel, const struct route_request *request)
{
    struct wanted w = read_model(request);
    struct choice unused;

    return availability(channel, request, &w, &unused);
}

static uint64_t
next_dice(uint64_t *state)
{
    /* SplitMix64 (Steele, Lea, Flood): good enough to share out load. */
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/*
 * Order the first `most` of one priority tier: draw without replacement in
 * proportion to weight; weight zero comes last.
 */
static void
shuffle_tier(struct choice *tier, size_t n, size_t most, uint64_t *dice)
{
    uint64_t total = 0;

    for (size_t i = 0; i < n; i++)
        total += tier[i].channel->weight;
    for (size_t at = 0; at < most && at + 1 < n && total > 0; at++) {
        uint64_t draw = next_dice(dice) % total;
        size_t i = at;
        while (draw >= tier[i].channel->weight)
            draw -= tier[i++].channel->weight;
        struct choice chosen = tier[i];
        tier[i] = tier[at];
        tier[at] = chosen;
        total -= chosen.channel->weight;
    }
}

/* Those that need no translation to the front; how many they are. */
static size_t
natives_first(struct choice *tier, size_t n, enum dialect dialect)
{
    size_t natives = 0;

    for (size_t i = 0; i < n; i++) {
        if (tier[i].dialect != dialect)
            continue;
        struct choice moved = tier[natives];
        tier[natives++] = tier[i];
        tier[i] = moved;
    }
    return natives;
}

/*
 * snapshot->channels are by priority already.  No more are drawn than can be
 * tried: drawing all of them costs the square of their number.
 */
static void
shuffle(struct choice *choices, size_t n, size_t most,
    const struct route_request *r)
{
    uint64_t dice = r->dice;

    for (size_t from = 0; from < n && from < most;) {
        size_t to = from + 1;
        while (to < n &&
               choices[to].channel->priority == choices[from].channel->priority)
            to++;
        size_t split =
            from + natives_first(choices + from, to - from, r->dialect);
        shuffle_tier(choices + from, split - from, most - from, &dice);
        if (split < most)
            shuffle_tier(choices + split, to - split, most - split, &dice);
        from = to;
    }
}

/*
 * A channel that takes any model name is asked for one in a foreign dialect
 * only where nobody speaks the client's: it hardly has that model.
 */
static size_t
drop_guesses(struct choice *choices, size_t n, enum dialect dialect)
{
    bool native = false;
    size_t kept = 0;

    for (size_t i = 0; i < n; i++)
        native = native || choices[i].dialect == dialect;
    for (size_t i = 0; i < n; i++) {
        if (native && choices[i].dialect != dialect &&
            choices[i].channel->model_count == 0)
            continue;
        choices[kept++] = choices[i];
    }
    return kept;
}

static void
add_candidate(struct route_plan *plan, const struct choice *choice,
    const struct credential *credential)
{
    if (plan->count == ROUTE_CANDIDATES_MAX)
        return;
    plan->candidates[plan->count++] =
        (struct candidate){ .channel = choice->channel,
            .credential = credential,
            .endpoint = &choice->channel->endpoints[choice->dialect],
            .dialect = choice->dialect,
            .model = choice->model };
}

/* Every key of a channel is a candidate; which one is first goes round. */
static void
add_keys(struct route_plan *plan, const struct choice *choice,
    const struct route_request *r)
{
    const struct channel *c = choice->channel;

    if (c->credential_count == 0)
        add_candidate(plan, choice, NULL);
    for (size_t i = 0; i < c->credential_count; i++) {
        size_t k = (size_t)((r->dice + i) % c->credential_count);
        add_candidate(plan, choice, &c->credentials[k]);
    }
}

static bool
refuse(struct route_plan *plan, enum refusal why, const char *words)
{
    plan->refusal = why;
    snprintf(plan->words, sizeof(plan->words), "%s", words);
    return false;
}

/* Name each channel that came close with its reason, as far as it fits. */
static bool
refuse_with_reasons(struct route_plan *plan, const struct route_request *r,
    const struct wanted *w)
{
    bool serves = false; /* some channel has the model, but is out */
    size_t n = (size_t)snprintf(plan->words, sizeof(plan->words),
        "no channel can serve model '" RX_STR_FMT "' in the %s dialect",
        (int)(w->model.len < 80 ? w->model.len : 80), w->model.ptr,
        dialect_name(r->dialect));

    for (size_t i = 0; i < r->snapshot->channel_count; i++) {
        const struct channel *c = &r->snapshot->channels[i];
        struct choice unused;
        enum route_reason why = availability(c, r, w, &unused);
        if (why == ROUTE_NOT_ALLOWED || why == ROUTE_NOT_FORCED ||
            why == ROUTE_NOT_TARGET)
            continue; /* not this client's business */
        serves = serves || (why != ROUTE_MODEL && why != ROUTE_DIALECT);
        plan->foreign = plan->foreign || why == ROUTE_DIALECT;
        if (n + 64 + c->name.len < sizeof(plan->words))
            n += (size_t)snprintf(plan->words + n, sizeof(plan->words) - n,
                "; " RX_STR_FMT " %s", RX_STR_ARG(c->name), reason_words[why]);
    }
    plan->refusal = serves ? REFUSE_NO_CHANNEL : REFUSE_NO_MODEL;
    return false;
}

static bool
force_channel(
    struct route_plan *plan, const struct route_request *r, struct wanted *w)
{
    if (r->forced.len == 0)
        return true;
    if (!r->key->may_force_channel)
        return refuse(plan, REFUSE_NOT_ALLOWED,
            "this key may not choose a channel (x-routex-channel)");
    w->only = snapshot_find_channel(r->snapshot, r->forced);
    if (w->only == NULL || !route_key_allows_channel(r->key, w->only))
        return refuse(plan, REFUSE_NOT_ALLOWED,
            "x-routex-channel: no such channel for this key");
    return true;
}

/* All channels that may be used; false when the arena has no room for them. */
static bool
list_choices(struct shortlist *list, const struct route_request *r,
    const struct wanted *w, struct rx_arena *arena)
{
    const struct snapshot *s = r->snapshot;
    struct shortlist_key key = { r->key, r->dialect, r->op, w->model };
    bool usual = w->only == NULL && r->tag.len == 0;

    if (usual && shortlist_find(s->shortlists, &key, arena, list))
        return true;
    list->choices = rx_arena_make(arena, struct choice, s->channel_count);
    list->count = 0;
    if (list->choices == NULL)
        return false;
    for (size_t i = 0; i < s->channel_count; i++) {
        struct choice *to = &list->choices[list->count];
        if (availability(&s->channels[i], r, w, to) == ROUTE_OK)
            list->count++;
    }
    list->count = drop_guesses(list->choices, list->count, r->dialect);
    if (usual)
        shortlist_keep(s->shortlists, &key, list);
    return true;
}

static size_t
most_attempts(const struct snapshot *s)
{
    uint32_t most = s->settings.max_attempts;

    return most > 0 && most < RECORD_ATTEMPTS_MAX ? most : RECORD_ATTEMPTS_MAX;
}

/* The list is large and the plan is not: the one goes, the other stays. */
static bool
plan_choices(struct route_plan *plan, const struct route_request *r,
    const struct wanted *w)
{
    struct rx_arena *scratch = rx_arena_new(CHOICES_MAX);
    struct shortlist list;

    if (!list_choices(&list, r, w, scratch)) {
        rx_arena_free(scratch);
        return refuse(plan, REFUSE_INTERNAL, "too many channels");
    }
    size_t most = most_attempts(r->snapshot);
    shuffle(list.choices, list.count, most, r);
    for (size_t i = 0; i < list.count && i < most; i++)
        add_keys(plan, &list.choices[i], r);
    rx_arena_free(scratch);
    return plan->count > 0 || refuse_with_reasons(plan, r, w);
}

bool
route_plan(struct route_plan *plan, const struct route_request *r)
{
    const struct snapshot *s = r->snapshot;
    struct wanted w = read_model(r);

    plan->count = 0;
    plan->foreign = false;
    if (!force_channel(plan, r, &w))
        return false;
    if (s->channel_count == 0)
        return refuse(plan, REFUSE_NO_CHANNEL, "no channel is configured");
    if (w.model.len > 0 && !r->rewritten &&
        !route_key_allows_model(r->key, w.model))
        return refuse(plan, REFUSE_NOT_ALLOWED,
            "model: this key may not use the model asked for");
    return plan_choices(plan, r, &w);
}
