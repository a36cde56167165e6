/*
 * Logging in and out, and who one is.
 *
 *   POST  name, password ─> admitted? ─> Argon2id on the helper ─> session
 *   POST  token          ─> only while there is no user ─────────> session
 */
#include "controlplane/api.h"
#include "controlplane/settings.h"
#include "controlplane/user.h"
#include "shared/clock.h"
#include "shared/log.h"

/* A log-in, or a change of password, under way. */
struct entry {
    rx_str name;
    rx_str password; /* the new one of a change */
    struct user *user;
    struct rx_digest token;
    struct login_job *job; /* NULL unless one waits */
};

/* ---- who ---- */

static enum rx_code
put_who(struct api_call *c, const struct caller *who, struct rx_err *err)
{
    struct rx_json_out *w = &c->w;
    const char *role = scope_role_name(who->role);
    uint64_t users, owners;
    enum rx_code code = user_count(c->store, &users, &owners, err);

    rx_json_open_object(w, "data");
    rx_json_put_text(w, "kind", scope_kind_name(who->kind));
    rx_json_put_str(w, "id", who->id);
    rx_json_put_str(w, "name", who->name);
    if (role != NULL)
        rx_json_put_text(w, "role", role);
    else
        rx_json_put_null(w, "role");
    field_put_list(w, "scopes", &who->scopes);
    if (who->session.len > 0)
        rx_json_put_str(w, "csrf_token", session_csrf(c->arena, who->session));
    else
        rx_json_put_null(w, "csrf_token");
    rx_json_put_time(w, "expires_at", who->expires_ms);
    rx_json_put_bool(w, "no_user_yet", users == 0);
    rx_json_close(w);
    return code;
}

enum rx_code
api_session_get(struct api_call *c, struct rx_err *err)
{
    uint64_t users, owners;
    enum rx_code code = caller_find(c->store, c->arena, api_tokens(c->api),
        rx_httpd_head(c->req), &c->who, err);

    if (code == RX_OK)
        return put_who(c, &c->who, err);
    if (code != RX_UNAUTHENTICATED)
        return code;
    rx_buf_add(&c->headers, RX_S("www-authenticate: Bearer\r\n"));
    if (user_count(c->store, &users, &owners, NULL) == RX_OK && users == 0)
        c->fail_code = "no_user_yet";
    return code;
}

/* ---- beginning a session ---- */

static enum rx_code
begin_session(struct api_call *c, const struct session *whose,
    struct caller *who, struct rx_err *err)
{
    const struct rx_httpd_head *head = rx_httpd_head(c->req);
    rx_str before = session_cookie(rx_httpd_header(head, RX_S("cookie")));
    struct settings settings;
    enum rx_code code = settings_load(c->store, c->arena, &settings, err);

    /* What somebody may have planted here is worth nothing from now on. */
    if (code == RX_OK && before.len > 0)
        code = session_end(c->store, before, err);
    if (code == RX_OK)
        code = session_create(c->store, c->arena, whose, c->address,
            &settings.login, &who->session, err);
    if (code != RX_OK)
        return code;
    who->expires_ms = rx_clock_wall_ms() + settings.login.idle_ms;
    session_put_cookie(&c->headers, who->session, settings.login.absolute_ms,
        caller_is_secure(head));
    c->who = *who;
    return RX_OK;
}

static enum rx_code
begin_user_session(struct api_call *c, const struct user *u, struct rx_err *err)
{
    struct session whose = { .user_id = u->id };
    struct caller who = {
        .kind = CALLER_USER,
        .id = u->id,
        .name = u->name,
        .role = u->role,
    };
    enum rx_code code = begin_session(c, &whose, &who, err);

    return code == RX_OK ? user_saw(c->store, u, err) : code;
}

static enum rx_code
wrong_password(struct rx_err *err)
{
    return rx_fail(err, RX_UNAUTHENTICATED, "wrong name or password");
}

/* The user as it is now; it may have changed while the password was checked. */
static enum rx_code
load_again(struct api_call *c, const struct entry *e, struct user **u,
    struct rx_err *err)
{
    enum rx_code code = user_load(c->store, c->arena, e->user->id, u, err);

    if (code == RX_NOT_FOUND ||
        (code == RX_OK && !rx_str_eq((*u)->password, e->user->password)))
        return wrong_password(err);
    return code;
}

