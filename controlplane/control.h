/*
 * control.h - routex-control as a whole: what it was told, and its parts.
 *
 *   main.c             the words of the command line, and what they ask for
 *   control.c          the parts are made, run and unmade
 *   control_store.c    the store is opened, and filled at the very first start
 *   control_events.c   which part hears of what
 *   offline.c          what is done to a store that nobody has open
 */
#ifndef CONTROLPLANE_CONTROL_H
#define CONTROLPLANE_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "controlplane/place.h"
#include "shared/conf.h"
#include "shared/log.h"
#include "shared/loop.h"
#include "shared/startup.h"

struct options {
    const char *data_dir;
    const char *db_path;
    const char *key_file;
    const char *host;
    uint16_t admin_port;
    const char *admin_key;
    const char *publish;
    const char *pull;
    const char *tls_file;
    const char *demo_url;
    const char *strategy;
    const char *session_s;
    const char *restore;
    bool forget, compact;
    bool dashboard;
    const char *dashboard_dir;
    struct rx_conf_list oauth;
    bool json;
    enum rx_log_level log_level;
};

struct control {
    struct options options;
    struct place place;
    struct rx_loop *loop;
    struct rx_fetch *fetch;
    struct store *store;
    struct publisher *publisher;
    struct collector *collector;
    struct limiter *limiter;
    struct token_keeper *tokens;
    struct live *live;
    struct alerts *alerts;
    struct deliveries *deliveries;
    struct tees *tees;
    struct captured *captured;
    struct alert_watch *alert_watch;
    struct demo *demo;
    struct health *health;
    struct windows *windows;
    struct window_poll *window_poll;
    struct login *login;
    struct assets *assets;
    struct oauth *oauth;
    struct api *api;
    struct backups *backups;
    struct retention *retention;
    struct anomalies *anomalies;
    struct rx_timer give_up; /* longest wait for answers under way */
    struct rx_startup startup;
    bool stopping;
    bool again;    /* start anew instead of ending */
    uint16_t port; /* where the admin API was, for then */
};

/* Make all parts and begin to serve; whatever comes of it, end with
 * control_close(). */
RX_NODISCARD enum rx_code control_start(struct control *c, struct rx_err *err);
void control_close(struct control *c);

/* The store, with what the environment wishes in it. */
RX_NODISCARD enum rx_code control_open_store(
    struct control *c, struct rx_err *err);
/* A new incarnation; durable before anybody hears of it. */
RX_NODISCARD enum rx_code control_next_epoch(
    struct store *s, uint64_t *out, struct rx_err *err);

/* Let the parts that are there hear of each other. */
void control_connect(struct control *c);
/* What the settings say, or what it was started with. */
void control_set_log_level(const struct control *c);

/* Each does its work, says what became of it, and returns the exit code. */
int offline_forget_secrets(struct control *c, struct rx_err *err);
int offline_restore(struct control *c, struct rx_err *err);
int offline_compact(struct control *c, struct rx_err *err);

#endif
