/* Roles and scopes, log-ins and their limits, sessions and their end. */

#include "controlplane/admin.h"
#include "controlplane/api.h"
#include "controlplane/login.h"
#include "controlplane/session.h"
#include "controlplane/throttle.h"
#include "controlplane/user.h"
#include "shared/clock.h"
#include "tests/unit/store_rig.h"

#define MINUTE_MS ((uint64_t)60 * 1000)

static struct rx_arena *arena;
static struct store *store;
static const struct session_limits limits = { 10 * MINUTE_MS, 60 * MINUTE_MS };

/* ---- scopes ---- */

static struct caller
with_scopes(const rx_str *scopes, size_t count)
{
    struct caller who = { .kind = CALLER_TOKEN, .scopes = { scopes, count } };

    who.role = scope_role(&who.scopes);
    return who;
}

static void
a_role_may_what_lower_roles_may(void)
{
    static const enum api_role roles[] = { API_PUBLIC, API_ANYBODY, API_VIEWER,
        API_ADMIN, API_OWNER };

    for (size_t has = 2; has < RX_COUNT(roles); has++) {
        struct caller who = { .kind = CALLER_USER, .role = roles[has] };
        for (size_t need = 0; need < RX_COUNT(roles); need++)
            CHECK_INT(has >= need,
                scope_allows(&who, roles[need], RX_S("keys"), true));
    }
    struct caller nobody = { 0 };
    CHECK(scope_allows(&nobody, API_PUBLIC, RX_S("keys"), false));
    CHECK(!scope_allows(&nobody, API_ANYBODY, RX_S("keys"), false));
}

static void
a_scope_covers_its_area_only(void)
{
    static const rx_str one[] = { RX_STR_INIT("channels:write"),
        RX_STR_INIT("audit:read") };
    struct caller who = with_scopes(one, 2);

    CHECK_INT(API_ANYBODY, who.role);
    CHECK(scope_allows(&who, API_ADMIN, RX_S("channels"), true));
    CHECK(scope_allows(&who, API_VIEWER, RX_S("channels"), false));
    CHECK(!scope_allows(&who, API_VIEWER, RX_S("keys"), false));
    CHECK(!scope_allows(&who, API_VIEWER, RX_S("channel"), false));
    CHECK(scope_allows(&who, API_ADMIN, RX_S("audit"), false));
    CHECK(!scope_allows(&who, API_ADMIN, RX_S("audit"), true));
    CHECK(!scope_allows(&who, API_OWNER, RX_S("channels"), true));
}

static void
only_scopes_of_the_table_are_known(void)
{
    static const rx_str good[] = { RX_STR_INIT("*"), RX_STR_INIT("read"),
        RX_STR_INIT("write"), RX_STR_INIT("channels:read"),
        RX_STR_INIT("settings:write"), RX_STR_INIT("routing:write") };
    static const rx_str bad[] = { RX_STR_INIT(""), RX_STR_INIT("owner"),
        RX_STR_INIT("channels"), RX_STR_INIT("channels:"),
        RX_STR_INIT("channels:*"), RX_STR_INIT("users:write"),
        RX_STR_INIT("tokens:read"), RX_STR_INIT("session:write"),
        RX_STR_INIT(":read"), RX_STR_INIT("livez:read") };

    for (size_t i = 0; i < RX_COUNT(good); i++)
        CHECK(scope_is_known(good[i]));
    for (size_t i = 0; i < RX_COUNT(bad); i++)
        CHECK(!scope_is_known(bad[i]));
}

static void
every_route_that_changes_something_needs_a_credential(void)
{
    for (const struct api_route *r = api_routes; r->method != NULL; r++) {
        bool logs_in = strcmp(r->path, "/api/session") == 0;
        CHECK(!r->changes || r->role >= API_ANYBODY);
        CHECK(
            strcmp(r->method, "GET") == 0 || r->role != API_PUBLIC || logs_in);
        bool owners = strncmp(r->path, "/api/users", 10) == 0 ||
                      strncmp(r->path, "/api/tokens", 11) == 0;
        CHECK(!owners || r->role == API_OWNER);
    }
}

/* ---- tries ---- */

