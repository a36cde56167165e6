/* What the two halves of the Chat Completions encoder share. */
#ifndef DATAPLANE_CODEC_CHAT_ENCODE_H
#define DATAPLANE_CODEC_CHAT_ENCODE_H

#include "dataplane/codec/chat.h"
#include "dataplane/codec/put.h"

struct chat_encoder {
    const struct codec_encode *in;
    const struct ir_request *r;
    const struct capability *cap;
    struct rx_buf *b;
};

void chat_lose(struct chat_encoder *x, const char *what, const char *why);
void chat_put_messages(struct chat_encoder *x);

#endif
