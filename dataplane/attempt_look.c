/*
 * What an attempt knows, for its owner.
 */
#include "dataplane/attempt_parts.h"

const struct attempt_result *
attempt_result(const struct attempt *a)
{
    return &a->result;
}

int
attempt_status(const struct attempt *a)
{
    if (a->r.translation != NULL && a->head_seen)
        return translation_status(a->r.translation);
    return a->result.http_status;
}

rx_str
attempt_headers(const struct attempt *a)
{
    return rx_buf_str(&a->headers);
}

void
attempt_forget_headers(struct attempt *a)
{
    rx_buf_release(&a->headers);
}

rx_str
attempt_held(const struct attempt *a)
{
    return rx_buf_str(&a->held);
}

uint64_t
attempt_length(const struct attempt *a)
{
    if (a->r.translation == NULL)
        return a->length;
    return a->body_ended && !a->r.stream ? a->held.len : RX_HTTPD_CHUNKED;
}

bool
attempt_sent(const struct attempt *a)
{
    return a->sent || a->call == NULL;
}

bool
attempt_is_sse(const struct attempt *a)
{
    return a->sse;
}

bool
attempt_is_encoded(const struct attempt *a)
{
    return a->encoded;
}

rx_str
attempt_evidence(const struct attempt *a)
{
    return rx_buf_str(a->r.translation != NULL ? &a->evidence : &a->held);
}

const struct limit_facts *
attempt_limits(const struct attempt *a)
{
    return a->head_seen ? &a->limits : NULL;
}

const struct usage_seen *
attempt_seen(const struct attempt *a)
{
    return a->tap != NULL ? usage_tap_seen(a->tap) : NULL;
}

struct usage
attempt_usage(const struct attempt *a)
{
    if (a->tap == NULL)
        return (struct usage){ 0 };
    return usage_tap_result(a->tap, a->r.prompt_bytes);
}

uint64_t
attempt_first_content_ms(const struct attempt *a)
{
    return a->first_content_ms;
}
