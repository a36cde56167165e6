/*
 * main.c - routex, the command line.
 */
#include "controlplane/cli/command.h"

int
main(int argc, char **argv)
{
    return cli_main(argc, argv);
}
