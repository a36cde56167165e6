/* Any answer of a token endpoint: what is granted can be sent in a header and
 * lives; what is not says why. */
#include <stdlib.h>

#include "controlplane/oauth_token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_token(rx_str token)
{
    for (size_t i = 0; i < token.len; i++) {
        if (token.ptr[i] <= ' ' || token.ptr[i] > '~')
            abort();
    }
    if (token.len > OAUTH_TOKEN_MAX)
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int statuses[] = { 200, 400, 401, 500 };
    struct rx_arena *arena = rx_arena_new((size_t)32 << 20);
    struct rx_err err = { 0 };
    struct oauth_grant g;

    if (size > 0) {
        rx_str body = { (const char *)data + 1, size - 1 };
        enum oauth_verdict v =
            oauth_answer_read(arena, statuses[data[0] % 4], body, &g, &err);
        check_token(g.access);
        check_token(g.refresh);
        if (v == OAUTH_GRANTED && (g.access.len == 0 || g.life_ms == 0))
            abort();
        if ((v == OAUTH_GRANTED) != (err.code == RX_OK))
            abort();
    }
    rx_arena_free(arena);
    return 0;
}
