#include "shared/envelope.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 *  0  magic      "RXE1"
 *  4  major      5  minor   of the body's format
 *  6  kind       enum rx_message
 *  7  direction  1 from control, 2 from data
 *  8  epoch      16 version   24 sequence    big-endian
 * 32  size of the body
 */
#define MAGIC     "RXE1"
#define DOWN      1
#define UP        2
#define TOKEN_MIN ((size_t)24)
#define TOKEN_MAX ((size_t)128)
#define PREFIX    "rtxj_"
#define RANDOM    ((size_t)40) /* base62 characters: 238 bits */

static const struct {
    enum rx_message kind;
    const char *name;
    bool from_control;
    size_t max;
} messages[] = {
#define MESSAGE_ROW(id, number, name, down, size) \
    { RX_MSG_##id, name, down, size },
    RX_MESSAGES(MESSAGE_ROW)
#undef MESSAGE_ROW
};

const char *
rx_message_name(enum rx_message kind)
{
    for (size_t i = 0; i < RX_COUNT(messages); i++) {
        if (messages[i].kind == kind)
            return messages[i].name;
    }
    return "unknown";
}

size_t
rx_message_max(enum rx_message kind)
{
    for (size_t i = 0; i < RX_COUNT(messages); i++) {
        if (messages[i].kind == kind)
            return messages[i].max;
    }
    return 0;
}

size_t
rx_envelope_max(bool from_control)
{
    size_t max = 0;

    for (size_t i = 0; i < RX_COUNT(messages); i++) {
        if (messages[i].from_control == from_control && messages[i].max > max)
            max = messages[i].max;
    }
    return max + RX_ENVELOPE_EXTRA;
}

bool
rx_plane_id_ok(rx_str id)
{
    if (id.len == 0 || id.len > 64)
        return false;
    for (size_t i = 0; i < id.len; i++) {
        char c = id.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-'))
            return false;
    }
    return id.ptr[0] != '.';
}

void
rx_plane_topic(rx_str id, char out[RX_TOPIC_MAX + 1])
{
    snprintf(out, RX_TOPIC_MAX + 1, "plane/" RX_STR_FMT, RX_STR_ARG(id));
}

rx_str
rx_topic_plane(rx_str topic)
{
    rx_str prefix = RX_S("plane/");

    if (!rx_str_starts(topic, prefix))
        return (rx_str){ 0 };
    rx_str id = { topic.ptr + prefix.len, topic.len - prefix.len };
    return rx_plane_id_ok(id) ? id : (rx_str){ 0 };
}

/* ---- the join token ---------------------------------------------------- */

bool
rx_join_derive(rx_str token, struct rx_join_keys *out)
{
    if (!rx_str_starts(token, RX_S(PREFIX)) || token.len < TOKEN_MIN ||
        token.len > TOKEN_MAX)
        return false;
    for (size_t i = 0; i < token.len; i++) {
        if (token.ptr[i] <= ' ' || token.ptr[i] > '~')
            return false;
    }

    struct rx_digest d = rx_digest(token);
    struct rx_key root;
    memcpy(root.bytes, d.bytes, sizeof(root.bytes));
    out->to_data = rx_key_derive(&root, RX_S("routex envelope to data 1"));
    out->to_control =
        rx_key_derive(&root, RX_S("routex envelope to control 1"));
    out->at_rest = rx_key_derive(&root, RX_S("routex snapshot at rest 1"));
    rx_wipe(&root, sizeof(root));
    rx_wipe(&d, sizeof(d));
    return true;
}

/*
 * Whole or not at all: written under another name, made durable, then linked,
 * which fails when somebody else was first; then theirs counts.
 */
static bool
token_create(const char *path, const char *temporary)
{
    struct rx_buf token;
    int fd = open(temporary, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);

    if (fd < 0)
        return false;
    rx_buf_init(&token, TOKEN_MAX);
    rx_random_text(PREFIX, RANDOM, &token);
    rx_buf_addc(&token, '\n');
    bool ok =
        write(fd, token.ptr, token.len) == (ssize_t)token.len && fsync(fd) == 0;
    rx_wipe(token.ptr, token.len);
    rx_buf_fini(&token);
    close(fd);
    if (ok && link(temporary, path) != 0)
        ok = errno == EEXIST;
    int why = errno;
    unlink(temporary);
    errno = why;
    return ok;
}

static enum rx_code
token_read(
    int fd, const char *path, struct rx_join_keys *out, struct rx_err *err)
{
    struct stat st;
    char text[TOKEN_MAX + 2];

    if (fstat(fd, &st) != 0)
        return rx_fail(err, RX_INTERNAL, "%s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode) || (st.st_mode & 077) != 0)
        return rx_fail(err, RX_DENIED,
            "%s: others may read it (mode %03o); chmod 600 it", path,
            (unsigned)st.st_mode & 0777);
    ssize_t n = read(fd, text, sizeof(text));
    if (n < 0)
        return rx_fail(err, RX_INTERNAL, "%s: %s", path, strerror(errno));

    size_t len = (size_t)n;
    while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r' ||
                          text[len - 1] == ' '))
        len--;
    bool ok = rx_join_derive((rx_str){ text, len }, out);
    rx_wipe(text, sizeof(text));
    if (!ok)
        return rx_fail(err, RX_INVALID,
            "%s: not a join token (rtxj_ and at least 19 characters)", path);
    return RX_OK;
}

