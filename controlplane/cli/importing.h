/*
 * importing.h - other people's configurations, made into a document of ours.
 *
 *   file ──import_<system>──> struct importing ──> document
 *                                            └───> what could not be carried over
 *
 * A converter says what it found, item by item; names are made fit, presets
 * recognised and addresses trimmed here, once for all.
 */
#ifndef CLI_IMPORTING_H
#define CLI_IMPORTING_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/arena.h"
#include "shared/buf.h"
#include "shared/err.h"
#include "shared/json.h"
#include "shared/map.h"

struct importing {
    struct rx_arena *arena;
    struct rx_map *names; /* taken by channels, lower case */
    struct rx_map *known; /* what they called it: our name of the channel */
    struct rx_buf channels, rules, keys, settings, report;
    struct rx_json_out channel_w, rule_w, key_w, setting_w, report_w;
    size_t noted;
};

/* An account as it was found; what is empty was not said. */
struct found_channel {
    rx_str known_as; /* how their rules name it; empty: by its name */
    rx_str name;
    rx_str url; /* may name an endpoint: ".../chat/completions" */
    rx_str key;
    rx_str dialect;      /* "anthropic", "chat", "responses", "gemini" */
    rx_str type;         /* one of ours, where that is sure */
    rx_str models;       /* JSON list */
    rx_str headers;      /* JSON object */
    rx_str transformers; /* JSON object of ours */
    rx_str proxy_url;
    const char *status; /* NULL: enabled */
    int64_t priority;   /* INT64_MIN: not said */
    uint64_t weight;    /* 0: not said */
};
#define FOUND_CHANNEL         \
    {                         \
        .priority = INT64_MIN \
    }

void importing_init(struct importing *im);
void importing_fini(struct importing *im);
/* The document, when all is found. */
void importing_document(struct importing *im, struct rx_buf *out);

/* Our name of it, in the arena. */
rx_str import_channel(struct importing *im, const struct found_channel *found);
/* Our name of a channel they called so; empty: there is none. */
rx_str import_known(const struct importing *im, rx_str theirs);
/* A client key by its text. */
void import_key(struct importing *im, rx_str name, rx_str text, bool enabled,
    rx_str expires, rx_str models);
/* It is not carried over, because ... */
void import_note(struct importing *im, rx_str item, const char *fmt, ...)
    RX_PRINTF(3, 4);

/* Texts that outlive the file they were read from. */
rx_str import_keep(struct importing *im, rx_str s);
rx_str import_text(struct importing *im, const char *fmt, ...) RX_PRINTF(2, 3);
/* Parsed in the arena; not there when it is no JSON. */
rx_json import_json(struct importing *im, rx_str text);

typedef enum rx_code import_fn(
    struct importing *im, const char *file, struct rx_err *err);
import_fn import_ccr, import_ccflare, import_better_ccflare, import_llmio,
    import_dctx_routex, import_cc_switch;

/* JSON5 made JSON: comments, trailing commas, bare names, single quotes. */
void import_plain_json(rx_str text, struct rx_buf *out);

#endif
