/*
 * One request to a token endpoint, and those who wait for it.
 */
#include <stdlib.h>
#include <string.h>

#include "controlplane/oauth_parts.h"
#include "shared/clock.h"

#define CONNECT_MS 10000
#define TOTAL_MS   30000
#define ARENA_MAX  ((size_t)4 << 20)
#define BODY_MAX   ((size_t)64 << 10)

struct waiting {
    struct rx_link link;
    struct oauth_waiter who;
};

struct ask *
oauth_ask_new(struct oauth *o, const struct oauth_actor *actor)
{
    struct ask *a = calloc(1, sizeof(*a));

    if (a == NULL)
        abort();
    a->oauth = o;
    a->arena = rx_arena_new(ARENA_MAX);
    if (actor != NULL) {
        a->actor.name = field_keep(a->arena, actor->name);
        a->actor.kind = field_keep(a->arena, actor->kind);
        a->actor.id = field_keep(a->arena, actor->id);
        a->actor.address = field_keep(a->arena, actor->address);
    }
    rx_list_init(&a->waiters);
    rx_list_append(&o->asks, &a->link);
    return a;
}

/* ---- the request ------------------------------------------------------------- */

struct member {
    const char *name;
    rx_str value; /* empty: left out */
};

static void
write_form(struct rx_buf *out, const struct member *members, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (members[i].value.len == 0)
            continue;
        rx_buf_addf(out, "%s%s=", out->len > 0 ? "&" : "", members[i].name);
        oauth_escape(out, members[i].value);
    }
}

static void
write_json(struct rx_buf *out, const struct member *members, size_t count)
{
    struct rx_json_out w = rx_json_out(out);

    rx_json_open_object(&w, NULL);
    for (size_t i = 0; i < count; i++) {
        if (members[i].value.len > 0)
            rx_json_put_str(&w, members[i].name, members[i].value);
    }
    rx_json_close(&w);
}

static bool
is_json(const struct oauth_provider *p)
{
    return strcmp(p->encoding, "json") == 0;
}

static void
write_body(const struct ask *a, struct rx_buf *out)
{
    const struct oauth_provider *p = a->provider;
    const struct oauth_login *l = a->login;
    rx_str none = { 0 };
    const struct member members[] = {
        { "grant_type",
            l != NULL ? RX_S("authorization_code") : RX_S("refresh_token") },
        { "client_id", field_text(p->client_id) },
        { "client_secret", field_text(p->client_secret) },
        { "code", l != NULL ? a->shown : none },
        { "redirect_uri", l != NULL ? l->redirect_uri : none },
        { "code_verifier", l != NULL ? l->verifier : none },
        { "state", l != NULL && p->sends_state ? l->state : none },
        { "refresh_token", l == NULL ? a->shown : none },
    };

    if (is_json(p))
        write_json(out, members, RX_COUNT(members));
    else
        write_form(out, members, RX_COUNT(members));
}

static void
on_answer(void *arg, const struct rx_transfer_result *r)
{
    struct ask *a = arg;

    a->transfer = NULL;
    a->verdict = OAUTH_FAILED;
    if (r->code == RX_OK)
        a->verdict =
            oauth_answer_read(a->arena, r->status, r->body, &a->grant, &a->err);
    else
        rx_fail(
            &a->err, RX_UPSTREAM, "the provider did not answer: %s", r->why);
    oauth_answered(a);
}

static void
on_no_transfer(void *arg)
{
    struct ask *a = arg;

    a->verdict = OAUTH_FAILED;
    rx_fail(&a->err, RX_INVALID, "ca_file or proxy_url cannot be used");
    oauth_answered(a);
}

