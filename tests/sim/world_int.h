/*
 * world_int.h - what the files of the world share.
 *
 *   world.c         making, running, promises, operator
 *   world_daemon.c  the daemon's starts and deaths
 *   world_store.c   the store: rows, attempts, legs, dispositions
 *   world_choice.c  several leads with one number
 *   world_commit.c  its transactions
 *   world_load.c    what it tells at start
 *   world_hopper.c  the hopper
 *   world_pbx.c     the Asterisk: channels, bridges
 *   world_voice.c   sounds, music, silence, keys
 *   world_link.c    the link to it
 *   world_callee.c  the people it calls
 *   world_people.c  agents, their pages and habits
 *   world_mode.c    the daemon's mode and its alarms
 *   world_expect.c  sentences
 *   table.h         number -> index
 */
#ifndef TESTS_SIM_WORLD_INT_H
#define TESTS_SIM_WORLD_INT_H

#include "actors/ids.h"
#include "adapters/store/choice.h"
#include "core/crash.h"
#include "core/mutant.h"
#include "tests/judge/judge.h"
#include "tests/sim/table.h"
#include "tests/sim/world.h"

#define NUMBER_MAX 20
#define MS(x) ((int64_t)((x)*1000.0))

/* Sends of one model to one actor keep their order, whatever their delays. */
#define WAY_ENDS 1024u
struct way {
    int64_t last_us[WAY_ENDS]; /* by receiver, hashed */
};

struct row {
    char number[NUMBER_MAX];
    uint64_t key; /* of the number */
    uint64_t campaign;
    uint8_t status;
    bool final, callback, first, manual, in_heap;
    uint32_t attempts, last_no;
    int64_t due_ms;
    const char *zone; /* IANA, NULL: the campaign's */
};

struct att {
    char id[ID_SIZE];
    char number[NUMBER_MAX]; /* called, which need not be its lead's */
    uint64_t row, campaign, agent, key, permit;
    uint32_t no, pbx, epoch;
    uint32_t dispositions;
    int64_t disposed_ms;
    uint32_t before; /* of the same number: index + 1 */
    uint8_t cause, state, outcome, choice;
    bool live, counts, dialed, by_system, previewed;
    bool open_claim, unmade; /* of a mutant: answered, not yet committed; never was */
    bool noted;              /* before it left: a daemon that comes after can tell */
    int64_t claimed_ms, originated_ms, ringing_ms, answered_ms, bridged_ms, ended_ms, callback_ms;
    char code[24], skipped[24];
};

struct leg_row {
    char id[ID_SIZE];
    char endpoint[64];
    char attempt[ID_SIZE];
    uint64_t agent, permit;
    uint8_t use;
    bool live;
    bool sent; /* while it was live; what is on its way may come when it is given up */
};

struct number {
    uint32_t last; /* attempt, index + 1 */
    uint32_t alive;
    bool suppressed, told;
    int64_t suppressed_ms;
    struct callee callee;
};

struct due {
    int64_t at_ms;
    uint32_t row;
};

struct camp {
    struct msg_campaign_config config;
    bool list_active;
    struct msg_view_campaign board;
    unsigned calls_unknown; /* of its calls, told to the board as such */
    char board_text[160];
    uint32_t first_pending; /* no pending row of it is before this index */
    uint32_t *hopper;
    uint32_t hopper_from, hopper_to, hopper_room;
    struct due *due; /* heap of failed rows */
    uint32_t n_due, room_due;
    uint32_t *front; /* pending callbacks */
    uint32_t n_front, room_front;
    int64_t idle_us; /* it had an available agent then, for all it could know */
};

struct spell {
    uint8_t state;
    int64_t at_ms;
    char reason[48]; /* only as the store has it */
};

