#include "dataplane/facts.h"

#include <assert.h>
#include <string.h>

#include "shared/attr.h"

/* The largest text that is kept of an answer. */
#define HOLD_MAX ((size_t)512)

/* Names of errors and the HTTP status each stands for, all dialects. */
static const struct {
    rx_str name;
    int status;
} errors[] = {
    { RX_STR_INIT("invalid_request_error"), 400 },
    { RX_STR_INIT("authentication_error"), 401 },
    { RX_STR_INIT("billing_error"), 402 },
    { RX_STR_INIT("permission_error"), 403 },
    { RX_STR_INIT("not_found_error"), 404 },
    { RX_STR_INIT("request_too_large"), 413 },
    { RX_STR_INIT("rate_limit_error"), 429 },
    { RX_STR_INIT("api_error"), 500 },
    { RX_STR_INIT("timeout_error"), 504 },
    { RX_STR_INIT("overloaded_error"), 529 },

    { RX_STR_INIT("insufficient_quota"), 429 },
    { RX_STR_INIT("rate_limit_exceeded"), 429 },
    { RX_STR_INIT("usage_limit_reached"), 429 },
    { RX_STR_INIT("requests"), 429 },
    { RX_STR_INIT("tokens"), 429 },
    { RX_STR_INIT("invalid_api_key"), 401 },
    { RX_STR_INIT("usage_not_included"), 403 },
    { RX_STR_INIT("model_not_found"), 404 },
    { RX_STR_INIT("DeploymentNotFound"), 404 },
    { RX_STR_INIT("context_length_exceeded"), 400 },
    { RX_STR_INIT("content_filter"), 400 },
    { RX_STR_INIT("invalid_prompt"), 400 },
    { RX_STR_INIT("bio_policy"), 400 },
    { RX_STR_INIT("data_residency_mismatch"), 400 },
    { RX_STR_INIT("string_above_max_length"), 400 },
    { RX_STR_INIT("unsupported_parameter"), 400 },
    { RX_STR_INIT("unsupported_value"), 400 },
    { RX_STR_INIT("tool_use_failed"), 400 },
    { RX_STR_INIT("server_error"), 500 },
    { RX_STR_INIT("server_is_overloaded"), 503 },
    { RX_STR_INIT("service_unavailable_error"), 503 },
    { RX_STR_INIT("slow_down"), 503 },
    { RX_STR_INIT("timeout"), 504 },
    { RX_STR_INIT("vector_store_timeout"), 504 },

    { RX_STR_INIT("INVALID_ARGUMENT"), 400 },
    { RX_STR_INIT("FAILED_PRECONDITION"), 400 },
    { RX_STR_INIT("UNAUTHENTICATED"), 401 },
    { RX_STR_INIT("PERMISSION_DENIED"), 403 },
    { RX_STR_INIT("NOT_FOUND"), 404 },
    { RX_STR_INIT("RESOURCE_EXHAUSTED"), 429 },
    { RX_STR_INIT("CANCELLED"), 499 },
    { RX_STR_INIT("INTERNAL"), 500 },
    { RX_STR_INIT("UNAVAILABLE"), 503 },
    { RX_STR_INIT("DEADLINE_EXCEEDED"), 504 },
};

static void
walk_object(struct facts *f, struct rx_span *j,
    const struct facts_member *members, size_t n)
{
    rx_span_enter_object(j);
    while (rx_span_member(j, NULL)) {
        const struct facts_member *m = members;
        while (m < members + n && !rx_span_key_is(j, m->name))
            m++;
        if (m == members + n)
            rx_span_skip(j, NULL);
        else if (m->read != NULL)
            m->read(f, j);
        else
            facts_walk(f, j, m->inside, m->count);
    }
}

void
facts_walk(struct facts *f, struct rx_span *j,
    const struct facts_member *members, size_t n)
{
    enum rx_span_kind kind = rx_span_kind(j);

    if (kind == RX_SPAN_OBJECT) {
        walk_object(f, j, members, n);
        return;
    }
    if (kind != RX_SPAN_ARRAY) {
        rx_span_skip(j, NULL);
        return;
    }
    rx_span_enter_array(j);
    while (rx_span_element(j)) {
        if (rx_span_kind(j) == RX_SPAN_OBJECT)
            walk_object(f, j, members, n);
        else
            rx_span_skip(j, NULL);
    }
}

