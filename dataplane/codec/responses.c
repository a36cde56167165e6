/* OpenAI Responses: the table of what it can do. */
#include "dataplane/codec/responses.h"

const struct codec codec_responses = {
    .dialect = DIALECT_RESPONSES,
    .echoes = true,
    .decode_request = responses_decode_request,
    .writer_new = responses_writer_new,
    .writer_fini = responses_writer_fini,
    .write = responses_write,
    .keepalive = RX_STR_INIT(": keep-alive\n\n"),
    .write_whole = responses_write_whole,
    .write_error = responses_write_error,
    .encode_request = responses_encode_request,
    .reader_new = responses_reader_new,
    .reader_fini = responses_reader_fini,
    .read = responses_read,
    .read_whole = responses_read_whole,
    .read_end = responses_read_end,
};
