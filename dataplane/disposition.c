#include "dataplane/disposition.h"

#include <string.h>

#include "dataplane/repair.h"
#include "shared/attr.h"

#define BODY_MAX ((size_t)16 * 1024)

static const struct disposition_row rows[] = {
#define DISPOSITION_ROW(id, ...) { __VA_ARGS__ },
    DISPOSITIONS(DISPOSITION_ROW)
#undef DISPOSITION_ROW
};

const struct disposition_row *
disposition_row(enum disposition d)
{
    return &rows[d];
}

static bool
says(rx_str body, const char *mark)
{
    size_t n = strlen(mark);
    size_t end = body.len < BODY_MAX ? body.len : BODY_MAX;

    for (size_t at = 0; at + n <= end; at++) {
        if (rx_str_ieq((rx_str){ body.ptr + at, n }, (rx_str){ mark, n }))
            return true;
    }
    return false;
}

/* "There is no such model", as providers say it with a 404 or a 400. */
static bool
is_no_model(int status, rx_str body)
{
    static const char *const marks[] = { "model_not_found",
        "\"model: ", "deploymentnotfound", "is not found for api version",
        "publisher model", "model not found", "not a valid model" };

    if (status != 404 && status != 400)
        return false;
    for (size_t i = 0; i < RX_COUNT(marks); i++) {
        if (says(body, marks[i]))
            return status == 404 || i == 0;
    }
    return false;
}

/* Providers that say with another status that they do not know the key. */
static bool
is_bad_key(int status, rx_str body)
{
    if (status == 401)
        return true;
    if (status == 400)
        return says(body, "API_KEY_INVALID");
    /* A 403 that is no document is some gateway's on the way there. */
    return status == 403 && body.len > 0 && body.ptr[0] == '{';
}

static enum disposition
of_4xx(struct outcome *o, enum dialect dialect)
{
    if (is_no_model(o->status, o->body))
        return DISPOSITION_NO_MODEL;
    if (o->status == 402 || (o->status == 400 && cooldown_is_credit(o->body)))
        return DISPOSITION_CREDIT;
    if (is_bad_key(o->status, o->body))
        return DISPOSITION_CREDENTIAL;
    if (o->status == 403 || o->status == 408)
        return DISPOSITION_FAILED;
    if (o->status == 400 && repair_is_possible(dialect, o->body))
        return DISPOSITION_REPAIRABLE;
    return DISPOSITION_CLIENT;
}

static enum disposition
of_cooldown(const struct cooldown *c)
{
    static const enum disposition by_kind[] = {
        [COOLDOWN_NONE] = DISPOSITION_ONCE,
        [COOLDOWN_THROTTLED] = DISPOSITION_THROTTLED,
        [COOLDOWN_EXHAUSTED] = DISPOSITION_EXHAUSTED,
        [COOLDOWN_BLIND] = DISPOSITION_BLIND,
        [COOLDOWN_CREDIT] = DISPOSITION_CREDIT,
        [COOLDOWN_OVERLOADED] = DISPOSITION_OVERLOADED,
    };

    return by_kind[c->kind];
}

enum disposition
disposition_of(struct outcome *o, enum dialect dialect, uint64_t wall_ms)
{
    static const struct limit_facts nothing;
    bool told = o->status >= 300; /* by status, or by an error event */

    o->cooldown = (struct cooldown){ 0 };
    if (o->code == RX_OK)
        return DISPOSITION_GOOD;
    if (!told && o->code == RX_TIMEOUT)
        return DISPOSITION_SILENT;
    if (!told)
        return o->status == 0 ? DISPOSITION_UNREACHED : DISPOSITION_CUT;
    if (o->status == 429 || o->status == 503 || o->status == 529) {
        o->cooldown = cooldown_read(o->limits != NULL ? o->limits : &nothing,
            o->status, o->body, wall_ms);
        return of_cooldown(&o->cooldown);
    }
    if (o->status < 500)
        return of_4xx(o, dialect);
    return DISPOSITION_FAILED;
}

bool
disposition_is_final(int status, rx_str body, enum dialect dialect)
{
    struct outcome o = {
        .code = RX_UPSTREAM, .answered = true, .status = status, .body = body
    };

    return status < 400 || disposition_of(&o, dialect, 1) == DISPOSITION_CLIENT;
}
