#include "controlplane/token_keeper.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/channel.h"
#include "controlplane/oauth_time.h"
#include "controlplane/service_account.h"
#include "shared/clock.h"
#include "shared/log.h"

#define ARENA_MAX  ((size_t)16 << 20)
#define LOOK_MAX   ((uint64_t)600 * 1000) /* the wall clock may be moved */
#define AT_A_TIME  8
#define ANSWER_MAX ((size_t)64 << 10)
#define LIFE_MAX_S ((uint64_t)86400)
#define ID_MAX     64
#define REJECTED   64 /* keys that are remembered */
#define NEW_MS     ((uint64_t)600 * 1000)

/* One key that is being exchanged. */
struct exchange {
    struct token_keeper *keeper; /* NULL: free */
    struct rx_transfer *transfer;
    char credential[ID_MAX], channel[ID_MAX];
    struct credential_token token; /* what is known; its texts are not here */
};

/* A token that was not taken, though it had not ended. */
struct rejected {
    char credential[ID_MAX];
    struct rx_digest token;
    uint64_t again_ms; /* wall clock: not to be renewed before */
    uint64_t times;    /* in a row that a new one was refused */
};

struct token_keeper {
    struct rx_loop *loop;
    struct rx_fetch *fetch;
    struct store *store;
    struct rx_timer due;
    struct exchange exchanges[AT_A_TIME];
    struct rejected rejected[REJECTED];
    size_t rejected_next; /* the place to be used again */
};

static rx_str
text(const char *s)
{
    return (rx_str){ s, strlen(s) };
}

/* ---- what comes of it ------------------------------------------------------ */

static enum rx_code
save(struct exchange *x, struct rx_err *err)
{
    struct store *s = x->keeper->store;
    enum rx_code code = store_begin(s, err);

    if (code != RX_OK)
        return code;
    code = credential_token_save(s, text(x->credential), &x->token, err);
    if (code == RX_OK)
        code = credential_token_sweep(s, err);
    if (code == RX_OK) {
        store_touch(s, STATE_CHANNEL, text(x->channel));
        return store_commit(s, err);
    }
    store_rollback(s);
    return code;
}

/* The exchange is over; its token says how it went. */
static void
settle(struct exchange *x)
{
    struct token_keeper *k = x->keeper;
    struct rx_err err = { 0 };

    if (x->token.error.len > 0) {
        x->token.failed_ms = rx_clock_wall_ms();
        x->token.failures++;
        rx_warn("token.failed", "credential=%s failures=%" PRIu64 " why=%s",
            x->credential, x->token.failures, rx_log_quote_str(x->token.error));
    } else {
        rx_info("token.renewed", "credential=%s life_s=%" PRIu64, x->credential,
            (x->token.expires_ms - x->token.got_ms) / 1000);
    }
    if (save(x, &err) != RX_OK)
        rx_error("token.unsaved", "credential=%s why=%s", x->credential,
            rx_log_quote(err.text));
    x->keeper = NULL;
    rx_timer_set(&k->due, 1);
}

static void
fail(struct exchange *x, const char *why)
{
    x->token.error = text(why);
    settle(x);
}

/* The endpoint's own words, in `out`. */
static void
refusal(rx_json root, int status, char *out, size_t size)
{
    rx_str words = rx_json_str(rx_json_find(root, "error_description"));

    if (words.len == 0)
        words = rx_json_str(rx_json_find(root, "error"));
    snprintf(out, size, "HTTP %d%s" RX_STR_FMT, status,
        words.len > 0 ? ": " : "", (int)(words.len < 160 ? words.len : 160),
        words.ptr != NULL ? words.ptr : "");
}

static void
take_answer(struct exchange *x, int status, rx_json root)
{
    rx_str token = rx_json_str(rx_json_find(root, "access_token"));
    uint64_t life_s = 0;
    char why[256];

    rx_json_u64(rx_json_find(root, "expires_in"), &life_s);
    if (status == 200 && token.len > 0 && token.len < 8192 && life_s > 0) {
        x->token.token = token;
        x->token.expires_ms =
            x->token.got_ms +
            1000 * (life_s < LIFE_MAX_S ? life_s : LIFE_MAX_S);
        x->token.error = (rx_str){ 0 };
        x->token.failures = 0;
        settle(x);
        return;
    }
    refusal(root, status, why, sizeof(why));
    fail(x, why);
}

/* Between two exchanges the old token may still be good: keep it. */
static enum rx_code
keep_old(struct exchange *x, struct rx_arena *arena, struct rx_err *err)
{
    struct credential_token old;
    enum rx_code code = credential_token_load(
        x->keeper->store, arena, text(x->credential), true, &old, err);

    if (code == RX_OK &&
        memcmp(old.key.bytes, x->token.key.bytes, sizeof(old.key.bytes)) == 0) {
        uint64_t got_ms = x->token.got_ms;
        x->token = old;
        x->token.got_ms = got_ms;
    }
    return code;
}

