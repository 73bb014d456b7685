/* tls_front.h - TLS in front of a plain server of a test: what comes in over TLS goes on as it is.
 * With a certificate of its own making. */
#ifndef TESTS_SUPPORT_TLS_FRONT_H
#define TESTS_SUPPORT_TLS_FRONT_H

#include <stdint.h>

struct tls_front;

/* Listens on a free port of 127.0.0.1 and passes everything to 127.0.0.1:`to`. Its certificate, for
 * the name `host`, is signed by itself; written as PEM to `ca` it is what a client must trust.
 * Threads of its own. NULL: no port, no thread, or OpenSSL refuses. */
struct tls_front *tls_front_start(uint16_t to, const char *host, const char *ca);
uint16_t tls_front_port(const struct tls_front *f);
/* Connections that have finished their handshake, and those that broke it off, so far. */
unsigned tls_front_good(const struct tls_front *f);
unsigned tls_front_broken(const struct tls_front *f);
/* Cuts what is open and waits for the threads. */
void tls_front_stop(struct tls_front *f);

#endif
