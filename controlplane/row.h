/*
 * row.h - what the nouns that are rows with an id and a name have in common.
 */
#ifndef CONTROLPLANE_ROW_H
#define CONTROLPLANE_ROW_H

#include "controlplane/store.h"

/* A text column, in the arena. */
rx_str row_text(struct db_query *q, int column, struct rx_arena *arena);
/*
 * The end of loading one: `code` is how reading it went, `found` whether there
 * was one to read.  RX_NOT_FOUND: "there is no <noun> "<id>"".
 */
RX_NODISCARD enum rx_code row_end(struct db_query *q, enum rx_code code,
    bool found, const char *noun, rx_str id, struct rx_err *err);
/* RX_CONFLICT: another one than `id` is called so.  The table is called like
 * the noun, which is a literal. */
#define row_check_name(s, noun, name, id, err)                                \
    row_check_query(db_query((s)->db,                                         \
                        "select 1 from " noun " where name = ? and id <> ?"), \
        noun, name, id, err)
RX_NODISCARD enum rx_code row_check_query(struct db_query *q, const char *noun,
    rx_str name, rx_str id, struct rx_err *err);

/* A page of them: up to `limit`, by name, behind `after`.  `select` is a literal
 * up to its where. */
#define row_page(s, select, after, limit)                                  \
    row_bind_page(                                                         \
        db_query((s)->db, select " where name > ? order by name limit ?"), \
        after, limit)
struct db_query *row_bind_page(struct db_query *q, rx_str after, size_t limit);

/* A column that the vault sealed for this place and id; an empty one (null)
 * leaves *out alone. */
RX_NODISCARD enum rx_code row_unseal(struct store *s, struct rx_arena *arena,
    const char *place, rx_str id, rx_str sealed, rx_str *out,
    struct rx_err *err);
void row_bind_sealed(struct store *s, struct db_query *q, int index,
    const char *place, rx_str id, rx_str plain);

#endif
