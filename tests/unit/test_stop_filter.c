/*
 * Stop sequences watched for here: whatever the pieces and the spelling, the
 * text ends before the first of them, and without one nothing is lost.
 */
#include <stdlib.h>

#include "dataplane/codec/stop_filter.h"
#include "tests/unit/check.h"
#include "tests/unit/codec_rig.h"

#define TEXT_MAX 4096
#define NAMES    6

struct lot {
    struct ir_name names[NAMES];
    size_t count;
};

static void
add_name(struct lot *l, rx_str text)
{
    struct ir_name *n = &l->names[l->count];

    *n = (struct ir_name){ .name = text };
    if (l->count > 0)
        l->names[l->count - 1].next = n;
    l->count++;
}

/* Feed `text` in pieces of `most`, or of a random size when it is 0. */
static bool
watch(const struct lot *l, rx_str text, size_t most, uint64_t *dice,
    struct rx_buf *shown, rx_str *which, struct rx_arena *arena)
{
    struct stop_filter *f = stop_filter_new(arena, l->names);

    while (text.len > 0) {
        size_t n = most > 0 ? most : 1 + rig_random(dice) % 7;
        if (n > text.len)
            n = text.len;
        char *piece = malloc(n);
        if (piece == NULL)
            abort();
        memcpy(piece, text.ptr, n);
        rx_buf_add(shown, stop_filter_feed(f, (rx_str){ piece, n }));
        free(piece);
        text = (rx_str){ text.ptr + n, text.len - n };
    }
    rx_buf_add(shown, stop_filter_flush(f));
    bool found = stop_filter_found(f, which);
    stop_filter_free(f);
    return found;
}

static const struct {
    const char *names[3];
    const char *text, *want; /* shown */
    const char *which;       /* or NULL */
} cases[] = {
    { { "END" }, "one ENtwo", "one ENtwo", NULL },
    { { "END" }, "one ENDtwo END", "one ", "END" },
    { { "END" }, "END", "", "END" },
    { { "END" }, "at the EN", "at the EN", NULL },
    { { "abcabd" }, "abcabcabd.", "abc", "abcabd" },
    { { "abcd", "bc" }, "xabcd", "xa", "bc" },
    { { "bcd", "abcd" }, "xabcd", "x", "abcd" },
    { { "aab", "ab" }, "aaab", "a", "aab" },
    { { "\\n\\n" }, "a\\nb\\n\\u000Ac", "a\\nb", "\\n\\n" },
    { { "\\u003c/s>" }, "x</s>y", "x", "\\u003c/s>" },
    { { "</s>" }, "x\\u003C\\/s>y", "x", "</s>" },
    { { "\\\\n" }, "a\\nb\\\\nc", "a\\nb", "\\\\n" },
    { { "\xf0\x9f\x98\x80" }, "a\\ud83d\\ude00b", "a", "\xf0\x9f\x98\x80" },
    { { "\\ud83d\\ude01" },
        "a\xf0\x9f\x98\x80"
        "b\xf0\x9f\x98\x81",
        "a\xf0\x9f\x98\x80"
        "b",
        "\\ud83d\\ude01" },
    { { "x" }, "a\\ud83d\\u12", "a\\ud83d\\u12", NULL },
    { { "x" }, "a\\", "a\\", NULL },
    { { "" }, "abc", "abc", NULL },
};

static void
a_text_ends_before_the_first_sequence_however_it_is_spelt_and_cut(void)
{
    for (size_t i = 0; i < RX_COUNT(cases); i++) {
        rx_str text = { cases[i].text, strlen(cases[i].text) };
        struct lot l = { 0 };
        for (size_t k = 0; k < 3 && cases[i].names[k] != NULL; k++)
            add_name(
                &l, (rx_str){ cases[i].names[k], strlen(cases[i].names[k]) });
        for (size_t most = 1; most <= text.len; most++) {
            struct rx_arena *arena = rx_arena_new(1 << 20);
            struct rx_buf shown;
            rx_str which = { 0 };
            rx_buf_init(&shown, TEXT_MAX);
            rx_buf_add(&shown, RX_S("")); /* a NUL at least */
            bool found = watch(&l, text, most, NULL, &shown, &which, arena);
            CHECK(found == (cases[i].which != NULL));
            CHECK_TEXT(cases[i].want, shown.ptr != NULL ? shown.ptr : "");
            if (found)
                CHECK_TEXT(cases[i].which, which.ptr);
            rx_buf_fini(&shown);
            rx_arena_free(arena);
        }
    }
}

