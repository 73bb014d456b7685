// What is served one request at a time, an HTTP connection or a websocket; and how long a request
// takes when the cost model is on.
#include <stdlib.h>
#include <string.h>

#include "adapters/sim/front_int.h"
#include "adapters/sim/mem.h"

// Microseconds of the recorded server's core for one request, by what it asks and how many channels
// live.
static int64_t cost_of(const struct front *f, const char *method, const char *path, size_t len)
{
    int64_t live = (int64_t)pbx_live_channels(f->pbx);
    bool channels = len >= 8 && strncmp(path, "channels", 8) == 0;
    bool deeper = channels && len > 9 && memchr(path + 9, '/', len - 9) != NULL;
    if (channels && !deeper && strcmp(method, "POST") == 0)
        return 1100 + 5 * live / 2;
    if (channels && !deeper && strcmp(method, "DELETE") == 0)
        return 600 + live / 2;
    if (channels && len == 8)
        return 400 + 27 * live;
    return 700 + 3 * live / 10;
}

static unsigned freest_core(const struct front *f)
{
    unsigned best = 0;
    for (unsigned i = 1; i < f->config.cores; i++)
        if (f->core_free[i] < f->core_free[best])
            best = i;
    return best;
}

// Events and the calls themselves use the cores as well, whoever they are for: 45 us an event, 0.5
// ms for an answer and for an end, which with the requests makes the 3.6 ms of a bridged call that
// were measured.
static void charge_calls(struct front *f, int64_t now)
{
    int64_t work = pbx_work_us(f->pbx);
    unsigned core = freest_core(f);
    if (f->core_free[core] < now)
        f->core_free[core] = now;
    f->core_free[core] += work - f->charged_us;
    f->charged_us = work;
}

// When a request of this cost that begins now is done: the first core that is free takes it.
static int64_t finish_time(struct front *f, int64_t cost)
{
    int64_t now = net_now_us();
    if (f->config.cost)
        charge_calls(f, now);
    unsigned core = freest_core(f);
    int64_t begin = f->core_free[core] > now ? f->core_free[core] : now;
    f->core_free[core] = begin + cost;
    return begin + cost + f->delay_us;
}

static void line_next(struct line *line);

static void job_free(struct job *job)
{
    free(job->method);
    free(job->path);
    free(job->query);
    free(job->content_type);
    free(job->text);
    free(job);
}

struct line **http_line_at(struct front *f, uint64_t connection)
{
    struct line **at = &f->http[connection % FRONT_BUCKETS];
    while (*at != NULL && (*at)->connection != connection)
        at = &(*at)->next;
    return at;
}

void http_line_free(struct line *line)
{
    *http_line_at(line->front, line->connection) = line->next;
    line_clear(line);
    free(line);
}

static void line_done(void *owner)
{
    struct line *line = owner;
    struct front *f = line->front;
    struct job *job = line->first;
    if (f->stalled) {
        sched_at(&f->work, &line->task, net_now_us() + 5000);
        return;
    }
    line->first = job->next;
    if (line->first == NULL)
        line->last = NULL;
    line->busy = false;
    if (job->req != NULL)
        net_req_set_ctx(job->req, NULL);
    front_serve(f, line, job);
    job_free(job);
    if (line->closed && line->first == NULL)
        http_line_free(line);
    else
        line_next(line);
}

static void line_next(struct line *line)
{
    struct front *f = line->front;
    if (line->busy || line->first == NULL)
        return;
    line->busy = true;
    struct job *job = line->first;
    int64_t cost = f->config.cost ? cost_of(f, job->method, job->path, strlen(job->path)) : 0;
    line->task = (struct task){.run = line_done, .owner = line};
    sched_at(&f->work, &line->task, finish_time(f, cost));
}

static bool waits(const struct front *f)
{
    return f->config.cost || f->stalled || f->delay_us > 0;
}

void line_take(struct line *line, struct job *job)
{
    struct front *f = line->front;
    if (!waits(f) && line->first == NULL) {
        front_serve(f, line, job);
        job_free(job);
        return;
    }
    if (job->req != NULL)
        net_req_set_ctx(job->req, job);
    if (line->last != NULL)
        line->last->next = job;
    else
        line->first = job;
    line->last = job;
    line_next(line);
}

// What waits is never carried out.
void line_clear(struct line *line)
{
    struct front *f = line->front;
    sched_cancel(&f->work, &line->task);
    line->busy = false;
    while (line->first != NULL) {
        struct job *job = line->first;
        line->first = job->next;
        if (job->req != NULL)
            net_req_set_ctx(job->req, NULL);
        job_free(job);
    }
    line->last = NULL;
}
