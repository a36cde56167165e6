/* A line of CSV is read back as what was written, and runs nothing. */
#include "check.h"
#include "controlplane/csv.h"

static const char *
line_of(rx_str one, rx_str two, struct rx_buf *out)
{
    struct csv c = { .out = out };

    rx_buf_clear(out);
    csv_text(&c, one);
    csv_text(&c, two);
    csv_end_row(&c);
    return out->ptr;
}

static void
only_what_needs_quotes_has_them(void)
{
    struct rx_buf out;

    rx_buf_init(&out, 4096);
    CHECK_TEXT("gpt-5,a b\r\n", line_of(RX_S("gpt-5"), RX_S("a b"), &out));
    CHECK_TEXT(
        "\"a,b\",\"c\"\"d\"\r\n", line_of(RX_S("a,b"), RX_S("c\"d"), &out));
    CHECK_TEXT("\"a\r\nb\",\r\n", line_of(RX_S("a\r\nb"), RX_S(""), &out));
    CHECK_TEXT("\" a\",\"b \"\r\n", line_of(RX_S(" a"), RX_S("b "), &out));
    CHECK_TEXT("\xe6\xa8\xa1\xe5\x9e\x8b,\xff\r\n",
        line_of(RX_S("\xe6\xa8\xa1\xe5\x9e\x8b"), RX_S("\xff"), &out));
    rx_buf_fini(&out);
}

static void
what_a_spreadsheet_would_run_is_defused(void)
{
    struct rx_buf out;

    rx_buf_init(&out, 4096);
    CHECK_TEXT(
        "'=1+1,'@SUM(A1)\r\n", line_of(RX_S("=1+1"), RX_S("@SUM(A1)"), &out));
    CHECK_TEXT("'+1,'-1\r\n", line_of(RX_S("+1"), RX_S("-1"), &out));
    CHECK_TEXT(
        "'\t=1,\"'\r=1\"\r\n", line_of(RX_S("\t=1"), RX_S("\r=1"), &out));
    CHECK_TEXT("\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\",a=1\r\n",
        line_of(RX_S("=HYPERLINK(\"http://x\",\"y\")"), RX_S("a=1"), &out));
    rx_buf_fini(&out);
}

static void
numbers_stay_numbers_and_the_unknown_is_empty(void)
{
    struct rx_buf out;
    struct csv c = { .out = &out };

    rx_buf_init(&out, 4096);
    csv_u64(&c, 18446744073709551615U);
    csv_number(&c, 0.0625);
    csv_plain(&c, "-0.5");
    csv_nothing(&c);
    csv_time(&c, 1795318248756);
    csv_time(&c, 0);
    csv_end_row(&c);
    csv_u64(&c, 1);
    csv_end_row(&c);
    CHECK_TEXT("18446744073709551615,0.0625,-0.5,,2026-11-22T03:30:48.756Z,"
               "\r\n1\r\n",
        out.ptr);
    rx_buf_fini(&out);
}

int
main(void)
{
    CHECK_RUN(only_what_needs_quotes_has_them);
    CHECK_RUN(what_a_spreadsheet_would_run_is_defused);
    CHECK_RUN(numbers_stay_numbers_and_the_unknown_is_empty);
    return CHECK_EXIT();
}
