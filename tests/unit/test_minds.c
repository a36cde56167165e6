/*
 * dataplane/minds: what is learnt, for whom, how much, and for how long.
 */
#include <stdio.h>

#include "dataplane/minds.h"
#include "shared/secret.h"
#include "tests/unit/check.h"

#define NOW ((uint64_t)1000000)

static struct repair
minded(const char *field)
{
    struct repair r;
    char error[256];

    snprintf(error, sizeof(error),
        "{\"error\":{\"message\":\"Unsupported parameter: '%s'\"}}", field);
    CHECK(repair_find(DIALECT_CHAT, (rx_str){ error, strlen(error) }, &r));
    return r;
}

static size_t
known(const struct minds *m, const struct minds_of *of, uint64_t now)
{
    size_t n;

    minds_find(m, of, now, &n);
    return n;
}

static void
a_lesson_is_of_one_model_of_one_channel(void)
{
    struct minds *m = minds_new();
    struct minds_of of = { RX_S("c1"), DIALECT_CHAT, RX_S("m1") };
    struct minds_of model = { RX_S("c1"), DIALECT_CHAT, RX_S("m2") };
    struct minds_of channel = { RX_S("c2"), DIALECT_CHAT, RX_S("m1") };
    struct repair seed = minded("seed");
    size_t n;

    CHECK_INT(0, (intmax_t)known(m, &of, NOW));
    minds_learn(m, &of, &seed, NOW);
    minds_learn(m, &of, &seed, NOW);
    const struct repair *list = minds_find(m, &of, NOW, &n);
    CHECK_INT(1, (intmax_t)n);
    CHECK_TEXT("field seed", n > 0 ? list[0].what : "");
    CHECK_INT(0, (intmax_t)known(m, &model, NOW));
    CHECK_INT(0, (intmax_t)known(m, &channel, NOW));
    minds_free(m);
}

static void
a_channel_that_is_reset_has_taught_nothing(void)
{
    struct minds *m = minds_new();
    struct minds_of of = { RX_S("c1"), DIALECT_CHAT, RX_S("m1") };
    struct minds_of model = { RX_S("c1"), DIALECT_RESPONSES, RX_S("m2") };
    struct minds_of channel = { RX_S("c2"), DIALECT_CHAT, RX_S("m1") };
    struct repair seed = minded("seed");

    minds_learn(m, &of, &seed, NOW);
    minds_learn(m, &channel, &seed, NOW);
    minds_learn(m, &model, &seed, NOW);
    minds_forget(m, RX_S("c1"));
    CHECK_INT(0, (intmax_t)known(m, &of, NOW));
    CHECK_INT(0, (intmax_t)known(m, &model, NOW));
    CHECK_INT(1, (intmax_t)known(m, &channel, NOW));
    minds_learn(m, &of, &seed, NOW);
    CHECK_INT(1, (intmax_t)known(m, &of, NOW));
    minds_free(m);
}

static void
lessons_are_forgotten_after_an_hour(void)
{
    struct minds *m = minds_new();
    struct minds_of of = { RX_S("c"), DIALECT_CHAT, RX_S("m") };
    struct repair a = minded("a");
    struct repair b = minded("b");

    minds_learn(m, &of, &a, NOW);
    CHECK_INT(1, (intmax_t)known(m, &of, NOW + MINDS_TTL_MS - 1));
    CHECK_INT(0, (intmax_t)known(m, &of, NOW + MINDS_TTL_MS));
    minds_learn(m, &of, &b, NOW + MINDS_TTL_MS);
    CHECK_INT(1, (intmax_t)known(m, &of, NOW + MINDS_TTL_MS));
    minds_free(m);
}

static void
there_is_an_end_to_what_is_learnt(void)
{
    struct minds *m = minds_new();
    char name[32];

    for (int i = 0; i < 2 * MINDS_PER; i++) {
        struct minds_of of = { RX_S("c"), DIALECT_CHAT, RX_S("m") };
        snprintf(name, sizeof(name), "f%d", i);
        struct repair r = minded(name);
        minds_learn(m, &of, &r, NOW);
    }
    struct minds_of first = { RX_S("c"), DIALECT_CHAT, RX_S("m") };
    CHECK_INT(MINDS_PER, (intmax_t)known(m, &first, NOW));
    struct repair r = minded("x");
    for (unsigned i = 0; i < MINDS_MODELS; i++) {
        snprintf(name, sizeof(name), "model%u", i);
        struct minds_of of = { RX_S("c"), DIALECT_CHAT,
            { name, strlen(name) } };
        minds_learn(m, &of, &r, NOW + 1 + i);
    }
    CHECK_INT(0, (intmax_t)known(m, &first, NOW)); /* gave way */
    minds_free(m);
}

static void
what_is_of_one_conversation_is_not_learnt(void)
{
    static const char *const errors[] = {
        "{\"error\":{\"message\":\"Invalid `signature` in `thinking`\"}}",
        "{\"error\":{\"message\":\"tools.0.custom.x: Extra inputs are not "
        "permitted\"}}"
    };
    struct minds *m = minds_new();
    struct minds_of of = { RX_S("c"), DIALECT_ANTHROPIC, RX_S("m") };

    for (size_t i = 0; i < 2; i++) {
        struct repair r;
        CHECK(repair_find(
            DIALECT_ANTHROPIC, (rx_str){ errors[i], strlen(errors[i]) }, &r));
        minds_learn(m, &of, &r, NOW);
    }
    struct repair effort;
    CHECK(repair_find(DIALECT_CHAT,
        RX_S("{\"error\":{\"message\":\"Unsupported value: "
             "'reasoning_effort' does not support 'minimal'\"}}"),
        &effort));
    minds_learn(m, &of, &effort, NOW);
    CHECK_INT(0, (intmax_t)known(m, &of, NOW));
    minds_free(m);
}

int
main(void)
{
    rx_secret_init();
    CHECK_RUN(a_lesson_is_of_one_model_of_one_channel);
    CHECK_RUN(a_channel_that_is_reset_has_taught_nothing);
    CHECK_RUN(lessons_are_forgotten_after_an_hour);
    CHECK_RUN(there_is_an_end_to_what_is_learnt);
    CHECK_RUN(what_is_of_one_conversation_is_not_learnt);
    return CHECK_EXIT();
}
