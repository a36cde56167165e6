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

/* Are stdin and stdout a terminal, with nobody having said not to ask (CI)? */
bool prompt_possible(void);
/* One line without its end and blanks around it.  False: there will be no
 * more, or it is longer than `size`. */
bool prompt_line(const char *question, char *out, size_t size);
/* The same, unseen. */
bool prompt_secret(const char *question, char *out, size_t size);

#endif
