/*
 * Recorded exchanges with the real providers, each for every other dialect.
 *
 * Answers are translated for clients of the other dialects and read back as
 * such a client would: text, tool calls, reasoning, stop reason and usage are
 * the same as when read directly.  Errors keep their kind and their words.
 * Requests are translated for channels of the other dialects and decoded as
 * such a server would: what they say is the same, or is stated as lost.
 *
 * Printed at the end: of how many it held, for each client, channel and
 * feature.  What is missing was refused or stated as a loss; anything else is a
 * failure.
 */
#include "tests/unit/recorded_answers.h"
#include "tests/unit/recorded_requests.h"

static unsigned exchanges;

static void
run_exchange(const struct fixture *f)
{
    struct recorded r;

    if (!recorded_read(f, &r))
        return;
    exchanges++;
    if (r.status < 300)
        run_request(&r);
    if (r.status == 200 && r.counts)
        run_count(&r);
    else if (r.status == 200)
        run_answer(&r);
    else if (r.status >= 400)
        run_error(&r);
}

static void
a_recorded_exchange_keeps_its_meaning_in_every_other_dialect(void)
{
    if (!fixtures_each(run_exchange))
        return;
    recorded_print();
    fixtures_ran("exchanges", exchanges, 500);
    fixtures_ran("requests translated", recorded_requests, 1000);
    fixtures_ran("citations and searches told", grounds_told, 900);
    fixtures_ran("kinds of cases of each pair", recorded_kinds(), 90);
}

int
main(void)
{
    CHECK_RUN(a_recorded_exchange_keeps_its_meaning_in_every_other_dialect);
    return CHECK_EXIT();
}
