/*
 * message.h - what a message type is, for everybody who handles messages without knowing them.
 *
 * A catalogue is generated from a list of lines (actors/messages.def; messages_declare.h and
 * messages_define.h are the generators) and handed to an executor when it is made. core itself
 * knows no message of the product.
 *
 * In memory a message is `struct msg_<name>`; its texts point into memory that somebody else owns
 * (the bag it came in, or the block that message_copy() made). On the wire it is one msgpack map
 * with the field names as keys, in the order of the list, each number in its shortest form: the
 * bytes that msgpack-c makes of the same map. Unpacking accepts any order and any valid form,
 * skips keys it does not know, and refuses everything else with a sentence that names the field.
 *
 * All functions here are pure: any thread, no allocation, no state.
 */
#ifndef CORE_MESSAGE_H
#define CORE_MESSAGE_H

#include "core/actor.h"

/* What happens to a message that finds the mailbox, or the way to it, full. */
enum message_class {
    MESSAGE_MUST,   /* taken all the same; never lost */
    MESSAGE_LATEST, /* takes the place of an older one of the same type from the same sender */
    MESSAGE_DROP    /* thrown away and counted */
};

enum field_type {
    FIELD_U8,
    FIELD_U16,
    FIELD_U32,
    FIELD_U64,
    FIELD_I64,
    FIELD_FLAG,
    FIELD_F64,
    FIELD_HANDLE,
    FIELD_TEXT
};

struct message_field {
    const char *name;
    uint8_t name_len;
    uint8_t type;    /* enum field_type */
    uint16_t offset; /* in struct msg_<name> */
    const char *sentence;
};

struct message_desc {
    uint16_t type;  /* EV_CONTRACT + id of the list */
    uint8_t policy; /* enum message_class */
    uint8_t n_fields;
    uint8_t n_texts;
    uint16_t size; /* of struct msg_<name> [bytes] */
    const char *name;
    const char *sentence;
    const struct message_field *(*fields)(void); /* n_fields of them, in the order of the list */
    size_t (*text_bytes)(const void *msg);       /* what all its texts hold together */
    size_t (*bound)(const void *msg);            /* no packed form of it is longer [bytes] */
    uint8_t *(*pack)(const void *msg, uint8_t *out); /* needs bound() bytes; returns the end */
    int (*unpack)(const uint8_t *in, size_t len, void *msg, char *why, size_t why_size);
    void (*point)(void *msg,
                  char *texts); /* copies the texts behind each other, and points there */
};

struct message_catalogue {
    const struct message_desc *const *by_id; /* NULL where an id is not used */
    uint16_t n_ids;                          /* largest id + 1 */
};

/* A record longer than this is refused, packing and unpacking. */
#define MESSAGE_MAX_BYTES (1024u * 1024u)

/* The description of event type `type` (EV_CONTRACT + id), or NULL. */
static inline const struct message_desc *message_find(const struct message_catalogue *catalogue,
                                                      uint16_t type)
{
    if (type < EV_CONTRACT || type - EV_CONTRACT >= catalogue->n_ids) {
        return NULL;
    }
    return catalogue->by_id[type - EV_CONTRACT];
}

/* Pack `msg`; returns the bytes written, or 0 when `room` is too small or the message too long. */
size_t message_pack(const struct message_desc *desc, const void *msg, uint8_t *out, size_t room);

/* Read one record of exactly `len` bytes into `msg` (desc->size bytes, any content). Its texts
 * point into `in`. Returns 0; or -1 with a sentence in `why` (may be NULL when why_size is 0), and
 * then `msg` holds nothing of use. */
int message_unpack(const struct message_desc *desc, const uint8_t *in, size_t len, void *msg,
                   char *why, size_t why_size);

/* The same for a record that outlived the program that packed it. An older one did not know the
 * last fields: those behind the first `least` may be absent, none before one that is there, and are
 * zero or empty. A newer one says more than this program can carry out: a key that is not known is
 * refused, not passed over. */
int message_unpack_kept(const struct message_desc *desc, const uint8_t *in, size_t len,
                        unsigned least, void *msg, char *why, size_t why_size);

/* Bytes of one block that holds the struct and its texts. */
size_t message_bytes(const struct message_desc *desc, const void *msg);

/* Make a block of message_bytes() bytes into a copy of `msg` that owns its texts. */
void message_copy(const struct message_desc *desc, const void *msg, void *block);

/* The word for a field type, as written in the list. */
const char *field_type_name(uint8_t type);

#endif
