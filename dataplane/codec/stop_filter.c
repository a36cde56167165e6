/*
 * All sequences are one tree; the state is the node of the longest beginning
 * of any of them that the text now ends with.  Its depth is how much is held
 * back, so nothing is ever gone over twice.
 */
#include "dataplane/codec/stop_filter.h"

#include <stdlib.h>
#include <string.h>

/* Numbered; 0 is the root, and no node as a child, sibling or end. */
struct node {
    uint32_t child, sibling;
    uint32_t fail;  /* the longest end of this that is a beginning, too */
    uint32_t depth; /* bytes from the root */
    uint32_t ends;  /* node of the longest sequence that ends here */
    rx_str name;    /* the sequence that this node is, as text */
    unsigned char byte;
};

struct stop_filter {
    struct node *nodes;
    uint32_t count;
    uint32_t first[256]; /* the root's children */
    uint32_t state;
    const struct node *found; /* the sequence that ended it; or NULL */

    struct rx_buf held;
    size_t shown;     /* at its front: given out by the last call */
    uint64_t base;    /* bytes of text before `held` */
    size_t scanned;   /* of `held` */
    uint64_t *starts; /* ring: where the byte's escape began in the text */
    size_t ring;      /* as long as the longest sequence */
    uint64_t bytes;   /* plain ones, so far */
};

static void *
must(void *p)
{
    if (p == NULL)
        abort();
    return p;
}

/* --- what a text means --------------------------------------------------------- */

/* One character, or a byte of one: `raw` bytes of text, `len` plain ones. */
struct unit {
    size_t raw, len;
    unsigned char plain[4];
};

