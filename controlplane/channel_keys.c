/*
 * A channel's keys: secrets, service accounts, log-ins, and marks of those that
 * a document does not tell.
 */
#include <string.h>

#include "controlplane/channel_parts.h"
#include "controlplane/config.h"
#include "controlplane/service_account.h"

#define SECRET_MAX 8192

static const char *const key_statuses[] = { "enabled", "disabled", NULL };

static bool
check_secret(rx_json v, rx_str s)
{
    bool good = s.len > 0 && s.len <= SECRET_MAX;

    for (size_t i = 0; good && i < s.len; i++)
        good = s.ptr[i] > 0x20 && s.ptr[i] < 0x7F;
    if (!good)
        rx_json_wrong(v, "must be visible ASCII characters without blanks");
    return good;
}

static struct channel_key *
add_key(struct channel *ch, rx_json v)
{
    if (ch->key_count == CHANNEL_KEYS_MAX) {
        rx_json_wrong(v, "is one key too many");
        return NULL;
    }
    struct channel_key *k = &ch->keys[ch->key_count++];
    *k = (struct channel_key){ .kind = RX_S("api_key"),
        .status = RX_S("enabled") };
    return k;
}

/* The text of a service account's key file, in one line. */
static rx_str
read_account(rx_json v, rx_str text, struct rx_arena *arena, rx_str *last4)
{
    struct service_account account;
    struct rx_err err = { 0 };
    struct rx_buf line;
    rx_str kept = { 0 };

    rx_buf_init(&line, SERVICE_ACCOUNT_MAX);
    if (service_account_read(text, arena, &account, &err) != RX_OK)
        rx_json_wrong(v, "%s", err.text);
    else if (!service_account_compact(text, &line))
        rx_json_wrong(v, "is too long");
    else
        kept = field_keep(arena, rx_buf_str(&line));
    *last4 = field_last4(
        arena, account.key_id.len > 0 ? account.key_id : account.email);
    rx_buf_fini(&line);
    return kept;
}

/* A new key; one that is in the list already is not added again. */
static struct channel_key *
add_secret(struct channel *ch, rx_json v, rx_str secret, struct rx_arena *arena)
{
    rx_str last4 = { 0 };
    bool account = service_account_like(secret);

    secret = rx_str_trim(secret);
    if (account)
        secret = read_account(v, secret, arena, &last4);
    if (account ? secret.len == 0 : !check_secret(v, secret))
        return NULL;
    for (size_t i = 0; i < ch->key_count; i++) {
        if (ch->keys[i].account.len == 0 &&
            rx_secret_eq(ch->keys[i].secret, secret))
            return &ch->keys[i];
    }
    struct channel_key *k = add_key(ch, v);
    if (k != NULL) {
        k->secret = secret;
        k->last4 = account ? last4 : field_last4(arena, secret);
        if (account)
            k->kind = RX_S(SERVICE_ACCOUNT_KIND);
    }
    return k;
}

/* One whose account is in the list already is not added again. */
static struct channel_key *
add_account(struct channel *ch, rx_json v, rx_str account)
{
    if (account.len == 0) {
        rx_json_wrong(v, "must name an account");
        return NULL;
    }
    for (size_t i = 0; i < ch->key_count; i++) {
        if (rx_str_eq(ch->keys[i].account, account) ||
            rx_str_eq(ch->keys[i].account_id, account))
            return &ch->keys[i];
    }
    struct channel_key *k = add_key(ch, v);
    if (k != NULL) {
        k->kind = RX_S("oauth");
        k->account = account;
    }
    return k;
}

static const struct channel_key *
find_key(const struct channel_key *keys, size_t count, rx_str id)
{
    for (size_t i = 0; i < count; i++) {
        if (id.len > 0 && rx_str_eq(keys[i].id, id))
            return &keys[i];
    }
    return NULL;
}

static bool
has_mark(rx_str secret, rx_str mark)
{
    char known[CONFIG_MARK_SIZE];

    config_mark(secret, known);
    return secret.len > 0 && rx_str_eq(mark, field_text(known));
}

