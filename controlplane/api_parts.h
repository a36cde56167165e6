/*
 * api_parts.h - what the files that make up the server share; see api.h.
 */
#ifndef CONTROLPLANE_API_PARTS_H
#define CONTROLPLANE_API_PARTS_H

#include "controlplane/api.h"

struct api {
    struct api_world world;
    struct rx_httpd *httpd;
    struct rx_stat *stat;
    uint64_t *answers[6]; /* by first digit of the status */
    struct rx_histogram *durations;
    struct caller_tokens tokens;
    uint64_t began_ms;
};

void api_write_error(struct rx_buf *out, const char *code, const char *message,
    const char *field, rx_str more);
void api_reply(struct api_call *c, int status);
void api_reply_error(
    struct api_call *c, enum rx_code code, const struct rx_err *err);
enum rx_code api_find_route(struct api_call *c, struct rx_err *err);
enum rx_code api_read_query(struct api_call *c, struct rx_err *err);
enum rx_code api_authenticate(struct api_call *c, struct rx_err *err);
void api_run(struct api_call *c);

#endif
