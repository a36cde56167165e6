#include <stdlib.h>

#include "check.h"
#include "dataplane/snapshot_build.h"
#include "shared/clock.h"
#include "shared/secret.h"
#include "toy_state.h"

static const struct snapshot *
build_full(
    const struct snapshot *previous, uint64_t version, const struct toy *t)
{
    const struct snapshot *s = NULL;
    struct rx_buf m;

    rx_buf_init(&m, 256 << 20);
    toy_pack(t, &m);
    CHECK_INT(RX_OK,
        snapshot_from_full(previous, 7, version, rx_buf_str(&m), &s, NULL));
    rx_buf_fini(&m);
    return s;
}

/* A delta that brings these items and deletes those ids. */
static enum rx_code
apply_delta(const struct snapshot *from, const struct toy *after,
    const struct state_item *items, size_t count, enum state_kind deleted_kind,
    const char *deleted, const struct snapshot **out)
{
    struct rx_buf m;
    struct rx_digest digest = toy_digest(after);

    rx_buf_init(&m, 4 << 20);
    wire_put_from(&m, from->version);
    for (size_t i = 0; i < count; i++) {
        struct rx_buf packed;
        rx_buf_init(&packed, 1 << 20);
        wire_pack_item(&packed, &items[i]);
        wire_put_item(&m, true, items[i].kind, rx_buf_str(&packed));
        rx_buf_fini(&packed);
    }
    if (deleted != NULL)
        wire_put_deleted(
            &m, deleted_kind, (rx_str){ deleted, strlen(deleted) });
    wire_put_digest(&m, &digest);
    enum rx_code code = snapshot_from_delta(
        from, 7, from->version + 1, rx_buf_str(&m), out, NULL);
    rx_buf_fini(&m);
    return code;
}

static struct toy *
toy_new(unsigned channels, unsigned keys)
{
    struct toy *t = calloc(1, sizeof(*t));

    toy_put(t, toy_settings(3));
    toy_put(t, toy_tenant(1));
    toy_put(t, toy_tenant(2));
    for (unsigned i = 0; i < channels; i++)
        toy_put(t, toy_channel(i, (int32_t)(i % 3)));
    for (unsigned i = 0; i < keys; i++)
        toy_put(t, toy_key(i, 1 + i % 2));
    return t;
}

/* The text before a rotation leads to the same key, and ends when it should. */
static void
an_old_text_is_good_until_its_end(void)
{
    struct toy *t = toy_new(1, 0);
    struct rx_digest lost = rx_digest(RX_S("rtx_before_that"));

    for (unsigned i = 0; i < 40; i++) {
        struct state_item key = toy_key(i, 1);
        char text[32];
        int n = snprintf(text, sizeof(text), "rtx_old_%u", i);
        key.key.expires_ms = i == 1 ? 500 : 0;
        key.key.old_digest = rx_digest((rx_str){ text, (size_t)n });
        key.key.old_until_ms = i % 2 == 1 ? 1000 : 0;
        toy_put(t, key);
    }
    const struct snapshot *s = build_full(NULL, 1, t);
    CHECK_INT(0, (int)s->rejected_count);
    CHECK_INT(40, (int)s->key_count);
    for (unsigned i = 0; i < 40; i++) {
        char text[32];
        int n = snprintf(text, sizeof(text), "rtx_old_%u", i);
        struct rx_digest was = rx_digest((rx_str){ text, (size_t)n });
        struct rx_digest is = toy_key_digest(i);
        const struct client_key *new = snapshot_find_key(s, &is);
        const struct client_key *old = snapshot_find_key(s, &was);
        CHECK(new != NULL &&new->expires_ms == (i == 1 ? 500 : 0));
        CHECK_INT(i % 2 == 1, old != NULL);
        if (old == NULL || new == NULL)
            continue;
        CHECK(rx_str_eq(old->id, new->id) && old->tenant == new->tenant);
        CHECK_INT(i == 1 ? 500 : 1000, (int)old->expires_ms);
    }
    CHECK(snapshot_find_key(s, &lost) == NULL);
    snapshot_unpin(s);
    free(t);
}

