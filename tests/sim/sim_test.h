/* sim_test.h - what every test of this folder includes. */
#ifndef TESTS_SIM_SIM_TEST_H
#define TESTS_SIM_SIM_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/sim/world.h"

#define NEVER ((struct callee){FATE_NO_ANSWER, 0, 0, 0})
#define ANSWERS(ring, talk) ((struct callee){FATE_HUMAN, ring, talk, 0})
#define HEARS_BUSY ((struct callee){FATE_BUSY, 0.5, 0, 0})

#endif
