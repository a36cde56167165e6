/* The vault, the lock, the nouns and the usage rows, on a real file. */
#include <sys/stat.h>

#include "controlplane/channel.h"
#include "controlplane/first.h"
#include "controlplane/key.h"
#include "controlplane/request.h"
#include "controlplane/rollup.h"
#include "controlplane/source.h"
#include "controlplane/tenant.h"
#include "tests/unit/store_rig.h"

static struct rx_arena *arena;

static rx_json
body(const char *text)
{
    return field_parse(arena, (rx_str){ text, strlen(text) });
}

/* ---- vault ---- */

static void
a_secret_opens_in_its_own_place_only(void)
{
    struct rx_buf sealed, plain;
    struct rx_err err = { 0 };

    struct store *s = store_new();
    rx_buf_init(&sealed, 4096);
    rx_buf_init(&plain, 4096);
    vault_seal(s->vault, "a.b", RX_S("1"), RX_S("secret"), &sealed);
    CHECK(memmem(sealed.ptr, sealed.len, "secret", 6) == NULL);
    CHECK_INT(RX_OK, vault_unseal(s->vault, "a.b", RX_S("1"),
                         rx_buf_str(&sealed), &plain, &err));
    CHECK_TEXT("secret", plain.ptr);
    CHECK_INT(RX_DENIED, vault_unseal(s->vault, "a.b", RX_S("2"),
                             rx_buf_str(&sealed), &plain, &err));
    CHECK_INT(RX_DENIED, vault_unseal(s->vault, "a.c", RX_S("1"),
                             rx_buf_str(&sealed), &plain, &err));
    sealed.ptr[sealed.len - 1] ^= 1;
    CHECK_INT(RX_DENIED, vault_unseal(s->vault, "a.b", RX_S("1"),
                             rx_buf_str(&sealed), &plain, &err));
    rx_buf_fini(&sealed);
    rx_buf_fini(&plain);
    store_end(s);
}

static void
a_lost_or_wrong_master_key_is_said_and_destroys_nothing(void)
{
    struct rx_err err = { 0 };
    char aside[160];
    struct store *s;

    store_close(store_new());
    snprintf(aside, sizeof(aside), "%s.aside", store_key);
    CHECK_INT(0, rename(store_key, aside));
    CHECK_INT(RX_NOT_FOUND, store_open(&s, store_file, store_key, &err));
    CHECK(strstr(err.text, "lost") != NULL);
    CHECK(access(store_key, F_OK) != 0);

    struct rx_key other;
    CHECK_INT(RX_OK, rx_key_file(store_key, true, &other, &err));
    CHECK_INT(RX_DENIED, store_open(&s, store_file, store_key, &err));
    CHECK(strstr(err.text, "not the master key") != NULL);

    CHECK_INT(0, rename(aside, store_key));
    CHECK_INT(0, chmod(store_key, 0644));
    CHECK_INT(RX_DENIED, store_open(&s, store_file, store_key, &err));
    CHECK_INT(0, chmod(store_key, 0600));
    store_end(store_again());
}

static void
one_control_plane_per_store(void)
{
    struct rx_err err = { 0 };
    struct store *second;

    struct store *s = store_new();
    CHECK_INT(RX_CONFLICT, store_open(&second, store_file, store_key, &err));
    CHECK(strstr(err.text, "another control plane") != NULL);
    store_close(s);
    store_end(store_again());
}

/* ---- first start ---- */

static uint64_t
count(struct store *s, const char *sql)
{
    struct db_query *q = db_query(s->db, sql);
    uint64_t n = db_next(q) ? db_u64(q, 0) : 0;

    CHECK_INT(RX_OK, db_done(q, NULL));
    return n;
}

static void
start(struct store *s, const char *demo_url, struct first_words *words)
{
    struct rx_err err = { 0 };

    CHECK_INT(RX_OK, first_start(s, arena, demo_url, words, &err));
    CHECK_TEXT("", err.text);
}

static void
a_new_store_gets_its_first_things_once(void)
{
    struct first_words words;

    setenv("DEFAULT_OPENAI_KEY", "sk-0123456789", 1);
    struct store *s = store_new();
    start(s, "http://127.0.0.1:1", &words);
    CHECK(words.admin_token.len == 44 && words.client_key.len == 44);
    CHECK_INT(1, (intmax_t)count(s, "select count(*) from channel"));
    start(s, "http://127.0.0.1:1", &words);
    CHECK(words.admin_token.len == 0 && words.client_key.len == 0);
    CHECK_INT(1, (intmax_t)count(s, "select count(*) from client_key"));

    CHECK_INT(RX_OK, db_run(db_query(s->db, "delete from channel"), NULL));
    start(s, NULL, &words);
    CHECK_INT(0, (intmax_t)count(s, "select count(*) from channel"));
    store_end(s);
    unsetenv("DEFAULT_OPENAI_KEY");
}

