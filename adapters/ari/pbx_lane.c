/* pbx_lane.c - requests to one Asterisk: two websockets that carry nothing else, HTTP beside them.
 */
#include "adapters/ari/pbx.h"
#include "core/crash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LANE_RETRY_US (2 * US_PER_S)
#define FRAME_MAX 8192

/* --- requests ----------------------------------------------------------------------------------
 */

static void lane_append(struct lane *lane, struct command *cmd)
{
    cmd->next = NULL;
    cmd->prev = lane->tail;
    if (lane->tail) {
        lane->tail->next = cmd;
    } else {
        lane->head = cmd;
        lane->waits_us = net_now_us();
    }
    lane->tail = cmd;
    cmd->flying = true;
}

static void lane_remove(struct lane *lane, struct command *cmd)
{
    if (cmd->prev) {
        cmd->prev->next = cmd->next;
    } else {
        lane->head = cmd->next;
    }
    lane->waits_us = net_now_us();
    if (cmd->next) {
        cmd->next->prev = cmd->prev;
    } else {
        lane->tail = cmd->prev;
    }
    cmd->prev = cmd->next = NULL;
    cmd->flying = false;
}

static void on_http_done(void *ctx, const struct net_http_result *r)
{
    const struct answer a = {r->fate, r->status, r->body, r->len, r->error};
    pbx_answered(ctx, &a);
}

static void send_over_http(struct pbx *pbx, struct command *cmd)
{
    const struct wire_request *r = &cmd->request_text;
    char target[sizeof pbx->path + WIRE_URI_MAX + 1];
    struct answer refused = {.fate = NET_NOT_SENT, .body = "", .error = "no way to the server"};
    snprintf(target, sizeof target, "%s/%s", pbx->path, r->uri);
    const struct net_http_call call = {
        .method = r->method,
        .target = target,
        .content_type = r->body_len ? "application/json" : NULL,
        .body = r->body_len ? r->body : NULL,
        .len = r->body_len,
        .on_done = on_http_done,
        .ctx = cmd,
    };
    cmd->http = true;
    int sent = pbx->http ? net_http_send(pbx->http, &call) : NET_ECLOSED;
    if (sent != NET_OK) {
        refused.error = net_strerror(sent);
        pbx_answered(cmd, &refused);
    }
}

void pbx_send_command(struct pbx *pbx, struct command *cmd)
{
    struct lane *lane = &pbx->lanes[cmd->lane];
    const bool call = cmd->kind == CMD_CALL, add = cmd->kind == CMD_BRIDGE_ADD;
    cmd->request = ++pbx->next_request;
    cmd->tries++;
    if (cmd->kind == CMD_CALL && pbx->host->leaving) {
        const struct text attempt = {cmd->id, (uint32_t)strlen(cmd->id)};
        pbx->host->leaving(pbx->host->leaving_ctx, attempt);
    }
    CRASH_POINT_IF(call, originate_before);
    CRASH_POINT_IF(add, bridge_before);
    if (cmd->item.sent_us == 0) {
        cmd->item.sent_us = net_now_us();
    }
    if (lane->open && pbx->rest_over_ws) {
        char frame[FRAME_MAX];
        size_t len = wire_frame(&cmd->request_text, cmd->request, frame, sizeof frame);
        if (len > 0 && net_ws_send(lane->ws, frame, len) == NET_OK) {
            lane_append(lane, cmd);
            CRASH_POINT_IF(call, originate_after);
            CRASH_POINT_IF(add, bridge_after);
            return;
        }
    }
    send_over_http(pbx, cmd);
    CRASH_POINT_IF(call, originate_after);
    CRASH_POINT_IF(add, bridge_after);
}

struct command *pbx_step(struct pbx *pbx,
                         void (*done)(struct pbx *, struct command *, const struct answer *))
{
    struct command *cmd = calloc(1, sizeof *cmd);
    if (cmd) {
        cmd->pbx = pbx;
        cmd->kind = CMD_STEP;
        cmd->lane = LANE_CONTROL;
        cmd->direct = true;
        cmd->done = done;
        cmd->connect = pbx->connect;
    }
    return cmd;
}

/* Nothing on this lane will be answered any more. */
static void lane_fail(struct lane *lane, const char *why)
{
    const struct answer a = {.fate = NET_MAYBE_SENT, .body = "", .error = why};
    /* Only those that are there now: an answer may lead to a new request on HTTP, not on this lane,
     * which is not open. */
    while (lane->head) {
        struct command *cmd = lane->head;
        lane_remove(lane, cmd);
        pbx_answered(cmd, &a);
    }
}

