/* Log-ins at providers: proofs, states, times, answers, changed presets. */

#include "controlplane/oauth_login.h"
#include "controlplane/oauth_pkce.h"
#include "controlplane/oauth_time.h"
#include "controlplane/oauth_token.h"
#include "shared/clock.h"
#include "shared/secret.h"
#include "tests/unit/store_rig.h"

#define MINUTE UINT64_C(60000)
#define HOUR   (60 * MINUTE)

static struct rx_arena *arena;

static bool
same(const char *want, rx_str got)
{
    return rx_str_eq(got, (rx_str){ want, strlen(want) });
}

/* ---- PKCE ---- */

static void
the_challenge_is_that_of_rfc_7636_appendix_b(void)
{
    struct rx_buf out;

    rx_buf_init(&out, 128);
    oauth_challenge(RX_S("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"), &out);
    CHECK_TEXT("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", out.ptr);
    rx_buf_fini(&out);
}

static void
verifiers_are_long_enough_and_never_twice_the_same(void)
{
    struct rx_buf a, b;

    rx_buf_init(&a, 128);
    rx_buf_init(&b, 128);
    oauth_random(&a);
    oauth_random(&b);
    CHECK_INT(43, (intmax_t)a.len);
    CHECK(!rx_str_eq(rx_buf_str(&a), rx_buf_str(&b)));
    rx_buf_fini(&a);
    rx_buf_fini(&b);
}

/* ---- states ---- */

static struct oauth_login
begin(struct store *s)
{
    struct oauth_login l = { .provider = RX_S("anthropic"),
        .account = RX_S("work"),
        .redirect_uri = RX_S("http://127.0.0.1:1/cb"),
        .actor = { .name = RX_S("me") } };
    struct rx_err err = { 0 };

    CHECK_INT(RX_OK, store_begin(s, &err));
    CHECK_INT(RX_OK, oauth_login_begin(s, arena, &l, &err));
    CHECK_INT(RX_OK, store_commit(s, &err));
    return l;
}

static enum rx_code
take(struct store *s, const char *provider, rx_str state,
    struct oauth_login *out)
{
    struct rx_err err = { 0 };

    CHECK_INT(RX_OK, store_begin(s, &err));
    enum rx_code code = oauth_login_take(
        s, arena, (rx_str){ provider, strlen(provider) }, state, out, &err);
    CHECK_INT(RX_OK, store_commit(s, &err));
    return code;
}

static void
a_state_is_taken_once_with_all_that_was_begun(void)
{
    struct store *s = store_new();
    struct oauth_login l = begin(s);
    struct oauth_login got;

    CHECK_INT(RX_DENIED, take(s, "anthropic", RX_S("another"), &got));
    CHECK_INT(RX_OK, take(s, "anthropic", l.state, &got));
    CHECK(rx_str_eq(l.verifier, got.verifier));
    CHECK(same("work", got.account));
    CHECK(same("http://127.0.0.1:1/cb", got.redirect_uri));
    CHECK(same("me", got.actor.name));
    CHECK_INT(RX_DENIED, take(s, "anthropic", l.state, &got));
    store_end(s);
}

static void
a_state_of_another_provider_is_refused_and_used_up(void)
{
    struct store *s = store_new();
    struct oauth_login l = begin(s);
    struct oauth_login got;

    CHECK_INT(RX_DENIED, take(s, "openai", l.state, &got));
    CHECK_INT(RX_DENIED, take(s, "anthropic", l.state, &got));
    store_end(s);
}

static void
a_state_lasts_ten_minutes_and_not_a_moment_longer(void)
{
    struct store *s = store_new();
    struct oauth_login got;

    rx_clock_fake(UINT64_C(1800000000000));
    struct oauth_login first = begin(s);
    struct oauth_login second = begin(s);
    rx_clock_advance(OAUTH_LOGIN_MS - 1);
    CHECK_INT(RX_OK, take(s, "", first.state, &got));
    rx_clock_advance(1);
    CHECK_INT(RX_DENIED, take(s, "", second.state, &got));
    rx_clock_fake(0);
    store_end(s);
}

/* ---- what is brought back ---- */

static void
a_code_is_found_in_whatever_a_person_pastes(void)
{
    static const struct {
        const char *brought, *code, *state;
    } rows[] = {
        { "abc#def", "abc", "def" },
        { "  abc#def\t", "abc", "def" },
        { "abc", "abc", "" },
        { "code=abc&state=def", "abc", "def" },
        { "http://localhost:1455/auth/callback?code=a%2Bc&scope=x&state=d",
            "a+c", "d" },
        { "https://x/cb?state=d&code=abc#_=_", "abc", "d" },
    };

    for (size_t i = 0; i < RX_COUNT(rows); i++) {
        rx_str code, state = { 0 };
        CHECK(oauth_login_read(arena,
            (rx_str){ rows[i].brought, strlen(rows[i].brought) }, &code,
            &state));
        CHECK(same(rows[i].code, code));
        CHECK(same(rows[i].state, state));
    }
}