static void
the_demo_channel_follows_the_demo(void)
{
    struct first_words words;
    struct channel *ch;
    struct rx_err err = { 0 };

    struct store *s = store_new();
    start(s, "http://127.0.0.1:1111", &words);
    start(s, "http://127.0.0.1:2222", &words);
    CHECK_INT(RX_OK, channel_load(s, arena, RX_S("demo"), true, &ch, &err));
    CHECK_TEXT("http://127.0.0.1:2222", ch->base_url.ptr);
    CHECK_INT(1, (intmax_t)ch->key_count);
    CHECK_INT(1, (intmax_t)count(s, "select count(*) from channel"));
    store_end(s);
}

/* ---- channels ---- */

static struct channel *
save(struct store *s, struct channel *ch)
{
    struct rx_err err = { 0 };

    CHECK_INT(RX_OK, store_begin(s, &err));
    CHECK_INT(RX_OK, channel_save(s, arena, ch, &err));
    CHECK_INT(RX_OK, store_commit(s, &err));
    CHECK_TEXT("", err.text);
    return ch;
}

static void
a_channel_comes_back_as_it_was_saved(void)
{
    struct rx_err err = { 0 };
    struct channel *ch = channel_new(arena), *back;
    struct rx_buf before, after;
    rx_json b = body(
        "{\"name\":\"main\",\"type\":\"generic\",\"api_key\":\"sk-000011112222\","
        "\"keys\":[\"sk-333344445555\"],\"endpoints\":[{\"dialect\":\"chat\","
        "\"base_url\":\"https://a.example/v1/\",\"auth\":\"api-key\"}],"
        "\"models\":[\"gpt-*\",{\"name\":\"s\",\"upstream\":\"t\"}],"
        "\"priority\":-5,\"weight\":7,\"tags\":[\"eu\"],"
        "\"headers\":{\"x-a\":\"b\"},\"timeouts\":{\"connect_s\":2.5},"
        "\"proxy_url\":\"http://u:secretpw@p.example:3128\"}");

    struct store *s = store_new();
    channel_read(ch, b, FIELD_CREATE, arena);
    CHECK(rx_json_fault(b.doc) == NULL);
    save(s, ch);
    CHECK_INT(RX_OK, channel_load(s, arena, RX_S("main"), true, &back, &err));
    CHECK_TEXT("sk-333344445555", back->keys[1].secret.ptr);
    CHECK_TEXT("http://u:secretpw@p.example:3128", back->proxy_url.ptr);

    rx_buf_init(&before, 1 << 16);
    rx_buf_init(&after, 1 << 16);
    struct rx_json_out w = rx_json_out(&before);
    channel_put(&w, NULL, ch, NULL);
    w = rx_json_out(&after);
    channel_put(&w, NULL, back, NULL);
    CHECK_TEXT(before.ptr, after.ptr);
    CHECK(strstr(after.ptr, "secretpw") == NULL);
    CHECK(strstr(after.ptr, "sk-0000") == NULL);
    CHECK(strstr(after.ptr, "https://a.example/v1\"") != NULL);

    /* What is shown may be sent back, and nothing is lost by that. */
    rx_json again = body(after.ptr);
    channel_read(back, again, FIELD_REPLACE, arena);
    const struct rx_json_fault *fault = rx_json_fault(again.doc);
    CHECK_TEXT("", fault == NULL ? "" : fault->text);
    save(s, back);
    CHECK_INT(RX_OK, channel_load(s, arena, ch->id, true, &back, &err));
    CHECK_TEXT("sk-000011112222", back->keys[0].secret.ptr);
    CHECK_TEXT("http://u:secretpw@p.example:3128", back->proxy_url.ptr);
    CHECK_INT(2, (intmax_t)back->rev);
    rx_buf_fini(&before);
    rx_buf_fini(&after);
    store_end(s);
}

