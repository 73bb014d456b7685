/*
 * bus.c - owner of nng.
 *
 * Sockets: a PULL socket for each station, a PUSH socket for each link, inproc. A link hands nng at
 * most LINK_WINDOW bags that the station has not taken yet. That bound makes three things simple:
 * nng's send buffer never refuses, the station's ring never fills up, and memory in nng is limited.
 *
 * The wake-up argument. The sender stores (bag into ring; or arrived, taken into the link), issues
 * a full fence, then loads the flag (armed; or watched). The sleeper stores the flag, issues a full
 * fence, then loads what the sender stores. In the single order of the two fences one comes first:
 * either the sleeper's load sees the store, and it does not sleep, or the sender's load sees the
 * flag, and it wakes. Acquire and release would allow both to miss. The exchange back to 0 makes
 * sure that one of several senders wakes. ThreadSanitizer does not model fences, so the stores and
 * loads that meet are atomics themselves.
 */
#include "core/bus.h"

#include "core/codec.h"
#include "core/record.h"
#include "core/ring.h"

#include <nng/nng.h>
#include <nng/protocol/pipeline0/pull.h>
#include <nng/protocol/pipeline0/push.h>
#include <stdio.h>
#include <stdlib.h>

#define BAG_HEAD 12u /* the link's number at the station (uint16) and the bag's own (uint64) */
#define BAG_SMALL 1024u
#define SPARE_BAGS 32u
#define RING_SIZE 4096u
_Static_assert(RING_SIZE > STATION_LINKS * LINK_WINDOW, "a ring takes all bags under way");

struct station {
    struct bus *bus;
    struct station *next;
    unsigned number;
    void (*wake)(void *ctx);
    void (*serve)(void *ctx); /* NULL: wake */
    void *ctx;
    nng_socket socket;
    nng_aio *aio;
    struct ring *inbox;
    struct link *in[STATION_LINKS];
    unsigned n_in;
    _Alignas(64) _Atomic uint32_t armed;     /* pairs: station_arm, station_wake */
    _Alignas(64) nng_msg *spare[SPARE_BAGS]; /* taken bags, to be filled again; station's thread */
    unsigned n_spare;
};

/* A closed bag that nng has not been given yet. */
struct waiting {
    struct waiting *next;
    nng_msg *msg;
    uint64_t number;
    uint32_t live; /* records that are not void */
};

struct link {
    struct station *from, *to;
    struct link *next;
    unsigned number; /* index in to->in */
    nng_socket socket;
    nng_aio *aio;

    nng_msg *open; /* NULL: none */
    uint8_t *base, *at, *limit;
    unsigned records;
    uint32_t live;
    uint32_t last_offset;
    size_t last_size; /* of the bag before: how large to begin the next */
    uint64_t closed;  /* number of the newest closed bag; they count from 1 */
    uint64_t handed;  /* ... of the newest given to nng */
    struct waiting *head, *tail;
    size_t backlog;
    struct link_stats stats;

    _Alignas(64) _Atomic uint64_t arrived; /* number of the newest bag in the ring; nng's thread */
    _Atomic bool watched;                  /* the owner wants to hear of the next change */
    _Alignas(64) _Atomic uint64_t taken;   /* number of the newest released bag; receiver */
};

struct bus {
    unsigned id;
    unsigned n_stations;
    struct station *stations;
    struct link *links;
};

static _Noreturn void out_of_memory(void)
{
    (void)fprintf(stderr, "bus: out of memory\n");
    abort();
}

/* --- opening and closing --------------------------------------------------------------------- */

struct bus *bus_open(void)
{
    static _Atomic unsigned buses;
    struct bus *bus = calloc(1, sizeof *bus);

    if (bus != NULL) {
        bus->id = atomic_fetch_add(&buses, 1);
    }
    return bus;
}

static void url_of(const struct station *st, char *url, size_t size)
{
    (void)snprintf(url, size, "inproc://bus/%u/%u", st->bus->id, st->number);
}

static void on_bag(void *arg);

struct station *station_open(struct bus *bus, void (*wake)(void *ctx), void *ctx)
{
    struct station *st = aligned_alloc(64, sizeof *st);
    char url[64];

