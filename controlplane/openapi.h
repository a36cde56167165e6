/*
 * openapi.h - docs/openapi.yaml as JSON, made by cmake/embed_openapi.py.
 */
#ifndef CONTROLPLANE_OPENAPI_H
#define CONTROLPLANE_OPENAPI_H

extern const char openapi_json[];

#endif
