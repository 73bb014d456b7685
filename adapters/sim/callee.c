#include "adapters/sim/callee.h"
#include "adapters/sim/mem.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FINAL_DELAY_MS = 50,
    DTMF_START_MS = 1060,
    DTMF_GAP_MS = 267,
    INFO_START_MS = 1000,
    HOLD_MS = 1000,
    REFER_MS = 1000
};

static void add(struct far_end *far, uint32_t at_ms, enum far_kind kind, int32_t arg)
{
    if (far->steps == FAR_STEPS)
        return;
    unsigned i = far->steps++;
    for (; i > 0 && far->step[i - 1].at_ms > at_ms; i--)
        far->step[i] = far->step[i - 1];
    far->step[i] = (struct far_step){.at_ms = at_ms, .kind = kind, .arg = arg};
}

struct script {
    struct far_end *far;
    uint32_t now;      // the last step before the answer
    uint32_t answered; // when
    bool final_delay;  // f was given
};

static bool word_step(struct script *s, char verb, const char *arg)
{
    static const char *const voices[] = {"silence", "none", "human", "machine"};
    struct far_end *far = s->far;
    if (verb == 'v') {
        for (int i = 0; i < 4; i++)
            if (strcmp(arg, voices[i]) == 0)
                far->voice = (enum far_voice)i;
        return true;
    }
    if (verb == 't') {
        snprintf(far->redirect, sizeof far->redirect, "%s", arg);
        return arg[0] != '\0';
    }
    if (verb == 'd' || verb == 'i') {
        uint32_t at = s->answered + (verb == 'd' ? DTMF_START_MS : INFO_START_MS);
        for (; *arg != '\0'; arg++, at += DTMF_GAP_MS) {
            if (strchr("0123456789ABCD*#", *arg) == NULL)
                return false;
            add(far, at, FAR_DTMF, *arg + (verb == 'i' ? 256 : 0));
        }
        return true;
    }
    return false;
}

static bool number_step(struct script *s, char verb, uint32_t n)
{
    struct far_end *far = s->far;
    switch (verb) {
    case 'r':
    case 'e':
        s->now += n;
        add(far, s->now, verb == 'r' ? FAR_RING : FAR_PROGRESS, 0);
        return true;
    case 'a':
        s->now += n;
        s->answered = s->now;
        add(far, s->now, FAR_ANSWER, 0);
        return true;
    case 'f':
        s->now += n;
        s->final_delay = true;
        return true;
    case 'q':
        s->now += n;
        return true;
    case 'c':
        if (n < 300 || n > 699)
            return false;
        add(far, s->now + (s->final_delay ? 0 : FINAL_DELAY_MS), FAR_FINAL, (int32_t)n);
        return true;
    case 'h':
        add(far, s->answered + n, FAR_BYE, -1);
        return true;
    case 'H':
        for (int i = 0; i < far->steps; i++)
            if (far->step[i].kind == FAR_BYE)
                far->step[i].arg = (int32_t)n;
        return true;
    case 'o':
        add(far, s->answered + n, FAR_HOLD, 0);
        add(far, s->answered + n + HOLD_MS, FAR_UNHOLD, 0);
        return true;
    case 'p':
        add(far, s->answered + REFER_MS, FAR_REFER, (int32_t)n);
        return true;
    case 'y':
        far->refer_code = (uint16_t)n;
        return true;
    case 'R':
        return true; // a Reason header in a final response: Asterisk ignores it
    default:
        return false;
    }
}

static bool bare_step(struct script *s, char verb)
{
    switch (verb) {
    case 's':
        s->far->silent = true;
        return true;
    case 'n': // rings on
    case 'N': // its BYE is never answered: nothing that ARI shows
        return true;
    case 'x': // answers only when it is cancelled
        s->far->late = true;
        if (s->far->steps > 0 && s->far->step[s->far->steps - 1].kind == FAR_ANSWER)
            s->far->steps--;
        return true;
    default:
        return false;
    }
}

static bool script_step(struct script *s, const char *part)
{
    char verb = part[0];
    const char *arg = part + 1;
    if (*arg == '\0')
        return bare_step(s, verb);
    if (strchr("vtdi", verb) != NULL)
        return word_step(s, verb, arg);
    char *end;
    unsigned long n = strtoul(arg, &end, 10);
    if (!isdigit((unsigned char)*arg) || n > 86400000)
        return false;
    if (verb == 'y' &&
        *end == '.') { // y202.486: the NOTIFY's result, which ARI does not show either
        end += strspn(end, ".0123456789");
    } else if (verb == 'y' && n == 202) {
        s->far->refer_stuck = true;
    }
    return *end == '\0' && number_step(s, verb, (uint32_t)n);
}

int far_parse(struct far_end *far, const char *user)
{
    char copy[160];
    if (strlen(user) >= sizeof copy || !isalpha((unsigned char)user[0]))
        return -1;
    mem_copy(copy, sizeof copy, user);
    *far = (struct far_end){.voice = VOICE_SILENT, .fate = "script"};
    struct script s = {.far = far};
    char *rest = copy;
    for (char *part = strsep(&rest, "-"); part != NULL; part = strsep(&rest, "-"))
        if (part[0] == '\0' || !script_step(&s, part))
            return -1;
    return 0;
}

