#include "adapters/sim/control.h"

#include <stdlib.h>
#include <string.h>

#include "adapters/sim/mem.h"

struct control {
    struct net_server *server;
    struct front *front;
};

struct order {
    struct front *front;
    struct pbx *pbx;
    struct text query;
    struct json_writer *out; // a body of its own; unused: {"done": ...}
    bool wrote;
};

static bool word(const struct order *o, const char *name, char *to, size_t size)
{
    return net_query_get(o->query, name, 0, to, size) > 0;
}

static double amount(const struct order *o, const char *name, double other)
{
    char text[64];
    return word(o, name, text, sizeof text) ? strtod(text, NULL) : other;
}

static bool on(const struct order *o)
{
    char text[8];
    return !word(o, "on", text, sizeof text) || strcmp(text, "0") != 0;
}

static bool hangup(struct order *o)
{
    char id[200];
    return word(o, "channel", id, sizeof id) &&
           pbx_far_hangup(o->pbx, id, (int)amount(o, "cause", -1));
}

static bool answer(struct order *o)
{
    char id[200];
    return word(o, "channel", id, sizeof id) && pbx_far_answer(o->pbx, id);
}

static bool dtmf(struct order *o)
{
    char id[200], digits[64];
    return word(o, "channel", id, sizeof id) && word(o, "digits", digits, sizeof digits) &&
           pbx_far_dtmf(o->pbx, id, digits);
}

static bool hold(struct order *o)
{
    char id[200];
    return word(o, "channel", id, sizeof id) && pbx_far_hold(o->pbx, id, on(o));
}

static bool refer(struct order *o)
{
    char id[200], exten[80];
    return word(o, "channel", id, sizeof id) && word(o, "exten", exten, sizeof exten) &&
           pbx_far_refer(o->pbx, id, exten);
}

static bool inbound(struct order *o)
{
    char endpoint[PBX_NAME], id[200] = "", from[80] = "", context[PBX_NAME] = "inbound",
                             exten[80] = "s";
    if (!word(o, "endpoint", endpoint, sizeof endpoint))
        return false;
    (void)word(o, "channel", id, sizeof id);
    (void)word(o, "from", from, sizeof from);
    (void)word(o, "context", context, sizeof context);
    (void)word(o, "exten", exten, sizeof exten);
    struct pbx_call call = {endpoint, id, from, context, exten};
    return pbx_inbound(o->pbx, &call);
}

static bool registration(struct order *o)
{
    char endpoint[PBX_NAME];
    return word(o, "endpoint", endpoint, sizeof endpoint) && pbx_register(o->pbx, endpoint, on(o));
}

static bool trunk(struct order *o)
{
    struct pbx_trunk t = {.cps = amount(o, "cps", 0)};
    t.lines = (uint32_t)amount(o, "lines", 0);
    t.down = amount(o, "down", 0) > 0;
    t.silent = amount(o, "silent", 0) > 0;
    return word(o, "name", t.name, sizeof t.name) && pbx_trunk_set(o->pbx, &t);
}

static bool people(struct order *o)
{
    struct population p = *pbx_people(o->pbx);
    char text[64];
    p.human = amount(o, "human", p.human);
    p.machine = amount(o, "machine", p.machine);
    p.no_answer = amount(o, "no-answer", p.no_answer);
    p.busy = amount(o, "busy", p.busy);
    p.bad = amount(o, "bad", p.bad);
    p.congestion = amount(o, "congestion", p.congestion);
    if ((word(o, "setup", text, sizeof text) && dist_parse(&p.setup, text) != 0) ||
        (word(o, "ring", text, sizeof text) && dist_parse(&p.ring, text) != 0) ||
        (word(o, "talk", text, sizeof text) && dist_parse(&p.talk, text) != 0) ||
        population_check(&p) != NULL)
        return false;
    pbx_people_set(o->pbx, &p);
    return true;
}

static int64_t down_us(const struct order *o)
{
    double ms = amount(o, "down_ms", -1);
    return ms < 0 ? -1 : (int64_t)(ms * 1000);
}

