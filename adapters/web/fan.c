/*
 * fan.c - what goes out: each client is brought from its number to the board's.
 *
 * Nothing is queued for anyone. A client is a number and a flag "dirty"; when its turn comes and
 * its socket has room, one frame is made from the board as it is then. So states that were
 * overtaken are never sent, a slow reader costs nothing, and resuming is the same walk from a
 * number that the client remembers.
 */
#include "adapters/web/internal.h"

#include "adapters/web/item.h"

#include <string.h>

void fan_dirty(struct client *c)
{
    if (!c->dirty && c->welcome && !c->leaving) {
        c->dirty = true;
        c->next_dirty = c->web->dirty;
        c->web->dirty = c;
    }
}

void fan_person(void *ctx, struct person *p)
{
    struct web *web = ctx;

    if (p->clients != NULL && !p->told && p->status != NULL) {
        client_tell_open(web, p);
    }
    for (struct client *c = p->clients; c != NULL; c = c->next_of_person) {
        fan_dirty(c);
    }
}

/* --- one frame ------------------------------------------------------------------------------ */

static void open_frame(struct json_writer *w, uint64_t after)
{
    json_writer_reset(w);
    json_open_object(w, NULL);
    json_put_str(w, "type", "changes");
    json_put_int(w, "time", web_wall_ms());
    json_put_uint(w, "after", after);
    json_open_array(w, "items");
}

static bool send_frame(struct client *c, uint64_t seq, bool more)
{
    struct web *web = c->web;
    struct json_writer *w = &web->frame;
    size_t len = 0;
    const char *text;

    json_close_array(w);
    json_put_uint(w, "seq", seq);
    json_put_bool(w, "more", more);
    json_close_object(w);
    text = json_writer_end(w, &len);
    if (text == NULL || net_ws_send(c->ws, text, len) != NET_OK) {
        return false;
    }
    web->count.frames++;
    web->count.bytes += len;
    c->sent = seq;
    return true;
}

static void put_record(struct json_writer *w, const struct record *r)
{
    json_put_raw(w, NULL, r->json, r->len);
}

/* The card, which no list has. True if something was written. */
static bool put_pop(struct json_writer *w, struct client *c)
{
    const struct person *p = c->person;

    if (p == NULL || p->pop_seq <= c->pop_sent) {
        return false;
    }
    if (p->pop != NULL) {
        json_put_raw(w, NULL, p->pop, p->pop_len);
    } else if (c->pop_sent > 0) {
        item_gone(w, "pop", NULL);
    }
    c->pop_sent = p->pop_seq;
    return true;
}

/* --- an agent: its four records --------------------------------------------------------------- */

static void put_campaign(struct json_writer *w, struct client *c)
{
    const struct record *r = board_campaign_record(c->web->board, c->person->campaign);

    if (r != NULL && (r->seq > c->campaign_sent || c->campaign != c->person->campaign)) {
        put_record(w, r);
        c->campaign_sent = r->seq;
        c->campaign = c->person->campaign;
    }
}

static void flush_agent(struct client *c)
{
    struct web *web = c->web;
    struct json_writer *w = &web->frame;
    const struct person *p = c->person;
    const uint64_t after = c->sent;
    const struct record *r;

    open_frame(w, after);
    for (size_t i = 0; (r = board_disposition_at(web->board, i)) != NULL; i++) {
        if (r->seq > after) {
            put_record(w, r);
        }
    }
    if (p != NULL) {
        if (p->status != NULL && p->status->seq > after) {
            put_record(w, p->status);
        }
        put_campaign(w, c);
        if (p->call_taken > after && after > 0) {
            item_gone(w, "call", NULL);
        }
        if (p->call != NULL && p->call_seq > after) {
            put_record(w, p->call);
        }
        (void)put_pop(w, c);
    }
    if (send_frame(c, board_seq(web->board), false)) {
        c->whole = false;
    }
}

/* --- everybody else: the tail of the list ------------------------------------------------------
 */

/* One frame; true if more is to come. Others who stand at the same number get the same bytes. */
static bool frame_all(struct client *c)
{
    struct web *web = c->web;
    struct json_writer *w = &web->frame;
    const uint64_t now = board_seq(web->board);
    const bool own = c->whole || (c->person != NULL && c->person->pop_seq > c->pop_sent);
    const struct record *r;
    uint64_t seq = c->sent;
    size_t used = 0;

    if (!own && web->shared && web->shared_after == c->sent && web->shared_seq == now) {
        size_t len = 0;
        const char *text = json_writer_end(w, &len);
        if (text != NULL && net_ws_send(c->ws, text, len) == NET_OK) {
            web->count.frames++;
            web->count.frames_shared++;
            web->count.bytes += len;
            c->sent = now;
        }
        return false;
    }
    web->shared = false;
    open_frame(w, c->sent);
    for (r = board_after(web->board, c->sent); r != NULL; r = r->newer) {
        if (used > 0 && used + r->len > FRAME_MAX) {
            return send_frame(c, seq, true);
        }
        seq = r->seq;
        if (!(c->whole && r->gone)) {
            put_record(w, r);
            used += r->len;
        }
    }
    (void)put_pop(w, c);
    web->shared_after = c->sent;
    if (send_frame(c, now, false)) {
        c->whole = false;
        web->shared = !own;
        web->shared_seq = now;
    }
    return false;
}

/* False: the socket is full, the rest must wait. */
static bool flush_client(struct client *c)
{
    if (c->leaving || (c->sent == board_seq(c->web->board) && !c->whole)) {
        return true;
    }
    if (net_ws_pending(c->ws) > QUEUE_HIGH) {
        return false;
    }
    if (!c->all) {
        c->web->shared = false; /* the writer is about to hold something else */
        flush_agent(c);
        return true;
    }
    while (frame_all(c)) {
        if (net_ws_pending(c->ws) > QUEUE_HIGH) {
            return false;
        }
    }
    return true;
}

void fan_flush(struct web *web)
{
    struct client *c = web->dirty;

    web->dirty = NULL;
    while (c != NULL) {
        struct client *next = c->next_dirty;
        c->dirty = false;
        if (!flush_client(c)) {
            fan_dirty(c);
        }
        c = next;
    }
}

void fan_begin(struct client *c, uint64_t from, bool whole)
{
    c->whole = whole;
    c->sent = from;
    c->pop_sent = from;
    fan_dirty(c);
    fan_flush(c->web);
}

static void mark(struct client *c, void *ctx)
{
    struct web *web = ctx;

    if (!c->welcome) {
        return;
    }
    if (c->all) {
        fan_dirty(c);
    } else if (c->person != NULL && ((uint32_t)c->id + web->turns) % CAMPAIGN_TURNS == 0) {
        /* Thousands of agents share a campaign's line: a tenth of them hears of it each turn. */
        const struct record *r = board_campaign_record(web->board, c->person->campaign);
        if (r != NULL && r->seq > c->campaign_sent) {
            fan_dirty(c);
        }
    }
}

void fan_turn(struct web *web)
{
    web->turns++;
    client_each(web, mark, web);
    fan_flush(web);
}
