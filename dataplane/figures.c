#include "dataplane/figures.h"

#include <string.h>

#include "shared/attr.h"

/* A member of a usage object: a number, or an object of such. */
struct row {
    rx_str name;
    enum figure figure;
    const struct row *inner; /* ends with an empty name */
};

#define NUMBER(key, fig)                                 \
    {                                                    \
        .name = RX_STR_INIT(key), .figure = FIGURE_##fig \
    }
#define INNER(key, rows)                        \
    {                                           \
        .name = RX_STR_INIT(key), .inner = rows \
    }
#define END           \
    {                 \
        .name = { 0 } \
    }

static const struct row anthropic_written[] = {
    NUMBER("ephemeral_5m_input_tokens", WRITTEN_5M),
    NUMBER("ephemeral_1h_input_tokens", WRITTEN_1H),
    END,
};
static const struct row anthropic_output[] = {
    NUMBER("thinking_tokens", REASONING),
    END,
};
static const struct row anthropic_tools[] = {
    NUMBER("web_search_requests", WEB_SEARCHES),
    NUMBER("web_fetch_requests", WEB_FETCHES),
    END,
};
static const struct row anthropic_rows[] = {
    NUMBER("input_tokens", INPUT),
    NUMBER("output_tokens", OUTPUT),
    NUMBER("cache_read_input_tokens", CACHED),
    NUMBER("cache_creation_input_tokens", WRITTEN),
    INNER("cache_creation", anthropic_written),
    INNER("output_tokens_details", anthropic_output),
    INNER("server_tool_use", anthropic_tools),
    END,
};

static const struct row openai_input[] = {
    NUMBER("cached_tokens", CACHED),
    NUMBER("cache_write_tokens", WRITTEN),
    NUMBER("cache_creation_input_tokens", WRITTEN_5M),
    NUMBER("audio_tokens", IN_AUDIO),
    NUMBER("image_tokens", IN_IMAGE),
    END,
};
static const struct row openai_output[] = {
    NUMBER("reasoning_tokens", REASONING),
    NUMBER("audio_tokens", OUT_AUDIO),
    NUMBER("image_tokens", OUT_IMAGE),
    END,
};
static const struct row chat_rows[] = {
    NUMBER("prompt_tokens", INPUT),
    NUMBER("completion_tokens", OUTPUT),
    NUMBER("total_tokens", TOTAL),
    INNER("prompt_tokens_details", openai_input),
    INNER("prompt_token_details", openai_input),
    INNER("completion_tokens_details", openai_output),
    NUMBER("prompt_cache_hit_tokens", CACHED_ELSEWHERE),
    NUMBER("cached_tokens", CACHED_ELSEWHERE),
    NUMBER("num_cached_tokens", CACHED_ELSEWHERE),
    INNER("server_tool_use", anthropic_tools),
    END,
};
static const struct row responses_rows[] = {
    NUMBER("input_tokens", INPUT),
    NUMBER("output_tokens", OUTPUT),
    NUMBER("total_tokens", TOTAL),
    INNER("input_tokens_details", openai_input),
    INNER("output_tokens_details", openai_output),
    END,
};

static const struct row gemini_rows[] = {
    NUMBER("promptTokenCount", INPUT),
    NUMBER("cachedContentTokenCount", CACHED),
    NUMBER("toolUsePromptTokenCount", TOOL_INPUT),
    NUMBER("candidatesTokenCount", OUTPUT),
    NUMBER("thoughtsTokenCount", REASONING),
    NUMBER("totalTokenCount", TOTAL),
    END,
};

static const struct row *const dialect_rows[] = {
    [DIALECT_ANTHROPIC] = anthropic_rows,
    [DIALECT_CHAT] = chat_rows,
    [DIALECT_RESPONSES] = responses_rows,
};

static bool
has(const struct figures *f, enum figure i)
{
    return (f->has >> i & 1) != 0;
}

static bool
is_output(enum figure i)
{
    return i == FIGURE_OUTPUT || i == FIGURE_REASONING;
}

/*
 * A later figure overwrites.  But compatible servers end their streams with
 * zeros for the input they told rightly at the start; and chat servers that
 * repeat the output count may only raise it.
 */
static void
note(struct figures *f, enum figure i, uint64_t n)
{
    if (has(f, i) && (is_output(i) ? f->growing && n < f->n[i] : n == 0))
        return;
    f->has |= 1u << i;
    f->n[i] = n;
}

static void read_rows(
    struct figures *f, const struct row *rows, struct rx_span *j);

static void
read_row(struct figures *f, const struct row *row, struct rx_span *j)
{
    uint64_t n;

    if (row->inner != NULL)
        read_rows(f, row->inner, j);
    else if (rx_span_u64(j, &n))
        note(f, row->figure, n);
}

