/* What dialerctl says of itself: the help of each command and the manual page, both from the table.
 */
#include "adapters/ctl/command.h"
#include "tests/daemon/spawn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *program(void)
{
    const char *path = getenv("DIALERCTL");
    assert_non_null(path);
    return path;
}

static struct ran help_of(const struct ctl_command *c)
{
    char words[128], *rest = NULL;
    char *argv[6] = {(char *)(uintptr_t)program()};
    int n = 1;
    snprintf(words, sizeof words, "%s --help", c->name);
    for (char *w = strtok_r(words, " ", &rest); w; w = strtok_r(NULL, " ", &rest))
        argv[n++] = w;
    return ran("", argv);
}

/* Without a daemon the db commands need --config: whoever asks them must read of it. */
static void each_command_says_what_it_takes_and_ends_with(void **state)
{
    (void)state;
    for (size_t i = 0; i < ctl_n_commands; i++) {
        const struct ctl_command *c = &ctl_commands[i];
        struct ran r = help_of(c);
        assert_int_equal(r.status, 0);
        assert_true((strstr(r.out, "--config FILE") != NULL) == c->local);
        assert_true((strstr(r.out, "3 not found") != NULL) == (strchr(c->exits, '3') != NULL));
        assert_true((strstr(r.out, "4 conflict") != NULL) == (strchr(c->exits, '4') != NULL));
        for (const struct ctl_arg *a = c->args; a->name; a++)
            assert_non_null(strstr(r.out, a->sentence));
        ran_free(&r);
    }
}

static void the_manual_page_is_the_tables(void **state)
{
    (void)state;
    char text[65536];
    char *argv[] = {(char *)(uintptr_t)program(), (char *)(uintptr_t) "--print-manual", NULL};
    struct ran r = ran("", argv);
    FILE *in = fopen("adapters/daemon/dist/dialerctl.1", "re");
    assert_non_null(in);
    size_t n = fread(text, 1, sizeof text - 1, in);
    text[n] = '\0';
    fclose(in);
    if (strcmp(text, r.out) != 0)
        fail_msg("dist/dialerctl.1 is not what dialerctl --print-manual writes");
    ran_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_command_says_what_it_takes_and_ends_with),
        cmocka_unit_test(the_manual_page_is_the_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
