/*
 * paths.h - which method and path means what: the data plane's route table.
 *
 * Matching is exact, never by prefix, except where the table says so with '*'
 * (one or more characters up to the end).  Gemini's verb is split off at the
 * last colon.
 */
#ifndef DATAPLANE_PATHS_H
#define DATAPLANE_PATHS_H

#include <stdbool.h>

#include "dataplane/dialect.h"
#include "shared/str.h"

enum path_kind {
    PATH_UNKNOWN, /* 404 */
    PATH_METHOD,  /* the path exists, the method does not: 405 */
    PATH_PROXY,   /* goes to a channel */
    PATH_MODELS,  /* the list of models, answered by us */
    PATH_MODEL,   /* one model, answered by us; `model` names it */
    PATH_HELLO,   /* 200 with nothing: are you there? */
    PATH_HEALTH,  /* GET /health */
    PATH_CONTROL, /* handed to the control plane on the same machine */
};

struct path {
    enum path_kind kind;
    enum dialect dialect; /* of the request, or the nearest one for errors */
    enum operation op;
    bool stream;       /* decided by the path (Gemini only) */
    rx_str model;      /* named in the path, percent-encoded; empty otherwise */
    rx_str verb;       /* Gemini: ":streamGenerateContent" */
    rx_str upstream;   /* path to ask the channel for; for Gemini without model
                          and verb ("/v1beta/models/") */
    const char *allow; /* PATH_METHOD: value of the allow header */
};

struct path path_find(rx_str method, rx_str path);

#endif
