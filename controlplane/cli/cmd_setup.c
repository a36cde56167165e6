/*
 * cmd_setup.c - routex setup: three questions, each of which Enter passes over.
 *
 *   1. a channel  from a provider's preset, tried at once
 *   2. strategy   whom requests go to
 *   3. password   of the dashboard's first user
 *
 * `routex up` offers it at its first start in a terminal.
 */
#include <stdio.h>
#include <string.h>

#include "controlplane/cli/command.h"
#include "controlplane/cli/prompt.h"
#include "shared/secret.h"

#define LINE 1100 /* a password has at most 1024 bytes */
#define BODY ((size_t)64 << 10)

static const struct {
    const char *name, *code;
} strategies[] = {
    { "priority", "strategy.priority" },
    { "weighted", "strategy.weighted" },
    { "round_robin", "strategy.round_robin" },
    { "least_used", "strategy.least_used" },
    { "latency", "strategy.latency" },
    { "headroom", "strategy.headroom" },
    { "drain", "strategy.drain" },
};

/* ---- asking the control plane ---- */

/* Send `body` and wipe it; what it could not do is said. */
static bool
send_body(struct cli *c, const char *method, const char *path,
    struct rx_buf *body, struct remote_answer *answer)
{
    struct rx_err err = { 0 };

    memset(answer, 0, sizeof(*answer));
    bool good = cli_try(c, method, path, rx_buf_str(body), answer, &err);
    if (!good)
        prompt_say("setup.refused", err.text, NULL);
    if (body->ptr != NULL)
        rx_wipe(body->ptr, body->len);
    rx_buf_fini(body);
    return good;
}

static bool
get(struct cli *c, const char *path, struct remote_answer *answer)
{
    struct rx_buf none;

    rx_buf_init(&none, 16);
    return send_body(c, "GET", path, &none, answer);
}

static struct rx_json_out
begin(struct rx_buf *body)
{
    rx_buf_init(body, BODY);
    struct rx_json_out w = rx_json_out(body);
    rx_json_open_object(&w, NULL);
    return w;
}

static bool
yes(const char *code)
{
    char line[16];

    return prompt_line(code, NULL, line, sizeof(line)) &&
           (line[0] == '\0' || line[0] == 'y' || line[0] == 'Y');
}

/* ---- 1. a channel ---- */

struct wished {
    char type[64], name[80];
    char key[LINE], base_url[512];
    bool key_required, url_needed;
    char key_url[256];
};

static void
show_providers(rx_json list)
{
    unsigned n = 0;

    for (rx_json p = rx_json_first(list); rx_json_there(p);
         p = rx_json_next(p)) {
        rx_str type = rx_json_str(rx_json_find(p, "type"));
        if (rx_str_eq(type, RX_S("demo")))
            continue;
        printf("  %2u %-20.*s%s", n + 1, (int)type.len, type.ptr,
            n % 3 == 2 ? "\n" : "");
        n++;
    }
    printf("%s", n % 3 != 0 ? "\n" : "");
}

/* By its number or its name. */
static bool
take_provider(rx_json list, const char *word, struct wished *w)
{
    rx_str wanted = { word, strlen(word) };
    uint64_t number = 0, n = 0;

    (void)rx_str_u64(wanted, &number);
    for (rx_json p = rx_json_first(list); rx_json_there(p);
         p = rx_json_next(p)) {
        rx_str type = rx_json_str(rx_json_find(p, "type"));
        if (rx_str_eq(type, RX_S("demo")))
            continue;
        if (++n != number && !rx_str_ieq(type, wanted))
            continue;
        rx_str url = rx_json_str(rx_json_find(p, "key_url"));
        snprintf(w->type, sizeof(w->type), RX_STR_FMT, RX_STR_ARG(type));
        snprintf(w->key_url, sizeof(w->key_url), RX_STR_FMT, RX_STR_ARG(url));
        w->key_required = rx_json_bool(rx_json_find(p, "key_required"));
        w->url_needed = rx_json_str(rx_json_find(p, "base_url")).len == 0;
        return true;
    }
    return false;
}

static bool
ask_provider(struct cli *c, struct wished *w)
{
    struct remote_answer answer;
    char line[80];
    bool chosen = false, more = get(c, "/api/providers", &answer);

    if (more)
        show_providers(answer.data);
    while (more && !chosen) {
        more = prompt_line("setup.provider", NULL, line, sizeof(line)) &&
               line[0] != '\0';
        chosen = more && take_provider(answer.data, line, w);
        if (more && !chosen)
            prompt_say("setup.no_provider", line, NULL);
    }
    remote_answer_fini(&answer);
    return chosen;
}

