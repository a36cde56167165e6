#include "controlplane/row.h"

#include "controlplane/field.h"
#include "shared/secret.h"

#define SEALED_MAX ((size_t)256 << 10)

rx_str
row_text(struct db_query *q, int column, struct rx_arena *arena)
{
    return field_keep(arena, db_str(q, column));
}

struct db_query *
row_bind_page(struct db_query *q, rx_str after, size_t limit)
{
    db_bind_str(q, 1, after);
    db_bind_u64(q, 2, limit);
    return q;
}

enum rx_code
row_end(struct db_query *q, enum rx_code code, bool found, const char *noun,
    rx_str id, struct rx_err *err)
{
    enum rx_code done = db_done(q, code == RX_OK ? err : NULL);

    if (code == RX_OK)
        code = done;
    if (code == RX_OK && !found)
        return rx_fail(err, RX_NOT_FOUND, "there is no %s \"%.*s\"", noun,
            (int)(id.len < 80 ? id.len : 80), id.ptr);
    return code;
}

enum rx_code
row_check_query(struct db_query *q, const char *noun, rx_str name, rx_str id,
    struct rx_err *err)
{
    db_bind_str(q, 1, name);
    db_bind_str(q, 2, id);
    bool taken = db_next(q);
    enum rx_code code = db_done(q, err);
    if (code == RX_OK && taken)
        return rx_fail(err, RX_CONFLICT,
            "name: there is a %s \"" RX_STR_FMT "\" already", noun,
            RX_STR_ARG(name));
    return code;
}

enum rx_code
row_unseal(struct store *s, struct rx_arena *arena, const char *place,
    rx_str id, rx_str sealed, rx_str *out, struct rx_err *err)
{
    struct rx_buf plain;

    if (sealed.len == 0)
        return RX_OK;
    rx_buf_init(&plain, SEALED_MAX);
    enum rx_code code = vault_unseal(s->vault, place, id, sealed, &plain, err);
    if (code == RX_OK)
        *out = field_keep(arena, rx_buf_str(&plain));
    if (plain.ptr != NULL)
        rx_wipe(plain.ptr, plain.len);
    rx_buf_fini(&plain);
    return code;
}

void
row_bind_sealed(struct store *s, struct db_query *q, int index,
    const char *place, rx_str id, rx_str plain)
{
    struct rx_buf sealed;

    rx_buf_init(&sealed, SEALED_MAX);
    vault_seal(s->vault, place, id, plain, &sealed);
    db_bind_blob(q, index, rx_buf_str(&sealed));
    rx_buf_fini(&sealed);
}
