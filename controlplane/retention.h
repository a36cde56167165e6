/*
 * retention.h - how long things are kept.
 */
#ifndef CONTROLPLANE_RETENTION_H
#define CONTROLPLANE_RETENTION_H

#include <stdint.h>

#define RETENTION_MINUTES_MS ((uint64_t)48 * 3600 * 1000)
#define RETENTION_HOURS_MS   ((uint64_t)100 * 24 * 3600 * 1000)

#endif