    if (st == NULL) {
        return NULL;
    }
    memset(st, 0, sizeof *st);
    st->bus = bus;
    st->number = bus->n_stations++;
    st->wake = wake;
    st->ctx = ctx;
    st->inbox = ring_open(RING_SIZE);
    url_of(st, url, sizeof url);
    if (st->inbox == NULL || nng_pull0_open(&st->socket) != 0) {
        goto failed;
    }
    if (nng_aio_alloc(&st->aio, on_bag, st) != 0) {
        (void)nng_close(st->socket);
        goto failed;
    }
    if (nng_listen(st->socket, url, NULL, 0) != 0) {
        nng_aio_free(st->aio);
        (void)nng_close(st->socket);
        goto failed;
    }
    st->next = bus->stations;
    bus->stations = st;
    nng_recv_aio(st->socket, st->aio);
    return st;
failed:
    ring_close(st->inbox);
    free(st);
    return NULL;
}

struct link *link_open(struct station *from, struct station *to)
{
    struct link *l;
    char url[64];

    if (to->n_in == STATION_LINKS) {
        return NULL;
    }
    l = aligned_alloc(64, sizeof *l);
    if (l == NULL) {
        return NULL;
    }
    memset(l, 0, sizeof *l);
    l->from = from;
    l->to = to;
    url_of(to, url, sizeof url);
    if (nng_push0_open(&l->socket) != 0) {
        free(l);
        return NULL;
    }
    if (nng_socket_set_int(l->socket, NNG_OPT_SENDBUF, 2 * LINK_WINDOW) != 0 ||
        nng_aio_alloc(&l->aio, NULL, NULL) != 0) {
        (void)nng_close(l->socket);
        free(l);
        return NULL;
    }
    l->number = to->n_in;
    to->in[to->n_in++] = l; /* before the dial: its bags name it */
    if (nng_dial(l->socket, url, NULL, 0) != 0) {
        to->n_in--;
        nng_aio_free(l->aio);
        (void)nng_close(l->socket);
        free(l);
        return NULL;
    }
    l->next = from->bus->links;
    from->bus->links = l;
    return l;
}

static void free_link(struct link *l)
{
    (void)nng_close(l->socket);
    nng_aio_free(l->aio);
    if (l->open != NULL) {
        nng_msg_free(l->open);
    }
    while (l->head != NULL) {
        struct waiting *w = l->head;
        l->head = w->next;
        nng_msg_free(w->msg);
        free(w);
    }
    free(l);
}

static void free_station(struct station *st)
{
    nng_msg *msg;

    nng_aio_stop(st->aio); /* no callback runs after this */
    (void)nng_close(st->socket);
    nng_aio_free(st->aio);
    while ((msg = ring_pop_sc(st->inbox)) != NULL) {
        nng_msg_free(msg);
    }
    while (st->n_spare != 0) {
        nng_msg_free(st->spare[--st->n_spare]);
    }
    ring_close(st->inbox);
    free(st);
}

void bus_close(struct bus *bus)
{
    if (bus == NULL) {
        return;
    }
    for (struct station *st = bus->stations; st != NULL; st = st->next) {
        nng_aio_stop(st->aio); /* callbacks touch links: they end first */
    }
    while (bus->links != NULL) {
        struct link *l = bus->links;
        bus->links = l->next;
        free_link(l);
    }
    while (bus->stations != NULL) {
        struct station *st = bus->stations;
        bus->stations = st->next;
        free_station(st);
    }
    free(bus);
}

/* --- waking ---------------------------------------------------------------------------------- */

void station_serve(struct station *st, void (*serve)(void *ctx))
{
    st->serve = serve;
}

bool station_claim(struct station *st)
{
    return atomic_load_explicit(&st->armed, memory_order_seq_cst) != 0 &&
           atomic_exchange_explicit(&st->armed, 0, memory_order_seq_cst) != 0;
}

bool station_arm(struct station *st)
{
    atomic_store_explicit(&st->armed, 1, memory_order_seq_cst);
    atomic_thread_fence(memory_order_seq_cst);
    if (ring_size(st->inbox) == 0) {
        return true;
    }
    return !station_claim(st); /* false: still ours */
}

void station_disarm(struct station *st)
{
    atomic_store_explicit(&st->armed, 0, memory_order_relaxed);
}

void station_wake(struct station *st)
{
    atomic_thread_fence(memory_order_seq_cst);
    if (station_claim(st)) {
        st->wake(st->ctx);
    }
}

bool station_empty(const struct station *st)
{
    return ring_size(st->inbox) == 0;
}

