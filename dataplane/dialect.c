#include "dataplane/dialect.h"

static const rx_str dialects[] = {
#define DIALECT_ROW(id, name) RX_STR_INIT(name),
    DIALECTS(DIALECT_ROW)
#undef DIALECT_ROW
};

static const char *const operations[] = {
#define OPERATION_ROW(id, name) name,
    OPERATIONS(OPERATION_ROW)
#undef OPERATION_ROW
};

const char *
dialect_name(enum dialect d)
{
    return dialects[d].ptr;
}

bool
dialect_find(rx_str name, enum dialect *out)
{
    for (unsigned i = 0; i < DIALECT_COUNT; i++) {
        if (rx_str_eq(name, dialects[i])) {
            *out = (enum dialect)i;
            return true;
        }
    }
    return false;
}

const char *
operation_name(enum operation op)
{
    return operations[op];
}
