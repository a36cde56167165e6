/*
 * Each part a message touches is read anew into an arena of its own.  An item
 * that cannot be used is noted with its reason, and the bytes that were last in
 * force are read instead.
 */
#include "dataplane/snapshot_build.h"

#include <stdlib.h>
#include <string.h>

#include "dataplane/shortlist.h"
#include "dataplane/snapshot_draft.h"

#define ARENA_BASE ((size_t)1024 * 1024)
#define ARENA_PER  ((size_t)64) /* times the packed bytes, at most */

const enum part_id snapshot_part_of[ITEM_KINDS] = {
    [ITEM_CHANNEL] = PART_CHANNELS,
    [ITEM_TENANT] = PART_DIRECTORY,
    [ITEM_KEY] = PART_DIRECTORY,
    [ITEM_SETTINGS] = PART_SETTINGS,
    [ITEM_RULE] = PART_RULES,
    [ITEM_FUNCTION] = PART_RULES,
};

void *
snapshot_alloc(void *old, size_t size)
{
    void *p = realloc(old, size > 0 ? size : 1);

    if (p == NULL)
        abort();
    return p;
}

/* ---- reading a part ---------------------------------------------------- */

static void
reject(struct reading *r, enum item_kind kind, const struct item *item,
    const char *reason)
{
    struct part *p = r->part;
    const char *name = item_kind_name(kind);

    if (p->rejected_count == r->rejected_size) {
        size_t size = r->rejected_size > 0 ? r->rejected_size * 2 : 8;
        struct rejected *more = rx_arena_make(p->arena, struct rejected, size);
        if (more == NULL) {
            r->full = true;
            return;
        }
        if (p->rejected_count > 0)
            memcpy(more, p->rejected, p->rejected_count * sizeof(*more));
        p->rejected = more;
        r->rejected_size = size;
    }
    p->rejected[p->rejected_count++] = (struct rejected){
        .kind = { name, strlen(name) },
        .id = item->id,
        .name = wire_item_name(kind, item->bytes),
        .reason = rx_arena_copy(p->arena, (rx_str){ reason, strlen(reason) }),
    };
}

/* The bytes last in force under this id, before this message. */
static rx_str
last_good(struct reading *r, enum item_kind kind, rx_str id)
{
    if (r->previous == NULL)
        return (rx_str){ 0 };
    const struct shelf *old =
        &r->previous->parts[snapshot_part_of[kind]]->shelf[kind];
    if (r->before[kind] == NULL) {
        r->before[kind] = rx_map_new();
        for (size_t i = 0; i < old->count; i++)
            rx_map_put(r->before[kind], old->items[i].id, &old->items[i]);
    }
    const struct item *before = rx_map_get(r->before[kind], id);
    return before != NULL ? before->good : (rx_str){ 0 };
}

static enum rx_code
read_channel(struct reading *r, rx_str bytes, struct rx_err *err)
{
    struct part *p = r->part;
    struct channel *c = &p->channels[p->channel_count];
    enum rx_code code = wire_read_channel(bytes, r->defaults, p->arena, c, err);

    if (code == RX_OK)
        p->channel_count++;
    return code;
}

static enum rx_code
read_settings(struct reading *r, rx_str bytes, struct rx_err *err)
{
    return wire_read_settings(bytes, r->part->arena, &r->part->settings, err);
}

static enum rx_code
read_rule(struct reading *r, rx_str bytes, struct rx_err *err)
{
    struct rule rule;
    enum rx_code code = wire_read_rule(bytes, r->part->arena, &rule, err);

    return code == RX_OK ? ruleset_add(&r->part->rules, &rule, err) : code;
}

static enum rx_code
read_function(struct reading *r, rx_str bytes, struct rx_err *err)
{
    struct function f;
    enum rx_code code = wire_read_function(bytes, r->part->arena, &f, err);

    return code == RX_OK ? ruleset_add_function(&r->part->rules, &f, err)
                         : code;
}

static enum rx_code (*const readers[ITEM_KINDS])(
    struct reading *r, rx_str bytes, struct rx_err *err) = {
    [ITEM_CHANNEL] = read_channel,
    [ITEM_TENANT] = snapshot_read_tenant,
    [ITEM_KEY] = snapshot_read_key,
    [ITEM_SETTINGS] = read_settings,
    [ITEM_RULE] = read_rule,
    [ITEM_FUNCTION] = read_function,
};

/* Read one item, or what it was when it was last good. */
static void
read_item(struct reading *r, enum item_kind kind, struct item *item)
{
    struct rx_err err = { 0 };
    enum rx_code code = readers[kind](r, item->bytes, &err);

    r->full = r->full || code == RX_TOO_BIG;
    if (code == RX_OK || r->full) {
        item->good = item->bytes;
        return;
    }
    reject(r, kind, item, err.text);
    /* A kept item remembers; a new one asks what was there before it. */
    rx_str good = item->good.ptr != item->bytes.ptr
                      ? item->good
                      : last_good(r, kind, item->id);
    item->good = rx_arena_copy(r->part->arena, good);
    if (item->good.len > 0 && readers[kind](r, item->good, NULL) != RX_OK)
        item->good = (rx_str){ 0 };
}

