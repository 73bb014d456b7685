/* The hopper's suite on the twin in the process. */
#include "tests/hopper/conformance.h"

static void options(struct hopper_options *o)
{
    (void)o;
}

int main(void)
{
    static const struct hopper_fixture fixture = {&hopper_memory, options};

    return hopper_conformance_run("memory", &fixture, 0, 0);
}
