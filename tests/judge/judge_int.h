/* judge_int.h - inside the judge: what judge.c keeps, judge_walk.c fills in, judge_rest.c reads. */
#ifndef TESTS_JUDGE_JUDGE_INT_H
#define TESTS_JUDGE_JUDGE_INT_H

#include "actors/types.h"
#include "tests/judge/judge.h"

#include <stddef.h>

#define NONE UINT32_MAX

/* A text is a number: equal texts have equal numbers. 0 is the empty one. */
typedef uint32_t word;

struct seen {
    int64_t at_us, value;
    uint64_t agent;
    uint32_t turn; /* order of telling, for equal times */
    word id, number, text;
    uint8_t kind;
    bool yes;
};

/* What was seen and stored of one channel. Times in us, 0 none. */
struct call {
    word id, number;
    bool customer;
    uint64_t owner; /* from the id: campaign of an attempt, agent of a leg */
    uint64_t epoch; /* from the id */
    uint32_t originates;
    int64_t originated_us, answered_us, bridged_us, message_us, message_end_us, ended_us;
    int64_t parted_us;     /* one of the first two who were joined left the bridge */
    bool held;             /* a client held the application at the answer */
    bool by_far;           /* the far end ended it */
    bool by_crash;         /* the server died with it */
    bool survived;         /* lived when a client took the application again */
    word bridge;           /* it is in, 0 none */
    uint32_t next;         /* in that bridge; NONE: last */
    uint32_t attempt, leg; /* rows, NONE: none */
    word acked;            /* disposition that was answered "ok" last */
    int64_t acked_us;
    uint64_t acked_agent;
};

struct attempt {
    struct judge_attempt row;
    word id, number, zone, disposition;
};

struct leg {
    struct judge_leg row;
    word id;
};

struct lead {
    struct judge_lead row;
    word number;
    uint32_t attempts, live; /* attempts in the store */
};

struct campaign {
    struct judge_campaign row;
    word prefixes;
    uint64_t epoch; /* newest that was seen to dial */
    int64_t epoch_us;
    uint64_t answers, abandoned; /* recomputed */
};

struct agent {
    uint64_t agent;
    bool stored, told, gone;
    uint8_t state; /* in the store */
    word page;     /* its page's last state */
    int64_t hang_up_us;
    uint32_t customer; /* it talks to, NONE */
};

struct outage {
    int64_t from_us, to_us;
    word text;
};

struct finding {
    uint8_t invariant;
    word what; /* a sentence */
    word id, number;
    uint64_t agent;
    int64_t at_us;
};

#define LIST(type)                                                                                 \
    struct {                                                                                       \
        type *at;                                                                                  \
        uint32_t n, room;                                                                          \
    }

/* From a number to an index. */
struct map {
    uint64_t *key;
    uint32_t *value;
    uint32_t n, room;
};

struct judge {
    struct judge_options options;
    struct {
        char *bytes;
        size_t len, room;
        uint32_t *slot; /* hash table of offsets into `start` */
        size_t slots;
        LIST(size_t) start;
    } words;
    LIST(struct seen) seen;
    LIST(struct call) calls;
    LIST(struct attempt) attempts;
    LIST(struct leg) legs;
    LIST(struct lead) leads;
    LIST(struct campaign) campaigns;
    LIST(struct agent) agents;
    LIST(struct judge_moved) moved;
    LIST(struct judge_suppressed) suppressed; /* number: kept in words */
    LIST(word) suppressed_number;
    LIST(struct outage) outages; /* of which calls may have to wait, in order, not overlapping */
    LIST(struct finding) findings;
    struct map call_of, campaign_of, agent_of, lead_of, number_last, bridge_first, suppressed_of;
    struct judge_verdict verdict;
    bool held;
};

/* judge.c */
word judge_word(struct judge *j, const char *text);
const char *judge_text(const struct judge *j, word w);
uint32_t judge_find(const struct map *m, uint64_t key); /* NONE: not there */
void judge_put(struct map *m, uint64_t key, uint32_t value);
void *judge_grow(void *at, uint32_t n, uint32_t *room, size_t size);
struct call *judge_call(struct judge *j, word id); /* makes it */
struct agent *judge_person(struct judge *j, uint64_t agent);
struct campaign *judge_camp(struct judge *j, uint64_t campaign);
int64_t judge_wait_us(const struct judge *j);
int64_t judge_margin_us(const struct judge *j);
/* The end of the outage that the interval meets, followed into the next ones as long as they begin
 * within the wait after it; 0: it meets none. */
int64_t judge_outage(const struct judge *j, int64_t from_us, int64_t to_us);
void judge_broken(struct judge *j, unsigned invariant, const struct call *c, uint64_t agent,
                  int64_t at_us, const char *format, ...) __attribute__((format(printf, 6, 7)));

#define ADD(list) (judge_add(list))
#define judge_add(list)                                                                            \
    ((list).at = judge_grow((list).at, (list).n, &(list).room, sizeof *(list).at),                 \
     &(list).at[(list).n++])

/* judge_walk.c: the events in order; fills in the calls. */
void judge_walk(struct judge *j);
/* judge_answer.c: what became of each answered call. */
void judge_answers(struct judge *j);
/* judge_rest.c: the tables at rest, against the calls. */
void judge_rest(struct judge *j);
/* judge_word.c: the daemon's own word, its board (I9) and its log (I10). */
void judge_words(struct judge *j);

#endif
