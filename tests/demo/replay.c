#include "tests/demo/replay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/json.h"
#include "shared/map.h"

#define FILE_MAX ((size_t)64 << 20)

struct replay {
    const char *dir;
    struct rx_map *cases; /* id -> struct script */
};

/* Headers that describe a transport which is not ours. */
static const char *const dropped[] = { "content-length", "content-encoding",
    "transfer-encoding", "connection", "date", "keep-alive" };

struct replay *
replay_new(const char *dir)
{
    struct replay *r = calloc(1, sizeof(*r));

    if (r == NULL)
        abort();
    r->dir = dir;
    r->cases = rx_map_new();
    return r;
}

static void
drop_script(void *value)
{
    script_fini(value);
    free(value);
}

void
replay_free(struct replay *r)
{
    if (r == NULL)
        return;
    rx_map_free(r->cases, drop_script);
    free(r);
}

/* Ids name folders: nothing in them may leave the directory. */
static bool
is_id(rx_str id)
{
    for (size_t i = 0; i < id.len; i++) {
        char c = id.ptr[i];

        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
            !(c >= '0' && c <= '9') && c != '-' && c != '_')
            return false;
    }
    return id.len > 0 && id.len < 200;
}

static enum rx_code
read_file(const char *dir, rx_str id, rx_str name, struct rx_buf *out,
    struct rx_err *err)
{
    char path[4096];
    struct stat st;
    enum rx_code code = RX_OK;
    int fd;

    snprintf(path, sizeof(path), "%s/" RX_STR_FMT "/" RX_STR_FMT, dir,
        RX_STR_ARG(id), RX_STR_ARG(name));
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0) {
        code = rx_fail(err, RX_NOT_FOUND, "%s: %s", path, strerror(errno));
    } else {
        char *to = rx_buf_room(out, (size_t)st.st_size + 1);
        ssize_t n = to == NULL ? -1 : read(fd, to, (size_t)st.st_size);

        if (n != st.st_size)
            code = rx_fail(err, RX_INTERNAL, "%s: not read", path);
        else
            rx_buf_grew(out, (size_t)n);
    }
    if (fd >= 0)
        close(fd);
    return code;
}

static bool
is_dropped(rx_str name)
{
    for (size_t i = 0; i < RX_COUNT(dropped); i++) {
        if (rx_str_ieq(name, (rx_str){ dropped[i], strlen(dropped[i]) }))
            return true;
    }
    return false;
}

static void
take_headers(struct script *s, rx_json meta, bool sse)
{
    bool typed = false;

    for (rx_json h = rx_json_first(rx_json_find(meta, "response_headers"));
         rx_json_there(h); h = rx_json_next(h)) {
        rx_str name = rx_json_name(h);
        rx_str value = rx_json_str(h);

        if (is_dropped(name) || value.len == 0)
            continue;
        typed |= rx_str_ieq(name, RX_S("content-type"));
        rx_buf_addf(&s->headers, RX_STR_FMT ": " RX_STR_FMT "\r\n",
            RX_STR_ARG(name), RX_STR_ARG(value));
    }
    if (!typed)
        script_header(s, "content-type",
            sse ? "text/event-stream; charset=utf-8" : "application/json");
}

/* Ends at blank lines, whatever the line ends are. */
static void
find_events(struct script *s)
{
    size_t len = s->body.len;
    rx_str body = rx_buf_str(&s->body);
    unsigned newlines = 0;

    for (size_t i = 0; i < len; i++) {
        if (body.ptr[i] == '\n')
            newlines++;
        else if (body.ptr[i] != '\r')
            newlines = 0;
        if (newlines >= 2) {
            s->body.len = i + 1;
            script_piece_end(s);
            newlines = 0;
        }
    }
    s->body.len = len;
    if (s->count > 0 && s->ends[s->count - 1] < len)
        script_piece_end(s);
}

/* Ends where the recorder saw chunks end. */
static bool
take_chunks(struct script *s, rx_json meta)
{
    rx_json list = rx_json_find(meta, "chunk_lengths");
    size_t whole = s->body.len;
    size_t at = 0;

    for (rx_json v = rx_json_first(list); rx_json_there(v);
         v = rx_json_next(v)) {
        uint64_t n;

        if (!rx_json_u64(v, &n) || n > whole - at)
            break;
        at += (size_t)n;
        s->body.len = at;
        script_piece_end(s);
    }
    s->body.len = whole;
    if (s->count > 0 && at < whole)
        script_piece_end(s);
    return s->count > 0;
}

static enum rx_code
load(struct replay *r, rx_str id, struct script *s, struct rx_err *err)
{
    struct rx_buf text;
    struct rx_json_doc *doc = NULL;
    uint64_t status = 200;
    enum rx_code code;
    rx_str file = RX_S("");

    rx_buf_init(&text, FILE_MAX);
    code = read_file(r->dir, id, RX_S("meta.json"), &text, err);
    if (code == RX_OK)
        code = rx_json_parse(&doc, rx_buf_str(&text), NULL, err);
    if (code == RX_OK) {
        rx_json meta = rx_json_root(doc);
        bool sse;

        file = rx_json_str(rx_json_find(meta, "response_file"));
        sse = file.len > 4 && memcmp(file.ptr + file.len - 4, ".sse", 4) == 0;
        (void)rx_json_u64(rx_json_find(meta, "status"), &status);
        s->status = (int)status;
        s->stream = rx_json_bool(rx_json_find(meta, "streaming"));
        code = read_file(r->dir, id, file, &s->body, err);
        take_headers(s, meta, sse);
        if (code == RX_OK && s->stream && !take_chunks(s, meta))
            find_events(s);
    }
    rx_json_free(doc);
    rx_buf_fini(&text);
    return code;
}

static void
copy(const struct script *from, struct script *to)
{
    size_t len = from->body.len;

    to->status = from->status;
    to->stream = from->stream;
    rx_buf_add(&to->headers, rx_buf_str(&from->headers));
    for (size_t i = 0; i < from->count; i++) {
        rx_buf_add(&to->body, script_event_bytes(from, i));
        script_piece_end(to);
    }
    if (to->body.len < len)
        rx_buf_add(&to->body,
            (rx_str){ from->body.ptr + to->body.len, len - to->body.len });
}

enum rx_code
replay_case(struct replay *r, rx_str id, struct script *s, struct rx_err *err)
{
    struct script *found;
    enum rx_code code;

    if (!is_id(id))
        return rx_fail(err, RX_NOT_FOUND, "not the name of a case");
    found = rx_map_get(r->cases, id);
    if (found == NULL) {
        found = calloc(1, sizeof(*found));
        if (found == NULL)
            abort();
        script_init(found);
        code = load(r, id, found, err);
        if (code != RX_OK) {
            drop_script(found);
            return code;
        }
        rx_map_put(r->cases, id, found);
    }
    copy(found, s);
    return RX_OK;
}