const struct facts_event *
facts_event(struct facts *f, rx_str data, rx_str type,
    const struct facts_event *events, size_t n)
{
    struct rx_span j;

    for (size_t i = 0; i < n; i++) {
        if (!rx_str_eq(type, events[i].type))
            continue;
        rx_span_init(&j, data);
        facts_walk(f, &j, events[i].members, events[i].count);
        return &events[i];
    }
    return NULL;
}

void
facts_each(struct facts *f, struct rx_span *j,
    void (*read)(struct facts *f, struct rx_span *j))
{
    if (rx_span_kind(j) != RX_SPAN_ARRAY) {
        rx_span_skip(j, NULL);
        return;
    }
    rx_span_enter_array(j);
    while (rx_span_element(j))
        read(f, j);
}

/* null, false, "", {} and [] hold nothing. */
static bool
is_something(rx_str value)
{
    switch (rx_span_kind_of(value)) {
    case RX_SPAN_NOTHING:
    case RX_SPAN_NULL:
    case RX_SPAN_FALSE: return false;
    case RX_SPAN_STRING:
    case RX_SPAN_OBJECT:
    case RX_SPAN_ARRAY: return value.len > 2;
    case RX_SPAN_NUMBER:
    case RX_SPAN_TRUE: break;
    }
    return true;
}

void
facts_content(struct facts *f, struct rx_span *j)
{
    rx_str value;

    if (rx_span_skip(j, &value) && is_something(value))
        f->seen.content = true;
}

void
facts_text(struct facts *f, struct rx_span *j)
{
    rx_str text;

    if (!rx_span_string(j, &text) || text.len == 0)
        return;
    f->seen.content = true;
    tally_add(&f->tally, text);
}

void
facts_code(struct facts *f, struct rx_span *j)
{
    rx_str value;

    if (!rx_span_skip(j, &value) || !is_something(value))
        return;
    f->seen.content = true;
    if (value.ptr[0] == '"')
        value = (rx_str){ value.ptr + 1, value.len - 2 };
    tally_add_code(&f->tally, value);
}

void
facts_usage(struct facts *f, struct rx_span *j)
{
    figures_read(&f->figures, f->dialect, j);
}

void
facts_tier(struct facts *f, struct rx_span *j)
{
    figures_read_tier(&f->figures, j);
}

void
facts_count_as(struct facts *f, struct rx_span *j, enum figure figure)
{
    uint64_t n;

    if (rx_span_u64(j, &n) && f->op == OP_COUNT) {
        f->figures.n[figure] = n;
        f->figures.has |= 1u << figure;
    }
}

void
facts_count(struct facts *f, struct rx_span *j)
{
    facts_count_as(f, j, FIGURE_INPUT);
}

/* As much of a string's contents as fits, at a character's border; what comes
 * behind a bad escape is left out. */
static rx_str
hold(char *room, size_t size, rx_str escaped)
{
    /* An escape is six bytes at most. */
    RX_UNSET char plain[6 * HOLD_MAX];
    size_t len;

    assert(size <= HOLD_MAX);
    if (escaped.len > sizeof(plain))
        escaped.len = sizeof(plain);
    (void)rx_span_decode(escaped, plain, &len);
    size_t n = len < size ? len : size - 1;
    while (n > 0 && n < len && (plain[n] & 0xc0) == 0x80)
        n--;
    memcpy(room, plain, n);
    room[n] = '\0';
    return (rx_str){ room, n };
}

void
facts_model(struct facts *f, struct rx_span *j)
{
    rx_str name;

    if (rx_span_string(j, &name) && f->seen.model.len == 0 && name.len > 0)
        f->seen.model = hold(f->model, sizeof(f->model), name);
}

void
facts_answer_id(struct facts *f, struct rx_span *j)
{
    rx_str id;

    if (rx_span_string(j, &id) && id.len < sizeof(f->answer_id))
        f->seen.answer_id = hold(f->answer_id, sizeof(f->answer_id), id);
}

void
facts_store(struct facts *f, struct rx_span *j)
{
    f->seen.not_kept = rx_span_kind(j) == RX_SPAN_FALSE;
    rx_span_skip(j, NULL);
}

