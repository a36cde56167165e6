/*
 * agent.h - agents: a prompt with a name, and where its requests go.
 *
 *   ---
 *   name: reviewer
 *   description: Looks at changes
 *   model: deepseek-reasoner
 *   routing: deep, spare
 *   ---
 *   You are a careful reviewer …
 *
 * A file of this form in <data-dir>/agents/.  A request whose system text holds
 * the agent's prompt is the agent's: it goes to the channels of `routing`, in
 * that order ("tag:eu": those with that tag), and asks for `model`.  To the data
 * planes an agent is a rule that is asked before all others, so what was decided
 * shows where rules show: as "agent reviewer".  Whose prompt a request holds is
 * noted in its row, whatever decided.
 *
 * The head of the file is a strict part of YAML: lines "key: value", values
 * plain, in quotes, or folded and literal blocks ("|", ">"); keys we do not
 * know, and what stands indented below them, are passed over.
 */
#ifndef CONTROLPLANE_AGENT_H
#define CONTROLPLANE_AGENT_H

#include <stdbool.h>
#include <stdint.h>

#include "controlplane/field.h"
#include "controlplane/state.h"
#include "controlplane/store.h"
#include "shared/json.h"

#define AGENT_FILE_MAX   ((size_t)256 << 10)
#define AGENT_PROMPT_MIN 40 /* bytes: less is found in other prompts, too */
#define AGENT_PREFIX     "agt_"
#define AGENT_PRIORITY   1000000

struct agent {
    rx_str id; /* of the file: "reviewer" of reviewer.md */
    rx_str name, description, model, routing;
    rx_str prompt;
    rx_str text; /* all of the file */
    rx_str head; /* of it, the lines between the two ---; ptr NULL: none */
    uint64_t updated_ms;
    unsigned line;   /* of the fault */
    char fault[160]; /* why it is not used; empty: it is */
};

/* Fill name … prompt from text; what is wrong goes to `fault` and `line`. */
void agent_parse(struct agent *a, struct rx_arena *arena);
/*
 * The text of a file that says this.  `text` is the file as it is (empty: there
 * is none): lines whose value stays, lines we do not know and comments are kept
 * as they are.
 */
void agent_print(
    const struct agent *a, struct rx_arena *arena, struct rx_buf *out);
/* name … prompt from a body, as a whole; faults go to its document. */
void agent_read(struct agent *a, rx_json body);
/* A file's name out of the agent's. */
rx_str agent_id_for(rx_str name, struct rx_arena *arena);
/* Is it a name that a file may have? */
bool agent_id_good(rx_str id);
/*
 * As a rule, which is not enabled where there is nothing to decide: then its
 * requests are only known as the agent's.  RX_NOT_FOUND: it has a fault.  `why`
 * (may be NULL) says what is wrong with what it names.
 */
RX_NODISCARD enum rx_code agent_rule(const struct agent *a, struct store *s,
    struct rx_arena *arena, struct state_rule *out, char why[160]);

#endif
