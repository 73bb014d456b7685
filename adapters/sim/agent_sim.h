/*
 * agent_sim.h - simulated agents: N people at the desk's websocket, in one loop.
 *
 * agent_sim.c has the options, the tickets, the loop and the report; agent_sim_person.c is what one
 * person does; agent_sim_ticket.c gets new tickets for those who were cut off. They speak
 * adapters/web/PROTOCOL.md and, for new tickets, the operator's socket. All choices come from the
 * seed: a generator for each person, so that one's luck is not another's.
 */
#ifndef ADAPTERS_SIM_AGENT_SIM_H
#define ADAPTERS_SIM_AGENT_SIM_H

#include "adapters/net/json.h"
#include "adapters/net/net.h"
#include "core/rng.h"

#include <stdio.h>

#define CODES_MAX 64
#define CODE_SIZE 65
#define ATTEMPT_SIZE 64
#define TICKET_SIZE 44

/* A disposition and how often it is chosen. */
struct code {
    char code[CODE_SIZE];
    double weight;
    bool callback; /* needs a time */
};

struct options {
    const char *url;
    const char *tickets; /* file, or "-" */
    const char *record;  /* file, NULL none */
    const char *ctl;     /* the operator's socket: who is cut off comes back; NULL: stays away */
    unsigned agents;     /* 0: as many as there are tickets */
    unsigned connecting; /* sockets being opened at once */
    uint64_t seed;
    double talk_s, wrap_s; /* means */
    double break_every_s;  /* 0: no breaks */
    double break_s;
    double hangup_share;         /* calls that the agent ends, if the customer has not by then */
    double forget_share;         /* calls left without disposition */
    int64_t campaign;            /* 0: the one set */
    double seconds;              /* 0: until a signal */
    struct code code[CODES_MAX]; /* wished; none: what the daemon offers, evenly */
    unsigned codes;
    bool json;
};

struct totals {
    uint64_t connected, refused, cut, logins, status_updates, pops, calls, hangups, disposed,
        dispose_failed, forgotten, breaks, requests, replies, replies_bad, changes, items, gaps,
        returned, resumed;
    double talk_s;
    /* Of the times from asking to the reply [us]. */
    uint64_t reply_us_sum, reply_us_max;
};

struct person;
struct ticket_talk;

struct crowd {
    struct options options;
    struct net_loop *loop;
    struct net_ws_target target;
    char host[256];
    char path[256];
    struct person **person;
    unsigned persons;
    unsigned next;       /* who connects next */
    unsigned connecting; /* sockets on their way to a welcome */
    unsigned online;     /* sockets that are open */
    bool leaving;
    FILE *record;
    struct ticket_talk *tickets; /* the conversation, NULL: none */
    struct json doc;
    struct json_writer writer;
    struct code offered[CODES_MAX]; /* by the daemon */
    unsigned offers;
    struct totals total;
};

/* A person with a ticket, not connected. NULL: no memory. */
struct person *person_new(struct crowd *crowd, unsigned number, const char *ticket);
void person_free(struct person *p);
void person_connect(struct person *p);
/* Finish: log out unless in a call; the socket is closed once that is answered. */
void person_leave(struct person *p);
void person_drop(struct person *p);
/* Cut off, and waiting for a ticket. */
bool person_waits(const struct person *p);
/* The agent's number, 0: it has never been welcomed. */
int64_t person_agent(const struct person *p);
/* The new ticket; NULL: there is none now. */
void person_ticket(struct person *p, const char *ticket);

/* Ask for tickets for all who wait; nothing if it is being asked. */
void tickets_ask(struct crowd *crowd);
void tickets_close(struct crowd *crowd);
/* The ticket in a line: its one word of 43 letters of base64url, however the line is laid out. */
bool ticket_find(const char *line, char out[TICKET_SIZE]);

/* One line of the outside record; `write` puts members into the open object. */
void crowd_record(struct crowd *crowd, int64_t agent, const char *what, const char *key,
                  const char *value, const char *attempt);
void crowd_connect_more(struct crowd *crowd);

#endif
