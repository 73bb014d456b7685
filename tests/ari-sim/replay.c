#include "tests/ari-sim/replay_int.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void step(void *ctx);

void replay_differs(struct replay *r, const char *format, ...)
{
    if (r->result.differences++ >= LINES_SHOWN)
        return;
    va_list args;
    va_start(args, format);
    char line[1500];
    int n = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (n > 0 && r->report_len + (size_t)n + 2 < REPORT) {
        memcpy(r->report + r->report_len, line,
               (size_t)n < sizeof line ? (size_t)n : sizeof line - 1);
        r->report_len += (size_t)n < sizeof line ? (size_t)n : sizeof line - 1;
        r->report[r->report_len++] = '\n';
        r->report[r->report_len] = '\0';
    }
}

void replay_soon(struct replay *r)
{
    if (!r->done)
        net_timer_set(r->timer, 0);
}

// --- what came ---

static void remember(struct seen **list, size_t *count, size_t *room, const char *strand,
                     const char *sign, int64_t at)
{
    if (*count == *room) {
        *room = *room > 0 ? 2 * *room : 64;
        *list = realloc(*list, *room * sizeof **list);
    }
    (*list)[(*count)++] = (struct seen){strdup(strand), strdup(sign), at};
}

void replay_map(struct replay *r, const char *from, const char *to)
{
    if (strcmp(from, to) == 0 || r->maps == MAP)
        return;
    r->map_from[r->maps] = strdup(from);
    r->map_to[r->maps++] = strdup(to);
}

// The n-th channel with an id of Asterisk's own is one strand, whatever the id; requests for it are
// mapped.
static void name_auto(struct replay *r, char **list, size_t *count, const struct json *d,
                      json_ref event, char strand[STRAND_MAX])
{
    const char *id = json_str(d, json_path(d, event, "channel.id"), NULL);
    if (id == NULL)
        id = json_str(d, json_path(d, event, "peer.id"), NULL);
    if (id == NULL || !made_up_id(id))
        return;
    size_t i = 0;
    while (i < *count && strcmp(list[i], id) != 0)
        i++;
    if (i == *count && i < MAP) {
        list[(*count)++] = strdup(id);
        if (i < r->autos_wanted && i < r->autos_seen)
            replay_map(r, r->auto_wanted[i], r->auto_seen[i]);
    }
    size_t len = strlen(strand);
    snprintf(strand + len, STRAND_MAX - len, "#%zu", i + 1);
}

static void ws_open(void *ctx, struct net_ws *ws)
{
    struct peer *p = ctx;
    (void)ws;
    p->open = true;
    replay_soon(p->replay);
}

static void ws_message(void *ctx, struct net_ws *ws, const char *text, size_t len)
{
    (void)ws;
    struct peer *p = ctx;
    struct replay *r = p->replay;
    struct json doc;
    char strand[STRAND_MAX], sign[SIGN_MAX];
    json_init(&doc, BODY_MAX);
    if (json_parse(&doc, text, len) != 0)
        replay_differs(r, "a frame that is no JSON: %.100s", text);
    else if (json_is(&doc, json_get(&doc, JSON_ROOT, "type"), "RESTResponse") &&
             r->frames < ANSWERS)
        r->frame[r->frames++] = strndup(text, len);
    else if (event_sign(&doc, JSON_ROOT, strand, sign)) {
        name_auto(r, r->auto_seen, &r->autos_seen, &doc, JSON_ROOT, strand);
        remember(&r->seen, &r->n_seen, &r->seen_room, strand, sign, net_now_us());
    }
    json_free(&doc);
    replay_soon(r);
}

static void ws_close(void *ctx, struct net_ws *ws, const struct net_ws_end *end)
{
    (void)ws;
    struct peer *p = ctx;
    p->ws = NULL;
    p->closed = true;
    p->code = end->code;
    p->http_status = end->http_status;
    replay_soon(p->replay);
}

static const struct net_ws_events ws_events = {
    .on_open = ws_open, .on_message = ws_message, .on_close = ws_close};

static void connect_ws(struct peer *p)
{
    struct replay *r = p->replay;
    struct net_ws_target target = {
        .host = "127.0.0.1", .port = front_port(r->front), .path = p->url};
    const struct net_header *header =
        strstr(p->url, "viewapp") != NULL ? &replay_viewer : &replay_credentials;
    if (!p->plain) {
        target.headers = header;
        target.n_headers = 1;
    }
    struct net_ws_limits limits = {
        .max_message = BODY_MAX, .max_queue = BODY_MAX, .ping_us = -1, .dead_us = -1};
    p->closed = false;
    p->ws = net_ws_connect(r->loop, &target, &limits, &ws_events, p);
}

