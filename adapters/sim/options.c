// Everything that can be set has one name, in the config file ("trunk": [...]) and on the command
// line (--trunk), and one parser that takes it as text: so the two cannot drift apart.
#include "adapters/sim/options.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/sim/mem.h"

enum { FILE_MAX = 1 << 20 };

const char options_help[] =
    "ari-sim: a simulated Asterisk with a carrier and people behind it\n"
    "  --config FILE       JSON object of the names below without their dashes; a list repeats a "
    "name\n"
    "  --port N            ARI's port on 127.0.0.1 (0: a free one, printed)\n"
    "  --control-port N    port of the control channel (0: a free one, printed; -1: none)\n"
    "  --control-unix PATH control channel on a unix socket instead\n"
    "  --witness FILE      append one JSON line for each originate, answer, bridge change, "
    "message, end\n"
    "  --seed N            every fate follows from it\n"
    "  --user NAME:FILE[:ro]   a user; FILE's first line is the password\n"
    "  --trunk NAME[,cps=N][,lines=N][,down][,silent][,redirect=user|uri_core|uri_pjsip]\n"
    "  --phones NAME*[,answer=MS][,refuse=SIPCODE][,unregistered][,no-transfer]   endpoints that "
    "are agents' "
    "phones\n"
    "  --context NAME      a dialplan context holding the customers' plan\n"
    "  --app NAME          the application that plan enters\n"
    "  --sound NAME=SECONDS\n"
    "  --human S --machine S --no-answer S --busy S --bad S --congestion S   shares of the "
    "population\n"
    "  --setup D --ring D --talk D --machine-talk D   constant:S | exponential:S | lognormal:S,CV\n"
    "  --scripts on|off    user parts such as r100-a400-h1500 say what the far end does\n"
    "  --exact-ids on|off  the other channel storage: no prefix collisions\n"
    "  --early-events S    share of originates whose first event precedes their answer\n"
    "  --cost on|off       requests take as long as on a real server; --cores N of it\n"
    "  --setup-us N --hangup-us N   latencies of the switch\n"
    "  --sessions N        connections at a time\n"
    "  --write-ms N        a websocket that takes nothing for so long is cut off\n"
    "  --send-buffer N     bytes of a websocket's kernel buffer\n"
    "  --idle-s N          an idle HTTP connection is closed after\n";

typedef int setter(struct options *o, const char *value);

static int number(const char *text, double low, double high, double *out)
{
    char *end;
    errno = 0;
    double n = strtod(text, &end);
    if (end == text || *end != '\0' || errno != 0 || !(n >= low && n <= high))
        return -1;
    *out = n;
    return 0;
}

static int whole(const char *text, long low, long high, long *out)
{
    char *end;
    errno = 0;
    long n = strtol(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || n < low || n > high)
        return -1;
    *out = n;
    return 0;
}

static int name(char *to, size_t size, const char *value)
{
    if (value[0] == '\0' || strlen(value) >= size)
        return -1;
    mem_copy(to, size, value);
    return 0;
}

static int on_off(const char *value, bool *out)
{
    *out = strcmp(value, "on") == 0 || strcmp(value, "true") == 0;
    return *out || strcmp(value, "off") == 0 || strcmp(value, "false") == 0 ? 0 : -1;
}

// The first share that is given replaces the whole default population: what is not said is nobody,
// and what is missing to the whole does not answer.
static void first_share(struct options *o)
{
    struct population *p = &o->front.pbx.people;
    if (!o->shares)
        p->human = p->machine = p->no_answer = p->busy = p->bad = p->congestion = 0;
    o->shares = true;
}

#define WHOLE(fn, low, high, target, type)                                                         \
    static int fn(struct options *o, const char *value)                                            \
    {                                                                                              \
        long n;                                                                                    \
        if (whole(value, low, high, &n) != 0)                                                      \
            return -1;                                                                             \
        target = (type)n;                                                                          \
        return 0;                                                                                  \
    }
#define SHARE(fn, target)                                                                          \
    static int fn(struct options *o, const char *value)                                            \
    {                                                                                              \
        first_share(o);                                                                            \
        return number(value, 0, 1, &target);                                                       \
    }
