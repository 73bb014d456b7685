// Bridges: members, moves, the technology that Asterisk would choose.
#include <stdlib.h>
#include <string.h>

#include "adapters/sim/media.h"

struct bridge *bridge_find(const struct pbx *pbx, const char *id)
{
    // node is the first member of its bridge
    return (struct bridge *)(void *)idtree_find(&pbx->bridge_ids, id);
}

static bool has_word(const char *list, const char *word)
{
    size_t len = strlen(word);
    for (const char *at = strstr(list, word); at != NULL; at = strstr(at + 1, word))
        if ((at == list || at[-1] == ',') && (at[len] == '\0' || at[len] == ','))
            return true;
    return false;
}

struct bridge *bridge_new(struct pbx *pbx, const char *id, const char *name, const char *type)
{
    char made[40];
    struct bridge *b = mem_new(sizeof *b);
    if (id[0] == '\0') {
        pbx_uuid(pbx, made);
        id = made;
    }
    b->id = mem_str(id);
    b->name = mem_str(name);
    mem_copy(b->type, sizeof b->type, type);
    b->holding = has_word(type, "holding");
    b->dtmf_events = has_word(type, "dtmf_events");
    b->proxy_media = has_word(type, "proxy_media");
    b->created_ms = pbx_wall_ms(pbx);
    b->node.key = b->id;
    idtree_insert(&pbx->bridge_ids, &b->node);
    b->next = pbx->bridges;
    if (b->next != NULL)
        b->next->prev = b;
    pbx->bridges = b;
    witness_word(pbx, "bridge_created", "", "bridge", b->id);
    return b;
}

void bridge_free(struct bridge *b, struct pbx *pbx)
{
    while (b->members != NULL) {
        struct chan *c = b->members;
        b->members = c->bridge_next;
        c->bridge = NULL;
        c->bridge_next = NULL;
    }
    idtree_remove(&pbx->bridge_ids, &b->node);
    if (b->next != NULL)
        b->next->prev = b->prev;
    if (b->prev != NULL)
        b->prev->next = b->next;
    else
        pbx->bridges = b->next;
    interest_clear(pbx, b->interest);
    witness_word(pbx, "bridge_destroyed", "", "bridge", b->id);
    free(b->id);
    free(b->name);
    free(b);
}

const char *bridge_technology(const struct bridge *b)
{
    if (b->holding)
        return "holding_bridge";
    if (b->soft)
        return "softmix";
    if (b->proxy_media || b->dtmf_events)
        return "simple_bridge";
    return b->native ? "native_rtp" : "simple_bridge";
}

bool bridge_hides_dtmf(const struct bridge *b)
{
    return b != NULL && strcmp(bridge_technology(b), "native_rtp") == 0;
}

// Each change of a two-party bridge tells both sides who the other is, three times over.
void bridge_peers(struct bridge *b)
{
    if (b->count != 2 || b->holding)
        return;
    struct chan *first = b->members, *second = first->bridge_next;
    for (int i = 0; i < 3; i++) {
        struct chan *side[] = {first, second};
        for (int j = 0; j < 2; j++) {
            ev_varset(side[j], "BRIDGEPEER", side[1 - j]->name);
            ev_varset(side[j], "BRIDGEPVTCALLID", side[1 - j]->protocol_id);
        }
    }
}

// The technology changes only after the event about the change: a leave still shows what it was
// with the member.
void bridge_settle(struct bridge *b)
{
    int plain = 0;
    for (const struct chan *c = b->members; c != NULL; c = c->bridge_next)
        plain += c->endpoint != NULL && c->state == CHAN_UP && c->snoops == 0;
    int hidden = (b->playing != NULL) + (b->recording != NULL);
    b->native = b->count == 2 && plain == 2 && hidden == 0;
    b->soft = b->count + hidden > 2;
}

// A leg of a two-party bridge learns the caller id of the other one.
static void connected_line(struct chan *c, const struct chan *peer)
{
    if (strcmp(c->connected_name, peer->caller_name) == 0 &&
        strcmp(c->connected_number, peer->caller_number) == 0 && peer->caller_number[0] == '\0')
        return;
    mem_copy(c->connected_name, sizeof c->connected_name, peer->caller_name);
    mem_copy(c->connected_number, sizeof c->connected_number, peer->caller_number);
}

static void connect_lines(struct bridge *b)
{
    if (b->count != 2 || b->holding)
        return;
    struct chan *first = b->members, *second = first->bridge_next;
    if (first->caller_number[0] == '\0' && second->caller_number[0] == '\0')
        return;
    connected_line(first, second);
    connected_line(second, first);
    ev_plain(first, EV_ChannelConnectedLine);
    ev_plain(second, EV_ChannelConnectedLine);
}

void bridge_enter(struct bridge *b, struct chan *c, bool quiet)
{
    if (c->bridge != NULL)
        bridge_leave(c, true);
    struct chan **at = &b->members;
    while (*at != NULL)
        at = &(*at)->bridge_next;
    *at = c;
    c->bridge = b;
    c->bridged = true;
    b->count++;
    if (c->stasis != NULL)
        interest_add(c->stasis, b->interest);
    witness_bridge(c->pbx, "bridge_enter", c, b);
    ev_bridge_member(c, b, true);
    bridge_settle(b);
    bridge_peers(b);
    if (!quiet)
        connect_lines(b);
}

void bridge_leave(struct chan *c, bool removed)
{
    struct bridge *b = c->bridge;
    struct chan **at = &b->members;
    while (*at != c)
        at = &(*at)->bridge_next;
    *at = c->bridge_next;
    bool paired = b->count > 1;
    b->count--;
    c->bridge = NULL;
    c->bridge_next = NULL;
    if (paired || removed) {
        ev_varset(c, "BRIDGEPEER", "");
        ev_varset(c, "BRIDGEPVTCALLID", "");
    }
    witness_bridge(c->pbx, "bridge_leave", c, b);
    ev_bridge_member(c, b, false);
    if (!b->dissolving) {
        bridge_settle(b);
        bridge_peers(b);
    }
    if (b->count == 0)
        recording_bridge_end(c->pbx, b); // it goes on until the last leg has left
    // An app that joined a bridge through a channel loses it when the channel is taken out, not
    // when it hangs up.
    if (removed && c->stasis != NULL)
        interest_drop(c->stasis, b->interest, false);
}
