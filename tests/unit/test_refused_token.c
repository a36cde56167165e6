/*
 * Tokens that were refused, told to a control plane that is played here: this
 * file is the follow.h of its program.
 */
#include <stdlib.h>

#include "controlplane/wire.h"
#include "dataplane/refused_token.h"
#include "dataplane/snapshot_build.h"
#include "tests/unit/check.h"
#include "tests/unit/held_clock.h"
#include "tests/unit/toy_state.h"

#define NOW ((uint64_t)1795318248756)

struct follow {
    const struct snapshot *snapshot;
    bool connected;
    bool deaf;     /* nobody takes what is sent */
    unsigned told; /* of the credential cr1 */
    struct rx_digest digest;
};

const struct snapshot *
follow_snapshot(const struct follow *f)
{
    return f->snapshot;
}

bool
follow_connected(const struct follow *f)
{
    return f->connected;
}

const char *
follow_plane(const struct follow *f)
{
    (void)f;
    return "data-1";
}

enum rx_code
follow_send(struct follow *f, enum rx_message kind, rx_str body)
{
    struct rx_arena *arena = rx_arena_new(1 << 16);
    struct token_rejected t;

    CHECK_INT(RX_MSG_TOKEN_REJECTED, kind);
    CHECK(wire_read_token_rejected(body, arena, &t));
    CHECK(rx_str_eq(t.plane, RX_S("data-1")));
    CHECK(rx_str_eq(t.credential, RX_S("cr1")));
    f->digest = t.digest;
    f->told++;
    rx_arena_free(arena);
    return f->deaf ? RX_UNAVAILABLE : RX_OK;
}

struct world {
    struct rx_loop *loop;
    struct follow follow;
    struct refused_tokens *refused;
    struct state_credential credential;
};

/* The state's one channel has this secret now. */
static void
install(struct world *w, rx_str secret)
{
    struct toy *toy = calloc(1, sizeof(*toy));
    struct state_item channel = toy_channel(1, 1);
    struct rx_buf body;

    if (toy == NULL)
        abort();
    w->credential = toy_credential;
    w->credential.kind = RX_S("oauth");
    w->credential.secret = secret;
    channel.channel.credentials = &w->credential;
    toy_put(toy, toy_settings(3));
    toy_put(toy, channel);
    rx_buf_init(&body, 1 << 20);
    toy_pack(toy, &body);
    snapshot_unpin(w->follow.snapshot);
    CHECK_INT(RX_OK, snapshot_from_full(NULL, 7, 1, rx_buf_str(&body),
                         &w->follow.snapshot, NULL));
    rx_buf_fini(&body);
    free(toy);
}

static void
begin(struct world *w)
{
    *w = (struct world){ .follow = { .connected = true } };
    rx_clock_fake(NOW);
    w->loop = rx_loop_new();
    install(w, RX_S("first"));
    w->refused = refused_tokens_new(w->loop, &w->follow);
}

static void
end(struct world *w)
{
    refused_tokens_free(w->refused);
    snapshot_unpin(w->follow.snapshot);
    rx_loop_free(w->loop);
    rx_clock_fake(0);
}

/* The provider answers 401 to the token in force. */
static uint64_t
refuse(struct world *w)
{
    const struct channel *c = &w->follow.snapshot->channels[0];
    struct candidate to = { .channel = c, .credential = &c->credentials[0] };
    return refused_tokens_note(w->refused, &to);
}

static void
a_refused_token_is_told_at_once_and_but_once_to_whoever_notes_it_again(void)
{
    struct world w;
    struct rx_digest first = rx_digest(RX_S("first"));

    begin(&w);
    uint64_t until = rx_loop_ms(w.loop) + 2000;
    CHECK_INT((int)until, (int)refuse(&w));
    CHECK_INT(1, (int)w.follow.told);
    CHECK(memcmp(&first, &w.follow.digest, sizeof(first)) == 0);
    for (unsigned i = 0; i < 5; i++)
        CHECK_INT((int)until, (int)refuse(&w));
    CHECK_INT(1, (int)w.follow.told);
    end(&w);
}

static void
reports_of_a_token_are_repeated_after_pauses_that_grow_to_a_minute(void)
{
    static const uint64_t pauses[] = { 1000, 2000, 4000, 8000, 16000, 32000,
        60000, 60000 };
    struct world w;

    begin(&w);
    w.follow.deaf = true; /* which changes nothing */
    (void)refuse(&w);
    for (unsigned i = 0; i < sizeof(pauses) / sizeof(pauses[0]); i++) {
        held_pass(w.loop, pauses[i] - 1);
        CHECK_INT(1 + (int)i, (int)w.follow.told);
        held_pass(w.loop, 1);
        CHECK_INT(2 + (int)i, (int)w.follow.told);
    }
    end(&w);
}

static void
reports_end_once_another_token_is_in_force(void)
{
    struct world w;
    struct rx_digest second = rx_digest(RX_S("second"));

    begin(&w);
    (void)refuse(&w);
    held_pass(w.loop, 1000);
    CHECK_INT(2, (int)w.follow.told);
    install(&w, RX_S("second"));
    held_pass(w.loop, 2000);
    held_pass(w.loop, 60000);
    CHECK_INT(2, (int)w.follow.told);
    /* Which may be refused in its turn, and is told from the beginning. */
    CHECK_INT((int)rx_loop_ms(w.loop) + 2000, (int)refuse(&w));
    CHECK_INT(3, (int)w.follow.told);
    CHECK(memcmp(&second, &w.follow.digest, sizeof(second)) == 0);
    held_pass(w.loop, 1000);
    CHECK_INT(4, (int)w.follow.told);
    end(&w);
}

static void
a_fresh_token_is_hoped_for_two_seconds_and_only_of_one_who_hears(void)
{
    struct world w;

    begin(&w);
    uint64_t until = rx_loop_ms(w.loop) + 2000;
    CHECK_INT((int)until, (int)refuse(&w));
    held_pass(w.loop, 1999);
    CHECK_INT((int)until, (int)refuse(&w));
    held_pass(w.loop, 1);
    CHECK_INT(0, (int)refuse(&w));
    end(&w);
    begin(&w);
    w.follow.connected = false;
    CHECK_INT(0, (int)refuse(&w));
    CHECK_INT(1, (int)w.follow.told); /* when it is there again it may hear */
    end(&w);
}

int
main(void)
{
    rx_secret_init();
    CHECK_RUN(
        a_refused_token_is_told_at_once_and_but_once_to_whoever_notes_it_again);
    CHECK_RUN(
        reports_of_a_token_are_repeated_after_pauses_that_grow_to_a_minute);
    CHECK_RUN(reports_end_once_another_token_is_in_force);
    CHECK_RUN(a_fresh_token_is_hoped_for_two_seconds_and_only_of_one_who_hears);
    return CHECK_EXIT();
}