#define DIST(fn, target)                                                                           \
    static int fn(struct options *o, const char *value)                                            \
    {                                                                                              \
        return dist_parse(&target, value);                                                         \
    }
#define FLAG(fn, target)                                                                           \
    static int fn(struct options *o, const char *value)                                            \
    {                                                                                              \
        return on_off(value, &target);                                                             \
    }
#define NAME(fn, target)                                                                           \
    static int fn(struct options *o, const char *value)                                            \
    {                                                                                              \
        return name(target, sizeof target, value);                                                 \
    }

WHOLE(set_port, 0, 65535, o->front.port, uint16_t)
WHOLE(set_control_port, -1, 65535, o->control_port, int)
WHOLE(set_seed, 0, LONG_MAX, o->front.pbx.seed, uint64_t)
WHOLE(set_setup_us, 0, 10000000, o->front.pbx.setup_us, uint32_t)
WHOLE(set_hangup_us, 0, 10000000, o->front.pbx.hangup_us, uint32_t)
WHOLE(set_sessions, 1, 100000, o->front.sessions, unsigned)
WHOLE(set_cores, 1, 16, o->front.cores, unsigned)
WHOLE(set_write_ms, 1, 600000, o->front.write_us, int64_t) // scaled below
WHOLE(set_send_buffer, 0, 1 << 30, o->front.send_buffer, int)
WHOLE(set_idle_s, 1, 86400, o->front.idle_us, int64_t) // scaled below
SHARE(set_human, o->front.pbx.people.human)
SHARE(set_machine, o->front.pbx.people.machine)
SHARE(set_no_answer, o->front.pbx.people.no_answer)
SHARE(set_busy, o->front.pbx.people.busy)
SHARE(set_bad, o->front.pbx.people.bad)
SHARE(set_congestion, o->front.pbx.people.congestion)
DIST(set_setup, o->front.pbx.people.setup)
DIST(set_ring, o->front.pbx.people.ring)
DIST(set_talk, o->front.pbx.people.talk)
DIST(set_machine_talk, o->front.pbx.people.machine_talk)
FLAG(set_scripts, o->front.pbx.scripts)
FLAG(set_exact_ids, o->front.pbx.exact_ids)
FLAG(set_cost, o->front.cost)
NAME(set_witness, o->witness)
NAME(set_control_unix, o->control_unix)
NAME(set_app, o->front.pbx.app)

static int set_early(struct options *o, const char *value)
{
    return number(value, 0, 1, &o->front.pbx.early_events);
}

static int set_write(struct options *o, const char *value)
{
    int bad = set_write_ms(o, value);
    o->front.write_us *= 1000;
    return bad;
}

static int set_idle(struct options *o, const char *value)
{
    int bad = set_idle_s(o, value);
    o->front.idle_us *= 1000000;
    return bad;
}

static int set_context(struct options *o, const char *value)
{
    struct pbx_config *c = &o->front.pbx;
    for (size_t i = 0; i < c->contexts; i++)
        if (strcmp(c->customers[i], value) == 0)
            return 0;
    return c->contexts < PBX_CONTEXTS ? name(c->customers[c->contexts++], PBX_NAME, value) : -1;
}

static int set_sound(struct options *o, const char *value)
{
    struct pbx_config *c = &o->front.pbx;
    const char *eq = strchr(value, '=');
    char sound[PBX_NAME];
    double seconds;
    if (eq == NULL || (size_t)(eq - value) >= sizeof sound ||
        number(eq + 1, 0, 86400, &seconds) != 0)
        return -1;
    memcpy(sound, value, (size_t)(eq - value));
    sound[eq - value] = '\0';
    size_t i = 0;
    while (i < c->sounds && strcmp(c->sound[i].name, sound) != 0)
        i++;
    if (i == PBX_SOUNDS)
        return -1;
    if (i == c->sounds)
        c->sounds++;
    mem_copy(c->sound[i].name, sizeof c->sound[i].name, sound);
    c->sound[i].seconds = seconds;
    return 0;
}

