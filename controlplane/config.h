/*
 * config.h - the configuration as one document: written, compared, taken in.
 *
 *   {"format":"routex-config","version":1,
 *    "settings":{…},"tenants":[…],"channels":[…],…,"secrets":{…}}
 *
 * A member per kind (config_kinds), each object in the words of the admin API
 * without ids and times: what is called the same is the same.  So a document
 * reads the same from any store that is set up the same, and can be compared
 * line by line.
 *
 * A secret stands in the document by its fingerprint.  The secrets themselves
 * are left out, or sealed with a passphrase in the last member.
 *
 * Taking a document in happens in one transaction of the caller's: every object
 * is read by the reader of its API, saved, and compared with what was there.
 * Whoever only wants to see the difference rolls it back.
 */
#ifndef CONTROLPLANE_CONFIG_H
#define CONTROLPLANE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controlplane/field.h"
#include "controlplane/store.h"
#include "shared/json.h"
#include "shared/secret.h"

struct api_world;

#define CONFIG_FORMAT  "routex-config"
#define CONFIG_VERSION 1

/* Some of the kinds, or some of their items: "channels", "rules:long". */
struct config_selection {
    const rx_str *at;
    size_t count; /* 0: everything */
};
/* From "channels,rules:long".  RX_INVALID: there is no such kind. */
RX_NODISCARD enum rx_code config_select(struct rx_arena *arena, rx_str text,
    struct config_selection *out, struct rx_err *err);

/* A file of the agents' folder that is to be another. */
struct config_file {
    rx_str id;
    rx_str text;   /* empty: to be removed */
    rx_str before; /* empty: there was none */
    bool done;
};

/* One piece of work on the store; all it makes lives in the arena. */
struct config_run {
    struct store *store;
    const struct api_world *world; /* for what only a running router knows */
    uint16_t admin_port;
    struct rx_arena *arena;
    struct config_selection selection;
    struct field_list secrets; /* those of the document, in clear */
    /* What people should know, and keys that were made: JSON elements. */
    struct rx_buf warnings, made_keys;
    struct rx_json_out warn_w, made_w;
    uint64_t made_ms; /* order of birth of what is new */
    bool owner;       /* an owner asks: users may be seen and changed */
    struct config_file *files;
    size_t file_count, file_room;
};
void config_run_init(struct config_run *run, struct store *store,
    const struct api_world *world, struct rx_arena *arena);
void config_run_fini(struct config_run *run);
void config_warn(struct config_run *run, rx_json where, const char *fmt, ...)
    RX_PRINTF(3, 4);

/*
 * A kind of item.  `noun` is its own struct (struct channel …), in the arena.
 * A new kind is a row in config_kinds and these few functions.
 */
struct config_kind {
    const char *name; /* in the document: "channels" */
    const char *noun; /* in the audit log: "channel" */
    bool single;      /* an object that is always there, not a list */
    bool owners;      /* nobody else may see or change it */
    /* Members the API shows that are of one store only; NULL ends them. */
    const char *const *hidden;
    /* How an item is called. */
    rx_str (*name_of)(const void *noun);
    /* What tells it from others; NULL: its name does. */
    rx_str (*identity)(const void *noun);
    /* Every item, in an order that does not change by itself. */
    enum rx_code (*list)(
        struct config_run *run, void ***out, size_t *count, struct rx_err *err);
    /* The item the body means, or NULL: a new one. */
    enum rx_code (*find)(
        struct config_run *run, rx_json body, void **out, struct rx_err *err);
    /* As the API shows it, and what stands for its secrets; NULL: nothing. */
    void (*put)(struct rx_json_out *w, const void *noun);
    void (*put_marks)(struct rx_json_out *w, const void *noun);
    /* Read the body into it (NULL: new); faults go to the document. */
    void *(*read)(
        struct config_run *run, void *noun, rx_json body, enum field_mode mode);
    enum rx_code (*save)(
        struct config_run *run, void *noun, rx_json body, struct rx_err *err);
    /* NULL: cannot be removed.  keep: what is never removed as missing. */
    enum rx_code (*remove)(
        struct config_run *run, void *noun, struct rx_err *err);
    bool (*keep)(const void *noun);
    /* Give its secrets to add(); NULL: it has none. */
    void (*secrets)(
        const void *noun, void (*add)(void *arg, rx_str secret), void *arg);
    /* It was read with a secret that does not show; NULL: they all show. */
    bool (*brings)(const void *noun);
};
/* In the order of their references; ends with NULL. */
extern const struct config_kind *const config_kinds[];

bool config_selected(
    const struct config_run *run, const struct config_kind *kind, rx_str name);
/* Is any item of the kind selected? */
bool config_selected_kind(
    const struct config_run *run, const struct config_kind *kind);
/* One item as it stands in a document. */
void config_put_item(struct rx_json_out *w, const char *key,
    const struct config_kind *kind, const void *noun, struct rx_arena *arena);
/* The mark of a secret: 16 hexadecimal digits. */
#define CONFIG_MARK_SIZE 17
void config_mark(rx_str secret, char out[CONFIG_MARK_SIZE]);

/* ---- out ---- */

/* A passphrase's key and what it was made with: rx_key_stretch(). */
struct config_seal {
    unsigned char salt[RX_SALT_SIZE];
    struct rx_key key;
};
/* As an object; secrets are left out when `seal` is NULL. */
RX_NODISCARD enum rx_code config_export(struct config_run *run,
    struct rx_json_out *w, const char *key, const struct config_seal *seal,
    struct rx_err *err);

/* ---- in ---- */

enum config_mode {
    CONFIG_MERGE,   /* what the document does not mention stays */
    CONFIG_REPLACE, /* kinds it mentions are as it says, and nothing else */
};
struct config_change {
    const struct config_kind *kind;
    const char *action; /* "added", "changed", "removed" */
    rx_str id, name;
    rx_str before, after; /* JSON; empty: none */
};
struct config_result {
    struct config_change *changes;
    size_t change_count, change_room;
    size_t added, changed, removed, unchanged;
};
/* The salt of its sealed secrets.  False: there are none, or they are broken. */
bool config_salt(rx_json doc, unsigned char salt[RX_SALT_SIZE]);
/*
 * Inside a transaction.  `key` opens the secrets, NULL: they stay closed.
 * RX_INVALID: the document has faults, all of them noted
 * in it; nothing may be committed then.
 */
RX_NODISCARD enum rx_code config_import(struct config_run *run, rx_json doc,
    enum config_mode mode, const struct rx_key *key, struct config_result *out,
    struct rx_err *err);
/*
 * What an import wants in the agents' folder, just before its commit; undone
 * when that fails.  On failure nothing is different.
 */
RX_NODISCARD enum rx_code config_files_write(
    struct config_run *run, struct rx_err *err);
void config_files_undo(struct config_run *run);
/* The difference, as members of the open object.  `dry`: it will be rolled
 * back, and keys that were made are worth nothing. */
void config_put_result(struct config_run *run, struct rx_json_out *w,
    const struct config_result *result, bool dry);

#endif
