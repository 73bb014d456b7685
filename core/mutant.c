/* mutant.c - see mutant.h. */
#include "core/mutant.h"

#ifdef DIALER_MUTANTS
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum mutant mutant_now = MUTANT_NONE;

const char *mutant_name(enum mutant mutant)
{
    static const char *const names[] = {"",
#define MUTANT_NAME(name) #name,
                                        MUTANTS(MUTANT_NAME)
#undef MUTANT_NAME
    };

    return mutant < MUTANT_COUNT ? names[mutant] : "";
}

void mutant_from_environment(void)
{
    const char *wish = getenv("DIALER_MUTANT");

    for (int i = 1; wish != NULL && i < MUTANT_COUNT; i++) {
        if (strcmp(mutant_name((enum mutant)i), wish) == 0) {
            mutant_now = (enum mutant)i;
        }
    }
}

void mutant_dawdle(void)
{
    const struct timespec while_others_act = {.tv_nsec = 200 * 1000 * 1000};

    (void)nanosleep(&while_others_act, NULL);
}
#else
typedef int mutant_is_absent; /* C wants a declaration */
#endif
