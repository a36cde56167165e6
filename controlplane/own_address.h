/*
 * own_address.h - is an upstream's address one of Routex's own?
 *
 * A channel that pointed at a data plane or at the admin API would send
 * requests round in circles, or hand clients the admin API's port.
 */
#ifndef CONTROLPLANE_OWN_ADDRESS_H
#define CONTROLPLANE_OWN_ADDRESS_H

#include <stdbool.h>

#include "controlplane/api.h"

/*
 * Does `base_url` lead to the admin API or to a data plane this control plane
 * knows?  Machines are told apart by the host as written; the names of this one
 * ("localhost", 127.x.x.x, "::1", "0.0.0.0") are the same.
 */
bool own_address(
    const struct api_world *world, uint16_t admin_port, rx_str base_url);

#endif
