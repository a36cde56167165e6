/*
 * What is taken away, and why: files, other code and the machine (io, os,
 * require, load, debug); whatever could change what others see (raw access and
 * metatables); coroutines, which a step limit does not follow; and Lua's own
 * patterns, a single call of which can take hours.  In their place stand
 * find(text, words) and matches(text, pattern), the patterns of pattern.h.
 */
#include "shared/script.h"

#include <assert.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdlib.h>
#include <string.h>

#include "shared/attr.h"
#include "shared/clock.h"
#include "shared/pattern.h"

#define STEPS       50000
#define WALL_MS     5
#define BYTES       ((size_t)1024 * 1024)
#define STRIDE      64 /* steps between two looks at the limits */
#define CHURN       8  /* times `bytes` a run may ask for in all */
#define TABLES_MAX  8
#define PATTERN_MAX 64 /* calls of matches() in one run */

struct rx_script {
    lua_State *lua;
    int chunk; /* in the registry */
    size_t bytes, bytes_max;
    size_t asked; /* in this run */
    bool limited; /* memory counts: not while we make the script */
    uint32_t steps, steps_max;
    uint32_t patterns;
    uint64_t until_us;
    uint32_t wall_ms;
    bool overrun;
    bool broken; /* an argument did not fit */
    int arguments;
    int tables;
    lua_Integer next[TABLES_MAX]; /* index of the next element */
    char texts[2][RX_SCRIPT_TEXT_MAX];
};

static void *
allocate(void *arg, void *old, size_t old_size, size_t size)
{
    struct rx_script *s = arg;

    if (old == NULL)
        old_size = 0; /* it is a kind of object then */
    if (size == 0) {
        free(old);
        s->bytes -= old_size;
        return NULL;
    }
    if (s->limited && size > old_size) {
        s->asked += size;
        s->overrun = s->overrun || s->asked > CHURN * s->bytes_max;
        /* Lua collects garbage then, and asks once more. */
        if (s->overrun || s->bytes + (size - old_size) > s->bytes_max)
            return NULL;
    }
    void *p = realloc(old, size);
    if (p != NULL)
        s->bytes = s->bytes - old_size + size;
    return p;
}

static struct rx_script *
script_of(lua_State *lua)
{
    void *arg;

    (void)lua_getallocf(lua, &arg);
    return arg;
}

/* From the first overrun on every step is an error: there is no catching it. */
static void
on_steps(lua_State *lua, lua_Debug *debug)
{
    struct rx_script *s = script_of(lua);

    (void)debug;
    s->steps += s->overrun ? 1 : STRIDE;
    if (s->steps >= s->steps_max || rx_clock_us() > s->until_us)
        s->overrun = true;
    if (!s->overrun)
        return;
    lua_sethook(lua, on_steps, LUA_MASKCOUNT, 1);
    luaL_error(lua, "it took too long");
}

/* ---- what scripts can call ---------------------------------------------- */

/* find(text, words) -> where they begin, or nil */
static int
call_find(lua_State *lua)
{
    size_t size, n;
    const char *text = luaL_checklstring(lua, 1, &size);
    const char *words = luaL_checklstring(lua, 2, &n);
    const char *at = memmem(text, size, words, n);

    if (at == NULL)
        return 0;
    lua_pushinteger(lua, (lua_Integer)(at - text) + 1);
    return 1;
}

/* matches(text, pattern) -> true or false */
static int
call_matches(lua_State *lua)
{
    struct rx_script *s = script_of(lua);
    size_t size, n;
    const char *text = luaL_checklstring(lua, 1, &size);
    const char *pattern = luaL_checklstring(lua, 2, &n);
    struct rx_pattern *p;
    struct rx_err err = { 0 };

    if (++s->patterns > PATTERN_MAX)
        return luaL_error(lua, "matches: at most %d times", PATTERN_MAX);
    if (rx_pattern_new(&p, (rx_str){ pattern, n }, &err) != RX_OK)
        return luaL_error(lua, "matches: the pattern %s", err.text);
    enum rx_pattern_result r = rx_pattern_find(p, (rx_str){ text, size });
    rx_pattern_free(p);
    if (r == RX_PATTERN_GIVEN_UP)
        return luaL_error(lua, "matches: the pattern takes too long");
    lua_pushboolean(lua, r == RX_PATTERN_YES);
    return 1;
}

static int
call_refuse(lua_State *lua)
{
    return luaL_error(lua, "this table cannot be changed");
}

/* The library on top as its readers see it: the names listed, read-only. */
static void
wrap_library(lua_State *lua, const char *const *names)
{
    lua_newtable(lua); /* what they see */
    lua_newtable(lua); /* its metatable */
    lua_newtable(lua); /* what is in it */
    for (; *names != NULL; names++) {
        lua_getfield(lua, -4, *names);
        lua_setfield(lua, -2, *names);
    }
    lua_setfield(lua, -2, "__index");
    lua_pushcfunction(lua, call_refuse);
    lua_setfield(lua, -2, "__newindex");
    lua_pushboolean(lua, false);
    lua_setfield(lua, -2, "__metatable");
    lua_setmetatable(lua, -2);
    lua_remove(lua, -2);
}

