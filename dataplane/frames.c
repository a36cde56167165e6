#include "dataplane/frames.h"

void
frames_init(struct frames *f, size_t value_max)
{
    *f = (struct frames){ 0 };
    rx_buf_init(&f->kept, value_max);
}

void
frames_fini(struct frames *f)
{
    rx_buf_fini(&f->kept);
}

static void
drop(rx_str *bytes, size_t n)
{
    bytes->ptr += n;
    bytes->len -= n;
}

/* Between values: true when one begins at the front of `bytes`. */
static bool
find_value(struct frames *f, rx_str *bytes)
{
    for (; bytes->len > 0 && !f->closed; drop(bytes, 1)) {
        switch (bytes->ptr[0]) {
        case '{': return true;
        case '[':
            if (f->in_array)
                return true;
            f->in_array = true;
            break;
        case ']': f->closed = f->in_array; break;
        case ' ':
        case '\t':
        case '\r':
        case '\n':
        case ',': break;
        default: f->bad = true; return false;
        }
    }
    return false;
}

bool
frames_next(struct frames *f, rx_str *bytes, rx_str *value)
{
    if (f->delivered) {
        rx_buf_release(&f->kept);
        f->delivered = false;
    }
    if (f->bad || f->closed)
        return false;
    if (!f->in_value) {
        if (!find_value(f, bytes))
            return false;
        f->in_value = true;
        f->skip = (struct rx_span_skip){ 0 };
    }

    const char *end = bytes->ptr + bytes->len;
    const char *behind = rx_span_skip_feed(&f->skip, bytes->ptr, end);
    rx_str part = { bytes->ptr,
        (size_t)((behind != NULL ? behind : end) - bytes->ptr) };
    drop(bytes, part.len);
    *value = part;
    if (behind == NULL || f->kept.len > 0) {
        f->bad = f->skip.too_deep || !rx_buf_add(&f->kept, part);
        *value = rx_buf_str(&f->kept);
    }
    if (f->bad)
        rx_buf_release(&f->kept);
    if (f->bad || behind == NULL)
        return false;
    f->in_value = false;
    f->closed = !f->in_array;
    f->delivered = true;
    return true;
}

rx_str
frames_rest(const struct frames *f)
{
    return f->in_value && !f->bad ? rx_buf_str(&f->kept) : (rx_str){ 0 };
}
