/*
 * Taking a document in: unseal, then every object in turn, then what is missing
 * in the order that spares references.
 */
#include <string.h>

#include "controlplane/config.h"
#include "shared/map.h"
#include "shared/secret.h"

#define ITEM_MAX    ((size_t)4 << 20)
#define SECRETS_MAX ((size_t)16 << 20)
#define CONTEXT     "routex config secrets 1"
#define KINDS_MAX   24

struct import {
    struct config_run *run;
    rx_json doc;
    enum config_mode mode;
    struct config_result *out;
    struct rx_map *seen[KINDS_MAX]; /* what the document has, by kind */
};

/* ---- results --------------------------------------------------------------- */

/* As the API tells it; what has none goes by its name. */
static rx_str
id_of(struct import *im, const struct config_kind *kind, const void *noun)
{
    struct rx_buf text;

    rx_buf_init(&text, ITEM_MAX);
    struct rx_json_out w = rx_json_out(&text);
    kind->put(&w, noun);
    rx_json item = field_parse(im->run->arena, rx_buf_str(&text));
    rx_buf_fini(&text);
    rx_str id = rx_json_str(rx_json_find(item, "id"));
    return id.len > 0 || kind->single ? id : kind->name_of(noun);
}

static void
add_change(struct import *im, const struct config_kind *kind,
    const char *action, const void *noun, rx_str before, rx_str after)
{
    struct config_result *r = im->out;
    rx_str name = kind->name_of(noun);

    if (r->change_count == r->change_room) {
        size_t room = 2 * r->change_room + 32;
        struct config_change *more =
            field_make(im->run->arena, struct config_change, room);
        if (r->change_count > 0)
            memcpy(more, r->changes, r->change_count * sizeof(*more));
        r->changes = more;
        r->change_room = room;
    }
    r->changes[r->change_count++] = (struct config_change){ kind, action,
        id_of(im, kind, noun), name, before, after };
}

static rx_str
text_of(struct import *im, const struct config_kind *kind, const void *noun)
{
    struct rx_buf text;

    rx_buf_init(&text, ITEM_MAX);
    struct rx_json_out w = rx_json_out(&text);
    config_put_item(&w, NULL, kind, noun, im->run->arena);
    rx_str copy = field_keep(im->run->arena, rx_buf_str(&text));
    rx_buf_fini(&text);
    return copy;
}

/* ---- one object ------------------------------------------------------------ */

/* What the store refuses is a fault of the object; what it cannot do is not. */
static enum rx_code
blame(rx_json body, enum rx_code code, struct rx_err *err)
{
    if (code != RX_CONFLICT && code != RX_INVALID && code != RX_NOT_FOUND)
        return code;
    rx_json_wrong(body, "%.150s", err->text);
    *err = (struct rx_err){ 0 };
    return RX_OK;
}

/* What makes it this item and no other; names differ by more than case. */
static rx_str
identity(struct import *im, const struct config_kind *kind, const void *noun)
{
    if (kind->identity != NULL)
        return kind->identity(noun);
    rx_str name = kind->name_of(noun);
    char *lower = field_room(im->run->arena, 1, name.len + 1);
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        lower[i] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
    }
    return (rx_str){ lower, name.len };
}

/* Of two that are the same the second would win, silently. */
static bool
is_first(struct import *im, size_t k, rx_json body, const void *noun)
{
    const struct config_kind *kind = config_kinds[k];

    if (kind->single ||
        rx_map_put(im->seen[k], identity(im, kind, noun), im) == NULL)
        return true;
    rx_json_wrong_member(body, "name", "is there twice");
    return false;
}

