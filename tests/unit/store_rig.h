/*
 * store_rig.h - a store on a real file, in a folder of its own that goes with it.
 */
#ifndef TESTS_STORE_RIG_H
#define TESTS_STORE_RIG_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "controlplane/store.h"
#include "tests/unit/check.h"

static char store_folder[64], store_file[96], store_key[96];

/* The store of before, as after a restart.  Without one nothing can be shown. */
static inline struct store *
store_again(void)
{
    struct rx_err err = { 0 };
    struct store *s;

    if (store_open(&s, store_file, store_key, &err) != RX_OK) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
    return s;
}

static inline struct store *
store_new(void)
{
    snprintf(store_folder, sizeof(store_folder), "/tmp/rx-store.XXXXXX");
    if (mkdtemp(store_folder) == NULL)
        abort();
    snprintf(store_file, sizeof(store_file), "%s/routex.db", store_folder);
    snprintf(store_key, sizeof(store_key), "%s/master.key", store_folder);
    return store_again();
}

static inline void
store_end(struct store *s)
{
    char path[sizeof(store_folder) + 256];
    DIR *dir = opendir(store_folder);

    store_close(s);
    for (struct dirent *d; dir != NULL && (d = readdir(dir)) != NULL;) {
        snprintf(path, sizeof(path), "%s/%s", store_folder, d->d_name);
        (void)unlink(path);
    }
    closedir(dir);
    CHECK_INT(0, rmdir(store_folder));
}

#endif
