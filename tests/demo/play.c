#include "tests/demo/play.h"

#include <string.h>

#include "tests/demo/fault.h"

static void
begin(struct play *p)
{
    const struct script *s = p->script;

    p->started = true;
    if (p->whole) {
        rx_httpd_reply(
            p->req, s->status, rx_buf_str(&s->headers), rx_buf_str(&s->body));
        return;
    }
    rx_httpd_start(p->req, s->status, rx_buf_str(&s->headers),
        s->stream ? RX_HTTPD_CHUNKED : s->body.len);
}

static void
later(struct play *p, uint64_t delay_ms)
{
    if (delay_ms > 0)
        rx_timer_set(&p->timer, delay_ms);
    else
        rx_loop_post(p->loop, &p->more);
}

/* Where the piece that starts at p->at ends. */
static size_t
piece_end(struct play *p)
{
    const struct script *s = p->script;
    size_t end = s->body.len;

    if (p->split > 0 && p->split < end - p->at)
        end = p->at + (size_t)p->split;
    else if (p->split == 0 && p->event < s->count)
        end = s->ends[p->event++];
    if (end > p->cut_at)
        end = p->cut_at;
    if (end > p->stall_at)
        end = p->stall_at;
    return end;
}

/* Send one piece; false when the reply is over or has to wait. */
static bool
send_piece(struct play *p)
{
    const struct script *s = p->script;
    size_t end = piece_end(p);
    bool room =
        rx_httpd_write(p->req, (rx_str){ s->body.ptr + p->at, end - p->at });

    p->at = end;
    if (p->at >= p->cut_at || p->at >= p->stall_at || p->at == s->body.len)
        return true; /* the loop sees to it */
    if (!room) {
        p->waiting = true;
        return false;
    }
    if (p->event_delay_ms > 0 || p->split > 0) {
        later(p, p->event_delay_ms);
        return false;
    }
    return true;
}

static void
send_pieces(struct play *p)
{
    const struct script *s = p->script;

    for (;;) {
        if (p->at >= p->stall_at) {
            p->held = true;
            return;
        }
        if (p->at >= p->cut_at) {
            if (p->reset)
                rx_httpd_reset(p->req);
            else
                rx_httpd_abort(p->req);
            return;
        }
        if (p->at >= s->body.len) {
            rx_httpd_end(p->req);
            return;
        }
        if (!send_piece(p))
            return;
    }
}

static void
go_on(void *arg)
{
    struct play *p = arg;

    if (!p->started) {
        begin(p);
        if (p->whole)
            return;
        if (p->first_delay_ms > 0) {
            later(p, p->first_delay_ms);
            return;
        }
    }
    send_pieces(p);
}

void
play_start(struct play *p, struct rx_loop *loop, struct rx_httpd_req *req,
    const struct script *script, const struct recipe *r)
{
    uint64_t delay_ms = recipe_or(r->delay_ms, 0);

    memset(p, 0, sizeof(*p));
    p->req = req;
    p->loop = loop;
    p->script = script;
    p->more = (struct rx_task){ .fn = go_on, .arg = p };
    rx_timer_init(&p->timer, loop, go_on, p);
    p->cut_at = fault_cut_at(script, r);
    p->stall_at = fault_stall_at(script, r);
    p->reset = strcmp(r->cut, "reset") == 0;
    p->first_delay_ms = recipe_or(r->first_delay_ms, 0);
    p->event_delay_ms = script->count > 1 || recipe_on(r->split)
                            ? recipe_or(r->event_delay_ms, 0)
                            : 0;
    p->split = recipe_or(r->split, 0);
    p->whole = !script->stream && p->cut_at == SIZE_MAX &&
               p->stall_at == SIZE_MAX && p->split == 0 &&
               p->first_delay_ms == 0;
    if (strcmp(r->stall, "head") == 0)
        p->held = true;
    else if (delay_ms > 0)
        rx_timer_set(&p->timer, delay_ms);
    else
        go_on(p);
}

void
play_drained(struct play *p)
{
    if (!p->waiting)
        return;
    p->waiting = false;
    later(p, p->event_delay_ms);
}

void
play_fini(struct play *p)
{
    rx_timer_fini(&p->timer);
    rx_loop_unpost(p->loop, &p->more);
}