/* The link's state has changed: does its owner want to know? */
static void tell_owner(struct link *l)
{
    atomic_thread_fence(memory_order_seq_cst);
    if (atomic_load_explicit(&l->watched, memory_order_seq_cst) &&
        atomic_exchange_explicit(&l->watched, false, memory_order_seq_cst)) {
        station_wake(l->from);
    }
}

bool link_is_watched(const struct link *l)
{
    return atomic_load_explicit(&((struct link *)(uintptr_t)l)->watched, memory_order_seq_cst);
}

void link_watch(struct link *l)
{
    atomic_store_explicit(&l->watched, true, memory_order_seq_cst);
    atomic_thread_fence(memory_order_seq_cst);
}

/* --- receiving ------------------------------------------------------------------------------- */

/* nng's thread. Up to the push one at a time for each station: bags of one link stay in order, and
 * producers of the ring never meet. */
static void on_bag(void *arg)
{
    struct station *st = arg;
    struct link *l;
    nng_msg *msg;
    const uint8_t *head;
    uint64_t number;

    if (nng_aio_result(st->aio) != 0) {
        return; /* the station closes */
    }
    msg = nng_aio_get_msg(st->aio);
    nng_aio_set_msg(st->aio, NULL);
    head = nng_msg_body(msg);
    l = st->in[codec_load(head + 1, 2)];
    number = codec_load64(head + 4);
    if (!ring_push_mp(st->inbox, msg)) {
        abort(); /* impossible: the windows of all links fit */
    }
    atomic_store_explicit(&l->arrived, number, memory_order_release);
    nng_recv_aio(st->socket, st->aio); /* from here on another thread may bring the next */
    tell_owner(l);
    atomic_thread_fence(memory_order_seq_cst);
    if (station_claim(st)) {
        (st->serve != NULL ? st->serve : st->wake)(st->ctx);
    }
}

bool station_take(struct station *st, struct bag *bag)
{
    nng_msg *msg = ring_pop_sc(st->inbox);
    const uint8_t *body;

    if (msg == NULL) {
        return false;
    }
    body = nng_msg_body(msg);
    bag->link = st->in[codec_load(body + 1, 2)];
    bag->bytes = body + BAG_HEAD;
    bag->len = nng_msg_len(msg) - BAG_HEAD;
    bag->message = msg;
    return true;
}

void station_release(struct station *st, const struct bag *bag)
{
    const uint8_t *body = nng_msg_body(bag->message);

    atomic_store_explicit(&bag->link->taken, codec_load64(body + 4), memory_order_release);
    tell_owner(bag->link);
    if (st->n_spare < SPARE_BAGS) {
        st->spare[st->n_spare++] = bag->message;
    } else {
        nng_msg_free(bag->message);
    }
}

/* --- sending --------------------------------------------------------------------------------- */

/* A message of `bytes`, from the bags this thread has received when one is there. */
static nng_msg *new_message(struct station *own, size_t bytes)
{
    nng_msg *msg = NULL;

    if (own->n_spare != 0) {
        msg = own->spare[--own->n_spare];
        if (nng_msg_realloc(msg, bytes) == 0) {
            return msg;
        }
        nng_msg_free(msg);
    }
    if (nng_msg_alloc(&msg, bytes) != 0) {
        out_of_memory();
    }
    return msg;
}

static void open_bag(struct link *l, size_t bytes)
{
    size_t size = l->last_size * 2 <= BAG_BYTES ? l->last_size * 2 : BAG_BYTES;

    size = size > BAG_SMALL ? size : BAG_SMALL;
    size = size > bytes + BAG_HEAD ? size : bytes + BAG_HEAD;
    l->open = new_message(l->from, size);
    l->base = nng_msg_body(l->open);
    l->at = l->base + BAG_HEAD;
    l->limit = l->base + size;
    l->records = 0;
    l->live = 0;
}

uint8_t *link_reserve(struct link *l, size_t bytes)
{
    if (l->open != NULL && (size_t)(l->limit - l->at) >= bytes && l->records < BAG_RECORDS) {
        return l->at;
    }
    if (l->open != NULL) {
        const size_t used = (size_t)(l->at - l->base);
        if (l->records < BAG_RECORDS && used + bytes <= BAG_BYTES) {
            /* it began too small: go on in a larger one */
            if (nng_msg_realloc(l->open, BAG_BYTES) != 0) {
                out_of_memory();
            }
            l->base = nng_msg_body(l->open);
            l->at = l->base + used;
            l->limit = l->base + BAG_BYTES;
            return l->at;
        }
        link_flush(l);
    }
    open_bag(l, bytes);
    return l->at;
}