static void
a_bucket_gives_its_burst_and_then_its_rate(void)
{
    static struct throttle t = { .every_ms = 1000, .burst = 3 };
    uint64_t now = 50000;

    for (int i = 0; i < 3; i++)
        CHECK_INT(0, (intmax_t)throttle_take(&t, RX_S("a"), now));
    CHECK_INT(1000, (intmax_t)throttle_take(&t, RX_S("a"), now));
    CHECK_INT(0, (intmax_t)throttle_take(&t, RX_S("b"), now));
    CHECK_INT(400, (intmax_t)throttle_take(&t, RX_S("a"), now + 600));
    CHECK_INT(0, (intmax_t)throttle_take(&t, RX_S("a"), now + 1000));
    CHECK(throttle_take(&t, RX_S("a"), now + 1000) > 0);
    throttle_give(&t, RX_S("a"));
    CHECK_INT(0, (intmax_t)throttle_take(&t, RX_S("a"), now + 1000));
    throttle_clear(&t, RX_S("a"));
    for (int i = 0; i < 3; i++)
        CHECK_INT(0, (intmax_t)throttle_take(&t, RX_S("a"), now + 1000));
}

/* Many more names than places: each of them still has its limit while it is
 * the newest, and nothing is written beyond the table. */
static void
a_flood_of_names_needs_no_memory(void)
{
    static struct throttle t = { .every_ms = 1000, .burst = 2 };

    for (unsigned i = 0; i < 20000; i++) {
        char name[16];
        int n = snprintf(name, sizeof(name), "n%u", i);
        rx_str s = { name, (size_t)n };
        CHECK_INT(0, (intmax_t)throttle_take(&t, s, 1000));
        CHECK_INT(0, (intmax_t)throttle_take(&t, s, 1000));
        CHECK(throttle_take(&t, s, 1000) > 0);
    }
}

/* ---- passwords ---- */

struct told {
    int calls;
    bool good;
    char hash[128];
};

static void
on_done(void *arg, const struct login_result *result)
{
    struct told *t = arg;

    t->calls++;
    t->good = result->good;
    if (result->hash != NULL)
        snprintf(t->hash, sizeof(t->hash), "%s", result->hash);
}

static void
wait_for(struct rx_loop *loop, const struct told *t, int calls)
{
    for (int i = 0; i < 1000 && t->calls < calls; i++)
        rx_loop_tick(loop, true);
    CHECK_INT(calls, t->calls);
}

static void
a_password_is_hashed_and_checked_away_from_the_loop(void)
{
    struct rx_loop *loop = rx_loop_new();
    struct login *l = login_new(loop);
    struct told made = { 0 }, checked = { 0 };
    rx_str password = RX_S("correct horse");

    CHECK(login_hash(l, password, on_done, &made) != NULL);
    CHECK_INT(0, made.calls);
    wait_for(loop, &made, 1);
    CHECK(made.good && strncmp(made.hash, "$argon2id$", 10) == 0);
    CHECK(login_check(l, password, made.hash, on_done, &checked) != NULL);
    wait_for(loop, &checked, 1);
    CHECK(checked.good);
    CHECK(login_check(l, RX_S("wrong"), made.hash, on_done, &checked) != NULL);
    wait_for(loop, &checked, 2);
    CHECK(!checked.good);
    CHECK(login_check(l, password, NULL, on_done, &checked) != NULL);
    wait_for(loop, &checked, 3);
    CHECK(!checked.good);
    login_free(l);
    rx_loop_free(loop);
}

static void
only_so_many_wait_and_who_left_is_not_called(void)
{
    struct rx_loop *loop = rx_loop_new();
    struct login *l = login_new(loop);
    struct told told = { 0 }, left = { 0 };
    struct login_job *gone = login_check(l, RX_S("p"), NULL, on_done, &left);

    login_cancel(gone);
    for (int i = 1; i < LOGIN_WAITING_MAX; i++)
        CHECK(login_check(l, RX_S("p"), NULL, on_done, &told) != NULL);
    CHECK(login_check(l, RX_S("p"), NULL, on_done, &told) == NULL);
    wait_for(loop, &told, 2);
    CHECK(login_check(l, RX_S("p"), NULL, on_done, &told) != NULL);
    login_free(l); /* with some still waiting */
    CHECK_INT(2, told.calls);
    CHECK_INT(0, left.calls);
    rx_loop_free(loop);
}

/* ---- sessions ---- */

