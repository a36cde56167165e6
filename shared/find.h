/*
 * find.h - where a short text stands in a long one.
 *
 * Request bodies are looked through for marks that hardly ever are in them, so
 * that they are not must be found out at the speed of memory: about ten times
 * that of memmem().
 */
#ifndef SHARED_FIND_H
#define SHARED_FIND_H

#include "shared/str.h"

/* The first `word` in `text`; NULL when there is none.  An empty word is found
 * at the beginning of any text that is there. */
const char *rx_find(rx_str text, rx_str word);

#endif
