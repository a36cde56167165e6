/*
 * /api/prices, /api/models
 */
#include <stdio.h>

#include "controlplane/api.h"
#include "controlplane/channel.h"
#include "controlplane/price.h"
#include "shared/map.h"

#define HEX_SIZE (2 * sizeof(((struct rx_digest *)0)->bytes) + 1)

/* ---- the table ------------------------------------------------------------- */

static bool
matches(const struct price_entry *e, rx_str search, rx_str source)
{
    static const char *const sources[] = { "built-in", "file", "override" };
    char pattern[RX_MODEL_NAME_MAX + 3];

    if (source.len > 0 && !rx_str_eq(source, field_text(sources[e->source])))
        return false;
    if (search.len == 0)
        return true;
    snprintf(pattern, sizeof(pattern), "*" RX_STR_FMT "*", RX_STR_ARG(search));
    return rx_str_fits(e->name, field_text(pattern));
}

enum rx_code
api_prices_list(struct api_call *c, struct rx_err *err)
{
    const struct prices *p = c->store->prices;
    rx_str search = api_query(c, "search");
    rx_str source = api_query(c, "source");
    const struct price_entry *e = NULL;
    size_t limit, count = 0;
    rx_str cursor, last = { 0 };

    enum rx_code code = api_page(c, &limit, &cursor, err);
    if (code != RX_OK)
        return code;
    if (search.len > RX_MODEL_NAME_MAX)
        return api_wrong(c, err, "search", "is too long");
    size_t i = cursor.len > 0 ? prices_index(p, cursor) : 0;
    if (cursor.len > 0 && (e = prices_at(p, i)) != NULL &&
        rx_str_eq(e->name, cursor))
        i++;
    rx_json_open_array(&c->w, "data");
    while (count < limit && (e = prices_at(p, i++)) != NULL) {
        if (!matches(e, search, source))
            continue;
        price_put(&c->w, NULL, e);
        last = e->name;
        count++;
    }
    rx_json_close(&c->w);
    api_put_next(c, count == limit ? last : (rx_str){ 0 });
    return RX_OK;
}

enum rx_code
api_price_versions(struct api_call *c, struct rx_err *err)
{
    rx_json_open_array(&c->w, "data");
    enum rx_code code = prices_put_versions(c->store, &c->w, err);
    rx_json_close(&c->w);
    api_put_next(c, (rx_str){ 0 });
    return code;
}

/* The price that a request for this model would have. */
enum rx_code
api_price_get(struct api_call *c, struct rx_err *err)
{
    rx_str model = c->params[0];
    const struct price_entry *e =
        prices_find(c->store->prices, api_query(c, "provider"), model);

    if (e == NULL)
        return rx_fail(err, RX_NOT_FOUND, "no price is known for \"%.*s\"",
            (int)(model.len < 80 ? model.len : 80), model.ptr);
    price_put(&c->w, "data", e);
    return RX_OK;
}

/* ---- changes --------------------------------------------------------------- */

enum rx_code
api_price_set(struct api_call *c, struct rx_err *err)
{
    static const char *const shown[] = { "model", "provider", "source", NULL };
    struct price_entry e = { .name = c->params[0], .source = PRICE_OVERRIDE };
    struct rx_buf rates;

    if (e.name.len == 0 || e.name.len > RX_MODEL_NAME_MAX)
        return api_wrong(c, err, "model", "must be 1 to 160 characters");
    if (rx_json_there(c->body)) {
        field_ignore(c->body, FIELD_REPLACE, shown);
        price_read_one(c->body, e.name, (rx_str){ 0 }, c->arena, &e.price);
        rx_json_no_more(c->body);
    }
    enum rx_code code = api_body_done(c, err);
    if (code != RX_OK)
        return code;
    rx_buf_init(&rates, 64 << 10);
    struct rx_json_out w = rx_json_out(&rates);
    rx_json_open_object(&w, NULL);
    price_put_rates(&w, &e.price);
    rx_json_close(&w);
    code = prices_override(c->store, e.name, rx_buf_str(&rates), err);
    rx_buf_fini(&rates);
    if (code == RX_OK)
        code = api_audit(c, "update", "price", e.name, e.name, err);
    if (code == RX_OK)
        price_put(&c->w, "data", &e);
    return code;
}

enum rx_code
api_price_unset(struct api_call *c, struct rx_err *err)
{
    enum rx_code code = prices_override_remove(c->store, c->params[0], err);

    if (code == RX_OK)
        code = api_audit(c, "delete", "price", c->params[0], c->params[0], err);
    if (code == RX_OK)
        api_put_deleted(c, c->params[0]);
    return code;
}

