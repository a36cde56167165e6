/*
 * Whom a request goes to first, and where a conversation stays.
 */
#include "dataplane/repair.h"
#include "dataplane/scan.h"
#include "dataplane/session.h"
#include "dataplane/strategy.h"
#include "tests/unit/check.h"

#define SEATS 4
#define NOW   UINT64_C(1000000)

static const char *const names[SEATS] = { "a", "b", "c", "d" };

struct field {
    struct channel channels[SEATS];
    size_t order[SEATS]; /* in which they were picked */
    struct standing *standing;
};

/* Which of the first n channels is first. */
static size_t
first_of(struct field *f, enum strategy strategy, size_t n, uint64_t session,
    const double weights[SEATS])
{
    struct strategy_round round = { .standing = f->standing,
        .now_ms = NOW,
        .session = session,
        .dice = session };
    struct shortlist_wish wish = { .layout = strategy_layout(strategy) };
    struct rx_arena *arena = rx_arena_new(1 << 20);
    struct choice choices[SEATS];
    struct shortlist list;
    const struct place *picked[SEATS];

    for (size_t i = 0; i < SEATS; i++) {
        f->channels[i] = (struct channel){ .id = { names[i], 1 },
            .weight = (uint32_t)weights[i] };
        choices[i] = (struct choice){ .channel = &f->channels[i] };
    }
    CHECK(shortlist_make(&list, choices, n, &wish, arena));
    CHECK_INT((intmax_t)n,
        (intmax_t)strategy_pick(strategy, &list, &round, picked, n));
    for (size_t i = 0; i < n; i++)
        f->order[i] = (size_t)(picked[i]->channel - f->channels);
    rx_arena_free(arena);
    return f->order[0];
}

static struct seat *
seat(struct field *f, size_t i)
{
    return standing_seat(f->standing, (rx_str){ names[i], 1 }, (rx_str){ 0 });
}

static uint64_t
session(unsigned i)
{
    return strategy_hash((rx_str){ (const char *)&i, sizeof(i) }, 7);
}

static void
shares_of_conversations_follow_the_weights(void)
{
    static const double weights[SEATS] = { 1, 2, 5, 0 };
    struct field f = { 0 };
    int got[SEATS] = { 0 };

    for (unsigned i = 0; i < 16000; i++)
        got[first_of(&f, STRATEGY_PRIORITY, SEATS, session(i), weights)]++;
    CHECK(got[0] > 1800 && got[0] < 2200);
    CHECK(got[1] > 3750 && got[1] < 4250);
    CHECK(got[2] > 9700 && got[2] < 10300);
    CHECK_INT(0, got[3]);
}

static void
a_channel_that_goes_moves_only_its_own_conversations(void)
{
    static const double weights[SEATS] = { 1, 1, 2, 1 };
    struct field f = { 0 };

    for (unsigned i = 0; i < 4000; i++) {
        size_t all =
            first_of(&f, STRATEGY_PRIORITY, SEATS, session(i), weights);
        size_t fewer =
            first_of(&f, STRATEGY_PRIORITY, SEATS - 1, session(i), weights);
        CHECK(all == SEATS - 1 || all == fewer);
    }
}

static void
weighted_shares_are_exact_and_smooth(void)
{
    static const double weights[SEATS] = { 3, 1, 0, 0 };
    struct field f = { .standing = standing_new() };
    int got[SEATS] = { 0 };
    int run = 0;

    for (unsigned i = 0; i < 400; i++) {
        size_t at = first_of(&f, STRATEGY_WEIGHTED, SEATS, session(i), weights);
        got[at]++;
        run = at == 0 ? run + 1 : 0;
        CHECK(run <= 4); /* three, and a tie */
    }
    CHECK_INT(300, got[0]);
    CHECK_INT(100, got[1]);
    standing_free(f.standing);
}

static void
round_robin_asks_everybody_in_turn(void)
{
    static const double weights[SEATS] = { 1, 1, 1, 1 };
    struct field f = { .standing = standing_new() };
    size_t order[SEATS];

    for (unsigned i = 0; i < 20; i++) {
        size_t at =
            first_of(&f, STRATEGY_ROUND_ROBIN, SEATS, session(i), weights);
        if (i >= SEATS)
            CHECK_INT((intmax_t)order[i % SEATS], (intmax_t)at);
        order[i % SEATS] = at;
    }
    standing_free(f.standing);
}

