/* JSON Schemas made fit for each provider: wire.md 3.5, line by line. */
#include <stdlib.h>

#include "dataplane/codec/schema.h"
#include "shared/attr.h"
#include "shared/json.h"
#include "tests/unit/check.h"

static char result[65536];
static struct ir_losses losses;
static bool strict_fits;

static const char *
clean_as(enum schema_profile profile, bool answer, const char *schema)
{
    struct rx_buf out;
    struct rx_err err = { 0 };
    struct schema_job job = {
        .schema = { schema, strlen(schema) },
        .profile = profile,
        .answer = answer,
        .losses = &losses,
        .out = &out,
    };

    losses = (struct ir_losses){ 0 };
    rx_buf_init(&out, sizeof(result) - 1);
    enum rx_code code = schema_clean(&job, &err);
    strict_fits = job.strict_fits;
    if (code == RX_OK) {
        struct rx_json_limits limits = { .values = 1000000 };
        struct rx_json_doc *doc;
        enum rx_code json =
            rx_json_parse(&doc, rx_buf_str(&out), &limits, NULL);
        CHECK_INT(RX_OK, json);
        if (json == RX_OK)
            rx_json_free(doc);
        snprintf(result, sizeof(result), "%s", out.ptr);
    } else {
        snprintf(result, sizeof(result), "!%s", err.text);
    }
    rx_buf_fini(&out);
    return result;
}

static const char *
clean(enum schema_profile profile, const char *schema)
{
    return clean_as(profile, false, schema);
}

struct line {
    enum schema_profile profile;
    const char *in, *out;
};

static void
check(const struct line *lines, size_t n)
{
    for (size_t i = 0; i < n; i++)
        CHECK_TEXT(lines[i].out, clean(lines[i].profile, lines[i].in));
}

#define P(x)  "{\"type\":\"object\",\"properties\":{\"a\":" x "}}"
#define BLANK "{\"type\":\"object\",\"properties\":{}}"

/* --- what is done for everybody ------------------------------------------------ */

static void
a_root_is_always_an_object(void)
{
    static const struct line lines[] = {
        { SCHEMA_OPENAI, "", BLANK },
        { SCHEMA_OPENAI, "null", BLANK },
        { SCHEMA_ANTHROPIC, "true", BLANK },
        { SCHEMA_GEMINI_JSON, "{}", BLANK },
        { SCHEMA_NONE, "", BLANK },
        { SCHEMA_OPENAI, "{\"properties\":{\"a\":{\"type\":\"string\"}}}",
            P("{\"type\":\"string\"}") },
        { SCHEMA_ANTHROPIC, "{\"a\":{\"type\":\"string\"}}",
            P("{\"type\":\"string\"}") },
        { SCHEMA_NONE, "{\"x\" : 1e2}", "{\"x\" : 1e2}" },
    };

    check(lines, RX_COUNT(lines));
}

static void
required_lists_what_there_is(void)
{
    static const struct line lines[] = {
        { SCHEMA_OPENAI,
            "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\","
            "\"required\":true},\"b\":{\"type\":\"string\",\"required\":false},"
            "\"c\":{}},\"required\":[\"c\",\"zzz\"]}",
            "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"},"
            "\"b\":{\"type\":\"string\"},\"c\":{}},\"required\":[\"a\",\"c\"]}" },
        { SCHEMA_GEMINI_JSON,
            "{\"type\":\"object\",\"properties\":{\"a\":true,\"b\":false},"
            "\"required\":[\"b\"]}",
            P("{}") },
    };

    check(lines, RX_COUNT(lines));
}