static enum rx_code
take(struct import *im, size_t k, rx_json body, struct rx_err *err)
{
    const struct config_kind *kind = config_kinds[k];
    size_t faults = rx_json_fault_count(im->doc.doc);
    void *noun = NULL;
    rx_str before = { 0 };

    enum rx_code code = kind->find(im->run, body, &noun, err);
    if (code != RX_OK)
        return code;
    bool found = noun != NULL;
    if (found)
        before = text_of(im, kind, noun);
    enum field_mode mode = !found                     ? FIELD_CREATE
                           : im->mode == CONFIG_MERGE ? FIELD_PATCH
                                                      : FIELD_REPLACE;
    noun = kind->read(im->run, noun, body, mode);
    if (rx_json_fault_count(im->doc.doc) > faults ||
        !is_first(im, k, body, noun))
        return RX_OK;
    rx_str after = text_of(im, kind, noun);
    bool brings = kind->brings != NULL && kind->brings(noun);
    if (rx_str_eq(before, after) && !brings) {
        im->out->unchanged++;
        return RX_OK;
    }
    code = blame(body, kind->save(im->run, noun, body, err), err);
    if (code != RX_OK)
        return code;
    *(found ? &im->out->changed : &im->out->added) += 1;
    add_change(im, kind, found ? "changed" : "added", noun, before, after);
    return RX_OK;
}

static enum rx_code
take_list(struct import *im, size_t k, rx_json list, struct rx_err *err)
{
    const struct config_kind *kind = config_kinds[k];
    enum rx_code code = RX_OK;

    if (!rx_json_want(list, RX_JSON_ARRAY))
        return RX_OK;
    for (rx_json v = rx_json_first(list); code == RX_OK && rx_json_there(v);
         v = rx_json_next(v)) {
        if (!rx_json_want(v, RX_JSON_OBJECT))
            continue;
        rx_str name = rx_json_str(rx_json_member(v, "name"));
        if (config_selected(im->run, kind, name))
            code = take(im, k, v, err);
    }
    return code;
}

static enum rx_code
take_kind(struct import *im, size_t k, struct rx_err *err)
{
    const struct config_kind *kind = config_kinds[k];
    rx_json v = rx_json_member(im->doc, kind->name);

    im->seen[k] = rx_map_new();
    if (rx_json_kind(v) <= RX_JSON_NULL || !config_selected_kind(im->run, kind))
        return RX_OK;
    if (kind->owners && !im->run->owner)
        return rx_fail(err, RX_DENIED,
            "%s: only an owner may change them; import the others with select",
            kind->name);
    if (!kind->single)
        return take_list(im, k, v, err);
    return rx_json_want(v, RX_JSON_OBJECT) ? take(im, k, v, err) : RX_OK;
}

/* ---- what is missing ------------------------------------------------------- */

static enum rx_code
prune_kind(struct import *im, size_t k, struct rx_err *err)
{
    const struct config_kind *kind = config_kinds[k];
    rx_json v = rx_json_member(im->doc, kind->name);
    void **items = NULL;
    size_t count = 0;

    if (rx_json_kind(v) != RX_JSON_ARRAY || kind->remove == NULL ||
        !config_selected_kind(im->run, kind))
        return RX_OK;
    enum rx_code code = kind->list(im->run, &items, &count, err);
    for (size_t i = 0; code == RX_OK && i < count; i++) {
        if (!config_selected(im->run, kind, kind->name_of(items[i])) ||
            (kind->keep != NULL && kind->keep(items[i])) ||
            rx_map_get(im->seen[k], identity(im, kind, items[i])) != NULL)
            continue;
        rx_str before = text_of(im, kind, items[i]);
        code = blame(v, kind->remove(im->run, items[i], err), err);
        if (code != RX_OK)
            break;
        im->out->removed++;
        add_change(im, kind, "removed", items[i], before, (rx_str){ 0 });
    }
    return code;
}

/* ---- secrets --------------------------------------------------------------- */

bool
config_salt(rx_json doc, unsigned char out[RX_SALT_SIZE])
{
    rx_json box = rx_json_find(doc, "secrets");
    struct rx_buf salt;

    if (rx_json_kind(box) != RX_JSON_OBJECT)
        return false;
    rx_buf_init(&salt, 64);
    bool good = rx_unbase64url(rx_json_str(rx_json_find(box, "salt")), &salt) &&
                salt.len == RX_SALT_SIZE;
    if (good)
        memcpy(out, salt.ptr, RX_SALT_SIZE);
    rx_buf_fini(&salt);
    return good;
}

static bool
unseal(rx_json box, const struct rx_key *key, struct rx_buf *plain)
{
    struct rx_buf sealed;

    rx_buf_init(&sealed, SECRETS_MAX + RX_SEAL_EXTRA);
    bool good =
        rx_unbase64url(rx_json_str(rx_json_member(box, "box")), &sealed) &&
        rx_unseal(key, rx_buf_str(&sealed), RX_S(CONTEXT), plain);
    rx_buf_fini(&sealed);
    return good;
}