static size_t
put_utf8(uint32_t c, unsigned char *out)
{
    if (c < 0x80) {
        out[0] = (unsigned char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (unsigned char)(0xc0 | c >> 6);
        out[1] = (unsigned char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (unsigned char)(0xe0 | c >> 12);
        out[1] = (unsigned char)(0x80 | (c >> 6 & 0x3f));
        out[2] = (unsigned char)(0x80 | (c & 0x3f));
        return 3;
    }
    out[0] = (unsigned char)(0xf0 | c >> 18);
    out[1] = (unsigned char)(0x80 | (c >> 12 & 0x3f));
    out[2] = (unsigned char)(0x80 | (c >> 6 & 0x3f));
    out[3] = (unsigned char)(0x80 | (c & 0x3f));
    return 4;
}

enum hex { HEX_WHOLE, HEX_CUT, HEX_WRONG };

/* \uXXXX at the front. */
static enum hex
read_hex(rx_str text, uint32_t *out)
{
    static const char digits[] = "0123456789abcdefABCDEF";

    *out = 0;
    for (size_t i = 0; i < 6; i++) {
        if (i == text.len)
            return HEX_CUT;
        char c = text.ptr[i];
        if (i < 2) {
            if (c != (i == 0 ? '\\' : 'u'))
                return HEX_WRONG;
            continue;
        }
        const char *at = c != '\0' ? strchr(digits, c) : NULL;
        if (at == NULL)
            return HEX_WRONG;
        uint32_t value = (uint32_t)(at - digits);
        *out = *out << 4 | (value < 16 ? value : value - 6);
    }
    return HEX_WHOLE;
}

/* False while it is cut off. */
static bool
read_escaped_char(rx_str text, struct unit *u)
{
    uint32_t high;
    uint32_t low;
    enum hex how = read_hex(text, &high);

    if (how == HEX_CUT)
        return false;
    if (how == HEX_WRONG) {
        *u = (struct unit){ .raw = 2, .len = 1, .plain = { 'u' } };
        return true;
    }
    *u = (struct unit){ .raw = 6 };
    if (high >= 0xd800 && high < 0xdc00) {
        how = read_hex((rx_str){ text.ptr + 6, text.len - 6 }, &low);
        if (how == HEX_CUT)
            return false;
        if (how == HEX_WHOLE && low >= 0xdc00 && low < 0xe000) {
            u->raw = 12;
            high = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
        }
    }
    u->len = put_utf8(high, u->plain);
    return true;
}

static bool
read_unit(rx_str text, struct unit *u)
{
    static const char from[] = "bfnrt";
    static const char to[] = "\b\f\n\r\t";

    if (text.len == 0)
        return false;
    *u = (struct unit){ .raw = 1, .len = 1 };
    u->plain[0] = (unsigned char)text.ptr[0];
    if (text.ptr[0] != '\\')
        return true;
    if (text.len == 1)
        return false;
    if (text.ptr[1] == 'u')
        return read_escaped_char(text, u);
    const char *at = text.ptr[1] != '\0' ? strchr(from, text.ptr[1]) : NULL;
    u->raw = 2;
    u->plain[0] = (unsigned char)(at != NULL ? to[at - from] : text.ptr[1]);
    return true;
}

/* --- the tree --------------------------------------------------------------------- */

static uint32_t
child_of(const struct stop_filter *f, uint32_t at, unsigned char byte)
{
    uint32_t i = at == 0 ? f->first[byte] : f->nodes[at].child;

    while (i != 0 && f->nodes[i].byte != byte)
        i = f->nodes[i].sibling;
    return i;
}

static uint32_t
add_child(struct stop_filter *f, uint32_t at, unsigned char byte)
{
    uint32_t i = child_of(f, at, byte);

    if (i != 0)
        return i;
    i = f->count++;
    f->nodes[i].byte = byte;
    f->nodes[i].depth = f->nodes[at].depth + 1;
    f->nodes[i].sibling = f->nodes[at].child;
    f->nodes[at].child = i;
    if (at == 0)
        f->first[byte] = i;
    return i;
}

static void
add_sequence(struct stop_filter *f, struct rx_arena *arena, rx_str text)
{
    uint32_t at = 0;
    struct unit u;

    for (rx_str rest = text; rest.len > 0;) {
        if (!read_unit(rest, &u)) /* cut off: as it stands */
            u = (struct unit){ .raw = 1, .len = 1, .plain = { '\\' } };
        for (size_t i = 0; i < u.len; i++)
            at = add_child(f, at, u.plain[i]);
        rest = (rx_str){ rest.ptr + u.raw, rest.len - u.raw };
    }
    if (at == 0)
        return;
    f->nodes[at].name = rx_arena_copy(arena, text);
    f->nodes[at].ends = at;
    if (f->ring < f->nodes[at].depth)
        f->ring = f->nodes[at].depth;
}

static uint32_t
step(const struct stop_filter *f, uint32_t at, unsigned char byte)
{
    uint32_t next = child_of(f, at, byte);

    while (next == 0 && at != 0) {
        at = f->nodes[at].fail;
        next = child_of(f, at, byte);
    }
    return next;
}

/* By depth, so that whatever a node falls back to is done before it. */
static void
link_nodes(struct stop_filter *f)
{
    uint32_t *queue = must(calloc(f->count, sizeof(*queue)));
    size_t end = 1; /* the root is in it */

    for (size_t i = 0; i < end; i++) {
        uint32_t at = queue[i];
        for (uint32_t c = f->nodes[at].child; c != 0; c = f->nodes[c].sibling) {
            struct node *n = &f->nodes[c];
            n->fail = at == 0 ? 0 : step(f, f->nodes[at].fail, n->byte);
            if (n->ends == 0)
                n->ends = f->nodes[n->fail].ends;
            queue[end++] = c;
        }
    }
    free(queue);
}

/* --- making one ------------------------------------------------------------------- */

static bool
is_blank(rx_str text)
{
    struct unit u;

    while (read_unit(text, &u)) {
        if (u.plain[0] != ' ' && (u.plain[0] < '\t' || u.plain[0] > '\r'))
            return false;
        text = (rx_str){ text.ptr + u.raw, text.len - u.raw };
    }
    return true;
}

bool
stop_filter_needed(const struct ir_request *r, const struct capability *cap)
{
    unsigned count = 0;

    for (const struct ir_name *s = r->stop; s != NULL; s = s->next) {
        count++;
        if (!cap->stop || (cap->stop_max != 0 && count > cap->stop_max) ||
            (!cap->stop_blank && is_blank(s->name)))
            return true;
    }
    return false;
}

bool
stop_filter_fits(const struct ir_name *sequences)
{
    size_t left = STOP_FILTER_MAX;

    for (; sequences != NULL; sequences = sequences->next) {
        if (sequences->name.len > left)
            return false;
        left -= sequences->name.len;
    }
    return true;
}

struct stop_filter *
stop_filter_new(struct rx_arena *arena, const struct ir_name *sequences)
{
    struct stop_filter *f = must(calloc(1, sizeof(*f)));
    size_t most = 1;

    for (const struct ir_name *s = sequences; s != NULL; s = s->next)
        most += s->name.len;
    f->nodes = must(calloc(most, sizeof(*f->nodes)));
    f->count = 1;
    f->ring = 1;
    for (const struct ir_name *s = sequences; s != NULL; s = s->next)
        add_sequence(f, arena, s->name);
    link_nodes(f);
    f->starts = must(calloc(f->ring, sizeof(*f->starts)));
    rx_buf_init(&f->held, SIZE_MAX / 4);
    return f;
}

void
stop_filter_free(struct stop_filter *f)
{
    if (f == NULL)
        return;
    rx_buf_fini(&f->held);
    free(f->starts);
    free(f->nodes);
    free(f);
}

/* --- watching --------------------------------------------------------------------- */

/* Where in `held` the last `depth` plain bytes begin. */
static size_t
place_of(const struct stop_filter *f, uint32_t depth)
{
    if (depth == 0)
        return f->scanned;
    return (size_t)(f->starts[(f->bytes - depth) % f->ring] - f->base);
}

/* True when a sequence ends with this unit; `held` is then cut before it. */
static bool
take_unit(struct stop_filter *f, const struct unit *u)
{
    for (size_t i = 0; i < u->len; i++) {
        f->starts[f->bytes++ % f->ring] = f->base + f->scanned;
        f->state = step(f, f->state, u->plain[i]);
        const struct node *end = &f->nodes[f->nodes[f->state].ends];
        if (end->depth > 0) {
            f->found = end;
            f->held.len = place_of(f, end->depth);
            return true;
        }
    }
    f->scanned += u->raw;
    return false;
}

static void
drop_shown(struct stop_filter *f)
{
    rx_buf_drop(&f->held, f->shown);
    f->base += f->shown;
    f->scanned -= f->shown;
    f->shown = 0;
}

rx_str
stop_filter_feed(struct stop_filter *f, rx_str text)
{
    struct unit u;

    if (f->found != NULL)
        return (rx_str){ 0 };
    drop_shown(f);
    if (!rx_buf_add(&f->held, text))
        abort();
    while (read_unit(
        (rx_str){ f->held.ptr + f->scanned, f->held.len - f->scanned }, &u)) {
        if (take_unit(f, &u))
            return rx_buf_str(&f->held);
    }
    f->shown = place_of(f, f->nodes[f->state].depth);
    return (rx_str){ f->held.ptr, f->shown };
}

rx_str
stop_filter_flush(struct stop_filter *f)
{
    if (f->found != NULL)
        return (rx_str){ 0 };
    drop_shown(f);
    f->state = 0;
    f->shown = f->scanned = f->held.len;
    return rx_buf_str(&f->held);
}

bool
stop_filter_found(const struct stop_filter *f, rx_str *sequence)
{
    if (f->found == NULL)
        return false;
    *sequence = f->found->name;
    return true;
}
