/*
 * ctl_switch.c - campaigns started and stopped, by dialerctl and by the page.
 *
 * A start is durable first: a daemon that dies between the two starts with what was asked for. A
 * stop acts first, whatever is with the store (R24); what could not be written down is written when
 * the store is back, and says so until then.
 */
#include "adapters/daemon/ctl_settings.h"
#include "core/pool.h"

#include <stdlib.h>
#include <string.h>

#define WRITE_AGAIN_US (1 * US_PER_S)

static struct text text_of(const char *word)
{
    return (struct text){word, (uint32_t)strlen(word)};
}

/* --- stops that wait for the store ------------------------------------------------------------ */

static struct ctl_stop *unwritten(struct ctl *ctl, uint64_t campaign)
{
    for (size_t i = 0; i < ctl->n_stops; i++)
        if (ctl->stops[i].campaign == campaign)
            return &ctl->stops[i];
    return NULL;
}

static void forget(struct ctl *ctl, const struct ctl_stop *stop)
{
    if (stop)
        ctl->stops[stop - ctl->stops] = ctl->stops[--ctl->n_stops];
}

static bool keep(struct ctl *ctl, const struct msg_campaign_switch *ask)
{
    struct ctl_stop *stop = unwritten(ctl, ask->campaign);
    if (!stop && ctl->n_stops == CTL_STOPS_MAX)
        return false;
    if (!stop)
        stop = &ctl->stops[ctl->n_stops++];
    *stop = (struct ctl_stop){.campaign = ask->campaign, .at_wall_ms = pool_wall_ms()};
    snprintf(stop->who, sizeof stop->who, "%.*s", (int)ask->who.len, ask->who.ptr);
    return true;
}

static enum result write_wish(struct ctl *ctl, const struct store_by *by, uint64_t campaign,
                              bool start, char *why, size_t why_size)
{
    struct settings s = {.kind = KIND_CAMPAIGN};
    /* A configuration may be on its way that was read before this wish: the last one says it. */
    const struct msg_changed changed = {.kind = KIND_CAMPAIGN, .id = campaign};
    enum result result = ctl_store(ctl, why, why_size);
    settings_add(&s, "active", text_of(start ? "on" : "off"));
    if (result == RESULT_OK)
        result = settings_write(ctl, by, &s, campaign, why, why_size);
    if (result == RESULT_OK)
        endpoint_send(ctl->endpoint, ADDR_DESK, MSG_changed, &changed);
    return result;
}

int ctl_stops_wait_ms(const struct ctl *ctl)
{
    return ctl->n_stops > 0 ? (int)(WRITE_AGAIN_US / US_PER_MS) : -1;
}

void ctl_stops_write(struct ctl *ctl)
{
    char why[512];
    const int64_t now = pool_now_us();
    if (ctl->n_stops == 0 || now < ctl->stops_after_us)
        return;
    ctl->stops_after_us = now + WRITE_AGAIN_US;
    for (size_t i = ctl->n_stops; i-- > 0;) {
        const struct ctl_stop *stop = &ctl->stops[i];
        const struct store_by by = {.who = stop->who, .at_wall_ms = stop->at_wall_ms};
        if (write_wish(ctl, &by, stop->campaign, false, why, sizeof why) == RESULT_AWAY)
            return;
        forget(ctl, stop);
    }
}

/* --- both ------------------------------------------------------------------------------------- */

static void tell_desk(struct ctl *ctl, const struct msg_campaign_switch *ask)
{
    struct msg_campaign_switch m = *ask;
    m.who = text_of("");
    endpoint_send(ctl->endpoint, ADDR_DESK, MSG_campaign_switch, &m);
    endpoint_flush(ctl->endpoint); /* the store may take its time now */
}

static enum result start(struct ctl *ctl, const struct msg_campaign_switch *ask,
                         const struct store_by *by, char *why, size_t why_size)
{
    char rule[512];
    void *c = NULL;
    enum result result = settings_fetch(ctl, KIND_CAMPAIGN, ask->campaign, &c, why, why_size);
    if (result != RESULT_OK)
        return result;
    int refused = settings_check_campaign(c, true, rule, sizeof rule);
    free(c);
    if (refused) {
        snprintf(why, why_size, "%s", rule);
        return RESULT_REFUSED;
    }
    result = write_wish(ctl, by, ask->campaign, true, why, why_size);
    if (result != RESULT_OK)
        return result;
    forget(ctl, unwritten(ctl, ask->campaign));
    tell_desk(ctl, ask);
    return RESULT_OK;
}

