/* seat.h - one agent at the websocket, and what the daemon made it know. */
#ifndef TESTS_RULES_SEAT_H
#define TESTS_RULES_SEAT_H

#include "tests/rules/stack.h"

struct seat {
    int64_t agent, campaign;
    char phone[16]; /* its endpoint at Asterisk */
    struct page *page;
    struct json doc;
    char state[16], reason[64], attempt[40], why[160];
    bool needs_disposition, leg_up, phone_online;
    char call[16];         /* state of its call, "" none */
    char seen[256];        /* states of calls so far: "ringing bridged " */
    char states[512];      /* its own so far, each change: "offline connecting available " */
    bool pop;              /* it has a card */
    bool pop_before_audio; /* the card was there when the call was bridged */
    int64_t pop_lead, pop_matches;
    char pop_number[24], pop_name[64], pop_city[32];
    int64_t choice[4]; /* leads that it may choose from (R14) */
    unsigned choices;
    char choice_of[4][96]; /* name and list: "Ada, again" */
    bool welcomed, resumed;
    char stream[64]; /* what it resumes with */
    int64_t seq;
    char served[40]; /* the attempt that seat_serve() has disposed */
    int64_t ids;
    int64_t replied; /* id of the last reply */
    char result[16], text[160];
};

/* A new agent with a phone, working in the campaign; connected, not logged in. */
void seat_new(struct seat *s, int64_t campaign);
void seat_leave(struct seat *s);
/* Takes in whatever has come. True, so that it can stand in a condition. */
bool seat_hear(struct seat *s);
/* Sends a request (members after type and id, such as ",\"number\":\"...\"") and waits for its
 * reply: the result. */
const char *seat_ask(struct seat *s, const char *type, const char *members);
void seat_dispose(struct seat *s, const char *code);
void seat_dial(struct seat *s, const char *number);
/* One turn of a person who disposes each call at once as a sale. */
void seat_serve(struct seat *s);
/* Its socket was closed: connects anew with what it knows, as a page does. */
void seat_again(struct seat *s);
/* Login and available; waits until it is. */
void seat_work(struct seat *s);

#define SEAT_UNTIL(s, condition) run_until(seat_hear(s) && (condition))
#define SEAT_STATE(s, word) SEAT_UNTIL(s, strcmp((s)->state, word) == 0)
/* For so long nothing must happen that ends this early. */
#define SEAT_WHILE(s, ms, condition)                                                               \
    do {                                                                                           \
        const int64_t end_while_ = net_now_us() + (ms)*US_PER_MS;                                  \
        while (net_now_us() < end_while_) {                                                        \
            net_loop_run_once(loop, 20 * US_PER_MS);                                               \
            assert_true(seat_hear(s) && (condition));                                              \
        }                                                                                          \
    } while (0)

#endif
