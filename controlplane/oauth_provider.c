#include "controlplane/oauth_provider.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "shared/attr.h"
#include "shared/url.h"

#define CHANGE_MAX ((size_t)2048)

static const struct oauth_provider presets[] = {
    {
        .name = "anthropic",
        .title = "Claude (Pro, Max, Team)",
        .client_id = "9d1c250a-e61b-44d9-88ed-5944d1962f5e",
        .client_secret = "",
        .authorize_url = "https://claude.ai/oauth/authorize",
        .token_url = "https://platform.claude.com/v1/oauth/token",
        .redirect_uri = "https://platform.claude.com/oauth/code/callback",
        .scope = "org:create_api_key user:profile user:inference "
                 "user:sessions:claude_code",
        .encoding = "json",
        .extra_query = "&code=true",
        .proxy_url = "",
        .ca_file = "",
        .sends_state = true,
        .header = "anthropic-beta",
        .header_value = "oauth-2025-04-20",
    },
    {
        .name = "openai",
        .title = "ChatGPT (Plus, Pro, Business)",
        .client_id = "app_EMoamEEZ73f0CkXaXp7hrann",
        .client_secret = "",
        .authorize_url = "https://auth.openai.com/oauth/authorize",
        .token_url = "https://auth.openai.com/oauth/token",
        .redirect_uri = "http://localhost:1455/auth/callback",
        .scope = "openid profile email offline_access",
        .encoding = "form",
        .extra_query = "&id_token_add_organizations=true"
                       "&codex_cli_simplified_flow=true",
        .proxy_url = "",
        .ca_file = "",
        .identity_header = "chatgpt-account-id",
    },
    { 0 },
};

struct oauth_providers {
    struct oauth_provider list[RX_COUNT(presets)];
    char **texts; /* of the changes */
    size_t text_count;
};

/* ---- changes --------------------------------------------------------------- */

static bool
is_local(rx_str host)
{
    return rx_str_ieq(host, RX_S("localhost")) ||
           rx_str_starts(host, RX_S("127.")) || rx_str_eq(host, RX_S("::1"));
}

/* A token must not travel in clear. */
static const char *
check_url(rx_str value)
{
    struct rx_url url;

    if (rx_url_split(value, &url, NULL) != RX_OK)
        return "must be an http:// or https:// address";
    return url.tls || is_local(url.host)
               ? NULL
               : "must be an https:// address, unless it is on this machine";
}

static const char *
check_redirect(rx_str value)
{
    return rx_str_eq(value, RX_S(OAUTH_REDIRECT_LOCAL)) ? NULL
                                                        : check_url(value);
}

static const char *
check_encoding(rx_str value)
{
    return rx_str_eq(value, RX_S("json")) || rx_str_eq(value, RX_S("form"))
               ? NULL
               : "must be json or form";
}

static const char *
check_proxy(rx_str value)
{
    return value.len == 0 || rx_url_check_proxy(value, NULL) == RX_OK
               ? NULL
               : "is no address of a proxy";
}

static const char *
check_text(rx_str value)
{
    for (size_t i = 0; i < value.len; i++) {
        if ((unsigned char)value.ptr[i] < 0x20 || value.ptr[i] == 0x7f)
            return "must be plain text";
    }
    return NULL;
}

static const struct change_row {
    const char *name;
    size_t offset;
    const char *(*check)(rx_str value);
} rows[] = {
    { "client_id", offsetof(struct oauth_provider, client_id), check_text },
    { "client_secret", offsetof(struct oauth_provider, client_secret),
        check_text },
    { "authorize_url", offsetof(struct oauth_provider, authorize_url),
        check_url },
    { "token_url", offsetof(struct oauth_provider, token_url), check_url },
    { "redirect_uri", offsetof(struct oauth_provider, redirect_uri),
        check_redirect },
    { "scope", offsetof(struct oauth_provider, scope), check_text },
    { "encoding", offsetof(struct oauth_provider, encoding), check_encoding },
    { "extra_query", offsetof(struct oauth_provider, extra_query), check_text },
    { "proxy_url", offsetof(struct oauth_provider, proxy_url), check_proxy },
    { "ca_file", offsetof(struct oauth_provider, ca_file), check_text },
};

static rx_str
text_of(const char *s)
{
    return (rx_str){ s, strlen(s) };
}

static struct oauth_provider *
find(struct oauth_provider *list, rx_str name)
{
    for (; list->name != NULL; list++) {
        if (rx_str_eq(name, text_of(list->name)))
            return list;
    }
    return NULL;
}

static char *
keep(struct oauth_providers *p, rx_str s)
{
    char *copy = calloc(1, s.len + 1);

    p->texts = realloc(p->texts, (p->text_count + 1) * sizeof(*p->texts));
    if (copy == NULL || p->texts == NULL)
        abort();
    if (s.len > 0)
        memcpy(copy, s.ptr, s.len);
    p->texts[p->text_count++] = copy;
    return copy;
}

