/*
 * Rows of the store into what one message, or one piece of a file, has of them.
 */
#include "controlplane/otlp.h"
#include "controlplane/tees.h"
#include "controlplane/tees_parts.h"
#include "shared/log.h"

#define SLICE ((uint64_t)200) /* rows looked at in one turn */

void
tee_open_batch(struct runner *r)
{
    rx_buf_clear(&r->batch);
    r->rows = 0;
    r->upto = r->tee->done;
    if (r->tee->sink == TEE_OTLP)
        otlp_open(&r->batch, r->tee);
    else if (r->tee->sink == TEE_WEBHOOK)
        rx_buf_add(&r->batch, RX_S("{\"requests\":["));
}

void
tee_close_batch(struct runner *r)
{
    if (r->tee->sink == TEE_OTLP)
        otlp_close(&r->batch);
    else if (r->tee->sink == TEE_WEBHOOK)
        rx_buf_add(&r->batch, RX_S("]}"));
}

static bool
add_spans(struct runner *r, rx_str json)
{
    struct rx_json_doc *doc = NULL;
    bool added = false;

    if (rx_json_parse(&doc, json, NULL, NULL) != RX_OK)
        return false;
    if (r->rows > 0)
        rx_buf_addc(&r->batch, ',');
    size_t before = r->batch.len;
    added = otlp_add(&r->batch, rx_json_root(doc));
    if (!added && r->rows > 0)
        r->batch.len = before - 1;
    rx_json_free(doc);
    return added;
}

static void
add_row(void *user, uint64_t id, rx_str json)
{
    struct runner *r = user;

    (void)id;
    if (r->tee->sink == TEE_OTLP) {
        r->rows += add_spans(r, json);
        return;
    }
    if (r->tee->sink == TEE_WEBHOOK && r->rows > 0)
        rx_buf_addc(&r->batch, ',');
    rx_buf_add(&r->batch, json);
    if (r->tee->sink != TEE_WEBHOOK)
        rx_buf_addc(&r->batch, '\n');
    r->rows++;
}

bool
tee_gather(struct runner *r, uint64_t newest)
{
    struct request_filter f = r->tee->filter;
    struct rx_err err = { 0 };
    size_t count;
    uint64_t room = r->most - r->rows;
    uint64_t slice = room < SLICE ? room : SLICE;

    f.until_id = newest - r->upto > slice ? r->upto + slice : newest;
    f.limit = SLICE;
    f.detail = true;
    f.sampled = r->tee->sampling < 1 || r->tee->sink == TEE_OTLP;
    f.heed_parent = r->tee->sink == TEE_OTLP;
    f.sample = r->tee->sampling < 1
                   ? (uint32_t)(r->tee->sampling * 4294967295.0)
                   : UINT32_MAX;
    enum rx_code code = request_follow(
        r->owner->options.store, &f, r->upto, add_row, r, &count, &err);
    if (code != RX_OK) {
        rx_warn("tee.unread", "name=" RX_STR_FMT " why=%s",
            RX_STR_ARG(r->tee->name), rx_log_quote(err.text));
        return false;
    }
    r->upto = f.until_id;
    return true;
}