static void
write_hex(rx_str text, char out[HEX_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    struct rx_digest d = rx_digest(text);

    for (size_t i = 0; i < sizeof(d.bytes); i++) {
        out[2 * i] = digits[d.bytes[i] >> 4];
        out[2 * i + 1] = digits[d.bytes[i] & 15];
    }
    out[HEX_SIZE - 1] = '\0';
}

/* The body is the file as it came. */
enum rx_code
api_prices_load(struct api_call *c, struct rx_err *err)
{
    rx_str source = api_query(c, "source");
    struct price_list list;
    char digest[HEX_SIZE];

    if (!rx_json_there(c->body))
        return rx_fail(err, RX_INVALID, "a price file is needed as the body");
    if (source.len == 0)
        source = RX_S("upload");
    if (source.len > 200)
        return api_wrong(c, err, "source", "is too long");
    enum rx_code code = price_read_file(&list, c->body, c->arena, err);
    if (code == RX_OK && list.format[0] == 'r')
        code = api_body_done(c, err);
    if (code != RX_OK)
        return code;
    c->body = (rx_json){ 0 }; /* too long for the audit log */
    write_hex(rx_httpd_body(c->req), digest);
    code = prices_load(c->store, &list, source, field_text(digest), err);
    if (code == RX_OK)
        code = api_audit(c, "load", "price", source, source, err);
    if (code != RX_OK)
        return code;
    rx_json_open_object(&c->w, "data");
    rx_json_put_text(&c->w, "format", list.format);
    rx_json_put_str(&c->w, "source", source);
    rx_json_put_text(&c->w, "digest", digest);
    rx_json_put_u64(&c->w, "models", list.count);
    rx_json_close(&c->w);
    return RX_OK;
}

/* ---- models ---------------------------------------------------------------- */

struct served {
    rx_str name;
    rx_str type;     /* of the first channel that serves it */
    rx_str upstream; /* … and what it is called there */
    rx_str channels[API_PAGE_MAX];
    size_t count;
};

struct models {
    struct rx_map *all; /* to struct served */
    struct served **at;
    size_t count, room;
};

static void
add_served(struct api_call *c, struct models *m, const struct channel *ch,
    const struct state_model *model)
{
    struct served *s = rx_map_get(m->all, model->name);

    if (s == NULL && m->count < m->room) {
        s = field_make(c->arena, struct served, 1);
        s->name = model->name;
        s->type = ch->type;
        s->upstream = model->upstream.len > 0 ? model->upstream : model->name;
        m->at[m->count++] = s;
        rx_map_put(m->all, s->name, s);
    }
    if (s != NULL && s->count < API_PAGE_MAX)
        s->channels[s->count++] = ch->name;
}

static void
put_served(struct api_call *c, const struct served *s)
{
    const struct price_entry *e =
        prices_find(c->store->prices, s->type, s->upstream);

    rx_json_open_object(&c->w, NULL);
    rx_json_put_str(&c->w, "model", s->name);
    rx_json_open_array(&c->w, "channels");
    for (size_t i = 0; i < s->count; i++)
        rx_json_put_str(&c->w, NULL, s->channels[i]);
    rx_json_close(&c->w);
    if (e != NULL)
        price_put(&c->w, "price", e);
    else
        rx_json_put_null(&c->w, "price");
    rx_json_close(&c->w);
}

/* What channels say they serve; names with '*' as they are. */
enum rx_code
api_models_list(struct api_call *c, struct rx_err *err)
{
    struct channel **list =
        field_make(c->arena, struct channel *, API_PAGE_MAX);
    struct models m = { .all = rx_map_new(), .room = 2000 };
    size_t count = API_PAGE_MAX;
    enum rx_code code = RX_OK;
    rx_str after = { 0 };

    m.at = field_make(c->arena, struct served *, m.room);
    while (code == RX_OK && count == API_PAGE_MAX) {
        code = channel_list(
            c->store, c->arena, after, API_PAGE_MAX, false, list, &count, err);
        for (size_t i = 0; code == RX_OK && i < count; i++) {
            for (size_t k = 0; k < list[i]->model_count; k++)
                add_served(c, &m, list[i], &list[i]->models[k]);
            after = list[i]->name;
        }
    }
    rx_json_open_array(&c->w, "data");
    for (size_t i = 0; i < m.count; i++)
        put_served(c, m.at[i]);
    rx_json_close(&c->w);
    api_put_next(c, (rx_str){ 0 });
    rx_map_free(m.all, NULL);
    return code;
}
