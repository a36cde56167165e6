/*
 * scope.h - what a caller of the admin API may do.
 *
 *   a user has a role:    owner > admin > viewer
 *   a token has scopes:   "*" as an owner, "write" as an admin, "read" as a
 *                         viewer, "channels:write", "keys:read" ... one area
 *
 * A route says the role it needs; its area is the word behind "/api/".  Users
 * and tokens themselves are owners' business, and no scope but "*" reaches them.
 */
#ifndef CONTROLPLANE_SCOPE_H
#define CONTROLPLANE_SCOPE_H

#include <stdbool.h>
#include <stdint.h>

#include "controlplane/field.h"
#include "shared/str.h"

/* In rising order: who may do something may do what is before it. */
enum api_role {
    API_PUBLIC,  /* whoever comes */
    API_ANYBODY, /* with any credential */
    API_VIEWER,
    API_ADMIN,
    API_OWNER,
};

enum caller_kind {
    CALLER_NOBODY,
    CALLER_USER,
    CALLER_TOKEN,
    CALLER_LOCAL,       /* who can read the master key: `routex` */
    CALLER_ENVIRONMENT, /* ADMIN_API_KEY */
};

/* Who calls.  Texts live in the arena of the call. */
struct caller {
    enum caller_kind kind;
    rx_str id;   /* "usr_…", "tok_…", "local", "environment" */
    rx_str name; /* for people */
    enum api_role role;
    struct field_list scopes; /* of a token */
    rx_str session;           /* came with this cookie; empty: with a token */
    uint64_t expires_ms;      /* of the session; 0: none */
};

/* "viewer", "admin", "owner"; NULL for the others, and for no such word. */
const char *scope_role_name(enum api_role role);
bool scope_role_parse(rx_str word, enum api_role *out);
/* "user", "token", "local", "environment". */
const char *scope_kind_name(enum caller_kind kind);
/* "channels" of "/api/channels/{id}". */
rx_str scope_area(rx_str path);
/* May it be given to a token?  "*", "read", "write", or an area of the table
 * of routes with ":read" or ":write". */
bool scope_is_known(rx_str scope);
/* The role that a token with these scopes has everywhere. */
enum api_role scope_role(const struct field_list *scopes);
/* May the caller use a route of this area that needs this role? */
bool scope_allows(
    const struct caller *who, enum api_role needed, rx_str area, bool writes);

#endif
