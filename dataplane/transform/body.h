/*
 * body.h - where things are in the bodies of the four dialects.
 */
#ifndef DATAPLANE_TRANSFORM_BODY_H
#define DATAPLANE_TRANSFORM_BODY_H

#include "dataplane/transform/step.h"

/* {"type": …, …} or the like: does member `name` say `word`? */
bool body_says(struct rx_edit *object, const char *name, const char *word);

/* Gemini's members may be called in either way; the first that is there. */
struct rx_edit *body_either(
    struct rx_edit *object, const char *camel, const char *snake);
/* Gemini: generationConfig, made if `make`. */
struct rx_edit *body_config(struct rx_edit *root, bool make);

/* The limit of output tokens; NULL when the request has none. */
struct rx_edit *body_limit(struct step_request *r);
void body_set_limit(struct step_request *r, uint64_t n);

/* One name per dialect; NULL where it has none. */
struct body_names {
    const char *by[DIALECT_COUNT];
};
/* The parameter, wherever the dialect keeps it. */
struct rx_edit *body_param(
    struct step_request *r, const struct body_names *names);
void body_set_param(
    struct step_request *r, const struct body_names *names, rx_str json);
void body_drop_param(struct step_request *r, const struct body_names *names);

/* Into a path: everything but letters, digits and a few marks is %41. */
void body_add_segment(struct rx_buf *b, rx_str s);

/* Remove these members; NULL ends the list. */
void body_drop_all(struct rx_edit *object, const char *const *names);

/* Chat: is a certain tool, or any, demanded?  (required, any, {…}) */
bool body_forces_tool(struct rx_edit *root);
/* Chat: a line of text joined to the system prompt, which is made if needed. */
void body_add_system(struct step_request *r, rx_str plain, bool front);

/* Chat: call fn for each tool's function object. */
void body_each_function(
    struct rx_edit *root, void (*fn)(struct rx_edit *function));
/* Chat: call fn for each message of that role; NULL: of any. */
void body_each_message(struct rx_edit *root, const char *role,
    void (*fn)(struct rx_edit *message, void *arg), void *arg);

/* Chat, an answer: the delta or message of each choice. */
struct rx_edit *body_choice(struct rx_edit *choice);
void body_each_choice(struct rx_edit *root,
    void (*fn)(struct rx_edit *message, void *arg), void *arg);
/* reasoning, thinking: become reasoning_content. */
void body_name_reasoning(struct rx_edit *message, void *arg);

/* Every cache_control, and only these: what a tool is called with is data. */
void body_each_mark(struct rx_edit *root, enum dialect dialect,
    void (*fn)(struct rx_edit *block, void *arg), void *arg);
void body_clean_cache(struct rx_edit *root, enum dialect dialect);

#endif