void link_commit(struct link *l, const uint8_t *end)
{
    l->last_offset = (uint32_t)(l->at - l->base);
    l->at = l->base + (end - l->base);
    l->records++;
    l->live++;
    l->stats.records++;
}

bool link_has_open(const struct link *l)
{
    return l->open != NULL;
}

/* nng takes it at once: the window is smaller than the send buffer. */
static void hand_over(struct link *l, nng_msg *msg, uint64_t number)
{
    int rv;

    nng_aio_set_msg(l->aio, msg);
    nng_send_aio(l->socket, l->aio);
    nng_aio_wait(l->aio);
    rv = nng_aio_result(l->aio);
    if (rv != 0) {
        nng_msg_free(msg); /* nng did not take it: only when the station is closed */
        if (rv != NNG_ECLOSED && rv != NNG_ECANCELED) {
            (void)fprintf(stderr, "bus: %s\n", nng_strerror(rv));
            abort();
        }
    }
    l->handed = number;
    l->stats.bags++;
}

static bool may_send(struct link *l)
{
    return l->handed - atomic_load_explicit(&l->taken, memory_order_acquire) < LINK_WINDOW;
}

static void wait_in_line(struct link *l, nng_msg *msg, uint64_t number, uint32_t live)
{
    struct waiting *w = malloc(sizeof *w);

    if (w == NULL) {
        out_of_memory();
    }
    *w = (struct waiting){.msg = msg, .number = number, .live = live};
    if (l->tail != NULL) {
        l->tail->next = w;
    } else {
        l->head = w;
    }
    l->tail = w;
    l->backlog++;
}

void link_flush(struct link *l)
{
    nng_msg *msg = l->open;
    const size_t used = (size_t)(l->at - l->base);

    if (msg == NULL) {
        return;
    }
    l->open = NULL;
    l->last_size = used;
    l->closed++;
    l->base[0] = 0xcd;
    codec_store(l->base + 1, l->number, 2);
    l->base[3] = 0xcf;
    codec_store(l->base + 4, l->closed, 8);
    (void)nng_msg_chop(msg, (size_t)(l->limit - l->at));
    if (l->head == NULL && may_send(l)) {
        hand_over(l, msg, l->closed);
        return;
    }
    wait_in_line(l, msg, l->closed, l->live);
    link_retry(l);
}

void link_retry(struct link *l)
{
    while (l->head != NULL) {
        struct waiting *w = l->head;
        if (!may_send(l)) {
            link_watch(l);
            if (!may_send(l)) {
                return;
            }
        }
        l->head = w->next;
        if (l->head == NULL) {
            l->tail = NULL;
        }
        l->backlog--;
        hand_over(l, w->msg, w->number);
        free(w);
    }
}

size_t link_backlog(const struct link *l)
{
    return l->backlog;
}

/* --- conflation ------------------------------------------------------------------------------ */

struct link_place link_last(const struct link *l)
{
    return (struct link_place){l->closed + 1, l->last_offset};
}

static void mark_void(uint8_t *record)
{
    codec_store(record + RECORD_TYPE_AT, RECORD_VOID | codec_load(record + RECORD_TYPE_AT, 2), 2);
}

bool link_void(struct link *l, struct link_place place)
{
    struct waiting *before = NULL;

    if (l->open != NULL && place.bag == l->closed + 1) {
        mark_void(l->base + place.offset);
        l->live--;
        return true;
    }
    if (l->head == NULL || place.bag < l->head->number) {
        return false; /* it has left */
    }
    for (struct waiting *w = l->head; w != NULL; before = w, w = w->next) {
        if (w->number != place.bag) {
            continue;
        }
        mark_void((uint8_t *)nng_msg_body(w->msg) + place.offset);
        w->live--;
        if (w->live == 0 && w->next != NULL) { /* never the last: fences count on its number */
            *(before != NULL ? &before->next : &l->head) = w->next;
            l->backlog--;
            nng_msg_free(w->msg);
            free(w);
        }
        return true;
    }
    return false;
}

/* --- fences ---------------------------------------------------------------------------------- */

uint64_t link_sent(const struct link *l)
{
    return l->closed;
}

uint64_t link_arrived(struct link *l)
{
    return atomic_load_explicit(&l->arrived, memory_order_acquire);
}

unsigned link_origin(const struct link *l)
{
    return l->from->number;
}

struct link_stats link_stats(const struct link *l)
{
    return l->stats;
}