// --- one line of the transcript after the other ---

// An open gate lets the replay go on; a closed one until it is overdue, so that what is missing is
// found in the end.
static bool gate(struct replay *r, bool open)
{
    int64_t now = net_now_us();
    double at = 0;
    json_double(&r->line, json_get(&r->line, 0, "t"), &at);
    int64_t due = r->zero + (int64_t)(at * 1e6);
    if (open) {
        r->gate_since = 0;
        return true;
    }
    if (r->gate_since == 0)
        r->gate_since = now;
    if (now - (r->gate_since > due ? r->gate_since : due) >
        (r->impatient ? SHORT_GATE_US : GATE_US)) {
        r->impatient = true;
        r->gate_since = 0;
        return true;
    }
    return false;
}

static size_t count_of(const struct seen *list, size_t count, const char *strand, const char *sign)
{
    size_t n = 0, type = strcspn(sign, " ");
    for (size_t i = 0; i < count; i++)
        n += strcmp(list[i].strand, strand) == 0 && strncmp(list[i].sign, sign, type) == 0;
    return n;
}

static bool event_line(struct replay *r, json_ref line)
{
    char strand[STRAND_MAX], sign[SIGN_MAX];
    if (!event_sign(&r->line, json_get(&r->line, line, "event"), strand, sign))
        return true;
    name_auto(r, r->auto_wanted, &r->autos_wanted, &r->line, json_get(&r->line, line, "event"),
              strand);
    size_t before = count_of(r->wanted, r->n_wanted, strand, sign);
    if (!gate(r, count_of(r->seen, r->n_seen, strand, sign) > before))
        return false;
    remember(&r->wanted, &r->n_wanted, &r->wanted_room, strand, sign, 0);
    r->result.events++;
    return true;
}

static bool response_line(struct replay *r, json_ref line)
{
    int64_t n;
    if (json_get(&r->line, line, "frame") != JSON_NONE) {
        if (!gate(r, r->frames > r->frames_wanted))
            return false;
        r->frames_wanted++;
        return true;
    }
    if (!json_int(&r->line, json_get(&r->line, line, "n"), &n) || n < 0 || n >= ANSWERS)
        return true;
    return gate(r, r->answer[n].arrived);
}

static void close_line(struct replay *r, struct peer *p)
{
    if (p->ws == NULL)
        return;
    if (r->aborting)
        net_ws_drop(p->ws);
    else
        net_ws_close(p->ws, NET_WS_NORMAL, "");
}

static bool socket_line(struct replay *r, json_ref line)
{
    const char *what = json_str(&r->line, json_get(&r->line, line, "what"), "");
    const char *tag = json_str(&r->line, json_get(&r->line, line, "tag"), "-");
    struct peer *p = replay_peer(r, tag);
    bool refused = strcmp(what, "refused") == 0;
    if (strcmp(what, "closed") == 0) {
        int64_t code = 0;
        bool by_server =
            json_int(&r->line, json_get(&r->line, line, "code"), &code) && !r->aborting;
        if (p == NULL)
            return true;
        if (by_server) {
            if (!gate(r, p->closed))
                return false;
            if (p->code != code)
                replay_differs(r, "websocket %s closed with %d, wanted %d", tag, p->code,
                               (int)code);
            return true;
        }
        close_line(r, p);
        r->aborting = false;
        return gate(r, p->closed);
    }
    if (p == NULL || !p->wanted) {
        if (r->peers == SOCKETS)
            return true;
        p = &r->peer[r->peers++];
        *p = (struct peer){.replay = r, .wanted = true};
        p->plain = refused || strstr(json_str(&r->line, json_get(&r->line, line, "url"), ""),
                                     "api_key") != NULL;
        snprintf(p->tag, sizeof p->tag, "%s", tag);
        snprintf(p->url, sizeof p->url, "%s",
                 json_str(&r->line, json_get(&r->line, line, "url"), ""));
        p->retry_until = net_now_us() + GATE_US;
        connect_ws(p);
    }
    if (!refused && p->closed && !p->open && net_now_us() < p->retry_until)
        connect_ws(p); // while it boots
    if (!gate(r, refused ? p->closed : p->open))
        return false;
    p->wanted = false;
    if (refused && p->http_status != 401)
        replay_differs(r, "websocket refused with %d, wanted 401", p->http_status);
    if (refused)
        p->tag[0] = '\0';
    return true;
}