static enum rx_code
enter(struct api_call *c, struct rx_err *err)
{
    struct user *u;
    enum rx_code code = load_again(c, c->work, &u, err);

    if (code == RX_OK)
        code = begin_user_session(c, u, err);
    if (code == RX_OK)
        code = api_audit(c, "login", "user", u->id, u->name, err);
    c->status = 201;
    return code == RX_OK ? put_who(c, &c->who, err) : code;
}

static enum rx_code
enter_by_token(struct api_call *c, struct rx_err *err)
{
    const struct entry *e = c->work;
    struct session whose = { .token = e->token };
    struct caller who;
    uint64_t users, owners;
    enum rx_code code = user_count(c->store, &users, &owners, err);

    if (code == RX_OK && users > 0) {
        c->fail_code = "password_needed";
        return rx_fail(
            err, RX_DENIED, "there are users: log in with name and password");
    }
    if (code == RX_OK)
        code = caller_by_token(
            c->store, c->arena, api_tokens(c->api), &e->token, &who, err);
    if (code == RX_OK)
        code = begin_session(c, &whose, &who, err);
    if (code == RX_OK)
        code = api_audit(c, "login", "token", who.id, who.name, err);
    c->status = 201;
    return code == RX_OK ? put_who(c, &c->who, err) : code;
}

/* ---- logging in ---- */

static void
on_leave(void *arg)
{
    struct entry *e = arg;

    if (e->job != NULL)
        login_cancel(e->job);
}

/* A job was given, or too many were. */
static enum rx_code
wait_for(struct api_call *c, struct login_job *job, struct rx_err *err)
{
    struct entry *e = c->work;

    e->job = job;
    if (job == NULL)
        return api_busy(c, 1, err);
    c->later = true;
    c->cancel = on_leave;
    c->cancel_arg = e;
    return RX_OK;
}

static enum rx_code
admit(struct api_call *c, rx_str name, struct rx_err *err)
{
    uint64_t wait_s;
    enum rx_code code =
        login_admit(c->world->login, c->address, name, &wait_s, err);

    if (code != RX_OK)
        rx_buf_addf(
            &c->headers, "retry-after: %llu\r\n", (unsigned long long)wait_s);
    return code;
}

static void
on_checked(void *arg, const struct login_result *result)
{
    struct api_call *c = arg;
    struct entry *e = c->work;
    struct rx_err err = { 0 };

    e->job = NULL;
    if (!result->good || e->user == NULL) {
        /* No name: people type passwords there. */
        rx_warn("login.refused", "address=%s", rx_log_quote_str(c->address));
        api_finish(c, wrong_password(&err), &err);
        return;
    }
    login_succeeded(c->world->login, c->address, e->name);
    api_resume(c, enter);
}

static enum rx_code
log_in(struct api_call *c, struct entry *e, struct rx_err *err)
{
    enum rx_code code = admit(c, e->name, err);

    if (code == RX_OK)
        code = user_load_named(c->store, c->arena, e->name, &e->user, err);
    if (code == RX_NOT_FOUND)
        code = RX_OK; /* and takes as long */
    if (code != RX_OK)
        return code;
    return wait_for(c,
        login_check(c->world->login, e->password,
            e->user != NULL && e->user->password.len > 0 ? e->user->password.ptr
                                                         : NULL,
            on_checked, c),
        err);
}

/* A form of another site's page can post text, but not JSON. */
static enum rx_code
check_origin(struct api_call *c, struct rx_err *err)
{
    const struct rx_httpd_head *head = rx_httpd_head(c->req);
    rx_str type, rest;

    rx_str_cut(rx_httpd_header(head, RX_S("content-type")), ';', &type, &rest);
    if (!rx_str_ieq(rx_str_trim(type), RX_S("application/json")))
        return api_wrong(c, err, "Content-Type", "must be application/json");
    if (!caller_is_same_site(head)) {
        c->fail_code = "csrf";
        return rx_fail(err, RX_DENIED, "another site's page may not log in");
    }
    return RX_OK;
}

static void
read_entry(struct api_call *c, struct entry *e, rx_str *token)
{
    if (!rx_json_there(c->body) || !rx_json_want(c->body, RX_JSON_OBJECT))
        return;
    if (rx_json_get_str(c->body, "token", token)) {
        if (token->len == 0)
            rx_json_wrong_member(c->body, "token", "must not be empty");
    } else {
        rx_json_need_str(c->body, "name", &e->name);
        rx_json_need_str(c->body, "password", &e->password);
        if (e->password.len > USER_PASSWORD_MAX)
            rx_json_wrong_member(c->body, "password",
                "must have at most %d bytes", USER_PASSWORD_MAX);
    }
    rx_json_no_more(c->body);
}

