/*
 * wire.h - what load and mock say to each other, through the gateway or not.
 *
 * An answer is these bytes and no others.  A stream is message_start, then
 * `max_tokens` deltas BENCH_PACE_US apart, then its end; every delta carries
 * the time it was sent (CLOCK_MONOTONIC, which all processes of a machine
 * share) as sixteen digits of microseconds behind BENCH_STAMP.  A request that
 * names the user BENCH_HOLD gets its deltas and then silence: a stream that
 * stays open until the client leaves.
 */
#ifndef TESTS_BENCH_WIRE_H
#define TESTS_BENCH_WIRE_H

#include <stdint.h>
#include <time.h>

#define BENCH_ANSWER                                                      \
    "{\"id\":\"msg_01BenchBenchBenchBench\",\"type\":\"message\","        \
    "\"role\":\"assistant\",\"model\":\"claude-sonnet-4-5\","             \
    "\"content\":[{\"type\":\"text\",\"text\":\"Forty-two, as ever.\"}]," \
    "\"stop_reason\":\"end_turn\",\"stop_sequence\":null,\"usage\":{"     \
    "\"input_tokens\":12,\"cache_creation_input_tokens\":0,"              \
    "\"cache_read_input_tokens\":3,\"output_tokens\":7}}"

#define BENCH_PACE_US      20000
#define BENCH_STAMP        "\"t="
#define BENCH_STAMP_DIGITS 16
#define BENCH_STOP         "event: message_stop\n"
#define BENCH_HOLD         "bench-hold"
#define BENCH_STREAM       "\"stream\":true"
#define BENCH_TOKENS       "\"max_tokens\":"

static inline uint64_t
bench_now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

#endif