static bool
ask_key(struct wished *w)
{
    const char *from = w->key_url[0] != '\0' ? w->key_url : NULL;

    return prompt_secret(from != NULL ? "setup.key_from" : "setup.key", from,
               w->key, sizeof(w->key)) &&
           (w->key[0] != '\0' || !w->key_required);
}

static bool
ask_channel(struct cli *c, struct wished *w)
{
    if (!ask_provider(c, w))
        return false;
    if (w->url_needed && (!prompt_line("setup.base_url", NULL, w->base_url,
                              sizeof(w->base_url)) ||
                             w->base_url[0] == '\0'))
        return false;
    if (!ask_key(w))
        return false;
    if (!prompt_line("setup.name", w->type, w->name, sizeof(w->name)))
        return false;
    if (w->name[0] == '\0')
        snprintf(w->name, sizeof(w->name), "%s", w->type);
    return true;
}

static bool
make_channel(struct cli *c, const struct wished *w, char id[128])
{
    struct remote_answer answer;
    struct rx_buf body;
    struct rx_json_out out = begin(&body);

    rx_json_put_text(&out, "name", w->name);
    rx_json_put_text(&out, "type", w->type);
    if (w->base_url[0] != '\0')
        rx_json_put_text(&out, "base_url", w->base_url);
    if (w->key[0] != '\0')
        rx_json_put_text(&out, "api_key", w->key);
    rx_json_close(&out);
    bool good = send_body(c, "POST", "/api/channels", &body, &answer);
    rx_str made = rx_json_str(rx_json_find(answer.data, "id"));
    snprintf(id, 128, RX_STR_FMT, RX_STR_ARG(made));
    remote_answer_fini(&answer);
    return good;
}

/* Ask the provider, and say what it said. */
static bool
try_channel(struct cli *c, const char *id)
{
    struct remote_answer answer;
    struct rx_buf path, body;

    begin(&body);
    rx_buf_addc(&body, '}');
    cli_path(&path, "/api/channels/", id, "/test");
    prompt_say("setup.asking", NULL, NULL);
    bool good = send_body(c, "POST", path.ptr, &body, &answer);
    rx_buf_fini(&path);
    bool well = good && rx_json_bool(rx_json_find(answer.data, "ok"));
    rx_str said = rx_json_str(rx_json_find(answer.data, "provider_message"));
    if (said.len == 0)
        said = rx_json_str(rx_json_find(answer.data, "message"));
    if (well)
        prompt_say("setup.works", NULL, NULL);
    if (good && !well) {
        char reason[512];
        snprintf(reason, sizeof(reason), RX_STR_FMT, RX_STR_ARG(said));
        prompt_say("setup.works_not", reason, NULL);
    }
    remote_answer_fini(&answer);
    return well;
}

static bool
change_key(struct cli *c, struct wished *w, const char *id)
{
    struct remote_answer answer;
    struct rx_buf path, body;

    if (!ask_key(w))
        return false;
    struct rx_json_out out = begin(&body);
    rx_json_put_text(&out, "api_key", w->key);
    rx_json_close(&out);
    cli_path(&path, "/api/channels/", id, "");
    bool good = send_body(c, "PATCH", path.ptr, &body, &answer);
    rx_buf_fini(&path);
    remote_answer_fini(&answer);
    return good;
}

static void
drop_channel(struct cli *c, const char *id)
{
    struct remote_answer answer;
    struct rx_buf path, none;

    rx_buf_init(&none, 16);
    cli_path(&path, "/api/channels/", id, "");
    if (send_body(c, "DELETE", path.ptr, &none, &answer))
        prompt_say("setup.dropped", NULL, NULL);
    rx_buf_fini(&path);
    remote_answer_fini(&answer);
}

static void
step_channel(struct cli *c)
{
    static struct wished w; /* large, and there is one */
    char id[128], line[16];

    prompt_say("setup.channel", NULL, NULL);
    if (!ask_channel(c, &w) || !make_channel(c, &w, id)) {
        rx_wipe(&w, sizeof(w));
        return;
    }
    while (!try_channel(c, id)) {
        if (!prompt_line("setup.what_now", NULL, line, sizeof(line)) ||
            line[0] == 'a')
            break;
        if (line[0] == 'd') {
            drop_channel(c, id);
            break;
        }
        if (line[0] == 'k' && !change_key(c, &w, id))
            break;
    }
    rx_wipe(&w, sizeof(w));
}