enum rx_code
api_session_create(struct api_call *c, struct rx_err *err)
{
    struct entry *e = field_make(c->arena, struct entry, 1);
    rx_str token = { 0 };
    enum rx_code code = check_origin(c, err);

    c->work = e;
    if (code != RX_OK)
        return code;
    read_entry(c, e, &token);
    code = api_body_done(c, err);
    if (code != RX_OK)
        return code;
    if (token.len == 0)
        return log_in(c, e, err);
    e->token = rx_digest(token);
    code = admit(c, (rx_str){ 0 }, err);
    return code == RX_OK ? api_change(c, enter_by_token, err) : code;
}

/* ---- one's own password ---- */

static enum rx_code
set_password(struct api_call *c, struct rx_err *err)
{
    const struct entry *e = c->work;
    struct user *u;
    enum rx_code code = load_again(c, e, &u, err);

    if (code != RX_OK)
        return code;
    u->password = e->password;
    code = user_save(c->store, c->arena, u, err);
    if (code == RX_OK)
        code = session_end_all(c->store, u->id, err);
    if (code == RX_OK)
        code = api_audit(c, "update", "user", u->id, u->name, err);
    if (code == RX_OK)
        code = begin_user_session(c, u, err);
    return code == RX_OK ? put_who(c, &c->who, err) : code;
}

static void
on_hashed(void *arg, const struct login_result *result)
{
    struct api_call *c = arg;
    struct entry *e = c->work;
    struct rx_err err = { 0 };

    e->job = NULL;
    if (!result->good) {
        api_finish(c, api_busy(c, 1, &err), &err);
        return;
    }
    e->password = field_keep(c->arena, field_text(result->hash));
    api_resume(c, set_password);
}

static void
on_old_checked(void *arg, const struct login_result *result)
{
    struct api_call *c = arg;
    struct entry *e = c->work;
    struct rx_err err = { 0 };
    enum rx_code code;

    e->job = NULL;
    if (result->good) {
        login_succeeded(c->world->login, c->address, e->name);
        code = wait_for(
            c, login_hash(c->world->login, e->password, on_hashed, c), &err);
    } else {
        code = api_wrong(c, &err, "current_password", "is wrong");
        c->fail_status = 403;
        c->fail_code = "forbidden";
    }
    if (code != RX_OK)
        api_finish(c, code, &err);
}

enum rx_code
api_session_patch(struct api_call *c, struct rx_err *err)
{
    struct entry *e = field_make(c->arena, struct entry, 1);
    rx_str before = { 0 };

    c->work = e;
    if (c->who.kind != CALLER_USER)
        return rx_fail(err, RX_DENIED, "only a user has a password");
    if (rx_json_there(c->body) && rx_json_want(c->body, RX_JSON_OBJECT)) {
        rx_json_need_str(c->body, "current_password", &before);
        if (rx_json_need_str(c->body, "password", &e->password))
            user_check_password(c->body, "password", e->password);
        rx_json_no_more(c->body);
    }
    enum rx_code code = api_body_done(c, err);
    e->name = c->who.name;
    if (code == RX_OK)
        code = admit(c, e->name, err);
    if (code == RX_OK)
        code = user_load(c->store, c->arena, c->who.id, &e->user, err);
    if (code != RX_OK)
        return code;
    return wait_for(c,
        login_check(
            c->world->login, before, e->user->password.ptr, on_old_checked, c),
        err);
}

/* ---- logging out ---- */

enum rx_code
api_session_delete(struct api_call *c, struct rx_err *err)
{
    if (c->who.session.len == 0)
        return rx_fail(err, RX_INVALID, "this is no session, but a token");
    enum rx_code code = session_end(c->store, c->who.session, err);
    if (code == RX_OK)
        code = api_audit(c, "logout", scope_kind_name(c->who.kind), c->who.id,
            c->who.name, err);
    session_clear_cookie(&c->headers, caller_is_secure(rx_httpd_head(c->req)));
    if (code == RX_OK)
        api_put_deleted(c, c->who.id);
    return code;
}
