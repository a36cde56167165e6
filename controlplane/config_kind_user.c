/*
 * Users travel without their passwords: each has to be given one before it can
 * log in.
 */
#include "controlplane/config_kind.h"
#include "controlplane/user.h"

static rx_str
user_name(const void *noun)
{
    return ((const struct user *)noun)->name;
}

static enum rx_code
user_page(struct config_run *run, rx_str after, void **out, size_t *count,
    struct rx_err *err)
{
    return user_list(run->store, run->arena, after, CONFIG_PAGE,
        (struct user **)out, count, err);
}

static enum rx_code
list_users(
    struct config_run *run, void ***out, size_t *count, struct rx_err *err)
{
    return config_list_by_name(run, user_page, user_name, out, count, err);
}

static enum rx_code
find_user(struct config_run *run, rx_json body, void **out, struct rx_err *err)
{
    struct user *u = NULL;
    rx_str name = config_wanted_name(body);
    enum rx_code code = user_load_named(run->store, run->arena, name, &u, err);

    return config_or_none(code, u, name, user_name, out, err);
}

static void
put_user(struct rx_json_out *w, const void *noun)
{
    user_put(w, NULL, noun);
}

static void *
read_user(
    struct config_run *run, void *noun, rx_json body, enum field_mode mode)
{
    struct user *u = noun != NULL ? noun : user_new(run->arena);
    rx_str password;

    if (mode == FIELD_REPLACE)
        u->role = API_VIEWER;
    if (rx_json_there(rx_json_member(body, "password")))
        rx_json_wrong_member(
            body, "password", "does not belong into a document");
    /* A new one is read like a change, which asks for no password. */
    user_read(u, body, FIELD_PATCH, &password);
    if (u->name.len == 0)
        field_read_name(body, FIELD_CREATE, false, &u->name);
    if (noun == NULL)
        config_warn(run, body,
            "has no password yet; an owner sets it with routex user edit "
            "%.64s --password-stdin",
            u->name.len > 0 ? u->name.ptr : "");
    return u;
}

/* The one who could make others owner must not be lost. */
static enum rx_code
check_owners(struct config_run *run, uint64_t before, struct rx_err *err)
{
    uint64_t all, owners;
    enum rx_code code = user_count(run->store, &all, &owners, err);

    if (code == RX_OK && before > 0 && owners == 0)
        return rx_fail(err, RX_CONFLICT,
            "nobody who can log in would be an owner any more");
    return code;
}

static enum rx_code
save_user(struct config_run *run, void *noun, rx_json body, struct rx_err *err)
{
    uint64_t all, owners;
    enum rx_code code = user_count(run->store, &all, &owners, err);

    (void)body;
    if (code == RX_OK)
        code = user_save(run->store, run->arena, noun, err);
    return code == RX_OK ? check_owners(run, owners, err) : code;
}

static enum rx_code
remove_user(struct config_run *run, void *noun, struct rx_err *err)
{
    uint64_t all, owners;
    enum rx_code code = user_count(run->store, &all, &owners, err);

    if (code == RX_OK)
        code = user_delete(run->store, noun, err);
    return code == RX_OK ? check_owners(run, owners, err) : code;
}

static const char *const user_hidden[] = { "id", "has_password", "created_at",
    "updated_at", "last_login_at", NULL };

const struct config_kind config_users = {
    .name = "users",
    .noun = "user",
    .owners = true,
    .hidden = user_hidden,
    .name_of = user_name,
    .list = list_users,
    .find = find_user,
    .put = put_user,
    .read = read_user,
    .save = save_user,
    .remove = remove_user,
};
