/* mutant.c - see mutant.h. */
#include "core/mutant.h"

#ifdef DIALER_MUTANTS
enum mutant mutant_now = MUTANT_NONE;
#else
typedef int mutant_is_absent; /* C wants a declaration */
#endif
