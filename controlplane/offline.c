/*
 * What is done to a store that nobody has open.
 */
#include <inttypes.h>
#include <stdio.h>

#include "controlplane/backup.h"
#include "controlplane/control.h"
#include "controlplane/store.h"

static enum rx_code
find_place(struct control *c, struct rx_err *err)
{
    struct place_wishes wishes = {
        .data_dir = c->options.data_dir,
        .database = c->options.db_path,
        .master_key = c->options.key_file,
    };

    return place_prepare(&c->place, &wishes, err);
}

int
offline_forget_secrets(struct control *c, struct rx_err *err)
{
    struct rx_buf names;
    enum rx_code code = find_place(c, err);

    rx_buf_init(&names, 1 << 20);
    if (code == RX_OK)
        code = store_forget_secrets(
            c->place.database, c->place.master_key, &names, err);
    if (code != RX_OK)
        fprintf(stderr, "routex-control: %s\n", err->text);
    else
        printf("What the lost master key sealed is forgotten; a new one is "
               "made at the next start.\nClient keys, rules and usage are as "
               "they were.  Disabled until they have a key\nagain (routex "
               "channel edit NAME --api-key-stdin --status enabled):\n%s\n",
            names.len > 0 ? names.ptr : "(no channel)");
    rx_buf_fini(&names);
    return code == RX_OK ? 0 : 1;
}

/* Put a backup in the place of a store that nobody has open. */
int
offline_restore(struct control *c, struct rx_err *err)
{
    struct backup_done done;
    enum rx_code code = find_place(c, err);

    if (code == RX_OK)
        code = store_is_free(c->place.database, err);
    if (code == RX_OK)
        code =
            backup_restore_offline(&c->place, c->options.restore, &done, err);
    if (code != RX_OK) {
        fprintf(stderr, "routex-control: %s\n", err->text);
        return 1;
    }
    printf("%s is in place; %" PRIu64 " requests that came after it were kept",
        c->options.restore, done.merged.requests);
    if (done.merged.unreadable > 0)
        printf(", %" PRIu64 " could not be read", done.merged.unreadable);
    printf(".\n");
    if (done.merged.left[0] != '\0')
        printf("Could not be carried over: %s.\n", done.merged.left);
    printf("The store that was there is %s\n", done.aside);
    return 0;
}

int
offline_compact(struct control *c, struct rx_err *err)
{
    uint64_t before, after;
    enum rx_code code = find_place(c, err);

    if (code == RX_OK)
        code = store_compact(c->place.database, &before, &after, err);
    if (code != RX_OK)
        fprintf(stderr, "routex-control: %s\n", err->text);
    else
        printf("%s had %" PRIu64 " bytes and has %" PRIu64 " now.\n",
            c->place.database, before, after);
    return code == RX_OK ? 0 : 1;
}