static void note_line(struct replay *r, const char *text)
{
    struct pbx *pbx = front_pbx(r->front);
    if (strcmp(text, "command: core stop gracefully") == 0)
        front_end(r->front, FRONT_GRACEFUL, -1);
    else if (strcmp(text, "command: core stop now") == 0)
        front_end(r->front, FRONT_STOP, -1);
    else if (strcmp(text, "SIGKILL") == 0)
        front_end(r->front, FRONT_KILL, -1);
    else if (strncmp(text, "connecting during start", 23) == 0)
        front_end(r->front, FRONT_KILL, -1);
    else if (strncmp(text, "restarted", 9) == 0 || strcmp(text, "starting") == 0)
        front_boot(r->front);
    else if (strcmp(text, "TCP abort") == 0)
        r->aborting = true;
    else if (strcmp(text, "the SIP peer starts to answer OPTIONS") == 0)
        pbx_register(pbx, "carrier-q", true);
    else if (strcmp(text, "the SIP peer stops") == 0)
        pbx_register(pbx, "carrier-q", false);
    front_pump(r->front);
}

// g07, a call that comes in: what the recorded phone did by itself.
static void phone_calls(struct replay *r)
{
    static const struct pbx_call call = {"agent", "", "agent", "inbound", "5551000"};
    if (strncmp(r->name, "g07", 3) == 0)
        pbx_inbound(front_pbx(r->front), &call);
    front_pump(r->front);
}

static void phone_hangs_up(struct replay *r)
{
    if (strncmp(r->name, "g07", 3) == 0 && r->autos_seen == 1)
        pbx_far_hangup(front_pbx(r->front), r->auto_seen[0], -1);
}

// False: not yet; step is called again.
static bool line_done(struct replay *r, const char *text)
{
    const char *dir = json_str(&r->line, json_get(&r->line, 0, "dir"), "");
    double at = 0;
    json_double(&r->line, json_get(&r->line, 0, "t"), &at);
    int64_t due = r->zero + (int64_t)(at * 1e6), now = net_now_us();
    if (strcmp(dir, "req") == 0 || strcmp(dir, "note") == 0 || strcmp(dir, "ws") == 0) {
        if (now < due && r->gate_since == 0) {
            net_timer_set(r->timer, due - now);
            return false;
        }
    }
    bool done = true, phone = false;
    if (strcmp(dir, "req") == 0 && json_get(&r->line, 0, "via") != JSON_NONE)
        replay_send_frame(r, 0, text);
    else if (strcmp(dir, "req") == 0)
        replay_send_http(r, 0, text);
    else if (strcmp(dir, "res") == 0)
        done = response_line(r, 0);
    else if (strcmp(dir, "event") == 0)
        done = event_line(r, 0);
    else if (strcmp(dir, "ws") == 0)
        phone = done = socket_line(r, 0);
    else if (strcmp(dir, "note") == 0)
        note_line(r, json_str(&r->line, json_get(&r->line, 0, "text"), ""));
    if (phone)
        phone_calls(r);
    if (!done) {
        if (now >= due &&
            json_is(&r->line, json_path(&r->line, 0, "event.variable"), "RTPAUDIOQOS"))
            phone_hangs_up(r);
        net_timer_set(r->timer, 2000);
        return false;
    }
    now = net_now_us();
    if (strcmp(dir, "sip") != 0 && now > due) // late: all that follows keeps its distance
        r->zero += now - due;
    return true;
}

static void step(void *ctx)
{
    struct replay *r = ctx;
    while (!r->done && r->cursor < r->t.lines) {
        const struct transcript_line *line = &r->t.line[r->cursor];
        if (json_parse(&r->line, line->text, line->len) == 0 && !line_done(r, line->text))
            return;
        r->cursor++;
        r->end_at = net_now_us();
    }
    if (r->done)
        return;
    if (net_now_us() < r->end_at + TAIL_US) {
        net_timer_set(r->timer, r->end_at + TAIL_US - net_now_us());
        return;
    }
    replay_compare(r);
    r->done = true;
    for (size_t i = 0; i < r->peers; i++)
        if (r->peer[i].ws != NULL)
            net_ws_drop(r->peer[i].ws);
}

// --- making ---

