/*
 * What a provider said, into the store: one transaction with the line of the
 * audit log and what those who wait want to be kept.
 */
#include "controlplane/audit.h"
#include "controlplane/oauth_parts.h"
#include "shared/clock.h"

/* ---- whose it is ------------------------------------------------------------- */

static struct oauth_account *
account_new(const struct ask *a, rx_str name)
{
    struct oauth_account *out = field_make(a->arena, struct oauth_account, 1);

    *out = (struct oauth_account){ .provider = field_text(a->provider->name),
        .name = name };
    return out;
}

/* A log-in as somebody else would put other people's tokens into channels. */
static enum rx_code
check_same(
    const struct ask *a, const struct oauth_account *have, struct rx_err *err)
{
    rx_str who = a->grant.identity;

    if (!rx_str_eq(have->provider, field_text(a->provider->name)))
        return rx_fail(err, RX_CONFLICT,
            "account: \"" RX_STR_FMT "\" is an account of " RX_STR_FMT,
            RX_STR_ARG(have->name), RX_STR_ARG(have->provider));
    if (who.len > 0 && have->identity.len > 0 &&
        !rx_str_eq(who, have->identity))
        return rx_fail(err, RX_CONFLICT,
            "account: \"" RX_STR_FMT "\" belongs to somebody else there",
            RX_STR_ARG(have->name));
    return RX_OK;
}

static enum rx_code
find_named(struct ask *a, struct oauth_account **out, struct rx_err *err)
{
    struct store *s = a->oauth->store;
    rx_str name = a->login->account;
    enum rx_code code = oauth_account_load(s, a->arena, name, true, out, err);

    if (code == RX_NOT_FOUND) {
        *err = (struct rx_err){ 0 };
        *out = account_new(a, name);
        return RX_OK;
    }
    return code == RX_OK ? check_same(a, *out, err) : code;
}

/* Somebody whom we know logs in again, or it is a new account. */
static enum rx_code
find_unnamed(struct ask *a, struct oauth_account **out, struct rx_err *err)
{
    struct store *s = a->oauth->store;
    rx_str provider = field_text(a->provider->name);
    rx_str name;
    enum rx_code code =
        oauth_account_of(s, a->arena, provider, a->grant.identity, out, err);

    if (code != RX_OK)
        return code;
    if (*out != NULL)
        return oauth_account_load(s, a->arena, (*out)->id, true, out, err);
    code = oauth_account_free_name(s, a->arena, provider, &name, err);
    if (code == RX_OK)
        *out = account_new(a, name);
    return code;
}

static enum rx_code
find_account(struct ask *a, struct oauth_account **out, struct rx_err *err)
{
    if (a->account.len > 0)
        return oauth_account_load(
            a->oauth->store, a->arena, a->account, true, out, err);
    return a->login->account.len > 0 ? find_named(a, out, err)
                                     : find_unnamed(a, out, err);
}

/* ---- what became of it --------------------------------------------------------- */

static void
take_owner(struct oauth_account *to, const struct oauth_grant *g)
{
    if (g->identity.len > 0)
        to->identity = g->identity;
    if (g->email.len > 0)
        to->email = g->email;
    if (g->scope.len > 0)
        to->scope = g->scope;
}

/* True: there are other tokens than before. */
static bool
take_grant(const struct ask *a, struct oauth_account *to)
{
    const struct oauth_grant *g = &a->grant;

    to->access = g->access;
    if (g->refresh.len > 0 || a->login != NULL)
        to->refresh = g->refresh;
    to->span = (struct oauth_span){ a->asked_ms, g->life_ms };
    to->refreshed_ms = rx_clock_wall_ms();
    to->needs_login = false;
    to->last_error = (rx_str){ 0 };
    to->failed_ms = to->failures = 0;
    take_owner(to, g);
    return true;
}

/* What is still good stays; a refresh token that came along replaces one that
 * is dead now. */
static bool
take_failure(const struct ask *a, struct oauth_account *to)
{
    const struct oauth_grant *g = &a->grant;
    uint64_t now = rx_clock_wall_ms();

    to->last_error = field_text(a->err.text);
    to->failed_ms = now;
    to->failures++;
    to->needs_login = to->needs_login || a->verdict == OAUTH_REFUSED;
    if (g->refresh.len == 0)
        return false;
    to->refresh = g->refresh;
    if (g->access.len > 0 && oauth_left_ms(&to->span, now) == 0) {
        to->access = g->access;
        to->span = (struct oauth_span){ a->asked_ms, g->life_ms };
    }
    return true;
}

static enum rx_code
add_audit(const struct ask *a, const struct oauth_account *account,
    struct rx_err *err)
{
    const struct oauth_actor *who = &a->actor;
    struct audit_line line = { .actor = who->name,
        .action = a->login != NULL ? "login" : "refresh",
        .kind = "oauth_account",
        .id = account->id,
        .name = account->name,
        .actor_kind = who->kind.len > 0 ? who->kind.ptr : NULL,
        .actor_id = who->id,
        .address = who->address };

    if (a->verdict == OAUTH_REFUSED) {
        line.action = "needs_login";
        line.actor = RX_S("routex-control");
        line.actor_kind = NULL;
        line.actor_id = line.address = (rx_str){ 0 };
    }
    return line.actor.len > 0 ? audit_add(a->oauth->store, &line, err) : RX_OK;
}

static enum rx_code
store(struct ask *a, struct oauth_account **out, struct rx_err *err)
{
    struct oauth_account *account;
    enum rx_code code = find_account(a, &account, err);

    if (code == RX_OK && a->login == NULL &&
        !rx_secret_eq(a->shown, account->refresh))
        code = rx_fail(
            err, RX_CONFLICT, "somebody logged in again in the meantime");
    if (code != RX_OK)
        return code;
    bool tokens = a->verdict == OAUTH_GRANTED ? take_grant(a, account)
                                              : take_failure(a, account);
    code = oauth_account_save(a->oauth->store, a->arena, account, tokens, err);
    if (code == RX_OK)
        code = add_audit(a, account, err);
    if (code == RX_OK && a->verdict == OAUTH_GRANTED)
        code = oauth_ask_keep(a, account, err);
    *out = account;
    return code;
}

enum rx_code
oauth_store_outcome(
    struct ask *a, struct oauth_account **out, struct rx_err *err)
{
    enum rx_code code = store_begin(a->oauth->store, err);

    *out = NULL;
    if (code != RX_OK)
        return code;
    code = store(a, out, err);
    if (code == RX_OK)
        return store_commit(a->oauth->store, err);
    store_rollback(a->oauth->store);
    return code;
}
