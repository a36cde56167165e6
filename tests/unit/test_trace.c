#include "shared/trace.h"
#include "tests/unit/check.h"

#define GOOD "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

static rx_str
text(const char *s)
{
    return (rx_str){ s, strlen(s) };
}

static void
a_good_one_is_kept_and_says_who_asks(void)
{
    struct rx_trace t = { .span = { 1, 2, 3, 4, 5, 6, 7, 8 } };
    char out[RX_TRACE_TEXT_SIZE];

    CHECK(rx_trace_read(RX_S(GOOD), &t));
    CHECK(rx_trace_is(&t) && rx_trace_has_parent(&t));
    CHECK(t.flags == RX_TRACE_SAMPLED);
    rx_trace_write(&t, t.span, out);
    CHECK_TEXT("00-4bf92f3577b34da6a3ce929d0e0e4736-0102030405060708-01", out);
    rx_trace_write(&t, t.parent, out);
    CHECK_TEXT(GOOD, out);
}

static void
a_version_of_the_future_is_read_as_far_as_we_know_it(void)
{
    struct rx_trace t = { 0 };

    CHECK(rx_trace_read(
        RX_S("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"), &t));
    CHECK(rx_trace_read(
        RX_S("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-ff-more"),
        &t));
    CHECK(t.flags == RX_TRACE_SAMPLED); /* bits nobody knows are not kept */
}

static void
what_is_wrong_is_none_and_changes_nothing(void)
{
    static const char *const wrong[] = { "", "00", "hello",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g",
        "00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01",
        "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01more",
        "0g-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01" };

    for (size_t i = 0; i < RX_COUNT(wrong); i++) {
        struct rx_trace t = { .span = { 9 } };
        CHECK(!rx_trace_read(text(wrong[i]), &t));
        CHECK(!rx_trace_is(&t) && !rx_trace_has_parent(&t) && t.span[0] == 9);
    }
}

static void
state_passes_when_it_is_a_list_of_members(void)
{
    char many[600] = "";

    CHECK(rx_trace_state_fits(RX_S("congo=t61rcWkgMzE")));
    CHECK(rx_trace_state_fits(RX_S("a@b=1, rojo=00f067aa0ba902b7,,")));
    CHECK(!rx_trace_state_fits(RX_S("")));
    CHECK(!rx_trace_state_fits(RX_S(",")));
    CHECK(!rx_trace_state_fits(RX_S("congo")));
    CHECK(!rx_trace_state_fits(RX_S("Congo=1")));
    CHECK(!rx_trace_state_fits(RX_S("a=1=2")));
    CHECK(!rx_trace_state_fits(RX_S("a=\x01")));
    for (size_t i = 0; i < 33; i++)
        memcpy(many + 4 * i, "a=1,", 4);
    CHECK(rx_trace_state_fits((rx_str){ many, 4 * 32 }));
    CHECK(!rx_trace_state_fits((rx_str){ many, 4 * 33 }));
    memset(many, 'v', sizeof(many));
    many[0] = 'k';
    many[1] = '=';
    CHECK(rx_trace_state_fits((rx_str){ many, 512 }));
    CHECK(!rx_trace_state_fits((rx_str){ many, 513 }));
}

static void
attempts_have_spans_of_their_own(void)
{
    struct rx_trace t = { 0 };
    unsigned char spans[8][8];

    CHECK(rx_trace_read(RX_S(GOOD), &t));
    memset(t.span, 0xab, sizeof(t.span));
    for (unsigned i = 0; i < 8; i++) {
        rx_trace_attempt(&t, i, spans[i]);
        CHECK(memcmp(spans[i], t.span, 8) != 0);
        for (unsigned k = 0; k < i; k++)
            CHECK(memcmp(spans[i], spans[k], 8) != 0);
    }
    /* The number is part of what planes tell each other: it must not change. */
    memset(t.span, 0, sizeof(t.span));
    rx_trace_attempt(&t, 0, spans[0]);
    CHECK(memcmp(spans[0], "\x9e\x37\x79\xb9\x7f\x4a\x7c\x15", 8) == 0);
}

static void
packed_it_comes_back_as_it_was(void)
{
    unsigned char packed[RX_TRACE_PACKED_MAX];
    struct rx_trace t = { .span = { 1 } }, back;

    CHECK(rx_trace_read(RX_S(GOOD), &t));
    size_t n = rx_trace_pack(&t, packed);
    CHECK(n == 33);
    CHECK(rx_trace_unpack((rx_str){ (char *)packed, n }, &back));
    CHECK(memcmp(&t, &back, sizeof(t)) == 0);
    memset(t.parent, 0, sizeof(t.parent));
    n = rx_trace_pack(&t, packed);
    CHECK(n == 25);
    CHECK(rx_trace_unpack((rx_str){ (char *)packed, n }, &back));
    CHECK(memcmp(&t, &back, sizeof(t)) == 0);
    CHECK(!rx_trace_unpack((rx_str){ (char *)packed, 24 }, &back));
    memset(packed, 0, sizeof(packed));
    CHECK(!rx_trace_unpack((rx_str){ (char *)packed, 25 }, &back));
    CHECK(!rx_trace_is(&back));
    CHECK(!rx_trace_unpack((rx_str){ 0 }, &back));
}

int
main(void)
{
    CHECK_RUN(a_good_one_is_kept_and_says_who_asks);
    CHECK_RUN(a_version_of_the_future_is_read_as_far_as_we_know_it);
    CHECK_RUN(what_is_wrong_is_none_and_changes_nothing);
    CHECK_RUN(state_passes_when_it_is_a_list_of_members);
    CHECK_RUN(attempts_have_spans_of_their_own);
    CHECK_RUN(packed_it_comes_back_as_it_was);
    return CHECK_EXIT();
}
