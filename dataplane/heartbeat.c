#include "dataplane/heartbeat.h"

#include "dataplane/codec/codec.h"

void
heartbeat_moved(struct heartbeat *h)
{
    if (h->every_ms > 0 && h->words.len > 0)
        rx_timer_set(&h->timer, h->every_ms);
}

static void
on_silence(void *arg)
{
    struct heartbeat *h = arg;

    heartbeat_moved(h);
    h->beat(h->arg, h->words);
}

void
heartbeat_init(struct heartbeat *h, struct rx_loop *loop, enum dialect client,
    uint64_t every_ms, void (*beat)(void *arg, rx_str words), void *arg)
{
    const struct codec *codec = codec_of(client);

    *h = (struct heartbeat){ .every_ms = every_ms, .beat = beat, .arg = arg };
    if (codec != NULL)
        h->words = codec->keepalive;
    rx_timer_init(&h->timer, loop, on_silence, h);
}

void
heartbeat_stop(struct heartbeat *h)
{
    rx_timer_unset(&h->timer);
}

void
heartbeat_fini(struct heartbeat *h)
{
    rx_timer_fini(&h->timer);
}
