#include "tests/bench/request.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/wire.h"

static const char opening[] =
    "{\"model\":\"claude-sonnet-4-5\",\"system\":[{\"type\":\"text\",\"text\":"
    "\"You are a careful engineer. Read before you write; measure before you "
    "believe.\",\"cache_control\":{\"type\":\"ephemeral\"}}],\"messages\":[";

/* One round of a conversation: prose, code with escapes, an answer. */
static const char turn[] =
    "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"Why does "
    "this loop never end?\\n\\n```c\\nfor (size_t i = n - 1; i >= 0; i--) {\\n"
    "\\tprintf(\\\"%zu\\\\n\\\", i);\\n}\\n```\\nIt worked with `int`, and the "
    "compiler says nothing at -Wall.\"}]},{\"role\":\"assistant\",\"content\":["
    "{\"type\":\"text\",\"text\":\"An unsigned number is never below zero: "
    "after 0 comes SIZE_MAX, so `i >= 0` always holds. Count up, or test "
    "before the step:\\n\\n```c\\nfor (size_t i = n; i-- > 0;)\\n```\\n"
    "-Wextra would have told you (\\u201ccomparison always true\\u201d).\"}]},";

static const char last_turn[] = "{\"role\":\"user\",\"content\":\"";

/* Filler of the last turn, to reach the size to the byte. */
static const char prose[] = "Go on, and keep every word of it in mind. ";

static int
build_closing(const struct request *r, char *out, size_t size)
{
    return snprintf(out, size,
        "\"}],\"metadata\":{\"user_id\":\"%s\"}," BENCH_TOKENS "%u%s%s}",
        r->hold ? BENCH_HOLD : "bench", r->deltas, r->stream ? "," : "",
        r->stream ? BENCH_STREAM : "");
}

static void
build_body(const struct request *r, char *out)
{
    char closing[128];
    size_t tail = (size_t)build_closing(r, closing, sizeof closing);
    size_t left = r->body - tail - (sizeof last_turn - 1);

    memcpy(out, opening, sizeof opening - 1);
    out += sizeof opening - 1;
    left -= sizeof opening - 1;
    for (; left >= sizeof turn; left -= sizeof turn - 1) {
        memcpy(out, turn, sizeof turn - 1);
        out += sizeof turn - 1;
    }
    memcpy(out, last_turn, sizeof last_turn - 1);
    out += sizeof last_turn - 1;
    for (size_t i = 0; i < left; i++)
        *out++ = prose[i % (sizeof prose - 1)];
    memcpy(out, closing, tail);
}

char *
request_build(const struct request *r, size_t *len)
{
    char head[1024];
    int n = snprintf(head, sizeof head,
        "POST %s HTTP/1.1\r\n"
        "Host: 127.0.0.1:%u\r\n"
        "Accept: application/json\r\n"
        "User-Agent: bench-load/1\r\n"
        "x-api-key: %s\r\n"
        "anthropic-version: 2023-06-01\r\n"
        "Content-Type: application/json\r\n"
        "Content-Length: %zu\r\n\r\n",
        r->path, r->port, r->key, r->body);
    char *whole;

    assert(n > 0 && (size_t)n < sizeof head && r->body >= REQUEST_BODY_MIN);
    *len = (size_t)n + r->body;
    whole = malloc(*len);
    if (whole == NULL)
        abort();
    memcpy(whole, head, (size_t)n);
    build_body(r, whole + n);
    return whole;
}
