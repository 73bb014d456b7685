/* daemon.h - the running daemon: start, signals, drain, end. */
#ifndef ADAPTERS_DAEMON_DAEMON_H
#define ADAPTERS_DAEMON_DAEMON_H

#include "adapters/daemon/config.h"

/* Runs until SIGTERM or SIGINT; `config` came from `path`, which SIGHUP reads again. Returns the
 * exit status. */
int daemon_run(const char *path, const struct config *config);
/* db status, db migrate. Returns the exit status. */
int daemon_db(const struct config *config, bool migrate, bool json);

#endif
