#include "dataplane/session.h"

#include <stdlib.h>
#include <string.h>

#include "dataplane/headers.h"
#include "shared/json_span.h"
#include "shared/list.h"
#include "shared/map.h"
#include "shared/secret.h"

#define NAME_MAX_BYTES ((size_t)512)
#define FIRST_MAX      ((size_t)4096) /* of the first user message */
#define COLD_MOST      3
#define TELL_AGAIN_MS  60000

/* ---- the key -------------------------------------------------------------- */

bool
session_known(const struct session_key *key)
{
    static const struct session_key none;

    return memcmp(key, &none, sizeof(none)) != 0;
}

uint64_t
session_hash(const struct session_key *key)
{
    uint64_t hash;

    memcpy(&hash, key->bytes, sizeof(hash));
    return hash;
}

static rx_str
json_session_id(rx_str text)
{
    struct rx_span j;
    rx_str id = { 0 };

    rx_span_init(&j, text);
    if (rx_span_kind(&j) != RX_SPAN_OBJECT)
        return id;
    rx_span_enter_object(&j);
    while (rx_span_member(&j, NULL)) {
        if (rx_span_key_is(&j, RX_S("session_id")))
            rx_span_string(&j, &id);
        else
            rx_span_skip(&j, NULL);
    }
    return id;
}

rx_str
session_in_user_id(rx_str user_id)
{
    static const char mark[] = "_session_";
    size_t n = sizeof(mark) - 1;
    rx_str id = json_session_id(user_id);

    if (id.len > 0)
        return id;
    for (size_t at = user_id.len; at-- > 0;) {
        if (at + n < user_id.len && memcmp(user_id.ptr + at, mark, n) == 0)
            return (rx_str){ user_id.ptr + at + n, user_id.len - at - n };
    }
    return (rx_str){ 0 };
}

/* How many bytes of white space stand at `i`; still escaped, \n and \t are two
 * characters. */
static size_t
blank_at(rx_str text, size_t i)
{
    if ((unsigned char)text.ptr[i] > ' ' && text.ptr[i] != '\\')
        return 0;
    switch (text.ptr[i]) {
    case ' ':
    case '\t':
    case '\r':
    case '\n': return 1;
    case '\\':
        return i + 1 < text.len &&
                       (text.ptr[i + 1] == 'n' || text.ptr[i + 1] == 'r' ||
                           text.ptr[i + 1] == 't')
                   ? 2
                   : 0;
    default: return 0;
    }
}

/* White space of any length counts as one blank; marks of caches are no text
 * and never come here. */
static void
add_normal(struct rx_buf *out, rx_str text)
{
    size_t room = FIRST_MAX + 1 - out->len;
    char *begin = rx_buf_room(out, text.len < room ? text.len : room);
    char *to = begin;
    bool blank = false;

    if (begin == NULL)
        return;
    for (size_t i = 0;
         i < text.len && out->len + (size_t)(to - begin) < FIRST_MAX;) {
        size_t skip = blank_at(text, i);
        if (skip > 0) {
            blank = out->len > 0 || to > begin;
            i += skip;
            continue;
        }
        size_t most = FIRST_MAX - out->len - (size_t)(to - begin);
        size_t until = text.len - i < most ? text.len : i + most;
        if (blank)
            *to++ = ' ';
        blank = false;
        while (i < until && blank_at(text, i) == 0)
            *to++ = text.ptr[i++];
    }
    rx_buf_grew(out, (size_t)(to - begin));
}

