/* fuzz_json.c - the JSON reader: what it takes can be walked, written again, and means the same. */
#include "tests/fuzz/fuzz.h"

#include "adapters/net/json.h"

#include <string.h>

#define OUT_MAX (8u * JSON_SIZE_MAX)

static void copy(const struct json *doc, json_ref node, const char *text, const char *key,
                 struct json_writer *w)
{
    const struct text word = json_text(doc, node);
    int64_t whole;
    double number;
    bool flag = false;

    switch (json_type(doc, node)) {
    case JSON_OBJECT:
        json_open_object(w, key);
        for (json_ref i = json_first(doc, node); i != JSON_NONE; i = json_next(doc, i)) {
            MUST(json_key(doc, i).ptr != NULL);
            copy(doc, i, text, json_key(doc, i).ptr, w);
        }
        json_close_object(w);
        break;
    case JSON_ARRAY:
        json_open_array(w, key);
        for (json_ref i = json_first(doc, node); i != JSON_NONE; i = json_next(doc, i)) {
            copy(doc, i, text, NULL, w);
        }
        json_close_array(w);
        break;
    case JSON_STRING:
        touch(word);
        MUST(word.ptr[word.len] == '\0' && memchr(word.ptr, 0, word.len) == NULL);
        MUST(json_utf8_valid(word.ptr, word.len));
        json_put_text(w, key, word);
        break;
    case JSON_NUMBER:
        (void)json_double(doc, node, &number);
        if (json_int(doc, node, &whole)) {
            json_put_int(w, key, whole);
        } else {
            const struct text raw = json_raw(doc, node, text);
            touch(raw);
            json_put_raw(w, key, raw.ptr, raw.len);
        }
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        MUST(json_bool(doc, node, &flag) && flag == (json_type(doc, node) == JSON_TRUE));
        json_put_bool(w, key, flag);
        break;
    case JSON_NULL:
    case JSON_ABSENT:
        json_put_null(w, key);
        break;
    }
}

static void write_out(const struct json *doc, const char *text, struct json_writer *w)
{
    json_writer_reset(w);
    copy(doc, JSON_ROOT, text, NULL, w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct json doc, again;
    static struct json_writer first, second;
    static bool made;
    const char *text;
    const char *out;
    size_t len = 0;
    size_t len_again = 0;

    if (!made) {
        json_init(&doc, 0);
        json_init(&again, OUT_MAX);
        json_writer_init_heap(&first, OUT_MAX);
        json_writer_init_heap(&second, OUT_MAX);
        made = true;
    }
    /* In a block of its own size: one byte read too many is found. */
    char *block = malloc(size + 1);
    if (size > 0) {
        memcpy(block, data, size);
    }
    if (json_parse(&doc, block, size) != 0) {
        MUST(doc.error[0] != '\0' && json_type(&doc, JSON_ROOT) == JSON_ABSENT);
        free(block);
        return 0;
    }
    MUST(size <= JSON_SIZE_MAX);
    (void)json_path(&doc, JSON_ROOT, "a.b.c");
    write_out(&doc, block, &first);
    text = json_writer_end(&first, &len);
    if (text != NULL) {
        MUST(json_parse(&again, text, len) == 0);
        write_out(&again, text, &second);
        out = json_writer_end(&second, &len_again);
        MUST(out != NULL && len == len_again && memcmp(text, out, len) == 0);
    }
    free(block);
    return 0;
}