static const char *const string_names[] = { "byte", "char", "len", "lower",
    "rep", "reverse", "sub", "upper", NULL };
static const char *const table_names[] = { "concat", "insert", "remove",
    "unpack", NULL };
static const char *const math_names[] = { "abs", "ceil", "floor", "fmod",
    "huge", "max", "min", "pi", "sqrt", "tointeger", "type", NULL };
static const char *const base_names[] = { "assert", "error", "ipairs", "next",
    "pairs", "pcall", "select", "tonumber", "tostring", "type", NULL };

static void
add_library(lua_State *lua, const char *name, lua_CFunction open,
    const char *const *names)
{
    lua_pushcfunction(lua, open);
    lua_pushstring(lua, name);
    lua_call(lua, 1, 1);
    wrap_library(lua, names);
    lua_setfield(lua, -2, name);
}

/* ("x"):upper() reaches the string library by the metatable of strings. */
static void
bound_strings(lua_State *lua)
{
    lua_pushliteral(lua, "");
    if (lua_getmetatable(lua, -1) != 0) {
        lua_getfield(lua, -3, "string");
        lua_setfield(lua, -2, "__index");
        lua_pop(lua, 1);
    }
    lua_pop(lua, 1);
}

/* Leaves the table of what scripts can call in the registry as "world". */
static void
make_world(lua_State *lua)
{
    lua_newtable(lua);
    lua_pushcfunction(lua, luaopen_base);
    lua_call(lua, 0, 1);
    for (const char *const *n = base_names; *n != NULL; n++) {
        lua_getfield(lua, -1, *n);
        lua_setfield(lua, -3, *n);
    }
    lua_pop(lua, 1);
    add_library(lua, "string", luaopen_string, string_names);
    bound_strings(lua);
    add_library(lua, "table", luaopen_table, table_names);
    add_library(lua, "math", luaopen_math, math_names);
    lua_pushcfunction(lua, call_find);
    lua_setfield(lua, -2, "find");
    lua_pushcfunction(lua, call_matches);
    lua_setfield(lua, -2, "matches");
    lua_setfield(lua, LUA_REGISTRYINDEX, "world");
}

/* ---- making one ----------------------------------------------------------- */

static int
protected_make(lua_State *lua)
{
    make_world(lua);
    return 0;
}

/* Words of the error on top of the stack, without our name for the chunk. */
static enum rx_code
lua_failed(lua_State *lua, enum rx_code code, struct rx_err *err)
{
    const char *words =
        lua_type(lua, -1) == LUA_TSTRING ? lua_tostring(lua, -1) : NULL;

    return rx_fail(
        err, code, "%.150s", words != NULL ? words : "an error without words");
}

static enum rx_code
load_source(struct rx_script *s, rx_str source, struct rx_err *err)
{
    static const char before[] = "local request, candidates = ...; ";
    size_t n = sizeof(before) - 1;
    char *text = malloc(n + source.len);

    if (text == NULL)
        abort();
    memcpy(text, before, n);
    memcpy(text + n, source.ptr, source.len);
    int rc = luaL_loadbufferx(s->lua, text, n + source.len, "=line", "t");
    free(text);
    if (rc != LUA_OK)
        return lua_failed(s->lua, RX_INVALID, err);
    s->chunk = luaL_ref(s->lua, LUA_REGISTRYINDEX);
    return RX_OK;
}

enum rx_code
rx_script_new(struct rx_script **out, rx_str source,
    const struct rx_script_limits *limits, struct rx_err *err)
{
    static const struct rx_script_limits none = { 0 };

    *out = NULL;
    if (limits == NULL)
        limits = &none;
    if (source.len == 0 || source.len > RX_SCRIPT_SOURCE_MAX)
        return rx_fail(err, RX_INVALID, "must be 1 to %zu bytes of Lua",
            RX_SCRIPT_SOURCE_MAX);
    struct rx_script *s = calloc(1, sizeof(*s));
    if (s == NULL)
        abort();
    s->steps_max = limits->steps != 0 ? limits->steps : STEPS;
    s->wall_ms = limits->wall_ms != 0 ? limits->wall_ms : WALL_MS;
    s->bytes_max = limits->bytes != 0 ? limits->bytes : BYTES;
    s->lua = lua_newstate(allocate, s);
    if (s->lua == NULL)
        abort();
    lua_pushcfunction(s->lua, protected_make);
    if (lua_pcall(s->lua, 0, 0, 0) != LUA_OK)
        abort(); /* nothing but memory can be wrong */
    enum rx_code code = load_source(s, source, err);
    if (code != RX_OK) {
        rx_script_free(s);
        return code;
    }
    *out = s;
    return RX_OK;
}

void
rx_script_free(struct rx_script *s)
{
    if (s == NULL)
        return;
    s->limited = false;
    lua_close(s->lua);
    free(s);
}

/* ---- arguments -------------------------------------------------------------- */

