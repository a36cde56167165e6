/*
 * The breakers of channels.
 */
#include <stdlib.h>

#include "dataplane/standing_parts.h"

struct breaker *
standing_breaker(struct standing *s, rx_str channel)
{
    struct breaker *b = rx_map_get(s->breakers, channel);

    if (b != NULL || rx_map_count(s->breakers) >= CHANNELS_MAX)
        return b;
    b = calloc(1, sizeof(*b));
    if (b == NULL)
        abort();
    rx_map_put(s->breakers, channel, b);
    return b;
}

const struct breaker *
standing_breaker_of(const struct standing *s, rx_str channel)
{
    return s->open > 0 ? rx_map_get(s->breakers, channel) : NULL;
}

void
standing_breaker_changed(struct standing *s)
{
    size_t at = 0;
    rx_str key;
    void *value = NULL;

    s->open = 0;
    while (rx_map_next(s->breakers, &at, &key, &value))
        s->open += ((const struct breaker *)value)->until_ms != 0;
    standing_tell(s);
}

bool
standing_next_open(
    const struct standing *s, size_t *at, struct trouble_note *out)
{
    rx_str key;
    void *value = NULL;

    while (s->open > 0 && rx_map_next(s->breakers, at, &key, &value)) {
        const struct breaker *b = value;
        if (b->until_ms == 0)
            continue;
        *out = (struct trouble_note){ .about = { .channel = key },
            .trouble = TROUBLE_BREAKER,
            .until_ms = b->until_ms };
        return true;
    }
    return false;
}
