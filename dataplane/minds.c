#include "dataplane/minds.h"

#include <stdlib.h>
#include <string.h>

#include "shared/secret.h"

struct mind {
    struct rx_digest of; /* of channel, dialect and model */
    struct rx_digest channel;
    uint64_t learnt_ms;
    struct repair repairs[MINDS_PER];
    size_t count;
};

struct minds {
    struct mind *at[MINDS_MODELS];
    size_t count;
};

struct minds *
minds_new(void)
{
    struct minds *m = calloc(1, sizeof(*m));

    if (m == NULL)
        abort();
    return m;
}

void
minds_free(struct minds *m)
{
    if (m == NULL)
        return;
    for (size_t i = 0; i < m->count; i++)
        free(m->at[i]);
    free(m);
}

static struct rx_digest
digest_of(const struct minds_of *of)
{
    struct rx_buf text;

    rx_buf_init(&text, of->channel.len + of->model.len + 8);
    rx_buf_add(&text, of->channel);
    rx_buf_addf(&text, "/%d/", (int)of->dialect);
    rx_buf_add(&text, of->model);
    struct rx_digest d = rx_digest(rx_buf_str(&text));
    rx_buf_fini(&text);
    return d;
}

static struct mind *
find(const struct minds *m, const struct rx_digest *of)
{
    for (size_t i = 0; i < m->count; i++) {
        if (memcmp(&m->at[i]->of, of, sizeof(*of)) == 0)
            return m->at[i];
    }
    return NULL;
}

/* Where a new one goes: the oldest gives way when all places are taken. */
static struct mind *
make_room(struct minds *m)
{
    struct mind *oldest = m->at[0];

    if (m->count < MINDS_MODELS) {
        struct mind *mind = calloc(1, sizeof(*mind));
        if (mind == NULL)
            abort();
        m->at[m->count++] = mind;
        return mind;
    }
    for (size_t i = 1; i < m->count; i++) {
        if (m->at[i]->learnt_ms < oldest->learnt_ms)
            oldest = m->at[i];
    }
    return oldest;
}

static bool
knows(const struct mind *mind, const struct repair *r)
{
    for (size_t i = 0; i < mind->count; i++) {
        const struct repair *k = &mind->repairs[i];
        if (k->fault == r->fault && k->parts == r->parts &&
            memcmp(k->path, r->path, sizeof(r->path)) == 0 &&
            strcmp(k->beta, r->beta) == 0)
            return true;
    }
    return false;
}

static bool
is_over(const struct mind *mind, uint64_t now_ms)
{
    return now_ms - mind->learnt_ms >= MINDS_TTL_MS;
}

void
minds_learn(struct minds *m, const struct minds_of *of, const struct repair *r,
    uint64_t now_ms)
{
    struct rx_digest digest = digest_of(of);
    struct mind *mind = find(m, &digest);

    if (!r->lasting)
        return;
    if (mind == NULL || is_over(mind, now_ms)) {
        if (mind == NULL)
            mind = make_room(m);
        *mind = (struct mind){
            .of = digest, .channel = rx_digest(of->channel), .learnt_ms = now_ms
        };
    }
    if (mind->count < MINDS_PER && !knows(mind, r))
        mind->repairs[mind->count++] = *r;
}

const struct repair *
minds_find(const struct minds *m, const struct minds_of *of, uint64_t now_ms,
    size_t *count)
{
    *count = 0;
    if (m->count == 0)
        return NULL;
    struct rx_digest digest = digest_of(of);
    const struct mind *mind = find(m, &digest);
    if (mind == NULL || is_over(mind, now_ms))
        return NULL;
    *count = mind->count;
    return mind->repairs;
}

void
minds_forget(struct minds *m, rx_str channel)
{
    struct rx_digest digest = rx_digest(channel);
    size_t kept = 0;

    for (size_t i = 0; i < m->count; i++) {
        if (memcmp(&m->at[i]->channel, &digest, sizeof(digest)) == 0)
            free(m->at[i]);
        else
            m->at[kept++] = m->at[i];
    }
    m->count = kept;
}
