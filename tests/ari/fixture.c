#include "fixture.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct net_loop *loop;
struct pbx *pbx;
struct ari_host host;
struct told told[4096];
unsigned n_told;

static struct secret_key key;
static struct net_http *control;
static pid_t sim_pid;
static char dir[64];
static struct ari_server server;
static char url[64];
static struct {
    const char *name;
    int64_t n;
} counters[64];
static unsigned n_counters;

/* --- what it says --------------------------------------------------------------------------------
 */

static void keep(char *to, size_t size, struct text t)
{
    snprintf(to, size, "%.*s", (int)t.len, t.ptr ? t.ptr : "");
}

/* Reason for length: one case for each message of the contract. */
static void flatten(struct told *t, uint16_t type, const void *msg)
{
#define ID(field) keep(t->id, sizeof t->id, m->field)
#define ID2(field) keep(t->id2, sizeof t->id2, m->field)
    switch (type) {
    case MSG_channel_ringing: {
        const struct msg_channel_ringing *m = msg;
        ID(channel);
        t->yes = m->at_wall_ms > INT64_C(1600000000000);
        break;
    }
    case MSG_channel_answered: {
        const struct msg_channel_answered *m = msg;
        ID(channel);
        t->yes = m->at_wall_ms > INT64_C(1600000000000);
        break;
    }
    case MSG_channel_ended: {
        const struct msg_channel_ended *m = msg;
        ID(channel);
        t->cause = m->cause;
        t->tech_cause = m->tech_cause;
        break;
    }
    case MSG_originate_failed: {
        const struct msg_originate_failed *m = msg;
        ID(channel);
        t->status = m->status;
        t->fate = m->fate;
        t->yes = m->busy;
        keep(t->text, sizeof t->text, m->text);
        break;
    }
    case MSG_bridge_added: {
        const struct msg_bridge_added *m = msg;
        ID(bridge);
        ID2(channel);
        t->status = m->status;
        break;
    }
    case MSG_muted: {
        const struct msg_muted *m = msg;
        ID(channel);
        t->status = m->status;
        t->yes = m->on;
        break;
    }
    case MSG_dtmf_sent: {
        const struct msg_dtmf_sent *m = msg;
        ID(channel);
        t->status = m->status;
        t->n1 = (unsigned)m->client;
        t->n2 = (unsigned)m->request;
        break;
    }
    case MSG_playback_over: {
        const struct msg_playback_over *m = msg;
        ID(channel);
        ID2(playback);
        t->yes = m->ok;
        break;
    }
    case MSG_digit: {
        const struct msg_digit *m = msg;
        ID(channel);
        ID2(digit);
        break;
    }
    case MSG_pbx_moved: {
        const struct msg_pbx_moved *m = msg;
        t->state = m->state;
        t->yes = m->restarted;
        keep(t->text, sizeof t->text, m->text);
        break;
    }
    case MSG_channel_found: {
        const struct msg_channel_found *m = msg;
        ID(channel);
        ID2(bridge);
        t->yes = m->up;
        t->yes2 = m->in_app;
        break;
    }
    case MSG_pbx_listed: {
        const struct msg_pbx_listed *m = msg;
        t->n1 = m->channels;
        t->n2 = m->foreign;
        break;
    }
    case MSG_endpoint_state: {
        const struct msg_endpoint_state *m = msg;
        ID(endpoint);
        t->yes = m->online;
        break;
    }
    case MSG_sound_checked: {
        const struct msg_sound_checked *m = msg;
        ID(media);
        t->yes = m->present;
        t->state = m->result;
        break;
    }
    default:
        fail_msg("message %u", type);
    }
}

static void host_send(void *ctx, handle to, uint16_t type, const void *msg)
{
    (void)ctx;
    assert_true(n_told < sizeof told / sizeof told[0]);
    struct told *t = &told[n_told++];
    *t = (struct told){.type = type, .to = to};
    flatten(t, type, msg);
}

static void host_count(void *ctx, const char *name, const char *label, uint32_t number, int64_t add)
{
    (void)ctx;
    (void)label;
    (void)number;
    unsigned i = 0;
    while (i < n_counters && strcmp(counters[i].name, name) != 0) {
        i++;
    }
    assert_true(i < sizeof counters / sizeof counters[0]);
    if (i == n_counters) {
        counters[n_counters++].n = 0;
        counters[i].name = name; /* of static life */
    }
    counters[i].n += add;
}

int64_t counted(const char *name)
{
    for (unsigned i = 0; i < n_counters; i++) {
        if (strcmp(counters[i].name, name) == 0) {
            return counters[i].n;
        }
    }
    return 0;
}

static void host_log(void *ctx, int level, const char *code, const char *line)
{
    (void)ctx;
    if (getenv("ARI_TEST_LOG")) {
        print_message("# %d %s %s\n", level, code, line);
    }
}

const struct told *find(uint16_t type, const char *id, unsigned nth)
{
    for (unsigned i = 0; i < n_told; i++) {
        if (told[i].type == type && (!id[0] || strcmp(told[i].id, id) == 0) && nth-- == 0) {
            return &told[i];
        }
    }
    return NULL;
}