static void
least_used_looks_at_what_is_under_way_before_the_last_minute(void)
{
    static const double weights[SEATS] = { 1, 1, 1, 1 };
    struct field f = { .standing = standing_new() };

    for (int i = 0; i < 9; i++) {
        seat_begin(seat(&f, 0), NOW);
        seat_end(seat(&f, 0));
    }
    for (size_t i = 1; i < SEATS; i++)
        seat_begin(seat(&f, i), NOW);
    CHECK_INT(
        0, (intmax_t)first_of(&f, STRATEGY_LEAST_USED, SEATS, 1, weights));
    seat_end(seat(&f, 2));
    CHECK_INT(
        2, (intmax_t)first_of(&f, STRATEGY_LEAST_USED, SEATS, 1, weights));
    CHECK_INT(0, (intmax_t)seat_recent(seat(&f, 0), NOW + 180000));
    standing_free(f.standing);
}

static void
the_slowest_is_never_first_by_latency_and_no_one_gets_all(void)
{
    static const double weights[SEATS] = { 1, 1, 1, 1 };
    struct field f = { .standing = standing_new() };
    int got[SEATS] = { 0 };

    for (size_t i = 0; i < SEATS; i++)
        seat_note_ttft(seat(&f, i), 100.0 * (double)(i + 1), NOW);
    for (unsigned i = 0; i < 2000; i++)
        got[first_of(&f, STRATEGY_LATENCY, SEATS, session(i), weights)]++;
    CHECK_INT(0, got[3]);
    CHECK(got[0] > got[1] && got[1] > got[2] && got[2] > 100);
    standing_free(f.standing);
}

static void
a_peak_counts_at_once_and_fades(void)
{
    struct seat s = { 0 };

    seat_note_ttft(&s, 100, NOW);
    seat_note_ttft(&s, 2000, NOW);
    CHECK(seat_ttft(&s, NOW) > 1999);
    CHECK(seat_ttft(&s, NOW + 10000) < 1001);
    CHECK(seat_ttft(&s, NOW + 500000) < 1);
}

static void
headroom_uses_first_what_is_lost_first(void)
{
    static const double weights[SEATS] = { 1, 1, 1, 1 };
    struct field f = { .standing = standing_new() };
    static const double used[SEATS] = { 0.1, 0.5, 1.0, 0.9 };
    static const uint64_t left[SEATS] = { 14400000, 600000, 60000, 14400000 };

    for (size_t i = 0; i < SEATS; i++) {
        seat(&f, i)->used = used[i];
        seat(&f, i)->reset_ms = NOW + left[i];
    }
    CHECK_INT(1, (intmax_t)first_of(&f, STRATEGY_HEADROOM, SEATS, 1, weights));
    CHECK(f.order[1] == 0);
    CHECK(f.order[3] == 2); /* used up: last */
    standing_free(f.standing);
}

static void
drain_stays_on_one_until_its_window_ends(void)
{
    static const double weights[SEATS] = { 1, 1, 1, 1 };
    struct field f = { .standing = standing_new() };
    size_t at = first_of(&f, STRATEGY_DRAIN, SEATS, session(0), weights);

    for (unsigned i = 1; i < 50; i++)
        CHECK_INT((intmax_t)at,
            (intmax_t)first_of(&f, STRATEGY_DRAIN, SEATS, session(i), weights));
    bool moved = false;
    for (unsigned i = 50; i < 90; i++) {
        for (size_t k = 0; k < SEATS; k++)
            seat(&f, k)->since_ms = 0;
        seat(&f, at)->since_ms = 1;
        seat(&f, at)->reset_ms = NOW - 1;
        size_t next = first_of(&f, STRATEGY_DRAIN, SEATS, session(i), weights);
        CHECK_INT((intmax_t)NOW, (intmax_t)seat(&f, next)->since_ms);
        moved = moved || next != at;
    }
    CHECK(moved);
    standing_free(f.standing);
}

