/*
 * up_setup.c - at the first start in a terminal, `routex up` offers its setup.
 *
 * It is a program of its own in the foreground, so that its questions wait
 * without anything else waiting for them; it ends with us.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "controlplane/cli/prompt.h"
#include "controlplane/cli/up_state.h"

/* In the new process; does not return. */
static void
become(const char *path, const char *data_dir)
{
    char place[HOME_PATH + 16];
    sigset_t none;

    prctl(PR_SET_PDEATHSIG, SIGTERM);
    signal(SIGPIPE, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    snprintf(place, sizeof(place), "--data-dir=%s", data_dir);
    execl(path, path, "setup", "--first", place, (char *)NULL);
    _exit(127);
}

void
up_offer_setup(struct up *u)
{
    char path[HOME_PATH];
    struct rx_err err = { 0 };

    if (u->o.yes || u->admin_token[0] == '\0' || !prompt_possible() ||
        home_sibling("routex", path, &err) != RX_OK)
        return;
    fflush(stdout);
    if (fork() == 0)
        become(path, u->data_dir);
}
