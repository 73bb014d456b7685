/* The table of all SQL texts: statements.def, expanded. */
#include "adapters/store/sql.h"

const struct sql_statement sql_catalogue[SQL_COUNT] = {
#define STATEMENT(name, params, columns, text) {#name, params, columns, text, text, false},
#define EACH(name, params, columns, sqlite, postgres)                                              \
    {#name, params, columns, sqlite, postgres, true},
#include "adapters/store/statements.def"
#undef STATEMENT
#undef EACH
};
