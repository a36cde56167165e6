/*
 * The store is opened, and filled at the very first start.
 */
#include <stdio.h>
#include <string.h>

#include "controlplane/backup.h"
#include "controlplane/control.h"
#include "controlplane/first.h"
#include "controlplane/publisher.h"
#include "controlplane/settings.h"
#include "controlplane/store.h"

/* Words for whoever starts Routex for the first time. */
static void
print_first(const struct control *c, const struct first_words *words)
{
    struct rx_buf line;

    if (words->admin_token.len == 0)
        return;
    rx_buf_init(&line, 8192);
    if (c->options.json) {
        struct rx_json_out w = rx_json_out(&line);
        rx_json_open_object(&w, NULL);
        rx_json_put_str(&w, "admin_token", words->admin_token);
        rx_json_put_str(&w, "client_key", words->client_key);
        rx_json_close(&w);
        rx_buf_addc(&line, '\n');
    } else {
        rx_buf_addf(&line,
            "\nThis is a new store.  Keep these two, they are shown only now:\n"
            "\n  admin token  " RX_STR_FMT "\n  client key   " RX_STR_FMT
            "\n\nThe token is for the admin API and `routex`, the key is for "
            "clients.\n\n",
            RX_STR_ARG(words->admin_token), RX_STR_ARG(words->client_key));
    }
    fwrite(line.ptr, 1, line.len, stdout);
    fflush(stdout);
    rx_wipe(line.ptr, line.len);
    rx_buf_fini(&line);
}

/* What the environment wants, as a body of PATCH /api/settings. */
static void
put_wishes(const struct options *o, struct rx_buf *out)
{
    struct rx_json_out w = rx_json_out(out);

    rx_json_open_object(&w, NULL);
    if (o->strategy != NULL)
        rx_json_put_str(
            &w, "strategy", (rx_str){ o->strategy, strlen(o->strategy) });
    if (o->session_s != NULL)
        rx_json_put_raw(&w, "session_ttl_s",
            (rx_str){ o->session_s, strlen(o->session_s) });
    rx_json_close(&w);
}

static enum rx_code
save_wishes(struct control *c, struct rx_arena *arena, struct rx_err *err)
{
    struct settings s;
    struct rx_buf text;

    rx_buf_init(&text, 4096);
    put_wishes(&c->options, &text);
    enum rx_code code = settings_load(c->store, arena, &s, err);
    if (code == RX_OK)
        code = settings_wish(&s, arena, rx_buf_str(&text), err);
    if (code == RX_OK)
        code = settings_save(c->store, &s, err);
    rx_buf_fini(&text);
    return code;
}

static enum rx_code
obey_environment(struct control *c, struct rx_arena *arena, struct rx_err *err)
{
    if (c->options.strategy == NULL && c->options.session_s == NULL)
        return RX_OK;
    enum rx_code code = store_begin(c->store, err);
    if (code != RX_OK)
        return code;
    code = save_wishes(c, arena, err);
    if (code == RX_OK)
        return store_commit(c->store, err);
    store_rollback(c->store);
    return code;
}

enum rx_code
control_open_store(struct control *c, struct rx_err *err)
{
    struct first_words words;
    struct rx_arena *arena = rx_arena_new((size_t)16 << 20);
    enum rx_code code = backup_check_store(&c->place, err);
    if (code == RX_OK)
        code =
            store_open(&c->store, c->place.database, c->place.master_key, err);

    if (code == RX_OK)
        code = first_start(c->store, arena, c->options.demo_url, &words, err);
    if (code == RX_OK)
        print_first(c, &words);
    if (code == RX_OK)
        code = obey_environment(c, arena, err);
    rx_arena_free(arena);
    return code;
}

enum rx_code
control_next_epoch(struct store *s, uint64_t *out, struct rx_err *err)
{
    uint64_t stored;
    enum rx_code code = store_get(s, "epoch", &stored, err);

    if (code == RX_OK)
        code = store_begin(s, err);
    if (code != RX_OK)
        return code;
    *out = publisher_next_epoch(stored);
    code = store_set(s, "epoch", *out, err);
    if (code == RX_OK)
        return store_commit(s, err);
    store_rollback(s);
    return code;
}