static bool stop(struct order *o)
{
    front_end(o->front, FRONT_STOP, down_us(o));
    return true;
}

static bool stop_gracefully(struct order *o)
{
    front_end(o->front, FRONT_GRACEFUL, down_us(o));
    return true;
}

static bool kill_now(struct order *o)
{
    front_end(o->front, FRONT_KILL, down_us(o));
    return true;
}

static bool boot(struct order *o)
{
    front_boot(o->front);
    return true;
}

static bool stall(struct order *o)
{
    front_stall(o->front, on(o));
    return true;
}

static bool delay(struct order *o)
{
    double ms = amount(o, "ms", 0);
    if (!(ms >= 0 && ms <= 600000))
        return false;
    front_delay(o->front, (int64_t)(ms * 1000));
    return true;
}

static bool swallow(struct order *o)
{
    double n = amount(o, "requests", 1);
    if (!(n >= 0 && n <= 1e6))
        return false;
    front_swallow(o->front, (unsigned)n, amount(o, "carried", 1) > 0);
    return true;
}

static bool storm(struct order *o)
{
    double rate = amount(o, "rate", 0), seconds = amount(o, "seconds", 0);
    if (!(rate >= 0 && rate <= 1e6 && seconds >= 0 && seconds <= 3600))
        return false;
    pbx_storm(o->pbx, rate, (int64_t)(seconds * 1e6));
    return true;
}

static bool drop_sockets(struct order *o)
{
    front_drop_sockets(o->front);
    return true;
}

static bool stats(struct order *o)
{
    front_stats(o->front, o->out);
    o->wrote = true;
    return true;
}

static const struct {
    const char *path;
    bool (*run)(struct order *o);
} orders[] = {{"/sim/hangup", hangup},
              {"/sim/answer", answer},
              {"/sim/dtmf", dtmf},
              {"/sim/hold", hold},
              {"/sim/refer", refer},
              {"/sim/inbound", inbound},
              {"/sim/register", registration},
              {"/sim/trunk", trunk},
              {"/sim/people", people},
              {"/sim/stop", stop},
              {"/sim/stop-gracefully", stop_gracefully},
              {"/sim/kill", kill_now},
              {"/sim/boot", boot},
              {"/sim/stall", stall},
              {"/sim/delay", delay},
              {"/sim/swallow", swallow},
              {"/sim/storm", storm},
              {"/sim/drop-sockets", drop_sockets},
              {"/sim/stats", stats}};

static void on_request(void *ctx, struct net_req *req)
{
    struct control *c = ctx;
    struct text path = net_req_path(req);
    struct json_writer out;
    json_writer_init_heap(&out, 1 << 20);
    struct order o = {
        .front = c->front, .pbx = front_pbx(c->front), .query = net_req_query(req), .out = &out};
    const char *body = "{\"done\":false}";
    int status = 404;
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        if (strlen(orders[i].path) != path.len || strncmp(orders[i].path, path.ptr, path.len) != 0)
            continue;
        front_pump(c->front);
        status = orders[i].run(&o) ? 200 : 409;
        front_pump(c->front);
        if (status == 200)
            body = o.wrote ? json_writer_end(&out, NULL) : "{\"done\":true}";
    }
    net_respond_text(req, body != NULL ? status : 500, "application/json",
                     body != NULL ? body : "{}");
    json_writer_free(&out);
}

struct control *control_open(struct net_loop *loop, struct front *front, uint16_t port,
                             const char *unix_path, char *err, size_t errlen)
{
    static const struct net_server_events events = {.on_request = on_request};
    struct control *c = mem_new(sizeof *c);
    c->front = front;
    struct net_server_config config = {.port = port,
                                       .unix_path = unix_path[0] != '\0' ? unix_path : NULL};
    c->server = net_listen(loop, &config, &events, c, err, errlen);
    if (c->server != NULL)
        return c;
    free(c);
    return NULL;
}

uint16_t control_port(const struct control *c)
{
    return net_server_port(c->server);
}

void control_close(struct control *c)
{
    if (c == NULL)
        return;
    net_server_close(c->server);
    free(c);
}