static void
strategies_are_known_by_name(void)
{
    enum strategy s;

    CHECK(strategy_find(RX_S("cost"), &s));
    CHECK_INT(STRATEGY_COST, s);
    CHECK(!strategy_find(RX_S("best"), &s));
    CHECK(strategy_find(RX_S("headroom"), &s));
    CHECK_INT(STRATEGY_HEADROOM, s);
}

/* ---- sessions ------------------------------------------------------------------ */

static struct session_key
key_of(const char *header, const char *user_id, const char *body)
{
    struct rx_header h = { RX_S("x-session-id"), { header, strlen(header) } };
    struct rx_httpd_head head = { .headers = &h,
        .header_count = header[0] != '\0' };
    struct scan scan;
    bool known = scan_request(DIALECT_ANTHROPIC, (rx_str){ body, strlen(body) },
                     &scan, NULL) == RX_OK;
    struct session_source s = { .tenant = RX_S("t"),
        .head = &head,
        .user_id = { user_id, strlen(user_id) },
        .messages = known ? scan.parts[SCAN_MESSAGES] : (rx_str){ 0 } };

    return session_key_of(&s);
}

static bool
same(struct session_key a, struct session_key b)
{
    return memcmp(&a, &b, sizeof(a)) == 0;
}

static void
a_conversation_is_known_by_the_best_name_it_has(void)
{
    static const char first[] =
        "{\"messages\":[{\"role\":\"user\",\"content\":\"do  it\"}]}";
    static const char later[] =
        "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\","
        "\"text\":\"do it\",\"cache_control\":{\"type\":\"ephemeral\"}}]},"
        "{\"role\":\"assistant\",\"content\":\"ok\"}]}";

    CHECK(same(key_of("s1", "u", first), key_of("s1", "v", later)));
    CHECK(same(key_of("s1", "", first),
        key_of("", "{\"device_id\":\"d\",\"session_id\":\"s1\"}", "")));
    CHECK(same(key_of("s1", "", ""), key_of("", "user_1_session_s1", "")));
    CHECK(same(key_of("", "", first), key_of("", "", later)));
    CHECK(!same(key_of("", "", first), key_of("s1", "", first)));
    struct session_key by_content = key_of("", "", first);
    CHECK(session_known(&by_content));
    struct session_key none = key_of("", "", "{}");
    CHECK(!session_known(&none));
}

static void
blanks_are_alike_written_or_escaped(void)
{
    static const char *const texts[] = { "do it", "do \\t it", "do\\nit",
        "do\\r\\n  it" };
    char body[128];
    struct session_key keys[RX_COUNT(texts)];

    for (size_t i = 0; i < RX_COUNT(texts); i++) {
        snprintf(body, sizeof(body),
            "{\"messages\":[{\"role\":\"user\",\"content\":\"%s\"}]}",
            texts[i]);
        keys[i] = key_of("", "", body);
        CHECK(same(keys[0], keys[i]));
    }
    struct session_key other = key_of("", "",
        "{\"messages\":[{\"role\":\"user\",\"content\":\"do\\\\nit\"}]}");
    CHECK(!same(keys[0], other));
}

static void
a_pin_that_is_dropped_is_gone_and_dropping_none_is_nothing(void)
{
    struct sessions *s = sessions_new(3);
    struct session_key one = key_of("1", "", "");
    struct session_key two = key_of("2", "", "");

    sessions_drop(s, &one);
    sessions_pin(s, &one, RX_S("c"), RX_S("k"), NOW, 1000);
    sessions_drop(s, &two);
    CHECK(sessions_find(s, &one, NOW) != NULL);
    sessions_drop(s, &one);
    CHECK(sessions_find(s, &one, NOW) == NULL);
    CHECK_INT(0, (intmax_t)sessions_count(s));
    sessions_free(s);
}

