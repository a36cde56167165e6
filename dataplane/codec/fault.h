/*
 * fault.h - what went wrong, in every dialect's words (wire.md 3.18).
 */
#ifndef DATAPLANE_CODEC_FAULT_H
#define DATAPLANE_CODEC_FAULT_H

#include "dataplane/codec/ir.h"
#include "shared/buf.h"

struct fault_words {
    int anthropic_status;
    const char *anthropic; /* error.type */
    int openai_status;
    const char *openai;      /* error.type */
    const char *openai_code; /* NULL: null */
    int gemini_status;       /* error.code */
    const char *gemini;      /* error.status */
};
const struct fault_words *fault_words(enum ir_fault fault);

/*
 * Read an error out of a document of any dialect: {"error":{…}}, {"error":"…"},
 * an array of such, or text that is no JSON at all.  False when it holds none
 * (and `status` is no error's either).  Views into `document`.
 */
bool fault_read(rx_str document, int status, struct ir_error *out);
/* The same for the value of an "error" member; null and false are none. */
bool fault_read_value(rx_str value, struct ir_error *out);

/* Which kind the words of `e` tell of; its status may be 0. */
enum ir_fault fault_judge(const struct ir_error *e);

#endif