static void
the_cookie_is_found_among_others(void)
{
    static const struct {
        const char *header, *want;
    } rows[] = {
        { "routex_session=abc", "abc" },
        { "a=1; routex_session=abc; b=2", "abc" },
        { "a=1;routex_session=abc", "abc" },
        { "xroutex_session=abc", "" },
        { "routex_sessionx=abc", "" },
        { "routex_session=", "" },
        { "", "" },
        { ";;=;", "" },
    };
    char longer[256] = "routex_session=";

    for (size_t i = 0; i < RX_COUNT(rows); i++)
        CHECK(rx_str_eq(session_cookie(field_text(rows[i].header)),
            field_text(rows[i].want)));
    memset(longer + 15, 'a', 200);
    CHECK_INT(0, (intmax_t)session_cookie(field_text(longer)).len);
}

static void
a_csrf_token_belongs_to_one_cookie(void)
{
    rx_str one = session_csrf(arena, RX_S("cookie-1"));
    rx_str two = session_csrf(arena, RX_S("cookie-2"));

    CHECK_INT(43, (intmax_t)one.len);
    CHECK(!rx_str_eq(one, two));
    CHECK(session_csrf_fits(RX_S("cookie-1"), one));
    CHECK(!session_csrf_fits(RX_S("cookie-1"), two));
    CHECK(!session_csrf_fits(RX_S("cookie-1"), (rx_str){ 0 }));
    CHECK(
        !session_csrf_fits(RX_S("cookie-1"), (rx_str){ one.ptr, one.len - 1 }));
}

static struct user *
make_user(const char *name, enum api_role role)
{
    struct user *u = user_new(arena);
    struct rx_err err = { 0 };

    u->name = field_text(name);
    u->role = role;
    u->password = RX_S("$argon2id$");
    CHECK_INT(RX_OK, store_begin(store, &err));
    CHECK_INT(RX_OK, user_save(store, arena, u, &err));
    CHECK_INT(RX_OK, store_commit(store, &err));
    return u;
}

static rx_str
make_session(const struct session *whose)
{
    struct rx_err err = { 0 };
    rx_str cookie;

    CHECK_INT(RX_OK, store_begin(store, &err));
    CHECK_INT(RX_OK, session_create(store, arena, whose, RX_S("127.0.0.1"),
                         &limits, &cookie, &err));
    CHECK_INT(RX_OK, store_commit(store, &err));
    return cookie;
}

static enum rx_code
look(rx_str cookie, struct session *out)
{
    return session_find(store, arena, cookie, &limits, out, NULL);
}

static void
a_session_lives_while_it_is_used_but_not_for_ever(void)
{
    struct user *u = make_user("idle", API_VIEWER);
    struct session found;

    rx_clock_fake(1800000000000);
    rx_str cookie = make_session(&(struct session){ .user_id = u->id });
    for (int i = 0; i < 6; i++) {
        CHECK_INT(RX_OK, look(cookie, &found));
        CHECK(rx_str_eq(found.user_id, u->id));
        rx_clock_advance(9 * MINUTE_MS);
    }
    CHECK_INT(RX_OK, look(cookie, &found));
    CHECK_INT((intmax_t)(found.created_ms + limits.absolute_ms),
        (intmax_t)found.expires_ms);
    rx_clock_advance(6 * MINUTE_MS);
    CHECK_INT(RX_UNAUTHENTICATED, look(cookie, &found));
    cookie = make_session(&(struct session){ .user_id = u->id });
    rx_clock_advance(10 * MINUTE_MS - 1);
    CHECK_INT(RX_OK, look(cookie, &found));
    rx_clock_advance(10 * MINUTE_MS);
    CHECK_INT(RX_UNAUTHENTICATED, look(cookie, &found));
    CHECK_INT(RX_UNAUTHENTICATED, look(RX_S("none"), &found));
    rx_clock_fake(0);
}

static void
one_user_has_only_so_many_sessions(void)
{
    struct user *u = make_user("many", API_VIEWER);
    struct session found;
    rx_str cookies[SESSION_PER_USER + 1];

    rx_clock_fake(1800000000000);
    for (size_t i = 0; i <= SESSION_PER_USER; i++) {
        cookies[i] = make_session(&(struct session){ .user_id = u->id });
        rx_clock_advance(1);
    }
    CHECK_INT(RX_UNAUTHENTICATED, look(cookies[0], &found));
    CHECK_INT(RX_OK, look(cookies[1], &found));
    CHECK_INT(RX_OK, look(cookies[SESSION_PER_USER], &found));
    rx_clock_fake(0);
}

