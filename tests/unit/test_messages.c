/* Every message in every language, and which language is meant. */
#include <stdlib.h>

#include "controlplane/openapi.h"
#include "shared/json.h"
#include "shared/messages.h"
#include "tests/unit/check.h"

static rx_str
view(const char *s)
{
    return (rx_str){ s, strlen(s) };
}

/* How often {n} stands in `text`, for each n. */
static void
count_slots(const char *text, unsigned counts[10])
{
    memset(counts, 0, 10 * sizeof(*counts));
    for (const char *p = text; *p != '\0'; p++) {
        if (p[0] == '{' && p[1] >= '1' && p[1] <= '9' && p[2] == '}')
            counts[p[1] - '0']++;
    }
}

static void
check_pair(const struct rx_words *m, const char *other)
{
    unsigned one[10], two[10];

    if (other == NULL || other[0] == '\0' || m->text[0] == '\0') {
        fprintf(stderr, "%s: is missing in a language\n", m->code);
        check_failures++;
        return;
    }
    count_slots(m->text, one);
    count_slots(other, two);
    for (unsigned n = 1; n < 10; n++) {
        if (one[n] != two[n]) {
            fprintf(stderr, "%s: {%u} differs\n", m->code, n);
            check_failures++;
        }
    }
    /* Both end the line, or both do not. */
    size_t a = strlen(m->text), b = strlen(other);
    CHECK_INT(m->text[a - 1] == '\n', other[b - 1] == '\n');
}

static void
every_code_is_in_every_language_with_the_same_places(void)
{
    for (const struct rx_words *m = rx_messages_en; m->code != NULL; m++)
        check_pair(m, rx_message(RX_LANG_ZH, m->code));
    for (const struct rx_words *m = rx_messages_zh; m->code != NULL; m++)
        check_pair(m, rx_message(RX_LANG_EN, m->code));
}

static void
no_code_is_there_twice(void)
{
    static const struct rx_words *const tables[] = { rx_messages_en,
        rx_messages_zh };

    for (size_t t = 0; t < RX_COUNT(tables); t++) {
        for (const struct rx_words *m = tables[t]; m->code != NULL; m++) {
            for (const struct rx_words *n = m + 1; n->code != NULL; n++)
                CHECK(strcmp(m->code, n->code) != 0);
        }
    }
}

/* Each code that docs/openapi.yaml has an error carry. */
static void
every_code_of_the_admin_api_has_its_message(void)
{
    struct rx_json_doc *doc;
    struct rx_json_limits limits = { .depth = 64, .values = 1000000 };
    size_t count = 0;

    if (rx_json_parse(&doc, view(openapi_json), &limits, NULL) != RX_OK) {
        CHECK(false);
        return;
    }
    rx_json codes = rx_json_find(rx_json_root(doc),
        "components.schemas.Error.properties.error.properties.code.enum");
    for (rx_json v = rx_json_first(codes); rx_json_there(v);
         v = rx_json_next(v), count++) {
        char code[64];
        rx_str s = rx_json_str(v);
        snprintf(code, sizeof(code), RX_STR_FMT, RX_STR_ARG(s));
        if (rx_message(RX_LANG_EN, code) == NULL ||
            rx_message(RX_LANG_ZH, code) == NULL) {
            fprintf(stderr, "%s: has no message\n", code);
            check_failures++;
        }
    }
    CHECK(count > 10);
    rx_json_free(doc);
}

static void
places_are_filled_in(void)
{
    const char *args[] = { "boss", "http://x", NULL };
    struct rx_buf out;

    rx_buf_init(&out, 4096);
    rx_message_add(&out, RX_LANG_EN, "setup.can_log_in", args);
    CHECK_TEXT("  boss can log in: http://x/dashboard\n", out.ptr);
    rx_buf_clear(&out);
    rx_message_add(&out, RX_LANG_ZH, "setup.can_log_in", args);
    CHECK_TEXT("  boss 可以登录了：http://x/dashboard\n", out.ptr);
    rx_buf_clear(&out);
    rx_message_add(&out, RX_LANG_EN, "no.such.code", NULL);
    CHECK_TEXT("no.such.code", out.ptr);
    rx_buf_fini(&out);
}

