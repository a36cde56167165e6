#include "dataplane/route.h"

#include <stdio.h>
#include <string.h>

#include "dataplane/availability.h"
#include "dataplane/choose.h"
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

bool
route_map_model(const struct channel *channel, rx_str model, rx_str *upstream)
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

static bool
some_channel_lists(const struct snapshot *s, rx_str model)
{
    rx_str upstream;

    for (size_t i = 0; i < s->channel_count; i++) {
        if (s->channels[i].model_count > 0 &&
            route_map_model(&s->channels[i], model, &upstream))
            return true;
    }
    return false;
}

/*
 * "channel,model" always names a channel; "channel/model" does unless the whole
 * is a model some channel lists, as aggregators' names have slashes, too.
 */
static struct route_wanted
read_model(const struct route_request *r)
{
    struct route_wanted w = { .model = r->model, .only = r->only };
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

bool
route_names_channel(const struct route_request *request)
{
    return read_model(request).only != NULL;
}

enum route_reason
route_reason_of(
    const struct channel *channel, const struct route_request *request)
{
    struct route_wanted w = read_model(request);
    struct choice unused;

    return availability_of_channel(channel, request, &w, &unused);
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
    const struct route_wanted *w)
{
    bool serves = false; /* some channel has the model, but is out */
    size_t n = (size_t)snprintf(plan->words, sizeof(plan->words),
        "no channel can serve model '" RX_STR_FMT "' in the %s dialect",
        (int)(w->model.len < 80 ? w->model.len : 80), w->model.ptr,
        dialect_name(r->dialect));

    for (size_t i = 0; i < r->snapshot->channel_count; i++) {
        const struct channel *c = &r->snapshot->channels[i];
        struct choice unused;
        enum route_reason why = availability_of_channel(c, r, w, &unused);
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
force_channel(struct route_plan *plan, const struct route_request *r,
    struct route_wanted *w)
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

/* All that may be used; false when the arena has no room for them. */
static bool
make_shortlist(struct shortlist *list, const struct route_request *r,
    const struct route_wanted *w, struct rx_arena *arena)
{
    const struct snapshot *s = r->snapshot;
    struct choice *choices =
        rx_arena_make(arena, struct choice, s->channel_count);
    size_t n = 0;

    if (choices == NULL)
        return false;
    for (size_t i = 0; i < s->channel_count; i++) {
        if (availability_of_channel(&s->channels[i], r, w, &choices[n]) ==
            ROUTE_OK)
            n++;
    }
    n = drop_guesses(choices, n, r->dialect);
    return shortlist_make(list, choices, n, w->model, arena);
}

static bool
plan_list(struct route_plan *plan, const struct route_request *r,
    const struct route_wanted *w, const struct shortlist *list)
{
    return list->count > 0 ? choose(plan, r, w->model, list)
                           : refuse_with_reasons(plan, r, w);
}

static bool
plan_anew(struct route_plan *plan, const struct route_request *r,
    const struct route_wanted *w, const struct shortlist_key *keep)
{
    struct rx_arena *scratch = rx_arena_new(CHOICES_MAX);
    struct shortlist list;
    bool found;

    if (!make_shortlist(&list, r, w, scratch)) {
        found = refuse(plan, REFUSE_INTERNAL, "too many channels");
    } else {
        if (keep != NULL)
            shortlist_keep(r->snapshot->shortlists, keep, &list);
        found = plan_list(plan, r, w, &list);
    }
    rx_arena_free(scratch);
    return found;
}

static bool
plan_choices(struct route_plan *plan, const struct route_request *r,
    const struct route_wanted *w)
{
    struct shortlist_key key = { r->key, r->dialect, r->op, w->model };

    if (w->only != NULL || r->tag.len > 0)
        return plan_anew(plan, r, w, NULL);
    const struct shortlist *kept =
        shortlist_find(r->snapshot->shortlists, &key);
    return kept != NULL ? plan_list(plan, r, w, kept)
                        : plan_anew(plan, r, w, &key);
}

bool
route_plan(struct route_plan *plan, const struct route_request *r)
{
    const struct snapshot *s = r->snapshot;
    struct route_wanted w = read_model(r);

    plan->count = 0;
    plan->foreign = plan->panic = plan->pinned = plan->pin_lost = false;
    plan->until_ms = 0;
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
