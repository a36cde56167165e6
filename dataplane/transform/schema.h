/*
 * schema.h - JSON Schema made to fit who reads it.
 *
 * Keywords count only where a schema stands: a property called "default" is a
 * property.  Depth and number of nodes are bounded; past the bounds the rest
 * stays as it is.
 */
#ifndef DATAPLANE_TRANSFORM_SCHEMA_H
#define DATAPLANE_TRANSFORM_SCHEMA_H

#include "shared/json_edit.h"

/* fn for the schema and every schema in it, the inner ones first. */
void schema_walk(struct rx_edit *schema,
    void (*fn)(struct rx_edit *schema, void *arg), void *arg);

/* Gemini's "parameters" and "responseSchema": a subset of OpenAPI. */
void schema_gemini_proto(struct rx_edit *schema);
/* Gemini's "parametersJsonSchema" and "responseJsonSchema". */
void schema_gemini_json(struct rx_edit *schema);
/* Moonshot: type inside of anyOf, tuples as prefixItems. */
void schema_moonshot(struct rx_edit *schema);

#endif
