#include "controlplane/service_account.h"

#include <inttypes.h>

#include "controlplane/field.h"
#include "shared/json.h"
#include "shared/rsa.h"
#include "shared/secret.h"
#include "shared/url.h"

#define SCOPE     "https://www.googleapis.com/auth/cloud-platform"
#define LIFE_S    3600 /* no longer is allowed */
#define JWT_MAX   ((size_t)16 * 1024)
#define GRANT     "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer"
#define TOKEN_URI "https://oauth2.googleapis.com/token"

bool
service_account_like(rx_str secret)
{
    secret = rx_str_trim(secret);
    return secret.len > 0 && secret.ptr[0] == '{';
}

static rx_str
member(rx_json root, const char *name, struct rx_arena *arena)
{
    return field_keep(arena, rx_json_str(rx_json_find(root, name)));
}

static enum rx_code
check(const struct service_account *a, rx_str type, struct rx_err *err)
{
    struct rx_url url;
    struct rx_err why = { 0 };

    if (!rx_str_eq(type, RX_S("service_account")))
        return rx_fail(err, RX_INVALID,
            "must be a service account's key file (\"type\": "
            "\"service_account\")");
    if (a->email.len == 0)
        return rx_fail(err, RX_INVALID, "has no \"client_email\"");
    if (rx_rsa_check(a->private_key, &why) != RX_OK)
        return rx_fail(err, RX_INVALID, "\"private_key\" %s", why.text);
    if (rx_url_split(a->token_uri, &url, &why) != RX_OK)
        return rx_fail(err, RX_INVALID, "\"token_uri\": %s", why.text);
    return RX_OK;
}

enum rx_code
service_account_read(rx_str text, struct rx_arena *arena,
    struct service_account *out, struct rx_err *err)
{
    struct rx_json_doc *doc;

    *out = (struct service_account){ 0 };
    if (text.len > SERVICE_ACCOUNT_MAX ||
        rx_json_parse(&doc, text, NULL, NULL) != RX_OK)
        return rx_fail(err, RX_INVALID, "is no JSON text of at most 16 KiB");
    rx_json root = rx_json_root(doc);
    out->email = member(root, "client_email", arena);
    out->private_key = member(root, "private_key", arena);
    out->key_id = member(root, "private_key_id", arena);
    out->project = member(root, "project_id", arena);
    out->token_uri = member(root, "token_uri", arena);
    if (out->token_uri.len == 0)
        out->token_uri = RX_S(TOKEN_URI);
    enum rx_code code = check(out, member(root, "type", arena), err);
    rx_json_free(doc);
    return code;
}

bool
service_account_compact(rx_str text, struct rx_buf *out)
{
    struct rx_json_doc *doc;

    if (text.len > SERVICE_ACCOUNT_MAX ||
        rx_json_parse(&doc, text, NULL, NULL) != RX_OK)
        return false;
    rx_json_print(rx_json_root(doc), false, out);
    rx_json_free(doc);
    return !out->full;
}

/* ---- the assertion -------------------------------------------------------- */

static void
add_text(struct rx_buf *out, const char *before, rx_str text)
{
    rx_buf_addf(out, "%s\"", before);
    rx_buf_add_json(out, text);
    rx_buf_addc(out, '"');
}

static void
add_part(struct rx_buf *out, struct rx_buf *json)
{
    rx_base64url(rx_buf_str(json), out);
    rx_buf_clear(json);
}

/* header.claims, both in base64url */
static void
add_claims(const struct service_account *a, uint64_t wall_s, struct rx_buf *out)
{
    struct rx_buf json;

    rx_buf_init(&json, JWT_MAX);
    rx_buf_add(&json, RX_S("{\"alg\":\"RS256\",\"typ\":\"JWT\""));
    if (a->key_id.len > 0)
        add_text(&json, ",\"kid\":", a->key_id);
    rx_buf_addc(&json, '}');
    add_part(out, &json);
    rx_buf_addc(out, '.');
    add_text(&json, "{\"iss\":", a->email);
    add_text(&json, ",\"scope\":", RX_S(SCOPE));
    add_text(&json, ",\"aud\":", a->token_uri);
    rx_buf_addf(&json, ",\"iat\":%" PRIu64 ",\"exp\":%" PRIu64 "}", wall_s,
        wall_s + LIFE_S);
    add_part(out, &json);
    rx_buf_fini(&json);
}

enum rx_code
service_account_grant(const struct service_account *a, uint64_t wall_s,
    struct rx_buf *out, struct rx_err *err)
{
    struct rx_buf jwt, signature;

    rx_buf_init(&jwt, JWT_MAX);
    rx_buf_init(&signature, JWT_MAX);
    add_claims(a, wall_s, &jwt);
    enum rx_code code =
        rx_rsa_sign(a->private_key, rx_buf_str(&jwt), &signature, err);
    if (code == RX_OK) {
        rx_buf_add(out, RX_S(GRANT "&assertion="));
        rx_buf_add(out, rx_buf_str(&jwt));
        rx_buf_addc(out, '.');
        rx_base64url(rx_buf_str(&signature), out);
    }
    rx_buf_fini(&jwt);
    rx_buf_fini(&signature);
    return code;
}
