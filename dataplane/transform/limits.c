/*
 * maxtoken, maxcompletiontokens, sampling: numbers of a request.
 */
#include <string.h>

#include "dataplane/transform/body.h"
#include "dataplane/transform/kinds.h"

enum limit_mode { LIMIT_CLAMP, LIMIT_DEFAULT, LIMIT_SET };

struct limit_options {
    uint64_t most;
    enum limit_mode mode;
};

static const void *
limit_configure(rx_json options, struct rx_arena *arena)
{
    struct limit_options *o = step_room(arena, sizeof(*o));
    rx_str mode = step_text(options, "mode", arena, "clamp");

    o->most = (uint64_t)step_number(options, "max_tokens", 0);
    o->mode = LIMIT_CLAMP;
    if (rx_str_eq(mode, RX_S("set")))
        o->mode = LIMIT_SET;
    else if (rx_str_eq(mode, RX_S("default")))
        o->mode = LIMIT_DEFAULT;
    return o;
}

/* Anthropic wants a thinking budget below the limit, and at least 1024. */
static void
fit_budget(struct step_request *r, uint64_t most)
{
    struct rx_edit *thinking = rx_edit_get(r->root, "thinking");
    struct rx_edit *budget = rx_edit_get(thinking, "budget_tokens");
    uint64_t n;

    if (r->dialect != DIALECT_ANTHROPIC || !rx_edit_u64(budget, &n) || n < most)
        return;
    if (most >= 2048)
        rx_edit_put(budget,
            rx_edit_format(r->root, "%llu", (unsigned long long)most - 1024));
    else
        rx_edit_drop(r->root, "thinking");
}

/* Lower what is higher; set what is absent if `always`. */
static void
hold_down(struct step_request *r, uint64_t most, enum limit_mode mode)
{
    struct rx_edit *e = body_limit(r);
    uint64_t n;

    if (e == NULL && mode == LIMIT_CLAMP)
        return;
    if (e != NULL && mode != LIMIT_SET && rx_edit_u64(e, &n) && n <= most)
        return;
    body_set_limit(r, most);
    fit_budget(r, most);
}

static void
limit_request(struct step_request *r)
{
    const struct limit_options *o = r->options;

    hold_down(r, o->most, o->mode);
}

const struct step_kind step_maxtoken = {
    .name = "maxtoken",
    .ops = 1U << OP_CREATE,
    .configure = limit_configure,
    .request = limit_request,
};

void
limits_clamp(struct step_request *r, uint64_t most)
{
    hold_down(r, most, LIMIT_CLAMP);
}

static void
completion_request(struct step_request *r)
{
    rx_edit_rename(r->root, "max_tokens", "max_completion_tokens");
}

const struct step_kind step_maxcompletiontokens = {
    .name = "maxcompletiontokens",
    .ops = 1U << OP_CREATE,
    .request = completion_request,
};

/* ---- sampling ----------------------------------------------------------- */

#define ALL4(a, c, r, g) \
    {                    \
        {                \
            a, c, r, g   \
        }                \
    }

static const struct {
    const char *option;
    struct body_names names;
} params[] = {
    { "temperature",
        ALL4("temperature", "temperature", "temperature", "temperature") },
    { "top_p", ALL4("top_p", "top_p", "top_p", "topP") },
    { "top_k", ALL4("top_k", "top_k", NULL, "topK") },
    { "repetition_penalty", ALL4(NULL, "repetition_penalty", NULL, NULL) },
    { "frequency_penalty",
        ALL4(NULL, "frequency_penalty", NULL, "frequencyPenalty") },
    { "presence_penalty",
        ALL4(NULL, "presence_penalty", NULL, "presencePenalty") },
    { "seed", ALL4(NULL, "seed", NULL, "seed") },
    { "stop", ALL4("stop_sequences", "stop", NULL, "stopSequences") },
};

struct sampling_options {
    uint64_t max_tokens;    /* 0: any */
    double max_temperature; /* below 0: any */
    rx_str max_temperature_text;
    rx_str set[RX_COUNT(params)]; /* as JSON; empty: leave it */
    bool drop[RX_COUNT(params)];
};

static const void *
sampling_configure(rx_json options, struct rx_arena *arena)
{
    struct sampling_options *o = step_room(arena, sizeof(*o));
    rx_json drop = rx_json_find(options, "drop");
    rx_json most = rx_json_find(options, "max_temperature");

    o->max_tokens = (uint64_t)step_number(options, "max_tokens", 0);
    o->max_temperature = step_number(options, "max_temperature", -1);
    if (rx_json_kind(most) == RX_JSON_NUMBER)
        o->max_temperature_text = step_json(most, arena);
    for (size_t i = 0; i < RX_COUNT(params); i++) {
        rx_json v = rx_json_find(options, params[i].option);
        if (rx_json_kind(v) == RX_JSON_NUMBER)
            o->set[i] = step_json(v, arena);
        for (rx_json d = rx_json_first(drop); rx_json_there(d);
             d = rx_json_next(d)) {
            rx_str name = { params[i].option, strlen(params[i].option) };
            o->drop[i] = o->drop[i] || rx_str_eq(rx_json_str(d), name);
        }
    }
    return o;
}

static void
sampling_request(struct step_request *r)
{
    const struct sampling_options *o = r->options;
    struct rx_edit *temperature = body_param(r, &params[0].names);
    double now;

    if (o->max_tokens > 0)
        hold_down(r, o->max_tokens, LIMIT_CLAMP);
    if (o->max_temperature >= 0 && rx_edit_number(temperature, &now) &&
        now > o->max_temperature)
        rx_edit_put(temperature, o->max_temperature_text);
    for (size_t i = 0; i < RX_COUNT(params); i++) {
        if (o->set[i].len > 0)
            body_set_param(r, &params[i].names, o->set[i]);
        if (o->drop[i])
            body_drop_param(r, &params[i].names);
    }
}

const struct step_kind step_sampling = {
    .name = "sampling",
    .ops = 1U << OP_CREATE,
    .configure = sampling_configure,
    .request = sampling_request,
};
