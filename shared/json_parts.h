/*
 * json_parts.h - what the files behind json.h share.
 */
#ifndef SHARED_JSON_PARTS_H
#define SHARED_JSON_PARTS_H

#include "shared/json.h"

struct rx_json_doc {
    void *root; /* the parser's, known to json.c only */
    bool camel;
    struct rx_json_fault *faults;
    size_t fault_count;
};

/* A whole number small enough to be exact? */
bool rx_json_whole(rx_json v, int64_t *out);
/* Has rx_json_member() found it? */
bool rx_json_asked(rx_json v);

#endif
