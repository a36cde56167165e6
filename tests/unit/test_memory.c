/*
 * dataplane/memory: what is kept, what gives way, and when.
 */
#include <stdlib.h>

#include "dataplane/memory.h"
#include "tests/unit/check.h"

static struct rx_digest
key(int n)
{
    char text[16];

    snprintf(text, sizeof(text), "%d", n);
    return rx_digest((rx_str){ text, strlen(text) });
}

static void
put(struct memory *m, int n, rx_str value, uint64_t now)
{
    struct rx_digest k = key(n);

    memory_put(m, &k, value, now);
}

static bool
has(struct memory *m, int n, uint64_t now)
{
    struct rx_digest k = key(n);

    return memory_get(m, &k, now).len > 0;
}

static void
what_was_put_comes_back_and_can_be_put_anew(void)
{
    struct memory *m = memory_new(&(struct memory_limits){ 1 << 20, 10, 100 });
    struct rx_digest k = key(1);

    put(m, 1, RX_S("one"), 5);
    CHECK(rx_str_eq(memory_get(m, &k, 6), RX_S("one")));
    put(m, 1, RX_S("two!"), 7);
    CHECK(rx_str_eq(memory_get(m, &k, 8), RX_S("two!")));
    CHECK_INT(1, (intmax_t)memory_count(m));
    CHECK(!has(m, 2, 8));
    memory_free(m);
}

static void
the_least_used_gives_way(void)
{
    struct memory *m = memory_new(&(struct memory_limits){ 1 << 20, 3, 100 });

    for (int i = 1; i <= 3; i++)
        put(m, i, RX_S("x"), 1);
    CHECK(has(m, 1, 2));
    put(m, 4, RX_S("x"), 3);
    CHECK(has(m, 1, 4));
    CHECK(!has(m, 2, 4));
    CHECK_INT(3, (intmax_t)memory_count(m));
    memory_free(m);
}

static void
bytes_are_bounded_and_one_value_cannot_take_all(void)
{
    size_t most = 64 * 1024;
    struct memory *m = memory_new(&(struct memory_limits){ most, 1000, 100 });
    char big[10000] = { 'x' };

    put(m, 0, (rx_str){ big, sizeof(big) }, 1);
    CHECK(!has(m, 0, 1));
    for (int i = 1; i < 200; i++) {
        put(m, i, (rx_str){ big, 4000 }, 1);
        CHECK(memory_bytes(m) <= most);
    }
    CHECK(has(m, 199, 1));
    CHECK(!has(m, 1, 1));
    CHECK(memory_count(m) > 10);
    memory_free(m);
}

static void
what_is_too_old_is_gone_even_if_it_was_used(void)
{
    struct memory *m = memory_new(&(struct memory_limits){ 1 << 20, 10, 100 });

    put(m, 1, RX_S("x"), 1000);
    CHECK(has(m, 1, 1099));
    CHECK(!has(m, 1, 1100));
    CHECK_INT(0, (intmax_t)memory_bytes(m));
    memory_free(m);
}

int
main(void)
{
    rx_secret_init();
    CHECK_RUN(what_was_put_comes_back_and_can_be_put_anew);
    CHECK_RUN(the_least_used_gives_way);
    CHECK_RUN(bytes_are_bounded_and_one_value_cannot_take_all);
    CHECK_RUN(what_is_too_old_is_gone_even_if_it_was_used);
    return CHECK_EXIT();
}
