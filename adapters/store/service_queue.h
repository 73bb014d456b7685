/*
 * service_queue.h - what the service holds on to: messages in the order of their arrival.
 */
#ifndef ADAPTERS_STORE_SERVICE_QUEUE_H
#define ADAPTERS_STORE_SERVICE_QUEUE_H

#include "core/message.h"

struct item {
    struct item *next;
    handle from;
    uint16_t type;
    uint8_t tries;
    uint32_t bytes;    /* of msg and its texts */
    max_align_t msg[]; /* struct msg_<type>, its texts behind it */
};

struct queue {
    struct item *head;
    struct item **tail; /* NULL in an empty queue that was never used */
    size_t n;
    size_t bytes;
};

/* A copy of the message at the end; -1 without memory. */
int queue_put(struct queue *q, const struct message_catalogue *catalogue, handle from,
              uint16_t type, const void *msg);
/* Throws the first n away. */
void queue_drop(struct queue *q, size_t n);

#endif
