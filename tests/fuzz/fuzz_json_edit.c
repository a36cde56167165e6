/*
 * A text that nothing was changed in is printed as it came, however much of it
 * was looked at; and whatever is changed in JSON gives JSON.
 */
#include <stdint.h>
#include <stdlib.h>

#include "shared/json.h"
#include "shared/json_edit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
look(struct rx_edit *node, int depth)
{
    for (struct rx_edit *e = depth < 20 ? rx_edit_first(node) : NULL; e != NULL;
         e = rx_edit_next(e)) {
        rx_edit_key_is(e, "a");
        rx_edit_is(e, "b");
        look(e, depth + 1);
    }
}

/* Every third node is put anew, dropped, or renamed. */
static void
change(struct rx_edit *node, unsigned *n, int depth)
{
    struct rx_edit *next;

    for (struct rx_edit *e = depth < 20 ? rx_edit_first(node) : NULL; e != NULL;
         e = next) {
        next = rx_edit_next(e);
        switch (++*n % 7) {
        case 0: rx_edit_put(e, RX_S("{\"x\":[1]}")); break;
        case 1: rx_edit_remove(e); continue;
        case 2: rx_edit_insert(e, RX_S("null")); break;
        case 3: rx_edit_set(e, "new\n", RX_S("\"\"")); break;
        case 4: rx_edit_rename(e, "a", "b"); break;
        case 5: rx_edit_append(e, RX_S("[]")); break;
        default: break;
        }
        change(e, n, depth + 1);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    rx_str text = { (const char *)data, size };
    struct rx_arena *arena = rx_arena_new((size_t)64 << 20);
    struct rx_edit *root = rx_edit_open(arena, text);
    struct rx_buf out;
    unsigned n = 0;

    rx_buf_init(&out, (size_t)64 << 20);
    look(root, 0);
    rx_edit_print(root, &out);
    if (!rx_str_eq(rx_buf_str(&out), text) && size > 0)
        abort();
    if (rx_json_check(text, NULL, NULL) == RX_OK &&
        rx_edit_kind(root) == RX_SPAN_ARRAY) {
        rx_buf_clear(&out);
        change(root, &n, 0);
        rx_edit_print(root, &out);
        if (!rx_edit_bad(root) && !rx_span_whole(rx_buf_str(&out)))
            abort();
    }
    rx_buf_fini(&out);
    rx_arena_free(arena);
    return 0;
}
