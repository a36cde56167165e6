/*
 * The local count of tokens: what counts and what does not.
 */
#include "dataplane/codec/estimate.h"
#include "dataplane/codec/image.h"
#include "shared/attr.h"
#include "tests/unit/check.h"

static uint64_t
count(enum dialect dialect, const char *body)
{
    return estimate_tokens(dialect, (rx_str){ body, strlen(body) });
}

static void
everything_that_becomes_prompt_is_counted(void)
{
    uint64_t bare = count(DIALECT_ANTHROPIC,
        "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":"
        "\"hello there, my dear friend\"}]}");
    uint64_t system = count(DIALECT_ANTHROPIC,
        "{\"system\":\"be brief and kind\",\"messages\":[{\"role\":\"user\","
        "\"content\":\"hello there, my dear friend\"}]}");
    uint64_t tools = count(DIALECT_ANTHROPIC,
        "{\"tools\":[{\"name\":\"f\",\"input_schema\":{\"type\":\"object\"}}],"
        "\"messages\":[{\"role\":\"user\","
        "\"content\":\"hello there, my dear friend\"}]}");
    uint64_t results = count(DIALECT_ANTHROPIC,
        "{\"messages\":[{\"role\":\"user\",\"content\":\"hello there, my dear "
        "friend\"},{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\","
        "\"tool_use_id\":\"x\",\"content\":[{\"type\":\"text\",\"text\":\"it "
        "is sunny and warm outside\"}]}]}]}");

    CHECK(bare >= 8 && bare < 24);
    CHECK(system > bare + 3);
    CHECK(tools > bare + 8);
    CHECK(results > bare + 6);
}

static void
ids_signatures_and_blanks_between_cost_nothing(void)
{
    CHECK_INT((intmax_t)count(DIALECT_ANTHROPIC,
                  "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":"
                  "\"thinking\",\"thinking\":\"so\",\"signature\":\"\"}]}]}"),
        (intmax_t)count(DIALECT_ANTHROPIC,
            "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":"
            "\"thinking\",\"thinking\":\"so\",\"signature\":\"EqoBCkgIARABGAIi"
            "QL8gP0d3Yz6ZbXJ5b2Rk\"}]}]}"));
    CHECK_INT((intmax_t)count(DIALECT_CHAT,
                  "{\"tools\":[{\"type\":\"function\",\"function\":{\"name\":"
                  "\"f\"}}],\"messages\":[]}"),
        (intmax_t)count(DIALECT_CHAT,
            "{\"tools\" : [ {\n\t\"type\": \"function\",\r\n  \"function\":  "
            "{\"name\" :   \"f\" } } ],\"messages\":[]}"));
}

static void
the_same_talk_costs_alike_in_every_dialect(void)
{
    uint64_t n[] = {
        count(DIALECT_ANTHROPIC,
            "{\"system\":\"Be brief.\",\"messages\":[{\"role\":\"user\","
            "\"content\":\"What is the weather in Paris today?\"}]}"),
        count(DIALECT_CHAT,
            "{\"messages\":[{\"role\":\"system\",\"content\":\"Be brief.\"},"
            "{\"role\":\"user\",\"content\":\"What is the weather in Paris "
            "today?\"}]}"),
        count(DIALECT_RESPONSES,
            "{\"instructions\":\"Be brief.\",\"input\":\"What is the weather "
            "in Paris today?\"}"),
        count(DIALECT_GEMINI,
            "{\"systemInstruction\":{\"parts\":[{\"text\":\"Be brief.\"}]},"
            "\"contents\":[{\"parts\":[{\"text\":\"What is the weather in "
            "Paris today?\"}]}]}"),
        count(DIALECT_GEMINI,
            "{\"generateContentRequest\":{\"system_instruction\":{\"parts\":[{"
            "\"text\":\"Be brief.\"}]},\"contents\":[{\"parts\":[{\"text\":"
            "\"What is the weather in Paris today?\"}]}]}}"),
    };

    for (size_t i = 0; i < RX_COUNT(n); i++)
        CHECK(n[i] >= 10 && n[i] <= 30);
    CHECK_INT((intmax_t)n[3], (intmax_t)n[4]);
}

