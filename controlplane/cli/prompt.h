/*
 * prompt.h - asking somebody who sits at a terminal.
 *
 * Whatever ends the program while a secret is typed, the terminal shows what is
 * typed again.
 */
#ifndef CLI_PROMPT_H
#define CLI_PROMPT_H

#include <stdbool.h>
#include <stddef.h>

/* Print a message of shared/messages.h with {1} and {2}, NULL if it has none. */
void prompt_say(const char *code, const char *one, const char *two);
/* The same on stderr. */
void prompt_complain(const char *code);
/* Are stdin and stdout a terminal, with nobody having said not to ask (CI)? */
bool prompt_possible(void);
/* Ask the question `code` with {1}: one line without its end and blanks around it.  False: there will be no
 * more, or it is longer than `size`. */
bool prompt_line(const char *code, const char *one, char *out, size_t size);
/* The same, unseen. */
bool prompt_secret(const char *code, const char *one, char *out, size_t size);

#endif