static void lane_answer(struct lane *lane, const struct wire_event *e)
{
    char id[24];
    snprintf(id, sizeof id, "%.*s", (int)(e->request.len < 20 ? e->request.len : 20),
             e->request.ptr);
    uint64_t request = strtoull(id, NULL, 10);
    for (struct command *cmd = lane->head; cmd; cmd = cmd->next) {
        if (cmd->request == request) {
            const struct answer a = {NET_ANSWERED, e->status, e->body.ptr, e->body.len, ""};
            lane_remove(lane, cmd);
            pbx_answered(cmd, &a);
            return;
        }
    }
    pbx_count(lane->pbx, "dialer_ari_stray_answers_total", NULL);
}

/* --- lanes -------------------------------------------------------------------------------------
 */

void pbx_maybe_opened(struct pbx *pbx)
{
    if (pbx->events_open && pbx->lanes[LANE_ORIGINATE].settled &&
        pbx->lanes[LANE_CONTROL].settled && link_state(&pbx->link) == LINK_CONNECTING) {
        link_fire(&pbx->link, LINK_OPENED);
    }
}

static void on_lane_open(void *ctx, struct net_ws *ws)
{
    struct lane *lane = ctx;
    (void)ws;
    lane->open = lane->settled = true;
    lane->told = false;
    pbx_maybe_opened(lane->pbx);
}

static void on_lane_message(void *ctx, struct net_ws *ws, const char *text, size_t len)
{
    struct lane *lane = ctx;
    struct wire_event e;
    (void)ws;
    if (wire_read(&lane->pbx->list_doc, text, len, &e) != 0) {
        pbx_count(lane->pbx, "dialer_ari_bad_messages_total", NULL);
        pbx_log(lane->pbx, 2, "DLR-ARI-BAD", "request socket: %s", lane->pbx->list_doc.error);
        if (lane->pbx->list_doc.no_memory) {
            pbx_lane_drop(lane); /* an answer is lost: what waits need not wait for it */
        }
    } else if (e.kind == WIRE_RESPONSE) {
        lane_answer(lane, &e);
        pbx_pump(lane->pbx);
    }
}

static void on_lane_close(void *ctx, struct net_ws *ws, const struct net_ws_end *end)
{
    struct lane *lane = ctx;
    struct pbx *pbx = lane->pbx;
    (void)ws;
    lane->ws = NULL;
    lane->open = false;
    lane->settled = true;
    lane_fail(lane, "the request socket was lost");
    if (pbx->closing || link_state(&pbx->link) == LINK_DOWN ||
        link_state(&pbx->link) == LINK_REPLACED) {
        return;
    }
    if (!lane->told) {
        lane->told = true;
        pbx_log(pbx, 2, "DLR-ARI-LANE", "request socket %d ended (%d %s %d): HTTP until it is back",
                (int)lane->kind, end->code, end->reason, end->http_status);
    }
    pbx_count(pbx, "dialer_ari_lanes_lost_total", NULL);
    net_timer_set(lane->retry, LANE_RETRY_US);
    pbx_maybe_opened(pbx);
    pbx_pump(pbx);
}

struct net_ws *pbx_dial(struct pbx *pbx, const char *suffix, const struct net_ws_events *events,
                        size_t max_message, void *ctx)
{
    char path[256];
    const struct net_header headers[] = {{"Authorization", pbx->authorization}};
    snprintf(path, sizeof path, "%s/events?app=%s%s", pbx->path, pbx->application, suffix);
    const struct net_ws_target target = {
        .host = pbx->server,
        .port = pbx->port,
        .tls = pbx->tls,
        .tls_ca = pbx->tls_ca[0] ? pbx->tls_ca : NULL,
        .path = path,
        .headers = headers,
        .n_headers = 1,
    };
    const struct net_ws_limits limits = {.max_message = max_message, .ignore_binary = true};
    return net_ws_connect(pbx->host->loop, &target, &limits, events, ctx);
}

void pbx_lane_connect(struct lane *lane)
{
    static const struct net_ws_events events = {
        .on_open = on_lane_open, .on_message = on_lane_message, .on_close = on_lane_close};
    /* Answers to lists come here too when there is no HTTP beside it. */
    lane->ws = pbx_dial(lane->pbx, lane->kind == LANE_ORIGINATE ? "-originate" : "-control",
                        &events, LIST_MAX, lane);
    lane->settled = lane->ws == NULL;
}

void pbx_lane_retry(void *ctx)
{
    struct lane *lane = ctx;
    enum link_state state = link_state(&lane->pbx->link);
    if (!lane->ws && state != LINK_DOWN && state != LINK_REPLACED && lane->pbx->rest_over_ws) {
        pbx_lane_connect(lane);
    }
}

void pbx_lane_drop(struct lane *lane)
{
    if (lane->retry) {
        net_timer_clear(lane->retry);
    }
    lane->open = false;
    if (lane->ws) {
        net_ws_drop(lane->ws);
    }
}
