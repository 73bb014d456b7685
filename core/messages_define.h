/*
 * messages_define.h - generator: the codec, the descriptions and the catalogue of a message list.
 *
 *     #define MESSAGES_DEF "actors/messages.def"
 *     #define MESSAGES_CATALOGUE dialer_catalogue
 *     #include "core/messages_define.h"
 *
 * Included once, in the .c file that owns the list. A FIELD cannot know which MESSAGE it stands in,
 * so each generated function names its struct `record` and the fields are written against that.
 */
#include "core/codec.h"

/* per field type: longest packed form without the text's bytes, and how it is put and got */
#define MESSAGE_MOST_u8 2
#define MESSAGE_MOST_u16 3
#define MESSAGE_MOST_u32 5
#define MESSAGE_MOST_u64 9
#define MESSAGE_MOST_i64 9
#define MESSAGE_MOST_flag 1
#define MESSAGE_MOST_f64 9
#define MESSAGE_MOST_handle 9
#define MESSAGE_MOST_text 5
#define MESSAGE_PUT_u8 codec_put_u64
#define MESSAGE_PUT_u16 codec_put_u64
#define MESSAGE_PUT_u32 codec_put_u64
#define MESSAGE_PUT_u64 codec_put_u64
#define MESSAGE_PUT_i64 codec_put_i64
#define MESSAGE_PUT_flag codec_put_flag
#define MESSAGE_PUT_f64 codec_put_f64
#define MESSAGE_PUT_handle codec_put_u64
#define MESSAGE_PUT_text codec_put_text
#define MESSAGE_UINT(name, most, type)                                                             \
    {                                                                                              \
        uint64_t value = 0;                                                                        \
        p = codec_get_uint(p, end, most, &value);                                                  \
        m->name = (type)value;                                                                     \
    }
#define MESSAGE_GET_u8(name) MESSAGE_UINT(name, UINT8_MAX, uint8_t)
#define MESSAGE_GET_u16(name) MESSAGE_UINT(name, UINT16_MAX, uint16_t)
#define MESSAGE_GET_u32(name) MESSAGE_UINT(name, UINT32_MAX, uint32_t)
#define MESSAGE_GET_u64(name) MESSAGE_UINT(name, UINT64_MAX, uint64_t)
#define MESSAGE_GET_handle(name) MESSAGE_UINT(name, UINT64_MAX, uint64_t)
#define MESSAGE_GET_i64(name) p = codec_get_i64(p, end, &m->name);
#define MESSAGE_GET_flag(name) p = codec_get_flag(p, end, &m->name);
#define MESSAGE_GET_f64(name) p = codec_get_f64(p, end, &m->name);
#define MESSAGE_GET_text(name) p = codec_get_text(p, end, &m->name);
#define MESSAGE_KIND_u8 FIELD_U8
#define MESSAGE_KIND_u16 FIELD_U16
#define MESSAGE_KIND_u32 FIELD_U32
#define MESSAGE_KIND_u64 FIELD_U64
#define MESSAGE_KIND_i64 FIELD_I64
#define MESSAGE_KIND_flag FIELD_FLAG
#define MESSAGE_KIND_f64 FIELD_F64
#define MESSAGE_KIND_handle FIELD_HANDLE
#define MESSAGE_KIND_text FIELD_TEXT
#define MESSAGE_TEXTS_u8 0
#define MESSAGE_TEXTS_u16 0
#define MESSAGE_TEXTS_u32 0
#define MESSAGE_TEXTS_u64 0
#define MESSAGE_TEXTS_i64 0
#define MESSAGE_TEXTS_flag 0
#define MESSAGE_TEXTS_f64 0
#define MESSAGE_TEXTS_handle 0
#define MESSAGE_TEXTS_text 1
/* only texts have bytes elsewhere */
#define MESSAGE_BYTES_u8(name)
#define MESSAGE_BYTES_u16(name)
#define MESSAGE_BYTES_u32(name)
#define MESSAGE_BYTES_u64(name)
#define MESSAGE_BYTES_i64(name)
#define MESSAGE_BYTES_flag(name)
#define MESSAGE_BYTES_f64(name)
#define MESSAGE_BYTES_handle(name)
#define MESSAGE_BYTES_text(name) bytes += m->name.len;
#define MESSAGE_POINT_u8(name)
#define MESSAGE_POINT_u16(name)
#define MESSAGE_POINT_u32(name)
#define MESSAGE_POINT_u64(name)
#define MESSAGE_POINT_i64(name)
#define MESSAGE_POINT_flag(name)
#define MESSAGE_POINT_f64(name)
#define MESSAGE_POINT_handle(name)
#define MESSAGE_POINT_text(name)                                                                   \
    if (m->name.len != 0) {                                                                        \
        memcpy(texts, m->name.ptr, m->name.len);                                                   \
    }                                                                                              \
    m->name.ptr = texts;                                                                           \
    texts += m->name.len;