unsigned count_of(uint16_t type, const char *id)
{
    unsigned n = 0;
    while (find(type, id, n)) {
        n++;
    }
    return n;
}

void forget(void)
{
    n_told = 0;
}

void run_for(int64_t us)
{
    int64_t end = net_now_us() + us;
    while (net_now_us() < end) {
        net_loop_run_once(loop, end - net_now_us());
    }
}

/* --- the simulator -------------------------------------------------------------------------------
 */

static void path_of(char *out, size_t size, const char *name)
{
    snprintf(out, size, "%s/%s", dir, name);
}

/* Reads "listening 127.0.0.1:PORT" and "control 127.0.0.1:PORT". */
static bool read_ports(int fd, unsigned *port, unsigned *control_port)
{
    char text[256];
    size_t have = 0;
    while (have < sizeof text - 1) {
        ssize_t n = read(fd, text + have, sizeof text - 1 - have);
        if (n <= 0) {
            return false;
        }
        have += (size_t)n;
        text[have] = '\0';
        const char *a = strstr(text, "listening 127.0.0.1:");
        const char *b = strstr(text, "control 127.0.0.1:");
        if (a && b && text[have - 1] == '\n') {
            *port = (unsigned)strtoul(a + 20, NULL, 10);
            *control_port = (unsigned)strtoul(b + 18, NULL, 10);
            return true;
        }
    }
    return false;
}

static bool spawn_sim(const char *const *arguments, unsigned *port, unsigned *control_port)
{
    const char *program = getenv("ARI_SIM");
    char user[128];
    char witness[96];
    char password[96];
    if (!program) {
        print_message("# ARI_SIM is not set\n");
        return false;
    }
    path_of(password, sizeof password, "password");
    path_of(witness, sizeof witness, "witness");
    FILE *f = fopen(password, "we");
    fputs("secret word\n", f);
    fclose(f);
    snprintf(user, sizeof user, "dialer:%s", password);
    const char *argv[48] = {program,
                            "--port",
                            "0",
                            "--control-port",
                            "0",
                            "--user",
                            user,
                            "--witness",
                            witness,
                            "--app",
                            "dialer",
                            "--context",
                            "customers",
                            "--sound",
                            "dialer/message=1",
                            "--phones",
                            "phone*",
                            "--seed",
                            "1"};
    size_t n = 19;
    for (; *arguments; arguments++) {
        argv[n++] = *arguments;
    }
    int out[2];
    if (pipe(out) != 0) {
        return false;
    }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    posix_spawn_file_actions_addclose(&actions, out[0]);
    union {
        const char **in;
        char *const *out;
    } words = {.in = argv};
    int failed = posix_spawn(&sim_pid, program, &actions, NULL, words.out, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(out[1]);
    bool ok = failed == 0 && read_ports(out[0], port, control_port);
    close(out[0]);
    return ok;
}

struct pbx *another(const struct ari_host *its_host, uint32_t number)
{
    char err[200];
    struct ari_server s = server;
    s.pbx = number;
    struct pbx *p = pbx_open(its_host, &s, err, sizeof err);
    assert_non_null(p);
    pbx_start(p);
    return p;
}

static int64_t observed;

static void host_observe(void *ctx, const char *name, const char *label, uint32_t number,
                         int64_t us)
{
    (void)ctx;
    (void)name;
    (void)label;
    (void)number;
    observed += us;
}

int start(const char *const *arguments)
{
    char err[200] = "";
    unsigned port = 0;
    unsigned control_port = 0;
    n_told = 0;
    n_counters = 0;
    snprintf(dir, sizeof dir, "/tmp/ari-test-XXXXXX");
    if (!mkdtemp(dir) || secret_init() != 0 || !spawn_sim(arguments, &port, &control_port)) {
        return -1;
    }
    secret_key_new(&key);
    loop = net_loop_open(NULL, err, sizeof err);
    const struct net_http_config config = {.host = "127.0.0.1", .port = (uint16_t)control_port};
    control = loop ? net_http_open(loop, &config, err, sizeof err) : NULL;
    snprintf(url, sizeof url, "http://127.0.0.1:%u/ari/", port);
    server = (struct ari_server){.pbx = 3,
                                 .name = "sim",
                                 .url = url,
                                 .user = "dialer",
                                 .password = "secret word",
                                 .application = "dialer"};
    host = (struct ari_host){.loop = loop,
                             .permits = &key,
                             .node = 0x3fa1,
                             .send = host_send,
                             .count = host_count,
                             .observe = host_observe,
                             .log = host_log};
    pbx = control ? pbx_open(&host, &server, err, sizeof err) : NULL;
    if (!pbx) {
        print_message("# %s\n", err);
        return -1;
    }
    pbx_start(pbx);
    run_until(link_state(&pbx->link) == LINK_UP);
    return 0;
}

int setup(void **state)
{
    (void)state;
    static const char *const arguments[] = {"--trunk",
                                            "carrier",
                                            "--machine",
                                            "0",
                                            "--no-answer",
                                            "0",
                                            "--busy",
                                            "0",
                                            "--bad",
                                            "0",
                                            "--congestion",
                                            "0",
                                            "--human",
                                            "1",
                                            "--setup",
                                            "constant:0.02",
                                            "--ring",
                                            "constant:0.1",
                                            "--talk",
                                            "constant:60",
                                            NULL};
    return start(arguments);
}

int teardown(void **state)
{
    (void)state;
    char path[96];
    pbx_close(pbx);
    pbx = NULL;
    net_loop_close(loop);
    loop = NULL;
    if (sim_pid > 0) {
        kill(sim_pid, SIGTERM);
        waitpid(sim_pid, NULL, 0);
        sim_pid = 0;
    }
    path_of(path, sizeof path, "password");
    unlink(path);
    path_of(path, sizeof path, "witness");
    unlink(path);
    rmdir(dir);
    return 0;
}

static int control_status;

static void on_control(void *ctx, const struct net_http_result *r)
{
    (void)ctx;
    control_status = r->fate == NET_ANSWERED ? r->status : -1;
}

void sim(const char *order)
{
    char target[256];
    snprintf(target, sizeof target, "/sim/%s", order);
    const struct net_http_call call = {.method = "POST", .target = target, .on_done = on_control};
    control_status = 0;
    assert_int_equal(net_http_send(control, &call), NET_OK);
    run_until(control_status != 0);
    if (control_status < 200 || control_status > 299) {
        fail_msg("%s: %d", order, control_status);
    }
}

unsigned witnessed(const char *text)
{
    char path[96];
    char line[2048];
    unsigned n = 0;
    path_of(path, sizeof path, "witness");
    FILE *f = fopen(path, "re");
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        n += strstr(line, text) ? 1u : 0u;
    }
    fclose(f);
    return n;
}

