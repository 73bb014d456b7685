/*
 * attack.h - a daemon with everything around it, as an attacker meets it: over its sockets, from
 * any loopback address, with payloads that have broken others. A1 to A25 are those of
 * reliability.md.
 */
#ifndef TESTS_ATTACKS_ATTACK_H
#define TESTS_ATTACKS_ATTACK_H

#include "tests/daemon/place.h"
#include "tests/web/page_client.h"

extern struct place place;

/* Secrets of the daemon under attack. Nothing but their files may hold them. */
#define SECRET_OF_PBX "Kn0ck-kn0ck-secret" /* place_sim writes it */
#define SECRET_OF_STORE "St0re-secret-nobody-reads"
#define SECRET_OF_AGENT "4gent-secret-nobody-reads"

/* Daemon and simulated Asterisk in a folder of their own; `store` as place_config has it (NULL:
 * SQLite), `web` more lines of [web]. A trunk, a campaign (1) and a list (1) are there, and
 * `agents` agents with phones, logins agent1 and on. */
void attack_begin(const char *store, const char *web, unsigned agents);
void attack_end(void);
/* The same as a group's setup and teardown: SQLite, room for 1000 pages, four agents. */
int doors_open(void **state);
int doors_close(void **state);

/* --- payloads --------------------------------------------------------------------------------- */

/* The n-th payload: SQL, shell, dial strings, markup, formulas, paths, JSON, formats, control
 * characters, alone and combined. Valid UTF-8 without NUL. Returns its length. */
size_t payload(uint64_t n, char *out, size_t size);
/* The same inside a JSON string, without the quotes. */
size_t payload_json(uint64_t n, char *out, size_t size);

/* --- raw conversation ---------------------------------------------------------------------------
 */

/* A TCP connection to the page's port from that loopback address (127.x.y.z; NULL: any); -1:
 * refused. Reads and writes wait at most twenty seconds. */
int wire_open(const char *from);
/* Sends all; false if the peer would not have it. */
bool wire_send(int fd, const void *bytes, size_t len);
/* Reads until the peer closes, or until the text is in it (NULL: to the end); NUL-terminated. Bytes
 * read. */
size_t wire_read(int fd, char *out, size_t size, const char *until);
/* One request on a connection of its own; the answer, head and body, valid until the next. "" if
 * there was none. */
const char *http_ask(const char *from, const char *method, const char *path, const char *headers,
                     const char *body);
int status_of(const char *answer);
/* A whole login: its status. */
int log_in(const char *from, const char *user, const char *password);

/* A line to the operator's socket: {"id":1,"command":...,"args":{...}}; the last line of the answer
 * has the result. */
int ctl_say(const char *command, const char *args);
/* A counter or gauge of /metrics; -1: there is none of that name. */
long long metric(const char *name);
/* A ticket for the n-th agent (from 1); valid until the next call. */
const char *ticket(unsigned agent);

/* --- how it is -----------------------------------------------------------------------------------
 */

/* Resident memory of the daemon, KiB. */
long rss_kib(void);
bool alive(void);
/* Milliseconds that GET /livez took; 10000: no answer. */
double probe_ms(void);
int64_t now_ms(void);
/* Somebody who behaves well comes (as agent 4), asks something and is answered. */
void others_are_served(void);

#endif