struct person {
    struct msg_agent_config config;
    struct page page;
    struct habits habits;
    bool has_habits, socket, phone_online, phone_answers, wants_break;
    bool away;                  /* for those who walk: the page cannot come back yet */
    int64_t asked_us, moved_us; /* when it last asked for something, was told something new */
    uint64_t told_no, have_no;  /* changes that the adapter has numbered, that the page has */
    uint64_t touch;             /* number of the call that is touched now and then */
    uint64_t wake;              /* number of the latest intention: older ones are void */
    struct spell *spells;       /* as the store has them */
    uint32_t n_spells, room_spells;
    struct spell *shown; /* as the page was told */
    uint32_t n_shown, room_shown;
};

enum chan_state { CHAN_DOWN, CHAN_RINGING, CHAN_WAITING, CHAN_APP, CHAN_MESSAGE };

struct chan {
    char id[ID_SIZE];
    char number[NUMBER_MAX];
    char endpoint[64];
    char playback[ID_SIZE];
    uint64_t key;   /* of the id */
    uint64_t owner; /* campaign or agent */
    uint64_t serial;
    bool used, customer, talking, met, played, waited;
    bool muted;    /* nobody hears it */
    char keys[40]; /* the last that were sent to it */
    enum chan_state state;
    uint32_t bridge; /* index + 1 */
    uint32_t ring_s;
    struct callee callee;
    int64_t answered_us;
    unsigned tries;
};

struct bridge {
    char id[ID_SIZE];
    bool used, music;
    uint32_t members, customers;
};

struct kept {
    uint16_t type;
    void *block;
};

struct pile {
    struct kept *item;
    uint32_t n, room;
};

/* A command on its way to the Asterisk. */
struct wired {
    int64_t due_us;
    uint16_t type;
    void *block; /* NULL: it was lost */
};

enum broken { BROKEN_OTHER, BROKEN_LOST, BROKEN_TWICE, BROKEN_STUCK, BROKEN_TWO_CALLS };

struct alarm_row {
    char code[32];
    char subject[32];
    int64_t started_ms, ended_ms;
};

struct world {
    struct sim *sim;
    uint64_t seed;
    char broken[260]; /* first broken promise */
    enum broken broken_as;
    bool only_judged; /* our own promises are not looked at: the judge is to find it */
    void (*see)(void *ctx, const struct judge_event *e); /* the history, for the judge */
    void *see_ctx;
    struct witness seen;
    struct table campaigns, agents; /* id -> index + 1 */
    struct camp *camps;
    uint32_t n_camps, room_camps;
    struct person *people;
    uint32_t n_people, room_people;
    struct msg_trunk_config trunk;
    uint16_t node;
    uint32_t starts, epoch;
    enum crash_point crash_at; /* it dies here, */
    unsigned crash_left;       /* at this visit: 1 the next, 0 never */
    unsigned crash_visits[CRASH_POINT_COUNT];
    bool dying;                /* it has come to that place: world_kill() is to follow */
    bool alive, begun, loaded; /* the daemon runs; has its store; its actors are there */
    bool drained, remembers_agents;
    bool troubled;
    int64_t frozen_until_us; /* the whole process: its adapters, too */
    int64_t calm_us;         /* trouble lasts until then at least */
    int64_t jitter_us;
    int64_t trace_us; /* -1: no trace */
    int64_t still_us; /* so many steps at this instant */
    uint32_t still;

    /* store */
    bool store_up;
    int64_t store_us;
    struct way store_way;
    struct row *rows;
    uint32_t n_rows, room_rows;
    struct att *atts;
    uint32_t n_atts, room_atts;
    struct leg_row *legs;
    uint32_t n_legs, room_legs;
    struct number *numbers;
    uint32_t n_numbers, room_numbers;
    struct table number_of, att_of, leg_of;
    uint32_t next_lead;
    double stutter; /* share of answers that take up to 5 s */
    bool committing, nobody_listens;
    struct pile inbox, late; /* not yet committed; of the dead, and still to come */
    struct pile asks;        /* questions for when the store is there */
    struct pile journal;     /* on the disk: it outlives the daemon */
    struct pile unkept;      /* in memory, while neither takes it */