/* A string, or the texts of a list of parts: one block is like a string. */
static void
add_content(struct rx_buf *out, struct rx_span *j)
{
    rx_str text;

    if (rx_span_kind(j) == RX_SPAN_STRING) {
        if (rx_span_string(j, &text))
            add_normal(out, text);
        return;
    }
    if (rx_span_kind(j) != RX_SPAN_ARRAY) {
        rx_span_skip(j, NULL);
        return;
    }
    rx_span_enter_array(j);
    while (rx_span_element(j)) {
        if (rx_span_kind(j) != RX_SPAN_OBJECT) {
            rx_span_skip(j, NULL);
            continue;
        }
        rx_span_enter_object(j);
        while (rx_span_member(j, NULL)) {
            if (rx_span_key_is(j, RX_S("text")) && rx_span_string(j, &text))
                add_normal(out, text);
            else if (!rx_span_key_is(j, RX_S("text")))
                rx_span_skip(j, NULL);
        }
    }
}

/* One message; true when it is a user's and was added. */
static bool
add_if_user(struct rx_buf *out, rx_str message)
{
    struct rx_span j;
    rx_str role = { 0 };
    rx_str content = { 0 };

    rx_span_init(&j, message);
    if (rx_span_kind(&j) != RX_SPAN_OBJECT)
        return false;
    rx_span_enter_object(&j);
    while (rx_span_member(&j, NULL)) {
        if (rx_span_key_is(&j, RX_S("role")))
            rx_span_string(&j, &role);
        else if (rx_span_key_is(&j, RX_S("content")) ||
                 rx_span_key_is(&j, RX_S("parts")))
            rx_span_skip(&j, &content);
        else
            rx_span_skip(&j, NULL);
    }
    if (content.len == 0 || (role.len > 0 && !rx_str_eq(role, RX_S("user"))))
        return false;
    rx_span_init(&j, content);
    add_content(out, &j);
    return out->len > 0;
}

static void
add_first_user(struct rx_buf *out, rx_str messages)
{
    struct rx_span j;
    rx_str message;

    rx_span_init(&j, messages);
    if (rx_span_kind(&j) != RX_SPAN_ARRAY) {
        add_content(out, &j);
        return;
    }
    rx_span_enter_array(&j);
    while (rx_span_element(&j)) {
        if (rx_span_skip(&j, &message) && add_if_user(out, message))
            return;
    }
}

static struct session_key
digest(rx_str tenant, const char *kind, rx_str name)
{
    struct session_key key;
    struct rx_buf text;

    rx_buf_init(&text, 8 * 1024);
    rx_buf_add(&text, tenant);
    rx_buf_addc(&text, '\0');
    rx_buf_add(&text, (rx_str){ kind, strlen(kind) });
    rx_buf_addc(&text, '\0');
    rx_buf_add(&text, name);
    struct rx_digest d = rx_digest(rx_buf_str(&text));
    rx_buf_fini(&text);
    memcpy(key.bytes, d.bytes, sizeof(key.bytes));
    return key;
}

struct session_key
session_of_response(rx_str tenant, rx_str id)
{
    if (id.len == 0 || id.len > NAME_MAX_BYTES)
        return (struct session_key){ 0 };
    return digest(tenant, "response", id);
}

struct session_key
session_key_of(const struct session_source *s)
{
    const rx_str named[] = {
        headers_session(s->head),
        session_in_user_id(s->user_id),
        s->prompt_cache_key,
    };
    struct session_key key = { { 0 } };
    struct rx_buf first;

    for (size_t i = 0; i < RX_COUNT(named); i++) {
        if (named[i].len > 0 && named[i].len <= NAME_MAX_BYTES)
            return digest(s->tenant, "name", named[i]);
    }
    rx_buf_init(&first, FIRST_MAX + 16);
    add_first_user(&first, s->messages);
    if (first.len > 0)
        key = digest(s->tenant, "text", rx_buf_str(&first));
    rx_buf_fini(&first);
    return key;
}

/* ---- pins --------------------------------------------------------------------- */

struct pin {
    struct rx_link link; /* the longest unused comes first */
    struct session_key key;
    struct session_pin pin;
    char text[]; /* the ids */
};

struct sessions {
    struct rx_map *map;
    struct rx_list used;
    size_t most;
};