/* ---- 2. strategy ---- */

static void
step_strategy(struct cli *c)
{
    struct remote_answer answer;
    struct rx_buf body;
    uint64_t number = 0;
    char line[32];

    prompt_say("setup.strategy", NULL, NULL);
    if (!get(c, "/api/settings", &answer)) {
        remote_answer_fini(&answer);
        return;
    }
    rx_str now = rx_json_str(rx_json_find(answer.data, "strategy"));
    for (size_t i = 0; i < RX_COUNT(strategies); i++) {
        rx_str name = { strategies[i].name, strlen(strategies[i].name) };
        printf("  %zu %-12s ", i + 1, strategies[i].name);
        prompt_say(strategies[i].code, NULL, NULL);
        if (rx_str_eq(now, name))
            prompt_say("setup.now", NULL, NULL);
        printf("\n");
    }
    remote_answer_fini(&answer);
    if (!prompt_line("setup.number", NULL, line, sizeof(line)) ||
        line[0] == '\0' ||
        !rx_str_u64((rx_str){ line, strlen(line) }, &number) || number == 0 ||
        number > RX_COUNT(strategies))
        return;
    struct rx_json_out out = begin(&body);
    rx_json_put_text(&out, "strategy", strategies[number - 1].name);
    rx_json_close(&out);
    if (send_body(c, "PATCH", "/api/settings", &body, &answer))
        prompt_say("setup.chosen", strategies[number - 1].name, NULL);
    remote_answer_fini(&answer);
}

/* ---- 3. the dashboard's password ---- */

/* Twice the same.  False: Enter, or no more. */
static bool
ask_password(char password[LINE])
{
    static char again[LINE];

    for (;;) {
        if (!prompt_secret("setup.password", NULL, password, LINE) ||
            password[0] == '\0')
            return false;
        if (!prompt_secret("setup.again", NULL, again, LINE))
            return false;
        bool same = strcmp(password, again) == 0;
        rx_wipe(again, LINE);
        if (same)
            return true;
        prompt_say("setup.differ", NULL, NULL);
    }
}

static bool
make_user(struct cli *c, const char *name, const char *password)
{
    struct remote_answer answer;
    struct rx_buf body;
    struct rx_json_out out = begin(&body);

    rx_json_put_text(&out, "name", name);
    rx_json_put_text(&out, "password", password);
    rx_json_put_text(&out, "role", "owner");
    rx_json_close(&out);
    bool good = send_body(c, "POST", "/api/users", &body, &answer);
    remote_answer_fini(&answer);
    return good;
}

static void
step_password(struct cli *c)
{
    static char password[LINE];
    struct remote_answer answer;
    char name[80];

    prompt_say("setup.user", NULL, NULL);
    bool known = get(c, "/api/users?limit=1", &answer);
    bool any = known && rx_json_count(answer.data) > 0;
    remote_answer_fini(&answer);
    if (any)
        prompt_say("setup.users_there", NULL, NULL);
    if (!known || any)
        return;
    do {
        if (!prompt_line("setup.name", "admin", name, sizeof(name)))
            break;
        if (name[0] == '\0')
            snprintf(name, sizeof(name), "admin");
        if (!ask_password(password))
            break;
        if (make_user(c, name, password)) {
            prompt_say("setup.can_log_in", name, c->remote.url);
            break;
        }
    } while (true);
    rx_wipe(password, sizeof(password));
}

int
cmd_setup(struct cli *c, int argc, char **argv)
{
    struct rx_err err = { 0 };

    (void)argc;
    (void)argv;
    if (!prompt_possible()) {
        prompt_complain("setup.no_terminal");
        return CLI_USAGE;
    }
    if (cli_reach(c, &err) != RX_OK)
        return cli_fail(&err);
    if (c->o.first && !yes("setup.offer")) {
        prompt_say("setup.later", NULL, NULL);
        return CLI_OK;
    }
    step_channel(c);
    step_strategy(c);
    step_password(c);
    prompt_say("setup.done", NULL, NULL);
    return CLI_OK;
}
