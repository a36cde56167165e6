/*
 * Up and down from single checks, and when to check next.
 */
#include "controlplane/probe.h"
#include "controlplane/pulse.h"
#include "tests/unit/check.h"

/* 'g' and 'b': good and bad checks; what it is after each: 'u'p, 'd'own, '?'. */
static void
run(const char *checks, const char *want)
{
    struct pulse p = { 0 };
    char got[64] = "";

    for (size_t i = 0; checks[i] != '\0'; i++) {
        enum pulse_state before = p.state;
        bool turned = pulse_beat(&p, checks[i] == 'g', 3, 2, 1000 + i);
        CHECK(turned == (before != p.state));
        CHECK(!turned || p.since_ms == 1000 + i);
        got[i] = "?ud"[p.state];
    }
    CHECK_TEXT(want, got);
}

static void
three_bad_in_a_row_are_down_and_two_good_are_up(void)
{
    run("g", "u");
    run("ggbbg", "uuuuu");
    run("gbbb", "uuud");
    run("gbbgbbgbb", "uuuuuuuuu");
    run("gbbbgbggb", "uuuddd"
                     "duu");
    run("bb", "??");
    run("bbb", "??d");
    run("bbg", "??u");
}

static void
in_doubt_it_is_checked_sooner_and_never_at_once(void)
{
    struct pulse well = { .state = PULSE_UP }, doubt = { .bad = 1 };
    struct pulse down = { .state = PULSE_DOWN, .good = 1 };

    for (uint32_t dice = 0; dice < 200000; dice += 997) {
        uint64_t ms = pulse_wait(&well, 60000, dice);
        CHECK(ms >= 54000 && ms < 66000);
        ms = pulse_wait(&doubt, 60000, dice);
        CHECK(ms >= 5400 && ms < 6600);
        ms = pulse_wait(&down, 60000, dice);
        CHECK(ms >= 5400 && ms < 6600);
        ms = pulse_wait(&down, 1000, dice);
        CHECK(ms >= 900 && ms < 1100);
    }
    CHECK(pulse_wait(&well, 60000, 0) != pulse_wait(&well, 60000, 5000));
}

static void
only_what_speaks_against_the_provider_is_bad(void)
{
    static const struct {
        enum rx_code code;
        int status;
        enum probe_verdict want;
    } rows[] = { { RX_OK, 200, PROBE_GOOD }, { RX_OK, 429, PROBE_GOOD },
        { RX_OK, 401, PROBE_REFUSED }, { RX_OK, 404, PROBE_REFUSED },
        { RX_OK, 302, PROBE_REFUSED }, { RX_OK, 500, PROBE_BAD },
        { RX_OK, 503, PROBE_BAD }, { RX_OK, 529, PROBE_BAD },
        { RX_OK, 408, PROBE_BAD }, { RX_TIMEOUT, 0, PROBE_BAD },
        { RX_UPSTREAM, 0, PROBE_BAD }, { RX_TOO_BIG, 200, PROBE_BAD } };

    for (size_t i = 0; i < RX_COUNT(rows); i++)
        CHECK_INT(rows[i].want, probe_judge(rows[i].code, rows[i].status));
}

int
main(void)
{
    CHECK_RUN(three_bad_in_a_row_are_down_and_two_good_are_up);
    CHECK_RUN(in_doubt_it_is_checked_sooner_and_never_at_once);
    CHECK_RUN(only_what_speaks_against_the_provider_is_bad);
    return CHECK_EXIT();
}