static void
a_key_given_again_keeps_its_id(void)
{
    struct rx_err err = { 0 };
    struct channel *ch = channel_new(arena), *back;

    struct store *s = store_new();
    channel_read(ch,
        body("{\"name\":\"a\",\"type\":\"openai\",\"keys\":[\"sk-aaaaaaaa\","
             "\"sk-bbbbbbbb\"]}"),
        FIELD_CREATE, arena);
    save(s, ch);
    rx_str id = ch->keys[1].id;
    CHECK_INT(RX_OK, channel_load(s, arena, RX_S("a"), true, &back, &err));
    channel_read(back,
        body("{\"keys\":[\"sk-bbbbbbbb\",\"sk-cccccccc\",\"sk-bbbbbbbb\"]}"),
        FIELD_PATCH, arena);
    save(s, back);
    CHECK_INT(RX_OK, channel_load(s, arena, RX_S("a"), true, &back, &err));
    CHECK_INT(2, (intmax_t)back->key_count);
    CHECK(rx_str_eq(id, back->keys[0].id));
    store_end(s);
}

static void
what_is_wrong_with_a_channel_is_named(void)
{
    static const struct {
        const char *text;
        const char *field;
    } rows[] = {
        { "{\"type\":\"openai\",\"api_key\":\"sk-aaaaaaaa\"}", "name" },
        { "{\"name\":\"a/b\",\"type\":\"openai\",\"api_key\":\"k\"}", "name" },
        { "{\"name\":\"chn_1\",\"type\":\"openai\",\"api_key\":\"k\"}",
            "name" },
        { "{\"name\":\"a\",\"type\":\"nobody\",\"api_key\":\"k\"}", "type" },
        { "{\"name\":\"a\",\"type\":\"openai\"}", "api_key" },
        { "{\"name\":\"a\",\"type\":\"openai\",\"api_key\":\"a b\"}",
            "api_key" },
        { "{\"name\":\"a\",\"type\":\"openai\",\"keys\":[\"k\",5]}",
            "keys[1]" },
        { "{\"name\":\"a\",\"type\":\"openai\",\"keys\":[{\"id\":\"x\"}]}",
            "keys[0].id" },
        { "{\"name\":\"a\",\"type\":\"generic\"}", "base_url" },
        { "{\"name\":\"a\",\"type\":\"openai\",\"api_key\":\"k\","
          "\"base_url\":\"ftp://x\"}",
            "base_url" },
        { "{\"name\":\"a\",\"type\":\"openai\",\"api_key\":\"k\","
          "\"models\":[{\"name\":\"a\",\"upstream\":\"b*\"}]}",
            "models[0].upstream" },
        { "{\"name\":\"a\",\"type\":\"openai\",\"api_key\":\"k\","
          "\"headers\":{\"Authorization\":\"x\"}}",
            "headers.Authorization" },
        { "{\"name\":\"a\",\"type\":\"openai\",\"api_key\":\"k\","
          "\"headers\":{\"x\":\"a\\nb\"}}",
            "headers.x" },
        { "{\"name\":\"a\",\"type\":\"openai\",\"api_key\":\"k\","
          "\"transformers\":{\"use\":[\"x\"]}}",
            "transformers.use[0]" },
        { "{\"name\":\"a\",\"type\":\"anthropic\",\"api_key\":\"k\","
          "\"transformers\":{\"use\":[\"groq\"]}}",
            "transformers.use[0]" },
        { "{\"name\":\"a\",\"type\":\"openai\",\"api_key\":\"k\","
          "\"transformers\":{\"use\":[[\"maxtoken\",{\"max\":1}]]}}",
            "transformers.use[0]" },
        { "{\"name\":\"a\",\"type\":\"openai\",\"api_key\":\"k\","
          "\"weight\":0}",
            "weight" },
        { "{\"name\":\"a\",\"type\":\"openai\",\"api_key\":\"k\","
          "\"timeouts\":{\"conect_s\":1}}",
            "timeouts.conect_s" },
        { "{\"name\":\"a\",\"type\":\"openai\",\"api_key\":\"k\",\"id\":\"x\"}",
            "id" },
    };

    for (size_t i = 0; i < RX_COUNT(rows); i++) {
        rx_json b = body(rows[i].text);
        channel_read(channel_new(arena), b, FIELD_CREATE, arena);
        const struct rx_json_fault *fault = rx_json_fault(b.doc);
        CHECK_TEXT(rows[i].field, fault == NULL ? "(none)" : fault->field);
    }
}

/* ---- what the planes hear ---- */

struct heard {
    size_t channels, tenants, keys, settings, touches;
};

static void
hear(void *user, const struct state_item *item)
{
    struct heard *h = user;

    h->channels += item->kind == STATE_CHANNEL;
    h->tenants += item->kind == STATE_TENANT;
    h->keys += item->kind == STATE_KEY;
    h->settings += item->kind == STATE_SETTINGS;
}

