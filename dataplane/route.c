#include "dataplane/route.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/availability.h"
#include "dataplane/choose.h"
#include "dataplane/shortlist.h"
#include "dataplane/strategy.h"

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

    if (s->shortlists != NULL)
        return shortlists_have_model(s->shortlists, model);
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

/* All that may be used; where only one is wanted, the others need no look. */
static size_t
find_choices(struct choice *choices, const struct route_request *r,
    const struct route_wanted *w)
{
    const struct snapshot *s = r->snapshot;
    const struct channel *from = w->only != NULL ? w->only : s->channels;
    size_t count = w->only != NULL ? 1 : s->channel_count;
    size_t n = 0;

    for (size_t i = 0; i < count; i++) {
        if (availability_of_channel(&from[i], r, w, &choices[n]) == ROUTE_OK)
            n++;
    }
    return drop_guesses(choices, n, r->dialect);
}

static bool
plan_list(struct route_plan *plan, const struct route_request *r,
    const struct route_wanted *w, const struct shortlist *list)
{
    return list->count > 0 ? choose(plan, r, w->model, list)
                           : refuse_with_reasons(plan, r, w);
}

/* A list for this request alone. */
static bool
plan_once(struct route_plan *plan, const struct route_request *r,
    const struct route_wanted *w, const struct choice *choices, size_t n)
{
    struct rx_arena *scratch = rx_arena_new(CHOICES_MAX);
    struct shortlist_wish wish = { strategy_layout(choose_strategy(r)),
        r->dialect, w->model, r->snapshot->settings.tariff };
    struct shortlist list;
    bool found;

    if (shortlist_make(&list, choices, n, &wish, scratch))
        found = plan_list(plan, r, w, &list);
    else
        found = refuse(plan, REFUSE_INTERNAL, "too many channels");
    rx_arena_free(scratch);
    return found;
}

static bool
plan_only(struct route_plan *plan, const struct route_request *r,
    const struct route_wanted *w)
{
    struct choice one;

    return plan_once(plan, r, w, &one, find_choices(&one, r, w));
}

static size_t
count_places(const struct choice *choices, size_t n)
{
    size_t count = 0;

    for (size_t i = 0; i < n; i++)
        count += choices[i].channel->credential_count + 1;
    return count;
}

static bool
plan_anew(struct route_plan *plan, const struct route_request *r,
    const struct route_wanted *w, const struct shortlist_key *key)
{
    struct shortlists *all = r->snapshot->shortlists;
    struct choice *choices =
        calloc(r->snapshot->channel_count, sizeof(*choices));
    struct shortlist_wish wish = { key->layout, r->dialect, w->model,
        r->snapshot->settings.tariff };
    struct shortlist list;
    bool found;

    if (choices == NULL)
        abort();
    size_t n = find_choices(choices, r, w);
    struct rx_arena *room = shortlist_room(all, key, count_places(choices, n));
    if (room != NULL && shortlist_make(&list, choices, n, &wish, room))
        found = plan_list(plan, r, w, shortlist_keep(all, key, &list));
    else
        found = plan_once(plan, r, w, choices, n);
    free(choices);
    return found;
}

/*
 * Models that no channel lists are all alike, but for what they cost: clients
 * make up their names, and the list of all channels is long.
 */
static const struct shortlist *
find_unlisted(
    struct shortlists *all, const struct shortlist_key *key, bool *unlisted)
{
    struct shortlist_key any = *key;

    *unlisted = all != NULL && key->layout != LAYOUT_PRICE &&
                key->model.len > 0 && !shortlists_have_model(all, key->model);
    if (!*unlisted)
        return NULL;
    any.unlisted = true;
    const struct shortlist *kept = shortlist_find(all, &any);
    if (kept != NULL)
        shortlist_keep_too(all, key, kept);
    return kept;
}

static bool
plan_choices(struct route_plan *plan, const struct route_request *r,
    const struct route_wanted *w)
{
    struct shortlists *all = r->snapshot->shortlists;
    struct shortlist_key key = { .key = r->key,
        .dialect = r->dialect,
        .op = r->op,
        .layout = strategy_layout(choose_strategy(r)),
        .tag = r->tag,
        .model = w->model };

    if (w->only != NULL)
        return plan_only(plan, r, w);
    const struct shortlist *kept = shortlist_find(all, &key);
    if (kept == NULL)
        kept = find_unlisted(all, &key, &key.unlisted);
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