static void
holds_what_was_published(void)
{
    struct toy *t = toy_new(5, 50);
    const struct snapshot *s = build_full(NULL, 1, t);
    struct rx_digest want = toy_digest(t);
    struct rx_digest unknown = rx_digest(RX_S("rtx_nobody"));

    CHECK(memcmp(&want, &s->state, sizeof(want)) == 0);
    CHECK_INT(5, (int)s->channel_count);
    CHECK_INT(50, (int)s->key_count);
    CHECK_INT(0, (int)s->rejected_count);
    CHECK_INT(3, s->settings.max_attempts);
    for (unsigned i = 0; i < 50; i++) {
        struct rx_digest d = toy_key_digest(i);
        const struct client_key *k = snapshot_find_key(s, &d);
        CHECK(k != NULL && rx_str_eq(k->id, toy_text("ke", i)));
        CHECK(k != NULL && rx_str_eq(k->tenant->id, toy_text("te", 1 + i % 2)));
    }
    CHECK(snapshot_find_key(s, &unknown) == NULL);
    const struct channel *c = snapshot_find_channel(s, RX_S("channel-3"));
    CHECK(c != NULL && c == snapshot_find_channel(s, RX_S("ch3")));
    CHECK(c != NULL && c->endpoints[DIALECT_CHAT].present);
    CHECK(c != NULL && c->endpoints[DIALECT_CHAT].target.port == 9);
    CHECK(c != NULL && c->timeouts.connect == s->settings.timeouts.connect);
    CHECK(c != NULL && c == &s->channels[c->index]);
    CHECK(snapshot_find_channel(s, RX_S("nope")) == NULL);
    snapshot_unpin(s);
    free(t);
}

static void
channels_stand_by_priority_then_name(void)
{
    struct toy *t = toy_new(9, 0);
    const struct snapshot *s = build_full(NULL, 1, t);

    for (size_t i = 1; i < s->channel_count; i++) {
        const struct channel *a = &s->channels[i - 1];
        const struct channel *b = &s->channels[i];
        CHECK(a->priority > b->priority ||
              (a->priority == b->priority &&
                  strncmp(a->name.ptr, b->name.ptr, a->name.len) < 0));
    }
    snapshot_unpin(s);
    free(t);
}

static void
a_bad_item_is_rejected_alone_and_keeps_its_last_good_value(void)
{
    static const struct state_endpoint bad = { RX_STR_INIT("chat"),
        RX_STR_INIT("gopher://x"), RX_STR_INIT("bearer") };
    struct toy *t = toy_new(3, 3);
    const struct snapshot *one = build_full(NULL, 1, t);

    struct state_item broken = toy_channel(1, 50);
    broken.channel.endpoints = &bad;
    toy_put(t, broken);
    const struct snapshot *two = build_full(one, 2, t);
    CHECK_INT(3, (int)two->channel_count);
    CHECK_INT(1, (int)two->rejected_count);
    CHECK(rx_str_eq(two->rejected[0].kind, RX_S("channel")));
    CHECK(rx_str_eq(two->rejected[0].id, RX_S("ch1")));
    CHECK(rx_str_eq(two->rejected[0].name, RX_S("channel-1")));
    CHECK(two->rejected[0].reason.len > 0);
    const struct channel *c = snapshot_find_channel(two, RX_S("ch1"));
    CHECK(c != NULL && c->priority == 1); /* not 50: the old one */
    /* The digest is over what was published, so that both sides agree. */
    struct rx_digest want = toy_digest(t);
    CHECK(memcmp(&want, &two->state, sizeof(want)) == 0);

    /* It still has it after a version that changes something else ... */
    struct state_item other = toy_channel(2, 9);
    const struct snapshot *three = NULL;
    toy_put(t, other);
    CHECK_INT(RX_OK, apply_delta(two, t, &other, 1, 0, NULL, &three));
    c = snapshot_find_channel(three, RX_S("ch1"));
    CHECK(c != NULL && c->priority == 1);
    CHECK_INT(1, (int)three->rejected_count);

    /* ... and gives it up for a good one. */
    struct state_item mended = toy_channel(1, 60);
    const struct snapshot *four = NULL;
    toy_put(t, mended);
    CHECK_INT(RX_OK, apply_delta(three, t, &mended, 1, 0, NULL, &four));
    c = snapshot_find_channel(four, RX_S("ch1"));
    CHECK(c != NULL && c->priority == 60);
    CHECK_INT(0, (int)four->rejected_count);
    snapshot_unpin(one);
    snapshot_unpin(two);
    snapshot_unpin(three);
    snapshot_unpin(four);
    free(t);
}

