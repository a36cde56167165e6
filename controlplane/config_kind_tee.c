/*
 * Tees.  Their addresses, headers and signing keys are secrets; in a document
 * they stand by their marks, apart from the rest: "sealed".
 */
#include "controlplane/config_kind.h"
#include "controlplane/tee.h"

#define HEADERS_MAX ((size_t)256 << 10)

static rx_str
tee_name(const void *noun)
{
    return ((const struct tee *)noun)->name;
}

static enum rx_code
list_tees(
    struct config_run *run, void ***out, size_t *count, struct rx_err *err)
{
    struct tee **list = field_make(run->arena, struct tee *, TEE_MOST);

    *out = (void **)list;
    return tee_list(run->store, run->arena, true, list, count, err);
}

static enum rx_code
find_tee(struct config_run *run, rx_json body, void **out, struct rx_err *err)
{
    struct tee *t = NULL;
    rx_str name = config_wanted_name(body);
    enum rx_code code = tee_load(run->store, run->arena, name, true, &t, err);

    return config_or_none(code, t, name, tee_name, out, err);
}

static void
put_tee(struct rx_json_out *w, const void *noun)
{
    tee_put(w, NULL, noun);
}

/* All headers are one secret: an object of texts. */
static void
print_headers(const struct tee *t, struct rx_buf *out)
{
    struct rx_json_out w = rx_json_out(out);

    if (t->header_count == 0)
        return;
    rx_json_open_object(&w, NULL);
    for (size_t i = 0; i < t->header_count; i++) {
        struct rx_buf name;
        rx_buf_init(&name, HEADERS_MAX);
        rx_buf_add(&name, t->headers[i].name);
        rx_json_put_str(&w, name.ptr, t->headers[i].value);
        rx_buf_fini(&name);
    }
    rx_json_close(&w);
}

static void
put_mark(struct rx_json_out *w, const char *key, rx_str secret)
{
    char mark[CONFIG_MARK_SIZE];

    if (secret.len == 0)
        return;
    config_mark(secret, mark);
    rx_json_put_text(w, key, mark);
}

static void
put_tee_marks(struct rx_json_out *w, const void *noun)
{
    const struct tee *t = noun;
    struct rx_buf headers;

    rx_buf_init(&headers, HEADERS_MAX);
    print_headers(t, &headers);
    rx_json_open_object(w, "sealed");
    put_mark(w, "url", t->url);
    put_mark(w, "secret", t->secret);
    put_mark(w, "headers", rx_buf_str(&headers));
    rx_json_close(w);
    rx_buf_fini(&headers);
}

static void
tee_secrets(const void *noun, void (*add)(void *arg, rx_str secret), void *arg)
{
    const struct tee *t = noun;
    struct rx_buf headers;

    rx_buf_init(&headers, HEADERS_MAX);
    print_headers(t, &headers);
    add(arg, t->url);
    add(arg, t->secret);
    add(arg, rx_buf_str(&headers));
    rx_buf_fini(&headers);
}

/* ---- reading --------------------------------------------------------------- */

/* Empty: there is no mark, or nothing that it could stand for. */
static rx_str
marked(const struct config_run *run, rx_json box, const char *name)
{
    char mark[CONFIG_MARK_SIZE];
    rx_str wanted;

    if (!rx_json_get_str(box, name, &wanted))
        return (rx_str){ 0 };
    for (size_t i = 0; i < run->secrets.count; i++) {
        config_mark(run->secrets.at[i], mark);
        if (rx_str_eq(wanted, field_text(mark)))
            return run->secrets.at[i];
    }
    return (rx_str){ 0 };
}

static void
take_headers(struct config_run *run, struct tee *t, rx_str text)
{
    rx_json object = field_parse(run->arena, text);
    rx_str *names = field_make(run->arena, rx_str, TEE_HEADERS_MAX);

    t->header_count = 0;
    for (rx_json v = rx_json_first(object);
         rx_json_there(v) && t->header_count < TEE_HEADERS_MAX;
         v = rx_json_next(v)) {
        names[t->header_count] = rx_json_name(v);
        t->headers[t->header_count++] =
            (struct tee_pair){ rx_json_name(v), rx_json_str(v) };
    }
    t->header_names = (struct field_list){ names, t->header_count };
}

/* What the document has of it; else what is here stays.  Returns its address. */
static rx_str
unseal(struct config_run *run, struct tee *t, rx_json body)
{
    rx_json box;

    if (!rx_json_get_object(body, "sealed", &box))
        return (rx_str){ 0 };
    rx_str url = marked(run, box, "url");
    rx_str secret = marked(run, box, "secret");
    rx_str headers = marked(run, box, "headers");
    rx_json_no_more(box);
    if (secret.len > 0) {
        t->secret = secret;
        t->last4 = field_last4(run->arena, secret);
    }
    if (headers.len > 0 && headers.ptr[0] == '{')
        take_headers(run, t, headers);
    return url;
}

static void *
read_tee(struct config_run *run, void *noun, rx_json body, enum field_mode mode)
{
    struct tee *t = noun != NULL ? noun : tee_new(run->arena);
    bool sealed = rx_json_there(rx_json_member(body, "sealed"));
    size_t before = rx_json_fault_count(body.doc);

    rx_str url = unseal(run, t, body);
    tee_read(t, body,
        mode == FIELD_CREATE && !sealed ? FIELD_CREATE : FIELD_PATCH,
        run->arena);
    if (t->name.len == 0)
        field_read_name(body, FIELD_CREATE, true, &t->name);
    t->drawn = false;
    if (url.len > 0 && tee_set_url(t, url, run->arena, NULL) != RX_OK)
        rx_json_wrong_member(body, "sealed", "its address is none");
    if (rx_json_fault_count(body.doc) > before || t->sink == TEE_FILE ||
        t->url.len > 0)
        return t;
    t->status = RX_S("disabled");
    config_warn(run, body,
        "its address is not in the document; enter it with PATCH "
        "/api/tees/%.64s; it is disabled until then",
        t->name.ptr);
    return t;
}

static enum rx_code
save_tee(struct config_run *run, void *noun, rx_json body, struct rx_err *err)
{
    (void)body;
    return tee_save(run->store, run->arena, noun, err);
}

static enum rx_code
remove_tee(struct config_run *run, void *noun, struct rx_err *err)
{
    return tee_delete(run->store, noun, err);
}

static const char *const tee_hidden[] = { "id", "url", "header_names", "secret",
    "secret_last4", "sent", "lost", "behind", "last_at", "last_status",
    "last_error", "created_at", "updated_at", NULL };

const struct config_kind config_tees = {
    .name = "tees",
    .noun = "tee",
    .hidden = tee_hidden,
    .name_of = tee_name,
    .list = list_tees,
    .find = find_tee,
    .put = put_tee,
    .put_marks = put_tee_marks,
    .read = read_tee,
    .save = save_tee,
    .remove = remove_tee,
    .secrets = tee_secrets,
};
