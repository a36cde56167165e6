/*
 * client_name.h - the program that sent a request, out of its User-Agent.
 *
 *   claude-cli/2.0.31 (external, cli)      claude-code
 *   codex_cli_rs/0.46.0 (Debian 12)        codex
 *   GeminiCLI-tui/0.61.0/gemini-3 (linux)  gemini-cli
 *   AsyncOpenAI/Python 1.109.1             openai-python
 *   curl/8.5.0                             curl
 *
 * Versions and systems are left out, so that there are few of them.
 */
#ifndef CONTROLPLANE_CLIENT_NAME_H
#define CONTROLPLANE_CLIENT_NAME_H

#include "shared/str.h"

#define CLIENT_NAME_SIZE 33

/* Lower case letters, digits, "." and "-"; empty: it does not say. */
void client_name(rx_str user_agent, char out[CLIENT_NAME_SIZE]);

#endif
