/*
 * up_state.h - what the files of `routex up` share; nobody else includes it.
 *
 *   up.c       stages, signals, beginning and end
 *   up_args.c  how the children are called
 *   up_ask.c   how they are, by their own word and the control plane's
 *   up_setup.c the offer to set it up
 *   up_tell.c  what the user is told, and the ports
 */
#ifndef CLI_UP_STATE_H
#define CLI_UP_STATE_H

#include "controlplane/cli/child.h"
#include "controlplane/cli/remote.h"
#include "controlplane/cli/up.h"

#define UP_PLANES_MAX 64
/* What is asked of the control plane. */
#define ASK_CHANNELS  UP_PLANES_MAX
#define ASK_PLANES    (UP_PLANES_MAX + 1)
#define UP_URL        256

enum stage { STARTING, CONTROL, PLANES, RUNNING, DRAINING, CLOSING };

struct up {
    struct up_options o;
    char data_dir[HOME_PATH];
    struct rx_loop *loop;
    struct rx_fetch *fetch;
    struct child_set children;
    struct child control;
    struct child demo;
    struct child planes[UP_PLANES_MAX];
    char names[UP_PLANES_MAX][16];
    bool ready[UP_PLANES_MAX]; /* said so at its ops address, this run of it */
    enum stage stage;
    uint64_t stage_ms; /* when it began */
    struct rx_timer look;
    struct rx_timer hurry;
    struct rx_transfer *asking;
    unsigned asked;      /* the plane that is being asked, or one of ASK_… */
    struct rx_buf words; /* what the control plane printed */
    char admin_token[REMOTE_TEXT];
    char client_key[REMOTE_TEXT];
    char admin_url[UP_URL];
    char dashboard_url[UP_URL];
    char client_url[UP_URL];
    uint16_t port, demo_port;
    int port_fd, demo_fd, lock_fd;
    bool in_sync;     /* every plane has what the control plane says now */
    bool demo_known;  /* the channels were looked at once */
    bool demo_wanted; /* one of them is of type demo */
    bool hurried;
    int code;
};

/* The arguments for each child.  RX_NOT_FOUND: its program is not there. */
RX_NODISCARD enum rx_code up_control_args(
    struct up *u, uint16_t admin_port, struct rx_err *err);
RX_NODISCARD enum rx_code up_plane_args(
    struct up *u, unsigned i, struct rx_err *err);
RX_NODISCARD enum rx_code up_demo_args(struct up *u, struct rx_err *err);

/* Find out whether a channel needs the demo, and start or stop it. */
void up_ask_channels(struct up *u);
/* Do all planes serve, with what the control plane says now?  Asks on. */
bool up_all_ready(struct up *u);
void up_stop_asking(struct up *u);

/* At a first start in a terminal: `routex setup`, beside us. */
void up_offer_setup(struct up *u);

#endif
