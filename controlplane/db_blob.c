/*
 * Blobs that can be put together, as functions of SQL.
 */
#include <stdio.h>
#include <stdlib.h>

#include "controlplane/db_parts.h"

#define BLOB_MAX ((size_t)1 << 20)

static void
take_blob(const struct db_blob_kind *kind, void *state, sqlite3_value *value)
{
    const char *ptr = sqlite3_value_blob(value);

    if (ptr != NULL)
        kind->add(state, (rx_str){ ptr, (size_t)sqlite3_value_bytes(value) });
}

static void
give_blob(sqlite3_context *to, const struct db_blob_kind *kind, void *state)
{
    struct rx_buf out;

    rx_buf_init(&out, BLOB_MAX);
    kind->give(state, &out);
    sqlite3_result_blob64(
        to, out.len > 0 ? out.ptr : "", out.len, SQLITE_TRANSIENT);
    rx_buf_fini(&out);
}

static void
merge_blobs(sqlite3_context *to, int count, sqlite3_value **values)
{
    const struct db_blob_kind *kind = sqlite3_user_data(to);
    void *state = calloc(1, kind->size);

    if (state == NULL)
        abort();
    for (int i = 0; i < count; i++)
        take_blob(kind, state, values[i]);
    give_blob(to, kind, state);
    free(state);
}

static void
sum_step(sqlite3_context *to, int count, sqlite3_value **values)
{
    const struct db_blob_kind *kind = sqlite3_user_data(to);
    void *state = sqlite3_aggregate_context(to, (int)kind->size);

    if (state == NULL)
        sqlite3_result_error_nomem(to);
    else if (count == 1)
        take_blob(kind, state, values[0]);
}

static void
sum_final(sqlite3_context *to)
{
    const struct db_blob_kind *kind = sqlite3_user_data(to);
    void *state = sqlite3_aggregate_context(to, 0);

    if (state == NULL)
        sqlite3_result_null(to);
    else
        give_blob(to, kind, state);
}

enum rx_code
db_define(struct db *db, const struct db_blob_kind *kind, struct rx_err *err)
{
    const int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY;
    char name[64];
    /* SQLite wants it without const, and only hands it back. */
    void *arg = (void *)(uintptr_t)kind;

    snprintf(name, sizeof(name), "%s_merge", kind->name);
    int rc = sqlite3_create_function_v2(
        db->handle, name, 2, flags, arg, merge_blobs, NULL, NULL, NULL);
    snprintf(name, sizeof(name), "%s_sum", kind->name);
    if (rc == SQLITE_OK)
        rc = sqlite3_create_function_v2(
            db->handle, name, 1, flags, arg, NULL, sum_step, sum_final, NULL);
    return rc == SQLITE_OK ? RX_OK : db_fail_now(db, rc, err);
}
