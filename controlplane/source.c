#include "controlplane/source.h"

#include "controlplane/agents.h"
#include "controlplane/channel.h"
#include "controlplane/function.h"
#include "controlplane/key.h"
#include "controlplane/rule.h"
#include "controlplane/settings.h"
#include "controlplane/tenant.h"

/* Items are walked in pages, so that memory does not grow with their number. */
#define PAGE        100
#define ARENA_LIMIT ((size_t)64 << 20)

struct walk {
    struct store *store;
    void (*each)(void *user, const struct state_item *item);
    void *user;
    struct rx_err *err;
};

static enum rx_code
channel_page(struct walk *w, struct rx_arena *arena, rx_str after,
    struct rx_buf *last, size_t *count)
{
    struct channel *page[PAGE];
    enum rx_code code =
        channel_list(w->store, arena, after, PAGE, true, page, count, w->err);

    for (size_t i = 0; code == RX_OK && i < *count; i++) {
        struct state_item item = { .kind = STATE_CHANNEL };
        channel_state(page[i], arena, &item.channel);
        w->each(w->user, &item);
    }
    rx_buf_clear(last);
    if (code == RX_OK && *count > 0)
        rx_buf_add(last, page[*count - 1]->name);
    return code;
}

static enum rx_code
tenant_page(struct walk *w, struct rx_arena *arena, rx_str after,
    struct rx_buf *last, size_t *count)
{
    struct tenant *page[PAGE];
    enum rx_code code =
        tenant_list(w->store, arena, after, PAGE, page, count, w->err);

    for (size_t i = 0; code == RX_OK && i < *count; i++) {
        struct state_item item = { .kind = STATE_TENANT };
        tenant_state(page[i], &item.tenant);
        w->each(w->user, &item);
    }
    rx_buf_clear(last);
    if (code == RX_OK && *count > 0)
        rx_buf_add(last, page[*count - 1]->name);
    return code;
}

static enum rx_code
function_page(struct walk *w, struct rx_arena *arena, rx_str after,
    struct rx_buf *last, size_t *count)
{
    struct function *page[PAGE];
    enum rx_code code =
        function_list(w->store, arena, after, PAGE, page, count, w->err);

    for (size_t i = 0; code == RX_OK && i < *count; i++) {
        struct state_item item = { .kind = STATE_FUNCTION };
        function_state(page[i], &item.function);
        w->each(w->user, &item);
    }
    rx_buf_clear(last);
    if (code == RX_OK && *count > 0)
        rx_buf_add(last, page[*count - 1]->name);
    return code;
}

static enum rx_code
walk_rules(struct walk *w)
{
    enum rx_code code = RX_OK;
    size_t count = PAGE;

    for (size_t at = 0; code == RX_OK && count == PAGE; at += count) {
        struct rx_arena *arena = rx_arena_new(ARENA_LIMIT);
        struct rule *page[PAGE];
        code = rule_list(w->store, arena, at, PAGE, page, &count, w->err);
        for (size_t i = 0; code == RX_OK && i < count; i++) {
            struct state_item item = { .kind = STATE_RULE };
            rule_state(page[i], arena, &item.rule);
            w->each(w->user, &item);
        }
        rx_arena_free(arena);
    }
    return code;
}

/* To the planes they are rules: see agent.h. */
static void
walk_agents(struct walk *w)
{
    struct agents *g = w->store->agents;

    for (size_t i = 0; g != NULL && i < agents_count(g); i++) {
        struct rx_arena *arena = rx_arena_new(ARENA_LIMIT);
        struct state_item item = { .kind = STATE_RULE };
        if (agent_rule(agents_at(g, i), w->store, arena, &item.rule, NULL) ==
            RX_OK)
            w->each(w->user, &item);
        rx_arena_free(arena);
    }
}

/* What has a name: page by page, by name. */
static enum rx_code
walk_named(
    struct walk *w, enum rx_code (*page)(struct walk *w, struct rx_arena *arena,
                        rx_str after, struct rx_buf *last, size_t *count))
{
    enum rx_code code = RX_OK;
    struct rx_buf after, last;
    size_t count = PAGE;

    rx_buf_init(&after, 1024);
    rx_buf_init(&last, 1024);
    while (code == RX_OK && count == PAGE) {
        struct rx_arena *arena = rx_arena_new(ARENA_LIMIT);
        code = page(w, arena, rx_buf_str(&after), &last, &count);
        rx_buf_clear(&after);
        rx_buf_add(&after, rx_buf_str(&last));
        rx_arena_free(arena);
    }
    rx_buf_fini(&after);
    rx_buf_fini(&last);
    return code;
}

