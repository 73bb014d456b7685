/*
 * stage.c - a web adapter with a play behind it: what the page's tests look at.
 *
 * Twenty agents, two campaigns and their calls go through their states ten times a second, from a
 * fixed seed. Agent 7 is left to the test: its requests are answered as the daemon would, its lead
 * is full of markup. The first line of output is a JSON object with the address and a link for each
 * role; it ends when its input does.
 */
#include "tests/web/fixture.h"

#include "core/rng.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define AGENTS 20
#define MINE 7
#define CALLS 14

static struct rng rng = {20240607};
static struct {
    enum agent_state state;
    int64_t since;
} agent[AGENTS + 1];
static struct {
    unsigned number;
    enum attempt_state state;
    int64_t since;
} call[CALLS];
static unsigned calls_made;
static uint64_t dialed = 1240, answered = 431, abandoned = 6;
static char my_attempt[32];
static bool ended;
static uint8_t my_next;
static char my_next_reason[64];

static const char *const first[] = {"Ada",  "Bo",    "Chen",  "Dana", "Emil",  "Fatima", "Gus",
                                    "Hana", "Iris",  "Jonas", "Kofi", "Lena",  "Mads",   "Nia",
                                    "Omar", "Petra", "Quinn", "Rosa", "Sanne", "Tariq"};
static const char *const last[] = {"Berg", "Okafor", "Lindqvist", "Moreau", "Santos"};