void far_phone(struct far_end *far, uint32_t answer_ms)
{
    *far = (struct far_end){.voice = VOICE_HUMAN, .fate = "phone"};
    if (answer_ms > 0)
        add(far, 1, FAR_RING, 0);
    add(far, answer_ms > 0 ? answer_ms : 1, FAR_ANSWER, 0);
}

void population_default(struct population *p)
{
    *p = (struct population){
        .human = 0.30,
        .machine = 0.12,
        .no_answer = 0.40,
        .busy = 0.08,
        .bad = 0.07,
        .congestion = 0.03,
        .setup = {DIST_LOGNORMAL, 0.4, 0.5},
        .ring = {DIST_LOGNORMAL, 8, 0.6},
        .talk = {DIST_LOGNORMAL, 90, 0.8},
        .machine_talk = {DIST_CONSTANT, 20, 0},
    };
}

static const char *dist_check(const struct dist *d)
{
    return d->mean >= 0 && d->mean <= 86400 && d->spread >= 0 && d->spread <= 20
               ? NULL
               : "a time is out of range";
}

const char *population_check(const struct population *p)
{
    const double *share = &p->human;
    double sum = 0;
    for (int i = 0; i < 6; i++) {
        if (!(share[i] >= 0 && share[i] <= 1))
            return "a share is not between 0 and 1";
        sum += share[i];
    }
    if (sum > 1.000001)
        return "the shares add up to more than 1";
    const struct dist *dists[] = {&p->setup, &p->ring, &p->talk, &p->machine_talk};
    for (size_t i = 0; i < 4; i++)
        if (dist_check(dists[i]) != NULL)
            return dist_check(dists[i]);
    return NULL;
}

int dist_parse(struct dist *d, const char *text)
{
    static const char *const names[] = {"constant:", "exponential:", "lognormal:"};
    for (int i = 0; i < 3; i++) {
        if (strncmp(text, names[i], strlen(names[i])) != 0)
            continue;
        char *end;
        struct dist read = {.kind = (enum dist_kind)i};
        read.mean = strtod(text + strlen(names[i]), &end);
        if (i == DIST_LOGNORMAL) {
            if (*end != ',')
                return -1;
            read.spread = strtod(end + 1, &end);
        }
        if (*end != '\0' || dist_check(&read) != NULL)
            return -1;
        *d = read;
        return 0;
    }
    return -1;
}

// splitmix64: one state, well mixed from the first draw on, which a hash of (seed, number, ordinal)
// needs.
static uint64_t draw(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static double unit(uint64_t *state)
{
    return ((double)(draw(state) >> 11) + 0.5) / 9007199254740992.0;
}

static uint32_t draw_ms(const struct dist *d, uint64_t *state)
{
    double seconds = d->mean;
    double u = unit(state),
           v = unit(state); // always two, so that one setting does not shift the next draw
    if (d->kind == DIST_EXPONENTIAL) {
        seconds = -d->mean * log(u);
    } else if (d->kind == DIST_LOGNORMAL && d->mean > 0) {
        double sigma2 = log(1 + d->spread * d->spread);
        double normal = sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
        seconds = exp(log(d->mean) - sigma2 / 2 + sqrt(sigma2) * normal);
    }
    return seconds > 86400 ? 86400000u : (uint32_t)(seconds * 1000);
}

void far_draw(struct far_end *far, const struct population *p, uint64_t seed, const char *number,
              uint32_t ordinal)
{
    uint64_t state = seed * 0x2545f4914f6cdd1du + ordinal;
    for (const char *c = number; *c != '\0'; c++)
        state = (state ^ (unsigned char)*c) * 0x100000001b3u;
    *far = (struct far_end){.voice = VOICE_SILENT};
    double u = unit(&state);
    uint32_t setup = draw_ms(&p->setup, &state);
    uint32_t ring = draw_ms(&p->ring, &state);
    uint32_t talk = draw_ms(&p->talk, &state);
    uint32_t machine_talk = draw_ms(&p->machine_talk, &state);
    if (u < p->human + p->machine) {
        bool human = u < p->human;
        far->fate = human ? "human" : "machine";
        far->voice = human ? VOICE_HUMAN : VOICE_MACHINE;
        add(far, setup, FAR_RING, 0);
        add(far, setup + ring, FAR_ANSWER, 0);
        add(far, setup + ring + (human ? talk : machine_talk), FAR_BYE, -1);
        return;
    }
    u -= p->human + p->machine;
    const struct {
        double share;
        int code;
        const char *fate;
    } refusals[] = {
        {p->busy, 486, "busy"}, {p->bad, 404, "bad_number"}, {p->congestion, 503, "congestion"}};
    for (size_t i = 0; i < 3; u -= refusals[i].share, i++) {
        if (u < refusals[i].share) {
            far->fate = refusals[i].fate;
            add(far, setup, FAR_FINAL, refusals[i].code);
            return;
        }
    }
    far->fate = "no_answer";
    add(far, setup, FAR_RING, 0);
}
