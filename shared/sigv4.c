/*
 *   canonical request ─SHA-256─> string to sign ─HMAC─> signature
 *                                                 ^
 *           secret ─date─region─service─"aws4_request"
 */
#include "shared/sigv4.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HEAD_MAX     ((size_t)512 * 1024)
#define QUERY_MAX    64
#define HEX_SIZE     (2 * RX_DIGEST_SIZE + 1)
#define SIGNED_MAX   8
#define REGION_LABEL 24

bool
rx_sigv4_key_read(rx_str text, struct rx_sigv4_key *out)
{
    rx_str rest;

    *out = (struct rx_sigv4_key){ 0 };
    if (!rx_str_cut(text, ':', &out->id, &rest))
        return false;
    rx_str_cut(rest, ':', &out->secret, &out->token);
    return out->id.len > 0 && out->secret.len > 0;
}

/* "us-east-1", "us-gov-west-1": two letters first, a number last. */
static bool
is_region(rx_str label)
{
    return label.len >= 8 && label.len <= REGION_LABEL && label.ptr[2] == '-' &&
           label.ptr[label.len - 2] == '-' && label.ptr[label.len - 1] >= '1' &&
           label.ptr[label.len - 1] <= '9' && label.ptr[0] >= 'a' &&
           label.ptr[0] <= 'z';
}

rx_str
rx_sigv4_region(rx_str host)
{
    rx_str label;

    for (bool more = true; more;) {
        more = rx_str_cut(host, '.', &label, &host);
        if (is_region(label))
            return label;
    }
    return (rx_str){ 0 };
}

void
rx_sigv4_date(uint64_t wall_s, char date[17])
{
    time_t t = (time_t)wall_s;
    struct tm tm;

    if (gmtime_r(&t, &tm) == NULL ||
        strftime(date, 17, "%Y%m%dT%H%M%SZ", &tm) != 16)
        abort(); /* a clock beyond the year 9999 */
}

/* ---- the canonical request ------------------------------------------------ */

/* Every byte that is not unreserved as %41; '/' stays. */
static void
add_encoded(struct rx_buf *out, rx_str path)
{
    for (size_t i = 0; i < path.len; i++) {
        unsigned char c = (unsigned char)path.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                     (c >= '0' && c <= '9') ||
                     (c != '\0' && strchr("-._~/", c) != NULL);
        if (plain)
            rx_buf_addc(out, (char)c);
        else
            rx_buf_addf(out, "%%%02X", c);
    }
}

static int
compare(rx_str a, rx_str b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int c = n > 0 ? memcmp(a.ptr, b.ptr, n) : 0;

    return c != 0 ? c : (a.len > b.len) - (a.len < b.len);
}

/* By name, then by value: '=' would sort in between. */
static int
compare_parts(const void *pa, const void *pb)
{
    rx_str name_a, value_a, name_b, value_b;

    rx_str_cut(*(const rx_str *)pa, '=', &name_a, &value_a);
    rx_str_cut(*(const rx_str *)pb, '=', &name_b, &value_b);
    int c = compare(name_a, name_b);
    return c != 0 ? c : compare(value_a, value_b);
}

static void
add_query(struct rx_buf *out, rx_str query)
{
    rx_str parts[QUERY_MAX];
    size_t count = 0;

    for (bool more = query.len > 0; more && count < QUERY_MAX;) {
        more = rx_str_cut(query, '&', &parts[count], &query);
        count += parts[count].len > 0;
    }
    qsort(parts, count, sizeof(parts[0]), compare_parts);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            rx_buf_addc(out, '&');
        rx_buf_add(out, parts[i]);
        if (memchr(parts[i].ptr, '=', parts[i].len) == NULL)
            rx_buf_addc(out, '=');
    }
}

static void
add_names(struct rx_buf *out, const struct rx_sigv4_request *r)
{
    for (size_t i = 0; i < r->field_count; i++) {
        if (i > 0)
            rx_buf_addc(out, ';');
        rx_buf_add(out, r->fields[i].name);
    }
}

/* Runs of blanks inside a value count as one. */
static void
add_value(struct rx_buf *out, rx_str value)
{
    for (size_t i = 0; i < value.len; i++) {
        bool blank = value.ptr[i] == ' ';
        if (!blank || i == 0 || value.ptr[i - 1] != ' ')
            rx_buf_addc(out, value.ptr[i]);
    }
}

static void
add_canonical(struct rx_buf *out, const struct rx_sigv4_request *r)
{
    char hex[HEX_SIZE];

    rx_buf_add(out, r->method);
    rx_buf_addc(out, '\n');
    add_encoded(out, r->path.len > 0 ? r->path : RX_S("/"));
    rx_buf_addc(out, '\n');
    add_query(out, r->query);
    rx_buf_addc(out, '\n');
    for (size_t i = 0; i < r->field_count; i++) {
        rx_buf_add(out, r->fields[i].name);
        rx_buf_addc(out, ':');
        add_value(out, r->fields[i].value);
        rx_buf_addc(out, '\n');
    }
    rx_buf_addc(out, '\n');
    add_names(out, r);
    rx_hex(r->body.bytes, sizeof(r->body.bytes), hex);
    rx_buf_addf(out, "\n%s", hex);
}

/* ---- the signature -------------------------------------------------------- */

static void
add_scope(struct rx_buf *out, const struct rx_sigv4_request *r)
{
    rx_buf_addf(out, "%.8s/" RX_STR_FMT "/" RX_STR_FMT "/aws4_request", r->date,
        RX_STR_ARG(r->region), RX_STR_ARG(r->service));
}

static rx_str
digest_str(const struct rx_digest *d)
{
    return (rx_str){ (const char *)d->bytes, sizeof(d->bytes) };
}

