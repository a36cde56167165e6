/*
 * login.h - passwords, away from the loop, and how often they may be tried.
 *
 * Hashing takes 19 MiB and tens of milliseconds: one helper thread does one at
 * a time, and only so many wait, so neither memory nor the queue grows with
 * those who knock.
 */
#ifndef CONTROLPLANE_LOGIN_H
#define CONTROLPLANE_LOGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/attr.h"
#include "shared/err.h"
#include "shared/loop.h"
#include "shared/secret.h"
#include "shared/str.h"

#define LOGIN_WAITING_MAX 16

struct login;
struct login_job;

RX_NODISCARD struct login *login_new(struct rx_loop *loop);
/* Waits for the job that runs; nobody is called any more. */
void login_free(struct login *l); /* NULL is allowed */

/*
 * May somebody at `address` try a password for `name` now?  RX_LIMITED, and
 * *wait_s says when.  A try is taken from both; login_succeeded() gives it back.
 */
RX_NODISCARD enum rx_code login_admit(struct login *l, rx_str address,
    rx_str name, uint64_t *wait_s, struct rx_err *err);
void login_succeeded(struct login *l, rx_str address, rx_str name);

struct login_result {
    bool good;                /* the password fits, or could be hashed */
    const char *hash;         /* of a hashed one */
    const struct rx_key *key; /* of a stretched one; wiped afterwards */
};
typedef void login_done(void *arg, const struct login_result *result);
/*
 * Is `password` that of `hash`?  NULL stands for somebody who is not there,
 * which takes as long and is false.  NULL is returned when too many wait.
 * Done is called on the loop, never at once.  Texts are copied.
 */
RX_NODISCARD struct login_job *login_check(struct login *l, rx_str password,
    const char *hash, login_done *done, void *arg);
RX_NODISCARD struct login_job *login_hash(
    struct login *l, rx_str password, login_done *done, void *arg);
/* A passphrase into a key: see rx_key_stretch().  The salt is copied, too. */
RX_NODISCARD struct login_job *login_stretch(struct login *l, rx_str passphrase,
    const unsigned char salt[RX_SALT_SIZE], login_done *done, void *arg);
/* Done will not be called. */
void login_cancel(struct login_job *job);

#endif