bool
snapshot_read_shelf(
    struct reading *r, enum item_kind kind, const struct pile *pile)
{
    struct part *p = r->part;
    struct shelf *shelf = &p->shelf[kind];

    shelf->items = rx_arena_make(p->arena, struct item, pile->count);
    if (shelf->items == NULL)
        return false;
    for (size_t i = 0; i < pile->count && !r->full; i++) {
        struct item *item = &shelf->items[i];
        rx_str bytes = rx_arena_copy(p->arena, pile->items[i].bytes);
        if (bytes.ptr == NULL)
            return false;
        bool same = pile->items[i].good.ptr == pile->items[i].bytes.ptr;
        *item = (struct item){ wire_item_id(kind, bytes), bytes,
            same ? bytes : pile->items[i].good };
        rx_tally_add(&p->tally, kind, bytes);
        shelf->count++;
        read_item(r, kind, item);
    }
    return !r->full;
}

/* ---- the three parts --------------------------------------------------- */

static struct part *
part_new(const struct draft *d)
{
    struct part *p = snapshot_alloc(NULL, sizeof(*p));

    memset(p, 0, sizeof(*p));
    atomic_init(&p->refs, 1);
    p->arena = rx_arena_new(ARENA_BASE + ARENA_PER * d->bytes);
    return p;
}

static bool
build_settings(struct reading *r, const struct draft *d)
{
    r->part->settings = wire_default_settings();
    return snapshot_read_shelf(r, ITEM_SETTINGS, &d->piles[ITEM_SETTINGS]);
}

static int
by_priority(const void *a, const void *b)
{
    const struct channel *x = a;
    const struct channel *y = b;

    if (x->priority != y->priority)
        return x->priority > y->priority ? -1 : 1;
    size_t n = x->name.len < y->name.len ? x->name.len : y->name.len;
    int order = n > 0 ? memcmp(x->name.ptr, y->name.ptr, n) : 0;
    if (order != 0)
        return order;
    return x->name.len < y->name.len ? -1 : x->name.len > y->name.len;
}

static bool
build_channels(struct reading *r, const struct draft *d)
{
    struct part *p = r->part;
    const struct pile *pile = &d->piles[ITEM_CHANNEL];

    p->channels = rx_arena_make(p->arena, struct channel, pile->count + 1);
    if (p->channels == NULL || !snapshot_read_shelf(r, ITEM_CHANNEL, pile))
        return false;
    if (p->channel_count > 1)
        qsort(p->channels, p->channel_count, sizeof(*p->channels), by_priority);
    /* An id is found before a name that looks like it. */
    p->by_name = rx_map_new();
    for (size_t i = p->channel_count; i-- > 0;) {
        p->channels[i].index = i;
        rx_map_put(p->by_name, p->channels[i].name, &p->channels[i]);
    }
    for (size_t i = p->channel_count; i-- > 0;)
        rx_map_put(p->by_name, p->channels[i].id, &p->channels[i]);
    return true;
}

/* Functions first: a rule that names none there is, cannot be used. */
static bool
build_rules(struct reading *r, const struct draft *d)
{
    const struct pile *functions = &d->piles[ITEM_FUNCTION];
    const struct pile *rules = &d->piles[ITEM_RULE];

    if (!ruleset_init(
            &r->part->rules, r->part->arena, functions->count, rules->count) ||
        !snapshot_read_shelf(r, ITEM_FUNCTION, functions) ||
        !snapshot_read_shelf(r, ITEM_RULE, rules))
        return false;
    return ruleset_finish(&r->part->rules, r->part->arena);
}

static bool (*const builders[PARTS])(
    struct reading *r, const struct draft *d) = {
    [PART_SETTINGS] = build_settings,
    [PART_CHANNELS] = build_channels,
    [PART_DIRECTORY] = snapshot_build_directory,
    [PART_RULES] = build_rules,
};

static struct part *
part_build(const struct draft *d, enum part_id id, const struct settings *s)
{
    struct reading r = {
        .part = part_new(d),
        .previous = d->previous,
        .defaults = s != NULL ? &s->timeouts : NULL,
    };
    bool ok = builders[id](&r, d);

    for (size_t k = 0; k < ITEM_KINDS; k++)
        rx_map_free(r.before[k], NULL);
    if (ok)
        return r.part;
    part_release(r.part);
    return NULL;
}

/* ---- the whole --------------------------------------------------------- */

