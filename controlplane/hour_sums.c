#include "controlplane/hour_sums.h"

#include <stdlib.h>

#include "shared/map.h"

#define HOUR_MS ((uint64_t)3600 * 1000)
#define KEY_MAX ((size_t)64 * 1024)

struct sum {
    uint64_t hour_ms;
    rx_str tenant_id, key_id, channel_id, model;
    uint64_t requests, failed, unknown, estimated;
    uint64_t input, cache_read, cache_write, output, reasoning;
    uint64_t duration_ms;
};

struct hour_sums {
    struct rx_map *sums; /* to struct sum */
    struct rx_buf key;   /* scratch */
};

struct hour_sums *
hour_sums_begin(void)
{
    struct hour_sums *h = malloc(sizeof(*h));

    if (h == NULL)
        abort();
    h->sums = rx_map_new();
    rx_buf_init(&h->key, KEY_MAX);
    return h;
}

void
hour_sums_end(struct hour_sums *h)
{
    rx_map_free(h->sums, free);
    rx_buf_fini(&h->key);
    free(h);
}

/* No text holds a NUL, so they cannot run into each other. */
static rx_str
pack_key(struct rx_buf *b, const struct sum *who)
{
    const rx_str texts[] = { who->tenant_id, who->key_id, who->channel_id,
        who->model };

    rx_buf_clear(b);
    rx_buf_add(
        b, (rx_str){ (const char *)&who->hour_ms, sizeof(who->hour_ms) });
    for (size_t i = 0; i < RX_COUNT(texts); i++) {
        rx_buf_add(b, texts[i]);
        rx_buf_addc(b, '\0');
    }
    return rx_buf_str(b);
}

static struct sum *
sum_of(struct hour_sums *h, const struct usage_row *r)
{
    struct sum who = {
        .hour_ms = r->started_ms - r->started_ms % HOUR_MS,
        .tenant_id = r->tenant_id,
        .key_id = r->key_id,
        .channel_id = r->channel_id,
        .model = r->model.len > 0 ? r->model : r->model_requested,
    };
    rx_str key = pack_key(&h->key, &who);
    struct sum *sum = rx_map_get(h->sums, key);

    if (sum != NULL)
        return sum;
    sum = malloc(sizeof(*sum));
    if (sum == NULL)
        abort();
    *sum = who;
    rx_map_put(h->sums, key, sum);
    return sum;
}

static uint64_t
count_of(const struct usage_counts *u, enum usage_count c)
{
    return (u->has & (1U << c)) != 0 ? u->n[c] : 0;
}

void
hour_sums_add(struct hour_sums *h, const struct usage_row *r)
{
    const struct usage_counts *u = &r->usage;
    rx_str known = u->provenance;
    struct sum *sum = sum_of(h, r);

    sum->requests++;
    sum->failed += !rx_str_eq(r->outcome, RX_S("ok"));
    sum->unknown += known.len == 0 || rx_str_eq(known, RX_S("none"));
    sum->estimated += rx_str_eq(known, RX_S("estimated")) ||
                      rx_str_eq(known, RX_S("partial"));
    sum->input +=
        count_of(u, COUNT_in_uncached) + count_of(u, COUNT_in_tool_use);
    sum->cache_read += count_of(u, COUNT_cache_read);
    sum->cache_write += count_of(u, COUNT_cache_write_5m) +
                        count_of(u, COUNT_cache_write_1h) +
                        count_of(u, COUNT_cache_write_other);
    sum->output += count_of(u, COUNT_out_total);
    sum->reasoning += count_of(u, COUNT_out_reasoning);
    sum->duration_ms += r->duration_ms;
}

static enum rx_code
store_sum(struct store *s, const struct sum *sum, struct rx_err *err)
{
    struct db_query *q = db_query(s->db,
        "insert into usage_hour (hour_ms, tenant_id, key_id, channel_id, "
        "model, requests, failed, unknown, estimated, input_tokens, "
        "cache_read_tokens, cache_write_tokens, output_tokens, "
        "reasoning_tokens, duration_ms) "
        "values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
        "on conflict (hour_ms, tenant_id, key_id, channel_id, model) "
        "do update set requests = requests + excluded.requests, "
        "failed = failed + excluded.failed, "
        "unknown = unknown + excluded.unknown, "
        "estimated = estimated + excluded.estimated, "
        "input_tokens = input_tokens + excluded.input_tokens, "
        "cache_read_tokens = cache_read_tokens + excluded.cache_read_tokens, "
        "cache_write_tokens = cache_write_tokens + excluded.cache_write_tokens, "
        "output_tokens = output_tokens + excluded.output_tokens, "
        "reasoning_tokens = reasoning_tokens + excluded.reasoning_tokens, "
        "duration_ms = duration_ms + excluded.duration_ms");
    const uint64_t numbers[] = { sum->requests, sum->failed, sum->unknown,
        sum->estimated, sum->input, sum->cache_read, sum->cache_write,
        sum->output, sum->reasoning, sum->duration_ms };

    db_bind_u64(q, 1, sum->hour_ms);
    db_bind_view(q, 2, sum->tenant_id);
    db_bind_view(q, 3, sum->key_id);
    db_bind_view(q, 4, sum->channel_id);
    db_bind_view(q, 5, sum->model);
    for (size_t i = 0; i < RX_COUNT(numbers); i++)
        db_bind_u64(q, 6 + (int)i, numbers[i]);
    return db_run(q, err);
}

enum rx_code
hour_sums_store(struct hour_sums *h, struct store *s, struct rx_err *err)
{
    enum rx_code code = RX_OK;
    size_t at = 0;
    rx_str key;
    void *sum;

    while (code == RX_OK && rx_map_next(h->sums, &at, &key, &sum))
        code = store_sum(s, sum, err);
    return code;
}