/* --- against the plainest way to do it ------------------------------------------------ */

static void
random_text(uint64_t *dice, size_t most, struct rx_buf *out)
{
    static const rx_str letters[] = { RX_STR_INIT("a"), RX_STR_INIT("b"),
        RX_STR_INIT("\\u0061"), RX_STR_INIT("\\n"), RX_STR_INIT("\\u000a"),
        RX_STR_INIT("\\ud83d\\ude00"), RX_STR_INIT("\xf0\x9f\x98\x80"),
        RX_STR_INIT("\\\\") };

    for (size_t n = 1 + rig_random(dice) % most; n > 0; n--)
        rx_buf_add(out, letters[rig_random(dice) % RX_COUNT(letters)]);
}

/* Where the sequence that ends first (of those the longest) begins, in plain. */
static bool
plain_cut(const struct lot *l, rx_str plain, size_t *begins)
{
    for (size_t end = 1; end <= plain.len; end++) {
        size_t longest = 0;
        for (size_t i = 0; i < l->count; i++) {
            char name[TEXT_MAX];
            size_t len;
            CHECK(rx_span_decode(l->names[i].name, name, &len));
            if (len <= end && len > longest &&
                memcmp(plain.ptr + end - len, name, len) == 0)
                longest = len;
        }
        if (longest > 0) {
            *begins = end - longest;
            return true;
        }
    }
    *begins = plain.len;
    return false;
}

static void
any_pieces_of_any_text_give_what_looking_at_the_whole_gives(void)
{
    uint64_t dice = 42;
    int found_some = 0;

    for (int round = 0; round < 3000; round++) {
        struct rx_arena *arena = rx_arena_new(1 << 20);
        struct rx_buf names[NAMES];
        struct rx_buf text;
        struct rx_buf shown;
        struct lot l = { 0 };
        size_t count = 1 + rig_random(&dice) % NAMES;
        char plain[TEXT_MAX];
        char seen[TEXT_MAX];
        size_t plain_len;
        size_t seen_len;
        size_t begins;
        rx_str which;

        for (size_t i = 0; i < count; i++) {
            rx_buf_init(&names[i], TEXT_MAX);
            random_text(&dice, 6, &names[i]);
            add_name(&l, rx_buf_str(&names[i]));
        }
        rx_buf_init(&text, TEXT_MAX);
        rx_buf_init(&shown, TEXT_MAX);
        random_text(&dice, 40, &text);
        CHECK(rx_span_decode(rx_buf_str(&text), plain, &plain_len));
        bool want = plain_cut(&l, (rx_str){ plain, plain_len }, &begins);
        found_some += want;
        CHECK(want ==
              watch(&l, rx_buf_str(&text), 0, &dice, &shown, &which, arena));
        CHECK(rx_span_decode(rx_buf_str(&shown), seen, &seen_len));
        CHECK_INT((intmax_t)begins, (intmax_t)seen_len);
        CHECK(memcmp(plain, seen, seen_len) == 0);
        CHECK(rx_str_starts(rx_buf_str(&text), rx_buf_str(&shown)));
        for (size_t i = 0; i < count; i++)
            rx_buf_fini(&names[i]);
        rx_buf_fini(&text);
        rx_buf_fini(&shown);
        rx_arena_free(arena);
    }
    CHECK(found_some > 300 && found_some < 2900);
}

/* --- in a translation -------------------------------------------------------------------- */

#define ASKED                                                         \
    "{\"model\":\"m\",\"max_tokens\":9,\"stop_sequences\":[\"END\"]," \
    "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}"
#define DELTA(text)                                                      \
    "data: {\"type\":\"response.output_text.delta\",\"output_index\":0," \
    "\"content_index\":0,\"delta\":\"" text "\"}\n\n"
#define CREATED                                                        \
    "data: {\"type\":\"response.created\",\"response\":{\"id\":\"r\"," \
    "\"model\":\"g\"}}\n\n"

static const char answered[] = CREATED DELTA("one E") DELTA("ND two") DELTA(
    "three") "data: {\"type\":\"response.completed\",\"response\":{\"id\":"
             "\"r\",\"status\":\"completed\",\"usage\":{\"input_tokens\":5,"
             "\"output_tokens\":7}}}\n\n";
static const char broken_off[] = CREATED DELTA("one E") DELTA("ND two");
static const char at_once[] = CREATED DELTA("E") DELTA("ND two");