void
facts_stop(struct facts *f, struct rx_span *j)
{
    rx_str reason;

    if (!rx_span_string(j, &reason) || reason.len == 0)
        return;
    f->stopped = true;
    f->seen.finish = hold(f->finish, sizeof(f->finish), reason);
}

static int
status_of(rx_str name)
{
    uint64_t number;

    if (rx_str_u64(name, &number))
        return number >= 400 && number <= 599 ? (int)number : 0;
    for (size_t i = 0; i < RX_COUNT(errors); i++) {
        if (rx_str_eq(name, errors[i].name))
            return errors[i].status;
    }
    return 0;
}

/*
 * One of the names an error has.  A code says more than a type: a model that is
 * not there comes as "model_not_found" and as "invalid_request_error" at once.
 */
static void
note_error_name(struct facts *f, rx_str name, bool telling)
{
    int status = status_of(name);

    if (f->seen.error_type.len == 0 || (telling && status != 0))
        f->seen.error_type = hold(f->error_type, sizeof(f->error_type), name);
    if (f->seen.error_status == 0 || (telling && status != 0))
        f->seen.error_status = status;
}

static void
read_error_type(struct facts *f, struct rx_span *j)
{
    rx_str name;

    if (rx_span_string(j, &name) && name.len > 0)
        note_error_name(f, name, false);
}

/* "code", "status": a name, or a number that is an HTTP status. */
void
facts_error_code(struct facts *f, struct rx_span *j)
{
    rx_str value;
    enum rx_span_kind kind = rx_span_kind(j);

    if (!rx_span_skip(j, &value))
        return;
    if (kind == RX_SPAN_STRING && value.len > 2)
        note_error_name(f, (rx_str){ value.ptr + 1, value.len - 2 }, true);
    else if (kind == RX_SPAN_NUMBER && status_of(value) != 0)
        f->seen.error_status = status_of(value);
}

void
facts_error_message(struct facts *f, struct rx_span *j)
{
    rx_str text;

    if (rx_span_string(j, &text) && text.len > 0)
        f->seen.error_message =
            hold(f->error_message, sizeof(f->error_message), text);
}

static const struct facts_member error_members[] = {
    FACTS_READ("type", read_error_type),
    FACTS_READ("code", facts_error_code),
    FACTS_READ("status", facts_error_code),
    FACTS_READ("message", facts_error_message),
};

void
facts_error(struct facts *f, struct rx_span *j)
{
    struct rx_span ahead = *j;
    rx_str value;

    if (!rx_span_skip(&ahead, &value) || !is_something(value)) {
        *j = ahead;
        return;
    }
    f->seen.error = true;
    if (rx_span_kind(j) == RX_SPAN_STRING)
        facts_error_message(f, j);
    else
        FACTS_WALK(f, j, error_members);
}

rx_str
facts_type(rx_str data)
{
    struct rx_span j;
    rx_str type = { 0 };

    rx_span_init(&j, data);
    if (rx_span_kind(&j) != RX_SPAN_OBJECT)
        return type;
    rx_span_enter_object(&j);
    while (rx_span_member(&j, NULL)) {
        if (rx_span_key_is(&j, RX_S("type"))) {
            rx_span_string(&j, &type);
            break;
        }
        rx_span_skip(&j, NULL);
    }
    return type;
}

void
facts_read_event(struct facts *f, rx_str data)
{
    switch (f->dialect) {
    case DIALECT_ANTHROPIC: facts_anthropic_event(f, data); break;
    case DIALECT_CHAT: facts_chat(f, data); break;
    case DIALECT_RESPONSES: facts_responses_event(f, data); break;
    case DIALECT_GEMINI: facts_gemini(f, data); break;
    case DIALECT_COUNT: break;
    }
}

void
facts_read_document(struct facts *f, rx_str text)
{
    switch (f->dialect) {
    case DIALECT_ANTHROPIC: facts_anthropic_document(f, text); break;
    case DIALECT_CHAT: facts_chat(f, text); break;
    case DIALECT_RESPONSES: facts_responses_document(f, text); break;
    case DIALECT_GEMINI: facts_gemini(f, text); break;
    case DIALECT_COUNT: break;
    }
}
