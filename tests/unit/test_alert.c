/*
 * When alerts are told, and how webhooks can trust what they are sent.
 */
#include "controlplane/alert_damp.h"
#include "controlplane/delivery.h"
#include "controlplane/webhook.h"
#include "tests/unit/check.h"

#define MIN ((uint64_t)60000)

static void
a_condition_must_hold_and_must_be_over_for_a_while(void)
{
    struct alert_damp d = { 0 };

    CHECK(alert_damp_due(&d, 3000, 5000) == UINT64_MAX);
    alert_damp_note(&d, true, 1000);
    alert_damp_note(&d, true, 2000); /* said again: since 1000 all the same */
    CHECK(alert_damp_due(&d, 3000, 5000) == 4000);
    alert_damp_note(&d, false, 3000); /* it was over before: never told */
    CHECK(alert_damp_due(&d, 3000, 5000) == UINT64_MAX);
    alert_damp_note(&d, true, 5000);
    alert_damp_flip(&d, 8000);
    CHECK(d.open);
    CHECK(alert_damp_due(&d, 3000, 5000) == UINT64_MAX);
    alert_damp_note(&d, false, 9000);
    CHECK(alert_damp_due(&d, 3000, 5000) == 14000);
    alert_damp_flip(&d, 14000);
    CHECK(!d.open);
}

static void
what_comes_and_goes_is_told_three_times_and_then_stays_open(void)
{
    struct alert_damp d = { 0 };
    uint64_t now = 1000;
    int told = 0;

    for (int minute = 0; minute < 60; minute++) { /* half of each it holds */
        for (int half = 0; half < 2; half++, now += MIN / 2) {
            alert_damp_note(&d, half == 0, now);
            if (alert_damp_due(&d, 0, 0) <= now) {
                alert_damp_flip(&d, now);
                told++;
            }
        }
    }
    CHECK_INT(5, told); /* open, closed, open, closed, open */
    CHECK(d.open);
    CHECK(alert_damp_flaps(&d));
    CHECK(alert_damp_due(&d, 0, 0) == now - MIN / 2 + ALERT_FLAP_CLEAR_MS);
}

static void
three_openings_in_a_day_are_no_flapping(void)
{
    struct alert_damp d = { 0 };

    for (uint64_t hour = 1; hour < 10; hour++) {
        alert_damp_note(&d, true, hour * 60 * MIN);
        alert_damp_flip(&d, hour * 60 * MIN);
        alert_damp_note(&d, false, hour * 60 * MIN + 5);
        CHECK(alert_damp_due(&d, 0, 0) == hour * 60 * MIN + 5);
        alert_damp_flip(&d, hour * 60 * MIN + 5);
        CHECK(!alert_damp_idle(&d, hour * 60 * MIN + MIN));
        CHECK(alert_damp_idle(&d, hour * 60 * MIN + 11 * MIN));
    }
}

/* Made with: printf '1766000000.{"a":1}' | openssl dgst -sha256 -hmac whs_… */
static void
the_signature_is_hmac_sha256_over_time_and_body(void)
{
    char timestamp[WEBHOOK_HEADER_SIZE], signature[WEBHOOK_HEADER_SIZE];

    webhook_sign(RX_S("whs_0123456789abcdef"), 1766000000, RX_S("{\"a\":1}"),
        timestamp, signature);
    CHECK_TEXT("x-routex-timestamp: 1766000000", timestamp);
    CHECK_TEXT(
        "x-routex-signature: v1="
        "f3134ec204ca0d87d327388e355bbc4857eb628e49b786f590fab5d4f3ec5ace",
        signature);
}

static void
a_delivery_is_tried_for_half_a_day_and_more_slowly_each_time(void)
{
    uint64_t sum = 0, before = 0, tries = 1;

    for (; delivery_backoff(tries) != 0; tries++) {
        CHECK(delivery_backoff(tries) >= before);
        before = delivery_backoff(tries);
        sum += before;
    }
    CHECK(delivery_backoff(1) == 1000);
    CHECK(before == 60 * MIN);
    CHECK(sum > 11 * 60 * MIN && sum < 13 * 60 * MIN);
    CHECK(delivery_backoff(1000) == 0);
}

int
main(void)
{
    CHECK_RUN(a_condition_must_hold_and_must_be_over_for_a_while);
    CHECK_RUN(what_comes_and_goes_is_told_three_times_and_then_stays_open);
    CHECK_RUN(three_openings_in_a_day_are_no_flapping);
    CHECK_RUN(the_signature_is_hmac_sha256_over_time_and_body);
    CHECK_RUN(a_delivery_is_tried_for_half_a_day_and_more_slowly_each_time);
    return CHECK_EXIT();
}