/* The key a document means: the channel's own, or one that came with it. */
static struct channel_key *
add_marked(struct channel *ch, rx_json v, rx_str mark,
    const struct channel_key *old, size_t old_count, struct rx_arena *arena)
{
    for (size_t i = 0; i < old_count; i++) {
        if (has_mark(old[i].secret, mark)) {
            struct channel_key *k = add_key(ch, v);
            if (k != NULL)
                *k = old[i];
            return k;
        }
    }
    for (size_t i = 0; ch->offered != NULL && i < ch->offered->count; i++) {
        if (has_mark(ch->offered->at[i], mark))
            return add_secret(ch, v, ch->offered->at[i], arena);
    }
    ch->missing_keys++;
    return NULL;
}

/* {"id","status"} keeps a key, {"key","status"} and {"account","status"} bring
 * one, {"fingerprint"} is one that stood in a document. */
static void
read_key_object(struct channel *ch, rx_json v, const struct channel_key *old,
    size_t old_count, struct rx_arena *arena)
{
    static const char *const shown[] = { "last4", "kind", "created_at", "token",
        NULL };
    struct channel_key *k = NULL;
    rx_str text;

    field_ignore(v, FIELD_PATCH, shown);
    if (rx_json_get_str(v, "key", &text)) {
        k = add_secret(ch, rx_json_member(v, "key"), text, arena);
    } else if (rx_json_get_str(v, "fingerprint", &text)) {
        k = add_marked(ch, v, text, old, old_count, arena);
        (void)rx_json_member(v, "status");
    } else if (!rx_json_there(rx_json_member(v, "id")) &&
               rx_json_get_str(v, "account", &text)) {
        k = add_account(ch, rx_json_member(v, "account"), text);
    } else if (rx_json_need_str(v, "id", &text)) {
        const struct channel_key *known = find_key(old, old_count, text);
        if (known == NULL)
            rx_json_wrong_member(v, "id", "is not a key of this channel");
        else if ((k = add_key(ch, v)) != NULL)
            *k = *known;
        (void)rx_json_member(v, "account");
    }
    if (k != NULL)
        field_read_word(v, "status", key_statuses, &k->status);
    rx_json_no_more(v);
}

/* A key that is not known must not cost the channel those that are. */
static void
keep_others(struct channel *ch, rx_json list, const struct channel_key *old,
    size_t old_count)
{
    for (size_t i = 0; i < old_count; i++) {
        if (find_key(ch->keys, ch->key_count, old[i].id) != NULL)
            continue;
        struct channel_key *k = add_key(ch, list);
        if (k != NULL)
            *k = old[i];
    }
}

void
channel_read_keys(struct channel *ch, rx_json body, struct rx_arena *arena)
{
    rx_json single = rx_json_member(body, "api_key");
    rx_json account = rx_json_member(body, "account");
    rx_json list = rx_json_member(body, "keys");
    struct channel_key *old =
        field_make(arena, struct channel_key, CHANNEL_KEYS_MAX);
    size_t old_count = ch->key_count;
    rx_str s;

    if (rx_json_kind(single) <= RX_JSON_NULL &&
        rx_json_kind(account) <= RX_JSON_NULL &&
        rx_json_kind(list) <= RX_JSON_NULL)
        return; /* not mentioned: they stay */
    memcpy(old, ch->keys, sizeof(ch->keys));
    ch->key_count = ch->missing_keys = 0;
    if (rx_json_get_str(body, "api_key", &s))
        add_secret(ch, single, s, arena);
    if (rx_json_get_str(body, "account", &s))
        add_account(ch, account, s);
    if (!rx_json_get_array(body, "keys", &list))
        return;
    for (rx_json v = rx_json_first(list); rx_json_there(v);
         v = rx_json_next(v)) {
        if (rx_json_kind(v) == RX_JSON_OBJECT)
            read_key_object(ch, v, old, old_count, arena);
        else if (rx_json_want(v, RX_JSON_STRING))
            add_secret(ch, v, rx_json_str(v), arena);
    }
    if (ch->missing_keys > 0)
        keep_others(ch, list, old, old_count);
}