static void
touched(void *arg, enum state_kind kind, rx_str id)
{
    struct heard *h = arg;

    (void)kind;
    (void)id;
    h->touches++;
}

static void
every_item_is_walked_over_however_many(void)
{
    struct rx_err err = { 0 };
    struct heard h = { 0 };
    char name[32];

    struct store *s = store_new();
    CHECK_INT(RX_OK, store_begin(s, &err));
    struct tenant *t = tenant_new(arena);
    t->name = RX_S("t");
    CHECK_INT(RX_OK, tenant_save(s, arena, t, &err));
    for (int i = 0; i < 250; i++) {
        struct channel *ch = channel_new(arena);
        snprintf(name, sizeof(name), "c%d", i);
        ch->name = field_keep(arena, field_text(name));
        ch->type = RX_S("openai");
        CHECK_INT(RX_OK, channel_save(s, arena, ch, &err));
        struct key *k = key_new(arena);
        k->name = RX_S("same");
        k->tenant_id = t->id;
        key_draw(k, arena);
        CHECK_INT(RX_OK, key_save(s, arena, k, &err));
    }
    CHECK_INT(RX_OK, store_commit(s, &err));
    struct state_source source = source_of(s);
    CHECK_INT(RX_OK, source.walk(source.arg, hear, &h, &err));
    CHECK_INT(250, (intmax_t)h.channels);
    CHECK_INT(250, (intmax_t)h.keys);
    CHECK_INT(1, (intmax_t)h.tenants);
    CHECK_INT(1, (intmax_t)h.settings);
    store_end(s);
}

static void
changes_are_told_after_the_commit_and_never_after_a_rollback(void)
{
    struct rx_err err = { 0 };
    struct heard h = { 0 };

    struct store *s = store_new();
    store_on_change(s, touched, &h);
    CHECK_INT(RX_OK, store_begin(s, &err));
    struct tenant *t = tenant_new(arena);
    t->name = RX_S("t");
    CHECK_INT(RX_OK, tenant_save(s, arena, t, &err));
    CHECK_INT(0, (intmax_t)h.touches);
    store_rollback(s);
    CHECK_INT(0, (intmax_t)h.touches);
    t->id = (rx_str){ 0 };
    CHECK_INT(RX_OK, store_begin(s, &err));
    CHECK_INT(RX_OK, tenant_save(s, arena, t, &err));
    CHECK_INT(RX_OK, store_commit(s, &err));
    CHECK_INT(1, (intmax_t)h.touches);
    store_end(s);
}

/* ---- usage ---- */

static struct usage_row
row(uint64_t seq, uint64_t tokens)
{
    static const struct usage_attempt attempts[2] = {
        { .channel = RX_STR_INIT("a"), .status = 503 },
        { .channel = RX_STR_INIT("b"), .status = 200 },
    };
    struct usage_row r = {
        .seq = seq,
        .request_id = RX_S("req"),
        .started_ms = 1700000000000,
        .tenant_id = RX_S("ten_1"),
        .key_id = RX_S("key_1"),
        .dialect = RX_S("chat"),
        .model_requested = RX_S("m"),
        .status = 200,
        .outcome = RX_S("ok"),
        .attempts = attempts,
        .attempt_count = 2,
    };

    r.usage.has = 1U << COUNT_in_uncached | 1U << COUNT_out_total;
    r.usage.n[COUNT_in_uncached] = tokens;
    r.usage.n[COUNT_out_total] = 1;
    r.usage.provenance = RX_S("reported");
    return r;
}

