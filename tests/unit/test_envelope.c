#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "shared/envelope.h"

static struct rx_join_keys
keys_of(const char *token)
{
    struct rx_join_keys keys = { 0 };

    CHECK(rx_join_derive((rx_str){ token, strlen(token) }, &keys));
    return keys;
}

static const struct rx_envelope sample = {
    .kind = RX_MSG_DELTA,
    .topic = RX_STR_INIT("plane/data-1"),
    .major = RX_WIRE_MAJOR,
    .minor = RX_WIRE_MINOR,
    .from_control = true,
    .epoch = 0x0102030405060708,
    .version = 42,
    .sequence = 77,
};

static struct rx_buf
sealed_sample(const struct rx_join_keys *keys, const struct rx_envelope *head)
{
    struct rx_buf out;

    rx_buf_init(&out, 1 << 20);
    CHECK(rx_envelope_seal(keys, head, RX_S("the body"), &out));
    return out;
}

static void
what_is_sealed_opens(void)
{
    struct rx_join_keys keys = keys_of("rtxj_0123456789abcdefghij");
    struct rx_buf m = sealed_sample(&keys, &sample);
    struct rx_envelope head;
    struct rx_buf body;

    rx_buf_init(&body, 1 << 20);
    CHECK_INT(RX_OK,
        rx_envelope_open(&keys, true, rx_buf_str(&m), &head, &body, NULL));
    CHECK(rx_str_eq(rx_buf_str(&body), RX_S("the body")));
    CHECK(head.kind == sample.kind && head.epoch == sample.epoch);
    CHECK(head.version == 42 && head.sequence == 77 && head.from_control);
    CHECK(rx_str_eq(head.topic, sample.topic));
    /* A subscription matches topic and NUL. */
    CHECK(rx_str_starts(rx_buf_str(&m), (rx_str){ "plane/data-1", 13 }));
    rx_buf_fini(&m);
    rx_buf_fini(&body);
}

static void
any_changed_byte_is_refused(void)
{
    struct rx_join_keys keys = keys_of("rtxj_0123456789abcdefghij");
    struct rx_buf m = sealed_sample(&keys, &sample);
    struct rx_envelope head;
    struct rx_buf body;

    rx_buf_init(&body, 1 << 20);
    for (size_t i = 0; i < m.len; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            m.ptr[i] = (char)(m.ptr[i] ^ (1 << bit));
            enum rx_code code = rx_envelope_open(
                &keys, true, rx_buf_str(&m), &head, &body, NULL);
            CHECK(
                code == RX_DENIED || code == RX_INVALID || code == RX_TOO_BIG);
            CHECK_INT(0, (int)body.len);
            m.ptr[i] = (char)(m.ptr[i] ^ (1 << bit));
        }
    }
    for (size_t cut = 0; cut < m.len; cut++)
        CHECK(rx_envelope_open(&keys, true, (rx_str){ m.ptr, cut }, &head,
                  &body, NULL) != RX_OK);
    rx_buf_fini(&m);
    rx_buf_fini(&body);
}

static void
it_cannot_be_turned_round_or_read_by_another_team(void)
{
    struct rx_join_keys ours = keys_of("rtxj_0123456789abcdefghij");
    struct rx_join_keys theirs = keys_of("rtxj_0123456789abcdefghik");
    struct rx_buf m = sealed_sample(&ours, &sample);
    struct rx_envelope head;
    struct rx_buf body;

    rx_buf_init(&body, 1 << 20);
    CHECK_INT(RX_DENIED,
        rx_envelope_open(&theirs, true, rx_buf_str(&m), &head, &body, NULL));
    CHECK_INT(RX_DENIED,
        rx_envelope_open(&ours, false, rx_buf_str(&m), &head, &body, NULL));
    CHECK(memcmp(&ours.to_data, &ours.to_control, sizeof(ours.to_data)) != 0);
    CHECK(memcmp(&ours.to_data, &ours.at_rest, sizeof(ours.to_data)) != 0);
    rx_buf_fini(&m);
    rx_buf_fini(&body);
}

static void
another_major_is_told_apart_a_newer_minor_is_taken(void)
{
    struct rx_join_keys keys = keys_of("rtxj_0123456789abcdefghij");
    struct rx_envelope future = sample;
    struct rx_envelope head;
    struct rx_buf body;
    struct rx_err err = { 0 };

    rx_buf_init(&body, 1 << 20);
    future.major = RX_WIRE_MAJOR + 1;
    struct rx_buf m = sealed_sample(&keys, &future);
    CHECK_INT(RX_CONFLICT,
        rx_envelope_open(&keys, true, rx_buf_str(&m), &head, &body, &err));
    CHECK(strstr(err.text, "wire version 2.0") != NULL);
    CHECK_INT(RX_WIRE_MAJOR + 1, head.major);
    rx_buf_fini(&m);

    future.major = RX_WIRE_MAJOR;
    future.minor = 200;
    m = sealed_sample(&keys, &future);
    CHECK_INT(RX_OK,
        rx_envelope_open(&keys, true, rx_buf_str(&m), &head, &body, &err));
    rx_buf_fini(&m);
    rx_buf_fini(&body);
}

