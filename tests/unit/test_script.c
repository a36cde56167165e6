/*
 * Functions in Lua: what they can do, and everything they cannot.
 */
#include "shared/attr.h"
#include "shared/clock.h"
#include "shared/script.h"
#include "tests/unit/check.h"

static rx_str
text_of(const char *s)
{
    return (rx_str){ s, strlen(s) };
}

/* Run `source` on a small request; `out` lives until the script is freed. */
static enum rx_code
run(struct rx_script **script, const char *source, struct rx_script_result *out,
    struct rx_err *err)
{
    enum rx_code code = rx_script_new(script, text_of(source), NULL, err);

    if (code != RX_OK)
        return code;
    rx_script_begin(*script);
    rx_script_open(*script, NULL);
    rx_script_put_str(*script, "model", RX_S("claude-x"));
    rx_script_put_number(*script, "tokens", 1234);
    rx_script_put_bool(*script, "stream", true);
    rx_script_open(*script, "tools");
    rx_script_put_str(*script, NULL, RX_S("Bash"));
    rx_script_put_str(*script, NULL, RX_S("Read"));
    rx_script_close(*script);
    rx_script_close(*script);
    rx_script_open(*script, NULL);
    rx_script_open(*script, NULL);
    rx_script_put_str(*script, "channel", RX_S("main"));
    rx_script_close(*script);
    rx_script_close(*script);
    return rx_script_run(*script, out, err);
}

static void
a_function_sees_the_request_and_answers(void)
{
    static const struct {
        const char *source;
        bool yes;
        const char *texts[2];
    } rows[] = {
        { "return request.tokens > 1000", true, { NULL, NULL } },
        { "return request.tokens > 2000", false, { NULL, NULL } },
        { "return nil", false, { NULL, NULL } },
        { "return function(r, c) return r.stream end", true, { NULL, NULL } },
        { "return candidates[1].channel", true, { "main", NULL } },
        { "return 'a', 'b'", true, { "a", "b" } },
        { "return #request.tools == 2 and request.tools[2] == 'Read'", true,
            { NULL, NULL } },
        { "return request.model:upper() == 'CLAUDE-X'", true, { NULL, NULL } },
        { "return find(request.model, 'x') == 8", true, { NULL, NULL } },
        { "return matches(request.model, '^claude-[a-z]$')", true,
            { NULL, NULL } },
        { "local n = 0 for _ in pairs(request) do n = n + 1 end return n == 4",
            true, { NULL, NULL } },
        { "return math.max(1, 2) == 2 and tostring(3) == '3'", true,
            { NULL, NULL } },
        { "return pcall(error, 'x') == false", true, { NULL, NULL } },
    };

    for (size_t i = 0; i < RX_COUNT(rows); i++) {
        struct rx_script *s = NULL;
        struct rx_script_result r;
        struct rx_err err = { 0 };
        enum rx_code code = run(&s, rows[i].source, &r, &err);
        if (code != RX_OK)
            fprintf(stderr, "%s: %s\n", rows[i].source, err.text);
        CHECK_INT(RX_OK, code);
        CHECK_INT(rows[i].yes, r.yes);
        size_t want = rows[i].texts[0] == NULL   ? 0
                      : rows[i].texts[1] == NULL ? 1
                                                 : 2;
        CHECK_INT((intmax_t)want, (intmax_t)r.text_count);
        for (size_t k = 0; k < want && k < r.text_count; k++)
            CHECK(rx_str_eq(r.texts[k], text_of(rows[i].texts[k])));
        rx_script_free(s);
    }
}

static void
what_is_no_lua_is_refused_with_its_line(void)
{
    struct rx_script *s = NULL;
    struct rx_err err = { 0 };

    CHECK_INT(
        RX_INVALID, rx_script_new(&s, RX_S("return 1\nreturn ("), NULL, &err));
    CHECK(s == NULL && strstr(err.text, "line:2") != NULL);
    CHECK_INT(RX_INVALID, rx_script_new(&s, RX_S("\033Lua"), NULL, &err));
    CHECK_INT(RX_INVALID, rx_script_new(&s, (rx_str){ 0 }, NULL, &err));
}

/* Nothing that leads out of the box is there. */
static void
there_is_no_way_out(void)
{
    static const char *const names[] = { "io", "os", "require", "package",
        "load", "loadstring", "loadfile", "dofile", "debug", "coroutine",
        "collectgarbage", "getmetatable", "setmetatable", "rawset", "rawget",
        "rawequal", "rawlen", "_G", "print", "warn", "string.dump",
        "string.format", "string.find", "string.gsub", "string.match",
        "string.gmatch", "table.sort", "('').dump" };
    static const char *const broken[] = {
        "string.upper = nil",
        "string.x = 1",
        "math.pi = 3",
        "('').x = 1",
        "request.tokens.x = 1",
        "return ('x').dump(print)",
        "error('no')",
        "error({})",
        "error()",
        "return {}",
        "return 12",
        "return ('x'):rep(300)",
        "local function f() return f() + 1 end return f()",
        "return nil + 1",
        "return matches('a', '(')",
    };
    char source[100];

    for (size_t i = 0; i < RX_COUNT(names); i++) {
        struct rx_script *s = NULL;
        struct rx_script_result r;
        snprintf(source, sizeof(source), "return %s == nil", names[i]);
        CHECK_INT(RX_OK, run(&s, source, &r, NULL));
        if (!r.yes)
            fprintf(stderr, "there: %s\n", names[i]);
        CHECK(r.yes);
        rx_script_free(s);
    }
    for (size_t i = 0; i < RX_COUNT(broken); i++) {
        struct rx_script *s = NULL;
        struct rx_script_result r;
        struct rx_err err = { 0 };
        enum rx_code code = run(&s, broken[i], &r, &err);
        if (code == RX_OK)
            fprintf(stderr, "went well: %s\n", broken[i]);
        CHECK(code != RX_OK && err.text[0] != '\0');
        /* It can be asked again. */
        rx_script_begin(s);
        CHECK(rx_script_run(s, &r, &err) != RX_OK);
        rx_script_free(s);
    }
}

