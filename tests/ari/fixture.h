/* fixture.h - one pbx of the adapter against a real ari-sim process. */
#ifndef TESTS_ARI_FIXTURE_H
#define TESTS_ARI_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "actors/messages.h"
#include "adapters/ari/pbx.h"
#include "adapters/secret/secret.h"

/* One message the adapter sent, flattened. */
struct told {
    uint16_t type;
    handle to;
    char id[64];  /* channel, bridge, endpoint, sound */
    char id2[64]; /* playback, bridge of a found channel, channel of an added one */
    char text[200];
    unsigned state, status, fate, cause, tech_cause, n1, n2;
    bool yes, yes2; /* up, ok, online, present, restarted; in_app */
};

extern struct net_loop *loop;
extern struct pbx *pbx;
extern struct ari_host host;
extern struct told told[4096];
extern unsigned n_told;

/* Starts ari-sim with these extra arguments (NULL-terminated), and the pbx on it, which is up. */
int start(const char *const *arguments);
int setup(void **state); /* everybody answers after 100 ms and talks for 60 s */
int teardown(void **state);
/* Takes over the simulator of `start`; another pbx with the same application. */
struct pbx *another(const struct ari_host *its_host, uint32_t number);

/* POST to the control channel; fails the test if refused. */
void sim(const char *order);
/* Lines of the witness file that hold the text. */
unsigned witnessed(const char *text);

/* The nth (from 0) message of the type about that id ("" any), NULL if there is none. */
const struct told *find(uint16_t type, const char *id, unsigned nth);
unsigned count_of(uint16_t type, const char *id);
void forget(void);                 /* what was told so far */
int64_t counted(const char *name); /* what the adapter counted under it since `start` */

#define run_until(condition)                                                                       \
    do {                                                                                           \
        int64_t end_ = net_now_us() + 30 * US_PER_S;                                               \
        while (!(condition)) {                                                                     \
            if (net_now_us() > end_) {                                                             \
                fail_msg("%s:%d: never came: %s", __FILE__, __LINE__, #condition);                 \
            }                                                                                      \
            net_loop_run_once(loop, 20 * US_PER_MS);                                               \
        }                                                                                          \
    } while (0)
void run_for(int64_t us);

/* --- commands ----------------------------------------------------------------------------------
 */

const char *call_id(unsigned n); /* att-..., campaign 7 */
const char *leg_id(unsigned n);  /* leg-..., agent 9 */
void originate(
    unsigned n); /* call n, with its permit, to a number of its own at the trunk `carrier` */
void originate_until(unsigned n, int64_t until_us); /* too late to send it after that */
void originate_to(unsigned n, const char *number, const char *endpoint, uint64_t permit);
void originate_leg(unsigned n, const char *endpoint);
void originate_leg_with(unsigned n, const char *endpoint, uint64_t permit);
void hang_up(const char *channel);
void bridge(const char *id, const char *one, const char *two);

#endif
