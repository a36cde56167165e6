/*
 * control.c - a control plane without a store, for measuring data planes: it
 * publishes as many channels and keys as one likes, all of them alike, and
 * rules of many kinds that hold for no request, and takes usage as fast as it
 * comes.
 *
 *     bench_control DIR UPSTREAM-PORT CHANNELS KEYS RULES
 *
 * Makes DIR/join.token, listens on DIR/pub.sock and DIR/pull.sock; key number n
 * of KEYS is "rtx_bench_<n>".  Says "rows N" on standard output at its end.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "controlplane/collector.h"
#include "controlplane/publisher.h"
#include "shared/log.h"

struct bench {
    struct rx_loop *loop;
    char url[64];
    unsigned channels;
    unsigned keys;
    unsigned rules;
    uint64_t rows;
};

static const struct state_settings settings = {
    .strategy = RX_STR_INIT("priority"),
    .timeouts = { 5000, 60000, 60000, 300000, 0 },
    .max_attempts = 3,
    .session_ttl_ms = 3600000,
    .max_body_bytes = 32 << 20,
    .journal_limit_bytes = 1 << 30,
    .journal_full = RX_STR_INIT("keep-serving"),
};

static rx_str
text_of(char *out, size_t size, const char *what, unsigned n)
{
    return (rx_str){ out, (size_t)snprintf(out, size, "%s%u", what, n) };
}

static void
each_channel(const struct bench *b,
    void (*each)(void *user, const struct state_item *item), void *user)
{
    struct state_endpoint endpoint = { .dialect = RX_S("anthropic"),
        .base_url = { b->url, strlen(b->url) },
        .auth = RX_S("x-api-key") };
    struct state_credential credential = { .id = RX_S("cred"),
        .kind = RX_S("api_key"),
        .secret = RX_S("sk-bench"),
        .enabled = true };
    struct state_item item = { .kind = STATE_CHANNEL };
    char id[32];
    char name[32];

    for (unsigned i = 0; i < b->channels; i++) {
        item.channel = (struct state_channel){ .id = text_of(id, 32, "ch_", i),
            .name = text_of(name, 32, "bench-", i),
            .type = RX_S("anthropic"),
            .endpoints = &endpoint,
            .endpoint_count = 1,
            .credentials = &credential,
            .credential_count = 1,
            .priority = 100,
            .weight = 1,
            .status = RX_S("enabled") };
        each(user, &item);
    }
}

static void
each_key(const struct bench *b,
    void (*each)(void *user, const struct state_item *item), void *user)
{
    static const rx_str any = RX_STR_INIT("*");
    struct state_item item = { .kind = STATE_TENANT };
    char id[32];
    char text[32];

    item.tenant = (struct state_tenant){ .id = RX_S("tn_bench"),
        .name = RX_S("default"),
        .enabled = true,
        .models = &any,
        .model_count = 1,
        .channels = &any,
        .channel_count = 1 };
    each(user, &item);
    item.kind = STATE_KEY;
    for (unsigned i = 0; i < b->keys; i++) {
        item.key = (struct state_key){ .id = text_of(id, 32, "key_", i),
            .name = RX_S("bench"),
            .digest = rx_digest(text_of(text, 32, "rtx_bench_", i)),
            .tenant_id = RX_S("tn_bench"),
            .enabled = true };
        each(user, &item);
    }
}

/* What rules ask about; a number follows the text. */
static const struct {
    const char *kind, *text;
} conditions[] = {
    { "model", "other-" },
    { "keywords", "unheard-of-" },
    { "user_pattern", "^never [a-z]+ing " },
    { "token_threshold", NULL },
    { "header", "team-" },
    { "tool_names", "draw_" },
    { "user_agent", "agent-" },
    { "system_pattern", "project\\b.* secret " },
};

