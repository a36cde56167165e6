/*
 * user.h - people who log in: a name, a role, a password of which only the
 * Argon2id hash is kept.
 *
 * Works like tenant.h.  There is always an owner once there has been one.
 */
#ifndef CONTROLPLANE_USER_H
#define CONTROLPLANE_USER_H

#include <stdint.h>

#include "controlplane/field.h"
#include "controlplane/scope.h"
#include "controlplane/store.h"
#include "shared/json.h"

#define USER_PASSWORD_MIN 10
#define USER_PASSWORD_MAX 1024

struct user {
    rx_str id, name;
    enum api_role role;
    rx_str password; /* the hash, NUL-terminated; empty: cannot log in */
    uint64_t created_ms, updated_ms, rev;
    uint64_t seen_ms; /* last log-in; 0: never */
};

struct user *user_new(struct rx_arena *arena);
/* *password is empty when the body has none; it has the right length else. */
void user_read(
    struct user *u, rx_json body, enum field_mode mode, rx_str *password);
/* A password to be set: faults name `field`. */
void user_check_password(rx_json body, const char *field, rx_str password);
void user_put(struct rx_json_out *w, const char *key, const struct user *u);

/* `id` may be the name.  RX_NOT_FOUND. */
RX_NODISCARD enum rx_code user_load(struct store *s, struct rx_arena *arena,
    rx_str id, struct user **out, struct rx_err *err);
/* By name only: for whoever logs in. */
RX_NODISCARD enum rx_code user_load_named(struct store *s,
    struct rx_arena *arena, rx_str name, struct user **out, struct rx_err *err);
/* By name, those after `after`. */
RX_NODISCARD enum rx_code user_list(struct store *s, struct rx_arena *arena,
    rx_str after, size_t limit, struct user **out, size_t *count,
    struct rx_err *err);
/* Of those who have a password. */
RX_NODISCARD enum rx_code user_count(
    struct store *s, uint64_t *all, uint64_t *owners, struct rx_err *err);
/* Insert or update, inside a transaction.  RX_CONFLICT: the name is taken. */
RX_NODISCARD enum rx_code user_save(struct store *s, struct rx_arena *arena,
    struct user *u, struct rx_err *err);
/* Its sessions go with it. */
RX_NODISCARD enum rx_code user_delete(
    struct store *s, const struct user *u, struct rx_err *err);
RX_NODISCARD enum rx_code user_saw(
    struct store *s, const struct user *u, struct rx_err *err);

#endif
