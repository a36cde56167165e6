#include "tests/bench/message.h"

#include <string.h>
#include <strings.h>

void
message_init(struct message *m, bool response)
{
    m->state = MESSAGE_HEAD;
    m->response = response;
    m->chunked = false;
    m->close = false;
    m->status = 0;
    m->lengths = 0;
    m->left = 0;
    m->line = 0;
    m->head_len = 0;
}

/* The value of a header line called `name`, or NULL. */
static const char *
value_of(const char *line, const char *end, const char *name)
{
    size_t len = strlen(name);

    if ((size_t)(end - line) <= len || line[len] != ':' ||
        strncasecmp(line, name, len) != 0)
        return NULL;
    line += len + 1;
    while (line < end && *line == ' ')
        line++;
    return line;
}

static bool
read_length(struct message *m, const char *at, const char *end)
{
    if (at == end || ++m->lengths > 1)
        return false;
    for (; at < end; at++) {
        if (*at < '0' || *at > '9' || m->left > UINT64_MAX / 16)
            return false;
        m->left = m->left * 10 + (uint64_t)(*at - '0');
    }
    return true;
}

static bool
read_line(struct message *m, const char *line, const char *end)
{
    const char *value;

    if ((value = value_of(line, end, "content-length")) != NULL)
        return read_length(m, value, end);
    if ((value = value_of(line, end, "transfer-encoding")) != NULL) {
        m->chunked = true;
        return end - value == 7 && strncasecmp(value, "chunked", 7) == 0;
    }
    if ((value = value_of(line, end, "connection")) != NULL)
        m->close = end - value == 5 && strncasecmp(value, "close", 5) == 0;
    return true;
}

/* "HTTP/1.1 200 OK": a request line has nothing that we need. */
static bool
read_status(struct message *m, const char *line, const char *end)
{
    if (!m->response)
        return true;
    if (end - line < 12 || memcmp(line, "HTTP/1.1 ", 9) != 0)
        return false;
    for (int i = 9; i < 12; i++) {
        if (line[i] < '0' || line[i] > '9')
            return false;
        m->status = m->status * 10 + (line[i] - '0');
    }
    return true;
}

static bool
read_head(struct message *m)
{
    const char *line = m->head;
    const char *last = m->head + m->head_len - 2;
    const char *end = memchr(line, '\r', (size_t)(last - line));

    if (end == NULL || !read_status(m, line, end))
        return false;
    for (line = end + 2; line < last; line = end + 2) {
        end = memchr(line, '\r', (size_t)(last - line));
        if (end == NULL || end[1] != '\n' || !read_line(m, line, end))
            return false;
    }
    if (m->chunked ? m->lengths > 0 : m->response && m->lengths == 0)
        return false;
    m->state = m->chunked ? MESSAGE_CHUNK_SIZE : MESSAGE_LENGTH;
    return true;
}

/* Collects the head; true when it is whole, *at then stands behind it. */
static bool
collect_head(struct message *m, const char **at, const char *end)
{
    size_t old = m->head_len;
    size_t room = MESSAGE_HEAD_MAX - old;
    size_t n = (size_t)(end - *at) < room ? (size_t)(end - *at) : room;
    size_t from = old < 3 ? 0 : old - 3;
    const char *blank;

    memcpy(m->head + old, *at, n);
    blank = memmem(m->head + from, old + n - from, "\r\n\r\n", 4);
    if (blank == NULL) {
        m->head_len += n;
        *at += n;
        return false;
    }
    m->head_len = (size_t)(blank - m->head) + 4;
    *at += m->head_len - old;
    return true;
}

static int
hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static enum message_result
chunk_size(struct message *m, char c)
{
    int digit = hex(c);

    if (m->state == MESSAGE_CHUNK_SIZE && digit >= 0) {
        m->left = m->left * 16 + (uint64_t)digit;
        return ++m->line > 8 ? MESSAGE_BAD : MESSAGE_MORE;
    }
    if (m->line == 0 ||
        (c != '\r' && c != '\n' && c != ';' && m->state == MESSAGE_CHUNK_SIZE))
        return MESSAGE_BAD;
    m->state = MESSAGE_CHUNK_EXTENSION;
    if (c == '\n') {
        m->line = 0;
        m->state = m->left > 0 ? MESSAGE_CHUNK_DATA : MESSAGE_TRAILER;
    }
    return MESSAGE_MORE;
}

static enum message_result
chunk_end(struct message *m, char c)
{
    if (c != "\r\n"[m->line])
        return MESSAGE_BAD;
    if (++m->line == 2) {
        m->line = 0;
        m->state = MESSAGE_CHUNK_SIZE;
    }
    return MESSAGE_MORE;
}

static enum message_result
trailer(struct message *m, char c)
{
    if (c == '\n') {
        if (m->line == 0)
            return MESSAGE_DONE;
        m->line = 0;
    } else if (c != '\r') {
        m->line++;
    }
    return MESSAGE_MORE;
}

static enum message_result
body_read(struct message *m, const char **at, const char *end,
    struct message_span *body)
{
    size_t n = (size_t)(end - *at);

    if (m->left < n)
        n = (size_t)m->left;
    *body = (struct message_span){ *at, n };
    *at += n;
    m->left -= n;
    if (m->left == 0 && m->state == MESSAGE_CHUNK_DATA)
        m->state = MESSAGE_CHUNK_END;
    return MESSAGE_BODY;
}

static enum message_result
step(struct message *m, const char **at, const char *end,
    struct message_span *body)
{
    switch (m->state) {
    case MESSAGE_HEAD:
        if (collect_head(m, at, end))
            return read_head(m) ? MESSAGE_MORE : MESSAGE_BAD;
        return m->head_len < MESSAGE_HEAD_MAX ? MESSAGE_MORE : MESSAGE_BAD;
    case MESSAGE_CHUNK_SIZE:
    case MESSAGE_CHUNK_EXTENSION: return chunk_size(m, *(*at)++);
    case MESSAGE_CHUNK_END: return chunk_end(m, *(*at)++);
    case MESSAGE_TRAILER: return trailer(m, *(*at)++);
    case MESSAGE_LENGTH:
    case MESSAGE_CHUNK_DATA: return body_read(m, at, end, body);
    }
    return MESSAGE_BAD;
}

enum message_result
message_read(struct message *m, const char **at, const char *end,
    struct message_span *body)
{
    enum message_result got = MESSAGE_MORE;

    while (got == MESSAGE_MORE) {
        if (m->state == MESSAGE_LENGTH && m->left == 0)
            return MESSAGE_DONE;
        if (*at == end)
            break;
        got = step(m, at, end, body);
    }
    return got;
}
