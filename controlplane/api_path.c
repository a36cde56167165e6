/*
 * From the words of a request to its route and its parameters.
 */
#include <string.h>

#include "controlplane/api.h"
#include "controlplane/api_parts.h"

static const char *const methods[] = { "GET", "HEAD", "POST", "PUT", "PATCH",
    "DELETE" };

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* %41 -> A, and in a query + -> blank.  False: not decodable, or a NUL. */
static bool
decode(struct api_call *c, rx_str s, bool in_query, rx_str *out)
{
    char *to = field_room(c->arena, 1, s.len + 1);
    size_t n = 0;

    for (size_t i = 0; i < s.len; i++) {
        char ch = s.ptr[i];
        if (ch == '+' && in_query) {
            ch = ' ';
        } else if (ch == '%') {
            int high = i + 2 < s.len ? hex_digit(s.ptr[i + 1]) : -1;
            int low = i + 2 < s.len ? hex_digit(s.ptr[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            ch = (char)(high * 16 + low);
            i += 2;
        }
        if (ch == '\0')
            return false;
        to[n++] = ch;
    }
    *out = (rx_str){ to, n };
    return true;
}

/* Does `path` fit the pattern?  The {…} parts go, undecoded, into params. */
static bool
path_fits(rx_str path, const char *pattern, rx_str *params)
{
    rx_str left = path, right = field_text(pattern);
    rx_str have, want;
    size_t n = 0;

    for (bool more = true; more;) {
        rx_str all = left;
        more = rx_str_cut(left, '/', &have, &left);
        bool more_wanted = rx_str_cut(right, '/', &want, &right);
        if (rx_str_eq(want, RX_S("{path}"))) {
            params[n] = all;
            return true;
        }
        if (more != more_wanted)
            return false;
        bool open = want.len > 0 && want.ptr[0] == '{';
        if (open ? have.len == 0 : !rx_str_eq(have, want))
            return false;
        if (open)
            params[n++] = have;
    }
    return true;
}

static bool
method_fits(rx_str asked, const char *method)
{
    return rx_str_eq(asked, field_text(method)) ||
           (rx_str_eq(asked, RX_S("HEAD")) && strcmp(method, "GET") == 0);
}

static enum rx_code
refuse_method(struct api_call *c, rx_str path, struct rx_err *err)
{
    struct rx_buf allow;
    rx_str unused[API_PARAMS_MAX];

    rx_buf_init(&allow, 1024);
    for (size_t m = 0; m < RX_COUNT(methods); m++) {
        for (const struct api_route *r = api_routes; r->method != NULL; r++) {
            if (method_fits(field_text(methods[m]), r->method) &&
                path_fits(path, r->path, unused))
                rx_buf_addf(
                    &allow, "%s%s", allow.len == 0 ? "" : ", ", methods[m]);
        }
    }
    rx_buf_addf(&c->headers, "allow: %s\r\n", allow.ptr);
    c->fail_status = 405;
    c->fail_code = "method_not_allowed";
    rx_fail(err, RX_INVALID, "this path takes %s", allow.ptr);
    rx_buf_fini(&allow);
    return RX_INVALID;
}

enum rx_code
api_find_route(struct api_call *c, struct rx_err *err)
{
    const struct rx_httpd_head *head = rx_httpd_head(c->req);
    rx_str params[API_PARAMS_MAX] = { 0 };
    bool path_known = false;

    for (const struct api_route *r = api_routes; r->method != NULL; r++) {
        if (!path_fits(head->path, r->path, params))
            continue;
        path_known = true;
        if (!method_fits(head->method, r->method))
            continue;
        c->route = r;
        for (size_t i = 0; i < API_PARAMS_MAX; i++) {
            if (!decode(c, params[i], false, &c->params[i]))
                return rx_fail(err, RX_INVALID, "the path is badly encoded");
        }
        return RX_OK;
    }
    if (path_known)
        return refuse_method(c, head->path, err);
    return rx_fail(err, RX_NOT_FOUND,
        "there is nothing here; /api/openapi.json describes what there is");
}

enum rx_code
api_read_query(struct api_call *c, struct rx_err *err)
{
    rx_str rest = rx_httpd_head(c->req)->query;
    rx_str pair, name, value;

    for (bool more = rest.len > 0; more;) {
        more = rx_str_cut(rest, '&', &pair, &rest);
        if (pair.len == 0)
            continue;
        if (c->query_count == API_QUERY_MAX)
            return rx_fail(err, RX_INVALID, "too many parameters");
        rx_str_cut(pair, '=', &name, &value);
        if (!decode(c, name, true, &c->query[c->query_count].name) ||
            !decode(c, value, true, &c->query[c->query_count].value))
            return rx_fail(err, RX_INVALID, "the query is badly encoded");
        c->query_count++;
    }
    return RX_OK;
}
