#include "dataplane/family.h"

#include <string.h>

#include "shared/attr.h"

/* The first whose words all stand in the model's name. */
static const struct {
    const char *name;
    const char *words[2];
} families[] = {
    { "opus", { "opus", "" } },
    { "sonnet", { "sonnet", "" } },
    { "haiku", { "haiku", "" } },
    { "claude", { "claude", "" } },
    { "gemini-flash-lite", { "gemini", "flash-lite" } },
    { "gemini-flash", { "gemini", "flash" } },
    { "gemini-pro", { "gemini", "pro" } },
    { "gemini", { "gemini", "" } },
    { "codex", { "codex", "" } },
    { "gpt-mini", { "gpt", "mini" } },
    { "gpt-nano", { "gpt", "nano" } },
    { "gpt", { "gpt", "" } },
};

static bool
holds(rx_str text, const char *word)
{
    size_t n = strlen(word);

    for (size_t at = 0; at + n <= text.len; at++) {
        if (rx_str_ieq((rx_str){ text.ptr + at, n }, (rx_str){ word, n }))
            return true;
    }
    return n == 0;
}

rx_str
family_of(rx_str model)
{
    for (size_t i = 0; i < RX_COUNT(families); i++) {
        if (holds(model, families[i].words[0]) &&
            holds(model, families[i].words[1]))
            return (rx_str){ families[i].name, strlen(families[i].name) };
    }
    return (rx_str){ 0 };
}