void
oauth_ask_send(struct ask *a)
{
    const struct oauth_provider *p = a->provider;
    const char *const headers[] = {
        is_json(p) ? "content-type: application/json"
                   : "content-type: application/x-www-form-urlencoded",
        "accept: application/json", "user-agent: routex/" ROUTEX_VERSION, NULL
    };
    struct rx_buf body;

    rx_buf_init(&body, BODY_MAX);
    write_body(a, &body);
    struct rx_transfer_options options = {
        .method = "POST",
        .url = p->token_url,
        .headers = headers,
        .body = rx_buf_str(&body),
        .proxy_url = p->proxy_url[0] != '\0' ? p->proxy_url : NULL,
        .ca_file = p->ca_file[0] != '\0' ? p->ca_file : NULL,
        .connect_ms = CONNECT_MS,
        .total_ms = TOTAL_MS,
        .max_response = OAUTH_ANSWER_MAX,
        .own_connection = true,
    };
    a->asked_ms = rx_clock_wall_ms();
    a->transfer = rx_transfer_start(a->oauth->fetch, &options, on_answer, a);
    rx_wipe(body.ptr, body.len);
    rx_buf_fini(&body);
    if (a->transfer == NULL) {
        rx_timer_init(&a->timer, a->oauth->loop, on_no_transfer, a);
        rx_timer_set(&a->timer, 0);
    }
}

/* ---- those who wait ------------------------------------------------------------ */

void
oauth_ask_wait(struct ask *a, const struct oauth_waiter *waiter)
{
    struct waiting *w;

    if (waiter == NULL)
        return;
    w = calloc(1, sizeof(*w));
    if (w == NULL)
        abort();
    w->who = *waiter;
    rx_list_append(&a->waiters, &w->link);
}

void
oauth_leave(struct oauth *o, const void *arg)
{
    struct rx_link *l, *k, *save;

    RX_LIST_FOREACH(l, &o->asks) {
        struct ask *a = RX_LIST_ITEM(l, struct ask, link);
        RX_LIST_FOREACH_SAFE(k, save, &a->waiters) {
            struct waiting *w = RX_LIST_ITEM(k, struct waiting, link);
            if (w->who.arg != arg)
                continue;
            rx_list_remove(&a->waiters, k);
            free(w);
        }
    }
}

void
oauth_ask_free(struct ask *a)
{
    struct rx_link *l;

    while ((l = rx_list_first(&a->waiters)) != NULL) {
        rx_list_remove(&a->waiters, l);
        free(RX_LIST_ITEM(l, struct waiting, link));
    }
    if (rx_link_in(&a->link))
        rx_list_remove(&a->oauth->asks, &a->link);
    rx_transfer_cancel(a->transfer);
    if (a->timer.loop != NULL)
        rx_timer_fini(&a->timer);
    rx_arena_free(a->arena);
    free(a);
}

static void
bury(void *arg)
{
    oauth_ask_free(arg);
}

void
oauth_ask_tell(
    struct ask *a, const struct oauth_account *account, struct rx_err *err)
{
    struct rx_link *l;

    while ((l = rx_list_first(&a->waiters)) != NULL) {
        struct waiting *w = RX_LIST_ITEM(l, struct waiting, link);
        rx_list_remove(&a->waiters, l);
        if (w->who.done != NULL)
            w->who.done(w->who.arg, account, err->code, err);
        free(w);
    }
}

enum rx_code
oauth_ask_keep(
    struct ask *a, const struct oauth_account *account, struct rx_err *err)
{
    enum rx_code code = RX_OK;
    struct rx_link *l;

    RX_LIST_FOREACH(l, &a->waiters) {
        struct waiting *w = RX_LIST_ITEM(l, struct waiting, link);
        if (code == RX_OK && w->who.keep != NULL)
            code = w->who.keep(w->who.arg, account, err);
    }
    return code;
}

void
oauth_ask_end(struct ask *a)
{
    rx_list_remove(&a->oauth->asks, &a->link);
    if (a->timer.loop != NULL)
        rx_timer_unset(&a->timer);
    /* The timer that called may be its own. */
    rx_loop_bury(a->oauth->loop, bury, a);
}