static int64_t wall(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct text text_of(const char *s)
{
    return (struct text){s, (uint32_t)strlen(s)};
}

static struct text name_of(unsigned i, char out[64])
{
    snprintf(out, 64, "%s %s", first[i % 20], last[(i * 7 / 3) % 5]);
    return text_of(out);
}

static void move_agent(unsigned i, enum agent_state state, const char *reason)
{
    char name[64];
    const struct msg_view_agent m = {.agent = i,
                                     .name = name_of(i - 1, name),
                                     .state = (uint8_t)state,
                                     .reason = text_of(reason),
                                     .since_wall_ms = wall(),
                                     .until_wall_ms = state == AGENT_WRAPUP ? wall() + 120000 : 0,
                                     .campaign = 1 + i % 2,
                                     .attempt = i == MINE ? text_of(my_attempt) : T(""),
                                     .needs_disposition = i == MINE && ended,
                                     .phone_online = true,
                                     .leg_up = state != AGENT_OFFLINE,
                                     .next = i == MINE ? my_next : 0,
                                     .next_reason = text_of(i == MINE ? my_next_reason : "")};

    agent[i].state = state;
    agent[i].since = wall();
    fake_post(MSG_view_agent, &m);
}

static void move_call(unsigned i, enum attempt_state state)
{
    char attempt[32];
    char number[32];
    char name[64];
    struct msg_view_call m = {.campaign = 1 + i % 2, .lead = 100 + i, .state = (uint8_t)state};

    snprintf(attempt, sizeof attempt, "att-stage-%u", call[i].number);
    snprintf(number, sizeof number, "+121255501%02u", call[i].number % 100);
    m.attempt = text_of(attempt);
    m.number = text_of(number);
    m.name = name_of(call[i].number * 3, name);
    m.agent = state == ATTEMPT_BRIDGED ? 1 + (i * 3) % AGENTS : 0;
    m.agent = m.agent == MINE ? 0 : m.agent;
    m.since_wall_ms = wall();
    call[i].state = state;
    call[i].since = wall();
    fake_post(MSG_view_call, &m);
}

static void show_campaigns(void)
{
    uint32_t in[ATTEMPT_STATES] = {0};
    uint32_t on[AGENT_STATES] = {0};

    for (unsigned i = 0; i < CALLS; i++) {
        in[call[i].state]++;
    }
    for (unsigned i = 1; i <= AGENTS; i++) {
        on[agent[i].state]++;
    }
    for (unsigned id = 1; id <= 2; id++) {
        const struct msg_view_campaign m = {
            .campaign = id,
            .name = id == 1 ? T("Spring renewals") : T("<img src=x onerror=alert(1)> survey"),
            .state = CAMPAIGN_RUNNING,
            .mode = id == 1 ? MODE_RATIO : MODE_PROGRESSIVE,
            .agents = AGENTS / 2,
            .available = on[AGENT_AVAILABLE] / 2,
            .busy = on[AGENT_BUSY] / 2,
            .wrapup = on[AGENT_WRAPUP] / 2,
            .ringing = in[ATTEMPT_RINGING] / 2,
            .waiting = in[ATTEMPT_ANSWERED] / 2,
            .bridged = in[ATTEMPT_BRIDGED] / 2,
            .dialed = dialed / id,
            .answered = answered / id,
            .abandoned = abandoned / id,
            .hopper = 500 - (uint32_t)(dialed % 300),
            .answers_30d = 18230 / id,
            .abandoned_30d = 301 / id,
            .held_by = REASON_pace_full,
            .text = T("enough calls are in flight for the agents available")};
        fake_post(MSG_view_campaign, &m);
    }
}

static void move_on(void)
{
    static const enum agent_state next[AGENT_STATES] = {
        [AGENT_AVAILABLE] = AGENT_RESERVED, [AGENT_RESERVED] = AGENT_BUSY,
        [AGENT_BUSY] = AGENT_WRAPUP,        [AGENT_WRAPUP] = AGENT_AVAILABLE,
        [AGENT_BREAK] = AGENT_AVAILABLE,    [AGENT_CONNECTING] = AGENT_AVAILABLE,
        [AGENT_OFFLINE] = AGENT_OFFLINE};
    const unsigned i = 1 + (unsigned)rng_below(&rng, AGENTS);
    const unsigned c = (unsigned)rng_below(&rng, CALLS);

    if (i != MINE && wall() - agent[i].since > 2500) {
        const bool rests = agent[i].state == AGENT_WRAPUP && rng_below(&rng, 8) == 0;
        move_agent(i, rests ? AGENT_BREAK : next[agent[i].state], rests ? "lunch" : "");
    }
    if (call[c].state == ATTEMPT_RINGING) {
        const bool answers = rng_below(&rng, 3) != 0;
        answered += answers;
        move_call(c, answers ? ATTEMPT_BRIDGED : ATTEMPT_ENDED);
    } else if (wall() - call[c].since > 4000 || call[c].state != ATTEMPT_BRIDGED) {
        if (call[c].number != 0 && call[c].state != ATTEMPT_ENDED) {
            move_call(c, ATTEMPT_ENDED);
        }
        call[c].number = ++calls_made;
        dialed++;
        move_call(c, ATTEMPT_RINGING);
    }
    show_campaigns();
}

/* --- agent 7, played by the test -------------------------------------------------------------- */

static void my_call(enum attempt_state state)
{
    const struct msg_view_call m = {.attempt = text_of(my_attempt),
                                    .campaign = 2,
                                    .agent = MINE,
                                    .lead = 7,
                                    .number = T("+12125550177"),
                                    .name = T("<script>window.hacked=1</script>"),
                                    .state = (uint8_t)state,
                                    .since_wall_ms = wall()};

    fake_post(MSG_view_call, &m);
}

/* The number of which several leads are: the page is offered them, and nobody's data. */
#define SEVERAL "+12125550188"

static void several_pop(void)
{
    const struct msg_screen_pop pop = {
        .agent = MINE,
        .attempt = text_of(my_attempt),
        .campaign = 2,
        .number = T(SEVERAL),
        .fields = T("[{\"lead\":71,\"name\":\"<img src=x onerror='window.hacked=1'>\","
                    "\"list\":\"<b>spring</b>\"},"
                    "{\"lead\":72,\"name\":\"Bo Berg\",\"list\":\"autumn\"},"
                    "{\"lead\":73,\"name\":\"\",\"list\":\"autumn\"}]"),
        .attempt_no = 1,
        .matches = 3};

    fake_post(MSG_screen_pop, &pop);
}

/* As the daemon: 73 is in another call. */
static bool on_choose(const struct msg_choose_lead *m)
{
    const struct msg_screen_pop pop = {.agent = MINE,
                                       .attempt = m->attempt,
                                       .campaign = 2,
                                       .lead = m->lead,
                                       .number = T(SEVERAL),
                                       .name = T("Bo <i>Berg</i>"),
                                       .fields = T("{\"city\":\"Bergen\"}"),
                                       .attempt_no = 1,
                                       .matches = 1};

    if (m->lead == 73) {
        return false;
    }
    fake_post(MSG_screen_pop, &pop);
    return true;
}

static void on_dial(struct text number)
{
    struct msg_screen_pop pop = {
        .agent = MINE,
        .campaign = 2,
        .lead = 7,
        .number = T("+12125550177"),
        .name = T("<script>window.hacked=1</script>"),
        .fields = T("{\"company\":\"<img src=x onerror='window.hacked=1'>\","
                    "\"link\":\"javascript:window.hacked=1\",\"__proto__\":\"x\","
                    "\"city\":\"\\u202eemoR \\ud83d\\ude00\","
                    "\"policy\":\"\\\"><svg onload=alert(1)>\","
                    "\"renewal\":\"2031-04-01\","
                    "\"notes\":\"Asked for a call in the afternoon.\"}"),
        .attempt_no = 2,
        .matches = 1};

    snprintf(my_attempt, sizeof my_attempt, "att-mine-%u", ++calls_made);
    pop.attempt = text_of(my_attempt);
    if (number.len == sizeof SEVERAL - 1 && memcmp(number.ptr, SEVERAL, number.len) == 0) {
        several_pop();
    } else {
        fake_post(MSG_screen_pop, &pop);
    }
    my_call(ATTEMPT_BRIDGED);
    move_agent(MINE, AGENT_BUSY, "");
}

static void end_wrapup(void)
{
    const enum agent_state next = my_next == AGENT_BREAK ? AGENT_BREAK : AGENT_AVAILABLE;

    my_attempt[0] = '\0';
    ended = false;
    my_next = 0;
    move_agent(MINE, next, next == AGENT_BREAK ? my_next_reason : "");
}

static void on_request(uint16_t type, const void *msg)
{
    struct msg_reply reply = {.result = RESULT_OK};
    const struct msg_set_status *status = msg;

    switch (type) {
    case MSG_agent_login:
        move_agent(MINE, AGENT_BREAK, "");
        break;
    case MSG_agent_logout:
        if (agent[MINE].state == AGENT_WRAPUP) {
            reply.result = RESULT_REFUSED;
            reply.text = text_of("dispose your last call first");
        } else {
            move_agent(MINE, AGENT_OFFLINE, "");
        }
        break;
    case MSG_set_status: {
        char reason[64];
        snprintf(reason, sizeof reason, "%.*s", (int)status->reason.len, status->reason.ptr);
        if (agent[MINE].state == AGENT_BUSY || agent[MINE].state == AGENT_WRAPUP) {
            my_next = status->state;
            memcpy(my_next_reason, reason, sizeof reason);
            move_agent(MINE, agent[MINE].state, "");
            break;
        }
        move_agent(MINE, (enum agent_state)status->state, reason);
        break;
    }
    case MSG_dial:
        on_dial(((const struct msg_dial *)msg)->number);
        break;
    case MSG_choose_lead:
        if (!on_choose(msg)) {
            reply.result = RESULT_CONFLICT;
            reply.text = text_of("that lead is in another call");
        }
        break;
    case MSG_hang_up:
        my_call(ATTEMPT_ENDED);
        ended = true;
        move_agent(MINE, AGENT_WRAPUP, "");
        break;
    case MSG_set_disposition:
        end_wrapup();
        break;
    default:
        break;
    }
    /* All of these begin with client and request. */
    reply.client = status->client;
    reply.request = status->request;
    fake_post(MSG_reply, &reply);
}

static void explain(void)
{
    const struct msg_explain_campaign *m = fake_sent(MSG_explain_campaign, NULL);
    const struct msg_reply reply = {
        .client = m->client,
        .request = m->request,
        .result = RESULT_OK,
        .json = T("{\"why\":\"enough calls are in flight for the agents available\","
                  "\"agents\":10,\"available\":3,\"aimed_at\":7,\"may_leave_now\":0,"
                  "\"refused\":{\"outside_hours\":12,\"do_not_call\":2}}")};

    fake_post(MSG_reply, &reply);
}

static void answer_requests(void)
{
    static const uint16_t types[] = {MSG_agent_login, MSG_agent_logout,    MSG_set_status, MSG_dial,
                                     MSG_hang_up,     MSG_set_disposition, MSG_choose_lead};

    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (fake_has_sent(types[i])) {
            on_request(types[i], fake_sent(types[i], NULL));
        }
    }
    if (fake_has_sent(MSG_explain_campaign)) {
        explain();
    }
}

