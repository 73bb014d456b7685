/*
 * harden.h - what a running daemon gives up at its start. From the main thread, before any other
 * thread: all of them inherit it.
 */
#ifndef ADAPTERS_DAEMON_HARDEN_H
#define ADAPTERS_DAEMON_HARDEN_H

#include <stdbool.h>

/* No core file and no ptrace by others of our user (passwords are in this memory); no new
 * privileges by set-user-id files; and no way to run a program: execve fails with EPERM, in this
 * process and in whatever it forks. False: the kernel cannot do the last (no seccomp), the rest
 * holds. */
bool harden(void);

#endif
