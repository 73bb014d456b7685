/* checker.c - a ring of jobs under one lock, taken by two threads. */
#include "adapters/web/checker.h"

#include "adapters/secret/secret.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define THREADS 2
#define WAITING_MAX 4
#define JOBS (THREADS + WAITING_MAX) /* no more exist at any time, asked, running or answered */

enum job_state { JOB_FREE, JOB_WAITING, JOB_RUNNING, JOB_DONE };

struct job {
    enum job_state state;
    uint64_t id;
    uint64_t order;
    bool right;
    uint32_t password_len;
    char hash[SECRET_HASH_SIZE];
    char password[SECRET_PASSWORD_MAX];
};

struct checker {
    pthread_mutex_t lock; /* guards everything below it; never held while hashing */
    pthread_cond_t work;
    bool ending;
    uint64_t order;
    struct job job[JOBS];
    pthread_t thread[THREADS];
    unsigned threads;
    void (*wake)(void *ctx);
    void *ctx;
};

static struct job *oldest(struct checker *c, enum job_state state)
{
    struct job *found = NULL;

    for (unsigned i = 0; i < JOBS; i++) {
        struct job *j = &c->job[i];
        if (j->state == state && (found == NULL || j->order < found->order)) {
            found = j;
        }
    }
    return found;
}

static void *work(void *arg)
{
    struct checker *c = arg;

    pthread_mutex_lock(&c->lock);
    while (!c->ending) {
        struct job *j = oldest(c, JOB_WAITING);
        bool right;

        if (j == NULL) {
            pthread_cond_wait(&c->work, &c->lock);
            continue;
        }
        j->state = JOB_RUNNING;
        pthread_mutex_unlock(&c->lock);
        right = secret_password_verify((struct text){j->hash, (uint32_t)strlen(j->hash)},
                                       (struct text){j->password, j->password_len});
        explicit_bzero(j->password, sizeof j->password);
        explicit_bzero(j->hash, sizeof j->hash);
        pthread_mutex_lock(&c->lock);
        j->right = right;
        j->state = JOB_DONE;
        c->wake(c->ctx);
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

struct checker *checker_new(void (*wake)(void *ctx), void *ctx)
{
    struct checker *c = calloc(1, sizeof *c);

    if (c == NULL) {
        return NULL;
    }
    c->wake = wake;
    c->ctx = ctx;
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->work, NULL);
    for (; c->threads < THREADS; c->threads++) {
        if (pthread_create(&c->thread[c->threads], NULL, work, c) != 0) {
            checker_free(c);
            return NULL;
        }
    }
    return c;
}

void checker_free(struct checker *c)
{
    if (c == NULL) {
        return;
    }
    pthread_mutex_lock(&c->lock);
    c->ending = true;
    pthread_cond_broadcast(&c->work);
    pthread_mutex_unlock(&c->lock);
    for (unsigned i = 0; i < c->threads; i++) {
        pthread_join(c->thread[i], NULL);
    }
    pthread_cond_destroy(&c->work);
    pthread_mutex_destroy(&c->lock);
    explicit_bzero(c->job, sizeof c->job);
    free(c);
}

int checker_ask(struct checker *c, uint64_t id, struct text hash, struct text password)
{
    struct job *j;

    /* What cannot be a hash or a password is checked as the empty one: same time, never right. */
    if (hash.len >= SECRET_HASH_SIZE) {
        hash.len = 0;
    }
    if (password.len > SECRET_PASSWORD_MAX) {
        hash.len = 0;
        password.len = SECRET_PASSWORD_MAX;
    }
    pthread_mutex_lock(&c->lock);
    j = oldest(c, JOB_FREE);
    if (j != NULL) {
        j->id = id;
        j->order = c->order++;
        if (hash.len > 0) {
            memcpy(j->hash, hash.ptr, hash.len);
        }
        j->hash[hash.len] = '\0';
        if (password.len > 0) {
            memcpy(j->password, password.ptr, password.len);
        }
        j->password_len = password.len;
        j->state = JOB_WAITING;
        pthread_cond_signal(&c->work);
    }
    pthread_mutex_unlock(&c->lock);
    return j != NULL ? 0 : -1;
}

bool checker_answer(struct checker *c, uint64_t *id, bool *right)
{
    struct job *j;

    pthread_mutex_lock(&c->lock);
    j = oldest(c, JOB_DONE);
    if (j != NULL) {
        *id = j->id;
        *right = j->right;
        j->state = JOB_FREE;
    }
    pthread_mutex_unlock(&c->lock);
    return j != NULL;
}
