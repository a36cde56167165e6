#include "dataplane/refused_token.h"

#include <stdlib.h>
#include <string.h>

#include "dataplane/wire.h"
#include "shared/log.h"

#define MOST       64 /* at a time; of more nothing is told */
#define ID_MAX     64
#define HOPE_MS    2000 /* for a fresh token, since the first report */
#define FIRST_MS   1000
#define LONGEST_MS 60000

struct refused {
    char channel[ID_MAX], credential[ID_MAX];
    size_t channel_len, credential_len;
    uint64_t mark;
    struct rx_digest digest;
    uint64_t first_ms; /* loop time of the first report */
    uint64_t again_ms; /* … and of the next */
    uint64_t wait_ms;
};

struct refused_tokens {
    struct rx_loop *loop;
    struct follow *follow;
    struct rx_timer timer;
    struct refused at[MOST];
    size_t count;
};

static rx_str
channel_of(const struct refused *t)
{
    return (rx_str){ t->channel, t->channel_len };
}

static rx_str
credential_of(const struct refused *t)
{
    return (rx_str){ t->credential, t->credential_len };
}

static void
tell(struct refused_tokens *r, const struct refused *t)
{
    struct wire_token_rejected message = { .plane = follow_plane(r->follow),
        .channel = channel_of(t),
        .credential = credential_of(t),
        .digest = t->digest };
    struct rx_buf body;

    rx_buf_init(&body, rx_message_max(RX_MSG_TOKEN_REJECTED));
    /* What nobody takes now is told again by the timer. */
    if (wire_add_token_rejected(&body, &message) &&
        follow_send(r->follow, RX_MSG_TOKEN_REJECTED, rx_buf_str(&body)) !=
            RX_OK)
        rx_debug("token.untold", "credential=" RX_STR_FMT,
            RX_STR_ARG(message.credential));
    rx_buf_fini(&body);
}

/* Is it still the secret in force? */
static bool
holds(const struct refused_tokens *r, const struct refused *t)
{
    const struct snapshot *s = follow_snapshot(r->follow);
    const struct credential *c =
        s != NULL ? snapshot_find_credential(s, channel_of(t), credential_of(t))
                  : NULL;

    return c != NULL && c->mark == t->mark;
}

static void
set_timer(struct refused_tokens *r)
{
    uint64_t now = rx_loop_ms(r->loop);
    uint64_t first = UINT64_MAX;

    for (size_t i = 0; i < r->count; i++) {
        if (r->at[i].again_ms < first)
            first = r->at[i].again_ms;
    }
    if (r->count > 0)
        rx_timer_set(&r->timer, first > now ? first - now : 1);
    else
        rx_timer_unset(&r->timer);
}

static void
on_timer(void *arg)
{
    struct refused_tokens *r = arg;
    uint64_t now = rx_loop_ms(r->loop);

    for (size_t i = r->count; i-- > 0;) {
        struct refused *t = &r->at[i];
        if (t->again_ms > now)
            continue;
        if (!holds(r, t)) {
            *t = r->at[--r->count];
            continue;
        }
        tell(r, t);
        t->wait_ms = 2 * t->wait_ms < LONGEST_MS ? 2 * t->wait_ms : LONGEST_MS;
        t->again_ms = now + t->wait_ms;
    }
    set_timer(r);
}

static struct refused *
find(struct refused_tokens *r, const struct credential *c)
{
    for (size_t i = 0; i < r->count; i++) {
        if (r->at[i].mark == c->mark &&
            rx_str_eq(credential_of(&r->at[i]), c->id))
            return &r->at[i];
    }
    return NULL;
}

static struct refused *
add(struct refused_tokens *r, const struct candidate *c)
{
    rx_str channel = c->channel->id;
    rx_str credential = c->credential->id;

    if (r->count == MOST || channel.len > ID_MAX || credential.len > ID_MAX)
        return NULL;
    struct refused *t = &r->at[r->count++];
    *t = (struct refused){ .channel_len = channel.len,
        .credential_len = credential.len,
        .mark = c->credential->mark,
        .digest = rx_digest(c->credential->secret),
        .first_ms = rx_loop_ms(r->loop),
        .again_ms = rx_loop_ms(r->loop) + FIRST_MS,
        .wait_ms = FIRST_MS };
    memcpy(t->channel, channel.ptr, channel.len);
    memcpy(t->credential, credential.ptr, credential.len);
    tell(r, t);
    set_timer(r);
    return t;
}

uint64_t
refused_tokens_note(struct refused_tokens *r, const struct candidate *c)
{
    struct refused *t = find(r, c->credential);

    if (t == NULL)
        t = add(r, c);
    if (t == NULL || !follow_connected(r->follow) ||
        rx_loop_ms(r->loop) >= t->first_ms + HOPE_MS)
        return 0;
    return t->first_ms + HOPE_MS;
}

struct refused_tokens *
refused_tokens_new(struct rx_loop *loop, struct follow *follow)
{
    struct refused_tokens *r = calloc(1, sizeof(*r));

    if (r == NULL)
        abort();
    r->loop = loop;
    r->follow = follow;
    rx_timer_init(&r->timer, loop, on_timer, r);
    return r;
}

void
refused_tokens_free(struct refused_tokens *r)
{
    if (r == NULL)
        return;
    rx_timer_fini(&r->timer);
    free(r);
}
