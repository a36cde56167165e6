/*
 * Prices an operator set.  What a file said is loaded where it is wanted.
 */
#include "controlplane/config_kind.h"
#include "controlplane/price.h"

#define RATES_MAX ((size_t)64 << 10)

/* The table in memory is made anew with each change: these are copies. */
struct override {
    rx_str name;
    rx_str rates; /* JSON */
};

static rx_str
price_name(const void *noun)
{
    return ((const struct override *)noun)->name;
}

/* Models differ by case. */
static rx_str
price_identity(const void *noun)
{
    return price_name(noun);
}

/* The rates as they are written today, whoever stored them. */
static rx_str
print_rates(struct rx_arena *arena, const struct rx_price *price)
{
    struct rx_buf text;

    rx_buf_init(&text, RATES_MAX);
    struct rx_json_out w = rx_json_out(&text);
    rx_json_open_object(&w, NULL);
    price_put_rates(&w, price);
    rx_json_close(&w);
    rx_str copy = field_keep(arena, rx_buf_str(&text));
    rx_buf_fini(&text);
    return copy;
}

static struct override *
copy_of(struct config_run *run, const struct price_entry *e)
{
    struct override *o = field_make(run->arena, struct override, 1);

    o->name = field_keep(run->arena, e->name);
    o->rates = print_rates(run->arena, &e->price);
    return o;
}

static enum rx_code
list_prices(
    struct config_run *run, void ***out, size_t *count, struct rx_err *err)
{
    const struct prices *p = run->store->prices;
    struct config_items list = { 0 };
    const struct price_entry *e;

    (void)err;
    for (size_t i = 0; (e = prices_at(p, i)) != NULL; i++) {
        if (e->source == PRICE_OVERRIDE)
            config_items_add(run->arena, &list, copy_of(run, e));
    }
    *out = list.at;
    *count = list.count;
    return RX_OK;
}

static enum rx_code
find_price(struct config_run *run, rx_json body, void **out, struct rx_err *err)
{
    const struct prices *p = run->store->prices;
    rx_str name = config_wanted_name(body);
    const struct price_entry *e = prices_at(p, prices_index(p, name));

    (void)err;
    *out = NULL;
    if (e != NULL && rx_str_eq(e->name, name) && e->source == PRICE_OVERRIDE)
        *out = copy_of(run, e);
    return RX_OK;
}

static void
put_price(struct rx_json_out *w, const void *noun)
{
    const struct override *o = noun;
    struct rx_arena *arena = rx_arena_new(8 * RATES_MAX);
    rx_json rates = field_parse(arena, o->rates);

    rx_json_open_object(w, NULL);
    rx_json_put_str(w, "name", o->name);
    for (rx_json v = rx_json_first(rates); rx_json_there(v);
         v = rx_json_next(v))
        rx_json_put_value(w, rx_json_name(v).ptr, v);
    rx_json_close(w);
    rx_arena_free(arena);
}

/* A price is set as a whole, as with PUT: half of one would be another. */
static void *
read_price(
    struct config_run *run, void *noun, rx_json body, enum field_mode mode)
{
    struct override *o = field_make(run->arena, struct override, 1);
    struct rx_price price = { 0 };

    (void)noun;
    (void)mode;
    if (rx_json_need_str(body, "name", &o->name) &&
        (o->name.len == 0 || o->name.len > RX_MODEL_NAME_MAX))
        rx_json_wrong_member(
            body, "name", "must be 1 to %d characters", RX_MODEL_NAME_MAX);
    price_read_one(body, o->name, (rx_str){ 0 }, run->arena, &price);
    rx_json_no_more(body);
    o->rates = print_rates(run->arena, &price);
    return o;
}

static enum rx_code
save_price(struct config_run *run, void *noun, rx_json body, struct rx_err *err)
{
    const struct override *o = noun;

    (void)body;
    return prices_override(run->store, o->name, o->rates, err);
}

static enum rx_code
remove_price(struct config_run *run, void *noun, struct rx_err *err)
{
    return prices_override_remove(run->store, price_name(noun), err);
}

static const char *const nothing[] = { NULL };

const struct config_kind config_prices = {
    .name = "prices",
    .noun = "price",
    .hidden = nothing,
    .name_of = price_name,
    .identity = price_identity,
    .list = list_prices,
    .find = find_price,
    .put = put_price,
    .read = read_price,
    .save = save_price,
    .remove = remove_price,
};