static void
what_holds_no_code_is_none(void)
{
    static const char *const rows[] = { "", "   ", "#state", "a b#s",
        "http://x/cb?error=access_denied", "code=&state=s", "code=a%0Ab" };

    for (size_t i = 0; i < RX_COUNT(rows); i++) {
        rx_str code, state = { 0 };
        CHECK(!oauth_login_read(
            arena, (rx_str){ rows[i], strlen(rows[i]) }, &code, &state));
    }
}

/* ---- times ---- */

static void
a_token_is_renewed_ahead_of_its_end(void)
{
    struct oauth_span day = { 1000 * HOUR, 24 * HOUR };
    struct oauth_span hour = { 1000 * HOUR, HOUR };
    struct oauth_span brief = { 1000 * HOUR, 4000 };

    CHECK_INT((intmax_t)(24 * HOUR - 30 * MINUTE),
        (intmax_t)oauth_due_in_ms(&day, day.got_ms, 0));
    CHECK_INT((intmax_t)(50 * MINUTE),
        (intmax_t)oauth_due_in_ms(&hour, hour.got_ms, 0));
    CHECK_INT(2000, (intmax_t)oauth_due_in_ms(&brief, brief.got_ms, 0));
    CHECK_INT(0, (intmax_t)oauth_due_in_ms(&hour, hour.got_ms + HOUR, 0));
    for (uint64_t dice = 0; dice < 10000; dice += 7) {
        uint64_t due = oauth_due_in_ms(&hour, hour.got_ms, dice * 999983);
        CHECK(due <= 50 * MINUTE && due >= 47 * MINUTE);
    }
}

static void
a_clock_that_is_moved_makes_no_token_live_longer(void)
{
    struct oauth_span s = { 1000 * HOUR, HOUR };

    CHECK_INT((intmax_t)HOUR, (intmax_t)oauth_left_ms(&s, 1));
    CHECK_INT((intmax_t)HOUR, (intmax_t)oauth_left_ms(&s, s.got_ms));
    CHECK_INT(1, (intmax_t)oauth_left_ms(&s, s.got_ms + HOUR - 1));
    CHECK_INT(0, (intmax_t)oauth_left_ms(&s, s.got_ms + HOUR));
    CHECK_INT(0, (intmax_t)oauth_left_ms(&s, UINT64_MAX));
    struct oauth_span none = { 0, 0 };
    CHECK_INT(0, (intmax_t)oauth_left_ms(&none, 5));
}

static void
pauses_grow_to_a_bound(void)
{
    for (uint64_t n = 1; n < 100; n++) {
        uint64_t most = n < 11 ? UINT64_C(1000) << (n - 1) : 10 * MINUTE;
        if (most > 10 * MINUTE)
            most = 10 * MINUTE;
        for (uint64_t dice = 0; dice < 5000; dice += 611) {
            uint64_t ms = oauth_pause_ms(n, dice * 7919);
            CHECK(ms >= most / 2 && ms <= most);
        }
    }
    CHECK_INT(0, (intmax_t)oauth_refused_pause_ms(0));
    CHECK_INT(30000, (intmax_t)oauth_refused_pause_ms(1));
    CHECK_INT(60000, (intmax_t)oauth_refused_pause_ms(2));
    CHECK_INT(
        (intmax_t)(15 * MINUTE), (intmax_t)oauth_refused_pause_ms(UINT64_MAX));
}

/* ---- answers ---- */

static enum oauth_verdict
answer(int status, const char *body, struct oauth_grant *g, struct rx_err *err)
{
    *err = (struct rx_err){ 0 };
    return oauth_answer_read(
        arena, status, (rx_str){ body, strlen(body) }, g, err);
}

static void
a_grant_is_read_with_its_owner(void)
{
    struct oauth_grant g;
    struct rx_err err;
    /* {"email":"a@b","https://api.openai.com/auth":{"chatgpt_account_id":"x"}} */
    static const char openai[] =
        "{\"access_token\":\"a\",\"token_type\":\"bearer\",\"expires_in\":60,"
        "\"id_token\":\"e30."
        "eyJlbWFpbCI6ImFAYiIsImh0dHBzOi8vYXBpLm9wZW5haS5jb20vYXV0aCI6eyJjaGF0Z3"
        "B0X2FjY291bnRfaWQiOiJ4In19.sig\"}";

    CHECK_INT(OAUTH_GRANTED, answer(200, openai, &g, &err));
    CHECK(same("a", g.access) && g.refresh.len == 0);
    CHECK(same("x", g.identity));
    CHECK(same("a@b", g.email));
    CHECK_INT(60000, (intmax_t)g.life_ms);
    CHECK_INT(OAUTH_GRANTED,
        answer(200,
            "{\"access_token\":\"a\",\"refresh_token\":\"r\",\"id_token\":7,"
            "\"account\":{\"uuid\":\"u\",\"email_address\":\"e\"}}",
            &g, &err));
    CHECK(same("u", g.identity) && same("r", g.refresh));
    CHECK_INT(3600000, (intmax_t)g.life_ms);
}

