/*
 * Client keys as a document has them: by digest.
 */
#include <stdlib.h>
#include <string.h>

#include "controlplane/config_kind.h"
#include "controlplane/key.h"
#include "controlplane/tenant.h"
#include "shared/clock.h"
#include "shared/secret.h"

static rx_str
key_name(const void *noun)
{
    return ((const struct key *)noun)->name;
}

static rx_str
key_identity(const void *noun)
{
    const struct key *k = noun;

    return (rx_str){ (const char *)k->digest.bytes, sizeof(k->digest.bytes) };
}

/* By name, and not by birth: the same keys read the same from any store. */
static int
by_name(const void *a, const void *b)
{
    const struct key *const *left = a;
    const struct key *const *right = b;
    rx_str x = (*left)->name;
    rx_str y = (*right)->name;
    int order = memcmp(x.ptr, y.ptr, x.len < y.len ? x.len : y.len);

    if (order == 0)
        order = (x.len > y.len) - (x.len < y.len);
    return order != 0 ? order
                      : memcmp(&(*left)->digest, &(*right)->digest,
                            sizeof((*left)->digest));
}

static enum rx_code
list_keys(
    struct config_run *run, void ***out, size_t *count, struct rx_err *err)
{
    struct key_filter filter = { 0 };
    struct config_items list = { 0 };
    enum rx_code code = RX_OK;
    size_t n = CONFIG_PAGE;

    while (code == RX_OK && n == CONFIG_PAGE) {
        struct key *page[CONFIG_PAGE];
        code = key_list(
            run->store, run->arena, &filter, CONFIG_PAGE, page, &n, err);
        for (size_t i = 0; code == RX_OK && i < n; i++)
            config_items_add(run->arena, &list, page[i]);
        if (code == RX_OK && n > 0) {
            filter.after_ms = page[n - 1]->created_ms;
            filter.after_id = page[n - 1]->id;
        }
    }
    if (list.count > 1)
        qsort(list.at, list.count, sizeof(*list.at), by_name);
    *out = list.at;
    *count = list.count;
    return code;
}

/* Its text, or the digest of one; false: neither, or wrong (a fault). */
static bool
wanted_digest(rx_json body, struct rx_digest *out)
{
    rx_json text = rx_json_member(body, "key");
    rx_json hex = rx_json_member(body, "digest");
    rx_str s;

    if (rx_json_kind(text) == RX_JSON_STRING) {
        s = rx_json_str(text);
        if (s.len < 16 || s.len > 512) {
            rx_json_wrong(text, "must be 16 to 512 characters");
            return false;
        }
        *out = rx_digest(s);
        return true;
    }
    if (rx_json_kind(hex) != RX_JSON_STRING)
        return false;
    if (rx_unhex(rx_json_str(hex), out->bytes, sizeof(out->bytes)))
        return true;
    rx_json_wrong(hex, "must be 64 hexadecimal digits");
    return false;
}

/* By what it is; or by its name, when that is enough to tell. */
static enum rx_code
find_key(struct config_run *run, rx_json body, void **out, struct rx_err *err)
{
    struct rx_digest digest;
    rx_str tenant = rx_json_str(rx_json_member(body, "tenant"));
    bool digested = wanted_digest(body, &digest);
    struct db_query *q = db_query(run->store->db,
        digested ? "select id from client_key where digest = ?"
                 : "select k.id from client_key k join tenant t "
                   "on t.id = k.tenant_id where k.name = ? and t.name = ? "
                   "order by k.created_ms, k.id limit 1");
    struct key *k = NULL;
    rx_str id = { 0 };

    *out = NULL;
    if (digested) {
        db_bind_blob(
            q, 1, (rx_str){ (const char *)digest.bytes, sizeof(digest.bytes) });
    } else {
        db_bind_str(q, 1, config_wanted_name(body));
        db_bind_str(q, 2, tenant.len > 0 ? tenant : RX_S(TENANT_DEFAULT));
    }
    if (db_next(q))
        id = field_keep(run->arena, db_str(q, 0));
    enum rx_code code = db_done(q, err);
    if (code == RX_OK && id.len > 0)
        code = key_load(run->store, run->arena, id, &k, err);
    *out = k;
    return code;
}

static void
put_key(struct rx_json_out *w, const void *noun)
{
    key_put(w, NULL, noun);
}

