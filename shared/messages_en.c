/* English.  The codes are those of messages_zh.c. */
#include <stddef.h>

#include "shared/messages.h"

const struct rx_words rx_messages_en[] = {
    /* Codes of errors of the admin API. */
    { "invalid_request", "The request is wrong" },
    { "unauthenticated", "Nobody known" },
    { "forbidden", "Not allowed" },
    { "not_found", "Not found" },
    { "method_not_allowed", "Not with this method" },
    { "conflict", "It conflicts with what is there" },
    { "precondition_failed", "Somebody else changed it meanwhile" },
    { "too_big", "Too big" },
    { "rate_limited", "Too often" },
    { "bad_state", "This log-in is not known, was finished, or took too long" },
    { "needs_login", "Somebody has to log in again" },
    { "provider_failed", "The provider did not answer as it should" },
    { "unavailable", "Not possible now; try again later" },
    { "internal", "Something went wrong here" },
    { "csrf", "The page's token is missing or wrong" },
    { "last_owner", "This is the last owner" },
    { "no_user_yet", "There is no user yet: log in with an admin token" },
    { "password_needed", "Log in with name and password" },

    /* routex setup */
    { "setup.no_terminal",
        "routex: setup asks questions and needs a terminal (and no CI in the "
        "environment);\nwithout one there are `routex channel add` and the "
        "admin API\n" },
    { "setup.offer", "  Set it up now?  Three questions.  [Y/n] " },
    { "setup.later", "  Later: routex setup\n" },
    { "setup.done", "\nDone.  Again at any time: routex setup\n" },
    { "setup.refused", "  That did not work: {1}\n" },
    { "setup.channel",
        "\n1. Your first channel: which provider?  (Enter: none now)\n" },
    { "setup.provider", "  Number or name: " },
    { "setup.no_provider", "  There is no provider \"{1}\".\n" },
    { "setup.base_url", "  Base URL: " },
    { "setup.key", "  API key: " },
    { "setup.key_from", "  API key (from {1}): " },
    { "setup.name", "  Name [{1}]: " },
    { "setup.asking", "  Asking the provider … " },
    { "setup.works", "it works.\n" },
    { "setup.works_not", "it does not: {1}\n" },
    { "setup.what_now", "  [k]ey again, keep it [a]s it is, or [d]rop it? " },
    { "setup.dropped", "  It is gone.\n" },
    { "setup.strategy",
        "\n2. With several channels, whom do requests go to?  (Enter: as it "
        "is)\n" },
    { "setup.now", "  (now)" },
    { "setup.number", "  Number: " },
    { "setup.chosen", "  It is {1} now.\n" },
    { "setup.user", "\n3. The dashboard's first user.  (Enter: none now)\n" },
    { "setup.users_there", "  There are users already.\n" },
    { "setup.password", "  Password (10 characters at least): " },
    { "setup.again", "  Once more: " },
    { "setup.differ", "  They differ.\n" },
    { "setup.can_log_in", "  {1} can log in: {2}/dashboard\n" },
    { "strategy.priority", "the first that works, by priority" },
    { "strategy.weighted", "shared out by weight" },
    { "strategy.round_robin", "one after the other" },
    { "strategy.least_used", "whoever has least to do" },
    { "strategy.latency", "whoever answers fastest" },
    { "strategy.headroom", "whoever has most of its quota left" },
    { "strategy.drain", "use one up, then the next" },

    /* routex up */
    { "up.is_up", "\n  Routex {1} is up\n\n" },
    { "up.is_up_on", "\n  Routex {1} is up on a platform: {2}\n\n" },
    { "up.where", "    clients      {1}\n    admin API    {2}/api\n"
                  "    data         {3}\n    data planes  {4}\n" },
    { "up.dashboard", "    dashboard    {1}\n" },
    { "up.first", "\n  First start. These are shown only this once:\n"
                  "    admin token  {1}\n    client key   {2}\n" },
    { "up.try", "\n  Try it:\n" },
    { "up.demo", "\n  The demo provider answers. An account of yours:\n" },
    { "up.end", "\n  Ctrl-C ends it, after running requests.\n\n" },
    { NULL, NULL },
};