enum rx_code
rx_join_file(
    const char *path, bool create, struct rx_join_keys *out, struct rx_err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 && errno == ENOENT && create) {
        char temporary[4096];
        int n = snprintf(
            temporary, sizeof(temporary), "%s.%ld.new", path, (long)getpid());
        if (n < 0 || (size_t)n >= sizeof(temporary))
            return rx_fail(err, RX_INVALID, "%s: path too long", path);
        if (!token_create(path, temporary))
            return rx_fail(
                err, RX_INTERNAL, "creating %s: %s", path, strerror(errno));
        fd = open(path, O_RDONLY | O_CLOEXEC);
    }
    if (fd < 0)
        return rx_fail(err, errno == ENOENT ? RX_NOT_FOUND : RX_INTERNAL,
            "%s: %s", path, strerror(errno));

    enum rx_code code = token_read(fd, path, out, err);
    close(fd);
    return code;
}

/* ---- the envelope ------------------------------------------------------ */

static void
put64(unsigned char *at, uint64_t v)
{
    for (int i = 7; i >= 0; i--, v >>= 8)
        at[i] = (unsigned char)(v & 0xff);
}

static uint64_t
get64(const unsigned char *at)
{
    uint64_t v = 0;

    for (int i = 0; i < 8; i++)
        v = v << 8 | at[i];
    return v;
}

bool
rx_envelope_seal(const struct rx_join_keys *keys,
    const struct rx_envelope *head, rx_str body, struct rx_buf *out)
{
    unsigned char h[RX_ENVELOPE_HEAD] = MAGIC;
    size_t before = out->len;

    assert(head->topic.len > 0 && head->topic.len <= RX_TOPIC_MAX);
    if (body.len > rx_message_max(head->kind))
        return false;
    h[4] = head->major;
    h[5] = head->minor;
    h[6] = (unsigned char)head->kind;
    h[7] = head->from_control ? DOWN : UP;
    put64(h + 8, head->epoch);
    put64(h + 16, head->version);
    put64(h + 24, head->sequence);
    h[32] = (unsigned char)(body.len >> 24);
    h[33] = (unsigned char)(body.len >> 16 & 0xff);
    h[34] = (unsigned char)(body.len >> 8 & 0xff);
    h[35] = (unsigned char)(body.len & 0xff);

    size_t clear = head->topic.len + 1 + sizeof(h);
    char *room = rx_buf_room(out, clear + body.len + RX_SEAL_EXTRA);
    if (room == NULL)
        return false;
    rx_buf_add(out, head->topic);
    rx_buf_addc(out, '\0');
    rx_buf_add(out, (rx_str){ (const char *)h, sizeof(h) });
    /* The room is there: sealing grows nothing, so `room` stays where it is. */
    rx_str context = { out->ptr + before, clear };
    return rx_seal(head->from_control ? &keys->to_data : &keys->to_control,
        body, context, out);
}

