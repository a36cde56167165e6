/*
 * cJSON is lenient where we are not: it takes 01 for a number, raw control
 * characters and broken UTF-8 in strings, and cuts a string at its first
 * escaped NUL.  It also nests 1000 deep and has no bound on the number of
 * values.  So every text is walked by rx_json_check() first, which is strict,
 * and cJSON only builds the tree of what has been accepted.
 */
#include "shared/json.h"

#include <math.h>
#include <stdlib.h>

#include <cjson/cJSON.h>

#include "shared/json_parts.h"

/* Set in cJSON's type word, beside the kind (low byte) and its own flags. */
#define ASKED (1 << 20)

enum rx_code
rx_json_parse(struct rx_json_doc **out, rx_str text,
    const struct rx_json_limits *limits, struct rx_err *err)
{
    *out = NULL;
    enum rx_code code = rx_json_check(text, limits, err);
    if (code != RX_OK)
        return err == NULL ? code : rx_because(err, "not valid JSON");

    cJSON *root = cJSON_ParseWithLength(text.ptr, text.len);
    if (root == NULL)
        return rx_fail(err, RX_INVALID, "not valid JSON");
    struct rx_json_doc *doc = calloc(1, sizeof(*doc));
    if (doc == NULL)
        abort();
    doc->root = root;
    *out = doc;
    return RX_OK;
}

void
rx_json_free(struct rx_json_doc *doc)
{
    if (doc == NULL)
        return;
    cJSON_Delete(doc->root);
    free(doc->faults);
    free(doc);
}

static rx_json
value(struct rx_json_doc *doc, cJSON *node)
{
    return (rx_json){ doc, node };
}

static cJSON *
node_of(rx_json v)
{
    return v.node;
}

rx_json
rx_json_root(struct rx_json_doc *doc)
{
    return value(doc, doc->root);
}

static enum rx_json_kind
kind_of(const cJSON *node)
{
    if (node == NULL)
        return RX_JSON_NONE;
    switch (node->type & 0xFF) {
    case cJSON_NULL: return RX_JSON_NULL;
    case cJSON_True:
    case cJSON_False: return RX_JSON_BOOL;
    case cJSON_Number: return RX_JSON_NUMBER;
    case cJSON_String: return RX_JSON_STRING;
    case cJSON_Array: return RX_JSON_ARRAY;
    case cJSON_Object: return RX_JSON_OBJECT;
    default: return RX_JSON_NONE;
    }
}

enum rx_json_kind
rx_json_kind(rx_json v)
{
    return kind_of(v.node);
}

const char *
rx_json_kind_words(enum rx_json_kind kind)
{
    static const char *const words[] = {
        [RX_JSON_NONE] = "nothing",
        [RX_JSON_NULL] = "null",
        [RX_JSON_BOOL] = "true or false",
        [RX_JSON_NUMBER] = "a number",
        [RX_JSON_STRING] = "a string",
        [RX_JSON_ARRAY] = "an array",
        [RX_JSON_OBJECT] = "an object",
    };
    return words[kind];
}

static cJSON *
children(const cJSON *node)
{
    enum rx_json_kind kind = kind_of(node);

    return kind == RX_JSON_ARRAY || kind == RX_JSON_OBJECT ? node->child : NULL;
}

size_t
rx_json_count(rx_json v)
{
    size_t n = 0;

    for (const cJSON *c = children(v.node); c != NULL; c = c->next)
        n++;
    return n;
}

rx_json
rx_json_first(rx_json v)
{
    return value(v.doc, children(v.node));
}

rx_json
rx_json_next(rx_json v)
{
    return value(v.doc, v.node == NULL ? NULL : node_of(v)->next);
}

rx_str
rx_json_name(rx_json v)
{
    return rx_str_of(v.node == NULL ? NULL : node_of(v)->string);
}

rx_str
rx_json_str(rx_json v)
{
    bool is = rx_json_kind(v) == RX_JSON_STRING;

    return rx_str_of(is ? node_of(v)->valuestring : NULL);
}

bool
rx_json_bool(rx_json v)
{
    return v.node != NULL && (node_of(v)->type & 0xFF) == cJSON_True;
}

double
rx_json_number(rx_json v)
{
    return rx_json_kind(v) == RX_JSON_NUMBER ? node_of(v)->valuedouble : 0;
}

bool
rx_json_whole(rx_json v, int64_t *out)
{
    double n = rx_json_number(v);
    double most = (double)RX_JSON_INT_MAX;

    if (rx_json_kind(v) != RX_JSON_NUMBER || !(n >= -most && n <= most) ||
        trunc(n) != n)
        return false;
    *out = (int64_t)n;
    return true;
}

bool
rx_json_u64(rx_json v, uint64_t *out)
{
    int64_t n;

    if (!rx_json_whole(v, &n) || n < 0)
        return false;
    *out = (uint64_t)n;
    return true;
}

bool
rx_json_asked(rx_json v)
{
    return (node_of(v)->type & ASKED) != 0;
}

/* ---- finding ----------------------------------------------------------- */

static cJSON *
find_member(const cJSON *object, rx_str name)
{
    if (kind_of(object) != RX_JSON_OBJECT)
        return NULL;
    for (cJSON *c = object->child; c != NULL; c = c->next) {
        if (rx_str_eq(rx_str_of(c->string), name))
            return c;
    }
    return NULL;
}

void
rx_json_accept_camel(struct rx_json_doc *doc)
{
    doc->camel = true;
}

/* "first_byte_s" -> "firstByteS" */
static rx_str
camel_of(const char *name, char to[64])
{
    size_t n = 0;

    for (; *name != '\0' && n < 63; name++) {
        bool raise = *name == '_' && name[1] >= 'a' && name[1] <= 'z';
        if (raise)
            name++;
        to[n++] = raise ? (char)(*name - 'a' + 'A') : *name;
    }
    return (rx_str){ to, n };
}

rx_json
rx_json_member(rx_json object, const char *name)
{
    cJSON *c = find_member(object.node, rx_str_of(name));
    char camel[64];

    if (c == NULL && object.doc->camel)
        c = find_member(object.node, camel_of(name, camel));
    if (c != NULL)
        c->type |= ASKED;
    return value(object.doc, c);
}

static cJSON *
find_element(const cJSON *array, rx_str number)
{
    uint64_t index;
    cJSON *c = children(array);

    if (!rx_str_u64(number, &index))
        return NULL;
    for (; c != NULL && index > 0; index--)
        c = c->next;
    return c;
}

rx_json
rx_json_find(rx_json v, const char *path)
{
    rx_str rest = rx_str_of(path);
    rx_str step;

    for (bool more = true; more && v.node != NULL;) {
        more = rx_str_cut(rest, '.', &step, &rest);
        v.node = rx_json_kind(v) == RX_JSON_ARRAY ? find_element(v.node, step)
                                                  : find_member(v.node, step);
    }
    return v;
}