static void configure(struct front_config *c, const char *name)
{
    static const struct pbx_trunk trunks[] = {
        {.name = "carrier"},
        {.name = "carrier-q", .down = true},
        {.name = "carrier-np", .redirect = REDIRECT_URI_PJSIP},
        {.name = "carrier-pjsip", .redirect = REDIRECT_URI_PJSIP},
        {.name = "carrier-core", .redirect = REDIRECT_URI_CORE},
        {.name = "deadtrunk", .silent = true},
        {.name = "deadtrunk-q", .down = true},
        {.name = "unregistered", .down = true},
        {.name = "noaor", .down = true}};
    front_config_default(c);
    c->users = 2;
    c->user[1] = (struct front_user){"viewer", "viewer-secret", true};
    c->pbx.scripts = true;
    c->pbx.exact_ids = strncmp(name, "a50", 3) == 0;
    c->pbx.early_events = 0;
    // As long as the recorded one took at times; in i06 a subscription has to fit in.
    c->pbx.setup_us = strncmp(name, "i06", 3) == 0 ? 25000 : 2500;
    if (strncmp(name, "n05", 3) == 0)
        c->pbx.sounds = 3; // those of the recorded server
    memcpy(c->pbx.trunk, trunks, sizeof trunks);
    c->pbx.trunks = sizeof trunks / sizeof *trunks;
    static const char *const phones[] = {"agent", "agent2", "agent-nt"};
    for (size_t i = 0; i < 3; i++)
        strcpy(c->pbx.phone[i].pattern, phones[i]);
    c->pbx.phones = 3;
    c->pbx.phone[2].no_transfer = true;
}

struct replay *replay_start(struct net_loop *loop, const char *path, const char *name, bool races,
                            int64_t delay_us)
{
    struct replay *r = calloc(1, sizeof *r);
    char err[200];
    if (r == NULL)
        return NULL;
    snprintf(r->name, sizeof r->name, "%s", name);
    r->races = races;
    r->loop = loop;
    r->result.report = r->report;
    json_init(&r->line, BODY_MAX);
    json_init(&r->other, BODY_MAX);
    struct front_config config;
    configure(&config, name);
    if (!transcript_read(&r->t, path)) {
        replay_free(r);
        return NULL;
    }
    config.wall_ms = transcript_wall_ms(&r->t);
    for (size_t i = 0; i < r->t.lines; i++) {
        int64_t n;
        if (json_parse(&r->line, r->t.line[i].text, r->t.line[i].len) == 0 &&
            json_is(&r->line, json_get(&r->line, 0, "dir"), "res") &&
            json_int(&r->line, json_get(&r->line, 0, "n"), &n) && n >= 0 && n < ANSWERS)
            r->answer[n].wanted_line = i + 1;
    }
    r->ledger = ledger_open(NULL);
    r->front = front_open(loop, &config, r->ledger, err, sizeof err);
    r->timer = net_timer_new(loop, step, r);
    r->zero = net_now_us() + delay_us;
    if (r->front == NULL) {
        replay_free(r);
        return NULL;
    }
    net_timer_set(r->timer, delay_us);
    return r;
}

bool replay_done(const struct replay *r)
{
    for (size_t i = 0; i < r->peers; i++)
        if (r->peer[i].ws != NULL)
            return false; // its end is still to be told
    return r->done;
}

struct replay_result replay_result(const struct replay *r)
{
    return r->result;
}

static void free_seen(struct seen *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(list[i].strand);
        free(list[i].sign);
    }
    free(list);
}

// Before the loop is closed, so that nothing of it calls back into a replay that is gone.
void replay_free(struct replay *r)
{
    if (r == NULL)
        return;
    r->done = true;
    for (size_t i = 0; i < POOLS; i++)
        if (r->pool[i] != NULL)
            net_http_close(r->pool[i]);
    front_close(r->front);
    ledger_close(r->ledger);
    net_timer_free(r->timer);
    transcript_free(&r->t);
    json_free(&r->line);
    json_free(&r->other);
    for (size_t i = 0; i < ANSWERS; i++)
        free(r->answer[i].body);
    for (size_t i = 0; i < r->frames; i++)
        free(r->frame[i]);
    for (size_t i = 0; i < r->maps; i++) {
        free(r->map_from[i]);
        free(r->map_to[i]);
    }
    for (size_t i = 0; i < r->autos_wanted; i++)
        free(r->auto_wanted[i]);
    for (size_t i = 0; i < r->autos_seen; i++)
        free(r->auto_seen[i]);
    free_seen(r->seen, r->n_seen);
    free_seen(r->wanted, r->n_wanted);
    free(r);
}
