/*
 * migrations.h - the schema's history, embedded by cmake/embed_migrations.cmake
 * from controlplane/migrations/NNN_name.sql.
 */
#ifndef CONTROLPLANE_MIGRATIONS_H
#define CONTROLPLANE_MIGRATIONS_H

struct migration {
    const char *name; /* "001_first"; NULL ends the table */
    const char *sql;
};

extern const struct migration migrations[];

#endif
