// ari-sim, the program: options, one loop, one simulated server, its witness file and its control
// channel.
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/sim/control.h"
#include "adapters/sim/options.h"

static struct net_loop *running;

static void on_signal(int signal)
{
    (void)signal;
    net_loop_stop(running);
}

static int run(const struct options *o, struct ledger *ledger)
{
    char err[300] = "";
    static const struct net_loop_config loop_config = {.on_log = NULL};
    struct net_loop *loop = net_loop_open(&loop_config, err, sizeof err);
    if (loop == NULL) {
        fprintf(stderr, "ari-sim: %s\n", err);
        return 1;
    }
    struct front *front = front_open(loop, &o->front, ledger, err, sizeof err);
    struct control *control = NULL;
    if (front != NULL && (o->control_port >= 0 || o->control_unix[0] != '\0'))
        control = control_open(loop, front, o->control_port > 0 ? (uint16_t)o->control_port : 0,
                               o->control_unix, err, sizeof err);
    int status = 1;
    if (err[0] != '\0') {
        fprintf(stderr, "ari-sim: %s\n", err);
    } else {
        running = loop;
        struct sigaction act = {.sa_handler = on_signal};
        sigaction(SIGTERM, &act, NULL);
        sigaction(SIGINT, &act, NULL);
        printf("listening 127.0.0.1:%u\n", front_port(front));
        if (control != NULL && o->control_unix[0] == '\0')
            printf("control 127.0.0.1:%u\n", control_port(control));
        else if (control != NULL)
            printf("control %s\n", o->control_unix);
        fflush(stdout);
        net_loop_run(loop);
        status = 0;
    }
    control_close(control);
    front_close(front);
    net_loop_close(loop);
    return status;
}

int main(int argc, char **argv)
{
    static struct options o;
    char err[400];
    if (options_read(&o, argc, argv, err, sizeof err) != 0) {
        fprintf(stderr, "ari-sim: %s\n", err);
        return 2;
    }
    if (o.help) {
        fputs(options_help, stdout);
        return 0;
    }
    struct ledger *ledger = ledger_open(o.witness[0] != '\0' ? o.witness : NULL);
    if (ledger == NULL) {
        fprintf(stderr, "ari-sim: %s: %s\n", o.witness, strerror(errno));
        return 1;
    }
    int status = run(&o, ledger);
    ledger_close(ledger);
    return status;
}
