#include "tests/demo/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "shared/buf.h"
#include "shared/json.h"
#include "shared/log.h"
#include "shared/secret.h"

#define LINE_MAX_BYTES ((size_t)256 << 20)

void
journal_init(struct journal *j)
{
    j->fd = -1;
}

enum rx_code
journal_open(struct journal *j, const char *path, struct rx_err *err)
{
    j->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (j->fd < 0)
        return rx_fail(err, RX_INVALID, "%s: %s", path, strerror(errno));
    return RX_OK;
}

void
journal_close(struct journal *j)
{
    if (j->fd >= 0)
        close(j->fd);
    j->fd = -1;
}

static void
put_line(struct journal *j, struct rx_buf *line)
{
    size_t at = 0;

    rx_buf_addc(line, '\n');
    while (at < line->len) {
        ssize_t n = write(j->fd, line->ptr + at, line->len - at);

        if (n < 0) {
            rx_warn("journal.failed", "errno=%d", errno);
            break;
        }
        at += (size_t)n;
    }
    rx_buf_fini(line);
}

static void
put_headers(struct rx_json_out *w, const struct rx_httpd_head *head)
{
    rx_json_open_object(w, "headers");
    for (size_t i = 0; i < head->header_count; i++) {
        char name[128];
        size_t n = head->headers[i].name.len;

        if (n >= sizeof(name))
            continue;
        for (size_t k = 0; k < n; k++) {
            char c = head->headers[i].name.ptr[k];

            name[k] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
        }
        name[n] = '\0';
        rx_json_put_str(w, name, head->headers[i].value);
    }
    rx_json_close(w);
}

/* Is it text that a JSON string can carry as it is? */
static bool
is_text(rx_str s)
{
    size_t i = 0;

    while (i < s.len) {
        unsigned char c = (unsigned char)s.ptr[i];
        size_t more = c < 0x80 ? 0 : c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;

        if (c == 0 || (c >= 0x80 && c < 0xc2) || c > 0xf4)
            return false;
        if (i + more >= s.len && more > 0)
            return false;
        for (size_t k = 1; k <= more; k++) {
            if (((unsigned char)s.ptr[i + k] & 0xc0) != 0x80)
                return false;
        }
        i += more + 1;
    }
    return true;
}

static void
put_body(struct rx_json_out *w, rx_str body)
{
    struct rx_digest digest = rx_digest(body);
    char hex[2 * RX_DIGEST_SIZE + 1];
    struct rx_buf encoded;

    rx_hex(digest.bytes, sizeof(digest.bytes), hex);
    rx_json_put_u64(w, "body_bytes", body.len);
    rx_json_put_text(w, "body_blake2b", hex);
    if (is_text(body)) {
        rx_json_put_str(w, "body", body);
        return;
    }
    rx_buf_init(&encoded, LINE_MAX_BYTES);
    rx_base64url(body, &encoded);
    rx_json_put_str(w, "body_base64url", rx_buf_str(&encoded));
    rx_buf_fini(&encoded);
}

void
journal_request(struct journal *j, uint64_t seq, const struct rx_httpd_req *req)
{
    const struct rx_httpd_head *head = rx_httpd_head(req);
    struct rx_json_out w;
    struct rx_buf line;

    if (j->fd < 0)
        return;
    rx_buf_init(&line, LINE_MAX_BYTES);
    w = rx_json_out(&line);
    rx_json_open_object(&w, NULL);
    rx_json_put_text(&w, "event", "request");
    rx_json_put_u64(&w, "seq", seq);
    rx_json_put_str(&w, "method", head->method);
    rx_json_put_str(&w, "target", head->target);
    rx_json_put_str(&w, "path", head->path);
    rx_json_put_str(&w, "query", head->query);
    put_headers(&w, head);
    put_body(&w, rx_httpd_body(req));
    rx_json_close(&w);
    put_line(j, &line);
}

void
journal_end(
    struct journal *j, uint64_t seq, enum rx_code how, int status, size_t sent)
{
    struct rx_json_out w;
    struct rx_buf line;

    if (j->fd < 0)
        return;
    rx_buf_init(&line, 4096);
    w = rx_json_out(&line);
    rx_json_open_object(&w, NULL);
    rx_json_put_text(&w, "event", "end");
    rx_json_put_u64(&w, "seq", seq);
    rx_json_put_text(&w, "how",
        how == RX_OK          ? "ok"
        : how == RX_CANCELLED ? "client-left"
        : how == RX_UPSTREAM  ? "cut"
                              : rx_code_words(how));
    rx_json_put_u64(&w, "status", (uint64_t)status);
    rx_json_put_u64(&w, "sent", sent);
    rx_json_close(&w);
    put_line(j, &line);
}
