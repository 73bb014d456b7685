/* The table of all SQL texts: statements.def, expanded. */
#include "adapters/store/choice.h"
#include "adapters/store/rules.h"
#include "adapters/store/sql.h"

const struct sql_statement sql_catalogue[SQL_COUNT] = {
#define STATEMENT(name, params, columns, text) {#name, params, columns, text, text, false},
#define EACH(name, params, columns, sqlite, postgres)                                              \
    {#name, params, columns, sqlite, postgres, true},
#include "adapters/store/statements.def"
#undef STATEMENT
#undef EACH
};

/* The numbers that stand in the texts. They are stored: who changes one breaks every database. */
_Static_assert(ATTEMPT_CLAIMED == 1 && ATTEMPT_ORIGINATING == 2 && ATTEMPT_RINGING == 3 &&
                   ATTEMPT_ANSWERED == 4 && ATTEMPT_BRIDGED == 6 && ATTEMPT_ENDED == 10 &&
                   ATTEMPT_DISPOSED == 11 && ATTEMPT_UNKNOWN == 12 && ATTEMPT_PREVIEW == 13,
               "states of attempts");
_Static_assert(ROW_PENDING == 0 && ROW_DIALING == 1 && ROW_ANSWERED == 2 && ROW_COMPLETED == 3 &&
                   ROW_FAILED == 4,
               "states of queue rows");
_Static_assert(OUTCOME_ABANDONED == 7 && OUTCOME_UNKNOWN == 10 && OUTCOME_NEVER_SENT == 11 &&
                   OUTCOME_MACHINE == 13,
               "outcomes");
_Static_assert(DUE_NEVER == INT64_C(4000000000000000), "a row that waits for other settings");
_Static_assert(CAUSE_AUTO == 1 && CAUSE_AGENT == 2, "causes");
_Static_assert(CHOICE_NONE == 0 && CHOICE_TAIL == 2, "choices");