static void
types_are_spelt_as_they_should_be(void)
{
    static const struct line lines[] = {
        { SCHEMA_OPENAI, P("{\"type\":\"STRING\"}"),
            P("{\"type\":\"string\"}") },
        { SCHEMA_OPENAI, P("{\"type\":\"any\"}"), P("{}") },
        { SCHEMA_OPENAI, P("{\"type\":\"None\"}"), P("{\"type\":\"null\"}") },
        { SCHEMA_OPENAI, P("{\"type\":\"string\",\"nullable\":true}"),
            P("{\"type\":[\"string\",\"null\"]}") },
        { SCHEMA_GEMINI_JSON, P("{\"type\":[\"string\",\"null\"]}"),
            P("{\"type\":[\"string\",\"null\"]}") },
        { SCHEMA_GEMINI_PROTO, P("{\"type\":[\"string\",\"null\"]}"),
            P("{\"type\":\"string\",\"nullable\":true}") },
        { SCHEMA_GEMINI_PROTO,
            P("{\"type\":[\"string\",\"array\"],\"maxLength\":3,"
              "\"items\":{\"type\":\"integer\"},\"description\":\"d\"}"),
            P("{\"anyOf\":[{\"type\":\"string\",\"maxLength\":3},{\"type\":"
              "\"array\",\"items\":{\"type\":\"integer\"}}],\"description\":"
              "\"d\"}") },
    };

    check(lines, RX_COUNT(lines));
}

static void
keywords_count_only_where_a_schema_stands(void)
{
    static const char tricky[] =
        "{\"type\":\"object\",\"properties\":{\"title\":{\"type\":\"string\"},"
        "\"format\":{\"type\":\"string\"},\"$schema\":{\"type\":\"string\"},"
        "\"const\":{\"type\":\"integer\",\"default\":{\"$ref\":\"#/x\",\"type\""
        ":[1]}},\"$ref\":{\"type\":\"string\"},\"anyOf\":{\"type\":\"string\"}}"
        ",\"required\":[\"title\",\"$schema\"]}";

    CHECK_TEXT(tricky, clean(SCHEMA_OPENAI, tricky));
    CHECK_TEXT(tricky, clean(SCHEMA_ANTHROPIC, tricky));
    CHECK_TEXT(tricky, clean(SCHEMA_MOONSHOT, tricky));
    CHECK_TEXT(tricky, clean(SCHEMA_GEMINI_PROTO, tricky));
}

/* --- the profiles ----------------------------------------------------------------- */

static void
plain_profiles_keep_what_they_are_given(void)
{
    static const char rich[] =
        "{\"type\":\"object\",\"$schema\":\"http://json-schema.org/draft-07/"
        "schema#\",\"properties\":{\"a\":{\"type\":\"string\",\"pattern\":\"^a"
        "\\\\d$\",\"examples\":[1.50],\"x-y\":null},\"b\":{\"oneOf\":[{\"const\":"
        "1},{\"$ref\":\"#/$defs/t\"}]}},\"additionalProperties\":false,\"$defs\":"
        "{\"t\":{\"type\":\"array\",\"items\":{\"type\":\"number\",\"multipleOf\""
        ":0.10}}},\"if\":{\"properties\":{\"a\":{}}},\"description\":\"d\"}";
    static const char kept[] =
        "{\"type\":\"object\",\"$schema\":\"http://json-schema.org/draft-07/"
        "schema#\",\"properties\":{\"a\":{\"type\":\"string\",\"pattern\":\"^a"
        "\\\\d$\",\"examples\":[1.50],\"x-y\":null},\"b\":{\"oneOf\":[{\"const\":"
        "1},{\"$ref\":\"#/$defs/t\"}]}},\"additionalProperties\":false,\"$defs\":"
        "{\"t\":{\"type\":\"array\",\"items\":{\"type\":\"number\",\"multipleOf\""
        ":0.10}}},\"if\":{\"properties\":{\"a\":{}}},\"description\":\"d\"}";

    CHECK_TEXT(kept, clean(SCHEMA_OPENAI, rich));
    CHECK_TEXT(kept, clean(SCHEMA_ANTHROPIC, rich));
    CHECK_INT(0, (intmax_t)losses.count);
}

