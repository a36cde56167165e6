/*
 * tees_parts.h - what the files that run tees share.
 */
#ifndef CONTROLPLANE_TEES_PARTS_H
#define CONTROLPLANE_TEES_PARTS_H

#include "controlplane/tees.h"
#include "shared/fetch.h"

#define GATHER_MS  100 /* rows wait so long for company */
#define SAVE_MS    2000
#define BATCH_ROWS ((size_t)200)
#define BATCH_MAX  ((size_t)8 << 20)
#define BACKOFF_MS ((uint64_t)1000)

/* One sink at work. */
struct runner {
    struct tees *owner;
    struct rx_arena *arena; /* of `tee` */
    struct tee *tee;
    struct rx_timer due;
    struct rx_transfer *transfer; /* NULL: none is under way */
    struct rx_buf batch;
    size_t rows;       /* in the batch */
    size_t most;       /* … at most: less after "too large" */
    uint64_t upto;     /* looked at, for the batch */
    uint64_t failures; /* in a row */
    bool dirty;        /* not saved as it is */
    char why[164];     /* what last_error says */
    bool kept;         /* seen in the store at the last reading */
};

struct counts {
    uint64_t *sent, *lost, *failed;
};

struct tees {
    struct tees_options options;
    struct usage_sink inner;
    struct runner *at[TEE_MOST];
    size_t count;
    struct rx_timer save;
    struct rx_timer again; /* read them anew */
    struct counts counts[TEE_SINK_COUNT];
    uint64_t unseen; /* where is counted until somebody looks */
};

/* A batch begins, where the last one ended. */
void tee_open_batch(struct runner *r);
/* Nothing more comes into it. */
void tee_close_batch(struct runner *r);
/* Some more rows.  False: the store could not be read now. */
bool tee_gather(struct runner *r, uint64_t newest);
/* What became of the last one, for people; stored soon. */
void tee_note(struct runner *r, uint64_t status, const char *why);
/* It goes where the tee says; what comes of it is noted, and what is next is
 * seen to. */
void tee_send_batch(struct runner *r);

#endif
