#include "dataplane/codec/keep.h"

rx_str
keep_clean(struct keep *k, rx_str text)
{
    static const char hex[] = "0123456789abcdef";
    size_t i = 0;

    while (i < text.len && (unsigned char)text.ptr[i] >= 0x20)
        i++;
    if (i == text.len)
        return text;
    rx_buf_clear(&k->scratch);
    for (i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c < 0x20) {
            rx_buf_add(&k->scratch, RX_S("\\u00"));
            rx_buf_addc(&k->scratch, hex[c >> 4]);
            c = (unsigned char)hex[c & 15];
        }
        rx_buf_addc(&k->scratch, (char)c);
    }
    return rx_buf_str(&k->scratch);
}

rx_str
keep_text(struct keep *k, rx_str text)
{
    return rx_arena_copy(k->arena, keep_clean(k, text));
}

const struct ir_media *
keep_media(struct keep *k, const struct ir_media *from)
{
    struct ir_media *m =
        from != NULL ? rx_arena_make(k->arena, struct ir_media, 1) : NULL;

    if (m == NULL)
        return NULL;
    *m = *from;
    m->mime = keep_text(k, from->mime);
    m->data = keep_text(k, from->data);
    return m;
}

const struct ir_lookup *
keep_lookup(struct keep *k, const struct ir_lookup *from)
{
    struct ir_lookup *l =
        from != NULL ? rx_arena_make(k->arena, struct ir_lookup, 1) : NULL;

    if (l == NULL)
        return NULL;
    *l = (struct ir_lookup){ .kind = from->kind,
        .what = keep_text(k, from->what),
        .failed = from->failed };
    struct ir_page **end = &l->sources;
    for (const struct ir_page *s = from->sources; s != NULL; s = s->next) {
        *end = rx_arena_make(k->arena, struct ir_page, 1);
        if (*end == NULL)
            break;
        **end = (struct ir_page){ NULL, keep_text(k, s->url),
            keep_text(k, s->title), keep_text(k, s->age) };
        end = &(*end)->next;
    }
    return l;
}

struct ir_citation *
keep_citation(struct keep *k, const struct ir_citation *from)
{
    struct ir_citation *c = rx_arena_make(k->arena, struct ir_citation, 1);

    if (c == NULL)
        return NULL;
    *c = *from;
    c->next = NULL;
    c->url = keep_text(k, from->url);
    c->title = keep_text(k, from->title);
    c->text = keep_text(k, from->text);
    c->raw = (rx_str){ 0 };
    return c;
}