static void
a_header_asks_for_what_it_likes_best(void)
{
    static const struct {
        const char *header;
        enum rx_lang want;
    } rows[] = {
        { "", RX_LANG_EN },
        { "zh-CN", RX_LANG_ZH },
        { "zh", RX_LANG_ZH },
        { "ZH-Hans-CN;q=0.5", RX_LANG_ZH },
        { "zh-CN,zh;q=0.9,en;q=0.8", RX_LANG_ZH },
        { "en-US,en;q=0.9,zh-CN;q=0.8", RX_LANG_EN },
        { "en;q=0.1, zh;q=0.2", RX_LANG_ZH },
        { "de, zh;q=0.3", RX_LANG_ZH },
        { "zh;q=0", RX_LANG_EN },
        { "zh;q=0.000, en", RX_LANG_EN },
        { "zhx", RX_LANG_EN },
        { "*", RX_LANG_EN },
        { ",;=,;;q=,", RX_LANG_EN },
        { "zh;q=0.25, en;q=0.255", RX_LANG_EN },
    };

    for (size_t i = 0; i < RX_COUNT(rows); i++)
        CHECK_INT(rows[i].want, rx_lang_of_header(view(rows[i].header)));
}

static void
the_environment_is_asked_in_the_usual_order(void)
{
    unsetenv("LC_ALL");
    unsetenv("LC_MESSAGES");
    setenv("LANG", "zh_CN.UTF-8", 1);
    CHECK_INT(RX_LANG_ZH, rx_lang_of_environment());
    setenv("LC_MESSAGES", "en_US.UTF-8", 1);
    CHECK_INT(RX_LANG_EN, rx_lang_of_environment());
    setenv("LC_ALL", "zh_TW", 1);
    CHECK_INT(RX_LANG_ZH, rx_lang_of_environment());
    setenv("LC_ALL", "C", 1);
    CHECK_INT(RX_LANG_EN, rx_lang_of_environment());
    unsetenv("LC_ALL");
    unsetenv("LC_MESSAGES");
    unsetenv("LANG");
    CHECK_INT(RX_LANG_EN, rx_lang_of_environment());
}

static void
a_phrase_takes_its_words_along(void)
{
    static const struct {
        const char *english, *want; /* NULL: no phrase fits */
    } rows[] = {
        { "must be a whole number from 1 to 8", "必须是 1 到 8 之间的整数" },
        { "must have at least 10 characters", "至少需要 10 个字符" },
        { "there is no channel \"a \"b\"\"", "没有渠道“a \"b\"”" },
        { "is required", "为必填项" },
        { "is required for type \"x\"", "类型为“x”时为必填项" },
        { "must be ", "必须是 " },
        { "is requiredx", NULL },
        { "something quite different", NULL },
        { "", NULL },
    };

    for (size_t i = 0; i < RX_COUNT(rows); i++) {
        struct rx_buf out;
        rx_buf_init(&out, 4096);
        bool found = rx_phrase_add(&out, RX_LANG_ZH, view(rows[i].english));
        CHECK_INT(rows[i].want != NULL, found);
        if (found && rows[i].want != NULL)
            CHECK_TEXT(rows[i].want, out.ptr);
        CHECK(!rx_phrase_add(&out, RX_LANG_EN, view(rows[i].english)));
        rx_buf_fini(&out);
    }
}

static void
every_phrase_has_a_star_for_each_place(void)
{
    for (const struct rx_phrase *p = rx_phrases_zh; p->english != NULL; p++) {
        unsigned counts[10], stars = 0;
        count_slots(p->text, counts);
        for (const char *c = p->english; *c != '\0'; c++)
            stars += *c == '*';
        for (unsigned n = 1; n < 10; n++)
            CHECK_INT(n <= stars, (int)counts[n]);
    }
}

int
main(void)
{
    CHECK_RUN(every_code_is_in_every_language_with_the_same_places);
    CHECK_RUN(no_code_is_there_twice);
    CHECK_RUN(every_code_of_the_admin_api_has_its_message);
    CHECK_RUN(places_are_filled_in);
    CHECK_RUN(a_header_asks_for_what_it_likes_best);
    CHECK_RUN(the_environment_is_asked_in_the_usual_order);
    CHECK_RUN(a_phrase_takes_its_words_along);
    CHECK_RUN(every_phrase_has_a_star_for_each_place);
    return CHECK_EXIT();
}
