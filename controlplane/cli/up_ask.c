/*
 * up_ask.c - how the children of `routex up` are: first by the files they write
 * when they listen, then by their own /readyz, then by the control plane.
 */
#include <stdio.h>
#include <string.h>

#include "controlplane/cli/up_state.h"

void
up_stop_asking(struct up *u)
{
    if (u->asking != NULL)
        rx_transfer_cancel(u->asking);
    u->asking = NULL;
}

static void
note_demo(struct up *u, bool wanted)
{
    u->demo_known = true;
    if (u->demo_wanted == wanted)
        return;
    u->demo_wanted = wanted;
    if (wanted)
        child_start(&u->demo);
    else
        child_stop(&u->demo);
}

static void
on_channels(struct up *u, const struct rx_transfer_result *result)
{
    struct rx_json_doc *doc = NULL;
    bool wanted = false;

    if (result->code != RX_OK || result->status != 200 ||
        rx_json_parse(&doc, result->body, NULL, NULL) != RX_OK) {
        /* The token was taken away: what we know stays. */
        if (result->code == RX_OK)
            u->demo_known = true;
        return;
    }
    for (rx_json c = rx_json_first(rx_json_find(rx_json_root(doc), "data"));
         rx_json_there(c); c = rx_json_next(c))
        wanted |= rx_str_eq(rx_json_str(rx_json_find(c, "type")), RX_S("demo"));
    rx_json_free(doc);
    note_demo(u, wanted);
}

/* How many of our planes the control plane says are in step. */
static unsigned
count_in_sync(const struct up *u, rx_json list)
{
    unsigned n = 0;

    for (rx_json p = rx_json_first(list); rx_json_there(p);
         p = rx_json_next(p)) {
        rx_str id = rx_json_str(rx_json_find(p, "id"));

        for (unsigned i = 0; i < u->o.planes; i++) {
            if (rx_str_eq(id, (rx_str){ u->names[i], strlen(u->names[i]) }) &&
                rx_json_bool(rx_json_find(p, "in_sync")))
                n++;
        }
    }
    return n;
}

static void
on_planes(struct up *u, const struct rx_transfer_result *result)
{
    struct rx_json_doc *doc = NULL;

    if (result->code != RX_OK ||
        rx_json_parse(&doc, result->body, NULL, NULL) != RX_OK)
        return;
    /* Not let in, we cannot know, and what a plane says has to do. */
    u->in_sync = result->status != 200 ||
                 count_in_sync(u, rx_json_find(rx_json_root(doc), "data")) ==
                     u->o.planes;
    rx_json_free(doc);
}

static void
on_told(void *arg, const struct rx_transfer_result *result)
{
    struct up *u = arg;

    u->asking = NULL;
    if (u->asked == ASK_CHANNELS)
        on_channels(u, result);
    else if (u->asked == ASK_PLANES)
        on_planes(u, result);
    else if (result->code == RX_OK && result->status == 200)
        u->ready[u->asked] = true;
}

static void
ask(struct up *u, unsigned who, const char *url, const char *const *headers)
{
    struct rx_transfer_options options = {
        .method = "GET",
        .url = url,
        .headers = headers,
        .connect_ms = 1000,
        .total_ms = 5000,
        .max_response = (size_t)64 << 20,
    };

    if (u->asking != NULL)
        return;
    u->asked = who;
    u->asking = rx_transfer_start(u->fetch, &options, on_told, u);
}

/* Ask the admin API; false when there is no way in. */
static bool
ask_control(struct up *u, unsigned what, const char *path)
{
    struct remote a;
    struct rx_err err = { 0 };
    char url[REMOTE_TEXT + 64];
    char credential[REMOTE_TEXT + 32];
    const char *headers[] = { credential, NULL };

    if (remote_find(&a, u->data_dir, u->admin_url,
            u->admin_token[0] != '\0' ? u->admin_token : NULL, &err) != RX_OK)
        return false;
    snprintf(url, sizeof(url), "%s%s", a.url, path);
    snprintf(
        credential, sizeof(credential), "authorization: Bearer %s", a.token);
    ask(u, what, url, headers);
    return true;
}

void
up_ask_channels(struct up *u)
{
    if (!ask_control(u, ASK_CHANNELS, "/api/channels?limit=200"))
        u->demo_known = true;
}

/* Ask one plane that has not yet said that it can serve. */
bool
up_all_ready(struct up *u)
{
    char url[UP_URL + 16];

    for (unsigned i = 0; i < u->o.planes; i++) {
        if (u->ready[i])
            continue;
        if (home_told(u->data_dir, u->names[i], u->planes[i].pid, "ops_url",
                url, UP_URL)) {
            memcpy(url + strlen(url), "/readyz", sizeof("/readyz"));
            ask(u, i, url, NULL);
        }
        return false;
    }
    /* A plane can serve from what it kept; that may be what once was. */
    if (!u->in_sync && !ask_control(u, ASK_PLANES, "/api/planes"))
        u->in_sync = true;
    return u->in_sync;
}