static void
set(struct oauth_provider *to, const struct change_row *row, const char *value)
{
    memcpy((char *)to + row->offset, &value, sizeof(value));
}

/* "anthropic.token_url=https://…" */
static enum rx_code
change(struct oauth_providers *p, rx_str word, struct rx_err *err)
{
    rx_str name, field, value;

    rx_str_cut(word, '=', &field, &value);
    rx_str_cut(field, '.', &name, &field);
    struct oauth_provider *to = find(p->list, name);
    if (to == NULL || value.ptr == NULL || value.len > CHANGE_MAX)
        return rx_fail(err, RX_INVALID,
            "\"%.*s\": write it as PROVIDER.FIELD=VALUE, e.g. "
            "anthropic.client_id=…",
            (int)(word.len < 60 ? word.len : 60), word.ptr);
    for (size_t i = 0; i < RX_COUNT(rows); i++) {
        if (!rx_str_eq(field, text_of(rows[i].name)))
            continue;
        const char *wrong = rows[i].check(value);
        if (wrong != NULL)
            return rx_fail(err, RX_INVALID, RX_STR_FMT ".%s %s",
                RX_STR_ARG(name), rows[i].name, wrong);
        set(to, &rows[i], keep(p, value));
        return RX_OK;
    }
    return rx_fail(err, RX_INVALID, "\"%.*s\" has no such field",
        (int)(word.len < 60 ? word.len : 60), word.ptr);
}

static enum rx_code
change_all(struct oauth_providers *p, rx_str words, struct rx_err *err)
{
    enum rx_code code = RX_OK;
    rx_str lines = words;
    rx_str line, word;

    for (bool more = true; more && code == RX_OK;) {
        more = rx_str_cut(lines, '\n', &line, &lines);
        for (bool some = true; some && code == RX_OK;) {
            some = rx_str_cut(line, ';', &word, &line);
            word = rx_str_trim(word);
            if (word.len > 0)
                code = change(p, word, err);
        }
    }
    return code;
}

enum rx_code
oauth_providers_new(struct oauth_providers **out, const char *const *changes,
    size_t count, struct rx_err *err)
{
    struct oauth_providers *p = calloc(1, sizeof(*p));
    enum rx_code code = RX_OK;

    if (p == NULL)
        abort();
    memcpy(p->list, presets, sizeof(presets));
    for (size_t i = 0; i < count && code == RX_OK; i++)
        code = change_all(p, text_of(changes[i]), err);
    if (code != RX_OK) {
        oauth_providers_free(p);
        p = NULL;
    }
    *out = p;
    return code;
}

void
oauth_providers_free(struct oauth_providers *p)
{
    if (p == NULL)
        return;
    for (size_t i = 0; i < p->text_count; i++)
        free(p->texts[i]);
    free(p->texts);
    free(p);
}

/* ---- asking ------------------------------------------------------------------ */

const struct oauth_provider *
oauth_provider_at(const struct oauth_providers *p, size_t i)
{
    return i < RX_COUNT(presets) && p->list[i].name != NULL ? &p->list[i]
                                                            : NULL;
}

const struct oauth_provider *
oauth_provider_find(const struct oauth_providers *p, rx_str name)
{
    const struct oauth_provider *one;

    for (size_t i = 0; (one = oauth_provider_at(p, i)) != NULL; i++) {
        if (rx_str_eq(name, text_of(one->name)))
            return one;
    }
    return NULL;
}

const struct oauth_provider *
oauth_preset_find(rx_str name)
{
    for (const struct oauth_provider *p = presets; p->name != NULL; p++) {
        if (rx_str_eq(name, text_of(p->name)))
            return p;
    }
    return NULL;
}

const char *
oauth_provider_style(const struct oauth_provider *p)
{
    rx_str to = text_of(p->redirect_uri);
    size_t n = sizeof(OAUTH_CALLBACK_PATH) - 1;
    struct rx_url url;

    if (rx_str_eq(to, RX_S(OAUTH_REDIRECT_LOCAL)) ||
        (to.len > n && rx_str_eq((rx_str){ to.ptr + to.len - n, n },
                           RX_S(OAUTH_CALLBACK_PATH))))
        return "redirect";
    return rx_url_split(to, &url, NULL) == RX_OK && is_local(url.host)
               ? "loopback"
               : "paste";
}

void
oauth_provider_redirect(
    const struct oauth_provider *p, uint16_t admin_port, struct rx_buf *out)
{
    if (strcmp(p->redirect_uri, OAUTH_REDIRECT_LOCAL) == 0)
        rx_buf_addf(out, "http://127.0.0.1:%u" OAUTH_CALLBACK_PATH, admin_port);
    else
        rx_buf_add(out, text_of(p->redirect_uri));
}