static void
each_kind_of_fault_has_a_reason(void)
{
    static const struct {
        const char *dialect, *url, *auth, *status, *header, *value, *secret;
        const char *reason;
    } rows[] = {
        { "smoke", "http://x", "bearer", "enabled", "a", "b", "s", "dialect" },
        { "chat", "http://x", "wink", "enabled", "a", "b", "s", "auth" },
        { "chat", "ftp://x", "bearer", "enabled", "a", "b", "s", "base_url" },
        { "chat", "http://x", "bearer", "odd", "a", "b", "s", "status" },
        { "chat", "http://x", "bearer", "enabled", "a b", "b", "s", "header" },
        { "chat", "http://x", "bearer", "enabled", "a", "b\r\nc: d", "s",
            "header" },
        { "chat", "http://x", "bearer", "enabled", "a", "b", "s\nt",
            "control characters" },
    };

    for (size_t i = 0; i < RX_COUNT(rows); i++) {
#define T(s)           \
    {                  \
        (s), strlen(s) \
    }
        struct state_endpoint e = { T(rows[i].dialect), T(rows[i].url),
            T(rows[i].auth) };
        struct state_header h = { T(rows[i].header), T(rows[i].value) };
        struct state_credential c = toy_credential;
        c.secret = (rx_str)T(rows[i].secret);
        struct toy *t = calloc(1, sizeof(*t));
        struct state_item item = toy_channel(1, 1);
        item.channel.endpoints = &e;
        item.channel.headers = &h;
        item.channel.header_count = 1;
        item.channel.credentials = &c;
        item.channel.status = (rx_str)T(rows[i].status);
#undef T
        toy_put(t, item);
        toy_put(t, toy_channel(2, 1));
        const struct snapshot *s = build_full(NULL, 1, t);
        CHECK_INT(1, (int)s->channel_count);
        CHECK_INT(1, (int)s->rejected_count);
        char reason[256] = "";
        if (s->rejected_count > 0)
            memcpy(
                reason, s->rejected[0].reason.ptr, s->rejected[0].reason.len);
        CHECK(strstr(reason, rows[i].reason) != NULL);
        snapshot_unpin(s);
        free(t);
    }
}

static void
transformers_that_cannot_be_built_reject_their_channel_alone(void)
{
    static const char *const configs[] = { "{\"use\":[\"of-tomorrow\"]}",
        "{\"use\":[[\"maxtoken\",{\"max_tokens\":1,\"of\":2}]]}", "{\"use\":" };

    for (size_t i = 0; i < RX_COUNT(configs); i++) {
        struct toy *t = calloc(1, sizeof(*t));
        struct state_item item = toy_channel(1, 1);
        item.channel.transformers = (rx_str){ configs[i], strlen(configs[i]) };
        toy_put(t, item);
        item = toy_channel(2, 1);
        item.channel.transformers = RX_S("{\"use\":[\"cleancache\"]}");
        toy_put(t, item);
        const struct snapshot *s = build_full(NULL, 1, t);
        CHECK_INT(1, (int)s->channel_count);
        CHECK(s->channels[0].transformers != NULL);
        CHECK_INT(1, (int)s->rejected_count);
        CHECK(s->rejected_count == 1 &&
              rx_str_starts(s->rejected[0].reason, RX_S("transformers")));
        snapshot_unpin(s);
        free(t);
    }
}

