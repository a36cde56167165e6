/*
 * message.h - an HTTP/1.1 message, read as its bytes arrive: what the two ends
 * of the bench need and no more.
 *
 * Call message_read until it says MESSAGE_MORE (read the socket again) or
 * MESSAGE_DONE (message_init before the next message, which may begin at *at).
 *
 * Strict where a mistake of the gateway would show: a body without framing,
 * a bad chunk or a second length is MESSAGE_BAD.
 */
#ifndef TESTS_BENCH_MESSAGE_H
#define TESTS_BENCH_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MESSAGE_HEAD_MAX 4096

enum message_state {
    MESSAGE_HEAD,
    MESSAGE_LENGTH,
    MESSAGE_CHUNK_SIZE,
    MESSAGE_CHUNK_EXTENSION,
    MESSAGE_CHUNK_DATA,
    MESSAGE_CHUNK_END,
    MESSAGE_TRAILER
};

struct message {
    enum message_state state;
    bool response; /* set by the owner before the first byte */
    bool chunked;
    bool close; /* the sender will close after this message */
    int status; /* of a response */
    int lengths;
    uint64_t left; /* of the body, or of this chunk */
    size_t line;   /* bytes in this chunk-size or trailer line */
    size_t head_len;
    char head[MESSAGE_HEAD_MAX];
};

struct message_span {
    const char *at;
    size_t len;
};

enum message_result {
    MESSAGE_MORE, /* everything was read; the message goes on */
    MESSAGE_BODY, /* `body` holds the next bytes of it; call again */
    MESSAGE_DONE, /* the message ends at *at */
    MESSAGE_BAD
};

void message_init(struct message *m, bool response);
enum message_result message_read(struct message *m, const char **at,
    const char *end, struct message_span *body);

#endif