/* how many fields, how many texts, longest packed form of the fixed part */
#define MESSAGE(id, name, class, sentence, ...) enum { n_fields_##name = 0 __VA_ARGS__ };
#define FIELD(type, name, sentence) +1
#include MESSAGES_DEF
#undef FIELD
#undef MESSAGE
#define MESSAGE(id, name, class, sentence, ...) enum { n_texts_##name = 0 __VA_ARGS__ };
#define FIELD(type, name, sentence) +MESSAGE_TEXTS_##type
#include MESSAGES_DEF
#undef FIELD
#undef MESSAGE
#define MESSAGE(id, name, class, sentence, ...)                                                    \
    enum { most_##name = 3 __VA_ARGS__ };                                                          \
    _Static_assert(n_fields_##name <= 64, #name ": more than 64 fields");
#define FIELD(type, name, sentence) +1 + (int)sizeof(#name) - 1 + MESSAGE_MOST_##type
#include MESSAGES_DEF
#undef FIELD
#undef MESSAGE

/* the table of fields */
#define MESSAGE(id, name, class, sentence, ...)                                                    \
    static const struct message_field *fields_##name(void)                                         \
    {                                                                                              \
        typedef struct msg_##name record;                                                          \
        static const struct message_field table[] = {__VA_ARGS__};                                 \
        return table;                                                                              \
    }
#define FIELD(type, name, sentence)                                                                \
    {#name, sizeof(#name) - 1, MESSAGE_KIND_##type, offsetof(record, name), sentence},
#include MESSAGES_DEF
#undef FIELD
#undef MESSAGE

/* bytes of the texts */
#define MESSAGE(id, name, class, sentence, ...)                                                    \
    static size_t text_bytes_##name(const void *msg)                                               \
    {                                                                                              \
        const struct msg_##name *m = msg;                                                          \
        size_t bytes = 0;                                                                          \
        (void)m;                                                                                   \
        __VA_ARGS__                                                                                \
        return bytes;                                                                              \
    }                                                                                              \
    static size_t bound_##name(const void *msg)                                                    \
    {                                                                                              \
        return most_##name + text_bytes_##name(msg);                                               \
    }
#define FIELD(type, name, sentence) MESSAGE_BYTES_##type(name)
#include MESSAGES_DEF
#undef FIELD
#undef MESSAGE

#define MESSAGE(id, name, class, sentence, ...)                                                    \
    static void point_##name(void *msg, char *texts)                                               \
    {                                                                                              \
        struct msg_##name *m = msg;                                                                \
        (void)m;                                                                                   \
        __VA_ARGS__(void) texts;                                                                   \
    }
#define FIELD(type, name, sentence) MESSAGE_POINT_##type(name)
#include MESSAGES_DEF
#undef FIELD
#undef MESSAGE

/* the packer */
#define MESSAGE(id, name, class, sentence, ...)                                                    \
    static uint8_t *pack_##name(const void *msg, uint8_t *p)                                       \
    {                                                                                              \
        const struct msg_##name *m = msg;                                                          \
        (void)m;                                                                                   \
        p = codec_put_map(p, n_fields_##name);                                                     \
        __VA_ARGS__                                                                                \
        return p;                                                                                  \
    }
#define FIELD(type, name, sentence)                                                                \
    _Static_assert(sizeof(#name) - 1 < 32, #name ": a key has at most 31 letters");                \
    p = codec_put_key(p, #name, sizeof(#name) - 1);                                                \
    p = MESSAGE_PUT_##type(p, m->name);
#include MESSAGES_DEF
#undef FIELD
#undef MESSAGE

/* the reader: keys in our own order; whatever else comes is left to codec_read() */
#define MESSAGE(id, name, class, sentence, ...)                                                    \
    static const struct message_desc desc_##name;                                                  \
    static int unpack_##name(const uint8_t *in, size_t len, void *msg, char *why, size_t why_size) \
    {                                                                                              \
        struct msg_##name *m = msg;                                                                \
        const uint8_t *end = in + len;                                                             \
        const uint8_t *p = codec_get_map(in, end, n_fields_##name);                                \
        (void)m;                                                                                   \
        if (p == NULL || len > MESSAGE_MAX_BYTES) {                                                \
            goto other;                                                                            \
        }                                                                                          \
        __VA_ARGS__                                                                                \
        if (p == end) {                                                                            \
            return 0;                                                                              \
        }                                                                                          \
    other:                                                                                         \
        return codec_read(&desc_##name, in, len, msg, why, why_size);                              \
    }
#define FIELD(type, name, sentence)                                                                \
    if (!codec_is_key(p, end, #name, sizeof(#name) - 1)) {                                         \
        goto other;                                                                                \
    }                                                                                              \
    p += sizeof(#name);                                                                            \
    MESSAGE_GET_##type(name) if (p == NULL)                                                        \
    {                                                                                              \
        goto other;                                                                                \
    }
#include MESSAGES_DEF
#undef FIELD
#undef MESSAGE

#define MESSAGE(id, word, class, text, ...)                                                        \
    static const struct message_desc desc_##word = {.type = EV_CONTRACT + (id),                    \
                                                    .policy = MESSAGE_##class,                     \
                                                    .n_fields = n_fields_##word,                   \
                                                    .n_texts = n_texts_##word,                     \
                                                    .size = sizeof(struct msg_##word),             \
                                                    .name = #word,                                 \
                                                    .sentence = text,                              \
                                                    .fields = fields_##word,                       \
                                                    .text_bytes = text_bytes_##word,               \
                                                    .bound = bound_##word,                         \
                                                    .pack = pack_##word,                           \
                                                    .unpack = unpack_##word,                       \
                                                    .point = point_##word};
#include MESSAGES_DEF
#undef MESSAGE

#define MESSAGE(id, name, class, sentence, ...) [id] = &desc_##name,
static const struct message_desc *const messages_by_id[] = {
#include MESSAGES_DEF
};
#undef MESSAGE

const struct message_catalogue MESSAGES_CATALOGUE = {messages_by_id, sizeof messages_by_id /
                                                                         sizeof messages_by_id[0]};