static enum result stop(struct ctl *ctl, const struct msg_campaign_switch *ask,
                        const struct store_by *by, char *why, size_t why_size)
{
    const bool lives = endpoint_exists(ctl->endpoint, named(KIND_CAMPAIGN, ask->campaign));
    enum result result;
    if (lives)
        tell_desk(ctl, ask);
    result = write_wish(ctl, by, ask->campaign, false, why, why_size);
    if (lives && result == RESULT_AWAY && keep(ctl, ask))
        return RESULT_OK;
    if (result == RESULT_OK) {
        forget(ctl, unwritten(ctl, ask->campaign));
        if (!lives)
            tell_desk(ctl, ask);
    }
    return result;
}

enum result ctl_switch(struct ctl *ctl, const struct msg_campaign_switch *ask, char *why,
                       size_t why_size)
{
    char who[200];
    const struct store_by by = {.who = who, .at_wall_ms = pool_wall_ms()};
    snprintf(who, sizeof who, "%.*s", (int)ask->who.len, ask->who.len ? ask->who.ptr : "");
    return ask->action == 1 ? start(ctl, ask, &by, why, why_size)
                            : stop(ctl, ask, &by, why, why_size);
}

/* --- its word --------------------------------------------------------------------------------- */

static enum result word(struct ctl *ctl, uint64_t campaign, const struct msg_reply *reply,
                        char *text, size_t size)
{
    const struct msg_changed changed = {.kind = KIND_CAMPAIGN, .id = campaign};
    text[0] = '\0';
    /* The store has the campaign (its wish was just written), so "not found" means that the desk
     * has not loaded it yet: it is told to, and loads the wish with the rest. */
    if (reply->result == RESULT_NOT_FOUND) {
        endpoint_send(ctl->endpoint, ADDR_DESK, MSG_changed, &changed);
        return RESULT_OK;
    }
    if (reply->result == RESULT_OK && unwritten(ctl, campaign))
        snprintf(text, size,
                 "campaign %llu has stopped; the store is away: this is written down when it is "
                 "back, and a restart of dialerd before that would dial again",
                 (unsigned long long)campaign);
    else
        snprintf(text, size, "%.*s", (int)reply->text.len, reply->text.len ? reply->text.ptr : "");
    return (enum result)reply->result;
}

/* --- the page's ------------------------------------------------------------------------------- */

static void answer_page(struct ctl *ctl, struct ctl_page *page, enum result result,
                        const char *text)
{
    const struct msg_reply r = {.client = page->client,
                                .request = page->request,
                                .result = (uint8_t)result,
                                .text = text_of(text),
                                .json = text_of("")};
    endpoint_send(ctl->endpoint, page->reply_to, MSG_reply, &r);
    page->number = 0;
}

void ctl_switch_for_page(struct ctl *ctl, const struct msg_campaign_switch *ask)
{
    char why[512];
    const uint64_t number = ++ctl->next_page;
    struct ctl_page *page = &ctl->pages[number % CTL_PAGES_MAX];
    struct msg_campaign_switch m = *ask;
    *page = (struct ctl_page){number, ask->client, ask->request, ask->campaign, ask->reply_to};
    m.client = CTL_PAGES;
    m.request = number;
    m.reply_to = ADDR_CTL;
    enum result result = ctl_switch(ctl, &m, why, sizeof why);
    if (result != RESULT_OK)
        answer_page(ctl, page, result, why);
}

void ctl_switch_said(struct ctl *ctl, const struct msg_reply *reply)
{
    char text[512];
    struct ctl_page *page = &ctl->pages[reply->request % CTL_PAGES_MAX];
    if (page->number == 0 || page->number != reply->request)
        return;
    enum result result = word(ctl, page->campaign, reply, text, sizeof text);
    answer_page(ctl, page, result, text);
}

/* --- dialerctl's ------------------------------------------------------------------------------ */

static void switched(struct job *job, const struct msg_reply *reply)
{
    char text[512];
    enum result result = word(job->ctl, job_id(job, "campaign"), reply, text, sizeof text);
    job_end(job, result, "%s", text);
}

static void switch_campaign(struct job *job, uint8_t action)
{
    char why[512];
    const struct msg_campaign_switch ask = {.campaign = job_id(job, "campaign"),
                                            .client = job->client,
                                            .request = job_request(job),
                                            .reply_to = ADDR_CTL,
                                            .action = action,
                                            .who = text_of(job->who)};
    job->on_reply = switched;
    enum result result = ctl_switch(job->ctl, &ask, why, sizeof why);
    if (result != RESULT_OK)
        job_end(job, result, "%s", why);
}

void cmd_campaign_start(struct job *job)
{
    switch_campaign(job, 1);
}

void cmd_campaign_stop(struct job *job)
{
    switch_campaign(job, job_switch(job, "now") ? 3 : 2);
}