static void
keep_secrets(struct config_run *run, rx_str text)
{
    rx_json list = field_parse(run->arena, text);
    rx_str *at = field_make(run->arena, rx_str, rx_json_count(list));

    run->secrets.at = at;
    for (rx_json v = rx_json_first(list); rx_json_there(v); v = rx_json_next(v))
        at[run->secrets.count++] = rx_json_str(v);
}

/* Without a passphrase they stay closed: keys that are known here still are. */
static void
open_secrets(struct import *im, const struct rx_key *key)
{
    unsigned char salt[RX_SALT_SIZE];
    struct rx_buf plain;
    rx_json box;

    if (!rx_json_get_object(im->doc, "secrets", &box))
        return;
    rx_str kdf = rx_json_str(rx_json_member(box, "kdf"));
    (void)rx_json_member(box, "salt");
    (void)rx_json_member(box, "box");
    rx_json_no_more(box);
    if (!rx_str_eq(kdf, RX_S("argon2id"))) {
        rx_json_wrong_member(box, "kdf", "must be \"argon2id\"");
        return;
    }
    if (!config_salt(im->doc, salt)) {
        rx_json_wrong_member(box, "salt", "must be 16 bytes in base64url");
        return;
    }
    if (key == NULL)
        return;
    rx_buf_init(&plain, SECRETS_MAX);
    if (unseal(box, key, &plain))
        keep_secrets(im->run, rx_buf_str(&plain));
    else
        rx_json_wrong(box, "cannot be opened: the passphrase is another one, "
                           "or it was changed");
    if (plain.ptr != NULL)
        rx_wipe(plain.ptr, plain.len);
    rx_buf_fini(&plain);
}

/* ---- the whole ------------------------------------------------------------- */

static void
check_head(struct import *im)
{
    uint64_t version = CONFIG_VERSION;
    rx_str format = RX_S(CONFIG_FORMAT);

    rx_json_get_str(im->doc, "format", &format);
    if (!rx_str_eq(format, RX_S(CONFIG_FORMAT)))
        rx_json_wrong_member(im->doc, "format",
            "must be \"" CONFIG_FORMAT "\"; files of other programs are for "
            "routex import");
    rx_json_get_u64(im->doc, "version", 1, CONFIG_VERSION, &version);
    (void)rx_json_member(im->doc, "$schema");
    (void)rx_json_member(im->doc, "secrets");
    for (size_t k = 0; config_kinds[k] != NULL; k++)
        (void)rx_json_member(im->doc, config_kinds[k]->name);
    rx_json_no_more(im->doc);
}

static enum rx_code
run_import(struct import *im, const struct rx_key *key, struct rx_err *err)
{
    enum rx_code code = RX_OK;
    size_t kinds = 0;

    check_head(im);
    open_secrets(im, key);
    for (; code == RX_OK && config_kinds[kinds] != NULL; kinds++)
        code = take_kind(im, kinds, err);
    bool prune =
        im->mode == CONFIG_REPLACE && rx_json_fault_count(im->doc.doc) == 0;
    for (size_t k = kinds; code == RX_OK && prune && k-- > 0;)
        code = prune_kind(im, k, err);
    return code;
}

enum rx_code
config_import(struct config_run *run, rx_json doc, enum config_mode mode,
    const struct rx_key *key, struct config_result *out, struct rx_err *err)
{
    struct import im = { .run = run, .doc = doc, .mode = mode, .out = out };

    *out = (struct config_result){ 0 };
    if (!rx_json_want(doc, RX_JSON_OBJECT))
        return rx_fail(err, RX_INVALID, "the document must be an object");
    enum rx_code code = run_import(&im, key, err);
    for (size_t k = 0; k < KINDS_MAX; k++) {
        if (im.seen[k] != NULL)
            rx_map_free(im.seen[k], NULL);
    }
    size_t faults = rx_json_fault_count(doc.doc);
    if (code == RX_OK && faults > 0)
        return rx_fail(err, RX_INVALID,
            "the document has %zu fault%s; nothing was changed", faults,
            faults == 1 ? "" : "s");
    return code;
}
