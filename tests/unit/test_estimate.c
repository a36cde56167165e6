/*
 * The local count of tokens, against what the providers counted themselves.
 *
 * The recordings are not part of this tree: $ROUTEX_FIXTURES names their folder
 * (../shared/fixtures if it is not set).  Without them that part is not run.
 */
#include <dirent.h>
#include <stdlib.h>

#include "dataplane/codec/estimate.h"
#include "dataplane/codec/image.h"
#include "shared/attr.h"
#include "shared/json.h"
#include "tests/unit/check.h"

#define FILE_MAX ((size_t)64 * 1024 * 1024)

static uint64_t
count(enum dialect dialect, const char *body)
{
    return estimate_tokens(dialect, (rx_str){ body, strlen(body) });
}

/* --- parts -------------------------------------------------------------------- */

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

/* --- recordings ------------------------------------------------------------------- */

static const struct {
    const char *api;
    enum dialect dialect;
    bool counts;
} apis[] = {
    { "anthropic-messages", DIALECT_ANTHROPIC, false },
    { "openai-chat", DIALECT_CHAT, false },
    { "openai-responses", DIALECT_RESPONSES, false },
    { "gemini", DIALECT_GEMINI, false },
    { "anthropic-count-tokens", DIALECT_ANTHROPIC, true },
    { "gemini-count-tokens", DIALECT_GEMINI, true },
};

#define CASES_MAX 1000
static struct {
    double ratio[CASES_MAX];
    size_t n;
} measured[RX_COUNT(apis)];

static bool
load(const char *folder, const char *name, const char *file, struct rx_buf *out)
{
    char path[1024];

    rx_buf_init(out, FILE_MAX);
    snprintf(path, sizeof(path), "%s/%s/%s", folder, name, file);
    FILE *in = fopen(path, "rb");
    if (in == NULL)
        return false;
    for (;;) {
        char *room = rx_buf_room(out, 65536);
        size_t n = room != NULL ? fread(room, 1, 65536, in) : 0;
        if (n == 0)
            break;
        rx_buf_grew(out, n);
    }
    fclose(in);
    return true;
}

/* The largest value of `"name": <number>` in the text; 0 if there is none. */
static uint64_t
largest(rx_str text, const char *name)
{
    char key[64];
    uint64_t most = 0;
    int len = snprintf(key, sizeof(key), "\"%s\":", name);

    for (const char *at = text.ptr, *end = text.ptr + text.len; at != NULL;) {
        at = memmem(at, (size_t)(end - at), key, (size_t)len);
        if (at == NULL)
            break;
        at += len;
        uint64_t n = strtoull(at, NULL, 10);
        if (n > most)
            most = n;
    }
    return most;
}

static uint64_t
reported(size_t api, rx_str answer)
{
    enum dialect d = apis[api].dialect;

    if (d == DIALECT_ANTHROPIC)
        return largest(answer, "input_tokens") +
               largest(answer, "cache_read_input_tokens") +
               largest(answer, "cache_creation_input_tokens");
    if (d == DIALECT_GEMINI)
        return largest(
            answer, apis[api].counts ? "totalTokens" : "promptTokenCount");
    return largest(
        answer, d == DIALECT_CHAT ? "prompt_tokens" : "input_tokens");
}

static bool
has(rx_str text, const char *part)
{
    return memmem(text.ptr, text.len, part, strlen(part)) != NULL;
}

/*
 * Prompts we cannot see whole: kept by the provider, files of its own, tools it
 * runs itself and whose results it counts.  Of models served by somebody else
 * than their maker nobody knows what is put around them.
 */
static bool
is_hidden(rx_str meta, rx_str request)
{
    static const char *const kinds[] = {
        "server_tool:", "builtin_tool:", "\"tool:"
    };
    static const char *const marks[] = { "previous_response_id", "file_id",
        "fileUri", "item_reference", "cachedContent", "container", "compaction",
        "conversation", "\"https://" };
    static const char *const vendors[] = { "api.anthropic.com",
        "api.openai.com", "googleapis.com" };
    bool vendor = false;

    for (size_t i = 0; i < RX_COUNT(vendors); i++)
        vendor = vendor || has(meta, vendors[i]);
    for (size_t i = 0; i < RX_COUNT(kinds); i++) {
        if (has(meta, kinds[i]))
            return true;
    }
    for (size_t i = 0; i < RX_COUNT(marks); i++) {
        if (has(request, marks[i]))
            return true;
    }
    return !vendor;
}

static void
measure(const char *folder, const char *name)
{
    struct rx_buf meta;
    struct rx_buf request;
    struct rx_buf answer;
    char api_text[64];

    bool all = load(folder, name, "meta.json", &meta);
    all = load(folder, name, "request.json", &request) && all;
    bool whole = load(folder, name, "response.json", &answer);
    if (!whole) {
        rx_buf_fini(&answer);
        whole = load(folder, name, "response.sse", &answer);
    }
    for (size_t i = 0; all && whole && i < RX_COUNT(apis); i++) {
        snprintf(api_text, sizeof(api_text), "\"api\": \"%s\"", apis[i].api);
        if (!has(rx_buf_str(&meta), api_text) ||
            is_hidden(rx_buf_str(&meta), rx_buf_str(&request)))
            continue;
        uint64_t truth = reported(i, rx_buf_str(&answer));
        if (truth < 20 || measured[i].n == CASES_MAX)
            continue;
        uint64_t ours = estimate_tokens(apis[i].dialect, rx_buf_str(&request));
        double ratio = (double)ours / (double)truth;
        measured[i].ratio[measured[i].n++] = ratio;
        if (getenv("ROUTEX_VERBOSE") != NULL)
            printf("%-80.80s %7" PRIu64 " %7" PRIu64 " %5.2f\n", name, truth,
                ours, ratio);
    }
    rx_buf_fini(&meta);
    rx_buf_fini(&request);
    rx_buf_fini(&answer);
}

static int
by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

static void
show(size_t i)
{
    size_t n = measured[i].n;
    double *r = measured[i].ratio;
    size_t near = 0;

    qsort(r, n, sizeof(*r), by_value);
    for (size_t k = 0; k < n; k++)
        near += r[k] >= 0.8 && r[k] <= 1.25;
    printf("     %-24s %4zu: ours/theirs 10%% %.2f, median %.2f, 90%% %.2f; "
           "%zu%% within a quarter\n",
        apis[i].api, n, r[n / 10], r[n / 2], r[n - 1 - n / 10], near * 100 / n);
}

static void
it_comes_near_what_the_providers_counted(void)
{
    const char *folder = getenv("ROUTEX_FIXTURES");
    DIR *dir = opendir(
        folder != NULL ? folder : ROUTEX_SOURCE_DIR "/../shared/fixtures");

    if (folder == NULL)
        folder = ROUTEX_SOURCE_DIR "/../shared/fixtures";
    if (dir == NULL) {
        printf("     no recordings at %s\n", folder);
        return;
    }
    for (struct dirent *d; (d = readdir(dir)) != NULL;)
        measure(folder, d->d_name);
    closedir(dir);
    for (size_t i = 0; i < RX_COUNT(apis); i++) {
        if (measured[i].n == 0)
            continue;
        show(i);
        double median = measured[i].ratio[measured[i].n / 2];
        CHECK(median >= 0.9 && median <= 1.3);
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
    CHECK_RUN(it_comes_near_what_the_providers_counted);
    return CHECK_EXIT();
}