static void
too_big_has_its_own_error_before_anything_is_allocated(void)
{
    struct rx_join_keys keys = keys_of("rtxj_0123456789abcdefghij");
    struct rx_envelope head = sample;
    struct rx_buf m;
    struct rx_buf body;
    size_t max = rx_message_max(RX_MSG_ACK);
    char *zeros = calloc(1, max + 1);

    head.kind = RX_MSG_ACK;
    rx_buf_init(&m, 1 << 20);
    CHECK(!rx_envelope_seal(&keys, &head, (rx_str){ zeros, max + 1 }, &m));
    CHECK(rx_envelope_seal(&keys, &head, (rx_str){ zeros, max }, &m));
    /* One that claims, and has, more than an Ack may: forged by hand. */
    rx_buf_clear(&m);
    head.kind = RX_MSG_DELTA;
    CHECK(rx_envelope_seal(&keys, &head, (rx_str){ zeros, max + 1 }, &m));
    m.ptr[sample.topic.len + 1 + 6] = (char)RX_MSG_ACK;
    rx_buf_init(&body, 1 << 20);
    struct rx_envelope got;
    CHECK_INT(RX_TOO_BIG,
        rx_envelope_open(&keys, true, rx_buf_str(&m), &got, &body, NULL));
    CHECK(body.ptr == NULL);
    /* A reader with less room than the kind allows says so too. */
    struct rx_buf small;
    rx_buf_init(&small, 4);
    m.ptr[sample.topic.len + 1 + 6] = (char)RX_MSG_DELTA;
    CHECK_INT(RX_TOO_BIG,
        rx_envelope_open(&keys, true, rx_buf_str(&m), &got, &small, NULL));
    CHECK(small.ptr == NULL);
    rx_buf_fini(&m);
    rx_buf_fini(&body);
    rx_buf_fini(&small);
    free(zeros);
}

static void
what_was_seen_is_not_taken_again(void)
{
    static const struct {
        uint64_t epoch, sequence;
        bool fresh;
    } rows[] = {
        { 5, 1, true },
        { 5, 1, false },
        { 5, 7, true }, /* a gap is no crime */
        { 5, 3, false },
        { 4, 100, false },
        { 6, 1, true },
        { 5, 8, false },
        { 6, 2, true },
    };
    struct rx_replay r = { 0 };

    for (size_t i = 0; i < RX_COUNT(rows); i++) {
        struct rx_envelope head = { .epoch = rows[i].epoch,
            .sequence = rows[i].sequence };
        CHECK_INT(rows[i].fresh, rx_replay_accept(&r, &head));
    }
}

static void
plane_ids_are_checked(void)
{
    char topic[RX_TOPIC_MAX + 1];

    CHECK(rx_plane_id_ok(RX_S("data-1")));
    CHECK(rx_plane_id_ok(RX_S("eu_west.3")));
    CHECK(!rx_plane_id_ok(RX_S("")));
    CHECK(!rx_plane_id_ok(RX_S("..")));
    CHECK(!rx_plane_id_ok(RX_S("a/b")));
    CHECK(!rx_plane_id_ok(RX_S("a b")));
    CHECK(!rx_plane_id_ok(RX_S("0123456789012345678901234567890123456789"
                               "0123456789012345678901234")));
    rx_plane_topic(RX_S("data-1"), topic);
    CHECK_TEXT("plane/data-1", topic);
    CHECK(rx_str_eq(rx_topic_plane(RX_S("plane/data-1")), RX_S("data-1")));
    CHECK_INT(0, (int)rx_topic_plane(RX_S("all")).len);
}

static void
the_token_file_is_made_once_and_kept_private(void)
{
    char path[64];
    struct rx_join_keys a;
    struct rx_join_keys b;
    struct stat st;
    struct rx_err err = { 0 };

    snprintf(path, sizeof(path), "/tmp/rxtoken.%d", (int)getpid());
    unlink(path);
    CHECK_INT(RX_NOT_FOUND, rx_join_file(path, false, &a, NULL));
    CHECK_INT(RX_OK, rx_join_file(path, true, &a, NULL));
    CHECK_INT(0, stat(path, &st));
    CHECK_INT(0600, (int)(st.st_mode & 0777));
    CHECK_INT(RX_OK, rx_join_file(path, true, &b, NULL));
    CHECK(memcmp(&a, &b, sizeof(a)) == 0);

    char text[128] = "";
    int fd = open(path, O_RDONLY);
    ssize_t n = read(fd, text, sizeof(text) - 1);
    close(fd);
    CHECK(n == 46 && strncmp(text, "rtxj_", 5) == 0 && text[45] == '\n');

    CHECK_INT(0, chmod(path, 0644));
    CHECK_INT(RX_DENIED, rx_join_file(path, true, &b, &err));
    CHECK_INT(0, chmod(path, 0600));
    fd = open(path, O_WRONLY | O_TRUNC);
    CHECK(write(fd, "hello\n", 6) == 6);
    close(fd);
    CHECK_INT(RX_INVALID, rx_join_file(path, true, &b, &err));
    unlink(path);
}

int
main(void)
{
    rx_secret_init();
    CHECK_RUN(what_is_sealed_opens);
    CHECK_RUN(any_changed_byte_is_refused);
    CHECK_RUN(it_cannot_be_turned_round_or_read_by_another_team);
    CHECK_RUN(another_major_is_told_apart_a_newer_minor_is_taken);
    CHECK_RUN(too_big_has_its_own_error_before_anything_is_allocated);
    CHECK_RUN(what_was_seen_is_not_taken_again);
    CHECK_RUN(plane_ids_are_checked);
    CHECK_RUN(the_token_file_is_made_once_and_kept_private);
    return CHECK_EXIT();
}
