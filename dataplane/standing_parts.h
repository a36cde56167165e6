/*
 * standing_parts.h - what the files behind standing.h share.
 */
#ifndef DATAPLANE_STANDING_PARTS_H
#define DATAPLANE_STANDING_PARTS_H

#include "dataplane/standing.h"
#include "shared/map.h"

#define CHANNELS_MAX ((size_t)65536)
#define KEY_MAX      ((size_t)1024)
#define CLEARED      64
#define TOUCHED      4096 /* bits */

struct standing {
    struct rx_map *own;
    struct rx_map *heard;
    uint64_t touched[TOUCHED / 64]; /* a bit by channel, for any note */
    size_t models;                  /* own notes about (channel, model) */
    struct rx_map *breakers;
    size_t open; /* breakers that are not closed */
    void (*on_windows)(void *arg);
    void *on_windows_arg;
    struct rx_map *seats;
    uint64_t turns;
    struct trouble_note cleared[CLEARED]; /* ring */
    char *cleared_text[CLEARED];
    size_t cleared_at;
    void (*on_change)(void *arg);
    void *on_change_arg;
};

/* "channel NUL credential NUL model" into `room`; empty when it is too long. */
rx_str standing_key(const struct subject *about, char room[KEY_MAX]);
/* Something changed that others are told. */
void standing_tell(struct standing *s);

#endif