static void
gemini_json_says_the_same_in_other_words(void)
{
    static const struct line lines[] = {
        { SCHEMA_GEMINI_JSON, P("{\"const\":\"x\"}"), P("{\"enum\":[\"x\"]}") },
        { SCHEMA_GEMINI_JSON, P("{\"enum\":[1,\"b\",true,null]}"),
            P("{\"enum\":[1,\"b\",\"true\",\"null\"]}") },
        { SCHEMA_GEMINI_JSON,
            P("{\"type\":\"integer\",\"exclusiveMinimum\":0,"
              "\"exclusiveMaximum\":10}"),
            P("{\"type\":\"integer\",\"minimum\":1,\"maximum\":9}") },
        { SCHEMA_GEMINI_JSON, P("{\"type\":\"number\",\"exclusiveMinimum\":0}"),
            P("{\"type\":\"number\",\"description\":\"(more than 0)\"}") },
        { SCHEMA_GEMINI_JSON,
            P("{\"type\":\"number\",\"multipleOf\":5,\"description\":\"n\"}"),
            P("{\"type\":\"number\",\"description\":\"n (multiple of 5)\"}") },
        { SCHEMA_GEMINI_JSON,
            P("{\"type\":\"string\",\"minLength\":2,\"maxLength\":4,"
              "\"pattern\":\"\\\\d+\",\"examples\":[1],\"x-a\":2,"
              "\"default\":\"k\",\"format\":\"uri\"}"),
            P("{\"type\":\"string\",\"format\":\"uri\",\"description\":\"(at "
              "least 2 characters) (at most 4 characters) (matches the pattern "
              "\\\\d+)\"}") },
        { SCHEMA_GEMINI_JSON,
            "{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"#/"
            "definitions/n\",\"description\":\"gone\"}},\"definitions\":{\"n\":{"
            "\"type\":\"object\",\"properties\":{\"next\":{\"$ref\":\"#/"
            "definitions/n\"}}}},\"$schema\":\"x\",\"additionalProperties\":"
            "false}",
            "{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"#/$defs/"
            "n\"}},\"$defs\":{\"n\":{\"type\":\"object\",\"properties\":{"
            "\"next\":{\"$ref\":\"#/$defs/n\"}}}},\"additionalProperties\":"
            "false}" },
        { SCHEMA_GEMINI_JSON,
            P("{\"allOf\":[{\"$ref\":\"#/$defs/t\"},{\"maximum\":3}],"
              "\"description\":\"d\"},\"b\":{\"not\":{\"const\":1}}"),
            P("{\"maximum\":3,\"description\":\"d (like #/$defs/t)\"},\"b\":{"
              "\"description\":\"(must not match {\\\"const\\\":1})\"}") },
        { SCHEMA_GEMINI_JSON,
            P("{\"type\":\"array\",\"items\":[{\"type\":\"string\"},"
              "{\"type\":\"number\"}]}"),
            P("{\"type\":\"array\",\"prefixItems\":[{\"type\":\"string\"},"
              "{\"type\":\"number\"}]}") },
    };

    check(lines, RX_COUNT(lines));
}

