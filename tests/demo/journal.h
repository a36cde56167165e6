/*
 * journal.h - the request log: one JSON line for what was asked, one for how
 * it ended, so that tests can see what an upstream saw.
 */
#ifndef DEMO_JOURNAL_H
#define DEMO_JOURNAL_H

#include <stddef.h>
#include <stdint.h>

#include "shared/err.h"
#include "shared/httpd.h"

struct journal {
    int fd; /* -1: nothing is logged */
};

void journal_init(struct journal *j);
RX_NODISCARD enum rx_code journal_open(
    struct journal *j, const char *path, struct rx_err *err);
void journal_close(struct journal *j);

/* {"event":"request","seq":1,"method":…,"headers":{…},"body":…} */
void journal_request(
    struct journal *j, uint64_t seq, const struct rx_httpd_req *req);
/* {"event":"end","seq":1,"how":"ok","status":200,"sent":1234} */
void journal_end(
    struct journal *j, uint64_t seq, enum rx_code how, int status, size_t sent);

#endif
