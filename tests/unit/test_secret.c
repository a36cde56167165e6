#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "shared/clock.h"
#include "shared/secret.h"
#include "shared/tally.h"

static void
a_seal_opens_with_its_key_and_context_only(void)
{
    struct rx_key key;
    struct rx_key other;
    struct rx_buf box;
    struct rx_buf out;

    rx_random(&key, sizeof(key));
    rx_random(&other, sizeof(other));
    rx_buf_init(&box, 4096);
    rx_buf_init(&out, 4096);
    for (size_t len = 0; len < 200; len += 13) {
        char plain[200];
        memset(plain, 'p', sizeof(plain));
        rx_buf_clear(&box);
        rx_buf_clear(&out);
        CHECK(rx_seal(&key, (rx_str){ plain, len }, RX_S("here"), &box));
        CHECK_INT((int)(len + RX_SEAL_EXTRA), (int)box.len);
        CHECK(rx_unseal(&key, rx_buf_str(&box), RX_S("here"), &out));
        CHECK(rx_str_eq(rx_buf_str(&out), (rx_str){ plain, len }));
        rx_buf_clear(&out);
        CHECK(!rx_unseal(&key, rx_buf_str(&box), RX_S("there"), &out));
        CHECK(!rx_unseal(&other, rx_buf_str(&box), RX_S("here"), &out));
        box.ptr[box.len / 2] = (char)(box.ptr[box.len / 2] ^ 1);
        CHECK(!rx_unseal(&key, rx_buf_str(&box), RX_S("here"), &out));
        CHECK_INT(0, (int)out.len);
    }
    CHECK(!rx_unseal(&key, RX_S("short"), RX_S("here"), &out));
    rx_buf_fini(&box);
    rx_buf_fini(&out);
}

static void
digests_are_blake2b_256(void)
{
    char hex[65];
    struct rx_digest d = rx_digest(RX_S("abc"));

    rx_hex(d.bytes, sizeof(d.bytes), hex);
    CHECK_TEXT(
        "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319",
        hex);
    d = rx_digest((rx_str){ 0 });
    rx_hex(d.bytes, sizeof(d.bytes), hex);
    CHECK_TEXT(
        "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8",
        hex);
}

static void
keys_for_two_purposes_differ(void)
{
    struct rx_key root;

    rx_random(&root, sizeof(root));
    struct rx_key a = rx_key_derive(&root, RX_S("a"));
    struct rx_key b = rx_key_derive(&root, RX_S("b"));
    struct rx_key again = rx_key_derive(&root, RX_S("a"));
    CHECK(memcmp(&a, &b, sizeof(a)) != 0);
    CHECK(memcmp(&a, &again, sizeof(a)) == 0);
}

static void
passwords_are_hashed_and_checked(void)
{
    char hash[128];
    char twice[128];

    uint64_t start = rx_clock_us();
    CHECK(rx_password_hash(RX_S("correct horse"), hash));
    printf("     a password takes %" PRIu64 " ms\n",
        (rx_clock_us() - start) / 1000);
    CHECK(strncmp(hash, "$argon2id$", 10) == 0);
    CHECK(rx_password_check(RX_S("correct horse"), hash));
    CHECK(!rx_password_check(RX_S("correct hors"), hash));
    CHECK(!rx_password_check((rx_str){ 0 }, hash));
    CHECK(!rx_password_check(RX_S("correct horse"), "nonsense"));
    CHECK(rx_password_hash(RX_S("correct horse"), twice));
    CHECK(strcmp(hash, twice) != 0); /* salted */
}

static void
comparing_looks_at_length_and_content(void)
{
    CHECK(rx_secret_eq(RX_S("abc"), RX_S("abc")));
    CHECK(!rx_secret_eq(RX_S("abc"), RX_S("abd")));
    CHECK(!rx_secret_eq(RX_S("abc"), RX_S("abcd")));
    CHECK(rx_secret_eq((rx_str){ 0 }, RX_S("")));
}

static void
random_text_is_base62_behind_its_prefix(void)
{
    struct rx_buf a;
    struct rx_buf b;

    rx_buf_init(&a, 256);
    rx_buf_init(&b, 256);
    rx_random_text("rtx_", 40, &a);
    rx_random_text("rtx_", 40, &b);
    CHECK_INT(44, (int)a.len);
    CHECK(strncmp(a.ptr, "rtx_", 4) == 0);
    CHECK(strspn(a.ptr + 4, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                            "abcdefghijklmnopqrstuvwxyz") == 40);
    CHECK(strcmp(a.ptr, b.ptr) != 0);
    rx_buf_fini(&a);
    rx_buf_fini(&b);
}

