/*
 * recipe.h - the little language that tells the demo provider how to behave.
 *
 *     [[demo status=429 retry-after=3]]          in the last user text
 *     x-demo: delay-ms=200 events=64             as a request header
 *     demo-429, demo-stall, demo-events=9+gzip   as a model name
 *     --always "status=503"                      for a whole instance
 *
 * Words are separated by blanks (by '+' in a model name): name, name=value or
 * name="value with blanks".  tests/demo/README.md describes each of them.
 */
#ifndef DEMO_RECIPE_H
#define DEMO_RECIPE_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/err.h"
#include "shared/str.h"

#define RECIPE_NEVER UINT64_MAX
#define RECIPE_WORD  96

/* Numbers that were not given are RECIPE_NEVER, texts are empty. */
struct recipe {
    /* the head */
    uint64_t status;
    uint64_t retry_after_s;
    char error[RECIPE_WORD];   /* error type or code, else by status */
    char message[RECIPE_WORD]; /* error text */
    char body[RECIPE_WORD];    /* html, empty or garbage instead of an error */
    char headers[4][RECIPE_WORD]; /* "name:value" */
    uint64_t gzip;
    /* what is said */
    uint64_t bytes;
    uint64_t events;
    char text[RECIPE_WORD];
    char stop[RECIPE_WORD]; /* length, refusal, stop-sequence */
    uint64_t think;
    uint64_t tool;
    uint64_t parallel;
    uint64_t input, output, reasoning, cache_read, cache_write; /* tokens */
    /* when */
    uint64_t delay_ms;       /* before the head */
    uint64_t first_delay_ms; /* between head and first event */
    uint64_t event_delay_ms;
    uint64_t split; /* send in pieces of so many bytes */
    /* what goes wrong */
    uint64_t cut_after_events;
    uint64_t cut_after_bytes;
    char cut[RECIPE_WORD];   /* reset or fin */
    char stall[RECIPE_WORD]; /* head, or after so many events */
    uint64_t no_terminal;
    uint64_t malformed_event; /* which one */
    char error_event[RECIPE_WORD];
    uint64_t flaky; /* so many requests of `id` fail first */
    char id[RECIPE_WORD];
};

void recipe_init(struct recipe *r);
/* Apply the words of `text`.  RX_INVALID names the word that is none. */
enum rx_code recipe_parse(
    struct recipe *r, rx_str text, char separator, struct rx_err *err);
/* What a model name of the form demo-... says; false when it says nothing. */
bool recipe_from_model(struct recipe *r, rx_str model);
/* Apply the [[demo ...]] in an escaped JSON text, if there is one. */
enum rx_code recipe_from_text(
    struct recipe *r, rx_str text, struct rx_err *err);

/* Was this number given, and is it not 0? */
static inline bool
recipe_on(uint64_t n)
{
    return n != RECIPE_NEVER && n != 0;
}
/* The number, or `otherwise` when it was not given. */
static inline uint64_t
recipe_or(uint64_t n, uint64_t otherwise)
{
    return n == RECIPE_NEVER ? otherwise : n;
}

#endif
