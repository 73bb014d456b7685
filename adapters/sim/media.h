// Playbacks and recordings.
#ifndef SIM_MEDIA_H
#define SIM_MEDIA_H

#include "adapters/sim/model.h"

#define PLAYBACK_MEDIA 16
#define RECORDING_NAME 1024

enum playback_state {
    PLAY_QUEUED,
    PLAY_PLAYING,
    PLAY_PAUSED,
    PLAY_CONTINUING,
    PLAY_DONE,
    PLAY_FAILED
};

struct playback {
    struct playback *next;   // of all
    struct playback *queued; // behind it on the same target
    struct pbx *pbx;
    char *id, *target;
    char language[16];
    char *media[PLAYBACK_MEDIA];
    size_t count, at;
    struct chan *chan; // one of the two
    struct bridge *bridge;
    enum playback_state state;
    bool missing, worked, never;
    int64_t left_us; // while paused
    struct task task;
};

struct playback *playback_find(const struct pbx *pbx, const char *id);
// To be filled with media (at least one, heap strings) and started.
struct playback *playback_new(struct pbx *pbx, const char *id, struct chan *c, struct bridge *b);
void playback_start(struct playback *p);
void playback_stop(struct playback *p);
bool playback_control(struct playback *p, const char *operation); // false: unknown operation
void put_playback(struct json_writer *w, const char *key, const struct playback *p);
double sound_seconds(const struct pbx *pbx, const char *name);

enum recording_state { REC_QUEUED, REC_RECORDING, REC_PAUSED, REC_DONE, REC_FAILED };

struct recording {
    struct recording *next;
    struct pbx *pbx;
    char name[RECORDING_NAME], format[16];
    char target[ID_SIZE + 16];
    struct chan *chan;
    struct bridge *bridge;
    enum recording_state state;
    bool discard;
    char terminate_on; // a digit, '*' '#', 'a' for any, 0 for none
    int max_s;
    int64_t started_us;
    struct task task;
};

struct stored {
    struct stored *next;
    char name[RECORDING_NAME], format[16];
};

struct recording *recording_find(const struct pbx *pbx, const char *name);
bool recording_stored(const struct pbx *pbx, const char *name);
// Started at once; a channel in a bridge fails by event.
void recording_start(struct recording *rec);
void recording_stop(struct recording *rec, bool discard);
void recording_chan_end(struct chan *c);
void recording_bridge_end(struct pbx *pbx, struct bridge *b);
void recordings_forget(struct pbx *pbx);
void put_recording(struct json_writer *w, const char *key, const struct recording *rec);

#endif
