/*
 * Any bytes in any dialect: the demo's answer is JSON when it is whole, and a
 * recipe is either taken or refused with words.
 */
#include <stdlib.h>

#include "shared/json.h"
#include "tests/demo/fault.h"
#include "tests/demo/recipe.h"
#include "tests/demo/script.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
read_recipe(rx_str text, struct recipe *r)
{
    struct rx_err err = { 0 };

    recipe_init(r);
    if (recipe_parse(r, text, ' ', &err) != RX_OK && err.text[0] == '\0')
        abort();
    recipe_init(r);
    (void)recipe_from_text(r, text, NULL);
    (void)recipe_from_model(r, text);
}

/* A body that is JSON is answered with JSON. */
static void
answer(enum demo_dialect dialect, rx_str body)
{
    static void (*const writers[])(struct script * s, const struct question *q,
        const struct answer *a) = { script_anthropic, script_chat,
        script_responses, script_gemini };
    struct rx_arena *arena = rx_arena_new((size_t)16 << 20);
    struct recipe recipe;
    struct question q;
    struct answer a;
    struct script s;
    bool json = rx_json_check(body, NULL, NULL) == RX_OK;
    bool object = question_read(&q, dialect, (rx_str){ NULL, 0 }, body);

    if (object) {
        recipe_init(&recipe);
        q.stream = false;
        q.tooltest = true;
        answer_make(&a, &q, &recipe, arena);
        script_init(&s);
        writers[dialect](&s, &q, &a);
        if (json && rx_json_check(rx_buf_str(&s.body), NULL, NULL) != RX_OK)
            abort();
        script_fini(&s);
    }
    rx_arena_free(arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    rx_str text = { (const char *)data, size };
    struct recipe recipe;

    read_recipe(text, &recipe);
    for (unsigned i = 0; i < 4; i++)
        answer((enum demo_dialect)i, text);
    return 0;
}
