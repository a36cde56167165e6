#include "controlplane/cli/remote.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/cli/home.h"
#include "controlplane/local_token.h"
#include "shared/messages.h"

#define ANSWER_MAX ((size_t)64 << 20)
#define CALL_MS    60000
#define PATIENT_MS 3600000
#define VALUES_MAX ((size_t)2 << 20)

static const char *
from_env(const char *first, const char *second)
{
    const char *value = getenv(first);

    if ((value == NULL || value[0] == '\0') && second != NULL)
        value = getenv(second);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

static enum rx_code
take(char out[REMOTE_TEXT], const char *text, const char *what,
    struct rx_err *err)
{
    size_t len = strlen(text);

    while (len > 0 && text[len - 1] == '/')
        len--;
    if (len >= REMOTE_TEXT)
        return rx_fail(err, RX_TOO_BIG, "%s: too long", what);
    memcpy(out, text, len);
    out[len] = '\0';
    return RX_OK;
}

static enum rx_code
find_url(
    struct remote *a, const char *data_dir, const char *url, struct rx_err *err)
{
    if (url == NULL)
        url = from_env("ROUTEX_URL", NULL);
    if (url != NULL)
        return take(a->url, url, "--url", err);
    if (home_told(data_dir, "control", 0, "admin_url", a->url, REMOTE_TEXT))
        return RX_OK;
    return rx_fail(err, RX_UNAVAILABLE,
        "no control plane has run with %.100s\n"
        "Start one with `routex up`, or say where it is with --url.",
        data_dir);
}

static enum rx_code
find_token(struct remote *a, const char *data_dir, const char *token,
    struct rx_err *err)
{
    const char *file = from_env("ROUTEX_MASTER_KEY_FILE", NULL);
    char path[HOME_PATH];
    struct rx_buf local;
    enum rx_code code = RX_OK;

    if (token == NULL)
        token = from_env("ROUTEX_TOKEN", "ADMIN_API_KEY");
    if (token != NULL)
        return take(a->token, token, "--token", err);
    if (file == NULL)
        code = home_join(data_dir, "master.key", path, err);
    rx_buf_init(&local, REMOTE_TEXT);
    if (code == RX_OK)
        code = local_token(file != NULL ? file : path, &local, NULL);
    if (code == RX_OK)
        code = take(a->token, local.ptr, "local token", err);
    else
        rx_fail(err, code = RX_UNAUTHENTICATED,
            "no admin token: %.100s holds no master key to derive one from\n"
            "Give it with --token or ROUTEX_TOKEN.",
            data_dir);
    rx_buf_fini(&local);
    return code;
}

enum rx_code
remote_find(struct remote *a, const char *data_dir, const char *url,
    const char *token, struct rx_err *err)
{
    enum rx_code code;

    memset(a, 0, sizeof(*a));
    code = find_url(a, data_dir, url, err);
    return code == RX_OK ? find_token(a, data_dir, token, err) : code;
}

void
remote_fini(struct remote *a)
{
    if (a->fetch != NULL)
        rx_fetch_free(a->fetch);
    if (a->loop != NULL)
        rx_loop_free(a->loop);
    a->fetch = NULL;
    a->loop = NULL;
}

/* ---- one exchange, waited for ---- */

struct waiting {
    struct remote_answer *answer;
    struct rx_loop *loop;
    enum rx_code code;
    char why[160];
};

static void
on_answer(void *arg, const struct rx_transfer_result *result)
{
    struct waiting *w = arg;

    w->code = result->code;
    snprintf(w->why, sizeof(w->why), "%s", result->why);
    w->answer->status = result->status;
    w->answer->ms = result->total_ms;
    rx_buf_add(&w->answer->body, result->body);
    rx_loop_stop(w->loop);
}

void
remote_prepare(struct remote *a)
{
    if (a->loop == NULL) {
        a->loop = rx_loop_new();
        a->fetch = rx_fetch_new(a->loop);
    }
}

static void
prepare(struct remote *a, struct remote_answer *out)
{
    remote_prepare(a);
    memset(out, 0, sizeof(*out));
    rx_buf_init(&out->body, ANSWER_MAX);
}

static void
take_document(struct remote_answer *out)
{
    struct rx_json_limits limits = { .values = VALUES_MAX };

    if (rx_json_parse(&out->doc, rx_buf_str(&out->body), &limits, NULL) ==
        RX_OK)
        out->data = rx_json_member(rx_json_root(out->doc), "data");
    else
        out->doc = NULL;
}

enum rx_code
remote_fetch(struct remote *a, const char *method, const char *url,
    const char *const *headers, rx_str body, struct remote_answer *out,
    struct rx_err *err)
{
    struct rx_transfer_options options = {
        .method = method,
        .url = url,
        .headers = headers,
        .body = body,
        .total_ms = a->patient ? PATIENT_MS : CALL_MS,
        .max_response = ANSWER_MAX,
    };
    struct waiting w = { .answer = out, .code = RX_INTERNAL };

    prepare(a, out);
    w.loop = a->loop;
    if (rx_transfer_start(a->fetch, &options, on_answer, &w) == NULL)
        return rx_fail(err, RX_INVALID, "%.150s: cannot be asked", url);
    rx_loop_run(a->loop);
    if (w.code != RX_OK)
        return rx_fail(err, w.code, "%.60s: %.120s", url, w.why);
    take_document(out);
    return RX_OK;
}

/* The code that belongs to a status. */
static enum rx_code
code_of(int status)
{
    static const enum rx_code codes[] = {
#define ROW(name, words, status, retry) RX_##name,
        RX_CODES(ROW)
#undef ROW
    };

    if (status < 300)
        return RX_OK;
    for (size_t i = 0; i < RX_COUNT(codes); i++) {
        if (rx_code_http(codes[i]) == status)
            return codes[i];
    }
    return status < 500 ? RX_INVALID : RX_INTERNAL;
}

static enum rx_code
refused(const struct remote_answer *out, struct rx_err *err)
{
    enum rx_code code = code_of(out->status);
    rx_json root;
    rx_str words;
    rx_str field;

    if (out->doc == NULL)
        return rx_fail(err, code, "the control plane answered %d %s",
            out->status, rx_code_words(code));
    root = rx_json_root(out->doc);
    words = rx_json_str(rx_json_find(root, "error.message"));
    field = rx_json_str(rx_json_find(root, "error.field"));
    if (words.len == 0)
        return rx_fail(err, code, "the control plane answered %d", out->status);
    if (field.len == 0 || rx_str_starts(words, field)) /* it says so itself */
        return rx_fail(err, code, RX_STR_FMT, RX_STR_ARG(words));
    return rx_fail(err, code, RX_STR_FMT ": " RX_STR_FMT, RX_STR_ARG(field),
        RX_STR_ARG(words));
}

enum rx_code
remote_call(struct remote *a, const char *method, const char *path, rx_str body,
    struct remote_answer *out, struct rx_err *err)
{
    char credential[REMOTE_TEXT + 32];
    char url[2 * REMOTE_TEXT + 2048];
    char language[64];
    const char *headers[] = { credential, language, NULL, NULL, NULL };
    size_t n = 2;
    enum rx_code code;

    snprintf(
        credential, sizeof(credential), "authorization: Bearer %s", a->token);
    snprintf(language, sizeof(language), "accept-language: %s",
        rx_lang_name(rx_lang_of_environment()));
    if (body.len > 0)
        headers[n++] = "content-type: application/json";
    if (a->extra != NULL)
        headers[n++] = a->extra;
    if (snprintf(url, sizeof(url), "%s%s", a->url, path) >= (int)sizeof(url)) {
        memset(out, 0, sizeof(*out));
        return rx_fail(err, RX_TOO_BIG, "address too long");
    }
    code = remote_fetch(a, method, url, headers, body, out, err);
    if (code == RX_OK && out->status >= 300)
        code = refused(out, err);
    return code;
}

/* ---- downloads ---- */

struct download {
    struct remote_answer answer; /* a refusal: the API's JSON */
    struct rx_loop *loop;
    bool begun, refused;
    void (*fn)(void *arg, rx_str bytes);
    void *arg;
    enum rx_code code;
    char why[160];
};

/* No file that is given out begins with a brace, and every refusal does. */
static void
on_piece(void *arg, rx_str bytes)
{
    struct download *d = arg;

    if (!d->begun && bytes.len > 0) {
        d->begun = true;
        d->refused = bytes.ptr[0] == '{';
    }
    if (d->refused)
        rx_buf_add(&d->answer.body, bytes);
    else
        d->fn(d->arg, bytes);
}

static void
on_whole(void *arg, const struct rx_transfer_result *result)
{
    struct download *d = arg;

    d->code = result->code;
    d->answer.status = result->status;
    snprintf(d->why, sizeof(d->why), "%s", result->why);
    rx_loop_stop(d->loop);
}

enum rx_code
remote_download(struct remote *a, const char *path,
    void (*fn)(void *arg, rx_str bytes), void *arg, struct rx_err *err)
{
    struct download d = { .fn = fn, .arg = arg, .code = RX_INTERNAL };
    char credential[REMOTE_TEXT + 32], url[2 * REMOTE_TEXT + 2048];
    const char *headers[] = { credential, NULL };
    struct rx_transfer_options options = {
        .method = "GET",
        .url = url,
        .headers = headers,
        .total_ms = UINT32_MAX,
        .on_bytes = on_piece,
    };

    snprintf(
        credential, sizeof(credential), "authorization: Bearer %s", a->token);
    if (snprintf(url, sizeof(url), "%s%s", a->url, path) >= (int)sizeof(url))
        return rx_fail(err, RX_TOO_BIG, "address too long");
    prepare(a, &d.answer);
    d.loop = a->loop;
    if (rx_transfer_start(a->fetch, &options, on_whole, &d) == NULL)
        d.code = rx_fail(err, RX_INVALID, "%.150s: cannot be asked", url);
    else
        rx_loop_run(a->loop);
    if (d.why[0] != '\0' && d.code != RX_OK)
        rx_fail(err, d.code, "%.60s: %.120s", url, d.why);
    take_document(&d.answer);
    if (d.code == RX_OK && d.answer.status >= 300)
        d.code = refused(&d.answer, err);
    remote_answer_fini(&d.answer);
    return d.code;
}

void
remote_answer_fini(struct remote_answer *answer)
{
    rx_json_free(answer->doc);
    rx_buf_fini(&answer->body);
    memset(answer, 0, sizeof(*answer));
}