/* Split off the topic; false when there is no valid one. */
static bool
cut_topic(rx_str message, rx_str *topic, rx_str *rest)
{
    size_t most =
        message.len < RX_TOPIC_MAX + 1 ? message.len : RX_TOPIC_MAX + 1;

    if (!rx_str_cut((rx_str){ message.ptr, most }, '\0', topic, rest))
        return false;
    *rest = (rx_str){ rest->ptr, message.len - topic->len - 1 };
    return rx_str_eq(*topic, RX_S("all")) || rx_topic_plane(*topic).len > 0;
}

enum rx_code
rx_envelope_peek(rx_str message, struct rx_envelope *head, struct rx_err *err)
{
    rx_str topic;
    rx_str rest;

    *head = (struct rx_envelope){ .version = 0 };
    if (!cut_topic(message, &topic, &rest) ||
        rest.len < RX_ENVELOPE_HEAD + RX_SEAL_EXTRA ||
        memcmp(rest.ptr, MAGIC, 4) != 0)
        return rx_fail(err, RX_INVALID, "not an envelope");

    const unsigned char *h = (const unsigned char *)rest.ptr;
    if (h[7] != DOWN && h[7] != UP)
        return rx_fail(err, RX_INVALID, "not an envelope");
    head->topic = topic;
    head->major = h[4];
    head->minor = h[5];
    head->kind = (enum rx_message)h[6];
    head->from_control = h[7] == DOWN;
    head->epoch = get64(h + 8);
    head->version = get64(h + 16);
    head->sequence = get64(h + 24);

    size_t size = (size_t)h[32] << 24 | (size_t)h[33] << 16 |
                  (size_t)h[34] << 8 | (size_t)h[35];
    if (size != rest.len - RX_ENVELOPE_HEAD - RX_SEAL_EXTRA)
        return rx_fail(err, RX_INVALID, "cut envelope");
    /* A kind from a newer minor version: as big as the biggest we know. */
    size_t max = rx_message_max(head->kind);
    if (max == 0)
        max = rx_envelope_max(head->from_control) - RX_ENVELOPE_EXTRA;
    if (size > max)
        return rx_fail(err, RX_TOO_BIG, "%s of %zu bytes, at most %zu",
            rx_message_name(head->kind), size, max);
    return RX_OK;
}

enum rx_code
rx_envelope_open(const struct rx_join_keys *keys, bool from_control,
    rx_str message, struct rx_envelope *head, struct rx_buf *body,
    struct rx_err *err)
{
    enum rx_code code = rx_envelope_peek(message, head, err);

    if (code != RX_OK)
        return code;
    size_t clear = head->topic.len + 1 + RX_ENVELOPE_HEAD;
    rx_str context = { message.ptr, clear };
    rx_str sealed = { message.ptr + clear, message.len - clear };
    if (sealed.len - RX_SEAL_EXTRA > body->cap - body->len)
        return rx_fail(err, RX_TOO_BIG, "%s of %zu bytes",
            rx_message_name(head->kind), sealed.len);
    if (head->from_control != from_control ||
        !rx_unseal(from_control ? &keys->to_data : &keys->to_control, sealed,
            context, body))
        return rx_fail(err, RX_DENIED,
            "sealed with another join token, or changed on the way");
    if (head->major != RX_WIRE_MAJOR)
        return rx_fail(err, RX_CONFLICT,
            "wire version %u.%u, this side speaks %u.%u", head->major,
            head->minor, RX_WIRE_MAJOR, RX_WIRE_MINOR);
    return RX_OK;
}

bool
rx_replay_accept(struct rx_replay *r, const struct rx_envelope *head)
{
    if (head->epoch < r->epoch ||
        (head->epoch == r->epoch && head->sequence <= r->sequence))
        return false;
    r->epoch = head->epoch;
    r->sequence = head->sequence;
    return true;
}
