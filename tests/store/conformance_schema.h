/* conformance_schema.h - who may open which schema: for each store that is made of SQL. */
#ifndef TESTS_STORE_CONFORMANCE_SCHEMA_H
#define TESTS_STORE_CONFORMANCE_SCHEMA_H

#include "tests/store/conformance.h"

/* conformance_run calls it. */
void conformance_schema_fixture(const struct fixture *f);

int schema_setup(void **state);
int schema_teardown(void **state);
void newer_schema_that_allows_us(void **state);
void newer_schema_that_does_not(void **state);
void migration_with_another_text(void **state);
void schema_of_its_own_time(void **state);

#define SCHEMA_CASE(test)                                                                          \
    {                                                                                              \
#test, test, schema_setup, schema_teardown, NULL                                           \
    }
#define CONFORMANCE_SCHEMA                                                                         \
    SCHEMA_CASE(newer_schema_that_allows_us), SCHEMA_CASE(newer_schema_that_does_not),             \
        SCHEMA_CASE(migration_with_another_text), SCHEMA_CASE(schema_of_its_own_time)

#endif
