#include "controlplane/limit_set.h"

#include "shared/ip_range.h"
#include "shared/money.h"

static const char *const names[STATE_LIMITS] = {
    [STATE_LIMIT_REQUESTS] = "requests_per_min",
    [STATE_LIMIT_TOKENS] = "tokens_per_min",
    [STATE_LIMIT_CONCURRENT] = "concurrent",
    [STATE_LIMIT_QUOTA] = "quota",
    [STATE_LIMIT_BUDGET] = "budget",
};

const char *
limit_set_name(enum state_limit kind)
{
    return names[kind];
}

/* {"tokens":n,"window":"day"} */
static void
read_quota(rx_json limits, struct state_limits *set)
{
    rx_json quota;
    rx_str window;

    if (!rx_json_get_object(limits, "quota", &quota))
        return;
    if (!rx_json_get_u64(quota, "tokens", 1, STATE_LIMIT_MOST,
            &set->most[STATE_LIMIT_QUOTA]))
        rx_json_wrong_member(quota, "tokens", "is needed");
    if (rx_json_need_str(quota, "window", &window) &&
        (!rx_window_find(window, &set->window) ||
            set->window == RX_WINDOW_HOUR))
        rx_json_wrong_member(
            quota, "window", "must be day, week, month or total");
    rx_json_no_more(quota);
}

/* {"amount_usd":"500.00","window":"month"} */
static void
read_budget(rx_json limits, struct state_limits *set)
{
    rx_json budget, amount;
    rx_str window;
    uint64_t n;

    if (!rx_json_get_object(limits, "budget", &budget))
        return;
    amount = rx_json_member(budget, "amount_usd");
    if (!rx_decimal_read(amount, 6, &n) || n == 0 || n > STATE_LIMIT_MOST)
        rx_json_wrong_member(budget, "amount_usd",
            "must be dollars, up to a million, as in \"500.00\"");
    else
        set->most[STATE_LIMIT_BUDGET] = n;
    if (rx_json_need_str(budget, "window", &window) &&
        !rx_window_find(window, &set->budget_window))
        rx_json_wrong_member(
            budget, "window", "must be hour, day, week, month or total");
    rx_json_no_more(budget);
}

/* null takes a limit away, where the set is changed only. */
static void
read_set(rx_json limits, struct state_limits *set)
{
    for (unsigned k = 0; k < STATE_LIMITS; k++) {
        if (rx_json_kind(rx_json_member(limits, names[k])) == RX_JSON_NULL)
            set->most[k] = 0;
    }
    for (unsigned k = 0; k < STATE_LIMIT_QUOTA; k++)
        rx_json_get_u64(limits, names[k], 1, STATE_LIMIT_MOST, &set->most[k]);
    read_quota(limits, set);
    read_budget(limits, set);
    rx_json_no_more(limits);
}

void
limit_set_read(rx_json body, enum field_mode mode, struct state_limits *set)
{
    rx_json limits;

    bool none = rx_json_kind(rx_json_member(body, "limits")) == RX_JSON_NULL;
    if (mode != FIELD_PATCH || none)
        *set = (struct state_limits){ 0 };
    if (rx_json_get_object(body, "limits", &limits))
        read_set(limits, set);
}

void
limit_set_put(
    struct rx_json_out *w, const char *key, const struct state_limits *set)
{
    rx_json_open_object(w, key);
    for (unsigned k = 0; k < STATE_LIMIT_QUOTA; k++) {
        if (set->most[k] > 0)
            rx_json_put_u64(w, names[k], set->most[k]);
    }
    if (set->most[STATE_LIMIT_QUOTA] > 0) {
        rx_json_open_object(w, "quota");
        rx_json_put_u64(w, "tokens", set->most[STATE_LIMIT_QUOTA]);
        rx_json_put_text(w, "window", rx_window_name(set->window));
        rx_json_close(w);
    }
    if (set->most[STATE_LIMIT_BUDGET] > 0) {
        rx_json_open_object(w, "budget");
        rx_decimal_put(
            w, "amount_usd", (int64_t)set->most[STATE_LIMIT_BUDGET], 6);
        rx_json_put_text(w, "window", rx_window_name(set->budget_window));
        rx_json_close(w);
    }
    rx_json_close(w);
}

rx_str
limit_set_text(struct rx_arena *arena, const struct state_limits *set)
{
    struct rx_buf text;

    rx_buf_init(&text, 1024);
    struct rx_json_out w = rx_json_out(&text);
    limit_set_put(&w, NULL, set);
    rx_str kept = field_keep(arena, rx_buf_str(&text));
    rx_buf_fini(&text);
    return kept;
}

void
limit_set_load(struct rx_arena *arena, rx_str stored, struct state_limits *set)
{
    rx_json limits = field_parse(arena, stored);

    *set = (struct state_limits){ 0 };
    if (rx_json_there(limits))
        read_set(limits, set);
}

void
limit_set_read_ips(rx_json body, enum field_mode mode, struct rx_arena *arena,
    struct field_list *out)
{
    struct rx_ip_range range;

    field_read_allowed(body, "ips", mode, arena, out);
    for (size_t i = 0; i < out->count; i++) {
        if (!rx_ip_range_parse(out->at[i], &range)) {
            rx_json_wrong_member(
                body, "ips", "must be addresses or networks, as in 10.0.0.0/8");
            return;
        }
    }
}
