#include <string.h>

#include "controlplane/assets_accept.h"
#include "shared/attr.h"
#include "tests/unit/check.h"

static rx_str
view(const char *s)
{
    return (rx_str){ s, strlen(s) };
}

static void
the_best_allowed_packing_is_chosen(void)
{
    static const bool all[ASSETS_PACKINGS] = { true, true, true };
    static const struct {
        const char *header;
        enum assets_packing packing;
    } rows[] = {
        { "", ASSETS_PLAIN },
        { "gzip", ASSETS_GZIP },
        { "gzip, br", ASSETS_BROTLI },
        { "BR", ASSETS_BROTLI },
        { "br;q=0", ASSETS_PLAIN },
        { "br;q=0, *", ASSETS_GZIP },
        { "*;q=0", ASSETS_PLAIN },
        { "*;q=0, gzip", ASSETS_GZIP },
        { "br ; q=0.001", ASSETS_BROTLI },
        { "br;level=3;Q=0.0", ASSETS_PLAIN },
        { "br;q=", ASSETS_BROTLI },
        { ", ,;,", ASSETS_PLAIN },
        { "brotli", ASSETS_PLAIN },
    };

    for (size_t i = 0; i < RX_COUNT(rows); i++)
        CHECK_INT(rows[i].packing, assets_choose(view(rows[i].header), all));
}

static void
what_is_not_there_is_not_chosen(void)
{
    static const bool plain[ASSETS_PACKINGS] = { [ASSETS_PLAIN] = true };
    static const bool gzip[ASSETS_PACKINGS] = { true, true, false };

    CHECK_INT(ASSETS_PLAIN, assets_choose(RX_S("br, gzip"), plain));
    CHECK_INT(ASSETS_GZIP, assets_choose(RX_S("br, gzip"), gzip));
}

static void
a_tag_fits_whole_or_not_at_all(void)
{
    CHECK(assets_tag_fits(RX_S("\"ab\""), "ab"));
    CHECK(assets_tag_fits(RX_S("\"x\" , W/\"ab\""), "ab"));
    CHECK(assets_tag_fits(RX_S("*"), "ab"));
    CHECK(!assets_tag_fits(RX_S(""), "ab"));
    CHECK(!assets_tag_fits(RX_S("ab"), "ab"));
    CHECK(!assets_tag_fits(RX_S("\"abc\""), "ab"));
    CHECK(!assets_tag_fits(RX_S("\"ab"), "ab"));
    CHECK(!assets_tag_fits(RX_S("W/"), "ab"));
}

int
main(void)
{
    CHECK_RUN(the_best_allowed_packing_is_chosen);
    CHECK_RUN(what_is_not_there_is_not_chosen);
    CHECK_RUN(a_tag_fits_whole_or_not_at_all);
    return CHECK_EXIT();
}
