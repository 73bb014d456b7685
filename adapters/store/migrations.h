/* migrations.h - the texts of migrations/, compiled in (embed.cmake makes the table). */
#ifndef ADAPTERS_STORE_MIGRATIONS_H
#define ADAPTERS_STORE_MIGRATIONS_H

#include <stddef.h>

struct store_migration {
    int number;
    int oldest; /* the oldest program (by its last migration) that may run on the result */
    const char *text;
};

extern const struct store_migration store_migrations[];
extern const size_t store_migrations_count;

#endif
