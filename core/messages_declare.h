/*
 * messages_declare.h - generator: the structs and type numbers of a message list. No include guard:
 * it may be used for several lists in one file.
 *
 *     #define MESSAGES_DEF "actors/messages.def"
 *     #include "core/messages_declare.h"
 *
 * For each line MESSAGE(id, name, class, "sentence", FIELD(type, name, "meaning") ...) there are
 * `MSG_<name>`, the event type, and `struct msg_<name>`.
 */
#include "core/message.h"

#ifndef CORE_MESSAGES_TYPES
#define CORE_MESSAGES_TYPES
typedef uint8_t message_type_u8;
typedef uint16_t message_type_u16;
typedef uint32_t message_type_u32;
typedef uint64_t message_type_u64;
typedef int64_t message_type_i64;
typedef bool message_type_flag;
typedef double message_type_f64;
typedef handle message_type_handle;
typedef struct text message_type_text;
#endif

#define MESSAGE(id, name, class, sentence, ...) MSG_##name = EV_CONTRACT + (id),
enum {
#include MESSAGES_DEF
};
#undef MESSAGE

#define FIELD(type, name, sentence) message_type_##type name;
#define MESSAGE(id, name, class, sentence, ...)                                                    \
    struct msg_##name {                                                                            \
        __VA_ARGS__                                                                                \
    };
#include MESSAGES_DEF
#undef MESSAGE
#undef FIELD
#undef MESSAGES_DEF
