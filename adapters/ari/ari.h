/*
 * ari.h - the telephony adapter: Asterisk servers over ARI.
 *
 * It carries out and reports, and decides nothing (actors/messages.def, section telephony, is its
 * contract; ADDR_ARI its address). One thread with one loop reads all servers: a socket that is not
 * read for 100 ms is cut by Asterisk, and with it every answer.
 *
 * What it keeps is what lives in Asterisk: which of our channels exist, so that each ends in
 * exactly one channel_ended although events come twice, early or not at all. After each connect
 * that is read anew. Owner of a channel: the campaign (att-) or agent (leg-) in its id.
 *
 * Nothing is originated without a permit for exactly this id and number (call) or endpoint (leg),
 * and nothing is originated twice.
 *
 * Life: ari_open before pool_start (makes the endpoint, connects nothing), ari_start (the thread
 * runs), ari_close (tells the thread to go; never blocks, any thread), ari_stop (waits until it
 * has; channels stay as they are), ari_fini after pool_stop (frees).
 */
#ifndef ADAPTERS_ARI_ARI_H
#define ADAPTERS_ARI_ARI_H

#include "actors/types.h"

struct pool;
struct metrics;
struct secret_key;
struct ari;

struct ari_server {
    uint32_t pbx;       /* the number messages name it by */
    const char *name;   /* for people */
    const char *url;    /* http://HOST:PORT, with or without /ari behind; https: websockets in
                           TLS, and no plain HTTP beside them */
    const char *tls_ca; /* PEM file; NULL: the system's roots */
    const char *user;   /* of ari.conf */
    const char *password;
    const char *application; /* the Stasis application customers' context and legs enter */
    double calls_per_s;      /* originates; 0: no limit */
    unsigned lines;          /* channels of ours at once; 0: no limit */
};

struct ari_options {
    struct pool *pool;
    struct metrics *metrics; /* NULL: nothing is counted */
    /* The store's adapter makes permits with the same key. Copied. */
    const struct secret_key *permits;
    const struct ari_server *servers;
    size_t n_servers;
    /* Channels of other nodes are foreign; 0: those of every node are ours, until list_again names
     * the node. */
    uint16_t node;
    /* Told by the adapter's thread before the request for a customer's call is given to the
     * network, every time it is: after a crash, an attempt that was not told here was never sent.
     * NULL: nobody wants to know. */
    void (*leaving)(void *ctx, struct text attempt);
    void *leaving_ctx;
    /* A line for the log, by the adapter's thread: level 0 debug .. 3 error, a stable code. */
    void (*log)(void *ctx, int level, const char *code, const char *line);
    void *log_ctx;
};

/* Everything is copied. NULL with a sentence in err. */
struct ari *ari_open(const struct ari_options *options, char *err, size_t errlen);
int ari_start(struct ari *ari); /* 0, or -1: no thread to be had */
/* Other limits for the server of this number, from now on; of no other server is anything changed.
 * Any thread, between ari_open and ari_fini. */
void ari_limits(struct ari *ari, uint32_t pbx, double calls_per_s, unsigned lines);
void ari_close(struct ari *ari);
void ari_stop(struct ari *ari);
void ari_fini(struct ari *ari); /* NULL is allowed */

#endif