static void
each_rule(const struct bench *b,
    void (*each)(void *user, const struct state_item *item), void *user)
{
    static const rx_str anywhere = RX_STR_INIT("ch_0");
    struct state_hop hop = { .channels = &anywhere, .channel_count = 1 };
    struct state_item item = { .kind = STATE_RULE };
    char id[32];
    char text[64];

    for (unsigned i = 0; i < b->rules; i++) {
        size_t k = i % RX_COUNT(conditions);
        int64_t number = 1000000 + i;
        bool header = strcmp(conditions[k].kind, "header") == 0;
        rx_str texts[2] = { RX_S("x-team") };
        if (conditions[k].text != NULL)
            texts[header] = text_of(text, 64, conditions[k].text, i);
        item.rule = (struct state_rule){ .id = text_of(id, 32, "rule_", i),
            .name = RX_S("bench"),
            .type = RX_S("custom"),
            .enabled = true,
            .created_ms = i,
            .condition = { .kind = { conditions[k].kind,
                               strlen(conditions[k].kind) },
                .texts = texts,
                .text_count = conditions[k].text == NULL ? 0
                              : header                   ? 2
                                                         : 1,
                .numbers = &number,
                .number_count = conditions[k].text == NULL },
            .hops = &hop,
            .hop_count = 1 };
        each(user, &item);
    }
}

static enum rx_code
walk(void *arg, void (*each)(void *user, const struct state_item *item),
    void *user, struct rx_err *err)
{
    const struct bench *b = arg;
    struct state_item item = { .kind = STATE_SETTINGS, .settings = settings };

    (void)err;
    each(user, &item);
    each_channel(b, each, user);
    each_key(b, each, user);
    each_rule(b, each, user);
    return RX_OK;
}

static enum rx_code
load(void *arg, enum state_kind kind, rx_str id, struct rx_arena *arena,
    struct state_item *out, struct rx_err *err)
{
    (void)arg;
    (void)kind;
    (void)id;
    (void)arena;
    (void)out;
    return rx_fail(err, RX_NOT_FOUND, "nothing changes here");
}

static enum rx_code
progress(
    void *arg, rx_str plane, uint64_t boot, uint64_t *seq, struct rx_err *err)
{
    (void)arg;
    (void)plane;
    (void)boot;
    (void)err;
    *seq = 0;
    return RX_OK;
}

static enum rx_code
commit(void *arg, const struct usage_batch *batch, struct rx_err *err)
{
    struct bench *b = arg;

    (void)err;
    b->rows += batch->row_count;
    return RX_OK;
}

static void
on_end(void *arg, int signo)
{
    struct bench *b = arg;

    (void)signo;
    printf("rows %" PRIu64 "\n", b->rows);
    rx_loop_stop(b->loop);
}

static enum rx_code
serve(struct bench *b, const char *dir, struct rx_err *err)
{
    struct publisher_options pub = { 0 };
    struct collector_options pull = { 0 };
    struct publisher *publisher;
    struct collector *collector;
    char path[4][256];

    snprintf(path[0], sizeof(path[0]), "%s/join.token", dir);
    snprintf(path[1], sizeof(path[1]), "ipc://%s/pub.sock", dir);
    snprintf(path[2], sizeof(path[2]), "ipc://%s/pull.sock", dir);
    snprintf(path[3], sizeof(path[3]), "%s/control.lock", dir);
    enum rx_code code = rx_join_file(path[0], true, &pub.keys, err);
    if (code != RX_OK)
        return code;
    pull.keys = pub.keys;
    pub.url = path[1];
    pull.url = path[2];
    pub.lock_file = path[3];
    pub.epoch = publisher_next_epoch(0);
    code = publisher_open(&publisher, b->loop, &pub,
        &(struct state_source){ b, walk, load }, err);
    if (code == RX_OK)
        code = collector_open(&collector, b->loop, &pull,
            &(struct usage_sink){ b, progress, commit }, publisher, err);
    if (code != RX_OK)
        return code;
    rx_loop_signal(b->loop, SIGTERM, on_end, b);
    printf("ready\n");
    fflush(stdout);
    rx_loop_run(b->loop);
    collector_close(collector);
    publisher_close(publisher);
    return RX_OK;
}

int
main(int argc, char **argv)
{
    struct bench b = { 0 };
    struct rx_err err;

    if (argc != 6)
        return 2;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    b.loop = rx_loop_new();
    snprintf(b.url, sizeof(b.url), "http://127.0.0.1:%s", argv[2]);
    b.channels = (unsigned)strtoul(argv[3], NULL, 10);
    b.keys = (unsigned)strtoul(argv[4], NULL, 10);
    b.rules = (unsigned)strtoul(argv[5], NULL, 10);
    if (serve(&b, argv[1], &err) != RX_OK) {
        fprintf(stderr, "bench_control: %s\n", err.text);
        return 1;
    }
    return 0;
}