static void
a_refusal_is_told_from_a_failure(void)
{
    static const struct {
        int status;
        const char *body;
        enum oauth_verdict verdict;
    } rows[] = {
        { 400, "{\"error\":\"invalid_grant\"}", OAUTH_REFUSED },
        { 401, "{\"error\":{\"code\":\"refresh_token_reused\"}}",
            OAUTH_REFUSED },
        { 400, "{\"error\":{\"type\":\"invalid_grant\"}}", OAUTH_REFUSED },
        { 503, "{\"error\":\"invalid_grant\"}", OAUTH_FAILED },
        { 400, "{\"error\":\"invalid_client\"}", OAUTH_FAILED },
        { 400, "invalid_grant", OAUTH_FAILED },
        { 500, "", OAUTH_FAILED },
        { 200, "", OAUTH_FAILED },
        { 200, "null", OAUTH_FAILED },
        { 200, "{}", OAUTH_FAILED },
        { 200, "{\"access_token\":5}", OAUTH_FAILED },
        { 200, "{\"access_token\":\"a\\nb\"}", OAUTH_FAILED },
        { 200, "{\"access_token\":\"a\",\"expires_in\":0}", OAUTH_FAILED },
    };

    for (size_t i = 0; i < RX_COUNT(rows); i++) {
        struct oauth_grant g;
        struct rx_err err;
        CHECK_INT(
            rows[i].verdict, answer(rows[i].status, rows[i].body, &g, &err));
        CHECK(err.code != RX_OK && err.text[0] != '\0');
    }
}

static void
what_a_failure_brings_along_is_kept(void)
{
    struct oauth_grant g;
    struct rx_err err;

    CHECK_INT(
        OAUTH_FAILED, answer(200, "{\"refresh_token\":\"r2\"}", &g, &err));
    CHECK(same("r2", g.refresh));
    CHECK(strstr(err.text, "r2") == NULL);
}

/* ---- presets ---- */

static void
presets_are_changed_by_words_and_wrong_words_are_named(void)
{
    static const char *const good[] = {
        "anthropic.client_id=mine; openai.token_url=http://127.0.0.1:1/t\n"
        "openai.redirect_uri=local"
    };
    static const char *const bad[] = { "anthropic", "x.client_id=1",
        "anthropic.nothing=1", "anthropic.token_url=http://example.com/",
        "anthropic.token_url=ftp://x", "openai.encoding=xml" };
    struct oauth_providers *p;
    struct rx_err err = { 0 };

    CHECK_INT(RX_OK, oauth_providers_new(&p, good, 1, &err));
    CHECK_TEXT("mine", oauth_provider_find(p, RX_S("anthropic"))->client_id);
    CHECK_TEXT("paste",
        oauth_provider_style(oauth_provider_find(p, RX_S("anthropic"))));
    CHECK_TEXT("redirect",
        oauth_provider_style(oauth_provider_find(p, RX_S("openai"))));
    CHECK_TEXT(
        "loopback", oauth_provider_style(oauth_preset_find(RX_S("openai"))));
    CHECK(oauth_provider_find(p, RX_S("nobody")) == NULL);
    oauth_providers_free(p);
    for (size_t i = 0; i < RX_COUNT(bad); i++) {
        CHECK_INT(RX_INVALID, oauth_providers_new(&p, &bad[i], 1, &err));
        CHECK(p == NULL);
    }
}

int
main(void)
{
    rx_secret_init();
    arena = rx_arena_new((size_t)16 << 20);
    CHECK_RUN(the_challenge_is_that_of_rfc_7636_appendix_b);
    CHECK_RUN(verifiers_are_long_enough_and_never_twice_the_same);
    CHECK_RUN(a_state_is_taken_once_with_all_that_was_begun);
    CHECK_RUN(a_state_of_another_provider_is_refused_and_used_up);
    CHECK_RUN(a_state_lasts_ten_minutes_and_not_a_moment_longer);
    CHECK_RUN(a_code_is_found_in_whatever_a_person_pastes);
    CHECK_RUN(what_holds_no_code_is_none);
    CHECK_RUN(a_token_is_renewed_ahead_of_its_end);
    CHECK_RUN(a_clock_that_is_moved_makes_no_token_live_longer);
    CHECK_RUN(pauses_grow_to_a_bound);
    CHECK_RUN(a_grant_is_read_with_its_owner);
    CHECK_RUN(a_refusal_is_told_from_a_failure);
    CHECK_RUN(what_a_failure_brings_along_is_kept);
    CHECK_RUN(presets_are_changed_by_words_and_wrong_words_are_named);
    rx_arena_free(arena);
    return CHECK_EXIT();
}
