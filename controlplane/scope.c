#include "controlplane/scope.h"

#include "controlplane/api.h"

static const struct {
    enum api_role role;
    rx_str name, scope;
} roles[] = {
    { API_VIEWER, RX_STR_INIT("viewer"), RX_STR_INIT("read") },
    { API_ADMIN, RX_STR_INIT("admin"), RX_STR_INIT("write") },
    { API_OWNER, RX_STR_INIT("owner"), RX_STR_INIT("*") },
};

static const char *const kinds[] = {
    [CALLER_NOBODY] = "nobody",
    [CALLER_USER] = "user",
    [CALLER_TOKEN] = "token",
    [CALLER_LOCAL] = "local",
    [CALLER_ENVIRONMENT] = "environment",
};

const char *
scope_role_name(enum api_role role)
{
    for (size_t i = 0; i < RX_COUNT(roles); i++) {
        if (roles[i].role == role)
            return roles[i].name.ptr;
    }
    return NULL;
}

bool
scope_role_parse(rx_str word, enum api_role *out)
{
    for (size_t i = 0; i < RX_COUNT(roles); i++) {
        if (rx_str_eq(roles[i].name, word)) {
            *out = roles[i].role;
            return true;
        }
    }
    return false;
}

const char *
scope_kind_name(enum caller_kind kind)
{
    return kinds[kind];
}

rx_str
scope_area(rx_str path)
{
    rx_str rest = path, word = { 0 };

    for (size_t i = 0; i < 3; i++) /* "", "api", the area */
        rx_str_cut(rest, '/', &word, &rest);
    rx_str_cut(word, '.', &word, &rest); /* a file of that area */
    return word;
}

/* Is there a route of this area that somebody other than an owner may use? */
static bool
area_is_known(rx_str area)
{
    for (const struct api_route *r = api_routes; r->method != NULL; r++) {
        bool open = r->role == API_VIEWER || r->role == API_ADMIN;
        if (open && rx_str_eq(scope_area(field_text(r->path)), area))
            return true;
    }
    return false;
}

bool
scope_is_known(rx_str scope)
{
    rx_str area, what;

    for (size_t i = 0; i < RX_COUNT(roles); i++) {
        if (rx_str_eq(roles[i].scope, scope))
            return true;
    }
    rx_str_cut(scope, ':', &area, &what);
    return (rx_str_eq(what, RX_S("read")) || rx_str_eq(what, RX_S("write"))) &&
           area_is_known(area);
}

enum api_role
scope_role(const struct field_list *scopes)
{
    enum api_role role = API_ANYBODY;

    for (size_t i = 0; i < scopes->count; i++) {
        for (size_t k = 0; k < RX_COUNT(roles); k++) {
            if (rx_str_eq(scopes->at[i], roles[k].scope) &&
                roles[k].role > role)
                role = roles[k].role;
        }
    }
    return role;
}

/* Does "area:write", or "area:read" where nothing is written, cover it? */
static bool
covers(rx_str scope, rx_str area, bool writes)
{
    rx_str of, what;

    rx_str_cut(scope, ':', &of, &what);
    if (!rx_str_eq(of, area))
        return false;
    return rx_str_eq(what, RX_S("write")) ||
           (!writes && rx_str_eq(what, RX_S("read")));
}

bool
scope_allows(
    const struct caller *who, enum api_role needed, rx_str area, bool writes)
{
    if (needed == API_PUBLIC)
        return true;
    if (who->kind == CALLER_NOBODY)
        return false;
    if (who->role >= needed)
        return true;
    for (size_t i = 0; needed != API_OWNER && i < who->scopes.count; i++) {
        if (covers(who->scopes.at[i], area, writes))
            return true;
    }
    return false;
}
