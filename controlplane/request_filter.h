/*
 * request_filter.h - a filter as SQL, for those who ask the rows: " and …" about
 * request r and client_key k, with its values at ?5 to ?15, ?18 and ?19.
 */
#ifndef CONTROLPLANE_REQUEST_FILTER_H
#define CONTROLPLANE_REQUEST_FILTER_H

#include "controlplane/request.h"

void request_add_conditions(struct rx_buf *to, const struct request_filter *f);
void request_bind_conditions(
    struct db_query *q, const struct request_filter *f);

#endif