    /* what people see of the daemon */
    uint8_t mode, mode_cause; /* enums daemon_mode, reason */
    struct alarm_row *alarms;
    uint32_t n_alarms, room_alarms;
    bool journal_fails;

    /* hopper */
    bool hopper_up;
    struct way hopper_way;

    /* telephony */
    bool pbx_up, link; /* the machine runs; we are connected, as far as we know */
    bool held;         /* somebody holds the application, as far as Asterisk knows */
    bool deaf;         /* the network eats everything, nobody has noticed */
    bool seen_restart; /* it was restarted and the daemon has not heard of it */
    int64_t stall_us;  /* until then nothing gets through */
    struct pile again; /* commands without an answer, for when it is back */
    struct wired *wire;
    uint32_t wire_from, wire_to, room_wire;
    int64_t wire_due_us;
    bool sound;
    int64_t pbx_us;
    double duplicates;
    bool hides_ends;
    struct way pbx_way;
    struct chan *chans;
    uint32_t n_chans, room_chans;
    uint32_t *free_chans;
    uint32_t n_free_chans, room_free_chans;
    struct bridge *bridges;
    uint32_t n_bridges, room_bridges;
    uint32_t *free_bridges;
    uint32_t n_free_bridges, room_free_bridges;
    struct table chan_of, bridge_of;
    uint64_t serial;
    uint32_t lines;
    struct callee callee;
    bool population;
    double human, busy, bad, talk_s;
    uint8_t fail_fate;
    bool fail_next, fail_carried_out;
    bool forging;
    unsigned legs_a_second, legs_now; /* 0: no limit; sent in this second */
    int64_t legs_second;
    int64_t second_us[256]; /* ring of the last originates, for the rate */
    uint32_t second_at;

    /* people */
    struct way web_way, ctl_way;
    uint64_t requests;
    uint64_t excused; /* those up to here may have died with a daemon */
    struct reply *replies;
    uint32_t room_replies;
};

