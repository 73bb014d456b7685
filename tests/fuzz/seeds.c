/*
 * seeds.c - what the fuzzers start from, made anew each time, so that it cannot be behind: one
 * record of each message of messages.def, events and answers out of the transcripts of a real
 * Asterisk, and the words of all of them as a dictionary.
 *
 *     fuzz-seeds OUT TRANSCRIPT...        writes OUT/msgpack/..., OUT/ari/..., OUT/json/...,
 * OUT/words.dict
 */
#include "tests/fuzz/fuzz.h"

#include "actors/messages.h"
#include "actors/types.h"
#include "adapters/net/json.h"
#include "core/message.h"
#include "core/record.h"

#include <string.h>
#include <sys/stat.h>

#define LINE_MAX_BYTES (1024u * 1024u)

static const char *out_folder;
static FILE *dictionary;

static FILE *seed(const char *target, const char *name, unsigned n)
{
    char path[512];

    snprintf(path, sizeof path, "%s/%s", out_folder, target);
    (void)mkdir(path, 0755);
    snprintf(path, sizeof path, "%s/%s/%s-%u", out_folder, target, name, n);
    FILE *f = fopen(path, "we");
    MUST(f != NULL);
    return f;
}

static void word(const char *text)
{
    fprintf(dictionary, "\"%s\"\n", text);
}

/* --- messages ----------------------------------------------------------------------------------
 */

static void fill(const struct message_desc *desc, char *msg)
{
    static const struct text text = {"att-0001-00000001-00000002-00000003", 35};

    memset(msg, 0, desc->size);
    for (unsigned i = 0; i < desc->n_fields; i++) {
        const struct message_field *f = &desc->fields()[i];
        if (f->type == FIELD_TEXT) {
            memcpy(msg + f->offset, &text, sizeof text);
        } else {
            msg[f->offset] = 1; /* every number and flag has a first byte; a flag may be 1 */
        }
        word(f->name);
    }
}

static void messages(void)
{
    for (uint16_t id = 0; id < dialer_catalogue.n_ids; id++) {
        const struct message_desc *desc = dialer_catalogue.by_id[id];
        if (desc == NULL) {
            continue;
        }
        char *msg = malloc(desc->size);
        fill(desc, msg);
        const size_t room = desc->bound(msg);
        uint8_t *packed = malloc(2 + RECORD_HEAD + room);
        packed[0] = (uint8_t)(desc->type >> 8);
        packed[1] = (uint8_t)desc->type;
        const size_t len = message_pack(desc, msg, packed + 2, room);
        FILE *f = seed("msgpack", desc->name, 0);
        fwrite(packed, 1, 2 + len, f);
        fclose(f);
        /* The same as a record in a bag; type 0 in front is no message. */
        memmove(packed + 2 + RECORD_HEAD, packed + 2, len);
        packed[0] = packed[1] = 0;
        record_put(packed + 2, ADDR_STORE, ADDR_WEB, desc->type, len);
        f = seed("msgpack", desc->name, 1);
        fwrite(packed, 1, 2 + RECORD_HEAD + len, f);
        fclose(f);
        free(packed);
        free(msg);
    }
}

/* --- transcripts -------------------------------------------------------------------------------
 */

static void put(const char *target, const char *name, unsigned n, int first, struct text t)
{
    FILE *f = seed(target, name, n);

    if (first >= 0) {
        fputc(first, f);
    }
    fwrite(t.ptr, 1, t.len, f);
    fclose(f);
}

/* One event of each type and each kind of answer is enough: the rest is alike. */
static bool is_new(const char *name)
{
    static char known[256][64];
    static unsigned n;

    for (unsigned i = 0; i < n; i++) {
        if (strcmp(known[i], name) == 0) {
            return false;
        }
    }
    if (n < 256) {
        snprintf(known[n++], sizeof known[0], "%.63s", name);
    }
    return true;
}

static void read_line(struct json *doc, const char *line, size_t len)
{
    static unsigned n;
    json_ref at;

    if (json_parse(doc, line, len) != 0) {
        return;
    }
    at = json_get(doc, JSON_ROOT, "event");
    const char *type = json_str(doc, json_get(doc, at, "type"), "");
    if (type[0] != '\0' && is_new(type)) {
        put("ari", type, n, 0, json_raw(doc, at, line));
        put("json", type, n++, -1, json_raw(doc, at, line));
        word(type);
        for (json_ref i = json_first(doc, at); i != JSON_NONE; i = json_next(doc, i)) {
            word(json_key(doc, i).ptr);
        }
    }
    at = json_get(doc, JSON_ROOT, "body");
    if (json_type(doc, at) == JSON_ARRAY && json_count(doc, at) > 0 && n < 200) {
        put("ari", "list", n++, 2, json_raw(doc, at, line));
    }
}

static void transcript(struct json *doc, const char *path)
{
    FILE *f = fopen(path, "re");
    char *line = NULL;
    size_t size = 0;
    ssize_t len;

    MUST(f != NULL);
    while ((len = getline(&line, &size, f)) > 0) {
        read_line(doc, line, (size_t)len - 1);
    }
    free(line);
    fclose(f);
}

/* --- kept inputs -------------------------------------------------------------------------------
 */

static void kept(const char *path)
{
    const char *name = strrchr(path, '/') + 1;
    char target[32];
    FILE *f = fopen(path, "re");
    char *line = NULL;
    size_t size = 0;
    unsigned n = 0;

    MUST(f != NULL);
    snprintf(target, sizeof target, "%.*s", (int)strcspn(name, "."), name);
    while (getline(&line, &size, f) > 0) {
        FILE *to = seed(target, "kept", n++);
        unsigned byte = 0;
        for (const char *at = line; sscanf(at, "%2x", &byte) == 1; at += 2) {
            fputc((int)byte, to);
        }
        fclose(to);
    }
    free(line);
    fclose(f);
}

static bool ends_with(const char *text, const char *end)
{
    const size_t n = strlen(text);

    return n >= strlen(end) && strcmp(text + n - strlen(end), end) == 0;
}

int main(int argc, char **argv)
{
    struct json doc;
    char path[512];

    MUST(argc > 1);
    out_folder = argv[1];
    snprintf(path, sizeof path, "%s/words.dict", out_folder);
    dictionary = fopen(path, "we");
    MUST(dictionary != NULL);
    messages();
    json_init(&doc, LINE_MAX_BYTES);
    for (int i = 2; i < argc; i++) {
        if (ends_with(argv[i], ".hex")) {
            kept(argv[i]);
        } else {
            transcript(&doc, argv[i]);
        }
    }
    json_free(&doc);
    fclose(dictionary);
    return 0;
}
