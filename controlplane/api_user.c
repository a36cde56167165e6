#include "controlplane/api.h"
#include "controlplane/user.h"

/* What waits for a password to be hashed. */
struct making {
    struct login_job *job; /* NULL unless one waits */
    rx_str hash;           /* empty: the password stays */
    api_handler *then;
};

enum rx_code
api_users_list(struct api_call *c, struct rx_err *err)
{
    struct user **list = field_make(c->arena, struct user *, API_PAGE_MAX);
    size_t limit, count = 0;
    rx_str after;

    enum rx_code code = api_page(c, &limit, &after, err);
    if (code == RX_OK)
        code = user_list(c->store, c->arena, after, limit, list, &count, err);
    if (code != RX_OK)
        return code;
    rx_json_open_array(&c->w, "data");
    for (size_t i = 0; i < count; i++)
        user_put(&c->w, NULL, list[i]);
    rx_json_close(&c->w);
    api_put_next(c, count == limit ? list[count - 1]->name : (rx_str){ 0 });
    return RX_OK;
}

static enum rx_code
finish_change(
    struct api_call *c, struct user *u, const char *action, struct rx_err *err)
{
    enum rx_code code = user_save(c->store, c->arena, u, err);

    if (code == RX_OK)
        code = api_audit(c, action, "user", u->id, u->name, err);
    if (code != RX_OK)
        return code;
    api_etag(c, u->rev);
    user_put(&c->w, "data", u);
    return RX_OK;
}

enum rx_code
api_user_get(struct api_call *c, struct rx_err *err)
{
    struct user *u;
    enum rx_code code = user_load(c->store, c->arena, c->params[0], &u, err);

    if (code != RX_OK)
        return code;
    api_etag(c, u->rev);
    user_put(&c->w, "data", u);
    return RX_OK;
}

/* ---- passwords ---- */

static void
on_leave(void *arg)
{
    struct making *m = arg;

    if (m->job != NULL)
        login_cancel(m->job);
}

static void
on_hashed(void *arg, const struct login_result *result)
{
    struct api_call *c = arg;
    struct making *m = c->work;
    struct rx_err err = { 0 };

    m->job = NULL;
    if (!result->good) {
        api_finish(c, api_busy(c, 1, &err), &err);
        return;
    }
    m->hash = field_keep(c->arena, field_text(result->hash));
    api_resume(c, m->then);
}

/* Hash it, then do the change. */
static enum rx_code
hash_first(
    struct api_call *c, rx_str password, api_handler *then, struct rx_err *err)
{
    struct making *m = c->work;

    m->then = then;
    m->job = login_hash(c->world->login, password, on_hashed, c);
    if (m->job == NULL)
        return api_busy(c, 1, err);
    c->later = true;
    c->cancel = on_leave;
    c->cancel_arg = m;
    return RX_OK;
}

/* ---- making ---- */

/* The first one can do everything, or nobody could make the second. */
static enum rx_code
first_is_owner(struct api_call *c, struct user *u, struct rx_err *err)
{
    uint64_t all, owners;
    rx_json role = rx_json_member(c->body, "role");
    enum rx_code code = user_count(c->store, &all, &owners, err);

    if (code != RX_OK || all > 0 || u->role == API_OWNER)
        return code;
    if (rx_json_there(role) && rx_json_kind(role) != RX_JSON_NULL)
        return api_wrong(
            c, err, "role", "must be owner, as this is the first user");
    u->role = API_OWNER;
    return RX_OK;
}

static enum rx_code
create(struct api_call *c, struct rx_err *err)
{
    const struct making *m = c->work;
    struct user *u = user_new(c->arena);
    rx_str password;

    user_read(u, c->body, FIELD_CREATE, &password);
    enum rx_code code = first_is_owner(c, u, err);
    if (code != RX_OK)
        return code;
    u->password = m->hash;
    c->status = 201;
    return finish_change(c, u, "create", err);
}

enum rx_code
api_users_create(struct api_call *c, struct rx_err *err)
{
    struct user *u = user_new(c->arena);
    rx_str password = { 0 };

    c->work = field_make(c->arena, struct making, 1);
    if (rx_json_there(c->body))
        user_read(u, c->body, FIELD_CREATE, &password);
    enum rx_code code = api_body_done(c, err);
    if (code == RX_OK)
        code = first_is_owner(c, u, err);
    return code == RX_OK ? hash_first(c, password, create, err) : code;
}

/* ---- changing ---- */

/* `u` is, or was, an owner and will not be one: is there another? */
static enum rx_code
check_last_owner(struct api_call *c, const struct user *u, struct rx_err *err)
{
    uint64_t all, owners;
    enum rx_code code = user_count(c->store, &all, &owners, err);

    if (code != RX_OK || owners > 1 || u->password.len == 0)
        return code;
    c->fail_code = "last_owner";
    return rx_fail(err, RX_CONFLICT,
        "this is the last owner; make another user owner first");
}

static enum rx_code
change(struct api_call *c, struct rx_err *err)
{
    const struct making *m = c->work;
    struct user *u;
    rx_str password;
    enum rx_code code = user_load(c->store, c->arena, c->params[0], &u, err);

    if (code == RX_OK)
        code = api_if_match(c, u->rev, err);
    if (code != RX_OK)
        return code;
    bool was_owner = u->role == API_OWNER;
    user_read(u, c->body, FIELD_PATCH, &password);
    if (was_owner && u->role != API_OWNER)
        code = check_last_owner(c, u, err);
    if (code == RX_OK && m->hash.len > 0) {
        u->password = m->hash;
        code = session_end_all(c->store, u->id, err);
    }
    return code == RX_OK ? finish_change(c, u, "update", err) : code;
}

enum rx_code
api_user_patch(struct api_call *c, struct rx_err *err)
{
    struct user *u;
    rx_str password = { 0 };
    enum rx_code code = user_load(c->store, c->arena, c->params[0], &u, err);

    c->work = field_make(c->arena, struct making, 1);
    if (code != RX_OK)
        return code;
    if (rx_json_there(c->body))
        user_read(u, c->body, FIELD_PATCH, &password);
    code = api_body_done(c, err);
    if (code != RX_OK)
        return code;
    return password.len > 0 ? hash_first(c, password, change, err)
                            : api_change(c, change, err);
}

enum rx_code
api_user_delete(struct api_call *c, struct rx_err *err)
{
    struct user *u;
    enum rx_code code = user_load(c->store, c->arena, c->params[0], &u, err);

    if (code == RX_OK)
        code = api_if_match(c, u->rev, err);
    if (code == RX_OK && u->role == API_OWNER)
        code = check_last_owner(c, u, err);
    if (code == RX_OK)
        code = user_delete(c->store, u, err);
    if (code == RX_OK)
        code = api_audit(c, "delete", "user", u->id, u->name, err);
    if (code == RX_OK)
        api_put_deleted(c, u->id);
    return code;
}
