#include <inttypes.h>
#include <stdio.h>

#include "controlplane/alert.h"
#include "controlplane/anomaly.h"
#include "controlplane/api.h"

static enum rx_code
read_filter(struct api_call *c, struct alert_filter *f, struct rx_err *err)
{
    static const char *const states[] = { "open", "closed", "all" };
    rx_str state = api_query(c, "state");
    size_t i = 0;
    rx_str cursor;

    *f = (struct alert_filter){ .kind = api_query(c, "kind") };
    while (state.len > 0 && i < RX_COUNT(states) &&
           !rx_str_eq(state, field_text(states[i])))
        i++;
    if (i == RX_COUNT(states))
        return api_wrong(c, err, "state", "must be open, closed or all");
    f->state = (enum alert_state)i;
    enum rx_code code = api_page(c, &f->limit, &cursor, err);
    if (code == RX_OK && cursor.len > 0 && !rx_str_u64(cursor, &f->before))
        return api_wrong(c, err, "cursor", "is not one we gave out");
    return code;
}

enum rx_code
api_alerts_list(struct api_call *c, struct rx_err *err)
{
    struct alert_filter f;
    size_t count = 0;
    uint64_t last;
    char next[32];

    enum rx_code code = read_filter(c, &f, err);
    if (code != RX_OK)
        return code;
    rx_json_open_array(&c->w, "data");
    code = alert_list(c->store, &f, &c->w, &count, &last, err);
    rx_json_close(&c->w);
    snprintf(next, sizeof(next), "%" PRIu64, last);
    api_put_next(c, count == f.limit ? field_text(next) : (rx_str){ 0 });
    return code;
}

enum rx_code
api_alert_get(struct api_call *c, struct rx_err *err)
{
    return alert_put(c->store, c->params[0], &c->w, "data", err);
}

enum rx_code
api_alert_ack(struct api_call *c, struct rx_err *err)
{
    enum rx_code code = alert_ack(c->store, c->params[0], c->who.name, err);

    if (code == RX_OK)
        code = alert_put(c->store, c->params[0], &c->w, "data", err);
    if (code == RX_OK)
        code = api_audit(c, "ack", "alert", c->params[0], c->params[0], err);
    return code;
}

enum rx_code
api_anomalies_list(struct api_call *c, struct rx_err *err)
{
    (void)err;
    rx_json_open_array(&c->w, "data");
    anomalies_put(c->world->anomalies, &c->w);
    rx_json_close(&c->w);
    api_put_next(c, (rx_str){ 0 });
    return RX_OK;
}
