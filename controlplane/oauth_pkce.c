#include "controlplane/oauth_pkce.h"

#include "shared/secret.h"

void
oauth_random(struct rx_buf *out)
{
    unsigned char bytes[32];

    rx_random(bytes, sizeof(bytes));
    rx_base64url((rx_str){ (const char *)bytes, sizeof(bytes) }, out);
    rx_wipe(bytes, sizeof(bytes));
}

void
oauth_challenge(rx_str verifier, struct rx_buf *out)
{
    struct rx_digest d = rx_sha256(&verifier, 1);

    rx_base64url((rx_str){ (const char *)d.bytes, sizeof(d.bytes) }, out);
}
