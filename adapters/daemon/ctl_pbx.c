/* ctl_pbx.c - the Asterisk servers: how they are, and taking one back. */
#include "adapters/daemon/ctl_job.h"

#include <string.h>

static struct text text_of(const char *word)
{
    return (struct text){word, (uint32_t)strlen(word)};
}

/* What the desk last said of it; NULL: nothing yet. */
static const struct needed *known(const struct job *job, uint32_t pbx)
{
    const struct ctl *ctl = job->ctl;
    for (size_t i = 0; i < ctl->n_needed; i++)
        if (ctl->needed[i].pbx == pbx)
            return &ctl->needed[i];
    return NULL;
}

void cmd_pbx_list(struct job *job)
{
    const struct config *c = job->ctl->options->config;
    for (size_t i = 0; i < c->n_pbx; i++) {
        const struct config_pbx *p = &c->pbx[i];
        const struct needed *n = known(job, (uint32_t)p->number);
        struct json_writer *w = job_row(job);
        json_put_int(w, "pbx", p->number);
        json_put_str(w, "name", p->name);
        json_put_str(w, "url", p->url);
        json_put_str(w, "application", p->application);
        json_put_str(w, "state", n ? n->state : "down");
        json_put_str(w, "text", n ? n->text : "");
        job_row_end(job);
    }
    job_end(job, RESULT_OK, "%s", "");
}

static void retaken(struct job *job, const struct msg_reply *reply)
{
    job_end(job, (enum result)reply->result, "%.*s", (int)reply->text.len, reply->text.ptr);
}

/* Written down first, if the store is there: a server may have to be taken back without it. */
static void write_down(struct job *job, uint32_t pbx)
{
    struct store *s = job->ctl->store;
    char why[200];
    struct store_audit audit = {.at_wall_ms = pool_wall_ms(),
                                .who = text_of(job->who),
                                .kind = text_of("pbx"),
                                .subject = pbx,
                                .field = text_of("application"),
                                .before = text_of("replaced"),
                                .after = text_of("retake")};
    if (ctl_store(job->ctl, why, sizeof why) == RESULT_OK)
        (void)ctl_store_result(job->ctl, s->ops->audit(s, &audit, 1), why, sizeof why);
}

void cmd_pbx_retake(struct job *job)
{
    const struct config *c = job->ctl->options->config;
    const char *name = job_arg(job, "pbx");
    for (size_t i = 0; i < c->n_pbx; i++) {
        if (strcmp(c->pbx[i].name, name) == 0) {
            struct msg_pbx_retake ask = {.pbx = (uint32_t)c->pbx[i].number,
                                         .client = job->client,
                                         .request = job_request(job),
                                         .reply_to = ADDR_CTL};
            write_down(job, ask.pbx);
            job->on_reply = retaken;
            job_send(job, ADDR_DESK, MSG_pbx_retake, &ask);
            return;
        }
    }
    job_end(job, RESULT_NOT_FOUND, "there is no [pbx %.64s] in the config file", name);
}
