/* What the control plane is told: Hello, and the envelopes of all the rest. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/follow_parts.h"
#include "dataplane/wire.h"
#include "shared/log.h"

#define HELLO_MS     1000
#define RETRY_MAX_MS 500
#define ASK_MS       100 /* between requests for a snapshot: doubles up to */
#define ASK_MAX_MS   5000

enum rx_code
follow_send_up(struct follow *f, enum rx_message kind, rx_str body)
{
    struct rx_envelope head = {
        .kind = kind,
        .topic = { f->topic, strlen(f->topic) },
        .major = RX_WIRE_MAJOR,
        .minor = RX_WIRE_MINOR,
        .from_control = false,
        .epoch = report_status(f->report).boot,
        .sequence = f->sequence + 1,
    };
    struct rx_buf out;
    enum rx_code code = RX_TOO_BIG;

    rx_buf_init(&out, body.len + RX_ENVELOPE_EXTRA);
    if (f->push != NULL && rx_envelope_seal(&f->keys, &head, body, &out))
        code = rx_bus_send(f->push, rx_buf_str(&out));
    if (code == RX_OK)
        f->sequence++;
    rx_buf_fini(&out);
    return code;
}

enum rx_code
follow_send_usage(void *arg, rx_str batch)
{
    return follow_send_up(arg, RX_MSG_USAGE_BATCH, batch);
}

bool
follow_send_demand(void *arg, rx_str body)
{
    return follow_send_up(arg, RX_MSG_DEMAND, body) == RX_OK;
}

static uint64_t
rss_bytes(void)
{
    char text[128];
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof(text)) : -1;
    rx_str first;
    rx_str rest;
    uint64_t pages = 0;

    if (fd >= 0)
        close(fd);
    if (n <= 0)
        return 0;
    rx_str_cut((rx_str){ text, (size_t)n }, ' ', &first, &rest);
    rx_str_cut(rest, ' ', &first, &rest);
    if (!rx_str_u64(first, &pages))
        return 0;
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* What cannot be used: items, and maybe the last state as a whole. */
static struct rejected *
list_rejected(const struct follow *f, size_t *count)
{
    size_t n = f->snapshot != NULL ? f->snapshot->rejected_count : 0;
    struct rejected *list = calloc(n + 1, sizeof(*list));

    if (list == NULL)
        abort();
    if (n > 0)
        memcpy(list, f->snapshot->rejected, n * sizeof(*list));
    if (f->refused[0] != '\0')
        list[n++] = (struct rejected){ .kind = RX_S("snapshot"),
            .reason = { f->refused, strlen(f->refused) } };
    *count = n;
    return list;
}

enum rx_code
follow_send_hello(struct follow *f, bool want)
{
    struct report_status st = report_status(f->report);
    struct follow_load load = { 0 };
    struct wire_hello h = {
        .plane = f->plane,
        .boot = st.boot,
        .want_snapshot = want,
        .leaving = f->leaving,
        .ops_url = f->ops_url,
        .client_url = f->client_url,
        .started_ms = f->started_ms,
        .journal_bytes = st.pending_bytes,
        .journal_records = st.pending_records,
        .journal_dropped = st.dropped,
        .rss_bytes = rss_bytes(),
    };
    struct rx_buf body;

    if (f->load != NULL)
        f->load(f->load_arg, &load);
    h.requests = load.requests;
    h.active = load.active;
    if (f->snapshot != NULL) {
        h.epoch = f->snapshot->epoch;
        h.version = f->snapshot->version;
        h.digest = f->snapshot->state;
    }
    struct rejected *rejected = list_rejected(f, &h.rejected_count);
    h.rejected = rejected;
    rx_buf_init(&body, rx_message_max(RX_MSG_HELLO));
    enum rx_code code = RX_TOO_BIG;
    if (wire_add_hello(&body, &h))
        code = follow_send_up(f, RX_MSG_HELLO, rx_buf_str(&body));
    rx_buf_fini(&body);
    free(rejected);
    return code;
}

/* The Hello that is due, and when the next one is. */
void
follow_on_hello(void *arg)
{
    struct follow *f = arg;
    uint64_t now = rx_loop_ms(f->loop);
    bool want = f->asking && now >= f->ask_due_ms;

    if ((want && !demand_before_snapshot(f->demand)) ||
        follow_send_hello(f, want) != RX_OK) {
        rx_timer_set(&f->hello, f->retry_ms);
        if (f->retry_ms < RETRY_MAX_MS)
            f->retry_ms += FOLLOW_RETRY_MS;
        return;
    }
    f->retry_ms = FOLLOW_RETRY_MS;
    if (want) {
        f->ask_due_ms = now + f->ask_pause_ms;
        f->ask_pause_ms *= 2;
        if (f->ask_pause_ms > ASK_MAX_MS)
            f->ask_pause_ms = ASK_MAX_MS;
    }
    uint64_t next = HELLO_MS;
    if (f->asking && f->ask_due_ms < now + next)
        next = f->ask_due_ms > now ? f->ask_due_ms - now : 1;
    rx_timer_set(&f->hello, next);
}

/* What we apply is not what is published. */
void
follow_ask(struct follow *f)
{
    if (f->asking)
        return;
    f->asking = true;
    f->ask_due_ms = rx_loop_ms(f->loop);
    f->ask_pause_ms = ASK_MS;
    rx_timer_set(&f->hello, 1);
}
