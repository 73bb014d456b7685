/* mutant.c - see mutant.h. */
#include "core/mutant.h"

#ifdef DIALER_MUTANTS
#include <stdlib.h>
#include <string.h>

enum mutant mutant_now = MUTANT_NONE;

void mutant_from_environment(void)
{
    static const char *const names[] = {"",
#define MUTANT_NAME(name) #name,
                                        MUTANTS(MUTANT_NAME)
#undef MUTANT_NAME
    };
    const char *wish = getenv("DIALER_MUTANT");

    for (int i = 1; wish != NULL && i < MUTANT_COUNT; i++) {
        if (strcmp(names[i], wish) == 0) {
            mutant_now = (enum mutant)i;
        }
    }
}
#else
typedef int mutant_is_absent; /* C wants a declaration */
#endif
