/* service_queue.c - see service_queue.h. */
#include "adapters/store/service_queue.h"

#include <stdlib.h>

int queue_put(struct queue *q, const struct message_catalogue *catalogue, handle from,
              uint16_t type, const void *msg)
{
    const struct message_desc *desc = message_find(catalogue, type);
    size_t bytes = desc ? message_bytes(desc, msg) : 0;
    struct item *it = desc ? malloc(sizeof *it + bytes) : NULL;

    if (!it)
        return -1;
    message_copy(desc, msg, it->msg);
    it->next = NULL;
    it->from = from;
    it->type = type;
    it->tries = 0;
    it->bytes = (uint32_t)bytes;
    if (!q->head)
        q->tail = &q->head;
    *q->tail = it;
    q->tail = &it->next;
    q->n++;
    q->bytes += bytes;
    return 0;
}

void queue_drop(struct queue *q, size_t n)
{
    while (n-- > 0 && q->head) {
        struct item *it = q->head;
        q->head = it->next;
        q->n--;
        q->bytes -= it->bytes;
        free(it);
    }
}