void *world_room(void *at, uint32_t *room, uint32_t used, size_t size);
/* The first broken promise is kept and told by the next world_run(). */
void world_broken_as(struct world *w, enum broken as, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
#define world_broken(w, ...) world_broken_as(w, BROKEN_OTHER, __VA_ARGS__)
void world_check(struct world *w); /* fails the test if a promise is broken */
/* Whoever runs the world says how it fails: by cmocka in the tests. */
_Noreturn void world_fail(const char *what);
void see(struct world *w, const struct judge_event *e);
void world_trouble(struct world *w, double seconds);
void world_look_for_calm(struct world *w);
int64_t world_calm_since(const struct world *w);
/* The daemon has come to this place (core/crash.h); true: it is dead. Nothing more is done then. */
bool world_dies(struct world *w, enum crash_point at);
void daemon_store_is_there(struct world *w);
void world_post(struct world *w, struct way *way, int64_t delay_us, unsigned kind, handle to,
                uint16_t type, const void *msg);
struct camp *world_camp(const struct world *w, uint64_t id);
struct person *world_person(const struct world *w, uint64_t id);
uint64_t number_key(struct text number);
struct number *world_number_at(struct world *w, uint64_t key);
double world_unit(struct world *w, unsigned stream); /* [0, 1) */
double world_exp(struct world *w, unsigned stream, double mean);
double world_lognormal(struct world *w, unsigned stream, double mean, double sigma);
struct text text_of(const char *s);
void text_keep(char *out, size_t size, struct text t);

void store_receive(void *ctx, handle to, handle from, uint16_t type, const void *msg);
void store_free(struct world *w);
uint64_t store_key(struct text id);
void store_row_moves(struct world *w, struct row *r, struct row_step to, int64_t due_ms);
void store_claim(struct world *w, const struct msg_claim *m);
/* As sql_match(), sql_offer() (adapters/store/sql.h); the offer lives until the next one. */
void store_match(const struct world *w, uint64_t campaign, struct text number, enum choice kept,
                 struct matches *m);
struct text store_offer(const struct matches *m);
void store_settle(struct world *w, const struct msg_settle_lead *m);
void store_take(struct world *w, uint16_t type, const void *msg);
const struct store_disposition *store_disposition(struct text code); /* NULL: there is none */
void store_replay(struct world *w);
void store_release(struct world *w);
void store_daemon_died(struct world *w);
void store_roll_back(struct world *w); /* of a mutant: what was only promised */
void commit_free(struct world *w);
void pile_keep(struct pile *p, uint16_t type, const void *msg); /* a copy */
void pile_clear(struct pile *p, uint32_t from);
void store_answer(struct world *w, handle to, uint16_t type, const void *msg);
void store_load(struct world *w, const struct msg_load *m);
struct att *store_att(const struct world *w, struct text id);
struct leg_row *store_leg(const struct world *w, struct text id);
uint64_t store_permit(const struct world *w, struct text id, struct text what);
void store_takes_over(struct world *w);          /* a new daemon: epochs + 1 */
void store_taken_from_the_dead(struct world *w); /* before it: what they had begun is done */

void mode_told(struct world *w, const struct msg_daemon_mode *m);
void alarm_row(struct world *w, const struct msg_alarm_moved *m);

void hopper_receive(void *ctx, handle to, handle from, uint16_t type, const void *msg);

void pbx_take(struct world *w, uint16_t type, const void *msg);
void pbx_check_agents(struct world *w, const struct msg_originate_call *m);
void pbx_refuse(struct world *w, struct text id, uint16_t status, uint8_t fate);
bool pbx_hears(const struct world *w); /* what happens there reaches us */
void wire_daemon_died(struct world *w);
void wire_free(struct world *w);
void pbx_receive(void *ctx, handle to, handle from, uint16_t type, const void *msg);
void pbx_connect(struct world *w, bool restarted);
void pbx_disconnect(struct world *w);
void pbx_free(struct world *w);
void pbx_tell(struct world *w, handle to, uint16_t type, const void *msg);
handle pbx_owner(struct text id); /* who an id of ours belongs to */
void pbx_forget(struct world *w, struct chan *ch);
void pbx_drop_bridge(struct world *w, struct bridge *b);
/* far: by the other side, or for want of an answer. */
void pbx_end(struct world *w, struct chan *ch, uint16_t cause, uint16_t tech, bool far);
/* An agent asks whether a call still lives. */
void pbx_check(struct world *w, const struct msg_channel_check *m);
void pbx_unanswered(struct world *w, uint16_t type, const void *msg);
void pbx_said_already(uint16_t type, void *block);
struct chan *pbx_chan(const struct world *w, const char *id);
struct chan *pbx_find(const struct world *w, struct text id);
struct bridge *pbx_bridge(const struct world *w, struct text id);
bool voice_take(struct world *w, uint16_t type, const void *msg);
void voice_unanswered(struct world *w, uint16_t type, const void *msg); /* as pbx_unanswered() */
struct chan *pbx_customer(const struct world *w, const char *number);
void pbx_event(struct world *w, const struct chan *ch, uint16_t type);
void pbx_digit(struct world *w, const struct chan *ch, const char *digit);
void pbx_playback_over(struct world *w, const struct chan *ch, struct text playback, bool ok);
void pbx_tell_phone(struct world *w, const struct person *p);

/* The callee's side of a channel. */
void callee_called(struct world *w, struct chan *ch);
void callee_talks(struct world *w, struct chan *ch);
void callee_hears(struct world *w, struct chan *ch);
void phone_called(struct world *w, struct chan *ch);
/* After a change of the link: those in the dialplan look again. */
void callee_answers(struct world *w, struct chan *ch);

void web_receive(void *ctx, handle to, handle from, uint16_t type, const void *msg);
void ctl_receive(void *ctx, handle to, handle from, uint16_t type, const void *msg);
void people_free(struct world *w);
uint64_t world_request(struct world *w, const char *what);

#endif
