#include "controlplane/oauth_token.h"

#include <ctype.h>

#include "controlplane/field.h"
#include "shared/buf.h"
#include "shared/json.h"
#include "shared/secret.h"

#define LIFE_UNTOLD_S 3600
#define LIFE_MAX_S    ((double)366 * 24 * 3600)
#define TEXT_MAX      ((size_t)512)

/* What providers call a refresh token or a code that is good no more. */
static const char *const dead_words[] = { "invalid_grant",
    "invalid_refresh_token", "refresh_token_reused", "refresh_token_expired",
    "refresh_token_invalidated", "token_revoked" };

/* ---- texts ------------------------------------------------------------------- */

static rx_str
token_of(rx_json root, const char *name)
{
    rx_str s = rx_json_str(rx_json_find(root, name));

    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] <= 0x20 || s.ptr[i] >= 0x7F)
            return (rx_str){ 0 };
    }
    return s.len <= OAUTH_TOKEN_MAX ? s : (rx_str){ 0 };
}

/* Something that may stand in a header and before people. */
static rx_str
plain(rx_str s)
{
    if (s.len > TEXT_MAX)
        return (rx_str){ 0 };
    for (size_t i = 0; i < s.len; i++) {
        if ((unsigned char)s.ptr[i] < 0x20 || (unsigned char)s.ptr[i] > 0x7E)
            return (rx_str){ 0 };
    }
    return s;
}

/* ---- whose it is ------------------------------------------------------------- */

/* The claims of an ID token.  It came straight from the provider over TLS, so
 * its signature says nothing new (OpenID Connect Core 3.1.3.7, 6). */
static rx_json
claims_of(struct rx_arena *arena, rx_str id_token)
{
    rx_str head, payload, rest;
    struct rx_json_doc *doc;
    struct rx_buf text;
    rx_json none = { 0 };

    if (!rx_str_cut(id_token, '.', &head, &rest))
        return none;
    rx_str_cut(rest, '.', &payload, &rest);
    rx_buf_init(&text, OAUTH_ANSWER_MAX);
    bool ok = rx_unbase64url(payload, &text) &&
              rx_json_parse(&doc, rx_buf_str(&text), NULL, NULL) == RX_OK;
    rx_buf_fini(&text);
    if (!ok)
        return none;
    field_adopt(arena, doc);
    return rx_json_root(doc);
}

static rx_str
first_text(rx_str a, rx_str b)
{
    return plain(a).len > 0 ? plain(a) : plain(b);
}

static void
read_owner(struct rx_arena *arena, rx_json root, struct oauth_grant *g)
{
    rx_json claims =
        claims_of(arena, rx_json_str(rx_json_find(root, "id_token")));
    rx_json openai = { 0 };

    if (rx_json_kind(claims) == RX_JSON_OBJECT)
        openai = rx_json_member(claims, "https://api.openai.com/auth");
    g->identity = first_text(rx_json_str(rx_json_find(root, "account.uuid")),
        rx_json_str(rx_json_find(openai, "chatgpt_account_id")));
    g->email =
        first_text(rx_json_str(rx_json_find(root, "account.email_address")),
            rx_json_str(rx_json_find(claims, "email")));
}

/* ---- what was granted ---------------------------------------------------------- */

/* "expires_in" as a number, or as some write it, a text; seconds. */
static double
life_of(rx_json root)
{
    rx_json v = rx_json_find(root, "expires_in");
    uint64_t n;

    if (rx_json_kind(v) == RX_JSON_NUMBER)
        return rx_json_number(v);
    if (rx_str_u64(rx_json_str(v), &n))
        return (double)n;
    return LIFE_UNTOLD_S;
}

static enum oauth_verdict
read_grant(struct rx_arena *arena, rx_json root, struct oauth_grant *g,
    struct rx_err *err)
{
    rx_str type = rx_json_str(rx_json_find(root, "token_type"));
    double life = life_of(root);

    g->refresh = token_of(root, "refresh_token");
    g->access = token_of(root, "access_token");
    g->scope = plain(rx_json_str(rx_json_find(root, "scope")));
    read_owner(arena, root, g);
    if (g->access.len == 0) {
        rx_fail(err, RX_UPSTREAM, "the provider's answer holds no token");
        return OAUTH_FAILED;
    }
    if (type.len > 0 && !rx_str_ieq(type, RX_S("bearer"))) {
        rx_fail(err, RX_UPSTREAM, "the provider gave a token of another kind");
        g->access = (rx_str){ 0 };
        return OAUTH_FAILED;
    }
    if (!(life > 0)) {
        rx_fail(err, RX_UPSTREAM, "the provider gave a token that is over");
        return OAUTH_FAILED;
    }
    g->life_ms = (uint64_t)(1000 * (life < LIFE_MAX_S ? life : LIFE_MAX_S));
    return OAUTH_GRANTED;
}

/* ---- what was refused ------------------------------------------------------------ */

/* The machine's word for it: letters, digits and '_' only. */
static rx_str
error_word(rx_json root)
{
    static const char *const paths[] = { "error.code", "error.type", "error",
        "code" };

    for (size_t i = 0; i < RX_COUNT(paths); i++) {
        rx_str s = rx_json_str(rx_json_find(root, paths[i]));
        bool good = s.len > 0 && s.len <= 60;
        for (size_t k = 0; good && k < s.len; k++)
            good = isalnum((unsigned char)s.ptr[k]) || s.ptr[k] == '_';
        if (good)
            return s;
    }
    return (rx_str){ 0 };
}

static enum oauth_verdict
read_refusal(rx_json root, int status, struct rx_err *err)
{
    rx_str word = error_word(root);

    for (size_t i = 0; i < RX_COUNT(dead_words) && status < 500; i++) {
        if (rx_str_eq(word, field_text(dead_words[i]))) {
            rx_fail(err, RX_DENIED, "the provider says %s", dead_words[i]);
            return OAUTH_REFUSED;
        }
    }
    if (word.len > 0)
        rx_fail(err, RX_UPSTREAM, "the provider answered %d: " RX_STR_FMT,
            status, RX_STR_ARG(word));
    else
        rx_fail(err, RX_UPSTREAM, "the provider answered %d", status);
    return OAUTH_FAILED;
}

enum oauth_verdict
oauth_answer_read(struct rx_arena *arena, int status, rx_str body,
    struct oauth_grant *out, struct rx_err *err)
{
    struct rx_json_doc *doc;
    rx_json root = { 0 };
    bool good = status >= 200 && status < 300;

    *out = (struct oauth_grant){ 0 };
    if (body.len <= OAUTH_ANSWER_MAX &&
        rx_json_parse(&doc, body, NULL, NULL) == RX_OK) {
        field_adopt(arena, doc);
        root = rx_json_root(doc);
    }
    if (!good)
        return read_refusal(root, status, err);
    if (rx_json_kind(root) != RX_JSON_OBJECT) {
        rx_fail(err, RX_UPSTREAM, "the provider's answer is no JSON object");
        return OAUTH_FAILED;
    }
    return read_grant(arena, root, out, err);
}