static void
a_batch_may_come_again_and_counts_once(void)
{
    struct rx_err err = { 0 };
    struct usage_row rows[3] = { row(1, 10), row(2, 20), row(3, 30) };
    struct usage_batch b = { .plane = RX_S("p"),
        .boot = UINT64_MAX,
        .last_seq = 2,
        .rows = rows,
        .row_count = 2 };
    uint64_t seq;

    struct store *s = store_new();
    struct usage_sink sink = request_sink(s);
    CHECK_INT(RX_OK, sink.commit(sink.arg, &b, &err));
    CHECK_INT(RX_OK, sink.commit(sink.arg, &b, &err));
    b.rows = rows + 1; /* overlaps: 2 again, 3 new */
    b.last_seq = 3;
    CHECK_INT(RX_OK, sink.commit(sink.arg, &b, &err));
    CHECK_INT(3, (intmax_t)count(s, "select count(*) from request"));
    CHECK_INT(6, (intmax_t)count(s, "select count(*) from attempt"));
    CHECK_INT(RX_OK, rollup_flush(s->rollup, &err));
    CHECK_INT(3, (intmax_t)count(s, "select sum(requests) from usage_cube "
                                    "where level = 1"));
    CHECK_INT(60, (intmax_t)count(s, "select sum(input_tokens) from usage_sum "
                                     "where level = 0 and dim = 0"));
    CHECK_INT(0, (intmax_t)count(s, "select count(*) from request "
                                    "where cache_read is not null"));
    CHECK_INT(
        RX_OK, sink.progress(sink.arg, RX_S("p"), UINT64_MAX, &seq, &err));
    CHECK_INT(3, (intmax_t)seq);

    b.boot = 5; /* another incarnation counts from one again */
    CHECK_INT(RX_OK, sink.commit(sink.arg, &b, &err));
    CHECK_INT(5, (intmax_t)count(s, "select count(*) from request"));
    CHECK_INT(RX_OK, sink.progress(sink.arg, RX_S("q"), 5, &seq, &err));
    CHECK_INT(0, (intmax_t)seq);
    store_end(s);
}

static void
progress_never_goes_back(void)
{
    struct rx_err err = { 0 };
    struct usage_batch b = { .plane = RX_S("p"), .boot = 1, .last_seq = 9 };
    uint64_t seq;

    struct store *s = store_new();
    struct usage_sink sink = request_sink(s);
    CHECK_INT(RX_OK, sink.commit(sink.arg, &b, &err));
    b.last_seq = 4;
    CHECK_INT(RX_OK, sink.commit(sink.arg, &b, &err));
    CHECK_INT(RX_OK, sink.progress(sink.arg, RX_S("p"), 1, &seq, &err));
    CHECK_INT(9, (intmax_t)seq);
    store_end(s);
}

static void
pages_of_requests_cover_every_row_once(void)
{
    struct rx_err err = { 0 };
    struct usage_row rows[25];
    struct usage_batch b = { .plane = RX_S("p"),
        .boot = 1,
        .last_seq = 25,
        .rows = rows,
        .row_count = 25 };
    struct request_filter f = { .limit = 10 };
    struct request_page page;
    struct rx_buf out;
    size_t seen = 0;

    for (uint64_t i = 0; i < 25; i++) {
        rows[i] = row(i + 1, 1);
        rows[i].started_ms += i / 3; /* several at one time */
    }
    struct store *s = store_new();
    struct usage_sink sink = request_sink(s);
    CHECK_INT(RX_OK, sink.commit(sink.arg, &b, &err));
    rx_buf_init(&out, 1 << 20);
    do {
        struct rx_json_out w = rx_json_out(&out);
        rx_buf_clear(&out);
        rx_json_open_array(&w, NULL);
        CHECK_INT(RX_OK, request_list(s, &f, &w, &page, &err));
        rx_json_close(&w);
        rx_json list = body(out.ptr);
        CHECK_INT((intmax_t)page.count, (intmax_t)rx_json_count(list));
        CHECK(rx_json_kind(rx_json_find(list, "0.cost_usd")) == RX_JSON_NULL);
        CHECK(rx_json_kind(rx_json_find(list, "0.cache_read_tokens")) ==
              RX_JSON_NULL);
        seen += page.count;
        f.before_ms = page.last_ms;
        f.before_id = page.last_id;
    } while (page.count == f.limit);
    CHECK_INT(25, (intmax_t)seen);
    rx_buf_fini(&out);
    store_end(s);
}

int
main(void)
{
    rx_secret_init();
    arena = rx_arena_new((size_t)256 << 20);
    CHECK_RUN(a_secret_opens_in_its_own_place_only);
    CHECK_RUN(a_lost_or_wrong_master_key_is_said_and_destroys_nothing);
    CHECK_RUN(one_control_plane_per_store);
    CHECK_RUN(a_new_store_gets_its_first_things_once);
    CHECK_RUN(the_demo_channel_follows_the_demo);
    CHECK_RUN(a_channel_comes_back_as_it_was_saved);
    CHECK_RUN(a_key_given_again_keeps_its_id);
    CHECK_RUN(what_is_wrong_with_a_channel_is_named);
    CHECK_RUN(every_item_is_walked_over_however_many);
    CHECK_RUN(changes_are_told_after_the_commit_and_never_after_a_rollback);
    CHECK_RUN(a_batch_may_come_again_and_counts_once);
    CHECK_RUN(progress_never_goes_back);
    CHECK_RUN(pages_of_requests_cover_every_row_once);
    rx_arena_free(arena);
    return CHECK_EXIT();
}