static void
put_key_marks(struct rx_json_out *w, const void *noun)
{
    const struct key *k = noun;
    char hex[2 * RX_DIGEST_SIZE + 1];

    rx_hex(k->digest.bytes, sizeof(k->digest.bytes), hex);
    rx_json_put_text(w, "digest", hex);
    if (k->old_until_ms <= rx_clock_wall_ms()) {
        rx_json_put_null(w, "previous");
        return;
    }
    rx_hex(k->old_digest.bytes, sizeof(k->old_digest.bytes), hex);
    rx_json_open_object(w, "previous");
    rx_json_put_text(w, "digest", hex);
    rx_json_put_str(w, "last4", k->old_last4);
    rx_json_put_time(w, "valid_until", k->old_until_ms);
    rx_json_close(w);
}

/* The text before the last rotation, while it is still good. */
static void
read_previous(struct key *k, rx_json body)
{
    rx_json before;
    rx_str hex = { 0 };
    uint64_t until = 0;

    if (rx_json_kind(rx_json_member(body, "previous")) != RX_JSON_OBJECT ||
        !rx_json_get_object(body, "previous", &before))
        return;
    if (rx_json_need_str(before, "digest", &hex) &&
        !rx_unhex(hex, k->old_digest.bytes, sizeof(k->old_digest.bytes)))
        rx_json_wrong_member(before, "digest", "must be 64 hexadecimal digits");
    rx_json_get_str(before, "last4", &k->old_last4);
    field_read_time(before, "valid_until", &until);
    rx_json_no_more(before);
    k->old_until_ms = until;
}

/* PUT as the other nouns know it: what is left out goes back to its default. */
static void
reset_key(struct key *k)
{
    k->status = RX_S("enabled");
    k->expires_ms = k->old_until_ms = 0;
    k->may_force_channel = false;
    k->models = k->channels = k->ips = (struct field_list){ 0 };
    memset(&k->limits, 0, sizeof(k->limits));
}

static void
place_key(struct config_run *run, struct key *k, rx_str name, rx_json body)
{
    struct tenant *t;
    rx_str wanted = name.len > 0 ? name : RX_S(TENANT_DEFAULT);

    if (name.len == 0 && k->tenant_id.len > 0)
        return;
    if (tenant_load(run->store, run->arena, wanted, &t, NULL) != RX_OK) {
        rx_json_wrong_member(body, "tenant", "there is no such tenant");
        return;
    }
    k->tenant_id = t->id;
    k->tenant = t->name;
}

/* A new key is the one of the document, or one that nobody knows yet. */
static void
mark_key(struct config_run *run, struct key *k, rx_json body)
{
    rx_str text = rx_json_str(rx_json_member(body, "key"));
    rx_str last4 = rx_json_str(rx_json_member(body, "last4"));

    if (wanted_digest(body, &k->digest))
        k->last4 = text.len > 0 ? field_last4(run->arena, text) : last4;
    else if (k->id.len == 0)
        key_draw(k, run->arena);
}

static void *
read_key(struct config_run *run, void *noun, rx_json body, enum field_mode mode)
{
    struct key *k = noun != NULL ? noun : key_new(run->arena);
    rx_str tenant;

    mark_key(run, k, body);
    if (mode == FIELD_REPLACE)
        reset_key(k);
    read_previous(k, body);
    key_read(k, body, mode, run->arena, &tenant);
    place_key(run, k, tenant, body);
    return k;
}

static enum rx_code
save_key(struct config_run *run, void *noun, rx_json body, struct rx_err *err)
{
    struct key *k = noun;
    enum rx_code code = key_save(run->store, run->arena, k, err);

    (void)body;
    if (code == RX_OK && k->text.len > 0) {
        rx_json_open_object(&run->made_w, NULL);
        rx_json_put_str(&run->made_w, "name", k->name);
        rx_json_put_str(&run->made_w, "tenant", k->tenant);
        rx_json_put_str(&run->made_w, "key", k->text);
        rx_json_close(&run->made_w);
    }
    return code;
}

static enum rx_code
remove_key(struct config_run *run, void *noun, struct rx_err *err)
{
    return key_delete(run->store, noun, err);
}

static const char *const key_hidden[] = { "id", "key", "tenant_id",
    "limits_state", "previous", "created_at", "updated_at", "last_used_at",
    NULL };

const struct config_kind config_keys = {
    .name = "keys",
    .noun = "key",
    .hidden = key_hidden,
    .name_of = key_name,
    .identity = key_identity,
    .list = list_keys,
    .find = find_key,
    .put = put_key,
    .put_marks = put_key_marks,
    .read = read_key,
    .save = save_key,
    .remove = remove_key,
};
