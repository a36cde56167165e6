#include "shared/tally.h"

static struct rx_tally
of(unsigned kind, rx_str member)
{
    struct rx_digest d = rx_digest(member);
    struct rx_tally t = { 0 };

    for (unsigned i = 0; i < 4; i++) {
        const unsigned char *word = d.bytes + (i + kind) % 4 * 8;
        for (int k = 7; k >= 0; k--)
            t.lane[i] = t.lane[i] << 8 | word[k];
    }
    return t;
}

void
rx_tally_join(struct rx_tally *t, const struct rx_tally *other)
{
    for (unsigned i = 0; i < 4; i++)
        t->lane[i] += other->lane[i];
}

void
rx_tally_add(struct rx_tally *t, unsigned kind, rx_str member)
{
    struct rx_tally m = of(kind, member);

    rx_tally_join(t, &m);
}

void
rx_tally_take(struct rx_tally *t, unsigned kind, rx_str member)
{
    struct rx_tally m = of(kind, member);

    for (unsigned i = 0; i < 4; i++)
        t->lane[i] -= m.lane[i];
}

struct rx_digest
rx_tally_digest(const struct rx_tally *t)
{
    struct rx_digest d = { { 0 } };

    for (unsigned i = 0; i < 32; i++)
        d.bytes[i] = (unsigned char)(t->lane[i / 8] >> i % 8 * 8 & 0xff);
    return d;
}