void
rx_script_begin(struct rx_script *s)
{
    lua_settop(s->lua, 0);
    lua_rawgeti(s->lua, LUA_REGISTRYINDEX, s->chunk);
    s->arguments = 0;
    s->tables = 0;
}

/* The value on top goes where the caller said. */
static void
place(struct rx_script *s, const char *name)
{
    if (s->tables == 0)
        s->arguments++;
    else if (name != NULL)
        lua_setfield(s->lua, -2, name);
    else
        lua_rawseti(s->lua, -2, ++s->next[s->tables - 1]);
}

void
rx_script_open(struct rx_script *s, const char *name)
{
    assert(s->tables < TABLES_MAX);
    /* Its place is taken when it is closed; the name waits below it. */
    if (s->tables > 0)
        lua_pushstring(s->lua, name); /* nil for an element */
    lua_newtable(s->lua);
    s->next[s->tables++] = 0;
}

void
rx_script_close(struct rx_script *s)
{
    assert(s->tables > 0);
    if (--s->tables == 0) {
        s->arguments++;
        return;
    }
    /* … outer, name, table */
    if (lua_isnil(s->lua, -2)) {
        lua_remove(s->lua, -2);
        lua_rawseti(s->lua, -2, ++s->next[s->tables - 1]);
    } else {
        lua_rawset(s->lua, -3);
    }
}

void
rx_script_put_str(struct rx_script *s, const char *name, rx_str value)
{
    lua_pushlstring(s->lua, value.len > 0 ? value.ptr : "", value.len);
    place(s, name);
}

void
rx_script_put_number(struct rx_script *s, const char *name, int64_t value)
{
    lua_pushinteger(s->lua, value);
    place(s, name);
}

void
rx_script_put_bool(struct rx_script *s, const char *name, bool value)
{
    lua_pushboolean(s->lua, value);
    place(s, name);
}

/* ---- running ------------------------------------------------------------------ */

/* New globals for each run, with what can be called behind them. */
static int
protected_run(lua_State *lua)
{
    int arguments = lua_gettop(lua) - 1;

    lua_newtable(lua);
    lua_newtable(lua);
    lua_getfield(lua, LUA_REGISTRYINDEX, "world");
    lua_setfield(lua, -2, "__index");
    lua_setmetatable(lua, -2);
    lua_setupvalue(lua, 1, 1);
    if (arguments == 0) {
        lua_call(lua, 0, 2);
        return 2;
    }
    /* Kept for the case that the chunk returns the function itself. */
    lua_pushvalue(lua, 1);
    for (int i = 0; i < arguments; i++)
        lua_pushvalue(lua, 2 + i);
    lua_call(lua, arguments, 2);
    if (!lua_isfunction(lua, -2))
        return 2;
    lua_pop(lua, 1);
    for (int i = 0; i < arguments; i++)
        lua_pushvalue(lua, 2 + i);
    lua_call(lua, arguments, 2);
    return 2;
}

static bool
take_text(struct rx_script *s, int at, struct rx_script_result *out)
{
    size_t len;

    if (lua_type(s->lua, at) != LUA_TSTRING)
        return lua_isnil(s->lua, at) || lua_isboolean(s->lua, at);
    const char *text = lua_tolstring(s->lua, at, &len);
    if (len > RX_SCRIPT_TEXT_MAX)
        return false;
    char *to = s->texts[out->text_count];
    memcpy(to, text, len);
    out->texts[out->text_count++] = (rx_str){ to, len };
    return true;
}

static enum rx_code
take_result(
    struct rx_script *s, struct rx_script_result *out, struct rx_err *err)
{
    out->yes = lua_toboolean(s->lua, -2) != 0;
    if (!take_text(s, -2, out) || !take_text(s, -1, out))
        return rx_fail(err, RX_INVALID,
            "it must return true, false, or a channel and a model");
    return RX_OK;
}

enum rx_code
rx_script_run(
    struct rx_script *s, struct rx_script_result *out, struct rx_err *err)
{
    lua_State *lua = s->lua;

    *out = (struct rx_script_result){ 0 };
    assert(s->tables == 0);
    lua_pushcfunction(lua, protected_run);
    lua_insert(lua, 1);
    s->steps = s->patterns = 0;
    s->asked = 0;
    s->overrun = false;
    s->until_us = rx_clock_us() + (uint64_t)s->wall_ms * 1000;
    s->limited = true;
    lua_sethook(lua, on_steps, LUA_MASKCOUNT, STRIDE);
    int rc = lua_pcall(lua, s->arguments + 1, 2, 0);
    lua_sethook(lua, NULL, 0, 0);
    s->limited = false;
    enum rx_code code = RX_OK;
    if (s->overrun || rc == LUA_ERRMEM)
        code = rx_fail(
            err, RX_LIMITED, "it took more time or memory than allowed");
    else if (rc != LUA_OK)
        code = lua_failed(lua, RX_INVALID, err);
    else
        code = take_result(s, out, err);
    lua_settop(lua, 0);
    if (s->bytes > s->bytes_max / 2)
        lua_gc(lua, LUA_GCCOLLECT);
    return code;
}

uint32_t
rx_script_steps(const struct rx_script *s)
{
    return s->steps;
}
