/*
 * Who calls, and may they.
 */
#include <string.h>

#include "controlplane/api.h"
#include "controlplane/api_parts.h"

static bool
writes(const struct api_call *c)
{
    return strcmp(c->route->method, "GET") != 0;
}

/* Another site's page can make a browser send the cookie, but cannot know the
 * token that goes with it. */
static enum rx_code
check_csrf(struct api_call *c, struct rx_err *err)
{
    const struct rx_httpd_head *head = rx_httpd_head(c->req);
    rx_str shown = rx_httpd_header(head, RX_S("x-csrf-token"));

    if (c->who.session.len == 0 || !writes(c))
        return RX_OK;
    if (caller_is_same_site(head) && session_csrf_fits(c->who.session, shown))
        return RX_OK;
    c->fail_code = "csrf";
    return rx_fail(err, RX_DENIED,
        "X-CSRF-Token: is missing or not this session's; GET /api/session "
        "tells it");
}

static enum rx_code
check_role(struct api_call *c, struct rx_err *err)
{
    rx_str area = scope_area(field_text(c->route->path));

    if (scope_allows(&c->who, c->route->role, area, writes(c)))
        return RX_OK;
    const char *role = scope_role_name(c->route->role);
    return rx_fail(err, RX_DENIED,
        c->who.kind == CALLER_TOKEN
            ? "the scopes of this token do not cover this; it takes the role "
              "of %s"
            : "your role does not allow this; it takes %s",
        role != NULL ? role : "somebody");
}

enum rx_code
api_authenticate(struct api_call *c, struct rx_err *err)
{
    const struct rx_httpd_head *head = rx_httpd_head(c->req);

    c->address = caller_address(head);
    if (c->route->role == API_PUBLIC)
        return RX_OK;
    enum rx_code code =
        caller_find(c->store, c->arena, &c->api->tokens, head, &c->who, err);
    if (code == RX_UNAUTHENTICATED)
        rx_buf_add(&c->headers, RX_S("www-authenticate: Bearer\r\n"));
    if (code == RX_OK)
        code = check_csrf(c, err);
    return code == RX_OK ? check_role(c, err) : code;
}
