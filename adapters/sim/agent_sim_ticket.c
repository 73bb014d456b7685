/*
 * agent_sim_ticket.c - tickets for agents that were cut off: one question at a time to the daemon's
 * socket for operators, for everybody who waits. It never blocks: a daemon that stands still must
 * not stop the others' talk.
 */
#include "adapters/sim/agent_sim.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define GIVE_UP_US (2 * US_PER_S)

struct ticket_talk {
    struct crowd *crowd;
    int fd;
    struct net_watch *watch;
    struct net_timer *timer;
    unsigned rows; /* tickets come in the order of the agents, as those of the file did */
    size_t len;
    char text[16384];
};

bool ticket_find(const char *line, char out[TICKET_SIZE])
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    for (const char *at = line; *at != '\0';) {
        const size_t n = strspn(at, letters);
        if (n == TICKET_SIZE - 1) {
            memcpy(out, at, n);
            out[n] = '\0';
            return true;
        }
        at += n > 0 ? n : 1;
    }
    return false;
}

void tickets_close(struct crowd *crowd)
{
    struct ticket_talk *t = crowd->tickets;

    if (t == NULL) {
        return;
    }
    crowd->tickets = NULL;
    net_watch_free(t->watch);
    net_timer_free(t->timer);
    close(t->fd);
    explicit_bzero(t->text, sizeof t->text);
    free(t);
}

/* The conversation is over; who got none asks again later. */
static void over(struct crowd *crowd)
{
    tickets_close(crowd);
    for (unsigned i = 0; i < crowd->persons; i++) {
        if (person_waits(crowd->person[i])) {
            person_ticket(crowd->person[i], NULL);
        }
    }
}

static void on_time(void *ctx)
{
    struct ticket_talk *t = ctx;

    over(t->crowd);
}

/* {"id":1,"row":{"agent":7,...,"ticket":"..."}} */
static void take_row(struct ticket_talk *t, const char *line)
{
    struct crowd *crowd = t->crowd;
    char ticket[TICKET_SIZE];
    const char *word = strstr(line, "\"agent\":");
    const int64_t agent = word != NULL ? strtoll(word + 8, NULL, 10) : 0;

    if (!ticket_find(line, ticket)) {
        return;
    }
    for (unsigned i = 0; i < crowd->persons; i++) {
        struct person *p = crowd->person[i];
        const int64_t known = person_agent(p);
        if (person_waits(p) && (known != 0 ? known == agent : i == t->rows)) {
            person_ticket(p, ticket);
        }
    }
    t->rows++;
    explicit_bzero(ticket, sizeof ticket);
}

static void on_answer(void *ctx, int fd, unsigned events)
{
    struct ticket_talk *t = ctx;
    const ssize_t n = read(fd, t->text + t->len, sizeof t->text - 1 - t->len);
    char *line = t->text;
    char *end;

    (void)events;
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (n <= 0) {
        over(t->crowd);
        return;
    }
    t->len += (size_t)n;
    t->text[t->len] = '\0';
    while ((end = strchr(line, '\n')) != NULL) {
        *end = '\0';
        if (strstr(line, "\"end\":") != NULL) {
            over(t->crowd);
            return;
        }
        take_row(t, line);
        line = end + 1;
    }
    t->len -= (size_t)(line - t->text);
    memmove(t->text, line, t->len);
    if (t->len == sizeof t->text - 1) {
        over(t->crowd);
    }
}

static bool ask(struct ticket_talk *t)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char request[160];
    const int len = snprintf(
        request, sizeof request,
        "{\"id\":1,\"command\":\"agent ticket\",\"args\":{\"count\":\"%u\"}}\n", t->crowd->persons);

    if (strlen(t->crowd->options.ctl) >= sizeof address.sun_path) {
        return false;
    }
    memcpy(address.sun_path, t->crowd->options.ctl, strlen(t->crowd->options.ctl) + 1);
    return connect(t->fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
           send(t->fd, request, (size_t)len, MSG_NOSIGNAL) == len;
}

void tickets_ask(struct crowd *crowd)
{
    struct ticket_talk *t;

    if (crowd->tickets != NULL) {
        return;
    }
    t = calloc(1, sizeof *t);
    if (t == NULL) {
        return;
    }
    t->crowd = crowd;
    t->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    t->watch = t->fd < 0 ? NULL : net_watch_new(crowd->loop, t->fd, NET_READ, on_answer, t);
    t->timer = net_timer_new(crowd->loop, on_time, t);
    crowd->tickets = t;
    if (t->watch == NULL || t->timer == NULL || !ask(t)) {
        over(crowd);
        return;
    }
    net_timer_set(t->timer, GIVE_UP_US);
}
