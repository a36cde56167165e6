#include "shared/messages.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS 9

static const struct {
    const char *name;
    rx_str prefix; /* of the tags that mean it */
    const struct rx_words *messages;
    const struct rx_phrase *phrases; /* NULL: its own words */
} langs[RX_LANGS] = {
    [RX_LANG_EN] = { "en", RX_STR_INIT("en"), rx_messages_en, NULL },
    [RX_LANG_ZH] = { "zh-CN", RX_STR_INIT("zh"), rx_messages_zh,
        rx_phrases_zh },
};

const char *
rx_lang_name(enum rx_lang lang)
{
    return langs[lang].name;
}

/* ---- which language ---- */

/* "zh", "zh-Hans", "zh_CN.UTF-8": is `tag` that language, whatever the place? */
static bool
is_lang(rx_str tag, enum rx_lang lang)
{
    rx_str prefix = langs[lang].prefix;

    if (tag.len < prefix.len ||
        !rx_str_ieq((rx_str){ tag.ptr, prefix.len }, prefix))
        return false;
    return tag.len == prefix.len || tag.ptr[prefix.len] == '-' ||
           tag.ptr[prefix.len] == '_' || tag.ptr[prefix.len] == '.';
}

static bool
lang_of(rx_str tag, enum rx_lang *out)
{
    for (unsigned i = 0; i < RX_LANGS; i++) {
        if (is_lang(tag, (enum rx_lang)i)) {
            *out = (enum rx_lang)i;
            return true;
        }
    }
    return false;
}

/* Thousandths of ";q=0.8"; 1000 if none is given. */
static unsigned
quality(rx_str rest)
{
    rx_str name, value, whole, part;

    rx_str_cut(rx_str_trim(rest), '=', &name, &value);
    if (!rx_str_ieq(rx_str_trim(name), RX_S("q")))
        return 1000;
    rx_str_cut(rx_str_trim(value), '.', &whole, &part);
    unsigned q = rx_str_eq(whole, RX_S("1")) ? 1000 : 0;
    unsigned unit = 100;
    for (size_t i = 0; i < part.len && unit > 0 && q < 1000; i++, unit /= 10) {
        if (part.ptr[i] < '0' || part.ptr[i] > '9')
            break;
        q += (unsigned)(part.ptr[i] - '0') * unit;
    }
    return q;
}

enum rx_lang
rx_lang_of_header(rx_str accept)
{
    enum rx_lang best = RX_LANG_EN, lang = RX_LANG_EN;
    unsigned most = 0;
    rx_str rest = accept, item, tag, more;

    for (bool again = accept.len > 0; again;) {
        again = rx_str_cut(rest, ',', &item, &rest);
        rx_str_cut(item, ';', &tag, &more);
        unsigned q = quality(more);
        if (lang_of(rx_str_trim(tag), &lang) && q > most) {
            best = lang;
            most = q;
        }
    }
    return best;
}

enum rx_lang
rx_lang_of_environment(void)
{
    static const char *const names[] = { "LC_ALL", "LC_MESSAGES", "LANG" };
    enum rx_lang lang = RX_LANG_EN;

    for (size_t i = 0; i < RX_COUNT(names); i++) {
        const char *value = getenv(names[i]);
        if (value == NULL || value[0] == '\0')
            continue;
        (void)lang_of((rx_str){ value, strlen(value) }, &lang);
        return lang;
    }
    return lang;
}

/* ---- messages ---- */

const char *
rx_message(enum rx_lang lang, const char *code)
{
    for (const struct rx_words *m = langs[lang].messages; m->code != NULL;
         m++) {
        if (strcmp(m->code, code) == 0)
            return m->text;
    }
    return NULL;
}

/* `text` with {1} … replaced. */
static void
fill(struct rx_buf *out, const char *text, const rx_str slots[SLOTS])
{
    for (const char *p = text; *p != '\0'; p++) {
        if (p[0] == '{' && p[1] >= '1' && p[1] <= '9' && p[2] == '}') {
            rx_buf_add(out, slots[p[1] - '1']);
            p += 2;
        } else {
            rx_buf_addc(out, *p);
        }
    }
}

void
rx_message_add(struct rx_buf *out, enum rx_lang lang, const char *code,
    const char *const *args)
{
    const char *text = rx_message(lang, code);
    rx_str slots[SLOTS] = { 0 };

    for (size_t i = 0; i < SLOTS && args != NULL && args[i] != NULL; i++)
        slots[i] = (rx_str){ args[i], strlen(args[i]) };
    if (text == NULL)
        text = rx_message(RX_LANG_EN, code);
    fill(out, text != NULL ? text : code, slots);
}

/* ---- phrases ---- */

/* Where `part` begins in `s`, at or behind `from`; SIZE_MAX: nowhere. */
static size_t
find(rx_str s, size_t from, rx_str part)
{
    for (size_t i = from; i + part.len <= s.len; i++) {
        if (part.len == 0 || memcmp(s.ptr + i, part.ptr, part.len) == 0)
            return i;
    }
    return SIZE_MAX;
}

/* Each '*' takes as little as it can, the last one all that is left. */
static bool
fits(rx_str words, const char *pattern, rx_str slots[SLOTS])
{
    rx_str rest = { pattern, strlen(pattern) }, part;
    size_t at = 0;
    bool more = rx_str_cut(rest, '*', &part, &rest);

    if (!rx_str_starts(words, part))
        return false;
    at = part.len;
    for (size_t n = 0; more && n < SLOTS; n++) {
        more = rx_str_cut(rest, '*', &part, &rest);
        size_t next = more ? find(words, at, part)
                           : (words.len >= at + part.len
                                     ? find(words, words.len - part.len, part)
                                     : SIZE_MAX);
        if (next == SIZE_MAX)
            return false;
        slots[n] = (rx_str){ words.ptr + at, next - at };
        at = next + part.len;
    }
    return at == words.len;
}

bool
rx_phrase_add(struct rx_buf *out, enum rx_lang lang, rx_str english)
{
    for (const struct rx_phrase *p = langs[lang].phrases;
         p != NULL && p->english != NULL; p++) {
        rx_str slots[SLOTS] = { 0 };
        if (fits(english, p->english, slots)) {
            fill(out, p->text, slots);
            return true;
        }
    }
    return false;
}
