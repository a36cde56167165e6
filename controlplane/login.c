#include "controlplane/login.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/throttle.h"
#include "shared/clock.h"
#include "shared/secret.h"
#include "shared/worker.h"

#define NAME_MAX_BYTES 256

struct login {
    struct rx_worker *worker; /* its thread starts with the first password */
    size_t waiting;
    bool closing;
    struct throttle addresses;
    struct throttle names;
};

struct login_job {
    struct rx_job job;
    struct login *login;
    login_done *done; /* NULL: nobody waits any more */
    void *arg;
    bool checks;    /* against `hash`; else `hash` is made */
    bool stretches; /* … or `key`, with `salt` */
    unsigned char salt[RX_SALT_SIZE];
    struct rx_key key;
    bool known; /* there is a hash to check against */
    bool good;
    char hash[128];
    size_t len;
    char password[];
};

struct login *
login_new(struct rx_loop *loop)
{
    struct login *l = calloc(1, sizeof(*l));

    if (l == NULL)
        abort();
    l->worker = rx_worker_new(loop);
    l->addresses = (struct throttle){ .every_ms = 6000, .burst = 20 };
    l->names = (struct throttle){ .every_ms = 12000, .burst = 10 };
    return l;
}

void
login_free(struct login *l)
{
    if (l == NULL)
        return;
    l->closing = true;
    rx_worker_free(l->worker);
    free(l);
}

/* ---- how often ---- */

/* Names that the store takes for the same are the same here. */
static rx_str
fold(rx_str name, char room[NAME_MAX_BYTES])
{
    size_t len = name.len < NAME_MAX_BYTES ? name.len : NAME_MAX_BYTES;

    for (size_t i = 0; i < len; i++) {
        bool capital = name.ptr[i] >= 'A' && name.ptr[i] <= 'Z';
        room[i] = (char)(capital ? name.ptr[i] | 0x20 : name.ptr[i]);
    }
    return (rx_str){ room, len };
}

enum rx_code
login_admit(struct login *l, rx_str address, rx_str name, uint64_t *wait_s,
    struct rx_err *err)
{
    char room[NAME_MAX_BYTES];
    uint64_t now = rx_clock_ms();
    uint64_t wait = throttle_take(&l->addresses, address, now);

    if (wait == 0 && name.len > 0)
        wait = throttle_take(&l->names, fold(name, room), now);
    *wait_s = (wait + 999) / 1000;
    if (wait == 0)
        return RX_OK;
    return rx_fail(
        err, RX_LIMITED, "too many log-ins; wait %" PRIu64 " seconds", *wait_s);
}

void
login_succeeded(struct login *l, rx_str address, rx_str name)
{
    char room[NAME_MAX_BYTES];

    throttle_give(&l->addresses, address);
    throttle_clear(&l->names, fold(name, room));
}

/* ---- passwords ---- */

static void
work(void *arg)
{
    struct login_job *j = arg;
    rx_str password = { j->password, j->len };

    if (j->stretches)
        j->good = rx_key_stretch(password, j->salt, &j->key);
    else if (j->checks)
        j->good = rx_password_check(password, j->known ? j->hash : NULL);
    else
        j->good = rx_password_hash(password, j->hash);
}

static void
finish(void *arg)
{
    struct login_job *j = arg;
    struct login_result result = { j->good, j->checks ? NULL : j->hash,
        &j->key };

    j->login->waiting--;
    if (j->done != NULL && !j->login->closing)
        j->done(j->arg, &result);
    rx_wipe(j, sizeof(*j) + j->len);
    free(j);
}

static struct login_job *
start(struct login *l, rx_str password, login_done *done, void *arg)
{
    if (l->waiting >= LOGIN_WAITING_MAX)
        return NULL;
    struct login_job *j = calloc(1, sizeof(*j) + password.len + 1);
    if (j == NULL)
        abort();
    j->job = (struct rx_job){ .work = work, .done = finish, .arg = j };
    j->login = l;
    j->done = done;
    j->arg = arg;
    j->len = password.len;
    if (password.len > 0)
        memcpy(j->password, password.ptr, password.len);
    l->waiting++;
    return j;
}

struct login_job *
login_check(struct login *l, rx_str password, const char *hash,
    login_done *done, void *arg)
{
    struct login_job *j = start(l, password, done, arg);

    if (j == NULL)
        return NULL;
    j->checks = true;
    j->known = hash != NULL;
    if (hash != NULL)
        snprintf(j->hash, sizeof(j->hash), "%s", hash);
    rx_worker_give(l->worker, &j->job);
    return j;
}

struct login_job *
login_hash(struct login *l, rx_str password, login_done *done, void *arg)
{
    struct login_job *j = start(l, password, done, arg);

    if (j != NULL)
        rx_worker_give(l->worker, &j->job);
    return j;
}

struct login_job *
login_stretch(struct login *l, rx_str passphrase,
    const unsigned char salt[RX_SALT_SIZE], login_done *done, void *arg)
{
    struct login_job *j = start(l, passphrase, done, arg);

    if (j == NULL)
        return NULL;
    j->stretches = true;
    memcpy(j->salt, salt, sizeof(j->salt));
    rx_worker_give(l->worker, &j->job);
    return j;
}

void
login_cancel(struct login_job *job)
{
    job->done = NULL;
}
