/* main.c - dialerd's command line. What runs is in daemon.c, what it is made of in wire.c. */
#include "adapters/daemon/config.h"
#include "adapters/daemon/ctl.h"
#include "adapters/daemon/daemon.h"
#include "adapters/daemon/demo.h"
#include "core/mutant.h"

#include <stdlib.h>
#include <string.h>

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

static void usage(FILE *out)
{
    fputs(
        "usage: dialerd --config FILE            run\n"
        "       dialerd --config FILE --check    read the file, say what is wrong\n"
        "       dialerd --config FILE --show     every setting in force, and where it comes from\n"
        "       dialerd db-status --config FILE [--json]\n"
        "       dialerd db-migrate --config FILE [--json]\n"
        "       dialerd check-witness FILE --config FILE\n"
        "                                        compare ari-sim's record with the store\n"
        "       dialerd demo [--help]            a campaign dials on this machine\n"
        "       dialerd --print-example          an example of the config file\n"
        "       dialerd --print-manual           the manual page of the config file\n"
        "       dialerd --version\n"
        "\nSIGHUP: the file is read again; with an error in it the old one stays in force. Keys "
        "that\n"
        "are changed by a restart only wait for it, and the log names them. SIGTERM: drain, and "
        "end.\n"
        "\nexit status: 0 done, 1 failed, 2 usage or config file, 4 the store is held, "
        "5 unavailable\n",
        out);
}

struct options {
    const char *config;
    const char *verb;
    const char *witness;
    bool check, show, json;
};

static int parse(struct options *o, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--config") == 0 && i + 1 < argc)
            o->config = argv[++i];
        else if (strcmp(argv[i], "--check") == 0)
            o->check = true;
        else if (strcmp(argv[i], "--show") == 0)
            o->show = true;
        else if (strcmp(argv[i], "--json") == 0)
            o->json = true;
        else if (i == 1 &&
                 (strcmp(argv[i], "db-status") == 0 || strcmp(argv[i], "db-migrate") == 0))
            o->verb = argv[i];
        else if (i == 1 && strcmp(argv[i], "check-witness") == 0 && argc > 2)
            o->witness = argv[++i];
        else {
            fprintf(stderr, "dialerd: %s: not understood\n", argv[i]);
            usage(stderr);
            return -1;
        }
    }
    if (!o->config) {
        fputs("dialerd: --config FILE is missing\n", stderr);
        usage(stderr);
        return -1;
    }
    return 0;
}

/* What can be wrong besides the file itself: the secrets it names. */
static int check_secrets(const struct config *c)
{
    char secret[CONFIG_SECRET_SIZE];
    char why[512];
    const char *paths[CONFIG_PBX_MAX + 2] = {c->store.password_file, c->hopper.password_file};
    size_t n = 2;
    int wrong = 0;
    for (size_t i = 0; i < c->n_pbx; i++)
        paths[n++] = c->pbx[i].password_file;
    for (size_t i = 0; i < n; i++)
        if (config_secret(paths[i], secret, why, sizeof why) != 0) {
            fprintf(stderr, "%s\n", why);
            wrong = -1;
        }
    config_wipe(secret, sizeof secret);
    return wrong;
}

static int with_config(const struct options *o, const struct config *c)
{
    if (o->show) {
        config_print_effective(c, stdout);
        return EXIT_DONE;
    }
    if (check_secrets(c) != 0)
        return EXIT_USAGE;
    if (o->check) {
        printf("%s: good\n", o->config);
        return EXIT_DONE;
    }
    if (o->verb)
        return daemon_db(c, strcmp(o->verb, "db-migrate") == 0, o->json);
    return daemon_run(o->config, c);
}

int main(int argc, char **argv)
{
    struct options o = {.config = NULL};
    static struct config config;
    static struct config_errors errors;
    mutant_from_environment();
    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        usage(stdout);
        return EXIT_DONE;
    }
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        puts("dialerd " DIALERD_VERSION);
        return EXIT_DONE;
    }
    if (argc == 2 && strcmp(argv[1], "--print-example") == 0) {
        config_print_example(stdout);
        return EXIT_DONE;
    }
    if (argc == 2 && strcmp(argv[1], "--print-manual") == 0) {
        config_print_manual(stdout);
        return EXIT_DONE;
    }
    if (argc >= 2 && strcmp(argv[1], "demo") == 0)
        return demo_main(argc - 1, argv + 1);
    if (parse(&o, argc, argv) != 0)
        return EXIT_USAGE;
    if (o.witness)
        return demo_check_main(o.config, o.witness);
    if (config_read(o.config, &config, &errors) != 0) {
        fputs(errors.text, stderr);
        return EXIT_USAGE;
    }
    int status = with_config(&o, &config);
    config_free(&config);
    return status;
}
