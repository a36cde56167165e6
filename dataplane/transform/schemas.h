/*
 * schemas.h - the JSON Schemas in a body made to fit.
 */
#ifndef DATAPLANE_TRANSFORM_SCHEMAS_H
#define DATAPLANE_TRANSFORM_SCHEMAS_H

#include "dataplane/codec/schema.h"
#include "shared/json_edit.h"

/* A schema that cannot be made to fit stays as it is: the provider may say
 * what is wrong with it.  `answer`: it is what an answer must look like. */
void schemas_fit(
    struct rx_edit *schema, enum schema_profile profile, bool answer);
/* Take "additionalProperties": false out, wherever a schema may say so. */
void schemas_loosen(struct rx_edit *schema);

#endif
