/* demo.h - dialerd demo: the whole product on one machine, with simulated telephony and people. */
#ifndef ADAPTERS_DAEMON_DEMO_H
#define ADAPTERS_DAEMON_DEMO_H

/* argv[0] is "demo". Returns the exit status. */
int demo_main(int argc, char **argv);
/* dialerd check-witness: is what ari-sim's witness file says equal to the store's tables? */
int demo_check_main(const char *config, const char *witness);

#endif