/* --- commands ----------------------------------------------------------------------------------
 */

static struct text words(const char *s)
{
    return (struct text){s, (uint32_t)strlen(s)};
}

const char *call_id(unsigned n)
{
    static char ids[8][ID_SIZE];
    static unsigned next;
    char *id = ids[next++ % 8];
    snprintf(id, ID_SIZE, "att-3fa1-00000007-00000001-%08x", n);
    return id;
}

const char *leg_id(unsigned n)
{
    static char ids[8][ID_SIZE];
    static unsigned next;
    char *id = ids[next++ % 8];
    snprintf(id, ID_SIZE, "leg-3fa1-00000009-00000001-%08x", n);
    return id;
}

static int64_t good_until_us; /* of originates; 0 for ever */

void originate_to(unsigned n, const char *number, const char *endpoint, uint64_t permit)
{
    const struct msg_originate_call m = {
        .attempt = words(call_id(n)),
        .permit = permit,
        .pbx = 3,
        .endpoint = words(endpoint),
        .number = words(number),
        .context = words("customers,s"),
        .caller_id = words("+12125550100"),
        .message = words("dialer/message"),
        .ring_s = 20,
        .until_us = good_until_us,
    };
    pbx_take(pbx, named(KIND_CAMPAIGN, 7), MSG_originate_call, &m);
    pbx_pump(pbx);
}

void originate(unsigned n)
{
    char number[32];
    char endpoint[64];
    snprintf(number, sizeof number, "+1%03u55501%02u", 201 + n / 100, n % 100);
    snprintf(endpoint, sizeof endpoint, "PJSIP/%s@carrier", number + 1);
    originate_to(n, number, endpoint, secret_permit(&key, words(call_id(n)), words(number)));
}

void originate_until(unsigned n, int64_t until_us)
{
    good_until_us = until_us;
    originate(n);
    good_until_us = 0;
}

void originate_leg(unsigned n, const char *endpoint)
{
    originate_leg_with(n, endpoint, secret_permit(&key, words(leg_id(n)), words(endpoint)));
}

void originate_leg_with(unsigned n, const char *endpoint, uint64_t permit)
{
    const struct msg_originate_leg m = {
        .leg = words(leg_id(n)),
        .permit = permit,
        .pbx = 3,
        .endpoint = words(endpoint),
        .ring_s = 20,
    };
    pbx_take(pbx, named(KIND_AGENT, 9), MSG_originate_leg, &m);
    pbx_pump(pbx);
}

void hang_up(const char *channel)
{
    const struct msg_hangup m = {.pbx = 3, .channel = words(channel)};
    pbx_take(pbx, named(KIND_CAMPAIGN, 7), MSG_hangup, &m);
    pbx_pump(pbx);
}

void bridge(const char *id, const char *one, const char *two)
{
    const struct msg_bridge_create create = {.pbx = 3, .bridge = words(id)};
    const struct msg_bridge_add add = {.pbx = 3,
                                       .bridge = words(id),
                                       .channel = words(one),
                                       .channel2 = words(two),
                                       .reply_to = named(KIND_CAMPAIGN, 7)};
    pbx_take(pbx, named(KIND_CAMPAIGN, 7), MSG_bridge_create, &create);
    pbx_take(pbx, named(KIND_CAMPAIGN, 7), MSG_bridge_add, &add);
    pbx_pump(pbx);
}
