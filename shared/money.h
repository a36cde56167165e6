/*
 * money.h - US dollars as whole numbers of pico-dollars (1e-12), and decimal
 * text without a detour by binary fractions.
 */
#ifndef SHARED_MONEY_H
#define SHARED_MONEY_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/buf.h"
#include "shared/json.h"
#include "shared/str.h"

#define RX_USD_PICO ((int64_t)1000000000000) /* a dollar */

/*
 * Read `s`, as in "12", "0.25" or "2.5e-06", times 10^scale, rounded half up.
 * False when it is no decimal number, negative, or beyond an int64_t.
 */
bool rx_decimal_parse(rx_str s, unsigned scale, uint64_t *out);
/* The same of a JSON number or string. */
bool rx_decimal_read(rx_json v, unsigned scale, uint64_t *out);

/* n / 10^scale without needless zeros: "0.25".  scale <= 18. */
#define RX_DECIMAL_SIZE 32
void rx_decimal_format(int64_t n, unsigned scale, char out[RX_DECIMAL_SIZE]);
void rx_decimal_put(
    struct rx_json_out *w, const char *key, int64_t n, unsigned scale);

/* Pico-dollars as a decimal string of dollars. */
void rx_usd_put(struct rx_json_out *w, const char *key, int64_t pico);

#endif