// NAME:FILE[:ro]; the password never stands on the command line.
static int set_user(struct options *o, const char *value)
{
    char copy[512];
    if (strlen(value) >= sizeof copy)
        return -1;
    mem_copy(copy, sizeof copy, value);
    char *file = strchr(copy, ':');
    if (!o->users)
        o->front.users = 0; // the default one is for those who give none
    o->users = true;
    if (file == NULL || o->front.users == FRONT_USERS)
        return -1;
    *file++ = '\0';
    struct front_user *u = &o->front.user[o->front.users];
    char *ro = strstr(file, ":ro");
    u->read_only = ro != NULL && ro[3] == '\0';
    if (u->read_only)
        *ro = '\0';
    FILE *f = fopen(file, "re");
    if (f == NULL)
        return -1;
    char *line = fgets(u->password, sizeof u->password, f);
    fclose(f);
    if (line == NULL || name(u->name, sizeof u->name, copy) != 0)
        return -1;
    u->password[strcspn(u->password, "\r\n")] = '\0';
    o->front.users++;
    return 0;
}

static int trunk_word(struct pbx_trunk *t, const char *word)
{
    static const char *const methods[] = {"redirect=user", "redirect=uri_core",
                                          "redirect=uri_pjsip"};
    double cps;
    long lines;
    for (int i = 0; i < 3; i++) {
        if (strcmp(word, methods[i]) == 0) {
            t->redirect = (enum redirect_method)i;
            return 0;
        }
    }
    if (strcmp(word, "down") == 0)
        t->down = true;
    else if (strcmp(word, "silent") == 0)
        t->silent = true;
    else if (strncmp(word, "cps=", 4) == 0 && number(word + 4, 0, 100000, &cps) == 0)
        t->cps = cps;
    else if (strncmp(word, "lines=", 6) == 0 && whole(word + 6, 0, 1000000, &lines) == 0)
        t->lines = (uint32_t)lines;
    else
        return -1;
    return 0;
}

static int set_trunk(struct options *o, const char *value)
{
    struct pbx_config *c = &o->front.pbx;
    char copy[256];
    if (strlen(value) >= sizeof copy || c->trunks == PBX_TRUNKS)
        return -1;
    mem_copy(copy, sizeof copy, value);
    struct pbx_trunk t = {.cps = 0};
    char *rest = copy;
    if (name(t.name, sizeof t.name, strsep(&rest, ",")) != 0)
        return -1;
    while (rest != NULL)
        if (trunk_word(&t, strsep(&rest, ",")) != 0)
            return -1;
    for (size_t i = 0; i < c->trunks; i++) {
        if (strcmp(c->trunk[i].name, t.name) == 0) {
            c->trunk[i] = t;
            return 0;
        }
    }
    c->trunk[c->trunks++] = t;
    return 0;
}

static int set_phones(struct options *o, const char *value)
{
    struct pbx_config *c = &o->front.pbx;
    char copy[256];
    if (strlen(value) >= sizeof copy || c->phones == PBX_PHONES)
        return -1;
    mem_copy(copy, sizeof copy, value);
    struct pbx_phone p = {.answer_ms = 200};
    char *rest = copy;
    if (name(p.pattern, sizeof p.pattern, strsep(&rest, ",")) != 0)
        return -1;
    while (rest != NULL) {
        const char *word = strsep(&rest, ",");
        long n;
        if (strcmp(word, "unregistered") == 0)
            p.unregistered = true;
        else if (strcmp(word, "no-transfer") == 0)
            p.no_transfer = true;
        else if (strncmp(word, "answer=", 7) == 0 && whole(word + 7, 0, 86400000, &n) == 0)
            p.answer_ms = (uint32_t)n;
        else if (strncmp(word, "refuse=", 7) == 0 && whole(word + 7, 300, 699, &n) == 0)
            p.refuse = (uint16_t)n;
        else
            return -1;
    }
    c->phone[c->phones++] = p;
    return 0;
}

