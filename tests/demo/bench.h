/*
 * bench.h - the same tiny answer for everybody, made once, sent at once; and a
 * stream of 64 deltas, one every 20 ms.  For measuring what is in front of it.
 */
#ifndef DEMO_BENCH_H
#define DEMO_BENCH_H

#include <stdbool.h>

#include "shared/httpd.h"
#include "shared/loop.h"
#include "tests/demo/play.h"
#include "tests/demo/recipe.h"
#include "tests/demo/script.h"

#define BENCH_DIALECTS 4

struct bench {
    struct rx_loop *loop;
    struct recipe paced;
    struct script whole[BENCH_DIALECTS];
    struct script stream[BENCH_DIALECTS];
};

void bench_init(struct bench *b, struct rx_loop *loop);
void bench_fini(struct bench *b);
/*
 * Answer the request; false when it is none to a model.  A stream leaves its
 * struct play as the request's user.
 */
bool bench_answer(struct bench *b, struct rx_httpd_req *req);
/* Is this play the bench's?  Then it is ended with bench_end(). */
bool bench_owns(const struct bench *b, const struct play *p);
void bench_end(struct play *p);

#endif