static void
hex_and_base64_go_there_and_back(void)
{
    static const struct {
        const char *plain, *base64;
    } rows[] = {
        { "", "" },
        { "f", "Zg" },
        { "fo", "Zm8" },
        { "foo", "Zm9v" },
        { "foob", "Zm9vYg" },
        { "\xff\xfe\xfd", "__79" },
    };
    struct rx_buf b;
    unsigned char back[3];
    char hex[7];

    rx_buf_init(&b, 256);
    for (size_t i = 0; i < RX_COUNT(rows); i++) {
        rx_str plain = { rows[i].plain, strlen(rows[i].plain) };
        rx_str text = { rows[i].base64, strlen(rows[i].base64) };
        rx_buf_clear(&b);
        rx_base64url(plain, &b);
        CHECK(rx_str_eq(text, rx_buf_str(&b)));
        rx_buf_clear(&b);
        CHECK(rx_unbase64url(text, &b));
        CHECK(rx_str_eq(plain, rx_buf_str(&b)));
    }
    rx_buf_clear(&b);
    CHECK(!rx_unbase64url(RX_S("Zg=="), &b));
    CHECK(!rx_unbase64url(RX_S("Z g"), &b));
    CHECK(!rx_unbase64url(RX_S("Zm9+"), &b));
    rx_hex("\x01\xab\xff", 3, hex);
    CHECK_TEXT("01abff", hex);
    CHECK(rx_unhex(RX_S("01ABff"), back, 3));
    CHECK(memcmp(back, "\x01\xab\xff", 3) == 0);
    CHECK(!rx_unhex(RX_S("01abf"), back, 3));
    CHECK(!rx_unhex(RX_S("01abfg"), back, 3));
    rx_buf_fini(&b);
}

static void
a_key_file_is_made_once_and_kept_private(void)
{
    char path[64];
    struct rx_key a;
    struct rx_key b;
    struct stat st;

    snprintf(path, sizeof(path), "/tmp/rxkey.%d", (int)getpid());
    unlink(path);
    CHECK_INT(RX_NOT_FOUND, rx_key_file(path, false, &a, NULL));
    CHECK_INT(RX_OK, rx_key_file(path, true, &a, NULL));
    CHECK_INT(0, stat(path, &st));
    CHECK_INT(0600, (int)(st.st_mode & 0777));
    CHECK_INT(32, (int)st.st_size);
    CHECK_INT(RX_OK, rx_key_file(path, true, &b, NULL));
    CHECK(memcmp(&a, &b, sizeof(a)) == 0);
    CHECK_INT(0, chmod(path, 0640));
    CHECK_INT(RX_DENIED, rx_key_file(path, true, &b, NULL));
    CHECK_INT(0, chmod(path, 0600));
    CHECK_INT(0, truncate(path, 31));
    CHECK_INT(RX_INVALID, rx_key_file(path, true, &b, NULL));
    unlink(path);
}

static void
a_tally_does_not_mind_order_and_forgets_what_is_taken(void)
{
    struct rx_tally a = { 0 };
    struct rx_tally b = { 0 };
    struct rx_tally none = { 0 };

    rx_tally_add(&a, 0, RX_S("one"));
    rx_tally_add(&a, 2, RX_S("two"));
    rx_tally_add(&b, 2, RX_S("two"));
    rx_tally_add(&b, 1, RX_S("three"));
    rx_tally_add(&b, 0, RX_S("one"));
    CHECK(memcmp(&a, &b, sizeof(a)) != 0);
    rx_tally_take(&b, 1, RX_S("three"));
    CHECK(memcmp(&a, &b, sizeof(a)) == 0);
    /* The kind is part of the member. */
    rx_tally_take(&b, 0, RX_S("one"));
    rx_tally_add(&b, 1, RX_S("one"));
    CHECK(memcmp(&a, &b, sizeof(a)) != 0);
    rx_tally_take(&a, 2, RX_S("two"));
    rx_tally_take(&a, 0, RX_S("one"));
    CHECK(memcmp(&a, &none, sizeof(a)) == 0);
}

int
main(void)
{
    rx_secret_init();
    CHECK_RUN(a_seal_opens_with_its_key_and_context_only);
    CHECK_RUN(digests_are_blake2b_256);
    CHECK_RUN(keys_for_two_purposes_differ);
    CHECK_RUN(passwords_are_hashed_and_checked);
    CHECK_RUN(comparing_looks_at_length_and_content);
    CHECK_RUN(random_text_is_base62_behind_its_prefix);
    CHECK_RUN(hex_and_base64_go_there_and_back);
    CHECK_RUN(a_key_file_is_made_once_and_kept_private);
    CHECK_RUN(a_tally_does_not_mind_order_and_forgets_what_is_taken);
    return CHECK_EXIT();
}