static void
on_answer(void *arg, const struct rx_transfer_result *r)
{
    struct exchange *x = arg;
    struct rx_arena *arena = rx_arena_new(ARENA_MAX);
    struct rx_json_doc *doc = NULL;
    struct rx_err err = { 0 };

    x->transfer = NULL;
    if (keep_old(x, arena, &err) != RX_OK)
        fail(x, err.text);
    else if (r->code != RX_OK)
        fail(x, r->why);
    else if (rx_json_parse(&doc, r->body, NULL, NULL) != RX_OK)
        fail(x, "the token endpoint's answer is no JSON");
    else
        take_answer(x, r->status, rx_json_root(doc));
    if (doc != NULL)
        rx_json_free(doc);
    rx_arena_free(arena);
}

/* ---- asking ----------------------------------------------------------------- */

static struct exchange *
running(struct token_keeper *k, rx_str credential)
{
    for (size_t i = 0; i < AT_A_TIME; i++) {
        if (k->exchanges[i].keeper != NULL &&
            rx_str_eq(text(k->exchanges[i].credential), credential))
            return &k->exchanges[i];
    }
    return NULL;
}

static struct exchange *
free_place(struct token_keeper *k)
{
    for (size_t i = 0; i < AT_A_TIME; i++) {
        if (k->exchanges[i].keeper == NULL)
            return &k->exchanges[i];
    }
    return NULL;
}

static void
send(struct exchange *x, const struct channel *ch,
    const struct service_account *account, rx_str form)
{
    static const char *const headers[] = {
        "content-type: application/x-www-form-urlencoded",
        "accept: application/json", "user-agent: routex/" ROUTEX_VERSION, NULL
    };
    struct rx_transfer_options options = {
        .method = "POST",
        .url = account->token_uri.ptr,
        .headers = headers,
        .body = form,
        .proxy_url = ch->proxy_url.len > 0 ? ch->proxy_url.ptr : NULL,
        .ca_file = ch->ca_file.len > 0 ? ch->ca_file.ptr : NULL,
        .max_response = ANSWER_MAX,
    };

    x->transfer = rx_transfer_start(x->keeper->fetch, &options, on_answer, x);
    if (x->transfer == NULL)
        fail(x, "the channel's proxy or CA file cannot be used");
}

static void
start(struct token_keeper *k, struct rx_arena *arena, const struct channel *ch,
    const struct channel_key *key)
{
    struct exchange *x = free_place(k);
    struct service_account account;
    struct rx_err err = { 0 };
    struct rx_buf form;

    if (x == NULL)
        return; /* one that ends looks again */
    *x = (struct exchange){ .keeper = k };
    snprintf(x->credential, ID_MAX, RX_STR_FMT, RX_STR_ARG(key->id));
    snprintf(x->channel, ID_MAX, RX_STR_FMT, RX_STR_ARG(ch->id));
    x->token.key = rx_digest(key->secret);
    x->token.got_ms = rx_clock_wall_ms();
    rx_buf_init(&form, 64 << 10);
    enum rx_code code =
        service_account_read(key->secret, arena, &account, &err);
    if (code == RX_OK)
        code = service_account_grant(
            &account, x->token.got_ms / 1000, &form, &err);
    if (code == RX_OK)
        send(x, ch, &account, rx_buf_str(&form));
    else
        fail(x, err.text);
    rx_buf_fini(&form);
}

/* ---- when ------------------------------------------------------------------- */

static struct rejected *
find_rejected(struct token_keeper *k, rx_str credential)
{
    for (size_t i = 0; i < REJECTED; i++) {
        if (rx_str_eq(text(k->rejected[i].credential), credential))
            return &k->rejected[i];
    }
    return NULL;
}

/* When this key has to be exchanged, wall clock. */
static uint64_t
due_of(struct token_keeper *k, const struct channel_key *key, uint64_t now)
{
    const struct credential_token *t = &key->token;
    const struct rejected *r = find_rejected(k, key->id);
    struct rx_digest digest = rx_digest(key->secret);
    struct rx_digest token = rx_digest(t->token);
    uint64_t dice; /* the same whenever it is looked at */

    memcpy(&dice, digest.bytes, sizeof(dice));
    if (memcmp(digest.bytes, t->key.bytes, sizeof(digest.bytes)) != 0)
        return 0;
    if (t->failures > 0)
        return t->failed_ms + oauth_pause_ms(t->failures, dice);
    if (r != NULL && memcmp(&r->token, &token, sizeof(token)) == 0)
        return r->again_ms;
    struct oauth_span span = { t->got_ms,
        t->expires_ms > t->got_ms ? t->expires_ms - t->got_ms : 0 };
    return now + oauth_due_in_ms(&span, now, dice);
}

static void
look_at_key(struct token_keeper *k, struct rx_arena *arena,
    const struct channel *ch, const struct channel_key *key, uint64_t *wait)
{
    uint64_t now = rx_clock_wall_ms();
    uint64_t due = due_of(k, key, now);

    if (running(k, key->id) != NULL)
        return;
    if (due <= now)
        start(k, arena, ch, key);
    else if (due - now < *wait)
        *wait = due - now;
}

