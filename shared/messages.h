/*
 * messages.h - what is said to people, in their language.
 *
 * A message has a code, which never changes and which programs read, and a text
 * per language in a table of its own (messages_<language>.c), with {1} … {9}
 * for what is known only when it is said.
 *
 * Reasons that are written where they arise ("must be a whole number from 1 to
 * 8") are English; the table of a language also has phrases that fit them.
 */
#ifndef SHARED_MESSAGES_H
#define SHARED_MESSAGES_H

#include <stdbool.h>

#include "shared/buf.h"
#include "shared/str.h"

enum rx_lang {
    RX_LANG_EN,
    RX_LANG_ZH,
    RX_LANGS,
};

struct rx_words {
    const char *code; /* NULL ends the table */
    const char *text;
};
/* `english` with '*' for any run of characters: {1} … of `text`. */
struct rx_phrase {
    const char *english; /* NULL ends the table */
    const char *text;
};
extern const struct rx_words rx_messages_en[], rx_messages_zh[];
extern const struct rx_phrase rx_phrases_zh[];

/* "en", "zh-CN" */
const char *rx_lang_name(enum rx_lang lang);
/* What an Accept-Language header likes best; English if it is none of ours. */
enum rx_lang rx_lang_of_header(rx_str accept);
/* What the environment of this process says: LC_ALL, LC_MESSAGES, LANG. */
enum rx_lang rx_lang_of_environment(void);

/* The text of a code, as it stands in the table; NULL when there is none. */
const char *rx_message(enum rx_lang lang, const char *code);
/* Append it with {1} … replaced by `args`, which end with NULL. */
void rx_message_add(struct rx_buf *out, enum rx_lang lang, const char *code,
    const char *const *args);
/* Append what these English words mean; false when no phrase fits. */
bool rx_phrase_add(struct rx_buf *out, enum rx_lang lang, rx_str english);

#endif
