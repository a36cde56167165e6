#include "controlplane/caller.h"

#include "controlplane/admin.h"
#include "controlplane/settings.h"
#include "controlplane/user.h"

static rx_str
bearer(const struct rx_httpd_head *head)
{
    rx_str value = rx_httpd_header(head, RX_S("authorization"));
    rx_str scheme, token;

    if (!rx_str_cut(value, ' ', &scheme, &token) ||
        !rx_str_ieq(scheme, RX_S("bearer")))
        return (rx_str){ 0 };
    return rx_str_trim(token);
}

static bool
same(const struct rx_digest *a, const struct rx_digest *b)
{
    return rx_secret_eq((rx_str){ (const char *)a->bytes, sizeof(a->bytes) },
        (rx_str){ (const char *)b->bytes, sizeof(b->bytes) });
}

enum rx_code
caller_by_token(struct store *s, struct rx_arena *arena,
    const struct caller_tokens *tokens, const struct rx_digest *digest,
    struct caller *out, struct rx_err *err)
{
    struct admin_token *t;

    *out = (struct caller){ 0 };
    if (tokens->has_environment && same(digest, &tokens->environment)) {
        out->kind = CALLER_ENVIRONMENT;
        out->id = RX_S("environment");
        out->name = RX_S("ADMIN_API_KEY");
        out->role = API_OWNER;
        return RX_OK;
    }
    if (same(digest, &tokens->local)) {
        out->kind = CALLER_LOCAL;
        out->id = out->name = RX_S("local");
        out->role = API_OWNER;
        return RX_OK;
    }
    enum rx_code code = admin_check(s, arena, digest, &t, err);
    if (code != RX_OK)
        return code;
    out->kind = CALLER_TOKEN;
    out->id = t->id;
    out->name = t->name;
    out->scopes = t->scopes;
    out->role = scope_role(&t->scopes);
    return RX_OK;
}

static enum rx_code
by_user(struct store *s, struct rx_arena *arena, rx_str id, struct caller *out,
    struct rx_err *err)
{
    struct user *u;
    enum rx_code code = user_load(s, arena, id, &u, err);

    if (code != RX_OK)
        return code == RX_NOT_FOUND
                   ? rx_fail(err, RX_UNAUTHENTICATED, "the user is gone")
                   : code;
    *out = (struct caller){
        .kind = CALLER_USER,
        .id = u->id,
        .name = u->name,
        .role = u->role,
    };
    return RX_OK;
}

static enum rx_code
by_cookie(struct store *s, struct rx_arena *arena,
    const struct caller_tokens *tokens, rx_str cookie, struct caller *out,
    struct rx_err *err)
{
    struct settings settings;
    struct session session;
    enum rx_code code = settings_load(s, arena, &settings, err);

    if (code == RX_OK)
        code = session_find(s, arena, cookie, &settings.login, &session, err);
    if (code == RX_OK)
        code =
            session.user_id.len > 0
                ? by_user(s, arena, session.user_id, out, err)
                : caller_by_token(s, arena, tokens, &session.token, out, err);
    out->session = cookie;
    out->expires_ms = session.expires_ms;
    return code;
}

enum rx_code
caller_find(struct store *s, struct rx_arena *arena,
    const struct caller_tokens *tokens, const struct rx_httpd_head *head,
    struct caller *out, struct rx_err *err)
{
    rx_str token = bearer(head);
    rx_str cookie = session_cookie(rx_httpd_header(head, RX_S("cookie")));
    enum rx_code code;

    *out = (struct caller){ 0 };
    if (token.len > 0) {
        struct rx_digest digest = rx_digest(token);
        code = caller_by_token(s, arena, tokens, &digest, out, err);
    } else if (cookie.len > 0) {
        code = by_cookie(s, arena, tokens, cookie, out, err);
    } else {
        code = rx_fail(err, RX_UNAUTHENTICATED,
            "log in, or send an admin token: Authorization: Bearer rta_…");
    }
    if (code != RX_OK)
        *out = (struct caller){ 0 };
    return code;
}

/* ---- where from ---- */

bool
caller_is_same_site(const struct rx_httpd_head *head)
{
    rx_str site = rx_httpd_header(head, RX_S("sec-fetch-site"));

    return site.len == 0 || rx_str_eq(site, RX_S("same-origin")) ||
           rx_str_eq(site, RX_S("none"));
}

bool
caller_is_secure(const struct rx_httpd_head *head)
{
    rx_str proto = rx_httpd_header(head, RX_S("x-forwarded-proto"));

    return rx_str_ieq(proto, RX_S("https"));
}

/* The last one is what our neighbour added; those before are hearsay. */
static rx_str
last_forwarded(const struct rx_httpd_head *head)
{
    rx_str list = { 0 }, item = { 0 };

    for (size_t i = 0; i < head->header_count; i++) {
        if (rx_str_ieq(head->headers[i].name, RX_S("x-forwarded-for")))
            list = head->headers[i].value;
    }
    for (bool more = list.len > 0; more;)
        more = rx_str_cut(list, ',', &item, &list);
    return rx_str_trim(item);
}

rx_str
caller_address(const struct rx_httpd_head *head)
{
    rx_str told = last_forwarded(head);
    bool near = rx_str_starts(head->peer, RX_S("127.")) ||
                rx_str_eq(head->peer, RX_S("::1"));

    return near && told.len > 0 && told.len <= 64 ? told : head->peer;
}
