/*
 * facts.h - what is learnt from an answer, event by event or document by
 * document.
 *
 * The readers of the four dialects fill it; the tap feeds them and judges the
 * end.  A reader looks at what it knows and passes the rest unread; broken JSON
 * yields what came before the break.
 */
#ifndef DATAPLANE_FACTS_H
#define DATAPLANE_FACTS_H

#include <stdbool.h>

#include "dataplane/dialect.h"
#include "dataplane/figures.h"
#include "dataplane/tally.h"
#include "dataplane/usage.h"
#include "shared/json_span.h"
#include "shared/str.h"

struct facts {
    enum dialect dialect;
    enum operation op;
    struct usage_seen seen;
    struct figures figures;
    struct tally tally;
    bool stopped;     /* a stop reason was told */
    bool provisional; /* the output figure is that of Anthropic's start event */
    bool reasoned;    /* this delta told its reasoning already */
    bool stored;      /* a response made and counted earlier */
    char model[128];
    char answer_id[128];
    char finish[64];
    char error_type[64];
    char error_message[512];
};

/* One server-sent event's data. */
void facts_read_event(struct facts *f, rx_str data);
/* A whole document, or an element of a streamed array. */
void facts_read_document(struct facts *f, rx_str text);

/* For the readers. */

/*
 * A member that is looked at: either `read` stands at its value and passes it,
 * or the object there, or each object of the array there, is read by a table of
 * its own.
 */
struct facts_member {
    rx_str name;
    void (*read)(struct facts *f, struct rx_span *j);
    const struct facts_member *inside;
    size_t count;
};
#define FACTS_READ(name, read)           \
    {                                    \
        RX_STR_INIT(name), read, NULL, 0 \
    }
#define FACTS_INSIDE(name, members)                         \
    {                                                       \
        RX_STR_INIT(name), NULL, members, RX_COUNT(members) \
    }
/* Read the object, or the objects, at the cursor; pass any other value. */
void facts_walk(struct facts *f, struct rx_span *j,
    const struct facts_member *members, size_t n);
#define FACTS_WALK(f, j, members) facts_walk(f, j, members, RX_COUNT(members))

/* What events with a type of their own are read by. */
struct facts_event {
    rx_str type;
    const struct facts_member *members;
    size_t count;
};
#define FACTS_EVENT(type, members)                    \
    {                                                 \
        RX_STR_INIT(type), members, RX_COUNT(members) \
    }
/* Reads it by the row of its type.  NULL, and nothing is read: there is none. */
const struct facts_event *facts_event(struct facts *f, rx_str data, rx_str type,
    const struct facts_event *events, size_t n);

/* read() each element of the array at the cursor; pass any other value. */
void facts_each(struct facts *f, struct rx_span *j,
    void (*read)(struct facts *f, struct rx_span *j));

void facts_content(
    struct facts *f, struct rx_span *j);             /* any non-empty value */
void facts_text(struct facts *f, struct rx_span *j); /* a string: counted */
void facts_code(struct facts *f, struct rx_span *j); /* any value: counted */
void facts_usage(struct facts *f, struct rx_span *j);
void facts_tier(struct facts *f, struct rx_span *j);
void facts_model(struct facts *f, struct rx_span *j);
/* The tokens of the prompt, as a counting request is answered. */
void facts_count(struct facts *f, struct rx_span *j);
void facts_count_as(struct facts *f, struct rx_span *j, enum figure figure);
/* The id and "store": may the answer be referred to later? */
void facts_answer_id(struct facts *f, struct rx_span *j);
void facts_store(struct facts *f, struct rx_span *j);
void facts_stop(struct facts *f, struct rx_span *j);
/* An error in any of the shapes it comes in; null, false and "" are none. */
void facts_error(struct facts *f, struct rx_span *j);
/* Code and message that stand in the event itself. */
void facts_error_code(struct facts *f, struct rx_span *j);
void facts_error_message(struct facts *f, struct rx_span *j);
/* The string member "type" of the object `data`; empty when there is none. */
rx_str facts_type(rx_str data);

void facts_anthropic_event(struct facts *f, rx_str data);
void facts_anthropic_document(struct facts *f, rx_str data);
void facts_chat(struct facts *f, rx_str data);
void facts_responses_event(struct facts *f, rx_str data);
void facts_responses_document(struct facts *f, rx_str data);
void facts_gemini(struct facts *f, rx_str data);

#endif