static void
gemini_proto_knows_little(void)
{
    static const struct line lines[] = {
        { SCHEMA_GEMINI_PROTO, P("{\"const\":\"x\"}"),
            P("{\"type\":\"string\",\"enum\":[\"x\"]}") },
        { SCHEMA_GEMINI_PROTO, P("{\"type\":\"integer\",\"const\":5}"),
            P("{\"type\":\"integer\",\"description\":\"(always 5)\"}") },
        { SCHEMA_GEMINI_PROTO, P("{\"enum\":[\"a\",\"\",null]}"),
            P("{\"type\":\"string\",\"enum\":[\"a\"],\"nullable\":true}") },
        { SCHEMA_GEMINI_PROTO, P("{\"type\":\"integer\",\"enum\":[1,2]}"),
            P("{\"type\":\"integer\",\"description\":\"(one of [1,2])\"}") },
        { SCHEMA_GEMINI_PROTO,
            P("{\"anyOf\":[{\"type\":\"string\"},{\"type\":"
              "\"null\"}],\"description\":\"d\"}"),
            P("{\"type\":\"string\",\"nullable\":true,\"description\":\"d\"}") },
        { SCHEMA_GEMINI_PROTO,
            P("{\"oneOf\":[{\"type\":\"string\"},{\"type\":\"integer\"},"
              "{\"type\":\"null\"}]}"),
            P("{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"integer\"}],"
              "\"nullable\":true}") },
        { SCHEMA_GEMINI_PROTO,
            P("{\"type\":\"object\",\"properties\":{\"k\":{\"type\":"
              "\"string\"}},\"anyOf\":[{\"required\":[\"k\"]},{\"properties\":{"
              "\"z\":{\"type\":\"string\"}}}]}"),
            P("{\"anyOf\":[{\"type\":\"object\",\"required\":[\"k\"],"
              "\"properties\":{\"k\":{\"type\":\"string\"}}},{\"type\":\"object\","
              "\"properties\":{\"z\":{\"type\":\"string\"},\"k\":{\"type\":"
              "\"string\"}}}]}") },
        { SCHEMA_GEMINI_PROTO,
            "{\"type\":\"object\",\"properties\":{\"t\":{\"$ref\":\"#/$defs/"
            "t\"}},\"$defs\":{\"t\":{\"type\":\"object\",\"properties\":{\"v\":{"
            "\"type\":\"string\"},\"kids\":{\"type\":\"array\",\"items\":{"
            "\"$ref\":\"#/$defs/t\"}}}}}}",
            "{\"type\":\"object\",\"properties\":{\"t\":{\"type\":\"object\","
            "\"properties\":{\"v\":{\"type\":\"string\"},\"kids\":{\"type\":"
            "\"array\",\"items\":{\"type\":\"object\",\"description\":\"(like "
            "#/$defs/t)\"}}}}}}" },
        { SCHEMA_GEMINI_PROTO, P("{\"type\":\"array\"}"),
            P("{\"type\":\"array\",\"items\":{\"type\":\"string\"}}") },
        { SCHEMA_GEMINI_PROTO,
            P("{\"type\":\"array\",\"prefixItems\":[{\"type\":\"string\"},"
              "{\"type\":\"number\"}],\"items\":false}"),
            P("{\"type\":\"array\",\"items\":{\"anyOf\":[{\"type\":\"string\"},"
              "{\"type\":\"number\"}]},\"minItems\":2,\"maxItems\":2}") },
        { SCHEMA_GEMINI_PROTO,
            P("{\"type\":\"string\",\"format\":\"uuid\"},\"b\":{\"type\":"
              "\"integer\",\"format\":\"int64\"},\"c\":{\"type\":\"string\","
              "\"format\":\"date-time\"}"),
            P("{\"type\":\"string\",\"description\":\"(format: uuid)\"},\"b\":{"
              "\"type\":\"integer\",\"format\":\"int64\"},\"c\":{\"type\":"
              "\"string\",\"format\":\"date-time\"}") },
        { SCHEMA_GEMINI_PROTO,
            P("{\"type\":\"object\",\"additionalProperties\":{\"type\":"
              "\"string\"}}"),
            P("{\"type\":\"object\",\"description\":\"(values of any name match "
              "{\\\"type\\\":\\\"string\\\"})\"}") },
        { SCHEMA_GEMINI_PROTO,
            P("{\"allOf\":[{\"type\":\"object\",\"properties\":{\"x\":{}},"
              "\"required\":[\"x\"]},{\"properties\":{\"y\":{}},\"required\":["
              "\"y\"]}]}"),
            P("{\"type\":\"object\",\"properties\":{\"x\":{},\"y\":{}},"
              "\"required\":[\"x\",\"y\"]}") },
    };

    check(lines, RX_COUNT(lines));
    CHECK_TEXT(P("{\"type\":\"string\",\"description\":\"(a JSON object, "
                 "written as text)\"}"),
        clean_as(SCHEMA_GEMINI_PROTO, true, P("{\"type\":\"object\"}")));
}

