/*
 * clock.h - time, asked for in one place so that tests can hold it.
 */
#ifndef SHARED_CLOCK_H
#define SHARED_CLOCK_H

#include <stdint.h>

#include "shared/str.h"

/* Monotonic, for deadlines and durations. */
uint64_t rx_clock_ms(void);
uint64_t rx_clock_us(void);
/* CPU time of this thread; asking costs a system call. */
uint64_t rx_clock_cpu_us(void);
/* Wall clock, for records and protocols: since 1970, UTC. */
uint64_t rx_clock_wall_ms(void);

/* Tests: from now on both clocks stand still and move only by this. 0 undoes. */
void rx_clock_fake(uint64_t wall_ms);
void rx_clock_advance(uint64_t ms);

/* "2026-11-21T23:50:48.123Z"; `out` holds at least RX_TIME_SIZE bytes. */
#define RX_TIME_SIZE 32
void rx_time_format(uint64_t wall_ms, char out[RX_TIME_SIZE]);
/* RFC 3339 with any offset and fraction.  False when it is not one. */
bool rx_time_parse(rx_str s, uint64_t *wall_ms);

#endif
