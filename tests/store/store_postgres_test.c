/* The store's suite on a private PostgreSQL. */
#include <stdio.h>
#include <string.h>

#include "tests/store/conformance.h"
#include "tests/support/services.h"

static struct support_postgres server;
static char where[200];

static int again(struct store_options *o)
{
    o->where = where;
    return 0;
}

static int fresh(struct store_options *o)
{
    return support_postgres_database(&server, where, sizeof where) == 0 ? again(o) : -1;
}

static void drop(void)
{
}

int main(void)
{
    static const struct fixture fixture = {&store_postgres, fresh, again, drop, true};
    char why[200] = "";
    int rc = support_postgres_start(&server, why, sizeof why);

    if (rc == 0)
        rc = conformance_run("postgres", &fixture);
    else
        fprintf(stderr, "%s\n", why);
    support_postgres_stop(&server);
    return rc;
}
