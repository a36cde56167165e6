#include "controlplane/local_token.h"

#include "shared/secret.h"

enum rx_code
local_token(const char *master_key_file, struct rx_buf *out, struct rx_err *err)
{
    struct rx_key master;
    enum rx_code code = rx_key_file(master_key_file, false, &master, err);

    if (code != RX_OK)
        return code;
    struct rx_key token =
        rx_key_derive(&master, RX_S("routex admin token of this machine"));
    rx_buf_add(out, RX_S("rta_local_"));
    rx_base64url((rx_str){ (const char *)token.bytes, RX_KEY_SIZE }, out);
    rx_wipe(&master, sizeof(master));
    rx_wipe(&token, sizeof(token));
    return RX_OK;
}
