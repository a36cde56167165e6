/*
 * What people write into configuration files, made JSON.  Text that is JSON
 * already comes out as it was.
 */
#include <string.h>

#include "controlplane/cli/importing.h"

struct plain {
    rx_str in;
    size_t at;
    struct rx_buf *out;
};

static bool
more(const struct plain *p)
{
    return p->at < p->in.len;
}

static char
peek(const struct plain *p, size_t ahead)
{
    return p->at + ahead < p->in.len ? p->in.ptr[p->at + ahead] : '\0';
}

/* Blanks and comments; true when there were any. */
static bool
skip_blank(struct plain *p)
{
    size_t start = p->at;

    for (; more(p); p->at++) {
        char c = peek(p, 0);
        if (c == '/' && peek(p, 1) == '/') {
            while (more(p) && peek(p, 0) != '\n')
                p->at++;
        } else if (c == '/' && peek(p, 1) == '*') {
            p->at += 2;
            while (more(p) && !(peek(p, 0) == '*' && peek(p, 1) == '/'))
                p->at++;
            p->at++;
        } else if (c != ' ' && c != '\t' && c != '\r' && c != '\n') {
            break;
        }
    }
    if (p->at > p->in.len)
        p->at = p->in.len;
    return p->at > start;
}

/* A string in either kind of quotes. */
static void
copy_string(struct plain *p)
{
    char quote = peek(p, 0);

    rx_buf_addc(p->out, '"');
    for (p->at++; more(p) && peek(p, 0) != quote; p->at++) {
        char c = peek(p, 0);
        if (c == '\\' && p->at + 1 < p->in.len) {
            p->at++;
            if (peek(p, 0) == '\'') {
                rx_buf_addc(p->out, '\'');
                continue;
            }
            rx_buf_addc(p->out, '\\');
        } else if (c == '"') {
            rx_buf_addc(p->out, '\\');
        }
        rx_buf_addc(p->out, peek(p, 0));
    }
    if (more(p)) {
        rx_buf_addc(p->out, '"');
        p->at++;
    }
}

static bool
is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '_' || c == '$';
}

/* A bare word is a name when a colon follows; else true, null, a number. */
static void
copy_word(struct plain *p)
{
    size_t start = p->at;

    while (more(p) && is_word(peek(p, 0)))
        p->at++;
    rx_str word = { p->in.ptr + start, p->at - start };
    skip_blank(p);
    bool name = peek(p, 0) == ':';
    if (name)
        rx_buf_addc(p->out, '"');
    rx_buf_add(p->out, word);
    if (name)
        rx_buf_addc(p->out, '"');
}

void
import_plain_json(rx_str text, struct rx_buf *out)
{
    struct plain p = { .in = text, .out = out };

    if (rx_str_starts(text, RX_S("\xEF\xBB\xBF")))
        p.at = 3;
    while (more(&p)) {
        char c = peek(&p, 0);
        if (skip_blank(&p)) {
            rx_buf_addc(out, ' ');
        } else if (c == '"' || c == '\'') {
            copy_string(&p);
        } else if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                   c == '_' || c == '$') {
            copy_word(&p);
        } else if (c == ',') {
            p.at++;
            skip_blank(&p);
            if (peek(&p, 0) != '}' && peek(&p, 0) != ']')
                rx_buf_addc(out, ',');
        } else {
            rx_buf_addc(out, c);
            p.at++;
        }
    }
}