/* Whatever they try, they are stopped soon and the next run is fine. */
static void
greed_is_stopped_whatever_it_catches(void)
{
    static const char *const rows[] = {
        "while true do end",
        "repeat until false",
        "local function f() return f() end return f()",
        "local t = {} for i = 1, 1e9 do t[i] = i end",
        "local s = 'x' while true do s = s .. s end",
        "return ('x'):rep(1e9)",
        "for i = 1, 1e9 do local s = ('x'):rep(500000) end",
        "while true do pcall(function() while true do end end) end",
        "local function f() pcall(f) f() end f()",
        "while true do pcall(string.rep, 'x', 1e9) end",
        "local function f() while true do pcall(f) end end f()",
        "local t = {} t[1] = t while true do t = {t, t, t} end",
        "local s = ('x'):rep(4e5) while true do s = (s..'a') == (s..'b') end",
        "local s = ('a'):rep(400000) while true do find(s, 'b') end",
        "for i = 1, 1e6 do matches(('a'):rep(10000), '(a+)+b') end",
        "return table.concat({('x'):rep(300000)}, ('y'):rep(300000), 1, 1e8)",
        "return table.unpack({}, 1, 1e7)",
        "local t = {} for i = 1, 1e7 do table.insert(t, 1, i) end",
        "goto x ::x:: goto x",
        "for i = 1, math.huge do end",
        "while true do error('x') end",
        "while true do pcall(error, ('x'):rep(100000)) end",
    };

    for (size_t i = 0; i < RX_COUNT(rows); i++) {
        struct rx_script *s = NULL;
        struct rx_script_result r;
        struct rx_err err = { 0 };
        uint64_t start = rx_clock_us();
        enum rx_code code = run(&s, rows[i], &r, &err);
        uint64_t took = rx_clock_us() - start;
        if (code == RX_OK || took > 500000)
            fprintf(stderr, "%s: code %d after %" PRIu64 " us\n", rows[i],
                (int)code, took);
        CHECK(code != RX_OK);
        CHECK(took < 500000); /* sanitizers and busy machines included */
        rx_script_free(s);
    }
}

static void
nothing_is_left_for_the_next_run(void)
{
    struct rx_script *s = NULL;
    struct rx_script_result r;
    struct rx_err err = { 0 };
    const char *source = "if seen then return true end seen = true pairs = nil "
                         "return type(request) ~= 'table'";

    CHECK_INT(RX_OK, run(&s, source, &r, &err));
    CHECK(!r.yes);
    for (int i = 0; i < 3; i++) {
        rx_script_begin(s);
        rx_script_open(s, NULL);
        rx_script_close(s);
        CHECK_INT(RX_OK, rx_script_run(s, &r, &err));
        CHECK(!r.yes);
    }
    rx_script_free(s);
}

static void
many_runs_do_not_grow(void)
{
    struct rx_script *s = NULL;
    struct rx_script_result r;
    uint64_t worst = 0;

    CHECK_INT(RX_OK, rx_script_new(&s, RX_S("return request.n % 2 == 0"),
                         &(struct rx_script_limits){ .wall_ms = 1000 }, NULL));
    for (int i = 0; i < 20000; i++) {
        uint64_t start = rx_clock_us();
        rx_script_begin(s);
        rx_script_open(s, NULL);
        rx_script_put_number(s, "n", i);
        rx_script_put_str(s, "text", RX_S("some text to be copied"));
        rx_script_close(s);
        CHECK_INT(RX_OK, rx_script_run(s, &r, NULL));
        CHECK_INT(i % 2 == 0, r.yes);
        uint64_t took = rx_clock_us() - start;
        worst = took > worst ? took : worst;
    }
    printf("     worst of 20000 runs: %" PRIu64 " us\n", worst);
    rx_script_free(s);
}

int
main(void)
{
    CHECK_RUN(a_function_sees_the_request_and_answers);
    CHECK_RUN(what_is_no_lua_is_refused_with_its_line);
    CHECK_RUN(there_is_no_way_out);
    CHECK_RUN(greed_is_stopped_whatever_it_catches);
    CHECK_RUN(nothing_is_left_for_the_next_run);
    CHECK_RUN(many_runs_do_not_grow);
    return CHECK_EXIT();
}
