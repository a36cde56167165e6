/*
 * Price files of others: whatever is in them, a price that is taken can be
 * written down in our own form, and reads as the same one then.
 */
#include <stdlib.h>
#include <string.h>

#include "controlplane/price_read.h"

static void
check_item(const struct price_item *item)
{
    struct rx_arena *arena = rx_arena_new((size_t)1 << 20);
    struct rx_price again = { 0 };
    struct rx_json_doc *doc;
    struct rx_buf text;

    rx_buf_init(&text, 64 << 10);
    struct rx_json_out w = rx_json_out(&text);
    rx_json_open_object(&w, NULL);
    price_put_rates(&w, &item->price);
    rx_json_close(&w);
    if (rx_json_parse(&doc, rx_buf_str(&text), NULL, NULL) != RX_OK)
        abort();
    price_read_one(
        rx_json_root(doc), item->name, item->provider, arena, &again);
    if (rx_json_fault_count(doc) > 0)
        abort();
    rx_buf_clear(&text);
    w = rx_json_out(&text);
    rx_json_open_object(&w, NULL);
    price_put_rates(&w, &again);
    rx_json_close(&w);
    struct rx_buf once;
    rx_buf_init(&once, 64 << 10);
    struct rx_json_out v = rx_json_out(&once);
    rx_json_open_object(&v, NULL);
    price_put_rates(&v, &item->price);
    rx_json_close(&v);
    if (!rx_str_eq(rx_buf_str(&once), rx_buf_str(&text)))
        abort();
    rx_buf_fini(&once);
    rx_buf_fini(&text);
    rx_json_free(doc);
    rx_arena_free(arena);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct rx_arena *arena = rx_arena_new((size_t)64 << 20);
    struct price_list list = { 0 };
    struct rx_json_doc *doc;
    rx_str text = { (const char *)data, size };

    if (rx_json_parse(&doc, text, NULL, NULL) == RX_OK) {
        enum rx_code code =
            price_read_file(&list, rx_json_root(doc), arena, NULL);
        for (size_t i = 0; code == RX_OK && i < list.count && i < 64; i++)
            check_item(&list.items[i]);
        rx_json_free(doc);
    }
    rx_arena_free(arena);
    return 0;
}
