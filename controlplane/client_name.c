#include "controlplane/client_name.h"

#include <stdbool.h>
#include <stdio.h>

#include "shared/attr.h"

/* What a User-Agent begins with, in the form of add_word(), and who that is. */
static const struct {
    rx_str begins;
    const char *name;
} known[] = {
    { RX_STR_INIT("claude-cli"), "claude-code" },
    { RX_STR_INIT("codex"), "codex" },
    { RX_STR_INIT("geminicli"), "gemini-cli" },
    { RX_STR_INIT("githubcopilot"), "copilot" },
    { RX_STR_INIT("qwencode"), "qwen-code" },
    { RX_STR_INIT("roocode"), "roo-code" },
    { RX_STR_INIT("kilo-code"), "kilo-code" },
    { RX_STR_INIT("mozilla"), "browser" },
};

/* A library's two kinds of client are one program to whoever pays. */
static const rx_str twin = RX_STR_INIT("async");

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool
is_word(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || c == '.';
}

static char
lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
}

/* Up to the next blank, slash or bracket; what is no letter becomes "-". */
static size_t
add_word(rx_str *from, char *out, size_t n)
{
    size_t begin = n;

    while (from->len > 0) {
        char c = lower(from->ptr[0]);
        if (c == '/' || c == ' ' || c == '(' || c == ';' || c == ',')
            break;
        from->ptr++;
        from->len--;
        if (!is_word(c))
            c = '-';
        if (n < CLIENT_NAME_SIZE - 1 &&
            (c != '-' || (n > begin && out[n - 1] != '-')))
            out[n++] = c;
    }
    while (n > begin && out[n - 1] == '-')
        n--;
    return n;
}

/* Behind the slash there is a version, or, as in "OpenAI/Python 2.1", the
 * language. */
static size_t
add_language(rx_str rest, char *out, size_t n)
{
    if (n == 0 || rest.len < 2 || rest.ptr[0] != '/')
        return n;
    rest = (rx_str){ rest.ptr + 1, rest.len - 1 };
    char first = lower(rest.ptr[0]);
    bool version = first == 'v' && (rest.len == 1 || is_digit(rest.ptr[1]));
    if (version || first < 'a' || first > 'z' || n + 2 > CLIENT_NAME_SIZE - 1)
        return n;
    out[n] = '-';
    size_t end = add_word(&rest, out, n + 1);
    return end > n + 1 ? end : n;
}

void
client_name(rx_str user_agent, char out[CLIENT_NAME_SIZE])
{
    rx_str rest = rx_str_trim(user_agent);

    if (rest.len > twin.len && rx_str_ieq((rx_str){ rest.ptr, twin.len }, twin))
        rest = (rx_str){ rest.ptr + twin.len, rest.len - twin.len };
    size_t n = add_word(&rest, out, 0);
    for (size_t i = 0; i < RX_COUNT(known); i++) {
        if (rx_str_starts((rx_str){ out, n }, known[i].begins)) {
            snprintf(out, CLIENT_NAME_SIZE, "%s", known[i].name);
            return;
        }
    }
    n = add_language(rest, out, n);
    out[n] = '\0';
}