static void
a_broken_body_counts_as_far_as_it_goes(void)
{
    CHECK(count(DIALECT_CHAT, "") < 10);
    CHECK(count(DIALECT_CHAT, "[]") < 10);
    CHECK(count(DIALECT_CHAT,
              "{\"messages\":[{\"role\":\"user\",\"content\":\"a long enough "
              "text\"},{") > 5);
    static char deep[4096];
    memset(deep, '[', sizeof(deep) - 1);
    memcpy(deep, "{\"messages\":", 12);
    CHECK(count(DIALECT_CHAT, deep) < 2000);
}

static void
an_image_is_measured_by_its_header(void)
{
    /* PNG, 1 x 1; GIF, 3 x 5; WebP (VP8X), 256 x 512; JPEG, 640 x 480 */
    static const struct {
        const char *base64, *mime;
        uint32_t width, height;
    } files[] = {
        { "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk",
            "image/png", 1, 1 },
        { "R0lGODlhAwAFAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7",
            "image/gif", 3, 5 },
        { "UklGRgAAAABXRUJQVlA4WAoAAAAAAAAA/wAA/wEA", "image/webp", 256, 512 },
        { "/9j/4AAQSkZJRgABAQAAAQABAAD/wAARCAHgAoADASIAAhEBAxEB", "image/jpeg",
            640, 480 },
        { "JVBERi0xLjcK", "application/pdf", 0, 0 },
        { "AAAA", "", 0, 0 },
        { "", "", 0, 0 },
    };

    for (size_t i = 0; i < RX_COUNT(files); i++) {
        rx_str data = { files[i].base64, strlen(files[i].base64) };
        rx_str mime = image_mime(data);
        uint32_t w;
        uint32_t h;
        CHECK(
            rx_str_eq(mime, (rx_str){ files[i].mime, strlen(files[i].mime) }));
        CHECK_INT(files[i].width > 0, image_size(data, &w, &h));
        CHECK_INT(files[i].width, w);
        CHECK_INT(files[i].height, h);
        for (size_t cut = 0; cut < data.len; cut++)
            image_size((rx_str){ data.ptr, cut }, &w, &h);
    }
}

static void
an_image_costs_the_same_inline_or_as_a_data_url(void)
{
    uint64_t bare = count(
        DIALECT_CHAT, "{\"messages\":[{\"role\":\"user\",\"content\":[]}]}");

    CHECK_INT((intmax_t)(bare + 85 + 170 * 4),
        (intmax_t)count(DIALECT_CHAT,
            "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":"
            "\"image_url\",\"image_url\":{\"url\":\"data:image/jpeg;base64,/9j/"
            "4AAQSkZJRgABAQAAAQABAAD/wAARCAQABAADASIAAhEBAxEB\"}}]}]}"));
    CHECK_INT((intmax_t)(bare + 85 + 170 * 4),
        (intmax_t)count(DIALECT_RESPONSES,
            "{\"input\":[{\"role\":\"user\",\"content\":[{\"type\":"
            "\"input_image\",\"image_url\":\"https://x.example/a.png\"}]}]}"));
}

static void
an_answer_has_the_shape_of_its_dialect(void)
{
    static const struct {
        enum dialect dialect;
        const char *want;
    } shapes[] = {
        { DIALECT_ANTHROPIC, "{\"input_tokens\":7}" },
        { DIALECT_RESPONSES,
            "{\"object\":\"response.input_tokens\",\"input_tokens\":7}" },
        { DIALECT_GEMINI, "{\"totalTokens\":7}" },
    };

    for (size_t i = 0; i < RX_COUNT(shapes); i++) {
        struct rx_buf b;
        rx_buf_init(&b, 256);
        estimate_answer(shapes[i].dialect, 7, &b);
        CHECK_TEXT(shapes[i].want, b.ptr);
        rx_buf_fini(&b);
    }
}

int
main(void)
{
    CHECK_RUN(everything_that_becomes_prompt_is_counted);
    CHECK_RUN(ids_signatures_and_blanks_between_cost_nothing);
    CHECK_RUN(the_same_talk_costs_alike_in_every_dialect);
    CHECK_RUN(a_broken_body_counts_as_far_as_it_goes);
    CHECK_RUN(an_image_is_measured_by_its_header);
    CHECK_RUN(an_image_costs_the_same_inline_or_as_a_data_url);
    CHECK_RUN(an_answer_has_the_shape_of_its_dialect);
    return CHECK_EXIT();
}