static void
a_key_without_its_tenant_is_rejected(void)
{
    struct toy *t = toy_new(0, 1);
    struct rx_digest d = toy_key_digest(9);

    toy_put(t, toy_key(9, 77));
    const struct snapshot *s = build_full(NULL, 1, t);
    CHECK_INT(1, (int)s->key_count);
    CHECK_INT(1, (int)s->rejected_count);
    CHECK(snapshot_find_key(s, &d) == NULL);

    /* The tenant comes: the key works, although it was not sent again. */
    struct state_item tenant = toy_tenant(77);
    const struct snapshot *next = NULL;
    toy_put(t, tenant);
    CHECK_INT(RX_OK, apply_delta(s, t, &tenant, 1, 0, NULL, &next));
    CHECK_INT(0, (int)next->rejected_count);
    CHECK(snapshot_find_key(next, &d) != NULL);
    snapshot_unpin(s);
    snapshot_unpin(next);
    free(t);
}

/* Same content, whatever the way there. */
static void
check_same(const struct snapshot *a, const struct snapshot *b)
{
    CHECK(memcmp(&a->state, &b->state, sizeof(a->state)) == 0);
    CHECK_INT((int)a->channel_count, (int)b->channel_count);
    CHECK_INT((int)a->tenant_count, (int)b->tenant_count);
    CHECK_INT((int)a->key_count, (int)b->key_count);
    CHECK_INT((int)a->rejected_count, (int)b->rejected_count);
    for (size_t i = 0; i < a->channel_count && i < b->channel_count; i++) {
        CHECK(rx_str_eq(a->channels[i].id, b->channels[i].id));
        CHECK_INT(a->channels[i].priority, b->channels[i].priority);
    }
    for (unsigned i = 0; i < 200; i++) {
        struct rx_digest d = toy_key_digest(i);
        const struct client_key *x = snapshot_find_key(a, &d);
        const struct client_key *y = snapshot_find_key(b, &d);
        CHECK((x == NULL) == (y == NULL));
        if (x != NULL && y != NULL) {
            CHECK(rx_str_eq(x->id, y->id));
            CHECK(rx_str_eq(x->tenant->id, y->tenant->id));
            CHECK_INT(x->enabled, y->enabled);
        }
    }
}

static void
a_delta_gives_what_a_full_rebuild_gives(void)
{
    struct toy *t = toy_new(8, 100);
    const struct snapshot *s = build_full(NULL, 1, t);
    unsigned seed = 1;

    for (unsigned round = 0; round < 200; round++) {
        struct state_item items[3];
        size_t n = 0;
        for (size_t i = 0; i < 1 + round % 3; i++) {
            seed = seed * 1103515245 + 12345;
            unsigned pick = seed >> 16;
            struct state_item item;
            switch (pick % 5) {
            case 0: item = toy_channel(pick % 12, (int32_t)pick % 9); break;
            case 1: item = toy_tenant(1 + pick % 3); break;
            case 2: item = toy_settings(pick % 9); break;
            default: item = toy_key(pick % 150, 1 + pick % 4); break;
            }
            bool twice = false;
            for (size_t k = 0; k < n; k++)
                twice =
                    twice || (items[k].kind == item.kind &&
                                 rx_str_eq(toy_id(&items[k]), toy_id(&item)));
            if (!twice)
                toy_put(t, items[n++] = item);
        }
        char gone[16];
        snprintf(gone, sizeof(gone), "ke%u", 150 + round);
        if (round % 4 == 1)
            snprintf(gone, sizeof(gone), "ke%u", round % 120);
        bool brought = false;
        for (size_t i = 0; i < n; i++)
            brought = brought || (items[i].kind == STATE_KEY &&
                                     rx_str_eq(items[i].key.id,
                                         (rx_str){ gone, strlen(gone) }));
        if (!brought)
            toy_remove(t, STATE_KEY, (rx_str){ gone, strlen(gone) });
        const struct snapshot *next = NULL;
        CHECK_INT(RX_OK, apply_delta(s, t, items, n, STATE_KEY,
                             brought ? NULL : gone, &next));
        if (next == NULL)
            break;
        /* From the same past, for what keeps its last good value. */
        const struct snapshot *whole = build_full(s, next->version, t);
        check_same(whole, next);
        snapshot_unpin(whole);
        snapshot_unpin(s);
        s = next;
    }
    snapshot_unpin(s);
    free(t);
}