static void
translate(const char *answer, size_t most, bool clean, struct rx_buf *out)
{
    uint64_t seed;
    struct translate_ask ask = { .client = DIALECT_ANTHROPIC,
        .body = RX_S(ASKED),
        .model_asked = RX_S("m"),
        .model = RX_S("m"),
        .stream = true,
        .key = { .dialect = DIALECT_RESPONSES, .model = RX_S("gpt-5") },
        .world = rig_world(&seed) };
    struct translation *t;
    struct rx_err err;

    rx_buf_init(out, 1 << 20);
    CHECK_INT(RX_OK, translation_new(&t, &ask, &err));
    translation_begin(t, 200, RX_S("text/event-stream"), RX_S(""));
    rig_feed(t, (rx_str){ answer, strlen(answer) }, most, clean, out);
    translation_free(t);
}

static void
a_client_sees_the_sequence_that_stopped_it_and_nothing_behind_it(void)
{
    for (size_t most = 1; most < 200; most++) {
        struct rx_buf out;
        translate(answered, most, true, &out);
        CHECK(strstr(out.ptr, "two") == NULL);
        CHECK(strstr(out.ptr, "three") == NULL);
        CHECK(strstr(out.ptr, "\"text\":\"one \"") != NULL);
        CHECK(strstr(out.ptr, "\"stop_reason\":\"stop_sequence\","
                              "\"stop_sequence\":\"END\"") != NULL);
        CHECK(strstr(out.ptr, "\"output_tokens\":7") != NULL);
        CHECK(rig_looks_clean(DIALECT_ANTHROPIC, rx_buf_str(&out)));
        rx_buf_fini(&out);
    }
}

static void
what_breaks_behind_the_sequence_does_not_concern_the_client(void)
{
    struct rx_buf out;

    translate(broken_off, 0, false, &out);
    CHECK(strstr(out.ptr, "\"stop_sequence\":\"END\"") != NULL);
    CHECK(rig_looks_clean(DIALECT_ANTHROPIC, rx_buf_str(&out)));
    rx_buf_fini(&out);
}

static void
a_text_that_begins_with_the_sequence_is_no_block_at_all(void)
{
    struct rx_buf out;

    translate(at_once, 0, true, &out);
    CHECK(strstr(out.ptr, "content_block") == NULL);
    CHECK(strstr(out.ptr, "\"stop_sequence\":\"END\"") != NULL);
    rx_buf_fini(&out);
}

static void
it_is_watched_for_here_what_the_model_does_not_watch_for(void)
{
    static const struct {
        enum dialect dialect;
        unsigned count;
        const char *last;
        bool needed;
    } rows[] = {
        { DIALECT_ANTHROPIC, 6, "f", false },
        { DIALECT_ANTHROPIC, 1, "\\n\\t ", true },
        { DIALECT_CHAT, 4, "\\n", false },
        { DIALECT_CHAT, 5, "e", true },
        { DIALECT_RESPONSES, 1, "a", true },
        { DIALECT_RESPONSES, 0, "", false },
        { DIALECT_GEMINI, 5, "\\n", false },
        { DIALECT_GEMINI, 6, "f", true },
    };

    for (size_t i = 0; i < RX_COUNT(rows); i++) {
        struct capability_key key = { .dialect = rows[i].dialect,
            .model = RX_S("m") };
        struct capability cap = capability_find(&key);
        struct lot l = { 0 };
        for (unsigned k = 0; k + 1 < rows[i].count; k++)
            add_name(&l, RX_S("x"));
        if (rows[i].count > 0)
            add_name(&l, (rx_str){ rows[i].last, strlen(rows[i].last) });
        struct ir_request r = { .stop = l.count > 0 ? l.names : NULL };
        CHECK(rows[i].needed == stop_filter_needed(&r, &cap));
    }
}

int
main(void)
{
    CHECK_RUN(it_is_watched_for_here_what_the_model_does_not_watch_for);
    CHECK_RUN(
        a_text_ends_before_the_first_sequence_however_it_is_spelt_and_cut);
    CHECK_RUN(any_pieces_of_any_text_give_what_looking_at_the_whole_gives);
    CHECK_RUN(a_client_sees_the_sequence_that_stopped_it_and_nothing_behind_it);
    CHECK_RUN(what_breaks_behind_the_sequence_does_not_concern_the_client);
    CHECK_RUN(a_text_that_begins_with_the_sequence_is_no_block_at_all);
    return CHECK_EXIT();
}