static struct rx_digest
signing_key(const struct rx_sigv4_request *r, rx_str secret)
{
    rx_str date = { r->date, 8 };
    struct rx_buf first;

    rx_buf_init(&first, secret.len + 8);
    rx_buf_add(&first, RX_S("AWS4"));
    rx_buf_add(&first, secret);
    struct rx_digest k = rx_hmac_sha256(rx_buf_str(&first), date);
    rx_wipe(first.ptr, first.len);
    rx_buf_fini(&first);
    k = rx_hmac_sha256(digest_str(&k), r->region);
    k = rx_hmac_sha256(digest_str(&k), r->service);
    return rx_hmac_sha256(digest_str(&k), RX_S("aws4_request"));
}

static void
signature(const struct rx_sigv4_request *r, rx_str secret, char hex[HEX_SIZE])
{
    struct rx_buf text;

    rx_buf_init(&text, HEAD_MAX);
    add_canonical(&text, r);
    rx_str canonical = rx_buf_str(&text);
    struct rx_digest digest = rx_sha256(&canonical, 1);
    rx_buf_clear(&text);
    rx_buf_addf(&text, "AWS4-HMAC-SHA256\n%s\n", r->date);
    add_scope(&text, r);
    rx_hex(digest.bytes, sizeof(digest.bytes), hex);
    rx_buf_addf(&text, "\n%s", hex);

    struct rx_digest key = signing_key(r, secret);
    digest = rx_hmac_sha256(digest_str(&key), rx_buf_str(&text));
    rx_hex(digest.bytes, sizeof(digest.bytes), hex);
    rx_wipe(&key, sizeof(key));
    rx_buf_fini(&text);
}

void
rx_sigv4_authorization(const struct rx_sigv4_request *r,
    const struct rx_sigv4_key *key, struct rx_buf *out)
{
    char hex[HEX_SIZE];

    rx_buf_addf(out, "AWS4-HMAC-SHA256 Credential=" RX_STR_FMT "/",
        RX_STR_ARG(key->id));
    add_scope(out, r);
    rx_buf_add(out, RX_S(", SignedHeaders="));
    add_names(out, r);
    signature(r, key->secret, hex);
    rx_buf_addf(out, ", Signature=%s", hex);
}

/* ---- a head --------------------------------------------------------------- */

/* The next line of a head; false at the empty one. */
static bool
next_line(rx_str *head, rx_str *line)
{
    if (!rx_str_cut(*head, '\r', line, head) || line->len == 0)
        return false;
    if (head->len > 0) { /* the LF */
        head->ptr++;
        head->len--;
    }
    return true;
}

static rx_str
header_of(rx_str head, rx_str name)
{
    rx_str line, key, value;

    while (next_line(&head, &line)) {
        if (rx_str_cut(line, ':', &key, &value) && rx_str_ieq(key, name))
            return rx_str_trim(value);
    }
    return (rx_str){ 0 };
}

static bool
read_target(rx_str head, struct rx_sigv4_request *r)
{
    rx_str line, rest, target;

    if (!next_line(&head, &line) || !rx_str_cut(line, ' ', &r->method, &rest) ||
        !rx_str_cut(rest, ' ', &target, &rest))
        return false;
    rx_str_cut(target, '?', &r->path, &r->query);
    return true;
}

static void
add_line(struct rx_buf *head, const struct rx_sigv4_field *f)
{
    rx_buf_add(head, f->name);
    rx_buf_add(head, RX_S(": "));
    rx_buf_add(head, f->value);
    rx_buf_add(head, RX_S("\r\n"));
}

/* Those that say what the request means, in the order of their names. */
static size_t
list_fields(rx_str head, const struct rx_sigv4_key *key, const char *date,
    const char *digest, struct rx_sigv4_field *out)
{
    const struct rx_sigv4_field all[] = {
        { RX_S("content-type"), header_of(head, RX_S("content-type")) },
        { RX_S("host"), header_of(head, RX_S("host")) },
        { RX_S("x-amz-content-sha256"), { digest, strlen(digest) } },
        { RX_S("x-amz-date"), { date, strlen(date) } },
        { RX_S("x-amz-security-token"), key->token },
    };
    size_t count = 0;

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (all[i].value.len > 0)
            out[count++] = all[i];
    }
    return count;
}

bool
rx_sigv4_sign(struct rx_buf *head, const rx_str *body, size_t body_count,
    const struct rx_sigv4_key *key, rx_str region, rx_str service,
    uint64_t wall_s)
{
    struct rx_sigv4_field fields[SIGNED_MAX];
    struct rx_sigv4_request r = {
        .fields = fields,
        .body = rx_sha256(body, body_count),
        .region = region,
        .service = service,
    };
    char digest[HEX_SIZE];
    struct rx_buf more;

    if (head->len < 4 || !read_target(rx_buf_str(head), &r))
        return false;
    rx_sigv4_date(wall_s, r.date);
    rx_hex(r.body.bytes, sizeof(r.body.bytes), digest);
    r.field_count = list_fields(rx_buf_str(head), key, r.date, digest, fields);
    rx_buf_init(&more, HEAD_MAX);
    for (size_t i = 0; i < r.field_count; i++) {
        if (rx_str_starts(fields[i].name, RX_S("x-amz-")))
            add_line(&more, &fields[i]);
    }
    rx_buf_add(&more, RX_S("authorization: "));
    rx_sigv4_authorization(&r, key, &more);
    rx_buf_add(&more, RX_S("\r\n\r\n"));
    head->len -= 2; /* the empty line */
    bool ok = rx_buf_add(head, rx_buf_str(&more));
    rx_buf_fini(&more);
    return ok;
}