static void
a_delta_that_does_not_fit_is_a_conflict(void)
{
    struct toy *t = toy_new(2, 2);
    const struct snapshot *s = build_full(NULL, 5, t);
    const struct snapshot *next = NULL;
    struct state_item item = toy_channel(1, 33);

    /* A wrong digest: the toy does not have the change. */
    CHECK_INT(RX_CONFLICT, apply_delta(s, t, &item, 1, 0, NULL, &next));
    CHECK(next == NULL);

    struct rx_buf m;
    rx_buf_init(&m, 4096);
    wire_put_from(&m, 3);
    CHECK_INT(
        RX_CONFLICT, snapshot_from_delta(s, 7, 6, rx_buf_str(&m), &next, NULL));
    CHECK_INT(
        RX_CONFLICT, snapshot_from_delta(s, 8, 6, rx_buf_str(&m), &next, NULL));
    rx_buf_fini(&m);
    snapshot_unpin(s);
    free(t);
}

static void
what_is_pinned_stays_when_another_is_installed(void)
{
    struct toy *t = toy_new(2, 20);
    const struct snapshot *one = build_full(NULL, 1, t);
    struct state_item item = toy_channel(1, 33);
    const struct snapshot *two = NULL;
    struct rx_digest d = toy_key_digest(3);

    toy_put(t, item);
    CHECK_INT(RX_OK, apply_delta(one, t, &item, 1, 0, NULL, &two));
    const struct client_key *k = snapshot_find_key(one, &d);
    /* The directory was not touched: both look at the same key. */
    CHECK(k != NULL && k == snapshot_find_key(two, &d));
    snapshot_unpin(one);
    CHECK(rx_str_eq(k->id, RX_S("ke3")));
    snapshot_pin(two);
    snapshot_unpin(two);
    CHECK(k == snapshot_find_key(two, &d));
    snapshot_unpin(two);
    free(t);
}

static void
packing_gives_the_same_state_back(void)
{
    struct toy *t = toy_new(6, 60);
    const struct snapshot *a = build_full(NULL, 1, t);
    const struct snapshot *b = NULL;
    struct rx_buf m;

    rx_buf_init(&m, 1 << 20);
    CHECK(snapshot_pack(a, &m));
    CHECK_INT(RX_OK, snapshot_from_full(NULL, 7, 1, rx_buf_str(&m), &b, NULL));
    check_same(a, b);
    snapshot_unpin(a);
    snapshot_unpin(b);
    rx_buf_fini(&m);
    free(t);
}

