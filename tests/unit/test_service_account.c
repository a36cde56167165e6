/*
 * controlplane/service_account, token_keeper: what is a key file, and when its
 * tokens are renewed.  Signatures are checked by openssl in test_vertex.py.
 */
#include <stdlib.h>

#include "controlplane/service_account.h"
#include "shared/rsa.h"
#include "shared/secret.h"
#include "tests/unit/check.h"

static void
what_is_no_key_file_is_told_what_it_lacks(void)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        { "{\"type\":", "is no JSON" },
        { "{\"type\":\"authorized_user\"}", "must be a service account" },
        { "{\"type\":\"service_account\"}", "client_email" },
        { "{\"type\":\"service_account\",\"client_email\":\"a@b\"}",
            "private_key" },
        { "{\"type\":\"service_account\",\"client_email\":\"a@b\","
          "\"private_key\":\"-----BEGIN PRIVATE KEY-----\\nAA==\\n-----END "
          "PRIVATE KEY-----\\n\"}",
            "RSA" },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct rx_arena *arena = rx_arena_new(1 << 20);
        struct service_account a;
        struct rx_err err = { 0 };
        rx_str text = { rows[i].text, strlen(rows[i].text) };
        CHECK_INT(RX_INVALID, service_account_read(text, arena, &a, &err));
        if (strstr(err.text, rows[i].want) == NULL)
            CHECK_TEXT(rows[i].want, err.text);
        rx_arena_free(arena);
    }
}

static void
what_is_no_key_signs_nothing(void)
{
    struct rx_buf out;
    struct rx_err err = { 0 };

    rx_buf_init(&out, 4096);
    CHECK_INT(RX_INVALID,
        rx_rsa_sign(RX_S("-----BEGIN X-----"), RX_S("t"), &out, &err));
    CHECK_INT(RX_INVALID, rx_rsa_sign((rx_str){ 0 }, RX_S("t"), &out, &err));
    CHECK_INT(0, (intmax_t)out.len);
    rx_buf_fini(&out);
}

int
main(void)
{
    rx_secret_init();
    CHECK_RUN(what_is_no_key_file_is_told_what_it_lacks);
    CHECK_RUN(what_is_no_key_signs_nothing);
    return CHECK_EXIT();
}
