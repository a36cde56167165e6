/*
 * The local count of tokens, against what the providers counted themselves.
 */
#include "dataplane/codec/estimate.h"
#include "tests/unit/fixtures.h"

#define CASES_MAX 1000
static struct {
    double ratio[CASES_MAX];
    size_t n;
} measured[FIXTURE_APIS];

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
    enum dialect d = fixture_apis[api].dialect;

    if (d == DIALECT_ANTHROPIC)
        return largest(answer, "input_tokens") +
               largest(answer, "cache_read_input_tokens") +
               largest(answer, "cache_creation_input_tokens");
    if (d == DIALECT_GEMINI)
        return largest(answer,
            fixture_apis[api].counts ? "totalTokens" : "promptTokenCount");
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
compare(const char *name, size_t api, rx_str request, rx_str answer)
{
    uint64_t truth = reported(api, answer);

    if (truth < 20 || measured[api].n == CASES_MAX)
        return;
    uint64_t ours = estimate_tokens(fixture_apis[api].dialect, request);
    double ratio = (double)ours / (double)truth;
    measured[api].ratio[measured[api].n++] = ratio;
    if (getenv("ROUTEX_VERBOSE") != NULL)
        printf("%-80.80s %7" PRIu64 " %7" PRIu64 " %5.2f\n", name, truth, ours,
            ratio);
}

static void
measure(const struct fixture *f)
{
    struct fixture_doc meta;
    struct rx_buf request;
    struct rx_buf answer;

    bool all = fixture_read(f, "meta.json", &meta);
    all = fixture_load(f, "request.json", &request) && all;
    bool whole = fixture_load(f, "response.json", &answer);
    if (!whole) {
        rx_buf_fini(&answer);
        whole = fixture_load(f, "response.sse", &answer);
    }
    size_t api = fixture_api(&meta);
    if (all && whole && api < FIXTURE_APIS &&
        !is_hidden(rx_buf_str(&meta.text), rx_buf_str(&request)))
        compare(f->name, api, rx_buf_str(&request), rx_buf_str(&answer));
    fixture_drop(&meta);
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
        fixture_apis[i].name.ptr, n, r[n / 10], r[n / 2], r[n - 1 - n / 10],
        near * 100 / n);
}

static void
it_comes_near_what_the_providers_counted(void)
{
    size_t all = 0;

    if (!fixtures_each(measure))
        return;
    for (size_t i = 0; i < FIXTURE_APIS; i++) {
        all += measured[i].n;
        if (measured[i].n == 0)
            continue;
        show(i);
        double median = measured[i].ratio[measured[i].n / 2];
        CHECK(median >= 0.9 && median <= 1.3);
    }
    fixtures_ran("requests whose count is known", all, 100);
}

int
main(void)
{
    CHECK_RUN(it_comes_near_what_the_providers_counted);
    return CHECK_EXIT();
}
