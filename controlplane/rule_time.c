/*
 * The condition on the time of day.
 */
#include <stdio.h>

#include "controlplane/key.h"
#include "controlplane/rule_parts.h"

#define WEEK    127 /* a bit a day, Monday first */
#define DAY_MIN 1440

static const char *const days[] = { "mon", "tue", "wed", "thu", "fri", "sat",
    "sun" };

/* "HH:MM" as minutes; -1 when it is none.  24:00 is the end of the day. */
static int64_t
minutes_of(rx_str s)
{
    if (s.len != 5 || s.ptr[2] != ':')
        return -1;
    for (size_t i = 0; i < 5; i++) {
        if (i != 2 && (s.ptr[i] < '0' || s.ptr[i] > '9'))
            return -1;
    }
    int64_t h = (s.ptr[0] - '0') * 10 + s.ptr[1] - '0';
    int64_t m = (s.ptr[3] - '0') * 10 + s.ptr[4] - '0';
    return m < 60 && h * 60 + m <= DAY_MIN ? h * 60 + m : -1;
}

static void
read_clock(rx_json v, const char *name, int64_t *minutes)
{
    rx_str s;

    if (!rx_json_get_str(v, name, &s))
        return;
    *minutes = minutes_of(s);
    if (*minutes < 0)
        rx_json_wrong_member(v, name, "must be a time like \"18:30\"");
}

static void
read_offset(rx_json v, int64_t *minutes)
{
    rx_str s;

    if (!rx_json_get_str(v, "utc_offset", &s))
        return;
    bool sign = s.len == 6 && (s.ptr[0] == '+' || s.ptr[0] == '-');
    int64_t m = sign ? minutes_of((rx_str){ s.ptr + 1, 5 }) : -1;
    if (m < 0 || m > 14 * 60)
        rx_json_wrong_member(
            v, "utc_offset", "must be an offset like \"+02:00\"");
    *minutes = s.len > 0 && s.ptr[0] == '-' ? -m : m;
}

static void
read_days(rx_json v, int64_t *mask)
{
    rx_json list, day;

    if (!rx_json_get_array(v, "days", &list))
        return;
    *mask = 0;
    for (day = rx_json_first(list); rx_json_there(day);
         day = rx_json_next(day)) {
        size_t i = 0;
        while (i < RX_COUNT(days) &&
               !rx_str_eq(rx_json_str(day), field_text(days[i])))
            i++;
        if (i == RX_COUNT(days)) {
            rx_json_wrong(day, "must be mon, tue, wed, thu, fri, sat or sun");
            return;
        }
        *mask |= (int64_t)1 << i;
    }
}

void
rule_read_time(struct reading *r, rx_json object, const char *name, rx_json v,
    struct state_condition *out)
{
    int64_t *n = field_make(r->arena, int64_t, 4);

    (void)object;
    (void)name;
    n[1] = DAY_MIN;
    n[3] = WEEK;
    out->numbers = n;
    out->number_count = 4;
    if (!rx_json_want(v, RX_JSON_OBJECT))
        return;
    read_clock(v, "from", &n[0]);
    read_clock(v, "to", &n[1]);
    read_offset(v, &n[2]);
    read_days(v, &n[3]);
    rx_json_no_more(v);
}

static void
put_clock(struct rx_json_out *w, const char *key, const char *sign, int64_t m)
{
    char text[32];

    snprintf(
        text, sizeof(text), "%s%02d:%02d", sign, (int)(m / 60), (int)(m % 60));
    rx_json_put_text(w, key, text);
}

void
rule_put_time(
    struct rx_json_out *w, const char *key, const struct state_condition *c)
{
    const int64_t *n = c->numbers;

    rx_json_open_object(w, key);
    put_clock(w, "from", "", n[0]);
    put_clock(w, "to", "", n[1]);
    put_clock(w, "utc_offset", n[2] < 0 ? "-" : "+", n[2] < 0 ? -n[2] : n[2]);
    rx_json_open_array(w, "days");
    for (size_t i = 0; i < RX_COUNT(days); i++) {
        if ((n[3] >> i & 1) != 0)
            rx_json_put_text(w, NULL, days[i]);
    }
    rx_json_close(w);
    rx_json_close(w);
}
