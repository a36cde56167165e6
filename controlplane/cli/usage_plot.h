/*
 * usage_plot.h - sums of usage as pictures of a terminal: of money where any
 * was spent, else of requests.
 */
#ifndef CLI_USAGE_PLOT_H
#define CLI_USAGE_PLOT_H

#include "shared/buf.h"
#include "shared/json.h"

/* A bar for each row's share of all rows; rows have "name". */
void usage_bars(struct rx_buf *out, rx_json rows);
/* A sign for each row, as high as it is. */
void usage_sparkline(struct rx_buf *out, rx_json rows);

#endif
