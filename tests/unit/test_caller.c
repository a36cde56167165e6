/* Who calls the admin API, by the head of the request. */
#include "controlplane/admin.h"
#include "controlplane/caller.h"
#include "controlplane/user.h"
#include "shared/clock.h"
#include "tests/unit/store_rig.h"

#define HOUR_MS ((uint64_t)3600 * 1000)

static struct rx_arena *arena;
static struct store *store;
static struct caller_tokens tokens;

static enum rx_code
call_with(rx_str name, const char *start, rx_str rest, struct caller *who)
{
    static char text[256];
    struct rx_header h = { .name = name };
    struct rx_httpd_head head = { .headers = &h, .header_count = 1 };

    snprintf(text, sizeof(text), "%s" RX_STR_FMT, start, RX_STR_ARG(rest));
    h.value = (rx_str){ text, strlen(text) };
    /* Whatever is left from before does not count. */
    *who = (struct caller){ .kind = CALLER_USER,
        .role = API_OWNER,
        .session = RX_S("old"),
        .expires_ms = 1 };
    return caller_find(store, arena, &tokens, &head, who, NULL);
}

static enum rx_code
call_with_token(rx_str token, struct caller *who)
{
    return call_with(RX_S("authorization"), "Bearer ", token, who);
}

static void
tokens_of_no_table_are_owners_with_names(void)
{
    struct caller who;

    CHECK_INT(RX_OK, call_with_token(RX_S("of-the-machine"), &who));
    CHECK_INT(CALLER_LOCAL, who.kind);
    CHECK_INT(API_OWNER, who.role);
    CHECK(rx_str_eq(who.id, RX_S("local")));
    CHECK(rx_str_eq(who.name, RX_S("local")));
    CHECK_INT(RX_OK, call_with_token(RX_S("of-the-environment"), &who));
    CHECK_INT(CALLER_ENVIRONMENT, who.kind);
    CHECK_INT(API_OWNER, who.role);
    CHECK(rx_str_eq(who.id, RX_S("environment")));
    CHECK(rx_str_eq(who.name, RX_S("ADMIN_API_KEY")));
    CHECK_INT(0, (intmax_t)(who.session.len + who.expires_ms));

    tokens.has_environment = false;
    CHECK_INT(
        RX_UNAUTHENTICATED, call_with_token(RX_S("of-the-environment"), &who));
    tokens.has_environment = true;
}

static void
who_is_not_known_is_nobody(void)
{
    static const char *const values[] = { "Bearer wrong", "Bearer ", "Basic x",
        "of-the-machine", "Bearer of-the-machine2", "" };
    struct caller who;

    for (size_t i = 0; i < RX_COUNT(values); i++) {
        CHECK_INT(RX_UNAUTHENTICATED,
            call_with(RX_S("authorization"), values[i], (rx_str){ 0 }, &who));
        CHECK_INT(CALLER_NOBODY, who.kind);
        CHECK_INT(API_PUBLIC, who.role);
        CHECK_INT(0, (intmax_t)(who.session.len + who.expires_ms));
    }
    CHECK_INT(RX_UNAUTHENTICATED, call_with(RX_S("cookie"), "routex_session=",
                                      RX_S("never-given-to-anybody"), &who));
    CHECK_INT(CALLER_NOBODY, who.kind);
    CHECK_INT(0, (intmax_t)(who.session.len + who.expires_ms));
}

static struct admin_token *
make_token(void)
{
    static const rx_str scopes[] = { RX_STR_INIT("read") };
    struct admin_token *t = admin_new(arena);

    t->name = RX_S("robot");
    t->scopes = (struct field_list){ scopes, 1 };
    t->expires_ms = rx_clock_wall_ms() + HOUR_MS;
    CHECK_INT(RX_OK, store_begin(store, NULL));
    CHECK_INT(RX_OK, admin_create(store, arena, t, NULL));
    CHECK_INT(RX_OK, store_commit(store, NULL));
    return t;
}

static void
an_admin_token_may_what_its_scopes_say_until_it_ends(void)
{
    struct admin_token *t = make_token();
    struct caller who;

    CHECK_INT(RX_OK, call_with_token(t->text, &who));
    CHECK_INT(CALLER_TOKEN, who.kind);
    CHECK(rx_str_eq(who.id, t->id) && rx_str_eq(who.name, t->name));
    CHECK_INT(API_VIEWER, who.role);
    CHECK_INT(1, (intmax_t)who.scopes.count);
    rx_clock_advance(HOUR_MS);
    CHECK_INT(RX_UNAUTHENTICATED, call_with_token(t->text, &who));
    CHECK_INT(CALLER_NOBODY, who.kind);
}

static void
a_cookie_is_its_users_and_says_when_it_ends(void)
{
    static const struct session_limits limits = { HOUR_MS, HOUR_MS };
    struct user *u = user_new(arena);
    struct session whose = { 0 };
    struct caller who;
    rx_str cookie;

    u->name = RX_S("ada");
    u->role = API_ADMIN;
    u->password = RX_S("$argon2id$");
    CHECK_INT(RX_OK, store_begin(store, NULL));
    CHECK_INT(RX_OK, user_save(store, arena, u, NULL));
    whose.user_id = u->id;
    CHECK_INT(RX_OK, session_create(store, arena, &whose, RX_S("127.0.0.1"),
                         &limits, &cookie, NULL));
    CHECK_INT(RX_OK, store_commit(store, NULL));
    CHECK_INT(
        RX_OK, call_with(RX_S("cookie"), "routex_session=", cookie, &who));
    CHECK_INT(CALLER_USER, who.kind);
    CHECK_INT(API_ADMIN, who.role);
    CHECK(rx_str_eq(who.id, u->id) && rx_str_eq(who.name, u->name));
    CHECK(rx_str_eq(who.session, cookie));
    CHECK(who.expires_ms > rx_clock_wall_ms());
}

int
main(void)
{
    rx_secret_init();
    rx_clock_fake(1800000000000);
    arena = rx_arena_new((size_t)64 << 20);
    store = store_new();
    tokens = (struct caller_tokens){ .local = rx_digest(RX_S("of-the-machine")),
        .has_environment = true,
        .environment = rx_digest(RX_S("of-the-environment")) };
    CHECK_RUN(tokens_of_no_table_are_owners_with_names);
    CHECK_RUN(who_is_not_known_is_nobody);
    CHECK_RUN(an_admin_token_may_what_its_scopes_say_until_it_ends);
    CHECK_RUN(a_cookie_is_its_users_and_says_when_it_ends);
    store_end(store);
    rx_arena_free(arena);
    return CHECK_EXIT();
}