/* --- the stage -------------------------------------------------------------------------------- */

static void link_for(enum role role, uint64_t who, const char *name, const char *end)
{
    const struct msg_ticket_ask ask_msg = {.client = 1,
                                           .request = 1,
                                           .reply_to = ADDR_CTL,
                                           .agent = who,
                                           .account = 1,
                                           .role = (uint8_t)role,
                                           .name = T("Nia Berg"),
                                           .link = true,
                                           .valid_s = 3600};
    const struct msg_reply *reply;

    fake_post(MSG_ticket_ask, &ask_msg);
    reply = fake_sent(MSG_reply, NULL);
    /* {"agent":7,"ticket":"..."} */
    static const char key[] = "\"ticket\":\"";
    const char *at = memmem(reply->json.ptr, reply->json.len, key, sizeof key - 1);

    printf("\"%s\":\"%.43s\"%s", name, at ? at + sizeof key - 1 : "", end);
}

static void set_up(void)
{
    static const struct {
        const char *code, *name;
        bool callback;
    } codes[] = {{"sale", "Sale", false},
                 {"no_interest", "Not interested", false},
                 {"callback", "Call back", true},
                 {"wrong", "Wrong number", false},
                 {"dnc", "Do not call", false}};
    const struct msg_readiness store = {.name = T("store"), .ready = true};
    const struct msg_view_pbx pbx = {.pbx = 1, .name = T("pbx-east"), .state = PBX_UP};
    const struct msg_daemon_mode mode = {.mode = DAEMON_RUN,
                                         .cause = REASON_store_away,
                                         .text = text_of("the store cannot take the claim"),
                                         .since_wall_ms = wall()};
    const struct msg_alarm_moved alarm = {.kind = ALARM_store_away,
                                          .code = text_of("DLR-STORE-AWAY"),
                                          .subject = text_of(""),
                                          .text = text_of("connection refused"),
                                          .stands = true,
                                          .started_wall_ms = wall()};

    for (unsigned i = 1; i <= AGENTS; i++) {
        move_agent(i, i == MINE ? AGENT_OFFLINE : (enum agent_state)(2 + i % 4), "");
        agent[i].since -= (int64_t)rng_below(&rng, 90000);
    }
    for (unsigned i = 0; i < CALLS; i++) {
        call[i].number = ++calls_made;
        move_call(i, ATTEMPT_RINGING);
    }
    for (unsigned i = 0; i < sizeof codes / sizeof *codes; i++) {
        const struct msg_view_disposition m = {.code = text_of(codes[i].code),
                                               .name = text_of(codes[i].name),
                                               .position = (uint16_t)(i + 1),
                                               .callback = codes[i].callback,
                                               .active = true};
        fake_post(MSG_view_disposition, &m);
    }
    fake_post(MSG_readiness, &store);
    fake_post(MSG_view_pbx, &pbx);
    fake_post(MSG_daemon_mode, &mode);
    fake_post(MSG_alarm_moved, &alarm);
}