static void
pins_are_bounded_and_the_longest_unused_goes_first(void)
{
    struct sessions *s = sessions_new(3);
    struct session_key keys[4] = { { { 1 } }, { { 2 } }, { { 3 } }, { { 4 } } };

    for (size_t i = 0; i < 3; i++)
        sessions_pin(s, &keys[i], RX_S("c"), RX_S("k"), NOW, 1000);
    sessions_pin(s, &keys[0], RX_S("c"), RX_S("k"), NOW, 1000);
    sessions_pin(s, &keys[3], RX_S("c"), RX_S("k"), NOW, 1000);
    CHECK_INT(3, (intmax_t)sessions_count(s));
    CHECK(sessions_find(s, &keys[0], NOW) != NULL);
    CHECK(sessions_find(s, &keys[1], NOW) == NULL);
    CHECK(sessions_find(s, &keys[3], NOW + 999) != NULL);
    CHECK(sessions_find(s, &keys[3], NOW + 1000) == NULL);
    sessions_free(s);
}

static void
a_pin_that_never_reads_the_cache_is_given_up(void)
{
    struct sessions *s = sessions_new(3);
    struct session_key key = { { 1 } };

    sessions_pin(s, &key, RX_S("c"), RX_S("k"), NOW, 1000);
    sessions_note_cache(s, &key, 0);
    sessions_note_cache(s, &key, 0);
    sessions_note_cache(s, &key, 5);
    sessions_note_cache(s, &key, 0);
    sessions_note_cache(s, &key, 0);
    CHECK(sessions_find(s, &key, NOW) != NULL);
    sessions_note_cache(s, &key, 0);
    CHECK(sessions_find(s, &key, NOW) == NULL);
    sessions_free(s);
}

/* ---- repair -------------------------------------------------------------------- */