/* {"modality":"AUDIO","tokenCount":12} */
static void
read_modality(
    struct figures *f, enum figure audio, enum figure image, struct rx_span *j)
{
    rx_str modality = { 0 };
    uint64_t n = 0;

    if (rx_span_kind(j) != RX_SPAN_OBJECT) {
        rx_span_skip(j, NULL);
        return;
    }
    rx_span_enter_object(j);
    while (rx_span_member(j, NULL)) {
        if (rx_span_key_is(j, RX_S("modality")))
            rx_span_string(j, &modality);
        else if (rx_span_key_is(j, RX_S("tokenCount")))
            rx_span_u64(j, &n);
        else
            rx_span_skip(j, NULL);
    }
    if (rx_str_eq(modality, RX_S("AUDIO")))
        note(f, audio, n);
    else if (rx_str_eq(modality, RX_S("IMAGE")))
        note(f, image, n);
}

static void
read_modalities(
    struct figures *f, enum figure audio, enum figure image, struct rx_span *j)
{
    if (rx_span_kind(j) != RX_SPAN_ARRAY) {
        rx_span_skip(j, NULL);
        return;
    }
    rx_span_enter_array(j);
    while (rx_span_element(j))
        read_modality(f, audio, image, j);
}

/* What does not fit the tables. */
static void
read_other(struct figures *f, struct rx_span *j)
{
    if (rx_span_key_is(j, RX_S("promptTokensDetails")))
        read_modalities(f, FIGURE_IN_AUDIO, FIGURE_IN_IMAGE, j);
    else if (rx_span_key_is(j, RX_S("candidatesTokensDetails")))
        read_modalities(f, FIGURE_OUT_AUDIO, FIGURE_OUT_IMAGE, j);
    else if (rx_span_key_is(j, RX_S("service_tier")) ||
             rx_span_key_is(j, RX_S("serviceTier")) ||
             rx_span_key_is(j, RX_S("trafficType")))
        figures_read_tier(f, j);
    else
        rx_span_skip(j, NULL);
}

static void
read_rows(struct figures *f, const struct row *rows, struct rx_span *j)
{
    if (rx_span_kind(j) != RX_SPAN_OBJECT) {
        rx_span_skip(j, NULL);
        return;
    }
    rx_span_enter_object(j);
    while (rx_span_member(j, NULL)) {
        const struct row *row = rows;
        while (row->name.len > 0 && !rx_span_key_is(j, row->name))
            row++;
        if (row->name.len > 0)
            read_row(f, row, j);
        else
            read_other(f, j);
    }
}

/* Gemini leaves zeros out, so its last object counts as a whole, unless it
 * tells a tier only. */
static void
read_gemini(struct figures *f, struct rx_span *j)
{
    struct figures last = { 0 };

    read_rows(&last, gemini_rows, j);
    if (last.tier[0] == '\0')
        memcpy(last.tier, f->tier, sizeof(last.tier));
    if (has(&last, FIGURE_INPUT) || has(&last, FIGURE_TOTAL))
        *f = last;
    else
        memcpy(f->tier, last.tier, sizeof(f->tier));
}

void
figures_read(struct figures *f, enum dialect dialect, struct rx_span *j)
{
    f->growing = dialect == DIALECT_CHAT;
    if (dialect == DIALECT_GEMINI)
        read_gemini(f, j);
    else
        read_rows(f, dialect_rows[dialect], j);
}

void
figures_read_tier(struct figures *f, struct rx_span *j)
{
    rx_str tier;

    if (!rx_span_string(j, &tier))
        return;
    size_t n = tier.len < sizeof(f->tier) ? tier.len : sizeof(f->tier) - 1;
    memcpy(f->tier, tier.ptr, n);
    f->tier[n] = '\0';
}