static const struct {
    const char *name;
    setter *set;
} known[] = {{"port", set_port},
             {"control-port", set_control_port},
             {"control-unix", set_control_unix},
             {"witness", set_witness},
             {"seed", set_seed},
             {"user", set_user},
             {"trunk", set_trunk},
             {"phones", set_phones},
             {"context", set_context},
             {"app", set_app},
             {"sound", set_sound},
             {"human", set_human},
             {"machine", set_machine},
             {"no-answer", set_no_answer},
             {"busy", set_busy},
             {"bad", set_bad},
             {"congestion", set_congestion},
             {"setup", set_setup},
             {"ring", set_ring},
             {"talk", set_talk},
             {"machine-talk", set_machine_talk},
             {"scripts", set_scripts},
             {"exact-ids", set_exact_ids},
             {"early-events", set_early},
             {"cost", set_cost},
             {"cores", set_cores},
             {"setup-us", set_setup_us},
             {"hangup-us", set_hangup_us},
             {"sessions", set_sessions},
             {"write-ms", set_write},
             {"send-buffer", set_send_buffer},
             {"idle-s", set_idle}};

static int apply(struct options *o, const char *where, const char *key, const char *value,
                 char *err, size_t errlen)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(known[i].name, key) != 0)
            continue;
        if (known[i].set(o, value) == 0)
            return 0;
        snprintf(err, errlen, "%s: %s: '%.100s' makes no sense", where, key, value);
        return -1;
    }
    snprintf(err, errlen, "%s: unknown setting '%.100s'", where, key);
    return -1;
}

static int apply_json(struct options *o, const struct json *doc, const char *text, const char *path,
                      json_ref node, const char *key, char *err, size_t errlen)
{
    char value[300];
    struct text raw = json_raw(doc, node, text);
    const char *string = json_str(doc, node, NULL);
    if (string == NULL && raw.len < sizeof value) { // a number or a word, as it was written
        memcpy(value, raw.ptr, raw.len);
        value[raw.len] = '\0';
        string = value;
    }
    return apply(o, path, key, string != NULL ? string : "", err, errlen);
}

static int read_file(struct options *o, const char *path, char *err, size_t errlen)
{
    FILE *f = fopen(path, "re");
    if (f == NULL) {
        snprintf(err, errlen, "%s: %s", path, strerror(errno));
        return -1;
    }
    char *text = mem_new(FILE_MAX);
    size_t len = fread(text, 1, FILE_MAX, f);
    fclose(f);
    struct json doc;
    json_init(&doc, FILE_MAX);
    int bad = 0;
    if (json_parse(&doc, text, len) != 0 || json_type(&doc, JSON_ROOT) != JSON_OBJECT) {
        snprintf(err, errlen, "%s: %s", path, doc.error[0] != '\0' ? doc.error : "not an object");
        bad = -1;
    }
    for (json_ref i = json_first(&doc, JSON_ROOT); bad == 0 && i != JSON_NONE;
         i = json_next(&doc, i)) {
        const char *key = json_key(&doc, i).ptr;
        if (json_type(&doc, i) != JSON_ARRAY) {
            bad = apply_json(o, &doc, text, path, i, key, err, errlen);
            continue;
        }
        for (json_ref j = json_first(&doc, i); bad == 0 && j != JSON_NONE; j = json_next(&doc, j))
            bad = apply_json(o, &doc, text, path, j, key, err, errlen);
    }
    json_free(&doc);
    free(text);
    return bad;
}

int options_read(struct options *o, int argc, char **argv, char *err, size_t errlen)
{
    *o = (struct options){.control_port = -1};
    front_config_default(&o->front);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            o->help = true;
            return 0;
        }
        if (strncmp(argv[i], "--", 2) != 0 || i + 1 == argc) {
            snprintf(err, errlen, "%.100s: expected --name value", argv[i]);
            return -1;
        }
        const char *key = argv[i] + 2, *value = argv[++i];
        int bad = strcmp(key, "config") == 0 ? read_file(o, value, err, errlen)
                                             : apply(o, "command line", key, value, err, errlen);
        if (bad != 0)
            return -1;
    }
    const char *wrong = population_check(&o->front.pbx.people);
    if (wrong != NULL) {
        snprintf(err, errlen, "population: %s", wrong);
        return -1;
    }
    if (o->front.pbx.trunks == 0)
        (void)set_trunk(o, "carrier");
    return 0;
}