static void
strict_profiles_close_every_object(void)
{
    static const struct line lines[] = {
        { SCHEMA_ANTHROPIC_STRICT,
            P("{\"type\":\"object\",\"properties\":{\"b\":{\"type\":"
              "\"string\",\"minLength\":1,\"format\":\"email\"}},"
              "\"additionalProperties\":true}"),
            "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"object\","
            "\"properties\":{\"b\":{\"type\":\"string\",\"format\":\"email\","
            "\"description\":\"(at least 1 characters)\"}},"
            "\"additionalProperties\":false}},\"additionalProperties\":false}" },
        { SCHEMA_ANTHROPIC_STRICT,
            P("{\"type\":\"array\",\"minItems\":1,\"maxItems\":5,"
              "\"uniqueItems\":true}"),
            "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"array\","
            "\"minItems\":1,\"items\":{},\"description\":\"(at most 5 items) "
            "(items are unique)\"}},\"additionalProperties\":false}" },
        { SCHEMA_OPENAI_STRICT,
            P("{\"oneOf\":[{\"type\":\"string\"}],"
              "\"default\":1}"),
            P("{\"anyOf\":[{\"type\":\"string\"}]}") },
    };

    check(lines, RX_COUNT(lines));
    CHECK(!strict_fits);
    clean(SCHEMA_OPENAI_STRICT,
        "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"}},"
        "\"required\":[\"a\"],\"additionalProperties\":false}");
    CHECK(strict_fits);
    clean(SCHEMA_OPENAI_STRICT,
        "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"}},"
        "\"required\":[],\"additionalProperties\":false}");
    CHECK(!strict_fits);
    clean(SCHEMA_OPENAI_STRICT,
        "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"object\"}},"
        "\"required\":[\"a\"],\"additionalProperties\":false}");
    CHECK(!strict_fits);
}

static void
kimi_wants_types_in_the_branches(void)
{
    static const struct line lines[] = {
        { SCHEMA_MOONSHOT,
            P("{\"type\":\"string\",\"anyOf\":[{\"minLength\":1},{\"pattern\":"
              "\"a\"}]}"),
            P("{\"anyOf\":[{\"minLength\":1,\"type\":\"string\"},{\"pattern\":"
              "\"a\",\"type\":\"string\"}]}") },
        { SCHEMA_MOONSHOT, "{\"$schema\":\"x\",\"description\":\"d\"}",
            "{\"type\":\"object\",\"description\":\"d\"}" },
    };

    check(lines, RX_COUNT(lines));
}

static void
a_root_of_alternatives_is_taken_apart(void)
{
    static const char either[] =
        "{\"anyOf\":[{\"type\":\"object\",\"properties\":{\"id\":{\"type\":"
        "\"string\"},\"x\":{}},\"required\":[\"id\",\"x\"]},{\"$ref\":\"#/$defs/"
        "b\"}],\"$defs\":{\"b\":{\"type\":\"object\",\"properties\":{\"id\":{},"
        "\"y\":{}},\"required\":[\"id\"]}}}";

    CHECK_TEXT("{\"type\":\"object\",\"properties\":{\"id\":{\"type\":"
               "\"string\"},\"x\":{},\"y\":{}},\"required\":[\"id\"],"
               "\"description\":\"(needs one of these sets of members: {id, x} "
               "{id})\"}",
        clean(SCHEMA_GEMINI_PROTO, either));
    CHECK_INT(1, (intmax_t)losses.count);
    CHECK_TEXT("{\"type\":\"object\",\"anyOf\":[{\"type\":\"object\","
               "\"properties\":{\"a\":{}}}]}",
        clean(SCHEMA_ANTHROPIC,
            "{\"type\":\"object\",\"anyOf\":[{\"type\":\"object\","
            "\"properties\":{\"a\":{}}}]}"));
}

/* --- limits --------------------------------------------------------------------------- */