static enum rx_code
look_at_channel(
    struct token_keeper *k, rx_str id, uint64_t *wait, struct rx_err *err)
{
    struct rx_arena *arena = rx_arena_new(ARENA_MAX);
    struct channel *ch = NULL;
    enum rx_code code = channel_load(k->store, arena, id, true, &ch, err);

    for (size_t i = 0; code == RX_OK && i < ch->key_count; i++) {
        const struct channel_key *key = &ch->keys[i];
        if (rx_str_eq(key->kind, RX_S(SERVICE_ACCOUNT_KIND)) &&
            rx_str_eq(key->status, RX_S("enabled")))
            look_at_key(k, arena, ch, key, wait);
    }
    rx_arena_free(arena);
    return code;
}

/* The channels with such a key, one id per line. */
static enum rx_code
list_channels(struct token_keeper *k, struct rx_buf *ids, struct rx_err *err)
{
    struct db_query *q = db_query(k->store->db,
        "select distinct channel_id from credential where kind = "
        "'" SERVICE_ACCOUNT_KIND "' and status = 'enabled'");

    while (db_next(q)) {
        rx_buf_add(ids, db_str(q, 0));
        rx_buf_addc(ids, '\n');
    }
    return db_done(q, err);
}

static void
on_due(void *arg)
{
    struct token_keeper *k = arg;
    uint64_t wait = LOOK_MAX;
    struct rx_err err = { 0 };
    struct rx_buf ids;
    rx_str id;

    rx_buf_init(&ids, 1 << 20);
    enum rx_code code = list_channels(k, &ids, &err);
    rx_str rest = rx_buf_str(&ids);
    bool any = rest.len > 0;
    while (code == RX_OK && rx_str_cut(rest, '\n', &id, &rest) && id.len > 0)
        code = look_at_channel(k, id, &wait, &err);
    rx_buf_fini(&ids);
    if (code != RX_OK)
        rx_error("token.unread", "why=%s", rx_log_quote(err.text));
    if (any || code != RX_OK)
        rx_timer_set(&k->due, wait);
}

struct token_keeper *
token_keeper_new(
    struct rx_loop *loop, struct rx_fetch *fetch, struct store *store)
{
    struct token_keeper *k = calloc(1, sizeof(*k));

    if (k == NULL)
        abort();
    k->loop = loop;
    k->fetch = fetch;
    k->store = store;
    rx_timer_init(&k->due, loop, on_due, k);
    rx_timer_set(&k->due, 1);
    return k;
}

void
token_keeper_free(struct token_keeper *k)
{
    if (k == NULL)
        return;
    for (size_t i = 0; i < AT_A_TIME; i++) {
        if (k->exchanges[i].keeper != NULL && k->exchanges[i].transfer != NULL)
            rx_transfer_cancel(k->exchanges[i].transfer);
    }
    rx_timer_fini(&k->due);
    free(k);
}

void
token_keeper_changed(struct token_keeper *k)
{
    if (k != NULL)
        rx_timer_set(&k->due, 1);
}

/* ---- a token was refused ------------------------------------------------------ */

/* A new one that is refused, too, may be refused for good: see oauth_time.h. */
static void
reject(struct token_keeper *k, rx_str credential,
    const struct credential_token *t, const struct rx_digest *token)
{
    uint64_t now = rx_clock_wall_ms();
    struct rejected *r = find_rejected(k, credential);

    if (r != NULL && memcmp(&r->token, token, sizeof(*token)) == 0)
        return; /* told by another plane already */
    if (r == NULL) {
        r = &k->rejected[k->rejected_next++ % REJECTED];
        *r = (struct rejected){ 0 };
        snprintf(r->credential, ID_MAX, RX_STR_FMT, RX_STR_ARG(credential));
    }
    if (now > t->got_ms + NEW_MS)
        r->times = 0;
    r->token = *token;
    r->again_ms = t->got_ms + oauth_refused_pause_ms(r->times++);
    rx_info("token.rejected", "credential=%s renewed_in_ms=%" PRIu64,
        r->credential, r->again_ms > now ? r->again_ms - now : 0);
    rx_timer_set(&k->due, 1);
}

void
token_keeper_rejected(
    struct token_keeper *k, rx_str credential, const struct rx_digest *token)
{
    struct rx_arena *arena = rx_arena_new(ARENA_MAX);
    struct credential_token t = { 0 };
    struct rx_err err = { 0 };

    if (k != NULL && credential.len < ID_MAX &&
        credential_token_load(k->store, arena, credential, true, &t, &err) ==
            RX_OK &&
        t.token.len > 0) {
        struct rx_digest held = rx_digest(t.token);
        if (memcmp(&held, token, sizeof(held)) == 0)
            reject(k, credential, &t, token);
    }
    rx_arena_free(arena);
}