static void
gather_rejected(struct whole *w)
{
    size_t n = 0;

    for (size_t i = 0; i < PARTS; i++)
        n += w->parts[i]->rejected_count;
    w->rejected = snapshot_alloc(NULL, n * sizeof(*w->rejected));
    for (size_t i = 0; i < PARTS; i++) {
        const struct part *p = w->parts[i];
        if (p->rejected_count > 0)
            memcpy(w->rejected + w->pub.rejected_count, p->rejected,
                p->rejected_count * sizeof(*p->rejected));
        w->pub.rejected_count += p->rejected_count;
    }
    w->pub.rejected = w->rejected;
}

static void
publish(struct whole *w)
{
    const struct part *channels = w->parts[PART_CHANNELS];
    const struct part *directory = w->parts[PART_DIRECTORY];
    struct rx_tally tally = { 0 };

    for (size_t i = 0; i < PARTS; i++)
        rx_tally_join(&tally, &w->parts[i]->tally);
    w->pub.state = rx_tally_digest(&tally);
    w->pub.channels = channels->channels;
    w->pub.channel_count = channels->channel_count;
    w->pub.shortlists =
        shortlists_new(channels->channels, channels->channel_count);
    w->pub.tenants = directory->tenants;
    w->pub.tenant_count = directory->tenant_count;
    w->pub.key_count = directory->key_count;
    w->pub.rules = &w->parts[PART_RULES]->rules;
    w->pub.settings = w->parts[PART_SETTINGS]->settings;
    gather_rejected(w);
}

static enum rx_code
assemble(const struct draft *d, uint64_t epoch, uint64_t version,
    const struct snapshot **out, struct rx_err *err)
{
    struct whole *w = snapshot_alloc(NULL, sizeof(*w));

    memset(w, 0, sizeof(*w));
    w->refs = 1;
    w->pub.epoch = epoch;
    w->pub.version = version;
    for (size_t i = 0; i < PARTS; i++) {
        if (d->touched[i]) {
            const struct part *settings = w->parts[PART_SETTINGS];
            w->parts[i] = part_build(
                d, (enum part_id)i, settings ? &settings->settings : NULL);
        } else {
            w->parts[i] = d->previous->parts[i];
            atomic_fetch_add(&w->parts[i]->refs, 1);
        }
        if (w->parts[i] == NULL) {
            snapshot_unpin(&w->pub);
            return rx_fail(err, RX_TOO_BIG, "snapshot too big");
        }
    }
    publish(w);
    *out = &w->pub;
    return RX_OK;
}

enum rx_code
snapshot_from_full(const struct snapshot *previous, uint64_t epoch,
    uint64_t version, rx_str message, const struct snapshot **out,
    struct rx_err *err)
{
    struct draft d = { 0 };

    *out = NULL;
    if (previous != NULL)
        d.previous = whole_of(previous);
    enum rx_code code = draft_full(&d, message, err);
    if (code == RX_OK)
        code = assemble(&d, epoch, version, out, err);
    draft_fini(&d);
    return code;
}

static enum rx_code
check_result(
    const struct draft *d, const struct snapshot **out, struct rx_err *err)
{
    if (d->digest.len == RX_DIGEST_SIZE &&
        memcmp(d->digest.ptr, (*out)->state.bytes, RX_DIGEST_SIZE) == 0)
        return RX_OK;
    snapshot_unpin(*out);
    *out = NULL;
    return rx_fail(err, RX_CONFLICT, "digest differs after the delta");
}

enum rx_code
snapshot_from_delta(const struct snapshot *previous, uint64_t epoch,
    uint64_t version, rx_str message, const struct snapshot **out,
    struct rx_err *err)
{
    struct draft d = { .previous = whole_of(previous) };

    *out = NULL;
    enum rx_code code = draft_delta(&d, message, err);
    if (code == RX_OK &&
        (epoch != previous->epoch || d.from != previous->version))
        code = rx_fail(err, RX_CONFLICT, "delta from another version");
    if (code == RX_OK) {
        /* Channels take their default time limits from the settings. */
        if (d.touched[PART_SETTINGS])
            d.touched[PART_CHANNELS] = true;
        draft_keep(&d);
        code = assemble(&d, epoch, version, out, err);
    }
    if (code == RX_OK)
        code = check_result(&d, out, err);
    draft_fini(&d);
    return code;
}

static bool
pack_items(const struct snapshot *s, struct rx_buf *out, bool good)
{
    for (unsigned k = 0; k < ITEM_KINDS; k++) {
        const struct shelf *shelf =
            &whole_of(s)->parts[snapshot_part_of[k]]->shelf[k];
        for (size_t i = 0; i < shelf->count; i++) {
            const struct item *item = &shelf->items[i];
            rx_str bytes = good ? item->good : item->bytes;
            if (bytes.len > 0 || !good)
                wire_add_item(out, (enum item_kind)k, bytes);
        }
    }
    return !out->full;
}

bool
snapshot_pack(const struct snapshot *s, struct rx_buf *out)
{
    return pack_items(s, out, false);
}

bool
snapshot_pack_good(const struct snapshot *s, struct rx_buf *out)
{
    return pack_items(s, out, true);
}