static void
what_is_too_deep_too_large_or_broken_is_refused(void)
{
    static char deep[8192];
    static char wide[1 << 20];
    size_t n = 0;

    for (int i = 0; i < 70; i++)
        n += (size_t)snprintf(
            deep + n, sizeof(deep) - n, "{\"properties\":{\"a\":");
    n += (size_t)snprintf(deep + n, sizeof(deep) - n, "{}");
    for (int i = 0; i < 70; i++)
        n += (size_t)snprintf(deep + n, sizeof(deep) - n, "}}");
    CHECK(clean(SCHEMA_OPENAI, deep)[0] == '!');
    CHECK(clean(SCHEMA_GEMINI_PROTO, "{\"type\":\"object\"")[0] == '!');
    CHECK(clean(SCHEMA_GEMINI_PROTO, "{\"type\" \"object\"}")[0] == '!');
    n = (size_t)snprintf(wide, sizeof(wide), "{\"properties\":{\"a\":{}");
    for (int i = 0; i < 21000; i++)
        n += (size_t)snprintf(wide + n, sizeof(wide) - n, ",\"p%d\":{}", i);
    snprintf(wide + n, sizeof(wide) - n, "}}");
    CHECK(clean(SCHEMA_OPENAI, wide)[0] == '!');
}

static void
references_that_multiply_are_cut_short(void)
{
    static char bomb[16384];
    size_t n = (size_t)snprintf(
        bomb, sizeof(bomb), "{\"$ref\":\"#/$defs/d0\",\"$defs\":{");

    for (int i = 0; i < 40; i++)
        n += (size_t)snprintf(bomb + n, sizeof(bomb) - n,
            "\"d%d\":{\"properties\":{\"a\":{\"$ref\":\"#/$defs/d%d\"},"
            "\"b\":{\"$ref\":\"#/$defs/d%d\"}}},",
            i, i + 1, i + 1);
    snprintf(bomb + n, sizeof(bomb) - n, "\"d40\":{}}}");
    CHECK(clean(SCHEMA_GEMINI_PROTO, bomb)[0] == '!');
    CHECK(clean(SCHEMA_GEMINI_JSON, bomb)[0] == '{');
    CHECK_TEXT("{\"type\":\"object\"}",
        clean(SCHEMA_GEMINI_PROTO, "{\"$ref\":\"#\"}"));
}

/* Whatever is cleaned once is clean. */
static void
cleaning_twice_changes_nothing(void)
{
    static const char schema[] =
        "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":[\"integer\","
        "\"null\"],\"exclusiveMinimum\":3,\"multipleOf\":2},\"b\":{\"anyOf\":[{"
        "\"const\":\"k\"},{\"type\":\"null\"}]},\"c\":{\"$ref\":\"#/$defs/c\"},"
        "\"d\":{\"type\":\"array\",\"items\":[{\"type\":\"string\"}]}},\"$defs\":"
        "{\"c\":{\"enum\":[\"x\",2]}},\"required\":[\"a\"]}";
    static char once[8192];

    for (int p = SCHEMA_NONE; p < SCHEMA_PROFILE_COUNT; p++) {
        snprintf(
            once, sizeof(once), "%s", clean((enum schema_profile)p, schema));
        CHECK_TEXT(once, clean((enum schema_profile)p, once));
    }
}

int
main(void)
{
    CHECK_RUN(a_root_is_always_an_object);
    CHECK_RUN(required_lists_what_there_is);
    CHECK_RUN(types_are_spelt_as_they_should_be);
    CHECK_RUN(keywords_count_only_where_a_schema_stands);
    CHECK_RUN(plain_profiles_keep_what_they_are_given);
    CHECK_RUN(gemini_json_says_the_same_in_other_words);
    CHECK_RUN(gemini_proto_knows_little);
    CHECK_RUN(strict_profiles_close_every_object);
    CHECK_RUN(kimi_wants_types_in_the_branches);
    CHECK_RUN(a_root_of_alternatives_is_taken_apart);
    CHECK_RUN(what_is_too_deep_too_large_or_broken_is_refused);
    CHECK_RUN(references_that_multiply_are_cut_short);
    CHECK_RUN(cleaning_twice_changes_nothing);
    return CHECK_EXIT();
}