static enum rx_code
walk_keys(struct walk *w)
{
    enum rx_code code = RX_OK;
    struct key_filter filter = { 0 };
    struct rx_buf after;
    size_t count = PAGE;

    rx_buf_init(&after, 1024);
    while (code == RX_OK && count == PAGE) {
        struct rx_arena *arena = rx_arena_new(ARENA_LIMIT);
        struct key *page[PAGE];
        filter.after_id = rx_buf_str(&after);
        code = key_list(w->store, arena, &filter, PAGE, page, &count, w->err);
        for (size_t i = 0; code == RX_OK && i < count; i++) {
            struct state_item item = { .kind = STATE_KEY };
            key_state(page[i], &item.key);
            w->each(w->user, &item);
        }
        if (code == RX_OK && count > 0) {
            filter.after_ms = page[count - 1]->created_ms;
            rx_buf_clear(&after);
            rx_buf_add(&after, page[count - 1]->id);
        }
        rx_arena_free(arena);
    }
    rx_buf_fini(&after);
    return code;
}

static enum rx_code
walk_settings(struct walk *w)
{
    struct rx_arena *arena = rx_arena_new(ARENA_LIMIT);
    struct settings settings;
    enum rx_code code = settings_load(w->store, arena, &settings, w->err);

    if (code == RX_OK)
        code = prices_state(w->store->prices, arena, &settings.state, w->err);
    if (code == RX_OK) {
        struct state_item item = { .kind = STATE_SETTINGS,
            .settings = settings.state };
        w->each(w->user, &item);
    }
    rx_arena_free(arena);
    return code;
}

static enum rx_code
source_walk(void *arg, void (*each)(void *user, const struct state_item *item),
    void *user, struct rx_err *err)
{
    struct walk w = { arg, each, user, err };

    enum rx_code code = walk_settings(&w);
    if (code == RX_OK)
        code = walk_named(&w, tenant_page);
    if (code == RX_OK)
        code = walk_named(&w, channel_page);
    if (code == RX_OK)
        code = walk_named(&w, function_page);
    if (code == RX_OK)
        code = walk_rules(&w);
    if (code == RX_OK)
        walk_agents(&w);
    return code == RX_OK ? walk_keys(&w) : code;
}

static enum rx_code
load_channel(struct store *s, rx_str id, struct rx_arena *arena,
    struct state_item *out, struct rx_err *err)
{
    struct channel *ch;
    enum rx_code code = channel_load(s, arena, id, true, &ch, err);

    if (code == RX_OK)
        channel_state(ch, arena, &out->channel);
    return code;
}

static enum rx_code
load_tenant(struct store *s, rx_str id, struct rx_arena *arena,
    struct state_item *out, struct rx_err *err)
{
    struct tenant *t;
    enum rx_code code = tenant_load(s, arena, id, &t, err);

    if (code == RX_OK)
        tenant_state(t, &out->tenant);
    return code;
}

static enum rx_code
load_key(struct store *s, rx_str id, struct rx_arena *arena,
    struct state_item *out, struct rx_err *err)
{
    struct key *k;
    enum rx_code code = key_load(s, arena, id, &k, err);

    if (code == RX_OK)
        key_state(k, &out->key);
    return code;
}

static enum rx_code
load_rule(struct store *s, rx_str id, struct rx_arena *arena,
    struct state_item *out, struct rx_err *err)
{
    struct rule *r;

    if (rx_str_starts(id, RX_S(AGENT_PREFIX))) {
        const size_t skip = sizeof(AGENT_PREFIX) - 1;
        const struct agent *a =
            s->agents == NULL ? NULL
                              : agents_find(s->agents,
                                    (rx_str){ id.ptr + skip, id.len - skip });
        return a == NULL ? RX_NOT_FOUND
                         : agent_rule(a, s, arena, &out->rule, NULL);
    }
    enum rx_code code = rule_load(s, arena, id, &r, err);

    if (code == RX_OK)
        rule_state(r, arena, &out->rule);
    return code;
}

static enum rx_code
load_function(struct store *s, rx_str id, struct rx_arena *arena,
    struct state_item *out, struct rx_err *err)
{
    struct function *f;
    enum rx_code code = function_load(s, arena, id, &f, err);

    if (code == RX_OK)
        function_state(f, &out->function);
    return code;
}

static enum rx_code
load_settings(struct store *s, rx_str id, struct rx_arena *arena,
    struct state_item *out, struct rx_err *err)
{
    struct settings settings;
    enum rx_code code = settings_load(s, arena, &settings, err);

    (void)id;
    if (code == RX_OK)
        code = prices_state(s->prices, arena, &settings.state, err);
    if (code == RX_OK)
        out->settings = settings.state;
    return code;
}

static enum rx_code
source_load(void *arg, enum state_kind kind, rx_str id, struct rx_arena *arena,
    struct state_item *out, struct rx_err *err)
{
    static enum rx_code (*const loaders[])(struct store * s, rx_str id,
        struct rx_arena * arena, struct state_item * out,
        struct rx_err * err) = {
        [STATE_CHANNEL] = load_channel,
        [STATE_TENANT] = load_tenant,
        [STATE_KEY] = load_key,
        [STATE_SETTINGS] = load_settings,
        [STATE_RULE] = load_rule,
        [STATE_FUNCTION] = load_function,
    };

    *out = (struct state_item){ .kind = kind };
    return loaders[kind](arg, id, arena, out, err);
}

struct state_source
source_of(struct store *s)
{
    return (struct state_source){ s, source_walk, source_load };
}