static uint64_t
less(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

static void
set(struct usage *u, enum usage_counter i, uint64_t n)
{
    u->has |= 1u << i;
    u->n[i] = n;
}

static void
copy(const struct figures *f, enum figure from, struct usage *u,
    enum usage_counter to)
{
    if (has(f, from))
        set(u, to, f->n[from]);
}

/*
 * The total is what counts; the split of the start event is kept as far as the
 * total agrees, and what the total has more is taken to be of the usual kind.
 */
static void
convert_anthropic_writes(const struct figures *f, struct usage *u)
{
    bool split = has(f, FIGURE_WRITTEN_5M) || has(f, FIGURE_WRITTEN_1H);
    uint64_t hour = f->n[FIGURE_WRITTEN_1H];

    if (!has(f, FIGURE_WRITTEN)) {
        copy(f, FIGURE_WRITTEN_5M, u, USAGE_cache_write_5m);
        copy(f, FIGURE_WRITTEN_1H, u, USAGE_cache_write_1h);
        return;
    }
    uint64_t written = f->n[FIGURE_WRITTEN];
    if (hour > written)
        hour = written;
    set(u, USAGE_cache_write_5m, written - hour);
    if (split)
        set(u, USAGE_cache_write_1h, hour);
}

/* Input excludes both kinds of caching; output includes thinking. */
static void
convert_anthropic(const struct figures *f, struct usage *u)
{
    copy(f, FIGURE_INPUT, u, USAGE_in_uncached);
    copy(f, FIGURE_CACHED, u, USAGE_cache_read);
    convert_anthropic_writes(f, u);
    copy(f, FIGURE_OUTPUT, u, USAGE_out_total);
    copy(f, FIGURE_REASONING, u, USAGE_out_reasoning);
}

/*
 * Output includes reasoning, but for servers whose total shows that it does
 * not.
 */
static uint64_t
openai_output_total(const struct figures *f)
{
    uint64_t output = f->n[FIGURE_OUTPUT];
    uint64_t reasoning = f->n[FIGURE_REASONING];
    uint64_t apart = f->n[FIGURE_INPUT] + output + reasoning;

    if (reasoning > output ||
        (reasoning > 0 && has(f, FIGURE_TOTAL) && has(f, FIGURE_INPUT) &&
            f->n[FIGURE_TOTAL] == apart))
        return output + reasoning;
    return output;
}

/* Input includes what was read from and written to a cache. */
static void
convert_openai(const struct figures *f, struct usage *u)
{
    uint64_t cached = f->n[FIGURE_CACHED];
    uint64_t input = f->n[FIGURE_INPUT];

    if (f->n[FIGURE_CACHED_ELSEWHERE] > cached)
        cached = f->n[FIGURE_CACHED_ELSEWHERE];
    if (has(f, FIGURE_INPUT)) {
        uint64_t rest = cached > input ? input : input - cached;
        rest = less(rest, f->n[FIGURE_WRITTEN]);
        set(u, USAGE_in_uncached, less(rest, f->n[FIGURE_WRITTEN_5M]));
    }
    if (has(f, FIGURE_CACHED) || has(f, FIGURE_CACHED_ELSEWHERE))
        set(u, USAGE_cache_read, cached);
    copy(f, FIGURE_WRITTEN, u, USAGE_cache_write_other);
    copy(f, FIGURE_WRITTEN_5M, u, USAGE_cache_write_5m);
    if (has(f, FIGURE_OUTPUT))
        set(u, USAGE_out_total, openai_output_total(f));
    copy(f, FIGURE_REASONING, u, USAGE_out_reasoning);
}

/*
 * Candidates exclude thoughts, unless the total shows that they are in.  A zero
 * is left out by the server, so an absent count follows from the total.
 */
static uint64_t
gemini_output_total(const struct figures *f)
{
    uint64_t input = f->n[FIGURE_INPUT] + f->n[FIGURE_TOOL_INPUT];
    uint64_t output = f->n[FIGURE_OUTPUT];
    uint64_t total = f->n[FIGURE_TOTAL];

    if (!has(f, FIGURE_OUTPUT) && has(f, FIGURE_TOTAL))
        return less(total, input);
    if (output > 0 && has(f, FIGURE_TOTAL) &&
        (total == input + output || total == f->n[FIGURE_INPUT] + output))
        return output;
    return output + f->n[FIGURE_REASONING];
}

static void
convert_gemini(const struct figures *f, struct usage *u)
{
    if (has(f, FIGURE_INPUT))
        set(u, USAGE_in_uncached,
            less(f->n[FIGURE_INPUT], f->n[FIGURE_CACHED]));
    copy(f, FIGURE_CACHED, u, USAGE_cache_read);
    copy(f, FIGURE_TOOL_INPUT, u, USAGE_in_tool_use);
    if (has(f, FIGURE_OUTPUT) || has(f, FIGURE_REASONING) ||
        has(f, FIGURE_TOTAL))
        set(u, USAGE_out_total, gemini_output_total(f));
    copy(f, FIGURE_REASONING, u, USAGE_out_reasoning);
}

void
figures_convert(
    const struct figures *f, enum dialect dialect, struct usage *out)
{
    switch (dialect) {
    case DIALECT_ANTHROPIC: convert_anthropic(f, out); break;
    case DIALECT_CHAT:
    case DIALECT_RESPONSES: convert_openai(f, out); break;
    case DIALECT_GEMINI: convert_gemini(f, out); break;
    case DIALECT_COUNT: break;
    }
    copy(f, FIGURE_IN_AUDIO, out, USAGE_in_audio);
    copy(f, FIGURE_IN_IMAGE, out, USAGE_in_image);
    copy(f, FIGURE_OUT_AUDIO, out, USAGE_out_audio);
    copy(f, FIGURE_OUT_IMAGE, out, USAGE_out_image);
    copy(f, FIGURE_WEB_SEARCHES, out, USAGE_web_searches);
    copy(f, FIGURE_WEB_FETCHES, out, USAGE_web_fetches);
    memcpy(out->tier, f->tier, sizeof(out->tier));
}
