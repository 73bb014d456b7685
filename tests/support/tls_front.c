/* tls_front.c - see tls_front.h. */
#include "tests/support/tls_front.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#define LINES 32
#define DAY_S 86400

struct line {
    struct tls_front *front;
    pthread_t thread;
    int fd;
};

struct tls_front {
    SSL_CTX *tls;
    int listen_fd;
    uint16_t port, to;
    pthread_t thread;
    atomic_bool stop;
    atomic_uint good, broken;
    struct line lines[LINES];
    unsigned n_lines; /* of the accepting thread, until it has ended */
};

/* --- the certificate -------------------------------------------------------------------------- */

static X509 *make_certificate(EVP_PKEY *key, const char *host)
{
    X509 *x = X509_new();
    X509_NAME *name = X509_get_subject_name(x);
    char names[200];
    snprintf(names, sizeof names, "DNS:%s", host);
    X509_EXTENSION *alt = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_set_version(x, 2);
    X509_gmtime_adj(X509_getm_notBefore(x), -DAY_S);
    X509_gmtime_adj(X509_getm_notAfter(x), DAY_S);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)host, -1, -1, 0);
    bool good = X509_set_issuer_name(x, name) && X509_set_pubkey(x, key) && alt &&
                X509_add_ext(x, alt, -1) && X509_sign(x, key, EVP_sha256()) > 0;
    X509_EXTENSION_free(alt);
    if (good)
        return x;
    X509_free(x);
    return NULL;
}

static SSL_CTX *make_tls(const char *host, const char *ca)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = key ? make_certificate(key, host) : NULL;
    SSL_CTX *tls = x ? SSL_CTX_new(TLS_server_method()) : NULL;
    FILE *out = tls ? fopen(ca, "we") : NULL;
    bool good = out && PEM_write_X509(out, x) && SSL_CTX_use_certificate(tls, x) == 1 &&
                SSL_CTX_use_PrivateKey(tls, key) == 1;
    if (out && fclose(out) != 0)
        good = false;
    X509_free(x);
    EVP_PKEY_free(key);
    if (good)
        return tls;
    SSL_CTX_free(tls);
    return NULL;
}

/* --- one connection ----------------------------------------------------------------------------
 */

static int dial(uint16_t port)
{
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)(const void *)&to, sizeof to) != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static bool to_plain(SSL *ssl, int plain)
{
    char bytes[16384];
    int n = SSL_read(ssl, bytes, sizeof bytes);
    return n > 0 && send(plain, bytes, (size_t)n, MSG_NOSIGNAL) == n;
}

static bool to_tls(SSL *ssl, int plain)
{
    char bytes[16384];
    ssize_t n = recv(plain, bytes, sizeof bytes, 0);
    return n > 0 && SSL_write(ssl, bytes, (int)n) == n;
}

static void pump(struct line *l, SSL *ssl, int plain)
{
    bool open = true;
    while (open && !atomic_load(&l->front->stop)) {
        struct pollfd fds[2] = {{.fd = l->fd, .events = POLLIN}, {.fd = plain, .events = POLLIN}};
        if (SSL_pending(ssl) == 0 && poll(fds, 2, 100) < 0)
            break;
        if (SSL_pending(ssl) > 0 || fds[0].revents)
            open = to_plain(ssl, plain);
        if (open && fds[1].revents)
            open = to_tls(ssl, plain);
    }
}

static void *serve(void *arg)
{
    struct line *l = arg;
    struct tls_front *f = l->front;
    SSL *ssl = SSL_new(f->tls);
    int plain = -1;
    if (ssl && SSL_set_fd(ssl, l->fd) == 1 && SSL_accept(ssl) == 1) {
        plain = dial(f->to);
        atomic_fetch_add(&f->good, 1);
        if (plain >= 0)
            pump(l, ssl, plain);
    } else {
        atomic_fetch_add(&f->broken, 1);
    }
    if (plain >= 0)
        close(plain);
    SSL_free(ssl);
    shutdown(l->fd, SHUT_RDWR);
    return NULL;
}

/* --- life ---------------------------------------------------------------------------------------
 */

static void *take(void *arg)
{
    struct tls_front *f = arg;
    while (!atomic_load(&f->stop)) {
        struct pollfd ready = {.fd = f->listen_fd, .events = POLLIN};
        if (poll(&ready, 1, 100) <= 0)
            continue;
        int fd = accept4(f->listen_fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            continue;
        struct line *l = f->n_lines < LINES ? &f->lines[f->n_lines] : NULL;
        if (l)
            *l = (struct line){.front = f, .fd = fd};
        if (l && pthread_create(&l->thread, NULL, serve, l) == 0)
            f->n_lines++;
        else
            close(fd);
    }
    return NULL;
}

struct tls_front *tls_front_start(uint16_t to, const char *host, const char *ca)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    struct tls_front *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    signal(SIGPIPE, SIG_IGN); /* SSL_write to a client that has gone */
    f->to = to;
    f->tls = make_tls(host, ca);
    f->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr *name = (struct sockaddr *)(void *)&at;
    if (f->tls && f->listen_fd >= 0 && bind(f->listen_fd, name, len) == 0 &&
        listen(f->listen_fd, LINES) == 0 && getsockname(f->listen_fd, name, &len) == 0 &&
        pthread_create(&f->thread, NULL, take, f) == 0) {
        f->port = ntohs(at.sin_port);
        return f;
    }
    if (f->listen_fd >= 0)
        close(f->listen_fd);
    SSL_CTX_free(f->tls);
    free(f);
    return NULL;
}

uint16_t tls_front_port(const struct tls_front *f)
{
    return f->port;
}

unsigned tls_front_good(const struct tls_front *f)
{
    return atomic_load(&f->good);
}

unsigned tls_front_broken(const struct tls_front *f)
{
    return atomic_load(&f->broken);
}

void tls_front_stop(struct tls_front *f)
{
    atomic_store(&f->stop, true);
    pthread_join(f->thread, NULL);
    for (unsigned i = 0; i < f->n_lines; i++)
        shutdown(f->lines[i].fd, SHUT_RDWR);
    for (unsigned i = 0; i < f->n_lines; i++) {
        pthread_join(f->lines[i].thread, NULL);
        close(f->lines[i].fd);
    }
    close(f->listen_fd);
    SSL_CTX_free(f->tls);
    free(f);
}