static void
patterns_fit_as_people_expect(void)
{
    static const struct {
        const char *pattern, *name;
        bool fits;
    } rows[] = {
        { "claude-*", "claude-sonnet-4-5", true },
        { "claude-*", "claude", false },
        { "*", "", true },
        { "*", "anything", true },
        { "", "", true },
        { "", "x", false },
        { "*-mini", "gpt-4o-mini", true },
        { "*-mini", "gpt-4o-mini-x", false },
        { "a*b*c", "a-b-b-c", true },
        { "a*b*c", "a-c-b", false },
        { "**x**", "x", true },
        { "gpt-4o", "gpt-4o", true },
        { "gpt-4o", "gpt-4O", false },
        { "a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false },
    };

    for (size_t i = 0; i < RX_COUNT(rows); i++)
        CHECK_INT(rows[i].fits,
            snapshot_pattern_fits(
                (rx_str){ rows[i].pattern, strlen(rows[i].pattern) },
                (rx_str){ rows[i].name, strlen(rows[i].name) }));
}

/* Prints what many keys cost; checks that look-ups do not grow with them. */
static void
a_hundred_thousand_keys_are_found_at_once(void)
{
    const unsigned count = 100000;
    struct rx_buf m;
    struct toy *t = toy_new(50, 0);
    const struct snapshot *s = NULL;

    rx_buf_init(&m, 256 << 20);
    toy_pack(t, &m);
    for (unsigned i = 0; i < count; i++) {
        struct state_item key = toy_key(i, 1);
        struct rx_buf packed;
        rx_buf_init(&packed, 4096);
        wire_pack_item(&packed, &key);
        wire_put_item(&m, false, STATE_KEY, rx_buf_str(&packed));
        rx_buf_fini(&packed);
    }
    uint64_t start = rx_clock_us();
    CHECK_INT(RX_OK, snapshot_from_full(NULL, 7, 1, rx_buf_str(&m), &s, NULL));
    uint64_t built = rx_clock_us();
    CHECK_INT((int)count, (int)s->key_count);

    struct rx_digest d[1000];
    for (unsigned i = 0; i < 1000; i++)
        d[i] = toy_key_digest(i * 97 % count);
    uint64_t look = rx_clock_us();
    for (unsigned i = 0; i < 1000; i++)
        CHECK(snapshot_find_key(s, &d[i]) != NULL);
    uint64_t looked = rx_clock_us();
    struct state_item item = toy_channel(1, 33);
    struct rx_buf delta;
    struct rx_buf packed;
    rx_buf_init(&delta, 1 << 20);
    rx_buf_init(&packed, 1 << 20);
    wire_put_from(&delta, 1);
    wire_pack_item(&packed, &item);
    wire_put_item(&delta, true, STATE_CHANNEL, rx_buf_str(&packed));
    const struct snapshot *next = NULL;
    uint64_t before = rx_clock_us();
    /* No digest: it is built and then refused, which is the work we time. */
    CHECK_INT(RX_CONFLICT,
        snapshot_from_delta(s, 7, 2, rx_buf_str(&delta), &next, NULL));
    uint64_t after = rx_clock_us();
    printf("     %u keys: %zu bytes, built in %" PRIu64
           " us; a key found in %" PRIu64 " ns; a channel changed in %" PRIu64
           " us\n",
        count, m.len, built - start, looked - look, after - before);
    CHECK(after - before < (built - start) / 4);
    rx_buf_fini(&packed);
    rx_buf_fini(&delta);
    rx_buf_fini(&m);
    snapshot_unpin(s);
    free(t);
}

int
main(void)
{
    rx_secret_init();
    CHECK_RUN(holds_what_was_published);
    CHECK_RUN(an_old_text_is_good_until_its_end);
    CHECK_RUN(channels_stand_by_priority_then_name);
    CHECK_RUN(a_bad_item_is_rejected_alone_and_keeps_its_last_good_value);
    CHECK_RUN(each_kind_of_fault_has_a_reason);
    CHECK_RUN(transformers_that_cannot_be_built_reject_their_channel_alone);
    CHECK_RUN(a_key_without_its_tenant_is_rejected);
    CHECK_RUN(a_delta_gives_what_a_full_rebuild_gives);
    CHECK_RUN(a_delta_that_does_not_fit_is_a_conflict);
    CHECK_RUN(what_is_pinned_stays_when_another_is_installed);
    CHECK_RUN(packing_gives_the_same_state_back);
    CHECK_RUN(patterns_fit_as_people_expect);
    CHECK_RUN(a_hundred_thousand_keys_are_found_at_once);
    return CHECK_EXIT();
}