static void
sessions_go_with_their_user_or_their_token(void)
{
    static const rx_str all[] = { RX_STR_INIT("*") };
    struct rx_err err = { 0 };
    struct user *u = make_user("gone", API_OWNER);
    struct admin_token *t = admin_new(arena);
    struct session found;

    t->name = RX_S("t");
    t->scopes = (struct field_list){ all, 1 };
    CHECK_INT(RX_OK, store_begin(store, &err));
    CHECK_INT(RX_OK, admin_create(store, arena, t, &err));
    CHECK_INT(RX_OK, store_commit(store, &err));
    rx_str one = make_session(&(struct session){ .user_id = u->id });
    rx_str two = make_session(&(struct session){ .token = t->digest });
    CHECK_INT(RX_OK, look(two, &found));
    CHECK_INT(0, (intmax_t)found.user_id.len);
    CHECK(memcmp(&found.token, &t->digest, sizeof(found.token)) == 0);

    CHECK_INT(RX_OK, store_begin(store, &err));
    CHECK_INT(RX_OK, user_delete(store, u, &err));
    CHECK_INT(RX_OK, admin_delete(store, t, &err));
    CHECK_INT(RX_OK, store_commit(store, &err));
    CHECK_INT(RX_UNAUTHENTICATED, look(one, &found));
    CHECK_INT(RX_UNAUTHENTICATED, look(two, &found));
}

static void
a_user_keeps_the_time_it_was_made(void)
{
    struct user *found;

    rx_clock_fake(1800000000000);
    struct user *u = make_user("dated", API_VIEWER);
    rx_clock_advance(MINUTE_MS);
    CHECK_INT(RX_OK, store_begin(store, NULL));
    CHECK_INT(RX_OK, user_save(store, arena, u, NULL));
    CHECK_INT(RX_OK, store_commit(store, NULL));
    CHECK_INT(RX_OK, user_load(store, arena, u->id, &found, NULL));
    CHECK_INT(1800000000000, (intmax_t)found->created_ms);
    CHECK_INT(1800000000000 + (intmax_t)MINUTE_MS, (intmax_t)found->updated_ms);
    rx_clock_fake(0);
}

static void
names_of_users_are_taken_in_any_case(void)
{
    struct rx_err err = { 0 };
    struct user *u = make_user("Zoe", API_VIEWER), *found;
    struct user *again = user_new(arena);

    CHECK_INT(RX_OK, user_load_named(store, arena, RX_S("zOE"), &found, &err));
    CHECK(rx_str_eq(found->id, u->id));
    CHECK_INT(RX_NOT_FOUND, user_load_named(store, arena, u->id, &found, &err));
    again->name = RX_S("ZOE");
    again->password = RX_S("x");
    CHECK_INT(RX_OK, store_begin(store, &err));
    CHECK_INT(RX_CONFLICT, user_save(store, arena, again, &err));
    store_rollback(store);
}

int
main(void)
{
    rx_secret_init();
    arena = rx_arena_new((size_t)64 << 20);
    store = store_new();
    CHECK_RUN(a_role_may_what_lower_roles_may);
    CHECK_RUN(a_scope_covers_its_area_only);
    CHECK_RUN(only_scopes_of_the_table_are_known);
    CHECK_RUN(every_route_that_changes_something_needs_a_credential);
    CHECK_RUN(a_bucket_gives_its_burst_and_then_its_rate);
    CHECK_RUN(a_flood_of_names_needs_no_memory);
    CHECK_RUN(a_password_is_hashed_and_checked_away_from_the_loop);
    CHECK_RUN(only_so_many_wait_and_who_left_is_not_called);
    CHECK_RUN(the_cookie_is_found_among_others);
    CHECK_RUN(a_csrf_token_belongs_to_one_cookie);
    CHECK_RUN(a_session_lives_while_it_is_used_but_not_for_ever);
    CHECK_RUN(one_user_has_only_so_many_sessions);
    CHECK_RUN(sessions_go_with_their_user_or_their_token);
    CHECK_RUN(a_user_keeps_the_time_it_was_made);
    CHECK_RUN(names_of_users_are_taken_in_any_case);
    store_end(store);
    rx_arena_free(arena);
    return CHECK_EXIT();
}