static void
what_is_minded_is_cut_out_and_nothing_else(void)
{
    static const struct {
        enum dialect dialect;
        const char *error, *body, *want; /* want NULL: nothing to be done */
    } rows[] = {
        { DIALECT_CHAT,
            "{\"error\":{\"message\":\"Unsupported parameter: 'stop' is not "
            "supported with this model.\"}}",
            "{\"model\":\"m\", \"stop\": [\"a\", \"b\"], \"n\":1}",
            "{\"model\":\"m\", \"n\":1}" },
        { DIALECT_CHAT,
            "{\"error\":{\"message\":\"Unsupported parameter: 'max_tokens' is "
            "not supported with this model. Use 'max_completion_tokens' "
            "instead.\"}}",
            "{\"max_tokens\":5,\"model\":\"m\"}",
            "{\"max_completion_tokens\":5,\"model\":\"m\"}" },
        { DIALECT_ANTHROPIC,
            "{\"error\":{\"message\":\"tools.1.custom.eager: Extra inputs are "
            "not permitted\"}}",
            "{\"tools\":[{\"eager\":1},{\"eager\":1,\"name\":\"x\"}]}",
            "{\"tools\":[{\"eager\":1},{\"name\":\"x\"}]}" },
        { DIALECT_GEMINI,
            "{\"error\":{\"message\":\"Invalid JSON payload received. Unknown "
            "name \\\"topX\\\" at 'generation_config': Cannot find field.\"}}",
            "{\"generationConfig\":{\"topK\":1,\"topX\":2}}",
            "{\"generationConfig\":{\"topK\":1}}" },
        { DIALECT_RESPONSES,
            "{\"error\":{\"code\":\"invalid_encrypted_content\",\"message\":"
            "\"no\"}}",
            "{\"input\":[{\"type\":\"reasoning\",\"x\":1},{\"type\":"
            "\"reasoning\"},{\"type\":\"message\"},{\"type\":\"reasoning\"}]}",
            "{\"input\":[{\"type\":\"message\"}]}" },
        { DIALECT_CHAT,
            "{\"error\":{\"message\":\"Unsupported parameter: 'messages'\"}}",
            "{\"messages\":[]}", NULL },
        { DIALECT_CHAT, "{\"error\":{\"message\":\"too long\"}}", "{}", NULL },
        { DIALECT_CHAT,
            "{\"error\":{\"message\":\"Unsupported parameter: "
            "'max_completion_tokens' is not supported with this model.\"}}",
            "{\"model\":\"m\",\"max_completion_tokens\":5}",
            "{\"model\":\"m\",\"max_tokens\":5}" },
        { DIALECT_CHAT,
            "{\"error\":{\"message\":\"Unexpected role 'developer' "
            "(role)\"}}",
            "{\"messages\":[{\"role\":\"developer\",\"content\":\"a\"},{"
            "\"role\":\"user\",\"content\":\"developer\"}]}",
            "{\"messages\":[{\"role\":\"system\",\"content\":\"a\"},{"
            "\"role\":\"user\",\"content\":\"developer\"}]}" },
        { DIALECT_CHAT,
            "{\"error\":{\"message\":\"Unrecognized request argument "
            "supplied: stream_options\"}}",
            "{\"stream_options\":{\"a\":1},\"model\":\"m\"}",
            "{\"model\":\"m\"}" },
        { DIALECT_CHAT,
            "{\"error\":{\"message\":\"property 'seed' is unsupported\"}}",
            "{\"model\":\"m\",\"seed\":1}", "{\"model\":\"m\"}" },
        { DIALECT_CHAT,
            "{\"error\":{\"message\":\"Thinking mode does not support this "
            "tool_choice\"}}",
            "{\"model\":\"m\",\"tool_choice\":\"required\"}",
            "{\"model\":\"m\"}" },
        { DIALECT_ANTHROPIC,
            "{\"error\":{\"message\":\"`temperature` may only be set to 1 "
            "when thinking is enabled\"}}",
            "{\"temperature\":0.5,\"model\":\"m\"}", "{\"model\":\"m\"}" },
        { DIALECT_GEMINI,
            "{\"error\":{\"message\":\"Corrupted thought signature.\"}}",
            "{\"contents\":[{\"parts\":[{\"functionCall\":{\"args\":{"
            "\"thoughtSignature\":\"x\"}},\"thoughtSignature\":\"abc\"}]}]}",
            "{\"contents\":[{\"parts\":[{\"functionCall\":{\"args\":{"
            "\"thoughtSignature\":\"x\"}},\"thoughtSignature\":\"skip_"
            "thought_signature_validator\"}]}]}" },
    };

    for (size_t i = 0; i < RX_COUNT(rows); i++) {
        rx_str error = { rows[i].error, strlen(rows[i].error) };
        rx_str body = { rows[i].body, strlen(rows[i].body) };
        struct rx_buf out;
        struct repair done;

        rx_buf_init(&out, 4096);
        CHECK_INT(
            rows[i].want != NULL, repair_is_possible(rows[i].dialect, error));
        bool ok = repair_find(rows[i].dialect, error, &done) &&
                  (done.fault == FAULT_BETA || repair_apply(&done, body, &out));
        CHECK_INT(rows[i].want != NULL, ok);
        if (ok && rows[i].want != NULL)
            CHECK_TEXT(rows[i].want, out.ptr);
        rx_buf_fini(&out);
    }
}

int
main(void)
{
    CHECK_RUN(shares_of_conversations_follow_the_weights);
    CHECK_RUN(a_channel_that_goes_moves_only_its_own_conversations);
    CHECK_RUN(weighted_shares_are_exact_and_smooth);
    CHECK_RUN(round_robin_asks_everybody_in_turn);
    CHECK_RUN(least_used_looks_at_what_is_under_way_before_the_last_minute);
    CHECK_RUN(the_slowest_is_never_first_by_latency_and_no_one_gets_all);
    CHECK_RUN(a_peak_counts_at_once_and_fades);
    CHECK_RUN(headroom_uses_first_what_is_lost_first);
    CHECK_RUN(drain_stays_on_one_until_its_window_ends);
    CHECK_RUN(strategies_are_known_by_name);
    CHECK_RUN(a_conversation_is_known_by_the_best_name_it_has);
    CHECK_RUN(blanks_are_alike_written_or_escaped);
    CHECK_RUN(a_pin_that_is_dropped_is_gone_and_dropping_none_is_nothing);
    CHECK_RUN(pins_are_bounded_and_the_longest_unused_goes_first);
    CHECK_RUN(a_pin_that_never_reads_the_cache_is_given_up);
    CHECK_RUN(what_is_minded_is_cut_out_and_nothing_else);
    return CHECK_EXIT();
}
