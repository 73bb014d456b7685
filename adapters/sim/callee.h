// What the far end of a call does: a list of steps in time. It comes from one of three places: the
// user part of the dial string, in the little language of the recorded transcripts
// ("r100-a400-h1500"); the population, drawn from the seed and the number alone; or an agent's
// phone.
#ifndef SIM_CALLEE_H
#define SIM_CALLEE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum far_kind {
    FAR_RING,     // 180
    FAR_PROGRESS, // 183 with SDP
    FAR_FINAL,    // final response; arg is the SIP code
    FAR_ANSWER,   // 200
    FAR_DTMF,     // arg is the digit; 256 added: by INFO
    FAR_HOLD,     // re-INVITE sendonly
    FAR_UNHOLD,
    FAR_REFER, // the phone transfers the call away
    FAR_BYE    // arg is the Q.850 cause of its Reason header, -1 for none
};

enum far_voice { VOICE_SILENT, VOICE_NONE, VOICE_HUMAN, VOICE_MACHINE };

#define FAR_STEPS 16

struct far_step {
    uint32_t at_ms; // since the INVITE
    enum far_kind kind;
    int32_t arg;
};

struct far_end {
    struct far_step step[FAR_STEPS];
    uint8_t steps;
    enum far_voice voice;
    bool silent;         // answers nothing at all
    bool late;           // answers 200 although it was cancelled
    uint16_t refer_code; // how it answers a REFER: 0 means 202 with NOTIFY 200
    bool refer_stuck;    // accepts and never notifies
    char redirect[48];   // 302: the user to go to instead
    const char *fate;    // for the witness: human, machine, no_answer, ...
};

// A user part in the language of the transcripts: 0, or -1 when it is something else (a number).
//   rN 180 after N ms, eN 183, aN 200, fN wait, cNNN final code (50 ms after the last step unless f
//   says otherwise), hN BYE N ms after the answer, HN its Q.850 cause, dDIGITS DTMF from 1 s after
//   the answer, iDIGIT by INFO, oN hold, qN silent for N ms first, s silent, n rings for ever, x
//   answers after a CANCEL, yNNN[.NNN] answer to a REFER, vWORD its voice, tUSER where a 302 leads.
int far_parse(struct far_end *far, const char *user);

enum dist_kind { DIST_CONSTANT, DIST_EXPONENTIAL, DIST_LOGNORMAL };

struct dist {
    enum dist_kind kind;
    double mean;   // seconds
    double spread; // lognormal: coefficient of variation
};

// Shares add up to at most 1; what is missing is no answer.
struct population {
    double human, machine, no_answer, busy, bad, congestion;
    struct dist setup;        // INVITE to 180, or to a final response that comes at once
    struct dist ring;         // 180 to 200, of those who answer
    struct dist talk;         // 200 to BYE, of people
    struct dist machine_talk; // of machines
};

void population_default(struct population *p);
// NULL, or what is wrong with it.
const char *population_check(const struct population *p);
// "constant:0.2", "exponential:30", "lognormal:90,0.8": 0 or -1.
int dist_parse(struct dist *d, const char *text);

// The fate of the ordinal-th call (0 first) to this number: a function of its arguments only.
void far_draw(struct far_end *far, const struct population *p, uint64_t seed, const char *number,
              uint32_t ordinal);

// A phone that rings at once, answers after so long and stays; answer_ms 0 answers without ringing.
void far_phone(struct far_end *far, uint32_t answer_ms);

#endif
