#include "controlplane/own_address.h"

#include "controlplane/collector.h"
#include "shared/url.h"

static bool
is_loopback(rx_str host)
{
    return rx_str_ieq(host, RX_S("localhost")) ||
           rx_str_starts(host, RX_S("127.")) || rx_str_eq(host, RX_S("::1")) ||
           rx_str_eq(host, RX_S("0.0.0.0")) || rx_str_eq(host, RX_S("::"));
}

static bool
same_place(const struct rx_url *a, rx_str text)
{
    struct rx_url b;

    if (rx_url_split(text, &b, NULL) != RX_OK || a->port != b.port)
        return false;
    return rx_str_ieq(a->host, b.host) ||
           (is_loopback(a->host) && is_loopback(b.host));
}

bool
own_address(const struct api_world *world, uint16_t admin_port, rx_str base_url)
{
    struct rx_url url;

    if (rx_url_split(base_url, &url, NULL) != RX_OK)
        return false; /* somebody else says what is wrong with it */
    if (url.port == admin_port && is_loopback(url.host))
        return true;
    for (size_t i = 0; i < collector_plane_count(world->collector); i++) {
        const struct plane_info *p = collector_plane(world->collector, i);
        if (same_place(&url, p->client_url) || same_place(&url, p->ops_url))
            return true;
    }
    return false;
}