struct sessions *
sessions_new(size_t most)
{
    struct sessions *s = calloc(1, sizeof(*s));

    if (s == NULL)
        abort();
    s->map = rx_map_new();
    rx_list_init(&s->used);
    s->most = most;
    return s;
}

void
sessions_free(struct sessions *s)
{
    if (s != NULL)
        rx_map_free(s->map, free);
    free(s);
}

size_t
sessions_count(const struct sessions *s)
{
    return s->used.count;
}

static rx_str
bytes_of(const struct session_key *key)
{
    return (rx_str){ (const char *)key->bytes, sizeof(key->bytes) };
}

static void
drop(struct sessions *s, struct pin *p)
{
    rx_list_remove(&s->used, &p->link);
    rx_map_remove(s->map, bytes_of(&p->key));
    free(p);
}

const struct session_pin *
sessions_find(struct sessions *s, const struct session_key *key, uint64_t now)
{
    struct pin *p = rx_map_get(s->map, bytes_of(key));

    if (p == NULL)
        return NULL;
    if (p->pin.until_ms <= now) {
        drop(s, p);
        return NULL;
    }
    return &p->pin;
}

static struct pin *
pin_new(const struct session_key *key, rx_str channel, rx_str credential)
{
    struct pin *p = calloc(1, sizeof(*p) + channel.len + credential.len);

    if (p == NULL)
        abort();
    p->key = *key;
    if (channel.len > 0)
        memcpy(p->text, channel.ptr, channel.len);
    if (credential.len > 0)
        memcpy(p->text + channel.len, credential.ptr, credential.len);
    p->pin.channel = (rx_str){ p->text, channel.len };
    p->pin.credential = (rx_str){ p->text + channel.len, credential.len };
    return p;
}

void
sessions_pin(struct sessions *s, const struct session_key *key, rx_str channel,
    rx_str credential, uint64_t now, uint64_t ttl_ms)
{
    struct pin *p = rx_map_get(s->map, bytes_of(key));

    if (p != NULL && !(rx_str_eq(p->pin.channel, channel) &&
                         rx_str_eq(p->pin.credential, credential))) {
        struct pin *moved = pin_new(key, channel, credential);
        drop(s, p);
        p = moved;
    } else if (p != NULL) {
        rx_list_remove(&s->used, &p->link);
    } else {
        p = pin_new(key, channel, credential);
    }
    while (s->used.count >= s->most)
        drop(s, RX_LIST_ITEM(rx_list_first(&s->used), struct pin, link));
    p->pin.until_ms = now + ttl_ms;
    rx_map_put(s->map, bytes_of(key), p);
    rx_list_append(&s->used, &p->link);
}

void
sessions_hear(struct sessions *s, const struct session_key *key, rx_str channel,
    rx_str credential, uint64_t now, uint64_t ttl_ms)
{
    sessions_pin(s, key, channel, credential, now, ttl_ms);
    sessions_should_tell(s, key, now); /* they all know */
}

void
sessions_drop(struct sessions *s, const struct session_key *key)
{
    struct pin *p = rx_map_get(s->map, bytes_of(key));

    if (p != NULL)
        drop(s, p);
}

void
sessions_note_cache(
    struct sessions *s, const struct session_key *key, uint64_t read)
{
    struct pin *p = rx_map_get(s->map, bytes_of(key));

    if (p == NULL)
        return;
    p->pin.cold = read > 0 ? 0 : p->pin.cold + 1;
    if (p->pin.cold >= COLD_MOST)
        drop(s, p);
}

bool
sessions_should_tell(
    struct sessions *s, const struct session_key *key, uint64_t now)
{
    struct pin *p = rx_map_get(s->map, bytes_of(key));

    if (p == NULL ||
        (p->pin.told_ms != 0 && now < p->pin.told_ms + TELL_AGAIN_MS))
        return false;
    p->pin.told_ms = now;
    return true;
}