static void on_turn(void *ctx)
{
    struct net_timer **timer = ctx;

    net_timer_set(*timer, 100 * US_PER_MS);
    answer_requests();
    move_on();
}

/* A byte: the wrap-up's time is over. The end: that of the stage. */
static void on_input(void *ctx, int fd, unsigned events)
{
    char byte;

    (void)ctx;
    (void)events;
    if (read(fd, &byte, 1) <= 0) {
        net_loop_stop(loop);
    } else {
        end_wrapup();
    }
}

int main(void)
{
    struct net_timer *timer = NULL;
    struct net_watch *watch;

    setup_web(NULL);
    set_up();
    printf("{\"url\":\"http://127.0.0.1:%u\",", web_port(web));
    link_for(ROLE_SUPERVISOR, 0, "supervisor", ",");
    link_for(ROLE_SUPERVISOR, 0, "second", ",");
    link_for(ROLE_AGENT, MINE, "agent", "}\n");
    fflush(stdout);
    timer = net_timer_new(loop, on_turn, &timer);
    watch = net_watch_new(loop, STDIN_FILENO, NET_READ, on_input, NULL);
    net_timer_set(timer, 0);
    net_loop_run(loop);
    net_watch_free(watch);
    net_timer_free(timer);
    teardown_web(NULL);
    return 0;
}
