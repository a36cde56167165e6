/*
 * A User-Agent becomes the name of a program, whatever its bytes.
 */
#include <string.h>

#include "check.h"
#include "controlplane/client_name.h"
#include "shared/attr.h"

static void
programs_are_told_by_their_user_agent(void)
{
    static const char *const pairs[][2] = {
        { "claude-cli/2.0.31 (external, cli)", "claude-code" },
        { "claude-cli/2.1.330 (external, sdk-cli)", "claude-code" },
        { "claude-code/2.1.330", "claude-code" },
        { "codex_cli_rs/0.46.0 (Debian 12.0.0; x86_64)", "codex" },
        { "codex_exec/0.169.0 (Debian 12.0.0)", "codex" },
        { "GeminiCLI-tui/0.61.0/gemini-3 (linux; x64)", "gemini-cli" },
        { "opencode/1.18.0", "opencode" },
        { "OpenAI/Python 2.34.0", "openai-python" },
        { "AsyncOpenAI/Python 1.109.1", "openai-python" },
        { "Anthropic::Client/Ruby 1.55.0", "anthropic-client-ruby" },
        { "Together/v1 PythonBindings/1.2.0", "together" },
        { "google-genai-sdk/1.32.0 gl-python/3.10.18", "google-genai-sdk" },
        { "Mozilla/5.0 (X11; Linux x86_64)", "browser" },
        { "Go-http-client/1.1", "go-http-client" },
        { "Ruby", "ruby" },
        { "  curl/8.5.0 ", "curl" },
        { "", "" },
        { "///", "" },
        { "(nobody)", "" },
        { "async", "async" },
        { "X-Y_Z::/1", "x-y-z" },
        { "name/", "name" },
        { "name/-", "name" },
    };
    char name[CLIENT_NAME_SIZE];

    for (size_t i = 0; i < RX_COUNT(pairs); i++) {
        client_name((rx_str){ pairs[i][0], strlen(pairs[i][0]) }, name);
        CHECK_TEXT(pairs[i][1], name);
    }
}

static void
any_bytes_make_a_short_word(void)
{
    unsigned state = 1;
    char text[300], name[CLIENT_NAME_SIZE];

    for (unsigned i = 0; i < 20000; i++) {
        size_t len = state % sizeof(text);
        for (size_t k = 0; k < len; k++) {
            state = state * 1103515245 + 12345;
            text[k] = (char)(state >> 16);
        }
        client_name((rx_str){ text, len }, name);
        CHECK(strlen(name) < CLIENT_NAME_SIZE);
        CHECK_INT((int)strlen(name),
            (int)strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789.-"));
    }
}

int
main(void)
{
    CHECK_RUN(programs_are_told_by_their_user_agent);
    CHECK_RUN(any_bytes_make_a_short_word);
    return CHECK_EXIT();
}
