/* notify.h - a word to systemd (Type=notify), if it started us; else nothing happens. */
#ifndef ADAPTERS_DAEMON_NOTIFY_H
#define ADAPTERS_DAEMON_NOTIFY_H

/* READY is told when everything runs, the store perhaps still being waited for; this when it is
 * there. `systemctl status` shows it. */
#define NOTIFY_STORE "STATUS=the store is ours"

/* "READY=1", "STOPPING=1", "RELOADING=1", "STATUS=..."; several are separated by newlines. */
void notify(const char *state);
/* RELOADING with the monotonic time that systemd wants to see with it. */
void notify_reloading(void);

#endif
