#include "controlplane/cli/prompt.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "shared/messages.h"
#include "shared/str.h"

static struct termios usual;

bool
prompt_possible(void)
{
    const char *ci = getenv("CI");

    return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) &&
           (ci == NULL || ci[0] == '\0' || strcmp(ci, "false") == 0);
}

static void
say_to(FILE *to, const char *code, const char *one, const char *two)
{
    const char *args[] = { one, one != NULL ? two : NULL, NULL };
    struct rx_buf text;

    rx_buf_init(&text, 64 << 10);
    rx_message_add(&text, rx_lang_of_environment(), code, args);
    fwrite(text.ptr, 1, text.len, to);
    fflush(to);
    rx_buf_fini(&text);
}

void
prompt_say(const char *code, const char *one, const char *two)
{
    say_to(stdout, code, one, two);
}

void
prompt_complain(const char *code)
{
    say_to(stderr, code, NULL, NULL);
}

bool
prompt_line(const char *code, const char *one, char *out, size_t size)
{
    prompt_say(code, one, NULL);
    if (fgets(out, (int)size, stdin) == NULL)
        return false;
    size_t len = strcspn(out, "\r\n");
    if (out[len] == '\0' && len + 1 == size)
        return false;
    rx_str line = rx_str_trim((rx_str){ out, len });
    memmove(out, line.ptr, line.len);
    out[line.len] = '\0';
    return true;
}

static void
on_signal(int signo)
{
    tcsetattr(STDIN_FILENO, TCSANOW, &usual);
    _exit(128 + signo);
}

bool
prompt_secret(const char *code, const char *one, char *out, size_t size)
{
    static const int deadly[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
    struct sigaction before[4], restore = { .sa_handler = on_signal };
    struct termios unseen;

    if (tcgetattr(STDIN_FILENO, &usual) != 0)
        return false;
    for (size_t i = 0; i < 4; i++)
        sigaction(deadly[i], &restore, &before[i]);
    unseen = usual;
    unseen.c_lflag &= ~(tcflag_t)ECHO;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &unseen);
    bool good = prompt_line(code, one, out, size);
    tcsetattr(STDIN_FILENO, TCSANOW, &usual);
    for (size_t i = 0; i < 4; i++)
        sigaction(deadly[i], &before[i], NULL);
    printf("\n");
    return good;
}
